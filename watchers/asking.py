"""Ask a server once, and take no more than fits: bounded in size after unpacking, and in time as a whole.

httpx bounds each step of an answer, but neither all of them together nor what a packed answer grows to.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import zlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from types import TracebackType
from typing import Any, Self

import httpx

from bot.model import SourceDown

for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # at lower levels they log addresses and headers

LONGEST_SECONDS = 300.0
"""An answer that has no end after this has none."""

LONGEST_WAIT = timedelta(days=1)
"""A server that asks for a longer wait is asked again after this."""

UNPACKED_AT_ONCE = 2**16
LONGEST_DATE = 40
ACCEPTED = {"Accept-Encoding": "gzip"}
"""The one packing that we ask for and undo; whatever else comes is not unpacked."""


class Overlong(Exception):  # noqa: N818 - it is an answer, of which the caller knows the meaning
    """Say that an answer is longer than it may be; `status` is how it began."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class OpenLine(AbstractAsyncContextManager["OpenLine"]):
    """A line that opens with its first request. Use with `async with`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def __aenter__(self) -> Self:
        """Return the line."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the line."""
        await self._client.aclose()


async def exchange(
    client: httpx.AsyncClient,
    method: str,
    url: httpx.URL | str,
    *,
    most: int,
    headers: Mapping[str, str],
    **sent: Any,
) -> tuple[int, httpx.Headers, bytes]:
    """Return the status, the headers and the whole body, of at most so many bytes.

    `sent` is what else `httpx` is to send. Raises `httpx.HTTPError` and `Overlong`.
    """
    try:
        async with (
            asyncio.timeout(LONGEST_SECONDS),
            client.stream(method, url, headers={**headers, **ACCEPTED}, **sent) as response,
        ):
            body = await bounded(response, most)
    except TimeoutError:
        raise httpx.ReadTimeout("the answer has no end") from None
    if len(body) > most:
        raise Overlong(response.status_code)
    return response.status_code, response.headers, body


def below(api: httpx.URL, path: str) -> httpx.URL:
    """Return the address of a path at an interface, to which alone its token goes.

    Raises `SourceDown` where what an answer or a cursor names lies elsewhere.
    """
    try:
        url = api.join(path)
    except httpx.InvalidURL:
        url = httpx.URL()
    same = (url.scheme, url.host, url.port) == (api.scheme, api.host, api.port)
    if not (same and url.path.startswith(api.path)):
        raise SourceDown(f"{api.host} names an address elsewhere, which is not asked")
    return url


@contextmanager
def in_words(host: str) -> Iterator[None]:
    """Say of a host in the house's words what went wrong on the way to it. Raises `SourceDown`."""
    try:
        yield
    except httpx.TimeoutException:
        raise SourceDown(f"{host} does not answer") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SourceDown(f"{host} cannot be read: {type(error).__name__}") from None


@cache
def trusted() -> ssl.SSLContext:
    """Return whom we trust; made once, for that takes longer than most answers."""
    return httpx.create_ssl_context()


def wait(
    headers: Mapping[str, str], now: datetime | None = None, longest: timedelta = LONGEST_WAIT
) -> timedelta | None:
    """Return the wait that a server asks for, in seconds or as a date (RFC 9110 10.2.3), or None."""
    named = headers.get("retry-after", "").strip()
    if named.isascii() and named.isdigit():
        return min(timedelta(seconds=int(named[:9])), longest)
    try:
        until = parsedate_to_datetime(named[:LONGEST_DATE])
        until = until.replace(tzinfo=UTC) if until.tzinfo is None else until
        return min(max(until - (now or datetime.now(UTC)), timedelta()), longest)
    except (ValueError, OverflowError):
        return None


async def bounded(response: httpx.Response, most: int) -> bytes:
    """Read a body up to one byte more than `most`, counted after unpacking: the rest is never asked for.

    Raises `httpx.DecodingError` for what cannot be unpacked and `httpx.ReadError` for what breaks off; their
    words can be shown.
    """
    packing = response.headers.get("content-encoding", "").strip().lower()
    if packing not in {"", "identity", "gzip", "x-gzip"}:
        raise httpx.DecodingError("packed in a way that we did not ask for")
    unpacker = zlib.decompressobj(wbits=31) if "gzip" in packing else None
    body = bytearray()
    async for part in response.aiter_raw():
        if unpacker is None:
            body += part[: most + 1 - len(body)]
        else:
            _unpack(unpacker, part, body, most)
        if len(body) > most:
            return bytes(body)
    if unpacker is not None and body and not unpacker.eof:
        raise httpx.ReadError("the connection broke off")
    return bytes(body)


def _unpack(unpacker: zlib._Decompress, part: bytes, body: bytearray, most: int) -> None:
    """Add what a part unpacks to, and stop once the body is too long; what follows its end is left."""
    try:
        while part and len(body) <= most and not unpacker.eof:
            body += unpacker.decompress(part, min(UNPACKED_AT_ONCE, most + 1 - len(body)))
            part = unpacker.unconsumed_tail
    except zlib.error as error:
        raise httpx.DecodingError("damaged on the way: it cannot be unpacked") from error
