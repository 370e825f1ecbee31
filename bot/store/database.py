"""A pool of connections to PostgreSQL, its schema, and patience with a database that is away for a while."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib import resources
from math import ceil
from typing import Any, Self, TypeAlias, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from bot.model import NeedsHuman
from bot.store import StoreDown
from bot.store.outage import PATIENCE_SECONDS, Outage

logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)  # we say ourselves, and once, what matters

T = TypeVar("T")

Connection: TypeAlias = "psycopg.AsyncConnection[TupleRow]"

OLDEST = 130000
"""PostgreSQL 13 is the oldest that is supported."""

NAME, SERVICE = "stillthere", "stillthere service"
"""What our sessions are called, and those of whom that only a service has."""

MOST_CONNECTIONS = 8
CONNECT_SECONDS = 10
RECONNECT_SECONDS = 10
"""After so long of trying in vain the pool gives up until somebody asks again, and then tries at once."""

ANSWER_SECONDS = 70
"""Longer than any statement may take: whoever is silent for so long is gone."""

CHECK_SECONDS = 5

FIRST_WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 2.0
"""Waits double up to this: a database that restarts is not noticed by whoever asks."""

LISTEN_AGAIN_SECONDS = 2.0

LIMITS = "-c statement_timeout=60s -c lock_timeout=20s -c idle_in_transaction_session_timeout=60s"
"""What nobody waits for any more ends on the server as well, and with it the locks it holds."""

NOTICING = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""A connection whose other end is gone without a word is noticed within half a minute."""

BRIEFLY = "-c statement_timeout=10s -c lock_timeout=2s"
"""Who only looks waits for nobody: a migration under way elsewhere is said, not waited for."""

TOO_LONG = psycopg.errors.ProgramLimitExceeded
"""What an index cannot hold: it is no better the next time."""

LOST = (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction)

PASSING = (
    "starting up",
    "shutting down",
    "in recovery",
    "connection slots",
    "too many c",  # clients, or connections for a role or a database
    "not yet accepting",
)
"""What a server says that lets us in later."""

CHECK = "check the user, its password and its rights in the database's address"
OWNER = "make the user in its address the owner of the database"

ADMIT = "let pg_hba.conf admit us; where it demands TLS, add ?sslmode=require to the address"

CURES = (
    ("pg_hba.conf", ADMIT),
    ('FATAL:  database "', "make the database (CREATE DATABASE), or correct its name in the address"),
    ("does not support SSL", "turn TLS on at the server (ssl = on), or take sslmode out of the address"),
    ("certificate", "name the authority that signed the server's certificate: sslrootcert in the address"),
)
"""What to do about what a server, or what speaks with it, refuses us with; waiting mends none of it."""

MIGRATING = 7_400_001
"""The advisory lock that one process holds while it brings the schema up to date."""

MIGRATION = re.compile(r"(\d{4})_\w+\.sql")


