"""Runs Radicale, a CalDAV server, on a free port, and changes calendars in it as a calendar program does."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.servers.ports import free_port

HOST = "127.0.0.1"
PASSWORD = "secret"
CONFIG = """\
[server]
hosts = {host}:{port}
[auth]
type = htpasswd
htpasswd_filename = {base}/users
htpasswd_encryption = plain
delay = 0
[storage]
filesystem_folder = {base}/collections
[web]
type = none
[logging]
level = warning
"""
CALENDAR = """<?xml version="1.0"?>
<c:mkcalendar xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:set><d:prop>
<d:displayname>{name}</d:displayname>
<c:supported-calendar-component-set><c:comp name="VEVENT"/></c:supported-calendar-component-set>
</d:prop></d:set></c:mkcalendar>"""


class Radicale:
    """A running server. Every user's password is `PASSWORD`."""

    def __init__(self, base: Path, port: int) -> None:
        self.base = base
        self.url = f"http://{HOST}:{port}/"
        self._client = httpx.Client(timeout=20)

    def close(self) -> None:
        """Let go of the connection to it."""
        self._client.close()

    def add_user(self, user: str, calendar: str = "calls") -> None:
        """Let somebody log in, and give them a calendar."""
        with (self.base / "users").open("a", encoding="utf-8") as users:
            users.write(f"{user}:{PASSWORD}\n")
        self._ask(user, "MKCALENDAR", f"{user}/{calendar}/", CALENDAR.format(name=calendar))

    def put(self, user: str, name: str, calendar: str, where: str = "calls") -> None:
        """Save an event."""
        headers = {"Content-Type": "text/calendar; charset=utf-8"}
        self._ask(user, "PUT", f"{user}/{where}/{name}.ics", calendar, headers)

    def delete(self, user: str, name: str, where: str = "calls") -> None:
        """Delete an event."""
        self._ask(user, "DELETE", f"{user}/{where}/{name}.ics")

    def forget_tokens(self, user: str, where: str = "calls") -> None:
        """Forget every sync token of a calendar, as after a restore."""
        cache = self.base / "collections" / "collection-root" / user / where / ".Radicale.cache"
        shutil.rmtree(cache / "sync-token")

    def _ask(
        self, user: str, method: str, path: str, body: str = "", headers: dict[str, str] | None = None
    ) -> None:
        auth = httpx.BasicAuth(user, PASSWORD)
        answer = self._client.request(
            method, self.url + path, content=body.encode(), headers=headers, auth=auth
        )
        answer.raise_for_status()


@contextmanager
def running(base: Path) -> Iterator[Radicale]:
    """Run the server in a folder of its own until the block ends."""
    port = free_port()
    (base / "users").touch()
    (base / "config").write_text(CONFIG.format(host=HOST, port=port, base=base), encoding="utf-8")
    log = (base / "log").open("wb")
    server = subprocess.Popen(
        [sys.executable, "-m", "radicale", "--config", str(base / "config")], stdout=log, stderr=log
    )
    try:
        _wait(port, server)
        radicale = Radicale(base, port)
        yield radicale
        radicale.close()
    finally:
        server.terminate()
        server.wait(20)
        log.close()


def _wait(port: int, server: subprocess.Popen[bytes], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while server.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("Radicale does not start")
