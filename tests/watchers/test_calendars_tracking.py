"""How meetings are followed: what is new, for whom, how much of it is kept."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from bot.model import Json, NeedsHuman
from tests.watchers.calendar_programs import BOB, DAY, HOUR, JANE, RITA, STRANGER, Call, Files, utc
from tests.watchers.calendar_reading import SCOPE, Reading
from watchers.calendar import CANCELLED, Entry, tracking
from watchers.calendar.tracking import MOST_FOLLOWED, Follower, Place, Sighting, observations
from watchers.calendars import Calendars
from watchers.mail.ics import Attendee
from watchers.mail.tokens import Connected, Provider, Use

SET = utc(2026, 4, 20, 9)
START = utc(2026, 5, 4, 13)
JOE = "joe@vendor.example"


def entry(**changes: Any) -> Entry:
    usual = Entry(
        ident="1",
        uid="call-1",
        start=START,
        end=START + HOUR,
        changed=SET,
        organizer=JANE,
        attendees=(Attendee(JANE, "ACCEPTED"), Attendee(RITA), Attendee(STRANGER)),
    )
    return replace(usual, **changes)


def follower(place: Place | None = None, now: datetime = SET + HOUR) -> Follower:
    return Follower("calendars:rita", place or Place(), SCOPE, now, now - 365 * DAY)


def again(before: Follower, now: datetime) -> Follower:
    """Return a follower that goes on where another ended, as after a restart."""
    before.end()
    return follower(Place.of(json.loads(json.dumps(before.place.cursor()))), now)


def test_each_person_of_theirs_has_a_history_and_ours_have_none() -> None:
    seen = follower().take(
        entry(attendees=(Attendee(BOB), Attendee(RITA), Attendee(JOE), Attendee(STRANGER)))
    )
    assert seen is not None
    told = list(observations(seen, SCOPE))
    assert [one.contact for one in told] == [JANE, BOB]
    assert {one.facts["by_side"] for one in told} == {"them"}
    assert STRANGER not in str(told)


def test_the_same_state_has_the_same_key_however_often_it_is_read() -> None:
    keys = [
        [one.key for one in observations(seen, SCOPE)]
        for seen in (follower(now=SET + n * DAY).take(entry()) for n in (1, 5))
        if seen is not None
    ]
    assert len(keys) == 2
    assert keys[0] == keys[1]


def test_a_change_is_dated_by_the_calendar_and_by_us_where_the_calendar_keeps_its_date() -> None:
    first = follower()
    first.take(entry())
    dated = again(first, SET + 3 * DAY).take(entry(start=START + DAY, changed=SET + 2 * DAY))
    still = again(first, SET + 3 * DAY).take(entry(start=START + DAY))
    future = again(first, SET + 3 * DAY).take(entry(start=START + DAY, changed=utc(2999, 1, 1)))
    assert [seen and seen.at for seen in (dated, still, future)] == [
        SET + 2 * DAY,
        SET + 3 * DAY,
        SET + 3 * DAY,
    ]


def test_whoever_was_dropped_is_told_of_it_once_and_forgotten_with_the_meeting() -> None:
    first = follower()
    first.take(entry(organizer=BOB))
    dropped = first.take(entry(organizer=BOB, attendees=(Attendee(RITA),)))
    assert dropped is not None
    assert set(dropped.contacts) == {BOB, JANE}
    assert first.take(entry(organizer=BOB, attendees=(Attendee(RITA),))) is None

    nobody = first.take(entry(organizer=RITA, attendees=(Attendee(STRANGER),)))
    assert nobody is not None
    assert nobody.contacts == (BOB,)
    assert first.place.followed == {}


def test_a_tombstone_calls_off_what_is_known_once_and_nothing_else() -> None:
    first = follower()
    first.take(entry())
    seen = first.cancel("1")
    assert seen is not None
    assert (seen.entry.status, seen.by, seen.entry.start) == (CANCELLED, JANE, START)
    assert first.cancel("1") is None
    assert first.cancel("unknown") is None


def test_an_older_copy_is_no_news() -> None:
    first = follower()
    first.take(entry(start=START + DAY, sequence=2, changed=SET + HOUR))
    assert first.take(entry(sequence=1, changed=SET), is_copy=True) is None
    assert first.take(entry(sequence=3, changed=SET), is_copy=True) is not None


def test_on_the_first_pass_a_year_is_looked_at_and_later_only_what_is_not_long_over() -> None:
    first = follower()
    assert first.take(entry(start=SET - 300 * DAY, end=None)) is not None
    assert first.take(entry(ident="2", start=SET - 400 * DAY, end=None)) is None
    second = again(first, SET + DAY)
    assert second.take(entry(ident="3", start=SET - 40 * DAY, end=None)) is None
    assert second.take(entry(ident="4", start=SET - 20 * DAY, end=None)) is not None


def test_the_cursor_stays_small_however_many_meetings_there_are() -> None:
    many = follower()
    for number in range(MOST_FOLLOWED + 500):
        many.take(
            entry(ident=f"{number:064}", uid=f"uid-{number:060}", start=START + number * HOUR, end=None)
        )
    many.end()
    assert len(many.place.followed) == MOST_FOLLOWED
    assert f"{MOST_FOLLOWED + 499:064}" in many.place.followed
    assert len(json.dumps(many.place.cursor())) < 500 * MOST_FOLLOWED


def test_of_too_many_meetings_the_latest_are_said_and_the_others_never() -> None:
    page = [entry(ident=str(number), uid=str(number), start=START + number * HOUR) for number in range(9000)]
    first = follower()
    said = [seen.entry.ident for seen in first.taken(page)]
    assert said == [str(number) for number in range(9000 - MOST_FOLLOWED, 9000)]
    second = again(first, SET + DAY)
    assert list(second.taken(page)) == []
    later = entry(ident="new", uid="new", start=START + 9000 * HOUR)
    assert [seen.entry.ident for seen in second.taken([*page, later])] == ["new"]
    assert len(second.place.followed) == MOST_FOLLOWED


def test_a_meeting_that_is_followed_is_read_however_far_back_others_push_it() -> None:
    first = follower()
    list(first.taken([entry(ident=str(number), uid=str(number)) for number in range(3)]))
    later = [
        entry(ident=f"l{number}", uid=f"l{number}", start=START + DAY + number * HOUR)
        for number in range(MOST_FOLLOWED + 100)
    ]
    called_off = entry(ident="1", uid="1", status=CANCELLED, changed=SET + HOUR)
    seen = [one.entry for one in first.taken([*later, called_off])]
    assert ("1", CANCELLED) in {(one.ident, one.status) for one in seen}


async def test_that_a_calendar_is_full_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "MOST_FOLLOWED", 2)
    program = Files(tmp_path)
    look = Reading(program.settings)
    with capture_logs() as logs:
        for number in range(4):
            program.write(Call(START + number * DAY, uid=f"call-{number}"), SET + number * HOUR)
            await look.at(SET + number * DAY)
    assert [one["event"] for one in logs if one["log_level"] == "warning"] == ["calendar_full"]
    assert len(look.cursor["followed"]) == 2


@pytest.mark.parametrize(
    "cursor", [None, [], 7, "x", {"followed": 3}, {"followed": {"1": {"start": "soon"}}}]
)
def test_a_cursor_that_is_none_of_ours_starts_from_the_beginning(cursor: Json) -> None:
    assert Place.of(cursor) == Place()


def test_the_watcher_reads_its_own_examples() -> None:
    for example in Calendars.examples:
        assert isinstance(example.raw, Sighting)
        read = [seen.kind for seen in Calendars().read(example.raw, SCOPE)]
        assert tuple(read) == example.kinds


def test_every_calendar_has_a_name_of_its_own(tmp_path: Path) -> None:
    calendar = {"kind": "files", "path": str(tmp_path), "name": "same"}
    with pytest.raises(ValidationError, match="a name of its own"):
        Calendars.Config.model_validate({"calendars": [calendar, calendar]})


class _Given:
    async def token(self, use: Use, refused: str = "") -> str:
        del use, refused
        return "token"


def test_calendars_that_their_owners_connected_are_read_as_well(tmp_path: Path) -> None:
    watcher = Reading(Files(tmp_path).settings).watcher
    watcher.connected = lambda: [
        Connected(Provider.GOOGLE, RITA, _Given()),
        Connected(Provider.MICROSOFT, JOE, _Given()),
        Connected(Provider.GOOGLE, "mail-only@vendor.example", _Given(), frozenset({Use.MAIL})),
    ]
    assert list(watcher.sources(SCOPE)) == [
        f"calendars:{RITA}",
        f"calendars:{JOE}",
        "calendars:export",
    ]


async def test_a_calendar_that_its_owner_just_disconnected_asks_to_be_connected_again(tmp_path: Path) -> None:
    watcher = Reading(Files(tmp_path).settings).watcher
    with pytest.raises(NeedsHuman, match="connect it again"):
        await anext(watcher.fetch(f"calendars:{RITA}", None, SCOPE))
