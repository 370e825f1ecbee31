from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from functools import partial

import pytest

from bot.store.database import Connection, rows
from bot.store.postgres import PostgresStore
from tests.servers.postgres import PostgresServer
from tests.servers.proxy import Mood, Proxy, proxy
from tests.store.contents import JANE

pytestmark = pytest.mark.long

AT_MOST = 40
"""Seconds, of the sixty that the work would take."""


@pytest.fixture
def between(postgres_server: PostgresServer) -> Iterator[Proxy]:
    with proxy(postgres_server.port) as running:
        yield running


async def under_way(store: PostgresStore, working: asyncio.Task[object]) -> None:
    """Wait until the server works at it."""
    query = "SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'"
    async with asyncio.timeout(60):
        while not await store.database.run(partial(rows, query=query)):
            assert not working.done()
            await asyncio.sleep(0.05)


async def sleep(connection: Connection) -> None:
    await connection.execute("SELECT pg_sleep(60)")


async def test_whoever_is_told_to_stop_does_not_wait_for_a_line_that_died(
    postgres_server: PostgresServer, between: Proxy
) -> None:
    url = postgres_server.new_database()
    through = url.replace(f":{postgres_server.port}/", f":{between.port}/")
    async with await PostgresStore.open(url) as other:
        store = await PostgresStore.open(through)
        working = asyncio.create_task(store.database.run(sleep))
        await under_way(other, working)
        between.mood = Mood.SILENT
        began = time.monotonic()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await store.close()
        assert time.monotonic() - began < AT_MOST


async def test_a_write_that_is_given_up_while_the_server_works_at_it_lets_go_of_its_locks(
    postgres_server: PostgresServer,
) -> None:
    url = postgres_server.new_database()
    async with await PostgresStore.open(url) as store, await PostgresStore.open(url) as other:
        working = asyncio.create_task(store._erasure.alone(sleep))
        await under_way(other, working)
        began = time.monotonic()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        assert await other.watch(JANE)
        assert time.monotonic() - began < AT_MOST
