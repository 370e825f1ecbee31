"""What is particular to CalDAV: finding the calendars, servers without sync tokens, hostile answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.model import NeedsHuman, SourceDown
from tests.servers import calendar_dav
from tests.servers.calendar_dav import PASSWORD, Radicale
from tests.watchers.calendar_programs import BOB, DAY, HOUR, JANE, RITA, Call, Dav, ics, utc
from tests.watchers.calendar_reading import Reading
from watchers.calendar import caldav, dav
from watchers.calendar.line import TooLarge

SET = utc(2026, 4, 20, 9)
CALL = Call(utc(2026, 5, 4, 13))
SECOND = Call(utc(2026, 5, 18, 13), sequence=1)
EMPTY = '<d:multistatus xmlns:d="DAV:">{}</d:multistatus>'
HOST = "dav.vendor.example"
_numbers = count()


@pytest.fixture(scope="module")
def radicale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Radicale]:
    with calendar_dav.running(tmp_path_factory.mktemp("radicale")) as server:
        yield server


@pytest.fixture
def program(radicale: Radicale, monkeypatch: pytest.MonkeyPatch) -> Dav:
    monkeypatch.setenv("DAV_PASSWORD", PASSWORD)
    user = f"omar-{next(_numbers)}"
    radicale.add_user(user)
    return Dav(radicale, user)


@asynccontextmanager
async def between(
    radicale: Radicale, change: Callable[[web.Request, httpx.Response], Awaitable[web.Response | None]]
) -> AsyncIterator[tuple[str, list[str]]]:
    """Stand between the watcher and Radicale, as a server with other habits; note what is asked."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        body = await request.read()
        asked.append(f"{request.method} {body.decode()}")
        kept = {"Authorization", "Depth", "Content-Type"}
        headers = {name: value for name, value in request.headers.items() if name in kept}
        url = radicale.url.rstrip("/") + request.path_qs
        told = await client.request(request.method, url, content=body, headers=headers)
        changed = await change(request, told)
        return changed or web.Response(status=told.status_code, body=told.content, content_type="text/xml")

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    async with httpx.AsyncClient() as client, TestServer(app) as server:
        yield str(server.make_url("/")), asked


async def test_a_server_without_sync_tokens_is_asked_for_tags(radicale: Radicale, program: Dav) -> None:
    async def old(request: web.Request, told: httpx.Response) -> web.Response | None:
        if b"sync-collection" in await request.read() and request.method == "REPORT":
            return web.Response(status=403)
        text = told.text.replace("sync-collection", "something-else").replace("sync-token", "no-token")
        return web.Response(status=told.status_code, text=text, content_type="text/xml")

    async with between(radicale, old) as (url, asked):
        look = Reading({**program.settings, "url": url})
        program.write(CALL, SET)
        program.write(Call(CALL.start, BOB, uid="other"), SET)
        assert len(await look.at(SET + HOUR)) == 2

        asked.clear()
        assert await look.at(SET + 2 * HOUR) == []
        assert not any("calendar-query" in one for one in asked), "an unchanged calendar is not listed"

        asked.clear()
        program.write(SECOND, SET + DAY)
        (moved,) = await look.at(SET + DAY + HOUR)
        assert moved.facts["start"] == SECOND.start.isoformat()
        assert [one.count("</d:href>") for one in asked if "multiget" in one] == [1]

        program.server.delete(program.user, "other")
        assert await look.at(SET + 2 * DAY) == []
        assert len(look.cursor["followed"]) == 1


async def test_a_deleted_event_says_nothing_about_anybody(program: Dav) -> None:
    look = Reading(program.settings)
    program.write(CALL, SET)
    await look.at(SET + HOUR)
    program.server.delete(program.user, CALL.uid)
    assert await look.at(SET + DAY) == []
    assert "followed" not in look.cursor


async def test_only_the_calendars_that_are_named_are_read(program: Dav) -> None:
    path = f"{program.user}/home/"
    program.server._ask(
        program.user, "MKCALENDAR", path, calendar_dav.CALENDAR.format(name="Family &amp; friends")
    )
    program.server.put(program.user, "home", ics(Call(CALL.start, BOB, uid="home"), SET), "home")
    program.write(CALL, SET)

    assert len(await Reading(program.settings).at(SET + HOUR)) == 2
    (home,) = await Reading({**program.settings, "calendars": ["Family & friends"]}).at(SET + HOUR)
    assert home.facts["uid"] == "home"
    (calls,) = await Reading({**program.settings, "url": f"{program.server.url}{program.user}/calls/"}).at(
        SET + HOUR
    )
    assert calls.facts["uid"] == CALL.uid
    with pytest.raises(NeedsHuman, match="of these names"):
        await Reading({**program.settings, "calendars": ["Other"]}).at(SET)


