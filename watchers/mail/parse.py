"""Parse one mail, bounded in every direction, because mail comes from strangers.

The standard library's parser is quadratic on several hostile shapes (deep nesting, many parts, glued
headers). This one cuts before it looks: it finds boundaries with `bytes.find` inside given limits, decodes
only the text that is asked for, and never raises. What it left out it says in `Mail.notes`.
RFC 2045-2047 (MIME); the headers are `watchers.mail.head`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from watchers.mail.head import LIMITS, NEWLINE, Head, Limits, decode_charset, decode_transfer, split_head


@dataclass(frozen=True)
class Part:
    """A leaf of a mail's MIME tree, decoded only when asked.

    `raw` is the body as transferred. `depth` counts the multiparts and attached mails around it; `within`
    names the nearest multipart. An attached mail is a part too, with its own parse in `mail`.
    """

    head: Head
    raw: bytes
    depth: int = 0
    within: str = ""
    mail: Mail | None = None

    @property
    def content_type(self) -> str:
        """Return the media type in lower case."""
        return self.head.content_type[0]

    @property
    def filename(self) -> str:
        """Return the file name it is sent under, empty where there is none."""
        return self.head.disposition[1].get("filename") or self.head.content_type[1].get("name", "")

    @property
    def is_attachment(self) -> bool:
        """Say whether the sender marked it as an attachment."""
        return self.head.get("content-disposition").lower().startswith("attachment")

    @cached_property
    def payload(self) -> bytes:
        """Return the body with its transfer encoding undone, cut at the text limit."""
        return decode_transfer(self.raw, self.head.get("content-transfer-encoding"))

    @cached_property
    def text(self) -> str:
        """Return the body as text; HTML is reduced to what a reader would see."""
        text = decode_charset(self.payload, self.head.content_type[1].get("charset", ""))
        return html_text(text) if self.content_type == "text/html" else text


@dataclass(frozen=True)
class Mail:
    """A parsed mail. `parts` are its leaves in order; `notes` say what was cut or repaired."""

    head: Head
    parts: tuple[Part, ...] = ()
    notes: tuple[str, ...] = ()

    def of_type(self, *types: str) -> Iterator[Part]:
        """Yield the parts of these media types that are not inside an attached mail."""
        return (part for part in self.parts if part.content_type in types)

    @cached_property
    def text(self) -> str:
        """Return the text a human would read: the plain parts, else the HTML ones, never attachments."""
        for kind in ("text/plain", "text/html"):
            texts = [part.text for part in self.of_type(kind) if not part.is_attachment]
            if any(text.strip() for text in texts):
                return "\n".join(texts)[: LIMITS.text]
        return ""


def parse(raw: bytes, limits: Limits = LIMITS) -> Mail:
    """Parse the bytes of one mail. Never raises; what could not be read is in the mail's `notes`."""
    notes: list[str] = []
    if len(raw) > limits.mail:
        raw = raw[: limits.mail]
        notes.append(f"cut at {limits.mail} bytes")
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    raw = raw.lstrip(b"\xef\xbb\xbf\n ")
    if raw.startswith((b"From ", b">From ")):
        raw = raw[raw.find(b"\n") + 1 :] if b"\n" in raw else b""
    walk = _Walk(raw, limits, notes)
    mail = walk.mail(0, len(raw), 0)
    return Mail(mail.head, mail.parts, tuple(notes))


