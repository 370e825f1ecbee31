"""What strangers write goes in and comes out as data, whatever it is made of and however much it is."""

from __future__ import annotations

import random
import resource
import string
import time
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from bot.model import Answer, Choice, Contact, Json, Observation
from bot.store import Store
from bot.store.codec import normal
from bot.store.postgres import PostgresStore
from tests.servers.postgres import PostgresServer
from tests.store.contents import HOME, JANE, LEASE, NOW, OMAR, alarm, sighting, warn

MEGABYTE = 2**20
MANY = 10_000
MEMORY = 200 * MEGABYTE
"""Far more than 10,000 observations need in any store, and far less than a copy of them for each would."""

GENEROUS_SECONDS = 60
"""It takes one to three; what takes time by the square of what there is would take many minutes."""

HOSTILE = {
    "a quote that ends the statement": "x'); DROP TABLE person; --",
    "a dollar quote": "$$; DELETE FROM person; $$",
    "a placeholder": "%s %(name)s {} {0} %",
    "a pattern": "%_\\%",
    "a backslash at the end": "x\\",
    "NUL": "a\x00b",
    "half a surrogate pair": "c\ud800d",
    "two halves in the wrong order": "\udfff\ud83d",
    "line ends of a mail": "x\r\nBcc: everybody@acme.example\r\n\r\n.",
    "an escape of JSON": '\\u0000", "news": true, "x": "\\ud800',
    "the end of a line of JSON": '"}\n{"',
    "a change of direction": "\u202egnp.exe\u2066",
    "characters beyond the first plane": "\U0001f600\U0010ffff",
    "nothing": "",
    "a path": "../../../etc/passwd",
}


@pytest.fixture
def store(empty_store: Store) -> Store:
    return empty_store


def peak_memory() -> int:
    """Return the most bytes that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def odd(text: str) -> Observation:
    """Return an observation that holds the text wherever it can."""
    facts: dict[str, Json] = {"text": text, f"key {text}": [text, {"deep": text}]}
    return replace(sighting(), facts=facts, source=text, sentence=text, group=text, because=(text,))


async def test_hostile_text_is_kept_as_it_is_and_touches_nobody_else(store: Store) -> None:
    await warn(store, alarm(OMAR))
    before = await store.person(OMAR.address)
    for number, (what, text) in enumerate(HOSTILE.items()):
        contact = replace(JANE, address=f"jane{number}@acme.example", name=text, title=text, links=(text,))
        seen = replace(odd(text), contact=contact.address)
        assert await store.watch(contact), what
        assert await store.record([seen]) == [normal(seen)], what
        assert await store.record([seen]) == [], what
        person = await store.person(contact.address)
        assert person is not None, what
        assert (person.contact, person.observations) == (normal(contact), (normal(seen),)), what
    assert await store.person(OMAR.address) == before
    assert len(await store.contacts()) == len(HOSTILE) + 1


async def test_a_hostile_name_finds_and_harms_nothing(store: Store) -> None:
    await warn(store, alarm())
    before = await store.person(JANE.address)
    for what, text in HOSTILE.items():
        address = f"{text}@acme.example"
        assert await store.person(address) is None, what
        assert await store.people(frozenset({text, f"{text}.example"})) == [], what
        assert not await store.unwatch(address), what
        assert not await store.expire(address, 0), what
        assert not await store.forget(address), what
        assert not await store.posted(f"{address}:1", HOME), what
        assert await store.answer(Answer(address, text, text, NOW, Choice.LEFT)) is None, what
        assert await store.take_alert(NOW, LEASE, text or "none") is None, what
    assert await store.person(JANE.address) == before
    assert await store.contacts() == [JANE]


async def test_a_hostile_source_setting_slot_and_event_are_names_like_any_other(store: Store) -> None:
    await store.save_cursor("imap:sales", 7)
    for what, text in HOSTILE.items():
        await store.save_cursor(text, {"at": text, text: [text]})
        await store.save_setting(text, text)
        assert await store.cursor(text) == normal({"at": text, text: [text]}), what
        assert await store.setting(text) == normal(text), what
        assert [await store.claim_slot(text, NOW) for _ in range(2)] == [True, False], what
        assert [await store.claim_event(text, NOW) for _ in range(2)] == [True, False], what
    assert await store.cursor("imap:sales") == 7
    assert await store.claim_slot("mailbox", NOW)


async def test_a_megabyte_of_text_is_kept_whole(store: Store) -> None:
    source = random.Random(1)  # noqa: S311 - text that no store can shorten
    long = "".join(source.choices(string.ascii_letters + "\r\n", k=MEGABYTE))
    await store.watch(replace(JANE, title=long))
    await store.record([odd(long)])
    await store.save_cursor("imap:sales", long)
    person = await store.person(JANE.address)
    assert person is not None
    assert person.contact is not None
    assert person.contact.title == long
    assert person.observations == (odd(long),)
    assert await store.cursor("imap:sales") == long


async def test_a_name_that_is_too_long_for_the_database_is_refused_at_once(
    postgres_server: PostgresServer,
) -> None:
    source = random.Random(1)  # noqa: S311 - a name that no index can hold
    long = "".join(source.choices(string.ascii_lowercase, k=MEGABYTE))
    async with await PostgresStore.open(postgres_server.new_database()) as store:
        began = time.monotonic()
        with pytest.raises(psycopg.errors.ProgramLimitExceeded):
            await store.watch(Contact(f"{long}@acme.example"))
        with pytest.raises(psycopg.errors.ProgramLimitExceeded):
            await store.save_cursor(long, 1)
        assert time.monotonic() - began < store.database.patience
        assert await store.watch(JANE)


async def test_a_person_of_whom_ten_thousand_things_were_seen_costs_bounded_time_and_memory(
    store: Store,
) -> None:
    seen = [
        replace(sighting(), at=NOW + timedelta(minutes=number), group=str(number)) for number in range(MANY)
    ]
    began, before = time.monotonic(), peak_memory()
    await store.watch(JANE)
    assert len(await store.record(seen)) == MANY
    assert len(await store.record([*seen[:100], sighting(days=-1)])) == 1
    person = await store.person(JANE.address)
    assert person is not None
    assert len(person.observations) == MANY + 1
    assert peak_memory() - before < MEMORY
    assert time.monotonic() - began < GENEROUS_SECONDS
