"""The engine of one process: a bounded group of tasks."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from heapq import heappop, heappush
from itertools import count

import structlog

from bot.engine import AT_ONCE, MOST_OF_ONE, Look, Unit
from bot.store import Store, StoreDown

log = structlog.get_logger()

ASKED, PLANNED = 0, 1
"""What was asked for goes before what was only planned."""


class LocalEngine:
    """Do units of work in this process, at most `AT_ONCE` at a time, one a source, and a share a watcher."""

    def __init__(self, look: Look, store: Store) -> None:
        self._look = look
        self._store = store
        self._lines = defaultdict[str, list[tuple[int, int, Unit]]](list)
        self._number = count()
        self._waits: dict[str, int] = {}
        self._share = Counter[str]()
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._again: dict[str, int] = {}
        self._draining = False

    async def start(self, units: Iterable[Unit]) -> None:
        """Have these units done; one whose source is being looked at is done once more afterwards."""
        self._ask(units, ASKED)

    async def plan(self, name: str, slot: datetime, units: Iterable[Unit]) -> bool:
        """Claim a planned run and have its units done; every start of this process looks anew anyway."""
        if not await self._store.claim_slot(name, slot):
            return False
        self._ask(units, PLANNED)
        return True

    def work(self) -> None:
        """Do nothing: a unit is done where it is started."""

    async def rescue(self) -> int:
        """Do nothing: what this process was doing when it died, it looks at anew when it starts."""
        return 0

    async def drain(self) -> None:
        """Take no more work, and wait for the looks under way; what only waits for its turn is dropped."""
        self._draining = True
        self._waits.clear()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def idle(self) -> None:
        """Wait until nothing waits or is under way."""
        while self._under_way:
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    def _ask(self, units: Iterable[Unit], priority: int) -> None:
        for unit in units:
            if self._draining:
                return
            asked = self._again if unit.source in self._under_way else self._waits
            if priority >= asked.get(unit.source, PLANNED + 1):
                continue
            asked[unit.source] = priority
            if asked is self._waits:
                heappush(self._lines[unit.watcher], (priority, next(self._number), unit))
        self._begin()

    def _begin(self) -> None:
        """Begin whatever there is a place for."""
        while len(self._under_way) < AT_ONCE and (unit := self._next()) is not None:
            self._share[unit.watcher] += 1
            self._under_way[unit.source] = asyncio.create_task(self._do(unit), name=unit.source)

    def _next(self) -> Unit | None:
        """Take the unit whose turn it is, of a watcher that has a place left."""
        heads = []
        for watcher, line in self._lines.items():
            while line and self._waits.get(line[0][2].source) != line[0][0]:
                heappop(line)  # it was asked for anew, and goes before
            if line and self._share[watcher] < MOST_OF_ONE:
                heads.append(line)
        if not heads:
            return None
        _, _, unit = heappop(min(heads))
        del self._waits[unit.source]
        return unit

    async def _do(self, unit: Unit) -> None:
        """Look once; a look that fails must not lose one that was asked for meanwhile."""
        try:
            await self._look(unit)
        except StoreDown:
            log.warning("look.postponed", watcher=unit.watcher, source=unit.source)
        except Exception:
            log.exception("look.failed", watcher=unit.watcher, source=unit.source)
        finally:
            del self._under_way[unit.source]
            self._share[unit.watcher] -= 1
            again = self._again.pop(unit.source, None)
            if again is not None:
                self._ask([unit], again)
            self._begin()
