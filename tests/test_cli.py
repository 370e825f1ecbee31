from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.cli.pipes import ENDED, end_quietly
from tests.mails import BOB, JANE, REP, at, bounce, mbox, plain, story

DOCS = Path(__file__).parent.parent / "docs"
CONTACTS = f"email,name,account\n{JANE.upper()},Jane Doe,Acme\nnobody,N,Acme\n{BOB},Bob Ray,Acme\n"
VERDICTS = {"left", "likely left", "slipping", "quiet", "on leave", "active", "unchecked"}
NOW = ("--now", "2026-08-14")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with contacts.csv and mail/."""
    story(tmp_path / "mail")
    (tmp_path / "contacts.csv").write_text(CONTACTS)
    return tmp_path


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args])


def check(folder: Path, *more: str | Path) -> Result:
    where = ("--contacts", folder / "contacts.csv", "--mail", folder / "mail")
    return run("check", *where, "--our-domain", "vendor.example", *more)


def lines(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def shell(command: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    """Run the installed command in a shell, as `$STILLTHERE`."""
    given: Mapping[str, str] = {**os.environ, "STILLTHERE": f"{sys.executable} -m bot", **env}
    return subprocess.run(["bash", "-c", command], env=given, capture_output=True, timeout=60, check=False)


def test_help_names_every_command_and_shows_examples() -> None:
    for flag in ("--help", "-h"):
        told = run(flag)
        assert told.exit_code == 0
        assert all(f"\n  {name} " in told.stdout for name in main.commands)
        assert "Examples:\n    stillthere demo\n    stillthere check --contacts" in told.stdout


@pytest.mark.parametrize("command", ["check", "demo", "read", "run"])
def test_the_help_of_a_command_shows_examples_of_it(command: str) -> None:
    assert f"Examples:\n    stillthere {command}" in run(command, "--help").stdout


def test_every_option_says_what_it_is_for() -> None:
    for command in main.commands.values():
        assert command.help
        assert all(param.help for param in command.params if isinstance(param, click.Option))


@pytest.mark.parametrize("page", ["cli.md", "configuration.md"])
def test_the_reference_pages_say_what_the_code_says(page: str) -> None:
    pages = {path.name: text for path, text in runpy.run_path(str(DOCS / "reference.py"))["pages"]().items()}
    written = (DOCS / page).read_text(encoding="utf-8")
    assert written == pages[page], "run: python docs/reference.py"


def test_check_prints_one_line_a_contact_for_machines(folder: Path) -> None:
    said = lines(check(folder, *NOW, "--json"))
    assert [(line["contact"], line["account"], line["verdict"]) for line in said] == [
        (JANE, "Acme", "likely left"),
        (BOB, "Acme", "active"),
    ]
    assert all(line["verdict"] in VERDICTS and 0 <= line["probability"] <= 1 for line in said)
    evidence = [item for line in said for item in line["evidence"]]
    assert evidence
    assert all({"kind", "date", "source", "sentence", "weight"} <= set(item) for item in evidence)
    assert all({"name", "address", "reasons"} <= set(item) for item in said[0]["suggestions"])


def test_check_keeps_its_notes_off_the_results(folder: Path) -> None:
    (folder / "mail" / "x.eml").symlink_to(folder / "nowhere")
    told = check(folder, *NOW, "--json")
    assert len(lines(told)) == 2
    assert f"{folder}/contacts.csv: line 3: 'nobody' is no e-mail address" in told.stderr
    assert "1 mail could not be read; --verbose names them" in told.stderr


def test_check_names_each_unreadable_mail_when_asked_to(folder: Path) -> None:
    (folder / "mail" / "x.eml").symlink_to(folder / "nowhere")
    told = check(folder, *NOW, "--json", "--verbose")
    assert len(lines(told)) == 2
    assert f"{folder}/mail/x.eml" in told.stderr
    assert "no such file or directory" in told.stderr


def test_check_shows_a_rep_the_gravest_first_with_the_reason(folder: Path) -> None:
    shown = check(folder, *NOW)
    assert shown.exit_code == 0
    assert shown.stdout.index("Jane Doe") < shown.stdout.index("Bob Ray")
    assert "5.1.1" in shown.stdout
    assert shown.stdout.endswith("\n1 likely left, 1 active\n")
    assert "\x1b" not in shown.stdout


def test_check_of_a_day_judges_at_its_end_and_of_a_moment_then(folder: Path) -> None:
    verdicts = {
        now: lines(check(folder, "--now", now, "--json"))[0]["verdict"]
        for now in ("2026-08-13", "2026-08-14", "20260814", "2026-08-14T08:00", "2026-08-14T12:30+02:00")
    }
    assert verdicts == {
        "2026-08-13": "active",
        "2026-08-14": "likely left",
        "20260814": "likely left",
        "2026-08-14T08:00": "active",
        "2026-08-14T12:30+02:00": "likely left",
    }


def test_check_takes_several_places_and_domains(folder: Path) -> None:
    (folder / "more.mbox").write_bytes(mbox(plain(BOB, "sales@vendor.example.net", at(14, 8))))
    told = check(
        folder, *NOW, "--json", "--mail", folder / "more.mbox", "--our-domain", "@Vendor.example.NET"
    )
    assert lines(told)[1]["last_contact"] == at(14, 8).isoformat()


def test_check_with_data_says_the_same_again_and_then_what_is_new(folder: Path) -> None:
    first = check(folder, *NOW, "--json", "--data", folder / "data")
    again = check(folder, *NOW, "--json", "--data", folder / "data")
    assert lines(first) == lines(again)
    (folder / "mail" / "5.eml").write_bytes(bounce(BOB, at(14, 20)))
    later = check(folder, *NOW, "--json", "--data", folder / "data")
    assert [line["verdict"] for line in lines(later)] == ["likely left", "likely left"]


def test_check_neither_reads_a_config_nor_leaves_a_trace(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (folder / "config.yaml").write_text("]]] no yaml")
    before = sorted(folder.rglob("*"))
    assert len(lines(check(folder, *NOW, "--json"))) == 2
    assert sorted(folder.rglob("*")) == before


def test_check_of_a_file_with_nobody_in_it_says_so_and_completes(folder: Path) -> None:
    (folder / "contacts.csv").write_text("email\n")
    for more in ((), ("--json",)):
        told = check(folder, *more)
        assert (told.exit_code, told.stdout) == (0, "")
        assert "there is no contact in it" in told.stderr


def test_names_cannot_command_the_terminal(folder: Path) -> None:
    (folder / "contacts.csv").write_text(f"email,name,account\n{JANE},Ja\x1b[2Jne\x07,[red]Acme[/]\n")
    (folder / "mail" / "4.eml").write_bytes(bounce(JANE, at(14), said="\x1b]0;owned\x07 gone"))
    shown = check(folder, *NOW)
    read = run("read", folder / "mail")
    assert "[red]Acme[/]" in shown.stdout
    assert not {"\x1b", "\x07"} & set(shown.stdout + read.stdout)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["check"], "Missing option '--contacts'"),
        (["check", "--contacts", "contacts.csv", "--mail", "mail"], "Missing option '--our-domain'"),
        (
            ["check", "--contacts", "absent.csv", "--mail", "mail", "--our-domain", "v.example"],
            "does not exist",
        ),
        (["check", "--contacts", "mail", "--mail", "mail", "--our-domain", "v.example"], "is a directory"),
        (
            ["check", "--contacts", "contacts.csv", "--mail", "gone", "--our-domain", "v.example"],
            "does not exist",
        ),
        (
            ["check", "--contacts", "contacts.csv", "--mail", "mail", "--our-domain", "a@v.example"],
            "no mail domain",
        ),
        (
            ["check", "--contacts", "mail/1.eml", "--mail", "mail", "--our-domain", "v.example"],
            "no e-mail column",
        ),
        (["check", "--now", "tomorrow"], "'tomorrow' is no date"),
        (["check", "--now", "9999-12-31"], "'9999-12-31' is no date"),
        (["check", "--now", "0001-01-01T00:00+14:00"], "is no date"),
        (["read"], "Missing argument 'PATH...'"),
        (["read", "gone"], "does not exist"),
        (["read", "mail", "--jsn"], "No such option"),
        (["run", "--config", "gone.yaml"], "To mend it: name a file with --config"),
        (
            ["run", "--config", "bad.yaml"],
            "bad.yaml:2: team.domain: there is no such key\nTo mend it: did you",
        ),
        (["chek"], "No such command 'chek'"),
    ],
)
def test_wrong_usage_ends_with_2_and_a_word_on_stderr(
    folder: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], said: str
) -> None:
    monkeypatch.chdir(folder)
    (folder / "bad.yaml").write_text("team:\n  domain: [vendor.example]\n")
    told = run(*args)
    assert told.exit_code == 2
    assert told.stdout == ""
    assert said in told.stderr
    assert "Traceback" not in told.stderr


def test_read_says_of_each_mail_what_it_is_for_machines(folder: Path) -> None:
    said = lines(run("read", "--json", "--our-domain", "vendor.example", folder / "mail"))
    assert [(line["file"], [item["kind"] for item in line["readings"]]) for line in said] == [
        ("1.eml", ["wrote"]),
        ("2", ["written_to"]),
        ("3.txt", ["wrote"]),
        ("4.eml", ["mailbox_gone"]),
    ]


def test_read_splits_an_mbox_that_is_named(folder: Path) -> None:
    (folder / "box").write_bytes(mbox(plain(JANE, REP, at(3)), bounce(JANE, at(14))))
    assert [line["readings"][0]["kind"] for line in lines(run("read", folder / "box", "--json"))] == [
        "wrote",
        "mailbox_gone",
    ]


def test_read_tells_a_person_what_each_mail_is_and_why(folder: Path) -> None:
    (folder / "mail" / "9").symlink_to(folder / "nowhere")
    told = run("read", folder / "mail", "--our-domain", "vendor.example")
    assert told.exit_code == 0
    assert f"4.eml\n  Bounce: the mailbox does not exist  {JANE}  14 August 2026\n" in told.stdout
    assert "    - " in told.stdout
    assert "1.eml" not in told.stdout
    everything = run("read", folder / "mail", "--our-domain", "vendor.example", "--verbose")
    assert "1.eml\n  nothing to report" in everything.stdout
    assert "9\n  could not be read: no such file or directory\n" in told.stdout
    assert told.stderr == "3 nothing to report, 1 mailbox gone, 1 could not be read\n"


def test_read_says_of_a_contacts_file_that_it_is_no_mail(folder: Path) -> None:
    told = run("read", folder / "contacts.csv")
    assert "could not be read: it is no mail" in told.stdout
    assert told.stderr == "1 could not be read\n"


def test_the_table_of_check_begins_with_what_its_columns_are(folder: Path) -> None:
    assert check(folder, *NOW).stdout.splitlines()[0].split() == ["Verdict", "Contact", "Why"]


def test_read_of_an_empty_folder_completes(tmp_path: Path) -> None:
    told = run("read", tmp_path)
    assert (told.exit_code, told.stdout, told.stderr) == (0, "", "there is no mail in it\n")


def test_watchers_lists_each_with_what_it_is_for() -> None:
    said = lines(run("watchers", "--json"))
    named = {line["name"]: line for line in said}
    assert named["mailbox"]["is"] == "watcher"
    assert "mailbox_gone" in named["bounces"]["kinds"]
    assert all(line["summary"] for line in said)
    assert "bounces (mail reader): " in run("watchers").stdout


@pytest.mark.parametrize("how", ["", "--json"])
def test_a_reader_that_goes_away_early_causes_no_traceback(tmp_path: Path, how: str) -> None:
    (tmp_path / "box.mbox").write_bytes(mbox(*(plain(JANE, REP, at(3)) for _ in range(2000))))
    told = shell(f"$STILLTHERE read {how} {tmp_path}/box.mbox | head -n 1; echo ${{PIPESTATUS[0]}}")
    assert told.stdout.count(b"\n") == 2
    assert told.stdout.endswith(b"\n141\n")
    assert b"Traceback" not in told.stderr
    assert b"Error" not in told.stderr


def test_a_terminal_that_lacks_letters_stops_nothing(folder: Path) -> None:
    (folder / "contacts.csv").write_text(f"email,name\n{JANE},Jané 李\n", encoding="utf-8")
    where = f"--contacts {folder}/contacts.csv --mail {folder}/mail --our-domain vendor.example"
    told = shell(f"$STILLTHERE check {where}", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert told.returncode == 0, told.stderr
    assert rb"Jan\xe9 \u674e" in told.stdout


def test_help_gives_the_whole_first_sentence_of_each_command_in_a_command() -> None:
    context = click.Context(main)
    for name in ("activity", "connect", "crm", "learning", "privacy"):
        group = main.get_command(context, name)
        assert isinstance(group, click.Group)
        told = " ".join(run(name, "--help").stdout.split())
        for one in group.commands.values():
            sentence, _, _ = (one.help or "").partition("\n\n")
            assert " ".join(sentence.split()) in told


def test_the_demo_ends_as_other_tools_do_when_its_reader_goes_away() -> None:
    told = shell("set -o pipefail; $STILLTHERE demo | head -n 1")
    assert (told.returncode, told.stderr) == (ENDED, b"")
    assert told.stdout.startswith(b"Rita sells to Acme")


def test_a_pipe_that_is_read_is_not_taken_for_a_closed_one() -> None:
    assert not end_quietly()
