"""Parse one mail, bounded in every direction, because mail comes from strangers.

The standard library's parser is quadratic on several hostile shapes (deep nesting, many parts, glued
headers). This one cuts before it looks: it finds boundaries with `bytes.find` inside given limits, decodes
only the text that is asked for, and never raises. What it left out it says in `Mail.notes`.
RFC 5322 (headers), RFC 2045-2047 and 2231 (MIME), RFC 3464 (delivery status).
"""

from __future__ import annotations

import binascii
import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header
from email.utils import parsedate_to_datetime
from functools import cached_property


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a mail is looked at; sizes in bytes, the rest are counts."""

    mail: int = 26 * 2**20
    headers: int = 256 * 2**10
    header_count: int = 500
    header: int = 64 * 2**10
    addresses: int = 1000
    depth: int = 12
    parts: int = 200
    text: int = 256 * 2**10
    html: int = 128 * 2**10


LIMITS = Limits()
NEWLINE = ord("\n")


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox as a header names it: display name and lower-case address, each possibly empty."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        """Return what stands after the @."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True)
class Head:
    """The headers of a mail or a part, in order, names in lower case, values unfolded but not decoded."""

    fields: tuple[tuple[str, bytes], ...] = ()

    @cached_property
    def _first(self) -> dict[str, bytes]:
        return dict(reversed(self.fields))

    def __contains__(self, name: str) -> bool:
        return name in self._first

    def get(self, name: str) -> str:
        """Return the first such header with its encoded words decoded, or the empty string."""
        value = self._first.get(name)
        return "" if value is None else decode_words(value)

    def all(self, name: str) -> list[str]:
        """Return every such header, decoded, in order."""
        return [decode_words(value) for key, value in self.fields if key == name]

    def addresses(self, name: str) -> list[Address]:
        """Return the mailboxes of every such header."""
        found: list[Address] = []
        for key, value in self.fields:
            if key == name:
                found.extend(split_addresses(as_text(value), LIMITS.addresses - len(found)))
        return found

    @cached_property
    def content_type(self) -> tuple[str, dict[str, str]]:
        """Return the media type in lower case and its parameters; text/plain where there is none."""
        return media_type(self._first.get("content-type", b""))

    @cached_property
    def sender(self) -> Address:
        """Return the author: From, else Sender."""
        found = self.addresses("from") or self.addresses("sender")
        return found[0] if found else Address("", "")

    @cached_property
    def recipients(self) -> tuple[Address, ...]:
        """Return who stands in To and Cc."""
        return (*self.addresses("to"), *self.addresses("cc"))

    @property
    def subject(self) -> str:
        """Return the decoded subject."""
        return self.get("subject")

    @cached_property
    def message_id(self) -> str:
        """Return the Message-ID without its angle brackets."""
        return first_id(self.get("message-id"))

    @cached_property
    def references(self) -> tuple[str, ...]:
        """Return the ids of the mails this one answers: In-Reply-To first, then References, latest first."""
        answered = message_ids(self.get("in-reply-to"))
        return tuple(dict.fromkeys([*answered, *reversed(message_ids(self.get("references")))]))

    @cached_property
    def date(self) -> datetime | None:
        """Return when the mail arrived by its topmost Received header, else when it says it was written."""
        for stamp in (self.get("received").rpartition(";")[2], self.get("date"), self.get("delivery-date")):
            parsed = parse_date(stamp)
            if parsed is not None:
                return parsed
        return None


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
        disposition = media_type(self.head._first.get("content-disposition", b""))[1]  # noqa: SLF001
        return disposition.get("filename") or self.head.content_type[1].get("name", "")

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
    notes: tuple[str, ...] = field(default=())

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


_FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*:[ \t]*")


def split_head(raw: bytes, start: int, end: int, limits: Limits = LIMITS) -> tuple[Head, int]:
    """Read the header block that begins at `start`; return it and where the body begins.

    A line that is neither a field nor a continuation ends the block, so a forgotten blank line costs nothing.
    """
    fields: list[tuple[str, bytes]] = []
    at, stop = start, min(end, start + limits.headers)
    while at < stop:
        line_end = raw.find(b"\n", at, stop)
        line_end = stop if line_end == -1 else line_end
        if line_end == at:
            return Head(tuple(fields)), at + 1
        if raw[at] in b" \t" and fields:
            name, value = fields[-1]
            if len(value) < limits.header:
                fields[-1] = (name, value + b" " + raw[at:line_end].strip())
        else:
            match = _FIELD.match(raw, at, line_end)
            if match is None:
                return Head(tuple(fields)), at
            if len(fields) < limits.header_count:
                fields.append((match[1].decode("ascii").lower(), raw[match.end() : line_end].strip()))
        at = line_end + 1
    return Head(tuple(fields)), min(at, end)


_PARAM = re.compile(
    rb';\s*([A-Za-z0-9_.\-]{1,60})(\*?(?:\d{1,3}\*?)?)\s*=\s*("(?:[^"\\]|\\.){0,2000}"|[^;\s]{0,2000})',
    re.DOTALL,
)


