"""Invitation mails as calendar programs write them, each with the fields that it really sends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from watchers import Scope

JANE = "jane.doe@acme.example"
BOB = "bob.ray@acme.example"
REP = "rep@vendor.example"
SCOPE = Scope(frozenset({"vendor.example"}), frozenset({JANE}), frozenset({"acme.example"}))

CALL = datetime(2026, 5, 4, 13, 0, tzinfo=UTC)
SENT = CALL - timedelta(days=14)


@dataclass(frozen=True)
class Invitation:
    """What a calendar program is about to send."""

    sent: datetime = SENT
    start: datetime = CALL
    sender: str = JANE
    to: str = REP
    organizer: str = JANE
    attendees: Sequence[tuple[str, str]] = ((JANE, "ACCEPTED"), (REP, "NEEDS-ACTION"))
    method: str = "REQUEST"
    uid: str = "040000008200E00074C5B7101A82E008"
    sequence: int = 0
    words: str = ""
    rule: str = ""
    occurrence: datetime | None = None
    title: str = "Pilot review"

    def but(self, **changes: object) -> Invitation:
        """Return the same invitation with something changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%SZ")


def local(moment: datetime, ahead: int) -> str:
    return (moment + timedelta(hours=ahead)).strftime("%Y%m%dT%H%M%S")


def _head(mail: Invitation, *extra: str) -> list[str]:
    serial = f"{mail.sent:%Y%m%d%H%M%S}.{mail.sequence}.{mail.method.lower()}"
    return [
        f"From: {mail.sender.partition('.')[0].title()} <{mail.sender}>",
        f"To: {mail.to}",
        f"Date: {format_datetime(mail.sent)}",
        f"Message-ID: <{serial}.{mail.uid[:20]}@{mail.sender.partition('@')[2]}>",
        "MIME-Version: 1.0",
        *extra,
    ]


def _alternative(head: list[str], mail: Invitation, text: str, calendar: str) -> bytes:
    lines = [
        *head,
        'Content-Type: multipart/alternative; boundary="=_b"',
        "",
        "--=_b",
        'Content-Type: text/plain; charset="utf-8"',
        "",
        text,
        "--=_b",
        f'Content-Type: text/calendar; charset="utf-8"; method={mail.method}',
        "Content-Transfer-Encoding: 8bit",
        "",
        calendar,
        "--=_b--",
        "",
    ]
    return "\n".join(lines).replace("\n", "\r\n").encode()


def _calendar(product: str, mail: Invitation, zone: str, event: list[str]) -> str:
    common = [f"RRULE:{mail.rule}"] if mail.rule else []
    common += [f"RECURRENCE-ID:{stamp(mail.occurrence)}"] if mail.occurrence else []
    return "\n".join(
        [
            "BEGIN:VCALENDAR",
            f"PRODID:{product}",
            "VERSION:2.0",
            "CALSCALE:GREGORIAN",
            f"METHOD:{mail.method}",
            *([zone] if zone else []),
            "BEGIN:VEVENT",
            *event,
            *common,
            "END:VEVENT",
            "END:VCALENDAR",
        ]
    )


WEST_EUROPE = """BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE"""


def exchange(mail: Invitation) -> bytes:
    """Outlook with Exchange: Windows zones, a content class, SEQUENCE bumped, "Canceled:" in SUMMARY."""
    prefix = {"CANCEL": "Canceled: ", "REPLY": "Accepted: "}.get(mail.method, "")
    guests = [
        f"ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT={answer};RSVP=TRUE;CN=Guest:\n mailto:{who}"
        for who, answer in mail.attendees
    ]
    calendar = _calendar(
        "Microsoft Exchange Server 2010",
        mail,
        WEST_EUROPE,
        [
            f"ORGANIZER;CN=Jane Doe:mailto:{mail.organizer}",
            *guests,
            "DESCRIPTION;LANGUAGE=en-US:\\n",
            f"UID:{mail.uid}",
            f"SUMMARY;LANGUAGE=en-US:{prefix}{mail.title}",
            f"DTSTART;TZID=W. Europe Standard Time:{local(mail.start, 2)}",
            f"DTEND;TZID=W. Europe Standard Time:{local(mail.start + timedelta(hours=1), 2)}",
            "CLASS:PUBLIC",
            f"DTSTAMP:{stamp(mail.sent)}",
            "TRANSP:OPAQUE",
            f"STATUS:{'CANCELLED' if mail.method == 'CANCEL' else 'CONFIRMED'}",
            f"SEQUENCE:{mail.sequence}",
            "X-MICROSOFT-CDO-APPT-SEQUENCE:0",
        ],
    )
    head = _head(mail, f"Subject: {prefix}{mail.title}", "Content-Class: urn:content-classes:calendarmessage")
    teams = (
        "________________________________________________________________________________\n"
        "Microsoft Teams Need help?\nJoin the meeting now\nMeeting ID: 312 445 118 902\nPasscode: xY3\n"
    )
    return _alternative(head, mail, f"{mail.words}\n{teams}", calendar)


