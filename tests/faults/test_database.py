"""A database that goes away, comes back, refuses, is full, or does not say whether it did what we asked."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from structlog.testing import capture_logs

from bot.model import Contact, NeedsHuman, Observation
from bot.store import StoreDown, database
from bot.store.outage import PATIENCE_SECONDS
from bot.store.postgres import PostgresStore
from tests.servers.postgres import PostgresServer
from tests.servers.proxy import Mood, Proxy, proxy

pytestmark = pytest.mark.long

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
JANE = Contact("jane@acme.example", "Jane")
FULL = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
    CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON person EXECUTE FUNCTION refuse();
"""

IMPATIENT = 3.0


def sighting(number: int) -> Observation:
    return Observation(JANE.address, "wrote", NOW - timedelta(hours=number), "imap:a", "They wrote.")


def execute(url: str, *queries: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for query in queries:
            connection.execute(query.encode())


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "CONNECT_SECONDS", 2)


@pytest.fixture
def between(own_database_server: PostgresServer) -> Iterator[Proxy]:
    with proxy(own_database_server.port) as running:
        yield running


@pytest.fixture
async def store(
    own_database_server: PostgresServer, request: pytest.FixtureRequest
) -> AsyncIterator[PostgresStore]:
    patience = IMPATIENT if "impatient" in request.fixturenames else PATIENCE_SECONDS
    async with await PostgresStore.open(own_database_server.new_database(), patience) as opened:
        yield opened


async def far_away(
    server: PostgresServer, between: Proxy, patience: float = PATIENCE_SECONDS
) -> PostgresStore:
    """Return a store that reaches its database through the proxy."""
    url = server.new_database().replace(f":{server.port}/", f":{between.port}/")
    return await PostgresStore.open(url, patience)


async def test_a_database_that_is_shot_and_started_again_is_not_noticed_by_who_writes(
    own_database_server: PostgresServer, store: PostgresStore
) -> None:
    await store.watch(JANE)

    async def write() -> None:
        for number in range(40):
            await store.record([sighting(number)])
            await asyncio.sleep(0.02)

    async def shoot() -> None:
        await asyncio.sleep(0.2)
        await asyncio.to_thread(own_database_server.kill)
        await asyncio.sleep(0.5)
        await asyncio.to_thread(own_database_server.start)

    with capture_logs() as logs:
        await asyncio.gather(write(), shoot())
    person = await store.person(JANE.address)
    assert person is not None
    assert sorted(seen.at for seen in person.observations) == sorted(sighting(n).at for n in range(40))
    assert logs == []


@pytest.mark.usefixtures("impatient")
async def test_a_database_that_stays_away_is_said_once_and_found_again_without_a_hand(
    own_database_server: PostgresServer, store: PostgresStore
) -> None:
    await store.watch(JANE)
    with capture_logs() as logs:
        await asyncio.to_thread(own_database_server.kill)
        for _ in range(2):
            with pytest.raises(StoreDown, match="the database cannot be used"):
                await store.record([sighting(1)])
        await asyncio.to_thread(own_database_server.start)
        async with asyncio.timeout(30):
            while True:
                try:
                    await store.record([sighting(1)])
                    break
                except StoreDown:
                    continue
    assert [line["event"] for line in logs] == ["store.down", "store.recovered"]


@pytest.mark.parametrize("claim", ["slot", "event"])
async def test_who_claimed_and_lost_the_answer_is_not_refused_what_is_theirs(
    own_database_server: PostgresServer, between: Proxy, claim: str
) -> None:
    async with await far_away(own_database_server, between) as store:

        async def claimed() -> bool:
            if claim == "slot":
                return await store.claim_slot("mailbox", NOW)
            return await store.claim_event("press", NOW)

        between.cut_after = b"COMMIT"
        assert await claimed()
        assert between.cut_after == b""
        assert not await claimed()


async def test_what_was_written_although_the_answer_was_lost_is_there_once(
    own_database_server: PostgresServer, between: Proxy
) -> None:
    async with await far_away(own_database_server, between) as store:
        await store.watch(JANE)
        between.cut_after = b"COMMIT"
        await store.record([sighting(1)])
        person = await store.person(JANE.address)
    assert person is not None
    assert person.observations == (sighting(1),)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("mood", [Mood.SILENT, Mood.REFUSING])
