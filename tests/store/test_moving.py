from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.model import Contact, NeedsHuman, Observation
from bot.store import Store
from bot.store.moving import Entry, inventory, move
from bot.store.postgres import PostgresStore
from bot.store.tiny import TinyStore
from tests.servers.postgres import PostgresServer
from tests.store.test_contract import DAY, JANE, NOW, OMAR, alarm, sighting, warn


async def fill(store: Store) -> None:
    """Keep something of every sort."""
    await warn(store, alarm())
    await warn(store, alarm(OMAR))
    await store.take_alert(NOW, timedelta(minutes=5))
    await store.record([sighting(days=day, text="Grüße, 你好") for day in range(3)])
    await store.save_cursor("imap:sales", {"folders": {"INBOX": [1, 2.5, None]}})
    await store.save_setting("digest UA", {"hour": 9})
    assert await store.claim_slot("mailbox", NOW)
    assert await store.claim_slot("mailbox", NOW + DAY)
    assert await store.claim_event("Ev1", NOW)
    await store.watch(Contact("gone@acme.example", "Gone Person"))
    await store.forget("gone@acme.example")


def ignore(_source: str, _done: int, _total: int | None) -> None:
    """Nobody looks at the progress."""


@pytest.fixture
async def tiny(tmp_path: Path) -> AsyncIterator[TinyStore]:
    async with await TinyStore.open(tmp_path / "data") as store:
        yield store


@pytest.fixture
async def database(postgres_server: PostgresServer) -> AsyncIterator[PostgresStore]:
    async with await PostgresStore.open(postgres_server.new_database()) as store:
        yield store


async def test_all_that_is_kept_moves_to_the_database_and_back_and_twice_is_once(
    tiny: TinyStore, database: PostgresStore, tmp_path: Path
) -> None:
    await fill(tiny)
    moved = await move(tiny, database, ignore)
    assert moved.counts["person"] == 2
    assert moved.counts["slot"] == 2
    assert await move(tiny, database, ignore) == moved
    assert await database.person(JANE.address) == await tiny.person(JANE.address)
    assert await database.due(NOW + DAY) == await tiny.due(NOW + DAY)
    assert await database.setting("digest UA") == {"hour": 9}
    assert not await database.claim_slot("mailbox", NOW)
    assert not await database.claim_event("Ev1", NOW)
    async with await TinyStore.open(tmp_path / "again") as again:
        assert await move(database, again, ignore) == moved
        assert await again.watchlist() == await tiny.watchlist()


async def test_who_was_forgotten_stays_out_of_where_everything_was_moved(
    tiny: TinyStore, database: PostgresStore
) -> None:
    await fill(tiny)
    await move(tiny, database, ignore)
    assert not await database.watch(Contact("gone@acme.example"))
    assert not await database.record([Observation("gone@acme.example", "wrote", NOW, "imap", "wrote")])


async def test_a_target_that_holds_something_else_is_refused(
    tiny: TinyStore, database: PostgresStore
) -> None:
    await fill(tiny)
    await database.watch(Contact("other@acme.example"))
    with pytest.raises(NeedsHuman, match=r"person: \+1"):
        await move(tiny, database, ignore)


async def test_a_target_that_forgot_people_under_another_key_is_refused(
    tiny: TinyStore, database: PostgresStore
) -> None:
    await fill(tiny)
    await database.forget("somebody@acme.example")
    with pytest.raises(NeedsHuman, match="another key"):
        await move(tiny, database, ignore)


async def test_a_changed_document_changes_the_hash_and_the_order_does_not(tiny: TinyStore) -> None:
    await fill(tiny)
    before = await inventory(tiny)
    await tiny.take([Entry("cursor", "imap:sales", {"folders": {}})])
    assert (await inventory(tiny)).digest != before.digest
    await tiny.save_cursor("imap:sales", {"folders": {"INBOX": [1, 2.5, None]}})
    assert await inventory(tiny) == before


def test_the_command_moves_and_says_what(
    tmp_path: Path, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def begin() -> None:
        async with await TinyStore.open(tmp_path / "data") as store:
            await fill(store)

    asyncio.run(begin())
    monkeypatch.setenv("DATABASE", postgres_server.new_database())
    wanted = ["migrate-store", "--folder", str(tmp_path / "data"), "--database-env", "DATABASE"]
    told = CliRunner().invoke(main, [*wanted, "--to", "database", "--json"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["moved"]["person"] == 2
    again = CliRunner().invoke(main, [*wanted, "--to", "folder"])
    assert again.exit_code == 0, again.output
    assert "2 person" in again.output
    monkeypatch.delenv("DATABASE")
    assert "DATABASE is not set" in CliRunner().invoke(main, [*wanted, "--to", "database"]).output
