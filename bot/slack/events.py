"""What Slack tells us by itself: each event once, and that the app was removed from the workspace.

https://docs.slack.dev/apis/events-api
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse

from bot.store import Store

log = structlog.get_logger()

Next = Callable[[], Awaitable[BoltResponse]]


class Events:
    """Recognises events that come again, and notices that there is no workspace to post to any more.

    `removed` is told once; alerts then stay unsent in the store until the app is installed again.
    """

    def __init__(self, store: Store, now: Callable[[], datetime], removed: Callable[[], None]) -> None:
        self._store = store
        self._now = now
        self._removed = removed
        self._is_removed = False

    def register(self, app: AsyncApp) -> None:
        """Look at every event before anybody else does."""

        async def once(body: dict[str, Any], next: Next) -> BoltResponse:  # noqa: A002 - Bolt's name
            event = str(body.get("event_id") or "")
            if event and not await self._store.claim_event(f"event {event}", self._now()):
                return BoltResponse(status=200)
            return await next()

        async def uninstalled() -> None:
            self._remove("the app was uninstalled")

        async def revoked(event: dict[str, Any]) -> None:
            if (event.get("tokens") or {}).get("bot"):
                self._remove("the bot token was revoked")

        app.middleware(once)
        app.event("app_uninstalled")(uninstalled)
        app.event("tokens_revoked")(revoked)

    def _remove(self, why: str) -> None:
        if not self._is_removed:
            self._is_removed = True
            log.error("slack.removed", why=why, how="install the app again and configure its new bot token")
            self._removed()
