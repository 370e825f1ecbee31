"""A line to an interface that answers in JSON: bounded, patient, and clear about what went wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx

from bot.model import Json, SourceDown
from watchers.asking import OpenLine, Overlong, exchange, in_words, trusted, wait
from watchers.web.robots import TOKEN

LARGEST = 2**20
"""Bytes of an answer, after unpacking."""
ONE_STEP = 20.0
"""Seconds that connecting, or waiting for the next bytes, may take."""
USER_AGENT = f"{TOKEN}/0.1"


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `told` is what its body says, None where that is no JSON."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    told: Json = None

    @property
    def fields(self) -> dict[str, Json]:
        """Return the object that was answered; anything else has no fields."""
        return self.told if isinstance(self.told, dict) else {}

    @property
    def retry_after(self) -> timedelta | None:
        """Return the wait that the server asks for, or None."""
        return wait(self.headers)


class Line(OpenLine):
    """A line to one interface at `api`. Use with `async with`. Nothing is followed elsewhere."""

    def __init__(self, api: str, headers: Mapping[str, str]) -> None:
        self._api = api.rstrip("/")
        super().__init__(
            httpx.AsyncClient(
                timeout=ONE_STEP,
                follow_redirects=False,
                verify=trusted(),
                headers={"User-Agent": USER_AGENT, **headers},
            )
        )
        self.host = httpx.URL(api).host

    async def get(
        self, path: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Ask once. Raises SourceDown where nobody answers, or the server is in trouble."""
        url = f"{self._api}{path}"
        try:
            with in_words(self.host):
                status, answered, body = await exchange(
                    self._client, "GET", url, most=LARGEST, headers=headers or {}, params=params
                )
        except Overlong:
            raise SourceDown(f"{self.host} answers more than is ever needed") from None
        reply = Reply(status, _lower(answered), _read(body))
        if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise SourceDown(f"{self.host} answers {reply.status}", reply.retry_after)
        return reply


def text(value: object, most: int = 200) -> str:
    """Return a text of an answer, cut to `most` characters; empty of anything else."""
    return value[:most] if isinstance(value, str) else ""


def _lower(headers: httpx.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
