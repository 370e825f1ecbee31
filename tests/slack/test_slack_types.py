"""Slack's own types, hardened: they take what we send, and refuse what Slack would refuse."""

from __future__ import annotations

from typing import Any

import pytest

from bot.slack import cards
from bot.slack.cards import Scene
from tests.servers.slack_node import CannotRun
from tests.servers.slack_types import TypesError, check_message, check_view, hardened
from tests.slack.story import NOW, alert

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module", autouse=True)
def _types() -> None:
    try:
        check_message({"text": "x", "blocks": [{"type": "divider"}]})
    except CannotRun as reason:
        pytest.skip(str(reason))


def text(said: str, kind: str = "plain_text") -> dict[str, Any]:
    return {"type": kind, "text": said}


def button(**changes: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": "a", "text": text("Press"), **changes}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def option(**changes: Any) -> dict[str, Any]:
    return {"text": text("One"), "value": "1", **changes}


def field(label: str, **element: Any) -> dict[str, Any]:
    return {"type": "input", "label": text(label), "element": element}


def test_a_card_is_of_slacks_types() -> None:
    check_message({"text": "x", "blocks": cards.case(alert(), None, Scene(NOW)).blocks})


@pytest.mark.parametrize(
    "block",
    [
        {"type": "marquee"},
        {"type": "section"} | {"text": "bare"},
        {"type": "section", "text": text("", "mrkdwn")},
        {"type": "section", "text": text("x" * 3001, "mrkdwn")},
        {"type": "section", "text": text("x", "markdown")},
        {"type": "section", "fields": [text("x")] * 11},
        {"type": "section", "fields": [text("x" * 2001)]},
        {"type": "section", "text": text("x"), "block_id": "x" * 256},
        {"type": "section", "text": text("x"), "colour": "red"},
        {"type": "header", "text": text("x" * 151)},
        {"type": "header", "text": text("x", "mrkdwn")},
        {"type": "context", "elements": []},
        {"type": "context", "elements": [text("x")] * 11},
        {"type": "context", "elements": [button()]},
        {"type": "actions", "elements": []},
        actions(*[button()] * 26),
        actions(button(text=text("x" * 76))),
        actions(button(text=text("x", "mrkdwn"))),
        actions(button(value="x" * 2001)),
        actions(button(action_id="x" * 256)),
        actions(button(style="green")),
        actions({"type": "button", "action_id": "a"}),
        actions({"type": "overflow", "action_id": "a", "options": [option()] * 6}),
        actions({"type": "overflow", "action_id": "a", "options": [option(text=text("x" * 76))]}),
        actions({"type": "static_select", "action_id": "a", "options": [option()] * 101}),
        actions({"type": "radio_buttons", "action_id": "a", "options": [option()] * 11}),
    ],
)
def test_a_block_that_slack_would_refuse_is_none_of_its_types(block: dict[str, Any]) -> None:
    with pytest.raises(TypesError):
        check_message({"text": "x", "blocks": [block]})


@pytest.mark.parametrize(
    "changes",
    [
        {"title": text("x" * 25)},
        {"submit": text("x" * 25)},
        {"private_metadata": "x" * 3001},
        {"callback_id": "x" * 256},
        {"colour": "red"},
        {"blocks": [{"type": "divider"}] * 101},
        {"blocks": [{"type": "input", "label": text("x" * 2001), "element": {"type": "plain_text_input"}}]},
        {
            "blocks": [
                {"type": "input", "label": text("x"), "element": {"type": "file_input", "max_files": 11}}
            ]
        },
    ],
)
def test_a_view_that_slack_would_refuse_is_none_of_its_types(changes: dict[str, Any]) -> None:
    view = {"type": "modal", "title": text("Title"), "blocks": [{"type": "divider"}]}
    check_view(view)
    with pytest.raises(TypesError):
        check_view(view | changes)


def test_a_limit_is_read_from_the_comment_beside_it() -> None:
    part = {"type": "string", "description": "A thing. Maximum length for this field is 7 characters."}
    schema = hardened({"definitions": {"Thing": {"properties": {"name": part}}}})
    assert schema["definitions"]["Thing"]["properties"]["name"]["maxLength"] == 7
