"""Say how surprising a contact's present silence is for this person, and how likely it means "gone for good".

The person is judged by the constants below and by their own events alone. The constants were fitted on the
recorded activity of people whose departure is known (`benchmarks/fit_silence.py`); `docs/silence.md` explains
the model in words and gives its figures. Pure: the time is passed in.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import accumulate, pairwise
from operator import mul
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

SECONDS_A_DAY: Final = 86_400
YEAR: Final = 365.0
EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()

# With fewer days of contact there is no rhythm to judge by. What lies more than three years before the last
# contact says nothing about today.
LEAST_DAYS: Final = 4
HORIZON: Final = 3 * YEAR

# A gap counts half after a year: people change their rhythm.
HALF_LIFE: Final = 365.0

# What is believed of a person's gaps before they have shown any: a normal distribution of ln(gap in days)
# whose mean and variance are themselves uncertain (normal-inverse-gamma), worth `PRIOR_GAPS` gaps.
PRIOR_GAP: Final = 8.0
PRIOR_GAPS: Final = 1.0
PRIOR_SHAPE: Final = 2.0
PRIOR_SCALE: Final = 1.5

# The gap that an average day of the past falls into starts from 40 days, worth a year of observation.
PRIOR_DAILY_GAP: Final = 40.0
PRIOR_OBSERVED_DAYS: Final = 365.0

# ln(days of silence) counts in two straight pieces: steeply from a week to the fifteenth day, then gently to
# three months, and more the further the silence lies outside the person's own gaps.
WEEK: Final = 7.0
FORTNIGHT: Final = 15.0
THREE_MONTHS: Final = 90.0

# Four standard deviations are as much as silence can say: real people return after more.
LARGEST_DEVIATION: Final = 4.0

# With this many days of contact a rhythm is known; with fewer the judgement is more careful.
WELL_KNOWN: Final = 20

# The log-odds of "gone for good" are a logistic regression on `inputs`. The intercept and the first two
# weights are the hazard of departure by the length of the silence alone.
INTERCEPT: Final = -11.153
WEIGHTS: Final = (2.598, 0.252, 0.290, 0.526, 0.372, 0.772, 0.547)


@dataclass(frozen=True, slots=True)
class Silence:
    """How long somebody has been silent and what it means; all lengths in days that count.

    `surprise` is the probability of a gap at least this long if the person is still there, `probability`
    that of being gone for good, `sentence` the reason in words. `usual_gap_days` leans on recent gaps;
    `longest_gap_days` is the longest that ended in the year before the silence began.
    """

    days: float
    usual_gap_days: float
    longest_gap_days: float
    surprise: float
    probability: float
    sentence: str


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A person's rhythm of contact as far as it is known.

    `last` is the time of the last contact in days that count; `days` is the number of days with contact.
    `daily_gap` is the mean length of the gap that a day falls into. `mean`, `spread` and `freedom` are those
    of the Student-t distribution that predicts ln(next gap).
    """

    last: float
    days: int
    last_gap: int
    longest_of_year: int
    daily_gap: float
    mean: float
    spread: float
    freedom: float

    @property
    def usual_gap_days(self) -> float:
        """Return the usual length of a gap; it leans on recent ones."""
        return math.exp(self.mean)

    def surprise_at(self, now: datetime) -> float:
        """Return how probable a silence as long as the present one is, where nothing explains any of it."""
        return self.surprise(_days(now) - self.last)

    def deviation(self, silent: float) -> float:
        """Return how many standard deviations the silence lies beyond the usual gap.

        It is the normal deviate with the tail probability of the Student-t quantile, after Wallace (1959).
        """
        if silent <= 0:
            return -math.inf
        quantile = (math.log(silent) - self.mean) / self.spread
        size = math.sqrt(self.freedom * math.log1p(quantile * quantile / self.freedom))
        return math.copysign(size * (8 * self.freedom + 1) / (8 * self.freedom + 3), quantile)

    def surprise(self, silent: float) -> float:
        """Return the probability of a gap at least as long as the silence if the person is still there."""
        return math.erfc(self.deviation(silent) / math.sqrt(2)) / 2


def judge(
    events: Sequence[datetime], now: datetime, paused: Sequence[tuple[date, date]] = ()
) -> Silence | None:
    """Judge the silence since the last of `events`, or return None where they are too few to say anything.

    Events may come in any order, repeated, or from the future (ignored); one without a zone is UTC.
    `paused` are periods, first and last day included, that do not count as silence: a vacation reply,
    holidays, days when nobody on our side wrote. A longer silence is never judged less probable.
    """
    counted = _clock(paused)
    here = _days(now)
    times = sorted(at for event in events if (at := _days(event)) <= here)
    rhythm = rhythm_of([counted(at) for at in times])
    if rhythm is None:
        return None
    silent = counted(here) - rhythm.last
    uncounted = here - times[-1] - silent
    return Silence(
        days=silent,
        usual_gap_days=rhythm.usual_gap_days,
        longest_gap_days=float(rhythm.longest_of_year),
        surprise=rhythm.surprise(silent),
        probability=_probability(inputs(rhythm, silent)),
        sentence=_sentence(rhythm, silent, round(uncounted)),
    )


