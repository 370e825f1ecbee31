"""Ask an authorization server for tokens (RFC 6749), and keep an access token while it is good.

Nothing that stands in a request or an answer is repeated in an error: all of it may be secret.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import httpx

from bot.model import SourceDown
from watchers.asking import Overlong, exchange, trusted, wait

TIMEOUT_SECONDS = 30.0
LARGEST_ANSWER = 2**18
"""How many bytes an authorization server may answer."""

MARGIN_SECONDS = 120.0
"""How long before its end an access token is renewed: a request under way must not outlive it."""

SHORTEST_SECONDS = 30.0
USUAL_SECONDS = 3600.0
LONGEST_LEASE_SECONDS = 86_400.0


class GrantRefused(Exception):  # noqa: N818 - it is an answer, not a failure
    """Say that the server refused for good: `code` is such as invalid_grant (RFC 6749 section 5.2)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Granted:
    """What the server gave; `refresh` and `identity` are empty where it gave none."""

    access: str = field(repr=False)
    seconds: float
    refresh: str = field(default="", repr=False)
    scopes: frozenset[str] = frozenset()
    identity: str = field(default="", repr=False)


async def ask(url: str, form: Mapping[str, str]) -> Granted:
    """Ask a token endpoint. Raises `GrantRefused`, and `SourceDown` where trying later may help."""
    answer = await post(url, form)
    told = answer if isinstance(answer, dict) else {}
    access, seconds = told.get("access_token"), told.get("expires_in")
    if not isinstance(access, str) or not access or str(told.get("token_type", "")).lower() != "bearer":
        raise SourceDown(f"{httpx.URL(url).host} gave no token")
    return Granted(
        access,
        _lasting(seconds),
        _text(told.get("refresh_token")),
        frozenset(_text(told.get("scope")).split()),
        _text(told.get("id_token")),
    )


async def post(url: str, form: Mapping[str, str]) -> object:
    """Post a form and return what the answer says. Raises `GrantRefused` and `SourceDown`."""
    host = httpx.URL(url).host
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, verify=trusted()) as client:
            status, headers, body = await exchange(
                client,
                "POST",
                url,
                most=LARGEST_ANSWER,
                headers={"Accept": "application/json"},
                data=dict(form),
            )
    except Overlong:
        raise SourceDown(f"{host} answers too much") from None
    except httpx.HTTPError as error:
        raise SourceDown(f"{host} cannot be reached: {type(error).__name__}") from None
    try:
        told: object = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        told = {}
    if httpx.codes.is_success(status):
        return told
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise SourceDown(f"{host} answers {status}", wait(headers))
    code = _text(told.get("error")) if isinstance(told, dict) else ""
    if code == "temporarily_unavailable":
        raise SourceDown(f"{host} is unavailable for now", wait(headers))
    known = code[:60] if code.replace("_", "").isalnum() and code.isascii() else ""
    raise GrantRefused(known or f"status {status}")


@dataclass
class Lease:
    """An access token that is renewed shortly before its end, by one caller at a time."""

    renew: Callable[[], Awaitable[Granted]]
    _token: str = field(default="", repr=False)
    _until: float = 0.0
    _renewing: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def token(self, refused: str = "") -> str:
        """Return a token that is good for a while, and is not the refused one."""
        async with self._renewing:
            if not self._token or self._token == refused or time.monotonic() >= self._until:
                granted = await self.renew()
                self._token = granted.access
                self._until = time.monotonic() + max(SHORTEST_SECONDS, granted.seconds - MARGIN_SECONDS)
            return self._token


def _lasting(seconds: object) -> float:
    """Return how long a token is said to be good, at most a day: it may be any number, or none."""
    if isinstance(seconds, int | float) and not isinstance(seconds, bool):
        return float(max(0, min(seconds, LONGEST_LEASE_SECONDS)))
    return USUAL_SECONDS


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
