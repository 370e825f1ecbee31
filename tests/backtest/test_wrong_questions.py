"""What a backtest says to who asks it amiss, and what it leaves behind when it is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.backtest import truth
from bot.cli import main
from bot.model import NeedsHuman
from tests.backtest.past_mail import FIRST, JANE, LAST, acquaintance, folder

PATIENCE = 60.0
AT_WORK = """
import os, time
from bot.backtest import _processes
with _processes(2) as executor:
    print(executor.submit(os.getpid).result(), flush=True)
    time.sleep(600)
"""


@pytest.fixture
def contacts(tmp_path: Path) -> Path:
    file = tmp_path / "contacts.csv"
    file.write_text(f"email,owner\n{JANE.address},{JANE.owner}\n")
    return file


def asked(contacts: Path, *more: str | Path) -> tuple[int, str]:
    fixed = ["backtest", "--contacts", str(contacts), "--our-domain", "vendor.example", "--jobs", "1"]
    days = ["--from", str(FIRST), "--to", str(LAST), "--step", "7d"]
    done = CliRunner().invoke(main, [*fixed, *days, *map(str, more)])
    return done.exit_code, done.stderr


def test_a_folder_without_mail_is_named(tmp_path: Path, contacts: Path) -> None:
    (tmp_path / "empty").mkdir()
    box = folder(tmp_path / "box", acquaintance())
    status, said = asked(contacts, "--mail", tmp_path / "empty", "--mail", box)
    assert status == 0
    assert f"{(tmp_path / 'empty').resolve()}: there is no mail" in said
    assert f"{box.resolve()}: there is no mail" not in said


def test_mail_that_concerns_none_of_the_contacts_is_said(tmp_path: Path, contacts: Path) -> None:
    status, said = asked(contacts, "--mail", folder(tmp_path / "box", acquaintance("bob@other.example")))
    assert status == 0
    assert "no mail concerns any of the contacts" in said


def test_days_of_which_nothing_is_known_are_said(tmp_path: Path, contacts: Path) -> None:
    box = folder(tmp_path / "box", acquaintance(until=LAST))
    status, said = asked(contacts, "--mail", box, "--from", "2020-01-01", "--to", "2020-02-01")
    assert status == 0
    assert ", after the days judged" in said
    assert (
        ", before the days judged"
        in asked(contacts, "--mail", box, "--to", "2026-06-01", "--from", str(LAST))[1]
    )
    assert "the days judged" not in asked(contacts, "--mail", box)[1]


def test_who_left_and_is_no_contact_is_counted(tmp_path: Path, contacts: Path) -> None:
    (tmp_path / "t.csv").write_text(f"email,departed\n{JANE.address},{LAST}\nbob@x.example,{LAST}\n")
    box = folder(tmp_path / "box", acquaintance())
    assert (
        "1 of 2 who left are not among the contacts"
        in asked(contacts, "--mail", box, "--truth", tmp_path / "t.csv")[1]
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--to", "9999-12-31"), "out of reach"),
        (("--to", "2099-12-31"), "more than ten years"),
        (("--html", "/nowhere/page.html"), "there is no folder '/nowhere'"),
    ],
)
def test_what_cannot_end_well_is_refused_before_anything_is_read(
    tmp_path: Path, contacts: Path, more: tuple[str, str], said: str
) -> None:
    status, told = asked(contacts, "--mail", folder(tmp_path / "box", acquaintance()), *more)
    assert status == 2
    assert said in told
    assert "mails read" not in told


def test_a_page_and_a_folder_that_cannot_be_written_are_said_with_a_cure(
    tmp_path: Path, contacts: Path
) -> None:
    box = folder(tmp_path / "box", acquaintance())
    taken = tmp_path / "taken"
    taken.write_text("")
    status, said = asked(contacts, "--mail", box, "--data", taken / "kept")
    assert status == 2
    assert "what was read cannot be kept" in said
    long = tmp_path / f"{'x' * 300}.html"
    status, said = asked(contacts, "--mail", box, "--html", long)
    assert status == 2
    assert "To mend it" in said


def test_a_list_without_contacts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("email\n")
    status, said = asked(tmp_path / "c.csv", "--mail", folder(tmp_path / "box", acquaintance()))
    assert status == 2
    assert "names no contact" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column 'email' and no column 'departed'"),
        ("email,name\n", "no column 'departed'"),
        ("email,departed\na@x.example,2026-03-01\na@x.example,2026-03-02\n", "line 3: a@x.example left on"),
        (f'email,departed\n"{"x" * 200_000}",2026-03-01\n', "field larger than"),
        ("email,departed\na@x.example,2026-02-30\n", "'2026-02-30' is no day"),
    ],
)
def test_a_truth_that_would_call_right_alarms_wrong_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(NeedsHuman) as problem:
        truth.departures(tmp_path / "t.csv")
    assert said in problem.value.what


def test_a_row_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(f"email,departed\n{JANE.address},{LAST}\n{JANE.address},{LAST}\n")
    assert truth.departures(tmp_path / "t.csv") == {JANE.address: LAST}
    (tmp_path / "t.csv").write_text("email,departed\n")
    assert truth.departures(tmp_path / "t.csv") == {}


@pytest.mark.usefixtures("signals_are_heard")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_stopped_leaves_no_process_behind_and_its_helpers_say_nothing(how: int) -> None:
    running = subprocess.Popen(
        [sys.executable, "-c", AT_WORK],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with running:
        assert running.stdout is not None
        helper = int(running.stdout.readline())
        if how == signal.SIGINT:
            os.killpg(running.pid, how)
        else:
            running.kill()
        try:
            _, said = running.communicate(timeout=PATIENCE)
        finally:
            running.kill()
    end = time.monotonic() + PATIENCE
    while is_there(helper) and time.monotonic() < end:
        time.sleep(timedelta(milliseconds=50).total_seconds())
    assert not is_there(helper)
    assert said.count("KeyboardInterrupt") == (how == signal.SIGINT)


def is_there(process: int) -> bool:
    """Say whether a process runs; one that ended and that nobody asked about does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
