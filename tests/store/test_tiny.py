from __future__ import annotations

import asyncio
import errno
import os
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.model import (
    Action,
    Alert,
    Assessment,
    Contact,
    Decision,
    Home,
    NeedsHuman,
    Observation,
    Reason,
    Strength,
    Verdict,
)
from bot.store import StoreDown
from bot.store.changes import SLOTS_KEPT
from bot.store.files import Damaged, decode, encode
from bot.store.journal import Journal
from bot.store.tiny import TinyStore

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
JANE = Contact("jane@acme.example", "Jane Doe")
LEASE = timedelta(minutes=5)

HOLDER = """
import asyncio, sys
from pathlib import Path
from bot.store.tiny import TinyStore
async def main():
    async with await TinyStore.open(Path(sys.argv[1])):
        print("held", flush=True)
        sys.stdin.read()
asyncio.run(main())
"""

DISK_FULL = """
import asyncio, resource, sys
from pathlib import Path
from bot.model import Contact
from bot.store import StoreDown
from bot.store.tiny import TinyStore
async def main():
    async with await TinyStore.open(Path(sys.argv[1])) as store:
        await store.watch(Contact("jane@acme.example", "Jane"))
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
        try:
            await store.watch(Contact("jane@acme.example", "Refused"))
        except StoreDown as error:
            refusal = error
        kept = [contact.name for contact in await store.contacts()]
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        await store.watch(Contact("omar@acme.example", "Omar"))
        print(kept, refusal, sep="|")
asyncio.run(main())
"""


def sighting(day: int = 0, address: str = JANE.address) -> Observation:
    return Observation(address, "mail_from_them", NOW + timedelta(days=day), "imap:a", "They wrote.")


def files(folder: Path, pattern: str = "*") -> dict[str, tuple[int, int]]:
    return {
        path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in (folder / "people").glob(pattern)
    }


def only_file(folder: Path, ending: str = ".json.gz") -> Path:
    (path,) = (folder / "people").glob(f"*{ending}")
    return path


async def write_twice(folder: Path) -> None:
    async with await TinyStore.open(folder) as store:
        await store.watch(JANE)
        await store.record([sighting()])


async def test_everything_is_found_again(tmp_path: Path) -> None:
    assessment = Assessment(JANE.address, NOW, Verdict.LEFT, Strength.STRONG, 0.97, "Gone.")
    decision = Decision(JANE.address, NOW, Action.SEND, Reason.FIRST, Verdict.LEFT, 0.97)
    alert = Alert(JANE, assessment, 1, NOW)
    async with await TinyStore.open(tmp_path / "deep" / "data") as store:
        await store.watch(JANE)
        await store.conclude(1, assessment, decision, alert)
        await store.record([sighting(), sighting(address="ann@acme.example")])
        await store.save_cursor("imap:a", {"uid": 7})
        await store.claim_slot("mailbox", NOW)
        before = await store.people(frozenset({"acme.example"}))
    async with await TinyStore.open(tmp_path / "deep" / "data") as store:
        assert await store.people(frozenset({"acme.example"})) == before
        assert await store.contacts() == [JANE]
        assert await store.news() == [JANE.address]
        assert await store.cursor("imap:a") == {"uid": 7}
        assert not await store.claim_slot("mailbox", NOW)
        taken = await store.take_alert(NOW, LEASE)
        assert taken is not None
        assert taken[1].alert == alert
        assert store.notices == []


async def test_a_lease_of_a_process_that_died_is_free_when_the_next_one_starts(tmp_path: Path) -> None:
    assessment = Assessment(JANE.address, NOW, Verdict.LEFT, Strength.STRONG, 0.97, "Gone.")
    decision = Decision(JANE.address, NOW, Action.SEND, Reason.FIRST, Verdict.LEFT, 0.97)
    async with await TinyStore.open(tmp_path) as store:
        await store.watch(JANE)
        await store.conclude(1, assessment, decision, Alert(JANE, assessment, 1, NOW))
        await store.take_alert(NOW, LEASE)
        assert await store.take_alert(NOW, LEASE) is None
    async with await TinyStore.open(tmp_path) as store:
        taken = await store.take_alert(NOW, LEASE)
        assert taken is not None
        assert taken[1].attempts == 2
        assert await store.take_alert(NOW, LEASE) is None
        assert await store.alert_sent(taken[0].key, taken[1], Home("C1", "1.1"), NOW)
    async with await TinyStore.open(tmp_path) as store:
        assert await store.take_alert(NOW, LEASE) is None


