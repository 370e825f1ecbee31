"""No connection is made but to a public address of the web, whatever a name resolves to, and when."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web.site import LOOPBACK, START, Clock, client, serving
from watchers.web.client import Client, Courtesy, Manners
from watchers.web.guard import MOST_URL, PUBLIC, GuardedTransport, Reach, Refused, host_of, is_never
from watchers.web.pace import FIRST_REST, LONGEST_PAUSE, LONGEST_REST, MOST_HOSTS, Pace


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "168.63.129.16",
        "::ffff:168.63.129.16",
        "64:ff9b::a83f:8110",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:100.64.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "3fff::1",
        "not an address",
        "",
    ],
)
def test_an_address_that_is_not_public_is_not_connected_to(address: str) -> None:
    assert not PUBLIC.lets_through(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_a_public_address_is_connected_to(address: str) -> None:
    assert PUBLIC.lets_through(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://linkedin.com/company/acme",
        "https://www.LinkedIn.com/company/acme",
        "https://de.linkedin.com.",
        "https://lnkd.in/x",
        "https://media.licdn.com/x",
        "ftp://www.acme.example/team",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/html,x",
        "//www.acme.example",
        "/team",
        "",
        "https://jane@www.acme.example/",
        "https://www.acme.example:8443/",
        "http://www.acme.example:0/",
        "http://www.acme.example:99999/",
        "https://www.acme.example/" + "x" * MOST_URL,
        "https://\x00.example/",
        "https://[::1",
    ],
)
def test_an_address_that_we_do_not_ask_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        PUBLIC.checked(url)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60).map("http://{}".format) | st.text(max_size=60))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        url = PUBLIC.checked(text)
    except Refused:
        return
    assert url.scheme in {"http", "https"}
    assert not is_never(url.host)
    assert isinstance(host_of(text), str)


async def test_a_name_that_resolves_inwards_is_refused_by_every_spelling() -> None:
    async with Client(Manners("x"), Courtesy(Pace(Clock())), Clock()) as found:
        for url in ("http://127.0.0.1/", "http://2130706433/", "http://0x7f.1/", "http://[::ffff:7f00:1]/"):
            fetched = (await found.get(url)).fetched
            assert fetched.error == "the host has an address that is not public"


async def test_a_name_with_one_inner_address_among_public_ones_is_refused() -> None:
    async def both(host: str, port: int) -> Sequence[str]:
        del host, port
        return ["8.8.8.8", "127.0.0.1"]

    transport = GuardedTransport(Reach(resolver=both))
    with pytest.raises(Refused):
        await transport.handle_async_request(httpx.Request("GET", "http://www.acme.example/"))
    await transport.aclose()


async def test_what_was_checked_is_what_is_connected_to() -> None:
    """A name that changes its address between two look-ups (DNS rebinding) is looked up once a connection."""
    looked_up = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        del port
        looked_up.append(host)
        return ["127.0.0.1"] if len(looked_up) == 1 else ["10.0.0.1"]

    async with serving() as site:
        site.says("/team", "here")
        reach = Reach(frozenset({site.port}), LOOPBACK, rebinding)
        async with httpx.AsyncClient(transport=GuardedTransport(reach)) as found:
            assert (await found.get(site.url())).text == "here"
            assert site.asked[0].host == f"www.acme.example:{site.port}"
            with pytest.raises(Refused):
                await found.get(site.url(host="other.acme.example"))
    assert looked_up == ["www.acme.example", "other.acme.example"]


async def test_a_certificate_is_verified_by_name_although_an_address_is_connected_to(tmp_path: Path) -> None:
    from tests.web.certificate import self_signed

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path, "www.acme.example"))
    asked: list[str] = []
    context.sni_callback = lambda _, name, __: asked.append(name or "")
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]

    async def here(host: str, port: int) -> Sequence[str]:
        del host, port
        return ["127.0.0.1"]

    reach = Reach(frozenset({port}), LOOPBACK, here)
    async with server, Client(Manners("x"), Courtesy(Pace(Clock())), Clock(), reach) as found:
        fetched = (await found.get(f"https://www.acme.example:{port}/team")).fetched
    assert fetched.error == "the host cannot prove who it is (TLS)"
    assert asked == ["www.acme.example"]


async def test_a_proxy_that_the_environment_names_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with serving() as site, client(site, Clock()) as found:
        site.says("/team", "here")
        assert (await found.get(site.url())).fetched.body == b"here"


class Slept:
    """A sleep that lets the clock pass."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.waits: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.clock.pass_by(seconds=seconds)


async def test_between_two_requests_to_a_host_there_is_a_pause_and_a_longer_one_where_asked_for() -> None:
    clock = Clock()
    slept = Slept(clock)
    pace = Pace(clock, timedelta(seconds=2), slept)
    for pause in (None, timedelta(seconds=9), timedelta(days=1), None):
        async with pace.turn("www.acme.example", pause):
            pass
    async with pace.turn("other.example"):
        pass
    assert slept.waits == [2, 9, LONGEST_PAUSE.total_seconds()]


async def test_a_clock_that_is_set_back_makes_nobody_wait_for_hours() -> None:
    clock = Clock()
    slept = Slept(clock)
    pace = Pace(clock, timedelta(seconds=2), slept)
    async with pace.turn("www.acme.example"):
        pass
    clock.pass_by(days=-1)
    async with pace.turn("www.acme.example"):
        pass
    assert slept.waits == [LONGEST_PAUSE.total_seconds()]


def test_a_host_rests_longer_each_time_up_to_a_week() -> None:
    clock = Clock()
    pace = Pace(clock)
    rests = []
    for _ in range(20):
        pace.failed("www.acme.example")
        until = pace.rests_until("www.acme.example")
        assert until is not None
        rests.append(until - clock())
    assert rests[:3] == [FIRST_REST, 2 * FIRST_REST, 4 * FIRST_REST]
    assert rests[-1] == LONGEST_REST
    pace.answered("www.acme.example")
    assert pace.rests_until("www.acme.example") is None


async def test_no_more_hosts_are_remembered_than_need_patience() -> None:
    clock = Clock()
    pace = Pace(clock, timedelta(), Slept(clock))
    pace.failed("bad.example")
    for number in range(2 * MOST_HOSTS):
        async with pace.turn(f"{number}.example"):
            pass
    assert len(pace._hosts) <= MOST_HOSTS
    assert pace.rests_until("bad.example") == START + FIRST_REST
