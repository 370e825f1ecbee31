"""Read the headers of a mail, bounded, never raising: fields, addresses, dates, media types, charsets.

RFC 5322 (fields, addresses, dates), RFC 2045 and 2231 (media types), RFC 2047 and 6532 (other alphabets).
"""

from __future__ import annotations

import binascii
import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache


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

UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands for the date of a mail that has none: too long ago to say anything of today."""


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
        if name not in self._mailboxes:
            found: list[Address] = []
            for value in [value for key, value in self.fields if key == name]:
                found.extend(split_addresses(as_text(value), LIMITS.addresses - len(found)))
            self._mailboxes[name] = found
        return self._mailboxes[name].copy()

    @cached_property
    def _mailboxes(self) -> dict[str, list[Address]]:
        return {}

    @cached_property
    def content_type(self) -> tuple[str, Mapping[str, str]]:
        """Return the media type in lower case and its parameters; text/plain where there is none."""
        return media_type(self._first.get("content-type", b""))

    @cached_property
    def disposition(self) -> tuple[str, Mapping[str, str]]:
        """Return how a part is to be shown, such as attachment, and the parameters of that."""
        return media_type(self._first.get("content-disposition", b""))

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

    @property
    def dated(self) -> datetime:
        """Return the date, `UNDATED` where there is none."""
        return self.date or UNDATED


_FIELD = rb"([!-9;-~]{1,200}+)[ \t]*+:[ \t]*+([^\n]*+(?:\n[ \t][^\n]*+)*+)\n?"
_FIELDS = re.compile(_FIELD)
_BLOCK = re.compile(rb"(?:%b)*+" % _FIELD)


def split_head(raw: bytes, start: int, end: int, limits: Limits = LIMITS) -> tuple[Head, int]:
    """Read the header block that begins at `start`; return it and where the body begins.

    A line that is neither a field nor a continuation ends the block, so a forgotten blank line costs nothing.
    """
    stop = min(end, start + limits.headers)
    block = _BLOCK.match(raw, start, stop)
    at = block.end() if block is not None else start
    fields = [
        (
            name.decode("ascii").lower(),
            (value.rstrip() if b"\n" not in value else _unfolded(value))[: limits.header],
        )
        for name, value in _FIELDS.findall(raw, start, at)[: limits.header_count]
    ]
    return Head(tuple(fields)), at + 1 if at < stop and raw[at] == NEWLINE else min(at, end)


def _unfolded(value: bytes) -> bytes:
    return b" ".join(map(bytes.strip, value.split(b"\n")))


_PARAM = re.compile(
    rb';\s*([A-Za-z0-9_.\-]{1,60})(\*?(?:\d{1,3}\*?)?)\s*=\s*("(?:[^"\\]|\\.){0,2000}"|[^;\s]{0,2000})',
    re.DOTALL,
)


def media_type(value: bytes) -> tuple[str, Mapping[str, str]]:
    """Split a Content-Type or -Disposition value into its lower-case type and parameters (RFC 2231)."""
    return _media_type(value[:4096])


@lru_cache(maxsize=64)
def _media_type(value: bytes) -> tuple[str, Mapping[str, str]]:
    kind = value.split(b";", 1)[0].strip().lower().decode("ascii", "replace")
    if "/" not in kind and kind not in {"attachment", "inline"}:
        kind = "text/plain"
    if b";" not in value:
        return kind, {}
    pieces: dict[str, list[bytes]] = {}
    extended: set[str] = set()
    for match in _PARAM.finditer(value):
        text = match[3]
        if text[:1] == b'"':
            text = text[1:-1]
            text = re.sub(rb"\\(.)", rb"\1", text, flags=re.DOTALL) if b"\\" in text else text
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
    return kind, params


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


NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape"})
"""Codecs of Python's that no mail is written in; some take time quadratic in the text."""


def _is_charset(codec: codecs.CodecInfo) -> bool:
    return codec._is_text_encoding and codec.name.replace("_", "-") not in NO_CHARSETS  # noqa: SLF001 - no public name


def decode_charset(raw: bytes, charset: str) -> str:
    """Decode by the declared charset where it decodes, else UTF-8, else Windows-1252, never failing."""
    name = charset.strip().strip("\"'").lower()
    if name.startswith(("iso-2022-jp", "csiso2022jp")):
        raw = restore_escapes(raw)
        name = "iso2022_jp_ext"
    for candidate in (name, "utf-8"):
        try:
            if candidate and _is_charset(codecs.lookup(candidate)):
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
    return raw if b"\x1b" in raw or b"$B" not in raw else _LOST_ESCAPE.sub(b"\x1b\\1", raw)


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
    from email.errors import HeaderParseError  # noqa: PLC0415 - few mails need them, and they load slowly
    from email.header import decode_header  # noqa: PLC0415 - as above

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
        if "=?" in name:
            name = decode_words(name.strip().encode("utf-8", "surrogateescape"))
        name = name.strip().strip("\"'").strip()
        found.append(Address(re.sub(r"\\(.)", r"\1", name) if "\\" in name else name, address))
    return found


_SPECIAL = re.compile(r'["\\(]')
_SEPARATOR = re.compile("[,;]")


def _entries(text: str) -> Iterator[str]:
    """Yield the comma- or semicolon-separated entries of an address list, without their comments."""
    if _SPECIAL.search(text) is None:
        yield from _SEPARATOR.split(text)
        return
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


_MONTHS = {
    name: number for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)
}
_DATE = re.compile(
    rf"(?:\w{{3}}, ?)?(\d{{1,2}}) ({'|'.join(_MONTHS)}) ([12]\d{{3}}) (\d\d):(\d\d):(\d\d) "
    r"([+-])([01]\d|2[0-3])([0-5]\d)(?: \([\w ]{1,40}\))?",
    re.ASCII,
)


def parse_date(text: str) -> datetime | None:
    """Read an RFC 5322 date in UTC; a date without a zone is taken as UTC. None where it is none."""
    text = text.strip()[:100]
    if not text:
        return None
    usual = _DATE.fullmatch(text)
    try:
        if usual is not None:
            day, month, year, hour, minute, second, sign, hours, minutes = usual.groups()
            local = datetime(
                int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=UTC
            )
            ahead = timedelta(hours=int(hours), minutes=int(minutes))
            return local - ahead if sign == "+" else local + ahead
        from email.utils import parsedate_to_datetime  # noqa: PLC0415 - loads slowly and is seldom needed

        parsed = parsedate_to_datetime(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