async def test_a_calendar_that_somebody_shares_is_read_only_where_it_is_named(
    radicale: Radicale, program: Dav
) -> None:
    async def shared(request: web.Request, told: httpx.Response) -> web.Response | None:
        if request.method != "PROPFIND" or request.headers["Depth"] != "1":
            return None
        own = f"<owner><href>/{program.user}/</href></owner>"
        text = told.text.replace(own, "<owner><href>/principals/lea/</href></owner>")
        assert text != told.text
        return web.Response(status=207, text=text, content_type="text/xml")

    program.write(CALL, SET)
    async with between(radicale, shared) as (url, _):
        with pytest.raises(NeedsHuman, match="no calendars of its own"):
            await Reading({**program.settings, "url": url}).at(SET + HOUR)
        named = Reading({**program.settings, "url": url, "calendars": ["calls"]})
        assert len(await named.at(SET + HOUR)) == 1


async def test_an_override_and_its_series_are_told_apart(program: Dav) -> None:
    series = ics(CALL, SET, extra="RRULE:FREQ=WEEKLY;COUNT=8\r\n")
    moved = ics(Call(utc(2026, 5, 14, 13), sequence=1), SET, extra="RECURRENCE-ID:20260511T130000Z\r\n")
    event = moved[moved.index("BEGIN:VEVENT") : moved.index("END:VCALENDAR")]
    program.server.put(program.user, CALL.uid, series.replace("END:VCALENDAR", f"{event}END:VCALENDAR"))

    found = await Reading(program.settings).at(SET + HOUR)
    assert [(seen.facts["series"], seen.facts["recurrence_id"]) for seen in found] == [
        (True, ""),
        (False, "2026-05-11T13:00:00+00:00"),
    ]


