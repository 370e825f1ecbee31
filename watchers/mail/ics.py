"""Read what an iCalendar object says about meetings, bounded, and never raise.

RFC 5545 (iCalendar), RFC 5546 (iTIP: who asks whom for what) and RFC 6047 (iMIP: how it travels by mail), as
Exchange, Google, Apple, Zoom, Notes and WebEx really write them. Nothing that people wrote is kept: of the
summary only a digest, and whether it says "Canceled: ...".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from watchers import under
from watchers.mail import zones
from watchers.mail.head import decode_charset

if TYPE_CHECKING:
    from watchers.mail.head import Head

MAX_BYTES = 512 * 2**10
MAX_EVENTS = 200
MAX_LINES = 5000
MAX_DEPTH = 6
MAX_ATTENDEES = 500
MAX_ADDRESS = 254
MAX_UID = 4096
MAX_SUMMARY = 200
MAX_SEQUENCE = 2**31 - 1
MAX_ZONES = 50

KEPT_PARTS = frozenset({"VCALENDAR", "VTIMEZONE", "STANDARD", "DAYLIGHT", "VEVENT"})
"""The components of use; alarms, tasks and free-busy times are left out."""


@dataclass(frozen=True, slots=True)
class Attendee:
    """Somebody who is asked to come. `partstat` is their answer in upper case, empty where none is given."""

    address: str
    partstat: str = ""
    delegated_to: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One VEVENT. Times are in UTC; an all-day event begins at midnight UTC of its day.

    `recurrence_id` is set where the event overrides one occurrence of a series, `series` where it is the
    series itself. `cancelled` says so in either of the two ways in which clients do. `title` is a digest of
    the subject, empty where there is none. `answer` is the PARTSTAT of an answer that names nobody who gives
    it: the sender of its mail does. `notes` say what had to be assumed.
    """

    uid: str
    recurrence_id: str = ""
    sequence: int = 0
    dtstamp: datetime | None = None
    modified: datetime | None = None
    start: datetime | None = None
    end: datetime | None = None
    all_day: bool = False
    series: bool = False
    status: str = ""
    cancelled: bool = False
    title: str = ""
    organizer: str = ""
    attendees: tuple[Attendee, ...] = ()
    answer: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Itip:
    """A calendar object: what is asked (`method`, upper case, empty in a plain file) of which events."""

    method: str = ""
    events: tuple[Event, ...] = ()
    notes: tuple[str, ...] = ()


CALENDAR_IDS = ("calendar-notification@google.com", "noreply-calendar-notification@google.com")
SCHEDULERS = frozenset({"calendly.com", "email.apple.com", "webex.com", "zoom.us"})


def announces_calendar(head: Head) -> bool:
    """Say by the headers alone whether a calendar program wrote the mail.

    Exchange marks its mail with a content class, Google sends in the organizer's name through an address of
    its own, scheduling services send from theirs, others send the calendar as the mail's only part. Programs
    that do none of this (iCloud, Thunderbird) are recognised only by the body.
    """
    kind, params = head.content_type
    return (
        kind in {"text/calendar", "application/ics"}
        or "method" in params
        or "calendarmessage" in head.get("content-class").lower()
        or any(sender.address in CALENDAR_IDS for sender in head.addresses("sender"))
        or under(head.sender.address, SCHEDULERS)
    )


_ZOOM_UID = re.compile(r"\d{8}T\d{6}Z-(\d{9,12})@.{1,200}")
"""Zoom makes a new UID each time it writes a meeting's file: the moment, the meeting's number, a host."""

_REMARK = re.compile(
    r"(?:re|fwd?|aw|wg|tr|sv|updated invitation|updated|canceled event|cancell?ed|accepted|declined|tentative"
    r"|abgesagt|zugesagt|abgelehnt|annulé|accepté|refusé|cancelado|aceptado|rechazado|geannuleerd|annullato"
    r"|inställt|odwołane) ?: ?"
)
"""What clients put before a subject: "Canceled: ", "Accepted: ", "Re: ", "AW: "."""

TITLE_DIGITS = 12
"""Hexadecimal digits; enough to tell one person's meetings apart."""

_FOLD = re.compile(r"\r?\n[ \t]")
_FRAME = re.compile(r"(BEGIN|END):([A-Z0-9-]{1,40})\s{0,10}", re.IGNORECASE)
_ZONES = re.compile(r"BEGIN:VTIMEZONE\r\n.*?END:VTIMEZONE\r\n", re.DOTALL)
_ZONE_NAME = re.compile(r"((?:^|;)[ \t]?)TZID(?=[=:;])", re.IGNORECASE | re.MULTILINE)


