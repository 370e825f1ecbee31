"""Say which sources were not read for too long, and what the admin is told of it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

INTERVALS = 3
"""A source that was not read for so many of its intervals is told to the admin."""

MOST_NAMED = 5
"""So many sources of one watcher are named one by one; more are told as a number."""

NO_END = "no look came to its end"


def overdue(
    every: Mapping[str, timedelta], read_at: Mapping[str, datetime], began: datetime, now: datetime
) -> dict[str, datetime]:
    """Return since when each source was not read that is overdue; one never read since we began.

    `every` is each source's interval.
    """
    since = {source: read_at.get(source, began) for source in every}
    return {source: at for source, at in since.items() if now - at > INTERVALS * every[source]}


def lines(
    late: Mapping[str, datetime],
    told: Mapping[str, datetime],
    read_at: Mapping[str, datetime],
    why: Mapping[str, str],
    now: datetime,
) -> list[str]:
    """Return what is new to whoever was told before: one line a source, fewer where they are many.

    `told` is since when each source was not read that was told as such; what is read again is told once.
    """
    new = {source: at for source, at in late.items() if source not in told}
    back = {source: at for source, at in told.items() if source not in late and source in read_at}
    return [
        *_grouped(
            {
                source: f"{source} was not read for {_long(now - at)}: {why.get(source) or NO_END}. "
                "Who is seen only there is unchecked until it is."
                for source, at in new.items()
            },
            "were not read for three of their intervals",
        ),
        *_grouped(
            {
                source: f"{source} is read again, after {_long(read_at[source] - at)}."
                for source, at in back.items()
            },
            "are read again",
        ),
    ]


def _grouped(said: Mapping[str, str], of_many: str) -> list[str]:
    by_watcher: defaultdict[str, list[str]] = defaultdict(list)
    for source in sorted(said):
        by_watcher[source.partition(":")[0]].append(source)
    found: list[str] = []
    for watcher, sources in by_watcher.items():
        if len(sources) <= MOST_NAMED:
            found += [said[source] for source in sources]
        else:
            found.append(f"{len(sources)} sources of {watcher} {of_many}, {sources[0]} among them.")
    return found


def _long(time: timedelta) -> str:
    minutes = max(int(time.total_seconds() // 60), 1)
    for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= 2 * size or size == 1:
            return f"{minutes // size} {unit}{'s' if minutes // size > 1 else ''}"
    raise AssertionError
