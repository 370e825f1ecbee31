from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import mail, postgres, slack
from tests.servers.slack_node import CannotRun

REPS = 4


@pytest.fixture(scope="session")
def own_database_server() -> Iterator[postgres.PostgresServer]:
    """A server that may be killed: no other test shares it.

    It need not wait for the disk: what it wrote outlasts its death, for the system has it.
    """
    try:
        with postgres.running() as server:
            yield server
    except mail.CannotRun as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def _slack_process() -> Iterator[slack.Workspace]:
    try:
        with slack.workspace(reps=REPS) as running:
            yield running
    except CannotRun as reason:
        pytest.skip(f"no stand-in for Slack: {reason}")


@pytest.fixture
def workspace(_slack_process: slack.Workspace) -> slack.Workspace:
    """A fresh Slack workspace whose app may read the history; champions are named in full."""
    _slack_process.reset()
    _slack_process.show_channel("champions", is_private=True)
    return _slack_process