def read_ics(raw: bytes, charset: str = "") -> Itip:
    """Read an iCalendar object. What could not be read is left out and said in `notes`."""
    notes = []
    if len(raw) > MAX_BYTES:
        raw = raw[:MAX_BYTES]
        notes.append(f"only the first {MAX_BYTES // 1024} KB of the calendar were read")
    text = decode_charset(raw, charset or "utf-8").encode("utf-8", "replace").decode("utf-8")
    text, repairs = _framed(_FOLD.sub("", text.replace("\x00", "").lstrip("\ufeff \r\n\t")))
    notes += repairs
    try:
        return _itip(text, notes)
    except Exception as error:  # noqa: BLE001 - a library on hostile input: whatever it raises, one mail is lost
        return Itip(notes=(*notes, f"the calendar could not be read ({type(error).__name__})"))


def _framed(text: str) -> tuple[str, list[str]]:
    """Keep what says when and who, close what is left open, and hide zone names from the library.

    The name of the zone moves to a parameter of ours, so that `icalendar` neither resolves nor remembers it.
    """
    lines: list[str] = []
    open_parts: list[str] = []
    notes: list[str] = []
    events = 0
    for line in text.replace("\r", "").split("\n"):
        match = _FRAME.fullmatch(line)
        name = match[2].upper() if match else ""
        if match is None:
            if len(lines) < MAX_LINES and _kept(open_parts, line):
                lines.append(line)
        elif match[1].upper() == "BEGIN":
            events += name == "VEVENT"
            if events > MAX_EVENTS or len(open_parts) >= MAX_DEPTH:
                notes.append("the calendar is too large or too deep: the rest was not read")
                break
            open_parts.append(name)
            _frame(lines, "BEGIN", open_parts)
        elif name in open_parts:
            _close(lines, open_parts, name)
            if not open_parts:
                break
    if len(lines) >= MAX_LINES:
        notes.append(f"only the first {MAX_LINES} lines of the calendar were read")
    if open_parts:
        notes.append("the calendar ends early")
        _close(lines, open_parts, open_parts[0])
    return _ZONE_NAME.sub(r"\1X-TZID", "\r\n".join(lines)), notes


def _frame(lines: list[str], word: str, open_parts: list[str]) -> None:
    if KEPT_PARTS.issuperset(open_parts):
        lines.append(f"{word}:{open_parts[-1]}")


def _close(lines: list[str], open_parts: list[str], name: str) -> None:
    while name in open_parts:
        _frame(lines, "END", open_parts)
        open_parts.pop()


def _kept(open_parts: list[str], line: str) -> bool:
    """Say whether a property is of use; a fault in any other could cost the whole calendar."""
    if open_parts == ["VCALENDAR"]:
        return line.upper().startswith(("METHOD:", "X-WR-TIMEZONE:"))
    return bool(open_parts) and ":" in line and KEPT_PARTS.issuperset(open_parts)


def _parsed(text: str, notes: list[str]) -> Any:
    from icalendar import Calendar  # noqa: PLC0415 - the import takes a third of a second

    try:
        return Calendar.from_ical(text)
    except ValueError:
        notes.append("its own time zones could not be read")
        return Calendar.from_ical(_ZONES.sub("", text))


def _itip(text: str, notes: list[str]) -> Itip:
    if not text.startswith("BEGIN:VCALENDAR"):
        return Itip(notes=(*notes, "no calendar"))
    calendar = _parsed(text, notes)
    rules = _rules(calendar)
    own_zone = _word(calendar, "X-WR-TIMEZONE", zones.MAX_NAME)
    events = []
    for component in calendar.walk("VEVENT"):
        try:
            event = _event(component, rules, own_zone)
        except Exception as error:  # noqa: BLE001 - as above: one bad event does not take the others with it
            notes.append(f"an event could not be read ({type(error).__name__})")
            continue
        if event is None:
            notes.append("an event without a UID was left out")
        else:
            events.append(event)
    return Itip(_word(calendar, "METHOD", 20).upper(), tuple(events), tuple(dict.fromkeys(notes)))


def _rules(calendar: Any) -> zones.Rules:
    rules: dict[str, list[zones.Observance]] = {}
    for zone in calendar.walk("VTIMEZONE")[:MAX_ZONES]:
        observances = []
        for part in zone.subcomponents[: zones.MAX_OBSERVANCES]:
            try:
                observances.append(zones.observance(part))
            except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError):
                continue
        rules[_word(zone, "X-TZID", zones.MAX_NAME)] = [one for one in observances if one is not None]
    return rules


