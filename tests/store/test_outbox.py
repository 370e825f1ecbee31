"""What every store promises of alerts on their way out."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.model import (
    Action,
    Case,
    Contact,
    Decision,
    Delivery,
    Home,
    Reason,
    Verdict,
)
from bot.store import Store
from tests.store.contents import (
    DAY,
    HOME,
    HOUR,
    JANE,
    LEASE,
    NOW,
    OMAR,
    alarm,
    decided,
    judged,
    known,
    take,
    warn,
)


@pytest.fixture
def store(empty_store: Store) -> Store:
    return empty_store


async def test_an_alert_is_leased_to_one_poster_until_the_lease_runs_out(store: Store) -> None:
    await warn(store, alarm())
    case, delivery = await take(store)
    assert case.key == alarm().case
    assert case.deliveries == (delivery,)
    assert delivery == Delivery(alarm(), attempts=1, leased_until=NOW + LEASE)
    assert await store.take_alert(NOW + LEASE - timedelta(seconds=1), LEASE) is None
    _, again = await take(store, NOW + LEASE)
    assert again.attempts == 2


async def test_a_posted_alert_is_done_and_its_place_is_known(store: Store) -> None:
    await warn(store, alarm())
    case, delivery = await take(store)
    assert await store.alert_sent(case.key, delivery, HOME, NOW + LEASE)
    (kept,) = (await known(store)).cases
    assert kept.home == HOME
    assert kept.deliveries == (Delivery(alarm(), attempts=1, sent_at=NOW + LEASE),)
    assert await store.take_alert(NOW + DAY, LEASE) is None
    assert not await store.alert_sent(case.key, delivery, HOME, NOW + LEASE)
    assert not await store.alert_failed(case.key, delivery, NOW)


async def test_every_place_of_a_case_is_kept_once_and_of_no_case_none(store: Store) -> None:
    await warn(store, alarm())
    for post in (HOME, Home("D1", "2.1"), HOME):
        assert await store.posted(alarm().case, post)
    assert (await known(store)).cases[0].posts == (HOME, Home("D1", "2.1"))
    assert not await store.posted("jane@acme.example:9", HOME)
    assert not await store.posted("nobody@acme.example:1", HOME)


async def test_an_alert_posted_after_its_lease_is_done_if_nobody_else_took_it(store: Store) -> None:
    await warn(store, alarm())
    case, delivery = await take(store)
    assert await store.alert_sent(case.key, delivery, HOME, NOW + DAY)
    assert await store.take_alert(NOW + DAY, LEASE) is None


async def test_whoever_lost_the_lease_cannot_say_sent_or_failed(store: Store) -> None:
    await warn(store, alarm())
    case, late = await take(store)
    _, current = await take(store, NOW + LEASE)
    before = await known(store)
    assert not await store.alert_sent(case.key, late, HOME, NOW + LEASE)
    assert not await store.alert_failed(case.key, late, NOW + LEASE)
    assert await known(store) == before
    assert await store.alert_sent(case.key, current, HOME, NOW + LEASE)


async def test_a_lease_taken_twice_at_one_moment_belongs_to_the_second(store: Store) -> None:
    await warn(store, alarm())
    case, first = await take(store)
    await store.alert_failed(case.key, first, NOW)
    _, second = await take(store)
    assert second.leased_until == first.leased_until
    assert not await store.alert_sent(case.key, first, HOME, NOW)
    assert await store.alert_sent(case.key, second, HOME, NOW)


async def test_an_alert_never_leased_cannot_be_said_sent(store: Store) -> None:
    await warn(store, alarm())
    assert not await store.alert_sent(alarm().case, Delivery(alarm()), HOME, NOW)
    assert not await store.alert_sent("jane@acme.example:9", Delivery(alarm()), HOME, NOW)
    assert not await store.alert_failed("omar@other.example:1", Delivery(alarm(OMAR)), NOW)


async def test_a_lease_handed_back_is_free_again_at_the_named_time(store: Store) -> None:
    await warn(store, alarm())
    case, delivery = await take(store)
    retry_at = NOW + timedelta(minutes=1)
    assert await store.alert_failed(case.key, delivery, retry_at)
    assert not await store.alert_sent(case.key, delivery, HOME, NOW)
    assert await store.take_alert(retry_at - timedelta(seconds=1), LEASE) is None
    _, again = await take(store, retry_at)
    assert again.attempts == 2


async def test_alerts_of_one_case_go_out_one_after_another(store: Store) -> None:
    await warn(store, alarm(verdict=Verdict.SLIPPING))
    await warn(store, alarm(days=1))
    case, first = await take(store)
    assert first.alert.assessment.verdict is Verdict.SLIPPING
    assert await store.take_alert(NOW, LEASE) is None
    assert await store.alert_failed(case.key, first, NOW + LEASE)
    assert await store.take_alert(NOW, LEASE) is None
    case, first = await take(store, NOW + LEASE)
    assert await store.alert_sent(case.key, first, HOME, NOW + LEASE)
    case, second = await take(store, NOW + LEASE)
    assert second.alert.assessment.verdict is Verdict.LEFT
    assert case.home == HOME


async def test_the_oldest_alert_of_all_goes_out_first(store: Store) -> None:
    await warn(store, alarm(days=2))
    await warn(store, alarm(OMAR, days=1))
    await warn(store, alarm(episode=2))
    taken = [(await take(store))[1].alert for _ in range(3)]
    assert taken == [alarm(episode=2), alarm(OMAR, days=1), alarm(days=2)]


async def test_a_departure_goes_out_before_an_older_drift(store: Store) -> None:
    await warn(store, alarm(verdict=Verdict.SLIPPING))
    await warn(store, alarm(OMAR, days=1))
    await warn(store, alarm(Contact("ann@acme.example"), verdict=Verdict.LIKELY_LEFT))
    assert await store.due(NOW) == ["omar@other.example:1", "ann@acme.example:1", "jane@acme.example:1"]
    assert (await take(store))[1].alert == alarm(OMAR, days=1)


async def test_the_alert_of_a_named_case_can_be_taken_alone(store: Store) -> None:
    await warn(store, alarm())
    await warn(store, alarm(OMAR))
    taken = await store.take_alert(NOW, LEASE, "omar@other.example:1")
    assert taken is not None
    assert taken[1].alert == alarm(OMAR)
    assert await store.take_alert(NOW, LEASE, "omar@other.example:1") is None
    assert await store.take_alert(NOW, LEASE, "omar@other.example:2") is None
    assert await store.due(NOW) == [alarm().case]


HELD = Decision(JANE.address, NOW, Action.HOLD, Reason.QUIET_HOURS, Verdict.SLIPPING, 0.5)


async def test_a_held_alert_waits_for_its_time_with_its_reason_and_was_not_tried(store: Store) -> None:
    await warn(store, alarm(verdict=Verdict.SLIPPING))
    case, delivery = await take(store)
    assert await store.alert_failed(case.key, delivery, NOW + DAY, HELD)
    person = await known(store)
    assert person.decisions[-1] == HELD
    assert person.cases[0].deliveries == (
        Delivery(alarm(verdict=Verdict.SLIPPING), leased_until=NOW + DAY, held=Reason.QUIET_HOURS),
    )
    assert await store.due(NOW) == []
    _, again = await take(store, NOW + DAY)
    assert (again.attempts, again.held) == (1, None)


async def test_a_decision_is_not_kept_where_the_lease_is_no_longer_held(store: Store) -> None:
    await warn(store, alarm())
    case, late = await take(store)
    await take(store, NOW + LEASE)
    assert not await store.alert_failed(case.key, late, NOW + DAY, HELD)
    assert HELD not in (await known(store)).decisions


async def test_a_held_alert_gives_way_to_a_newer_one_and_is_told_with_it(store: Store) -> None:
    await warn(store, alarm(verdict=Verdict.SLIPPING))
    case, delivery = await take(store)
    await store.alert_failed(case.key, delivery, NOW + DAY, HELD)
    await warn(store, alarm(days=0))
    case, newer = await take(store)
    assert newer.alert == alarm()
    assert await store.due(NOW + 2 * LEASE) == [case.key]
    assert await store.due(NOW) == []
    assert await store.alert_sent(case.key, newer, HOME, NOW)
    assert await store.due(NOW + 2 * DAY) == []
    assert [one.sent_at for one in (await known(store)).cases[0].deliveries] == [NOW, NOW]


async def test_an_alert_that_needs_no_showing_leaves_the_message_where_it_is(store: Store) -> None:
    await warn(store, alarm())
    case, delivery = await take(store)
    assert await store.alert_sent(case.key, delivery, None, NOW)
    (kept,) = (await known(store)).cases
    assert (kept.home, kept.deliveries[0].sent_at) == (None, NOW)


async def test_an_alert_held_behind_another_that_is_held_goes_first_too(store: Store) -> None:
    await warn(store, alarm(verdict=Verdict.SLIPPING))
    await store.alert_failed(*_held(await take(store)), HELD)
    await warn(store, alarm())
    await store.alert_failed(*_held(await take(store)), replace(HELD, verdict=Verdict.LEFT))
    assert (await take(store, NOW + DAY))[1].alert == alarm()


def _held(taken: tuple[Case, Delivery]) -> tuple[str, Delivery, datetime]:
    return taken[0].key, taken[1], NOW + DAY


@pytest.mark.parametrize("decision", [None, HELD])
async def test_an_alert_held_by_a_clock_that_was_ahead_is_free_when_the_clock_is_right(
    store: Store, decision: Decision | None
) -> None:
    await warn(store, alarm())
    ahead = NOW + 30 * DAY
    case, delivery = await take(store, ahead)
    assert await store.due(ahead) == []
    assert await store.due(NOW) == [case.key]
    assert await store.alert_failed(case.key, delivery, ahead + HOUR, decision)
    assert await store.due(ahead) == []
    assert await store.due(NOW) == [case.key]
    assert (await take(store, NOW))[1].alert == alarm()


async def test_a_hold_may_be_for_days_and_a_lease_may_not(store: Store) -> None:
    await warn(store, alarm())
    await store.alert_failed(*_held(await take(store)), HELD)
    assert await store.due(NOW) == []
    case, delivery = await take(store, NOW + DAY)
    assert await store.due(NOW + DAY) == []
    assert await store.due(NOW) == [case.key]
    assert await store.alert_sent(case.key, delivery, HOME, NOW)


async def test_tasks_that_race_for_alerts_get_different_ones(store: Store) -> None:
    for number in range(4):
        await warn(store, alarm(Contact(f"c{number}@acme.example")))
    taken = await asyncio.gather(*(store.take_alert(NOW, LEASE) for _ in range(6)))
    keys = [got[1].alert.key for got in taken if got]
    assert len(keys) == len(set(keys)) == 4


async def test_an_alert_survives_that_its_contact_is_no_longer_watched(store: Store) -> None:
    await warn(store, alarm())
    await store.unwatch(JANE.address)
    assert (await take(store))[1].alert == alarm()


async def test_posting_makes_an_older_conclusion_look_again(store: Store) -> None:
    await warn(store, alarm())
    version = (await known(store)).version
    await take(store)
    assert not await store.conclude(version, judged(), decided())