def google(mail: Invitation) -> bytes:
    """Google Calendar: UTC, SEQUENCE bumped once and then no more, its own words around the organizer's."""
    verb = {"REPLY": "Accepted", "CANCEL": "Canceled event"}.get(
        mail.method, "Updated invitation" if mail.sequence else "Invitation"
    )
    when = f"{mail.start:%A %b} {mail.start.day}, {mail.start.year} ⋅ 1:00pm – 2:00pm"  # noqa: RUF001
    guests = [
        f"ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT={answer};RSVP=TRUE\n"
        f" ;CN=Guest;X-NUM-GUESTS=0:mailto:{who}"
        for who, answer in mail.attendees
    ]
    calendar = _calendar(
        "-//Google Inc//Google Calendar 70.9054//EN",
        mail,
        "",
        [
            f"DTSTART:{stamp(mail.start)}",
            f"DTEND:{stamp(mail.start + timedelta(hours=1))}",
            f"DTSTAMP:{stamp(mail.sent)}",
            f"ORGANIZER;CN=Jane Doe:mailto:{mail.organizer}",
            f"UID:{mail.uid}@google.com",
            *guests,
            f"CREATED:{stamp(SENT)}",
            f"LAST-MODIFIED:{stamp(mail.sent)}",
            f"SEQUENCE:{min(mail.sequence, 1)}",
            f"STATUS:{'CANCELLED' if mail.method == 'CANCEL' else 'CONFIRMED'}",
            f"SUMMARY:{mail.title}",
        ],
    )
    note = f" with this note:\n{mail.words}" if mail.words else "."
    text = (
        f"This event has been changed{note}\n\n{mail.title}\n{when}\n\n"
        f"Organizer\nJane Doe\n{mail.organizer}\n\n"
        f"Guests\n{mail.organizer} - organizer\nView all guest info https://calendar.google.com/calendar/r\n\n"
        "Reply for rep@vendor.example and view more details https://calendar.google.com/calendar/event\n"
        "Your attendance is optional.\n\n~~//~~\nInvitation from Google Calendar: https://calendar.google.com/\n\n"
        "You are receiving this email because you are an attendee on the event.\n\n"
        "Forwarding this invitation could allow any recipient to send a response to the organizer.\n"
    )
    head = _head(
        mail,
        "Sender: Google Calendar <calendar-notification@google.com>",
        f"Subject: {verb}: {mail.title} @ {when} ({mail.to})".encode().decode("ascii", "ignore"),
    )
    return _alternative(head, mail, text, calendar)


def apple(mail: Invitation) -> bytes:
    """iCloud: IANA zones, the address in EMAIL and a path as the value, SEQUENCE left at nought."""
    guests = [
        f"ATTENDEE;CN=Guest;CUTYPE=INDIVIDUAL;EMAIL={who};PARTSTAT={answer}:/aMTIzNDU2Nzg5/principal/"
        for who, answer in mail.attendees
    ]
    calendar = _calendar(
        "-//Apple Inc.//iCloud 2420B//EN",
        mail,
        "",
        [
            f"UID:{mail.uid}",
            f"DTSTAMP:{stamp(mail.sent)}",
            f"DTSTART;TZID=Europe/Berlin:{local(mail.start, 2)}",
            "DURATION:PT1H",
            "SEQUENCE:0",
            f"SUMMARY:{mail.title}",
            f'ORGANIZER;CN="Doe, Jane";EMAIL={mail.organizer}:mailto:{mail.organizer}',
            *guests,
            f"STATUS:{'CANCELLED' if mail.method == 'CANCEL' else 'CONFIRMED'}",
        ],
    )
    head = _head(mail, f"Subject: {mail.title}", "X-Mailer: iCloud Calendar")
    return _alternative(head, mail, f"Jane Doe has invited you to {mail.title}\n{mail.words}\n", calendar)


def zoom(mail: Invitation) -> bytes:
    """Zoom: sent by a service, the organizer only in the calendar, which is attached as a file."""
    guests = [f"ATTENDEE;PARTSTAT={answer};RSVP=TRUE:MAILTO:{who}" for who, answer in mail.attendees]
    calendar = _calendar(
        "-//zoom.us//iCalendar Event//EN",
        mail,
        "",
        [
            f"DTSTAMP:{stamp(mail.sent)}",
            f"DTSTART;TZID=Europe/Berlin:{local(mail.start, 2)}",
            f"DTEND;TZID=Europe/Berlin:{local(mail.start + timedelta(hours=1), 2)}",
            f"SUMMARY:{mail.title}",
            f"UID:{mail.uid}",
            f"ORGANIZER:MAILTO:{mail.organizer}",
            *guests,
            "TRANSP:OPAQUE",
            *(["STATUS:CANCELLED"] if mail.method == "CANCEL" else []),
        ],
    )
    text = (
        f"Hi there,\n{mail.words}\n\nJane Doe is inviting you to a scheduled Zoom meeting.\n\n"
        f"Topic: {mail.title}\nTime: May 4, 2026 03:00 PM Amsterdam, Berlin\n\nJoin Zoom Meeting\n"
        "https://zoom.example/j/99912345678\n\nMeeting ID: 999 1234 5678\nPasscode: 004711\n"
    )
    lines = [
        *_head(mail.but(sender="no-reply@zoom.us"), f"Subject: {mail.title}"),
        'Content-Type: multipart/mixed; boundary="=_b"',
        "",
        "--=_b",
        "Content-Type: text/plain; charset=utf-8",
        "",
        text,
        "--=_b",
        'Content-Type: application/octet-stream; name="meeting.ics"',
        'Content-Disposition: attachment; filename="meeting.ics"',
        "",
        calendar,
        "--=_b--",
        "",
    ]
    return "\n".join(lines).replace("\n", "\r\n").encode()


DIALECTS: dict[str, Callable[[Invitation], bytes]] = {
    "exchange": exchange,
    "google": google,
    "apple": apple,
    "zoom": zoom,
}
