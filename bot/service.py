"""The running service: looks at what is due, judges what is new, brings out what is raised."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, Protocol

import structlog

from bot import activity, answers, config, learner, learning
from bot.coverage import missed
from bot.crm import reading as crm
from bot.crm.csv import Contacts, read_contacts
from bot.crm.taking import take
from bot.demotion import announcement, by_answers
from bot.engine import Engine, Unit
from bot.engine.local import LocalEngine
from bot.health import Health
from bot.model import NeedsHuman, Person, SourceDown
from bot.overdue import lines, overdue
from bot.pipeline import Pipeline, Rules
from bot.retention import term
from bot.schedule import Schedule, slot
from bot.slack.mrkdwn import quote
from bot.slack.outbox import Outbox, Poster
from bot.store import Store, StoreDown
from watchers import Watcher, derivers, kinds

log = structlog.get_logger()

OUTBOX_EVERY = timedelta(seconds=5)
DIGESTS_EVERY = timedelta(minutes=4)
BASELINES_EVERY = timedelta(seconds=20)
HEALTH_EVERY = timedelta(minutes=1)
RESCUE_EVERY = timedelta(seconds=10)
REDACT_EVERY = timedelta(minutes=5)
RETENTION_EVERY = timedelta(days=1)

TOLD_OUTAGES = "outages told"
"""The setting that holds of which sources the admins were told that they are not read, and since when."""

LONGEST_LINE = 500
LEARN_EVERY = timedelta(days=1)
DEMOTED = "demoted"
"""The setting that names the kinds of signal that raise no alerts."""

FILED_OWNERS = "owners in the contacts file"
"""The setting that holds whom the contacts file named last as each contact's owner, by address."""

IDLE_FOR = timedelta(minutes=9)
"""How long one wait for a mailbox to wake us lasts; servers drop longer ones in silence."""

GIVEN_UP_FOR = timedelta(hours=1)

AFTER_TROUBLE = timedelta(minutes=1)

FAREWELL = timedelta(seconds=15)
"""How long a service that is told to stop waits for what is under way; the next start takes up the rest."""


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def rules() -> Rules:
    """Return what everything that is loaded declares."""
    ours = (*answers.KINDS, *activity.KINDS)
    return Rules({**kinds(), **{kind.name: kind for kind in ours}}, derivers())


class Role(StrEnum):
    """What a process does of the whole."""

    ALL = "all"
    SCHEDULER = "scheduler"
    WORKER = "worker"
    SLACK = "slack"


PLANS = frozenset({Role.ALL, Role.SCHEDULER})
WORKS = frozenset({Role.ALL, Role.WORKER})
TELLS = frozenset({Role.ALL, Role.SLACK})

REVIEW = Unit("review", "everybody")
"""The unit of work that judges whom time alone has changed."""


class Teller(Protocol):
    """Tells people what is no alert."""

    async def send_digests(self, now: datetime) -> int:
        """Send the weekly digests that are due, and return how many."""

    async def tell_baselines(self, now: datetime) -> int:
        """Send the lists of who already looked gone that were not sent yet, and return how many."""

    async def announce(self, text: str) -> None:
        """Tell every admin. Raise SourceDown and NeedsHuman."""

    async def expire(self, person: Person) -> bool:
        """Erase somebody whose time is over, with the messages about them; False where they changed since."""

    async def redact(self) -> None:
        """Redact what could not be redacted before, or was left to us by another process."""


