from __future__ import annotations

import io
import os
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Json, NeedsHuman, SourceDown
from watchers.mail import Item, RawMail, Skipped, mbox
from watchers.mail.files import FRESH_KEPT, MailFiles
from watchers.mail.head import LIMITS, Head


def mail(n: int, body: str = "Hello.") -> bytes:
    return (
        f"From: Jane <jane@acme.example>\nSubject: {n}\nMessage-ID: <{n}@acme.example>\n\n{body}\n".encode()
    )


def boxed(*mails: bytes) -> bytes:
    return b"".join(b"From jane@acme.example Mon Jan  1 10:00:00 2024\n" + raw + b"\n" for raw in mails)


def read(*paths: Path) -> list[Item]:
    return list(MailFiles(paths).mails())


def contents(items: Sequence[Item]) -> list[bytes]:
    return [item.content for item in items if isinstance(item, RawMail)]


def nothing(head: Head) -> bool:
    del head
    return False


async def one_pass(path: Path, cursor: Json = None) -> tuple[list[Item], Json]:
    items: list[Item] = []
    async for batch in MailFiles([path]).batches(cursor, nothing):
        items.extend(batch.items)
        cursor = batch.cursor
    return items, cursor


def test_in_a_folder_every_file_is_one_mail_whatever_its_ending(tmp_path: Path) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "b.eml").write_bytes(mail(1))
    (tmp_path / "a").write_bytes(boxed(mail(2), mail(3)))
    (tmp_path / "deep" / "deeper" / "c.txt").write_bytes(mail(4))
    found = read(tmp_path)
    assert [Path(item.label).name for item in found] == ["a", "b.eml", "c.txt"]
    assert contents(found)[0] == boxed(mail(2), mail(3))


def test_an_mbox_in_a_folder_is_split_by_its_ending(tmp_path: Path) -> None:
    (tmp_path / "old.mbox").write_bytes(boxed(mail(1), mail(2), mail(3)))
    assert len(contents(read(tmp_path))) == 3


def test_the_mbox_inside_an_exported_mbox_folder_is_split(tmp_path: Path) -> None:
    (tmp_path / "Inbox.mbox").mkdir()
    (tmp_path / "Inbox.mbox" / "mbox").write_bytes(boxed(mail(1), mail(2)))
    assert len(contents(read(tmp_path))) == 2


def test_a_file_named_directly_is_split_only_when_it_is_an_mbox(tmp_path: Path) -> None:
    (tmp_path / "many").write_bytes(boxed(mail(1), mail(2)))
    (tmp_path / "one").write_bytes(mail(3, "From jane@acme.example Mon Jan  1 10:00:00 2024\nX: y"))
    assert len(contents(read(tmp_path / "many"))) == 2
    assert len(contents(read(tmp_path / "one"))) == 1


def test_of_a_maildir_only_what_was_delivered_is_read(tmp_path: Path) -> None:
    for folder in ("cur", "new", "tmp", ".Sent/cur", ".Sent/new", ".Sent/tmp"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / f"1.{folder.replace('/', '-')}").write_bytes(mail(1, folder))
    (tmp_path / "dovecot.index").write_bytes(b"\0")
    (tmp_path / ".Sent" / "maildirfolder").touch()
    assert [Path(item.label).parent.name for item in read(tmp_path)] == ["cur", "new", "cur", "new"]


def test_quoted_from_lines_are_unquoted_by_one_mark() -> None:
    assert mbox.unquote(b">From here\n>>From there\n> From me\n") == b"From here\n>From there\n> From me\n"


def test_a_sentence_that_begins_with_from_does_not_split_a_mail(tmp_path: Path) -> None:
    body = "All,\n\nFrom now on we meet at 10:00 in 2024.\nBye.\n\nFrom me: hi\n\nFrom jane@acme.example\nhi"
    (tmp_path / "x.mbox").write_bytes(boxed(mail(1, body), mail(2)))
    assert len(contents(read(tmp_path / "x.mbox"))) == 2


