"""A real website on loopback that answers as a test says, under whatever host names it likes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

from aiohttp import web

from tests.servers.loopback import listening
from watchers.web.client import Client, Courtesy, Manners
from watchers.web.guard import Reach
from watchers.web.pace import Pace

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

LOOPBACK = (ip_network("127.0.0.0/8"),)
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
CONTACT = "mailto:ops@vendor.example"
NO_PAUSE = timedelta()
SOON, PATIENT = timedelta(seconds=1), timedelta(seconds=30)
"""How long a client waits for what never ends, and for all else on a busy machine."""


async def on_loopback(host: str, port: int) -> Sequence[str]:
    """Know every name under .example, and no other."""
    del port
    if not host.endswith(".example"):
        raise OSError(f"{host} is not known")
    return ["127.0.0.1"]


class Clock:
    """Time that passes when a test says so."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **passed: float) -> None:
        """Let time pass."""
        self.now += timedelta(**passed)


@dataclass
class Site:
    """What the server answers by path, and what it was asked."""

    answers: dict[str, Handler] = field(default_factory=dict)
    port: int = 0
    asked: list[web.BaseRequest] = field(default_factory=list)
    at_once: Counter[str] = field(default_factory=Counter)
    most_at_once: int = 0

    def url(self, path: str = "/team", host: str = "www.acme.example") -> str:
        """Return the address of a page."""
        return f"http://{host}:{self.port}{path}"

    @property
    def paths(self) -> list[str]:
        """Return what was asked for, without robots.txt."""
        return [request.path for request in self.asked if request.path != "/robots.txt"]

    def says(
        self,
        path: str,
        body: str | bytes = "",
        status: int = 200,
        content_type: str = "text/html",
        **headers: str,
    ) -> None:
        """Let a path answer with a page; headers are given with _ for -."""

        async def answer(_: web.BaseRequest) -> web.Response:
            raw = body if isinstance(body, bytes) else body.encode()
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return web.Response(status=status, body=raw, headers={"content-type": content_type, **named})

        self.answers[path] = answer

    def leads(self, path: str, to: str, status: int = 302) -> None:
        """Let a path lead to another address."""
        self.says(path, status=status, Location=to)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        self.asked.append(request)
        self.at_once[request.host] += 1
        self.most_at_once = max(self.most_at_once, self.at_once[request.host])
        try:
            answer = self.answers.get(request.path)
            return await answer(request) if answer else web.Response(status=404, text="<h1>Not found</h1>")
        finally:
            self.at_once[request.host] -= 1


@asynccontextmanager
async def serving() -> AsyncIterator[Site]:
    """Serve a site on a free port of loopback."""
    site = Site()
    async with listening(site.handle) as port:
        site.port = port
        yield site


def reach(*sites: Site) -> Reach:
    """Reach these sites, and what anybody may."""
    ports = frozenset({80, 443, *(site.port for site in sites)})
    return Reach(ports=ports, trusted=LOOPBACK, resolver=on_loopback)


def courtesy(clock: Clock, pause: timedelta = NO_PAUSE) -> Courtesy:
    """Know no host yet."""
    return Courtesy(Pace(clock, pause, asyncio.sleep))


def client(
    site: Site, clock: Clock, *, known: Courtesy | None = None, longest: timedelta = PATIENT
) -> Client:
    """Return a client that reaches the site."""
    return Client(
        Manners(CONTACT, longest=longest), known if known is not None else courtesy(clock), clock, reach(site)
    )
