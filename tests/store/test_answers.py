from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.answers import observe
from bot.model import (
    Action,
    Alert,
    Answer,
    Assessment,
    Choice,
    Contact,
    Decision,
    Reason,
    Strength,
    Verdict,
)
from bot.store import Store
from bot.store.tiny import TinyStore

NOW = datetime(2026, 8, 3, 9, 30, tzinfo=UTC)
JANE = Contact("jane@acme.example", "Jane Doe")
CASE = "jane@acme.example:1"
FINAL = [Choice.LEFT, Choice.STILL_THERE, Choice.NOTHING_WRONG]


@pytest.fixture
async def store(empty_store: Store) -> Store:
    opened = empty_store
    await opened.watch(JANE)
    person = await opened.person(JANE.address)
    assert person is not None
    judged = Assessment(JANE.address, NOW, Verdict.LEFT, Strength.STRONG, 0.99, "no longer there")
    decision = Decision(JANE.address, NOW, Action.SEND, Reason.FIRST, Verdict.LEFT, 0.99)
    assert await opened.conclude(person.version, judged, decision, Alert(JANE, judged, 1, NOW))
    return opened


def says(choice: Choice, by: str = "URITA", minutes: int = 0, until: date | None = None) -> Answer:
    return Answer(JANE.address, CASE, by, NOW + timedelta(minutes=minutes), choice, until)


@pytest.mark.parametrize("choice", FINAL)
async def test_the_first_word_settles_and_stays(store: Store, choice: Choice) -> None:
    first = await store.answer(says(choice))
    assert first is not None
    assert first.settled == says(choice)
    for other in Choice:
        later = await store.answer(says(other, "UMAX", 1))
        assert later is not None
        assert later.settled == says(choice)
    person = await store.person(JANE.address)
    assert person is not None
    assert person.cases == (first,)


async def test_saying_the_same_twice_writes_nothing(store: Store) -> None:
    await store.answer(says(Choice.LEFT))
    before = await store.person(JANE.address)
    await store.answer(says(Choice.LEFT, minutes=1))
    assert await store.person(JANE.address) == before


async def test_of_two_who_answer_at_once_one_settles_and_both_learn_which(store: Store) -> None:
    told = await asyncio.gather(
        store.answer(says(Choice.LEFT, "URITA")), store.answer(says(Choice.STILL_THERE, "UMAX"))
    )
    words = {case.settled for case in told if case}
    assert len(words) == 1
    assert None not in words


async def test_somebody_who_is_on_it_has_settled_nothing(store: Store) -> None:
    case = await store.answer(says(Choice.ON_IT))
    assert case is not None
    assert case.settled is None


async def test_the_first_who_is_on_it_stays_the_one(store: Store) -> None:
    await store.answer(says(Choice.ON_IT))
    on_it = says(Choice.ON_IT, "UMAX", 1)
    case = await store.answer(on_it, observe(on_it, "Max"))
    assert case is not None
    assert case.on_it == says(Choice.ON_IT)
    person = await store.person(JANE.address)
    assert person is not None
    assert person.observations == ()


async def test_an_all_clear_settles_its_case_by_the_persons_own_word(store: Store) -> None:
    seen = NOW + timedelta(hours=2)
    calm = Assessment(JANE.address, NOW + timedelta(hours=3), Verdict.ACTIVE, Strength.SOME, 0.01, "wrote")
    calm = replace(calm, last_contact=seen)
    person = await store.person(JANE.address)
    assert person is not None
    decision = Decision(JANE.address, calm.at, Action.SEND, Reason.ANSWERED, calm.verdict, 0.01)
    assert await store.conclude(person.version, calm, decision, Alert(JANE, calm, 1, calm.at))
    [case] = await store.cases()
    assert case.settled == Answer(JANE.address, CASE, JANE.address, seen, Choice.ANSWERED)
    assert case.alert.assessment.verdict is Verdict.LEFT
    [listed] = await store.watchlist()
    assert not listed.is_open


async def test_a_new_case_ends_one_that_nobody_settled(store: Store) -> None:
    at = NOW + timedelta(days=9)
    again = Assessment(JANE.address, at, Verdict.LEFT, Strength.STRONG, 0.99, "gone", last_contact=at)
    person = await store.person(JANE.address)
    assert person is not None
    decision = Decision(JANE.address, at, Action.SEND, Reason.FIRST, Verdict.LEFT, 0.99)
    assert await store.conclude(person.version, again, decision, Alert(JANE, again, 2, at))
    first, second = await store.cases()
    assert first.settled is not None
    assert first.settled.choice is Choice.ANSWERED
    assert second.settled is None


async def test_a_snooze_gives_way_to_any_other_word_but_not_to_itself(store: Store) -> None:
    week, fortnight = date(2026, 8, 10), date(2026, 8, 17)
    await store.answer(says(Choice.SNOOZE, until=week))
    again = await store.answer(says(Choice.SNOOZE, "UMAX", 1, until=week))
    assert again is not None
    assert again.settled == says(Choice.SNOOZE, until=week)
    longer = await store.answer(says(Choice.SNOOZE, "UMAX", 1, until=fortnight))
    assert longer is not None
    assert longer.settled == says(Choice.SNOOZE, "UMAX", 1, until=fortnight)
    final = await store.answer(says(Choice.LEFT))
    assert final is not None
    assert final.settled == says(Choice.LEFT)


