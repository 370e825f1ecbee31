"""Stands in for the calendar of Microsoft Graph, as its documentation describes it, and no more lenient.

It knows the main calendar's `calendarView/delta` and `events/{id}`. A query parameter that the documentation
does not allow is refused, a delta token that it does not know is gone, and a meeting outside the window of
its token is told of as removed.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

TOKEN = "good-token"
SELECTABLE = frozenset(
    "id iCalUId type seriesMasterId originalStart subject bodyPreview start end isCancelled isOrganizer "
    "hideAttendees lastModifiedDateTime createdDateTime organizer attendees responseStatus".split()
)
Window = tuple[datetime, datetime]


@dataclass
class GraphStandIn:
    """One mailbox's calendar. `change` is what a calendar program does."""

    user: str
    url: str = ""
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    nulls: bool = False
    """Whether what left the window comes with null fields, as some tenants see it, or as removed."""
    busy: int = 0
    """So many of the next requests are answered by 429."""
    denied: bool = False
    others: dict[str, bool] = field(default_factory=dict)
    """Other mailboxes of the tenant, and whether the token opens them too."""
    opens: Callable[[str], bool] = f"Bearer {TOKEN}".__eq__
    """Says of an Authorization header whether it opens anything."""
    asked: list[str] = field(default_factory=list)
    _changed: dict[str, int] = field(default_factory=dict)
    _windows: dict[str, tuple[Window, int]] = field(default_factory=dict)
    _pages: dict[str, list[Any]] = field(default_factory=dict)
    _count: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def change(self, ident: str, at: datetime, **fields: Any) -> None:
        """Make an event, or change one; `at` is when."""
        known = self.events.setdefault(ident, {"id": ident, "type": "singleInstance", "isCancelled": False})
        known.update(fields, lastModifiedDateTime=f"{at:%Y-%m-%dT%H:%M:%S}.1234567Z")
        self._changed[ident] = next(self._count)

    def remove(self, ident: str) -> None:
        """Delete an event from the calendar."""
        del self.events[ident]
        self._changed[ident] = next(self._count)

    def forget_tokens(self) -> None:
        """Forget every delta token."""
        self._windows.clear()

    def app(self) -> web.Application:
        """Return the web application."""
        app = web.Application()
        app.router.add_get("/v1.0/{tail:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        if self.busy:
            self.busy -= 1
            return _error(429, "ApplicationThrottled", {"Retry-After": "17"})
        if not self.opens(request.headers.get("Authorization", "")):
            return _error(401, "InvalidAuthenticationToken")
        if self.denied:
            return _error(403, "ErrorAccessDenied")
        return self._resource(request, request.match_info["tail"])

    def _resource(self, request: web.Request, tail: str) -> web.Response:
        mailbox, _, rest = (
            tail.removeprefix("users/").partition("/") if tail.startswith("users/") else tail.partition("/")
        )
        if mailbox not in {"me", self.user, *self.others}:
            return _error(404, "ErrorInvalidUser")
        if not self.others.get(mailbox, True):
            return _error(403, "ErrorAccessDenied")
        if rest == "events" and dict(request.query) == {"$top": "1", "$select": "id"}:
            return web.json_response({"value": [{"id": ident} for ident in self.events][:1]})
        if rest == "calendarView/delta":
            return self._delta(request)
        if rest.startswith("events/"):
            return self._event(request, rest.removeprefix("events/"))
        return _error(400, "BadRequest")

    def _event(self, request: web.Request, ident: str) -> web.Response:
        chosen = request.query.get("$select", "").split(",")
        if set(request.query) != {"$select"} or not SELECTABLE.issuperset(chosen):
            return _error(400, "RequestBroker--ParseUri")
        if ident not in self.events:
            return _error(404, "ErrorItemNotFound")
        return web.json_response({name: self.events[ident].get(name) for name in chosen})

    def _delta(self, request: web.Request) -> web.Response:
        preferred = [one.strip() for one in request.headers.get("Prefer", "").split(",")]
        if 'outlook.timezone="UTC"' not in preferred:
            return _error(400, "ThisTestWantsUtc")
        size = next(int(one.partition("=")[2]) for one in preferred if one.startswith("odata.maxpagesize"))
        names = set(request.query)
        if names == {"startDateTime", "endDateTime"}:
            window = (_utc(request.query["startDateTime"]), _utc(request.query["endDateTime"]))
            found = [event for event in self.events.values() if _is_in(event, window)]
        elif names == {"$deltatoken"}:
            if request.query["$deltatoken"] not in self._windows:
                return _error(410, "SyncStateNotFound")
            window, reached = self._windows[request.query["$deltatoken"]]
            changed = [ident for ident, when in self._changed.items() if when > reached]
            found = [self._told(ident, window) for ident in changed]
        elif names == {"$skiptoken"}:
            window, found = self._pages.pop(request.query["$skiptoken"])
        else:
            return _error(400, "ErrorInvalidUrlQueryFilter")
        return self._page(request, window, found, size)

    def _page(self, request: web.Request, window: Window, found: list[Any], size: int) -> web.Response:
        number = next(self._count)
        base = str(request.url.origin()) + request.path
        body: dict[str, Any] = {"value": found[:size]}
        if found[size:]:
            self._pages[f"skip{number}"] = [window, found[size:]]
            body["@odata.nextLink"] = f"{base}?$skiptoken=skip{number}"
        else:
            self._windows[f"delta{number}"] = (window, number)
            body["@odata.deltaLink"] = f"{base}?$deltatoken=delta{number}"
        return web.json_response(body)

    def _told(self, ident: str, window: Window) -> dict[str, Any]:
        event = self.events.get(ident)
        if event is not None and _is_in(event, window):
            return event
        if event is not None and self.nulls:
            return {"id": ident, "subject": None, "start": None, "end": None, "attendees": None}
        return {"id": ident, "@removed": {"reason": "deleted"}}


def event(
    start: datetime, organizer: str, attendees: dict[str, str], uid: str, user: str = "", **more: Any
) -> dict[str, Any]:
    """Return an event's fields in Graph's shapes; `attendees` are addresses with their answers."""
    return {
        "iCalUId": uid,
        "subject": "Pilot review",
        "bodyPreview": "the private words of the invitation",
        "body": {"contentType": "html", "content": "<p>the private words of the invitation</p>"},
        "start": moment(start),
        "end": moment(start + timedelta(hours=1)),
        "isOrganizer": organizer == user,
        "organizer": {"emailAddress": {"name": "Organizer", "address": organizer}},
        "attendees": [
            {
                "type": "required",
                "status": {"response": answer, "time": "0001-01-01T00:00:00Z"},
                "emailAddress": {"name": "Guest", "address": address},
            }
            for address, answer in attendees.items()
        ],
        **more,
    }


def moment(when: datetime) -> dict[str, str]:
    """Return a dateTimeTimeZone."""
    return {"dateTime": f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": "UTC"}


@asynccontextmanager
async def serving(user: str) -> AsyncIterator[GraphStandIn]:
    """Serve a calendar on a free port until the block ends."""
    graph = GraphStandIn(user)
    async with TestServer(graph.app()) as server:
        graph.url = str(server.make_url("/v1.0"))
        yield graph


def _is_in(event: dict[str, Any], window: Window) -> bool:
    return _utc(event["start"]["dateTime"]) < window[1] and _utc(event["end"]["dateTime"]) > window[0]


def _utc(text: str) -> datetime:
    when = datetime.fromisoformat(text)
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when


def _error(status: int, code: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": {"code": code, "message": "m"}}, status=status, headers=headers)
