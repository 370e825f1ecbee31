"""The Slack app: what it is connected to, when it starts and stops.

Socket Mode needs no public address and is used where there is an app token; otherwise Slack sends signed
requests over HTTP. One workspace per installation.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

from bot.model import NeedsHuman
from bot.slack.actions import Desk
from bot.slack.board import Board
from bot.slack.outbox import PACE, SlackPoster
from bot.slack.people import Directory
from bot.slack.web import BASE_URL, ask, once, patient
from bot.store import Store

log = structlog.get_logger()

PATH = "/slack/events"
"""Where Slack's requests arrive; also what to enter in the app's settings."""

SHUTDOWN = timedelta(seconds=5)


@dataclass(frozen=True)
class Connection:
    """How to reach a workspace, and how it reaches us; the secrets are never printed.

    `app_token` chooses Socket Mode, `signing_secret` HTTP on `host` and `port` (0: any free port).
    """

    bot_token: str = field(repr=False)
    channel: str
    app_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    host: str = "127.0.0.1"
    port: int = 3000
    base_url: str = BASE_URL
    pace: timedelta = PACE


class SlackApp:
    """One workspace: `poster` brings alerts there; once started, buttons work."""

    def __init__(self, connection: Connection, store: Store, now: Callable[[], datetime]) -> None:
        if not (connection.app_token or connection.signing_secret):
            raise NeedsHuman(
                "Slack cannot reach us", "set an app token (Socket Mode) or a signing secret (HTTP)"
            )
        self._connection = connection
        self._client = patient(connection.bot_token, connection.base_url)
        # Bolt wants a secret also where nothing is signed; one that nobody knows signs nothing.
        signing_secret = connection.signing_secret or secrets.token_hex()
        self.bolt = AsyncApp(token=connection.bot_token, signing_secret=signing_secret)
        self.bolt.client.base_url = connection.base_url
        people = Directory(self._client, now)
        board = Board(store, self._client, people)
        posting = once(connection.bot_token, connection.base_url)
        self.poster = SlackPoster(posting, people, board, connection.channel, connection.pace)
        self._desk = Desk(store, self._client, people, board, now)
        self._desk.register(self.bolt)
        self._socket: AsyncSocketModeHandler | None = None
        self._http: web.AppRunner | None = None

    @property
    def addresses(self) -> list[str]:
        """Return where we listen for Slack's requests; empty in Socket Mode and while stopped."""
        if self._http is None:
            return []
        return [f"http://{address[0]}:{address[1]}{PATH}" for address in self._http.addresses]

    async def start(self) -> None:
        """Connect and listen; raise NeedsHuman for a wrong token, SourceDown where Slack is out of reach."""
        who = await ask(self._client.auth_test())
        if self._connection.app_token:
            await self._connect()
        else:
            await self._listen()
        log.info("slack.connected", team=who.get("team"), by="socket" if self._socket else "http")

    async def stop(self) -> None:
        """Stop listening, and finish what was begun."""
        if self._socket is not None:
            await self._socket.close_async()  # type: ignore[no-untyped-call]
            self._socket = None
        if self._http is not None:
            await self._http.cleanup()
            self._http = None
        await self._desk.finish(SHUTDOWN)

    async def _connect(self) -> None:
        """Connect by Socket Mode; the client renews the connection by itself from then on."""
        try:
            await ask(self._client.apps_connections_open(app_token=self._connection.app_token))
        except NeedsHuman as problem:
            cure = "create an app-level token with the scope connections:write and configure it"
            raise NeedsHuman(f"{problem.what} to the app token", cure) from problem
        self._socket = AsyncSocketModeHandler(self.bolt, self._connection.app_token)
        await self._socket.connect_async()  # type: ignore[no-untyped-call]

    async def _listen(self) -> None:
        host, port = self._connection.host, self._connection.port
        seconds = SHUTDOWN.total_seconds()
        application = self.bolt.web_app(path=PATH)
        self._http = web.AppRunner(application, access_log=None, shutdown_timeout=seconds)
        await self._http.setup()
        try:
            await web.TCPSite(self._http, host, port).start()
        except OSError as error:
            await self.stop()
            raise NeedsHuman(
                f"cannot listen for Slack on {host} port {port}: {error.strerror or error}",
                "free the port, or set another one in the configuration",
            ) from error
