"""Try everything that the service needs, and say of each thing how to put it right.

Checks run side by side, each for a bounded time; nothing is changed, kept or sent. What is secret is taken
out of whatever is said.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import stat
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import httpx
from pydantic import BaseModel

from bot import __version__, config, contacts_check, wording
from bot.crm import reading as crm
from bot.crm.csv import read_contacts
from bot.finding import Finding, Level, ok, problem, warning
from bot.mailbox_check import look
from bot.metrics import source_id
from bot.model import Contact, Json, NeedsHuman, SourceDown
from bot.slack.checkup import Checkup
from bot.slack.web import patient
from watchers import Scope, Watcher
from watchers.mail.limits import check_limits

if TYPE_CHECKING:
    from bot.store.condition import Condition

LONGEST = timedelta(seconds=30)
"""How long one check may take."""

AT_ONCE = 8
SAMPLE = 3
"""So many public sources of one watcher are tried; of mailboxes and calendars all are."""

WHOLE = frozenset({"mailbox", "calendars"})
COSTS = frozenset({"data_provider"})
"""What is paid for by the question is not asked."""

WEB_SECONDS = 3
"""How long our own listener may take to answer."""

LITTLE_ROOM = 2**30
NO_ROOM = 64 * 2**20
SKEW_WARNING, SKEW_PROBLEM = timedelta(seconds=30), timedelta(minutes=4)
"""Slack refuses requests that are five minutes off, and providers tokens that are from the future."""

LONGEST_SECRET = 2**16
SHORTEST_SECRET = 4
HIDDEN = "[secret]"
MANAGED = ("/run/secrets", "/run/credentials")
"""Folders whose permissions the container engine or systemd looks after."""

Run = Callable[[], Awaitable[Sequence[Finding]]]


@dataclass(frozen=True)
class Check:
    """One thing to try."""

    about: str
    run: Run


@dataclass
class Doctor:
    """Tries what one config.yaml asks for, by what `cursor` and `database` show of what is kept."""

    plan: config.Plan
    contacts: Sequence[Contact] = ()
    cursor: Callable[[str], Awaitable[Json]] | None = None
    database: Callable[[], Awaitable[Condition]] | None = None
    clocks: list[tuple[str, timedelta]] = field(default_factory=list)

    async def examine(self, done: Callable[[str], None] = lambda _about: None) -> list[Finding]:
        """Run every check, told of each that is done, and return all findings in the order of the checks."""
        free = asyncio.Semaphore(AT_ONCE)
        secrets = [*secrets_of(self.plan)]

        async def one(check: Check) -> list[Finding]:
            async with free:
                found = await _tried(check)
            done(check.about)
            return found

        found = [one for part in await asyncio.gather(*map(one, self.checks())) for one in part]
        return [_without(secrets, one) for one in [*found, self._clock()]]

    def checks(self) -> list[Check]:
        """Return all there is to try."""
        settings = self.plan.config
        found = [
            Check("program", self._program),
            Check("time zones", self._zones),
            Check("secrets", self._secrets),
            Check("database" if self.database else "data folder", self._store),
        ]
        if settings.contacts is not None:
            found.append(Check("contacts", self._contacts))
        if settings.crm is not None:
            found.append(Check("CRM", self._crm))
        if settings.slack is not None:
            found.append(Check("Slack", self._slack))
        if settings.notes is not None:
            found.append(Check("notes", self._notes))
        if settings.listen is not None:
            found.append(Check("listener", self._listener))
        if any(watcher.name in WHOLE for watcher, _ in self.plan.watchers):
            found.append(Check("limits of grants", self._limits))
        return [*found, *self._sources()]

    async def _program(self) -> list[Finding]:
        found = ", ".join(f"{name} {_version(name)}" for name in ("slack-bolt", "tinydb", "psycopg"))
        python = ".".join(map(str, sys.version_info[:3]))
        return [ok("program", f"Stillthere {__version__}, Python {python}, {found}")]

    async def _zones(self) -> list[Finding]:
        zone = self.plan.config.team.time_zone
        local = datetime.now(ZoneInfo(zone))
        return [ok("time zones", f"tzdata {_version('tzdata')}; in {zone} it is {local:%H:%M}")]

    async def _secrets(self) -> list[Finding]:
        found: list[Finding] = []
        for where, variable, path in secrets_named(self.plan):
            if path is not None:
                found += _secret_file(where, path)
            elif variable and not os.environ.get(variable, ""):
                found.append(problem("secrets", f"{variable} is not set ({where})", "set it, or name a file"))
        return found or [ok("secrets", "all that are named are there")]

    async def _store(self) -> list[Finding]:
        if self.database is None:
            return _folder(self.plan.config.data)
        found = await self.database()
        self.tell_time("the database", found.now, datetime.now(UTC))
        return _database(found)

    async def _contacts(self) -> list[Finding]:
        assert self.plan.config.contacts is not None
        found = await asyncio.to_thread(read_contacts, self.plan.config.contacts)
        return contacts_check.findings(found, self.plan.config.contacts.name)

    async def _crm(self) -> list[Finding]:
        assert self.plan.config.crm is not None
        found = await crm.read_contacts(self.plan.config.crm)
        return [ok("CRM", f"{crm.source(self.plan.config.crm)}: {len(found.contacts)}")]

    async def _slack(self) -> list[Finding]:
        slack = self.plan.config.slack
        assert slack is not None
        if not slack.bot_token:
            how = f"set {slack.bot_token_env}, or bot_token_file"
            return [warning("Slack", "there is no bot token: alerts are shown in the terminal", how)]
        if not (slack.app_token or slack.signing_secret):
            how = f"set {slack.app_token_env} (Socket Mode) or {slack.signing_secret_env} (HTTP)"
            return [problem("Slack", "Slack cannot reach us", how)]
        channels = [slack.channel, *(team.channel for team in slack.teams)]
        app_token = slack.app_token if slack.http is None else ""
        client = patient(slack.bot_token, slack.api)
        return await Checkup(client, channels, app_token, self.tell_time).run()

    async def _notes(self) -> list[Finding]:
        notes = self.plan.config.notes
        assert notes is not None
        await asyncio.to_thread(wording.load, notes.folder, notes.language)
        return [ok("notes", "every text of a note can be filled in")]

    async def _listener(self) -> list[Finding]:
        listen = self.plan.config.listen
        assert listen is not None
        where = f"{listen.host}:{listen.port}"
        host = "127.0.0.1" if listen.host in {"0.0.0.0", "::"} else listen.host  # noqa: S104 - compared, not bound
        answer = await _get(f"http://{host}:{listen.port}/healthz")
        if answer is not None and "alive" in answer.text:
            found = [ok("listener", f"{where} is answered by the running service")]
        elif _is_free(listen.host, listen.port):
            found = [ok("listener", f"{where} is free for the service")]
        else:
            cure = "name another port under 'listen', or stop what uses it"
            found = [problem("listener", f"{where} is taken by something else", cure)]
        if listen.public_url:
            found.append(await self._public(listen.public_url))
        return found

    async def _public(self, url: str) -> Finding:
        asked = datetime.now(UTC)
        answer = await _get(f"{url}/healthz")
        if answer is None:
            cure = "start the service, and let the proxy hand requests on to it; from here it may be hidden"
            return warning("listener", f"{url} does not answer", cure)
        with suppress(ValueError, TypeError):
            self.tell_time(url, parsedate_to_datetime(answer.headers.get("date", "")), asked)
        return ok("listener", f"{url} answers")

    async def _limits(self) -> list[Finding]:
        found = await check_limits(watcher.config for watcher, _ in self.plan.watchers if watcher.config)
        return [
            ok("limits of grants", one.what) if one.ok else problem("limits of grants", one.what, one.how)
            for one in found
        ]

    def _sources(self) -> list[Check]:
        scope = Scope.of(self.contacts, self.plan.config.team.domains)
        found = []
        for watcher, _ in self.plan.watchers:
            if watcher.name in COSTS:
                continue
            sources = watcher.sources(scope)
            chosen = sources if watcher.name in WHOLE else _spread(sources)
            found += [Check(source, _looking(watcher, source, scope, self.cursor)) for source in chosen]
        return found

    def tell_time(self, who: str, theirs: datetime, ours: datetime) -> None:
        """Take note of what time somebody says it is."""
        self.clocks.append((who, ours - theirs))

    def _clock(self) -> Finding:
        if not self.clocks:
            return ok("clock", "not compared: nothing that was asked tells the time")
        who, off = max(self.clocks, key=lambda one: abs(one[1]))
        said = f"{abs(off).total_seconds():.0f} s {'ahead of' if off > timedelta() else 'behind'} {who}"
        if abs(off) < SKEW_WARNING:
            return ok("clock", said)
        cure = "let the machine follow a time server (chrony, systemd-timesyncd)"
        return (problem if abs(off) >= SKEW_PROBLEM else warning)("clock", said, cure)


def _looking(
    watcher: Watcher[Any],
    source: str,
    scope: Scope,
    cursor: Callable[[str], Awaitable[Json]] | None,
) -> Run:
    """Return the check that looks at a source as the service would, up to the first batch."""

    async def looking() -> list[Finding]:
        where = await cursor(source) if cursor else None
        return await look(watcher, source, scope, where, f"in metrics it is {source_id(source)}")

    return looking


async def _tried(check: Check) -> list[Finding]:
    """Run one check, and put what went wrong into words."""
    try:
        async with asyncio.timeout(LONGEST.total_seconds()):
            return [*await check.run()]
    except TimeoutError:
        cure = "is it up, and may this machine connect to it?"
        return [problem(check.about, f"no answer within {LONGEST.total_seconds():g} seconds", cure)]
    except SourceDown as down:
        return [problem(check.about, down.what, "is it up, and may this machine connect to it? Try later")]
    except NeedsHuman as wrong:
        return [problem(check.about, wrong.what, wrong.how)]
    except Exception as error:  # noqa: BLE001 - one check that fails must not hide the others
        return [problem(check.about, f"the check failed: {type(error).__name__}", "please report this")]


def _database(found: Condition) -> list[Finding]:
    """Say how a database is; what the next start of the service would do to it is said, and not done."""
    about = "database"
    said = [ok(about, f"PostgreSQL {found.version}, {found.size / 2**20:.0f} MB")]
    if found.newer:
        what = f"it was written by a newer version of Stillthere (migration {found.newer})"
        said.append(problem(about, what, "run that version"))
    if found.read_only:
        said.append(problem(about, "it takes no writes", "name the primary server, or let it take writes"))
    if (found.pending and not found.may_create) or not found.may_write:
        cure = "make its user the owner of the database"
        said.append(problem(about, "its user may not write there, or not make tables", cure))
    if found.is_empty:
        said.append(ok(about, "nothing is kept there yet; the first start sets it up"))
    elif found.pending and not found.newer:
        back = "take a backup before: there is no way back to the version before"
        said.append(warning(about, f"migrations that the next start applies: {found.pending}", back))
    if found.forgetting:
        said.append(ok(about, f"interrupted erasures that the next start ends: {found.forgetting}"))
    return said


def _folder(folder: Path) -> list[Finding]:
    about = "data folder"
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(there).free
    if not os.access(there, os.W_OK | os.X_OK):
        return [problem(about, f"{there} cannot be written", "let this user write there: chown or chmod")]
    found = [
        ok(about, f"{folder}, {free / 2**30:.1f} GB free" + ("" if there == folder else "; not made yet"))
    ]
    if there == folder and stat.S_IMODE(folder.stat().st_mode) & 0o077:
        found.append(warning(about, "others on this machine can look into it", f"chmod 700 {folder}"))
    if free < NO_ROOM:
        found.append(problem(about, "the disk is full", "make room: nothing new can be kept"))
    elif free < LITTLE_ROOM:
        found.append(warning(about, "there is little room on its disk", "make room before it is full"))
    return found


def _secret_file(where: str, path: Path) -> list[Finding]:
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        return [problem("secrets", f"{path} cannot be read ({where}): {error.strerror}", "put it there")]
    if empty:
        return [problem("secrets", f"{path} is empty ({where})", "put the secret there")]
    if mode & 0o077 and not str(path).startswith(MANAGED):
        return [warning("secrets", f"others on this machine can read {path}", f"chmod 600 {path}")]
    return []


def secrets_named(plan: config.Plan) -> Iterator[tuple[str, str, Path | None]]:
    """Yield what names a secret: where in the settings, by which variable, or in which file.

    A variable that nobody named, and that is only a default, counts where it is set.
    """
    models: list[tuple[str, BaseModel]] = [("", plan.config)]
    models += [(f"watchers.{one.name}", one.config) for one, _ in plan.watchers if one.config]
    for where, model in models:
        yield from _named(where, model)


def _named(where: str, model: BaseModel) -> Iterator[tuple[str, str, Path | None]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        here = f"{where}.{name}".lstrip(".")
        if name.endswith("_file") and isinstance(value, Path) and not name.startswith("mailboxes"):
            yield here, "", value
        elif name.endswith("_env") and value:
            instead = getattr(model, f"{name.removesuffix('_env')}_file", None)
            is_default = value == type(model).model_fields[name].default
            if instead is None and (not is_default or value in os.environ):
                yield here, str(value), None
        elif isinstance(value, BaseModel):
            yield from _named(here, value)
        elif isinstance(value, tuple | list):
            for number, item in enumerate(value):
                if isinstance(item, BaseModel):
                    yield from _named(f"{here}.{number}", item)


def secrets_of(plan: config.Plan) -> Iterator[str]:
    """Yield every secret that is set, to be taken out of what is said."""
    for _, variable, path in secrets_named(plan):
        text = os.environ.get(variable, "")
        if path is not None:
            with suppress(OSError, UnicodeDecodeError), path.open(encoding="utf-8") as file:
                text = file.read(LONGEST_SECRET)
        if len(text.strip()) >= SHORTEST_SECRET:
            yield text.strip()


def _without(secrets: Iterable[str], found: Finding) -> Finding:
    def clean(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, HIDDEN)
        return text

    return replace(found, what=clean(found.what), cure=clean(found.cure))


def _spread(sources: Sequence[str]) -> Sequence[str]:
    """Return a few sources from all over the list."""
    return sources[:: max(1, -(-len(sources) // SAMPLE))][:SAMPLE]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


async def _get(url: str) -> httpx.Response | None:
    try:
        async with httpx.AsyncClient(timeout=WEB_SECONDS, trust_env=False) as client:
            return await client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL):
        return None


def verdict(found: Iterable[Finding]) -> Mapping[Level, int]:
    """Return how many findings there are of each level."""
    counts = dict.fromkeys(Level, 0)
    for one in found:
        counts[one.level] += 1
    return counts


async def filed_contacts(plan: config.Plan) -> Sequence[Contact]:
    """Return whom the contacts file names, where nothing is kept yet or what is kept cannot be read."""
    if plan.config.contacts is not None:
        with suppress(NeedsHuman):
            return (await asyncio.to_thread(read_contacts, plan.config.contacts)).contacts
    return ()
