"""The service is told to stop: by each signal that means so, also while a look takes for ever."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.service import Service

pytestmark = pytest.mark.long

PATIENCE = 60.0
"""Seconds that a busy machine may take to stop."""

HURRIED = {"bot.service.FAREWELL": 1, "watchers.mail.imap.CONNECT_SECONDS": 3}
"""What is under way is waited for shorter than it takes, and its thread waits for the server for longer."""


def serviced(folder: Path, mailbox: str) -> Service:
    for part in ("cur", "new", "tmp"):
        (folder / "mail" / part).mkdir(parents=True)
    (folder / "config.yaml").write_text(
        f"team: {{domains: [vendor.example]}}\nwatchers: {{mailbox: {{every: 1h, mailboxes: [{mailbox}]}}}}\n"
    )
    return Service(folder, {"BOX": "secret"}, hurried=HURRIED)


@contextmanager
def silent_server() -> Iterator[socket.socket]:
    """Listen, let whoever comes connect, and never say a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.mark.usefixtures("signals_are_heard")
@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_each_signal_that_means_so_stops_the_service_cleanly(name: signal.Signals, tmp_path: Path) -> None:
    service = serviced(tmp_path, "{kind: files, path: mail}")
    try:
        service.start()
        assert service.process is not None
        service.process.send_signal(name)
        assert service.process.wait(PATIENCE) == 0
        assert service.events("service.stopped")
    finally:
        service.end()


def test_a_look_that_takes_for_ever_holds_up_no_stop(tmp_path: Path) -> None:
    with silent_server() as server:
        port = server.getsockname()[1]
        where = f"kind: imap, host: 127.0.0.1, port: {port}, tls: false, user: rita@vendor.example"
        service = serviced(tmp_path, f"{{{where}, password_env: BOX}}")
        try:
            service.start()
            line, _ = server.accept()
            assert service.process is not None
            service.process.send_signal(signal.SIGTERM)
            assert service.process.wait(PATIENCE) == 0
        finally:
            service.end()
        line.close()
    assert [line["event"] for line in service.events()][-3:] == [
        "service.interrupted",
        "service.stopping",
        "service.stopped",
    ]
