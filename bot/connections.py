"""The mailboxes that their owners connected: who, since when, and the tokens that open them, sealed.

A refresh token that the provider replaces is kept before the access token that came with it is used, and the
one before is kept too: killed at any moment, one of them opens the mailbox wherever the provider lets it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from bot import config
from bot.model import Json, NeedsHuman, SourceDown
from bot.store import Store
from bot.vault import Spoiled, Vault
from watchers.mail.oauth import Granted, GrantRefused, Lease, ask, post
from watchers.mail.tokens import SCOPES, Connected, Provider, Use
from watchers.secret import Secret

log = structlog.get_logger()

INDEX = "connected mailboxes"
"""The setting that lists who connected what; it holds no secret."""

AGAIN = "open the Home tab of Stillthere in Slack and press Connect my mailbox"


@dataclass(frozen=True)
class Client:
    """How we ask a provider: who we are there, and where it is asked."""

    provider: Provider
    id: str
    secret: Secret = field(repr=False)
    authorize_url: str
    token_url: str
    revoke_url: str
    scopes: tuple[str, ...]
    extra: tuple[tuple[str, str], ...]
    apis: tuple[tuple[Use, str], ...]

    async def ask(self, form: Mapping[str, str]) -> Granted:
        """Ask the token endpoint as this client. Raises GrantRefused, SourceDown and NeedsHuman."""
        return await ask(self.token_url, {**form, "client_id": self.id, "client_secret": self.secret.read()})

    async def revoke(self, refresh: str) -> bool:
        """Take a permission back at the provider (RFC 7009); False where it cannot be done from here."""
        if not self.revoke_url:
            return False
        try:
            await post(self.revoke_url, {"token": refresh})
        except GrantRefused as refused:
            return refused.code == "invalid_token"
        except SourceDown:
            return False
        return True

    def uses(self, scopes: frozenset[str]) -> frozenset[Use]:
        """Return what the granted scopes allow; a provider that names none granted what was asked."""
        names = {_short(scope) for scope in scopes or self.scopes}
        return frozenset(use for use in Use if _short(SCOPES[self.provider, use]) in names)


@dataclass(frozen=True)
class Link:
    """That somebody connected a mailbox: `user` is who, in Slack; `since` when."""

    provider: Provider
    mailbox: str
    user: str
    since: datetime
    uses: frozenset[Use]

    @property
    def name(self) -> str:
        """Return the name of the setting that holds its token."""
        return f"connected token {self.provider} {self.mailbox}"


class Connections:
    """All connected mailboxes. Load them first."""

    def __init__(self, store: Store, vault: Vault, clients: Mapping[Provider, Client]) -> None:
        self.clients = clients
        self._store = store
        self._vault = vault
        self._links: dict[tuple[Provider, str], Link] = {}
        self._open: dict[tuple[Provider, str], Connected] = {}
        self._changing = asyncio.Lock()

    async def load(self) -> None:
        """Take up what is kept, also by other processes, and seal anew what an older key sealed.

        A provider that the settings no longer name leaves its mailboxes unread; they stay kept.
        """
        async with self._changing:
            kept = await self._store.setting(INDEX)
            listed = [_link(one) for one in (kept if isinstance(kept, list) else [])]
            links = {(one.provider, one.mailbox): one for one in listed if one is not None}
            for key in self._links.keys() - links.keys():
                self._drop(self._links[key])
            for key, link in links.items():
                if self._links.get(key) != link:
                    self._take(link)
                    await self._seal_anew(link)

    async def keep_loading(self, every: timedelta) -> None:
        """Load again and again, for what other processes connected."""
        while True:
            await asyncio.sleep(every.total_seconds())
            try:
                await self.load()
            except Exception:
                log.exception("connections.not_loaded")

    def mailboxes(self) -> Sequence[Connected]:
        """Return every connected mailbox."""
        return [*self._open.values()]

    def all(self) -> Sequence[Link]:
        """Return who connected what, also of providers that the settings no longer name."""
        return [*self._links.values()]

    def of(self, user: str) -> Sequence[Link]:
        """Return what somebody in Slack connected."""
        return [link for link in self._links.values() if link.user == user]

    async def connect(self, link: Link, granted: Granted) -> None:
        """Keep a mailbox and its token, in place of what was kept of it. Its sources are read from now on."""
        async with self._changing:
            await self._store.save_setting(link.name, self._vault.seal({"refresh": granted.refresh}))
            self._take(link)
            await self._index(link, [_as_json(link)])
        log.info("connection.made", provider=link.provider, mailbox=link.mailbox)

    async def disconnect(self, link: Link) -> bool:
        """Take the permission back and erase its token; False where only the owner can take it back."""
        revoked = True
        client = self.clients.get(link.provider)
        for refresh in await self._refresh_tokens(link):
            revoked = client is not None and await client.revoke(refresh) and revoked
        async with self._changing:
            self._drop(link)  # first, so that no renewal under way keeps a token after it was erased
            for nothing in ("", None):  # twice, since a store may keep the copy before
                await self._store.save_setting(link.name, nothing)
            await self._index(link, [])
        log.info("connection.ended", provider=link.provider, mailbox=link.mailbox, revoked=revoked)
        return revoked

    def _take(self, link: Link) -> None:
        key = link.provider, link.mailbox
        self._links[key] = link
        client = self.clients.get(link.provider)
        if client is not None:
            tokens = _Refreshed(self, client, link)
            self._open[key] = Connected(link.provider, link.mailbox, tokens, link.uses, client.apis)

    def _drop(self, link: Link) -> None:
        self._links.pop((link.provider, link.mailbox), None)
        self._open.pop((link.provider, link.mailbox), None)

    async def _index(self, link: Link, entry: list[Json]) -> None:
        """Put an entry, or nothing, in place of a mailbox's; other processes may change those of others."""
        key = link.provider, link.mailbox

        def amended(kept: Json) -> Json:
            listed = [(one, _link(one)) for one in (kept if isinstance(kept, list) else [])]
            others = [one for one, known in listed if known and (known.provider, known.mailbox) != key]
            return [*others, *entry]

        await self._store.amend_setting(INDEX, amended)

    async def _replace(self, link: Link, sealed: str) -> None:
        """Keep a token in place of the one before; where another process erased that, it stays erased."""
        await self._store.amend_setting(link.name, lambda kept: sealed if kept else kept)

    async def _seal_anew(self, link: Link) -> None:
        sealed = await self._store.setting(link.name)
        try:
            renewed = self._vault.renewed(sealed) if isinstance(sealed, str) else sealed
        except Spoiled:
            return  # said when the mailbox is read
        if renewed != sealed:
            await self._store.amend_setting(link.name, lambda kept: renewed if kept == sealed else kept)
            log.info("connection.sealed_anew", provider=link.provider, mailbox=link.mailbox)

    async def _refresh_tokens(self, link: Link) -> list[str]:
        """Return the refresh tokens of a mailbox, newest first; none where they are gone."""
        sealed = await self._store.setting(link.name)
        if not isinstance(sealed, str):
            return []
        try:
            kept = self._vault.open(sealed)
        except Spoiled:
            return []
        found = [kept.get("refresh"), kept.get("before")] if isinstance(kept, dict) else []
        return [one for one in found if isinstance(one, str) and one]

    async def renew(self, link: Link) -> Granted:
        """Get a new access token, and keep the refresh token that may come with it before it is used.

        Raises NeedsHuman where the permission is gone, and SourceDown.
        """
        client = self.clients[link.provider]
        tried: set[str] = set()
        while tokens := [one for one in await self._refresh_tokens(link) if one not in tried]:
            # Anew after each refusal: another process may have replaced the token that was refused.
            refresh = tokens[0]
            tried.add(refresh)
            try:
                granted = await client.ask({"grant_type": "refresh_token", "refresh_token": refresh})
            except GrantRefused as refused:
                if refused.code in {"invalid_grant", "interaction_required", "consent_required"}:
                    continue
                raise NeedsHuman(
                    f"{link.provider} refuses our client: {refused.code}",
                    f"correct connect.{link.provider}, and its secret, in config.yaml",
                ) from None
            if granted.refresh not in {"", refresh} and (link.provider, link.mailbox) in self._links:
                sealed = self._vault.seal({"refresh": granted.refresh, "before": refresh})
                await self._replace(link, sealed)
            return granted
        if not tried:
            raise NeedsHuman(f"the token of {link.mailbox} is not there, or sealed under another key", AGAIN)
        raise NeedsHuman(f"the permission to read {link.mailbox} has ended or was taken back", AGAIN)


