"""Refuse what Slack would refuse, by all who know what that is: three judges of everything that is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.servers import block_kit, slack_types


def judge_message(payload: Mapping[str, Any]) -> None:
    """Raise AssertionError unless the documentation, `slackblocks` and Slack's types take the message."""
    block_kit.check_message(payload)
    slack_types.check_message(payload)


def judge_view(view: Mapping[str, Any]) -> None:
    """Raise AssertionError unless the documentation and Slack's types take the modal or the Home tab."""
    block_kit.check_view(view)
    slack_types.check_view(view)
