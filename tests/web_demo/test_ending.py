"""How `stillthere demo --web` ends where Ctrl-C is pressed before the page is looked at."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

LIMIT = 30
"""Seconds that a busy machine may take for what is done at once."""

COMMAND = [sys.executable, "-m", "bot", "demo", "--web"]
CAUGHT = 1 << (signal.SIGINT - 1)


def started(*more: str, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *more],
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def catches_it(process: subprocess.Popen[str]) -> bool:
    """Say whether a process has a way of its own to take Ctrl-C."""
    told = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    (caught,) = (line.split()[1] for line in told.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) & CAUGHT)


def wait_for_it(process: subprocess.Popen[str], *, caught: bool) -> None:
    until = time.monotonic() + LIMIT
    while catches_it(process) is not caught:
        assert process.poll() is None, "it ended"
        assert time.monotonic() < until
        time.sleep(0.001)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="signals are looked up in /proc")
def test_ctrl_c_while_it_is_loaded_ends_it_without_a_word() -> None:
    with started("--no-open") as process:
        wait_for_it(process, caught=True)
        wait_for_it(process, caught=False)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=LIMIT) == ("", "")
        assert process.returncode == -signal.SIGINT


def test_ctrl_c_while_the_story_is_played_ends_it_without_a_complaint() -> None:
    with started("--no-open") as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("Playing the story once")
        process.send_signal(signal.SIGINT)
        _, complaint = process.communicate(timeout=LIMIT)
        assert "Traceback" not in complaint
        assert "Aborted" not in complaint
        assert process.returncode == 0


def test_ctrl_c_does_not_wait_for_a_browser_that_takes_its_time(tmp_path: Path) -> None:
    browser, opened = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(
        f"#!/bin/sh\necho $$ > {opened}.new\nmv {opened}.new {opened}\nexec sleep 600 > /dev/null 2>&1\n"
    )
    browser.chmod(0o755)
    with started(BROWSER=str(browser)) as process:
        until = time.monotonic() + LIMIT
        while not opened.exists():
            assert process.poll() is None, "it ended"
            assert time.monotonic() < until
            time.sleep(0.01)
        try:
            process.send_signal(signal.SIGINT)
            address, complaint = process.communicate(timeout=LIMIT)
        finally:
            os.kill(int(opened.read_text(encoding="ascii")), signal.SIGKILL)
        assert address.startswith("http://127.0.0.1:")
        assert complaint.endswith("Ctrl-C ends it.\n")
        assert process.returncode == 0
