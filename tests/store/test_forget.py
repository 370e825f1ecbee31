from __future__ import annotations

import asyncio
import gzip
import shutil
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import (
    Action,
    Alert,
    Assessment,
    Contact,
    Decision,
    Evidence,
    Family,
    Means,
    NeedsHuman,
    Observation,
    Reason,
    Strength,
    Suggestion,
    Verdict,
)
from bot.store import Store
from bot.store.forgotten import ERASED, Forgotten, new_key
from bot.store.tiny import TinyStore

PACKED = b"\x1f\x8b\x08"
"""How what gzip packed begins."""

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
ANN = Contact("ann.lee@acme.example", "Ann Lee", account="Acme")
JANE = Contact("jane@acme.example", "Jane Doe", account="Acme")
REPLY = Observation(
    JANE.address,
    "departed",
    NOW,
    "mailbox:rita@vendor.example",
    "auto-reply: no longer there, write to Ann Lee",
    facts={
        "successors": [{"name": "Ann Lee", "address": "ann.lee@acme.example", "role": ""}],
        "with": ["Ann.Lee@acme.example", "bob@acme.example"],
        "new_address": "",
    },
)
WROTE = Observation(ANN.address, "wrote", NOW, "mailbox:rita@vendor.example", "wrote to rita@vendor.example")


@pytest.fixture
def store(empty_store: Store) -> Store:
    return empty_store


def judged(contact: Contact, *suggestions: Suggestion) -> Assessment:
    sentence = "auto-reply: no longer there, write to Ann Lee"
    voice = Evidence("k", "departed", Means.GONE, Family.MAIL, NOW, "mailbox", sentence, 9.0, explicit=True)
    return Assessment(
        contact.address, NOW, Verdict.LEFT, Strength.STRONG, 0.99, sentence, (voice,), (), suggestions
    )


async def story(store: Store) -> None:
    """Ann is watched, wrote, has a case, and is named in what is kept of Jane."""
    for contact in (ANN, JANE):
        await store.watch(contact)
    await store.record([WROTE, REPLY])
    await conclude(store, ANN)
    await conclude(store, JANE, Suggestion("Ann Lee", ANN.address, ("named in her reply",), successor=True))
    await store.save_cursor("read_for:mailbox", ["acme.example", ANN.address])
    await store.save_setting("waiting", {"case": f"{ANN.address}:1", f"{ANN.address}:1": 1, "n": 2})


async def conclude(store: Store, contact: Contact, *suggestions: Suggestion) -> bool:
    person = await store.person(contact.address)
    thought = judged(contact, *suggestions)
    decision = Decision(contact.address, NOW, Action.SEND, Reason.FIRST, thought.verdict, 0.99)
    alert = Alert(contact, thought, 1, NOW)
    return await store.conclude(person.version if person else 0, thought, decision, alert)


async def everything(store: Store) -> str:
    """Return all that a store gives out, as one text."""
    kept: list[object] = [await store.person(address) for address in (ANN.address, JANE.address)]
    kept += [await store.watchlist(), await store.cases(), await store.people(frozenset({"acme.example"}))]
    kept += [await store.cursor("read_for:mailbox"), await store.setting("waiting"), await store.news()]
    return repr(kept)


