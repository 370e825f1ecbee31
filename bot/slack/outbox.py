"""Bring alerts out: unsent, leased, sent. Killed at any instant, none is lost.

Alerts to one place go out one after another, the gravest and then the oldest first; different places are
served at once. An alert is leased just before it is posted and noted as sent afterwards. Whoever takes over a
lease cannot know whether the one before posted: it looks for the alert's key in the channel where it may, and
posts again where it may not. A rare visible double is better than a lost alert.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.alerts import LOOK_AGAIN, withheld
from bot.model import Action, Case, Decision, Delivery, Home, NeedsHuman, SourceDown
from bot.routing import Hold
from bot.store import Store, StoreDown

log = structlog.get_logger()

LEASE = timedelta(seconds=90)
"""Longer than any delivery takes: pace, the client's time-outs and the look for an earlier post."""

FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(minutes=15)
AFTER_HUMAN = timedelta(minutes=10)
AFTER_BUG = timedelta(hours=1)
"""Far enough ahead that what we do wrong for one alert cannot hold up the others. Nothing is tried later."""

SOON = timedelta(seconds=1)
"""The shortest wait before another try."""

AT_ONCE = 16
"""How many places are served at the same moment."""

UNKNOWN = ""
"""The lane of what has no place yet, because Slack cannot say who is who."""


class Poster(Protocol):
    """Shows an alert where people look; `removed` says that there is nowhere to show it any more."""

    removed: bool

    async def lane(self, case: Case) -> str:
        """Return what names the place of the case's next alert; alerts to one place take turns.

        Raise SourceDown and NeedsHuman.
        """

    async def ready(self, lane: str) -> None:
        """Wait until the place takes another message."""

    async def deliver(self, case: Case, delivery: Delivery, now: datetime) -> Home | Hold | None:
        """Show the leased alert and return where the case's message stands; None where there is none to show.

        Return until when the alert is held where this is not the time for it. Raise SourceDown where trying
        later may help and NeedsHuman where a person must act first.
        """

    async def settle(self) -> None:
        """Keep what has to be remembered of what was delivered."""


