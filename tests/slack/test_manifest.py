from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from click.testing import CliRunner

from bot.cli import main
from bot.slack import manifest
from bot.slack.grammar import VERBS
from bot.slack.views import told as told_view
from tests.servers.slack import BOT_TOKEN, BOT_WITHOUT_SCOPES, SOMEBODY_WITH_FILES, Workspace

ROOT = Path(__file__).parents[2]
CALL = re.compile(r"client\.(?!is_|api_call)([a-z]+)_(\w+)\(")

WHERE_GRANTED = {"conversations.history", "conversations.replies"}
"""Methods that are called where an operator granted a scope beyond what is asked for, and done without."""

APP_LEVEL = {"apps.connections_open"}
"""Methods that are called with the app-level token."""

PROVEN_OTHERWISE = {"commands"}
"""Slack asks for it where the manifest names a command; no method does."""


def called() -> set[str]:
    """Return every method of the Web API that the code calls."""
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "bot" / "slack").glob("*.py"))
    return {f"{family}.{method}" for family, method in CALL.findall(source)}


def arguments(server: Workspace, method: str) -> list[dict[str, Any]]:
    """Return the arguments of each call that is needed to learn what the method asks for."""
    channel, secret, rita = server.channel("champions"), server.channel("secret"), server.user("rita")
    told = {
        "conversations.info": [{"channel": channel}, {"channel": secret}],
        "conversations.open": [{"users": rita}],
        "users.info": [{"user": rita}],
        "users.lookupByEmail": [{"email": "rita@vendor.example"}],
    }
    if method.startswith("views."):
        return [{"view": json.dumps(told_view("Title", "Text")), "user_id": rita}]
    return told.get(method, [{"channel": channel, "user": rita, "text": "x", "ts": "1.2"}])


def needed(server: Workspace, token: str) -> set[str]:
    """Return which scopes the methods that the code calls miss with this token."""
    missing: set[str] = set()
    headers = {"Authorization": f"Bearer {token}"}
    for method in called() - WHERE_GRANTED - APP_LEVEL:
        for args in arguments(server, method):
            answer = httpx.post(f"{server.base_url}{method}", data=args, headers=headers).json()
            assert answer.get("error") != "unknown_method", method
            if answer.get("error") == "missing_scope":
                missing |= set(answer["needed"].split(","))
    file = httpx.get(f"{server.url}/files-pri/F0/people.csv", headers=headers)
    return missing | ({"files:read"} if "missing_scope" in file.text else set())


@pytest.mark.servers
def test_the_scopes_are_exactly_those_that_slack_asks_for_what_the_code_does(slack_server: Workspace) -> None:
    assert needed(slack_server, BOT_WITHOUT_SCOPES) | PROVEN_OTHERWISE == set(manifest.SCOPES)
    assert needed(slack_server, BOT_TOKEN) == set()


@pytest.mark.servers
def test_the_code_needs_a_scope_that_a_token_lacks(slack_server: Workspace) -> None:
    assert "chat:write" in needed(slack_server, SOMEBODY_WITH_FILES)


def test_the_manifest_in_the_repository_is_what_the_command_prints() -> None:
    printed = CliRunner().invoke(main, ["manifest"]).output
    assert printed == (ROOT / "manifest.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(printed) == manifest.manifest()


def test_the_manifest_is_for_socket_mode_unless_an_address_is_given() -> None:
    read = yaml.safe_load(CliRunner().invoke(main, ["manifest"]).output)
    assert read["settings"]["socket_mode_enabled"] is True
    assert "http" not in str(read)
    url = "https://stillthere.vendor.example/slack/events"
    read = yaml.safe_load(CliRunner().invoke(main, ["manifest", "--url", url]).output)
    assert read["settings"]["socket_mode_enabled"] is False
    assert read["features"]["slash_commands"][0]["url"] == url
    assert read["settings"]["interactivity"]["request_url"] == url
    assert read["settings"]["event_subscriptions"]["request_url"] == url


def test_an_address_that_slack_would_not_take_is_refused() -> None:
    refused = CliRunner().invoke(main, ["manifest", "--url", "http://vendor.example"])
    assert refused.exit_code != 0
    assert "https" in refused.output


def test_the_manifest_keeps_slacks_limits() -> None:
    read = manifest.manifest()
    information, features = read["display_information"], read["features"]
    assert len(information["name"]) <= 35
    assert len(information["description"]) <= 140
    assert len(features["bot_user"]["display_name"]) <= 80
    for shortcut in features["shortcuts"]:
        assert len(shortcut["name"]) <= 24
        assert len(shortcut["description"]) <= 150
    [command] = features["slash_commands"]
    assert len(command["description"]) <= 2000
    assert len(command["usage_hint"]) <= 1000


def test_the_docs_explain_every_scope_and_every_verb() -> None:
    page = (ROOT / "docs" / "slack.md").read_text(encoding="utf-8")
    for scope, reason in manifest.SCOPES.items():
        assert f"| `{scope}` | {reason} |" in page
    for verb in VERBS.values():
        assert f"| `/champion {verb.usage}` | {verb.does} |" in page.replace("\\|", "|")
    for event in manifest.EVENTS:
        assert f"`{event}`" in page


def test_the_events_are_those_that_the_code_listens_to() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "bot" / "slack").glob("*.py"))
    assert set(re.findall(r'\.event\("(\w+)"\)', source)) == set(manifest.EVENTS)
