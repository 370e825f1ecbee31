"""Every line that `backtest --json` prints has the same keys, and says what programs rely on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.model import Reason
from tests import mails
from tests.backtest.past_mail import (
    FIRST,
    JANE,
    LAST,
    REP,
    acquaintance,
    at,
    folder,
    gone,
    lived,
    mail,
    sends,
)
from watchers import load

load()
DAY = timedelta(1)
KEYS = ["date", "contact", "verdict", "probability", "decision", "reason", "evidence"]
VERDICTS = {"left", "likely left", "slipping", "quiet", "on leave", "active", "unchecked"}
DECISIONS = {"send", "digest", "hold"}
REASONS = {reason.value for reason in Reason}
PEOPLE = ["jane@acme.example", *(f"p{number}@wide.example" for number in range(5)), "new@other.example"]


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A month in which one leaves, one is away, and a whole domain refuses mail."""
    place = tmp_path_factory.mktemp("lines")
    wide = [who for who in PEOPLE if who.endswith("@wide.example")]
    refused = [
        mails.bounce(who, at(FIRST + 10 * DAY, 9 + number)).replace(mails.REP.encode(), REP.encode())
        for number, who in enumerate(wide)
    ]
    away = mail(
        at(FIRST + 2 * DAY),
        sender=PEOPLE[0],
        automatic=True,
        text="I am out of the office until 9 March 2026.",
    )
    box = folder(
        place / "box",
        [
            *(one for who in PEOPLE[:-1] for one in acquaintance(who, until=FIRST + DAY)),
            away,
            gone(at(FIRST + 15 * DAY)),
            *(mail(at(FIRST + 10 * DAY, 8), sender=REP, to=who) for who in wide),
            *refused,
        ],
    )
    rows = "".join(f"{who},{'Wide' if who in wide else ''},{REP}\n" for who in PEOPLE)
    (place / "c.csv").write_text(f"email,account,owner\n{rows}")
    fixed = ["--contacts", str(place / "c.csv"), "--mail", str(box), "--our-domain", "vendor.example"]
    asked = ["backtest", *fixed, "--from", str(FIRST), "--to", str(LAST), "--jobs", "1", "--json"]
    done = CliRunner().invoke(main, asked)
    assert done.exit_code == 0, done.stderr
    return done.stdout.splitlines()


def checked(line: Mapping[str, Any]) -> None:
    """Hold a line against what is promised of it."""
    is_notice = line["contact"] is None
    assert list(line) == [*KEYS, "account"] if is_notice else list(line) == KEYS
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", line["date"])
    assert FIRST <= date.fromisoformat(line["date"]) <= LAST
    assert line["account"] == "Wide" if is_notice else line["contact"] in PEOPLE
    assert line["verdict"] in VERDICTS
    assert type(line["probability"]) is float
    assert line["probability"] == 0 if is_notice else 0 < line["probability"] < 1
    assert line["decision"] in DECISIONS
    assert line["reason"] in REASONS
    assert len(set(line["evidence"])) == len(line["evidence"])
    assert all(kind == kind.lower() and kind.isidentifier() for kind in line["evidence"])


def test_every_line_has_the_keys_in_their_order_and_the_words_that_are_promised(lines: list[str]) -> None:
    parsed = [json.loads(line) for line in lines]
    for line in parsed:
        checked(line)
    assert {line["verdict"] for line in parsed} >= {"left", "on leave", "active", "unchecked"}
    assert {line["decision"] for line in parsed} == DECISIONS
    assert any(line["contact"] is None and line["decision"] == "send" for line in parsed)


def test_a_contact_has_one_line_a_day_in_the_order_of_days_and_the_first_verdict_on_the_first(
    lines: list[str],
) -> None:
    parsed = [json.loads(line) for line in lines]
    days = [line["date"] for line in parsed]
    assert days == sorted(days)
    of_people = [(line["date"], line["contact"]) for line in parsed if line["contact"] is not None]
    assert len(set(of_people)) == len(of_people)
    assert [who for day, who in of_people if day == FIRST.isoformat()] == sorted(PEOPLE)


def test_a_line_says_what_changed_and_none_repeats_the_one_before(lines: list[str]) -> None:
    last: dict[str | None, tuple[Any, ...]] = {}
    for line in map(json.loads, lines):
        said = (line["verdict"], line["decision"], line["reason"], tuple(line["evidence"]))
        assert last.get(line["contact"]) != said or line["decision"] in {"send", "digest"}
        last[line["contact"]] = said


def test_a_mail_of_a_far_future_is_not_known_and_the_same_id_with_other_words_is_another_mail(
    tmp_path: Path,
) -> None:
    future = gone(at(date(2099, 1, 1)))
    twice = gone(at(FIRST + 15 * DAY)).replace(b"I no longer work at Acme.", b"Thank you for your mail.")
    same = gone(at(FIRST + 15 * DAY))
    box = folder(tmp_path / "box", [*acquaintance(), future, twice, same])
    assert sends(lived(box)) == [(FIRST + 15 * DAY, JANE.address, "left", "first")]
    without = folder(tmp_path / "without", [*acquaintance(), future])
    assert sends(lived(without)) == []


def test_somebody_at_two_accounts_of_one_owner_is_one_contact_with_one_line_a_day(tmp_path: Path) -> None:
    box = folder(tmp_path / "box", [*acquaintance(), gone(at(FIRST + 15 * DAY))])
    outcome = lived(box, JANE, replace(JANE, address="jane@acme-group.example", name="Jane Doe"))
    assert sends(outcome) == [(FIRST + 15 * DAY, JANE.address, "left", "first")]
    assert {line.account for line in outcome.lines} == {"Acme"}
