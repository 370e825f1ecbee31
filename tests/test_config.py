from __future__ import annotations

import re
from datetime import time, timedelta
from errno import EACCES
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from bot import config
from bot.config import NEVER_QUIET, Config, Plan, Running, models_in
from bot.model import NeedsHuman
from watchers import load as load_watchers
from watchers.calendars import Calendars
from watchers.mailbox import Mailbox

EXAMPLE = Path(__file__).parent.parent / "config.example.yaml"
TEAM = "team:\n  domains: [vendor.example]\n"
IMAP = "watchers:\n  mailbox:\n    mailboxes:\n      - kind: imap\n        host: imap.vendor.example\n"


def load(folder: Path, text: str) -> Plan:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return config.load(path)


def refusal(folder: Path, text: str) -> NeedsHuman:
    with pytest.raises(NeedsHuman) as caught:
        load(folder, text)
    return caught.value


CREDENTIALS = {
    f"{what}_{where}" for what in ("password", "token", "secret", "url") for where in ("env", "file")
}
CREDENTIALS |= {"certificate_file"}


def keys_of(model: type[BaseModel]) -> set[str]:
    found = set(model.model_fields)
    for field in model.model_fields.values():
        for inner in models_in(field.annotation):
            found |= keys_of(inner)
    return found


def test_the_example_loads_and_alerts_in_the_champions_channel() -> None:
    plan = config.load(EXAMPLE)
    assert plan.config.slack is not None
    assert plan.config.slack.channel == "C0123456789"
    assert plan.config.team.domains == ["vendor.example"]
    assert [watcher.name for watcher, _ in plan.watchers] == ["mailbox"]


@pytest.mark.parametrize(
    "key", sorted(keys_of(Config) | keys_of(Running) | keys_of(Mailbox.Config) | keys_of(Calendars.Config))
)
def test_the_example_shows_every_key_there_is(key: str) -> None:
    assert re.search(rf"^[ #-]*{key}:", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)


def with_one_credential_each(settings: str) -> str:
    """Return the settings without the other ways to give what the first of them gives already."""
    kept: list[str] = []
    given = False
    for line in settings.splitlines():
        key = line.strip().partition(":")[0]
        given = given and not key.startswith("- ")
        if key in CREDENTIALS and given:
            continue
        given = given or key in CREDENTIALS
        kept.append(line)
    return "\n".join(kept)


def test_the_example_loads_with_everything_in_it_commented_in(tmp_path: Path) -> None:
    load_watchers()
    commented = EXAMPLE.read_text(encoding="utf-8")
    settings = re.sub(r"^( *)# ((?:- )?[a-z_]+:( .*)?)$", r"\1\2", commented, flags=re.MULTILINE)
    settings = re.sub(r"^( *)#  ( +[a-z_]+:( .*)?)$", r"\1 \2", settings, flags=re.MULTILINE)
    plan = load(tmp_path, with_one_credential_each(settings))
    assert plan.config.slack is not None
    assert plan.config.slack.http is not None
    assert len(plan.watchers[0][0].config.model_dump()["mailboxes"]) == 4
    assert len(plan.watchers[1][0].config.model_dump()["calendars"]) == 7


def test_the_least_there_can_be_is_the_team(tmp_path: Path) -> None:
    plan = load(tmp_path, TEAM)
    assert plan.config.review == timedelta(hours=6)
    assert plan.config.team.time_zone == "UTC"
    assert plan.config.slack is None
    assert plan.watchers == ()


def test_sections_that_are_all_commented_out_are_as_if_absent(tmp_path: Path) -> None:
    assert load(tmp_path, f"{TEAM}slack:\nwatchers:\n").watchers == ()
    [(watcher, every)] = load(tmp_path, f"{TEAM}watchers:\n  mailbox:\n").watchers
    assert (watcher.name, every) == ("mailbox", Mailbox.every)


def test_paths_start_at_the_folder_of_the_file_and_not_where_it_is_run(tmp_path: Path) -> None:
    plan = load(
        tmp_path,
        f"{TEAM}contacts: people/all.csv\ndata: /srv/data\n"
        "watchers:\n  mailbox:\n    mailboxes:\n      - {kind: files, path: mail}\n"
        "      - {kind: imap, host: h.example, user: u, password_file: secret}\n",
    )
    assert plan.config.contacts == tmp_path / "people" / "all.csv"
    assert plan.config.data == Path("/srv/data")
    files, imap = plan.watchers[0][0].config.model_dump()["mailboxes"]
    assert files["path"] == tmp_path / "mail"
    assert imap["password_file"] == tmp_path / "secret"


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert load(tmp_path, f"{TEAM}data: ~/stillthere\n").config.data == Path("/home/ann/stillthere")


