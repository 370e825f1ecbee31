"""The app, running against the stand-in, and Slack, which presses its buttons and sends its modals."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.clock import FrozenClock
from bot.model import Case, Person
from bot.routing import Rules
from bot.slack.app import Connection, SlackApp
from bot.slack.outbox import drain
from bot.store import Store
from bot.store.memory import MemoryStore
from tests.servers.slack import APP_ID, BOT_TOKEN, TEAM, Workspace
from tests.servers.slack_judges import judge_view
from tests.servers.slack_wire import Enveloped, Signed, Transport, wire
from tests.slack.story import ADDRESS, NOW, raise_alert

SETTLED = timedelta(seconds=60)


@dataclass
class Office:
    """The app, running, with what it keeps, and Slack, which presses its buttons."""

    server: Workspace
    store: Store
    app: SlackApp
    clock: FrozenClock
    wire: Signed | Enveloped

    async def post_alert(self, **raised: Any) -> None:
        await raise_alert(self.store, **raised)
        assert await drain(self.store, self.app.poster, self.clock) == 1

    async def press(self, action: str, by: str = "rita", **changes: Any) -> int:
        """Press a button; return the status of our answer."""
        return (await self.interact(self.pressed(action, by, **changes)))[0]

    async def pick(self, choice: str, by: str = "rita") -> int:
        """Choose something in the menu beside the first message."""
        return await self.press("more", by, selected_option={"value": choice})

    async def open(self, action: str, by: str = "rita") -> dict[str, Any]:
        """Press a button, or choose in the menu, and return the modal that opens."""
        before = len(self.server.views())
        pressing = self.press(action, by) if action.startswith("answer.") else self.pick(action, by)
        assert await pressing == 200
        await self.eventually(lambda: len(self.server.views()) > before)
        return self.server.views()[-1]

    async def submit(self, view: dict[str, Any], by: str = "rita", **values: Any) -> dict[str, Any]:
        """Send a modal off, with what was chosen by field, and return what the app answers."""
        status, answer = await self.interact(self.submitted(view, by, **values))
        assert status == 200
        told: dict[str, Any] = json.loads(answer) if answer else {}
        if "view" in told:
            judge_view(told["view"])
        return told

    async def settle(self, by: str = "rita", champion: str = "nobody") -> None:
        """Confirm that Jane left."""
        view = await self.open("answer.left", by)
        assert await self.submit(view, by, champion=option(champion)) == {}

    def pressed(self, action: str, by: str = "rita", **changes: Any) -> dict[str, Any]:
        """Return what Slack sends when a button under the first message is pressed."""
        message, channel = self.message(), self.server.channel("champions")
        unknown = {"type": "button", "action_id": action, "block_id": "answers", "value": self.mark()}
        pressed = {**(on_message(message, action) or unknown), **changes}
        return self._pressed(pressed, message, {"id": channel, "name": "champions"}, by)

    def pressed_on(self, card: dict[str, Any], action: str, by: str = "rita") -> dict[str, Any]:
        """Return what Slack sends when a button of a message to one person is pressed."""
        pressed = on_message(card, action)
        assert pressed is not None
        return self._pressed(pressed, card, {"id": card["channel_id"], "name": "directmessage"}, by)

    def _pressed(
        self, pressed: dict[str, Any], message: dict[str, Any], channel: dict[str, str], by: str
    ) -> dict[str, Any]:
        return {
            "type": "block_actions",
            **self.sender(by),
            "container": {"type": "message", "message_ts": message["ts"], "channel_id": channel["id"]},
            "channel": channel,
            "message": message,
            "trigger_id": self.server.trigger(by),
            "actions": [{**pressed, "action_ts": "1"}],
        }

    def mark(self) -> str:
        """Return the mark of the first message's case, which all its buttons carry."""
        [answers] = [block for block in self.message()["blocks"] if block["block_id"] == "answers"]
        return str(answers["elements"][0]["value"])

    def submitted(self, view: dict[str, Any], by: str = "rita", **values: Any) -> dict[str, Any]:
        """Return what Slack sends when a modal is sent off."""
        return {"type": "view_submission", **self.sender(by), "view": self.filled(view, **values)}

    def filled(self, view: dict[str, Any], **values: Any) -> dict[str, Any]:
        """Return the modal with what was chosen in it."""
        chosen = {field: {field: value} for field, value in values.items()}
        return {**view, "id": view["view_id"], "state": {"values": chosen}}

    def sender(self, by: str) -> dict[str, Any]:
        """Return which app and who."""
        who = {"id": self.server.user(by), "username": by, "team_id": TEAM}
        return {"api_app_id": APP_ID, "team": {"id": TEAM, "domain": "vendor"}, "user": who}

    async def interact(self, payload: dict[str, Any]) -> tuple[int, str]:
        return await self.wire.send(payload)

    def messages(self) -> list[dict[str, Any]]:
        return self.server.messages(self.server.channel("champions"))

    def message(self) -> dict[str, Any]:
        return self.messages()[0]

    def shown(self) -> str:
        return json.dumps(self.message()["blocks"], ensure_ascii=False)

    def buttons(self, row: str = "answers") -> list[str]:
        rows = {block.get("block_id"): block for block in self.message()["blocks"]}
        return [button["text"]["text"] for button in rows.get(row, {"elements": []})["elements"]]

    async def person(self, address: str = ADDRESS) -> Person:
        person = await self.store.person(address)
        assert person is not None
        return person

    async def case(self) -> Case:
        return (await self.person()).cases[-1]

    async def sentences(self) -> list[str]:
        return [seen.sentence for seen in (await self.person()).observations]

    async def eventually(self, holds: Callable[[], Any]) -> None:
        """Wait until it holds in Slack."""
        async with asyncio.timeout(SETTLED.total_seconds()):
            while not holds():  # noqa: ASYNC110 - Slack cannot set our event
                await asyncio.sleep(0.02)

    async def until(self, text: str) -> None:
        """Wait until the message says so."""
        await self.eventually(lambda: text in self.shown())

    async def told(self, count: int = 1) -> list[dict[str, Any]]:
        """Wait until so many people were told something, and return it."""
        await self.eventually(lambda: len(self.server.ephemeral()) >= count)
        return self.server.ephemeral()


