"""Whom a database has forgotten, and how they are erased from it while others write.

Every write holds a lock that erasure excludes for the moment in which it becomes known, and first reads whom
it is not to keep. Marks are only ever added under that exclusion: they become visible in the order of their
numbers, so that whoever has read up to one has missed none.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from bot.model import Contact, NeedsHuman
from bot.store import table
from bot.store.database import Connection, Database, rows
from bot.store.forgotten import Forgotten, expired, neighbourhood, new_key
from watchers.web.listed import LISTED

T = TypeVar("T")

WRITING = "SELECT pg_advisory_xact_lock_shared(7400002, 0)"
FORGETTING = "SELECT pg_advisory_xact_lock(7400002, 0)"

MARKS = "SELECT key, number, mark FROM forgotten_key LEFT JOIN forgotten ON number > %s ORDER BY number"
"""The key comes along: whoever moved everything in here changed it, and our marks are worth nothing then."""

MARK = "INSERT INTO forgotten (mark) VALUES (%s) ON CONFLICT DO NOTHING"
ACCOUNTS = """
    SELECT address, '', '', brief -> 'contact' ->> 'account' FROM person
    WHERE brief -> 'contact' ->> 'account' <> ''
"""
NAMING = "brief::text ILIKE %s OR observations::text ILIKE %s"


class Erasure:
    """Whom a database has forgotten, as far as this process has read it."""

    def __init__(self, database: Database) -> None:
        self.forgotten = Forgotten(b"")
        self._database = database
        self._read_up_to = 0

    async def open(self) -> None:
        """Make the key of the marks where there is none, read the marks, and end what was begun."""

        async def work(connection: Connection) -> None:
            query = "INSERT INTO forgotten_key (key) VALUES (%s) ON CONFLICT DO NOTHING"
            await connection.execute(query, (new_key(),))

        await self._database.run(work)
        await self.end()

    async def read(self, connection: Connection) -> None:
        """Read the marks that are new."""
        found = await rows(connection, MARKS, self._read_up_to)
        key = bytes(found[0][0]) if found else b""
        if key != self.forgotten.key:
            self.forgotten = Forgotten(key)
            found = await rows(connection, MARKS, 0)
        new = {mark for _, _, mark in found if mark is not None}
        if new:
            self.forgotten = replace(self.forgotten, marks=self.forgotten.marks | new)
            self._read_up_to = found[-1][1]

    async def write(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do a write, in one transaction, that knows everybody who was to be forgotten before it."""
        return await self._locked(WRITING, work)

    async def alone(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do a write while nobody else writes: one that marks somebody."""
        return await self._locked(FORGETTING, work)

    async def take_key(self, connection: Connection, key: bytes) -> None:
        """Take over the key of another store's marks; raise NeedsHuman where there are marks of another."""
        if self.forgotten.marks and self.forgotten.key != key:
            raise NeedsHuman(
                "the database has forgotten people under another key", "move into an empty database"
            )
        await connection.execute("UPDATE forgotten_key SET key = %s", (key,))

    async def forget(self, address: str) -> bool:
        """Erase somebody for good; say whether anything was kept of them."""

        async def begin(connection: Connection) -> bool:
            await connection.execute(MARK, (self.forgotten.mark(address),))
            await connection.execute("INSERT INTO forgetting VALUES (%s) ON CONFLICT DO NOTHING", (address,))
            return bool(await rows(connection, "SELECT 1 FROM person WHERE address = %s", address))

        kept = await self.alone(begin)
        return bool(await self.end()) or kept

    async def expire(self, address: str, version: int) -> bool:
        """Erase somebody whose time is over; False where the person's version is no longer `version`."""

        async def erase(connection: Connection) -> bool:
            person = await table.locked(connection, address)
            if person is None or person.version != version:
                return False
            return await table.erase(connection, address)

        if not await self.write(erase):
            return False
        for source in await self._cursors_naming(address):
            await self._clean_cursor(source, expired(address))
        return True

    async def end(self) -> int:
        """End every erasure that was begun; return how many rows it changed.

        Somebody who is kept although they were to be forgotten came back with an older backup.
        """
        await self.write(_nothing)
        begun = [row[0] for row in await self._ask("SELECT address FROM forgetting")]
        kept = await self._ask("SELECT address FROM person") if self.forgotten.marks else []
        changed = 0
        for address in dict.fromkeys([*begun, *(row[0] for row in kept if row[0] in self.forgotten)]):
            changed += await self._erase(address)
        return changed

    async def _erase(self, address: str) -> int:
        """Erase one person from their own row and from everybody else's."""
        mention = f"%{_pattern(address)}%"

        async def mark(connection: Connection) -> None:
            """Keep by a hash what they are called, before what says so is erased."""
            query = f"SELECT brief, observations FROM person WHERE address = %s OR {NAMING}"  # noqa: S608 - ours
            naming = await rows(connection, query, address, mention, mention)
            people = [table.person_of(*row) for row in naming]
            for name in self.forgotten.with_names(address, people, account).marks - self.forgotten.marks:
                await connection.execute(MARK, (name,))

        async def erase(connection: Connection) -> bool:
            await connection.execute(table.PERSON, (address,))
            return await table.erase(connection, address)

        account = neighbourhood(address, [Contact(*row) for row in await self._ask(ACCOUNTS)])
        await self.alone(mark)
        query = f"SELECT address FROM person WHERE domain = ANY(%s) OR {NAMING}"  # noqa: S608 - ours
        others = await self._ask(query, [*account, address.rpartition("@")[2]], mention, mention)
        changed = 0
        for (other,) in others:
            changed += await self._clean_person(other)
        for source in await self._cursors_naming(address, LISTED):
            changed += await self._clean_cursor(source, self.forgotten)
        # Last: what is begun and cut off can tell anew which account they belonged to.
        changed += int(await self.write(erase))

        async def end(connection: Connection) -> None:
            await connection.execute("DELETE FROM forgetting WHERE address = %s", (address,))

        await self.write(end)
        return changed

    async def _clean_person(self, address: str) -> bool:
        async def write(connection: Connection) -> bool:
            person = await table.locked(connection, address)
            if person is None or address in self.forgotten:
                return False
            return await table.put(connection, person, self.forgotten.person(person))

        return await self.write(write)

    async def _cursors_naming(self, *texts: str) -> list[str]:
        mentions = [f"%{_pattern(text)}%" for text in texts]
        query = "SELECT source FROM cursor_of WHERE source ILIKE ANY(%s) OR cursor::text ILIKE ANY(%s)"
        return [str(row[0]) for row in await self._ask(query, mentions, mentions)]

    async def _clean_cursor(self, source: str, forgotten: Forgotten) -> bool:
        async def write(connection: Connection) -> bool:
            found = await rows(connection, table.LOCKED_CURSOR, source)
            before = found[0][0] if found else None
            after = forgotten.cleaned(before)
            if forgotten.cleaned(source) != source:
                await connection.execute("DELETE FROM cursor_of WHERE source = %s", (source,))
                return True
            update = "UPDATE cursor_of SET cursor = %s::json WHERE source = %s"
            await connection.execute(update, (table.text_of(after), source))
            return bool(after != before)

        return await self.write(write)

    async def _locked(self, lock: str, write: Callable[[Connection], Awaitable[T]]) -> T:
        async def work(connection: Connection) -> T:
            await connection.execute(lock.encode())
            await self.read(connection)
            return await write(connection)

        return await self._database.run(work)

    async def _ask(self, query: str, *given: Any) -> list[Any]:
        return await self._database.run(lambda connection: rows(connection, query, *given))


async def _nothing(connection: Connection) -> None:
    """Write nothing: for the sake of what every write reads first."""
    del connection


def _pattern(address: str) -> str:
    """Return the address as it stands in a JSON text, for ILIKE."""
    quoted = json.dumps(address, ensure_ascii=False)[1:-1]
    return quoted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
