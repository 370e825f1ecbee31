"""Workers that die, hang, lose an answer, or are told to stop while they look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from bot.engine import AT_ONCE, Look, Unit, queue
from bot.engine.queue import DEATHS, QueueEngine
from bot.store import StoreDown
from bot.store.database import Connection, Database, rows
from tests.servers.postgres import PostgresServer

SALES = Unit("mailbox", "mailbox:sales")
DIE = """
    WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute')
        RETURNING id)
    UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM dead), attempts = %s
    WHERE queueing_lock = %s RETURNING 1
"""
STATES = "SELECT status::text FROM procrastinate_jobs ORDER BY id"


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


async def nothing(_: Unit) -> None:
    """Look at nothing."""


@pytest.fixture
async def database(postgres_server: PostgresServer) -> AsyncIterator[Database]:
    opened = await Database.open(postgres_server.new_database())
    yield opened
    await opened.close()


@asynccontextmanager
async def opened(
    database: Database, look: Look = nothing, give_up: Look = nothing
) -> AsyncIterator[QueueEngine]:
    engine = await QueueEngine.open(database, look, give_up)
    try:
        yield engine
    finally:
        await engine.drain()
        await engine.close()


async def ask(database: Database, query: str, *given: object) -> list[tuple[object, ...]]:
    async def work(connection: Connection) -> list[tuple[object, ...]]:
        return await rows(connection, query, *given)

    return await database.run(work)


async def die_looking(database: Database, unit: Unit, deaths: int = 0) -> None:
    """Leave a unit's job as a worker leaves it that is killed."""
    assert await ask(database, DIE, deaths, f"{unit.watcher} {unit.source}")


async def test_what_a_dead_worker_was_doing_is_done_first_however_much_waits(database: Database) -> None:
    begun: list[Unit] = []
    released = asyncio.Event()

    async def look(unit: Unit) -> None:
        begun.append(unit)
        await released.wait()

    async with opened(database, look) as engine:
        await engine.start([Unit("public_pages", f"host{number}.example") for number in range(2000)])
        await engine.start([Unit("mailbox", f"mailbox:{number}") for number in range(2000)])
        await engine.start([SALES])
        await die_looking(database, SALES)
        with capture_logs() as logs:
            assert await engine.rescue() == 1
        engine.work()
        await until(lambda: len(begun) == AT_ONCE)
        assert SALES in begun
        released.set()
    assert [(line["event"], line["source"]) for line in logs] == [("job.rescued", SALES.source)]


async def test_a_look_that_kills_its_workers_again_and_again_is_given_up(database: Database) -> None:
    given_up: list[Unit] = []

    async def give_up(unit: Unit) -> None:
        given_up.append(unit)

    async with opened(database, give_up=give_up) as engine:
        for deaths in range(DEATHS):
            await engine.start([SALES])
            await die_looking(database, SALES, deaths)
            with capture_logs():
                await engine.rescue()
            assert await ask(database, STATES) == [("todo",)]
        await die_looking(database, SALES, DEATHS)
        with capture_logs() as logs:
            await engine.rescue()
        assert await engine.waiting() == 0
    assert given_up == [SALES]
    assert [line["event"] for line in logs] == ["job.given_up"]


async def test_a_job_that_waits_anew_needs_no_rescue_of_the_old_one(database: Database) -> None:
    async with opened(database) as engine:
        await engine.start([SALES])
        await die_looking(database, SALES)
        await engine.start([SALES])
        with capture_logs():
            await engine.rescue()
        assert await ask(database, STATES) == [("todo",)]


async def test_two_who_rescue_at_once_do_not_disturb_each_other(database: Database) -> None:
    async with opened(database) as one, opened(database) as other:
        units = [Unit("mailbox", f"mailbox:{number}") for number in range(20)]
        await one.start(units)
        for unit in units:
            await die_looking(database, unit)
        with capture_logs():
            await asyncio.gather(one.rescue(), other.rescue())
        assert await ask(database, STATES) == [("todo",)] * 20


async def test_a_look_that_does_not_end_in_time_is_handed_on_when_its_worker_is_told_to_stop(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "FAREWELL", timedelta(seconds=0.2))
    begun = asyncio.Event()

    async def hang(_: Unit) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with opened(database, hang) as engine:
        engine.work()
        await engine.start([SALES])
        async with asyncio.timeout(30):
            await begun.wait()
        await engine.drain()
        assert await ask(database, STATES) == [("todo",)]
    done = asyncio.Event()

    async def look(_: Unit) -> None:
        done.set()

    async with opened(database, look) as engine:
        engine.work()
        async with asyncio.timeout(30):
            await done.wait()


async def test_a_look_during_which_the_store_went_away_is_done_anew(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "AGAIN_SECONDS", 0)
    looks: list[Unit] = []

    async def look(unit: Unit) -> None:
        looks.append(unit)
        if len(looks) == 1:
            raise StoreDown("the database cannot be used")

    with capture_logs() as logs:
        async with opened(database, look) as engine:
            engine.work()
            await engine.start([SALES])
            await until(lambda: len(looks) == 2)
    assert [line["event"] for line in logs] == ["look.postponed"]


async def test_a_job_that_nobody_has_in_hand_is_given_back_though_its_worker_lives(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "STRAYS_EVERY", timedelta(seconds=0.1))
    looks: list[Unit] = []

    async def look(unit: Unit) -> None:
        looks.append(unit)

    with capture_logs() as logs:
        async with opened(database, look) as engine:
            engine.work()
            await engine.start([Unit("mailbox", "mailbox:other")])
            await until(lambda: len(looks) == 1)
            (worker,) = engine._known_as
            stray = """
                INSERT INTO procrastinate_jobs
                    (queue_name, task_name, lock, queueing_lock, args, status, worker_id)
                VALUES (%s, %s, %s, %s, '{"watcher": "mailbox", "source": "mailbox:sales"}', 'doing', %s)
                RETURNING 1
            """
            await ask(database, stray, "mailbox", queue.TASK, "mailbox sales", "mailbox sales", worker)
            await until(lambda: SALES in looks)
    assert "job.lost" in [line["event"] for line in logs]


async def test_finished_jobs_leave_nothing_behind(database: Database) -> None:
    async with opened(database) as engine:
        engine.work()
        await engine.start([Unit("mailbox", f"mailbox:{number}") for number in range(30)])
        async with asyncio.timeout(60):
            while await engine.waiting():  # noqa: ASYNC110 - the queue is in the database
                await asyncio.sleep(0.02)
        left = "SELECT (SELECT count(*) FROM procrastinate_jobs), (SELECT count(*) FROM procrastinate_events)"
        assert await ask(database, left) == [(0, 0)]