def rhythm_of(times: Sequence[float]) -> Rhythm | None:
    """Return the rhythm of contact at `times` (in days, sorted), or None where they are too few."""
    active = sorted({math.floor(time) for time in times})
    active = active[bisect_left(active, active[-1] - HORIZON) :] if active else []
    if len(active) < LEAST_DAYS:
        return None
    last_day = active[-1]
    gaps = [end - start for start, end in pairwise(active)]
    logs = [math.log(gap) for gap in gaps]
    weights = [0.5 ** ((last_day - end) / HALF_LIFE) for end in active[1:]]
    weighted = list(map(mul, weights, gaps))
    weight = sum(weights)
    mean = sum(map(mul, weights, logs)) / weight
    scatter = sum(share * (log - mean) ** 2 for share, log in zip(weights, logs, strict=True))
    prior = math.log(PRIOR_GAP)
    known = PRIOR_GAPS + weight
    shape = PRIOR_SHAPE + weight / 2
    scale = PRIOR_SCALE + scatter / 2 + PRIOR_GAPS * weight * (mean - prior) ** 2 / (2 * known)
    return Rhythm(
        last=times[-1],
        days=len(active),
        last_gap=gaps[-1],
        longest_of_year=max(gaps[bisect_left(active, last_day - YEAR, lo=1) - 1 :]),
        daily_gap=(sum(map(mul, weighted, gaps)) + PRIOR_DAILY_GAP * PRIOR_OBSERVED_DAYS)
        / (sum(weighted) + PRIOR_OBSERVED_DAYS),
        mean=(PRIOR_GAPS * prior + weight * mean) / known,
        spread=math.sqrt(scale * (known + 1) / (shape * known)),
        freedom=2 * shape,
    )


def rhythm_of_events(events: Iterable[datetime]) -> Rhythm | None:
    """Return the rhythm of contact at these moments, where no day is left out; None where they are few."""
    return rhythm_of(sorted(map(_days, events)))


def inputs(rhythm: Rhythm, silent: float) -> tuple[float, ...]:
    """Return what the probability is made of, one number for each of `WEIGHTS`.

    The first four grow with the silence or stay. The others are settled when it begins: how much slower than
    usual the contact had become, how loose it was over all, and how well the person is known.
    """
    deviation = min(max(rhythm.deviation(silent), 0.0), LARGEST_DEVIATION)
    later = _piece(silent, FORTNIGHT, THREE_MONTHS)
    return (
        _piece(silent, WEEK, FORTNIGHT),
        later,
        later * deviation,
        deviation,
        max(math.log(rhythm.last_gap) - rhythm.mean, 0.0),
        math.log(rhythm.daily_gap),
        math.log(min(rhythm.days, WELL_KNOWN)),
    )


def _piece(silent: float, start: float, end: float) -> float:
    """Return how far ln(silent) has come between ln(start) and ln(end)."""
    return math.log(min(max(silent, start), end) / start)


def _probability(values: Iterable[float]) -> float:
    """Return the logistic of the weighted sum."""
    log_odds = INTERCEPT + sum(weight * value for weight, value in zip(WEIGHTS, values, strict=True))
    return 1 / (1 + math.exp(-log_odds))


def _sentence(rhythm: Rhythm, silent: float, uncounted: int) -> str:
    """Say the silence and what the person's own past holds against it."""
    silence = f"silent {_in_days(int(silent))}" if silent >= 1 else "silent less than a day"
    if uncounted:
        silence += f", not counting {uncounted} that are explained"
    longest = rhythm.longest_of_year
    span = "the longest gap in a year" if longest <= YEAR else "the longest gap before"
    if silent > longest:
        return f"{silence}; {span} was {longest}"
    usual = max(round(rhythm.usual_gap_days), 1)
    return f"{silence}; the usual gap is {usual}, {span} was {longest}"


def _in_days(count: int) -> str:
    """Return the count with its noun."""
    return "1 day" if count == 1 else f"{count} days"


def _days(moment: datetime) -> float:
    """Return the moment in days since 1970, UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.timestamp() / SECONDS_A_DAY


def _clock(paused: Sequence[tuple[date, date]]) -> Callable[[float], float]:
    """Return a function from a time in days to the number of days that count up to then."""
    periods = _merged(paused)
    if not periods:
        return lambda time: time
    starts = [start for start, _ in periods]
    before = [0, *accumulate(end - start for start, end in periods)]

    def counted(time: float) -> float:
        index = bisect_right(starts, time)
        if index == 0:
            return time
        start, end = periods[index - 1]
        return time - before[index - 1] - (min(time, end) - start)

    return counted


def _merged(paused: Sequence[tuple[date, date]]) -> list[tuple[int, int]]:
    """Return the periods as half-open day numbers, in order, without overlap; a reversed one is dropped."""
    periods: list[tuple[int, int]] = []
    for first, last in sorted(paused):
        start, end = first.toordinal() - EPOCH_ORDINAL, last.toordinal() - EPOCH_ORDINAL + 1
        if start >= end:
            continue
        if periods and start <= periods[-1][1]:
            periods[-1] = (periods[-1][0], max(end, periods[-1][1]))
        else:
            periods.append((start, end))
    return periods
