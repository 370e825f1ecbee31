"""The engine decides where work is done; a unit of work is one source of one watcher."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from watchers import Watcher


@dataclass(frozen=True)
class Unit:
    """One look at one source."""

    watcher: Watcher[Any]
    source: str


Look = Callable[[Unit], Awaitable[None]]
"""Does one unit of work. It may be done more than once, so it is idempotent."""


class Engine(Protocol):
    """What every engine can do."""

    async def start(self, units: Iterable[Unit]) -> None:
        """Have these units done; a source that is being looked at is not looked at twice at once."""

    async def drain(self) -> None:
        """Take no more work, and wait for what is under way."""