def on_message(message: dict[str, Any], action: str) -> dict[str, Any] | None:
    """Return what Slack sends of a button or a menu on a message, None where there is none of that action."""
    for block in message["blocks"]:
        for element in [*block.get("elements", []), block.get("accessory") or {}]:
            if element.get("action_id") == action:
                sent = {name: element[name] for name in ("type", "action_id", "value") if name in element}
                return {**sent, "block_id": block["block_id"]}
    return None


def option(value: str) -> dict[str, Any]:
    """Return what Slack sends of a choice that was made."""
    return {"selected_option": {"value": value}}


def day(value: str) -> dict[str, Any]:
    """Return what Slack sends of a day that was picked."""
    return {"selected_date": value}


@asynccontextmanager
async def open_office(
    server: Workspace,
    admins: tuple[str, ...] = (),
    *,
    transport: Transport = "http",
    token: str = BOT_TOKEN,
    store: Store | None = None,
    **changes: Any,
) -> AsyncIterator[Office]:
    """Let the app work until the block ends; `changes` are those of the rules."""
    store, clock = store or MemoryStore(), FrozenClock(NOW)
    channel = server.channel("champions")
    async with wire(server, transport) as laid:
        connection = Connection(
            bot_token=token,
            channel=channel,
            base_url=server.base_url,
            pace=timedelta(),
            rules=Rules(channel, admins=admins, **changes),
            **laid.settings,
        )
        app = laid.app = SlackApp(connection, store, clock)
        await app.start()
        try:
            yield Office(server, store, app, clock, laid)
        finally:
            await app.stop()
