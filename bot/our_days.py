"""Keep on which days each of us wrote to anybody we watch: whoever was away heard nothing from anybody.

Only the day is kept, for as long as it can explain a silence, and it is shown to nobody: it makes a silence
shorter, and that is all it is for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from bot.backscatter import writer
from bot.model import Json, Observation
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
        known = await self._days()
        if any(when not in known.get(by, ()) for by, when in fresh):
            await self.store.amend_cursor(CURSOR, lambda kept: _added(_days(kept), fresh, oldest))

    async def known(self) -> Mapping[str, Sequence[date]]:
        """Return the days on which each of us wrote, in order, by address."""
        return {by: [*map(date.fromordinal, sorted(days))] for by, days in (await self._days()).items()}

    async def _days(self) -> dict[str, set[int]]:
        return _days(await self.store.cursor(CURSOR))


def _days(kept: Json) -> dict[str, set[int]]:
    """Return the day numbers in what was kept, by address."""
    return {by: _numbers(days) for by, days in kept.items()} if isinstance(kept, dict) else {}


def _added(known: dict[str, set[int]], fresh: Iterable[tuple[str, int]], oldest: int) -> Json:
    """Return what is to be kept: what was known and is not too old, and what is new."""
    for by, when in sorted(fresh):
        if by in known or len(known) < MOST:
            known.setdefault(by, set()).add(when)
    recent = {by: [*sorted(when for when in days if when >= oldest)] for by, days in known.items()}
    return {by: [*days] for by, days in recent.items() if days}


def _numbers(value: Json) -> set[int]:
    """Return the day numbers in what was kept."""
    return {number for number in value if isinstance(number, int)} if isinstance(value, list) else set()
