"""Microsoft Graph's mail on loopback, in the shapes of its documentation and as strict as it says.

Unknown parameters, too wide a filter, altered links, mailboxes outside the group, expired tokens and
more than four requests at a time are refused with the codes that Exchange gives.
https://learn.microsoft.com/graph/api/message-delta, https://learn.microsoft.com/graph/throttling-limits
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from email.policy import SMTPUTF8
from email.utils import getaddresses
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.servers.oauth import AuthorizationServer

MAIL_READ = "https://graph.microsoft.com/Mail.Read"
APPLICATION = "https://graph.microsoft.com/.default"
WELL_KNOWN = frozenset({"inbox", "sentitems", "archive", "junkemail"})
AT_A_TIME = 4
MOST_WITH_A_FILTER = 5000
PROPERTIES = frozenset(
    "id internetMessageHeaders internetMessageId subject from toRecipients ccRecipients receivedDateTime "
    "sentDateTime isDraft".split()
)


class Refusal(Exception):  # noqa: N818 - it is an answer
    """An error answer: status and Graph's code."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


@dataclass
class Kept:
    """A mail in a folder; `sequence` orders everything that ever happened."""

    id: str
    folder: str
    raw: bytes
    received: datetime
    sequence: int
    draft: bool = False


@dataclass
class Round:
    """What a link stands for: a folder, from which moment on, how much it was given, and what it asked.

    How Graph counts what a filter may give is not told; here the first round and all later ones count apart.
    """

    mailbox: str
    folder: str
    since: datetime
    select: frozenset[str]
    after: int
    given: int = 0
    rest: tuple[Kept, ...] = ()
    size: int = 10


