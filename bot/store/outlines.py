"""Everybody who is watched, as lists show them, remembered between two looks at the database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from bot.model import Watched
from bot.store import changes, codec

SEEN = """
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text, times FROM erased
"""
"""Up to which transaction all is seen, and how often somebody was erased: who is gone is not seen."""

CHANGED = "SELECT address, brief FROM person WHERE changed >= %s::xid8"


class Outlines:
    """What one process remembers; `read` asks the database. Only what changed since is read again."""

    def __init__(self, read: Callable[..., Awaitable[list[Any]]]) -> None:
        self._read = read
        self._known: dict[str, Watched] = {}
        self._since = "0"
        self._erased = 0
        self._reading = asyncio.Lock()

    async def all(self) -> list[Watched]:
        """Return everybody who is watched, by address."""
        async with self._reading:
            ((seen, erased),) = await self._read(SEEN)
            if erased != self._erased:
                self._known, self._since = {}, "0"
            changed = await self._read(CHANGED, self._since)
            for address, brief in changed:
                watched = changes.outlined(codec.outline(brief))
                if watched is None:
                    self._known.pop(address, None)
                else:
                    self._known[address] = watched
            if changed:
                self._known = dict(sorted(self._known.items()))
            self._since, self._erased = seen, erased
            return [*self._known.values()]
