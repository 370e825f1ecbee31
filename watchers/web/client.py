"""Ask public websites politely, and bear whatever they answer.

One request at a time to a host, by its robots.txt and at its pace; no cookies, no login, no proxy that the
environment names. Everything is bounded: redirects, time, bytes after unpacking. Nothing raises: an answer
that is none says why, in words.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from types import TracebackType
from typing import Self

import httpcore
import httpx

from watchers.asking import bounded, wait
from watchers.web import robots
from watchers.web.guard import PUBLIC, GuardedTransport, Reach, Refused, host_of
from watchers.web.pace import Clock, Pace
from watchers.web.pages import MOST_BYTES, Fetched
from watchers.web.revalidation import Question, Validators
from watchers.web.robots import Robots, Rules

MOST_REDIRECTS = 5
LONGEST = timedelta(seconds=30)
"""From the first byte asked to the last one read, of one answer."""
ONE_STEP = 10.0
"""Seconds that connecting, or waiting for the next bytes, may take."""
LONGEST_RETRY_AFTER = timedelta(days=30)

_MOVED = frozenset((301, 302, 303, 307, 308))


class _Ended(Exception):  # noqa: N818 - an outcome, not a fault
    """End a request without an answer, for a reason in words. `blame` says whether the host is in trouble."""

    def __init__(self, reason: str, *, blame: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.blame = blame


@dataclass(frozen=True, slots=True)
class Manners:
    """How we present ourselves: `contact` is an address at which a webmaster reaches a person."""

    contact: str
    version: str = "0.1"
    longest: timedelta = LONGEST

    @property
    def agent(self) -> str:
        """Return the User-Agent: who asks, and whom to write to."""
        return f"{robots.TOKEN}/{self.version} (watches public team pages; {self.contact})"


@dataclass
class Courtesy:
    """What is known of hosts for as long as the process runs: their pace and their rules."""

    pace: Pace
    robots: Robots = field(default_factory=Robots)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking for a page.

    `unchanged` says that it is what the given validators or digest stand for; then `fetched` has no body.
    `validators` and `digest` are what to give the next time. `retry_at` is when the host may be asked again,
    None where it asked for no patience.
    """

    fetched: Fetched
    unchanged: bool = False
    validators: Validators = field(default_factory=dict)
    digest: str = ""
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Raw:
    """One answer to one request."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


class Client:
    """A polite HTTP client. Use it as an asynchronous context manager; `courtesy` outlives it."""

    def __init__(
        self, manners: Manners, courtesy: Courtesy, clock: Clock | None = None, reach: Reach = PUBLIC
    ) -> None:
        self._manners = manners
        self._courtesy = courtesy
        self._clock = clock or (lambda: datetime.now(UTC))
        self._reach = reach
        self._headers = {
            "user-agent": manners.agent,
            "accept": "text/html,application/xhtml+xml,application/json;q=0.8,*/*;q=0.5",
            "accept-encoding": "gzip",
        }
        # The bare transport: an httpx client keeps cookies, and trips over addresses that a site leads to.
        self._transport = GuardedTransport(reach)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.aclose()

    async def get(self, url: str, validators: Validators | None = None, digest: str = "") -> Answer:
        """Ask for a page, follow where it moved, and say whether it is what was seen last."""
        status, at = 0, url
        try:
            for _ in range(MOST_REDIRECTS + 1):
                question = Question(at, self._headers, (validators or {}) if at == url else {})
                raw = await self._page(question)
                status = raw.status
                if status not in _MOVED:
                    return self._answer(url, question, raw, digest)
                at = _moved_to(at, raw)
        except _Ended as end:
            return Answer(
                Fetched(0, url, at, b"", self._clock().date(), error=end.reason), retry_at=self._rests(at)
            )
        reason = f"led on more than {MOST_REDIRECTS} times"
        return Answer(Fetched(0, url, at, b"", self._clock().date(), error=reason))

    async def sitemaps(self, url: str) -> tuple[str, ...]:
        """Return the sitemaps that the site's robots.txt names; none where there is none to be had."""
        try:
            return (await self._rules(self._reach.checked(url))).sitemaps()
        except (_Ended, Refused):
            return ()

    def _answer(self, url: str, question: Question, raw: _Raw, digest: str) -> Answer:
        day, now_at = self._clock().date(), self._rests(question.url)
        if question.is_unchanged(raw.status, raw.headers):
            fetched = Fetched(raw.status, url, question.url, b"", day, raw.headers)
            return Answer(fetched, unchanged=True, validators=question.validators, digest=digest)
        seen = hashlib.sha256(f"{raw.status} {question.url}\n".encode() + raw.body).hexdigest()[:32]
        same = seen == digest
        fetched = Fetched(raw.status, url, question.url, b"" if same else raw.body, day, raw.headers)
        # A validator belongs to the address that sent it: after a redirect it would be sent to another.
        kept = question.remembered(raw.status, raw.headers) if question.url == url else {}
        return Answer(fetched, unchanged=same, validators=kept, digest=seen, retry_at=now_at)

    def _rests(self, url: str) -> datetime | None:
        return self._courtesy.pace.rests_until(host_of(url))

    async def _page(self, question: Question) -> _Raw:
        """Ask one host for one page, if its robots.txt lets us."""
        url = self._checked(question.url)
        host = host_of(str(url))
        rests = self._courtesy.pace.rests_until(host)
        if rests is not None:
            raise _Ended(f"the host is left alone until {rests:%-d %B, %H:%M} UTC")
        reason, pause = (await self._rules(url)).verdict(str(url))
        if reason:
            raise _Ended(reason)
        async with self._courtesy.pace.turn(host, pause):
            return await self._ask(host, url, {**self._headers, **question.conditions}, MOST_BYTES)

    async def _rules(self, url: httpx.URL) -> Rules:
        """Return the rules of a site, asked for at most once a day."""
        origin = str(url.copy_with(raw_path=b"/robots.txt"))
        known = self._courtesy.robots.known(origin, self._clock())
        if known is None:
            known = await self._fresh_rules(origin)
            self._courtesy.robots.keep(origin, known)
        return known

    async def _fresh_rules(self, origin: str) -> Rules:
        at = origin
        try:
            for _ in range(robots.MOST_REDIRECTS + 1):
                url = self._checked(at)
                host = host_of(at)
                async with self._courtesy.pace.turn(host):
                    raw = await self._ask(host, url, self._headers, robots.MOST_BYTES)
                if raw.status not in _MOVED:
                    return robots.understood(raw.status, raw.body, self._clock())
                at = _moved_to(at, raw)
        except _Ended as end:
            return Rules(self._clock(), unreachable=end.reason)
        return Rules(self._clock())

    def _checked(self, url: str) -> httpx.URL:
        try:
            return self._reach.checked(url)
        except Refused as refusal:
            raise _Ended(str(refusal)) from None

    async def _ask(self, host: str, url: httpx.URL, headers: Mapping[str, str], most: int) -> _Raw:
        """Send one request and note how the host is."""
        try:
            async with asyncio.timeout(self._manners.longest.total_seconds()), _in_words():
                raw = await self._exchange(url, headers, most)
        except TimeoutError:
            self._courtesy.pace.failed(host)
            seconds = self._manners.longest.total_seconds()
            raise _Ended(f"the answer had no end within {seconds:g} seconds") from None
        except _Ended as end:
            if end.blame:
                self._courtesy.pace.failed(host)
            raise
        if raw.status >= HTTPStatus.INTERNAL_SERVER_ERROR or raw.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._courtesy.pace.failed(host, wait(raw.headers, self._clock(), LONGEST_RETRY_AFTER))
        else:
            self._courtesy.pace.answered(host)
        return raw

    async def _exchange(self, url: httpx.URL, headers: Mapping[str, str], most: int) -> _Raw:
        request = httpx.Request("GET", url, headers=dict(headers), extensions={"timeout": _timeouts()})
        answer = await self._transport.handle_async_request(request)
        try:
            if answer.status_code in _MOVED:
                return _Raw(answer.status_code, _plain(answer.headers))
            if answer.status_code == HTTPStatus.NOT_MODIFIED:
                async for _ in answer.aiter_raw():
                    pass  # it has no body: only who reads its end keeps the connection for the next page
                return _Raw(answer.status_code, _plain(answer.headers))
            body = await bounded(answer, most)
        finally:
            await answer.aclose()
        return _Raw(answer.status_code, _plain(answer.headers), body)


