from __future__ import annotations

import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from bot import demo
from bot.cli import main
from watchers import load


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    load()
    await demo.play(Console(file=io.StringIO()), tmp_path)
    return tmp_path / "data"


def asked(*arguments: str) -> str:
    wide = {"COLUMNS": "200"}
    result = CliRunner().invoke(main, ["exposure", *arguments], env=wide, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_it_says_on_how_many_people_a_deal_rests(data: Path) -> None:
    told = " ".join(asked("--data", str(data), "--now", "2026-05-01").split())
    assert "Acme rollout" in told
    assert "240,000 EUR" in told
    assert "Jane Doe (22 days ago)" in told
    assert "1 account with open deals" in told


def test_a_machine_gets_the_same_as_a_person(data: Path) -> None:
    (row,) = json.loads(asked("--data", str(data), "--now", "2026-05-01", "--json"))
    assert row["account"] == "Acme"
    assert row["people"] == len(row["in_contact"])
    (deal,) = row["deals"]
    assert deal["remain"] == sum(one["address"] != deal["champion"] for one in row["in_contact"])
    assert all(
        datetime.fromisoformat(one["last"]) < datetime(2026, 5, 2, tzinfo=UTC) for one in row["in_contact"]
    )


def test_only_the_deals_of_the_owner_asked_for_are_shown(data: Path) -> None:
    assert json.loads(asked("--data", str(data), "--owner", "rita rep", "--json"))
    other = asked("--data", str(data), "--owner", "somebody else")
    assert other.startswith("No contact of somebody else has an open deal, so nothing rests on anybody.")
    assert "as in the contacts" in other


def test_without_any_deal_it_says_how_to_add_one(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "contacts.csv").write_text("email\njane.doe@acme.example\n")
    kept = str(tmp_path / "kept")
    words = ["--contacts", str(tmp_path / "contacts.csv"), "--mail", str(tmp_path / "mail")]
    checked = CliRunner().invoke(main, ["check", *words, "--our-domain", "vendor.example", "--data", kept])
    assert checked.exit_code == 0
    told = asked("--data", kept)
    assert "nothing rests on anybody. Add columns 'deal', 'amount' and 'close_date'" in told


def test_it_takes_the_settings_of_a_service_with_any_watcher(data: Path) -> None:
    """In a process of its own: there no watcher is known that the command does not load."""
    settings = data.parent / "config.yaml"
    settings.write_text(
        f"team: {{domains: [vendor.example]}}\ndata: {data}\nwatchers:\n  crm_hubspot: {{}}\n"
    )
    asking = [sys.executable, "-m", "bot", "exposure", "--config", str(settings), "--json"]
    told = subprocess.run(asking, check=True, capture_output=True, cwd=Path(__file__).parents[1])
    assert [row["account"] for row in json.loads(told.stdout)] == ["Acme"]


def test_a_folder_without_data_is_no_empty_answer(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["exposure", "--data", str(tmp_path)])
    assert result.exit_code != 0
