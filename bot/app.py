"""The composition root: opens everything the service needs, wires it, and closes it again."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import shutil
import signal
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from aiohttp.web import RouteDef
from rich.console import Console

from bot import activity_route, config, wording
from bot import metrics as ops
from bot.crm.csv import read_contacts
from bot.crm.writing import writer
from bot.engine.local import LocalEngine
from bot.listener import listening
from bot.metrics import Metrics
from bot.model import NeedsHuman, SourceDown
from bot.routing import Rules, Team
from bot.service import TELLS, Role, Service, now
from bot.slack.app import Connection, SlackApp
from bot.store import Store
from bot.store.glance import Glance
from bot.store.outage import PATIENCE_SECONDS
from bot.store.tiny import TinyStore
from bot.terminal import NO_BUTTONS, TerminalPoster, TerminalTeller
from watchers import load
from watchers.mail.tokens import Connectable

if TYPE_CHECKING:
    from bot.connect import Connect
    from bot.store.postgres import PostgresStore

log = structlog.get_logger()

FIRST_TRY_AGAIN = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=10)
CONNECTIONS_EVERY = timedelta(minutes=1)
LEAST_FREE = 16 * 2**20
"""With less room on its disk, in bytes, a data folder takes no more writes for long."""


async def serve(config_file: Path, console: Console, role: Role = Role.ALL) -> None:
    """Run the service, or a part of it, until SIGTERM, Ctrl-C or a closed terminal."""
    load()
    plan = config.load(config_file)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    stops = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # under nohup a closed terminal means nothing
        stops.append(signal.SIGHUP)
    for name in stops:
        loop.add_signal_handler(name, stop.set)
    if plan.config.contacts is not None:
        await asyncio.to_thread(read_contacts, plan.config.contacts)
    async with await open_store(plan.config, role) as store:
        gc.collect()
        gc.freeze()  # what was loaded lives as long as we do: looking through it again and again takes 0.1 s
        for notice in store.notices:
            log.error("store.notice", notice=notice)
        async with _slack(plan.config, store, role) as slack, _connecting(plan, store) as connecting:
            metrics = Metrics(now)
            if slack is None:
                poster, teller = TerminalPoster(console, NO_BUTTONS), TerminalTeller(console, store)
                service = Service(plan, store, metrics.counting(poster), teller, role)
            else:
                service = Service(plan, store, metrics.counting(slack.poster), slack, role)
                slack.coverage = service.health.coverage
                slack.sources = service.sources
                if connecting is not None:
                    slack.home.mailbox = connecting.button
            store.took = metrics.wrote
            async with _engine(store, service), _proposing(plan.config.crm, slack), _pulse(metrics):
                routes = ops_routes(metrics, store, service, slack)
                web = _web(plan.config.listen, store, role, connecting, routes)
                async with web, service.running():
                    await stop.wait()
            log.info("service.stopping")
    log.info("service.stopped")


async def open_store(
    settings: config.Config, role: Role = Role.ALL, patience: float = PATIENCE_SECONDS
) -> TinyStore | PostgresStore:
    """Open what config.yaml names: the database, asked for `patience` seconds, or one process's folder."""
    if settings.database:
        return await _postgres().open(settings.database, patience)
    if role is not Role.ALL:
        raise NeedsHuman(
            f"--role {role} shares its work with other processes, and a data folder belongs to one",
            "name a PostgreSQL database in config.yaml with 'database_env'",
        )
    return await TinyStore.open(settings.data)


@contextlib.asynccontextmanager
async def looking(
    settings: config.Config, patience: float = PATIENCE_SECONDS
) -> AsyncIterator[Glance | PostgresStore]:
    """Open what config.yaml names for looking only, also while the service runs: nothing can be changed."""
    if not settings.database:
        yield Glance(settings.data)
        return
    async with await _postgres().look(settings.database, patience) as store:
        yield store


def _postgres() -> type[PostgresStore]:
    try:
        from bot.store.postgres import PostgresStore  # noqa: PLC0415 - its driver is an extra
    except ImportError as missing:
        raise NeedsHuman(
            "config.yaml names a database, but what speaks with PostgreSQL is not installed",
            "pip install 'stillthere[postgres]'",
        ) from missing
    return PostgresStore


@contextlib.asynccontextmanager
async def _engine(store: TinyStore | PostgresStore, service: Service) -> AsyncIterator[None]:
    """Give the service the engine that fits its store: this process, or the queue in the database."""
    if isinstance(store, TinyStore):
        yield
        return
    from bot.engine.queue import QueueEngine  # noqa: PLC0415 - its driver is an extra

    engine = await QueueEngine.open(store.database, service.look, service.give_up)
    service.engine, service.shares = engine, True
    hearing = [asyncio.create_task(store.hear(service.outbox.nudge))] if service.role in TELLS else []
    try:
        yield
    finally:
        for task in hearing:
            task.cancel()
        await asyncio.gather(*hearing, return_exceptions=True)
        await engine.close()


