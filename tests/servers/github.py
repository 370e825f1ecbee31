"""A stand-in for the two calls of GitHub's interface that are used, as strict as its documentation.

https://docs.github.com/en/rest/users/users and /rest/orgs/orgs#list-organizations-for-a-user; conditional
requests and limits as in /rest/using-the-rest-api/best-practices-for-using-the-rest-api.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.servers.loopback import listening


@dataclass
class Account:
    """What stands on a profile."""

    ident: int
    login: str
    company: str | None = None
    bio: str | None = None
    orgs: list[str] = field(default_factory=list)
    type: str = "User"

    def shown(self) -> dict[str, Any]:
        """Return the profile as it is answered; `hireable` is there, and nobody's business."""
        return {
            "login": self.login,
            "id": self.ident,
            "type": self.type,
            "name": "Jane Doe",
            "company": self.company,
            "blog": "",
            "bio": self.bio,
            "hireable": True,
        }


@dataclass
class GitHub:
    """What the server knows, and what it was asked."""

    accounts: list[Account] = field(default_factory=list)
    token: str = ""
    refusal: web.Response | None = None
    url: str = ""
    asked: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def person(self, login: str, company: str | None = None, bio: str | None = None, **more: Any) -> Account:
        """Add an account."""
        account = Account(len(self.accounts) + 1, login, company, bio, **more)
        self.accounts.append(account)
        return account

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request as GitHub does."""
        self.asked.append(request.path)
        answer = self._answer(request)
        self.statuses.append(answer.status)
        return answer

    def _answer(self, request: web.BaseRequest) -> web.Response:  # noqa: PLR0911 - each return is a rule
        headers = request.headers
        if request.method != "GET" or not headers.get("User-Agent", "").startswith("Stillthere/"):
            return web.Response(status=403, text="Request forbidden by administrative rules")
        if headers.get("X-GitHub-Api-Version") != "2022-11-28" or "json" not in headers.get("Accept", ""):
            return web.json_response({"message": "not a version"}, status=400)
        if "Authorization" in headers and headers["Authorization"] != f"Bearer {self.token}":
            return web.json_response({"message": "Bad credentials"}, status=401)
        if self.refusal is not None:
            refusal = self.refusal
            return web.Response(status=refusal.status, headers=refusal.headers, body=refusal.body)
        told = self._told(request.path)
        if told is None:
            return web.json_response({"message": "Not Found"}, status=404)
        body = json.dumps(told).encode()
        etag = f'W/"{hashlib.sha256(body).hexdigest()}"'
        if headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(
            body=body, headers={"ETag": etag, "Content-Type": "application/json; charset=utf-8"}
        )

    def _told(self, path: str) -> Any:
        match path.strip("/").split("/"):
            case ["user", ident]:
                return next((one.shown() for one in self.accounts if str(one.ident) == ident), None)
            case ["users", login]:
                return next(
                    (one.shown() for one in self.accounts if one.login.lower() == login.lower()), None
                )
            case ["users", login, "orgs"]:
                named = [one for one in self.accounts if one.login.lower() == login.lower()]
                return [{"login": org, "id": 7} for org in named[0].orgs] if named else None
            case _:
                return None


@asynccontextmanager
async def running() -> AsyncIterator[GitHub]:
    """Serve on a free port of loopback."""
    github = GitHub()
    async with listening(github.handle) as port:
        github.url = f"http://127.0.0.1:{port}"
        yield github
