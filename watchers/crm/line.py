"""Ask a CRM's web interface, bounded in time, size and pace, and say in the house's words what went wrong.

The token goes to the one address that is configured and nowhere else: no redirect is followed, and an address
that an answer names must lie below it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Protocol

import httpx

from bot.model import NeedsHuman, SourceDown
from watchers.asking import OpenLine, Overlong, below, exchange, in_words, trusted, wait

TIMEOUT_SECONDS = 60.0
LARGEST = 16 * 2**20
"""How many bytes one answer may have; a full page of either CRM has less than one million."""

MOST_PAGES = 10_000
"""So many pages one answer may have, which is a million records and more; what goes on has no end."""

REFUSED_FROM = 300
AFTER_RATE_LIMIT = timedelta(seconds=30)
LONGEST_WORDS = 200


class Key(Protocol):
    """Opens the line."""

    async def token(self, refused: str = "") -> str:
        """Return an access token, another one than was refused. Raises `SourceDown`, `NeedsHuman`."""


class Refused(Exception):  # noqa: N818 - it is an answer, which the caller knows the meaning of
    """A refusal that is neither the line's nor the token's fault: `code` is the CRM's, `path` was asked."""

    def __init__(self, status: int, code: str, told: object = None, path: str = "") -> None:
        super().__init__(f"{status} {code}".strip())
        self.status = status
        self.code = code
        self.told = told
        self.path = path


def pages(host: str) -> Iterator[int]:
    """Count the pages of one answer. Raises `SourceDown` where it has no end."""
    yield from range(MOST_PAGES)
    raise SourceDown(f"{host} answers with pages that have no end")


def unanswerable(refused: Refused, host: str, check: str) -> NeedsHuman:
    """Return a refusal of a question that only a person can put otherwise; `check` says where it stands."""
    told = refused.told[0] if isinstance(refused.told, list) and refused.told else refused.told
    said = " ".join(text(under(told, "message")).split())[:LONGEST_WORDS]
    if refused.status == HTTPStatus.NOT_FOUND and not refused.code:
        return NeedsHuman(
            f"{host} knows nothing at {refused.path} ({refused})", "check that `api` is its address"
        )
    return NeedsHuman(f"{host} refuses the question ({refused}){f': {said}' if said else ''}", check)


@dataclass(frozen=True)
class Dialect:
    """How a CRM words its refusals: `code` finds the code in an answer, `cure` says what a person must do."""

    code: Callable[[object], str]
    cure: Callable[[int, str, object], NeedsHuman | None]
    busy: frozenset[str] = frozenset()


class Line(OpenLine):
    """A line to one CRM. Use with `async with`; `pause` is the least time between two requests."""

    def __init__(self, api: str, key: Key, dialect: Dialect, pause: timedelta) -> None:
        self._api = httpx.URL(api.rstrip("/") + "/")
        self._key = key
        self._dialect = dialect
        self._pause = pause.total_seconds()
        self._next = 0.0
        super().__init__(httpx.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=False, verify=trusted()))

    @property
    def host(self) -> str:
        """Return the host's name, by which failures call it."""
        return self._api.host

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """Return what an address says; see `ask`."""
        return await self.ask("GET", path, params=params)

    async def post(self, path: str, body: object) -> Any:
        """Send a question or something new; see `ask`."""
        return await self.ask("POST", path, body=body)

    async def patch(self, path: str, body: object) -> Any:
        """Change something; see `ask`."""
        return await self.ask("PATCH", path, body=body)

    async def ask(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, body: object = None
    ) -> Any:
        """Return the JSON of an answer, None where there is none.

        A token that is refused is renewed once. Raises `SourceDown`, `NeedsHuman`, and `Refused` for what
        only the caller can judge.
        """
        url = below(self._api, path)
        token = await self._key.token()
        status, headers, raw = await self._send(method, url, params, body, token)
        if status == HTTPStatus.UNAUTHORIZED:
            token = await self._key.token(refused=token)
            status, headers, raw = await self._send(method, url, params, body, token)
        try:
            told = json.loads(raw) if raw.strip() else None
        except (ValueError, RecursionError):
            if status < REFUSED_FROM:
                raise SourceDown(f"{self.host} does not answer in JSON") from None
            told = None
        if status >= REFUSED_FROM:
            raise self._failure(status, told, wait(headers), url.path)
        return told

    async def _send(
        self, method: str, url: httpx.URL, params: Mapping[str, str] | None, body: object, token: str
    ) -> tuple[int, httpx.Headers, bytes]:
        await self._our_turn()
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        sent = None if body is None else json.dumps(body).encode()
        if sent is not None:
            headers["Content-Type"] = "application/json"
        try:
            with in_words(self.host):
                return await exchange(
                    self._client, method, url, most=LARGEST, headers=headers, params=params, content=sent
                )
        except Overlong:
            raise SourceDown(f"{self.host} answers too much") from None

    async def _our_turn(self) -> None:
        """Wait until the next request may go out."""
        now = time.monotonic()
        begin = max(now, self._next)
        self._next = begin + self._pause
        if begin > now:
            await asyncio.sleep(begin - now)

    def _failure(self, status: int, told: object, asked: timedelta | None, path: str) -> Exception:
        code = self._dialect.code(told)[:LONGEST_WORDS]
        if status == HTTPStatus.TOO_MANY_REQUESTS or code in self._dialect.busy:
            return SourceDown(f"{self.host} asks for fewer requests", asked or AFTER_RATE_LIMIT)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return SourceDown(f"{self.host} answers {status}", asked)
        cured = self._dialect.cure(status, code, told)
        return cured or Refused(status, code, told, path)


def under(value: object, *path: str) -> Any:
    """Return what stands at a path of nested objects, None where there is nothing."""
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def text(value: object) -> str:
    """Return text as it is, a number as text, and nothing for what is neither."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def number(value: object) -> int:
    """Return a count, 0 for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
