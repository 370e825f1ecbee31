"""What is particular to Google Calendar: tombstones, exceptions, who may move a meeting, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from myworld.host import Host

from bot.model import NeedsHuman
from tests.servers import calendar_google
from tests.servers.calendar_google import GoogleWorld
from tests.watchers.calendar_programs import BOB, DAY, HOUR, JANE, RITA, Call, Google, ics, utc
from tests.watchers.calendar_reading import SCOPE, Reading
from watchers.calendar.google import GoogleCalendar, _page
from watchers.calendar.tracking import Follower, Place
from watchers.mail.ics import read_ics
from watchers.mail.rest import Refused

SET = utc(2026, 4, 20, 9)
CALL = Call(utc(2026, 5, 4, 13))


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Host, int]]:
    with calendar_google.serving() as served:
        yield served


@pytest.fixture
def program(served: tuple[Host, int], monkeypatch: pytest.MonkeyPatch) -> Google:
    program = Google(GoogleWorld(*served, RITA, [JANE, BOB], SET - DAY))
    monkeypatch.setenv("GOOGLE_TOKEN", program.world.token)
    return program


async def test_a_changed_occurrence_of_a_series_says_nothing_about_the_series(program: Google) -> None:
    look = Reading(program.settings)
    program.world.at(SET)
    times = {"start": {"dateTime": "2026-05-04T13:00:00Z"}, "end": {"dateTime": "2026-05-04T14:00:00Z"}}
    guests = [{"email": RITA}]
    series = program.world.insert(
        JANE, {**times, "attendees": guests, "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=8"]}
    )
    (first,) = await look.at(SET + HOUR)
    assert first.facts["series"] is True

    program.world.at(SET + DAY)
    moved = {"start": {"dateTime": "2026-05-14T13:00:00Z"}, "end": {"dateTime": "2026-05-14T14:00:00Z"}}
    program.world.patch(JANE, f"{series}_20260511T130000Z", moved)
    assert await look.at(SET + DAY + HOUR) == []


async def test_what_is_missing_from_a_full_list_after_a_lost_token_is_asked_for(program: Google) -> None:
    look = Reading(program.settings)
    program.write(CALL, SET)
    program.write(replace(CALL, uid="other", start=CALL.start + DAY), SET)
    assert len(await look.at(SET + HOUR)) == 2

    program.world.purge(program.idents[CALL.uid][0])
    look.cursor = program.lose_place(look.cursor)
    assert await look.at(SET + DAY) == [], "who deleted it cannot be told any more"
    assert [meeting["uid"] for meeting in look.cursor["followed"].values()] != [program.uid(CALL)]
    assert len(look.cursor["followed"]) == 1


async def test_only_the_fields_that_are_needed_are_asked_for(program: Google) -> None:
    look = Reading(program.settings)
    program.write(CALL, SET)
    (seen,) = await look.at(SET + HOUR)
    assert "private" not in str(seen)
    assert "Pilot" not in str(look.cursor)


async def test_a_token_that_was_revoked_asks_for_a_new_one_by_name(
    program: Google, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_TOKEN", "ya29.revoked")
    with pytest.raises(NeedsHuman, match="GOOGLE_TOKEN") as refused:
        await Reading(program.settings).at(SET)
    assert "ya29" not in str(refused.value)


async def test_a_calendar_that_does_not_exist_is_said_to_be_wrong(program: Google) -> None:
    with pytest.raises(NeedsHuman, match="correct `calendar`"):
        await Reading({**program.settings, "calendar": "nobody@vendor.example"}).at(SET)


async def test_a_calendar_that_shows_free_and_busy_only_asks_to_be_shared(program: Google) -> None:
    with pytest.raises(NeedsHuman, match="See all event details"):
        await Reading({**program.settings, "calendar": JANE}).at(SET)


async def test_an_answer_that_is_not_googles_is_a_source_that_is_down(program: Google) -> None:
    with pytest.raises(NeedsHuman, match="rita"):
        await Reading({**program.settings, "api": program.world.api + "/nowhere"}).at(SET)


@pytest.mark.parametrize(
    ("status", "code", "how"),
    [
        (403, "insufficientPermissions", "grant the scope https://www.googleapis.com/auth/calendar"),
        (403, "accessNotConfigured", "switch on the Google Calendar API"),
        (403, "forbidden", "See all event details"),
        (404, "notFound", "correct `calendar`"),
        (400, "badRequest", "see the log"),
    ],
)
def test_each_refusal_of_googles_has_its_own_cure(status: int, code: str, how: str) -> None:
    source = GoogleCalendar(kind="google", name="rita", token_env="X").open()
    assert how in source._meaning(Refused(status, code)).how


def item(**more: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "status": "confirmed",
        "iCalUID": "call-1",
        "updated": "2026-04-20T09:00:00.000Z",
        "start": {"dateTime": "2026-05-04T15:00:00+02:00"},
        "end": {"dateTime": "2026-05-04T16:00:00+02:00"},
        "organizer": {"email": JANE},
        "attendees": [
            {"email": RITA, "responseStatus": "accepted"},
            {"email": "R1@x.example", "resource": True},
        ],
        **more,
    }


def test_an_invitation_that_our_own_rep_removed_is_gone_and_not_called_off() -> None:
    removed = item(status="cancelled")
    tombstone = {"id": "2", "status": "cancelled"}
    ours = item(id="3", status="cancelled", organizer={"email": RITA, "self": True})

    page = _page(None, [removed, tombstone, ours])
    assert page.gone == ["1"]
    assert page.cancelled == ["2", "3"]


def test_exceptions_of_a_series_name_the_occurrence_that_they_change() -> None:
    planned = {"recurringEventId": "1", "originalStartTime": {"dateTime": "2026-05-11T15:00:00+02:00"}}
    series = item(recurrence=["RRULE:FREQ=WEEKLY"])
    called_off = {"id": "1_20260518T130000Z", "status": "cancelled", **planned}
    page = _page(None, [series, item(id="1_20260511T130000Z", **planned), called_off])
    assert [(entry.series, entry.occurrence) for entry in page.entries] == [
        (True, ""),
        (False, "2026-05-11T13:00:00+00:00"),
    ]
    follower = Follower("calendars:rita", Place(), SCOPE, SET + DAY, SET - 365 * DAY)
    assert [follower.cancel(ident) for ident in page.cancelled] == [None]


def test_what_people_are_not_invited_to_is_left_out() -> None:
    page = _page(None, [item(eventType="focusTime"), item(eventType="workingLocation"), item(id="4")])
    assert [entry.ident for entry in page.entries] == ["4"]


def test_times_rooms_and_shared_calendars_are_read_as_google_means_them() -> None:
    shared = item(organizer={"email": "c_1@group.calendar.google.com"}, creator={"email": JANE})
    whole_day = item(start={"date": "2026-05-04"}, end={"date": "2026-05-05"})
    (timed, dated) = _page(None, [shared, whole_day]).entries
    assert timed.start == CALL.start
    assert timed.organizer == JANE
    assert [one.address for one in timed.attendees] == [RITA]
    assert dated.start == utc(2026, 5, 4)


def test_a_meeting_of_zooms_has_the_uid_that_its_mails_are_known_by() -> None:
    uid, text = "20260420T090000Z-99912345678@10.0.0.1", ics(CALL, SET)
    (entry,) = _page(None, [item(iCalUID=uid, summary="Pilot review")]).entries
    (event,) = read_ics(text.replace(f"UID:{CALL.uid}", f"UID:{uid}").encode()).events
    assert entry.uid == event.uid


def test_a_move_that_any_guest_could_have_made_is_nobodys() -> None:
    follower = Follower("calendars:rita", Place(), SCOPE, SET + DAY, SET - 365 * DAY)
    later = {"dateTime": "2026-05-18T13:00:00Z"}
    moved = item(guestsCanModify=True, start=later, updated="2026-04-20T10:00:00.000Z")
    before, after = _page(None, [item(guestsCanModify=True), moved]).entries

    first, second = follower.take(before), follower.take(after)
    assert first is not None
    assert second is not None
    assert (first.by, second.by) == (JANE, "")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(item())), ANYTHING), ANYTHING)
def test_whatever_google_answers_nothing_breaks(broken: dict[str, Any], when: Any) -> None:
    page = _page(None, [broken, item(**broken), item(start={"dateTime": when}, end={"date": when})])
    follower = Follower("calendars:rita", Place(), SCOPE, SET + DAY, SET - 365 * DAY)
    for entry in page.entries:
        follower.take(entry)
    Place.of(follower.place.cursor())
