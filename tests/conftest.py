from __future__ import annotations

import gc
import logging
import os
import signal
from collections.abc import Iterator

import pytest
import structlog

from tests.servers import mail, memory, postgres
from tests.servers.slack import Workspace, workspace
from tests.servers.slack_node import CannotRun

if place := memory.place():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(place))

gc.disable()  # nothing that is collected is garbage: to look through thousands of tests again takes 4 s


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, in the order of chance that there is."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """Leave what was collected out of every later search for garbage."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture
def signals_are_heard() -> Iterator[None]:
    """Let processes that a test starts hear the signals that a shell lets us ignore in the background."""
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
        signal.SIGHUP: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    }
    yield
    for name, handler in before.items():
        signal.signal(name, handler)


@pytest.fixture(autouse=True)
def logging_is_as_at_the_start() -> Iterator[None]:
    """Undo what a test tells the log: which lines there are must not depend on the order."""
    structlog.reset_defaults()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("apscheduler").setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def mail_servers() -> Iterator[mail.MailServers]:
    """Run Dovecot and Postfix for the whole session; tests skip, and say why, where they cannot run."""
    try:
        with mail.running() as servers:
            yield servers
    except mail.CannotRun as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.PostgresServer]:
    """Run PostgreSQL for the whole session; tests skip, and say why, where it cannot run."""
    try:
        with postgres.running() as server:
            yield server
    except mail.CannotRun as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def slack() -> Iterator[Workspace]:
    """Run the stand-in for Slack for a module; tests skip, and say why, where it cannot run."""
    try:
        with workspace() as running:
            yield running
    except CannotRun as reason:
        pytest.skip(f"no stand-in for Slack: {reason}")
