"""What the documentation shows is what the program knows: commands, options, settings and files."""

from __future__ import annotations

import re
import shlex
import textwrap
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from bot import config
from bot.cli import main
from watchers import load

ROOT = Path(__file__).parent.parent
MADE = "cli.md", "configuration.md"
PAGES = sorted(
    page
    for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
    if "node_modules" not in page.parts and page.name not in MADE
)
COMMAND = re.compile(
    r"(?:`|/bin/|exec stillthere |^ *(?:[$#] )?(?:\w+=\S+ )*)stillthere ([^`\n|>#]+)",
    re.MULTILINE,
)
SETTINGS = re.compile(r"^( *)```yaml\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"(?<![\w/.-])((?:bot|tests|watchers|benchmarks|deploy|\.github)/[\w./-]*\w\.\w+)")
NOT_WRITTEN_YET = {"watchers/reply_to.py", "watchers/leavers.py"}

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def unknown(words: list[str]) -> list[str]:
    """Return what the program does not know of a command line: a command, or options."""
    command: click.Command = main
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name, *words = words
        inner = command.get_command(click.Context(command), name)
        if inner is None:
            return [name]
        command = inner
    known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
    return [word for word in words if word.startswith("--") and word.split("=")[0] not in known | {"--help"}]


def test_a_command_that_does_not_exist_is_noticed() -> None:
    assert unknown(["forgive"]) == ["forgive"]
    assert unknown(["read", "--mails", "x"]) == ["--mails"]
    assert unknown(["privacy", "tombstones", "export", "x.json"]) == []


def test_commands_are_found_on_the_pages() -> None:
    assert sum(len(COMMAND.findall(page.read_text(encoding="utf-8"))) for page in PAGES) > 50


@each_page
def test_every_command_that_a_page_shows_exists_with_its_options(page: Path) -> None:
    text = re.sub(r"\\\n\s*", " ", page.read_text(encoding="utf-8")).replace(r"\|", "|")  # in a table
    shown = [shlex.split(line.replace("…", "")) for line in COMMAND.findall(text)]
    assert [words for words in shown if unknown(words)] == []


@each_page
def test_settings_that_a_page_shows_are_taken(page: Path, tmp_path: Path) -> None:
    load()
    for _, text in SETTINGS.findall(page.read_text(encoding="utf-8")):
        file = tmp_path / "config.yaml"
        file.write_text(yaml.safe_dump(completed(yaml.safe_load(textwrap.dedent(text)))), encoding="utf-8")
        config.load(file)


def completed(shown: Any) -> dict[str, Any]:
    """Return settings with what an excerpt leaves out; a list is one of calendars."""
    whole = shown if isinstance(shown, dict) else {"watchers": {"calendars": {"calendars": shown}}}
    whole.setdefault("team", {"domains": ["vendor.example"]})
    if "crm" not in whole:
        whole.setdefault("contacts", "contacts.csv")
    if "slack" in whole:
        whole["slack"] = {"channel": "C0123456789", "admins": ["rita@vendor.example"], **whole["slack"]}
    return whole


@each_page
def test_every_file_of_ours_that_a_page_names_is_there(page: Path) -> None:
    named = set(FILE.findall(page.read_text(encoding="utf-8"))) - NOT_WRITTEN_YET
    assert sorted(name for name in named if not (ROOT / name).exists()) == []