async def test_a_wrong_password_asks_for_the_right_one_and_shows_neither(
    program: Dav, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAV_PASSWORD", "mistyped-password")
    with pytest.raises(NeedsHuman, match="DAV_PASSWORD") as refused:
        await Reading(program.settings).at(SET)
    assert "mistyped" not in str(refused.value)
    monkeypatch.setenv("DAV_PASSWORD", "")
    with pytest.raises(NeedsHuman, match="is empty"):
        await Reading(program.settings).at(SET)


async def test_an_address_without_a_calendar_is_said_to_be_wrong(program: Dav) -> None:
    with pytest.raises(NeedsHuman, match="correct"):
        await Reading({**program.settings, "url": f"{program.server.url}{program.user}/nowhere/"}).at(SET)


async def test_a_server_that_shows_nothing_at_all_has_no_calendar(radicale: Radicale, program: Dav) -> None:
    async def nothing(request: web.Request, told: httpx.Response) -> web.Response | None:
        del request, told
        return web.Response(status=207, text=EMPTY.format(""), content_type="text/xml")

    async with between(radicale, nothing) as (url, _):
        with pytest.raises(NeedsHuman, match="has no calendar at"):
            await Reading({**program.settings, "url": url}).at(SET)


async def test_the_password_goes_to_no_other_host(radicale: Radicale, program: Dav) -> None:
    async def elsewhere(request: web.Request, told: httpx.Response) -> web.Response | None:
        del request
        text = told.text.replace(f"<href>/{program.user}/", f"<href>https://evil.example/{program.user}/")
        return web.Response(status=told.status_code, text=text, content_type="text/xml")

    async with between(radicale, elsewhere) as (url, _):
        with pytest.raises(NeedsHuman, match=r"evil\.example"):
            await Reading({**program.settings, "url": url}).at(SET)

    async def redirects(request: web.Request, told: httpx.Response) -> web.Response | None:
        del request, told
        return web.Response(status=301, headers={"Location": "https://evil.example/"})

    async with between(radicale, redirects) as (url, _):
        with pytest.raises(NeedsHuman, match=r"redirects to evil\.example"):
            await Reading({**program.settings, "url": url}).at(SET)


async def test_an_event_that_is_too_large_costs_no_other(
    program: Dav, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caldav, "LARGEST", 12_000)
    for number in range(6):
        program.write(Call(CALL.start + number * DAY, uid=f"uid-{number}"), SET)
    large = ics(Call(CALL.start, uid="large"), SET, extra=f"ATTACH:data:{'x' * 20_000}\r\n")
    program.server.put(program.user, "large", large)
    found = await Reading(program.settings).at(SET + HOUR)
    assert sorted(str(seen.facts["uid"]) for seen in found) == [f"uid-{number}" for number in range(6)]


async def test_changes_that_come_in_parts_are_all_read(radicale: Radicale, program: Dav) -> None:
    """A server may list some changes only, and say so by 507 (RFC 6578 3.6)."""
    cut: list[str] = []

    async def in_parts(request: web.Request, told: httpx.Response) -> web.Response | None:
        body = await request.read()
        if told.status_code != 207 or request.method != "REPORT" or b"sync-collection" not in body or cut:
            return None
        token = body.decode().partition("sync-token>")[2].partition("<")[0]
        cut.append(token)
        status = "<status>HTTP/1.1 507 Insufficient Storage</status>"
        more = f"<response><href>{request.path}</href>{status}</response>"
        text = f'<multistatus xmlns="DAV:">{more}<sync-token>{token}</sync-token></multistatus>'
        return web.Response(status=207, text=text, content_type="text/xml")

    async with between(radicale, in_parts) as (url, _):
        look = Reading({**program.settings, "url": url})
        await look.at(SET)
        program.write(CALL, SET)
        (seen,) = await look.at(SET + HOUR)
    assert cut
    assert seen.contact == JANE
    assert RITA in str(seen.facts["attendees"])


@pytest.mark.parametrize(
    "body",
    [
        f'<!DOCTYPE x [<!ENTITY a "aaaaaaa"><!ENTITY b "&a;&a;&a;">]>{EMPTY.format("&b;")}',
        f'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>{EMPTY.format("&f;")}',
        "<d:multistatus xmlns:d='DAV:'>" + "<d:response>" * 5000,
        "<html>Log in</html>",
        "",
        "\0",
    ],
)
def test_hostile_xml_is_no_answer(body: str) -> None:
    with pytest.raises(SourceDown):
        dav.multistatus(body.encode(), HOST)


@pytest.mark.parametrize(
    "element", ["<a/>", "<a " + " ".join(f'b{number}=""' for number in range(100)) + "/>"]
)
def test_an_answer_of_tiny_elements_is_given_up_where_they_become_too_many(element: str) -> None:
    held = 1 + element.count("=")
    enough = element * (dav.MOST_ELEMENTS // held - 1)
    assert dav.multistatus(EMPTY.format(enough).encode(), HOST).token == ""
    too_many = EMPTY.format(enough + 2 * element).removesuffix("</d:multistatus>") + "</not closed"
    with pytest.raises(TooLarge, match="more than 500,000 elements"):
        dav.multistatus(too_many.encode() + b" " * dav.AT_ONCE, HOST)


def test_a_listing_of_too_many_resources_is_refused_and_not_cut() -> None:
    full = "<d:response/>" * dav.MOST_RESPONSES
    assert len(dav.multistatus(EMPTY.format(full).encode(), HOST).resources) == 50_000
    with pytest.raises(TooLarge, match="more than 50,000 resources"):
        dav.multistatus(EMPTY.format(full + "<d:response/>").encode(), HOST)


def test_comments_and_instructions_are_not_kept() -> None:
    root = dav.document(EMPTY.format("<!-- a --><?b?>" * 1000).encode(), HOST)
    assert root is not None
    assert list(root) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_an_answer_is_read_in_the_encoding_that_it_names(encoding: str) -> None:
    told = EMPTY.format("<d:sync-token>Gespr\u00e4ch</d:sync-token>")
    body = f'<?xml version="1.0" encoding="{encoding}"?>{told}'.encode(encoding)
    assert dav.multistatus(body, HOST).token == "Gespr\u00e4ch"


def test_what_is_asked_cannot_be_broken_out_of() -> None:
    root = dav.document(dav.sync_collection("</d:sync-token><x/>&amp;"), HOST)
    assert root is not None
    assert root.findtext("{DAV:}sync-token") == "</d:sync-token><x/>&amp;"
    root = dav.document(dav.multiget(["/a&b/<c>"]), HOST)
    assert root is not None
    assert root.findtext("{DAV:}href") == "/a&b/<c>"


def test_a_password_is_not_sent_in_the_clear() -> None:
    settings: dict[str, Any] = {"kind": "caldav", "url": "http://dav.vendor.example/", "user": "rita"}
    with pytest.raises(ValueError, match="in the clear"):
        Reading({**settings, "password_env": "X"})
    with pytest.raises(ValueError, match="exactly one"):
        Reading(settings)
