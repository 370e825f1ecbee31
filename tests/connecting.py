"""A team with Stillthere's pages, an authorization server, Gmail and Graph, all on loopback."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import httpx

from bot.config import Connect as Settings
from bot.config import GoogleClient, MicrosoftClient
from bot.connect import Connect
from bot.connections import Connections, clients
from bot.listener import listening
from bot.store import Store
from bot.vault import Vault, new_key
from tests.servers import google_mail, graph_mail, oauth
from tests.servers.google_mail import GoogleMail
from tests.servers.graph_mail import GraphMail
from tests.servers.oauth import AuthorizationServer

RITA = "rita@vendor.example"
SECRET = "a planted client secret"
SECRET_ENV = "CONNECT_TEST_SECRET"


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


@dataclass
class Page:
    """What a browser was shown, and where."""

    response: httpx.Response

    @property
    def text(self) -> str:
        """Return its words, without markup."""
        body = re.sub(r"<style>.*?</style>", "", self.response.text)
        return html.unescape(re.sub(r"<[^>]+>", " ", body))

    def link(self, label: str) -> str:
        """Return where a button leads."""
        match = re.search(rf'href="([^"]+)">{re.escape(label)}', self.response.text)
        assert match is not None, self.text
        return html.unescape(match[1])

    @property
    def form(self) -> tuple[str, dict[str, str]]:
        """Return the form of the page: where it is posted to, and its fields."""
        action = re.search(r'<form method="post" action="([^"]+)"', self.response.text)
        assert action is not None, self.text
        fields = re.findall(r'name="([^"]+)" value="([^"]+)"', self.response.text)
        return html.unescape(action[1]), {name: html.unescape(value) for name, value in fields}


@dataclass
class Team:
    """Everything that connecting a mailbox takes."""

    store: Store
    tokens: AuthorizationServer
    google: GoogleMail
    microsoft: GraphMail
    settings: Settings
    key: str = field(default_factory=new_key)
    url: str = ""
    connections: Connections = field(init=False)
    pages: Connect = field(init=False)

    def open(self, *keys: str) -> None:
        """Build what the service builds when it starts."""
        vault = Vault(keys or [self.key])
        self.connections = Connections(self.store, vault, clients(self.settings))
        ours = frozenset({"vendor.example"})
        self.pages = Connect(self.store, vault, self.connections, self.url, ours, now)

    async def connect(self, browser: httpx.AsyncClient, provider: str = "Google", user: str = "U1") -> Page:
        """Let somebody connect their mailbox, from the button in Slack to the last page."""
        page = await self.begin(browser, provider, user)
        allowed = await browser.get(page.link(f"Continue to {provider}"))
        return Page(await browser.get(allowed.headers["location"]))

    async def begin(self, browser: httpx.AsyncClient, provider: str = "Google", user: str = "U1") -> Page:
        """Let somebody open the page before, by the button in Slack."""
        page = Page(await browser.get(self.pages.url(user, RITA)))
        if "Where is your mailbox?" in page.text:
            page = Page(await browser.get(page.link(provider)))
        return page


@asynccontextmanager
async def team(store: Store, *providers: str) -> AsyncIterator[Team]:
    """Run everything on free ports until the block ends."""
    async with AsyncExitStack() as stack:
        tokens = await stack.enter_async_context(oauth.running())
        google = await stack.enter_async_context(google_mail.running(tokens))
        microsoft = await stack.enter_async_context(graph_mail.running(tokens))
        tokens.clients["stillthere"] = SECRET
        microsoft.mailbox(RITA)
        settings = Settings(
            google=GoogleClient(
                client_id="stillthere",
                client_secret_env=SECRET_ENV,
                authorize_url=f"{tokens.url}authorize",
                token_url=f"{tokens.url}token",
                revoke_url=f"{tokens.url}revoke",
                api=google.url,
            )
            if "google" in providers
            else None,
            microsoft=MicrosoftClient(
                tenant="vendor.example",
                client_id="stillthere",
                client_secret_env=SECRET_ENV,
                login=tokens.url,
                api=microsoft.url,
            )
            if "microsoft" in providers
            else None,
        )
        made = Team(store, tokens, google, microsoft, settings)
        made.open()
        port = await stack.enter_async_context(listening("127.0.0.1", 0, made.pages.routes()))
        made.url = f"http://localhost:{port}"
        made.pages._public_url = made.url
        await made.connections.load()
        for provider in providers:
            tokens.redirects.add(f"{made.url}/connect/{provider}/callback")
        yield made


def query(url: str) -> dict[str, str]:
    """Return the parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
