from __future__ import annotations

import asyncio
import json
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot import config, doctor
from bot.cli import main
from bot.doctor import Check, Doctor, secrets_named
from bot.finding import Finding, Level, ok
from bot.listener import listening
from bot.metrics import routes, source_id
from bot.model import NeedsHuman, SourceDown
from bot.slack.checkup import Checkup
from bot.slack.manifest import SCOPES
from bot.slack.web import patient
from bot.store.outage import PATIENCE_SECONDS
from bot.store.tiny import TinyStore
from tests.servers.mail import MailServers
from tests.servers.ports import free_port
from tests.servers.postgres import PostgresServer
from tests.servers.slack import APP_TOKEN, BOT_TOKEN, BOT_WITHOUT_SCOPES, Workspace
from watchers import load

TEAM = "team: {domains: [vendor.example], time_zone: Europe/Berlin}\n"
SECRET = "a-planted-password"


def plan(folder: Path, text: str) -> config.Plan:
    load()
    (folder / "config.yaml").write_text(TEAM + text)
    return config.load(folder / "config.yaml")


def about(found: list[Finding], name: str) -> list[Finding]:
    return [one for one in found if one.about == name]


async def examined(folder: Path, text: str) -> list[Finding]:
    return await Doctor(plan(folder, text)).examine()


async def run(*words: object) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, [str(word) for word in words])


async def test_a_set_up_that_works_is_all_ok(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "one.eml").write_bytes(b"From: jane@acme.example\r\n\r\nHello.\r\n")
    (tmp_path / "contacts.csv").write_text("email\njane@acme.example\n")
    text = (
        f"contacts: contacts.csv\nlisten: {{port: {free_port()}}}\n"
        "watchers:\n  mailbox:\n    mailboxes: [{kind: files, path: mail}]\n"
    )
    found = await examined(tmp_path, text)
    assert {one.level for one in found} == {Level.OK}
    [box] = [one for one in found if one.about.startswith("mailbox:")]
    assert box.what == f"can be read: 1 mail; in metrics it is {source_id(box.about)}"
    assert {"program", "time zones", "secrets", "data folder", "contacts", "listener", "clock"} <= {
        one.about for one in found
    }
    assert not (tmp_path / "data").exists()