async def test_a_second_process_is_refused_and_told_who_holds_the_folder(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path):
        program = [sys.executable, "-c", HOLDER, str(tmp_path)]
        second = subprocess.run(program, capture_output=True, text=True, check=False)  # noqa: ASYNC221 - short
    assert second.returncode != 0
    assert f"{tmp_path} is in use by process {os.getpid()} on {os.uname().nodename} since 20" in second.stderr
    assert "stop that process" in second.stderr


async def test_the_folder_is_free_once_its_owner_was_killed(tmp_path: Path) -> None:
    program = [sys.executable, "-c", HOLDER, str(tmp_path)]
    holder = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: ASYNC220 - short
    assert holder.stdin
    assert holder.stdout
    with holder.stdin, holder.stdout:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(NeedsHuman, match=f"process {holder.pid} on"):
            await TinyStore.open(tmp_path)
        holder.kill()
        holder.wait()
    async with await TinyStore.open(tmp_path) as store:
        assert await store.contacts() == []


async def test_an_owner_that_left_no_name_is_refused_all_the_same(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path):
        (tmp_path / "owner.lock").write_text("{")
        with pytest.raises(NeedsHuman, match="in use by another process"):
            await TinyStore.open(tmp_path)


async def test_a_file_system_without_locks_is_said_to_have_none_and_not_to_be_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("bot.store.owner.fcntl.flock", refuse)
    with pytest.raises(NeedsHuman, match=r"cannot be used: .*No locks available"):
        await TinyStore.open(tmp_path)


async def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(NeedsHuman, match=r"data folder .*file/data cannot be used: .*Not a directory"):
        await TinyStore.open(tmp_path / "file" / "data")