def on_disk(folder: Path) -> bytes:
    """Return every file of a store, unpacked where it is packed."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return b"".join(map(unpacked, files))


def unpacked(path: Path) -> bytes:
    """Return a file as text can be looked for in it; of the journal every record, those outdated too."""
    content = path.read_bytes()
    if ".json.gz" in path.name:
        return gzip.decompress(content)
    if path.name != "journal":
        return content
    packed = [PACKED + part for part in content.split(PACKED)[1:]]
    return content + b"".join(zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(part) for part in packed)


async def test_whoever_is_forgotten_is_found_nowhere_any_more(store: Store) -> None:
    await story(store)
    assert await store.forget(ANN.address) is True
    assert await store.person(ANN.address) is None
    kept = await everything(store)
    assert "ann.lee" not in kept.lower()
    assert "Ann Lee" not in kept


async def test_forgetting_leaves_the_others_as_they_were_but_for_the_name(store: Store) -> None:
    await story(store)
    await store.forget(ANN.address)
    jane = await store.person(JANE.address)
    assert jane is not None
    [reply] = jane.observations
    assert reply.sentence == f"auto-reply: no longer there, write to {ERASED}"
    assert reply.facts == {"successors": [], "with": ["bob@acme.example"], "new_address": ""}
    assert jane.contact == JANE
    assert jane.assessment is not None
    assert jane.assessment.suggestions == ()
    assert [contact.address for contact in await store.contacts()] == [JANE.address]
    assert len(await store.cases()) == 1


async def test_whoever_is_forgotten_is_neither_watched_nor_recorded_nor_judged_again(store: Store) -> None:
    await store.forget(ANN.address)
    assert await store.watch(replace(ANN, address="Ann.Lee@acme.example")) is False
    assert await store.watch(ANN) is False
    assert await store.record([WROTE]) == []
    assert await conclude(store, ANN) is False
    assert await store.person(ANN.address) is None
    assert await store.contacts() == []


async def test_what_names_the_forgotten_and_is_read_again_is_known_already(store: Store) -> None:
    await story(store)
    await store.forget(ANN.address)
    assert await store.record([REPLY]) == []


async def test_what_is_learned_of_others_later_does_not_bring_the_forgotten_back(store: Store) -> None:
    await store.forget(ANN.address)
    await store.watch(JANE)
    await store.record([REPLY])
    await conclude(store, JANE, Suggestion("Ann Lee", ANN.address, ("named in her reply",)))
    assert "ann" not in (await everything(store)).lower()


async def test_a_conclusion_drawn_before_the_erasure_is_refused(store: Store) -> None:
    await story(store)
    before = await store.person(JANE.address)
    assert before is not None
    await store.forget(ANN.address)
    decision = Decision(JANE.address, NOW, Action.HOLD, Reason.ALREADY_SENT, Verdict.LEFT, 0.99)
    assert await store.conclude(before.version, judged(JANE), decision) is False


async def test_forgetting_a_stranger_or_the_same_person_twice_says_that_nothing_was_kept(
    store: Store,
) -> None:
    await store.watch(JANE)
    assert await store.forget("nobody@acme.example") is False
    assert await store.forget(JANE.address) is True
    assert await store.forget(" JANE@acme.example ") is False


async def test_two_who_are_forgotten_at_once_are_both_gone(store: Store) -> None:
    await story(store)
    await asyncio.gather(store.forget(ANN.address), store.forget(JANE.address))
    assert await store.contacts() == []
    assert await store.people(frozenset({"acme.example"})) == []


async def test_no_file_holds_the_forgotten_not_even_the_last_good_copies(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path) as store:
        await story(store)
        await store.unwatch(ANN.address)
        assert b"ann.lee" in on_disk(tmp_path)
        (tmp_path / "people" / "abcd.json.gz.damaged-20260101T000000").write_bytes(gzip.compress(b"Ann Lee"))
        await store.forget(ANN.address)
    left = on_disk(tmp_path).lower()
    assert b"ann.lee" not in left
    assert b"ann lee" not in left
    assert JANE.address.encode() in left


async def test_the_forgotten_stay_out_after_a_restart_and_after_a_backup_was_restored(tmp_path: Path) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    async with await TinyStore.open(data) as store:
        await story(store)
    shutil.copytree(data / "people", backup)
    async with await TinyStore.open(data) as store:
        await store.forget(ANN.address)
    shutil.copytree(backup, data / "people", dirs_exist_ok=True)
    async with await TinyStore.open(data) as store:
        assert await store.person(ANN.address) is None
        assert await store.watch(ANN) is False
        assert "ann" not in (await everything(store)).lower()
    assert b"ann.lee" not in on_disk(data).lower()


async def test_an_erasure_that_was_cut_off_is_ended_by_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await TinyStore.open(tmp_path)
    await story(store)

    def cut_off(_: str) -> bool:
        raise OSError("the process was killed here")

    monkeypatch.setattr(store, "_erase", cut_off)
    with pytest.raises(OSError, match="killed"):
        await store.forget(ANN.address)
    await store.close()
    async with await TinyStore.open(tmp_path) as again:
        assert "ann" not in (await everything(again)).lower()
    assert b"ann.lee" not in on_disk(tmp_path).lower()


async def test_the_key_is_made_once_is_private_and_is_missed_where_it_is_gone(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path) as store:
        assert not (tmp_path / "forgotten.key").exists()
        await store.forget(ANN.address)
        key = (tmp_path / "forgotten.key").read_bytes()
        await store.forget(JANE.address)
        assert (tmp_path / "forgotten.key").read_bytes() == key
    assert (tmp_path / "forgotten.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "forgotten.key").unlink()
    with pytest.raises(NeedsHuman, match=r"forgotten\.key"):
        await TinyStore.open(tmp_path)


@pytest.mark.parametrize("other", ["Ann+News@acme.example", "ann+a+b@ACME.example", " ANN@acme.example"])
def test_whoever_is_forgotten_is_so_in_any_case_and_under_any_tag(other: str) -> None:
    empty = Forgotten(new_key())
    forgotten = empty.with_mark(empty.mark("ann@acme.example"))
    assert other in forgotten
    assert forgotten.cleaned([other, "bob@acme.example"]) == ["bob@acme.example"]
    assert "ann.lee+ann@acme.example" not in forgotten


async def test_what_is_kept_under_a_tag_is_erased_too_and_does_not_come_back(empty_store: Store) -> None:
    tagged = "ann+news@acme.example"
    await empty_store.watch(Contact("ann@acme.example", "Ann Lee"))
    await empty_store.watch(Contact(tagged, "Ann Lee"))
    await empty_store.forget("ann@acme.example")
    assert await empty_store.contacts() == []
    assert await empty_store.person(tagged) is None
    assert not await empty_store.watch(Contact(tagged, "Ann Lee"))
    assert not await empty_store.watch(Contact("ANN+crm@acme.example", "Ann Lee"))


def test_the_hash_depends_on_the_key_and_not_on_the_case() -> None:
    one, other = Forgotten(new_key()), Forgotten(new_key())
    assert one.mark(ANN.address) == one.mark(ANN.address.upper()) != other.mark(ANN.address)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["Ann Lee", ANN.address, "Anne Leech", "@", " ", "<", "x@y"]), max_size=12))
def test_cleaning_twice_is_cleaning_once_and_leaves_other_names(words: list[str]) -> None:
    empty = Forgotten(b"k")
    forgotten = empty.with_mark(empty.mark(ANN.address))
    seen = replace(REPLY, sentence=" ".join(words))
    once = forgotten.observation(seen)
    assert forgotten.observation(replace(once, facts=REPLY.facts)).sentence == once.sentence
    assert once.sentence.count("Anne Leech") == seen.sentence.count("Anne Leech")
    assert empty.observation(seen) == seen


def test_cleaning_hostile_text_takes_linear_time() -> None:
    empty = Forgotten(b"k")
    forgotten = empty.with_mark(empty.mark(ANN.address))
    for hostile in ("a" * 300_000, "a@" * 150_000, "a@b" * 100_000):
        assert forgotten.observation(replace(REPLY, sentence=hostile)).sentence == hostile