def _timeouts() -> dict[str, float]:
    return dict.fromkeys(("connect", "read", "write", "pool"), ONE_STEP)


def _plain(headers: httpx.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _moved_to(url: str, raw: _Raw) -> str:
    """Return where an answer leads."""
    target = raw.headers.get("location", "").strip()
    if not target:
        raise _Ended("led on to nowhere")
    try:
        return str(httpx.URL(url).join(target))
    except (httpx.InvalidURL, ValueError, UnicodeError):
        raise _Ended("led on to what is no address") from None


@asynccontextmanager
async def _in_words() -> AsyncIterator[None]:
    """Say in words what went wrong on the way."""
    try:
        yield
    except Refused as refusal:
        raise _Ended(str(refusal)) from None
    except httpcore.TimeoutException:
        raise _Ended(f"the host did not answer within {ONE_STEP:g} seconds", blame=True) from None
    except (httpcore.ConnectError, OSError) as error:
        raise _Ended(_connecting(error), blame=True) from None
    except httpx.DecodingError as error:
        raise _Ended(str(error)) from None
    except (httpcore.ReadError, httpcore.RemoteProtocolError, httpcore.WriteError, httpx.ReadError):
        raise _Ended("the connection broke off", blame=True) from None
    except (httpcore.ProtocolError, httpcore.UnsupportedProtocol, httpx.HTTPError, httpx.StreamError):
        raise _Ended("what came was no HTTP", blame=True) from None


def _connecting(error: Exception) -> str:
    """Return why no connection was made."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return "the host is not known"
        if isinstance(cause, ssl.SSLError):
            return "the host cannot prove who it is (TLS)"
        cause = cause.__cause__ or cause.__context__
    return "the host cannot be reached"