class _Refreshed:
    """Access tokens for one connected mailbox."""

    def __init__(self, connections: Connections, client: Client, link: Link) -> None:
        self._client = client
        self._link = link
        self._lease = Lease(self._renew)
        self._connections = connections

    async def token(self, use: Use, refused: str = "") -> str:
        """Return an access token; whoever asks for what was not allowed is told the exact scope."""
        if use not in self._link.uses:
            raise NeedsHuman(
                f"{self._link.mailbox} was connected without {SCOPES[self._client.provider, use]}", AGAIN
            )
        return await self._lease.token(refused)

    async def _renew(self) -> Granted:
        return await self._connections.renew(self._link)


def clients(settings: config.Connect) -> dict[Provider, Client]:
    """Return how each provider of the settings is asked."""
    uses = [Use.MAIL, *([Use.CALENDAR] if settings.calendars else [])]
    found = {}
    google, microsoft = settings.google, settings.microsoft
    if google is not None:
        found[Provider.GOOGLE] = Client(
            Provider.GOOGLE,
            google.client_id,
            Secret(google.client_secret_env, google.client_secret_file, "connect.google"),
            google.authorize_url,
            google.token_url,
            google.revoke_url,
            tuple(SCOPES[Provider.GOOGLE, use] for use in uses),
            (("access_type", "offline"), ("prompt", "consent")),
            _apis(google.api, google.calendar_api),
        )
    if microsoft is not None:
        login = f"{microsoft.login.rstrip('/')}/{microsoft.tenant}/oauth2/v2.0"
        found[Provider.MICROSOFT] = Client(
            Provider.MICROSOFT,
            microsoft.client_id,
            Secret(microsoft.client_secret_env, microsoft.client_secret_file, "connect.microsoft"),
            f"{login}/authorize",
            f"{login}/token",
            "",
            ("openid", "profile", "offline_access", *(SCOPES[Provider.MICROSOFT, use] for use in uses)),
            (("response_mode", "query"), ("prompt", "select_account")),
            _apis(microsoft.api, microsoft.api),
        )
    return found


def _apis(mail: str, calendar: str) -> tuple[tuple[Use, str], ...]:
    return tuple((use, api) for use, api in ((Use.MAIL, mail), (Use.CALENDAR, calendar)) if api)


def _short(scope: str) -> str:
    """Return a scope as it can be compared: Microsoft names its own with and without their address."""
    return scope.removeprefix("https://graph.microsoft.com/").lower()


def _as_json(link: Link) -> Json:
    uses: list[Json] = [use.value for use in sorted(link.uses)]
    return {
        "provider": link.provider.value,
        "mailbox": link.mailbox,
        "user": link.user,
        "since": link.since.isoformat(),
        "uses": uses,
    }


def _link(kept: Json) -> Link | None:
    if not isinstance(kept, dict):
        return None
    try:
        uses = kept["uses"]
        return Link(
            Provider(str(kept["provider"])),
            str(kept["mailbox"]),
            str(kept["user"]),
            datetime.fromisoformat(str(kept["since"])),
            frozenset(Use(str(use)) for use in (uses if isinstance(uses, list) else ())),
        )
    except (KeyError, ValueError):
        return None
