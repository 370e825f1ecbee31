from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers import slack
from tests.servers.slack_judges import judge_message, judge_view
from tests.servers.slack_node import CannotRun
from tests.servers.slack_wire import Transport

SENDING = {"chat.postMessage", "chat.update", "chat.postEphemeral"}
SHOWING = {"views.open", "views.push", "views.update", "views.publish"}


@pytest.fixture(scope="session")
def _slack_process() -> Iterator[slack.Workspace]:
    try:
        with slack.workspace() as running:
            yield running
    except CannotRun as reason:
        pytest.skip(f"no stand-in for Slack: {reason}")


@pytest.fixture
def slack_server(_slack_process: slack.Workspace) -> Iterator[slack.Workspace]:
    """A fresh Slack workspace; whatever was sent to it is checked against Slack's limits afterwards.

    The channel of the champions is private, as far as the app can see: people are named there in full.
    """
    _slack_process.reset()
    _slack_process.show_channel("champions", is_private=True)
    yield _slack_process
    for call in _slack_process.calls():
        if call["method"] in SENDING:
            judge_message(read(call["args"]))
        if call["method"] in SHOWING:
            judge_view(read(call["args"])["view"])
    for sent in _slack_process.responses():
        if not sent.get("delete_original"):
            judge_message(sent)


@pytest.fixture(params=["http", "socket"])
def transport(request: pytest.FixtureRequest) -> Transport:
    """How Slack reaches the app: what it does there has to work both ways."""
    chosen: Transport = request.param
    return chosen


def read(args: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call with what is JSON in a form post as what it stands for."""
    return {
        name: json.loads(value)
        if name in {"blocks", "view", "metadata"} and isinstance(value, str)
        else value
        for name, value in args.items()
    }
