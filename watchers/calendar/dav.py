"""Read what a WebDAV server answers (RFC 4918), and write what it is asked. Pure.

XML is read without entities, document types or anything from outside.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

from lxml import etree

from bot.model import SourceDown
from watchers.calendar import MOST_ENTRIES
from watchers.calendar.line import TooLarge

DAV, CAL, CS = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}", "{http://calendarserver.org/ns/}"
_SPACES = 'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:s="http://calendarserver.org/ns/"'
_HEAD = '<?xml version="1.0" encoding="utf-8"?>'
MOST_RESPONSES = MOST_ENTRIES
MOST_ELEMENTS = 10 * MOST_RESPONSES
"""Elements and attributes of one answer: more than that many responses with a few properties have."""

AT_ONCE = 2**16
"""Bytes that are parsed before it is counted again what they became; the first hold the first element."""


@dataclass(frozen=True, slots=True)
class Resource:
    """What a server says of one resource: `status` is 0 where it speaks of its properties only."""

    href: str
    status: int
    props: dict[str, etree._Element]

    def text(self, name: str) -> str:
        """Return a property's text, empty where it has none."""
        prop = self.props.get(name)
        return (prop.text or "").strip() if prop is not None else ""

    def link(self, name: str) -> str:
        """Return the address that a property holds, empty where it holds none."""
        prop = self.props.get(name)
        return (prop.findtext(f"{DAV}href") or "").strip() if prop is not None else ""

    def holds(self, name: str, inner: str) -> bool:
        """Say whether a property holds such an element, however deep."""
        prop = self.props.get(name)
        return prop is not None and prop.find(f".//{inner}") is not None


@dataclass(frozen=True, slots=True)
class Multistatus:
    """A 207 answer, and the sync token that it ends with (RFC 6578 6.2)."""

    resources: tuple[Resource, ...]
    token: str


def multistatus(body: bytes, host: str) -> Multistatus:
    """Read a 207 answer. Raises SourceDown where it is none, and TooLarge where it holds too much."""
    root = document(body, host)
    if root is None or root.tag != f"{DAV}multistatus":
        raise SourceDown(f"{host} does not answer as a WebDAV server does")
    found = root.findall(f"{DAV}response")
    if len(found) > MOST_RESPONSES:
        raise _too_large(host, f"{MOST_RESPONSES:,} resources")
    return Multistatus(tuple(map(_resource, found)), (root.findtext(f"{DAV}sync-token") or "").strip())


def _too_large(host: str, held: str) -> TooLarge:
    return TooLarge(
        f"{host} answers with more than {held}", "name a smaller calendar, or one with less history"
    )


def document(body: bytes, host: str) -> etree._Element | None:
    """Parse XML without entities, document types, outside files or the network; None where it is none.

    It is counted while it is parsed: an element of four bytes takes hundreds in memory. Raises TooLarge.
    """
    parser = etree.XMLPullParser(
        ("start",),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    held = 0
    try:
        for start in range(0, len(body), AT_ONCE):
            parser.feed(body[start : start + AT_ONCE])
            for _, element in parser.read_events():
                if not held and element.getroottree().docinfo.doctype:
                    return None
                held += 1 + len(element.attrib)
            if not held:
                return None
            if held > MOST_ELEMENTS:
                raise _too_large(host, f"{MOST_ELEMENTS:,} elements")
        return parser.close()
    except (etree.XMLSyntaxError, ValueError):
        return None


def _resource(response: etree._Element) -> Resource:
    props: dict[str, etree._Element] = {}
    for part in response.findall(f"{DAV}propstat"):
        if _code(part.findtext(f"{DAV}status")) == 200:  # noqa: PLR2004 - the properties that there are
            for prop in part.findall(f"{DAV}prop/*"):
                props[str(prop.tag)] = prop
    href = (response.findtext(f"{DAV}href") or "").strip()
    return Resource(href, _code(response.findtext(f"{DAV}status")), props)


def _code(line: str | None) -> int:
    """Return the number in a status line such as "HTTP/1.1 404 Not Found", 0 where there is none."""
    words = (line or "").split()[1:2]
    return int(words[0][:3]) if words and words[0].isascii() and words[0].isdigit() else 0


def propfind(*names: str) -> bytes:
    """Ask for properties, by their prefixed names."""
    return _request("d:propfind", f"<d:prop>{_empty(names)}</d:prop>")


def sync_collection(token: str) -> bytes:
    """Ask what changed since a token; all there is where it is empty (RFC 6578 3.2)."""
    inner = f"<d:sync-token>{escape(token)}</d:sync-token><d:sync-level>1</d:sync-level>"
    return _request("d:sync-collection", f"{inner}<d:prop><d:getetag/></d:prop>")


def calendar_query(since: datetime) -> bytes:
    """Ask which events end after a moment (RFC 4791 7.8)."""
    when = f'<c:time-range start="{since:%Y%m%dT%H%M%SZ}"/>'
    event = f'<c:comp-filter name="VEVENT">{when}</c:comp-filter>'
    filtered = f'<c:filter><c:comp-filter name="VCALENDAR">{event}</c:comp-filter></c:filter>'
    return _request("c:calendar-query", f"<d:prop><d:getetag/></d:prop>{filtered}")


def multiget(hrefs: Iterable[str]) -> bytes:
    """Ask for these resources whole (RFC 4791 7.9)."""
    listed = "".join(f"<d:href>{escape(href)}</d:href>" for href in hrefs)
    return _request("c:calendar-multiget", f"<d:prop><d:getetag/><c:calendar-data/></d:prop>{listed}")


def _request(name: str, inner: str) -> bytes:
    return f"{_HEAD}<{name} {_SPACES}>{inner}</{name}>".encode()


def _empty(names: Iterable[str]) -> str:
    return "".join(f"<{name}/>" for name in names)