@dataclass
class GraphMail:
    """The mailboxes of a tenant, and the group that an application may read."""

    tokens: AuthorizationServer
    url: str = ""
    group: set[str] = field(default_factory=set)
    everything: bool = False
    folders: dict[str, set[str]] = field(default_factory=dict)
    mails: dict[str, list[Kept]] = field(default_factory=dict)
    links: dict[str, Round] = field(default_factory=dict)
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    failures: list[tuple[int, str, dict[str, str]]] = field(default_factory=list)
    without_headers: bool = False
    elsewhere: str = ""
    busiest: int = 0
    _busy: Counter[str] = field(default_factory=Counter)
    _sequence: int = 0

    def mailbox(self, address: str, *lacks: str) -> None:
        """Make a mailbox; `lacks` are well-known folders that it has not."""
        self.mails.setdefault(address, [])
        self.folders[address] = set(WELL_KNOWN - set(lacks))

    def deliver(
        self, address: str, raw: bytes, at: datetime, folder: str = "inbox", *, draft: bool = False
    ) -> str:
        """Put a mail into a folder and return its id."""
        self._sequence += 1
        kept = Kept(f"AAMk{secrets.token_hex(8)}/+=", folder, raw, at, self._sequence, draft)
        self.mails[address].append(kept)
        return kept.id

    def delete(self, address: str, mail: str) -> None:
        """Delete a mail for good."""
        self.mails[address] = [kept for kept in self.mails[address] if kept.id != mail]

    def lose_links(self) -> None:
        """Let every link that was given out be lost."""
        self.links.clear()

    def bodies(self) -> list[str]:
        """Return the requests for whole mails."""
        return [path for path, _ in self.asked if path.endswith("/$value")]

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request."""
        path = request.path.removeprefix("/v1.0/")
        self.asked.append((path, dict(request.query)))
        try:
            if self.failures:
                status, code, headers = self.failures.pop(0)
                return _refused(status, code, headers)
            mailbox, rest = self._whose(request, path)
            self._busy[mailbox] += 1
            self.busiest = max(self.busiest, self._busy[mailbox])
            try:
                if self._busy[mailbox] > AT_A_TIME:
                    raise Refusal(429, "ApplicationThrottled")
                await asyncio.sleep(0)
                return self._answer(request, mailbox, rest)
            finally:
                self._busy[mailbox] -= 1
        except Refusal as refusal:
            return _refused(
                refusal.status, refusal.code, {"Retry-After": "5"} if refusal.status == 429 else {}
            )

    def _whose(self, request: web.Request, path: str) -> tuple[str, str]:
        header = request.headers.get("Authorization", "")
        own, app = self.tokens.opens(header, MAIL_READ), self.tokens.opens(header, APPLICATION)
        if own is None:
            raise Refusal(401, "InvalidAuthenticationToken")
        if path.startswith("me/") and isinstance(own, str) and own:
            return own, path.removeprefix("me/")
        match = re.fullmatch(r"users/([^/]+)/(.+)", path)
        if match is None or app == False or app is None:  # noqa: E712 - an application's own token says ""
            raise Refusal(403, "ErrorAccessDenied")
        if match[1] not in self.mails:
            raise Refusal(404, "ErrorInvalidUser")
        if match[1] not in self.group and not self.everything:
            raise Refusal(403, "ErrorAccessDenied")
        return match[1], match[2]

    def _answer(self, request: web.Request, mailbox: str, rest: str) -> web.Response:
        query = dict(request.query)
        listed = re.fullmatch(r"mailFolders/([^/]+)/messages(/delta)?", rest)
        if listed is not None:
            if listed[1] not in self.folders[mailbox]:
                raise Refusal(404, "ErrorFolderNotFound")
            if listed[2]:
                prefer = request.headers.get("Prefer", "")
                return self._delta(mailbox, listed[1], query, prefer)
            return self._list(mailbox, listed[1], query)
        one = re.fullmatch(r"messages/(.+?)(/\$value)?", rest)
        if one is None:
            raise Refusal(400, "BadRequest")
        kept = next((kept for kept in self.mails[mailbox] if kept.id == one[1]), None)
        if kept is None:
            raise Refusal(404, "ErrorItemNotFound")
        if one[2]:
            return web.Response(body=kept.raw, content_type="text/plain")
        self.without_headers, lacking = False, self.without_headers
        told = self._told(kept, _select(query, {"$select"}))
        self.without_headers = lacking
        return web.json_response(told)

    def _list(self, mailbox: str, folder: str, query: dict[str, str]) -> web.Response:
        select = _select(query, {"$select", "$filter", "$orderby", "$top", "$skip"})
        if query.get("$orderby", "receivedDateTime asc") != "receivedDateTime asc":
            raise Refusal(400, "BadRequest")
        since = _since(query) if "$filter" in query else datetime.min.replace(tzinfo=UTC)
        found = sorted(
            (kept for kept in self.mails[mailbox] if kept.folder == folder and kept.received >= since),
            key=lambda kept: kept.received,
        )
        start, size = int(query.get("$skip", 0)), int(query.get("$top", 10))
        told: dict[str, Any] = {"value": [self._told(kept, select) for kept in found[start : start + size]]}
        if start + size < len(found):
            told["@odata.nextLink"] = self._link(mailbox, folder, "", {**query, "$skip": str(start + size)})
        return web.json_response(told)

    def _delta(self, mailbox: str, folder: str, query: dict[str, str], prefer: str) -> web.Response:
        token = query.get("$skiptoken") or query.get("$deltatoken")
        if token is not None:
            if len(query) > 1:
                raise Refusal(400, "BadRequest")
            at = self.links.get(token)
            if at is None or (at.mailbox, at.folder) != (mailbox, folder):
                raise Refusal(410, "SyncStateNotFound")
        else:
            select = _select(query, {"$select", "$filter", "changeType"})
            if query.get("changeType") != "created":
                raise Refusal(400, "BadRequest")
            at = Round(mailbox, folder, _since(query), select, 0)
        size = int((re.search(r"odata\.maxpagesize=(\d+)", prefer) or [0, 10])[1])
        fresh = at.rest or tuple(
            kept
            for kept in self.mails[mailbox]
            if kept.folder == folder and kept.sequence > at.after and kept.received >= at.since
        )
        fresh = fresh[: MOST_WITH_A_FILTER - at.given]
        page, rest = fresh[:size], fresh[size:]
        after = page[-1].sequence if page else at.after
        given = at.given + len(page) if rest or "$deltatoken" in query else 0
        following = Round(mailbox, folder, at.since, at.select, after, given, rest, size)
        name = secrets.token_urlsafe(12)
        self.links[name] = following
        kind = "$skiptoken" if rest else "$deltatoken"
        link = self._link(mailbox, folder, "/delta", {kind: name})
        told = {"value": [self._told(kept, at.select) for kept in page]}
        return web.json_response({**told, "@odata.nextLink" if rest else "@odata.deltaLink": link})

    def _link(self, mailbox: str, folder: str, kind: str, query: dict[str, str]) -> str:
        whose = "me" if mailbox == self.tokens.somebody and mailbox not in self.group else f"users/{mailbox}"
        base = self.elsewhere or self.url
        return f"{base}{whose}/mailFolders/{folder}/messages{kind}?{urlencode(query)}"

    def _told(self, kept: Kept, select: frozenset[str]) -> dict[str, Any]:
        head = BytesHeaderParser(policy=SMTPUTF8).parsebytes(kept.raw)
        stamp = f"{kept.received:%Y-%m-%dT%H:%M:%SZ}"
        people = {
            name: [
                {"emailAddress": {"name": who, "address": at}}
                for who, at in getaddresses([str(head[name] or "")])
            ]
            for name in ("from", "to", "cc")
        }
        told: dict[str, Any] = {
            "id": kept.id,
            "internetMessageId": str(head["message-id"]),
            "subject": str(head["subject"]),
            "from": people["from"][0] if people["from"] else None,
            "toRecipients": people["to"],
            "ccRecipients": people["cc"],
            "receivedDateTime": stamp,
            "sentDateTime": stamp,
            "isDraft": kept.draft,
        }
        if kept.folder != "sentitems" and not self.without_headers:
            headers = [{"name": name, "value": str(value)} for name, value in head.items()]
            told["internetMessageHeaders"] = headers
        return {name: value for name, value in told.items() if name == "id" or name in select}


def _select(query: Mapping[str, str], known: set[str]) -> frozenset[str]:
    named = frozenset(filter(None, query.get("$select", "").split(",")))
    if set(query) - known or named - PROPERTIES:
        raise Refusal(400, "BadRequest")
    return named


def _since(query: Mapping[str, str]) -> datetime:
    match = re.fullmatch(r"receivedDateTime ge (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)", query.get("$filter", ""))
    if match is None:
        raise Refusal(400, "ErrorInvalidRestriction")
    return datetime.fromisoformat(match[1])


def _refused(status: int, code: str, headers: dict[str, str]) -> web.Response:
    return web.json_response({"error": {"code": code, "message": "no"}}, status=status, headers=headers)


@asynccontextmanager
async def running(tokens: AuthorizationServer) -> AsyncIterator[GraphMail]:
    """Serve Graph until the block ends."""
    server = GraphMail(tokens)
    app = web.Application()
    app.add_routes([web.get("/v1.0/{tail:.*}", server.answer)])
    async with TestServer(app) as web_server:
        server.url = str(web_server.make_url("/v1.0/"))
        yield server
