"""The page that says what is kept names every field, every kind of fact and every note of the service."""

from __future__ import annotations

import ast
import dataclasses
import re
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from bot import model
from bot.circle import OPTED_IN, OPTED_OUT
from bot.model import Person
from bot.service import rules
from watchers import load

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "privacy" / "what-is-kept.md").read_text(encoding="utf-8")
VERBS = {"cursor", "save_cursor", "amend_cursor", "setting", "save_setting", "amend_setting"}
"""How notes are read and written."""

NOTES = {
    "'readiness'": "",
    "CURSOR": "`our_days`",
    "DEMOTED": "`demoted`",
    "FIRST_PASSES": "`first_passes`",
    "INDEX": "`connected mailboxes`",
    "KEY": "`key of marks`",
    "LISTED": "`listed in the terminal`",
    "READERS": "`digest readers`",
    "SETTING": "`learning`",
    "SETTING + mark": "`crm proposal` and a mark",
    "TOLD": "`told today`",
    "TOLD_OUTAGES": "`outages told`",
    "TO_REDACT": "`messages to redact`",
    "_name(reader)": "`digests sent` to a Slack user",
    "_name(user)": "`preferences` of a Slack user",
    "audit.SETTING": "`audit questions`",
    "baseline.group(source)": "`baseline` of a source",
    "cursor": "`joined`",
    "f'health of {source}'": "`health of` a source",
    "learning.SETTING": "`learning`",
    "link.name": "`connected token` of a mailbox",
    "read_for(source)": "`read_for:` a source",
    "self._setting": "`run` of a job",
    "said": "`owners in the contacts file`",
    "slot.name": "`digest` of a Slack user",
    "source": "a source, such as",
}
"""By what expression the program names a note, and how the page calls it; one holds nothing ever."""


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table under a heading."""
    text = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line] for line in lines[2:]]


def quoted(text: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", text))


def records(kind: type, found: dict[str, type]) -> dict[str, type]:
    """Return every record that a record holds, itself included, by name."""
    if dataclasses.is_dataclass(kind) and kind.__name__ not in found:
        found[kind.__name__] = kind
        hints = get_type_hints(kind, vars(model))
        for hint in (hints[field.name] for field in dataclasses.fields(kind)):
            for part in (hint, *get_args(hint)):
                records(part, found)
    return found


def called(path: Path) -> set[str]:
    """Return by which expressions a file names notes that it reads or writes."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return {
        ast.unparse(call.args[0])
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr in VERBS and call.args
    }


def test_every_record_of_a_person_is_named_with_all_its_fields() -> None:
    kept = records(Person, {})
    documented = {name.strip("`"): quoted(fields) for name, fields, _ in rows("Of each person")}
    assert documented == {
        name: {field.name for field in dataclasses.fields(kind)} for name, kind in kept.items()
    }


def test_every_kind_of_fact_is_named() -> None:
    load()
    documented = set().union(*(quoted(cells[1]) for cells in rows("Kinds of facts")))
    assert documented == {*rules().kinds, OPTED_OUT, OPTED_IN}


def test_every_note_of_the_service_is_named() -> None:
    files = [
        path for path in sorted((ROOT / "bot").rglob("*.py")) if path.parent.name not in {"store", "web_demo"}
    ]
    found = set().union(*(called(path) for path in files))
    assert found <= NOTES.keys(), "name the new note on the page, and here"
    assert NOTES.keys() <= found, "this note is gone: take it off the page, and out of here"
    names = " | ".join(cells[0] for cells in rows("Notes of the service"))
    assert [name for name in NOTES.values() if name not in names] == []


@pytest.mark.parametrize("recipient", ["Slack", "your CRM", "a data provider", "GitHub", "the websites"])
def test_every_recipient_is_named(recipient: str) -> None:
    assert any(recipient in cells[0] for cells in rows("Who else gets it"))
