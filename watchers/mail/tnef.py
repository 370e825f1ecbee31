"""Read meetings from `winmail.dat`, bounded, and never raise.

Outlook sends an invitation in TNEF (MS-OXTNEF) instead of iCalendar to whoever it takes for another Outlook.
The stream is a row of attributes; one of them, attMsgProps, holds the MAPI properties of the message, among
them what MS-OXOCAL says of a meeting. A stream that ends early says what stood before its end.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from watchers.mail.ics import MAX_ADDRESS, MAX_SUMMARY, Attendee, Event, Itip, plain_address, read_ics, title
from watchers.mail.zones import plausible

if TYPE_CHECKING:
    from watchers.mail.head import Head
    from watchers.mail.parse import Mail

SIGNATURE = b"\x78\x9f\x3e\x22"
MEDIA_TYPES = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
FILE_NAME = "winmail.dat"

MAX_BYTES = 2 * 2**20
MAX_ATTRIBUTES = 500
MAX_PROPERTIES = 1000
MAX_VALUES = 1000
MAX_RECIPIENTS = 500
MAX_NAME = 512
MAX_PIECES = 50_000
"""So many pieces of one attribute are read; a meeting with 500 guests has about half as many."""

MAX_CALENDARS = 3

MESSAGE_CLASS, RECIPIENTS, PROPERTIES, CODEPAGE = 0x8008, 0x9004, 0x9003, 0x9007
ATTACHED_DATA = 0x800F
DATE_START, DATE_END = 0x0006, 0x0007
"""Low halves of the attributes' ids (MS-OXTNEF 2.1.3.2)."""

METHODS = {
    "ipm.microsoft schedule.mtgreq": ("REQUEST", ""),
    "ipm.schedule.meeting.request": ("REQUEST", ""),
    "ipm.microsoft schedule.mtgcncl": ("CANCEL", ""),
    "ipm.schedule.meeting.canceled": ("CANCEL", ""),
    "ipm.microsoft schedule.mtgrespp": ("REPLY", "ACCEPTED"),
    "ipm.schedule.meeting.resp.pos": ("REPLY", "ACCEPTED"),
    "ipm.microsoft schedule.mtgrespn": ("REPLY", "DECLINED"),
    "ipm.schedule.meeting.resp.neg": ("REPLY", "DECLINED"),
    "ipm.microsoft schedule.mtgrespa": ("REPLY", "TENTATIVE"),
    "ipm.schedule.meeting.resp.tent": ("REPLY", "TENTATIVE"),
}
"""The message classes of meetings (MS-OXTNEF 2.1.3.3.1), old and new, as iTIP methods and answers."""

APPOINTMENT = UUID("00062002-0000-0000-c000-000000000046")
MEETING = UUID("6ed8da90-450b-101b-98da-00aa003f1305")

Name = tuple[UUID | None, int]
"""A property: its id, and the set it belongs to where its id is not fixed."""

KIND: Name = (None, 0x001A)
SUBJECT: Name = (None, 0x0037)
START_DATE: Name = (None, 0x0060)
END_DATE: Name = (None, 0x0061)
SUBMITTED: Name = (None, 0x0039)
REPRESENTED = (None, 0x0065)
REPRESENTED_SMTP = (None, 0x5D02)
SENDER = (None, 0x0C1F)
SENDER_SMTP = (None, 0x5D01)
EMAIL: Name = (None, 0x3003)
SMTP: Name = (None, 0x39FE)
RECIPIENT_TYPE: Name = (None, 0x0C15)
SEQUENCE: Name = (APPOINTMENT, 0x8201)
START_WHOLE: Name = (APPOINTMENT, 0x820D)
END_WHOLE: Name = (APPOINTMENT, 0x820E)
ALL_DAY: Name = (APPOINTMENT, 0x8215)
RECURRING: Name = (APPOINTMENT, 0x8223)
OBJECT_ID: Name = (MEETING, 0x0003)
CLEAN_OBJECT_ID: Name = (MEETING, 0x0023)
OWNERS_CHANGE: Name = (MEETING, 0x001A)
ATTENDEES_CHANGE: Name = (MEETING, 0x0001)
IS_EXCEPTION: Name = (MEETING, 0x000A)
"""The properties of use (MS-OXPROPS)."""

NAMED_FROM = 0x8000
MANY = 0x1000
TYPE_MASK = 0x0FFF
SHORT, LONG, BOOLEAN, TIME, TEXT_8, TEXT_16, BINARY = 0x02, 0x03, 0x0B, 0x40, 0x1E, 0x1F, 0x102
SIZES = {0x02: 2, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 2, 0x14: 8, 0x40: 8, 0x48: 16}
"""Bytes of the property types of fixed size; each value is filled up to four bytes."""

VARIABLE = frozenset({TEXT_8, TEXT_16, BINARY, 0x0D})
TO_OR_CC = frozenset({1, 2})

FOREIGN_UID = b"vCal-Uid\x01\x00\x00\x00"
OBJECT_HEAD = 40
"""Bytes of a meeting's id before its data: class, date of the occurrence, creation time, filler, size."""

