"""Who is who in Slack: owners by their address, names by user id; remembered for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.model import NeedsHuman, SourceDown
from bot.slack.mrkdwn import quote, user
from bot.slack.web import ask

REMEMBERED = timedelta(hours=1)
PATIENCE = timedelta(seconds=1)
"""How long a name is worth waiting for while somebody waits for the answer to a press of a button."""


class Directory:
    """Find Slack users; where Slack does not say, what we know of them is shown as text."""

    def __init__(self, client: AsyncWebClient, now: Callable[[], datetime]) -> None:
        self._client = client
        self._now = now
        self._known: dict[str, tuple[datetime, str]] = {}

    async def mention(self, owner: str) -> str:
        """Return a mention of a contact's owner, given as a Slack user id or an address (mrkdwn)."""
        if "@" not in owner:
            return user(owner)
        found = await self._look_up(owner, "id", lambda: self._client.users_lookupByEmail(email=owner))
        return user(found) if found else quote(owner, 80)

    async def name(self, user_id: str, otherwise: str) -> str:
        """Return the real name of a user, or `otherwise` where Slack does not say it at once."""
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                found = await self._look_up(
                    user_id, "real_name", lambda: self._client.users_info(user=user_id)
                )
        except TimeoutError:
            return otherwise
        return found or otherwise

    async def _look_up(self, key: str, field: str, call: Callable[[], Awaitable[object]]) -> str:
        """Return a field of the user; empty, and remembered so, where Slack knows none."""
        since, known = self._known.get(key, (None, ""))
        if since is not None and self._now() - since < REMEMBERED:
            return known
        try:
            answer = await ask(call())
            known = str(answer["user"].get(field) or "")
        except SlackApiError:
            known = ""
        except (SourceDown, NeedsHuman):
            return ""
        self._known[key] = (self._now(), known)
        return known
