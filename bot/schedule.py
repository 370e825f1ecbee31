"""WHEN: APScheduler starts each watcher when it is due; the store lets each planned run happen once.

What passed while no process lived is caught up once, by the slot in which one lives again: whoever looks goes
on where the last look ended. A run that somebody claimed and died over is done again by whoever starts next.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot.model import Json
from bot.store import Store, StoreDown

log = structlog.get_logger()

Clock = Callable[[], datetime]
Plan = Callable[[datetime], Awaitable[bool]]
Work = Callable[[], Awaitable[object]]

TICKS = 5
"""How often a slot is tried for: a tick that comes late, or is refused, leaves the slot to the next."""

JITTER = 0.5
"""Ticks are spread by this part of their interval, so that sources are not all asked at one instant."""

GRACE = timedelta(minutes=5)
"""A run that is late by less than this is still done; a later one is left to the next."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def slot(now: datetime, every: timedelta) -> datetime:
    """Return the planned run that `now` belongs to: the same for every process.

    >>> slot(datetime(2026, 8, 14, 9, 33, tzinfo=UTC), timedelta(minutes=5)).minute
    30
    """
    return EPOCH + every * ((now - EPOCH) // every)


class Slots:
    """The slots of some work, one after another, whatever the clock does.

    A clock that is set back comes to slots again that were claimed already. They count as others then, a
    microsecond later for each time, or nothing would be done until the clock is where it was.
    """

    def __init__(self, interval: timedelta, clock: Clock) -> None:
        self._interval = interval
        self._clock = clock
        self._latest = EPOCH
        self._set_back = 0
        self.claimed = EPOCH

    def due(self) -> datetime | None:
        """Return the slot that it is time for; None where it was claimed."""
        now = slot(self._clock(), self._interval)
        if now < self._latest:
            self._set_back += 1
            log.warning("clock.set_back", seconds=round((self._latest - now).total_seconds()))
        self._latest = now
        due = now + timedelta(microseconds=self._set_back)
        return None if due == self.claimed else due


class Runs:
    """Which run of some work was begun and ended; that it was claimed says neither.

    `born` is when this process began: a run that was begun before that and not ended was left by a process
    that died, or is under way in another one. It is done again then, for work is done at least once.
    """

    def __init__(self, store: Store, name: str, born: datetime) -> None:
        self._store = store
        self._setting = f"run {name}"
        self._born = born
        self._by = secrets.token_hex(8)
        self._again: datetime | None = None

    async def begin(self, slot: datetime, now: datetime) -> bool:
        """Note that a run is about to be claimed; say whether it was left, and is ours to do again."""
        if slot == self._again:
            return True

        def amendment(kept: Json) -> Json:
            found = kept if isinstance(kept, dict) and kept.get("slot") == slot.isoformat() else None
            if found is None:
                return {"slot": slot.isoformat(), "began": now.isoformat(), "by": "", "done": False}
            left = not found["done"] and datetime.fromisoformat(str(found["began"])) < self._born
            return {**found, "began": now.isoformat(), "by": self._by} if left else kept

        kept = await self._store.amend_setting(self._setting, amendment)
        return isinstance(kept, dict) and kept["by"] == self._by and not kept["done"]

    def fail(self, slot: datetime) -> None:
        """Do the run again with the next tick."""
        self._again = slot

    async def end(self, slot: datetime) -> None:
        """Note that the run was ended."""
        self._again = None

        def amendment(kept: Json) -> Json:
            same = isinstance(kept, dict) and kept.get("slot") == slot.isoformat()
            return {**kept, "done": True} if same and isinstance(kept, dict) else kept

        await self._store.amend_setting(self._setting, amendment)


class Schedule:
    """Start work when it is due. The memory job store keeps no state: slots in the store decide."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={
                "coalesce": True,
                "max_instances": 1,
                "misfire_grace_time": int(GRACE.total_seconds()),
            },
        )
        self._scheduler.add_listener(_tell, EVENT_JOB_ERROR | EVENT_JOB_MISSED)
        self._under_way: set[asyncio.Future[object]] = set()

    def planned(self, interval: timedelta, name: str, plan: Plan) -> None:
        """Plan some work once in each slot of this length; `plan` claims the slot itself."""
        slots = Slots(interval, self._clock)

        async def tick() -> None:
            due = slots.due()
            if due is not None and await plan(due):
                slots.claimed = due

        self._add(interval / TICKS, name, partial(self._do, tick), jitter=True)

    def every(self, interval: timedelta, name: str, work: Work) -> None:
        """Do some work once in each slot of this length, by one process; the first slot is now."""
        slots, runs = Slots(interval, self._clock), Runs(self._store, name, self._clock())

        async def tick() -> None:
            due = slots.due()
            if due is None:
                return
            if await runs.begin(due, self._clock()) or await self._store.claim_slot(name, due):
                slots.claimed = due
                try:
                    await self._do(work)
                except StoreDown:
                    slots.claimed = EPOCH
                    runs.fail(due)
                    raise
                await runs.end(due)

        self._add(interval / TICKS, name, tick, jitter=True)

    def often(self, interval: timedelta, name: str, work: Work) -> None:
        """Do some work that may as well be done by every process, such as emptying the outbox."""

        async def tick() -> None:
            await self._do(work)

        self._add(interval, name, tick, jitter=False)

    def _add(self, interval: timedelta, name: str, work: Work, *, jitter: bool) -> None:
        seconds = interval.total_seconds()
        trigger = IntervalTrigger(seconds=seconds, jitter=seconds * JITTER if jitter else None, timezone=UTC)
        self._scheduler.add_job(work, trigger, id=name, next_run_time=datetime.now(UTC))

    def start(self) -> None:
        """Begin."""
        self._scheduler.start()

    def stop(self) -> None:
        """Start nothing any more, and give up what is under way."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    async def drain(self) -> None:
        """Start nothing any more, and wait for what is under way."""
        if self._scheduler.running:
            self._scheduler.pause()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        self.stop()

    async def _do(self, work: Work) -> None:
        doing = asyncio.ensure_future(work())
        self._under_way.add(doing)
        try:
            await doing
        finally:
            self._under_way.discard(doing)


def _tell(event: JobExecutionEvent) -> None:
    if isinstance(event.exception, asyncio.CancelledError | StoreDown):
        return  # that the store is away is said once, by the store
    if event.exception is not None:
        log.error("job.failed", job=event.job_id, exc_info=event.exception)
    else:
        log.warning("job.missed", job=event.job_id, planned=event.scheduled_run_time.isoformat())