OCCURRENCE = slice(16, 20)
"""Where in a meeting's id the date of the occurrence stands."""

EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
DATE_FIELDS = 6

Value = int | bytes | str | datetime


class _Ends(Exception):  # noqa: N818 - it says where reading stops, which is no error
    """Say that there is no more to read."""


class _Bytes:
    """Bytes that are read from the front; reading past their end, or in too many pieces, raises `_Ends`."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0
        self._pieces = MAX_PIECES

    def take(self, size: int) -> bytes:
        self._pieces -= 1
        if size > len(self._content) - self._at or self._pieces < 0:
            raise _Ends
        taken = self._content[self._at : self._at + size]
        self._at += size
        return taken

    def padded(self, size: int) -> bytes:
        """Take so many bytes and the filler up to a multiple of four, which may be missing at the end."""
        taken = self.take(size)
        self._at = min(self._at + -size % 4, len(self._content))
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")


@dataclass
class _Message:
    """What a stream says that is of use."""

    kind: str = ""
    codepage: str = "cp1252"
    properties: dict[Name, Value] = field(default_factory=dict)
    recipients: list[str] = field(default_factory=list)
    dates: dict[int, datetime] = field(default_factory=dict)
    calendars: list[bytes] = field(default_factory=list)


def read_tnef(raw: bytes) -> Itip:
    """Return the meeting that a TNEF stream asks for, answers or calls off; nothing of other messages."""
    if not raw.startswith(SIGNATURE):
        return Itip(notes=("no TNEF",))
    notes = (f"only the first {MAX_BYTES // 2**20} MB were read",) if len(raw) > MAX_BYTES else ()
    message = _message(raw[:MAX_BYTES])
    for calendar in message.calendars[:MAX_CALENDARS]:
        itip = read_ics(calendar)
        if itip.events:
            return itip
    kind = message.kind or _text(message.properties.get(KIND)).lower()
    method, answer = METHODS.get(kind, ("", ""))
    event = _event(message, method, answer) if method else None
    return Itip(method, (event,), notes) if event else Itip(notes=(*notes, "no meeting"))


def announces_outlook(head: Head) -> bool:
    """Say by the headers alone whether the mail's content is TNEF, or partly: then it names its stream."""
    return head.content_type[0] in MEDIA_TYPES or bool(head.get("x-ms-tnef-correlator").strip())


def outlooks_meeting(mail: Mail) -> Itip:
    """Return the meeting that a mail brings in TNEF, without events where it brings none."""
    for part in mail.parts:
        if part.content_type in MEDIA_TYPES or part.filename.lower() == FILE_NAME:
            itip = read_tnef(part.payload)
            if itip.events:
                return itip
    return Itip()


def _message(raw: bytes) -> _Message:
    message = _Message()
    content = _Bytes(raw)
    content.take(len(SIGNATURE))
    try:
        content.take(2)  # the key that numbers attachments
        for _ in range(MAX_ATTRIBUTES):
            content.take(1)  # whether the message or an attachment is meant: the id says so too
            attribute = content.number(4) & 0xFFFF
            data = content.take(content.number(4))
            content.take(2)  # a checksum, which some gateways get wrong
            _attribute(message, attribute, data)
    except _Ends:
        pass
    return message


def _attribute(message: _Message, attribute: int, data: bytes) -> None:
    if attribute == MESSAGE_CLASS:
        message.kind = data[:MAX_NAME].partition(b"\0")[0].decode("ascii", "replace").strip().lower()
    elif attribute == CODEPAGE:
        message.codepage = f"cp{int.from_bytes(data[:4], 'little')}"
    elif attribute == PROPERTIES and not message.properties:
        message.properties.update(_properties(_Bytes(data), message.codepage))
    elif attribute == RECIPIENTS and not message.recipients:
        message.recipients += _recipients(_Bytes(data), message.codepage)
    elif attribute in {DATE_START, DATE_END}:
        moment = _old_date(data)
        if moment:
            message.dates[attribute] = moment
    elif attribute == ATTACHED_DATA and data[:64].lstrip().startswith(b"BEGIN:VCALENDAR"):
        message.calendars.append(data)


def _properties(content: _Bytes, codepage: str) -> dict[Name, Value]:
    """Return the properties of use; where the bytes end early, those before their end."""
    found: dict[Name, Value] = {}
    try:
        for _ in range(min(content.number(4), MAX_PROPERTIES)):
            kind, number = content.number(2), content.number(2)
            name = _named(content) if number >= NAMED_FROM else (None, number)
            value = _value(content, kind, codepage)
            if name is not None and value is not None:
                found.setdefault(name, value)
    except _Ends:
        pass
    return found


def _named(content: _Bytes) -> Name | None:
    """Return the name of a property without a fixed id; None where it is a text."""
    belongs_to = UUID(bytes_le=content.take(16))
    if content.number(4) == 0:
        return belongs_to, content.number(4)
    content.padded(content.number(4))
    return None


