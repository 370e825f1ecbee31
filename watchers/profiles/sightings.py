"""Believe what a profile says only when it says so twice, at least a day apart. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

CONFIRMED_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Sighted:
    """What a profile was last seen to say, and since when; `told` is what was reported last."""

    fact: str = ""
    since: str = ""
    told: str = ""

    @property
    def waits(self) -> bool:
        """Say whether a first sighting waits for its confirmation."""
        return bool(self.fact) and self.fact != self.told

    def again(self, fact: str, now: datetime, *, at_once: bool = False) -> tuple[Sighted, bool]:
        """Return what to remember after another sighting, and whether the fact is news to report.

        An empty fact is a profile that says nothing: what was seen before is no longer waited for. `at_once`
        is for what needs no confirmation.
        """
        if not fact or fact == self.told:
            return replace(self, fact=fact, since=""), False
        since = self.since if fact == self.fact and self.since else now.isoformat()
        if at_once or now - datetime.fromisoformat(since) >= CONFIRMED_AFTER:
            return Sighted(fact, since, fact), True
        return replace(self, fact=fact, since=since), False
