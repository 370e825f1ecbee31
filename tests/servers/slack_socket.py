"""Socket Mode on loopback, which `emulate` lacks: a WebSocket of our own that can drop, delay and redeliver.

https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, Literal

import aiohttp
from aiohttp import web

from tests.servers.slack import Workspace

ACK = timedelta(seconds=3)
"""So long Slack waits until an envelope is acknowledged."""

DELAY = timedelta(milliseconds=300)

Mishap = Literal["dropped", "delayed", "twice", "unheard"]
"""What becomes of an envelope: it is lost with the connection and comes again on the next one, it comes late,
it comes twice, or its acknowledgement is lost with the connection and it comes again."""


class Socket:
    """One workspace's Socket Mode: what is sent through it, and what the app answered."""

    def __init__(self) -> None:
        self._links: list[web.WebSocketResponse] = []
        self._linked = asyncio.Condition()
        self._answers: dict[str, asyncio.Future[str]] = {}
        self._deaf: set[str] = set()
        self._late: set[asyncio.Task[None]] = set()
        self.mishaps: deque[Mishap] = deque()
        """What is to become of the next envelopes, one each."""
        self.delivered: Counter[str] = Counter()
        self.acknowledged: Counter[str] = Counter()
        """How often each envelope was handed to the app, and acknowledged."""
        self.url = ""

    async def send(self, payload: Mapping[str, Any], kind: str = "interactive") -> str:
        """Send a payload to the app and return the envelope's id, which the app is to acknowledge."""
        envelope = str(uuid.uuid4())
        self._answers[envelope] = asyncio.get_running_loop().create_future()
        message = {
            "envelope_id": envelope,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        match self.mishaps.popleft() if self.mishaps else None:
            case "dropped":
                await self.cut()
                await self._hand_over(message)
            case "delayed":
                self._late.add(asyncio.create_task(self._hand_over_late(message)))
            case "twice":
                await self._hand_over(message)
                await self._hand_over({**message, "retry_attempt": 1, "retry_reason": "timeout"})
            case "unheard":
                self._deaf.add(envelope)
                await self._hand_over(message)
                await self.cut()
                self._deaf.discard(envelope)
                await self._hand_over({**message, "retry_attempt": 1, "retry_reason": "timeout"})
            case None:
                await self._hand_over(message)
        return envelope

    async def answer(self, envelope: str, within: timedelta = ACK) -> str | None:
        """Return what the app acknowledged the envelope with, as JSON or empty; None where it did not."""
        try:
            return await asyncio.wait_for(asyncio.shield(self._answers[envelope]), within.total_seconds())
        except TimeoutError:
            return None

    async def cut(self) -> None:
        """Close every connection, as Slack does now and then; the app is expected back."""
        async with self._linked:
            links, self._links = self._links, []
            for link in links:
                await link.close()

    async def end(self) -> None:
        """Deliver nothing any more."""
        for task in self._late:
            task.cancel()
        await self.cut()

    async def link(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection."""
        link = web.WebSocketResponse()
        await link.prepare(request)
        await link.send_json({"type": "hello", "num_connections": 1})
        async with self._linked:
            self._links.append(link)
            self._linked.notify_all()
        async for message in link:
            if message.type is aiohttp.WSMsgType.TEXT:
                self._take(json.loads(message.data))
        return link

    def _take(self, content: Mapping[str, Any]) -> None:
        """Note an acknowledgement; the first of an envelope that is heard counts."""
        envelope = str(content["envelope_id"])
        self.acknowledged[envelope] += 1
        answer = self._answers[envelope]
        if not (answer.done() or envelope in self._deaf):
            payload = content.get("payload")
            answer.set_result(json.dumps(payload) if payload else "")

    async def _hand_over(self, message: dict[str, Any]) -> None:
        async with self._linked:
            await self._linked.wait_for(lambda: self._links)
            self.delivered[message["envelope_id"]] += 1
            await self._links[-1].send_json(message)

    async def _hand_over_late(self, message: dict[str, Any]) -> None:
        await asyncio.sleep(DELAY.total_seconds())
        await self._hand_over(message)


@asynccontextmanager
async def socket_mode(workspace: Workspace) -> AsyncIterator[Socket]:
    """Offer Socket Mode for a workspace on a free port."""
    socket = Socket()
    application = web.Application()
    application.router.add_get("/link", socket.link)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    socket.url = f"ws://127.0.0.1:{runner.addresses[0][1]}/link"
    workspace.socket_at(socket.url)
    try:
        yield socket
    finally:
        with suppress(ConnectionError):
            await socket.end()
        await runner.cleanup()
