"""Keep everything in PostgreSQL, for several processes at once.

Each verb is one transaction. Whoever changes a person holds that person's advisory lock, which also covers
somebody who is not kept yet; the change itself is the pure one of `changes`, as in every other store. Erasure
excludes all other writers for the moment in which it becomes known.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Self, TypeVar

from bot.model import (
    Answer,
    Case,
    Contact,
    Delivery,
    Json,
    Observation,
    Person,
    Watched,
)
from bot.store import FARTHEST_HOLD, FARTHEST_LEASE, Amendment, changes, codec, table
from bot.store.condition import condition
from bot.store.database import Connection, Database, rows
from bot.store.erasure import Erasure
from bot.store.forgotten import Forgotten
from bot.store.moving import Entry
from bot.store.outage import PATIENCE_SECONDS
from bot.store.outlines import Outlines
from bot.store.verbs import Verbs

T = TypeVar("T")

TRY_PERSON = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))"

NEXT_ALERTS = """
    SELECT case_key, address FROM waiting
    WHERE (leased_until IS NULL OR leased_until <= %s
            OR leased_until > CASE WHEN held THEN %s ELSE %s END)
        AND (%s = '' OR case_key = %s)
    ORDER BY rank, at, alert_key COLLATE "C" LIMIT %s
"""
CANDIDATES = 32
"""How many alerts are tried for at once; others hold at most as many as there are posters."""

BATCH = 200
IN_BATCHES = """
    SELECT array_agg(address)
    FROM (SELECT address, row_number() OVER (ORDER BY address) AS at FROM person) AS numbered
    GROUP BY (at - 1) / %s
