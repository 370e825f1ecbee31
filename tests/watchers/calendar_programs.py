"""What a customer's champion does in a calendar, told to each kind of calendar in its own way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.model import Json
from tests.servers.calendar_dav import PASSWORD, Radicale
from tests.servers.calendar_google import GoogleWorld
from tests.servers.calendar_graph import TOKEN, GraphStandIn, event, moment

JANE, BOB, RITA = "jane@acme.example", "bob@acme.example", "rita@vendor.example"
STRANGER = "sam@stranger.example"
UID = "call-1"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GRAPH_ANSWERS = {"ACCEPTED": "accepted", "DECLINED": "declined", "NEEDS-ACTION": "none"}


@dataclass(frozen=True)
class Call:
    """A meeting as its organizer wants it."""

    start: datetime
    organizer: str = JANE
    guests: dict[str, str] = field(default_factory=lambda: {RITA: "NEEDS-ACTION"})
    uid: str = UID
    sequence: int = 0


class Program(ABC):
    """Writes into one calendar of Rita's, and says how the watcher is told to read it."""

    settings: dict[str, Any]

    @abstractmethod
    def write(self, call: Call, at: datetime) -> None:
        """Save a meeting, new or changed, at that moment."""

    @abstractmethod
    def cancel(self, call: Call, at: datetime) -> None:
        """Let the organizer call it off."""

    @abstractmethod
    def lose_place(self, cursor: Json) -> Json:
        """Make the calendar forget where we were; return the cursor that is then kept."""

    def secrets(self) -> dict[str, str]:
        """Return the environment variables that the settings name."""
        return {}

    def uid(self, call: Call) -> str:
        """Return the UID that a meeting has everywhere."""
        return call.uid


def ics(call: Call, at: datetime, *, status: str = "CONFIRMED", extra: str = "") -> str:
    """Return a calendar with one event."""
    guests = "".join(f"ATTENDEE;PARTSTAT={answer}:mailto:{who}\r\n" for who, answer in call.guests.items())
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\n"
        f"UID:{call.uid}\r\nDTSTAMP:{at:%Y%m%dT%H%M%SZ}\r\nLAST-MODIFIED:{at:%Y%m%dT%H%M%SZ}\r\n"
        f"DTSTART:{call.start:%Y%m%dT%H%M%SZ}\r\nDTEND:{call.start + HOUR:%Y%m%dT%H%M%SZ}\r\n"
        f"SEQUENCE:{call.sequence}\r\nSTATUS:{status}\r\nSUMMARY:Pilot review\r\n"
        "DESCRIPTION:the private words of the invitation\r\n"
        f"ORGANIZER:mailto:{call.organizer}\r\n{guests}{extra}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )


