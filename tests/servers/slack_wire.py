"""How Slack reaches the app: signed requests over HTTP, or envelopes through a socket.

Both carry the same payloads, so that whatever a test does in Slack it can do over either.
https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal, Protocol
from urllib.parse import urlencode

import aiohttp
from slack_sdk.signature import SignatureVerifier

from bot.slack.app import SlackApp
from tests.servers.slack import APP_TOKEN, SIGNING_SECRET, Workspace
from tests.servers.slack_socket import Socket, socket_mode

Transport = Literal["http", "socket"]
Kind = Literal["interactive", "slash_commands", "events_api"]

OK = 200
NOT_ACKNOWLEDGED = 504


class Wire(Protocol):
    """A way from Slack to the app; `settings` is what the app needs to know of it."""

    settings: Mapping[str, Any]
    app: SlackApp | None

    async def send(self, payload: Mapping[str, Any], kind: Kind = "interactive") -> tuple[int, str]:
        """Tell the app what happened; return the status and the body of its answer."""


class Signed:
    """Signed requests over HTTP."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self.settings: Mapping[str, Any] = {"signing_secret": SIGNING_SECRET, "port": 0}
        self.app: SlackApp | None = None

    async def send(self, payload: Mapping[str, Any], kind: Kind = "interactive") -> tuple[int, str]:
        """Send what happened as Slack writes it."""
        return await self.request(payload, kind)

    async def request(
        self, payload: Mapping[str, Any], kind: Kind, secret: str = SIGNING_SECRET, age: int = 0
    ) -> tuple[int, str]:
        """Send a request that may be signed by somebody else, or so many seconds ago."""
        content = "application/json" if kind == "events_api" else "application/x-www-form-urlencoded"
        body = _written(payload, kind)
        stamp = str(int(time.time()) - age)
        signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body)
        headers = {
            "content-type": content,
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": str(signature),
        }
        assert self.app is not None, "the app is running"
        async with self._http.post(self.app.addresses[0], data=body, headers=headers) as response:
            return response.status, await response.text()


class Enveloped:
    """Envelopes through a socket."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.settings: Mapping[str, Any] = {"app_token": APP_TOKEN}
        self.app: SlackApp | None = None

    async def send(self, payload: Mapping[str, Any], kind: Kind = "interactive") -> tuple[int, str]:
        """Send an envelope and wait until it is acknowledged."""
        answer = await self.socket.answer(await self.socket.send(payload, kind))
        return (NOT_ACKNOWLEDGED, "") if answer is None else (OK, answer)


@asynccontextmanager
async def wire(server: Workspace, transport: Transport) -> AsyncIterator[Signed | Enveloped]:
    """Lay a wire from a workspace to an app that is yet to be started."""
    if transport == "http":
        async with aiohttp.ClientSession() as http:
            yield Signed(http)
    else:
        async with socket_mode(server) as socket:
            yield Enveloped(socket)


def _written(payload: Mapping[str, Any], kind: Kind) -> str:
    if kind == "events_api":
        return json.dumps(payload)
    return urlencode(payload if kind == "slash_commands" else {"payload": json.dumps(payload)})
