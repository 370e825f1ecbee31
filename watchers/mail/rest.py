"""Ask a provider's web interface, bounded in time and size, and say in the house's words what went wrong.

The token goes to the one address that is configured and nowhere else: no redirect is followed, and an address
that an answer or a cursor names must lie below it.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any, TypeVar

import httpx

from bot.model import NeedsHuman, SourceDown
from watchers.asking import OpenLine, Overlong, below, exchange, in_words, trusted, wait
from watchers.mail.tokens import Tokens, Use
from watchers.values import objects

Asked = TypeVar("Asked")
Told = TypeVar("Told")
Params = Mapping[str, str | int | Sequence[str]]

TIMEOUT_SECONDS = 60.0
LARGEST_JSON = 16 * 2**20
AFTER_RATE_LIMIT = timedelta(minutes=1)

RATE_LIMITS = frozenset(
    "ratelimitexceeded userratelimitexceeded quotaexceeded dailylimitexceeded resource_exhausted "
    "toomanyrequests applicationthrottled errorservicebusy errorserverbusy mailboxconcurrency".split()
)
"""The codes, in lower case, by which Google and Microsoft say that one asked too much."""


class Refused(Exception):  # noqa: N818 - it is an answer, which the source knows the meaning of
    """A refusal that is not the line's or the token's fault: `code` is the provider's, such as notFound."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


class Rest(OpenLine):
    """A line to one mailbox at one provider. Use with `async with`; `who` names the mailbox in failures."""

    def __init__(self, api: str, tokens: Tokens, use: Use, who: str, renewal: str) -> None:
        self._api = httpx.URL(api.rstrip("/") + "/")
        self._tokens = tokens
        self._use = use
        self.who = who
        self._renewal = renewal
        super().__init__(httpx.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=False, verify=trusted()))

    async def json(
        self,
        path: str,
        params: Params | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        largest: int = LARGEST_JSON,
    ) -> dict[str, Any]:
        """Ask for an object; see `content`."""
        raw = await self.content(path, params, headers=headers, largest=largest)
        try:
            told = json.loads(raw)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            raise SourceDown(f"{self._api.host} does not answer in JSON")
        return told

    async def content(
        self,
        path: str,
        params: Params | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        largest: int,
    ) -> bytes:
        """Return the body of an answer; `path` is relative to the address, or lies below it.

        A token that is refused is renewed once. Raises `SourceDown`, `NeedsHuman`, and `Refused` for what
        only the source can judge.
        """
        url = below(self._api, path)
        token = await self._tokens.token(self._use)
        status, told, body = await self._get(url, params, headers, token, largest)
        if status == HTTPStatus.UNAUTHORIZED:
            token = await self._tokens.token(self._use, refused=token)
            status, told, body = await self._get(url, params, headers, token, largest)
        if status < 300:  # noqa: PLR2004 - what is a success
            return body
        raise self._failure(status, code_of(body), wait(told))

    def leads_here(self, path: str) -> bool:
        """Say whether an address lies below the one that is configured."""
        try:
            below(self._api, path)
        except SourceDown:
            return False
        return True

    async def _get(
        self,
        url: httpx.URL,
        params: Params | None,
        headers: Mapping[str, str] | None,
        token: str,
        largest: int,
    ) -> tuple[int, httpx.Headers, bytes]:
        sent = {**(headers or {}), "Authorization": f"Bearer {token}"}
        try:
            with in_words(self._api.host):
                return await exchange(self._client, "GET", url, most=largest, headers=sent, params=params)
        except Overlong as overlong:
            raise Refused(overlong.status, "tooLarge") from None

    def _failure(self, status: int, code: str, asked: timedelta | None) -> Exception:
        if status == HTTPStatus.TOO_MANY_REQUESTS or code.lower() in RATE_LIMITS:
            return SourceDown(
                f"{self._api.host} asks for fewer requests for {self.who}", asked or AFTER_RATE_LIMIT
            )
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return SourceDown(f"{self._api.host} answers {status}", asked)
        if status == HTTPStatus.UNAUTHORIZED:
            return NeedsHuman(f"{self._api.host} refuses a new token for {self.who}", self._renewal)
        return Refused(status, code)


async def side_by_side(
    ask: Callable[[Asked], Awaitable[Told]], each: Sequence[Asked], most: int
) -> list[Told]:
    """Ask for each, a few at a time, and return the answers in order; the first failure ends all."""
    gate = asyncio.Semaphore(most)

    async def one(asked: Asked) -> Told:
        async with gate:
            return await ask(asked)

    tasks = [asyncio.ensure_future(one(asked)) for asked in each]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def code_of(body: bytes) -> str:
    """Return the code of a refusal: Google's reason or Microsoft's code; its words may repeat secrets."""
    try:
        error = json.loads(body)["error"]
        told = [*objects(error.get("errors")), *objects(error.get("details"))]
        reasons = [one.get("reason") for one in told]
        named = next((reason for reason in reasons if reason), None) or error.get("code")
        code = named if isinstance(named, str) else error.get("status")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        code = ""
    return code if isinstance(code, str) and re.fullmatch(r"[A-Za-z_.]{1,60}", code) else ""
