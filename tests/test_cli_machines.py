"""What every command owes the program that calls it: JSON alone on stdout, and an end that tells."""

from __future__ import annotations

import asyncio
import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from bot import demo
from bot.cli import main
from bot.cli.pipes import ENDED
from watchers import load

JANE = "jane@acme.example"
CONFIG = """\
team: {domains: [vendor.example]}
contacts: contacts.csv
watchers:
  mailbox: {mailboxes: [{kind: files, path: mails}]}
  public_pages: {contact: webmaster@vendor.example}
"""
WITHOUT = {
    "completion": "a script for a shell",
    "connect key": "one line, which is the key",
    "demo": "a show for people",
    "init": "what is missing is listed on stderr, and the end says whether it was written",
    "privacy forget": "the end says whether it was done",
    "privacy tombstones export": "writes a file for machines",
    "privacy tombstones import": "the end says whether it was done",
    "run": "its log is lines of JSON",
}
"""The commands with nothing to say as JSON, and why."""

OURS = ("--our-domain", "vendor.example")
MAIL = ("--contacts", "contacts.csv", "--mail", "mails", *OURS)
RUNS: dict[str, tuple[int, tuple[str, ...]]] = {
    "activity import": (0, ("logins.csv",)),
    "backtest": (0, (*MAIL, "--from", "2026-04-20", "--to", "2026-07-10")),
    "check": (0, (*MAIL, "--now", "2026-07-10")),
    "connect check": (0, ()),
    "connect end": (2, ("rita@vendor.example",)),
    "connect list": (2, ()),
    "crm check": (2, ()),
    "crm import": (0, ("--contacts", "contacts.csv", "--dry-run")),
    "doctor": (0, ()),
    "exposure": (0, ("--now", "2026-07-10")),
    "learning off": (0, ()),
    "learning on": (0, ()),
    "learning reset": (0, ()),
    "learning show": (0, ()),
    "manifest": (0, ()),
    "migrate-store": (2, ("--to", "database", "--folder", "data", "--database-env", "NOWHERE")),
    "page": (0, ("team.html",)),
    "pages": (0, ("list",)),
    "privacy export": (0, (JANE,)),
    "read": (0, ("mails",)),
    "watchers": (0, ()),
    "why": (0, (JANE,)),
}
"""How each command with --json is run here, and how it is to end."""


NOTHING = {"connect check", "pages"}
"""Those of them that find nothing in that folder, which is no line at all."""


def commands() -> Iterator[tuple[str, click.Command]]:
    """Return every command that does something, by what is typed for it."""
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        yield from _leaves(name, command)


def _leaves(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    for inner, part in command.commands.items():
        yield from _leaves(f"{name} {inner}", part)


LEAVES = dict(commands())


@pytest.fixture(scope="module")
def _story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every command has something to work on; what is learnt and taken changes it."""
    folder = tmp_path_factory.mktemp("machines")
    load()
    asyncio.run(demo.play(Console(file=io.StringIO()), folder))
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "contacts.csv").write_text(f"email,name,account\n{JANE},Jane Doe,Acme\n")
    (folder / "logins.csv").write_text(f"email,at\n{JANE},2026-05-01T09:00:00Z\n")
    (folder / "team.html").write_text("<h1>Team</h1><ul><li>Jane Doe, VP Operations</li></ul>")
    return folder


@pytest.fixture
def folder(_story: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That folder, where the commands are typed; without secrets, and without colours forced upon us."""
    monkeypatch.chdir(_story)
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "NOWHERE", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return _story


@pytest.mark.parametrize("name", LEAVES)
def test_every_command_speaks_to_machines_or_has_a_reason_not_to(name: str) -> None:
    speaks = any("--json" in param.opts for param in LEAVES[name].params)
    assert speaks != (name in WITHOUT)
    assert speaks == (name in RUNS)


def test_nothing_is_listed_here_that_is_no_command() -> None:
    assert set(WITHOUT) | set(RUNS) == set(LEAVES)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", RUNS)
def test_stdout_is_json_and_nothing_else(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    wanted, words = RUNS[name]
    told = CliRunner().invoke(main, [*name.split(), *words, "--json"])
    assert told.exit_code == wanted, told.output
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert bool(lines) == (not wanted and name not in NOTHING)
    if wanted:
        assert told.stderr.startswith("Error: ")
        assert "\nTo mend it: " in told.stderr


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", RUNS)
def test_in_a_pipe_there_is_no_colour_and_no_progress(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    wanted, words = RUNS[name]
    told = CliRunner().invoke(main, [*name.split(), *words])
    assert told.exit_code == wanted, told.output
    for said in (told.stdout, told.stderr):
        assert not {"\x1b", "\r"} & set(said)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", [name for name, (wanted, _) in RUNS.items() if not wanted])
@pytest.mark.parametrize("for_machines", [True, False])
def test_a_reader_that_goes_away_is_no_error(
    name: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], *, for_machines: bool
) -> None:
    """As in `stillthere read mails | head -1`, here with a reader that is gone from the beginning."""
    reader, writer = os.pipe()
    os.close(reader)
    words = [*name.split(), *RUNS[name][1], *(["--json"] if for_machines else [])]
    with os.fdopen(writer, "w") as gone:
        monkeypatch.setattr(sys, "stdout", gone)
        with pytest.raises(SystemExit) as ended:
            main(words, prog_name="stillthere")
        monkeypatch.undo()
        assert ended.value.code in {0, ENDED}
        os.dup2(os.open(os.devnull, os.O_WRONLY), gone.fileno())
    assert "Traceback" not in capfd.readouterr().err
