"""How a person, a cursor and a claim are read and written in a transaction of PostgreSQL."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.model import Json, Person
from bot.store import Amendment, changes, codec
from bot.store.database import Connection, rows
from bot.store.forgotten import Forgotten
from bot.store.moving import Entry

PERSON = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"

PUT = """
    INSERT INTO person (address, domain, version, watched, news, has_cases, brief, observations)
    VALUES (%s, %s, %s, %s, %s, %s, %s::json, %s::json)
    ON CONFLICT (address) DO UPDATE SET version = excluded.version, watched = excluded.watched,
        news = excluded.news, has_cases = excluded.has_cases, brief = excluded.brief,
        observations = excluded.observations, changed = pg_current_xact_id()
"""
PUT_BRIEF = """
    UPDATE person SET version = %s, watched = %s, news = %s, has_cases = %s, brief = %s::json,
        changed = pg_current_xact_id()
    WHERE address = %s
"""

PUT_CURSOR = """
    INSERT INTO cursor_of VALUES (%s, %s::json) ON CONFLICT (source) DO UPDATE SET cursor = excluded.cursor
"""
NO_CURSOR = "INSERT INTO cursor_of VALUES (%s, 'null') ON CONFLICT DO NOTHING"
LOCKED_CURSOR = "SELECT cursor FROM cursor_of WHERE source = %s FOR UPDATE"

SLOT = "INSERT INTO slot VALUES (%s, %s, %s) ON CONFLICT DO NOTHING RETURNING 1"
MY_SLOT = "SELECT 1 FROM slot WHERE watcher = %s AND slot = %s AND claimant = %s"
EVENT = "INSERT INTO event VALUES (%s, %s, %s) ON CONFLICT DO NOTHING RETURNING 1"
MY_EVENT = "SELECT 1 FROM event WHERE event = %s AND claimant = %s"

RAISED = "stillthere_raised"
"""The channel on which it is said that there is an alert to bring out."""


async def locked(connection: Connection, address: str) -> Person | None:
    """Return a person whom nobody else changes until the transaction ends; None where nothing is kept."""
    await connection.execute(PERSON, (address,))
    found = await rows(connection, "SELECT brief, observations FROM person WHERE address = %s", address)
    return person_of(*found[0]) if found else None


async def put(connection: Connection, before: Person, after: Person) -> bool:
    """Write what changed of a person who is locked; say whether anything did."""
    if after is before:
        return False
    brief = text_of(codec.to_document(replace(after, observations=())))
    state = (after.version, after.contact is not None, after.news, bool(after.cases))
    if before.version and after.observations is before.observations:
        await connection.execute(PUT_BRIEF, (*state, brief, after.address))
    else:
        observations = codec.to_document(Person(after.address, observations=after.observations))
        seen = text_of(observations["observations"])
        domain = after.address.rpartition("@")[2]
        await connection.execute(PUT, (after.address, domain, *state, brief, seen))
    waiting = outbox(after)
    if waiting != outbox(before):
        await connection.execute("DELETE FROM waiting WHERE address = %s", (after.address,))
        for one in waiting:
            await connection.execute("INSERT INTO waiting VALUES (%s, %s, %s, %s, %s, %s, %s)", one)
        if any(until is None for *_, until, _ in waiting):
            await connection.execute("SELECT pg_notify(%s, '')", (RAISED,))
    return True


async def erase(connection: Connection, address: str) -> bool:
    """Erase a person who is locked, and let every process know that somebody is gone."""
    erased = await rows(connection, "DELETE FROM person WHERE address = %s RETURNING 1", address)
    if erased:
        await connection.execute("UPDATE erased SET times = times + 1")
    return bool(erased)


def outbox(person: Person) -> list[tuple[object, ...]]:
    """Return the rows of a person's alerts that wait."""
    return [
        (one.case, person.address, one.key, one.rank, one.at, one.leased_until, one.held)
        for one in changes.waiting(person)
    ]


async def put_cursor(connection: Connection, source: str, cursor: Json) -> None:
    """Keep where reading of a source goes on."""
    await connection.execute(PUT_CURSOR, (source, text_of(cursor)))


async def amend_cursor(
    connection: Connection, source: str, amendment: Amendment, forgotten: Forgotten
) -> Json:
    """Change a cursor that nobody else changes until the transaction ends; return what is kept then."""
    # A row that is not there cannot be locked, and two would each begin with nothing.
    await connection.execute(NO_CURSOR, (source,))
    ((before,),) = await rows(connection, LOCKED_CURSOR, source)
    after: Json = forgotten.cleaned(codec.normal(amendment(before)))
    if after != before:
        await put_cursor(connection, source, after)
    return after


async def claim_slot(connection: Connection, watcher: str, slot: datetime, claimant: str) -> bool:
    """Claim a planned run in the transaction that is open; True for exactly one claimant."""
    watcher, slot = codec.normal(watcher), codec.normal(slot)
    if not await rows(connection, SLOT, watcher, slot, claimant):
        return bool(await rows(connection, MY_SLOT, watcher, slot, claimant))
    outdated = "DELETE FROM slot WHERE watcher = %s AND slot < %s"
    await connection.execute(outdated, (watcher, slot - changes.SLOTS_KEPT))
    return True


async def claim_event(connection: Connection, event: str, now: datetime, claimant: str) -> bool:
    """Claim something that may be delivered twice in the transaction that is open."""
    event, now = codec.normal(event), codec.normal(now)
    if not await rows(connection, EVENT, event, now, claimant):
        return bool(await rows(connection, MY_EVENT, event, claimant))
    await connection.execute("DELETE FROM event WHERE at < %s", (now - changes.EVENTS_KEPT,))
    return True


async def take(connection: Connection, entry: Entry) -> None:
    """Keep what another store gave; taking it twice is taking it once."""
    if entry.shelf == "person":
        before = await locked(connection, entry.key) or Person(entry.key)
        await put(connection, replace(before, version=0), codec.from_document(entry.document))
    elif entry.shelf == "cursor":
        await put_cursor(connection, entry.key, entry.document)
    elif entry.shelf == "slot":
        slot, _, watcher = entry.key.partition(" ")
        insert = "INSERT INTO slot VALUES (%s, %s) ON CONFLICT DO NOTHING"
        await connection.execute(insert, (watcher, datetime.fromisoformat(slot)))
    elif entry.shelf == "event":
        insert = "INSERT INTO event VALUES (%s, %s) ON CONFLICT DO NOTHING"
        await connection.execute(insert, (entry.key, datetime.fromisoformat(str(entry.document))))
    else:
        insert = "INSERT INTO forgotten (mark) VALUES (%s) ON CONFLICT DO NOTHING"
        await connection.execute(insert, (entry.key,))


def person_of(brief: dict[str, Any], observations: list[Any]) -> Person:
    """Return the person of a row."""
    return codec.from_document({**brief, "observations": observations})


def text_of(value: object) -> str:
    """Return the JSON text of a document."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
