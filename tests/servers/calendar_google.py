"""Serves Google Calendar from `myworld`, a stand-in that Google's own client library accepts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import uvicorn
from myworld.api import operations
from myworld.host import Host, create_app

SERVER = "127.0.0.1"


class GoogleWorld:
    """A company's calendars. Its clock stands still between calls, and is set by `at`."""

    def __init__(self, host: Host, port: int, user: str, others: list[str], now: datetime) -> None:
        people = [{"email": other} for other in others]
        seed = {
            "user": {"email": user},
            "people": people,
            "timeZone": "UTC",
            "now": now.isoformat(),
            "events": [],
        }
        self._world = host.create("calendar", seed)
        self._operations = {one.id: one.tool for one in operations("calendar")}
        self.token = str(host.credentials("", instance=self._world)["google_access_token"])
        self.api = f"http://{SERVER}:{port}/gw/www.googleapis.com/calendar/v3"

    def at(self, now: datetime) -> None:
        """Let it be that late."""
        self._world.clock = now

    def insert(self, who: str, event: Mapping[str, Any]) -> str:
        """Let somebody make an event in their calendar; return its id."""
        return str(self._call(who, "insert", "POST", {}, event)["id"])

    def patch(self, who: str, ident: str, changes: Mapping[str, Any]) -> None:
        """Let somebody change an event."""
        self._call(who, "patch", "PATCH", {"eventId": ident}, changes)

    def delete(self, who: str, ident: str) -> None:
        """Let somebody delete an event from their calendar: who organises it calls it off."""
        self._call(who, "delete", "DELETE", {"eventId": ident}, {})

    def purge(self, ident: str) -> None:
        """Let an event be gone for good, as Google drops deleted ones after a while."""
        del self._world.state["events"][ident]

    def respond(self, who: str, ident: str, answer: str) -> None:
        """Let somebody answer an invitation."""
        self._world.apply_action(
            "auto_respond", {"event_id": ident, "attendee": who, "response": answer}, advance=True
        )

    def _call(
        self, who: str, name: str, method: str, params: Mapping[str, str], body: Mapping[str, Any]
    ) -> dict[str, Any]:
        ident = f"calendar.events.{name}"
        args = {"method": method, "params": {"calendarId": "primary", **params}, "body": dict(body)}
        result = self._world.call(ident, args, as_=who, tool=self._operations[ident])
        assert not result.is_error, result.text
        return result.data if isinstance(result.data, dict) else {}


@contextmanager
def serving() -> Iterator[tuple[Host, int]]:
    """Serve worlds on a free port until the block ends."""
    host = Host()
    server = uvicorn.Server(uvicorn.Config(create_app(host), host=SERVER, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 60
    while not server.started:
        if time.monotonic() > until or not thread.is_alive():
            raise TimeoutError("myworld does not start")
        time.sleep(0.02)
    try:
        yield host, int(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(20)