def test_domains_are_taken_in_lower_case_and_without_an_at_sign(tmp_path: Path) -> None:
    plan = load(tmp_path, 'team:\n  domains: [Vendor.Example, "@mail.vendor.example"]\n')
    assert plan.config.team.domains == ["vendor.example", "mail.vendor.example"]


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90s", timedelta(seconds=90)),
        ("5m", timedelta(minutes=5)),
        ("1h", timedelta(hours=1)),
        ("' 7 d '", timedelta(days=7)),
    ],
)
def test_a_time_is_a_number_and_a_unit(tmp_path: Path, text: str, length: timedelta) -> None:
    [(_, every)] = load(tmp_path, f"{TEAM}watchers:\n  mailbox:\n    every: {text}\n").watchers
    assert every == length


@pytest.mark.parametrize("text", ["soon", "5", "0s", "-5m", "1.5h", "5 weeks", "999999d", "[5m]", "true"])
def test_any_other_time_is_refused_with_one_that_is_right(tmp_path: Path, text: str) -> None:
    failure = refusal(tmp_path, f"{TEAM}review: {text}\n")
    assert failure.what.startswith(f"{tmp_path}/config.yaml:3: review: ")
    assert '"5m"' in failure.what


@pytest.mark.parametrize(
    ("text", "line", "key", "cure"),
    [
        (f"{TEAM}slak:\n  channel: x\n", 3, "slak", "did you mean 'slack'?"),
        ("team:\n  domains: [vendor.example]\n  time_zon: UTC\n", 3, "team.time_zon", "'time_zone'?"),
        (
            f"{TEAM}colour: red\n",
            3,
            "colour",
            "known are: connect, contacts, crm, data, database_env, database_file, listen, ",
        ),
        (f"{TEAM}slack:\n  channel: x\n  http:\n    prt: 9\n", 6, "slack.http.prt", "did you mean 'port'?"),
        (f"{TEAM}watchers:\n  mailboxx: {{}}\n", 4, "watchers.mailboxx", "did you mean 'mailbox'?"),
        (f"{TEAM}watchers:\n  mailbox:\n    evry: 5m\n", 5, "watchers.mailbox.evry", "did you mean 'every'?"),
        (f"{TEAM}{IMAP}        usr: u\n", 8, "watchers.mailbox.mailboxes.0.usr", "did you mean 'user'?"),
        (
            f"{TEAM}watchers:\n  mailbox:\n    mailboxes:\n      - kind: files\n        pth: m\n",
            7,
            "watchers.mailbox.mailboxes.0.pth",
            "did you mean 'path'?",
        ),
    ],
)
def test_an_unknown_key_is_named_with_its_line_and_the_nearest(
    tmp_path: Path, text: str, line: int, key: str, cure: str
) -> None:
    failure = refusal(tmp_path, text)
    assert failure.what.startswith(f"{tmp_path}/config.yaml:{line}: {key}: there is no such ")
    assert cure in failure.how


@pytest.mark.parametrize(
    ("text", "line", "key", "cure"),
    [
        ("slack:\n  channel: x\n", 1, "team", "add it"),
        ("team:\n  time_zone: UTC\n", 1, "team.domains", "add it"),
        ("team:\n", 1, "team", "write its keys below it, indented"),
        ("team:\n  domains: vendor.example\n", 2, "team.domains", "write a list such as"),
        ("team:\n  domains: []\n", 2, "team.domains", "name at least one"),
        ("team:\n  domains:\n    - a.example\n    - 5\n", 4, "team.domains.1", "write text, in quotes"),
        (f"{TEAM}slack:\n  channel: #champions\n", 4, "slack.channel", "in quotes where it"),
        (f"{TEAM}slack:\n  channel: x\n  http:\n    port: a\n", 6, "slack.http.port", "write a whole number"),
        (f"{TEAM}slack:\n  channel: x\n  api: http://slack.example/\n", 5, "slack.api", "put that right"),
        (f"{TEAM}contacts: 5\n", 3, "contacts", "write the path"),
        (f"{TEAM}watchers: mailbox\n", 3, "watchers", "write its keys below it, indented"),
        (f"{TEAM}watchers:\n  mailbox: true\n", 4, "watchers.mailbox", "write its keys below it, indented"),
        (f"{TEAM}{IMAP}", 6, "watchers.mailbox.mailboxes.0.user", "add it"),
        (
            f"{TEAM}watchers:\n  mailbox:\n    mailboxes:\n      - path: mail\n",
            6,
            "watchers.mailbox.mailboxes.0",
            "say with the key 'kind' what it is",
        ),
    ],
)
def test_a_wrong_value_is_named_with_its_line_and_what_would_be_right(
    tmp_path: Path, text: str, line: int, key: str, cure: str
) -> None:
    failure = refusal(tmp_path, text)
    assert failure.what.startswith(f"{tmp_path}/config.yaml:{line}: {key}: ")
    assert cure in failure.how


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "team:\n  domains: [bob@vendor.example]\n",
            "2: team.domains.0: 'bob@vendor.example' is no mail domain",
        ),
        ("team:\n  domains: ['https://vendor.example']\n", "is no mail domain: write one such as"),
        ("team:\n  domains: [vendor]\n", "is no mail domain: write one such as"),
        (f"{TEAM}  time_zone: Europe/Berln\n", "3: team.time_zone: write a time zone"),
        (f"{TEAM}  time_zone: Europe/Berln\n", "did you mean Europe/Berlin?"),
        (f"{TEAM}slack:\n  channel: x\n  http:\n    port: 99999\n", "6: slack.http.port: "),
        (
            f"{TEAM}{IMAP}        user: u\n",
            "6: watchers.mailbox.mailboxes.0: give exactly one of password_env",
        ),
        (
            f"{TEAM}watchers:\n  mailbox:\n    mailboxes: [{{kind: pop}}]\n",
            "5: watchers.mailbox.mailboxes.0.kind: there is no kind 'pop'",
        ),
    ],
)
def test_a_value_that_cannot_be_says_what_can(tmp_path: Path, text: str, said: str) -> None:
    assert said in refusal(tmp_path, text).what


