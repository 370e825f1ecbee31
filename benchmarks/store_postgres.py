"""The PostgreSQL store as `benchmarks.store` measures it, at ten times as many people."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Self

import psycopg

from bot.model import Observation, Person
from bot.store.database import Connection
from bot.store.outage import PATIENCE_SECONDS
from bot.store.postgres import PostgresStore
from bot.store.table import put
from tests.servers.postgres import PostgresServer

URL_FILE = "url"
PATTERNS = 500
"""So many different people are made; more are copies of them under other names."""

MULTIPLY = """
    INSERT INTO person (address, domain, version, watched, news, has_cases, brief, observations)
    SELECT name || '@' || at, at, version, watched, news, has_cases,
        replace(brief::text, address, name || '@' || at)::json,
        replace(observations::text, address, name || '@' || at)::json
    FROM generate_series(%s::integer, %s::integer) AS number
    CROSS JOIN LATERAL (SELECT 'person' || number AS name, 'account' || number / 5 || '.example' AS at) AS who
    JOIN person ON address =
        'person' || number %% %s || '@account' || number %% %s / 5 || '.example'
"""


class Postgres(PostgresStore):
    """The PostgreSQL store as it is shipped; the folder names its database."""

    @classmethod
    async def open(cls, url: Path | str, patience: float = PATIENCE_SECONDS) -> Self:
        """Connect to the database that the folder names."""
        return await super().open((Path(url) / URL_FILE).read_text(), patience)

    async def fill(self, people: Iterator[Person], count: int) -> None:
        """Keep the first of them one by one, and copy these within the server until there are so many."""
        for person in islice(people, PATTERNS):
            await self.database.run(partial(put, before=Person(person.address), after=person))

        async def multiply(connection: Connection) -> None:
            await connection.execute("SET LOCAL statement_timeout = 0")
            await connection.execute(MULTIPLY, (PATTERNS, count - 1, PATTERNS, PATTERNS))

        async def analyze(connection: Connection) -> None:
            await connection.execute("ANALYZE person")

        await self.database.run(multiply)
        await self.database.run(analyze)

    async def record(self, observation: Observation) -> None:  # type: ignore[override]
        """Keep one new observation durably."""
        await super().record([observation])


def prepare(folder: Path, server: PostgresServer) -> None:
    """Make an empty database and the folder that names it."""
    folder.mkdir()
    (folder / URL_FILE).write_text(server.new_database())


def size_of(folder: Path) -> int:
    """Return the bytes that the database takes on the disk."""
    with psycopg.connect((folder / URL_FILE).read_text()) as connection:
        found = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return int(found[0]) if found else 0
