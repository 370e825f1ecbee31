from __future__ import annotations

from typing import Any

import pytest
from slackblocks.errors import InvalidUsageError

from tests.servers.block_kit import BlockKitError, check_message

OK: dict[str, Any] = {"type": "section", "text": {"type": "mrkdwn", "text": "*hello*"}}


def button(**changes: Any) -> dict[str, Any]:
    whole = {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "go", **changes}
    return {"type": "actions", "elements": [whole]}


def section(text: str, **changes: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, **changes}}


def context(count: int) -> dict[str, Any]:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * count}


@pytest.mark.parametrize(
    "blocks",
    [
        [OK],
        [OK] * 50,
        [section("x" * 3000)],
        [{"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 2000}] * 10}],
        [context(10)],
        [button(value="x" * 2000, style="danger")],
        [{"type": "header", "text": {"type": "plain_text", "text": "x" * 150}}, {"type": "divider"}],
    ],
)
def test_what_slack_takes_is_taken(blocks: list[dict[str, Any]]) -> None:
    check_message({"text": "x", "blocks": blocks})


@pytest.mark.parametrize(
    "blocks",
    [
        [OK] * 51,
        [{"type": "nonsense"}],
        [{"type": "section"}],
        [section("")],
        [section("x" * 3001)],
        [section("half \ud800")],
        [section("x", colour="red")],
        [{**OK, "colour": "red"}],
        [{"type": "section", "text": {"type": "markdown", "text": "x"}}],
        [{"type": "section", "fields": [{"type": "mrkdwn", "text": "x"}] * 11}],
        [{"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 2001}]}],
        [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
        [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
        [context(0)],
        [context(11)],
        [{"type": "actions", "elements": []}],
        [{"type": "actions", "elements": button()["elements"] * 26}],
        [{"type": "actions", "elements": button()["elements"] * 2}],
        [{"type": "actions", "elements": [{"type": "lever"}]}],
        [button(text={"type": "plain_text", "text": "x" * 76})],
        [button(text={"type": "mrkdwn", "text": "x"})],
        [button(value="x" * 2001)],
        [button(action_id="x" * 256)],
        [button(style="green")],
        [{**OK, "block_id": "x" * 256}],
        [{**OK, "block_id": "twice"}, {**OK, "block_id": "twice"}],
        [{"type": "actions", "elements": [{"type": "overflow", "options": []}]}],
        [
            {
                "type": "actions",
                "elements": [
                    {
                        "type": "static_select",
                        "options": [{"text": {"type": "plain_text", "text": "x"}, "value": "x" * 151}],
                    }
                ],
            }
        ],
    ],
)
def test_what_slack_refuses_is_refused(blocks: list[dict[str, Any]]) -> None:
    with pytest.raises((BlockKitError, InvalidUsageError)):
        check_message({"text": "x", "blocks": blocks})


@pytest.mark.parametrize("text", [None, "", "  ", "x" * 40_001])
def test_a_message_needs_a_text_for_notifications(text: str | None) -> None:
    with pytest.raises(BlockKitError):
        check_message({"text": text, "blocks": [OK]})
