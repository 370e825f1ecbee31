"""What is particular to Microsoft Graph: windows, delta links, series, refusals."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import NeedsHuman, SourceDown
from tests.servers import calendar_graph
from tests.servers.calendar_graph import GraphStandIn, event, moment
from tests.watchers.calendar_programs import BOB, DAY, HOUR, JANE, RITA, Graph, utc
from tests.watchers.calendar_reading import Reading
from watchers.calendar.graph import _entries, _Seen, plain_uid
from watchers.mail.meetings import meetings

SET = utc(2026, 4, 20, 9)
START = utc(2026, 5, 4, 13)
GOID = "040000008200E00074C5B7101A82E008"
FOREIGN = f"7643616C2D55696401000000{b'abc123@google.com'.hex()}00"
PACKED = f"{GOID}{'0' * 32}20000000{FOREIGN}"


@pytest.fixture
async def graph(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[GraphStandIn]:
    async with calendar_graph.serving(RITA) as served:
        for name, secret in Graph(served).secrets().items():
            monkeypatch.setenv(name, secret)
        yield served


def reading(graph: GraphStandIn, **more: Any) -> Reading:
    return Reading({**Graph(graph).settings, **more})


def call(start: Any = START, **more: Any) -> dict[str, Any]:
    return event(start, JANE, {RITA: "accepted"}, "call-1", RITA, **more)


@pytest.mark.parametrize("shape", ["null fields", "removed"])
async def test_a_meeting_pushed_out_of_the_window_is_still_pushed(graph: GraphStandIn, shape: str) -> None:
    graph.nulls = shape == "null fields"
    look = reading(graph)
    graph.change("1", SET, **call())
    await look.at(SET + HOUR)
    graph.change("1", SET + DAY, **call(START + 900 * DAY))
    (pushed,) = await look.at(SET + DAY + HOUR)
    assert pushed.facts["start"] == (START + 900 * DAY).isoformat()

    graph.change("1", SET + 2 * DAY, **call(START + 1000 * DAY))
    (again,) = await look.at(SET + 2 * DAY + HOUR)
    assert again.facts["start"] == (START + 1000 * DAY).isoformat()


async def test_a_meeting_that_is_no_longer_in_the_calendar_says_nothing(graph: GraphStandIn) -> None:
    look = reading(graph)
    graph.change("1", SET, **call())
    assert len(await look.at(SET + HOUR)) == 1
    graph.remove("1")
    assert await look.at(SET + DAY) == []
    assert "followed" not in look.cursor


async def test_the_window_is_drawn_anew_before_it_ends_and_nothing_is_told_twice(graph: GraphStandIn) -> None:
    look = reading(graph)
    graph.change("1", SET, **call(START + 300 * DAY))
    await look.at(SET + HOUR)
    graph.asked.clear()
    assert await look.at(SET + 100 * DAY) == []
    assert not [path for path in graph.asked if "startDateTime" in path]
    assert await look.at(SET + 200 * DAY) == []
    assert [path for path in graph.asked if "startDateTime" in path]


def proposing(start: datetime, zone: str = "UTC") -> dict[str, Any]:
    """Return our meeting, for which Jane proposes another time as it is on the clocks of a zone."""
    ours = event(START, RITA, {JANE: "tentativelyAccepted", BOB: "accepted"}, "call-1", RITA)
    slot = {"dateTime": f"{start:%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": zone}
    ours["attendees"][0]["proposedNewTime"] = {"start": slot, "end": slot}
    return ours


async def test_a_later_time_that_they_propose_is_their_push_and_is_told_once(graph: GraphStandIn) -> None:
    look = reading(graph)
    graph.change("1", SET, **event(START, RITA, {JANE: "none", BOB: "accepted"}, "call-1", RITA))
    history = await look.at(SET + HOUR)

    graph.change("1", SET + DAY, **proposing(START + 14 * DAY))
    found = await look.at(SET + DAY + HOUR)
    (counter,) = [seen for seen in found if seen.facts["method"] == "COUNTER"]
    assert (counter.contact, counter.facts["by"], counter.facts["by_side"]) == (JANE, JANE, "them")
    assert counter.facts["start"] == (START + 14 * DAY).isoformat()
    assert counter.sentence.startswith("18 May 2026 proposed for the meeting of rita@vendor.example instead")

    graph.change("1", SET + 2 * DAY, **{**proposing(START + 14 * DAY), "start": moment(START + 14 * DAY)})
    agreed = await look.at(SET + 2 * DAY + HOUR)
    assert [seen.facts["method"] for seen in agreed] == ["", ""]

    (meeting,) = meetings(seen for seen in [*history, *found, *agreed] if seen.contact == JANE)
    (move,) = meeting.moves
    assert (move.by, move.days) == (JANE, 14)


@pytest.mark.parametrize(
    ("zone", "ahead"), [("UTC", 0), ("", 0), ("Pacific Standard Time", 7), ("Europe/Berlin", -2)]
)
async def test_a_proposed_time_is_read_in_its_zone(graph: GraphStandIn, zone: str, ahead: int) -> None:
    look = reading(graph)
    graph.change("1", SET, **proposing(START + DAY, zone))
    (counter,) = [seen for seen in await look.at(SET + HOUR) if seen.facts["method"] == "COUNTER"]
    assert counter.facts["start"] == (START + DAY + ahead * HOUR).isoformat()


@pytest.mark.parametrize("odd", [7, {}, {"start": 7}, {"start": {"dateTime": "soon"}}, {"start": None}])
async def test_a_proposal_that_names_no_time_is_none(graph: GraphStandIn, odd: object) -> None:
    look = reading(graph)
    ours = proposing(START)
    ours["attendees"][0]["proposedNewTime"] = odd
    graph.change("1", SET, **ours)
    assert {seen.facts["method"] for seen in await look.at(SET + HOUR)} == {""}


async def test_many_meetings_come_page_by_page(graph: GraphStandIn) -> None:
    look = reading(graph)
    for number in range(230):
        who = JANE if number % 10 == 0 else "sam@stranger.example"
        start = START + timedelta(hours=number)
        graph.change(f"{number:03}", SET, **event(start, who, {RITA: "none"}, f"uid-{number}"))
    assert len(await look.at(SET + HOUR)) == 23
    assert len([path for path in graph.asked if "skiptoken" in path]) == 2
    assert len(look.cursor["followed"]) == 23


async def test_a_series_is_asked_for_by_its_occurrences_and_each_change_of_it_is_one(
    graph: GraphStandIn,
) -> None:
    look = reading(graph)
    graph.change("series", SET, **call(utc(2020, 1, 6, 13), type="seriesMaster"))
    for week in range(8):
        single = {"type": "occurrence", "seriesMasterId": "series", "start": moment(START + 7 * week * DAY)}
        graph.change(f"week-{week}", SET, **single, end=moment(START + 7 * week * DAY + HOUR))
    exception = call(
        START + 3 * DAY, type="exception", seriesMasterId="series", originalStart="2026-05-11T13:00:00Z"
    )
    graph.change("week-1", SET, **exception)

    found = await look.at(SET + HOUR)
    assert sorted((seen.facts["series"], seen.facts["recurrence_id"]) for seen in found) == [
        (False, "2026-05-11T13:00:00+00:00"),
        (True, ""),
    ]


async def test_hidden_guests_are_not_taken_for_dropped_ones(graph: GraphStandIn) -> None:
    look = reading(graph)
    both = event(START, BOB, {JANE: "none", RITA: "none"}, "call-1")
    graph.change("1", SET, **both)
    await look.at(SET + HOUR)
    graph.change("1", SET + DAY, **event(START, BOB, {RITA: "none"}, "call-1", hideAttendees=True))
    assert await look.at(SET + DAY + HOUR) == []


async def test_who_asks_too_much_is_told_how_long_to_wait(graph: GraphStandIn) -> None:
    graph.busy = 1
    with pytest.raises(SourceDown) as down:
        await reading(graph).at(SET)
    assert down.value.retry_after == timedelta(seconds=17)


async def test_refusals_say_what_to_do(graph: GraphStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    graph.denied = True
    with pytest.raises(NeedsHuman, match=r"Calendars\.Read"):
        await reading(graph).at(SET)
    graph.denied = False
    with pytest.raises(NeedsHuman, match="correct `user`"):
        await reading(graph, user="nobody@vendor.example").at(SET)
    monkeypatch.setenv("GRAPH_TOKEN", "expired-token")
    with pytest.raises(NeedsHuman, match="GRAPH_TOKEN") as refused:
        await reading(graph).at(SET)
    assert "expired-token" not in str(refused.value)


async def test_the_token_goes_nowhere_but_to_the_address_of_the_settings(graph: GraphStandIn) -> None:
    look = reading(graph)
    graph.change("1", SET, **call())
    await look.at(SET)
    look.cursor["state"]["link"] = "https://elsewhere.example/v1.0/me/calendarView/delta?$deltatoken=x"
    graph.asked.clear()
    assert await look.at(SET + HOUR) == []
    assert "startDateTime" in graph.asked[0]


@pytest.mark.parametrize(
    ("packed", "plain"),
    [
        ("abc123@google.com", "abc123@google.com"),
        (PACKED, "abc123@google.com"),
        (
            f"{GOID}07EA0504A0B1C2D3E4F5A6B7000000000000000010000000{'AB' * 16}".lower(),
            f"{GOID}00000000A0B1C2D3E4F5A6B7000000000000000010000000{'AB' * 16}",
        ),
        (f"{GOID}0", f"{GOID}0"),
    ],
)
def test_a_uid_is_the_one_that_mails_carry(packed: str, plain: str) -> None:
    assert plain_uid(packed) == plain


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = ("id", "start", "end", "type", "organizer", "attendees", "iCalUId", "isCancelled", "originalStart")


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), ANYTHING), ANYTHING)
def test_whatever_graph_answers_nothing_breaks(item: dict[str, Any], when: Any) -> None:
    _entries(
        [item, {**item, "id": "1", "start": {"dateTime": when}}, {"start": moment(START), **item}], _Seen()
    )