@pytest.mark.parametrize("text", ["", "# only a comment\n", "hello", "- a\n- b\n", "5", "null", "---\n"])
def test_a_file_without_settings_says_what_to_begin_with(tmp_path: Path, text: str) -> None:
    failure = refusal(tmp_path, text)
    assert failure.what == f"{tmp_path}/config.yaml:1: settings: there are none"
    assert "'team'" in failure.how


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("team:\n  domains: [vendor.example\n", 3),
        ("team:\n\tdomains: [vendor.example]\n", 2),
        ("team: x: y\n", 1),
        (f"{TEAM}---\nslack:\n", 3),
        (f"{TEAM}team:\n  domains: [other.example]\n", 3),
        (f"{TEAM}contacts: 2026-02-30\n", 3),
        (f"{TEAM}contacts: !!python/object/apply:os.system [ls]\n", 3),
        (f"{TEAM}contacts: !!bool perhaps\n", 3),
        (f"{TEAM}contacts: {'1' * 5000}\n", 3),
        ("? [a, b]\n: 1\n", 1),
        ("? {a: b}\n: 1\n", 1),
    ],
)
def test_what_is_not_yaml_is_refused_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    assert refusal(tmp_path, text).what.startswith(f"{tmp_path}/config.yaml:{line}: settings: ")


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a]\n",
        "a: &a\n  b: *a\n",
        "a0: &a0 x\n" + "".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(2000)),
        "[" * 100_000,
        "{" * 100_000,
        "- " * 50_000,
        "a: " + "1:" * 60_000 + "1",
        f"{TEAM}" + "".join(f"k{n}: v\n" for n in range(10_000)),
        "a: b\n" * 300_000,
    ],
    ids=["itself", "itself, keyed", "laughs", "lists", "maps", "items", "sexagesimal", "keys", "megabytes"],
)
def test_a_hostile_file_is_refused_quickly(tmp_path: Path, text: str) -> None:
    assert len(str(refusal(tmp_path, text))) < 1000


def test_a_byte_order_mark_is_no_part_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_bytes(b"\xef\xbb\xbf" + TEAM.encode())
    assert config.load(tmp_path / "config.yaml").config.team.domains == ["vendor.example"]


