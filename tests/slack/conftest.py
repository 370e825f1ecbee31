from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import slack
from tests.servers.block_kit import check_message

SENDING = {"chat.postMessage", "chat.update", "chat.postEphemeral"}


@pytest.fixture(scope="session")
def _slack_process() -> Iterator[slack.Workspace]:
    try:
        with slack.workspace() as running:
            yield running
    except slack.CannotRun as reason:
        pytest.skip(f"no stand-in for Slack: {reason}")


@pytest.fixture
def slack_server(_slack_process: slack.Workspace) -> Iterator[slack.Workspace]:
    """A fresh Slack workspace; whatever was sent to it is checked against Slack's limits afterwards."""
    _slack_process.reset()
    yield _slack_process
    for call in _slack_process.calls():
        if call["method"] in SENDING:
            check_message(call["args"])