def _value(content: _Bytes, kind: int, codepage: str) -> Value | None:
    """Read a property's value, the first where there are many; None where its type is of no use."""
    plain = kind & TYPE_MASK
    if plain in VARIABLE:
        count = content.number(4)
        values = [content.padded(content.number(4)) for _ in range(min(count, MAX_VALUES))]
    elif plain in SIZES:
        count = content.number(4) if kind & MANY else 1
        values = [content.padded(SIZES[plain]) for _ in range(min(count, MAX_VALUES))]
    else:
        raise _Ends  # of an unknown size: where the next property begins cannot be told
    if count > MAX_VALUES:
        raise _Ends
    return _decoded(values[0], plain, codepage) if values else None


def _decoded(value: bytes, kind: int, codepage: str) -> Value | None:
    if kind == BINARY:
        return value
    if kind == TEXT_16:
        return value.decode("utf-16-le", "replace").rstrip("\0")
    if kind == TEXT_8:
        try:
            return value.decode(codepage, "replace").rstrip("\0")
        except LookupError:
            return value.decode("cp1252", "replace").rstrip("\0")
    if kind == TIME:
        return _file_time(int.from_bytes(value, "little"))
    return int.from_bytes(value, "little") if kind in {SHORT, LONG, BOOLEAN} else None


def _recipients(content: _Bytes, codepage: str) -> Iterator[str]:
    """Yield the addresses of a table of recipients; those who got a blind copy are not asked to come."""
    try:
        rows = min(content.number(4), MAX_RECIPIENTS)
        for _ in range(rows):
            row = _properties(content, codepage)
            address = plain_address(_text(row.get(SMTP))) or plain_address(_text(row.get(EMAIL)))
            if address and row.get(RECIPIENT_TYPE, 1) in TO_OR_CC:
                yield address
    except _Ends:
        return


def _event(message: _Message, method: str, answer: str) -> Event | None:
    known = message.properties
    uid, occurrence = _uid(known)
    if not uid:
        return None
    sequence = known.get(SEQUENCE)
    people = () if method == "REPLY" else tuple(Attendee(one) for one in dict.fromkeys(message.recipients))
    written = known.get(ATTENDEES_CHANGE if method == "REPLY" else OWNERS_CHANGE) or known.get(SUBMITTED)
    exception = known.get(IS_EXCEPTION) == 1 or bool(occurrence)
    return Event(
        uid=uid,
        recurrence_id=(occurrence or "unknown") if exception else "",
        sequence=sequence if isinstance(sequence, int) else 0,
        dtstamp=_time(written),
        start=_time(known.get(START_WHOLE)) or _time(known.get(START_DATE)) or message.dates.get(DATE_START),
        end=_time(known.get(END_WHOLE)) or _time(known.get(END_DATE)) or message.dates.get(DATE_END),
        all_day=known.get(ALL_DAY) == 1,
        series=known.get(RECURRING) == 1 and not exception,
        cancelled=method == "CANCEL",
        title=title(_text(known.get(SUBJECT))[:MAX_SUMMARY]),
        organizer="" if method == "REPLY" else _organizer(known),
        attendees=people,
        answer=answer,
    )


def _organizer(known: dict[Name, Value]) -> str:
    names: tuple[Name, ...] = (REPRESENTED_SMTP, REPRESENTED, SENDER_SMTP, SENDER)
    found = (plain_address(_text(known.get(name))[: MAX_ADDRESS + 1]) for name in names)
    return next((address for address in found if address), "")


def _uid(known: dict[Name, Value]) -> tuple[str, str]:
    """Return the UID that the meeting has in iCalendar (MS-OXCICAL 2.1.3.1.1.20.26), and the occurrence."""
    whole, clean = known.get(OBJECT_ID), known.get(CLEAN_OBJECT_ID)
    identity = whole if isinstance(whole, bytes) else clean
    if not isinstance(identity, bytes) or len(identity) < OBJECT_HEAD:
        return "", ""
    day = identity[OCCURRENCE]
    data = identity[OBJECT_HEAD:]
    if data.startswith(FOREIGN_UID):
        uid = data[len(FOREIGN_UID) :].partition(b"\0")[0].decode("utf-8", "replace")
    else:
        uid = (identity[: OCCURRENCE.start] + bytes(4) + identity[OCCURRENCE.stop :]).hex().upper()
    if not any(day):
        return uid, ""
    try:
        occurrence = datetime(int.from_bytes(day[:2], "big"), day[2], day[3], tzinfo=UTC)
    except ValueError:
        return uid, "unknown"
    return uid, occurrence.isoformat()


def _file_time(ticks: int) -> datetime | None:
    try:
        return plausible(EPOCH + timedelta(microseconds=ticks // 10))
    except OverflowError:
        return None


def _old_date(data: bytes) -> datetime | None:
    """Read a date as attDateStart holds it: six numbers and the day of the week; it is taken as UTC."""
    try:
        year, month, day, hour, minute, second = struct.unpack_from(f"<{DATE_FIELDS}H", data)
        return plausible(datetime(year, month, day, hour, minute, second, tzinfo=UTC))
    except (struct.error, ValueError):
        return None


def _time(value: Value | None) -> datetime | None:
    return value if isinstance(value, datetime) else None


def _text(value: Value | None) -> str:
    return value if isinstance(value, str) else ""
