"""The composition root: opens everything the service needs, wires it, and closes it again."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from rich.console import Console

from bot import answers, config
from bot.crm.csv import read_contacts
from bot.engine import Unit
from bot.engine.local import LocalEngine
from bot.health import Health
from bot.model import NeedsHuman, SourceDown
from bot.pipeline import Pipeline, Rules
from bot.schedule import Schedule
from bot.slack import outbox
from bot.slack.app import Connection, SlackApp
from bot.slack.outbox import Poster
from bot.store import Store
from bot.store.tiny import TinyStore
from bot.terminal import TerminalPoster
from watchers import Watcher, derivers, kinds, load

log = structlog.get_logger()

OUTBOX_EVERY = timedelta(seconds=5)
IDLE_FOR = timedelta(minutes=9)
"""How long one wait for a mailbox to wake us lasts; servers drop longer ones in silence."""

FIRST_TRY_AGAIN = timedelta(seconds=2)
AFTER_TROUBLE = timedelta(minutes=1)


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def rules() -> Rules:
    """Return what everything that is loaded declares."""
    return Rules({**kinds(), **{kind.name: kind for kind in answers.KINDS}}, derivers())


async def serve(config_file: Path, console: Console) -> None:
    """Run the service until SIGTERM or Ctrl-C."""
    load()
    plan = config.load(config_file)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    async with await TinyStore.open(plan.config.data) as store:
        for notice in store.notices:
            log.error("store.notice", notice=notice)
        async with _poster(plan.config, store, console) as poster:
            service = Service(plan, store, poster)
            async with service.running():
                await stop.wait()
            log.info("service.stopping")
    log.info("service.stopped")


@contextlib.asynccontextmanager
async def _poster(settings: config.Config, store: Store, console: Console) -> AsyncIterator[Poster]:
    """Yield where alerts go: Slack, or the terminal where there is no token."""
    slack = settings.slack
    if slack is None or not slack.bot_token:
        why = f"{slack.bot_token_env} is not set" if slack else "config.yaml has no section 'slack'"
        log.warning("slack.absent", why=why, instead="alerts are shown in this terminal")
        yield TerminalPoster(console)
        return
    http = slack.http or config.Http()
    connection = Connection(
        bot_token=slack.bot_token,
        channel=slack.channel,
        app_token=slack.app_token if slack.http is None else "",
        signing_secret=slack.signing_secret,
        host=http.host,
        port=http.port,
        base_url=slack.api,
    )
    app = SlackApp(connection, store, now)
    connecting = asyncio.create_task(_connect(app))
    try:
        yield app.poster
    finally:
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        await app.stop()


async def _connect(app: SlackApp) -> None:
    """Connect to Slack, however long it is out of reach; alerts wait in the outbox meanwhile."""
    wait = FIRST_TRY_AGAIN
    while True:
        try:
            await app.start()
        except SourceDown as down:
            log.warning("slack.down", why=down.what, seconds=wait.total_seconds())
        except NeedsHuman as problem:
            log.error("slack.needs_human", what=problem.what, how=problem.how)  # noqa: TRY400 - no bug
        else:
            return
        await asyncio.sleep(wait.total_seconds())
        wait = min(wait * 2, AFTER_TROUBLE * 10)


class Service:
    """The running service: looks at what is due, judges what is new, brings out what is raised."""

    def __init__(self, plan: config.Plan, store: Store, poster: Poster) -> None:
        self.plan = plan
        self.store = store
        self.poster = poster
        self.pipeline = Pipeline(store, rules(), plan.config.team.domains, baseline=True)
        self.health = Health()
        self.engine = LocalEngine(self.look)
        self._bringing_out = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Take up what an earlier run left, then watch until the block ends; finish what is under way."""
        await self.take_contacts()
        await self.judge_news()
        await self.bring_out()
        schedule = Schedule(self.store, now)
        for watcher, interval in self.plan.watchers:
            schedule.every(interval, watcher.name, partial(self.sweep, watcher))
        schedule.every(self.plan.config.review, "review", self.review)
        schedule.often(OUTBOX_EVERY, "outbox", self.bring_out)
        schedule.start()
        wakers = [asyncio.create_task(self._wake(unit)) for unit in await self._units()]
        log.info("service.started", contacts=len(await self.store.contacts()), sources=len(wakers))
        try:
            yield
        finally:
            schedule.stop()
            for waker in wakers:
                waker.cancel()
            await asyncio.gather(*wakers, return_exceptions=True)
            await self.engine.drain()

    async def sweep(self, watcher: Watcher[Any]) -> None:
        """Have every source of a watcher looked at."""
        scope = await self.pipeline.scope()
        await self.engine.start([Unit(watcher, source) for source in watcher.sources(scope)])

    async def look(self, unit: Unit) -> None:
        """Look at one source, judge what is new, and bring out what that raises."""
        if not self.health.may_look(unit.source, now()):
            return
        try:
            swept = await self.pipeline.sweep(unit.watcher, unit.source, now())
        except (SourceDown, NeedsHuman) as failure:
            self.health.bad(unit.source, failure, now())
            return
        self.health.good(unit.source, now())
        if swept.items:
            log.info("source.read", source=unit.source, items=swept.items, new=swept.new)
        await self.judge_news()
        await self.bring_out()

    async def judge_news(self) -> None:
        """Judge everybody of whom something is new."""
        fresh = await self.store.news()
        if fresh:
            await self.pipeline.judge(now(), fresh)

    async def review(self) -> None:
        """Judge everybody anew: time alone changes what to think of a silence or an announced last day."""
        await self.take_contacts()
        await self.pipeline.judge(now())
        await self.bring_out()

    async def bring_out(self) -> None:
        """Show every alert that is due, one caller at a time."""
        async with self._bringing_out:
            await outbox.drain(self.store, self.poster, now)

    async def take_contacts(self) -> None:
        """Watch whom the contacts file names; whom it no longer names stays watched."""
        path = self.plan.config.contacts
        if path is None:
            return
        found = await asyncio.to_thread(read_contacts, path)
        for row in found.bad:
            log.warning("contacts.bad_row", file=path.name, row=row.number, reason=row.reason)
        known = {contact.address: contact for contact in await self.store.contacts()}
        for contact in found.contacts:
            if known.get(contact.address) != contact:
                await self.store.watch(contact)

    async def _units(self) -> Sequence[Unit]:
        scope = await self.pipeline.scope()
        return [
            Unit(watcher, source) for watcher, _ in self.plan.watchers for source in watcher.sources(scope)
        ]

    async def _wake(self, unit: Unit) -> None:
        """Look at a source as soon as it says that there is something; its schedule goes on regardless."""
        while True:
            try:
                if await unit.watcher.woken(unit.source, IDLE_FOR):
                    await self.engine.start([unit])
            except (SourceDown, NeedsHuman):
                await asyncio.sleep(AFTER_TROUBLE.total_seconds())