async def test_a_database_behind_a_line_that_died_is_away_and_is_back_with_the_line(
    own_database_server: PostgresServer,
    between: Proxy,
    mood: Mood,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(database, "ANSWER_SECONDS", 1)
    monkeypatch.setattr(database, "CHECK_SECONDS", 1)
    async with await far_away(own_database_server, between, IMPATIENT) as store:
        await store.watch(JANE)
        between.mood = mood
        if mood is Mood.REFUSING:
            between.cut()
        with capture_logs() as logs:
            with pytest.raises(StoreDown):
                await store.record([sighting(1)])
            between.mood = Mood.FAITHFUL
            between.cut()
            async with asyncio.timeout(60):
                while True:
                    try:
                        assert await store.record([sighting(2)])
                        break
                    except StoreDown:
                        continue
    assert [line["event"] for line in logs] == ["store.down", "store.recovered"]


@pytest.mark.usefixtures("impatient")
async def test_a_full_disk_is_said_once_and_what_did_not_fit_can_be_written_later(
    store: PostgresStore,
) -> None:
    await store.watch(JANE)
    url = store.database.pool.conninfo
    assert isinstance(url, str)
    execute(url, FULL)
    with capture_logs() as logs:
        for _ in range(2):
            with pytest.raises(StoreDown, match="No space left on device"):
                await store.record([sighting(1)])
        assert await store.contacts() == [JANE]
        execute(url, "DROP TRIGGER refuse ON person")
        assert await store.record([sighting(1)]) == [sighting(1)]
    assert [line["event"] for line in logs].count("store.down") >= 1
    assert logs[-1]["event"] == "store.recovered"


@pytest.mark.usefixtures("impatient")
async def test_a_server_that_became_read_only_is_left_for_the_one_that_takes_writes(
    store: PostgresStore,
) -> None:
    await store.watch(JANE)
    url = store.database.pool.conninfo
    assert isinstance(url, str)
    name = url.rpartition("/")[2]
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'stillthere'"
    execute(url, f"ALTER DATABASE {name} SET default_transaction_read_only = on", others)
    with pytest.raises(StoreDown, match="read-only transaction"):
        await store.record([sighting(1)])
    with psycopg.connect(url, options="-c default_transaction_read_only=off", autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only".encode())
    assert await store.record([sighting(1)])


async def test_where_few_connections_are_allowed_everybody_waits_their_turn(
    own_database_server: PostgresServer,
) -> None:
    url = own_database_server.new_database()
    name = url.rpartition("/")[2]
    execute(
        url,
        "DROP ROLE IF EXISTS few",
        "CREATE ROLE few LOGIN CONNECTION LIMIT 2",
        f"ALTER DATABASE {name} OWNER TO few",
        "ALTER SCHEMA public OWNER TO few",
    )
    async with await PostgresStore.open(url.replace("stillthere@", "few@")) as store:
        await asyncio.gather(*(store.record([sighting(number)]) for number in range(30)))
        person = await store.person(JANE.address)
    assert person is not None
    assert len(person.observations) == 30
    execute(url, f"ALTER DATABASE {name} OWNER TO stillthere", "REASSIGN OWNED BY few TO stillthere")


@pytest.mark.parametrize(
    ("change", "said", "cure"),
    [
        (("stillthere@", "nobody_knows_me@"), "nobody_knows_me", "the user, its password"),
        (("/test_", "/not_made_"), "not_made_", "make the database"),
        (("/test_", "/test_"), "does not support SSL", "take sslmode out"),
    ],
)
async def test_a_database_that_refuses_us_needs_a_human_and_not_patience(
    own_database_server: PostgresServer, change: tuple[str, str], said: str, cure: str
) -> None:
    url = own_database_server.new_database().replace(*change)
    if "SSL" in said:
        url += "?sslmode=require"
    began = time.monotonic()
    with pytest.raises(NeedsHuman, match=said) as refused:
        await PostgresStore.open(url)
    assert cure in refused.value.how
    assert time.monotonic() - began < PATIENCE_SECONDS / 2


async def test_whoever_may_make_no_tables_is_told_to_own_the_database(
    own_database_server: PostgresServer,
) -> None:
    url = own_database_server.new_database()
    execute(
        url,
        "DROP ROLE IF EXISTS poor",
        "CREATE ROLE poor LOGIN",
        "REVOKE CREATE ON SCHEMA public FROM public",
    )
    with pytest.raises(NeedsHuman, match="permission denied") as refused:
        await PostgresStore.open(url.replace("stillthere@", "poor@"))
    assert "owner of the database" in refused.value.how


async def test_what_one_process_raises_another_hears_without_asking(
    own_database_server: PostgresServer,
) -> None:
    from tests.store.contents import alarm, warn

    url = own_database_server.new_database()
    async with await PostgresStore.open(url) as worker, await PostgresStore.open(url) as teller:
        heard = asyncio.Event()
        hearing = asyncio.create_task(teller.hear(heard.set))
        async with asyncio.timeout(60):
            await heard.wait()  # it listens
        heard.clear()
        await warn(worker, alarm())
        async with asyncio.timeout(60):
            await heard.wait()
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)


async def test_every_process_sees_whom_another_watches_changes_and_forgets(
    own_database_server: PostgresServer,
) -> None:
    url = own_database_server.new_database()
    async with await PostgresStore.open(url) as one, await PostgresStore.open(url) as other:
        await asyncio.gather(*(one.watch(Contact(f"person{at}@acme.example")) for at in range(20)))
        assert await other.contacts() == await one.contacts()
        assert len(await other.contacts()) == 20
        await one.watch(Contact("person3@acme.example", "Three"))
        await one.unwatch("person4@acme.example")
        await one.forget("person5@acme.example")
        seen = {contact.address: contact.name for contact in await other.contacts()}
        assert seen["person3@acme.example"] == "Three"
        assert len(seen) == 18
        assert not {"person4@acme.example", "person5@acme.example"} & seen.keys()
        assert [*seen] == sorted(seen)
