"""Say which days do not count as silence because something explains them. Pure: time is passed in.

The clock stops while the person is known to be away, while nobody else at the account writes either, while
our own side was away and wrote nobody there, and on the free days of the person's country (`free_days`).

What stops the clock because a rep of ours was away is told to nobody: it only makes a silence shorter.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final

from bot import free_days, silence
from bot.evidence import LEAVE_GRACE, LEAVE_WITHOUT_DATE, LONGEST_LEAVE, day
from bot.free_days import Period
from bot.history import MEETING, History, is_forged
from bot.model import Contact, Kind, Means, Observation, Person
from bot.past import Past
from bot.silence import Rhythm

ONE_DAY: Final = timedelta(days=1)

WROTE: Final = "wrote"
SENT: Final = "written_to"

OTHERS: Final = 2
"""At least so many others at an account must have fallen silent for the whole account to be quiet."""

REGULAR: Final = 30.0
"""Whose usual gap is longer than this many days is not missed within a silence."""

OVERDUE: Final = 0.2
"""At this surprise somebody is overdue."""

IDLE_FROM: Final = timedelta(days=7)
"""A rep who wrote to nobody we watch for at least this long was away."""

RHYTHM: Final = timedelta(days=90)
LEAST_WRITTEN: Final = 12
"""On so many days of the `RHYTHM` before must a rep have written for a pause to mean anything."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """What explains silence at one account, computed once for all its people.

    `regular` holds who there writes regularly, with the last day they were heard of where they are overdue,
    None where they are not: everybody, or those heard of last, with two who are not overdue. `ours` are the
    days on which our side wrote somebody there, sorted; `written` those on which each of us wrote anybody we
    watch, wherever, by address.
    """

    regular: Sequence[tuple[str, date | None]] = ()
    ours: Sequence[date] = ()
    written: Mapping[str, Sequence[date]] = field(default_factory=dict)

    @classmethod
    def of(cls, people: Collection[Person], written: Mapping[str, Sequence[date]], now: datetime) -> Pauses:
        """Look at everybody at an account once."""
        pasts = {person.address: Past.of(person.observations).until(now) for person in people}
        ours = sorted({day for past in pasts.values() for day in past.once(_days_written)})
        return cls(_regular(pasts, now) if len(people) > OTHERS else (), ours, written)

    def explain(self, contact: Contact, today: date) -> list[Period]:
        """Return the days that no silence of this contact counts, apart from their own leaves."""
        return [
            *free_days.of(contact, today),
            *self.quiet(contact.address, today),
            *self.idle(self.written.get(contact.owner.lower(), ()), today),
        ]

    def quiet(self, address: str, today: date) -> list[Period]:
        """Return since when nobody else there writes, though at least two others used to, regularly."""
        others = [last for other, last in self.regular if other != address]
        silent = [last for last in others if last is not None]
        if len(silent) < max(OTHERS, len(others)):
            return []
        return [(max(silent) + ONE_DAY, today)]

    def idle(self, written: Sequence[date], today: date) -> list[Period]:
        """Return when a rep who wrote on the days `written` (sorted) was away and nobody of us wrote there.

        A rep who writes seldom is never away, as far as we can tell.
        """
        periods = []
        past = written[: bisect_right(written, today)]
        for before, after in pairwise([*past, today + ONE_DAY]):
            if after - before <= IDLE_FROM:
                continue
            usual = bisect_right(written, before) - bisect_left(written, before - RHYTHM)
            if usual >= LEAST_WRITTEN and bisect_right(self.ours, before) == bisect_left(self.ours, after):
                periods.append((before + ONE_DAY, after - ONE_DAY))
        return periods


@dataclass(frozen=True, slots=True)
class _Heard:
    """When a person was last heard of, and their rhythm, None where they show none."""

    last: datetime
    rhythm: Rhythm | None

    def is_regular(self) -> bool:
        return self.rhythm is not None and self.rhythm.usual_gap_days <= REGULAR

    def is_overdue(self, now: datetime) -> bool:
        return self.rhythm is not None and self.rhythm.surprise_at(now) <= OVERDUE


def _regular(pasts: Mapping[str, Past], now: datetime) -> list[tuple[str, date | None]]:
    """Return who writes regularly, those heard of last first, until two of them are not overdue.

    Nobody's account is quiet then, whoever of them is asked about.
    """
    heard = ((address, found) for address, past in pasts.items() if (found := past.once(_heard)))
    regular: list[tuple[str, date | None]] = []
    current = 0
    for address, one in sorted(heard, key=lambda entry: entry[1].last, reverse=True):
        if not one.is_regular():
            continue
        overdue = one.is_overdue(now)
        regular.append((address, one.last.date() if overdue else None))
        current += not overdue
        if current == OTHERS:
            break
    return regular


def _heard(past: Past) -> _Heard | None:
    """Return when the person wrote; None where they never did."""
    times = [seen.at for seen in past if _is_theirs(seen)]
    return _Heard(times[-1], silence.rhythm_of_events(times)) if times else None


def _days_written(past: Past) -> frozenset[date]:
    """Return the days on which our side wrote to a person."""
    return frozenset(seen.at.date() for seen in past.by_kind.get(SENT, ()))


def leaves(history: History, kinds: Mapping[str, Kind]) -> list[Period]:
    """Return when the person was away by their own reply or a rep's word, and three days more.

    A mail by the person ends their leave.
    """
    away = [
        seen
        for name, found in history.by_kind.items()
        if kinds[name].means is Means.AWAY
        for seen in found
        if not is_forged(seen)
    ]
    if not away:
        return []
    wrote = [seen.at for seen in history.by_kind.get(WROTE, ()) if not is_forged(seen)]
    return [(seen.at.date(), _last_day(seen, wrote)) for seen in away]


def _last_day(leave: Observation, wrote: Sequence[datetime]) -> date:
    """Return the last day of a leave that does not count."""
    back = day(leave.facts.get("returns"))
    longest = (leave.at + LONGEST_LEAVE).date()
    last = min(back, longest) + LEAVE_GRACE if back else (leave.at + LEAVE_WITHOUT_DATE).date()
    again = bisect_right(wrote, leave.at)
    return min(last, wrote[again].date() - ONE_DAY) if again < len(wrote) else last


def _is_theirs(seen: Observation) -> bool:
    """Say whether the person wrote a mail or sent an invitation."""
    by_them = seen.kind == MEETING and seen.facts.get("by") == seen.contact
    return (seen.kind == WROTE or by_them) and not is_forged(seen)
