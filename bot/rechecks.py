"""Say when to judge somebody again though nothing new is known of them. Pure: time is passed in.

Time alone changes a judgement: a leave or a last day passes, a push stays without a word (its watcher says
when), a silence grows. What has a date is looked at then, all else in steps that are short where much hangs
on it and long where little can change. News is judged at once, whatever is said here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from bot.evidence import Leave, end_of, leaves_on
from bot.history import DEPARTURES, History
from bot.model import Verdict

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
"""Within a week the silence of somebody active means nothing, whatever their rhythm: see `silence.WEEK`."""

SHARE = 4
"""What has been so for some time is looked at again when a quarter of that time has passed once more."""


def recheck(
    verdict: Verdict,
    history: History,
    now: datetime,
    *,
    away: Leave | None,
    last_contact: datetime | None,
    derived_until: datetime | None = None,
    ahead: Iterable[datetime] = (),
) -> datetime:
    """Return when the judgement of `now` is to be made again.

    `derived_until` is when the watchers conclude something else from what was observed, `ahead` when
    observations begin to count that are dated later than our clock says it is.
    """
    newest = history.newest or datetime.min.replace(tzinfo=UTC)
    since = last_contact or now if verdict is Verdict.ACTIVE else newest
    step = max(STEPS.get(verdict, LEAST_ACTIVE), (now - since) / SHARE)
    if verdict is Verdict.ACTIVE:
        step = max(step, since + LONGEST - now)
    dated = [*_dated(history, away), *ahead, *([derived_until] if derived_until is not None else [])]
    return min(now + step, now + LONGEST, *(moment for moment in dated if moment > now))


def _dated(history: History, away: Leave | None) -> Iterator[datetime]:
    """Yield the moments at which something that is known of takes effect; those that passed do no harm."""
    if away is not None:
        yield away.until
    for kind in DEPARTURES:
        for seen in history.by_kind.get(kind, ()):
            last_day = leaves_on(seen)
            if last_day is not None:
                yield end_of(last_day)
