"""Socket Mode on loopback, which `emulate` lacks: hands out a WebSocket and passes all other calls on.

https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from tests.servers.slack import Workspace

APP_TOKEN = "xapp-stillthere-tests"


class Socket:
    """One workspace's Socket Mode: what is sent through it, and what the app acknowledged."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._links: list[web.WebSocketResponse] = []
        self._linked = asyncio.Condition()
        self.acknowledged: asyncio.Queue[str] = asyncio.Queue()
        self.base_url = ""

    async def send(self, payload: Mapping[str, Any], kind: str = "interactive") -> str:
        """Send a payload to the app and return the envelope's id, which the app is to acknowledge."""
        envelope = str(uuid.uuid4())
        message = {
            "envelope_id": envelope,
            "type": kind,
            "payload": payload,
            "accepts_response_payload": True,
        }
        async with self._linked:
            await self._linked.wait_for(lambda: self._links)
            await self._links[-1].send_json(message)
        return envelope

    async def cut(self) -> None:
        """Close every connection, as Slack does now and then; the app is expected back."""
        async with self._linked:
            for link in self._links:
                await link.close()
            self._links.clear()

    async def open(self, request: web.Request) -> web.Response:
        """Answer `apps.connections.open`."""
        if request.headers.get("Authorization") != f"Bearer {APP_TOKEN}":
            return web.json_response({"ok": False, "error": "invalid_auth"})
        url = self.base_url.replace("http:", "ws:").replace("/api/", "/link")
        return web.json_response({"ok": True, "url": url})

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
                content = json.loads(message.data)
                await self.acknowledged.put(str(content["envelope_id"]))
        return link

    async def pass_on(self, request: web.Request) -> web.Response:
        """Let the workspace answer every other call."""
        url = f"{self._workspace.url}{request.path_qs}"
        headers = {
            key: value for key, value in request.headers.items() if key in {"Authorization", "Content-Type"}
        }
        body = await request.read()
        async with (
            aiohttp.ClientSession() as http,
            http.request(request.method, url, data=body, headers=headers) as answer,
        ):
            return web.json_response(await answer.json(), status=answer.status)


@asynccontextmanager
async def socket_mode(workspace: Workspace) -> AsyncIterator[Socket]:
    """Offer Socket Mode for a workspace on a free port."""
    socket = Socket(workspace)
    application = web.Application()
    application.router.add_route("*", "/api/apps.connections.open", socket.open)
    application.router.add_get("/link", socket.link)
    application.router.add_route("*", "/api/{method}", socket.pass_on)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    socket.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/"
    try:
        yield socket
    finally:
        await socket.cut()
        await runner.cleanup()
