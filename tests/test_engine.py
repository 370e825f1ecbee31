from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from bot.engine import AT_ONCE, MOST_OF_ONE, Engine, Unit
from bot.engine.local import LocalEngine
from bot.engine.queue import QueueEngine
from bot.store.codec import normal
from bot.store.database import Database
from bot.store.memory import MemoryStore
from tests.servers.postgres import PostgresServer


class Looks:
    """Looks that each wait until they are let go on, and that count themselves."""

    def __init__(self) -> None:
        self.begun: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.now: Counter[str] = Counter()
        self.most = 0
        self.go_on = asyncio.Event()
        self.failing: set[str] = set()

    async def __call__(self, unit: Unit) -> None:
        self.begun[unit.source] += 1
        self.now[unit.source] += 1
        self.most = max(self.most, self.now.total())
        try:
            await self.go_on.wait()
            if unit.source in self.failing:
                raise ValueError("a bug")
            self.done[unit.source] += 1
        finally:
            self.now[unit.source] -= 1


def units(*sources: str) -> list[Unit]:
    return [Unit("mailbox", source) for source in sources]


def of_two_watchers(*sources: str) -> list[Unit]:
    """Return units of two watchers, in turn: one alone does not get every place."""
    return [Unit(("mailbox", "calendars")[n % 2], source) for n, source in enumerate(sources)]


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; a minute is far more than it ever takes."""
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


@dataclass
class Playing:
    """An engine at work, the looks it does, and a way to wait until it has nothing left to do."""

    engine: Engine
    looks: Looks
    idle: Callable[[], Awaitable[None]]


@pytest.fixture(params=["local", "queue"])
async def playing(request: pytest.FixtureRequest) -> AsyncIterator[Playing]:
    looks = Looks()
    if request.param == "local":
        local = LocalEngine(looks, MemoryStore())
        yield Playing(local, looks, local.idle)
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    database = await Database.open(server.new_database())
    queue = await QueueEngine.open(database, looks)
    queue.work()

    async def idle() -> None:
        async with asyncio.timeout(60):
            while await queue.waiting():  # noqa: ASYNC110 - the queue is in the database
                await asyncio.sleep(0.02)

    yield Playing(queue, looks, idle)
    looks.go_on.set()
    await queue.drain()
    await queue.close()
    await database.close()


async def test_every_unit_is_done_and_never_more_at_once_than_allowed(playing: Playing) -> None:
    engine, looks = playing.engine, playing.looks
    many = [f"mailbox:{n}" for n in range(3 * AT_ONCE)]
    await engine.start(of_two_watchers(*many))
    await until(lambda: looks.begun.total() == AT_ONCE)
    looks.go_on.set()
    await playing.idle()
    assert looks.done == Counter(many)
    assert looks.most == AT_ONCE


async def test_a_source_under_way_is_looked_at_once_more_afterwards_however_often_it_is_asked_for(
    playing: Playing,
) -> None:
    engine, looks = playing.engine, playing.looks
    await engine.start(units("mailbox:sales"))
    await until(lambda: looks.now["mailbox:sales"] == 1)
    for _ in range(3):
        await engine.start(units("mailbox:sales", "mailbox:other"))
        await until(lambda: looks.now["mailbox:other"] == 1)
    assert looks.now == Counter({"mailbox:sales": 1, "mailbox:other": 1})
    looks.go_on.set()
    await playing.idle()
    assert looks.done["mailbox:sales"] == 2
    assert looks.done["mailbox:other"] in {1, 2}  # asked for again before or after the look began


async def test_asking_again_before_a_look_began_is_answered_by_that_look(playing: Playing) -> None:
    engine, looks = playing.engine, playing.looks
    looks.go_on.set()
    await engine.start(units("mailbox:sales", "mailbox:sales", "mailbox:sales"))
    await playing.idle()
    assert looks.done == Counter({"mailbox:sales": 1})


async def test_a_source_can_be_looked_at_again_once_it_is_done(playing: Playing) -> None:
    engine, looks = playing.engine, playing.looks
    looks.go_on.set()
    for _ in range(2):
        await engine.start(units("mailbox:sales"))
        await playing.idle()
    assert looks.done["mailbox:sales"] == 2


async def test_a_look_that_fails_is_logged_and_the_others_go_on(playing: Playing) -> None:
    engine, looks = playing.engine, playing.looks
    looks.failing = {"mailbox:bad"}
    looks.go_on.set()
    with capture_logs() as logs:
        await engine.start(units("mailbox:a", "mailbox:bad", "mailbox:b"))
        await playing.idle()
        await engine.start(units("mailbox:bad"))
        await playing.idle()
    assert looks.done == Counter({"mailbox:a": 1, "mailbox:b": 1})
    assert looks.begun["mailbox:bad"] == 2
    assert [(line["event"], line["watcher"], line["source"]) for line in logs] == [
        ("look.failed", "mailbox", "mailbox:bad")
    ] * 2
    assert all(line["exc_info"] for line in logs)


async def test_a_look_asked_for_while_one_was_failing_is_not_lost(playing: Playing) -> None:
    engine, looks = playing.engine, playing.looks
    looks.failing = {"mailbox:bad"}
    with capture_logs():
        await engine.start(units("mailbox:bad"))
        await until(lambda: looks.now["mailbox:bad"] == 1)
        await engine.start(units("mailbox:bad"))
        looks.go_on.set()
        await playing.idle()
    assert looks.begun["mailbox:bad"] == 2


async def test_draining_finishes_what_is_under_way_and_begins_nothing_more(playing: Playing) -> None:
    engine, looks = playing.engine, playing.looks
    many = [f"mailbox:{n}" for n in range(AT_ONCE + 5)]
    await engine.start(of_two_watchers(*many))
    await until(lambda: looks.begun.total() == AT_ONCE)
    begun = looks.begun.copy()
    await engine.start(units("mailbox:0"))
    draining = asyncio.create_task(engine.drain())
    await asyncio.sleep(0.05)
    await engine.start(units("mailbox:late"))
    assert not draining.done()
    looks.go_on.set()
    await draining
    assert looks.done == begun
    assert looks.begun == begun


async def test_a_planned_run_is_done_once_whoever_else_plans_it(playing: Playing) -> None:
    playing.looks.go_on.set()
    slot = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
    tries = [playing.engine.plan("mailbox", slot, units("mailbox:sales")) for _ in range(5)]
    assert sorted(await asyncio.gather(*tries)) == [False] * 4 + [True]
    await playing.idle()
    assert playing.looks.done == Counter({"mailbox:sales": 1})
    assert await playing.engine.plan("mailbox", slot + timedelta(minutes=5), units("mailbox:sales"))
    await playing.idle()
    assert playing.looks.done == Counter({"mailbox:sales": 2})


async def test_a_watcher_with_many_slow_sources_keeps_no_other_waiting(playing: Playing) -> None:
    engine, looks = playing.engine, playing.looks
    await engine.start(Unit("public_pages", f"public_pages:{number}") for number in range(50))
    await until(lambda: looks.now.total() == MOST_OF_ONE)
    await engine.start(units("mailbox:sales"))
    await until(lambda: looks.now["mailbox:sales"] == 1)
    assert looks.now.total() == MOST_OF_ONE + 1
    looks.go_on.set()
    await playing.idle()
    assert looks.done.total() == 51


async def test_what_was_asked_for_goes_before_what_was_only_planned(playing: Playing) -> None:
    engine, looks = playing.engine, playing.looks
    slot = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
    await engine.plan("mailbox", slot, units(*(f"mailbox:{number}" for number in range(20))))
    await until(lambda: looks.now.total() == MOST_OF_ONE)
    await engine.start(units("mailbox:asked"))
    looks.go_on.set()
    await playing.idle()
    assert [*looks.begun].index("mailbox:asked") == MOST_OF_ONE
    assert looks.done.total() == 21


async def test_units_with_hostile_names_are_done_like_any_other(playing: Playing) -> None:
    hostile = ["'; DROP TABLE procrastinate_jobs; --", "a\x00b", "c\ud800d", "x\r\ny", "%s {0}", '"}', "\\"]
    playing.looks.go_on.set()
    slot = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
    assert await playing.engine.plan("'; --\x00", slot, units(*hostile, "mailbox:sales"))
    await playing.idle()
    assert {normal(source) for source in playing.looks.done} == {*map(normal, hostile), "mailbox:sales"}
    assert playing.looks.done.total() == len(hostile) + 1
