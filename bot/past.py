"""What is known of one person, oldest first, and what was worked out of it once. Pure.

A person is judged many times between two observations. What an observation or several mean whatever the time
is need not be worked out each time: whoever keeps people in memory keeps it with them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from operator import attrgetter
from typing import Any, TypeVar, cast

from bot.model import Observation

SKEW = timedelta(minutes=5)
"""Mail servers' clocks run ahead of ours by seconds or minutes: what they date so has happened."""

T = TypeVar("T")
Saying = Callable[[Observation], tuple[Any, ...]]

_at = attrgetter("at")
_saying = attrgetter("at", "kind", "group", "sentence")
"""Almost always this tells observations apart; their keys, which do always, take long to compute."""


class Past(tuple[Observation, ...]):  # noqa: SLOT001 - it remembers what was worked out
    """The observations of one person, oldest first. It never changes: with news comes another one."""

    @classmethod
    def of(cls, observations: Iterable[Observation]) -> Past:
        """Sort observations, whatever the order in which they became known; a past comes back as it is."""
        if isinstance(observations, Past):
            return observations
        return cls(in_order([*observations], _saying, _saying_all))

    def grown(self, observations: Iterable[Observation]) -> Past:
        """Return the past with news in it; what was worked out of kinds without news is kept."""
        after = Past.of(observations)
        after._parts_before.update({**self._parts_before, **self._parts})  # noqa: SLF001 - of its own kind
        return after

    def only(self, kind: str) -> Past:
        """Return what is of one kind."""
        if kind not in self._parts:
            part, before = Past(self.by_kind.get(kind, ())), self._parts_before.get(kind)
            self._parts[kind] = before if before == part else part
        return self._parts[kind]

    def until(self, now: datetime) -> Past:
        """Return what had happened by then: all of it, unless a clock ran ahead."""
        if not self or self[-1].at <= now:
            return self
        asked = ("until", bisect_right(self, now, key=_at))
        if asked not in self._worked_out:
            self._worked_out[asked] = Past(self[: asked[1]])
        return cast("Past", self._worked_out[asked])

    def after(self, now: datetime) -> Sequence[Observation]:
        """Return what is dated later."""
        return self[bisect_right(self, now, key=_at) :]

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
        self._moments.add(moments)
        asked = (fold, bisect_right(self.once(moments), now))
        if asked not in self._worked_out:
            self._worked_out[asked] = fold(self, now)
        return cast("T", self._worked_out[asked])

    def next_stage(self, now: datetime) -> datetime | None:
        """Return from when on time alone makes something else of it, by what was asked; None where never."""
        asked = (self.once(moments) for moments in self._moments)
        ahead = (found[bisect_right(found, now)] for found in asked if found and found[-1] > now)
        return min(ahead, default=None)

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
    def _parts(self) -> dict[str, Past]:
        return {}

    @cached_property
    def _parts_before(self) -> dict[str, Past]:
        return {}

    @cached_property
    def _moments(self) -> set[Callable[[Past], Sequence[datetime]]]:
        return set()

    @cached_property
    def _worked_out(self) -> dict[object, object]:
        return {}


def _saying_all(seen: Observation) -> tuple[Any, ...]:
    return (*_saying(seen), seen.key)


def in_order(found: list[Observation], *sayings: Saying) -> list[Observation]:
    """Sort observations by their time, and those of one moment by what they say.

    `sayings` tell them apart, the quickest first: the next is asked where one does not.
    """
    found.sort(key=_at)
    start = 0
    for place in range(1, len(found) + 1):
        if place == len(found) or found[place].at != found[start].at:
            if place - start > 1:
                found[start:place] = _told_apart(found[start:place], sayings)
            start = place
    return found


def _told_apart(alike: list[Observation], sayings: Iterable[Saying]) -> list[Observation]:
    for saying in sayings:
        alike.sort(key=saying)
        if len(set(map(saying, alike))) == len(alike):
            break
    return alike
