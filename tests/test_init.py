"""Setting up, from the first question to the first real alert."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from click.testing import CliRunner, Result

from bot import config
from bot.cli import main
from bot.init.draft import Draft
from bot.init.questions import app_link
from bot.slack.checkup import REINSTALL
from bot.slack.manifest import manifest
from tests.servers.mail import MailServers
from tests.servers.ports import free_port
from tests.servers.slack import APP_TOKEN, BOT_TOKEN, BOT_WITHOUT_SCOPES, SIGNING_SECRET, Workspace
from tests.service import Service

pytestmark = pytest.mark.xdist_group("mail")

REP = "rita@vendor.example"
JANE = "jane@customer.example"
SECRETS = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "IMAP_PASSWORD")
OFFLINE = ("--domain", "vendor.example", "--slack", "terminal", "--mailbox", "later")
DOCS = Path(__file__).parent.parent / "docs"


@pytest.fixture(autouse=True)
def _no_secrets_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)


def init(file: Path, *words: object, typed: str | None = None) -> Result:
    return CliRunner().invoke(
        main, ["init", "--config", str(file), *(str(word) for word in words)], input=typed
    )


def unattended(file: Path, *words: object) -> Result:
    return init(file, "--non-interactive", *words)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_from_the_first_question_to_the_first_real_alert(
    tmp_path: Path, slack: Workspace, mail_servers: MailServers
) -> None:
    """Answer as a newcomer does, with a slip, then run what was written."""
    slack.reset()
    slack.show_channel("champions", is_private=True, is_member=True)
    slack._control("socket", {"url": "ws://127.0.0.1:1", "token": APP_TOKEN})
    mail_servers.empty(REP)
    box = mail_servers.credentials(REP)
    mail_servers.send(JANE, REP, "Pilot")
    mail_servers.live(REP)
    (tmp_path / "contacts.csv").write_text(f"email,name,account,owner\n{JANE},Jane Doe,Customer,{REP}\n")
    typed = [
        *("vendor.example", "", "slack", ""),
        *(APP_TOKEN, "xoxb-mistyped", "y", BOT_TOKEN),
        *(APP_TOKEN, slack.channel("champions"), REP, ""),
        *("imap", f"{box.host}:{box.port}", "no", REP, "wrong", "y"),
        *("", "no", REP, box.password, "y"),
    ]
    file = tmp_path / "config.yaml"
    told = init(file, "--slack-api", slack.base_url, typed="\n".join([*typed, ""]))
    assert told.exit_code == 0, told.output
    assert "install the app again" in told.stderr
    for said in (
        "This one is needed",
        "this one begins with xoxb-",
        "→ type it again",
        "the bot is in #champions",
        "1 contact in",
    ):
        assert said in told.stderr
    assert app_link() in told.stderr
    assert "/stillthere-" not in told.stderr
    assert not {BOT_TOKEN, APP_TOKEN, box.password} & set(told.output.split())
    assert any("TEST" in message["text"] for message in slack.state()["messages"]), told.output
    text = file.read_text()
    assert BOT_TOKEN not in text
    assert box.password not in text
    for secret in (tmp_path / "secrets").iterdir():
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    _first_alert(tmp_path, slack, mail_servers)


def _first_alert(folder: Path, slack: Workspace, servers: MailServers) -> None:
    """Run what was written, by signed requests in place of Socket Mode, until the alert is there."""
    written = yaml.safe_load((folder / "config.yaml").read_text())
    written["slack"] |= {"http": {"port": free_port()}, "quiet_hours": "none"}
    written["watchers"]["mailbox"]["every"] = "1s"
    (folder / "config.yaml").write_text(yaml.safe_dump(written))
    service = Service(folder, {"SLACK_SIGNING_SECRET": SIGNING_SECRET})
    channel = slack.channel("champions")
    try:
        service.start()
        service.wait(lambda: service.events("source.read"))
        servers.reject("jane", f"550 5.1.1 <{JANE}>: Recipient address rejected: User unknown")
        servers.send(REP, JANE, "Next steps")
        service.wait(lambda: slack.messages(channel))
    finally:
        service.end()
    assert "Jane Doe" in slack.messages(channel)[0]["text"]


def test_a_bot_token_without_its_scopes_is_asked_for_again_at_once(tmp_path: Path, slack: Workspace) -> None:
    slack.reset()
    slack.show_channel("champions", is_member=True)
    slack._control("socket", {"url": "ws://127.0.0.1:1", "token": APP_TOKEN})
    tokens = [BOT_WITHOUT_SCOPES, "y", BOT_TOKEN, APP_TOKEN]
    typed = ["vendor.example", "", "slack", *tokens, slack.channel("champions"), REP, "-", "later"]
    where = ("--slack-api", slack.base_url, "--no-drill")
    told = init(tmp_path / "config.yaml", *where, typed="\n".join([*typed, ""]))
    assert told.exit_code == 0, told.output
    before, again, after = told.stderr.partition("Press Enter to answer again")
    assert again
    assert "the scope chat:write is missing" in before
    assert "good: the bot token works" not in before
    assert before.count(REINSTALL) == 1
    assert "scopes, and no other" in after


def test_the_link_creates_the_very_app_of_the_manifest() -> None:
    asked = parse_qs(urlsplit(app_link()).query)
    assert yaml.safe_load(asked["manifest_yaml"][0]) == manifest()
    assert asked["new_app"] == ["1"]


def test_with_nobody_to_ask_what_is_missing_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    told = unattended(tmp_path / "config.yaml")
    assert told.exit_code == 2
    for option in ("--domain", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "--channel", "--imap-host"):
        assert f"missing: {option}" in told.stderr
    assert files(tmp_path) == set()


def test_what_cannot_be_read_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    told = unattended(tmp_path / "config.yaml", *OFFLINE, "--contacts", "absent.csv", "--time-zone", "Berlin")
    assert told.exit_code == 2
    assert "wrong: --time-zone: write a time zone" in told.stderr
    told = unattended(tmp_path / "config.yaml", *OFFLINE, "--contacts", "absent.csv")
    assert told.exit_code == 2
    assert "absent.csv" in told.stderr
    assert files(tmp_path) == set()


def test_a_secret_that_stands_in_a_variable_is_named_and_not_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SECRETS:
        monkeypatch.setenv(name, "planted-secret")
    where = ("--channel", "C0123456789", "--imap-host", "imap.vendor.example", "--imap-user", REP)
    told = unattended(tmp_path / "config.yaml", "--domain", "vendor.example", *where, "--unchecked")
    assert told.exit_code == 0, told.output
    assert files(tmp_path) == {"config.yaml"}
    text = (tmp_path / "config.yaml").read_text()
    assert "planted-secret" not in text
    assert "password_env: IMAP_PASSWORD" in text


def test_run_again_it_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    assert unattended(file, *OFFLINE).exit_code == 0
    before = (file.read_text(), file.stat().st_mtime_ns, files(tmp_path))
    again = unattended(file)
    assert again.exit_code == 0, again.output
    assert f"{file}: nothing to change" in again.stderr
    assert (file.read_text(), file.stat().st_mtime_ns, files(tmp_path)) == before


def test_whoever_runs_it_again_and_agrees_to_everything_keeps_everything(
    tmp_path: Path, slack: Workspace
) -> None:
    slack.reset()
    slack.show_channel("champions", is_member=True)
    slack._control("socket", {"url": "ws://127.0.0.1:1", "token": APP_TOKEN})
    file = tmp_path / "config.yaml"
    typed = ["vendor.example", "", "", BOT_TOKEN, APP_TOKEN, slack.channel("champions"), REP]
    where = ("--slack-api", slack.base_url)
    first = init(file, "--no-drill", *where, typed="\n".join([*typed, "", "later", ""]))
    assert first.exit_code == 0, first.output
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    again = init(file, "--no-drill", typed="\n" * 12)
    assert again.exit_code == 0, again.output
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert "written:" not in again.stderr
    assert slack.channel("champions") in again.stderr
    for path in (tmp_path / "secrets").iterdir():
        assert path.read_text() not in again.output


def test_what_it_does_not_ask_for_stays_and_the_former_settings_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    text = (
        "team: {domains: [vendor.example]}\nretention: 90d  # as agreed\n"
        "crm: {hubspot: {token_env: OURS, filter: {lifecyclestage: customer}}}\n"
        "watchers: {mailbox: {mailboxes: [{kind: files, path: old}]}, public_pages: {}}\n"
    )
    file.write_text(text)
    (tmp_path / "new").mkdir()
    told = unattended(file, "--mail", "new")
    assert told.exit_code == 0, told.output
    assert (tmp_path / "config.yaml.before").read_text() == text
    found = yaml.safe_load(file.read_text())
    assert found["retention"] == "90d"
    assert found["crm"] == {"hubspot": {"token_env": "OURS", "filter": {"lifecyclestage": "customer"}}}
    assert [box["path"] for box in found["watchers"]["mailbox"]["mailboxes"]] == ["old", "new"]
    assert "public_pages" in found["watchers"]
    config.load(file)


def test_a_mailbox_that_is_answered_anew_keeps_only_what_was_not_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAP_PASSWORD", "planted-secret")
    file = tmp_path / "config.yaml"
    box = f"kind: imap, host: localhost, port: 1143, tls: false, user: {REP}, password_file: p"
    box += ", history_days: 30"
    file.write_text(
        f"team: {{domains: [vendor.example]}}\nwatchers: {{mailbox: {{mailboxes: [{{{box}}}]}}}}\n"
    )
    where = ("--imap-host", "imap.vendor.example", "--imap-user", REP)
    told = unattended(file, *where, "--unchecked")
    assert told.exit_code == 0, told.output
    (found,) = yaml.safe_load(file.read_text())["watchers"]["mailbox"]["mailboxes"]
    asked = {"kind": "imap", "host": "imap.vendor.example", "user": REP, "password_env": "IMAP_PASSWORD"}
    assert found == {**asked, "history_days": 30}


def test_whoever_gives_up_in_the_middle_leaves_nothing_half_written(tmp_path: Path) -> None:
    told = init(tmp_path / "config.yaml", typed="vendor.example\nUTC\nslack\n")
    assert told.exit_code == 1
    assert files(tmp_path) == set()


@pytest.mark.parametrize("place", ["file/config.yaml", "file/below/config.yaml", "/proc/config.yaml"])
def test_where_nothing_can_be_written_nothing_is_asked(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    told = init(tmp_path / place, typed="vendor.example\n")
    assert told.exit_code == 2
    assert "cannot be written" in told.stderr
    assert "--config" in told.stderr
    assert "Your own mail domains" not in told.stderr


def test_secrets_that_cannot_be_written_are_said_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "secrets").touch()
    told = init(tmp_path / "config.yaml", typed="vendor.example\n")
    assert told.exit_code == 2
    assert f"{tmp_path / 'secrets'} cannot be written" in told.stderr
    assert files(tmp_path) == {"secrets"}


def test_an_answer_that_does_not_work_gets_a_second_chance(tmp_path: Path) -> None:
    (tmp_path / "right.csv").write_text(f"email\n{JANE}\nnobody\n")
    (tmp_path / "mail").mkdir()
    typed = "no domain\nvendor.example\n\nterminal\nwrong.csv\ny\nright.csv\nfiles\nmail\ny\n"
    told = init(tmp_path / "config.yaml", typed=typed)
    assert told.exit_code == 0, told.output
    assert "is no mail domain" in told.stderr
    assert "wrong.csv" in told.stderr
    assert "1 row was left out, line 3: 'nobody' is no e-mail address" in told.stderr
    assert "TEST" in told.stdout
    assert config.load(tmp_path / "config.yaml").config.contacts == tmp_path / "right.csv"


def test_an_answer_that_was_wrong_is_not_offered_again(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    typed = "vendor.example\n\nterminal\nwrong.csv\ny\n-\nfiles\nabsent\ny\nmail\nn\n"
    told = init(tmp_path / "config.yaml", "--no-drill", typed=typed)
    assert told.exit_code == 0, told.output
    assert "[wrong.csv]" not in told.stderr
    assert "[absent]" not in told.stderr
    assert "look: there is no mail in it" in told.stderr


def test_a_server_that_is_not_there_is_not_offered_again_but_the_user_is(tmp_path: Path) -> None:
    first, second = free_port(), free_port()
    box = [f"localhost:{first}", "no", REP, "planted", "y", f"localhost:{second}", "no", "", "planted", "n"]
    typed = ["vendor.example", "", "terminal", "", "imap", *box]
    told = init(tmp_path / "config.yaml", "--no-drill", typed="\n".join([*typed, ""]))
    assert told.exit_code == 0, told.output
    assert f"localhost:{first} refuses the connection" in told.stderr
    assert f"localhost:{second} refuses the connection" in told.stderr
    assert f"[localhost:{first}]" not in told.stderr
    assert f"[{REP}]" in told.stderr


def test_settings_that_are_wrong_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("team: {domain: x}\n")
    told = unattended(tmp_path / "config.yaml", *OFFLINE)
    assert told.exit_code == 2
    assert "domains" in told.stderr
    assert (tmp_path / "config.yaml").read_text() == "team: {domain: x}\n"


@pytest.mark.parametrize("party", ["google", "microsoft", "hubspot", "salesforce", "slack"])
def test_the_request_to_it_says_why_and_how_to_grant_to_check_and_to_revoke(
    party: str, tmp_path: Path
) -> None:
    told = init(tmp_path / "config.yaml", "--for-it", party)
    assert told.exit_code == 0
    for word in ("Why", "**Grant.**", "**Check.**", "**Revoke.**"):
        assert word in told.stdout
    assert files(tmp_path) == set()


def test_every_command_and_scope_of_the_request_stands_in_the_documentation(tmp_path: Path) -> None:
    documented = {
        line.strip() for page in ("mailboxes", "crm", "slack") for line in _lines(DOCS / f"{page}.md")
    }
    whole = "\n".join(sorted(documented))
    for party in ("google", "microsoft", "hubspot", "salesforce"):
        said = init(tmp_path / "c.yaml", "--for-it", party).stdout.splitlines()
        inside = False
        for line in said:
            if line.startswith("```"):
                inside = not inside
            elif inside and line.strip() and not line.startswith("stillthere"):
                assert line.strip() in documented, line
            elif line.startswith("| `"):
                assert line.split("`")[1].removeprefix("https://www.googleapis.com/auth/") in whole


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_secrets_are_never_readable_by_others_even_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = []
    replace = Path.replace

    def watched(self: Path, target: Path) -> Path:
        modes.append((target.name, stat.S_IMODE(self.stat().st_mode)))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    before = os.umask(0)
    try:
        draft = Draft(tmp_path / "config.yaml", {"team": {"domains": ["vendor.example"]}})
        assert draft.keep("token", "planted") == "secrets/token"
        draft.write()
    finally:
        os.umask(before)
    assert modes == [("token", 0o600), ("config.yaml", 0o644)]