async def test_an_empty_folder_of_mails_is_worth_a_look(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    text = "watchers:\n  mailbox:\n    mailboxes: [{kind: files, path: mail, name: team}]\n"
    [readable, empty] = about(await examined(tmp_path, text), "mailbox:team")
    assert (readable.level, "0 mails" in readable.what) == (Level.OK, True)
    assert (empty.level, empty.what) == (Level.WARNING, "there is no mail in it")


@pytest.mark.servers
@pytest.mark.xdist_group("mail")
async def test_the_folders_that_are_read_are_listed_and_one_for_sent_mail_is_missed(
    tmp_path: Path, mail_servers: MailServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = mail_servers.credentials("folders@vendor.example")
    monkeypatch.setenv("BOX", known.password)
    mail = b"From: folders@vendor.example\r\n\r\nHello.\r\n"
    mail_servers.deliver(known.user, mail, copies=2)
    mail_servers.deliver(known.user, mail, folder="Sent Mail", copies=3)

    def settings(folders: str) -> str:
        box = f"kind: imap, host: {known.host}, port: {known.port}, tls: false, user: {known.user}"
        return f"watchers: {{mailbox: {{mailboxes: [{{{box}, password_env: BOX{folders}}}]}}}}\n"

    source = f"mailbox:{known.user}"
    [both] = about(await examined(tmp_path, settings("")), source)
    assert (both.level, "2 mails in INBOX, 3 mails in Sent Mail" in both.what) == (Level.OK, True)
    [inbox, missed] = about(await examined(tmp_path, settings(", folders: [INBOX]")), source)
    assert (inbox.level, "2 mails in INBOX" in inbox.what) == (Level.OK, True)
    assert (missed.level, "sent mail" in missed.what) == (Level.WARNING, True)
    assert "Sent Mail" in missed.cure
    mail_servers.empty(known.user)
    [_, empty] = about(await examined(tmp_path, settings("")), source)
    assert (empty.level, empty.what) == (Level.WARNING, "there is no mail in it")


async def test_a_mailbox_out_of_reach_and_a_secret_that_is_not_set_come_with_a_cure(tmp_path: Path) -> None:
    text = (
        "watchers:\n  mailbox:\n    mailboxes:\n"
        "      - {kind: imap, host: 127.0.0.1, port: 9, tls: false, user: rita, password_env: NOT_SET_HERE}\n"
    )
    found = await examined(tmp_path, text)
    wrong = [one for one in found if one.level is Level.PROBLEM]
    assert {one.about for one in wrong} == {"secrets", "mailbox:rita"}
    assert all(one.cure for one in wrong)
    assert "NOT_SET_HERE is not set" in about(found, "secrets")[0].what


async def test_files_of_secrets_that_are_open_to_others_or_empty_are_said(tmp_path: Path) -> None:
    for name, mode in (("open", 0o644), ("closed", 0o600)):
        (tmp_path / name).write_text(SECRET)
        (tmp_path / name).chmod(mode)
    (tmp_path / "empty").touch(0o600)
    boxes = "".join(
        f"      - {{kind: imap, host: 127.0.0.1, port: 9, tls: false, user: {name}, password_file: {name}}}\n"
        for name in ("open", "closed", "empty", "missing")
    )
    found = await examined(tmp_path, f"watchers:\n  mailbox:\n    mailboxes:\n{boxes}")
    said = about(found, "secrets")
    assert [(one.level, one.what.split(str(tmp_path))[1].split()[0]) for one in said] == [
        (Level.WARNING, "/open"),
        (Level.PROBLEM, "/empty"),
        (Level.PROBLEM, "/missing"),
    ]
    assert SECRET not in repr(found)


async def test_what_is_secret_is_taken_out_of_what_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOX", SECRET)
    text = (
        "watchers:\n  mailbox:\n    mailboxes:\n"
        "      - {kind: imap, host: 127.0.0.1, port: 9, tls: false, user: rita, password_env: BOX}\n"
    )
    patient_ = Doctor(plan(tmp_path, text))

    async def leak() -> list[Finding]:
        raise NeedsHuman(f"the server says: {SECRET} is wrong", f"change {SECRET}")

    monkeypatch.setattr(patient_, "checks", lambda: [Check("x", leak)])
    [found, _] = await patient_.examine()
    assert found == Finding(Level.PROBLEM, "x", "the server says: [secret] is wrong", "change [secret]")
    assert [variable for _, variable, _ in secrets_named(patient_.plan)] == ["BOX"]


async def test_checks_run_side_by_side_and_one_that_hangs_or_fails_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "LONGEST", timedelta(seconds=0.2))
    patient_, met = Doctor(plan(tmp_path, "")), asyncio.Barrier(2)

    async def hang() -> list[Finding]:
        await asyncio.sleep(3600)
        return []

    async def fail() -> list[Finding]:
        raise ValueError(SECRET)

    async def down() -> list[Finding]:
        raise SourceDown("away")

    async def meet() -> list[Finding]:
        await met.wait()
        return [ok("meet", "both were here")]

    tried = [
        Check("hang", hang),
        Check("fail", fail),
        Check("down", down),
        Check("a", meet),
        Check("b", meet),
    ]
    monkeypatch.setattr(patient_, "checks", lambda: tried)
    done: list[str] = []
    found = await patient_.examine(done.append)
    assert sorted(done) == ["a", "b", "down", "fail", "hang"]
    assert [(one.about, one.level) for one in found[:3]] == [
        (name, Level.PROBLEM) for name in ("hang", "fail", "down")
    ]
    assert [one.level for one in found[3:5]] == [Level.OK, Level.OK]
    assert SECRET not in repr(found)


@pytest.mark.parametrize(("seconds", "level"), [(2, Level.OK), (-90, Level.WARNING), (600, Level.PROBLEM)])
async def test_a_clock_that_is_off_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int, level: Level
) -> None:
    patient_, now = Doctor(plan(tmp_path, "")), datetime.now(UTC)
    monkeypatch.setattr(patient_, "checks", list)
    patient_.tell_time("Slack", now - timedelta(seconds=seconds), now)
    patient_.tell_time("the database", now, now)
    [found] = await patient_.examine()
    assert found.level is level


