from __future__ import annotations

import asyncio
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.model import (
    Action,
    Alert,
    Answer,
    Assessment,
    Case,
    Choice,
    Contact,
    Decision,
    Delivery,
    Home,
    Observation,
    Reason,
    Strength,
    Verdict,
)
from bot.store import Store
from bot.store.database import Connection
from bot.store.memory import MemoryStore
from bot.store.postgres import PostgresStore
from bot.store.tiny import TinyStore
from tests.servers.postgres import PostgresServer

NOW = datetime(2026, 5, 4, tzinfo=UTC)
LEASE = timedelta(hours=2)
DOMAINS = frozenset({"a.example", "b.example"})

addresses = st.sampled_from(["x@a.example", "y@a.example", "z@b.example"])
hours = st.integers(0, 6)
texts = st.text(max_size=3)
verbs = st.one_of(
    st.tuples(st.just("watch"), addresses, texts),
    st.tuples(st.just("unwatch"), addresses),
    st.tuples(st.just("record"), st.lists(st.tuples(addresses, hours, texts), max_size=4)),
    st.tuples(st.just("conclude"), addresses, st.sampled_from([0, 0, 0, 1]), hours, st.integers(0, 2)),
    st.tuples(st.just("take"), hours),
    st.tuples(st.just("sent"), st.integers(0, 3), hours),
    st.tuples(st.just("failed"), st.integers(0, 3), hours),
    st.tuples(st.just("held"), st.integers(0, 3), hours),
    st.tuples(st.just("due"), hours),
    st.tuples(st.just("answer"), addresses, st.integers(1, 2), st.sampled_from(Choice), hours),
    st.tuples(st.just("cursor"), texts, st.recursive(st.none() | st.integers() | texts, st.lists)),
    st.tuples(st.just("slot"), hours),
    st.tuples(st.just("reopen")),
)


class Player:
    """Plays verbs on a store and remembers what it leased."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.leases: list[tuple[Case, Delivery]] = []

    async def play(self, verb: str, *given: Any) -> Any:
        result: Any = await getattr(self, verb)(*given)
        return result, await self.store.news(), await self.store.contacts()

    async def watch(self, address: str, name: str) -> bool:
        return await self.store.watch(Contact(address, name))

    async def unwatch(self, address: str) -> bool:
        return await self.store.unwatch(address)

    async def record(self, seen: list[tuple[str, int, str]]) -> list[Observation]:
        return await self.store.record(
            Observation(address, "kind", NOW + timedelta(hours=hour), "source", text, facts={"text": text})
            for address, hour, text in seen
        )

    async def conclude(self, address: str, behind: int, hour: int, episode: int) -> bool:
        at = NOW + timedelta(hours=hour)
        verdict = list(Verdict)[hour]
        person = await self.store.person(address)
        assessment = Assessment(address, at, verdict, Strength.CLEAR, 0.5, "headline")
        decision = Decision(address, at, Action.SEND, Reason.FIRST, verdict, 0.5)
        alert = Alert(Contact(address), assessment, episode, at) if episode else None
        return await self.store.conclude(
            person.version - behind if person else 0, assessment, decision, alert
        )

    async def take(self, hour: int) -> tuple[Case, Delivery] | None:
        taken = await self.store.take_alert(NOW + timedelta(hours=hour), LEASE)
        self.leases += [taken] if taken else []
        return taken

    async def sent(self, index: int, hour: int) -> bool | None:
        if index >= len(self.leases):
            return None
        case, delivery = self.leases[-1 - index]
        return await self.store.alert_sent(
            case.key, delivery, Home("C", str(hour)), NOW + timedelta(hours=hour)
        )

    async def failed(self, index: int, hour: int) -> bool | None:
        if index >= len(self.leases):
            return None
        case, delivery = self.leases[-1 - index]
        return await self.store.alert_failed(case.key, delivery, NOW + timedelta(hours=hour))

    async def held(self, index: int, hour: int) -> bool | None:
        if index >= len(self.leases):
            return None
        case, delivery = self.leases[-1 - index]
        until = NOW + timedelta(hours=hour)
        reason = Reason.QUIET_HOURS if hour else Reason.OVER_BUDGET
        decision = Decision(case.contact, NOW, Action.HOLD, reason, Verdict.LEFT, 0.5)
        return await self.store.alert_failed(case.key, delivery, until, decision)

    async def due(self, hour: int) -> list[str]:
        return await self.store.due(NOW + timedelta(hours=hour))

    async def answer(self, address: str, episode: int, choice: Choice, hour: int) -> Case | None:
        at = NOW + timedelta(hours=hour)
        return await self.store.answer(Answer(address, f"{address}:{episode}", "URITA", at, choice))

    async def cursor(self, source: str, cursor: Any) -> Any:
        await self.store.save_cursor(source, cursor)
        return await self.store.cursor(source)

    async def slot(self, hour: int) -> bool:
        return await self.store.claim_slot("watcher", NOW + timedelta(hours=hour))


@settings(max_examples=30, deadline=None)
@given(st.lists(verbs, max_size=25))
def test_the_twin_in_memory_does_what_the_store_on_disk_does(script: list[tuple[Any, ...]]) -> None:
    async def main(folder: Path) -> None:
        memory, tiny = Player(MemoryStore()), Player(await TinyStore.open(folder))
        try:
            for verb, *given in script:
                if verb == "reopen" and tiny.leases:
                    continue  # the leases of a process end with it
                if verb == "reopen":
                    await tiny.store.close()
                    tiny.store = await TinyStore.open(folder)
                else:
                    assert await tiny.play(verb, *given) == await memory.play(verb, *given)
            assert await tiny.store.people(DOMAINS) == await memory.store.people(DOMAINS)
        finally:
            await tiny.store.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(Path(folder)))


TWIN = "twin"


async def empty(connection: Connection) -> None:
    await connection.execute("TRUNCATE person, waiting, cursor_of, slot, event, forgotten, forgetting")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=st.lists(verbs, max_size=25))
def test_the_twin_in_memory_does_what_the_database_does(
    script: list[tuple[Any, ...]], postgres_server: PostgresServer
) -> None:
    url = postgres_server.url(TWIN)
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (TWIN,)).fetchone():
            connection.execute(f"CREATE DATABASE {TWIN}".encode())

    async def main() -> None:
        opened = await PostgresStore.open(url)
        await opened.database.run(empty)
        memory, database = Player(MemoryStore()), Player(opened)
        try:
            for verb, *given in script:
                if verb == "reopen":
                    await database.store.close()
                    database.store = await PostgresStore.open(url)
                else:
                    assert await database.play(verb, *given) == await memory.play(verb, *given)
            assert await database.store.people(DOMAINS) == await memory.store.people(DOMAINS)
            assert await database.store.watchlist() == await memory.store.watchlist()
            assert await database.store.cases() == await memory.store.cases()
        finally:
            await database.store.close()

    asyncio.run(main())
