"""Calendars, websites, a CRM and a data provider behind lines that are slow, refuse, fall silent or break."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.health import Health
from bot.model import Contact, Deal, SourceDown
from bot.pipeline import Pipeline
from bot.service import rules
from bot.store.memory import MemoryStore
from tests.crm.test_watching import furnish
from tests.servers import calendar_dav, hubspot, people_data_labs
from tests.servers.proxy import Mood, Proxy, proxy
from tests.watchers.calendar_programs import Call, ics
from tests.web.site import CONTACT, NO_PAUSE, Clock, courtesy, on_loopback, serving
from tests.web.team_pages import TEAM, cards, page
from watchers import Watcher, load
from watchers.calendars import Calendars
from watchers.crm_hubspot import CrmHubSpot
from watchers.data_provider import DataProvider
from watchers.public_pages import PublicPages
from watchers.web import client
from watchers.web.guard import Reach

NOW = datetime.now(UTC).replace(microsecond=0)
JANE = Contact("jane@acme.example", TEAM[0][0], TEAM[0][1], "Acme", "rita@vendor.example", Deal("Rollout"))
USER = "rita"
IMPATIENT, PATIENT = 1.0, 30.0
"""Seconds that clients wait for an answer: one that never comes, and one that a busy machine gives late."""

DELAY = 0.1
"""Seconds by which a slow line delays each piece."""

TRIES = 20


@dataclass
class Bench:
    """One source behind a line, and the pipeline that reads it by a clock of its own."""

    watcher: Watcher[Any]
    line: Proxy
    clock: Clock = field(default_factory=lambda: Clock(NOW))
    store: MemoryStore = field(default_factory=MemoryStore)
    health: Health = field(default_factory=Health)

    def __post_init__(self) -> None:
        self.pipeline = Pipeline(self.store, rules(), ["vendor.example"], baseline=True)

    async def look(self) -> int:
        """Look at the source when it is time, as the service does; return how much was new."""
        (source,) = self.watcher.sources(await self.pipeline.scope())
        if not self.health.may_look(source, self.clock()):
            return 0
        try:
            swept = await self.pipeline.sweep(self.watcher, source, self.clock())
        except SourceDown as down:
            self.health.bad(source, down, self.clock())
            return 0
        self.health.good(source, self.clock())
        return swept.new

    async def read_at_last(self) -> None:
        """Look until something is read; on a busy machine the first answer may come too late."""
        for _ in range(TRIES):
            self.clock.pass_by(days=2)
            if await self.look() > 0:
                return
        raise AssertionError(self.pipeline.outages)

    async def kept(self) -> list[tuple[str, datetime]]:
        """Return what is known of Jane."""
        person = await self.store.person(JANE.address)
        return sorted((seen.kind, seen.at) for seen in person.observations) if person else []


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


async def calendar(opened: AsyncExitStack, folder: Path) -> tuple[int, Callable[[int], Watcher[Any]]]:
    server = opened.enter_context(calendar_dav.running(_made(folder)))
    opened.callback(server.close)
    server.add_user(USER)
    server.put(USER, "call", ics(Call(NOW + timedelta(days=20)), NOW))

    def through(port: int) -> Watcher[Any]:
        settings = {
            "kind": "caldav",
            "url": f"http://127.0.0.1:{port}/",
            "user": USER,
            "password_env": "DAV_PASSWORD",
            "timeout_seconds": client.ONE_STEP,
        }
        return Calendars(Calendars.Config.model_validate({"calendars": [settings]}))

    return int(server.url.rstrip("/").rpartition(":")[2]), through


async def website(opened: AsyncExitStack, _: Path) -> tuple[int, Callable[[int], Watcher[Any]]]:
    site = await opened.enter_async_context(serving())
    site.says("/team", page(cards(TEAM)))

    def through(port: int) -> Watcher[Any]:
        pages = [{"url": f"http://www.acme.example:{port}/team", "account": "Acme"}]
        settings = PublicPages.Config.model_validate({"contact": CONTACT, "pages": pages})
        reach = Reach(ports=frozenset({port}), trusted=(ip_network("127.0.0.0/8"),), resolver=on_loopback)
        clock = Clock(NOW)
        return PublicPages(settings, clock, reach, courtesy(clock, NO_PAUSE))

    return site.port, through


async def customers(opened: AsyncExitStack, _: Path) -> tuple[int, Callable[[int], Watcher[Any]]]:
    portal = await opened.enter_async_context(hubspot.running())
    furnish(portal)

    def through(port: int) -> Watcher[Any]:
        return CrmHubSpot(CrmHubSpot.Config.model_validate({"api": f"http://127.0.0.1:{port}"}))

    return int(portal.url.rstrip("/").rpartition(":")[2]), through


async def provider(opened: AsyncExitStack, _: Path) -> tuple[int, Callable[[int], Watcher[Any]]]:
    server = await opened.enter_async_context(people_data_labs.running())
    server.person(JANE.address, "acme", "vp sales")

    def through(port: int) -> Watcher[Any]:
        given = {"api": f"http://127.0.0.1:{port}", "key_env": "A_KEY"}
        return DataProvider(DataProvider.Config.model_validate(given), Clock(NOW))

    return int(server.url.rstrip("/").rpartition(":")[2]), through


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    load()
    monkeypatch.setenv("DAV_PASSWORD", calendar_dav.PASSWORD)
    monkeypatch.setenv("HUBSPOT_TOKEN", hubspot.TOKEN)
    monkeypatch.setenv("A_KEY", people_data_labs.KEY)
    wait_for_answers(monkeypatch, IMPATIENT)


def wait_for_answers(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    for limit in (
        "watchers.crm.line.TIMEOUT_SECONDS",
        "watchers.profiles.line.ONE_STEP",
        "watchers.web.client.ONE_STEP",
    ):
        monkeypatch.setattr(limit, seconds)


@asynccontextmanager
async def bench(make: Callable[..., Any], folder: Path) -> AsyncIterator[Bench]:
    async with AsyncExitStack() as opened:
        port, through = await make(opened, folder)
        line = opened.enter_context(proxy(port))
        made = Bench(through(line.port), line)
        if isinstance(made.watcher, PublicPages | DataProvider):
            made.clock = made.watcher._clock  # type: ignore[assignment]
        await made.store.watch(JANE)
        yield made


SOURCES = [calendar, website, customers, provider]


@pytest.mark.parametrize("mood", [Mood.REFUSING, Mood.SILENT])
@pytest.mark.parametrize("make", SOURCES, ids=lambda make: make.__name__)
async def test_a_source_out_of_reach_is_said_once_and_read_whole_afterwards(
    make: Callable[..., Any], mood: Mood, tmp_path: Path
) -> None:
    async with bench(make, tmp_path) as made:
        made.line.mood = mood
        with capture_logs() as logs:
            for _ in range(3):
                assert await made.look() == 0
                made.clock.pass_by(hours=2)
            assert [why for why in made.pipeline.outages.values() if why]
            made.line.cut()
            made.line.mood = Mood.FAITHFUL
            await made.read_at_last()
        assert [line["event"] for line in logs] == ["source.down", "source.recovered"]
        assert not [why for why in made.pipeline.outages.values() if why]
        kept = await made.kept()
        assert len(set(kept)) == len(kept)


@pytest.mark.parametrize("make", SOURCES, ids=lambda make: make.__name__)
async def test_a_source_that_is_slow_is_read_all_the_same(
    make: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_for_answers(monkeypatch, PATIENT)
    async with bench(make, tmp_path) as made:
        made.line.mood, made.line.delay = Mood.SLOW, DELAY
        with capture_logs() as logs:
            assert await made.look() > 0
        assert logs == []


@pytest.mark.parametrize("make", SOURCES, ids=lambda make: make.__name__)
async def test_a_line_that_breaks_before_the_answer_costs_nothing_and_doubles_nothing(
    make: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_for_answers(monkeypatch, PATIENT)
    async with bench(make, tmp_path / "steady") as steady:
        await steady.look()
        wanted = await steady.kept()
    async with bench(make, tmp_path / "broken") as made:
        for _ in range(2):
            made.line.cut_after = b"HTTP/1.1"
            with capture_logs():
                await made.look()
            assert made.line.cut_after == b"" or await made.kept()
            made.clock.pass_by(hours=30)
        made.line.cut_after = b""
        made.clock.pass_by(days=8)
        with capture_logs():
            await made.look()
        kept = await made.kept()
    assert [kind for kind, _ in kept] == [kind for kind, _ in wanted]