async def test_a_port_that_another_program_has_is_a_problem_and_our_own_service_is_none(
    tmp_path: Path,
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        [found] = about(await examined(tmp_path, f"listen: {{port: {taken}}}\n"), "listener")
        assert found.level is Level.PROBLEM

    async def nothing() -> bytes:
        return b""

    async with listening("127.0.0.1", 0, routes(nothing, {})) as port:
        [found] = about(await examined(tmp_path, f"listen: {{port: {port}}}\n"), "listener")
        assert (found.level, "running service" in found.what) == (Level.OK, True)


async def test_it_looks_beside_a_running_service_and_says_who_may_look_into_its_folder(
    tmp_path: Path,
) -> None:
    async with await TinyStore.open(tmp_path / "data"):
        (tmp_path / "data").chmod(0o755)
        (tmp_path / "config.yaml").write_text(TEAM)
        shown = await run("doctor", "--config", tmp_path / "config.yaml", "--json")
    assert shown.exit_code == 0, shown.output
    lines = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [line["level"] for line in lines if line["about"] == "data folder"] == ["ok", "warning"]


async def test_it_ends_with_1_where_anything_is_wrong_and_fits_80_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "config.yaml").write_text(
        f"{TEAM}watchers:\n  mailbox:\n    mailboxes:\n"
        "      - {kind: imap, host: 127.0.0.1, port: 9, tls: false,"
        " user: somebody.with.a.long.name@vendor.example, password_env: NOT_SET_HERE}\n"
    )
    shown = await run("doctor", "--config", tmp_path / "config.yaml")
    assert shown.exit_code == 1
    assert "WRONG" in shown.stdout
    assert "→" in shown.stdout
    assert max(len(line.rstrip()) for line in shown.stdout.splitlines()) <= 80


async def test_a_database_is_asked_for_its_version_and_one_that_is_away_is_a_problem(
    tmp_path: Path, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.yaml").write_text(f"{TEAM}database_env: DATABASE\n")
    monkeypatch.setenv("DATABASE", postgres_server.new_database())
    shown = await run("doctor", "--config", tmp_path / "config.yaml")
    assert shown.exit_code == 0, shown.output
    assert "PostgreSQL" in shown.stdout
    monkeypatch.setenv("DATABASE", "postgresql://stillthere:planted@[::1/x")
    shown = await run("doctor", "--config", tmp_path / "config.yaml")
    assert shown.exit_code == 1
    assert "planted" not in shown.output


async def test_a_database_that_is_away_is_said_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.yaml").write_text(f"{TEAM}database_env: DATABASE\n")
    monkeypatch.setenv("DATABASE", "postgresql://stillthere:planted@127.0.0.1:9/stillthere")
    asked = time.monotonic()
    shown = await run("doctor", "--config", tmp_path / "config.yaml")
    assert shown.exit_code == 1
    assert "database" in shown.stdout
    assert "refused" in shown.stdout
    assert "planted" not in shown.output
    assert time.monotonic() - asked < PATIENCE_SECONDS / 2


async def test_slack_is_asked_for_scopes_channels_and_whether_it_takes_our_alerts(slack: Workspace) -> None:
    slack.reset()
    channel = slack.channel("champions")
    client = patient(BOT_TOKEN, slack.base_url)
    found = await Checkup(client, [channel, "C0NOWHERE00"], APP_TOKEN).run()
    [outside] = [one for one in found if "#champions" in one.what]
    assert (outside.level, "/invite" in outside.cure) == (Level.PROBLEM, True)
    slack.show_channel("champions", is_member=True)
    within = await Checkup(client, [channel]).run()
    assert [one.level for one in within if "#champions" in one.what] == [Level.OK]
    [gone] = [one for one in found if "C0NOWHERE00" in one.what]
    assert gone.level is Level.PROBLEM
    assert gone.cure
    [token] = [one for one in found if "app token" in one.what]
    assert (token.level, "connections:write" in token.cure) == (Level.PROBLEM, True)
    assert not [one for one in found if BOT_TOKEN in repr(one) or APP_TOKEN in repr(one)]


async def test_a_token_that_is_wrong_needs_a_person(slack: Workspace) -> None:
    with pytest.raises(NeedsHuman):
        await Checkup(patient("xoxb-wrong", slack.base_url), []).run()


def test_missing_scopes_are_named_with_what_they_are_for(slack: Workspace) -> None:
    checkup = Checkup(patient(BOT_WITHOUT_SCOPES, slack.base_url), [])
    [missing, more] = checkup._scopes(
        {"x-oauth-scopes": ",".join([*sorted(set(SCOPES) - {"users:read.email"}), "admin"])}
    )
    assert (missing.level, "users:read.email" in missing.what) == (Level.PROBLEM, True)
    assert (more.level, "admin" in more.what) == (Level.WARNING, True)
