"""Backups: whoever was forgotten stays out, also when a backup is restored that is older than that."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bot.model import Contact, NeedsHuman, Observation
from bot.store import tombstones
from bot.store.postgres import PostgresStore
from bot.store.tiny import TinyStore
from tests.servers.postgres import PostgresServer
from tests.store.test_forget import ANN, JANE, on_disk, story

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
BOB = Contact("bob@acme.example", "Bob Roe", account="Acme")
NAMES_BOB = Observation(
    JANE.address,
    "departed",
    NOW,
    "mailbox:rita@vendor.example",
    "auto-reply: no longer there, write to Bob Roe",
    facts={"successors": [{"name": "Bob Roe", "address": BOB.address, "role": ""}]},
)


async def forget_after_a_backup(store: TinyStore | PostgresStore) -> dict[str, Any]:
    """Forget Ann, who is kept, and Bob, whom only Jane's facts name; return what is written beside it."""
    await store.forget(ANN.address)
    await store.forget(BOB.address)
    return json.loads(json.dumps(await tombstones.exported(store)))  # type: ignore[no-any-return]


async def test_a_copy_of_a_running_data_folder_can_be_restored_and_holds_everything(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path / "data") as store:
        await story(store)
        shutil.copytree(tmp_path / "data", tmp_path / "backup")
        cases = await store.cases()
    async with await TinyStore.open(tmp_path / "backup") as restored:
        assert restored.notices == []
        assert await restored.cases() == cases
        assert [contact.address for contact in await restored.contacts()] == [ANN.address, JANE.address]


async def test_the_forgotten_stay_out_of_an_older_copy_of_a_data_folder(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path / "data") as store:
        await story(store)
        await store.record([NAMES_BOB])
        await store.forget("somebody@else.example")  # so that the backup has the key of the marks
        shutil.copytree(tmp_path / "data", tmp_path / "backup")
        kept = await forget_after_a_backup(store)
    async with await TinyStore.open(tmp_path / "backup") as restored:
        assert await restored.person(ANN.address) is not None
        assert await tombstones.replay(restored, tombstones.read(kept)) >= 1
        assert not await restored.watch(ANN)
        assert [contact.address for contact in await restored.contacts()] == [JANE.address]
    held = on_disk(tmp_path / "backup").lower()
    for trace in (b"ann.lee", b"ann lee", b"bob@", b"bob roe"):
        assert trace not in held


async def test_who_stands_only_in_what_is_kept_of_others_is_taken_out_of_it(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path / "data") as store:
        await store.watch(JANE)
        await store.record([NAMES_BOB])
        await store.save_cursor("read_for:mailbox", [BOB.address, "acme.example"])
        shutil.copytree(tmp_path / "data", tmp_path / "backup")
        await store.forget(BOB.address)
        kept = tombstones.read(await tombstones.exported(store))
    async with await TinyStore.open(tmp_path / "backup") as restored:
        assert await tombstones.replay(restored, kept) == 2
        assert await tombstones.replay(restored, kept) == 0
        assert await restored.cursor("read_for:mailbox") == ["acme.example"]
    held = on_disk(tmp_path / "backup").lower()
    assert b"bob" not in held
    assert b"jane" in held


async def test_a_backup_from_before_anybody_was_forgotten_takes_over_the_key(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path / "data") as store:
        await story(store)
        shutil.copytree(tmp_path / "data", tmp_path / "backup")
        kept = await forget_after_a_backup(store)
    async with await TinyStore.open(tmp_path / "backup") as restored:
        await tombstones.replay(restored, tombstones.read(kept))
        assert await restored.person(ANN.address) is None
        assert await tombstones.exported(restored) == kept


async def test_the_forgotten_stay_out_of_an_older_dump_of_a_database(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    url, dump = postgres_server.new_database(), tmp_path / "dump"
    async with await PostgresStore.open(url) as store:
        await story(store)
        await store.record([NAMES_BOB])
        run(postgres_server, "pg_dump", "--format=custom", f"--file={dump}", url)
        kept = await forget_after_a_backup(store)
    target = postgres_server.new_database()
    run(postgres_server, "pg_restore", "--no-owner", f"--dbname={target}", str(dump))
    async with await PostgresStore.open(target) as restored:
        assert await restored.person(ANN.address) is not None
        assert await tombstones.replay(restored, tombstones.read(kept)) >= 1
        assert not await restored.watch(ANN)
        assert [contact.address for contact in await restored.contacts()] == [JANE.address]
        assert await tombstones.replay(restored, tombstones.read(kept)) == 0
    with psycopg.connect(target) as connection:
        rows = connection.execute("SELECT brief::text, observations::text FROM person").fetchall()
        rows += connection.execute("SELECT source, cursor::text FROM cursor_of").fetchall()
    assert rows
    held = repr(rows).lower()
    for trace in ("ann.lee", "ann lee", "bob@", "bob roe"):
        assert trace not in held


def run(server: PostgresServer, program: str, *arguments: str) -> None:
    subprocess.run([server.binaries / program, *arguments], check=True, capture_output=True)


@pytest.mark.parametrize(
    "kept",
    [
        None,
        [],
        {},
        {"version": 2, "key": "", "marks": []},
        {"version": 1, "key": "zz", "marks": []},
        {"version": 1, "key": "ab", "marks": []},
        {"version": 1, "key": "ab" * 32, "marks": ["jane@acme.example"]},
        {"version": 1, "key": "ab" * 32, "marks": "ab"},
    ],
)
def test_what_is_no_such_file_is_refused(kept: object) -> None:
    with pytest.raises(NeedsHuman):
        tombstones.read(kept)


async def test_the_file_names_nobody(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path / "data") as store:
        await store.forget(ANN.address)
        written = json.dumps(await tombstones.exported(store))
    assert "ann" not in written.lower()
    assert tombstones.read(json.loads(written)).marks