def media_type(value: bytes) -> tuple[str, dict[str, str]]:
    """Split a Content-Type or -Disposition value into its lower-case type and parameters (RFC 2231)."""
    value = value[:4096]
    kind = value.split(b";", 1)[0].strip().lower().decode("ascii", "replace")
    pieces: dict[str, list[bytes]] = {}
    extended: set[str] = set()
    for match in _PARAM.finditer(value):
        text = match[3]
        if text[:1] == b'"':
            text = re.sub(rb"\\(.)", rb"\1", text[1:-1], flags=re.DOTALL)
        name = match[1].decode().lower()
        if match[2].endswith(b"*"):
            extended.add(name)
        pieces.setdefault(name, []).append(text)
    params = {}
    for name, texts in pieces.items():
        joined = b"".join(texts)
        if name in extended and joined.count(b"'") >= 2:  # noqa: PLR2004 - charset'language'value
            charset, _, encoded = joined.split(b"'", 2)
            joined = re.sub(rb"%([0-9A-Fa-f]{2})", lambda hexed: bytes([int(hexed[1], 16)]), encoded)
            params[name] = decode_charset(joined, charset.decode("ascii", "replace"))
        else:
            params[name] = as_text(joined)
    return kind if "/" in kind or kind in {"attachment", "inline"} else "text/plain", params


def decode_transfer(raw: bytes, encoding: str) -> bytes:
    """Undo a content transfer encoding on at most the text limit; damage is kept as it stands."""
    encoding = encoding.strip().lower()
    if encoding == "base64":
        clean = re.sub(rb"[^A-Za-z0-9+/=]", b"", raw[: LIMITS.text * 2])
        clean = clean[: len(clean) - len(clean) % 4] if len(clean) % 4 else clean
        try:
            return binascii.a2b_base64(clean)
        except binascii.Error:
            return raw[: LIMITS.text]
    if encoding == "quoted-printable":
        return binascii.a2b_qp(raw[: LIMITS.text * 2])
    return raw[: LIMITS.text * 2]


def decode_charset(raw: bytes, charset: str) -> str:
    """Decode by the declared charset where it decodes, else UTF-8, else Windows-1252, never failing."""
    name = charset.strip().strip("\"'").lower()
    if name.startswith(("iso-2022-jp", "csiso2022jp")):
        raw = restore_escapes(raw)
        name = "iso2022_jp_ext"
    for candidate in (name, "utf-8"):
        try:
            if candidate and codecs.lookup(candidate)._is_text_encoding:  # noqa: SLF001 - no public name
                return raw.decode(candidate)
        except (LookupError, UnicodeError, ValueError):
            continue
    if name in {"shift_jis", "shift-jis", "iso2022_jp_ext", "euc-jp", "gb2312", "gbk", "big5", "euc-kr"}:
        wider = {"shift_jis": "cp932", "shift-jis": "cp932", "gb2312": "gb18030", "gbk": "gb18030"}.get(
            name, name
        )
        return raw.decode(wider, "replace")
    return raw.decode("cp1252", "replace")


_LOST_ESCAPE = re.compile(rb"(?<!\x1b)(\$[@B]|\([BJ])")


def restore_escapes(raw: bytes) -> bytes:
    """Put back the ESC bytes that some gateways strip from ISO-2022-JP (RFC 1468) text."""
    return raw if b"\x1b" in raw or b"$B" not in raw else _LOST_ESCAPE.sub(rb"\x1b\1", raw)


def as_text(value: bytes) -> str:
    """Decode a header's raw bytes: UTF-8 as RFC 6532 allows, else Latin-1."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def decode_words(value: bytes) -> str:
    """Decode the encoded words of a header value (RFC 2047); what does not decode stays as it is."""
    text = as_text(value)
    if "=?" not in text:
        return text
    try:
        pieces = decode_header(text[: LIMITS.header // 4])
    except (HeaderParseError, ValueError):
        return text
    return "".join(
        piece if isinstance(piece, str) else decode_charset(piece, charset or "") for piece, charset in pieces
    )


def split_addresses(text: str, most: int = LIMITS.addresses) -> list[Address]:
    """Read an address list in one pass: quotes, comments, groups and angle brackets (RFC 5322 3.4)."""
    found: list[Address] = []
    for entry in _entries(text):
        if len(found) >= most:
            break
        name, _, angled = entry.rpartition("<") if "<" in entry else ("", "", entry)
        address = angled.partition(">")[0].strip().strip("'\"").lower()
        if ":" in name and "@" not in name:
            name = name.partition(":")[2]
        if "@" not in address:
            continue
        address = address.split()[-1].removeprefix("mailto:")
        clean = decode_words(name.strip().encode("utf-8", "surrogateescape")).strip().strip("\"'").strip()
        found.append(Address(re.sub(r"\\(.)", r"\1", clean), address))
    return found


def _entries(text: str) -> Iterator[str]:
    """Yield the comma- or semicolon-separated entries of an address list, without their comments."""
    entry: list[str] = []
    quoted = escaped = False
    comments = 0
    for char in text:
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == '"' and not comments:
            quoted = not quoted
        elif not quoted and char == "(":
            comments += 1
        elif not quoted and char == ")" and comments:
            comments -= 1
            continue
        elif not quoted and not comments and char in ",;":
            yield "".join(entry)
            entry = []
            continue
        if not comments:
            entry.append(char)
    yield "".join(entry)


_ID = re.compile(r"<([^<>\s]{1,500})>")


def message_ids(text: str) -> list[str]:
    """Return the message ids in a header value, without angle brackets, in order."""
    found = _ID.findall(text)
    return found or [word for word in text.split()[:1] if "@" in word]


def first_id(text: str) -> str:
    """Return the first message id in a header value, or the empty string."""
    found = message_ids(text)
    return found[0] if found else ""


def parse_date(text: str) -> datetime | None:
    """Read an RFC 5322 date in UTC; a date without a zone is taken as UTC. None where it is none."""
    text = text.strip()[:100]
    if not text:
        return None
    try:
        parsed = parsedate_to_datetime(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


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
