from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store import Store
from bot.store.memory import MemoryStore
from bot.store.postgres import PostgresStore
from bot.store.tiny import TinyStore
from tests.servers.postgres import PostgresServer

KINDS = ("memory", "tiny", "postgres")


@pytest.fixture(params=KINDS)
async def empty_store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """Every kind of store, with nothing in it."""
    opened = await open_store(request.param, tmp_path, request)
    yield opened
    await opened.close()


async def open_store(kind: str, folder: Path, request: pytest.FixtureRequest) -> Store:
    if kind == "memory":
        return MemoryStore()
    if kind == "tiny":
        return await TinyStore.open(folder / "data")
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return await PostgresStore.open(server.new_database())