class Database:
    """A pool of connections; open it with `open`, which also brings the schema up to date."""

    def __init__(self, pool: AsyncConnectionPool[Connection], url: str, patience: float) -> None:
        self.pool = pool
        self._url = url
        self.patience = patience
        self._outage = Outage()

    @classmethod
    async def open(
        cls, url: str, most_connections: int = MOST_CONNECTIONS, patience: float = PATIENCE_SECONDS
    ) -> Self:
        """Connect, asking again for `patience` seconds.

        Raise NeedsHuman where the address is wrong or the server too old.
        """
        _check_address(url)
        pool = _pool(url, most_connections, timeout=min(CONNECT_SECONDS, patience))
        return await cls._opened(pool, url, patience, _migrate)

    @classmethod
    async def look(cls, url: str, patience: float) -> Self:
        """Connect for looking only: the server refuses whatever would change anything, a migration too."""
        _check_address(url)
        pool = _pool(url, 1, BRIEFLY, min(CONNECT_SECONDS, patience), _read_only)
        return await cls._opened(pool, url, patience, _check_version)

    @classmethod
    async def _opened(
        cls,
        pool: AsyncConnectionPool[Connection],
        url: str,
        patience: float,
        first: Callable[[Connection], Awaitable[None]],
    ) -> Self:
        database = cls(pool, url, patience)
        await database._knock()
        await pool.open()
        try:
            await database._open(first)
        except BaseException:
            await pool.close()
            raise
        return database

    @contextlib.asynccontextmanager
    async def apart(
        self, most_connections: int, options: str
    ) -> AsyncIterator[AsyncConnectionPool[Connection]]:
        """Yield a pool of connections for a service's work, whose sessions have options of their own."""
        async with _pool(self._url, most_connections, options, name=SERVICE) as pool:
            yield pool

    async def is_served(self) -> bool:
        """Say whether a running service uses this database."""
        query = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s"
        return bool(await self.run(lambda connection: rows(connection, f"{query} LIMIT 1", SERVICE)))

    async def close(self) -> None:
        """Let go of every connection."""
        await self.pool.close()

    async def _open(self, first: Callable[[Connection], Awaitable[None]]) -> None:
        try:
            await self.run(first)
        except StoreDown as down:
            why = await self._knock()
            raise StoreDown(f"the database cannot be used: {why}") if why else down from down
        except psycopg.errors.InsufficientPrivilege as refused:
            raise NeedsHuman(f"the database refuses us: {_reason(refused)}", OWNER) from refused

    async def _knock(self) -> str:
        """Return why nobody can connect now with this address; the pool keeps it to itself.

        Raise NeedsHuman where waiting does not help.
        """
        manners = _manners(self._url) | {"connect_timeout": min(CONNECT_SECONDS, ceil(self.patience))}
        try:
            async with await psycopg.AsyncConnection.connect(self._url, **manners):
                return ""
        except psycopg.OperationalError as refused:
            why = _reason(refused)
        cure = next((cure for sign, cure in CURES if sign in why), CHECK if "FATAL" in why else "")
        if cure and not any(passing in why for passing in PASSING):
            raise NeedsHuman(f"the database refuses us: {why}", cure)
        return why

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do work in one transaction; anew where the connection or the transaction was lost.

        Whether a commit was done whose answer was lost cannot be known: work must bear being done twice.
        Raise StoreDown where the database stays away, or takes no writes.
        """
        wait, until = FIRST_WAIT_SECONDS, time.monotonic() + self.patience
        while True:
            try:
                async with self.pool.connection() as connection:
                    done = await self._in_transaction(connection, work)
            except TOO_LONG:
                raise
            except LOST as lost:
                if time.monotonic() + wait > until:
                    self._outage.begins(_reason(lost))
                    raise StoreDown(f"the database cannot be used: {_reason(lost)}") from lost
            else:
                self._outage.ends()
                return done
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)

    @staticmethod
    async def _in_transaction(connection: Connection, work: Callable[[Connection], Awaitable[T]]) -> T:
        try:
            async with _answering(connection, ANSWER_SECONDS), connection.transaction():
                return await work(connection)
        except psycopg.errors.ReadOnlySqlTransaction:
            await connection.close()  # another server may be the one that takes writes now
            raise

    async def listen(self, channel: str, heard: Callable[[], None]) -> None:
        """Call `heard` for each notification, and for each time that some may have been missed.

        It has a connection of its own, made anew whenever it is lost; ends only by being cancelled.
        """
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._url, autocommit=True, **_manners(self._url)
                ) as connection:
                    await connection.execute(f"LISTEN {channel}".encode())
                    heard()
                    async for _ in connection.notifies():
                        heard()
            except psycopg.Error:
                await asyncio.sleep(LISTEN_AGAIN_SECONDS)


def _check_address(url: str) -> None:
    try:
        conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise NeedsHuman(
            "the address of the database cannot be read", "write postgresql://user@host:5432/name"
        ) from None  # the message would repeat the address, password included


def _pool(
    url: str,
    most_connections: int,
    options: str = "",
    timeout: float = CONNECT_SECONDS,
    configure: Callable[[Connection], Awaitable[None]] | None = None,
    name: str = NAME,
) -> AsyncConnectionPool[Connection]:
    return AsyncConnectionPool(
        url,
        min_size=1,
        max_size=most_connections,
        open=False,
        timeout=timeout,
        reconnect_timeout=RECONNECT_SECONDS,
        check=_check,
        configure=configure,
        kwargs=_manners(url, options) | {"application_name": name},
    )


def _manners(url: str, options: str = "") -> dict[str, Any]:
    """Return how every connection behaves; `options` are for the server's session."""
    given = conninfo_to_dict(url).get("options") or ""
    return {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": NAME,
        "options": f"{given} {LIMITS} {options}".strip(),
        **NOTICING,
    }


@contextlib.asynccontextmanager
async def _answering(connection: Connection, seconds: float) -> AsyncIterator[None]:
    """Hang up on a server that does not answer: what waits for it fails then, as when the line breaks."""
    hanging_up = asyncio.get_running_loop().call_later(seconds, _hang_up, connection)
    try:
        yield
    finally:
        hanging_up.cancel()


def _hang_up(connection: Connection) -> None:
    with (
        contextlib.suppress(OSError, psycopg.OperationalError),
        socket.socket(fileno=os.dup(connection.fileno())) as line,
    ):
        line.shutdown(socket.SHUT_RDWR)


async def _check(connection: Connection) -> None:
    async with _answering(connection, CHECK_SECONDS):
        await AsyncConnectionPool.check_connection(connection)


def _reason(error: Exception) -> str:
    """Return the first line of an error, which names no password."""
    return str(error).strip().partition("\n")[0][:200]


async def _read_only(connection: Connection) -> None:
    await connection.set_read_only(True)


async def _check_version(connection: Connection) -> None:
    if connection.info.server_version < OLDEST:
        raise NeedsHuman(
            f"the database is PostgreSQL {connection.info.server_version // 10000}", "use 13 or newer"
        )


async def _migrate(connection: Connection) -> None:
    """Apply each migration that was not applied yet, in the transaction that is open."""
    await _check_version(connection)
    await connection.execute("SET LOCAL statement_timeout = 0")
    await connection.execute("SET LOCAL lock_timeout = 0")
    await connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATING,))
    await connection.execute("CREATE TABLE IF NOT EXISTS migration (number integer PRIMARY KEY)")
    applied = {int(number) for (number,) in await rows(connection, "SELECT number FROM migration")}
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
