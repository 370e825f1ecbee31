from __future__ import annotations

import gzip
import itertools
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.model import NeedsHuman, SourceDown
from watchers.crm import line as lines
from watchers.crm.hubspot import DIALECT, HubSpot, moment
from watchers.crm.line import Line, Refused, unanswerable
from watchers.crm.salesforce import Salesforce, quoted

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Key:
    async def token(self, refused: str = "") -> str:
        if refused:
            raise NeedsHuman("refused", "put another there")
        return "secret of the test"


@asynccontextmanager
async def to(handler: Handler, pause: timedelta = timedelta()) -> AsyncIterator[Line]:
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handler)
    async with TestServer(app) as server, Line(str(server.make_url("/crm/")), Key(), DIALECT, pause) as line:
        yield line


def answering(status: int, body: bytes, **headers: str) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers=headers)

    return handler


@pytest.mark.parametrize(
    "path", ["https://elsewhere.example/x", "/other", "//elsewhere.example/crm/x", "http://[", "../other"]
)
async def test_the_token_goes_nowhere_else(path: str) -> None:
    asked: list[str] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.json_response({})

    async with to(handler) as line:
        with pytest.raises(SourceDown, match="elsewhere"):
            await line.get(path)
    assert asked == []


async def test_a_redirect_is_not_followed() -> None:
    async with to(answering(302, b"", Location="https://elsewhere.example/")) as line:
        with pytest.raises(lines.Refused, match="302"):
            await line.get("x")


@pytest.mark.parametrize("body", [b"<html>", b"{", b"[" * 100_000, b"\xff\xfe"])
async def test_an_answer_that_is_no_json_is_tried_again(body: bytes) -> None:
    async with to(answering(200, body)) as line:
        with pytest.raises(SourceDown, match="JSON"):
            await line.get("x")


async def test_an_answer_that_grows_too_large_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LARGEST", 1000)
    packed = gzip.compress(b'"' + b"a" * 100_000 + b'"')
    async with to(answering(200, packed, **{"Content-Encoding": "gzip"})) as line:
        with pytest.raises(SourceDown, match="too much"):
            await line.get("x")


@pytest.mark.parametrize("told", [b"[]", b"7", b"null", b'{"results": 7}', b'{"results": [7, {"id": []}]}'])
async def test_an_answer_of_another_shape_has_no_records(told: bytes) -> None:
    async with to(answering(200, told)) as line:
        hubspot = HubSpot(line)
        assert [one async for one in hubspot.every("contacts", [], ["email"])] == []
        assert await hubspot.owners() == {}
        assert await hubspot.associated("deals", ["1"], "contacts") == {}


async def test_pages_that_lead_back_are_no_complete_answer() -> None:
    page = b'{"results": [{"recordId": "1"}], "paging": {"next": {"after": "again"}}}'
    async with to(answering(200, page)) as line:
        with pytest.raises(SourceDown, match="lead back"):
            await HubSpot(line).members("1")
    page = b'{"records": [{"Id": "1"}], "nextRecordsUrl": "/crm/again"}'
    async with to(answering(200, page)) as line:
        salesforce = Salesforce(line)
        salesforce.base = "/crm/"
        with pytest.raises(SourceDown, match="lead back"):
            assert [row async for row in salesforce.query("SELECT Id FROM Contact")]


async def test_a_page_with_something_unreadable_among_its_records_is_not_the_last() -> None:
    asking = itertools.count(1)

    async def handler(_: web.Request) -> web.StreamResponse:
        page = next(asking)
        found: list[object] = [{"id": str(page * 1000 + number), "properties": {}} for number in range(99)]
        return web.json_response({"results": [{"id": "7"}, *found] if page < 3 else found[:5]})

    async with to(handler) as line:
        assert len([one async for one in HubSpot(line).every("contacts", (), ())]) == 2 * 99 + 5


@pytest.mark.parametrize("entry", [{"id": "7"}, {"properties": {}}, {"id": "7", "properties": [1]}])
async def test_pages_of_nothing_that_can_be_read_are_said(entry: dict[str, object]) -> None:
    page = json.dumps({"results": [entry] * 100}).encode()
    async with to(answering(200, page)) as line:
        with pytest.raises(SourceDown, match="nothing that can be read"):
            _ = [one async for one in HubSpot(line).every("contacts", (), ())]


async def test_changes_that_lead_on_for_ever_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MOST_PAGES", 20)
    asking, begin = itertools.count(1), datetime(2026, 5, 1, tzinfo=UTC)

    async def handler(_: web.Request) -> web.StreamResponse:
        page = next(asking)
        stamp = (begin + timedelta(hours=page)).isoformat()
        entry = {"id": str(page), "properties": {"hs_lastmodifieddate": stamp}}
        return web.json_response({"results": [entry] * 100 if page <= 50 else []})

    async with to(handler) as line:
        with pytest.raises(SourceDown, match="no end"):
            _ = [page async for page in HubSpot(line).changed("emails", "hs_lastmodifieddate", begin, ())]


