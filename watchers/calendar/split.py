"""Cut a whole calendar into pieces that `watchers.mail.ics` reads, and leave out who does not concern us.

A calendar file or feed may hold years; an invitation mail never does. What names nobody in the scope is not
even parsed, and of the others only the lines that say who and when. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from io import BytesIO

from watchers import Scope
from watchers.calendar import CANCELLED, Entry
from watchers.mail.ics import Event, read_ics

MOST_EVENTS = 50
MOST_LINES = 1500
MOST_BYTES = 200_000
"""So much is read at once; `read_ics` reads more than twice as much."""

MOST_ZONE_LINES = 1500
LONGEST_EVENT = 1500
"""Lines of one event; a longer one is cut there, and loses its last guests."""

LONGEST_LINE = 1000

KEPT = (
    b"UID",
    b"DTSTAMP",
    b"LAST-MODIFIED",
    b"DTSTART",
    b"DTEND",
    b"DURATION",
    b"RECURRENCE-ID",
    b"RRULE",
    b"RDATE",
    b"SEQUENCE",
    b"STATUS",
    b"SUMMARY",
    b"ORGANIZER",
    b"ATTENDEE",
)

_NAME = re.compile(rb"[A-Z-]{1,20}(?=[:;])", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s:;,\"'<>=]{1,64}@[a-z0-9._-]{1,255}")
_BEGIN, _END = b"BEGIN:VEVENT", b"END:VEVENT"


def entries(raw: bytes, scope: Scope, known: Collection[str] = (), ident: str = "") -> Iterator[Entry]:
    """Yield the meetings of a calendar with somebody in the scope, or whose UID stands in `known`.

    `ident` names the resource that holds just this meeting; without it, a meeting is named by its UID.
    """
    head, events = _parts(raw)
    wanted = [event for event in events if _concerns(event, scope, known)]
    for piece in _pieces(head, wanted):
        for event in read_ics(piece).events:
            yield entry(event, ident or event.uid)


def entry(event: Event, resource: str) -> Entry:
    """Return an event of iCalendar as an entry of the calendar."""
    return Entry(
        ident=f"{resource}#{event.recurrence_id}" if event.recurrence_id else resource,
        uid=event.uid,
        start=event.start,
        end=event.end,
        occurrence=event.recurrence_id,
        series=event.series,
        sequence=event.sequence,
        changed=event.modified or event.dtstamp,
        status=CANCELLED if event.cancelled else event.status,
        title=event.title,
        organizer=event.organizer,
        attendees=event.attendees,
    )


def _parts(raw: bytes) -> tuple[list[bytes], list[list[bytes]]]:
    """Return the lines about zones, and those of each event that are of use, without its alarms."""
    head: list[bytes] = []
    events: list[list[bytes]] = []
    event: list[bytes] | None = None
    inside = b""
    for line in _lines(raw):
        word = line[:40].strip().upper()
        if inside:
            if inside == b"VTIMEZONE" and len(head) < MOST_ZONE_LINES:
                head.append(line)
            inside = b"" if word == b"END:" + inside else inside
        elif word == _BEGIN:
            event = []
            events.append(event)
        elif word == _END:
            event = None
        elif word.startswith(b"BEGIN:") and (event is not None or word == b"BEGIN:VTIMEZONE"):
            inside = word[6:]
            head += [line] if inside == b"VTIMEZONE" and event is None else []
        elif event is not None and len(event) < LONGEST_EVENT and _name(line) in KEPT:
            event.append(line)
        elif event is None and word.startswith(b"X-WR-TIMEZONE"):
            head.append(line)
    return head, events


def _lines(raw: bytes) -> Iterator[bytes]:
    """Yield the unfolded lines (RFC 5545 3.1), each cut, without a copy of the whole."""
    line = b""
    for piece in BytesIO(raw):
        if piece[:1] in {b" ", b"\t"}:
            line += piece[1:].rstrip(b"\r\n")[: LONGEST_LINE - len(line)]
        else:
            yield line
            line = piece.rstrip(b"\r\n")[:LONGEST_LINE]
    yield line


def _name(line: bytes) -> bytes:
    match = _NAME.match(line)
    return match[0].upper() if match else b""


def _concerns(event: list[bytes], scope: Scope, known: Collection[str]) -> bool:
    for line in event:
        name = _name(line)
        if name in {b"ATTENDEE", b"ORGANIZER"}:
            text = line.decode("utf-8", "replace").lower()
            if any(scope.covers(address) for address in _ADDRESS.findall(text)):
                return True
        elif known and name == b"UID" and line[4:].decode("utf-8", "replace").strip() in known:
            return True
    return False


def _pieces(head: list[bytes], events: list[list[bytes]]) -> Iterator[bytes]:
    piece: list[bytes] = []
    held = size = 0
    for event in events:
        length = sum(map(len, event))
        full = held >= MOST_EVENTS or len(piece) + len(event) > MOST_LINES or size + length > MOST_BYTES
        if piece and full:
            yield _calendar(head, piece)
            piece, held, size = [], 0, 0
        piece += [_BEGIN, *event, _END]
        held, size = held + 1, size + length
    if piece:
        yield _calendar(head, piece)


def _calendar(head: list[bytes], lines: list[bytes]) -> bytes:
    return b"\r\n".join([b"BEGIN:VCALENDAR", *head, *lines, b"END:VCALENDAR", b""])
