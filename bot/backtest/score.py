"""Hold what was told against what happened. Pure."""

from __future__ import annotations

import statistics
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from bot import stats
from bot.backtest import Outcome
from bot.backtest.replay import Span, Told
from bot.model import Verdict

EARLY = timedelta(days=7)
"""Who is told to have left so shortly before their last day has as good as left."""

SLIPS_FOR = timedelta(days=120)
"""Who leaves within this time of a warning was slipping."""

FOUND_WITHIN = timedelta(days=30)
FORGOTTEN_AFTER = timedelta(days=90)
"""So long after a departure its contact's probability still says something; then everybody knows."""

BINS = 10
DAYS_A_MONTH = 365.25 / 12
GONE = frozenset({Verdict.LEFT, Verdict.LIKELY_LEFT})


@dataclass(frozen=True, slots=True)
class Share:
    """How many of how many."""

    right: int = 0
    of: int = 0

    @property
    def value(self) -> float | None:
        """Return the share from 0 to 1; None of nothing."""
        return self.right / self.of if self.of else None

    @property
    def bounds(self) -> tuple[float, float]:
        """Return its 95 % interval."""
        found = stats.Precision("", self.right, self.of - self.right)
        return found.low, found.high


@dataclass(frozen=True, slots=True)
class Bin:
    """The judgements whose probability lay in one tenth: the mean of it, and how often it was so."""

    said: float
    so: float
    count: int


@dataclass(frozen=True, slots=True)
class Found:
    """When a departure was first told: days after the last day, negative where before; None where never.

    `warned` counts from the first warning of any kind.
    """

    contact: str
    departed: date
    told: int | None
    warned: int | None


@dataclass(frozen=True)
class Score:
    """What a backtest came to. What needs the truth is empty without it.

    `alerts` counts by verdict what was told; `weeks` what each rep was told in each week (by its Monday).
    """

    alerts: Mapping[str, int]
    weeks: Mapping[str, Mapping[date, int]]
    person_months: float
    mean_alerts: float
    busiest: int
    precision: Mapping[str, Share] = field(default_factory=dict)
    wrong: tuple[Told, ...] = ()
    found: tuple[Found, ...] = ()
    recall: Share = Share()
    warned: Share = Share()
    lag: float | None = None
    false_alarms: float | None = None
    bins: tuple[Bin, ...] = ()
    ece: float | None = None


def score(
    outcome: Outcome,
    departed: Mapping[str, date] | None,
    slipping: Mapping[str, Sequence[tuple[date, date]]] | None = None,
) -> Score:
    """Count what was told and, where the truth is known, how right and how early it was.

    `slipping` gives, for who is known to have pulled away for a while, from when to when.
    """
    weeks = alerts_by_week(outcome.told)
    begun = mondays(outcome.span)
    reps = {contact.owner for contact in outcome.contacts}
    total = sum(sum(by.values()) for by in weeks.values())
    counted = Counter(_name(told) for told in outcome.told)
    plain = Score(
        alerts=counted,
        weeks=weeks,
        person_months=_person_months(outcome, departed or {}),
        mean_alerts=total / max(1, len(begun) * len(reps)),
        busiest=max((count for by in weeks.values() for count in by.values()), default=0),
    )
    if departed is None:
        return plain
    judged = [
        (told, is_right(told, departed, slipping or {})) for told in outcome.told if not told.alert.is_notice
    ]
    precision = {
        verdict.value: Share(
            sum(right for told, right in judged if told.alert.assessment.verdict is verdict),
            sum(told.alert.assessment.verdict is verdict for told, _ in judged),
        )
        for verdict in (Verdict.LEFT, Verdict.LIKELY_LEFT, Verdict.SLIPPING)
    }
    found = departures(outcome, departed)
    lags = [one.told for one in found if one.told is not None]
    bins = calibration(outcome, departed)
    wrong = tuple(told for told, right in judged if not right)
    return Score(
        alerts=plain.alerts,
        weeks=weeks,
        person_months=plain.person_months,
        mean_alerts=plain.mean_alerts,
        busiest=plain.busiest,
        precision=precision,
        wrong=wrong,
        found=found,
        recall=Share(sum(is_in_time(one.told) for one in found), len(found)),
        warned=Share(sum(is_in_time(one.warned) for one in found), len(found)),
        lag=statistics.median(lags) if lags else None,
        false_alarms=100 * len(wrong) / plain.person_months if plain.person_months else None,
        bins=bins,
        ece=expected_error(bins),
    )