def test_a_file_that_cannot_be_read_says_how_to_name_one(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.yaml", tmp_path):
        with pytest.raises(NeedsHuman, match="--config") as caught:
            config.load(path)
        assert str(path) in caught.value.what


def test_a_file_that_we_may_not_read_is_no_file_that_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:  # root, as whom tests may run, may read everything
        raise PermissionError(EACCES, "Permission denied")

    (tmp_path / "config.yaml").write_text(TEAM)
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(NeedsHuman, match="Permission denied") as caught:
        config.load(tmp_path / "config.yaml")
    assert "let this user read it" in caught.value.how


def test_a_file_that_is_no_text_says_so(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_bytes(b"team: \xff\xfe")
    with pytest.raises(NeedsHuman, match="UTF-8"):
        config.load(tmp_path / "config.yaml")


def test_a_secret_that_stands_in_the_file_is_not_repeated_in_the_error(tmp_path: Path) -> None:
    failure = refusal(tmp_path, f"{TEAM}{IMAP}        user: u\n        password: hunter2\n")
    assert "password" in str(failure)
    assert "hunter2" not in str(failure)


@pytest.mark.parametrize(("key", "file"), [("password", "password_file"), ("pasword", "password_file")])
def test_a_secret_in_the_settings_is_sent_into_a_file(tmp_path: Path, key: str, file: str) -> None:
    failure = refusal(tmp_path, f"{TEAM}{IMAP}        user: u\n        {key}: hunter2\n")
    assert f"'{file}'" in failure.how
    assert "secrets never stand in the settings" in failure.how
    assert "_env" not in failure.how


@pytest.mark.parametrize("secret", ["hunter2", "Tr0ub4dor&3", "xoxb-1-2-abc"])
def test_a_secret_in_place_of_the_name_of_a_variable_is_refused_unseen(tmp_path: Path, secret: str) -> None:
    failure = refusal(tmp_path, f"{TEAM}{IMAP}        user: u\n        password_env: {secret}\n")
    assert failure.what.endswith(":9: watchers.mailbox.mailboxes.0.password_env: is no name of a variable")
    assert "'password_file'" in failure.how
    assert secret not in str(failure)


def test_a_crm_may_have_a_property_that_is_called_like_a_variable(tmp_path: Path) -> None:
    crm = "crm: {hubspot: {token_env: OURS, filter: {used_in_env: production}}}\n"
    assert load(tmp_path, TEAM + crm).config.crm


def test_a_variable_that_is_set_may_have_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("rita.password", "planted")
    assert load(tmp_path, f"{TEAM}{IMAP}        user: u\n        password_env: rita.password\n").watchers


@pytest.mark.parametrize(
    ("kind", "near"), [("imapp", "; did you mean 'imap'?"), ("pop3", ""), ("5", ""), ("[]", "")]
)
def test_a_kind_that_there_is_not_comes_with_those_there_are(tmp_path: Path, kind: str, near: str) -> None:
    failure = refusal(tmp_path, TEAM + IMAP.replace("kind: imap", f"kind: {kind}"))
    assert failure.what.endswith(f":6: watchers.mailbox.mailboxes.0.kind: there is no kind '{kind}'")
    assert failure.how == f"there are: files, gmail, graph, imap{near}"


def test_tokens_are_taken_from_the_variables_that_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUR_BOT", "xoxb-1")
    monkeypatch.delenv("SLACK_APP_TOKEN", raising=False)
    slack = load(tmp_path, f"{TEAM}slack:\n  channel: x\n  bot_token_env: OUR_BOT\n").config.slack
    assert slack is not None
    assert (slack.bot_token, slack.app_token) == ("xoxb-1", "")


def test_what_the_team_chose_for_its_alerts_is_read(tmp_path: Path) -> None:
    slack = load(
        tmp_path,
        f"{TEAM}slack:\n  channel: C1\n  admins: [Ada@Vendor.example]\n  quiet_hours: 19:30 - 7:00\n"
        "  backups: {Rita@vendor.example: omar@vendor.example}\n"
        "  teams:\n    - {members: [rita@vendor.example], channel: C2}\n",
    ).config.slack
    assert slack is not None
    assert slack.quiet_hours == (time(19, 30), time(7))
    assert slack.admins == ("ada@vendor.example",)
    assert slack.backups == {"rita@vendor.example": "omar@vendor.example"}
    assert (slack.teams[0].channel, slack.teams[0].lead) == ("C2", None)


@pytest.mark.parametrize("value", ["none", "off", "null", "no"])
def test_quiet_hours_may_be_none(tmp_path: Path, value: str) -> None:
    slack = load(tmp_path, f"{TEAM}slack:\n  channel: C1\n  quiet_hours: {value}\n").config.slack
    assert slack is not None
    assert slack.quiet_hours == NEVER_QUIET


@pytest.mark.parametrize(
    ("line", "cure"),
    [
        ('channel: "#champions"', "the channel's id"),
        ("quiet_hours: 18-8", '"18:00-08:00"'),
        ("quiet_hours: 25:00-08:00", '"18:00-08:00"'),
        ("admins: [rita]", "such as rita@vendor.example"),
        ("shadow: true", "there are no admins"),
        ("home: email", "'channel' or 'dm'"),
        ("alerts_a_day: 0", "greater than or equal to 1"),
        ("teams: [{members: [], channel: C2}]", "at least one"),
    ],
)
def test_what_cannot_be_of_an_alert_is_refused_with_a_cure(tmp_path: Path, line: str, cure: str) -> None:
    channel = "" if line.startswith("channel") else "  channel: C1\n"
    assert cure in str(refusal(tmp_path, f"{TEAM}slack:\n{channel}  {line}\n"))


@given(st.text(st.sampled_from("ab:-[]{}&*!'\"\n \t#0|>?,."), max_size=60))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_does_worse_than_ask_for_a_human(tmp_path: Path, text: str) -> None:
    assert re.match(rf"{re.escape(str(tmp_path))}/config\.yaml:\d+: ", refusal(tmp_path, text).what)
