from __future__ import annotations

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.model import SourceDown
from watchers import asking
from watchers.profiles.line import LARGEST, Line

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
MEGABYTE = 2**20


@asynccontextmanager
async def to(handler: Handler) -> AsyncIterator[Line]:
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handler)
    async with TestServer(app) as server, Line(str(server.make_url("/")), {"X-Key": "of the test"}) as line:
        yield line


def answering(body: bytes, **headers: str) -> Handler:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, headers=headers)

    return handler


async def test_a_packed_answer_is_cut_off_before_it_is_unpacked_whole() -> None:
    bomb = gzip.compress(bytes(60 * MEGABYTE))
    async with to(answering(bomb, **{"Content-Encoding": "gzip"})) as line:
        tracemalloc.start()
        try:
            with pytest.raises(SourceDown, match="more than is ever needed"):
                await line.get("/x")
            assert tracemalloc.get_traced_memory()[1] < 10 * LARGEST
        finally:
            tracemalloc.stop()


async def test_an_answer_in_a_packing_that_nobody_asked_for_is_not_unpacked() -> None:
    async with to(answering(b"\x00\x01", **{"Content-Encoding": "br"})) as line:
        with pytest.raises(SourceDown):
            await line.get("/x")


async def test_an_answer_that_drips_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "LONGEST_SECONDS", 0.3)

    async def drip(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(b" ")
            await asyncio.sleep(0.02)

    async with to(drip) as line:
        with pytest.raises(SourceDown, match="does not answer"):
            await line.get("/x")


async def test_an_answer_in_gzip_is_read_and_keeps_its_headers() -> None:
    headers = {"Content-Encoding": "gzip", "ETag": '"1"'}
    async with to(answering(gzip.compress(b'{"a": 1}'), **headers)) as line:
        reply = await line.get("/x", headers={"Accept": "application/json"})
    assert reply.fields == {"a": 1}
    assert reply.headers["etag"] == '"1"'
