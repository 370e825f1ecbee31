"""robots.txt is kept to as RFC 9309 says, and a hostile one costs little."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web.site import SOON, START, Clock, Site, client, courtesy, serving
from tests.web.test_client import LONGEST_SECONDS, drip
from watchers.web.robots import KEPT_FOR, MOST_BYTES, MOST_KEPT, Robots, Rules, concerning, understood

URL = "https://www.acme.example/team"


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serving() as site:
        site.says("/team", "<h1>Team</h1>")
        yield site


def verdict(text: str, url: str = URL) -> str:
    return understood(200, text.encode(), START).verdict(url)[0]


@pytest.mark.parametrize(
    "text",
    [
        "User-agent: *\nDisallow: /",
        "User-Agent: stillthere\nDisallow: /team",
        "\ufeffuser-agent: Stillthere/1.0\ndisallow: /",
        "User-agent: other\nUser-agent: stillthere\nDisallow: /",
        "User-agent: stillthere\nUser-agent: other\nDisallow: /",
        "User-agent: *\nAllow: /te\nDisallow: /team",
        "User-agent: *\nDisallow: /*am$",
        "User-agent: *\n\n\n# a remark\nDisallow: /",
        "User-agent: *\nSitemap: https://www.acme.example/map.xml\nDisallow: /",
        "User-agent: stillthere\n# and\n\nUser-agent: other\nDisallow: /",
    ],
)
def test_what_is_forbidden_is_not_read(text: str) -> None:
    assert verdict(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "User-agent: other\nDisallow: /",
        "User-agent: still\nDisallow: /",
        "User-agent: stillthere\nAllow: /\n\nUser-agent: *\nDisallow: /",
        "User-agent: *\nDisallow: /\nAllow: /team",
        "User-agent: *\nDisallow:",
        "User-agent: stillthere\nDisallow: /x\nUser-agent: other\nDisallow: /",
        "<html>Not a robots.txt at all</html>",
        "\x00\x01\x02",
    ],
)
def test_what_is_not_forbidden_may_be_read(text: str) -> None:
    assert not verdict(text)


@pytest.mark.parametrize(("status", "readable"), [(404, True), (403, True), (503, False), (429, False)])
async def test_no_file_allows_all_and_a_server_in_trouble_allows_nothing(
    site: Site, status: int, *, readable: bool
) -> None:
    site.says("/robots.txt", status=status)
    async with client(site, Clock()) as found:
        fetched = (await found.get(site.url())).fetched
    assert (fetched.status == 200) is readable
    assert readable or "robots.txt cannot be read" in fetched.error


async def test_a_forbidden_page_is_not_asked_for_and_the_reason_is_told(site: Site) -> None:
    site.says("/robots.txt", "User-agent: *\nDisallow: /team")
    async with client(site, Clock()) as found:
        fetched = (await found.get(site.url())).fetched
    assert "robots.txt asks" in fetched.error
    assert site.paths == []


async def test_the_target_of_a_redirect_is_looked_up_in_the_rules_of_its_own_host(site: Site) -> None:
    async def rules(request: web.BaseRequest) -> web.Response:
        forbids = request.host.startswith("people.")
        return web.Response(text="User-agent: *\nDisallow: /" if forbids else "")

    site.answers["/robots.txt"] = rules
    site.leads("/team", site.url("/staff", host="people.acme.example"))
    async with client(site, Clock()) as found:
        fetched = (await found.get(site.url())).fetched
    assert "robots.txt asks" in fetched.error
    assert site.paths == ["/team"]


async def test_the_file_is_asked_for_once_a_day(site: Site) -> None:
    clock = Clock()
    known = courtesy(clock)
    for passed in (timedelta(), KEPT_FOR / 2, KEPT_FOR):
        clock.now = START + passed
        async with client(site, clock, known=known) as found:
            await found.get(site.url())
    assert [request.path for request in site.asked].count("/robots.txt") == 2


async def test_the_file_is_followed_where_it_moved_and_a_loop_ends(site: Site) -> None:
    site.leads("/robots.txt", "/rules.txt", 301)
    site.says("/rules.txt", "User-agent: *\nDisallow: /")
    async with client(site, Clock()) as found:
        assert "robots.txt asks" in (await found.get(site.url())).fetched.error
    site.leads("/rules.txt", "/robots.txt")
    async with client(site, Clock()) as found:
        assert (await found.get(site.url())).fetched.status == 200


async def test_an_endless_file_is_read_up_to_its_limit(site: Site) -> None:
    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        await answer.write(b"User-agent: *\nDisallow: /team\n")
        for _ in range(2**14):
            await answer.write(b"# nothing\n" * 6_553)
        return answer

    site.answers["/robots.txt"] = endless
    async with client(site, Clock(), longest=timedelta(seconds=LONGEST_SECONDS)) as found:
        assert "robots.txt asks" in (await found.get(site.url())).fetched.error


async def test_an_endless_slow_file_means_that_nothing_is_read(site: Site) -> None:
    site.answers["/robots.txt"] = drip
    async with client(site, Clock(), longest=SOON) as found:
        assert "no end" in (await found.get(site.url())).fetched.error
    assert site.paths == []


@pytest.mark.parametrize(
    "line",
    [
        "User-agent: robot{n}\n",
        "User-agent: *\nDisallow: /{n}\n",
        "User-agent: a{n}\nDisallow: /{n}\n",
        "Disallow: /*a*a*a*a*{n}\n",
        "Sitemap: http://x/{n}\n",
        "\x85",
    ],
)
def test_a_hostile_file_takes_bounded_time(line: str) -> None:
    half = "".join(line.format(n=number) for number in range(20_000))
    body = ("User-agent: stillthere\n" + half + "Disallow: /x\n" * 20_000)[:MOST_BYTES]
    started = time.monotonic()
    understood(200, body.encode(), START).verdict(URL + "a" * 1_000)
    assert time.monotonic() - started < LONGEST_SECONDS


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.integers(100, 599))
def test_anything_can_be_a_robots_txt(body: bytes, status: int) -> None:
    understood(status, body, START).verdict(URL)


def test_a_crawl_delay_is_told() -> None:
    assert understood(200, b"User-agent: *\nCrawl-delay: 7", START).verdict(URL) == ("", timedelta(seconds=7))
    assert understood(200, b"User-agent: *\nCrawl-delay: 1e400", START).verdict(URL) == ("", None)


def test_sitemaps_are_kept_whoever_they_stand_under() -> None:
    text = "User-agent: other\nDisallow: /\nSitemap: https://www.acme.example/map.xml"
    assert understood(200, text.encode(), START).sitemaps() == ("https://www.acme.example/map.xml",)
    assert "Disallow" not in concerning(text)


def test_what_is_remembered_is_bounded_and_the_oldest_goes_first() -> None:
    robots = Robots()
    for number in range(40):
        robots.keep(f"https://{number}.example", Rules(START, text="x" * (MOST_KEPT // 10)))
    assert robots.known("https://0.example", START) is None
    assert robots.known("https://39.example", START) is not None
    kept = [number for number in range(40) if robots.known(f"https://{number}.example", START)]
    assert len(kept) < 10
