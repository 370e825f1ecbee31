"""Where a line to a calendar server goes, and what it says where it goes nowhere."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from bot.model import NeedsHuman, SourceDown
from tests.web.certificate import self_signed
from watchers.calendar.line import MOST_REDIRECTS, Answer, Line, _further


async def ask(url: str) -> Answer:
    async with Line(10_000, 10) as line:
        return await line.ask("GET", httpx.URL(url))


@pytest.mark.parametrize(
    ("url", "location", "target"),
    [
        ("https://a.example/x", "/y", "https://a.example/y"),
        ("https://a.example/x", "https://a.example/y", "https://a.example/y"),
        ("http://a.example/x", "https://a.example/y", "https://a.example/y"),
        ("http://a.example:8080/x", "//a.example:8080/y", "http://a.example:8080/y"),
    ],
)
def test_a_redirect_to_the_same_host_that_is_no_less_safe_is_followed(
    url: str, location: str, target: str
) -> None:
    assert str(_further(httpx.URL(url), location)) == target


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("https://a.example/x", "http://a.example/x"),
        ("https://a.example/x", "https://a.example:8443/x"),
        ("http://a.example:8080/x", "https://a.example/x"),
        ("http://a.example/x", "https://a.example:8443/x"),
        ("http://a.example/x", "ftp://a.example/x"),
        ("https://a.example/x", "https://evil.example/x"),
        ("https://a.example/x", "//evil.example/x"),
        ("https://a.example/x", "https://a.example.evil.example/x"),
    ],
)
def test_no_secret_follows_a_redirect_elsewhere(url: str, location: str) -> None:
    with pytest.raises(NeedsHuman, match="where nothing is sent unasked"):
        _further(httpx.URL(url), location)


def test_a_redirect_to_no_address_is_an_outage() -> None:
    with pytest.raises(SourceDown, match="redirects to no address"):
        _further(httpx.URL("https://a.example/x"), "http://a.example:port/")


async def test_a_redirect_in_circles_is_given_up() -> None:
    asked = 0

    async def on_and_on(request: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.Response(status=302, headers={"Location": str(request.url)})

    app = web.Application()
    app.router.add_get("/", on_and_on)
    async with TestServer(app) as server:
        with pytest.raises(SourceDown, match="in circles"):
            await ask(str(server.make_url("/")))
    assert asked == MOST_REDIRECTS


async def test_a_certificate_that_nobody_vouches_for_needs_a_human_and_nothing_is_asked(
    tmp_path: Path,
) -> None:
    asked: list[web.Request] = []

    async def note(request: web.Request) -> web.Response:
        asked.append(request)
        return web.Response()

    app = web.Application()
    app.router.add_get("/", note)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(self_signed(tmp_path, "localhost"))
    server = TestServer(app, host="localhost")
    await server.start_server(ssl=context)
    try:
        with pytest.raises(NeedsHuman, match="the certificate of localhost is not to be trusted"):
            await ask(f"https://localhost:{server.port}/")
    finally:
        await server.close()
    assert asked == []


async def test_a_server_that_is_not_there_is_an_outage() -> None:
    with pytest.raises(SourceDown, match="cannot be reached"):
        await ask(f"http://127.0.0.1:{unused_port()}/")
