"""Say when to judge somebody again though nothing new is known of them. Pure: time is passed in.

Time alone changes a judgement: a leave or a last day passes, a meeting turns out not to have taken place, a
push stays without a word, a silence grows. What has a date is looked at then, all else in steps that are
short where much hangs on it and long where little can change. News is judged at once, whatever is said here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import MAXYEAR, UTC, datetime, timedelta

from bot.evidence import Leave, end_of, leaves_on
from bot.history import DEPARTURES, MEETING, SENT, History
from bot.model import Observation, Verdict

AFTER_UPDATE, AFTER_CANCELLATION = timedelta(days=2), timedelta(days=3)
"""When an update stands without a word, and a cancellation without a new date."""

AFTER_START = timedelta(days=5)
"""When it looks as if somebody had not come to a meeting."""

ANSWER_DUE = timedelta(days=2)
"""So long after the latest mail of ours it may count as unanswered."""

STEPS: Mapping[Verdict, timedelta] = {
    Verdict.LEFT: timedelta(days=7),
    Verdict.LIKELY_LEFT: timedelta(days=1),
    Verdict.SLIPPING: timedelta(days=1),
    Verdict.QUIET: timedelta(days=7),
    Verdict.ON_LEAVE: timedelta(days=7),
    Verdict.UNCHECKED: timedelta(hours=6),
}
"""How long each verdict stands when it is fresh."""

LEAST_ACTIVE, LONGEST = timedelta(days=3), timedelta(days=7)
"""The silence of somebody active means nothing within a week, whatever their rhythm: see `silence.WEEK`."""

SHARE = 4
"""What has been so for some time is looked at again when a quarter of that time has passed once more."""


def recheck(
    verdict: Verdict,
    history: History,
    now: datetime,
    *,
    away: Leave | None,
    last_contact: datetime | None,
    ahead: Iterable[datetime] = (),
) -> datetime:
    """Return when the judgement of `now` is to be made again.

    `ahead` is when observations begin to count that are dated later than our clock says it is.
    """
    newest = history.observations[-1].at if history.observations else datetime.min.replace(tzinfo=UTC)
    since = last_contact or now if verdict is Verdict.ACTIVE else newest
    step = max(STEPS.get(verdict, LEAST_ACTIVE), (now - since) / SHARE)
    moments = [moment for moment in (*_dated(history, away), *ahead) if moment > now]
    return min(now + step, now + LONGEST, *moments)


def _dated(history: History, away: Leave | None) -> Iterator[datetime]:
    """Yield the moments at which something that is known of takes effect; those that passed do no harm."""
    if away is not None:
        yield away.until
    for seen in history.by_kind.get(SENT, ())[-1:]:
        yield seen.at + ANSWER_DUE
    for kind in DEPARTURES:
        for seen in history.by_kind.get(kind, ()):
            last_day = leaves_on(seen)
            if last_day is not None:
                yield end_of(last_day)
    for seen in history.by_kind.get(MEETING, ()):
        start = _moment(seen.facts.get("start"))
        yield seen.at + (AFTER_CANCELLATION if _is_cancelled(seen) else AFTER_UPDATE)
        if start is not None:
            yield start + AFTER_START


def _is_cancelled(seen: Observation) -> bool:
    return seen.facts.get("method") == "CANCEL" or seen.facts.get("status") == "CANCELLED"


def _moment(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) and value else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo and found.year < MAXYEAR else None
