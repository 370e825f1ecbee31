from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Contact, Observation, Person, Verdict
from bot.pipeline import Pipeline
from bot.store.memory import MemoryStore
from tests.observations import (
    BOX,
    JANE,
    NOW,
    RULES,
    bounce,
    exchange,
    judged,
    meeting,
    seen,
    written_to,
    wrote,
)

TOM = "tom@other.example"
OURS = "rita@vendor.example"


async def pipeline(*contacts: str) -> Pipeline:
    store = MemoryStore()
    for address in contacts or (JANE,):
        await store.watch(Contact(address))
    return Pipeline(store, RULES, ["vendor.example"], baseline=False)


def test_somebody_on_leave_is_judged_again_when_it_ends() -> None:
    found = judged([*exchange(), seen("on_leave", 1, returns="2026-06-17", message_id="l")])
    assert found.verdict is Verdict.ON_LEAVE
    assert found.recheck is not None
    assert judged([*exchange(), seen("on_leave", 1, returns="2026-06-17")], found.recheck).verdict is (
        Verdict.ACTIVE
    )


def test_an_announced_departure_is_judged_again_when_the_last_day_has_passed() -> None:
    farewell = [*exchange(), seen("farewell", 3, leaves="2026-06-15", message_id="bye")]
    before = judged(farewell)
    assert before.recheck is not None
    assert before.recheck <= NOW + timedelta(hours=12)
    assert judged(farewell, before.recheck).verdict is Verdict.LEFT


def test_a_push_without_a_word_is_judged_again_within_hours_until_it_has_ripened() -> None:
    moves = [*exchange(), meeting(15, -5), meeting(1, -70, words=False)]
    at = NOW
    while "meeting_bare_update" not in {item.kind for item in judged(moves, at).evidence}:
        recheck = judged(moves, at).recheck
        assert recheck is not None
        at = recheck
    assert at - NOW <= timedelta(days=1, hours=6)


def test_somebody_long_silent_is_judged_more_seldom_than_somebody_who_wrote_yesterday() -> None:
    fresh, old = judged([*exchange(), wrote(1)]), judged([wrote(days) for days in range(25, 300, 20)])
    assert (fresh.verdict, old.verdict) == (Verdict.ACTIVE, Verdict.ACTIVE)
    assert fresh.recheck is not None
    assert old.recheck is not None
    assert fresh.recheck < old.recheck


def test_who_was_told_to_leave_by_a_colleague_is_judged_again_when_that_day_has_passed() -> None:
    told = [
        *exchange(),
        seen("colleague_said", 3, leaves="2026-06-16", full_name=True, by="ann@acme.example"),
    ]
    before = judged(told)
    assert before.verdict is Verdict.ACTIVE
    assert before.recheck == datetime(2026, 6, 17, tzinfo=UTC)
    assert judged(told, before.recheck).verdict is Verdict.LIKELY_LEFT


def test_a_mail_of_ours_is_no_reason_to_judge_anew_before_it_can_count_as_unanswered() -> None:
    answered = judged([*exchange(), wrote(3), written_to(0.5)])
    assert answered.recheck is not None
    assert answered.recheck >= NOW + timedelta(days=3)
    waiting = [*exchange(), *(written_to(days) for days in (16, 12, 8, 4, 0.5))]
    ignored = judged(waiting)
    assert "unanswered" not in {item.kind for item in ignored.evidence}
    assert ignored.recheck == NOW + timedelta(days=1.5)
    assert "unanswered" in {item.kind for item in judged(waiting, ignored.recheck).evidence}


def test_whoever_wrote_today_is_left_alone_for_a_week_and_whoever_has_long_been_silent_is_not() -> None:
    assert judged([*exchange(), wrote(0)]).recheck == NOW + timedelta(days=7)
    assert judged([*exchange(), wrote(9)]).recheck == NOW + timedelta(days=3)


def cancelled(invitation: Observation) -> Observation:
    return replace(invitation, facts={**invitation.facts, "method": "CANCEL"})


MAILS = st.sampled_from([wrote, written_to])
MOVES = st.builds(
    meeting, st.floats(0, 60), st.floats(-60, 60), words=st.booleans(), by=st.sampled_from([JANE, OURS])
)
CANCELLED = st.builds(lambda days: cancelled(meeting(days, -9)), st.floats(0, 9))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(MAILS, st.floats(0, 40)), max_size=8),
    st.lists(MOVES | CANCELLED, max_size=5),
    st.floats(0, 1),
)
def test_time_alone_changes_nothing_that_is_derived_before_the_moment_that_is_named(
    mails: list[tuple[Callable[[float], Observation], float]],
    moves: list[Observation],
    part: float,
) -> None:
    history = [*exchange(), *(kind(days) for kind, days in mails), *moves]
    person = Person(JANE, observations=tuple(history))
    derived = RULES.derive(person, NOW)
    until = derived.until or NOW + timedelta(days=60)
    between = NOW + part * (until - NOW - timedelta(seconds=1))
    assert RULES.derive(person, between).observations == derived.observations


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(sorted(RULES.kinds)), max_size=6), st.floats(-40, 40))
def test_everybody_is_judged_again_later_than_now_and_within_a_week(kinds: list[str], start: float) -> None:
    history = [*exchange(), *(seen(kind, 2, returns="2026-06-16", leaves="2026-06-16") for kind in kinds)]
    found = judged([*history, meeting(3, start)])
    assert found.recheck is not None
    assert NOW < found.recheck <= NOW + timedelta(days=7)


async def test_only_who_has_news_or_has_stood_their_time_is_judged() -> None:
    pipe = await pipeline(JANE, TOM)
    await pipe.store.record([wrote(1), wrote(1, TOM)])
    assert await pipe.due(NOW) == [JANE, TOM]
    first = await pipe.judge(NOW)
    assert await pipe.due(NOW + timedelta(hours=5)) == []
    await pipe.store.record([bounce(0, TOM)])
    assert await pipe.due(NOW + timedelta(hours=5)) == [TOM]
    assert first[0].recheck is not None
    assert JANE in await pipe.due(first[0].recheck)


async def test_a_judgement_that_stood_its_time_is_not_made_again_at_once() -> None:
    pipe = await pipeline()
    await pipe.store.record([wrote(1)])
    (first,) = await pipe.judge(NOW)
    assert first.recheck is not None
    await pipe.judge(first.recheck, await pipe.due(first.recheck))
    assert await pipe.due(first.recheck + timedelta(minutes=5)) == []


async def test_everybody_is_reviewed_when_a_source_goes_down_and_when_it_comes_back() -> None:
    pipe = await pipeline()
    pipe.outages = {BOX: ""}
    await pipe.store.record([*exchange(), wrote(1)])
    await pipe.judge(NOW)
    assert await pipe.review(NOW) == []
    pipe.outages = {BOX: "token expired"}
    assert [found.verdict for found in await pipe.review(NOW)] == [Verdict.UNCHECKED]
    assert await pipe.review(NOW) == []
    pipe.outages = {BOX: ""}
    assert [found.verdict for found in await pipe.review(NOW)] == [Verdict.ACTIVE]


@pytest.mark.parametrize("start", ["", "no date", "2026-06-15T12:00:00", None, 7])
def test_a_meeting_without_a_proper_start_is_no_obstacle(start: str | int | None) -> None:
    odd = Observation(JANE, "meeting", NOW, BOX, "odd", facts={"uid": "u", "start": start})
    assert judged([*exchange(), odd]).recheck is not None
