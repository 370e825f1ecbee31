"""Talk HTTP to a calendar server the operator named, bounded in time and size.

What the operator named may be a private address: that is their own network. A redirect leads no further than
to the same host, so that neither a password nor a secret address goes where nobody sent it.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus

import httpx

from bot.model import NeedsHuman, SourceDown
from watchers.asking import OpenLine, Overlong, exchange, in_words, wait

MOST_REDIRECTS = 5


@dataclass(frozen=True)
class Answer:
    """What a server answered; `url` is where, after redirects. Its body may hold anything."""

    status: int
    url: httpx.URL
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class TooLarge(NeedsHuman):
    """Say that an answer was cut off because it is too large."""


class Line(OpenLine):
    """A line to one server, whose answers are at most `largest` bytes. Use with `async with`."""

    def __init__(self, largest: int, seconds: float, auth: httpx.Auth | None = None) -> None:
        self._largest = largest
        super().__init__(
            httpx.AsyncClient(timeout=seconds, follow_redirects=False, auth=auth, verify=_trusted())
        )

    async def ask(
        self, method: str, url: httpx.URL, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """Ask, and follow redirects on the same host. Raises SourceDown and NeedsHuman."""
        for _ in range(MOST_REDIRECTS):
            answer = await self._ask(method, url, headers or {}, body)
            if answer.status not in {301, 302, 303, 307, 308} or "location" not in answer.headers:
                self._must_work(answer)
                return answer
            url = _further(url, answer.headers["location"])
        raise SourceDown(f"{url.host} redirects in circles")

    async def _ask(self, method: str, url: httpx.URL, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            with in_words(url.host), _connected(url.host):
                status, told, content = await exchange(
                    self._client, method, url, most=self._largest, headers=headers, content=body
                )
        except Overlong:
            raise TooLarge(
                f"{url.host} answers with more than {self._largest >> 20} MB",
                "name a smaller calendar, or one with less history",
            ) from None
        return Answer(status, url, told, content)

    def _must_work(self, answer: Answer) -> None:
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise SourceDown(f"{answer.url.host} asks for fewer requests", wait(answer.headers))
        # "Insufficient storage" says that there is more than a CalDAV server lists at once (RFC 6578 3.6).
        if (
            answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            and answer.status != HTTPStatus.INSUFFICIENT_STORAGE
        ):
            raise SourceDown(f"{answer.url.host} answers {answer.status}", wait(answer.headers))


@cache
def _trusted() -> ssl.SSLContext:
    """Return whom this machine trusts; reading that takes longer than most requests."""
    return ssl.create_default_context()


@contextmanager
def _connected(host: str) -> Iterator[None]:
    """Say what it means that no connection was made. Raises SourceDown and NeedsHuman."""
    try:
        yield
    except httpx.ConnectError as error:
        if "CERTIFICATE_VERIFY_FAILED" not in str(error):
            raise SourceDown(f"{host} cannot be reached") from None
        raise NeedsHuman(
            f"the certificate of {host} is not to be trusted",
            "correct `url`, or install the certificate authority on this machine",
        ) from None


def _further(url: httpx.URL, location: str) -> httpx.URL:
    """Return where a redirect leads, if that is the same host and no less safe."""
    try:
        target = url.join(location)
    except httpx.InvalidURL:
        raise SourceDown(f"{url.host} redirects to no address") from None
    upgrade = (url.scheme, target.scheme) == ("http", "https") and url.port is None and target.port is None
    if target.host == url.host and (upgrade or (url.scheme, url.port) == (target.scheme, target.port)):
        return target
    raise NeedsHuman(
        f"{url.host} redirects to {target.host[:80]}, where nothing is sent unasked",
        f"write the new address as `url` if you trust {target.host[:80]}",
    )
