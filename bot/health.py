"""What each source's last looks came to: said once when it goes bad, and once when it recovers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.coverage import Coverage, Outage
from bot.model import Json, NeedsHuman, SourceDown
from bot.store import Store

log = structlog.get_logger()

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
ASK_AGAIN = timedelta(hours=1)
"""How often a source that waits for a person is tried: often enough to notice that it was mended."""

PATIENCE = timedelta(days=1)
"""The longest wait that a source may ask for."""


SET_BACK = timedelta(minutes=1)
"""Clocks of processes differ by less; one that says more was set back, and its waits do not count."""


@dataclass(frozen=True)
class Trouble:
    """Since when a source cannot be read, how often it was tried, when last, and when it is tried next."""

    since: datetime
    tries: int
    tried: datetime
    next_try: datetime
    needs_human: bool = False
    what: str = ""


class Health:
    """The troubles of all sources, by source, and when each was last read."""

    def __init__(self) -> None:
        self.troubles: dict[str, Trouble] = {}
        self.read_at: dict[str, datetime] = {}
        self.missed = ""
        """What is never seen, in words: see `bot.coverage.missed`."""

    def coverage(self) -> Coverage:
        """Return what cannot be read now, the longest outage first, and when each source was last read."""
        outages = [Outage(name, one.since, one.needs_human) for name, one in self.troubles.items()]
        found = tuple(sorted(outages, key=lambda one: (one.since, one.source)))
        return Coverage(found, dict(self.read_at), self.missed)

    def may_look(self, source: str, now: datetime) -> bool:
        """Say whether it is time to look at a source."""
        trouble = self.troubles.get(source)
        return trouble is None or now >= trouble.next_try or now < trouble.tried - SET_BACK

    def good(self, source: str, now: datetime) -> None:
        """Note that a source was read."""
        self.read_at[source] = now
        trouble = self.troubles.pop(source, None)
        if trouble is not None:
            minutes = int((now - trouble.since).total_seconds() // 60)
            log.info("source.recovered", source=source, minutes=minutes)

    def bad(self, source: str, failure: SourceDown | NeedsHuman, now: datetime) -> None:
        """Note that a source could not be read, and when to try again: later each time, up to an hour.

        It is said again only where waiting no longer helps, and a person must act.
        """
        known = self.troubles.get(source)
        tries = known.tries + 1 if known else 1
        known_to_need_human = known is not None and known.needs_human
        if isinstance(failure, NeedsHuman):
            wait = ASK_AGAIN
            if not known_to_need_human:
                log.error("source.needs_human", source=source, what=failure.what, how=failure.how)
        else:
            wait = failure.retry_after or min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(tries - 1, 10))
            if known is None:
                log.warning("source.down", source=source, what=failure.what)
        needs_human = known_to_need_human or isinstance(failure, NeedsHuman)
        self.troubles[source] = Trouble(
            known.since if known else now, tries, now, now + min(wait, PATIENCE), needs_human, failure.what
        )

    def outages(self) -> dict[str, str]:
        """Return why each source that was looked at cannot be read, empty where it can."""
        read = dict.fromkeys(self.read_at, "")
        return {**read, **{name: unreadable(name, one.what) for name, one in self.troubles.items()}}

    async def share(self, store: Store, source: str) -> None:
        """Let the other processes know what is known of a source."""
        trouble, read_at = self.troubles.get(source), self.read_at.get(source)
        said: dict[str, Json] = {"read_at": read_at.isoformat() if read_at else None, "trouble": None}
        if trouble is not None:
            said["trouble"] = {
                "since": trouble.since.isoformat(),
                "tries": trouble.tries,
                "tried": trouble.tried.isoformat(),
                "next_try": trouble.next_try.isoformat(),
                "needs_human": trouble.needs_human,
                "what": trouble.what,
            }
        await store.save_setting(f"health of {source}", said)

    async def learn(self, store: Store, sources: Iterable[str]) -> None:
        """Take over what any process knows of these sources."""
        for source in sources:
            said = await store.setting(f"health of {source}")
            if not isinstance(said, dict):
                continue
            if said["read_at"]:
                self.read_at[source] = datetime.fromisoformat(str(said["read_at"]))
            trouble = said["trouble"]
            if not isinstance(trouble, dict):
                self.troubles.pop(source, None)
                continue
            self.troubles[source] = Trouble(
                since=datetime.fromisoformat(str(trouble["since"])),
                tries=int(str(trouble["tries"])),
                tried=datetime.fromisoformat(str(trouble.get("tried", trouble["since"]))),
                next_try=datetime.fromisoformat(str(trouble["next_try"])),
                needs_human=bool(trouble["needs_human"]),
                what=str(trouble["what"]),
            )


def unreadable(source: str, what: str) -> str:
    """Say that a source cannot be read, in the words that the reps see."""
    return f"{source} cannot be read: {what}"
