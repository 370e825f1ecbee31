"""What is known of one person, oldest first, and what was worked out of it once. Pure.

A person is judged many times between two observations. What an observation or several mean whatever the time
is need not be worked out each time: whoever keeps people in memory keeps it with them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import TypeVar, cast

from bot.model import Observation

T = TypeVar("T")

_at = attrgetter("at")


class Past(tuple[Observation, ...]):  # noqa: SLOT001 - it remembers what was worked out
    """The observations of one person, oldest first. It never changes: with news comes another one."""

    @classmethod
    def of(cls, observations: Iterable[Observation]) -> Past:
        """Sort observations by their time; what is sorted already comes back as it is."""
        return observations if isinstance(observations, Past) else cls(sorted(observations, key=_at))

    def until(self, now: datetime) -> Past:
        """Return what had happened by then: all of it, unless a clock ran ahead."""
        if not self or self[-1].at <= now:
            return self
        return Past(seen for seen in self if seen.at <= now)

    def once(self, fold: Callable[[Past], T]) -> T:
        """Return what a function makes of this past; it is called the first time only.

        It must be a function of its module, be told nothing else, and return what nobody changes.
        """
        if fold not in self._worked_out:
            self._worked_out[fold] = fold(self)
        return cast("T", self._worked_out[fold])

    def at_stage(
        self,
        fold: Callable[[Past, datetime], T],
        moments: Callable[[Past], Sequence[datetime]],
        now: datetime,
    ) -> T:
        """Return what a function makes of this past at a time: it is called again once a moment has passed.

        `moments` returns, in order, from when on the function may make something else of it.
        """
        asked = (fold, bisect_right(self.once(moments), now))
        if asked not in self._worked_out:
            self._worked_out[asked] = fold(self, now)
        return cast("T", self._worked_out[asked])

    @cached_property
    def by_kind(self) -> Mapping[str, Sequence[Observation]]:
        """Return the observations by their kind."""
        found: dict[str, list[Observation]] = {}
        for seen in self:
            found.setdefault(seen.kind, []).append(seen)
        return found

    @cached_property
    def sources(self) -> frozenset[str]:
        """Return which sources saw the person."""
        return frozenset(seen.source for seen in self)

    @cached_property
    def _worked_out(self) -> dict[object, object]:
        return {}
