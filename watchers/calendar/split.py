"""Cut a whole calendar into pieces that `watchers.mail.ics` reads, and leave out who does not concern us.

A calendar file or feed may hold years; an invitation mail never does. What names nobody in the scope is not
even parsed. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from watchers import Scope
from watchers.calendar import Entry
from watchers.mail.ics import Event, read_ics

MOST_EVENTS = 50
MOST_LINES = 1500
MOST_ZONE_LINES = 2000
LONGEST_EVENT = 2000
"""Lines of one event; a longer one is cut there, and loses its last guests."""

_UNFOLD = re.compile(rb"\r?\n[ \t]")
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
        status="CANCELLED" if event.cancelled else event.status,
        title=event.title,
        organizer=event.organizer,
        attendees=event.attendees,
    )


def _parts(raw: bytes) -> tuple[list[bytes], list[list[bytes]]]:
    """Return the lines about zones, and those of each event."""
    head: list[bytes] = []
    events: list[list[bytes]] = []
    event: list[bytes] | None = None
    in_zone = False
    for line in _UNFOLD.sub(b"", raw).splitlines():
        word = line[:20].strip().upper()
        if word == _BEGIN:
            event = []
            events.append(event)
        elif word == _END:
            event = None
        elif event is not None:
            if len(event) < LONGEST_EVENT:
                event.append(line)
        else:
            in_zone = in_zone or word == b"BEGIN:VTIMEZONE"
            if len(head) < MOST_ZONE_LINES and (in_zone or word.startswith(b"X-WR-TIMEZONE")):
                head.append(line)
            in_zone = in_zone and word != b"END:VTIMEZONE"
    return head, events


def _concerns(event: list[bytes], scope: Scope, known: Collection[str]) -> bool:
    for line in event:
        name = line[:12].upper()
        if name.startswith((b"ATTENDEE", b"ORGANIZER")):
            text = line.decode("utf-8", "replace").lower()
            if any(scope.covers(address.removeprefix("mailto:")) for address in _ADDRESS.findall(text)):
                return True
        elif known and name.startswith(b"UID:") and line[4:].decode("utf-8", "replace").strip() in known:
            return True
    return False


def _pieces(head: list[bytes], events: list[list[bytes]]) -> Iterator[bytes]:
    piece: list[bytes] = []
    held = 0
    for event in events:
        if piece and (held >= MOST_EVENTS or len(piece) + len(event) > MOST_LINES):
            yield _calendar(head, piece)
            piece, held = [], 0
        piece += [_BEGIN, *event, _END]
        held += 1
    if piece:
        yield _calendar(head, piece)


def _calendar(head: list[bytes], lines: list[bytes]) -> bytes:
    return b"\r\n".join([b"BEGIN:VCALENDAR", *head, *lines, b"END:VCALENDAR", b""])
