"""Look for a message of ours that Slack may have taken although we never heard so.

Each carries a key in its metadata, by which it is known again. Whether we may look depends on the optional
scopes `channels:history`, `groups:history` and `im:history`; where they are missing, nothing is found.
https://docs.slack.dev/messaging/message-metadata
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.model import NeedsHuman
from bot.routing import DIRECT
from bot.slack.web import ChannelGone, ask

log = structlog.get_logger()

LOOK_BACK = timedelta(hours=1)
"""Clocks may differ: so long before it can have been posted, a message may be dated."""

PAGE = 200
PAGES = 3


def metadata(kind: str, key: str, **more: str) -> dict[str, Any]:
    """Return what a message of that kind carries, to be known again by its key."""
    return {"event_type": kind, "event_payload": {"key": key, **more}}


class Seeker:
    """Looks for messages by what they carry."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._blind: set[bool] = set()

    async def find(self, channel: str, key: str, since: datetime, thread: str = "") -> str:
        """Return the time stamp of the message that carries the key; empty also where we may not look.

        Whether we may is another matter in direct messages than in channels. Raise SourceDown, ChannelGone.
        """
        is_direct = channel.startswith(DIRECT)
        page: dict[str, Any] = {
            "channel": channel,
            "oldest": str((since - LOOK_BACK).timestamp()),
            "limit": PAGE,
            "include_all_metadata": True,
        }
        for _ in range(0 if is_direct in self._blind else PAGES):
            try:
                answer = await ask(
                    self._client.conversations_replies(ts=thread, **page)
                    if thread
                    else self._client.conversations_history(**page)
                )
            except ChannelGone:
                raise
            except NeedsHuman as problem:
                log.info("slack.cannot_look", why=problem.what)
                self._blind.add(is_direct)
                break
            for message in answer["messages"]:
                if _key(message) == key:
                    return str(message["ts"])
            page["cursor"] = (answer.get("response_metadata") or {}).get("next_cursor")
            if not page["cursor"]:
                break
        return ""


def _key(message: dict[str, Any]) -> str:
    carried = message.get("metadata") or {}
    return str((carried.get("event_payload") or {}).get("key") or "")