class Service:
    """The running service: looks at what is due, judges what is new, brings out what is raised."""

    def __init__(
        self,
        plan: config.Plan,
        store: Store,
        poster: Poster,
        teller: Teller | None = None,
        role: Role = Role.ALL,
    ) -> None:
        self.plan = plan
        self.store = store
        self.role = role
        self.outbox = Outbox(store, poster, now)
        self.pipeline = Pipeline(store, rules(), plan.config.team.domains, baseline=True)
        if role in TELLS:
            self.pipeline.raised = self.outbox.nudge
        self.health = Health()
        self.engine: Engine = LocalEngine(self.look, store)
        self.shares = False
        """Whether other processes work on the same store: what each knows of the sources is shared then."""
        self.began = now()
        self.recorded = 0
        """How many observations this process recorded."""

        self.rescued = 0
        """How many units of processes that died were given to others."""

        self._teller = teller
        self._watchers = {watcher.name: watcher for watcher, _ in plan.watchers}
        self._taken: Contacts | None = None
        self.health.missed = missed(self._watchers)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Take up what an earlier run left, look at every source, then watch until the block ends.

        Every start looks at once, whether or not the slot was used before: what was mended shows at once.
        """
        await learner.take(self.store, self.pipeline)
        schedule = Schedule(self.store, now)
        wakers: list[asyncio.Task[None]] = []
        if self.role in TELLS:
            await self.weigh_signals()
            self._plan_telling(schedule)
        if self.role in PLANS:
            await self.take_contacts()
            await self._follow_crm(schedule)
            for watcher, interval in self.plan.watchers:
                schedule.planned(interval, watcher.name, partial(self.plan_sweep, watcher))
            schedule.planned(self.plan.config.review, "review", self.plan_review)
            schedule.often(RESCUE_EVERY, "rescue", self.rescue)
            wakers = [asyncio.create_task(self._wake(unit)) for unit in await self._units()]
        if self.shares:
            await self.learn_health()
            schedule.often(HEALTH_EVERY, "health", self.learn_health)
        else:
            await self.judge_news()
        await self.bring_out()
        if self.role in WORKS:
            self.engine.work()
        try:
            if self.role in PLANS:
                for watcher, _ in self.plan.watchers:
                    await self.sweep(watcher)
            schedule.start()
            log.info(
                "service.started",
                role=self.role,
                contacts=len(await self.store.contacts()),
                sources=len(await self._units()),
            )
            yield
        finally:
            for waker in wakers:
                waker.cancel()
            await asyncio.gather(*wakers, return_exceptions=True)
            try:
                async with asyncio.timeout(FAREWELL.total_seconds()):
                    await schedule.drain()
                    await self.engine.drain()
            except TimeoutError:
                log.warning("service.interrupted", what="work was under way; the next start takes it up")
                schedule.stop()
            await self.outbox.stop(FAREWELL)

    async def sweep(self, watcher: Watcher[Any]) -> None:
        """Have every source of a watcher looked at."""
        scope = await self.pipeline.scope()
        await self.engine.start([Unit(watcher.name, source) for source in watcher.sources(scope)])

    async def plan_sweep(self, watcher: Watcher[Any], slot: datetime) -> bool:
        """Plan a look at every source of a watcher; False where another process planned it."""
        scope = await self.pipeline.scope()
        return await self.engine.plan(
            watcher.name, slot, [Unit(watcher.name, source) for source in watcher.sources(scope)]
        )

    async def plan_review(self, slot: datetime) -> bool:
        """Plan a review of everybody; False where another process planned it."""
        await self.take_contacts()
        return await self.engine.plan(REVIEW.watcher, slot, [REVIEW])

    async def look(self, unit: Unit) -> None:
        """Look at one source, judge what is new, and bring out what that raises."""
        if unit == REVIEW:
            await self.review()
            return
        watcher = self._watchers.get(unit.watcher)
        if watcher is None:
            log.warning("look.unknown", watcher=unit.watcher, what="this process has no such watcher")
            return
        if self.shares:
            await self.health.learn(self.store, [unit.source])
        if not self.health.may_look(unit.source, now()):
            return
        try:
            swept = await self.pipeline.sweep(watcher, unit.source, now())
        except StoreDown:
            raise
        except (SourceDown, NeedsHuman) as failure:
            self.health.bad(unit.source, failure, now())
            await self._share_health(unit.source)
            return
        self.recorded += swept.new
        self.health.good(unit.source, now())
        await self._share_health(unit.source)
        if swept.items:
            log.info("source.read", source=unit.source, items=swept.items, new=swept.new)
        await self.judge_news()
        await self.bring_out()

    async def _share_health(self, source: str) -> None:
        if self.shares:
            await self.health.share(self.store, source)

    async def give_up(self, unit: Unit) -> None:
        """Leave a source alone for a while that kills whoever looks at it: others are not to suffer."""
        await self.health.learn(self.store, [unit.source])
        self.health.bad(unit.source, SourceDown("whoever looks at it dies", retry_after=GIVEN_UP_FOR), now())
        await self._share_health(unit.source)

    async def judge_news(self) -> None:
        """Judge everybody of whom something is new, or whose last judgement has stood its time."""
        moment = now()
        due = await self.pipeline.due(moment)
        if due:
            await self.pipeline.judge(moment, due)

    async def review(self) -> None:
        """Judge who is due, and everybody where what can be read of them changed."""
        if self.shares:
            await self.learn_health()
        await self.pipeline.review(now())
        await self.bring_out()

    async def learn_health(self) -> None:
        """Take over what other processes know of the sources, and of signals that are wrong too often."""
        await self.health.learn(self.store, await self.sources())
        self.pipeline.outages.update(self.health.outages())
        await learner.take(self.store, self.pipeline)
        kept = await self.store.setting(DEMOTED)
        self.pipeline.demoted = (
            frozenset(str(kind) for kind in kept) if isinstance(kept, list) else frozenset()
        )

    async def learn(self) -> None:
        """Learn from what was answered how much each family of evidence is worth, and tell the admins."""
        record = await learner.learn(self.store, self.pipeline, now())
        if record is None or self._teller is None:
            return
        try:
            await self._teller.announce(f"Learnt from answers: {learning.line(record)}")
        except (SourceDown, NeedsHuman) as problem:
            log.warning("admin.not_told", why=problem.what)

    async def bring_out(self) -> None:
        """Let every alert that is due be shown, where this process is the one that tells."""
        if self.role in TELLS:
            await self.outbox.bring_out()

    async def send_digests(self) -> None:
        """Send the weekly digests that are due."""
        if self._teller is not None:
            await self._teller.send_digests(now())

    async def tell_baselines(self) -> None:
        """Send each rep the list of who already looked gone, once a source was read through."""
        if self._teller is not None:
            await self._teller.tell_baselines(now())

    async def rescue(self) -> None:
        """Give to others what processes that died were doing."""
        self.rescued += await self.engine.rescue()

    async def tell_outages(self) -> None:
        """Tell the admins once of a source that was not read for three intervals, and of its recovery."""
        every = await self.intervals()
        if self.shares:
            await self.health.learn(self.store, every)
        troubles = self.health.troubles
        late = overdue(every, self.health.read_at, self.began, now())
        late |= {name: one.since for name, one in troubles.items() if one.needs_human and name in every}
        kept = await self.store.setting(TOLD_OUTAGES)
        before = kept if isinstance(kept, dict) else {}
        told = {name: datetime.fromisoformat(str(at)) for name, at in before.items() if name in every}
        why = {source: trouble.what for source, trouble in troubles.items()}
        waits = {name: at for name, at in told.items() if name not in self.health.read_at}
        said = lines(late, told, self.health.read_at, why, now())
        if said and not await self._announced(said):
            return
        after = {**waits, **late}
        if after.keys() != before.keys():
            await self.store.save_setting(TOLD_OUTAGES, {name: at.isoformat() for name, at in after.items()})

    async def intervals(self) -> dict[str, timedelta]:
        """Return how often each source is looked at."""
        scope = await self.pipeline.scope()
        return {
            source: interval for watcher, interval in self.plan.watchers for source in watcher.sources(scope)
        }

    async def redact(self) -> None:
        """Redact the messages about whoever was forgotten by another process, or while Slack was away."""
        if self._teller is not None:
            await self._teller.redact()

    async def end_retention(self) -> None:
        """Erase whose time is over, with the messages about them, watched or not."""
        ended = 0
        async for person in self.store.everybody():
            if self._is_over(person):
                expire = self._teller.expire(person) if self._teller else self._expire(person)
                ended += await expire
        if ended:
            log.info("retention.ended", people=ended)

    def _is_over(self, person: Person) -> bool:
        """Say whether a person's time is over; one of whom that cannot be told stands before no other."""
        try:
            found = term(person, self.plan.config.retention, self.pipeline.rules.kinds, now())
        except Exception:
            log.exception("retention.unclear", person=person.address)
            return False
        return found.is_over(now())

    async def _expire(self, person: Person) -> bool:
        return await self.store.expire(person.address, person.version)

    async def _announced(self, said: Sequence[str]) -> bool:
        """Tell the admins; False where they could not be told now."""
        for line in said:
            log.warning("admin.told", what=line)
        try:
            if self._teller is not None:
                await self._teller.announce("\n".join(quote(line, LONGEST_LINE) for line in said))
        except (SourceDown, NeedsHuman) as problem:
            log.warning("admin.not_told", why=problem.what)
            return False
        return True

    async def weigh_signals(self) -> None:
        """Leave to the digest what kinds of signal were wrong too often, and say so where that changes."""
        found = by_answers(await self.store.cases(), now())
        self.pipeline.demoted = frozenset(found)
        kept = await self.store.setting(DEMOTED)
        before = [str(kind) for kind in kept] if isinstance(kept, list) else []
        lines = announcement(before, found)
        if not lines:
            return
        for line in lines:
            log.warning("signal.weighed", what=line)
        try:
            if self._teller is not None:
                await self._teller.announce("\n".join(lines))
        except (SourceDown, NeedsHuman) as problem:
            log.warning("admin.not_told", why=problem.what)
        else:
            await self.store.save_setting(DEMOTED, [*sorted(found)])

    async def take_contacts(self) -> None:
        """Watch whom the contacts file names; whom it no longer names stays watched.

        A file that cannot be read now is said, and those who are watched stay so.
        """
        path = self.plan.config.contacts
        if path is None:
            return
        try:
            found = await asyncio.to_thread(read_contacts, path)
        except NeedsHuman as problem:
            log.error("contacts.unreadable", what=problem.what, how=problem.how)  # noqa: TRY400 - no bug
            return
        if found == self._taken:
            return
        self._taken = found
        for row in found.bad:
            log.warning("contacts.bad_row", file=path.name, line=row.line, reason=row.reason)
        await take(self.store, found.contacts, FILED_OWNERS)

    async def plan_crm(self, due: datetime) -> bool:
        """Take contacts over from the CRM; False where another process does, or it is to be left alone."""
        named = self.plan.config.crm
        if named is None or not self.health.may_look(crm.source(named), now()):
            return False
        if not await self.store.claim_slot(crm.source(named), due):
            return False
        await self.take_crm()
        return True

    def _plan_telling(self, schedule: Schedule) -> None:
        """Plan what the process does that talks to people."""
        schedule.every(self.plan.config.review, "signals", self.weigh_signals)
        schedule.every(LEARN_EVERY, "learning", self.learn)
        schedule.often(OUTBOX_EVERY, "outbox", self.bring_out)
        schedule.often(DIGESTS_EVERY, "digests", self.send_digests)
        schedule.often(BASELINES_EVERY, "baselines", self.tell_baselines)
        schedule.often(HEALTH_EVERY, "outages", self.tell_outages)
        schedule.often(REDACT_EVERY, "redact", self.redact)
        schedule.every(RETENTION_EVERY, "retention", self.end_retention)

    async def _follow_crm(self, schedule: Schedule) -> None:
        """Take contacts over from the CRM now, and from now on."""
        named = self.plan.config.crm
        if named is not None:
            await self.store.claim_slot(crm.source(named), slot(now(), named.every))
            await self.take_crm()
            schedule.planned(named.every, "crm", self.plan_crm)

    async def take_crm(self) -> None:
        """Watch whom the CRM names, with its owners and open deals."""
        named = self.plan.config.crm
        if named is None:
            return
        try:
            found = await crm.read_contacts(named)
        except (SourceDown, NeedsHuman) as failure:
            self.health.bad(crm.source(named), failure, now())
            return
        self.health.good(crm.source(named), now())
        changed = await take(self.store, found.contacts, crm.OWNERS, follow=True)
        log.info("crm.read", changed=changed, left_out=len(found.left_out), **found.counts)

    async def sources(self) -> Sequence[str]:
        """Name everything that is looked at."""
        return [unit.source for unit in await self._units()]

    async def _units(self) -> Sequence[Unit]:
        scope = await self.pipeline.scope()
        return [
            Unit(watcher.name, source)
            for watcher, _ in self.plan.watchers
            for source in watcher.sources(scope)
        ]

    async def _wake(self, unit: Unit) -> None:
        """Look at a source as soon as it says that there is something; its schedule goes on regardless."""
        while True:
            try:
                if await self._watchers[unit.watcher].woken(unit.source, IDLE_FOR):
                    await self.engine.start([unit])
            except (SourceDown, NeedsHuman):
                await asyncio.sleep(AFTER_TROUBLE.total_seconds())
            except Exception:
                log.exception("waker.failed", source=unit.source)
                await asyncio.sleep(AFTER_TROUBLE.total_seconds())
