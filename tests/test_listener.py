from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from bot import listener
from bot.listener import listening

LIMIT = 20.0
"""Seconds within which a busy machine has done anything here."""


async def alive(_request: web.Request) -> web.Response:
    return web.json_response({"status": "alive"})


async def echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read())


ROUTES = [web.get("/healthz", alive), web.post("/echo", echo)]


async def said(port: int, request: bytes) -> bytes:
    """Send bytes, and return all that comes until the other end hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        async with asyncio.timeout(LIMIT):
            return await reader.read()
    finally:
        writer.close()


async def test_whoever_never_ends_their_request_is_hung_up_on_and_others_are_answered() -> None:
    async with listening("127.0.0.1", 0, ROUTES, quiet=0.2) as port:
        slow = [
            asyncio.create_task(said(port, b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: ")) for _ in range(50)
        ]
        slow.append(asyncio.create_task(said(port, b"")))
        asked = await said(port, b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert b"alive" in asked
        assert set(await asyncio.gather(*slow)) == {b""}


async def test_more_connections_than_are_held_open_cost_the_quiet_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listener, "MOST_CONNECTIONS", 3)
    async with listening("127.0.0.1", 0, ROUTES) as port:
        lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(8)]
        reads = [asyncio.create_task(reader.read()) for reader, _ in lines]
        async with asyncio.timeout(LIMIT):
            for number, ended in enumerate(asyncio.as_completed(reads), 1):
                assert await ended == b""
                if number == len(lines) - 3:
                    break
        for read in reads:
            read.cancel()
        for _, writer in lines:
            writer.close()


async def test_a_body_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "REQUEST_SECONDS", 0.2)
    async with listening("127.0.0.1", 0, ROUTES) as port:
        request = b"POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 9\r\n\r\nabc"
        assert (await said(port, request)).startswith(b"HTTP/1.1 408 ")


async def test_an_answer_does_not_say_what_we_are_made_of() -> None:
    async with listening("127.0.0.1", 0, ROUTES) as port:
        answer = await said(port, b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert b"alive" in answer
    assert b"aiohttp" not in answer


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 7\r\n\r\nplanted",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nAuthorization: " + b"planted" * 20_000 + b"\r\n\r\n",
        b"GET /" + b"planted" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost planted\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_refused_and_nothing_of_it_is_logged(
    request_: bytes, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    async with listening("127.0.0.1", 0, ROUTES) as port:
        assert b" 400 " in (await said(port, request_)).partition(b"\r\n")[0]
    assert not [record for record in caplog.records if record.name.startswith("aiohttp")]
    shown = capfd.readouterr()
    assert "planted" not in shown.out + shown.err
