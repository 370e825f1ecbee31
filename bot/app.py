"""The composition root: opens everything the service needs, wires it, and closes it again."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import structlog
from rich.console import Console

from bot import config
from bot.crm.csv import read_contacts
from bot.model import NeedsHuman, SourceDown
from bot.routing import Rules, Team
from bot.service import Service, now
from bot.slack.app import Connection, SlackApp
from bot.store import Store
from bot.store.tiny import TinyStore
from bot.terminal import TerminalPoster
from watchers import load

log = structlog.get_logger()

FIRST_TRY_AGAIN = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=10)


async def serve(config_file: Path, console: Console) -> None:
    """Run the service until SIGTERM or Ctrl-C."""
    load()
    plan = config.load(config_file)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    if plan.config.contacts is not None:
        await asyncio.to_thread(read_contacts, plan.config.contacts)
    async with await TinyStore.open(plan.config.data) as store:
        gc.collect()
        gc.freeze()  # what was loaded lives as long as we do: looking through it again and again takes 0.1 s
        for notice in store.notices:
            log.error("store.notice", notice=notice)
        async with _slack(plan.config, store) as slack:
            if slack is None:
                service = Service(plan, store, TerminalPoster(console))
            else:
                service = Service(plan, store, slack.poster, slack)
                slack.coverage = service.health.coverage
                slack.sources = service.sources
            async with service.running():
                await stop.wait()
            log.info("service.stopping")
    log.info("service.stopped")


@contextlib.asynccontextmanager
async def _slack(settings: config.Config, store: Store) -> AsyncIterator[SlackApp | None]:
    """Yield the Slack app; None where there is no token."""
    slack = settings.slack
    if slack is None or not slack.bot_token:
        why = f"{slack.bot_token_env} is not set" if slack else "config.yaml has no section 'slack'"
        log.warning("slack.absent", why=why, instead="alerts are shown in this terminal")
        yield None
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
        rules=rules(slack, settings.team.time_zone),
        our_domains=frozenset(settings.team.domains),
    )
    app = SlackApp(connection, store, now)
    connecting = asyncio.create_task(_connect(app))
    try:
        yield app
    finally:
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        await app.stop()


def rules(slack: config.Slack, zone: str) -> Rules:
    """Return where alerts go, as config.yaml says."""
    return Rules(
        channel=slack.channel,
        teams=tuple(Team(frozenset(team.members), team.channel, team.lead or "") for team in slack.teams),
        backups=slack.backups,
        admins=slack.admins,
        home=slack.home,
        slipping=slack.slipping,
        names=slack.names,
        shadow=slack.shadow,
        quiet=slack.quiet_hours,
        alerts_a_day=slack.alerts_a_day,
        zone=zone,
    )


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
        wait = min(wait * 2, LONGEST_WAIT)
