from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.clock import FrozenClock
from bot.schedule import JITTER, TICKS, Schedule, slot
from bot.store import StoreDown
from bot.store.memory import MemoryStore

NOON = datetime(2026, 8, 14, 12, 0, tzinfo=UTC)
TINY = timedelta(seconds=0.1)
"""An interval whose ticks follow each other so closely that a test sees many of them."""

GIVE_UP = 60.0
"""Seconds after which a test fails; all pass in a fraction of one, also on a busy machine."""


@asynccontextmanager
async def running(*schedules: Schedule) -> AsyncIterator[None]:
    for schedule in schedules:
        schedule.start()
    try:
        yield
    finally:
        for schedule in schedules:
            schedule.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(GIVE_UP):
        while not condition():  # noqa: ASYNC110 - APScheduler has no event to wait for
            await asyncio.sleep(0.01)


class Log:
    """Work that notes when it ran by the schedule's clock."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.ran: list[datetime] = []

    async def __call__(self) -> None:
        self.ran.append(self.clock())


class CountingStore(MemoryStore):
    """A store that counts how often slots are asked for, won or lost."""

    def __init__(self) -> None:
        super().__init__()
        self.claims = 0

    async def claim_slot(self, watcher: str, slot: datetime) -> bool:
        self.claims += 1
        return await super().claim_slot(watcher, slot)


@pytest.mark.parametrize(
    ("now", "every", "planned"),
    [
        (NOON, timedelta(minutes=5), NOON),
        (NOON + timedelta(minutes=4, seconds=59), timedelta(minutes=5), NOON),
        (NOON + timedelta(minutes=5), timedelta(minutes=5), NOON + timedelta(minutes=5)),
        (NOON, timedelta(days=1), NOON.replace(hour=0)),
        (NOON, timedelta(seconds=0.1), NOON),
    ],
)
def test_a_moment_belongs_to_the_slot_it_lies_in(now: datetime, every: timedelta, planned: datetime) -> None:
    assert slot(now, every) == planned


async def test_the_first_slot_is_done_at_once_and_only_once() -> None:
    clock = FrozenClock(NOON)
    work, outbox = Log(clock), Log(clock)
    schedule = Schedule(MemoryStore(), clock)
    schedule.every(TINY, "mailbox", work)
    schedule.often(TINY / TICKS, "outbox", outbox)
    async with running(schedule):
        await until(lambda: len(outbox.ran) > 5)
    assert work.ran == [NOON]


async def test_each_later_slot_is_done_once_too() -> None:
    clock = FrozenClock(NOON)
    work = Log(clock)
    schedule = Schedule(MemoryStore(), clock)
    schedule.every(TINY, "mailbox", work)
    async with running(schedule):
        for n in range(4):
            await until(lambda n=n: len(work.ran) > n)  # type: ignore[misc]
            clock.advance(TINY)
    assert work.ran[:4] == [NOON + n * TINY for n in range(4)]
    assert len(work.ran) == len(set(work.ran))


async def test_two_processes_on_one_store_share_the_slots() -> None:
    store, clock = CountingStore(), FrozenClock(NOON)
    work = Log(clock)
    one, other = Schedule(store, clock), Schedule(store, clock)
    for schedule in (one, other):
        schedule.every(TINY, "mailbox", work)
    async with running(one, other):
        await until(lambda: store.claims > 2)
        clock.advance(TINY)
        await until(lambda: store.claims > 6)
    assert work.ran == [NOON, NOON + TINY]


async def test_two_watchers_do_not_share_their_slots() -> None:
    clock = FrozenClock(NOON)
    work, other = Log(clock), Log(clock)
    schedule = Schedule(MemoryStore(), clock)
    schedule.every(TINY, "mailbox", work)
    schedule.every(TINY, "calendars", other)
    async with running(schedule):
        await until(lambda: bool(work.ran and other.ran))


async def test_a_process_that_starts_within_a_slot_that_was_done_waits_for_the_next() -> None:
    store, clock = CountingStore(), FrozenClock(NOON)
    await store.claim_slot("mailbox", NOON)
    work = Log(clock)
    schedule = Schedule(store, clock)
    schedule.every(timedelta(seconds=0.2), "mailbox", work)
    clock.advance(timedelta(seconds=0.1))
    async with running(schedule):
        await until(lambda: store.claims > 2)
        assert work.ran == []
        clock.advance(timedelta(seconds=0.1))
        await until(lambda: bool(work.ran))


async def test_a_run_that_a_killed_process_left_is_done_again_once_by_whoever_starts_next() -> None:
    store, clock = MemoryStore(), FrozenClock(NOON)
    begun = asyncio.Event()

    async def hang() -> None:
        begun.set()
        await asyncio.Event().wait()

    killed = Schedule(store, clock)
    killed.every(timedelta(seconds=1), "retention", hang)
    async with running(killed):
        async with asyncio.timeout(GIVE_UP):
            await begun.wait()
    clock.advance(timedelta(seconds=0.5))
    work, after = Log(clock), Log(clock)
    for _ in range(2):
        schedule = Schedule(store, clock)
        schedule.every(timedelta(seconds=1), "retention", work)
        schedule.often(TINY / TICKS, "after", after)
        seen = len(after.ran)
        async with running(schedule):
            await until(lambda seen=seen: bool(work.ran) and len(after.ran) > seen + 2 * TICKS)  # type: ignore[misc]
        clock.advance(timedelta(seconds=0.1))
    assert work.ran == [NOON + timedelta(seconds=0.5)]


async def test_what_passed_while_no_process_lived_is_caught_up_once() -> None:
    store, clock = MemoryStore(), FrozenClock(NOON)
    work, after = Log(clock), Log(clock)
    for number in range(2):
        schedule = Schedule(store, clock)
        schedule.every(TINY, "mailbox", work)
        schedule.often(TINY / TICKS, "after", after)
        async with running(schedule):
            await until(lambda number=number: len(work.ran) > number)  # type: ignore[misc]
            seen = len(after.ran)
            await until(lambda seen=seen: len(after.ran) > seen + 2 * TICKS)  # type: ignore[misc]
        clock.advance(7 * TINY)
    assert work.ran == [NOON, NOON + 7 * TINY]


async def test_a_run_during_which_the_store_went_away_is_done_again_in_its_slot() -> None:
    clock = FrozenClock(NOON)
    tries: list[datetime] = []

    async def work() -> None:
        tries.append(clock())
        if len(tries) < 3:
            raise StoreDown("away")

    after = Log(clock)
    schedule = Schedule(MemoryStore(), clock)
    schedule.every(TINY, "mailbox", work)
    schedule.often(TINY / TICKS, "after", after)
    async with running(schedule):
        await until(lambda: len(tries) == 3)
        seen = len(after.ran)
        await until(lambda: len(after.ran) > seen + 2 * TICKS)
    assert tries == [NOON] * 3


@pytest.mark.parametrize("every", [timedelta(seconds=30), timedelta(minutes=5), timedelta(days=7)])
async def test_ticks_are_spread_but_every_slot_gets_several(every: timedelta) -> None:
    schedule = Schedule(MemoryStore(), FrozenClock(NOON))
    schedule.every(every, "mailbox", Log(FrozenClock(NOON)))
    [job] = schedule._scheduler.get_jobs()
    random.seed(2)
    ticks = [NOON]
    while ticks[-1] < NOON + 200 * every:
        ticks.append(job.trigger.get_next_fire_time(ticks[-1], ticks[-1]))
    gaps = {later - earlier for earlier, later in itertools.pairwise(ticks)}
    assert len(gaps) > 100
    assert max(gaps) <= every / TICKS * (1 + JITTER) + timedelta(milliseconds=1)
    a_slot = Counter(slot(tick, every) for tick in ticks)
    assert min(a_slot[slot(NOON, every) + n * every] for n in range(1, 200)) >= 3


async def test_the_time_zone_of_the_machine_plays_no_part() -> None:
    schedule = Schedule(MemoryStore(), FrozenClock(NOON))
    schedule.every(TINY, "mailbox", Log(FrozenClock(NOON)))
    [job] = schedule._scheduler.get_jobs()
    assert job.trigger.timezone.utcoffset(None) == timedelta()


async def fail() -> None:
    raise ValueError("a bug")


def failures(logs: Sequence[MutableMapping[str, Any]]) -> list[MutableMapping[str, Any]]:
    return [line for line in logs if line["event"] == "job.failed"]


async def test_a_job_that_fails_is_logged_with_its_traceback_and_goes_on() -> None:
    clock = FrozenClock(NOON)
    runs = 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        await fail()

    schedule = Schedule(MemoryStore(), clock)
    schedule.every(TINY, "mailbox", work)
    other = Log(clock)
    schedule.often(TINY / TICKS, "outbox", other)
    with capture_logs() as logs:
        async with running(schedule):
            await until(lambda: runs == 1)
            clock.advance(TINY)
            await until(lambda: runs == 2 and len(other.ran) > 1 and len(failures(logs)) > 1)
    failed = failures(logs)
    assert [line["job"] for line in failed] == ["mailbox", "mailbox"]
    assert isinstance(failed[0]["exc_info"], ValueError)


@pytest.mark.parametrize("kind", ["every", "often"])
async def test_work_that_takes_longer_than_its_interval_is_never_done_twice_at_once(kind: str) -> None:
    clock = FrozenClock(NOON)
    now = most = runs = 0

    async def slow() -> None:
        nonlocal now, most, runs
        now, runs = now + 1, runs + 1
        most = max(most, now)
        clock.advance(TINY)
        await asyncio.sleep(0.1)
        now -= 1

    schedule = Schedule(MemoryStore(), clock)
    start: Callable[[timedelta, str, Callable[[], Awaitable[None]]], None] = getattr(schedule, kind)
    start(TINY / TICKS, "slow", slow)
    async with running(schedule):
        await until(lambda: runs > 2)
    assert most == 1


@pytest.mark.parametrize("kind", ["every", "often"])
async def test_draining_waits_for_the_work_under_way_and_starts_nothing_more(kind: str) -> None:
    begun, go_on, done = asyncio.Event(), asyncio.Event(), 0

    async def work() -> None:
        nonlocal done
        begun.set()
        await go_on.wait()
        done += 1

    clock = FrozenClock(NOON)
    late = Log(clock)
    schedule = Schedule(MemoryStore(), clock)
    start: Callable[[timedelta, str, Callable[[], Awaitable[None]]], None] = getattr(schedule, kind)
    start(TINY / TICKS, "slow", work)
    schedule.start()
    async with asyncio.timeout(GIVE_UP):
        await begun.wait()
        draining = asyncio.create_task(schedule.drain())
        await asyncio.sleep(0)
        schedule.often(TINY / TICKS, "late", late)
        await asyncio.sleep(0.1)
        assert not draining.done()
        go_on.set()
        await draining
    assert (done, late.ran) == (1, [])


async def test_draining_what_never_started_or_is_idle_returns_at_once() -> None:
    schedule = Schedule(MemoryStore(), FrozenClock(NOON))
    await schedule.drain()
    schedule.start()
    await schedule.drain()
    await schedule.drain()


async def test_stopping_gives_up_what_is_under_way_without_calling_that_a_failure() -> None:
    begun, given_up = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.sleep(GIVE_UP)
        finally:
            given_up.set()

    schedule = Schedule(MemoryStore(), FrozenClock(NOON))
    schedule.often(TINY, "slow", work)
    schedule.start()
    with capture_logs() as logs:
        async with asyncio.timeout(GIVE_UP):
            await begun.wait()
            schedule.stop()
            await given_up.wait()
            await asyncio.sleep(0.05)
    assert logs == []


async def test_a_stopped_schedule_starts_nothing_any_more_and_stopping_twice_is_fine() -> None:
    clock = FrozenClock(NOON)
    work = Log(clock)
    schedule = Schedule(MemoryStore(), clock)
    schedule.often(TINY / TICKS, "outbox", work)
    schedule.start()
    await until(lambda: bool(work.ran))
    schedule.stop()
    await asyncio.sleep(0)
    done = len(work.ran)
    await asyncio.sleep(0.2)
    assert len(work.ran) == done
    schedule.stop()


@pytest.mark.parametrize("step", [-timedelta(days=1), timedelta(days=1)])
async def test_work_goes_on_at_once_when_the_clock_is_stepped(step: timedelta) -> None:
    clock, done = FrozenClock(NOON), Counter[str]()
    store = MemoryStore()
    schedule = Schedule(store, clock)

    async def planned(due: datetime) -> bool:
        claimed = await store.claim_slot("planned", due)
        done["planned"] += claimed
        return claimed

    async def every() -> None:
        done["every"] += 1

    schedule.planned(TINY, "planned", planned)
    schedule.every(TINY, "every", every)
    with capture_logs() as logs:
        async with running(schedule):
            for number in range(1, 4):
                await until(lambda number=number: done["planned"] == done["every"] == number)  # type: ignore[misc]
                clock.advance(TINY)
            for by in (step, -step):
                before = done["every"]
                clock.advance(by)
                await until(lambda before=before: min(done.values()) == before + 1)  # type: ignore[misc]
    assert done["planned"] == done["every"]
    assert [line["event"] for line in logs] == ["clock.set_back"] * 2