"""


class PostgresStore(Verbs):
    """The store of several processes; see `bot.store.Store`. Open it with `open` or `async with`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.notices: list[str] = []
        self._erasure = Erasure(database)
        self._outlines = Outlines(self._read)
        self.took: Callable[[float], None] = lambda _seconds: None
        """Told how many seconds each write took, patience with the database included."""

    @classmethod
    async def open(cls, url: str, patience: float = PATIENCE_SECONDS) -> Self:
        """Connect, bring the schema up to date, and end erasures that were begun.

        A database that is away is asked again for `patience` seconds, here and ever after.
        """
        store = cls(await Database.open(url, patience=patience))
        try:
            await store._erasure.open()
        except BaseException:
            await store.close()
            raise
        return store

    @classmethod
    async def look(cls, url: str, patience: float = PATIENCE_SECONDS) -> Self:
        """Connect for looking only, also beside a running service: every verb that writes fails.

        Nothing is migrated and no erasure ended. Raise NeedsHuman where the schema is not this version's.
        """
        store = cls(await Database.look(url, patience))
        try:
            (await store.database.run(condition)).check()
            await store.database.run(store._erasure.read)
        except BaseException:
            await store.close()
            raise
        return store

    @property
    def _forgotten(self) -> Forgotten:
        return self._erasure.forgotten

    async def watch(self, contact: Contact) -> bool:
        """Keep the contact, or bring what is known of them up to date; say whether they are new."""
        address = codec.normal(contact.address)

        async def write(connection: Connection) -> bool:
            if address in self._forgotten:
                return False
            person = await table.locked(connection, address) or Person(address)
            await table.put(connection, person, changes.watched(person, contact))
            return person.contact is None

        return await self._write(write)

    async def unwatch(self, address: str) -> bool:
        """Stop watching; what is known stays. Say whether they were watched."""

        async def write(connection: Connection) -> bool:
            person = await table.locked(connection, codec.normal(address))
            if person is None or person.contact is None:
                return False
            return await table.put(connection, person, changes.unwatched(person))

        return await self._write(write)

    async def forget(self, address: str) -> bool:
        """Erase a person from all that is kept; only a keyed hash stays."""
        return await self._erasure.forget(codec.normal(address).strip().lower())

    async def expire(self, address: str, version: int) -> bool:
        """Erase what is kept of somebody whose time is over; nothing keeps them out afterwards."""
        return await self._erasure.expire(codec.normal(address), version)

    async def contacts(self) -> list[Contact]:
        """Return everybody who is watched, by address."""
        return [watched.contact for watched in await self.watchlist()]

    async def watchlist(self) -> list[Watched]:
        """Return everybody who is watched with what is thought of them, by address.

        What was read before is read again only where it changed.
        """
        return await self._outlines.all()

    async def cases(self) -> list[Case]:
        """Return every case there ever was, by contact and episode."""
        found = await self._read("SELECT brief FROM person WHERE has_cases")
        people = sorted((table.person_of(brief, []) for (brief,) in found), key=lambda person: person.address)
        return [case for person in people for case in person.cases]

    async def person(self, address: str) -> Person | None:
        """Return all that is kept of a person, or None."""
        if not _can_be_kept(address):
            return None
        found = await self._read("SELECT brief, observations FROM person WHERE address = %s", address)
        return table.person_of(*found[0]) if found else None

    async def people(self, domains: frozenset[str]) -> list[Person]:
        """Return everybody, watched or not, whose address is at one of these domains, by address."""
        kept = [*filter(_can_be_kept, domains)]
        found = await self._read("SELECT brief, observations FROM person WHERE domain = ANY(%s)", kept)
        return sorted((table.person_of(*row) for row in found), key=lambda person: person.address)

    async def everybody(self) -> AsyncIterator[Person]:
        """Yield everybody of whom something is kept, watched or not; others may change it meanwhile."""
        for (addresses,) in await self._read(IN_BATCHES, BATCH):
            query = "SELECT brief, observations FROM person WHERE address = ANY(%s)"
            for row in await self._read(query, addresses):
                yield table.person_of(*row)
                await asyncio.sleep(0)

    async def record(self, observations: Iterable[Observation]) -> list[Observation]:
        """Keep what is not yet known and return just that; each person it is about then has news."""
        about = changes.by_person(observations)

        async def write(connection: Connection) -> list[Observation]:
            recorded = {}
            for address in sorted(about):  # in one order everywhere, so that no two wait for each other
                if address in self._forgotten:
                    continue
                theirs = map(self._forgotten.observation, about[address])
                person = await table.locked(connection, address) or Person(address)
                after, recorded[address] = changes.recorded(person, theirs)
                await table.put(connection, person, after)
            return [seen for address in about for seen in recorded.get(address, ())]

        return await self._write(write) if about else []

    async def news(self) -> list[str]:
        """Return the addresses of watched people with observations no assessment has seen, sorted."""
        return sorted(row[0] for row in await self._read("SELECT address FROM person WHERE watched AND news"))

    async def due(self, now: datetime) -> list[str]:
        """Return the keys of the cases with an alert that may be taken now, gravest first, then oldest."""
        return [row[0] for row in await self._read(NEXT_ALERTS, *_free(codec.normal(now)), "", "", None)]

    async def take_alert(
        self, now: datetime, lease: timedelta, case: str = ""
    ) -> tuple[Case, Delivery] | None:
        """Lease an alert that is unsent, or whose lease ran out; None where there is none.

        Alerts of people whom another process is changing at this moment are passed over for the next.
        """
        now, case = codec.normal(now), codec.normal(case)

        async def write(connection: Connection) -> tuple[Case, Delivery] | None:
            for _, address in await rows(connection, NEXT_ALERTS, *_free(now), case, case, CANDIDATES):
                if not case and not (await rows(connection, TRY_PERSON, address))[0][0]:
                    continue
                person = await table.locked(connection, address)
                free = [
                    one
                    for one in (changes.waiting(person) if person else ())
                    if one.is_free(now) and case in {"", one.case}
                ]
                if person is None or not free:
                    continue
                after, held, delivery = changes.leased(person, min(free).key, now, lease)
                await table.put(connection, person, after)
                return held, delivery
            return None

        return await self._write(write)

    async def answer(self, answer: Answer, observation: Observation | None = None) -> Case | None:
        """Keep a rep's word on a case and return the case as it stands now; None where there is none."""

        async def write(connection: Connection) -> Case | None:
            person = await table.locked(connection, codec.normal(answer.contact))
            found = changes.answered(person, answer, observation) if person else None
            if person is None or found is None:
                return None
            after, case = found
            await table.put(connection, person, after)
            return case

        return await self._write(write)

    async def cursor(self, source: str) -> Json:
        """Return where reading of a source goes on, None where it was never read."""
        found = await self._read("SELECT cursor FROM cursor_of WHERE source = %s", codec.normal(source))
        cursor: Json = found[0][0] if found else None
        return cursor

    async def save_cursor(self, source: str, cursor: Json) -> None:
        """Keep where reading of a source goes on."""

        async def write(connection: Connection) -> None:
            cleaned = self._forgotten.cleaned(codec.normal(cursor))
            await table.put_cursor(connection, codec.normal(source), cleaned)

        await self._write(write)

    async def amend_cursor(self, source: str, amendment: Amendment) -> Json:
        """Change a cursor in one step and return what is kept then."""

        async def write(connection: Connection) -> Json:
            return await table.amend_cursor(connection, codec.normal(source), amendment, self._forgotten)

        return await self._write(write)

    async def claim_slot(self, watcher: str, slot: datetime) -> bool:
        """Claim a planned run; True for exactly one caller."""
        claimant = secrets.token_hex()

        async def write(connection: Connection) -> bool:
            return await table.claim_slot(connection, watcher, slot, claimant)

        return await self._write(write)

    async def claim_event(self, event: str, now: datetime) -> bool:
        """Claim something that may be delivered to us twice; True once, for a day at least."""
        claimant = secrets.token_hex()

        async def write(connection: Connection) -> bool:
            return await table.claim_event(connection, event, now, claimant)

        return await self._write(write)

    async def entries(self) -> AsyncIterator[Entry]:
        """Yield all that is kept, for another store to take; people a few at a time."""
        async for person in self.everybody():
            yield Entry("person", person.address, codec.to_document(person))
        for source, cursor in await self._read("SELECT source, cursor FROM cursor_of"):
            yield Entry("cursor", source, cursor)
        for watcher, slot in await self._read("SELECT watcher, slot FROM slot"):
            yield Entry("slot", f"{codec.normal(slot).isoformat()} {watcher}", None)
        for event, at in await self._read("SELECT event, at FROM event"):
            yield Entry("event", event, codec.normal(at).isoformat())
        await self.database.run(self._erasure.read)
        yield Entry("forgotten key", "", self._forgotten.key.hex())
        for mark in self._forgotten.marks:
            yield Entry("forgotten", mark, None)

    async def take(self, entries: Sequence[Entry]) -> None:
        """Keep what another store gave; taking it twice is taking it once."""

        async def write(connection: Connection) -> None:
            for entry in sorted(entries, key=lambda entry: (entry.shelf, entry.key)):
                if entry.shelf == "forgotten key":
                    await self._erasure.take_key(connection, bytes.fromhex(str(entry.document)))
                else:
                    await table.take(connection, entry)

        await self._erasure.alone(write)
        await self.database.run(self._erasure.read)

    async def close(self) -> None:
        """Let go of every connection."""
        await self.database.close()

    async def hear(self, raised: Callable[[], None]) -> None:
        """Call `raised` whenever any process raised an alert, until cancelled; missed calls are no loss."""
        await self.database.listen(table.RAISED, raised)

    async def _read(self, query: str, *given: Any) -> list[Any]:
        return await self.database.run(lambda connection: rows(connection, query, *given))

    async def _write(self, write: Callable[[Connection], Awaitable[T]]) -> T:
        """Do a write that knows everybody who was to be forgotten before it."""
        begun = time.perf_counter()
        done = await self._erasure.write(write)
        self.took(time.perf_counter() - begun)
        return done

    async def _write_person(self, address: str, change: Callable[[Person], Person | None]) -> bool:
        """Change a person, who may be new, in one write; False where the change is refused."""
        address = codec.normal(address)

        async def write(connection: Connection) -> bool:
            person = await table.locked(connection, address) or Person(address)
            after = change(person)
            if after is None:
                return False
            await table.put(connection, person, after)
            return True

        return await self._write(write)


def _free(now: datetime) -> tuple[datetime, datetime, datetime]:
    """Return until when an alert must have been held, or from when, for nobody to hold it now."""
    return now, now + FARTHEST_HOLD, now + FARTHEST_LEASE


def _can_be_kept(name: str) -> bool:
    """Say whether a name is one that the database can hold; no other is in it."""
    return codec.normal(name) == name