def _event(component: Any, rules: zones.Rules, own_zone: str) -> Event | None:
    summary = _word(component, "SUMMARY", MAX_SUMMARY)
    uid = steady(_word(component, "UID", MAX_UID), summary)
    if not uid:
        return None
    notes: list[str] = []
    start, all_day = _moment(component, "DTSTART", rules, own_zone, notes)
    end, _ = _moment(component, "DTEND", rules, own_zone, notes)
    if end is None and start is not None:
        length = getattr(_first(component, "DURATION"), "dt", None)
        end = _after(start, length if isinstance(length, timedelta) else timedelta())
    occurrence, _ = _moment(component, "RECURRENCE-ID", rules, own_zone, notes)
    overrides = _first(component, "RECURRENCE-ID") is not None
    status = _word(component, "STATUS", 20).upper()
    return Event(
        uid=uid,
        recurrence_id=occurrence.isoformat() if occurrence else "unknown" if overrides else "",
        sequence=_sequence(_word(component, "SEQUENCE", 12)),
        dtstamp=_moment(component, "DTSTAMP", rules, "", [])[0],
        modified=_moment(component, "LAST-MODIFIED", rules, "", [])[0],
        start=start,
        end=end,
        all_day=all_day,
        series=not overrides and any(_first(component, name) is not None for name in ("RRULE", "RDATE")),
        status=status,
        cancelled=status == "CANCELLED" or summary.lower().startswith(("canceled: ", "cancelled: ")),
        title=title(summary),
        organizer=_address(_first(component, "ORGANIZER")),
        attendees=tuple(_attendees(component)),
        notes=tuple(dict.fromkeys(notes)),
    )


def title(summary: str) -> str:
    """Return a digest of a meeting's subject without what clients put before it."""
    plain = " ".join(summary[:MAX_SUMMARY].lower().split())
    plain = _REMARK.sub("", plain, count=1) if _REMARK.match(plain) else plain
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()[:TITLE_DIGITS] if plain else ""


def steady(uid: str, summary: str) -> str:
    """Return a UID that stays the same when Zoom writes the meeting anew.

    The subject tells apart the meetings of somebody who holds all of them under one number.
    """
    zoom = _ZOOM_UID.fullmatch(uid)
    return f"zoom-{zoom[1]}-{title(summary)}" if zoom else uid


def _attendees(component: Any) -> Iterator[Attendee]:
    seen = set()
    for entry in _all(component, "ATTENDEE")[:MAX_ATTENDEES]:
        address = _address(entry)
        if address and address not in seen:
            seen.add(address)
            params = getattr(entry, "params", {})
            yield Attendee(
                address,
                _param(params, "PARTSTAT")[:20].upper(),
                plain_address(_param(params, "DELEGATED-TO")),
            )


def _moment(
    component: Any,
    name: str,
    rules: zones.Rules,
    own_zone: str,
    notes: list[str],
) -> tuple[datetime | None, bool]:
    """Return a date or time property in UTC and whether it is a whole day; None where it is neither."""
    prop = _first(component, name)
    try:
        value = prop.dt
    except (AttributeError, ValueError):
        return None, False
    if not isinstance(value, datetime):
        if not isinstance(value, date):
            return None, False
        return zones.plausible(datetime.combine(value, time(), UTC)), True
    try:
        if value.tzinfo is not None:
            return zones.plausible(value.astimezone(UTC)), False
        zone = _param(getattr(prop, "params", {}), "X-TZID") or own_zone
        moment = zones.to_utc(value, zone, rules) if zone else None
    except (ValueError, OverflowError):
        return None, False
    if moment is None:
        notes.append(
            f"unknown time zone {zone[:40]!r} taken as UTC" if zone else "floating time taken as UTC"
        )
        moment = value.replace(tzinfo=UTC)
    return zones.plausible(moment), False


def _after(start: datetime, length: timedelta) -> datetime | None:
    try:
        return zones.plausible(start + length)
    except OverflowError:
        return None


def _sequence(text: str) -> int:
    return min(int(text), MAX_SEQUENCE) if text.isascii() and text.isdigit() else 0


def _all(component: Any, name: str) -> list[Any]:
    value = component.get(name)
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _first(component: Any, name: str) -> Any:
    values = _all(component, name)
    return values[0] if values else None


def _word(component: Any, name: str, most: int) -> str:
    value = _first(component, name)
    if value is None:
        return ""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text[:most].strip()


def _param(params: Any, name: str) -> str:
    value = params.get(name, "")
    if isinstance(value, list):
        value = value[0] if value else ""
    return str(value)


def _address(prop: Any) -> str:
    """Return the mail address of a calendar user; Apple puts it into EMAIL and a path into the value."""
    if prop is None:
        return ""
    return plain_address(str(prop)) or plain_address(_param(getattr(prop, "params", {}), "EMAIL"))


def plain_address(text: str) -> str:
    """Return a mail address in lower case without what calendars put around it; empty where it is none."""
    text = text.strip().strip('"').lower().removeprefix("mailto:").strip()
    local, at, domain = text.rpartition("@")
    good = local and at and domain and len(text) <= MAX_ADDRESS and not any(char.isspace() for char in text)
    return text if good else ""
