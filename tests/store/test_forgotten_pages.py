"""Whoever is forgotten does not stay in what is remembered of their company's public page."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.model import Contact, Json, Observation
from bot.store import Store, tombstones
from bot.store.forgotten import neighbourhood
from bot.store.moving import move
from bot.store.postgres import PostgresStore
from bot.store.tiny import TinyStore
from tests.servers.postgres import PostgresServer
from tests.store.test_forget import on_disk
from watchers.web import listed
from watchers.web.findings import Report, Watched
from watchers.web.memory import Memory, listed_at
from watchers.web.persons import Person

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
JANE = Contact("jane@acme.example", "Jane Doe", account="Acme")
JAN = Contact("jan@acme-nordic.example", "Jan Dow", account="Acme")
TOM = Contact("tom@globex.example", "Tom Poe", account="Globex")
ANN = "alee7@acme.example"
NAMES = ("Ann Lee", "Bea Orr")


@pytest.fixture
def store(empty_store: Store) -> Store:
    return empty_store


def page_of(contact: Contact, *names: str) -> dict[str, Json]:
    """Return what is kept after a page that lists the contact was read, as the watcher keeps it."""
    watched = Watched(contact.address, contact.name, company=contact.account)
    people = [Person(contact.name), *(Person(name, "VP Operations") for name in names)]
    memory = Memory(told={contact.address: "present"})
    report = Report((), {"people": {contact.address: {"state": "present"}}})
    kept = memory.read(NOW, report, (), [watched], people).as_json()
    return {f"https://www.{contact.domain}/team": kept}


def source_of(contact: Contact) -> str:
    return f"public_pages:www.{contact.domain}"


async def read_page(store: Store, contact: Contact, *names: str) -> None:
    await store.save_cursor(source_of(contact), page_of(contact, *names))


async def names_at(store: Store, contact: Contact) -> list[str]:
    cursor = await store.cursor(source_of(contact))
    return [name for name, _ in listed_at(cursor, f"https://www.{contact.domain}/team")]


async def knows_ann(store: Store) -> None:
    """Know her by mail alone: nobody watches her."""
    facts: dict[str, Json] = {"name": "Ann Lee"}
    await store.record([Observation(ANN, "wrote", NOW, "mailbox:rita", "wrote", facts=facts)])


@pytest.mark.parametrize("spelt", ["Ann Lee", "LEE, Ann", "Annie Lee", "Dr. Ann B. Lee"])
async def test_forgetting_takes_a_colleague_out_of_a_page_at_once_and_at_every_later_visit(
    store: Store, spelt: str
) -> None:
    await store.watch(JANE)
    await knows_ann(store)
    await read_page(store, JANE, spelt, "Bea Orr")
    await store.forget(ANN)
    assert await names_at(store, JANE) == ["Bea Orr"]
    assert spelt not in repr(await store.cursor(source_of(JANE)))
    await read_page(store, JANE, spelt, "Bea Orr")
    assert await names_at(store, JANE) == ["Bea Orr"]
    await store.amend_cursor(source_of(JANE), lambda _: page_of(JANE, spelt, "Cy Fox"))
    assert await names_at(store, JANE) == ["Cy Fox"]


async def test_the_page_at_another_domain_of_the_account_forgets_them_too(store: Store) -> None:
    for contact in (JANE, JAN):
        await store.watch(contact)
    await knows_ann(store)
    await read_page(store, JAN, *NAMES)
    await store.forget(ANN)
    assert await names_at(store, JAN) == ["Bea Orr"]
    await read_page(store, JAN, *NAMES)
    assert await names_at(store, JAN) == ["Bea Orr"]


async def test_a_domain_that_the_account_gets_later_is_known_by_the_accounts_name(store: Store) -> None:
    await store.watch(JANE)
    await knows_ann(store)
    await store.forget(ANN)
    await store.watch(JAN)
    await read_page(store, JAN, *NAMES)
    assert await names_at(store, JAN) == ["Bea Orr"]


async def test_a_colleague_at_the_other_domain_names_them_no_more(store: Store) -> None:
    for contact in (JANE, JAN):
        await store.watch(contact)
    await knows_ann(store)
    facts: dict[str, Json] = {"successors": [{"name": "Ann Lee", "address": "", "role": False}]}
    told = Observation("kim@acme-nordic.example", "on_leave", NOW, "mailbox:rita", "away", facts=facts)
    await store.record([told])
    await store.forget(ANN)
    kept = await store.person(told.contact)
    assert kept is not None
    assert "Ann Lee" not in repr(kept)


async def test_a_namesake_on_another_accounts_page_stays(store: Store) -> None:
    for contact in (JANE, TOM):
        await store.watch(contact)
    await knows_ann(store)
    await read_page(store, TOM, *NAMES)
    await store.forget(ANN)
    assert await names_at(store, TOM) == [*NAMES]
    await read_page(store, TOM, *NAMES)
    assert await names_at(store, TOM) == [*NAMES]


async def test_a_memory_from_before_the_companies_were_kept_is_cleaned_by_its_address(store: Store) -> None:
    await store.watch(JANE)
    await knows_ann(store)
    kept = page_of(JANE, *NAMES)
    memory = kept["https://www.acme.example/team"]
    assert isinstance(memory, dict)
    del memory["companies"]
    memory["told"] = {}
    await store.save_cursor(source_of(JANE), kept)
    await store.forget(ANN)
    assert await names_at(store, JANE) == ["Bea Orr"]


async def test_no_file_holds_the_name_that_a_page_gave(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path / "data") as store:
        await store.watch(JANE)
        await knows_ann(store)
        await read_page(store, JANE, *NAMES)
        await read_page(store, JANE, *NAMES, "Cy Fox")
        await store.forget(ANN)
    assert b"ann lee" not in on_disk(tmp_path / "data").lower()
    assert b"bea orr" in on_disk(tmp_path / "data").lower()


async def test_an_older_backup_of_a_page_is_cleaned_when_it_is_restored(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path / "data") as store:
        await store.watch(JANE)
        await read_page(store, JANE, *NAMES)
        shutil.copytree(tmp_path / "data", tmp_path / "backup")
        await knows_ann(store)
        await store.forget(ANN)
        marks = tombstones.read(json.loads(json.dumps(await tombstones.exported(store))))
    async with await TinyStore.open(tmp_path / "backup") as restored:
        assert await names_at(restored, JANE) == [*NAMES]
        assert await tombstones.replay(restored, marks) == 1
        assert await names_at(restored, JANE) == ["Bea Orr"]
    assert b"ann lee" not in on_disk(tmp_path / "backup").lower()


async def test_a_page_that_is_read_after_moving_to_a_database_and_back_is_cleaned(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    url = postgres_server.new_database()
    async with await TinyStore.open(tmp_path / "data") as source:
        await source.watch(JANE)
        await knows_ann(source)
        await read_page(source, JANE, *NAMES)
        await source.forget(ANN)
        async with await PostgresStore.open(url) as target:
            await move(source, target, lambda *_: None)
            assert await names_at(target, JANE) == ["Bea Orr"]
            await read_page(target, JANE, *NAMES)
            assert await names_at(target, JANE) == ["Bea Orr"]
    async with await PostgresStore.open(url) as source, await TinyStore.open(tmp_path / "again") as target:
        await move(source, target, lambda *_: None)
        await read_page(target, JANE, *NAMES)
        assert await names_at(target, JANE) == ["Bea Orr"]


def test_free_mail_makes_no_two_accounts_neighbours() -> None:
    at_home = Contact("ann@gmail.com", "Ann Lee", account="Acme")
    other = Contact("bob@gmail.com", "Bob Roe", account="Globex")
    assert neighbourhood("cy@gmail.com", [at_home, other, JANE]) == frozenset()
    assert neighbourhood(at_home.address, [at_home, other, JANE]) == {"acme", "acme.example"}


@pytest.mark.parametrize(
    "memory", [{"listed": [[], "x", None, 5, {}]}, {"listed": [], "told": 5}, {"listed": 7}]
)
@pytest.mark.parametrize("url", ["https://[", "", "x" * 5000])
def test_a_memory_of_another_shape_is_left_as_it_is(memory: dict[str, Json], url: str) -> None:
    if listed.is_memory(memory):
        assert listed.without(url, memory, lambda name, _: name == "Ann Lee") == memory
