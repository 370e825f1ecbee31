"""What every command owes whoever types it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bot.cli import main

ROOT = click.Context(main, info_name="stillthere")
LONGEST_START = 0.4
"""Seconds of processor time for `stillthere --help`."""


def commands() -> Iterator[tuple[str, click.Command]]:
    for name in main.list_commands(ROOT):
        command = main.get_command(ROOT, name)
        assert command is not None
        yield name, command


@pytest.mark.parametrize(("name", "command"), [*commands()])
def test_the_help_of_every_command_shows_examples_that_it_would_take(
    name: str, command: click.Command
) -> None:
    shown = CliRunner().invoke(main, [name, "--help"]).stdout
    assert "Examples:" in shown
    example = shown.partition("Examples:")[2]
    assert f"stillthere {name}" in example
    options = {word for param in command.params for word in (*param.opts, *param.secondary_opts)}
    if isinstance(command, click.Group):
        for part in command.commands.values():
            options |= {word for param in part.params for word in (*param.opts, *param.secondary_opts)}
    for word in example.replace("\\", " ").split():
        if word.startswith("--"):
            assert word.partition("=")[0] in options, f"{word} is no option of {name}"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_how_to_complete(shell: str) -> None:
    told = CliRunner().invoke(main, ["completion", shell])
    assert told.exit_code == 0
    assert "_STILLTHERE_COMPLETE" in told.stdout
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=told.stdout, text=True, check=True, timeout=20)


def test_completion_offers_commands_and_options() -> None:
    env = {
        **os.environ,
        "_STILLTHERE_COMPLETE": "bash_complete",
        "COMP_WORDS": "stillthere ini",
        "COMP_CWORD": "1",
    }
    program = "from bot.cli import main; main(prog_name='stillthere')"
    told = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert "plain,init" in told.stdout


def test_help_loads_nothing_slow_and_is_there_at_once() -> None:
    slow = ("pydantic", "aiohttp", "httpx", "slack_sdk", "cryptography", "rich", "apscheduler", "jinja2")
    program = (
        "import sys, time\nfrom bot.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        f"print([name for name in {slow!r} if name in sys.modules], file=sys.stderr)\n"
        "print(time.process_time(), file=sys.stderr)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    loaded, seconds = told.stderr.splitlines()
    assert loaded == "[]"
    assert float(seconds) <= LONGEST_START


def test_no_color_is_obeyed() -> None:
    env = {**os.environ, "NO_COLOR": "1", "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    told = subprocess.run(
        [sys.executable, "-m", "bot", "watchers"], env=env, capture_output=True, timeout=60, check=True
    )
    colours = [part for part in told.stdout.split(b"\x1b[")[1:] if part[:1] == b"3" and part[:2] != b"3m"]
    assert colours == []


def test_progress_vanishes_in_a_pipe() -> None:
    program = (
        "from bot.cli.console import progress\nwith progress('mails') as told: told('box', 1, 2)\nprint('x')"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert (told.stdout, told.stderr) == ("x\n", "")


def test_it_works_in_a_dumb_terminal(tmp_path: Path) -> None:
    env = {**os.environ, "TERM": "dumb", "LC_ALL": "C"}
    told = subprocess.run(
        [sys.executable, "-m", "bot", "init", "--config", str(tmp_path / "config.yaml")],
        env=env,
        input="vendor.example\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 1
    assert "Your own mail domains" in told.stderr
    assert "\x1b" not in told.stderr
