"""Every command of the tutorial, in its order, in an empty folder with an empty home."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mails import BOB, JANE, story

pytestmark = pytest.mark.long

DOCS = Path(__file__).parent.parent / "docs"
MARKED = re.compile(r"<!-- run: (\w+) -->\n```\n(.+?)\n```", re.DOTALL)


def run(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("SLACK_")}
    command = [sys.executable, "-m", "bot", *words]
    home = {**env, "HOME": str(folder / "home")}
    return subprocess.run(
        command, cwd=folder, env=home, capture_output=True, text=True, timeout=90, check=False
    )


def test_the_commands_of_the_tutorial_work_in_their_order(tmp_path: Path) -> None:
    story(tmp_path / "mail")
    (tmp_path / "contacts.csv").write_text(f"email,name,account\n{JANE},Jane Doe,Acme\n{BOB},Bob Ray,Acme\n")
    commands = dict(MARKED.findall((DOCS / "tutorial.md").read_text(encoding="utf-8")))
    assert [*commands] == ["check", "read", "init", "doctor"]
    said = {}
    for name, line in commands.items():
        program, *words = shlex.split(line.replace("\\\n", " "))
        assert program == "stillthere"
        told = run(words, tmp_path)
        assert told.returncode == 0, told.stdout + told.stderr
        said[name] = told.stdout
    assert "Jane Doe" in said["check"]
    assert "5.1.1" in said["read"]
    assert "TEST" in said["init"]
    assert (tmp_path / "config.yaml").exists()


def rows(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the one table of a page whose first line has this heading."""
    text = (DOCS / page).read_text(encoding="utf-8")
    (table,) = (part for part in text.split("\n\n") if heading in part.splitlines()[0] and part[0] == "|")
    return [line.strip("| ").split(" | ") for line in table.strip().splitlines()[2:]]


def test_the_comparison_says_the_numbers_of_the_figures() -> None:
    figures = {
        name: cells[0].split("; ") for name, *cells in rows("figures.md", "alarms; share that was right")
    }
    compared = {name: cells for name, *cells in rows("comparison.md", "told in 30 days")}
    assert len(compared) == 5
    assert compared == figures
