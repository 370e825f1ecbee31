"""Gmail on loopback: `myworld` lists, searches, pages and keeps the history; the mails keep their bytes.

`myworld` shows of a mail what it made of it, and would lose a delivery report's parts, so what a test
delivered is given back as it was. Tokens are those of the authorization server beside it, parameters that
Gmail does not know are refused, and `answers` lets any request fail in Google's words.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.parser import BytesHeaderParser
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from myworld.api.http import handle, mint
from myworld.core.instance import Instance
from myworld.services import get_service

from tests.servers.oauth import AuthorizationServer

HOST = "gmail.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/gmail.readonly"
KNOWN = {
    "profile": frozenset[str](),
    "messages": frozenset({"q", "maxResults", "includeSpamTrash", "labelIds", "pageToken"}),
    "history": frozenset({"startHistoryId", "historyTypes", "maxResults", "pageToken"}),
    "one": frozenset({"format"}),
}


def refusal(status: int, reason: str, said: str = "no") -> tuple[int, dict[str, Any]]:
    """Return an error as the Gmail API words it."""
    errors = [{"domain": "global", "reason": reason, "message": said}]
    return status, {"error": {"code": status, "message": said, "errors": errors}}


@dataclass
class GoogleMail:
    """The mailboxes of a Workspace; `instances`, `envs` and the secret are what `myworld` asks for."""

    tokens: AuthorizationServer
    url: str = ""
    gateway_secret: str = "of the test"
    instances: dict[str, Instance] = field(default_factory=dict)
    envs: dict[str, Any] = field(default_factory=dict)
    raw: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    answers: dict[str, list[tuple[int, dict[str, Any]]]] = field(default_factory=dict)
    retry_after: str = ""

    def mailbox(self, address: str) -> Instance:
        """Return the world of one mailbox, which is made when it is first asked for."""
        if address not in self.instances:
            seed = {"user": {"email": address, "name": "Somebody"}, "emails": []}
            self.instances[address] = Instance(get_service("gmail"), seed, instance_id=address)
        return self.instances[address]

    def deliver(self, address: str, raw: bytes, at: datetime, *labels: str) -> str:
        """Put a mail into a mailbox, as it is, and return its id."""
        world = self.mailbox(address)
        world.clock = at
        body = {"raw": base64.urlsafe_b64encode(raw).decode(), "labelIds": list(labels or ("INBOX",))}
        status, told = self._ask(address, "POST", "/gmail/v1/users/me/messages", "", body)
        assert status == 200, told
        self.raw[told["id"]] = raw
        return str(told["id"])

    def delete(self, address: str, mail: str) -> None:
        """Delete a mail for good."""
        del self.mailbox(address).state["mailboxes"][address]["messages"][mail]

    def forget_history(self, address: str) -> None:
        """Let every history id that was given out be too old."""
        box = self.mailbox(address).state["mailboxes"][address]
        self.answers["history"] = [refusal(404, "notFound")]
        box["_history"] += 1000

    def paths(self, part: str) -> list[str]:
        """Return the requests whose path and query hold this."""
        return [f"{path}?{query}" for path, query in self.asked if part in f"{path}?{query}"]

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request."""
        tail = request.path.removeprefix("/gmail/v1/users/me/")
        kind = tail if tail in KNOWN else "one"
        self.asked.append((tail, request.query_string))
        if set(request.query) - KNOWN[kind]:
            return web.json_response(refusal(400, "badRequest")[1], status=400)
        if self.answers.get(kind):
            status, told = self.answers[kind].pop(0)
            headers = {"Retry-After": self.retry_after} if self.retry_after else {}
            return web.json_response(told, status=status, headers=headers)
        whose = self.tokens.opens(request.headers.get("Authorization", ""), SCOPE)
        if whose is None:
            return web.json_response(refusal(401, "authError")[1], status=401)
        if not isinstance(whose, str):
            return web.json_response(refusal(403, "insufficientPermissions")[1], status=403)
        ask = self._ask(whose, "GET", request.path, request.query_string)
        await asyncio.sleep(0)
        return web.json_response(self._as_it_was(ask[1], request.query.get("format")), status=ask[0])

    def _ask(
        self, address: str, method: str, path: str, query: str, body: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        self.mailbox(address)
        token = mint(self.gateway_secret, instance=address)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        sent = json.dumps(body).encode() if body else b""
        result = handle(self, HOST, method, path, query, headers, sent)
        return result.status, json.loads(result.body)

    def _as_it_was(self, told: dict[str, Any], form: str | None) -> dict[str, Any]:
        raw = self.raw.get(str(told.get("id")))
        if raw is None or form is None:
            return told
        told["sizeEstimate"] = len(raw)
        if form == "raw":
            told["raw"] = base64.urlsafe_b64encode(raw).decode()
        else:
            head = BytesHeaderParser().parsebytes(raw)
            told["payload"]["headers"] = [{"name": name, "value": str(value)} for name, value in head.items()]
        return told


@asynccontextmanager
async def running(tokens: AuthorizationServer) -> AsyncIterator[GoogleMail]:
    """Serve Gmail until the block ends."""
    server = GoogleMail(tokens)
    app = web.Application()
    app.add_routes([web.get("/gmail/v1/users/me/{tail:.*}", server.answer)])
    async with TestServer(app) as web_server:
        server.url = str(web_server.make_url("/"))
        yield server