def is_right(
    told: Told, departed: Mapping[str, date], slipping: Mapping[str, Sequence[tuple[date, date]]]
) -> bool:
    """Say whether an alert was right: they had left, or of a warning, they left soon or did pull away."""
    who, verdict = told.alert.contact.address, told.alert.assessment.verdict
    gone = departed.get(who)
    if verdict in GONE:
        return gone is not None and gone <= told.raised + EARLY
    leaves_soon = gone is not None and gone <= told.raised + SLIPS_FOR
    return leaves_soon or any(first <= told.raised <= last for first, last in slipping.get(who, ()))


def departures(outcome: Outcome, departed: Mapping[str, date]) -> tuple[Found, ...]:
    """Return every departure within the span, and when it was told."""
    contacts = {contact.address for contact in outcome.contacts}
    told: dict[str, list[Told]] = {}
    for one in outcome.told:
        told.setdefault(one.alert.contact.address, []).append(one)
    found = []
    for who, day in sorted(departed.items()):
        if who not in contacts or not outcome.span.first <= day <= outcome.span.last - FOUND_WITHIN:
            continue
        theirs = told.get(who, [])
        gone = [
            one.day for one in theirs if one.alert.assessment.verdict in GONE and one.raised >= day - EARLY
        ]
        warned = [one.day for one in theirs if one.raised >= day - SLIPS_FOR]
        found.append(Found(who, day, _days(gone, day), _days(warned, day)))
    return tuple(found)


def is_in_time(days: int | None) -> bool:
    """Say whether a departure was told within a month of the last day."""
    return days is not None and days <= FOUND_WITHIN.days


def calibration(outcome: Outcome, departed: Mapping[str, date]) -> tuple[Bin, ...]:
    """Hold the probability of each contact at the end of each week against whether they had left."""
    said: list[list[float]] = [[] for _ in range(BINS)]
    so: list[int] = [0] * BINS
    for who, story in outcome.stories.items():
        gone = departed.get(who)
        days = [day for day, _, _ in story.curve]
        for monday in mondays(outcome.span):
            at = bisect_right(days, monday) - 1
            if at < 0 or (gone is not None and monday > gone + FORGOTTEN_AFTER):
                continue
            probability = story.curve[at][1]
            which = min(int(probability * BINS), BINS - 1)
            said[which].append(probability)
            so[which] += gone is not None and gone <= monday
    return tuple(
        Bin(statistics.fmean(values), so[which] / len(values), len(values))
        for which, values in enumerate(said)
        if values
    )


def expected_error(bins: Iterable[Bin]) -> float | None:
    """Return the expected calibration error: how far off the bins are on average, by their size."""
    held = list(bins)
    total = sum(one.count for one in held)
    return sum(one.count * abs(one.said - one.so) for one in held) / total if total else None


def alerts_by_week(told: Iterable[Told]) -> dict[str, dict[date, int]]:
    """Count what each rep was told in each week."""
    weeks: dict[str, dict[date, int]] = {}
    for one in told:
        monday = one.day - timedelta(one.day.weekday())
        by = weeks.setdefault(one.rep, {})
        by[monday] = by.get(monday, 0) + 1
    return weeks


def _name(told: Told) -> str:
    return "account notice" if told.alert.is_notice else told.alert.assessment.verdict.value


def _days(days: Sequence[date], departed: date) -> int | None:
    return (min(days) - departed).days if days else None


def _person_months(outcome: Outcome, departed: Mapping[str, date]) -> float:
    """Return how long contacts were watched while they were there."""
    last = outcome.span.last
    days = sum(
        max(0, (min(departed.get(contact.address, last), last) - outcome.span.first).days + 1)
        for contact in outcome.contacts
    )
    return days / DAYS_A_MONTH


def mondays(span: Span) -> list[date]:
    """Return the first day of each week that begins within a span."""
    start = span.first + timedelta((7 - span.first.weekday()) % 7)
    return [start + timedelta(weeks=week) for week in range((span.last - start).days // 7 + 1)]
