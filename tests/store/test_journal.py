from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Contact
from bot.store import StoreDown
from bot.store.files import LONGEST_JOURNAL, Group
from bot.store.journal import NAME, Journal, decode, encode
from bot.store.tiny import TinyStore
from tests.store.contents import JANE, OMAR, sighting

DAYS = 5


def lose_power(folder: Path, on_the_disk: Path) -> None:
    """Leave what a disk holds that wrote nothing but the journal: every file is cut short."""
    shutil.copytree(folder, on_the_disk)
    for path in on_the_disk.rglob("*.json.gz"):
        path.write_bytes(b"")


async def test_what_was_acknowledged_survives_that_no_file_was_on_the_disk_yet(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path / "data") as store:
        await store.watch(JANE)
        await store.watch(OMAR)
        for day in range(DAYS):
            await store.record([sighting(days=day)])
        await store.save_cursor("imap:sales", {"uid": 7})
        lose_power(tmp_path / "data", tmp_path / "after")
        person = await store.person(JANE.address)
    async with await TinyStore.open(tmp_path / "after") as again:
        assert again.notices == []
        assert await again.person(JANE.address) == person
        assert await again.contacts() == [JANE, OMAR]
        assert await again.cursor("imap:sales") == {"uid": 7}


async def test_the_journal_is_emptied_when_it_is_long_and_when_the_store_is_closed(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path) as store:
        longest = 0
        for number in range(DAYS):
            await store.save_cursor(f"imap:{number}", os.urandom(LONGEST_JOURNAL // 3).hex())
            longest = max(longest, (tmp_path / NAME).stat().st_size)
        assert LONGEST_JOURNAL < longest < 3 * LONGEST_JOURNAL
    assert (tmp_path / NAME).stat().st_size == 0


async def test_nothing_of_the_forgotten_stays_in_the_journal(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path) as store:
        await store.watch(JANE)
        await store.watch(OMAR)
        assert (tmp_path / NAME).stat().st_size > 0
        await store.forget(JANE.address)
        await store.watch(Contact("ann@acme.example"))
        written = Journal(tmp_path).read()
        assert written
        assert not any(JANE.address.encode() in gzip.decompress(content) for content in written.values())
        lose_power(tmp_path, tmp_path.with_name("after"))
    async with await TinyStore.open(tmp_path.with_name("after")) as again:
        assert await again.person(JANE.address) is None


async def test_a_write_that_the_disk_refuses_is_not_in_the_journal_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(5, "Input/output error")

    async with await TinyStore.open(tmp_path / "data") as store:
        await store.watch(JANE)
        monkeypatch.setattr("bot.store.journal.os.fdatasync", refuse)
        with pytest.raises(StoreDown, match="Input/output error"):
            await store.record([sighting()])
        monkeypatch.undo()
        assert await store.news() == []
        shutil.copytree(tmp_path / "data", tmp_path / "after")
        assert await store.record([sighting()]) == [sighting()]
    async with await TinyStore.open(tmp_path / "after") as again:
        assert await again.news() == []


async def test_a_file_that_somebody_took_away_is_written_again(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path) as store:
        await store.watch(JANE)
        (path,) = (tmp_path / "people").glob("*.json.gz")
        path.unlink()
    async with await TinyStore.open(tmp_path) as again:
        assert await again.contacts() == [JANE]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from("abc"), st.binary(max_size=40), min_size=1), max_size=5),
    st.integers(0, 400),
    st.binary(max_size=60),
)
def test_a_journal_that_was_cut_off_anywhere_gives_every_record_before_that(
    records: list[dict[str, bytes]], cut: int, garbage: bytes
) -> None:
    whole = [encode(record) for record in records]
    journal = b"".join(whole)[:cut]
    wanted: dict[str, bytes] = {}
    length = 0
    for record, content in zip(records, whole, strict=True):
        length += len(content)
        if length <= len(journal):
            wanted |= record
    assert decode(journal) == wanted
    if cut >= length:
        assert decode(journal + b"\x00" + garbage) == wanted


@pytest.mark.parametrize(
    "journal",
    [b'{"files": 7}\n', b'{"files": [["a", -9]], "crc": 0}\nabc', b"[]\n", b"\xff\n", b"1" * 9999 + b"\n"],
)
def test_what_is_no_record_ends_the_journal(journal: bytes) -> None:
    assert decode(journal) == {}


def test_files_are_restored_before_they_are_opened_and_only_for_this_user(tmp_path: Path) -> None:
    group = Group(tmp_path)
    Journal(tmp_path).append({tmp_path / "people" / "ab.json.gz": b"content"})
    group.restore()
    path = tmp_path / "people" / "ab.json.gz"
    assert path.read_bytes() == b"content"
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
    assert Journal(tmp_path).read() == {}
    group.close()
