from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.engine import Unit
from bot.engine.queue import QueueEngine
from bot.model import Contact, NeedsHuman, Observation
from bot.store import Store
from bot.store.moving import Entry, Inventory, Movable, inventory, move
from bot.store.postgres import PostgresStore
from bot.store.tiny import TinyStore
from tests.servers.postgres import PostgresServer
from tests.store.contents import DAY, JANE, NOW, OMAR, alarm, sighting, warn

pytestmark = pytest.mark.long

KILLS = 4
LONGEST_MOVE_SECONDS = 2.5
"""A move takes one to two, so that some are killed before, some while and some after something moves."""


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


async def test_a_process_that_runs_already_knows_whom_a_move_brought_as_forgotten(
    tiny: TinyStore, postgres_server: PostgresServer
) -> None:
    await fill(tiny)
    url = postgres_server.new_database()
    async with await PostgresStore.open(url) as running, await PostgresStore.open(url) as target:
        await move(tiny, target, ignore)
        assert not await running.watch(Contact("gone@acme.example"))
        await running.forget(OMAR.address)
        assert not await target.watch(OMAR)


async def test_a_store_that_never_forgot_anybody_moves_too(
    tiny: TinyStore, database: PostgresStore, tmp_path: Path
) -> None:
    await tiny.watch(JANE)
    moved = await move(tiny, database, ignore)
    assert moved.counts == {"person": 1}
    async with await TinyStore.open(tmp_path / "back") as back:
        assert await move(database, back, ignore) == moved


async def test_nothing_is_moved_out_of_or_into_a_database_that_a_service_uses(
    tmp_path: Path, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look(_unit: Unit) -> None:
        raise AssertionError

    monkeypatch.setenv("DATABASE", postgres_server.new_database())
    (tmp_path / "data").mkdir()
    words = ["migrate-store", "--folder", str(tmp_path / "data"), "--database-env", "DATABASE", "--to"]
    async with await PostgresStore.open(os.environ["DATABASE"]) as serving:
        engine = await QueueEngine.open(serving.database, look)
        for to in ("database", "folder"):
            refused = await asyncio.to_thread(CliRunner().invoke, main, [*words, to])
            assert refused.exit_code == 2
            assert "stop every process" in refused.output
        await engine.close()
        assert await serving.contacts() == []


async def test_two_who_move_the_same_at_once_leave_what_one_would(
    tiny: TinyStore, tmp_path: Path, postgres_server: PostgresServer
) -> None:
    await fill(tiny)
    for number in range(30):
        await tiny.forget(f"gone{number}@other.example")
    shutil.copytree(tmp_path / "data", tmp_path / "copy")
    url = postgres_server.new_database()
    async with (
        await TinyStore.open(tmp_path / "copy") as copy,
        await PostgresStore.open(url) as one,
        await PostgresStore.open(url) as other,
        await PostgresStore.open(url) as third,
    ):
        moved, too = await asyncio.gather(move(tiny, one, ignore), move(copy, other, ignore))
        assert moved == too == await inventory(third)
        assert not await third.watch(Contact("gone29@other.example"))
    async with await TinyStore.open(tmp_path / "back") as back, await PostgresStore.open(url) as source:
        assert await move(source, back, ignore) == moved


@pytest.mark.parametrize("to", ["database", "folder"])
def test_a_move_that_was_killed_at_any_instant_is_ended_by_the_next(
    to: str, tmp_path: Path, postgres_server: PostgresServer
) -> None:
    url, filled, target = postgres_server.new_database(), tmp_path / "filled", tmp_path / "target"

    async def begin() -> Inventory:
        async with await TinyStore.open(filled) as store:
            await fill(store)
            for number in range(200):
                await store.watch(Contact(f"person{number}@customer{number}.example"))
            if to == "folder":
                async with await PostgresStore.open(url) as database:
                    await move(store, database, ignore)
            return await inventory(store)

    async def arrived() -> Inventory:
        store: Movable
        if to == "folder":
            async with await TinyStore.open(target) as store:
                return await inventory(store)
        async with await PostgresStore.open(url) as store:
            return await inventory(store)

    wanted = asyncio.run(begin())
    folder = target if to == "folder" else filled
    command = [sys.executable, "-m", "bot", "migrate-store", "--to", to, "--folder", str(folder)]
    command += ["--database-env", "DATABASE", "--json"]
    chance = random.Random(4)  # noqa: S311 - a seed is to give the same instants again
    for _ in range(KILLS):
        moving = subprocess.Popen(
            command, env={**os.environ, "DATABASE": url}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            moving.wait(chance.uniform(0.5, LONGEST_MOVE_SECONDS))
        moving.kill()
        moving.wait()
    done = subprocess.run(
        command, env={**os.environ, "DATABASE": url}, check=True, capture_output=True, text=True
    )
    said = json.loads(done.stdout)
    assert said == {"moved": dict(sorted(wanted.counts.items())), "hash": wanted.digest}
    assert asyncio.run(arrived()) == wanted


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
