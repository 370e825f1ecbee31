"""The pieces of invitation mails that all calendar programs write alike: zones, dates, entities."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from tests.watchers.invitation_mails import HOUR, Invitation

WINDOWS = {
    "Europe/Berlin": "W. Europe Standard Time",
    "Europe/London": "GMT Standard Time",
    "America/New_York": "Eastern Standard Time",
    "America/Los_Angeles": "Pacific Standard Time",
}
NOTES = {
    "Europe/Berlin": "W. Europe",
    "Europe/London": "GMT",
    "America/New_York": "Eastern",
    "America/Los_Angeles": "Pacific",
}
WEBEX = {
    "Europe/Berlin": "Berlin Time",
    "Europe/London": "London Time",
    "America/New_York": "Eastern Time",
    "America/Los_Angeles": "Pacific Time",
}
EUROPE, AMERICA = (
    ("BYDAY=-1SU;BYMONTH=10", "BYDAY=-1SU;BYMONTH=3"),
    ("BYDAY=1SU;BYMONTH=11", "BYDAY=2SU;BYMONTH=3"),
)
RULES = {
    "Europe/Berlin": ("+0100", "+0200", *EUROPE),
    "Europe/London": ("+0000", "+0100", *EUROPE),
    "America/New_York": ("-0500", "-0400", *AMERICA),
    "America/Los_Angeles": ("-0800", "-0700", *AMERICA),
}


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%SZ")


def local(mail: Invitation, moment: datetime) -> str:
    return moment.astimezone(ZoneInfo(mail.zone)).strftime("%Y%m%dT%H%M%S")


def zone(mail: Invitation, name: str) -> str:
    """Return the VTIMEZONE of the mail's zone under this name."""
    standard, summer, autumn, spring = RULES[mail.zone]
    return f"""BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:{summer}
TZOFFSETTO:{standard}
RRULE:FREQ=YEARLY;INTERVAL=1;{autumn}
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:{standard}
TZOFFSETTO:{summer}
RRULE:FREQ=YEARLY;INTERVAL=1;{spring}
END:DAYLIGHT
END:VTIMEZONE"""


WEST_EUROPE = zone(Invitation(), "W. Europe Standard Time")


def status(mail: Invitation) -> str:
    return f"STATUS:{'CANCELLED' if mail.method == 'CANCEL' else 'CONFIRMED'}"


def verb(mail: Invitation) -> str:
    """Return the word that programs put before the subject of an answer."""
    answer = mail.attendees[0][1] if mail.method == "REPLY" else ""
    return {"ACCEPTED": "Accepted", "DECLINED": "Declined", "TENTATIVE": "Tentative"}.get(answer, "")


def when(mail: Invitation) -> str:
    start = mail.start.astimezone(ZoneInfo(mail.zone))
    return f"{start:%A %b} {start.day}, {start.year} {start:%H:%M} to {start + HOUR:%H:%M}"


def head(mail: Invitation, *extra: str) -> list[str]:
    serial = f"{mail.sent:%Y%m%d%H%M%S}.{mail.sequence}.{mail.method.lower()}.{mail.uid[-12:]}"
    return [
        f"From: {mail.sender.partition('.')[0].title()} <{mail.sender}>",
        f"To: {mail.to}",
        f"Date: {format_datetime(mail.sent)}",
        f"Message-ID: <{serial}@{mail.sender.partition('@')[2]}>",
        "MIME-Version: 1.0",
        *extra,
    ]


def part(kind: str, content: str | bytes, *extra: str, plain: bool = False) -> str:
    """Return an entity in base64, or as it is where it is `plain`."""
    raw = content if isinstance(content, bytes) else content.replace("\n", "\r\n").encode()
    encoded = raw.decode() if plain else base64.encodebytes(raw).decode()
    encoding = "8bit" if plain else "base64"
    lines = [f"Content-Type: {kind}", *extra, f"Content-Transfer-Encoding: {encoding}", "", encoded]
    return "\n".join(lines).replace("\r\n", "\n")


def multipart(kind: str, *parts: str) -> str:
    border = f"=_{hashlib.sha256(parts[0].encode()).hexdigest()[:16]}{kind}"
    inner = "".join(f"--{border}\n{one}\n" for one in parts)
    return f'Content-Type: multipart/{kind}; boundary="{border}"\n\n{inner}--{border}--\n'


def sent(lines: list[str], body: str) -> bytes:
    return ("\n".join(lines) + "\n" + body).replace("\n", "\r\n").encode()


def calendar(product: str, mail: Invitation, zones: str, event: list[str], *outer: str) -> str:
    repeats = [f"RRULE:{mail.rule}"] if mail.rule else []
    repeats += [f"RECURRENCE-ID:{stamp(mail.occurrence)}"] if mail.occurrence else []
    frame = ["BEGIN:VCALENDAR", f"PRODID:{product}", "VERSION:2.0", *outer, f"METHOD:{mail.method}"]
    return "\n".join(
        [
            *frame,
            *([zones] if zones else []),
            "BEGIN:VEVENT",
            *event,
            *repeats,
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ]
    )