class _Walk:
    """Walk the MIME tree of one mail by offsets into its bytes, within the limits."""

    def __init__(self, raw: bytes, limits: Limits, notes: list[str], left: int | None = None) -> None:
        self.raw = raw
        self.limits = limits
        self.notes = notes
        self.left = limits.parts if left is None else left

    def mail(self, start: int, end: int, depth: int) -> Mail:
        """Parse the mail between two offsets."""
        head, body = split_head(self.raw, start, end, self.limits)
        return Mail(head, tuple(self.parts(head, body, end, depth, "")))

    def parts(self, head: Head, start: int, end: int, depth: int, within: str) -> Iterator[Part]:
        """Yield the leaves of one part, whose body lies between two offsets."""
        if self.left <= 0:
            self.note(f"only the first {self.limits.parts} parts were read")
            return
        self.left -= 1
        kind, params = head.content_type
        if depth >= self.limits.depth:
            self.note(f"nested deeper than {self.limits.depth}: the rest was not read")
        elif kind.startswith("multipart/") and params.get("boundary"):
            default = (("content-type", b"message/rfc822"),) if kind == "multipart/digest" else ()
            framed = False
            for first, last in self.sections(start, end, params["boundary"]):
                framed = True
                inner, body = split_head(self.raw, first, last, self.limits)
                if "content-type" not in inner:
                    inner = Head((*inner.fields, *default))
                yield from self.parts(inner, body, last, depth + 1, kind)
            if not framed:
                self.note("its parts are not framed as announced: it was read as one text")
                yield Part(head, self.raw[start : min(end, start + self.limits.text * 2)], depth, within)
        elif kind in {"message/rfc822", "message/global"}:
            yield Part(
                head,
                self.raw[start : min(end, start + self.limits.text)],
                depth,
                within,
                self.attached(head, start, end, depth + 1),
            )
        else:
            bounded = kind.startswith(("text/", "message/"))
            stop = min(end, start + self.limits.text * 2) if bounded else end
            yield Part(head, self.raw[start:stop], depth, within)

    def attached(self, head: Head, start: int, end: int, depth: int) -> Mail:
        """Parse an attached mail; RFC 2046 5.2.1 forbids encoding it, which does not keep people from it."""
        encoding = head.get("content-transfer-encoding").strip().lower()
        if encoding in {"base64", "quoted-printable"}:
            inner = decode_transfer(self.raw[start:end], encoding).replace(b"\r\n", b"\n")
            walk = _Walk(inner, self.limits, self.notes, self.left)
            mail = walk.mail(0, len(inner), depth)
            self.left = walk.left
            return mail
        while start < end and self.raw[start] == NEWLINE:
            start += 1
        return self.mail(start, end, depth)

    def sections(self, start: int, end: int, boundary: str) -> Iterator[tuple[int, int]]:
        """Yield where each section of a multipart begins and ends (RFC 2046 5.1.1).

        The last one may lack its closing boundary.
        """
        mark = b"\n--" + boundary.encode("utf-8", "replace")
        at = start - 1 if self.raw.startswith(mark[1:], start) else self.raw.find(mark, start, end)
        while at != -1:
            after = at + len(mark)
            line = self.raw.find(b"\n", after, end)
            if line == -1 or self.raw[after : after + 2] == b"--":
                return
            if self.left <= 0:
                self.note(f"only the first {self.limits.parts} parts were read")
                return
            at = self.raw.find(mark, line, end)
            yield line + 1, max(line + 1, end if at == -1 else at)

    def note(self, text: str) -> None:
        """Say once what was left out."""
        if text not in self.notes:
            self.notes.append(text)


_HIDDEN = frozenset({"script", "style", "head", "title"})
_BLOCKS = frozenset("br p div tr li h1 h2 h3 h4 h5 h6 blockquote table pre hr".split())
_NO_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def html_text(html: str) -> str:
    """Return what a reader would see of an HTML body, each block on a line of its own."""
    from lxml import etree  # noqa: PLC0415 - most mail is plain text, and loading lxml takes a while

    clean = _NO_CHARACTERS.sub(" ", html[: LIMITS.html])
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    tree = etree.fromstring(clean.encode(), parser) if clean.strip() else None
    if tree is None:
        return ""
    pieces: list[str] = []
    hidden = 0
    for event, node in etree.iterwalk(tree, events=("start", "end")):
        if node.tag in _HIDDEN:
            hidden += 1 if event == "start" else -1
        if event == "start" and node.tag in _BLOCKS:
            pieces.append("\n")
        text = node.text if event == "start" else node.tail
        if text and not hidden:
            pieces.append(text)
    return _BLANK_LINES.sub("\n\n", "".join(pieces))


_BLANK_LINES = re.compile(r"\n[ \t\r\n]*\n")
