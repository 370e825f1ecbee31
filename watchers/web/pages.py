"""Turn what a server answered into text, and say why a page cannot be read as the listing it was.

Nothing is fetched here. What else a caller should fetch before it believes that somebody is missing is named:
further pages of the list, frames, the pages of single teams, or where the listing may have moved to.
"""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

from watchers.web.blocks import Document
from watchers.web.folding import fold, words
from watchers.web.namelike import Look, look
from watchers.web.words import as_written, vocabulary

MOST_BYTES = 4_000_000
"""Of a page, unpacked. No listing of people is larger; what is, is not read at all."""
MOST_FURTHER = 6
"""Further pages that are asked for beside one page."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CHARSET = re.compile(r"charset\s{0,5}=\s{0,5}[\"']?([\w.:-]{2,40})", re.IGNORECASE)
_LATIN = frozenset(("iso8859-1", "ascii", "cp1252"))
_GZIP = b"\x1f\x8b"
_HEAD = 2_048
_MOST_DIGITS = 15
_NOT_LET_IN = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
_PAGING = re.compile(
    r"(?:[?&](?:page|p|pg|paged|offset|start|pagina|seite)=\d{1,5}|/page/\d{1,4})", re.IGNORECASE
)
_PAGING_TEXT = re.compile(
    r"^(?:\W*\d{1,3}\W*|.{0,12}\b(?:next|more|older|weiter|suivante?|siguiente|proxim[oa]|successiv[oa]|"
    r"volgende|nasta|neste|naeste|"
    r"nastepn[ay]|dalsi)\b.{0,12}|[\u00bb\u203a\u2192>]{1,3}|次.{0,4}|下一页|다음)$",
)
_BUTTON = 60
"""Characters of what stands on a button, at most."""
_MORE_MARKS = (frozenset(("load", "more")), frozenset(("infinite", "scroll")))
_FEWEST_LETTERS = 3
"""Links of one letter that make a register."""
_MORE_BUTTON = re.compile(
    r"^(?:load|show|view|see)\b.{0,12}\b(?:more|all)\b|^(?:mehr (?:laden|anzeigen)|voir plus|ver mas|"
    r"carregar mais)"
)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a server answered: `status` is 0 where nobody did. `error` names what went wrong on the way."""

    status: int
    url: str
    final_url: str
    body: bytes
    day: date
    headers: Mapping[str, str] = field(default_factory=dict)
    error: str = ""

    def header(self, name: str) -> str:
        """Return a header's value, whatever its case."""
        return next((value for key, value in self.headers.items() if key.lower() == name), "")


def refused(fetched: Fetched) -> str:  # noqa: PLR0911 - each return is a rule
    """Return why an answer holds no page at all, or nothing where it does."""
    status = fetched.status
    if status == 0:
        return f"no answer ({fetched.error})" if fetched.error else "no answer"
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return f"page not found ({status})"
    if status in _NOT_LET_IN:
        return f"not let in ({status})"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"an error of the site ({status})"
    if not 200 <= status < 300:  # noqa: PLR2004 - the answers that carry a page
        return f"answered {status}"
    if len(fetched.body) > MOST_BYTES:
        return "larger than we read"
    return "" if fetched.body.strip() else "an empty page"


def unpack(body: bytes) -> bytes | None:
    """Return the body unpacked where it is gzip that nobody labelled; None where that is too much.

    At most `MOST_BYTES` are unpacked, so that a bomb costs no more than a page.
    """
    if not body.startswith(_GZIP):
        return body
    unpacker = zlib.decompressobj(wbits=31)
    try:
        text = unpacker.decompress(body, MOST_BYTES + 1)
    except zlib.error:
        return body
    return None if len(text) > MOST_BYTES else text


def decode(body: bytes, content_type: str = "") -> str:
    """Return the text of a body: by its mark, as UTF-8 where it is that, as declared, or as Windows-1252.

    A declaration counts less than valid UTF-8, which no other encoding yields by accident.
    """
    for mark, charset in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(charset, "replace")
    declared = _declared(body, content_type)
    if declared.startswith(("utf-16", "utf-32")) and b"\x00" in body[:_HEAD]:
        return body.decode(declared, "replace")
    if b"\x00" in body[:_HEAD] and body[:_HEAD].count(b"\x00") > len(body[:_HEAD]) // 4:
        return body.decode("utf-16-le" if body[1:2] == b"\x00" else "utf-16-be", "replace")
    if not declared.startswith("iso2022"):
        try:
            return codecs.getincrementaldecoder("utf-8")().decode(body)
        except UnicodeDecodeError:
            pass
    if declared and declared not in _LATIN and not declared.startswith("utf"):
        try:
            return body.decode(declared)
        except (UnicodeDecodeError, ValueError):
            pass
    return body.decode("utf-8" if _mostly_utf8(body) else "cp1252", "replace")


def _declared(body: bytes, content_type: str) -> str:
    """Return the encoding that the header, or else the page itself, declares; empty where it is unknown."""
    found = _CHARSET.search(content_type) or _CHARSET.search(body[:_HEAD].decode("latin-1"))
    if not found:
        return ""
    try:
        info = codecs.lookup(found[1])
    except (LookupError, ValueError):
        return ""
    return info.name if getattr(info, "_is_text_encoding", True) else ""


def _mostly_utf8(body: bytes) -> bool:
    """Say whether the body is UTF-8 with damage rather than an encoding of single bytes."""
    high = sum(byte >= 0x80 for byte in body[:200_000])  # noqa: PLR2004 - above ASCII
    broken = body[:200_000].decode("utf-8", "replace").count("\ufffd")
    return bool(high) and broken * 4 < high