@contextlib.asynccontextmanager
async def _proposing(crm: config.Crm | None, slack: SlackApp | None) -> AsyncIterator[None]:
    """Propose in Slack what to change in the CRM, and write what is accepted, where config.yaml says so."""
    if crm is None or slack is None or not crm.proposals:
        yield
        return
    slack.proposals.writer = writer(crm)
    going = asyncio.create_task(slack.proposals.keep_going())
    try:
        yield
    finally:
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)


@contextlib.asynccontextmanager
async def _connecting(plan: config.Plan, store: Store) -> AsyncIterator[Connect | None]:
    """Yield the pages by which reps connect their mailbox; what they connected is read with the others."""
    settings, listen = plan.config.connect, plan.config.listen
    if settings is None or listen is None:
        yield None
        return
    from bot.connect import Connect  # noqa: PLC0415 - brings cryptography, which loads slowly
    from bot.connections import Connections, clients  # noqa: PLC0415 - so does this
    from bot.vault import Vault  # noqa: PLC0415 - and this

    vault = Vault.of(settings.key_env, settings.key_file)
    connections = Connections(store, vault, clients(settings))
    await connections.load()
    for watcher, _ in plan.watchers:
        if isinstance(watcher, Connectable):
            watcher.connected = connections.mailboxes
    loading = asyncio.create_task(connections.keep_loading(CONNECTIONS_EVERY))
    try:
        yield Connect(store, vault, connections, listen.public_url, frozenset(plan.config.team.domains), now)
    finally:
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)


@contextlib.asynccontextmanager
async def _web(
    listen: config.Listen | None,
    store: Store,
    role: Role,
    connecting: Connect | None,
    always: Sequence[RouteDef],
) -> AsyncIterator[None]:
    """Answer the web where config.yaml says so: of people, in the process that talks with them."""
    if listen is None or not (role in TELLS or listen.everywhere):
        yield
        return
    routes = [*always]
    if role in TELLS:
        routes += activity_route.routes(store, listen.activity_secret, now)
        routes += connecting.routes() if connecting else ()
    async with listening(listen.host, listen.port, routes):
        yield


@contextlib.asynccontextmanager
async def _pulse(metrics: Metrics) -> AsyncIterator[None]:
    """Measure how late the event loop is."""
    measuring = asyncio.create_task(metrics.measure_loop())
    try:
        yield
    finally:
        measuring.cancel()
        await asyncio.gather(measuring, return_exceptions=True)


def ops_routes(
    metrics: Metrics, store: TinyStore | PostgresStore, service: Service, slack: SlackApp | None
) -> list[RouteDef]:
    """Return the routes by which whoever runs the service sees how it is."""

    async def store_is_there() -> str:
        await store.setting("readiness")
        if isinstance(store, TinyStore) and shutil.disk_usage(store.folder).free < LEAST_FREE:
            return "the disk is full"
        return ""

    async def slack_is_there() -> str:
        return "" if slack is None or await slack.is_connected() else "not connected"

    async def collect() -> bytes:
        queue = service.engine
        waiting = None if isinstance(queue, LocalEngine) else getattr(queue, "waiting", None)
        return await metrics.collect(store, service, waiting)

    checks = {"store": store_is_there} | ({"slack": slack_is_there} if slack is not None else {})
    return ops.routes(collect, checks)


@contextlib.asynccontextmanager
async def _slack(settings: config.Config, store: Store, role: Role) -> AsyncIterator[SlackApp | None]:
    """Yield the Slack app; None where there is no token, or where another process tells."""
    slack = settings.slack
    if role not in TELLS:
        yield None
        return
    if slack is None or not slack.bot_token:
        why = f"{slack.bot_token_env} is not set" if slack else "config.yaml has no section 'slack'"
        log.warning("slack.absent", why=why, instead="alerts are shown in this terminal")
        yield None
        return
    app = slack_app(settings, slack, store)
    connecting = asyncio.create_task(_connect(app))
    try:
        yield app
    finally:
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        await app.stop()


def slack_app(settings: config.Config, slack: config.Slack, store: Store) -> SlackApp:
    """Return the Slack app that config.yaml describes, not started."""
    http = slack.http or config.Http()
    notes = settings.notes or config.Notes()
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
        wording=wording.usable(notes.folder, notes.language, _tell_broken_note),
    )
    return SlackApp(connection, store, now)


def _tell_broken_note(problem: NeedsHuman) -> None:
    log.error("note.broken", what=problem.what, how=f"{problem.how}; until then our own text is used")


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