@pytest.mark.parametrize(
    "line",
    [
        "From MAILER-DAEMON Fri Jul  8 12:08:34 2011",
        "From - Mon Jan 01 00:00:00 2024",
        "From 1234567890@xxx Mon Jan 01 00:00:00 +0000 2024",
        "From jane at acme.example  Mon Jan  1 10:00:00 2024",
        "From jane@acme.example",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_separators_of_known_programs_are_understood(tmp_path: Path, line: str, end: str) -> None:
    text = f"{line}\n{mail(1).decode()}\n{line}\n{mail(2).decode()}\n".replace("\n", end)
    (tmp_path / "x.mbox").write_bytes(text.encode())
    assert len(contents(read(tmp_path / "x.mbox"))) == 2


@given(
    st.lists(st.integers(0, 900), min_size=1, max_size=40), st.integers(2 * mbox.SEPARATOR_LINE + 20, 5000)
)
@settings(max_examples=60, deadline=None)
def test_an_mbox_splits_alike_wherever_its_blocks_end(sizes: list[int], block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mbox, "BLOCK", block)
        raws = [mail(n, "y" * size) for n, size in enumerate(sizes)]
        found = [content for _, content, _ in mbox.mails(io.BytesIO(boxed(*raws)))]
    assert found == [boxed(raw) for raw in raws]


@given(
    st.lists(
        st.sampled_from([b"From ", b">", b"\n", b"\r\n", b"a@b.example", b"10:00 2024", b"X: y", b"\n\n"])
    )
)
@settings(max_examples=200, deadline=None)
def test_the_mails_of_any_mbox_cover_it_without_gap_or_overlap(pieces: list[bytes]) -> None:
    raw = b"".join(pieces)
    found = list(mbox.bounds(io.BytesIO(raw)))
    assert b"".join(raw[begin:end] for begin, end in found) == raw


def test_a_mail_larger_than_the_limit_is_cut_and_the_next_one_still_read(tmp_path: Path) -> None:
    path = tmp_path / "big.mbox"
    with path.open("wb") as file:
        file.write(boxed(mail(1, "z" * (LIMITS.mail + 5))))
        file.write(boxed(mail(2)))
    big, small = contents(read(path))
    assert len(big) == LIMITS.mail
    assert b"Subject: 2" in small


def test_an_mbox_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "big.mbox"
    with path.open("wb") as file:
        for n in range(200):
            file.write(boxed(mail(n, "line of text\n" * 20_000)))
    tracemalloc.start()
    try:
        assert sum(1 for _ in MailFiles([path]).mails()) == 200
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert path.stat().st_size > 50_000_000
    assert peak < 10_000_000


def test_what_cannot_be_read_is_named_with_its_reason_and_does_not_stop(tmp_path: Path) -> None:
    (tmp_path / "a.eml").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "b.eml")
    (tmp_path / "c.eml").write_bytes(mail(1))
    first, second, third = read(tmp_path)
    assert isinstance(first, Skipped)
    assert first.reason == "no such file or directory"
    assert isinstance(second, Skipped)
    assert second.reason == "not a regular file"
    assert isinstance(third, RawMail)


def test_a_file_name_that_is_not_utf_8_is_shown_and_read(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/m\xfcller.eml"
    Path(os.fsdecode(name)).write_bytes(mail(1))
    (found,) = read(tmp_path)
    assert isinstance(found, RawMail)
    assert found.label.endswith("m\ufffdller.eml")


async def test_a_path_that_is_not_there_is_a_source_that_is_down(tmp_path: Path) -> None:
    with pytest.raises(SourceDown, match="no such file"):
        await one_pass(tmp_path / "unmounted")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_a_path_that_we_may_not_read_needs_a_human(tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0)
    with pytest.raises(NeedsHuman, match="may not be read"):
        await one_pass(tmp_path / "shut")


async def test_a_second_pass_reads_only_what_is_new(tmp_path: Path) -> None:
    for n in range(5):
        (tmp_path / f"{n}.eml").write_bytes(mail(n))
    first, cursor = await one_pass(tmp_path)
    again, cursor = await one_pass(tmp_path, cursor)
    (tmp_path / "0-before-all.eml").write_bytes(mail(9))
    (tmp_path / "2.eml").write_bytes(mail(2, "rewritten"))
    later, _ = await one_pass(tmp_path, cursor)
    assert [len(first), len(again)] == [5, 0]
    assert contents(later) == [mail(9), mail(2, "rewritten")]


async def test_an_old_file_that_is_moved_in_is_new(tmp_path: Path) -> None:
    (tmp_path / "mails").mkdir()
    (tmp_path / "mails" / "1.eml").write_bytes(mail(1))
    (tmp_path / "2.eml").write_bytes(mail(2))
    os.utime(tmp_path / "2.eml", (0, 0))
    _, cursor = await one_pass(tmp_path / "mails")
    (tmp_path / "2.eml").rename(tmp_path / "mails" / "2.eml")
    later, _ = await one_pass(tmp_path / "mails", cursor)
    assert contents(later) == [mail(2)]


async def test_an_old_folder_that_is_moved_in_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchers.mail.files.CLOCK_GRAIN", 0)
    (tmp_path / "mails").mkdir()
    (tmp_path / "aside").mkdir()
    (tmp_path / "mails" / "1.eml").write_bytes(mail(1))
    (tmp_path / "aside" / "2.eml").write_bytes(mail(2))
    _, cursor = await one_pass(tmp_path / "mails")
    (tmp_path / "aside").rename(tmp_path / "mails" / "aside")
    later, _ = await one_pass(tmp_path / "mails", cursor)
    assert contents(later) == [mail(2)]


async def test_an_mbox_that_grew_is_read_from_where_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "x.mbox"
    path.write_bytes(boxed(mail(1), mail(2)))
    first, cursor = await one_pass(path)
    with path.open("ab") as file:
        file.write(boxed(mail(3)))
    second, cursor = await one_pass(path, cursor)
    third, _ = await one_pass(path, cursor)
    assert [len(first), len(second), len(third)] == [2, 1, 0]
    assert b"Subject: 3" in contents(second)[0]


async def test_an_mbox_that_was_rewritten_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "x.mbox"
    path.write_bytes(boxed(mail(1), mail(2)))
    _, cursor = await one_pass(path)
    path.write_bytes(boxed(mail(2), mail(3), mail(4)))
    second, _ = await one_pass(path, cursor)
    assert len(second) == 3


@pytest.mark.parametrize("shape", ["folder", "mbox"])
async def test_a_pass_that_was_cut_off_goes_on_after_its_last_saved_batch(tmp_path: Path, shape: str) -> None:
    path = tmp_path / f"mails.{shape}"
    if shape == "folder":
        (path / "a").mkdir(parents=True)
        for n in range(500):
            (path / ("a" if n % 2 else "") / f"{n:03}.eml").write_bytes(mail(n))
        (path / "a.eml").write_bytes(mail(500))
    else:
        path.write_bytes(boxed(*(mail(n) for n in range(501))))
    whole = read(path)
    batches = MailFiles([path]).batches(None, nothing)
    first = await anext(batches)
    rest, cursor = await one_pass(path, first.cursor)
    again, _ = await one_pass(path, cursor)
    assert first.total == 501
    assert [*first.items, *rest] == whole
    assert again == []


async def test_a_cursor_that_is_none_of_ours_starts_from_the_beginning(tmp_path: Path) -> None:
    (tmp_path / "1.eml").write_bytes(mail(1))
    for cursor in ("x", 3, ["y"], {"mark": "z"}, {"fresh": "not base64 \N{SNOWMAN}"}):
        found, _ = await one_pass(tmp_path, cursor)  # type: ignore[arg-type]
        assert len(found) == 1


async def test_the_cursor_stays_small_however_many_mails_there_are(tmp_path: Path) -> None:
    for n in range(FRESH_KEPT + 1000):
        (tmp_path / f"{n}.eml").write_bytes(b"From: a@b.example\n\n")
    first, cursor = await one_pass(tmp_path)
    again, _ = await one_pass(tmp_path, cursor)
    assert len(first) == FRESH_KEPT + 1000
    assert len(again) <= 1000
    assert len(str(cursor)) < 60_000


def test_the_total_counts_what_will_be_read(tmp_path: Path) -> None:
    (tmp_path / "1.eml").write_bytes(mail(1))
    (tmp_path / "2.mbox").write_bytes(boxed(mail(2), mail(3)))
    assert MailFiles([tmp_path]).total() == 3 == len(read(tmp_path))
