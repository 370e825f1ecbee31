"""The client asks politely, and bears whatever a server answers; the servers are real ones on loopback."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from aiohttp import web

from tests.servers.ports import free_port
from tests.web.site import CONTACT, SOON, START, Clock, Site, client, courtesy, serving
from watchers.web.client import Client
from watchers.web.pages import MOST_BYTES

PAGE = "<ul><li>Jane Doe - CEO<li>Bob Roe - CTO</ul>"
LONGEST_SECONDS = 20
"""Generous: the machine of the tests may be busy."""


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serving() as site:
        yield site


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def web_client(site: Site, clock: Clock) -> AsyncIterator[Client]:
    async with client(site, clock) as found:
        yield found


async def test_a_page_comes_with_its_text_and_the_day(site: Site, web_client: Client) -> None:
    site.says("/team", PAGE)
    fetched = (await web_client.get(site.url())).fetched
    assert (fetched.status, fetched.body, fetched.day) == (200, PAGE.encode(), START.date())


async def test_we_say_who_asks_and_whom_to_write_to(site: Site, web_client: Client) -> None:
    site.says("/team", PAGE)
    await web_client.get(site.url())
    agent = site.asked[-1].headers["User-Agent"]
    assert agent.startswith("Stillthere/")
    assert CONTACT in agent


@pytest.mark.parametrize(
    ("name", "value"), [("ETag", '"a"'), ("Last_Modified", "Mon, 02 Mar 2026 08:00:00 GMT")]
)
async def test_a_page_that_has_not_changed_is_not_sent_again(
    site: Site, web_client: Client, name: str, value: str
) -> None:
    site.says("/team", PAGE, 200, "text/html", **{name: value})
    first = await web_client.get(site.url())
    site.says("/team", "", 304, "text/html", **{name: value})
    again = await web_client.get(site.url(), first.validators, first.digest)
    asked = site.asked[-1].headers
    assert again.unchanged
    assert {"If-None-Match", "If-Modified-Since"} & set(asked)
    assert (again.validators, again.digest) == (first.validators, first.digest)


async def test_one_connection_serves_several_pages_changed_or_not(site: Site, web_client: Client) -> None:
    site.says("/team", PAGE, ETag='"a"')
    first = await web_client.get(site.url())
    site.says("/team", status=304, ETag='"a"')
    await web_client.get(site.url(), first.validators, first.digest)
    site.says("/people", PAGE)
    await web_client.get(site.url("/people"))
    assert len({id(request.transport) for request in site.asked}) == 1


async def test_a_304_that_nobody_asked_for_is_no_page(site: Site, web_client: Client) -> None:
    site.says("/team", status=304)
    assert not (await web_client.get(site.url(), {}, "")).unchanged


async def test_a_304_about_another_version_is_not_taken_for_ours(site: Site, web_client: Client) -> None:
    site.says("/team", status=304, ETag='"other"')
    assert not (await web_client.get(site.url(), {"etag": '"ours"'}, "x")).unchanged


async def test_the_same_bytes_are_unchanged_where_the_server_cannot_say_so(
    site: Site, web_client: Client
) -> None:
    site.says("/team", PAGE)
    first = await web_client.get(site.url())
    again = await web_client.get(site.url(), first.validators, first.digest)
    assert not first.unchanged
    assert again.unchanged
    assert again.fetched.body == b""


async def test_nothing_is_remembered_of_a_page_that_is_not_to_be_stored(
    site: Site, web_client: Client
) -> None:
    site.says("/team", PAGE, ETag='"a"', Cache_Control="no-store")
    assert not (await web_client.get(site.url())).validators


async def test_no_cookie_is_ever_sent_back(site: Site, web_client: Client) -> None:
    site.says("/team", PAGE, Set_Cookie="id=1; Path=/")
    site.leads("/old", "/team")
    await web_client.get(site.url())
    await web_client.get(site.url("/old"))
    assert all("Cookie" not in request.headers for request in site.asked)


async def test_redirects_are_followed_and_the_last_address_is_told(site: Site, web_client: Client) -> None:
    site.leads("/team", "/about/team", 301)
    site.says("/about/team", PAGE, ETag='"a"')
    answer = await web_client.get(site.url())
    assert answer.fetched.final_url == site.url("/about/team")
    assert not answer.validators


async def test_endless_redirects_end(site: Site, web_client: Client) -> None:
    site.leads("/team", "/team")
    assert "led on more than" in (await web_client.get(site.url())).fetched.error


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/",
        "http://[::1]/",
        "https://www.linkedin.com/company/acme",
        "http://lnkd.in/x",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://user:secret@www.acme.example/",
        "http://www.acme.example:22/",
        "http://[broken",
        "",
    ],
)
async def test_a_redirect_leads_nowhere_we_would_not_go_ourselves(
    site: Site, clock: Clock, target: str
) -> None:
    site.leads("/team", target)
    async with client(site, clock) as found:
        fetched = (await found.get(site.url())).fetched
    assert fetched.status == 0
    assert fetched.error
    assert site.paths == ["/team"]


@pytest.mark.parametrize("status", [200, 404])
async def test_gzip_is_unpacked(site: Site, web_client: Client, status: int) -> None:
    site.says("/team", gzip.compress(PAGE.encode()), status, Content_Encoding="gzip")
    assert (await web_client.get(site.url())).fetched.body == PAGE.encode()


async def test_a_gzip_bomb_is_unpacked_no_further_than_a_page(site: Site, web_client: Client) -> None:
    bomb = gzip.compress(bytes(100 * 2**20), compresslevel=9)
    site.says("/team", bomb, Content_Encoding="gzip")
    assert len((await web_client.get(site.url())).fetched.body) == MOST_BYTES + 1


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress"])
async def test_what_is_packed_as_we_did_not_ask_is_not_read(
    site: Site, web_client: Client, encoding: str
) -> None:
    site.says("/team", b"\x1f\x8b", Content_Encoding=encoding)
    assert "did not ask" in (await web_client.get(site.url())).fetched.error


@pytest.mark.parametrize("body", [b"no gzip at all", gzip.compress(b"x" * 999, mtime=0)[:20]])
async def test_damaged_gzip_is_no_page(site: Site, web_client: Client, body: bytes) -> None:
    site.says("/team", body, Content_Encoding="gzip")
    assert (await web_client.get(site.url())).fetched.error


async def test_of_a_hundred_megabytes_no_more_is_taken_than_a_page(site: Site, web_client: Client) -> None:
    sent = 0

    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal sent
        answer = web.StreamResponse()
        await answer.prepare(request)
        while sent < 100 * 2**20:
            await answer.write(bytes(2**16))
            sent += 2**16
        return answer

    site.answers["/team"] = endless
    assert len((await web_client.get(site.url())).fetched.body) == MOST_BYTES + 1
    assert sent < 50 * 2**20


async def drip(request: web.BaseRequest) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    for _ in range(10_000):
        await answer.write(b"x")
        await asyncio.sleep(0.02)
    return answer


async def test_an_endless_slow_answer_ends(site: Site, clock: Clock) -> None:
    site.answers["/team"] = drip
    known, started = courtesy(clock), time.monotonic()
    async with client(site, clock, known=known, longest=SOON) as hasty:
        answer = await hasty.get(site.url())
    assert "no end" in answer.fetched.error
    assert time.monotonic() - started < LONGEST_SECONDS
    assert answer.retry_at is not None
    assert answer.retry_at > clock()


async def test_a_connection_that_breaks_off_is_no_page(site: Site, web_client: Client) -> None:
    async def broken(request: web.BaseRequest) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"content-length": "1000"})
        await answer.prepare(request)
        await answer.write(b"<html>")
        assert request.transport is not None
        request.transport.abort()
        return answer

    site.answers["/team"] = broken
    assert "broke off" in (await web_client.get(site.url())).fetched.error


async def test_what_is_no_http_is_no_page(clock: Clock) -> None:
    async def chatter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"220 mail.acme.example ESMTP\r\n" * 50)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(chatter, "127.0.0.1", 0)
    site = Site(port=server.sockets[0].getsockname()[1])
    async with server, client(site, clock) as found:
        assert (await found.get(site.url())).fetched.error


async def test_hosts_that_are_not_there_are_named_so(clock: Clock, unused_tcp_port: int) -> None:
    async with client(Site(port=unused_tcp_port), clock) as found:
        dead = (await found.get(Site(port=unused_tcp_port).url())).fetched
    assert (dead.status, dead.error) == (0, "the host cannot be reached")


@pytest.fixture
def unused_tcp_port() -> int:
    return free_port()


async def test_a_host_in_trouble_is_left_alone_longer_each_time(
    site: Site, clock: Clock, web_client: Client
) -> None:
    site.says("/team", status=503)
    waits = []
    for _ in range(4):
        answer = await web_client.get(site.url())
        assert answer.retry_at is not None
        waits.append(answer.retry_at - clock())
        early = await web_client.get(site.url())
        assert "left alone until" in early.fetched.error
        clock.now = answer.retry_at
    assert all(later >= 2 * sooner for sooner, later in pairwise(waits))
    assert len(site.paths) == 4


@pytest.mark.parametrize("value", ["7200", "Mon, 02 Mar 2026 11:00:00 GMT"])
async def test_retry_after_is_kept_to(site: Site, web_client: Client, value: str) -> None:
    site.says("/team", status=429, Retry_After=value)
    assert (await web_client.get(site.url())).retry_at == datetime(2026, 3, 2, 11, tzinfo=UTC)


@pytest.mark.parametrize("value", ["-5", "soon", "9" * 400, "Mon, 99 Mar 2026", "\u0663"])
async def test_a_retry_after_that_says_nothing_is_bounded(site: Site, web_client: Client, value: str) -> None:
    site.says("/team", status=503, Retry_After=value)
    retry_at = (await web_client.get(site.url())).retry_at
    assert retry_at is not None
    assert timedelta() < retry_at - START <= timedelta(days=31)


async def test_a_host_that_is_well_again_is_asked_again(site: Site, clock: Clock, web_client: Client) -> None:
    site.says("/team", status=503)
    await web_client.get(site.url())
    site.says("/team", PAGE)
    clock.pass_by(days=1)
    assert (await web_client.get(site.url())).fetched.status == 200
    assert (await web_client.get(site.url())).retry_at is None


async def test_a_host_is_never_asked_two_things_at_once(site: Site, clock: Clock) -> None:
    async def slow(_: web.BaseRequest) -> web.Response:
        await asyncio.sleep(0.02)
        return web.Response(text=PAGE)

    paths = [f"/{number}" for number in range(6)]
    site.answers.update(dict.fromkeys([*paths, "/robots.txt"], slow))
    known = courtesy(clock)
    async with client(site, clock, known=known) as one, client(site, clock, known=known) as other:
        await asyncio.gather(*(who.get(site.url(path)) for path in paths for who in (one, other)))
    assert len(site.paths) == 12
    assert site.most_at_once == 1
