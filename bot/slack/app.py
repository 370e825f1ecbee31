"""The Slack app: what it is connected to, when it starts and stops.

Socket Mode needs no public address and is used where there is an app token; otherwise Slack sends signed
requests over HTTP. One workspace per installation.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from bot.coverage import Coverage
from bot.listener import listening
from bot.model import NeedsHuman, Person
from bot.notes import Wording
from bot.routing import Rules
from bot.slack.actions import Desk
from bot.slack.archive import Archive
from bot.slack.audits import Audits
from bot.slack.baselines import Baselines
from bot.slack.board import Board
from bot.slack.commands import Commands
from bot.slack.digests import Digests
from bot.slack.erasure import Erased, Eraser
from bot.slack.events import Events
from bot.slack.forms import Forms, nobody
from bot.slack.gate import Gate
from bot.slack.home import HomeTab
from bot.slack.house import House
from bot.slack.people import Directory
from bot.slack.places import Places
from bot.slack.poster import PACE, Pace, SlackPoster
from bot.slack.proposals import Proposals
from bot.slack.settling import Settling
from bot.slack.shape import WellFormed
from bot.slack.web import BASE_URL, ask, code, keep_alive, once, patient
from bot.store import Store
from bot.wording import shipped

log = structlog.get_logger()

PATH = "/slack/events"
"""Where Slack's requests arrive; also what to enter in the app's settings."""

SHUTDOWN = timedelta(seconds=5)


@dataclass(frozen=True)
class Connection:
    """How to reach a workspace, and how it reaches us; the secrets are never printed.

    `app_token` chooses Socket Mode, `signing_secret` HTTP on `host` and `port` (0: any free port). `rules`
    say where alerts go; without them, all go to the channel at once.
    """

    bot_token: str = field(repr=False)
    channel: str
    app_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    host: str = "127.0.0.1"
    port: int = 3000
    base_url: str = BASE_URL
    pace: timedelta = PACE
    rules: Rules | None = None
    our_domains: frozenset[str] = frozenset()
    wording: Wording = field(default_factory=shipped)


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
        rules = connection.rules or Rules(connection.channel)
        people = Directory(self._client, now, rules)
        places = Places(store, self._client, people, rules, now)
        board = Board(store, self._client, people, places.names, places.dress)
        posting = once(connection.bot_token, connection.base_url)
        self._posting = posting
        self.poster = SlackPoster(posting, places, board, connection.pace)
        self.coverage: Callable[[], Coverage] = Coverage
        """Says which sources cannot be read; whoever reads them sets it."""
        shadow = rules.admins if rules.shadow else ()
        self._digests = Digests(
            store,
            self._client,
            posting,
            people,
            board.register,
            self._coverage,
            zone=rules.zone,
            shadow=shadow,
        )
        self.bolt.use(WellFormed())
        Events(store, now, self._remove).register(self.bolt)
        self.home = HomeTab(store, self._client, people, board.register, rules, now, self._coverage)
        self.home.register(self.bolt)
        self._gate = Gate(store, people, rules.admins, now)
        wording = connection.wording
        desk = Desk(store, self._client, people, board, self._gate, now, rules.admins, wording=wording)
        desk.changed = self.home.touch
        desk.register(self.bolt)
        self.proposals = Proposals(store, self._client, people, board, now)
        self.proposals.register(self.bolt)
        self.sources: Callable[[], Awaitable[Sequence[str]]] = _none
        """Names everything that is to be read; whoever reads it sets it."""
        pace = Pace(connection.pace)
        self._baselines = Baselines(store, self._client, posting, people, board.register, rules, pace)
        Settling(store, self._client, people, self._baselines, self._gate, now).register(self.bolt)
        audits = Audits(store, self._client, people, board.register, self._gate, now, shadow=bool(shadow))
        audits.register(self.bolt)
        archive = Archive(store, board.register)
        refresh = self.home.refresh
        self._eraser = Eraser(store, self._client, board, self._baselines, archive, people, now, refresh)
        house = House(
            store=store,
            client=self._client,
            people=people,
            board=board,
            gate=self._gate,
            eraser=self._eraser,
            rules=rules,
            our_domains=connection.our_domains,
            sources=self._sources,
            coverage=self._coverage,
            now=now,
            changed=self.home.touch,
        )
        forms = Forms(house)
        forms.register(self.bolt)
        Commands(house, forms).register(self.bolt)
        self._redacting: asyncio.Task[None] | None = None
        self._people = people
        self._socket: AsyncSocketModeHandler | None = None
        self._http: AsyncExitStack | None = None
        self.addresses: list[str] = []
        """Where we listen for Slack's requests; empty in Socket Mode and while stopped."""

    async def start(self) -> None:
        """Connect and listen; raise NeedsHuman for a wrong token, SourceDown where Slack is out of reach."""
        who = await ask(self._client.auth_test())
        if self._connection.app_token:
            await self._connect()
        else:
            await self._listen()
        self._client.session = self._posting.session = keep_alive()
        log.info("slack.connected", team=who.get("team"), by="socket" if self._socket else "http")
        self._redacting = asyncio.create_task(self._gate.guarded(self._eraser.finish(), nobody))

    async def stop(self) -> None:
        """Stop listening, and finish what was begun."""
        if self._socket is not None:
            await self._socket.close_async()  # type: ignore[no-untyped-call]  # bolt's
            self._socket = None
        if self._http is not None:
            await self._http.aclose()
            self._http, self.addresses = None, []
        await self._gate.finish(SHUTDOWN)
        await self.home.stop()
        if self._client.session is not None:
            await self._client.session.close()
            self._client.session = self._posting.session = None

    async def send_digests(self, now: datetime) -> int:
        """Send every weekly digest that is due; return how many went out. Call it every few minutes."""
        return 0 if self.poster.removed else await self._digests.send_due(now)

    async def tell_baselines(self, now: datetime) -> int:
        """Send each rep the list of who already looked gone; return how many went out."""
        return 0 if self.poster.removed else await self._baselines.tell(now)

    async def announce(self, text: str) -> None:
        """Tell every admin. Raise SourceDown and NeedsHuman."""
        for admin in await self._people.admins():
            try:
                await ask(self._client.chat_postMessage(channel=admin.user, text=text))
            except SlackApiError as error:
                log.warning("admin.not_told", why=code(error))

    async def forget(self, address: str) -> Erased:
        """Erase a person, and redact the messages about them; works without `start`."""
        return await self._eraser.forget(address)

    async def expire(self, person: Person) -> bool:
        """Erase somebody whose time is over, with the messages about them; False where they changed since."""
        return await self._eraser.expire(person)

    async def redact(self) -> None:
        """Redact what could not be redacted before, or was left to us by another process."""
        await self._eraser.finish()

    async def is_connected(self) -> bool:
        """Say whether Slack reaches us now."""
        return self._http is not None or (
            self._socket is not None and bool(await self._socket.client.is_connected())
        )

    def _coverage(self) -> Coverage:
        return self.coverage()

    async def _sources(self) -> Sequence[str]:
        return await self.sources()

    def _remove(self) -> None:
        """Post nothing any more: alerts stay unsent until the app is installed again."""
        self.poster.removed = True

    async def _connect(self) -> None:
        """Connect by Socket Mode; the client renews the connection by itself from then on."""
        try:
            await ask(self._client.apps_connections_open(app_token=self._connection.app_token))
        except NeedsHuman as problem:
            cure = "create an app-level token with the scope connections:write and configure it"
            raise NeedsHuman(f"{problem.what} to the app token", cure) from problem
        self._socket = AsyncSocketModeHandler(self.bolt, self._connection.app_token)
        await self._socket.connect_async()  # type: ignore[no-untyped-call]  # bolt's

    async def _listen(self) -> None:
        host = self._connection.host
        door = self.bolt.server(path=PATH)
        http = AsyncExitStack()
        try:
            routes = [web.post(PATH, door.handle_post_requests)]
            answering = listening(host, self._connection.port, routes, event="slack.listening")
            port = await http.enter_async_context(answering)
        except NeedsHuman as taken:
            raise NeedsHuman(f"{taken.what}, for Slack", "name another port under 'slack.http'") from taken
        self._http, self.addresses = http, [f"http://{host}:{port}{PATH}"]


async def _none() -> Sequence[str]:
    return ()
