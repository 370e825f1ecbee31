from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.model import Contact, Observation
from bot.store import StoreDown, database
from bot.store.erasure import FORGETTING
from bot.store.files import FILE
from bot.store.postgres import PostgresStore
from bot.store.tiny import TinyStore
from tests.servers.postgres import PostgresServer

TEAM = "team: {domains: [vendor.example]}\n"
NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
JANE = Contact("jane@acme.example", "Jane", account="Acme", owner="rita@vendor.example")
LOOKS = (
    ["doctor"],
    ["privacy"],
    ["privacy", "export", JANE.address],
    ["why", JANE.address],
    ["why", JANE.address, "--now", "2026-06-01"],
    ["exposure"],
    ["learning", "show"],
)
"""Every command that promises to change nothing."""

BEGUN = "INSERT INTO forgetting VALUES ('ann@acme.example')"


def sighting(number: int) -> Observation:
    return Observation(JANE.address, "wrote", NOW + timedelta(hours=number), "imap:a", "They wrote.")


async def run(folder: Path, *words: str) -> Result:
    said = [*words, "--config", str(folder / "config.yaml")]
    return await asyncio.to_thread(CliRunner().invoke, main, said)


def findings(shown: Result, about: str) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in shown.stdout.splitlines()]
    return [(line["level"], line["what"]) for line in lines if line["about"] == about]


def fingerprint(folder: Path) -> dict[str, tuple[int, str]]:
    """Return when each file was last written, and what it holds."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mtime_ns,
            sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in sorted(folder.rglob("*"))
    }


def dump(server: PostgresServer, url: str) -> str:
    """Return everything that a database holds, its schema and its sequences included."""
    done = subprocess.run([server.binaries / "pg_dump", url], capture_output=True, check=True, timeout=60)
    lines = done.stdout.decode().splitlines()
    return "\n".join(line for line in lines if not line.startswith(("\\restrict", "\\unrestrict")))


@contextmanager
def in_use(url: str, *queries: str) -> Iterator[None]:
    """Hold what these queries lock until the block ends."""
    with psycopg.connect(url) as connection:
        for query in queries:
            connection.execute(query.encode())
        yield


@pytest.fixture
def kept(tmp_path: Path, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a database, which the settings in the folder name."""
    url = postgres_server.new_database()
    monkeypatch.setenv("DATABASE", url)
    (tmp_path / "config.yaml").write_text(f"{TEAM}database_env: DATABASE\n")
    return url


async def fill(url: str) -> None:
    async with await PostgresStore.open(url) as store:
        await store.watch(JANE)
        await store.record([sighting(0)])