async def test_only_this_user_can_read_what_is_kept(tmp_path: Path) -> None:
    await write_twice(tmp_path / "data")
    async with await TinyStore.open(tmp_path / "data") as store:
        await store.save_cursor("imap:a", 1)
        await store.claim_slot("mailbox", NOW)
    for path in [tmp_path / "data", *(tmp_path / "data").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


async def test_what_is_known_already_is_not_written(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path) as store:
        await store.watch(JANE)
        await store.record([sighting()])
        await store.save_cursor("imap:a", {"uid": 7})
        before = files(tmp_path), (tmp_path / "cursors").stat().st_mtime_ns
        await store.watch(JANE)
        await store.record([sighting(), sighting()])
        await store.save_cursor("imap:a", {"uid": 7})
        await store.unwatch("nobody@acme.example")
        assert (files(tmp_path), (tmp_path / "cursors").stat().st_mtime_ns) == before


async def test_each_change_is_one_write(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path) as store:
        await store.watch(JANE)
        first = only_file(tmp_path).stat().st_ino
        assert not files(tmp_path, "*.bak")
        await store.record([sighting(day) for day in range(5)])
        assert only_file(tmp_path, ".bak").stat().st_ino == first


async def test_a_damaged_file_is_set_aside_and_the_last_good_copy_used(tmp_path: Path) -> None:
    await write_twice(tmp_path)
    damaged = only_file(tmp_path)
    damaged.write_bytes(damaged.read_bytes()[:-20])
    torn = damaged.read_bytes()
    async with await TinyStore.open(tmp_path) as store:
        assert await store.contacts() == [JANE]
        assert await store.news() == []
        (notice,) = store.notices
        assert str(damaged) in notice
        assert "the last good copy is used" in notice
        await store.record([sighting()])
    (aside,) = damaged.parent.glob("*.damaged-20*")
    assert aside.read_bytes() == torn
    async with await TinyStore.open(tmp_path) as store:
        assert store.notices == []
        assert await store.news() == [JANE.address]


async def test_a_damaged_file_without_a_copy_is_set_aside_and_said_lost(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path) as store:
        await store.watch(JANE)
        await store.watch(Contact("omar@other.example"))
    damaged = min((tmp_path / "people").glob("*.json.gz"))
    damaged.write_bytes(b"not what was written")
    async with await TinyStore.open(tmp_path) as store:
        assert len(await store.contacts()) == 1
        (notice,) = store.notices
        assert "there is no good copy: what it held is lost" in notice
    async with await TinyStore.open(tmp_path) as store:
        assert store.notices == []


async def test_when_the_copy_is_damaged_too_both_are_set_aside(tmp_path: Path) -> None:
    await write_twice(tmp_path)
    damaged = only_file(tmp_path)
    damaged.write_bytes(b"\x1f\x8b")
    only_file(tmp_path, ".bak").write_bytes(encode({"people": {"a": 1}}))
    async with await TinyStore.open(tmp_path) as store:
        assert await store.contacts() == []
        assert len(store.notices) == 1
    assert len(list(damaged.parent.glob("*.damaged-20*"))) == 2
    async with await TinyStore.open(tmp_path) as store:
        assert store.notices == []


async def test_a_file_that_went_missing_is_replaced_by_its_copy(tmp_path: Path) -> None:
    await write_twice(tmp_path)
    only_file(tmp_path).unlink()
    async with await TinyStore.open(tmp_path) as store:
        assert await store.contacts() == [JANE]
        assert "was gone" in store.notices[0]


def test_a_change_of_any_one_byte_is_noticed_or_harmless() -> None:
    tables = {"_default": {"jane@acme.example": {"name": "Jane", "news": False}}}
    content = encode(tables)
    noticed = 0
    for place in range(len(content)):
        torn = bytearray(content)
        torn[place] ^= 0x55
        try:
            assert decode(bytes(torn)) == tables
        except Damaged:
            noticed += 1
    assert noticed >= len(content) - 10


@pytest.mark.parametrize("length", [0, 1, 10, -1])
def test_a_file_cut_short_is_damaged(length: int) -> None:
    with pytest.raises(Damaged):
        decode(encode({"_default": {}})[:length] or b"\x00")


async def test_an_empty_file_is_damaged_and_its_copy_used(tmp_path: Path) -> None:
    await write_twice(tmp_path)
    only_file(tmp_path).write_bytes(b"")
    async with await TinyStore.open(tmp_path) as store:
        assert await store.contacts() == [JANE]
        assert len(store.notices) == 1


async def test_what_this_version_does_not_know_stops_the_start_and_stays(tmp_path: Path) -> None:
    await write_twice(tmp_path)
    path = only_file(tmp_path)
    foreign = encode({"_default": {JANE.address: {"address": JANE.address, "layout": 9}}})
    path.write_bytes(foreign)
    with pytest.raises(NeedsHuman, match="holds what this version does not know"):
        await TinyStore.open(tmp_path)
    assert path.read_bytes() == foreign


async def test_a_half_written_file_of_a_killed_process_is_cleared_away(tmp_path: Path) -> None:
    await write_twice(tmp_path)
    leftover = only_file(tmp_path).with_suffix(".gz.tmp")
    leftover.write_bytes(b"\x1f\x8b half")
    async with await TinyStore.open(tmp_path) as store:
        assert await store.news() == [JANE.address]
        assert store.notices == []
    assert not leftover.exists()


async def test_files_of_others_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    await write_twice(tmp_path)
    (tmp_path / "people" / "notes.txt").write_text("mine")
    async with await TinyStore.open(tmp_path) as store:
        assert store.notices == []
    assert (tmp_path / "people" / "notes.txt").read_text() == "mine"


async def test_without_hard_links_the_last_good_copy_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("bot.store.files.os.link", refuse)
    async with await TinyStore.open(tmp_path) as store:
        await store.watch(JANE)
        first = only_file(tmp_path).read_bytes()
        await store.record([sighting()])
    assert only_file(tmp_path, ".bak").read_bytes() == first


async def test_a_write_is_on_the_disk_before_its_file_changes_and_before_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    fdatasync = os.fdatasync

    def noted(handle: int) -> None:
        fdatasync(handle)
        (content,) = Journal(tmp_path).read().values()
        steps.append(f"{len(content)} bytes on the disk, file has {only_file(tmp_path).stat().st_size}")

    async with await TinyStore.open(tmp_path) as store:
        await store.watch(JANE)
        path = only_file(tmp_path)
        before = path.stat().st_size
        monkeypatch.setattr("bot.store.journal.os.fdatasync", noted)
        await store.record([sighting()])
        monkeypatch.undo()
        after = path.stat().st_size
    assert before != after
    assert steps == [f"{after} bytes on the disk, file has {before}"]


def test_a_full_disk_is_named_and_leaves_what_was_kept(tmp_path: Path) -> None:
    program = [sys.executable, "-c", DISK_FULL, str(tmp_path)]
    said = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    assert said.count("store.down") == said.count("store.recovered") == 1
    kept, refusal = said.splitlines()[-1].split("|")
    assert kept == "['Jane']"
    assert "cannot be written: File too large" in refusal
    assert "make room on the disk" in refusal

    async def names() -> list[str]:
        async with await TinyStore.open(tmp_path) as store:
            assert store.notices == []
            return [contact.name for contact in await store.contacts()]

    assert asyncio.run(names()) == ["Jane", "Omar"]
    assert not list(tmp_path.rglob("*.tmp"))


async def test_a_rename_that_fails_leaves_what_was_kept(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path) as store:
        await store.watch(JANE)
        path = only_file(tmp_path)
        path.rename(tmp_path / "elsewhere")
        path.mkdir()
        with pytest.raises(StoreDown, match="Is a directory"):
            await store.record([sighting()])
        path.rmdir()
        (tmp_path / "elsewhere").rename(path)
        assert await store.news() == []
        assert await store.record([sighting()]) == [sighting()]
        assert await store.news() == [JANE.address]


async def test_reads_do_not_wait_for_a_disk_that_hangs(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path) as store:
        await store.watch(JANE)
        await store.save_cursor("imap:a", 7)
        disk = threading.Event()
        store._writer._thread.submit(disk.wait)
        write = asyncio.create_task(store.record([sighting()]))
        await asyncio.sleep(0)
        person = await store.person(JANE.address)
        assert person is not None
        assert person.observations == ()
        assert await store.contacts() == [JANE]
        assert await store.people(frozenset({"acme.example"})) == [person]
        assert await store.news() == []
        assert await store.cursor("imap:a") == 7
        assert not write.done()
        disk.set()
        assert await write == [sighting()]


async def test_a_cancelled_caller_leaves_the_store_whole(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path) as store:
        await store.watch(JANE)
        writes = [asyncio.create_task(store.record([sighting(day)])) for day in range(10)]
        await asyncio.sleep(0)
        for write in writes[::2]:
            write.cancel()
        await asyncio.gather(*writes, return_exceptions=True)
        person = await store.person(JANE.address)
        assert person is not None
        assert {sighting(day) for day in range(1, 10, 2)} <= set(person.observations)
    async with await TinyStore.open(tmp_path) as store:
        assert await store.person(JANE.address) == person


async def test_old_slots_are_forgotten(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path) as store:
        for day in range(0, 70, 10):
            assert await store.claim_slot("mailbox", NOW + timedelta(days=day))
    (path,) = (tmp_path / "slots").glob("*.json.gz")
    slots = decode(path.read_bytes())["_default"]["mailbox"]["slots"]
    assert [datetime.fromisoformat(slot) for slot in slots] == [
        NOW + timedelta(days=day) for day in range(30, 70, 10)
    ]
    assert timedelta(days=30) == SLOTS_KEPT


async def test_a_closed_store_takes_no_more_writes(tmp_path: Path) -> None:
    store = await TinyStore.open(tmp_path)
    await store.close()
    await store.close()
    with pytest.raises(RuntimeError):
        await store.watch(JANE)
