"""Ask a server once, and take no more than fits: bounded in size after unpacking, and in time as a whole.

httpx bounds each step of an answer, but neither all of them together nor what a packed answer grows to.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self

import httpx

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
            return response.status_code, response.headers, await _body(response, most)
    except TimeoutError:
        raise httpx.ReadTimeout("the answer has no end") from None


def wait(headers: Mapping[str, str]) -> timedelta | None:
    """Return the wait that a server asks for, in seconds or as a date (RFC 9110 10.2.3), or None."""
    named = headers.get("retry-after", "").strip()
    if named.isascii() and named.isdigit():
        return min(timedelta(seconds=int(named[:9])), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(named[:LONGEST_DATE])
        until = until.replace(tzinfo=UTC) if until.tzinfo is None else until
        return min(max(until - datetime.now(UTC), timedelta()), LONGEST_WAIT)
    except (ValueError, OverflowError):
        return None


async def _body(response: httpx.Response, most: int) -> bytes:
    packing = response.headers.get("content-encoding", "").strip().lower()
    if packing not in {"", "identity", "gzip", "x-gzip"}:
        raise httpx.DecodingError("it is packed in a way that nobody asked for")
    unpacker = zlib.decompressobj(wbits=31) if "gzip" in packing else None
    body = bytearray()
    async for part in response.aiter_raw():
        if unpacker is None:
            body += part
        else:
            _unpack(unpacker, part, body, most)
        if len(body) > most:
            raise Overlong(response.status_code)
    if unpacker is not None and body and not unpacker.eof:
        raise httpx.DecodingError("it breaks off")
    return bytes(body)


def _unpack(unpacker: zlib._Decompress, part: bytes, body: bytearray, most: int) -> None:
    """Add what a part unpacks to, and stop once the body is too long; what follows its end is left."""
    try:
        while part and len(body) <= most and not unpacker.eof:
            body += unpacker.decompress(part, UNPACKED_AT_ONCE)
            part = unpacker.unconsumed_tail
    except zlib.error as error:
        raise httpx.DecodingError("it cannot be unpacked") from error