async def test_an_association_that_names_no_record_is_left_out() -> None:
    linked = [{"toObjectId": "5"}, {"toObjectId": None}, {}, {"toObjectId": "x"}, {"toObjectId": 6}]
    page = json.dumps({"results": [{"from": {"id": "1"}, "to": linked}]}).encode()
    async with to(answering(200, page)) as line:
        assert await HubSpot(line).associated("meetings", ["1"], "contacts") == {"1": ["5", "6"]}


async def test_a_search_that_never_advances_ends() -> None:
    entry = '{"id": "7", "properties": {"hs_lastmodifieddate": "2020-01-01T00:00:00Z"}}'
    page = f'{{"results": [{",".join([entry] * 100)}]}}'.encode()
    async with to(answering(200, page)) as line:
        with pytest.raises(SourceDown):
            _ = [one async for one in HubSpot(line).every("emails", [], ())]


async def all_records(hubspot: HubSpot) -> object:
    return [one async for one in hubspot.every("contacts", (), ())]


@pytest.mark.parametrize(
    "ask",
    [
        lambda hubspot: hubspot.neighbours("contacts", "1", "notes"),
        lambda hubspot: hubspot.owners(),
        lambda hubspot: hubspot.members("1"),
        all_records,
    ],
    ids=["associations", "owners", "members of a list", "a search"],
)
async def test_pages_that_lead_on_for_ever_end(
    ask: Callable[[HubSpot], Awaitable[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "MOST_PAGES", 20)
    asking = itertools.count(1)

    async def handler(_: web.Request) -> web.StreamResponse:
        page = next(asking)
        if page > 50:
            return web.json_response({})
        found = [{"id": str(page * 1000 + number), "properties": {}} for number in range(100)]
        return web.json_response({"results": found, "paging": {"next": {"after": str(page)}}})

    async with to(handler) as line:
        with pytest.raises(SourceDown, match="no end"):
            await ask(HubSpot(line))


async def test_pages_of_salesforce_that_lead_on_for_ever_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MOST_PAGES", 20)
    asking = itertools.count(1)

    async def handler(_: web.Request) -> web.StreamResponse:
        page = next(asking)
        told = {"nextRecordsUrl": f"/crm/{page}"} if page <= 50 else {}
        return web.json_response({"records": [{"Id": str(page)}], **told})

    async with to(handler) as line:
        salesforce = Salesforce(line)
        salesforce.base = "/crm/"
        with pytest.raises(SourceDown, match="no end"):
            assert [row async for row in salesforce.query("SELECT Id FROM Contact")]


async def test_requests_keep_their_pause() -> None:
    async with to(answering(200, b"{}"), timedelta(seconds=0.05)) as line:
        begin = time.monotonic()
        for _ in range(4):
            await line.get("x")
        assert time.monotonic() - begin >= 0.15


async def test_no_failure_repeats_the_token() -> None:
    async with to(answering(401, b"secret of the test")) as line:
        with pytest.raises(NeedsHuman) as problem:
            await line.get("x")
    assert "secret" not in str(problem.value)


@pytest.mark.parametrize(
    "value",
    ["", "soon", None, 7.5, [], "9" * 14, "99999-01-01", "2026-01-01T25:00", "0001-01-01T00:00+14:00"],
)
def test_a_strange_moment_is_read_or_none(value: object) -> None:
    found = moment(value)
    assert found is None or found.tzinfo is not None


@pytest.mark.parametrize("text", ["O'Neill", "a\\'b", "a\nb", "' OR Name != '"])
def test_text_in_a_query_stays_text(text: str) -> None:
    literal = quoted(text)
    inner = literal[1:-1].replace("\\\\", "").replace("\\'", "")
    assert "'" not in inner
    assert "\n" not in literal


async def test_where_nothing_is_at_an_address_the_address_is_to_be_checked() -> None:
    async with to(answering(404, b"404: Not Found")) as line:
        with pytest.raises(Refused) as refused:
            await line.get("crm/v3/owners")
    problem = unanswerable(refused.value, "crm.example", "grant the scope")
    assert "knows nothing at /crm/crm/v3/owners" in problem.what
    assert "`api`" in problem.how
    told = Refused(404, "OBJECT_NOT_FOUND", {"message": "List does not exist"})
    assert unanswerable(told, "crm.example", "check list_id").how == "check list_id"
