"""Salesforce on loopback, from its documented shapes, and strict: nothing unknown is let pass.

It understands the part of SOQL that is a list of fields, relations, one level of sub-query, conditions joined
by AND, an order and a limit. Sessions end, pages lead on by `nextRecordsUrl`, and a second contact with an
address is a duplicate. `answers` are those of the next requests, `at` is that of the n-th.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

VERSION = "62.0"
CLIENT, SECRET = "3MVG9of-the-test", "secret of the test"
USER, LOGIN = "stillthere@vendor.example", "https://login.salesforce.com"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
COMMON = "Id CreatedDate SystemModstamp IsDeleted "
FIELDS = {
    name: frozenset((COMMON + listed).split())
    for name, listed in {
        "Contact": "Email Name FirstName LastName Title AccountId MailingCountry EmailBouncedReason "
        "EmailBouncedDate Account.Name Account.Owner.Email Account.Owner.IsActive Owner.Email Owner.IsActive "
        "Watched__c No_Longer_At_Company__c HasOptedOutOfEmail",
        "OpportunityContactRole": "ContactId Opportunity.Id Opportunity.Name Opportunity.Amount "
        "Opportunity.StageName Opportunity.CloseDate Opportunity.IsClosed Opportunity.Owner.Email "
        "Opportunity.Owner.IsActive Contact.Id Contact.Email Contact.Name Contact.Title Contact.Account.Name "
        "Contact.MailingCountry Contact.Owner.Email Contact.Owner.IsActive Contact.Account.Owner.Email "
        "Contact.Account.Owner.IsActive",
        "EmailMessage": "MessageDate FromAddress ToAddress CcAddress Incoming MessageIdentifier Status",
        "Task": "WhoId Who.Email Owner.Email CompletedDateTime TaskSubtype IsClosed Subject Description "
        "Status ActivityDate",
        "Event": "Who.Email Owner.Email StartDateTime EndDateTime IsRecurrence EventRelations",
    }.items()
}
REQUIRED = {"Contact": {"LastName"}, "Task": {"Subject", "Status"}}
_SOQL = re.compile(
    r"SELECT (?P<fields>.+?) FROM (?P<what>\w+)(?: WHERE (?P<where>.+?))?"
    r"(?: ORDER BY (?P<order>[\w, ]+?))?(?: LIMIT (?P<limit>\d+))?"
)
_CONDITION = re.compile(r"([\w.]+) (=|!=|>=) ('(?:[^'\\]|\\.)*'|[\w:.+-]+)")

Row = dict[str, Any]


class Wrong(Exception):  # noqa: N818 - it is an answer
    def __init__(self, status: int, code: str, said: str = "no") -> None:
        super().__init__(code)
        self.status = status
        self.told = [{"errorCode": code, "message": said}]


@dataclass
class Salesforce:
    """One organisation."""

    url: str = ""
    key: rsa.RSAPublicKey | None = None
    page: int = 3
    rows: dict[str, list[Row]] = field(default_factory=lambda: {what: [] for what in FIELDS})
    switched_off: set[str] = field(default_factory=set)
    sessions: set[str] = field(default_factory=set)
    given: int = 0
    answers: list[tuple[int, Any, dict[str, str]]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    written: Counter[str] = field(default_factory=Counter)
    dies_after: str = ""
    at: dict[int, tuple[int, Any, dict[str, str]]] = field(default_factory=dict)
    _cursors: dict[str, list[Row]] = field(default_factory=dict)

    def add(self, what: str, **fields: Any) -> str:
        """Add a row and return its id."""
        ident = f"00{len(self.rows[what]):03d}{what[:3]}"
        stamp = "2026-05-01T08:00:00.000+0000"
        base = {"Id": ident, "IsDeleted": False, "SystemModstamp": stamp, "CreatedDate": stamp}
        self.rows[what].append({**base, **fields})
        return ident

    async def serve(self, request: web.Request) -> web.Response:
        """Answer one request."""
        self.asked.append(f"{request.method} {request.path_qs}")
        if request.path == "/services/oauth2/token":
            return await self._token(request)
        turn = len(self.asked)
        if turn in self.at or self.answers:
            status, told, headers = self.at.pop(turn) if turn in self.at else self.answers.pop(0)
            return web.json_response(told, status=status, headers=headers)
        try:
            status, told = await self._answer(request)
        except Wrong as wrong:
            return web.json_response(wrong.told, status=wrong.status)
        if self.dies_after and self.dies_after in f"{request.method} {request.path}":
            self.dies_after = ""
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(told, status=status) if told is not None else web.Response(status=status)

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: values[0] for name, values in parse_qs(await request.text()).items()}
        known = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET}
        if form != known and not self._is_signed(form):
            return web.json_response({"error": "invalid_client"}, status=400)
        self.given += 1
        self.sessions = {f"session {self.given}"}
        told = {"access_token": f"session {self.given}", "instance_url": self.url, "token_type": "Bearer"}
        return web.json_response({**told, "issued_at": "1778000000000", "signature": "x", "id": "x"})

    def _is_signed(self, form: dict[str, str]) -> bool:
        """Say whether it is an assertion that the user's key signed, and that ends within five minutes."""
        head, _, signature = form.get("assertion", "").rpartition(".")
        if (
            self.key is None
            or form.get("grant_type") != JWT_BEARER
            or set(form) != {"grant_type", "assertion"}
        ):
            return False
        try:
            self.key.verify(_decoded(signature), head.encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        claims = json.loads(_decoded(head.partition(".")[2]))
        lasts = claims.pop("exp") - time.time()
        return bool(claims == {"iss": CLIENT, "sub": USER, "aud": LOGIN} and 0 < lasts <= 300)

    async def _answer(self, request: web.Request) -> tuple[int, Any]:
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.sessions:
            raise Wrong(401, "INVALID_SESSION_ID", "Session expired or invalid")
        base = f"/services/data/v{VERSION}/"
        if not request.path.startswith(base):
            raise Wrong(404, "NOT_FOUND")
        steps = request.path.removeprefix(base).split("/")
        match (request.method, *steps):
            case ("GET", "query" | "queryAll" as kind):
                return 200, self._query(request.query["q"], deleted=kind == "queryAll")
            case ("GET", "query", cursor) if cursor in self._cursors:
                return 200, self._page(self._cursors.pop(cursor))
            case ("POST", "sobjects", what):
                return 201, self._create(what, await request.json())
            case ("PATCH", "sobjects", what, ident):
                self._change(what, ident, await request.json())
                return 204, None
        raise Wrong(404, "NOT_FOUND")

    def _query(self, soql: str, *, deleted: bool) -> Row:
        inner = re.findall(r", \(SELECT [^()]+ FROM (\w+)\)", soql)
        read = _SOQL.fullmatch(re.sub(r", \(SELECT [^()]+ FROM (\w+)\)", "", soql))
        if read is None:
            raise Wrong(400, "MALFORMED_QUERY", soql)
        what = read["what"]
        if what not in FIELDS or what in self.switched_off:
            raise Wrong(400, "INVALID_TYPE", f"sObject type '{what}' is not supported.")
        counts = read["fields"] == "COUNT()"
        fields = [] if counts else [one.strip() for one in read["fields"].split(",")] + inner
        conditions = _conditions(read["where"] or "")
        ordered = [one.strip() for one in (read["order"] or "").split(",") if one.strip()]
        unknown = {*fields, *(name for name, _, _ in conditions), *ordered} - FIELDS[what]
        if unknown:
            raise Wrong(400, "INVALID_FIELD", f"No such column '{min(unknown)}' on entity '{what}'.")
        found = [row for row in self.rows[what] if deleted or not row["IsDeleted"]]
        found = [row for row in found if all(_fits(row, *one) for one in conditions)]
        if counts:
            return {"totalSize": len(found), "done": True, "records": []}
        for name in reversed(ordered):
            found.sort(key=lambda row: str(_at(row, name)))
        found = found[: int(read["limit"] or len(found))]
        return self._page([_shown(what, row, fields) for row in found])

    def _page(self, rows: list[Row]) -> Row:
        here, rest = rows[: self.page], rows[self.page :]
        told: Row = {"totalSize": len(rows), "done": not rest, "records": here}
        if rest:
            cursor = f"01g{len(self.asked)}-{len(rest)}"
            self._cursors[cursor] = rest
            told["nextRecordsUrl"] = f"/services/data/v{VERSION}/query/{cursor}"
        return told

    def _create(self, what: str, body: Row) -> Row:
        self._check(what, body)
        missing = REQUIRED[what] - {name for name, value in body.items() if value}
        if missing:
            raise Wrong(400, "REQUIRED_FIELD_MISSING", f"Required fields are missing: {sorted(missing)}")
        if body.get("Email") and any(row.get("Email") == body["Email"] for row in self.rows[what]):
            raise Wrong(400, "DUPLICATES_DETECTED", "Use one of these records?")
        self.written[f"{what} created"] += 1
        return {"id": self.add(what, **body), "success": True, "errors": []}

    def _change(self, what: str, ident: str, body: Row) -> None:
        self._check(what, body)
        [row] = [row for row in self.rows[what] if row["Id"] == ident]
        self.written[f"{what} changed"] += 1
        row.update(body)

    def _check(self, what: str, body: Row) -> None:
        unknown = set(body) - {name for name in FIELDS[what] if "." not in name}
        if unknown:
            raise Wrong(400, "INVALID_FIELD", f"No such column '{min(unknown)}' on sobject of type {what}")


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _conditions(where: str) -> list[tuple[str, str, str]]:
    found = []
    for part in re.split(r" AND ", where) if where else []:
        read = _CONDITION.fullmatch(part.strip().removeprefix("(").removesuffix(")"))
        if read is None:
            raise Wrong(400, "MALFORMED_QUERY", f"unexpected token: {part}")
        found.append((read[1], read[2], read[3]))
    return found


def _at(row: Row, name: str) -> Any:
    value: Any = row
    for step in name.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _fits(row: Row, name: str, operator: str, literal: str) -> bool:
    value = _at(row, name)
    if operator == ">=":
        return datetime.fromisoformat(str(value)) >= datetime.fromisoformat(literal)
    wanted: Any = {"null": None, "true": True, "false": False}.get(literal, literal)
    if literal.startswith("'"):
        wanted = re.sub(r"\\(.)", r"\1", literal[1:-1])
    if isinstance(wanted, bool):
        value = bool(value)
    return (value == wanted) is (operator == "=")


def _shown(what: str, row: Row, fields: list[str]) -> Row:
    told: Row = {
        "attributes": {"type": what, "url": f"/services/data/v{VERSION}/sobjects/{what}/{row['Id']}"}
    }
    for name in fields:
        place, steps = told, name.split(".")
        for step in steps[:-1]:
            place = place.setdefault(step, {"attributes": {"type": step}})
        place[steps[-1]] = _at(row, name)
    return told


@asynccontextmanager
async def running() -> AsyncIterator[Salesforce]:
    """Serve an organisation until the block ends."""
    organisation = Salesforce()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", organisation.serve)
    async with TestServer(app) as server:
        organisation.url = str(server.make_url("/")).rstrip("/")
        yield organisation
