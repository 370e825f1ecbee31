"""The app, running against the stand-in, and Slack, which sends it commands, presses and forms."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bot.clock import FrozenClock
from bot.routing import Rules
from bot.slack.app import Connection, SlackApp
from bot.store import Store
from bot.store.memory import MemoryStore
from tests.servers.slack import APP_ID, BOT_TOKEN, TEAM, Workspace
from tests.servers.slack_judges import judge_view
from tests.servers.slack_wire import Enveloped, Signed, Transport, wire
from tests.slack.story import NOW

SOON = timedelta(seconds=60)
OURS = frozenset({"vendor.example"})


@dataclass
class Reception:
    """The app with what it keeps; rita is a rep, max the admin."""

    server: Workspace
    store: Store
    app: SlackApp
    clock: FrozenClock
    wire: Signed | Enveloped
    seen: int = field(default=0)

    async def type(self, text: str, by: str = "rita", **changes: Any) -> dict[str, Any]:
        """Type a command and return what the app answers."""
        assert await self.command(self.typed(text, by, **changes)) == (200, "")
        return await self.told()

    def typed(self, text: str, by: str = "rita", **changes: Any) -> dict[str, Any]:
        """Return what Slack sends when somebody types /champion."""
        return {
            "command": "/champion",
            "text": text,
            "user_id": self.server.user(by),
            "user_name": by,
            "team_id": TEAM,
            "team_domain": "vendor",
            "channel_id": self.server.channel("champions"),
            "channel_name": "champions",
            "api_app_id": APP_ID,
            "response_url": f"{self.server.url}/response/{time.monotonic_ns()}",
            "trigger_id": self.server.trigger(by),
            **changes,
        }

    async def press(self, action: str, value: str, by: str = "rita", **changes: Any) -> dict[str, Any]:
        """Press a button under an answer, and return what the app answers."""
        button = {"type": "button", "action_id": action, "block_id": "b", "value": value, "action_ts": "1"}
        status, _ = await self.interact(self.happens("block_actions", by, actions=[button], **changes))
        assert status == 200
        return await self.told()

    def happens(self, kind: str, by: str = "rita", **content: Any) -> dict[str, Any]:
        """Return what Slack sends when something of that kind happens."""
        channel = self.server.channel("champions")
        return {
            "type": kind,
            "api_app_id": APP_ID,
            "team": {"id": TEAM, "domain": "vendor"},
            "user": {"id": self.server.user(by), "username": by, "team_id": TEAM},
            "container": {
                "type": "message",
                "message_ts": "1.2",
                "channel_id": channel,
                "is_ephemeral": True,
            },
            "channel": {"id": channel, "name": "champions"},
            "response_url": f"{self.server.url}/response/{time.monotonic_ns()}",
            "trigger_id": self.server.trigger(by),
            **content,
        }

    async def opened(self, text: str = "", by: str = "rita", **body: Any) -> dict[str, Any]:
        """Type a command that opens a form, or send what opens one, and return the form as it settles."""
        before = len(self.server.views())
        sent = await (self.interact(body["body"]) if body else self.command(self.typed(text, by)))
        assert sent == (200, "")
        async with asyncio.timeout(SOON.total_seconds()):
            while len(self.server.views()) == before or "One moment" in json.dumps(self.server.views()[-1]):  # noqa: ASYNC110 - Slack cannot set our event
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.05)
        return self.server.views()[-1]

    async def submit(self, view: dict[str, Any], values: dict[str, Any], by: str = "rita") -> dict[str, Any]:
        """Submit a form and return what the app answers: what is wrong, or the form that it becomes."""
        sent = {**view, "id": view["view_id"], "state": {"values": values}}
        status, body = await self.interact(self.happens("view_submission", by, view=sent, response_urls=[]))
        assert status == 200, body
        answer: dict[str, Any] = json.loads(body)
        if "view" in answer:
            judge_view(answer["view"])
        return answer

    async def interact(self, payload: dict[str, Any]) -> tuple[int, str]:
        return await self.wire.send(payload)

    async def command(self, typed: dict[str, Any]) -> tuple[int, str]:
        return await self.wire.send(typed, "slash_commands")

    async def told(self, count: int = 1) -> dict[str, Any]:
        """Wait for the next answers and return the last of them."""
        async with asyncio.timeout(SOON.total_seconds()):
            while len(self.server.responses()) < self.seen + count:  # noqa: ASYNC110 - Slack cannot set our event
                await asyncio.sleep(0.01)
        self.seen = len(self.server.responses())
        last = self.server.responses()[-1]
        assert last["response_type"] == "ephemeral"
        return last


@asynccontextmanager
async def reception(
    server: Workspace, store: Store | None = None, *, transport: Transport = "http", **connection: Any
) -> AsyncIterator[Reception]:
    """Run the app against the stand-in."""
    kept, clock = store or MemoryStore(), FrozenClock(NOW)
    channel = server.channel("champions")
    reach = {"rules": Rules(channel, admins=("max@vendor.example",)), **connection}
    async with wire(server, transport) as laid:
        app = laid.app = SlackApp(
            Connection(
                bot_token=BOT_TOKEN,
                channel=channel,
                base_url=server.base_url,
                pace=timedelta(),
                our_domains=OURS,
                **laid.settings,
                **reach,
            ),
            kept,
            clock,
        )
        await app.start()
        try:
            yield Reception(server, kept, app, clock, laid)
        finally:
            await app.stop()


def said(answer: dict[str, Any]) -> str:
    """Return all that an answer shows."""
    return "\n".join([str(answer.get("text")), *_texts(answer.get("blocks") or [])])


def formatted(answer: dict[str, Any]) -> str:
    """Return what an answer shows in places where Slack formats, mentions and links."""
    marked = [text for text in _objects(answer.get("blocks") or []) if text.get("type") == "mrkdwn"]
    return "\n".join([str(answer.get("text")), *(text["text"] for text in marked)])


def shown(view: dict[str, Any]) -> str:
    """Return all that a form shows."""
    return "\n".join(_texts(view["blocks"]))


def entered(**values: Any) -> dict[str, Any]:
    """Return the state of a form in which these things were entered."""
    kinds = {"owner": "selected_user", "close": "selected_date", "quiet_from": "selected_time"}
    kinds |= {"quiet_to": "selected_time", "file": "files", "pause": "selected_options"}
    options = {"day", "hour"}
    return {
        block: {
            "value": {"selected_option": {"value": value}}
            if block in options
            else {kinds.get(block, "value"): value}
        }
        for block, value in values.items()
    }


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for item in value.values() for text in _texts(item)]
    return []


def _objects(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        return [value, *(found for item in value.values() for found in _objects(item))]
    return [found for item in value for found in _objects(item)] if isinstance(value, list) else []
