"""Who is who in Slack: owners by their address, names by user id; remembered for a while."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.model import Contact, NeedsHuman, SourceDown
from bot.routing import owners
from bot.slack.mrkdwn import quote, user
from bot.slack.web import ask

_USER_ID = re.compile(r"[UW][A-Z0-9]{2,20}")

REMEMBERED = timedelta(hours=1)
PATIENCE = timedelta(seconds=1)
"""How long a name is worth waiting for while somebody waits for the answer to a press of a button."""


@dataclass(frozen=True)
class Profile:
    """A Slack user as far as we need to know them; empty where Slack does not say.

    `guest` is somebody with limited access to the workspace, `gone` a deactivated account.
    """

    user: str
    name: str = ""
    address: str = ""
    time_zone: str = ""
    guest: bool = False
    gone: bool = False

    @classmethod
    def of(cls, user: Mapping[str, Any]) -> Profile:
        """Read a user object of the Web API."""
        return cls(
            user=str(user.get("id") or ""),
            name=str(user.get("real_name") or ""),
            address=str((user.get("profile") or {}).get("email") or "").lower(),
            time_zone=str(user.get("tz") or ""),
            guest=any(user.get(kind) for kind in ("is_restricted", "is_ultra_restricted", "is_stranger")),
            gone=bool(user.get("deleted")),
        )

    def owns(self, contact: Contact) -> bool:
        """Say whether the contact's owner, or one of several, is this user: by id, address or real name."""
        known = {self.user, self.name.strip()} - {""}
        named = owners(contact.owner)
        return any(owner in known or owner.lower() == self.address for owner in named)


class Directory:
    """Find Slack users; where Slack does not say, what we know of them is shown as text."""

    def __init__(self, client: AsyncWebClient, now: Callable[[], datetime]) -> None:
        self._client = client
        self._now = now
        self._known: dict[str, tuple[datetime, Profile | None]] = {}

    async def mention(self, owner: str) -> str:
        """Return a mention of a contact's owner, given as a Slack user id or an address (mrkdwn)."""
        if "@" not in owner:
            return user(owner)
        try:
            found = await self.find(owner)
        except (SourceDown, NeedsHuman):
            found = None
        return user(found.user) if found else quote(owner, 80)

    async def name(self, user_id: str, otherwise: str) -> str:
        """Return the real name of a user, or `otherwise` where Slack does not say it at once."""
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                found = await self.profile(user_id)
        except (TimeoutError, SourceDown, NeedsHuman):
            return otherwise
        return (found.name if found else "") or otherwise

    async def profile(self, user_id: str) -> Profile | None:
        """Return a user by id, None where there is none. Raise SourceDown and NeedsHuman."""
        return await self._look_up(user_id, lambda: self._client.users_info(user=user_id))

    async def find(self, address: str) -> Profile | None:
        """Return a user by e-mail address, None where there is none. Raise SourceDown and NeedsHuman."""
        return await self._look_up(address, lambda: self._client.users_lookupByEmail(email=address))

    async def owner(self, owner: str) -> Profile | None:
        """Return the user whom a contact's owner names by id or address; a bare name finds nobody."""
        if "@" in owner:
            return await self.find(owner)
        return await self.profile(owner) if _USER_ID.fullmatch(owner) else None

    async def _look_up(self, key: str, call: Callable[[], Awaitable[object]]) -> Profile | None:
        """Return the user; that Slack knows none is remembered too."""
        since, known = self._known.get(key, (None, None))
        if since is not None and self._now() - since < REMEMBERED:
            return known
        try:
            known = Profile.of((await ask(call()))["user"])
        except SlackApiError:
            known = None
        self._known[key] = (self._now(), known)
        return known