class Files(Program):
    """A folder into which a program exports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = {"kind": "files", "path": folder, "name": "export"}

    def write(self, call: Call, at: datetime) -> None:
        (self.folder / f"{call.uid}.ics").write_text(ics(call, at), encoding="utf-8")

    def cancel(self, call: Call, at: datetime) -> None:
        (self.folder / f"{call.uid}.ics").write_text(ics(call, at, status="CANCELLED"), encoding="utf-8")

    def lose_place(self, cursor: Json) -> Json:
        assert isinstance(cursor, dict)
        return {**cursor, "state": None}


class Published(Program):
    """A feed at a secret address; like many, it writes the moment of the request as DTSTAMP."""

    def __init__(self) -> None:
        self.calendars: dict[str, str] = {}
        self.etag = ""
        self.status = 200
        self.page = ""
        self.asked: list[dict[str, str]] = []
        self.settings = {"kind": "feed", "name": "published", "url_env": "FEED_URL"}
        self.url = ""

    def secrets(self) -> dict[str, str]:
        return {"FEED_URL": self.url}

    def app(self) -> web.Application:
        """Return the web application that publishes it."""
        app = web.Application()
        app.router.add_get("/secret-address.ics", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.headers))
        if self.page or self.status != 200:
            headers = {"Location": "https://elsewhere.example/x.ics"}
            return web.Response(status=self.status, text=self.page, headers=headers)
        if self.etag and request.headers.get("If-None-Match") == self.etag:
            return web.Response(status=304)
        inner = "".join(
            calendar.partition("BEGIN:VEVENT")[2].partition("END:VCALENDAR")[0].join(["BEGIN:VEVENT", ""])
            for calendar in self.calendars.values()
        )
        text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{inner}END:VCALENDAR\r\n"
        return web.Response(
            text=text, content_type="text/calendar", headers={"ETag": self.etag} if self.etag else {}
        )

    def write(self, call: Call, at: datetime) -> None:
        self.calendars[call.uid] = ics(call, at)
        self.etag = f'"{at.isoformat()}"'

    def cancel(self, call: Call, at: datetime) -> None:
        self.calendars[call.uid] = ics(call, at, status="CANCELLED")
        self.etag = f'"{at.isoformat()}"'

    def lose_place(self, cursor: Json) -> Json:
        assert isinstance(cursor, dict)
        return {**cursor, "state": {"etag": '"old"'}}


class Dav(Program):
    """A calendar program that saves to a CalDAV server."""

    def __init__(self, server: Radicale, user: str) -> None:
        self.server = server
        self.user = user
        self.settings = {"kind": "caldav", "url": server.url, "user": user, "password_env": "DAV_PASSWORD"}

    def secrets(self) -> dict[str, str]:
        return {"DAV_PASSWORD": PASSWORD}

    def write(self, call: Call, at: datetime) -> None:
        self.server.put(self.user, call.uid, ics(call, at))

    def cancel(self, call: Call, at: datetime) -> None:
        self.server.put(self.user, call.uid, ics(call, at, status="CANCELLED"))

    def lose_place(self, cursor: Json) -> Json:
        self.server.forget_tokens(self.user)
        return cursor


class Google(Program):
    """Google Calendar, in which everybody has a calendar of their own."""

    def __init__(self, world: GoogleWorld) -> None:
        self.world = world
        self.idents: dict[str, tuple[str, dict[str, str]]] = {}
        self.settings = {"kind": "google", "name": "rita", "api": world.api, "token_env": "GOOGLE_TOKEN"}

    def secrets(self) -> dict[str, str]:
        return {"GOOGLE_TOKEN": self.world.token}

    def write(self, call: Call, at: datetime) -> None:
        self.world.at(at)
        times = {
            "start": {"dateTime": call.start.isoformat()},
            "end": {"dateTime": (call.start + HOUR).isoformat()},
        }
        if call.uid not in self.idents:
            guests = [{"email": who} for who in call.guests if who != call.organizer]
            body = {"summary": "Pilot review", "description": "the private words of the invitation"}
            ident = self.world.insert(call.organizer, {**body, **times, "attendees": guests})
            self.idents[call.uid] = (ident, dict.fromkeys(call.guests, "NEEDS-ACTION"))
        ident, answers = self.idents[call.uid]
        if call.sequence:
            self.world.patch(call.organizer, ident, times)
        for who, answer in call.guests.items():
            if answer != answers[who]:
                self.world.respond(who, ident, answer.lower())
                answers[who] = answer

    def uid(self, call: Call) -> str:
        return f"{self.idents[call.uid][0]}@google.com"

    def cancel(self, call: Call, at: datetime) -> None:
        self.world.at(at)
        self.world.delete(call.organizer, self.idents[call.uid][0])

    def lose_place(self, cursor: Json) -> Json:
        assert isinstance(cursor, dict)
        return {**cursor, "state": {"token": "a token that Google has dropped"}}


class Graph(Program):
    """Outlook, which saves to a mailbox in Microsoft 365."""

    def __init__(self, graph: GraphStandIn) -> None:
        self.graph = graph
        self.settings = {"kind": "graph", "user": RITA, "api": graph.url, "token_env": "GRAPH_TOKEN"}

    def secrets(self) -> dict[str, str]:
        return {"GRAPH_TOKEN": TOKEN}

    def write(self, call: Call, at: datetime) -> None:
        answers = {who: GRAPH_ANSWERS[answer] for who, answer in call.guests.items()}
        self.graph.change(f"id-{call.uid}", at, **event(call.start, call.organizer, answers, call.uid, RITA))

    def cancel(self, call: Call, at: datetime) -> None:
        self.graph.change(f"id-{call.uid}", at, isCancelled=True, start=moment(call.start))

    def lose_place(self, cursor: Json) -> Json:
        self.graph.forget_tokens()
        return cursor


def utc(*when: int) -> datetime:
    """Return a moment in UTC."""
    return datetime(*when, tzinfo=UTC)  # type: ignore[misc,arg-type] # year, month, day and so on
