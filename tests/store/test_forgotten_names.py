"""Whoever is forgotten is not named again either, by a page or a reply that gives no address."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Contact, Json, Observation, Suggestion
from bot.pipeline import Pipeline
from bot.service import rules
from bot.store import Store, tombstones
from bot.store.forgotten import Forgotten, new_key
from bot.store.moving import move
from bot.store.postgres import PostgresStore
from bot.store.tiny import TinyStore
from tests.servers.postgres import PostgresServer
from tests.store.test_forget import conclude, on_disk
from watchers import load
from watchers.web.memory import Memory

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
JANE = Contact("jane@acme.example", "Jane Doe", account="Acme")
ANN = Contact("alee7@acme.example", "Ann Lee", account="Acme")
PAGE, SOURCE = "https://acme.example/team", "page:acme.example"


@pytest.fixture
def store(empty_store: Store) -> Store:
    return empty_store


def reply(name: str, contact: Contact = JANE, day: int = 4) -> Observation:
    """Return a reply that names somebody by name alone."""
    facts: dict[str, Json] = {"successors": [{"name": name, "address": "", "role": False}]}
    words = f"auto-reply: no longer there, write to {name}"
    return Observation(contact.address, "departed", NOW.replace(day=day), "mailbox:rita", words, facts=facts)


async def suggested(store: Store, contact: Contact = JANE) -> list[str]:
    """Judge everybody and return the names that are suggested for a contact."""
    load()
    await Pipeline(store, rules(), ["vendor.example"], baseline=False).judge(NOW)
    person = await store.person(contact.address)
    assert person is not None
    assert person.assessment is not None
    return [one.name for one in person.assessment.suggestions]


async def lists_on_team_page(store: Store, *names: str) -> None:
    seen = Observation(JANE.address, "page_present", NOW, SOURCE, "on the team page", facts={"url": PAGE})
    await store.record([seen])
    memory = Memory(listed=tuple((name, "VP Operations") for name in names), next_look=NOW)
    await store.save_cursor(SOURCE, {PAGE: {**memory.as_json(), "kept": {}}})


async def test_a_team_page_names_the_forgotten_to_nobody(store: Store) -> None:
    await store.watch(JANE)
    await store.watch(ANN)
    await store.record([reply("Cy Fox")])
    await lists_on_team_page(store, "Ann Lee", "Bea Orr")
    assert "Ann Lee" in await suggested(store)
    await store.forget(ANN.address)
    assert sorted(await suggested(store)) == ["Bea Orr", "Cy Fox"]


@pytest.mark.parametrize("spelt", ["Ann Lee", "LEE, Ann", "Annie Lee", "Dr. Ann B. Lee", "Anne Lee"])
async def test_a_reply_names_the_forgotten_to_nobody_whether_read_before_or_after(
    store: Store, spelt: str
) -> None:
    await store.watch(JANE)
    await store.watch(ANN)
    await store.record([reply(spelt, day=1)])
    assert await suggested(store) != []
    await store.forget(ANN.address)
    person = await store.person(JANE.address)
    assert person is not None
    assert spelt not in repr(person)
    await store.record([reply(spelt, day=3)])
    assert await suggested(store) == []
    assert spelt not in repr(await store.person(JANE.address))


async def test_what_names_the_forgotten_by_name_and_is_read_again_is_known_already(store: Store) -> None:
    await store.watch(JANE)
    await store.watch(ANN)
    await store.record([reply("Ann Lee")])
    await store.forget(ANN.address)
    assert await store.record([reply("Ann Lee")]) == []


async def test_a_name_that_only_mail_gave_or_only_others_told_is_known_too(store: Store) -> None:
    await store.watch(JANE)
    wrote = Observation(ANN.address, "wrote", NOW, "mailbox:rita", "wrote", facts={"name": "Ann Lee"})
    told = replace(
        reply("Bob Roe"), facts={"successors": [{"name": "Bob Roe", "address": "br@acme.example"}]}
    )
    await store.record([wrote, told])
    await store.forget(ANN.address)
    await store.forget("br@acme.example")
    await store.record([reply("Ann Lee", day=2), reply("Robert Roe", day=3)])
    assert await suggested(store) == []


async def test_somebody_who_was_never_known_is_recognised_by_what_their_address_spells(store: Store) -> None:
    await store.forget("juergen.mueller+crm@acme.example")
    await store.watch(JANE)
    await store.record([reply("Jürgen Müller")])
    assert await suggested(store) == []


async def test_a_namesake_at_another_account_and_another_name_at_this_one_are_suggested(store: Store) -> None:
    await store.watch(ANN)
    await store.forget(ANN.address)
    other = Contact("tom@globex.example", "Tom Poe", account="Globex")
    for contact in (JANE, other):
        await store.watch(contact)
    await store.record([reply("Ann Leech"), reply("Ann Lee", other)])
    assert await suggested(store) == ["Ann Leech"]
    assert await suggested(store, other) == ["Ann Lee"]


async def test_an_account_with_two_domains_is_one_account(store: Store) -> None:
    await store.watch(ANN)
    await store.forget(ANN.address)
    abroad = Contact("jan@acme-nordic.example", "Jan Dow", account="ACME")
    await store.watch(abroad)
    await store.record([reply("Ann Lee", abroad)])
    assert await suggested(store, abroad) == []


async def test_a_guessed_address_does_not_hide_whose_name_it_is_made_of(store: Store) -> None:
    await store.watch(ANN)
    await store.watch(JANE)
    await store.forget(ANN.address)
    guess = Suggestion("Ann Lee", "ann.lee@acme.example", ("on their team page",), guess=True)
    assert await conclude(store, JANE, guess)
    person = await store.person(JANE.address)
    assert person is not None
    assert person.assessment is not None
    assert person.assessment.suggestions == ()


async def test_a_shared_mailbox_that_is_forgotten_takes_nobodys_name_away(store: Store) -> None:
    shared = "office@acme.example"
    names = ["Ann Lee", "Bob Roe", "Cy Fox"]
    await store.record(
        Observation(shared, "wrote", NOW.replace(day=day), "m", "wrote", facts={"name": name})
        for day, name in enumerate(names, 1)
    )
    await store.forget(shared)
    await store.watch(JANE)
    await store.record([reply("Ann Lee")])
    assert await suggested(store) == ["Ann Lee"]


async def test_names_stay_out_of_what_is_restored_from_an_older_backup(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path / "data") as kept:
        await kept.watch(JANE)
        await kept.record([reply("Ann Lee")])
        shutil.copytree(tmp_path / "data", tmp_path / "backup")
        await kept.watch(ANN)
        await kept.forget(ANN.address)
        marks = tombstones.read(json.loads(json.dumps(await tombstones.exported(kept))))
    async with await TinyStore.open(tmp_path / "backup") as restored:
        assert await suggested(restored) == ["Ann Lee"]
        assert await tombstones.replay(restored, marks) == 1
        assert await suggested(restored) == []
    assert b"ann lee" not in on_disk(tmp_path / "backup").lower()


async def test_names_stay_out_after_moving_to_a_database_and_back(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    url = postgres_server.new_database()
    async with await TinyStore.open(tmp_path / "data") as source:
        await source.watch(JANE)
        await source.watch(ANN)
        await source.forget(ANN.address)
        async with await PostgresStore.open(url) as target:
            await move(source, target, lambda *_: None)
            await target.record([reply("Ann Lee")])
            assert await suggested(target) == []
    async with await PostgresStore.open(url) as source, await TinyStore.open(tmp_path / "again") as target:
        await move(source, target, lambda *_: None)
        await target.record([reply("Ann Lee", day=3)])
        assert await suggested(target) == []


def test_the_marks_reveal_nothing_without_the_key_and_are_all_alike() -> None:
    empty = Forgotten(new_key())
    marked = empty.with_mark(empty.mark(ANN.address)).with_names(ANN.address, [])
    again = replace(marked, key=new_key())
    assert ANN.address in marked
    assert ANN.address not in again
    assert len(marked.marks) > 1
    assert all(
        len(mark) == len(empty.mark("x")) and set(mark) <= set("0123456789abcdef") for mark in marked.marks
    )
    names = replace(empty, marks=frozenset()).with_names("ann.lee@acme.example", [])
    assert names.knows("Ann Lee", {"acme.example"})
    assert not replace(names, key=new_key()).knows("Ann Lee", {"acme.example"})


@settings(max_examples=60, deadline=None)
@given(name=st.text(max_size=300), address=st.text(max_size=80), place=st.text(max_size=20))
def test_whatever_a_name_holds_it_is_known_or_not(name: str, address: str, place: str) -> None:
    marked = Forgotten(b"k").with_names(address, [])
    assert marked.knows(name, {place}) in {True, False}
    assert not Forgotten(b"k").knows(name, {place})
