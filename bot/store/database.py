"""A pool of connections to PostgreSQL, its schema, and patience with a database that is away for a while."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from importlib import resources
from typing import Any, Self, TypeAlias, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from bot.model import NeedsHuman, SourceDown

T = TypeVar("T")

Connection: TypeAlias = "psycopg.AsyncConnection[TupleRow]"

OLDEST = 130000
"""PostgreSQL 13 is the oldest that is supported."""

MOST_CONNECTIONS = 8
CONNECT_SECONDS = 10

TRIES = 7
FIRST_WAIT_SECONDS = 0.1
"""Waits double: a database that restarts within about six seconds is not noticed by whoever asks."""

MIGRATING = 7_400_001
"""The advisory lock that one process holds while it brings the schema up to date."""

MIGRATION = re.compile(r"(\d{4})_\w+\.sql")


class Database:
    """A pool of connections; open it with `open`, which also brings the schema up to date."""

    def __init__(self, pool: AsyncConnectionPool[Connection]) -> None:
        self.pool = pool

    @classmethod
    async def open(cls, url: str, most_connections: int = MOST_CONNECTIONS) -> Self:
        """Connect. Raise NeedsHuman where the address is wrong or the server too old."""
        try:
            conninfo_to_dict(url)
        except psycopg.ProgrammingError:
            raise NeedsHuman(
                "the address of the database cannot be read", "write postgresql://user@host:5432/name"
            ) from None  # the message would repeat the address, password included
        pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=most_connections,
            open=False,
            timeout=CONNECT_SECONDS,
            kwargs={"connect_timeout": CONNECT_SECONDS, "application_name": "stillthere"},
        )
        await pool.open()
        database = cls(pool)
        try:
            await database.run(_migrate)
        except BaseException:
            await pool.close()
            raise
        return database

    async def close(self) -> None:
        """Let go of every connection."""
        await self.pool.close()

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do work in one transaction; anew where the connection or the transaction was lost.

        Whether a commit was done whose answer was lost cannot be known: work must bear being done twice.
        Raise SourceDown where the database stays away, NeedsHuman where it refuses us.
        """
        wait = FIRST_WAIT_SECONDS
        for left in reversed(range(TRIES)):
            try:
                async with self.pool.connection() as connection, connection.transaction():
                    return await work(connection)
            except (psycopg.errors.InvalidPassword, psycopg.errors.InsufficientPrivilege) as refused:
                raise NeedsHuman(
                    f"the database refuses us: {_reason(refused)}",
                    "check the user, its password and its rights in the database's address",
                ) from refused
            except psycopg.OperationalError as lost:
                if not left:
                    raise SourceDown(f"the database cannot be used: {_reason(lost)}") from lost
            await asyncio.sleep(wait)
            wait *= 2
        raise AssertionError  # the last try returned or raised


def _reason(error: Exception) -> str:
    """Return the first line of an error, which names no password."""
    return str(error).strip().partition("\n")[0][:200]


async def _migrate(connection: Connection) -> None:
    """Apply each migration that was not applied yet, in the transaction that is open."""
    if connection.info.server_version < OLDEST:
        raise NeedsHuman(
            f"the database is PostgreSQL {connection.info.server_version // 10000}", "use 13 or newer"
        )
    await connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATING,))
    await connection.execute("CREATE TABLE IF NOT EXISTS migration (number integer PRIMARY KEY)")
    rows = await (await connection.execute("SELECT number FROM migration")).fetchall()
    applied = {int(row[0]) for row in rows}
    known = migrations()
    unknown = applied - set(known)
    if unknown:
        raise NeedsHuman(
            f"the database was written by a newer version (migration {max(unknown)})", "run that version"
        )
    for number, sql in sorted(known.items()):
        if number not in applied:
            await connection.execute(sql.encode())
            await connection.execute("INSERT INTO migration VALUES (%s)", (number,))


def migrations() -> dict[int, str]:
    """Return every migration's SQL by its number."""
    found: dict[int, str] = {}
    for file in resources.files("bot.store.migrations").iterdir():
        if match := MIGRATION.fullmatch(file.name):
            found[int(match[1])] = file.read_text(encoding="utf-8")
    return found


async def rows(connection: Connection, query: str, *given: Any) -> list[TupleRow]:
    """Return all rows of a query."""
    return await (await connection.execute(query.encode(), given)).fetchall()