def age(url: str) -> None:
    """Take a database back to the schema that an older version left."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE erased")
        connection.execute("ALTER TABLE person DROP COLUMN changed")
        connection.execute("DELETE FROM migration WHERE number > 2")


@pytest.mark.parametrize("words", LOOKS, ids=" ".join)
async def test_who_only_looks_leaves_a_data_folder_as_it_was_whatever_is_unfinished_or_damaged_there(
    tmp_path: Path, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(_: str) -> bool:
        raise OSError("the process was killed here")

    (tmp_path / "config.yaml").write_text(TEAM)
    async with await TinyStore.open(tmp_path / "data") as store:
        await store.watch(JANE)
        await store.record([sighting(0)])
        await store.save_cursor("mailbox:a", {"seen": 1})
        monkeypatch.setattr(store, "_erase", cut_off)
        with pytest.raises(OSError, match="killed"):
            await store.forget("ann@acme.example")
    half, damaged = (
        tmp_path / "data" / "people" / "half.tmp",
        next((tmp_path / "data").glob(f"cursors/*{FILE}")),
    )
    half.write_bytes(b"half")
    damaged.write_bytes(b"nothing that can be read")
    before = fingerprint(tmp_path)
    shown = await run(tmp_path, *words)
    assert shown.exit_code == 0, shown.output
    assert fingerprint(tmp_path) == before


async def test_it_looks_into_a_data_folder_while_its_service_writes_and_neither_disturbs_the_other(
    tmp_path: Path,
) -> None:
    (tmp_path / "config.yaml").write_text(TEAM)
    async with await TinyStore.open(tmp_path / "data") as store:
        await store.watch(JANE)
        looking = asyncio.create_task(run(tmp_path, "doctor", "--json"))
        number = 0
        while not looking.done():
            await store.record([sighting(number)])
            number += 1
        assert (await looking).exit_code == 0, (await looking).output
    async with await TinyStore.open(tmp_path / "data") as store:
        person = await store.person(JANE.address)
    assert person is not None
    assert len(person.observations) == number


@pytest.mark.parametrize("words", LOOKS, ids=" ".join)
async def test_who_only_looks_leaves_a_database_as_it_was_an_erasure_that_was_begun_too(
    tmp_path: Path, postgres_server: PostgresServer, kept: str, words: list[str]
) -> None:
    await fill(kept)
    with psycopg.connect(kept, autocommit=True) as connection:
        connection.execute(BEGUN)
    before = dump(postgres_server, kept)
    shown = await run(tmp_path, *words)
    assert shown.exit_code == 0, shown.output
    assert dump(postgres_server, kept) == before


@pytest.mark.parametrize("words", LOOKS, ids=" ".join)
async def test_nobody_who_only_looks_brings_a_database_up_to_date(
    tmp_path: Path, postgres_server: PostgresServer, kept: str, words: list[str]
) -> None:
    await fill(kept)
    age(kept)
    before = dump(postgres_server, kept)
    shown = await run(tmp_path, *words)
    assert shown.exit_code == (0 if words == ["doctor"] else 2), shown.output
    assert "migrations" in shown.output
    assert dump(postgres_server, kept) == before


async def test_what_the_next_start_would_do_to_a_database_is_said_and_not_done(
    tmp_path: Path, postgres_server: PostgresServer, kept: str
) -> None:
    empty = dump(postgres_server, kept)
    shown = await run(tmp_path, "doctor", "--json")
    assert findings(shown, "database")[1:] == [
        ("ok", "nothing is kept there yet; the first start sets it up")
    ]
    assert dump(postgres_server, kept) == empty
    await fill(kept)
    age(kept)
    with psycopg.connect(kept, autocommit=True) as connection:
        connection.execute(BEGUN)
    shown = await run(tmp_path, "doctor", "--json")
    assert findings(shown, "database")[1:] == [
        ("warning", f"migrations that the next start applies: {len(database.migrations()) - 2}"),
        ("ok", "interrupted erasures that the next start ends: 1"),
    ]
    with psycopg.connect(kept, autocommit=True) as connection:
        connection.execute("INSERT INTO migration VALUES (9999)")
    shown = await run(tmp_path, "doctor", "--json")
    assert ("problem", "it was written by a newer version of Stillthere (migration 9999)") in findings(
        shown, "database"
    )


async def test_it_waits_for_no_lock_that_the_service_holds_and_holds_none_itself(
    tmp_path: Path, kept: str
) -> None:
    await fill(kept)
    service = (FORGETTING, "SELECT pg_advisory_xact_lock(7400001)", "SELECT * FROM person FOR UPDATE")
    with in_use(kept, *service):
        shown = await run(tmp_path, "doctor", "--json")
    assert shown.exit_code == 0, shown.output
    with in_use(kept, "LOCK TABLE person"):
        shown = await run(tmp_path, "doctor", "--json")
    assert shown.exit_code == 0, shown.output
    assert [level for level, _ in findings(shown, "database")] == ["ok"]


async def test_a_user_who_may_not_write_there_is_told_so_and_so_is_who_names_a_standby(
    tmp_path: Path, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(kept)
    name = kept.rpartition("/")[2]
    with psycopg.connect(kept, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS reader")
        connection.execute("CREATE ROLE reader LOGIN")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
    monkeypatch.setenv("DATABASE", kept.replace("stillthere@", "reader@"))
    shown = await run(tmp_path, "doctor", "--json")
    assert shown.exit_code == 1
    assert findings(shown, "database")[1:] == [
        ("problem", "it takes no writes"),
        ("problem", "its user may not write there, or not make tables"),
    ]
    with psycopg.connect(kept, options="-c default_transaction_read_only=off") as connection:
        connection.execute("DROP OWNED BY reader")
        connection.execute("DROP ROLE reader")


async def test_a_store_for_looking_refuses_to_write(kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "CONNECT_SECONDS", 1)
    await fill(kept)
    async with await PostgresStore.look(kept, patience=1) as store:
        assert await store.contacts() == [JANE]
        with pytest.raises(StoreDown, match="read-only transaction"):
            await store.record([sighting(1)])
        with pytest.raises(StoreDown, match="read-only transaction"):
            await store.forget(JANE.address)
