"""HubSpot on loopback, from its documented shapes, and stricter than it: nothing unknown is let pass.

Properties that are not defined are refused, searches end after 10,000 results and take one sort, scopes are
checked, a batch with ids that are gone answers 207, a second contact with an address answers 409. `answers`
lets the next requests fail, `at` says what happens at the n-th request (None: it is answered as usual),
`dies_after` cuts the line after a request was carried out, `carried_out` says what happens then, before it is
answered.
https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/guide
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

TOKEN = "pat-eu1-of-the-test"
MOST_RESULTS = 10_000
PAGE = {"search": 200, "batch": 100, "associations": 500, "owners": 500, "members": 250}
COMMON = frozenset({"hs_object_id", "hs_createdate", "hs_lastmodifieddate"})
PROPERTIES = {
    "contacts": COMMON
    | {
        *("email firstname lastname jobtitle company country hubspot_owner_id associatedcompanyid".split()),
        *("lastmodifieddate hs_email_hard_bounce_reason_enum hs_email_delivered".split()),
        *("hs_email_first_send_date hs_email_last_send_date hs_email_optout".split()),
        *("watched no_longer_at_company".split()),
    },
    "companies": COMMON | {"name", "hubspot_owner_id"},
    "deals": COMMON
    | set("dealname amount deal_currency_code dealstage closedate hubspot_owner_id hs_is_closed".split()),
    "emails": COMMON
    | {
        "hs_timestamp",
        *(f"hs_email_{name}" for name in "direction from_email to_email cc_email message_id status".split()),
    },
    "meetings": COMMON
    | {"hs_meeting_start_time", "hs_meeting_end_time", "hs_meeting_outcome", "hs_i_cal_uid"},
    "notes": COMMON | {"hs_timestamp", "hs_note_body"},
}
SCOPES = {what: "contacts" if what in {"emails", "meetings", "notes"} else what for what in PROPERTIES}
TYPES = {279: ("contacts", "companies"), 202: ("notes", "contacts"), 4: ("contacts", "deals")}
EVERYTHING = frozenset(
    [f"crm.objects.{what}.read" for what in (*PROPERTIES, "owners")]
    + ["crm.lists.read", "crm.objects.contacts.write"]
)

Answer = tuple[int, dict[str, Any]]
Refusal = tuple[int, dict[str, Any], dict[str, str]]


def error(status: int, category: str, said: str = "no", **more: Any) -> Answer:
    return status, {"status": "error", "category": category, "message": said, "correlationId": "0", **more}


@dataclass
class HubSpot:
    """One portal."""

    url: str = ""
    tokens: dict[str, frozenset[str]] = field(default_factory=lambda: {TOKEN: EVERYTHING})
    objects: dict[str, dict[str, dict[str, str]]] = field(default_factory=lambda: {w: {} for w in PROPERTIES})
    history: dict[tuple[str, str], list[dict[str, str]]] = field(default_factory=dict)
    links: dict[tuple[str, str], dict[str, list[str]]] = field(default_factory=dict)
    owners: list[dict[str, Any]] = field(default_factory=list)
    lists: dict[str, list[str]] = field(default_factory=dict)
    answers: list[Refusal] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    written: Counter[str] = field(default_factory=Counter)
    dies_after: str = ""
    carried_out: dict[str, Callable[[], object]] = field(default_factory=dict)
    at: dict[int, Callable[[], Refusal | None]] = field(default_factory=dict)
    _last: int = 100

    def add(self, what: str, **properties: str) -> str:
        """Add a record and return its id."""
        self._last += 1
        ident = str(self._last)
        stamp = "lastmodifieddate" if what == "contacts" else "hs_lastmodifieddate"
        unknown = set(properties) - PROPERTIES[what]
        assert not unknown, unknown
        self.objects[what][ident] = {stamp: "2026-05-01T08:00:00Z", **properties, "hs_object_id": ident}
        return ident

    def link(self, one: str, this: str, other: str, that: str) -> None:
        """Associate two records, in both directions."""
        self.links.setdefault((one, other), {}).setdefault(this, []).append(that)
        self.links.setdefault((other, one), {}).setdefault(that, []).append(this)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        steps = request.path.strip("/").split("/")
        self.asked.append(f"{request.method} {request.path_qs}")
        refusal = self.at.pop(len(self.asked), lambda: None)()
        if refusal is None and self.answers:
            refusal = self.answers.pop(0)
        if refusal is not None:
            status, told, headers = refusal
            return web.json_response(told, status=status, headers=headers)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self.tokens:
            return _response(error(401, "EXPIRED_AUTHENTICATION", "The OAuth token used is expired"))
        body = await request.json() if request.can_read_body else {}
        needed = self._scope(request.method, steps)
        if needed not in self.tokens[token]:
            context = {"requiredGranularScopes": [needed]}
            return _response(error(403, "MISSING_SCOPES", errors=[{"message": "no", "context": context}]))
        answer = self._answer(request, steps, body)
        said = request.method if request.method == "PATCH" else f"{request.method} {request.path}"
        self.carried_out.pop(said, lambda: None)()
        if self.dies_after == said:
            self.dies_after = ""
            assert request.transport is not None
            request.transport.abort()
        return _response(answer)

    def _scope(self, method: str, steps: list[str]) -> str:
        if steps[:3] == ["crm", "v3", "owners"]:
            return "crm.objects.owners.read"
        if steps[:3] == ["crm", "v3", "lists"]:
            return "crm.lists.read"
        if steps[:3] == ["crm", "v3", "pipelines"]:
            return "crm.objects.deals.read"
        what = steps[2] if steps[2] in PROPERTIES else steps[3]
        is_write = method == "PATCH" or (method == "POST" and len(steps) == 4)
        return f"crm.objects.{SCOPES.get(what, what)}.{'write' if is_write else 'read'}"

    def _answer(self, request: web.Request, steps: list[str], body: dict[str, Any]) -> Answer:  # noqa: C901, PLR0911 - a table of routes
        match (request.method, *steps):
            case ("POST", "crm", "v3", "objects", what, "search"):
                return self._search(what, body)
            case ("POST", "crm", "v3", "objects", what, "batch", "read"):
                return self._batch(what, body)
            case ("POST", "crm", "v4", "associations", what, to, "batch", "read"):
                return self._associations(what, to, body)
            case ("GET", "crm", "v4", "objects", what, ident, "associations", to):
                linked = self.links.get((what, to), {}).get(ident, [])
                entries = [_link(one) for one in linked]
                return self._paged(request, entries, PAGE["associations"])
            case ("GET", "crm", "v3", "owners"):
                return self._paged(request, self.owners, PAGE["owners"])
            case ("GET", "crm", "v3", "lists", listed, "memberships"):
                if listed not in self.lists:
                    return error(404, "OBJECT_NOT_FOUND", f"List does not exist with ID {listed}.")
                members = [{"recordId": one} for one in self.lists[listed]]
                return self._paged(request, members, PAGE["members"])
            case ("GET", "crm", "v3", "pipelines", "deals"):
                stages = [{"id": "contractsent", "label": "Contract sent"}]
                return 200, {"results": [{"id": "default", "label": "Sales", "stages": stages}]}
            case ("GET", "crm", "v3", "objects", what, ident):
                return self._one(request, what, ident)
            case ("PATCH", "crm", "v3", "objects", what, ident):
                return self._change(what, ident, body)
            case ("POST", "crm", "v3", "objects", what):
                return self._create(what, body)
        return error(404, "OBJECT_NOT_FOUND")

    def _search(self, what: str, body: dict[str, Any]) -> Answer:
        groups, sorts = body.get("filterGroups", []), body.get("sorts", [])
        filters = [one for group in groups for one in group["filters"]]
        named = [one["propertyName"] for one in [*filters, *sorts]]
        wrong = _unknown(what, named)
        if wrong:
            return wrong
        if len(filters) > 18 or len(groups) > 5 or len(sorts) > 1 or body.get("limit", 10) > PAGE["search"]:
            return error(400, "VALIDATION_ERROR", "too many filters, sorts or results")
        found = [one for one in self.objects[what].values() if all(_fits(one, f) for f in filters)]
        for one in sorts:
            found.sort(key=lambda record: _value(record.get(one["propertyName"], "")))
        begin, limit = int(body.get("after", 0)), body.get("limit", 10)
        if begin + limit > MOST_RESULTS:
            return error(400, "VALIDATION_ERROR", "paging past 10,000 results")
        told: dict[str, Any] = {"total": len(found)}
        told["results"] = [_record(one, body.get("properties", [])) for one in found[begin : begin + limit]]
        if begin + limit < len(found):
            told["paging"] = {"next": {"after": str(begin + limit)}}
        return 200, told

    def _batch(self, what: str, body: dict[str, Any]) -> Answer:
        inputs = [one["id"] for one in body["inputs"]]
        if len(inputs) > PAGE["batch"]:
            return error(400, "VALIDATION_ERROR", "too many inputs")
        there = [self.objects[what][one] for one in inputs if one in self.objects[what]]
        told: dict[str, Any] = {
            "status": "COMPLETE",
            "results": [_record(one, body.get("properties", [])) for one in there],
        }
        missing = [one for one in inputs if one not in self.objects[what]]
        if missing:
            context = {"ids": missing}
            told["numErrors"] = 1
            told["errors"] = [{"status": "error", "category": "OBJECT_NOT_FOUND", "context": context}]
        return 207 if missing else 200, told

    def _associations(self, what: str, to: str, body: dict[str, Any]) -> Answer:
        if not body["inputs"] or len(body["inputs"]) > 1000:
            return error(400, "VALIDATION_ERROR", "inputs")
        linked = self.links.get((what, to), {})
        results = []
        for one in body["inputs"]:
            if linked.get(one["id"]):
                entries = [_link(ident) for ident in linked[one["id"]]]
                results.append({"from": {"id": one["id"]}, "to": entries[: PAGE["associations"]]})
                if len(entries) > PAGE["associations"]:
                    results[-1]["paging"] = {"next": {"after": "500"}}
        return 200, {"status": "COMPLETE", "results": results}

    def _paged(self, request: web.Request, items: list[dict[str, Any]], most: int) -> Answer:
        limit, begin = int(request.query.get("limit", 100)), int(request.query.get("after", 0))
        if limit > most:
            return error(400, "VALIDATION_ERROR", "limit")
        told: dict[str, Any] = {"results": items[begin : begin + limit]}
        if begin + limit < len(items):
            told["paging"] = {"next": {"after": str(begin + limit), "link": "?"}}
        return 200, told

    def _one(self, request: web.Request, what: str, ident: str) -> Answer:
        by = request.query.get("idProperty", "hs_object_id")
        found = [one for one in self.objects[what].values() if one.get(by) == ident]
        if not found:
            return error(404, "OBJECT_NOT_FOUND", "Object not found.  objectId are usually numeric.")
        asked = request.query.get("properties", "").split(",")
        told = _record(found[0], asked)
        name = request.query.get("propertiesWithHistory")
        if name:
            told["propertiesWithHistory"] = {name: self.history.get((told["id"], name), [])}
        return 200, told

    def _change(self, what: str, ident: str, body: dict[str, Any]) -> Answer:
        wrong = _unknown(what, body["properties"])
        if wrong or ident not in self.objects[what]:
            return wrong or error(404, "OBJECT_NOT_FOUND")
        self.written[f"{what} changed"] += 1
        self.objects[what][ident].update(body["properties"])
        return 200, _record(self.objects[what][ident], list(body["properties"]))

    def _create(self, what: str, body: dict[str, Any]) -> Answer:
        wrong = _unknown(what, body["properties"])
        if wrong:
            return wrong
        address = body["properties"].get("email")
        for ident, one in self.objects[what].items():
            if address and one.get("email") == address:
                return error(409, "CONFLICT", f"Contact already exists. Existing ID: {ident}")
        self.written[f"{what} created"] += 1
        ident = self.add(what, **body["properties"])
        for one in body.get("associations", []):
            [kind] = one["types"]
            assert kind["associationCategory"] == "HUBSPOT_DEFINED"
            mine, other = TYPES[kind["associationTypeId"]]
            assert mine == what
            assert one["to"]["id"] in self.objects[other]
            self.link(what, ident, other, one["to"]["id"])
        return 201, _record(self.objects[what][ident], list(body["properties"]))


def _response(answer: Answer) -> web.Response:
    return web.json_response(answer[1], status=answer[0])


def _unknown(what: str, names: Any) -> Answer | None:
    unknown = sorted(set(names) - PROPERTIES[what])
    said = f'Property "{unknown[0]}" does not exist' if unknown else ""
    return error(400, "VALIDATION_ERROR", said) if unknown else None


def _record(record: dict[str, str], properties: list[str]) -> dict[str, Any]:
    wanted = {*properties, *COMMON} & set(record)
    return {"id": record["hs_object_id"], "properties": {name: record[name] for name in sorted(wanted)}}


def _link(ident: str) -> dict[str, Any]:
    kinds = [{"category": "HUBSPOT_DEFINED", "typeId": 1, "label": None}]
    return {"toObjectId": int(ident), "associationTypes": kinds}


def _value(value: str) -> tuple[float, str]:
    if value.isdigit():
        return float(value), ""
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return 0.0, value
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000, ""


def _fits(record: dict[str, str], wanted: dict[str, str]) -> bool:
    value = record.get(wanted["propertyName"], "")
    if wanted["operator"] == "HAS_PROPERTY":
        return bool(value)
    mine, other = _value(value), _value(wanted["value"])
    match wanted["operator"]:
        case "EQ":
            return mine == other
        case "GT":
            return bool(value) and mine > other
        case "GTE":
            return bool(value) and mine >= other
    raise AssertionError(wanted)


@asynccontextmanager
async def running() -> AsyncIterator[HubSpot]:
    """Serve a portal until the block ends."""
    portal = HubSpot()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", portal.serve)
    async with TestServer(app) as server:
        portal.url = str(server.make_url("/"))
        yield portal
