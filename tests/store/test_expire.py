from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.model import Contact, Observation, Person
from bot.store import Store
from bot.store.tiny import TinyStore
from tests.store.test_forget import on_disk

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
JANE = Contact("jane@acme.example", "Jane Doe", account="Acme")
WROTE = Observation(JANE.address, "wrote", NOW, "mailbox:rita@vendor.example", "wrote to rita@vendor.example")


@pytest.fixture
def store(empty_store: Store) -> Store:
    return empty_store


async def known(store: Store, address: str) -> Person:
    person = await store.person(address)
    assert person is not None
    return person


async def test_whose_time_is_over_is_erased_with_their_traces_in_cursors(store: Store) -> None:
    await store.watch(JANE)
    await store.record([WROTE])
    await store.save_cursor("read_for:mailbox", ["acme.example", JANE.address])
    person = await known(store, JANE.address)
    assert await store.expire(JANE.address, person.version)
    assert await store.person(JANE.address) is None
    assert await store.contacts() == []
    assert await store.watchlist() == []
    assert await store.news() == []
    assert await store.cursor("read_for:mailbox") == ["acme.example"]


async def test_whoever_wrote_meanwhile_is_kept(store: Store) -> None:
    await store.watch(JANE)
    before = await known(store, JANE.address)
    await store.record([WROTE])
    assert not await store.expire(JANE.address, before.version)
    assert len((await known(store, JANE.address)).observations) == 1


async def test_nobody_is_kept_out_because_their_time_was_over_once(store: Store) -> None:
    await store.watch(JANE)
    await store.expire(JANE.address, (await known(store, JANE.address)).version)
    assert not await store.expire(JANE.address, 1)
    assert await store.watch(JANE)
    assert [seen.kind for seen in await store.record([WROTE])] == ["wrote"]
    assert [one.contact.address for one in await store.watchlist()] == [JANE.address]


async def test_everybody_is_walked_through_watched_or_not(store: Store) -> None:
    await store.watch(JANE)
    await store.record([Observation("bob@acme.example", "wrote", NOW, "mailbox:x", "wrote")])
    assert sorted([one.address async for one in store.everybody()]) == ["bob@acme.example", JANE.address]


async def test_no_file_holds_whose_time_was_over_not_even_the_copy_before(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path / "data") as store:
        await store.watch(JANE)
        await store.record([WROTE])
        await store.save_cursor("read_for:mailbox", [JANE.address])
        await store.expire(JANE.address, (await known(store, JANE.address)).version)
        assert b"jane" not in on_disk(tmp_path / "data").lower()
    async with await TinyStore.open(tmp_path / "data") as store:
        assert await store.person(JANE.address) is None
