"""Count how often each kind of signal was right, by what reps answered. Pure: time is passed in.

Every answer is a label. Only *Nothing wrong* and *Still there* say that an alert was false; whoever confirms,
explains or takes a case up says that there was something. A snooze says nothing, nor does a case that settled
itself.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from bot.alerts import GRAVITY
from bot.model import Alert, Answer, Case, Choice, Means

WINDOW = timedelta(days=90)
"""How far back answers count."""

QUARTER_WEEKS = 13
WEEK = timedelta(days=7)

FALSE_ALARMS = frozenset({Choice.STILL_THERE, Choice.NOTHING_WRONG})
NO_WORD = frozenset({Choice.SNOOZE, Choice.UNDERSTOOD, Choice.ANSWERED})

CONFIDENCE = 1.96
"""Standard deviations on either side that hold 95 % of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Precision:
    """How often alerts that a kind of signal led were right, by the answers they got.

    `low` and `high` bound the share of right ones with 95 % confidence: Wilson's score interval, which
    also holds for a handful of answers (Wilson 1927, doi:10.1080/01621459.1927.10502953).
    """

    kind: str
    right: int = 0
    wrong: int = 0

    @property
    def answers(self) -> int:
        """Return how many answers there are."""
        return self.right + self.wrong

    @property
    def share(self) -> float:
        """Return the share of right alerts from 0 to 1; 1 where nobody answered."""
        return self.right / self.answers if self.answers else 1.0

    @property
    def low(self) -> float:
        """Return the lower bound of the share; 0 where nobody answered."""
        return _wilson(self.right, self.answers)[0]

    @property
    def high(self) -> float:
        """Return the upper bound of the share; 1 where nobody answered."""
        return _wilson(self.right, self.answers)[1]

    @property
    def signal(self) -> str:
        """Return the kind of signal in words."""
        return self.kind.replace("_", " ")


def precision(cases: Iterable[Case], now: datetime, within: timedelta = WINDOW) -> list[Precision]:
    """Return how right each kind of signal was in the time before `now`, most answered first.

    A case counts once for each kind that led one of the alerts which the answer was about.
    """
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for case in cases:
        word = label(case)
        if word is None or not now - within < word.at <= now:
            continue
        (wrong if word.choice in FALSE_ALARMS else right).update(_led(case, word))
    found = [Precision(kind, right[kind], wrong[kind]) for kind in right | wrong]
    return sorted(found, key=lambda one: (-one.answers, one.kind))


def overall(cases: Iterable[Case], now: datetime, within: timedelta = WINDOW) -> Precision:
    """Return how right all alerts together were, each case counted once."""
    words = [word for case in cases if (word := label(case)) and now - within < word.at <= now]
    wrong = sum(word.choice in FALSE_ALARMS for word in words)
    return Precision("", len(words) - wrong, wrong)


@dataclass(frozen=True, slots=True)
class Tally:
    """The cases that were opened in one week, by what was said of them; `monday` is its first day (UTC)."""

    monday: date
    right: int = 0
    wrong: int = 0
    open: int = 0

    @property
    def cases(self) -> int:
        """Return how many there were."""
        return self.right + self.wrong + self.open


def quarter(cases: Iterable[Case], now: datetime) -> list[Tally]:
    """Return the last quarter's weeks with their cases, oldest first; weeks without any are among them."""
    today = now.astimezone(UTC).date()
    monday = today - timedelta(days=today.weekday())
    counts: Counter[tuple[date, bool | None]] = Counter()
    for case in cases:
        if case.deliveries and case.deliveries[0].alert.at <= now:
            day = case.deliveries[0].alert.at.astimezone(UTC).date()
            word = label(case)
            was_right = None if word is None else word.choice not in FALSE_ALARMS
            counts[day - timedelta(days=day.weekday()), was_right] += 1
    weeks = [monday - WEEK * back for back in reversed(range(QUARTER_WEEKS))]
    return [Tally(week, counts[week, True], counts[week, False], counts[week, None]) for week in weeks]


def label(case: Case) -> Answer | None:
    """Return the word that says whether the case was right; None where nobody said so far.

    Whoever is on it says that something was up, until somebody settles the case otherwise.
    """
    if case.settled is not None and case.settled.choice not in NO_WORD:
        return case.settled
    return case.on_it


def lead(alert: Alert) -> str:
    """Return the kind of signal that led an alert: its weightiest evidence; empty where none weighs."""
    speaks = [
        e for e in alert.assessment.evidence if e.means in {Means.GONE, Means.SLIPPING} and e.weight > 0
    ]
    return max(speaks, key=lambda e: (e.explicit, e.weight, e.at, e.key)).kind if speaks else ""


def _led(case: Case, word: Answer) -> set[str]:
    """Return the kinds that led what the word was about.

    A departure that is confirmed proves every earlier warning of its case; a false alarm is charged to the
    alert that was answered.
    """
    alerts = (sent.alert for sent in case.deliveries)
    told = [alert for alert in alerts if alert.at <= word.at and alert.assessment.verdict in GRAVITY]
    judged = told[-1:] if word.choice in FALSE_ALARMS else told
    return {kind for alert in judged if (kind := lead(alert))}


def _wilson(right: int, of: int) -> tuple[float, float]:
    if not of:
        return 0.0, 1.0
    share, z = right / of, CONFIDENCE
    spread = z * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    centre, scale = share + z * z / (2 * of), 1 + z * z / of
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)
