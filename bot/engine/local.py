"""The engine of one process: a bounded group of tasks."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

import structlog

from bot.engine import AT_ONCE, Look, Unit
from bot.store import Store, StoreDown

log = structlog.get_logger()


MOST_OF_ONE = AT_ONCE - 2
"""Units of one watcher at a time: a thousand slow websites must not keep a mailbox waiting."""


class LocalEngine:
    """Do units of work in this process, at most `AT_ONCE` at a time and one a source."""

    def __init__(self, look: Look, store: Store) -> None:
        self._look = look
        self._store = store
        self._free = asyncio.Semaphore(AT_ONCE)
        self._share = defaultdict[str, asyncio.Semaphore](lambda: asyncio.Semaphore(MOST_OF_ONE))
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._draining = False

    async def start(self, units: Iterable[Unit]) -> None:
        """Have these units done; one whose source is being looked at is done once more afterwards."""
        for unit in units:
            if self._draining:
                return
            if unit.source in self._under_way:
                self._again.add(unit.source)
                continue
            task = asyncio.create_task(self._do(unit), name=unit.source)
            self._under_way[unit.source] = task

    async def plan(self, name: str, slot: datetime, units: Iterable[Unit]) -> bool:
        """Claim a planned run and have its units done; every start of this process looks anew anyway."""
        if not await self._store.claim_slot(name, slot):
            return False
        await self.start(units)
        return True

    def work(self) -> None:
        """Do nothing: a unit is done where it is started."""

    async def rescue(self) -> int:
        """Do nothing: what this process was doing when it died, it looks at anew when it starts."""
        return 0

    async def drain(self) -> None:
        """Take no more work, and wait for the looks under way; what only waits for its turn is dropped."""
        self._draining = True
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        while self._under_way:
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _do(self, unit: Unit) -> None:
        try:
            async with self._share[unit.watcher], self._free:
                while not self._draining:
                    self._again.discard(unit.source)
                    await self._once(unit)
                    if unit.source not in self._again:
                        break
        finally:
            self._again.discard(unit.source)
            del self._under_way[unit.source]

    async def _once(self, unit: Unit) -> None:
        """Look once; a look that fails must not lose one that was asked for meanwhile."""
        try:
            await self._look(unit)
        except StoreDown:
            log.warning("look.postponed", watcher=unit.watcher, source=unit.source)
        except Exception:
            log.exception("look.failed", watcher=unit.watcher, source=unit.source)