class Outbox:
    """Brings out what is due. `jitter` returns a number from 0 to 1."""

    def __init__(
        self,
        store: Store,
        poster: Poster,
        now: Callable[[], datetime],
        jitter: Callable[[], float] = random.random,
        at_once: int = AT_ONCE,
    ) -> None:
        self._store = store
        self._poster = poster
        self._now = now
        self._jitter = jitter
        self._slots = asyncio.Semaphore(at_once)
        self._planning = asyncio.Lock()
        self._lanes: dict[str, list[str]] = {}
        self._queued: set[str] = set()
        self._busy: set[asyncio.Task[None]] = set()
        self._blocked: dict[str, datetime] = {}
        self._complaints: dict[str, datetime] = {}
        self._stopped = False
        self._nudged = False
        self._nudge: asyncio.Task[None] | None = None
        self.sent = 0
        """How many alerts went out."""

    async def bring_out(self) -> None:
        """Queue what is due, each in the lane of its place; it goes out in the background."""
        await self._queue()
        await self._poster.settle()

    async def _queue(self) -> None:
        if self._poster.removed:
            return
        async with self._planning:
            due = await self._store.due(self._now())
            places = await asyncio.gather(*(self._place(key) for key in due if key not in self._queued))
            for key, lane in places:
                if lane is not None and not self._stopped:
                    self._queued.add(key)
                    self._lane(lane).append(key)
            order = {key: number for number, key in enumerate(due)}
            for keys in self._lanes.values():
                keys.sort(key=lambda key: order.get(key, 0))

    def nudge(self) -> None:
        """Bring out what was just raised, without waiting for what else is being judged."""
        self._nudged = True
        if self._nudge is None or self._nudge.done():
            self._nudge = asyncio.create_task(self._follow(), name="nudge")

    async def _follow(self) -> None:
        """Queue what is due until nothing was raised since we looked."""
        try:
            while self._nudged:
                self._nudged = False
                await self._queue()
        except StoreDown:
            return  # the next round looks again

    async def drain(self) -> int:
        """Bring out everything that is due and return how many alerts went out."""
        before = self.sent
        while True:
            await self.bring_out()
            if not self._busy:
                return self.sent - before
            await asyncio.gather(*self._busy)

    async def stop(self, within: timedelta) -> None:
        """Finish what is being posted, and leave the rest in the store."""
        self._stopped = True
        if self._busy:
            _, late = await asyncio.wait(self._busy, timeout=within.total_seconds())
            for task in late:
                task.cancel()
        await self._poster.settle()

    def _lane(self, lane: str) -> list[str]:
        """Return the queue of a place, which is served as long as there is anything in it."""
        if lane not in self._lanes:
            self._lanes[lane] = []
            task = asyncio.create_task(self._serve(lane, self._lanes[lane]), name=f"lane {lane}")
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)
        return self._lanes[lane]

    async def _place(self, key: str) -> tuple[str, str | None]:
        """Return the key with the lane of the alert that is due; None where it must wait."""
        async with self._slots:
            person = await self._store.person(key.rpartition(":")[0])
            case = next((case for case in person.cases if case.key == key), None) if person else None
            if case is None:
                return key, None
            try:
                lane = await self._poster.lane(case)
            except (SourceDown, NeedsHuman):
                lane = UNKNOWN
        return key, None if self._is_blocked(lane) else lane

    def _is_blocked(self, lane: str) -> bool:
        """Say whether a place asked us to wait; not where a clock that was ahead noted until when."""
        now = self._now()
        return now < self._blocked.get(lane, now) <= now + AFTER_BUG

    async def _serve(self, lane: str, queue: list[str]) -> None:
        """Bring out what is queued for one place."""
        try:
            while queue and not self._stopped:
                await self._poster.ready(lane)
                async with self._slots:
                    key = queue.pop(0)
                    try:
                        await self._bring(key, lane)
                    finally:
                        self._queued.discard(key)
        except StoreDown:
            return  # what was leased comes again when its lease ends
        finally:
            self._queued.difference_update(queue)
            del self._lanes[lane]

    async def _bring(self, key: str, lane: str) -> None:
        taken = await self._store.take_alert(self._now(), LEASE, key)
        if taken is None:
            return
        case, delivery = taken
        decision = await self._withheld(delivery)
        if decision is not None:
            log.info("alert.withheld", reason=decision.reason.value)
            await self._store.alert_failed(key, delivery, self._now() + LOOK_AGAIN, decision)
            return
        try:
            done = await self._poster.deliver(case, delivery, self._now())
        except SourceDown as down:
            wait = min(down.retry_after or _back_off(delivery.attempts, self._jitter()), AFTER_BUG)
            if down.retry_after is not None:
                self._block(lane, down.retry_after)
            log.warning("alert.delayed", why=down.what, seconds=round(wait.total_seconds()))
        except NeedsHuman as problem:
            wait = AFTER_HUMAN
            self._complain(problem)
        except Exception:
            wait = AFTER_BUG
            log.exception("alert.undeliverable", account=delivery.alert.contact.domain)
        else:
            if not isinstance(done, Hold):
                self.sent += 1
                _tell(delivery, self._now())
                if not await self._store.alert_sent(key, delivery, done, self._now()):
                    log.warning("alert.lease_lost", attempts=delivery.attempts)
                return
            wait, decision = done.until - self._now(), _held(delivery, done, self._now())
            log.info("alert.held", reason=done.reason.value, until=done.until.isoformat())
        await self._store.alert_failed(key, delivery, self._now() + max(wait, SOON), decision)

    async def _withheld(self, delivery: Delivery) -> Decision | None:
        """Say why what is to be told is not so any more, None where it is."""
        person = await self._store.person(delivery.alert.contact.address)
        return withheld(person, delivery.alert, self._now()) if person is not None else None

    def _block(self, lane: str, wait: timedelta) -> None:
        """Try nothing else in a place that asks us to wait."""
        self._blocked[lane] = self._now() + wait
        queue = self._lanes[lane]
        self._queued.difference_update(queue)
        queue.clear()

    def _complain(self, problem: NeedsHuman) -> None:
        """Say once, and not for every alert, what a person must mend."""
        now = self._now()
        if now >= self._complaints.get(problem.what, now):
            log.error("slack.needs_human", what=problem.what, how=problem.how)
            self._complaints[problem.what] = now + AFTER_HUMAN


async def drain(
    store: Store,
    poster: Poster,
    now: Callable[[], datetime],
    jitter: Callable[[], float] = random.random,
) -> int:
    """Bring out every alert that is due, and return how many went out.

    What cannot be delivered stays unsent and is tried again later.
    """
    return await Outbox(store, poster, now, jitter).drain()


def _tell(delivery: Delivery, now: datetime) -> None:
    """Say that an alert went out, and how long after it was raised; the log shortens the address."""
    alert = delivery.alert
    log.info(
        "alert.posted",
        contact=alert.contact.address,
        verdict=alert.assessment.verdict.value,
        seconds=round((now - alert.at).total_seconds()),
        attempts=delivery.attempts,
    )


def _held(delivery: Delivery, hold: Hold, now: datetime) -> Decision:
    alert = delivery.alert
    return Decision(
        alert.contact.address,
        now,
        Action.HOLD,
        hold.reason,
        alert.assessment.verdict,
        alert.assessment.probability,
    )


def _back_off(attempts: int, jitter: float) -> timedelta:
    """Return a wait that doubles with every attempt; half of it is chance, so that retries spread out."""
    doublings = min(max(attempts - 1, 0), 16)
    return min(FIRST_RETRY * (1 << doublings), LONGEST_RETRY) * (0.5 + 0.5 * jitter)
