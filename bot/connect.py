"""Let reps connect their own mailbox: OAuth 2 with PKCE (RFC 6749, 7636, 9700), for reading only.

The link in Slack is sealed, so it says for whom it was made and for how long. The page behind it says what is
read and kept, and binds the browser by a sealed cookie that holds `state` and the code verifier; the callback
wants the same browser, the same state, in time, and once.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import structlog
from aiohttp import web

from bot import pages
from bot.connections import Client, Connections, Link
from bot.model import Json, NeedsHuman, SourceDown
from bot.pages import Button
from bot.store import Store
from bot.vault import Spoiled, Vault
from watchers import under
from watchers.mail.grants import base64url
from watchers.mail.oauth import Granted, GrantRefused
from watchers.mail.rest import Refused, Rest
from watchers.mail.tokens import Provider, Use

log = structlog.get_logger()

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LINK_GOOD_FOR = timedelta(days=1)
FLOW_GOOD_FOR = timedelta(minutes=10)
COOKIE = "stillthere_connect"
LONGEST = 4096
"""The longest value of a request that is looked at."""

MOST_FIELDS = 10

NAMES = {Provider.GOOGLE: "Google", Provider.MICROSOFT: "Microsoft"}
TAKE_BACK = {
    Provider.GOOGLE: "https://myaccount.google.com/connections",
    Provider.MICROSOFT: "https://myapps.microsoft.com",
}

READ = (
    "the headers of your mails (who wrote to whom, when, the subject) of the last 12 months and from now on",
    "the text only of bounces, automatic replies, invitations, and mail with the accounts your team watches",
    "your calendar, for meetings with the people your team watches",
)
KEPT = (
    "dated facts about watched contacts: a bounce, an automatic reply, a moved meeting, when they last wrote",
    "never the text of a mail, never anything about anybody whom your team does not watch",
    "nothing about you: no view, export or log shows one rep's activity to others",
    "the permission itself, encrypted; it lets us read, never write, send or delete",
)


class Turned(Exception):  # noqa: N818 - it is an answer to the browser
    """Say that a request is turned away, in a page's title and words."""

    def __init__(self, title: str, *words: str, status: int = 400) -> None:
        super().__init__(title)
        self.title = title
        self.words = words
        self.status = status


def expired() -> Turned:
    """Turn away whoever comes by a link that is too old or not ours."""
    return Turned(
        "This link does not work any more",
        "Open the Home tab of Stillthere in Slack once more and press Connect my mailbox there.",
    )


def other_browser() -> Turned:
    """Turn away a callback that is not from the browser that began, is too late, or comes again."""
    return Turned(
        "Please start again",
        "This took longer than ten minutes, was begun in another browser, or was done already.",
        "Nothing was connected. Press Connect my mailbox on the Home tab of Stillthere in Slack.",
    )


@dataclass(frozen=True)
class Visitor:
    """For whom a link was made: a member of the Slack workspace; the address is empty where unknown."""

    user: str
    address: str
    sealed: str