def gaps(fetched: Fetched, text: str, doc: Document) -> frozenset[str]:
    """Return the signs that a page may show less than its list: cut off, paged, or filled in by scripts."""
    found = set()
    tail = text[-_HEAD:].lower()
    if fetched.error or ("<" in text[:200] and "</html" not in tail and "</body" not in tail):
        found.add("cut off")
    length = fetched.header("content-length") if not fetched.header("content-encoding") else ""
    if length.isascii() and length.isdigit() and int(length[:_MOST_DIGITS]) > len(fetched.body):
        found.add("cut off")
    if not doc.complete:
        found.add("larger than we read")
    if "\ufffd" in text:
        found.add("damaged letters")
    if any(_is_paging(asset.kind, asset.value, asset.text) for asset in doc.assets):
        found.add("more pages")
    if any(asset.kind == "frame" for asset in doc.assets):
        found.add("frames")
    if _shows_more_on_demand(doc):
        found.add("more on demand")
    letters = {asset.text for asset in doc.assets if asset.kind == "link" and len(asset.text) == 1}
    if sum(map(str.isalpha, letters)) >= _FEWEST_LETTERS:
        found.add("a page for each letter")
    return frozenset(found)


def _shows_more_on_demand(doc: Document) -> bool:
    """Say whether a button, or an element that a script watches, brings the rest of a list."""
    labels = [line.text for line in doc.lines if len(line.text) <= _BUTTON]
    labels += [box.attrs.get("value", "")[:_BUTTON] for box in doc.boxes if box.tag == "input"]
    marks = {box.tokens for box in doc.boxes}
    return any(_MORE_BUTTON.search(fold(label)) for label in labels) or any(
        mark <= tokens for tokens in marks for mark in _MORE_MARKS
    )


def _is_paging(kind: str, href: str, text: str) -> bool:
    return kind == "next" or (
        kind == "link" and bool(_PAGING.search(href)) and bool(_PAGING_TEXT.search(fold(text)))
    )


def further(fetched: Fetched, doc: Document) -> tuple[str, ...]:
    """Return the addresses that may hold the rest of the listing, the likeliest first, all on one host."""
    paging = [asset.value for asset in doc.assets if _is_paging(asset.kind, asset.value, asset.text)]
    frames = [asset.value for asset in doc.assets if asset.kind == "frame"]
    teams = [
        asset.value
        for asset in doc.assets
        if asset.kind == "link" and _leads_to_people(asset.value, asset.text)
    ]
    home = ["/"] if fetched.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE} else []
    return _on_same_host(fetched, [*paging, *frames, *teams, *home])


def paging(fetched: Fetched, doc: Document) -> tuple[str, ...]:
    """Return the addresses of what belongs to this listing: its further pages and its frames."""
    found = [
        asset.value
        for asset in doc.assets
        if asset.kind == "frame" or _is_paging(asset.kind, asset.value, asset.text)
    ]
    return _on_same_host(fetched, found)


def _leads_to_people(href: str, text: str) -> bool:
    """Say whether a link may lead to a listing of people, rather than to one person's page."""
    if look(text) is Look.YES:
        return False
    known = vocabulary("team")
    path = _path(href).strip("/")
    parts = [part.rpartition(".")[0] or part for part in path.split("/")]
    return any(part in known for part in parts[-2:]) or bool(known & set(words(text)) and len(text) < 60)  # noqa: PLR2004 - as long as links are


def _path(url: str) -> str:
    """Return the path of an address in lower case; one that is no address has none."""
    try:
        return urlsplit(url).path.lower()
    except ValueError:
        return ""


def _on_same_host(fetched: Fetched, hrefs: Iterable[str]) -> tuple[str, ...]:
    base = fetched.final_url or fetched.url
    seen = {base.partition("#")[0], fetched.url.partition("#")[0]}
    kept: list[str] = []
    for href in hrefs:
        try:
            url = urljoin(base, href.strip()).partition("#")[0]
            parts = urlsplit(url)
        except ValueError:
            continue
        if parts.scheme in {"http", "https"} and parts.netloc == urlsplit(base).netloc and url not in seen:
            seen.add(url)
            kept.append(url)
        if len(kept) == MOST_FURTHER:
            break
    return tuple(kept)


def went_home(fetched: Fetched) -> bool:
    """Say whether the request for a page was led to the site's first page, or to a wall before it."""
    try:
        asked, got = urlsplit(fetched.url), urlsplit(fetched.final_url or fetched.url)
    except ValueError:
        return False
    if got.path == asked.path:
        return False
    last = set(words(got.path))
    return got.path.strip("/") == "" or bool(
        last & {"login", "signin", "consent", "cookies", "404", "error", "jobs", "careers"}
    )


@cache
def _walls() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return what may stand before a page, and the signs of it."""
    pairs = (line.partition(" = ") for line in as_written("walls"))
    return tuple((wall, re.compile(signs)) for wall, _, signs in pairs)


def guess(fetched: Fetched, doc: Document) -> str:
    """Return what a page looks like on which nobody of the listing was found."""
    if went_home(fetched):
        return f"led to {_path(fetched.final_url) or '/'} instead"
    shown = "\n".join(line.text for line in doc.lines[:200])
    text = fold(f"{doc.title}\n{shown}"[:8_000])
    for wall, signs in _walls():
        if signs.search(text):
            return wall
    if len(shown) < 200 and (doc.scripts or "<script" in text):  # noqa: PLR2004 - an empty shell
        return "a page that needs JavaScript"
    return "not the listing it was: none of the people we know is on it"
