"""Meetings at the ends of time: nobody's judgement may fail over one, and no other meeting is lost by it."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

import pytest

from tests.watchers import winmail
from tests.watchers.calendar_programs import JANE, RITA, utc
from tests.watchers.calendar_reading import SCOPE
from tests.watchers.winmail import attribute, fixed, named, properties, stream
from watchers.calendar import Entry, google, graph
from watchers.calendar.split import entries
from watchers.calendar.tracking import Follower, Place, observations
from watchers.invitations import Invitations
from watchers.mail.parse import parse
from watchers.mail.signals import signals
from watchers.mail.tnef import read_tnef

NOW = utc(2026, 4, 21, 9)
GOOD = "DTSTART:20260504T130000Z"
ABSURD = (
    "DTSTART:99991231T235959Z\r\nDTSTAMP:99991231T235959Z\r\nLAST-MODIFIED:99991231T235959Z",
    "DTSTART:99991231T120000Z\r\nDURATION:P300000D",
    "DTSTART;VALUE=DATE:99991231\r\nDURATION:P10D",
    "DTSTART;TZID=America/New_York:99991231T235959\r\nDTEND;TZID=Asia/Tokyo:00010101T000000",
    "DTSTART:00010101T000000Z\r\nDTSTAMP:00010101T000000Z",
    "DTSTART:45010101T000000Z",
    "DTSTART:16010101T000000Z\r\nDTEND:99991231T235959Z",
    "DTSTART:20260504T130000Z\r\nDTEND:99991231T235959Z\r\nRECURRENCE-ID:99991231T235959Z",
)


def event(uid: str, lines: str) -> str:
    people = f"ORGANIZER:mailto:{JANE}\r\nATTENDEE:mailto:{JANE}\r\nATTENDEE:mailto:{RITA}"
    return f"BEGIN:VEVENT\r\nUID:{uid}\r\n{lines}\r\n{people}\r\nEND:VEVENT\r\n"


def judged(*listed: Entry) -> list[str]:
    """Follow these meetings and judge them now and later; return of which UIDs something was kept."""
    follower = Follower("calendars:rita", Place(), SCOPE, NOW, NOW - timedelta(days=365))
    seen = [one for one in map(follower.take, listed) if one is not None]
    follower.end()
    kept = [one for sighting in seen for one in observations(sighting, SCOPE)]
    for moment in (NOW, NOW + timedelta(days=30)):
        list(signals(kept, moment))
    return [one.group for one in kept]


@pytest.mark.parametrize("lines", ABSURD)
def test_an_absurd_date_in_a_calendar_costs_no_judgement_and_no_other_meeting(lines: str) -> None:
    listed = f"{event('first', GOOD)}{event('absurd', lines)}{event('last', GOOD)}"
    raw = f"BEGIN:VCALENDAR\r\n{listed}END:VCALENDAR\r\n".encode()
    assert {"first", "last"} <= set(judged(*entries(raw, SCOPE)))


@pytest.mark.parametrize("lines", ABSURD)
@pytest.mark.parametrize("method", ["REQUEST", "CANCEL", "REPLY", "COUNTER"])
def test_an_absurd_date_in_a_mail_costs_no_judgement(lines: str, method: str) -> None:
    watcher = Invitations()
    for date in ("Mon, 20 Apr 2026 09:00:00 +0000", "Fri, 31 Dec 9999 23:59:59 -2359"):
        head = f"From: {JANE}\r\nTo: {RITA}\r\nDate: {date}\r\nContent-Type: text/calendar; method={method}"
        calendar = f"BEGIN:VCALENDAR\r\nMETHOD:{method}\r\n{event('absurd', lines)}END:VCALENDAR\r\n"
        kept = watcher.read(parse(f"{head}\r\n\r\n{calendar}".encode()), SCOPE)
        for moment in (NOW, NOW + timedelta(days=30)):
            list(watcher.derive(kept, moment))


@pytest.mark.parametrize("when", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "9999-12-31"])
def test_an_absurd_date_at_google_or_microsoft_costs_no_judgement(when: str) -> None:
    people = [{"email": JANE, "emailAddress": {"address": JANE}}, {"email": RITA}]
    item = {
        "id": "1",
        "iCalUID": "absurd",
        "start": {"dateTime": when},
        "end": {"dateTime": when},
        "updated": when,
        "attendees": people,
    }
    judged(*google._page(None, [item]).entries)
    judged(*graph._entries([{**item, "iCalUId": "absurd", "lastModifiedDateTime": when}], graph._Seen()))


def test_outlooks_dates_for_none_are_none() -> None:
    identity = named(winmail.BINARY, winmail.MEETING, 0x0003, winmail.object_id("x"))
    kind = attribute(0x00078008, b"IPM.Microsoft Schedule.MtgReq\0")
    never = fixed(winmail.TIME, 0x0060, datetime(4501, 1, 1, tzinfo=UTC))
    old = attribute(0x00030006, struct.pack("<7H", 9999, 12, 31, 23, 59, 59, 1))
    for raw in (
        stream(kind, attribute(0x00069003, properties(identity, never))),
        stream(kind, old, attribute(0x00069003, properties(identity))),
    ):
        (read,) = read_tnef(raw).events
        assert read.start is None
