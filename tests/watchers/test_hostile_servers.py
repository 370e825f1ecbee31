"""Servers that answer too much, packed too tightly, or without an end: each costs one look, and no more."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest

from bot.model import SourceDown
from watchers import asking
from watchers.asking import wait
from watchers.calendar.line import Line, TooLarge
from watchers.mail import oauth
from watchers.mail.rest import Refused, Rest
from watchers.mail.tokens import Use

MB = 2**20
MOST = 4 * MB

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
Asking = Callable[[str], Awaitable[object]]


class Held:
    async def token(self, use: Use, refused: str = "") -> str:
        del use, refused
        return "held"


async def by_line(url: str) -> object:
    async with Line(MOST, 20) as line:
        return await line.ask("REPORT", httpx.URL(url))


async def by_rest(url: str) -> object:
    async with Rest(url, Held(), Use.MAIL, "rita", "renew it") as rest:
        return await rest.content("x", largest=MOST)


async def by_oauth(url: str) -> object:
    return await oauth.post(url, {"grant_type": "refresh_token"})


WAYS = pytest.mark.parametrize("ask", [by_line, by_rest, by_oauth])


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[str]:
    """Answer every request so, byte by byte as told, whatever HTTP says."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


def saying(body: bytes, *headers: str) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()

    return answer


def gzipped(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(MB)
    return b"".join(packer.compress(zeros) for _ in range(megabytes)) + packer.flush()


@WAYS
async def test_a_small_answer_that_unpacks_to_a_large_one_never_fills_the_memory(ask: Asking) -> None:
    async with serving(saying(gzipped(200), "Content-Encoding: gzip")) as url:
        tracemalloc.start()
        try:
            with pytest.raises((SourceDown, TooLarge, Refused)):
                await ask(url)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 4 * MOST


@WAYS
@pytest.mark.parametrize("coding", ["gzip, gzip", "br", "zstd", "deflate", "gzip, identity, gzip"])
async def test_an_answer_packed_as_nobody_asked_for_is_not_unpacked(ask: Asking, coding: str) -> None:
    async with serving(saying(gzip.compress(gzip.compress(b"{}")), f"Content-Encoding: {coding}")) as url:
        with pytest.raises(SourceDown):
            await ask(url)


@WAYS
async def test_an_answer_that_is_damaged_or_breaks_off_is_an_outage(ask: Asking) -> None:
    whole = gzip.compress(b'{"value": 1}' * 100)
    for body in (b"no gzip at all", whole[:-20]):
        async with serving(saying(body, "Content-Encoding: gzip")) as url:
            with pytest.raises(SourceDown):
                await ask(url)


@WAYS
async def test_a_packed_answer_is_unpacked(ask: Asking) -> None:
    async with serving(saying(gzip.compress(b"{}"), "Content-Encoding: gzip")) as url:
        assert await ask(url) is not None


@WAYS
async def test_an_answer_that_drips_without_an_end_ends_the_look(
    ask: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    monkeypatch.setattr(asking, "LONGEST_SECONDS", 0.3)
    async with serving(drip) as url:
        with pytest.raises(SourceDown, match=r"does not answer|cannot be reached"):
            async with asyncio.timeout(20):
                await ask(url)


@pytest.mark.parametrize(
    ("named", "asked"),
    [
        ("31", timedelta(seconds=31)),
        ("0", timedelta()),
        ("9" * 1000, timedelta(days=1)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", timedelta(days=1)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", timedelta()),
        ("Mon, 20 Nov 1995 19:12:08 +99999999999999", None),
        ("Mon, 20 Nov 1995 19:12:08 -9999", None),
        ("Fri, 31 Dec 9999 23:59:59 -2359", timedelta(days=1)),
        ("Fri, 31 Dec 9999 23:59:59 -0000", timedelta(days=1)),
        ("-5", None),
        ("soon", None),
        ("x" * 100_000, None),
        ("", None),
    ],
)
def test_a_wait_of_any_length_is_at_most_a_day(named: str, asked: timedelta | None) -> None:
    assert wait({"retry-after": named}) == asked


@WAYS
async def test_headers_without_an_end_are_an_outage(ask: Asking) -> None:
    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-More: " + b"x" * 1000 + b"\r\n")
            await writer.drain()

    async with serving(endless) as url:
        with pytest.raises(SourceDown):
            await ask(url)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"not JSON",
        b'{"token_type": "Bearer"}',
        b'{"access_token": "", "token_type": "Bearer"}',
        b'{"access_token": 5, "token_type": "Bearer"}',
        b'{"access_token": "planted", "token_type": "mac"}',
        b'{"access_token": "planted"}',
    ],
)
async def test_an_answer_without_a_bearer_token_is_an_outage_and_is_not_repeated(body: bytes) -> None:
    async with serving(saying(body)) as url:
        with pytest.raises(SourceDown, match="gave no token") as down:
            await oauth.ask(url, {"grant_type": "refresh_token"})
    assert "planted" not in str(down.value)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("60", 60.0),
        ("-1", 0.0),
        ("1e999", 86_400.0),
        ("true", 3600.0),
        ('"soon"', 3600.0),
        ("null", 3600.0),
    ],
)
async def test_a_token_is_good_for_a_day_at_most_whatever_is_said(said: str, seconds: float) -> None:
    body = f'{{"access_token": "a", "token_type": "bearer", "expires_in": {said}}}'.encode()
    async with serving(saying(body)) as url:
        assert (await oauth.ask(url, {})).seconds == seconds
