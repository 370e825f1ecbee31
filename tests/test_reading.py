from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest

import watchers
from bot.model import Family, Kind, Means, Observation
from bot.reading import NO_MAIL, Reading, read
from tests.mails import BOB, JANE, REP, at, bounce, mbox, plain, story
from watchers import MailReader, Scope
from watchers.mail.head import Head
from watchers.mail.parse import Mail

SCOPE = Scope(our_domains=frozenset({"vendor.example"}))


@pytest.fixture(autouse=True, scope="module")
def _loaded() -> None:
    watchers.load()


def readings(*paths: Path) -> dict[str, Reading]:
    found = list(read(paths, SCOPE))
    assert len({reading.file for reading in found}) == len(found)
    return {reading.file: reading for reading in found}


def kinds(reading: Reading) -> set[str]:
    return {seen.kind for seen in reading.observations}


def test_in_a_folder_every_file_is_one_mail_whatever_its_ending(tmp_path: Path) -> None:
    said = readings(story(tmp_path / "mail"))
    assert {name: kinds(reading) for name, reading in said.items()} == {
        "1.eml": {"wrote"},
        "2": {"written_to"},
        "3.txt": {"wrote"},
        "4.eml": {"mailbox_gone"},
    }


def test_a_file_in_a_folder_that_begins_as_an_mbox_does_is_still_one_mail(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    folder.mkdir()
    (folder / "one").write_bytes(mbox(bounce(JANE, at(14))))
    (folder / "two.eml").write_bytes(mbox(plain(JANE, REP, at(3)), plain(BOB, REP, at(4))))
    said = readings(folder)
    assert set(said) == {"one", "two.eml"}
    assert kinds(said["one"]) == {"mailbox_gone"}


def test_an_mbox_is_split_when_it_is_called_so_or_named_directly(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    folder.mkdir()
    two = mbox(plain(JANE, REP, at(3)), bounce(JANE, at(14)))
    for name in ("box.mbox", "box"):
        (folder / name).write_bytes(two)
    assert [kinds(reading) for reading in readings(folder).values()] == [
        {"wrote"},
        {"wrote"},
        {"mailbox_gone"},
    ]
    assert [kinds(reading) for reading in readings(folder / "box").values()] == [{"wrote"}, {"mailbox_gone"}]


def test_mails_of_the_same_name_in_several_folders_are_told_apart(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.eml").write_bytes(plain(JANE, REP, at(3)))
    assert set(readings(tmp_path)) == {"a/1.eml", "b/1.eml"}
    assert set(readings(tmp_path / "a", tmp_path / "b")) == {f"{tmp_path}/a/1.eml", f"{tmp_path}/b/1.eml"}


def test_a_maildir_is_read_without_what_is_still_being_delivered(tmp_path: Path) -> None:
    for folder in ("cur", "new", "tmp"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{folder}:2,S").write_bytes(plain(JANE, REP, at(3)))
    assert set(readings(tmp_path)) == {"cur/cur:2,S", "new/new:2,S"}


def test_what_cannot_be_read_takes_its_place_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "a.eml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "b.eml").write_bytes(plain(JANE, REP, at(3)))
    said = readings(tmp_path)
    assert said["a.eml"].as_json() == {
        "file": "a.eml",
        "readings": [],
        "trouble": "no such file or directory",
    }
    assert kinds(said["b.eml"]) == {"wrote"}


@pytest.mark.parametrize("content", [b"", b"\0" * 1000, b"\xff" * 1000, b"From \n", b"no mail at all"])
def test_rubbish_is_called_no_mail(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    [reading] = readings(tmp_path).values()
    assert kinds(reading) == set()
    assert reading.trouble == NO_MAIL


def test_a_bounce_says_whose_mailbox_and_why_it_is_taken_for_one(tmp_path: Path) -> None:
    (tmp_path / "b.eml").write_bytes(bounce(JANE, at(14)))
    [line] = [json.loads(json.dumps(reading.as_json())) for reading in readings(tmp_path).values()]
    assert line["file"] == "b.eml"
    [said] = line["readings"]
    assert (said["kind"], said["recipient"]) == ("mailbox_gone", JANE)
    assert said["date"] == at(14).isoformat()
    assert "5.1.1" in said["sentence"]
    assert said["because"]


def test_an_auto_reply_says_its_kind_and_the_successor(tmp_path: Path) -> None:
    reply = plain(JANE, REP, at(14), "Automatic reply: Pilot").replace(
        b"\r\n\r\nSounds good.",
        b"\r\nAuto-Submitted: auto-replied\r\n\r\nI am no longer with Acme. "
        b"Please write to Ann Lee <ann.lee@acme.example>.",
    )
    (tmp_path / "r.eml").write_bytes(reply)
    [line] = [reading.as_json() for reading in readings(tmp_path).values()]
    [said] = [item for item in json.loads(json.dumps(line))["readings"] if item["kind"] == "autoreply"]
    assert said["says"] == "departed"
    assert said["recipient"] == JANE
    assert [one["address"] for one in said["successors"]] == ["ann.lee@acme.example"]


class Failing(MailReader):
    """Fails on every mail of Jane's."""

    kinds: ClassVar[tuple[Kind, ...]] = (Kind("failed", Means.NOTED, Family.MAIL),)

    def wants(self, head: Head) -> bool:
        del head
        return True

    def read(self, mail: Mail, scope: Scope) -> Sequence[Observation]:
        del scope
        if mail.head.sender.address == JANE:
            raise ValueError("a bug")
        return ()


def test_a_reader_that_fails_is_named_and_the_other_mails_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Failing, "name", "failing", raising=False)
    monkeypatch.setitem(MailReader.registry, "failing", Failing)
    (tmp_path / "1").write_bytes(plain(JANE, REP, at(3)))
    (tmp_path / "2").write_bytes(plain(BOB, REP, at(3)))
    said = readings(tmp_path)
    assert re.fullmatch(
        r"the reader failing failed on it: ValueError in test_reading\.py, line \d+", said["1"].trouble
    )
    assert said["2"].trouble == ""
    assert kinds(said["2"]) == {"wrote"}
