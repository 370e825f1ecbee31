"""The engine decides where work is done; a unit of work is one source of one watcher."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

AT_ONCE = 8
"""How many units one process works at at the same time."""

MOST_OF_ONE = AT_ONCE - 2
"""Units of one watcher at a time in one process: a thousand slow websites must not keep a mailbox waiting."""


@dataclass(frozen=True)
class Unit:
    """One look at one source, by names: whichever process does it knows the watcher of that name."""

    watcher: str
    source: str


Look = Callable[[Unit], Awaitable[None]]
"""Does one unit of work. It may be done more than once, so it is idempotent."""


class Engine(Protocol):
    """What every engine can do."""

    async def start(self, units: Iterable[Unit]) -> None:
        """Have these units done soon; a source that is being looked at is not looked at twice at once.

        One whose source is being looked at is done once more afterwards.
        """

    async def plan(self, name: str, slot: datetime, units: Iterable[Unit]) -> bool:
        """Claim a planned run and have its units done; False where the run was claimed before."""

    def work(self) -> None:
        """Begin to do, in this process, what any process has handed out."""

    async def rescue(self) -> int:
        """Give to others what a process that died was doing; return how many units."""

    async def drain(self) -> None:
        """Take no more work, and wait for what is under way."""
