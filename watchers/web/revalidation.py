"""Remember of an answer what lets us ask "has it changed?" (RFC 9111, section 4.3), and never its body.

`hishel` decides as a private cache would: what may be kept, what to ask, whether a 304 is about what we had.
Its storages are not used: they would keep the pages, which are about people whom nobody watches.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from hishel import (
    CacheMiss,
    CacheOptions,
    Entry,
    Headers,
    IdleClient,
    NeedRevalidation,
    NeedToBeUpdated,
    Request,
    Response,
    StoreAndUse,
)

MOST_VALUE = 300
"""Characters of a validator; a longer one is not kept."""

Validators = Mapping[str, str]
"""ETag and Last-Modified of an answer as they were sent, by lower-case name; empty where there are none."""

_KEPT = ("etag", "last-modified")
_PRIVATE = CacheOptions(shared=False, supported_methods=["GET"], allow_stale=False)


@dataclass(frozen=True, slots=True)
class Question:
    """A request for one page, with what is remembered of its last answer."""

    url: str
    headers: Mapping[str, str]
    validators: Validators

    @property
    def conditions(self) -> dict[str, str]:
        """Return the headers that ask whether the page has changed; none where nothing is remembered."""
        state = self._state()
        if not isinstance(state, NeedRevalidation):
            return {}
        asked = ("if-none-match", "if-modified-since")
        return {name: state.request.headers[name] for name in asked if name in state.request.headers}

    def is_unchanged(self, status: int, headers: Mapping[str, str]) -> bool:
        """Say whether an answer means that the page is what we saw last."""
        state = self._state()
        if status != HTTPStatus.NOT_MODIFIED or not isinstance(state, NeedRevalidation):
            return False
        return isinstance(state.next(Response(status, Headers(dict(headers)))), NeedToBeUpdated)

    def remembered(self, status: int, headers: Mapping[str, str]) -> dict[str, str]:
        """Return what to remember of an answer with a page; nothing where the site forbids to keep it."""
        miss = CacheMiss(request=self._request(), options=_PRIVATE)
        if not isinstance(miss.next(Response(status, Headers(dict(headers)))), StoreAndUse):
            return {}
        return {name: headers[name] for name in _KEPT if 0 < len(headers.get(name, "")) <= MOST_VALUE}

    def _request(self) -> Request:
        return Request("GET", self.url, Headers({**self.headers, "cache-control": "no-cache"}))

    def _state(self) -> object:
        """Return what a cache would do that holds the last answer and is told to ask anyway."""
        if not self.validators:
            return CacheMiss(request=self._request(), options=_PRIVATE)
        last = Response(200, Headers(dict(self.validators)))
        entry = Entry(uuid.uuid4(), Request("GET", self.url, Headers(dict(self.headers))), last)
        return IdleClient(options=_PRIVATE).next(self._request(), [entry])