@pytest.mark.parametrize(
    ("contact", "case"),
    [("jane@acme.example", "jane@acme.example:2"), ("omar@other.example", "omar@other.example:1")],
)
async def test_a_word_on_a_case_that_is_not_there_changes_nothing(
    store: Store, contact: str, case: str
) -> None:
    before = await store.person(JANE.address)
    assert await store.answer(Answer(contact, case, "URITA", NOW, Choice.LEFT)) is None
    assert await store.person(JANE.address) == before
    assert await store.person("omar@other.example") is None


async def test_an_answer_survives_a_restart(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path) as opened:
        await opened.watch(JANE)
        person = await opened.person(JANE.address)
        assert person is not None
        judged = Assessment(JANE.address, NOW, Verdict.LEFT, Strength.STRONG, 0.99, "no longer there")
        decision = Decision(JANE.address, NOW, Action.SEND, Reason.FIRST, Verdict.LEFT, 0.99)
        await opened.conclude(person.version, judged, decision, Alert(JANE, judged, 1, NOW))
        await opened.answer(says(Choice.LEFT))
    async with await TinyStore.open(tmp_path) as opened:
        person = await opened.person(JANE.address)
        assert person is not None
        assert person.cases[0].settled == says(Choice.LEFT)


async def test_what_a_word_says_of_the_person_is_kept_with_it_and_only_where_it_counts(store: Store) -> None:
    first, second = says(Choice.LEFT), says(Choice.STILL_THERE, "UMAX", 1)
    await store.answer(first, observe(first, "Rita Rep"))
    await store.answer(second, observe(second, "Max Manager"))
    person = await store.person(JANE.address)
    assert person is not None
    assert [seen.kind for seen in person.observations] == ["answer_left"]
    assert person.news


async def test_somebody_who_is_on_it_is_kept_without_settling_the_case(store: Store) -> None:
    on_it = says(Choice.ON_IT)
    case = await store.answer(on_it, observe(on_it, "Rita Rep"))
    person = await store.person(JANE.address)
    assert case is not None
    assert case.settled is None
    assert person is not None
    assert [seen.kind for seen in person.observations] == ["answer_on_it"]


async def test_the_watchlist_shows_what_is_thought_of_everybody_and_their_open_case(store: Store) -> None:
    (jane,) = await store.watchlist()
    assert (jane.contact, jane.verdict, jane.headline) == (JANE, Verdict.LEFT, "no longer there")
    assert jane.case == CASE
    assert jane.opened_at == NOW
    assert jane.is_open
    await store.answer(says(Choice.LEFT))
    (jane,) = await store.watchlist()
    assert not jane.is_open


async def test_somebody_nobody_watches_any_more_is_in_no_list_and_can_be_watched_again(store: Store) -> None:
    await store.unwatch(JANE.address)
    assert await store.watchlist() == []
    assert [case.key for case in await store.cases()] == [CASE]
    person = await store.person(JANE.address)
    assert person is not None
    assert person.former == JANE
    await store.watch(person.former)
    assert [watched.contact for watched in await store.watchlist()] == [JANE]


async def test_the_lists_are_there_again_after_opening(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path / "data") as store:
        await store.watch(JANE)
        judged = Assessment(JANE.address, NOW, Verdict.LEFT, Strength.STRONG, 0.99, "no longer there")
        decision = Decision(JANE.address, NOW, Action.SEND, Reason.FIRST, Verdict.LEFT, 0.99)
        assert await store.conclude(1, judged, decision, Alert(JANE, judged, 1, NOW))
        await store.save_setting("U1", {"digest": "off"})
        assert await store.claim_event("Ev1", NOW)
        before = await store.watchlist(), await store.cases()
    async with await TinyStore.open(tmp_path / "data") as store:
        assert (await store.watchlist(), await store.cases()) == before
        assert await store.setting("U1") == {"digest": "off"}
        assert not await store.claim_event("Ev1", NOW)


async def test_an_event_is_claimed_once_and_forgotten_after_days(store: Store) -> None:
    assert await store.claim_event("Ev1", NOW)
    assert not await store.claim_event("Ev1", NOW + timedelta(hours=20))
    assert await store.claim_event("Ev2", NOW)
    for days in range(1, 4):
        await store.claim_event(f"Ev-{days}", NOW + timedelta(days=days))
    claimed = await asyncio.gather(*(store.claim_event("Ev9", NOW) for _ in range(9)))
    assert sorted(claimed) == [False] * 8 + [True]


async def test_a_setting_is_kept_apart_from_the_cursors(store: Store) -> None:
    assert await store.setting("mailbox:a") is None
    await store.save_cursor("mailbox:a", 7)
    await store.save_setting("mailbox:a", ["x"])
    assert await store.setting("mailbox:a") == ["x"]
    assert await store.cursor("mailbox:a") == 7
