from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import watchers
from bot.check import Check, Checked, Outcome, as_json
from bot.model import Contact, NeedsHuman
from bot.store.tiny import TinyStore
from tests.mails import BOB, JANE, REP, at, bounce, mbox, plain, story

CONTACTS = (Contact(JANE, "Jane Doe", account="Acme", owner=REP), Contact(BOB, "Bob Ray", account="Acme"))
NOW = at(15, 0)


@pytest.fixture(autouse=True, scope="module")
def _loaded() -> None:
    watchers.load()


def asked(*mail: Path, data: Path | None = None, contacts: tuple[Contact, ...] = CONTACTS) -> Check:
    return Check(contacts, mail, ("vendor.example",), data)


def verdicts(checked: Sequence[Checked]) -> dict[str, str]:
    return {item.contact.address: str(item.assessment.verdict) for item in checked}


def stamps(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


class Told:
    """What a pass said of its progress."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int, int | None]] = []

    def __call__(self, source: str, done: int, total: int | None) -> None:
        self.calls.append((source, done, total))

    @property
    def read(self) -> int:
        return max((done for _, done, _ in self.calls), default=0)


async def test_the_address_that_worked_and_bounces_has_likely_left_and_the_other_is_there(
    tmp_path: Path,
) -> None:
    outcome = await asked(story(tmp_path / "mail")).run(NOW)
    checked, unreadable = outcome.checked, outcome.unreadable
    assert verdicts(checked) == {JANE: "likely left", BOB: "active"}
    assert unreadable == 0


async def test_contacts_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    checked = (await asked(story(tmp_path / "mail"), contacts=CONTACTS[::-1]).run(NOW)).checked
    assert [item.contact.address for item in checked] == [BOB, JANE]


async def test_what_happened_after_the_moment_of_judgement_is_not_known_yet(tmp_path: Path) -> None:
    folder = story(tmp_path / "mail")
    before = (await asked(folder).run(at(14, 8))).checked
    after = (await asked(folder).run(at(14, 10))).checked
    assert verdicts(before)[JANE] == "active"
    assert verdicts(after)[JANE] == "likely left"


async def test_without_a_data_folder_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = story(tmp_path / "mail")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    before = stamps(tmp_path)
    await asked(folder).run(NOW)
    assert stamps(tmp_path) == before


async def test_a_second_pass_with_a_data_folder_reads_only_what_is_new(tmp_path: Path) -> None:
    folder, data = story(tmp_path / "mail"), tmp_path / "data"
    (tmp_path / "box.mbox").write_bytes(mbox(plain(REP, BOB, at(5)), plain(REP, JANE, at(6))))
    first, again, second = Told(), Told(), Told()

    await asked(folder, tmp_path / "box.mbox", data=data).run(NOW, first)
    assert sum(done for _, done, _ in first.calls) == 6
    unchanged = (await asked(folder, tmp_path / "box.mbox", data=data).run(NOW, again)).checked
    assert again.read == 0
    assert verdicts(unchanged) == {JANE: "likely left", BOB: "active"}

    (folder / "5.eml").write_bytes(bounce(BOB, at(16)))
    checked = (await asked(folder, tmp_path / "box.mbox", data=data).run(at(17), second)).checked
    assert sum(done for _, done, _ in second.calls) == 1
    assert verdicts(checked) == {JANE: "likely left", BOB: "likely left"}


async def test_a_contact_added_later_is_judged_by_the_mail_that_was_there_before(tmp_path: Path) -> None:
    folder, data = story(tmp_path / "mail"), tmp_path / "data"
    other = Contact("cy@other.example", "Cy")
    (folder / "6.eml").write_bytes(plain("cy@other.example", REP, at(12)))
    await asked(folder, data=data).run(NOW)
    checked = (await asked(folder, data=data, contacts=(*CONTACTS, other)).run(NOW)).checked
    assert verdicts(checked) == {JANE: "likely left", BOB: "active", "cy@other.example": "active"}


async def test_who_is_no_longer_in_the_file_is_no_longer_judged(tmp_path: Path) -> None:
    folder, data = story(tmp_path / "mail"), tmp_path / "data"
    await asked(folder, data=data).run(NOW)
    checked = (await asked(folder, data=data, contacts=CONTACTS[1:]).run(NOW)).checked
    assert verdicts(checked) == {BOB: "active"}


async def test_a_data_folder_that_is_in_use_is_refused(tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path / "data"):
        with pytest.raises(NeedsHuman):
            await asked(story(tmp_path / "mail"), data=tmp_path / "data").run(NOW)


async def test_a_path_named_twice_is_read_once(tmp_path: Path) -> None:
    folder = story(tmp_path / "mail")
    told = Told()
    await asked(folder, folder, tmp_path / "mail" / ".." / "mail").run(NOW, told)
    assert len({source for source, _, _ in told.calls}) == 1


async def test_the_same_mails_in_two_places_count_once(tmp_path: Path) -> None:
    one = (await asked(story(tmp_path / "mail")).run(NOW)).checked
    both = (await asked(tmp_path / "mail", story(tmp_path / "copy")).run(NOW)).checked
    assert [item.assessment.probability for item in one] == [item.assessment.probability for item in both]


async def test_a_mail_that_cannot_be_read_is_counted_and_the_others_are_read(tmp_path: Path) -> None:
    folder = story(tmp_path / "mail")
    (folder / "0.eml").symlink_to(tmp_path / "gone.eml")
    (folder / "9.eml").write_bytes(bytes(range(256)) * 50)
    outcome = await asked(folder).run(NOW)
    assert outcome.unreadable == 1
    assert verdicts(outcome.checked) == {JANE: "likely left", BOB: "active"}


async def test_a_place_that_went_away_is_said_and_not_taken_for_silence(tmp_path: Path) -> None:
    outcome = await asked(tmp_path / "gone").run(NOW)
    assert set(verdicts(outcome.checked).values()) == {"unchecked"}
    assert all("gone" in item.assessment.headline for item in outcome.checked)
    assert len(outcome.closed) == 1


async def test_nobody_to_check_is_no_error(tmp_path: Path) -> None:
    assert await asked(story(tmp_path / "mail"), contacts=()).run(NOW) == Outcome((), mails=4)


async def test_a_contact_of_whom_there_is_no_mail_is_unchecked(tmp_path: Path) -> None:
    stranger = Contact("cy@other.example")
    checked = (await asked(story(tmp_path / "mail"), contacts=(stranger,)).run(NOW)).checked
    assert verdicts(checked) == {"cy@other.example": "unchecked"}


async def test_the_line_for_machines_says_who_what_how_sure_and_why(tmp_path: Path) -> None:
    checked = (await asked(story(tmp_path / "mail")).run(NOW)).checked
    line: dict[str, Any] = json.loads(json.dumps(as_json(checked[0]), allow_nan=False))
    assert (line["contact"], line["account"], line["owner"]) == (JANE, "Acme", REP)
    assert line["verdict"] == "likely left"
    assert 0.5 < line["probability"] <= 1
    gone = next(item for item in line["evidence"] if item["kind"] == "mailbox_gone")
    assert datetime.fromisoformat(gone["date"]) == at(14)
    assert gone["source"] == f"mailbox:{tmp_path}/mail"
    assert "5.1.1" in gone["sentence"]
    assert gone["weight"] > 0
    assert line["suggestions"][0]["address"] == BOB
    assert line["suggestions"][0]["reasons"]


async def test_the_account_of_a_contact_without_one_is_the_mail_domain(tmp_path: Path) -> None:
    checked = (await asked(story(tmp_path / "mail"), contacts=(Contact(JANE),)).run(NOW)).checked
    assert as_json(checked[0])["account"] == "acme.example"
