"""Keep on which days each of us wrote to anybody we watch: whoever was away heard nothing from anybody.

Only the day is kept, for as long as it can explain a silence, and it is shown to nobody: it makes a silence
shorter, and that is all it is for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from bot.model import Json, Observation
from bot.pauses import writer
from bot.store import Store
from watchers import under

CURSOR = "our_days"
"""The cursor that holds the days of each of us, as numbers since the year 1."""

KEPT = timedelta(days=200)
"""How far back it matters that one of us was away."""

MOST = 2_000
"""So many of us are kept apart; no sales team has more."""


class OurDays:
    """The days on which each of us wrote."""

    def __init__(self, store: Store, our_domains: frozenset[str]) -> None:
        self.store = store
        self.our_domains = our_domains
        self._noting = asyncio.Lock()

    async def note(self, observations: Iterable[Observation], now: datetime) -> None:
        """Keep what new observations say of us; without our domains nobody is known to be of us."""
        oldest, newest = (now - KEPT).toordinal(), now.toordinal()
        fresh = {
            (by, seen.at.toordinal())
            for seen in observations
            if oldest <= seen.at.toordinal() <= newest
            and (by := writer(seen))
            and under(by, self.our_domains)
        }
        if not fresh:
            return
        async with self._noting:
            known = await self._days()
            news = {(by, when) for by, when in fresh if when not in known.get(by, ())}
            for by, when in sorted(news):
                if by in known or len(known) < MOST:
                    known.setdefault(by, set()).add(when)
            if news:
                kept = {by: [*sorted(when for when in days if when >= oldest)] for by, days in known.items()}
                await self.store.save_cursor(CURSOR, {by: [*days] for by, days in kept.items() if days})

    async def known(self) -> Mapping[str, Sequence[date]]:
        """Return the days on which each of us wrote, in order, by address."""
        return {by: [*map(date.fromordinal, sorted(days))] for by, days in (await self._days()).items()}

    async def _days(self) -> dict[str, set[int]]:
        kept = await self.store.cursor(CURSOR)
        return {by: _numbers(days) for by, days in kept.items()} if isinstance(kept, dict) else {}


def _numbers(value: Json) -> set[int]:
    """Return the day numbers in what was kept."""
    return {number for number in value if isinstance(number, int)} if isinstance(value, list) else set()
