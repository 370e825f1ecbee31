"""An alert that waits is decided anew when it is about to be told, through the outbox and the store."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.clock import FrozenClock
from bot.model import Action, Case, Decision, Delivery, Home, Reason, Verdict
from bot.routing import Hold
from bot.slack.outbox import drain
from bot.store import Store
from bot.store.memory import MemoryStore
from tests.slack.story import ADDRESS, LEFT, NOW, SLIPPING, raise_alert

EVENING, MORNING = NOW, NOW + timedelta(hours=14)


class Office:
    """Takes alerts from the next morning on, and remembers what it was told."""

    removed = False

    def __init__(self) -> None:
        self.told: list[Verdict] = []

    async def lane(self, case: Case) -> str:
        return case.contact

    async def ready(self, lane: str) -> None:
        del lane

    async def deliver(self, case: Case, delivery: Delivery, now: datetime) -> Home | Hold | None:
        if now < MORNING:
            return Hold(MORNING, Reason.QUIET_HOURS)
        self.told.append(delivery.alert.assessment.verdict)
        return case.home or Home("C1", "1.0")

    async def settle(self) -> None:
        """Keep nothing."""


async def think(store: Store, verdict: Verdict, at: datetime) -> None:
    person = await store.person(ADDRESS)
    assert person is not None
    judged = replace(SLIPPING, at=at, verdict=verdict)
    decision = Decision(ADDRESS, at, Action.HOLD, Reason.BELOW_THRESHOLD, verdict, 0.1)
    assert await store.conclude(person.version, judged, decision)


async def test_what_fell_back_overnight_is_not_told_in_the_morning_and_the_reason_is_kept() -> None:
    store, office, clock = MemoryStore(), Office(), FrozenClock(EVENING)
    await raise_alert(store, replace(SLIPPING, at=EVENING))
    assert await drain(store, office, clock) == 0
    await think(store, Verdict.ACTIVE, EVENING + timedelta(hours=3))
    clock.now = MORNING
    assert await drain(store, office, clock) == 0
    person = await store.person(ADDRESS)
    assert office.told == []
    assert person is not None
    assert (person.decisions[-1].reason, person.decisions[-1].verdict) == (
        Reason.BELOW_THRESHOLD,
        Verdict.ACTIVE,
    )
    assert person.cases[0].deliveries[0].held is Reason.BELOW_THRESHOLD


async def test_what_alarms_again_later_is_told_after_all_and_once() -> None:
    store, office, clock = MemoryStore(), Office(), FrozenClock(EVENING)
    await raise_alert(store, replace(SLIPPING, at=EVENING))
    await think(store, Verdict.ACTIVE, EVENING + timedelta(hours=3))
    clock.now = MORNING
    await drain(store, office, clock)
    await think(store, Verdict.SLIPPING, MORNING + timedelta(minutes=30))
    clock.now = MORNING + timedelta(hours=2)
    assert await drain(store, office, clock) == 1
    assert await drain(store, office, clock) == 0
    assert office.told == [Verdict.SLIPPING]


async def test_what_still_holds_in_the_morning_is_told() -> None:
    store, office, clock = MemoryStore(), Office(), FrozenClock(EVENING)
    await raise_alert(store, replace(LEFT, at=EVENING))
    await drain(store, office, clock)
    clock.now = MORNING
    assert await drain(store, office, clock) == 1
    assert office.told == [Verdict.LEFT]