class Connect:
    """The pages by which reps connect and disconnect; `public_url` is how their browsers reach us."""

    def __init__(
        self,
        store: Store,
        vault: Vault,
        connections: Connections,
        public_url: str,
        our_domains: frozenset[str],
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._vault = vault
        self._connections = connections
        self._public_url = public_url.rstrip("/")
        self._cookie_path = f"{urlsplit(self._public_url).path}/connect"
        self._our_domains = our_domains
        self._now = now

    def button(self, user: str, address: str = "") -> tuple[str, str]:
        """Return the label and the address of the button for a member of the Slack workspace."""
        label = "My mailbox" if self._connections.of(user) else "Connect my mailbox"
        return label, self.url(user, address)

    def url(self, user: str, address: str = "") -> str:
        """Return the address at which a member of the Slack workspace connects their mailbox, for a day."""
        sealed = self._vault.seal({"kind": "link", "user": user, "address": address})
        return f"{self._public_url}/connect?{urlencode({'state': sealed})}"

    def routes(self) -> Sequence[web.RouteDef]:
        """Return what the service's web server has to answer."""
        return [
            web.get("/connect", self._answering(self._choose)),
            web.get("/connect/{provider}", self._answering(self._before)),
            web.get("/connect/{provider}/callback", self._answering(self._after)),
            web.post("/connect/{provider}/disconnect", self._answering(self._disconnect)),
        ]

    def _answering(self, handle: Handler) -> Handler:
        """Answer with a page whatever happens; what is said names no secret and repeats nothing."""

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                return await handle(request)
            except Turned as turned:
                title, words, status = turned.title, turned.words, turned.status
            except (SourceDown, NeedsHuman) as problem:
                log.warning("connect.failed", why=problem.what)
                title, words, status = "That did not work", ("Please try again in a few minutes.",), 502
            return _html(pages.page(title, words), status)

        return answer

    async def _choose(self, request: web.Request) -> web.StreamResponse:
        """Offer the providers; where there is one, its page."""
        visitor = self._visitor(request.query)
        offered = [*self._connections.clients]
        if len(offered) == 1:
            return self._page_before(visitor, self._connections.clients[offered[0]])
        buttons = [Button(NAMES[one], self._path(one, visitor)) for one in offered]
        return _html(pages.page("Where is your mailbox?", (), buttons))

    async def _before(self, request: web.Request) -> web.StreamResponse:
        """Say what is read and kept, and offer to go on to the provider, or to disconnect."""
        return self._page_before(self._visitor(request.query), self._client(request))

    def _page_before(self, visitor: Visitor, client: Client) -> web.StreamResponse:
        name = NAMES[client.provider]
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
        onward = Button(f"Continue to {name}", self._authorization(visitor, client, state, verifier))
        connected = [one for one in self._connections.of(visitor.user) if one.provider is client.provider]
        leave = [
            Button(
                f"Disconnect {one.mailbox}",
                f"{self._public_url}/connect/{client.provider}/disconnect",
                (("state", visitor.sealed), ("mailbox", one.mailbox)),
            )
            for one in connected
        ]
        whose = f" for {visitor.address}" if visitor.address else ""
        told: list[str | Sequence[str]] = [
            "Stillthere tells your team when a contact at a customer is about to leave.",
            f"Connected{whose}, it reads:",
            READ[:2] if Use.CALENDAR not in client.uses(frozenset()) else READ,
            "It keeps:",
            KEPT,
            f"{name} asks you next whether you allow this. You can disconnect at any time, here or there.",
        ]
        response = _html(pages.page("Connect my mailbox", told, [onward, *leave]))
        flow = {"kind": "flow", "state": state, "verifier": verifier, "user": visitor.user}
        response.set_cookie(
            COOKIE,
            self._vault.seal({**flow, "provider": client.provider.value}),
            max_age=int(FLOW_GOOD_FOR.total_seconds()),
            path=self._cookie_path,
            secure=self._public_url.startswith("https:"),
            httponly=True,
            samesite="Lax",
        )
        return response

    def _authorization(self, visitor: Visitor, client: Client, state: str, verifier: str) -> str:
        """Return where the provider asks a visitor for leave (RFC 6749 section 4.1.1, RFC 7636)."""
        asked = {
            "response_type": "code",
            "client_id": client.id,
            "redirect_uri": self._callback(client.provider),
            "scope": " ".join(client.scopes),
            "state": state,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
            **({"login_hint": visitor.address} if visitor.address else {}),
            **dict(client.extra),
        }
        return f"{client.authorize_url}?{urlencode(asked)}"

    async def _after(self, request: web.Request) -> web.StreamResponse:
        """Take what the provider sends the browser back with, and connect the mailbox it is about."""
        client = self._client(request)
        user, verifier = await self._flow(request, client.provider)
        if "error" in request.query:
            raise Turned("Nothing was connected", f"{NAMES[client.provider]} says that it was not allowed.")
        code = request.query.get("code", "")
        if not 0 < len(code) <= LONGEST:
            raise other_browser()
        granted = await self._granted(client, code, verifier)
        try:
            link = await self._link(client, granted, user)
        except Turned:
            await client.revoke(granted.refresh or granted.access)
            raise
        await self._connections.connect(link, granted)
        told: list[str | Sequence[str]] = [
            f"{link.mailbox} is connected. Reading its mail for the first time can take an hour.",
            "Open this page from Slack again to disconnect it.",
        ]
        if Use.CALENDAR not in link.uses and Use.CALENDAR in client.uses(frozenset()):
            told.append(
                "You did not allow the calendar, so moved meetings are seen by invitation mails only."
            )
        response = _html(pages.page("Connected", told))
        response.del_cookie(COOKIE, path=self._cookie_path)
        return response

    async def _flow(self, request: web.Request, provider: Provider) -> tuple[str, str]:
        """Return who began here, and their verifier: same browser, same state, in time, and once."""
        flow = self._opened(request.cookies.get(COOKIE, ""), "flow", FLOW_GOOD_FOR)
        state = request.query.get("state", "")
        if flow is None or not compare_digest(str(flow.get("state")).encode(), state.encode()):
            raise other_browser()
        used = hashlib.sha256(state.encode()).hexdigest()
        if flow.get("provider") != provider or not await self._store.claim_event(
            f"connect {used}", self._now()
        ):
            raise other_browser()
        return str(flow.get("user")), str(flow.get("verifier"))

    async def _granted(self, client: Client, code: str, verifier: str) -> Granted:
        try:
            return await client.ask(
                {
                    "grant_type": "authorization_code",
                    "code": code,
                    "code_verifier": verifier,
                    "redirect_uri": self._callback(client.provider),
                }
            )
        except GrantRefused as refused:
            log.warning("connect.refused", provider=client.provider, code=refused.code)
            raise Turned(
                "Nothing was connected", f"{NAMES[client.provider]} did not accept it. Please start again."
            ) from None

    async def _link(self, client: Client, granted: Granted, user: str) -> Link:
        """Return whose mailbox it is and what may be read of it; turn away what is of no use, or not ours."""
        uses = client.uses(granted.scopes)
        if Use.MAIL not in uses:
            raise Turned(
                "Nothing was connected", "Reading mail was not allowed: tick it when you are asked, please."
            )
        if not granted.refresh:
            raise Turned(
                "Nothing was connected",
                f"{NAMES[client.provider]} gave no lasting permission. Remove Stillthere at "
                f"{TAKE_BACK[client.provider]}, then start again.",
            )
        mailbox = await self._owner(client, granted)
        if not under(mailbox, self._our_domains):
            raise Turned(
                "This is not a mailbox of your team",
                "Choose your work account when you are asked. Nothing was connected or kept.",
            )
        return Link(client.provider, mailbox, user, self._now(), uses)

    async def _owner(self, client: Client, granted: Granted) -> str:
        if client.provider is Provider.MICROSOFT:
            return named_in(granted.identity)
        api = dict(client.apis)[Use.MAIL]
        try:
            async with Rest(api, _Just(granted.access), Use.MAIL, "the new mailbox", "start again") as line:
                profile = await line.json("gmail/v1/users/me/profile")
        except Refused as refused:
            raise SourceDown(f"Google does not say whose mailbox it is: {refused}") from None
        return str(profile.get("emailAddress", "")).strip().lower()

    async def _disconnect(self, request: web.Request) -> web.StreamResponse:
        """Take the permission back and erase it; only who has the link made for them can."""
        form = await _form(request)
        visitor = self._visitor(form)
        client = self._client(request)
        links = [
            one
            for one in self._connections.of(visitor.user)
            if one.provider is client.provider and one.mailbox == form.get("mailbox")
        ]
        if not links:
            raise expired()
        revoked = await self._connections.disconnect(links[0])
        told = [f"{links[0].mailbox} is not read any more, and its permission is erased here."]
        if not revoked:
            told.append(
                f"{NAMES[client.provider]} still lists it: remove Stillthere at {TAKE_BACK[client.provider]}."
            )
        return _html(pages.page("Disconnected", told))

    def _visitor(self, given: Mapping[str, str]) -> Visitor:
        sealed = given.get("state", "")
        link = self._opened(sealed, "link", LINK_GOOD_FOR)
        if link is None:
            raise expired()
        return Visitor(str(link.get("user")), str(link.get("address") or ""), sealed)

    def _opened(self, sealed: str, kind: str, within: timedelta) -> dict[str, Json] | None:
        try:
            value = self._vault.open(sealed[:LONGEST], within)
        except Spoiled:
            return None
        return value if isinstance(value, dict) and value.get("kind") == kind else None

    def _client(self, request: web.Request) -> Client:
        for provider, client in self._connections.clients.items():
            if provider.value == request.match_info["provider"]:
                return client
        raise Turned("There is no such page", status=404)

    def _path(self, provider: Provider, visitor: Visitor) -> str:
        return f"{self._public_url}/connect/{quote(provider)}?{urlencode({'state': visitor.sealed})}"

    def _callback(self, provider: Provider) -> str:
        return f"{self._public_url}/connect/{quote(provider)}/callback"


@dataclass(frozen=True)
class _Just:
    """Gives the one access token that there is."""

    access: str

    async def token(self, use: Use, refused: str = "") -> str:
        """Return it. Raises NeedsHuman where it was refused."""
        del use
        if refused:
            raise NeedsHuman("the provider refuses the token that it just gave", "start again")
        return self.access


async def _form(request: web.Request) -> dict[str, str]:
    """Return what the form of our own page says; turn away what is no such form."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise expired()
    try:
        raw = await request.read()
        return dict(parse_qsl(raw.decode("ascii", "replace"), max_num_fields=MOST_FIELDS))
    except (web.RequestPayloadError, ValueError):
        raise expired() from None


def challenge(verifier: str) -> str:
    """Return the code challenge of a verifier (RFC 7636 section 4.2, S256)."""
    return base64url(hashlib.sha256(verifier.encode()).digest())


def named_in(identity: str) -> str:
    """Return the address that an ID token names, empty where it names none.

    Its signature need not be checked: it came from the token endpoint itself (OpenID Connect Core 3.1.3.7).
    """
    _, _, rest = identity.partition(".")
    payload = rest.partition(".")[0]
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):
        return ""
    name = claims.get("preferred_username") if isinstance(claims, dict) else None
    return name.strip().lower() if isinstance(name, str) and name.count("@") == 1 else ""


def _html(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html", headers=pages.HEADERS)
