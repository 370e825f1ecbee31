"""What is remembered of a page between two looks, and when to look again. Pure: time is passed in.

Facts about watched people, hashes of the rest: no page and nobody else's name is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from watchers.web.presence import Finding, Kept, Report, State, Watched
from watchers.web.revalidation import Validators

SOONEST = timedelta(days=1)
"""Between two looks at a page, and between a first sign and its confirmation."""
SELDOM = timedelta(days=7)
"""Between two looks at a page that never changes."""
SLOWER = 1.5
"""By this an interval grows with each look that found nothing new."""
AFTER_FAILURE = timedelta(hours=6)
"""Until a page that could not be read is tried again; twice as long each time."""
READING = 2
"""Raised when reading gets better at what it saw before, so that unchanged pages are read anew."""
MOST_REASON = 200

NOBODY = "lists none of the people we look for"

_DOUBLINGS = 8


@dataclass(frozen=True, slots=True)
class Part:
    """One address that a listing stands at, and how to ask whether it changed."""

    url: str
    validators: Validators = field(default_factory=dict)
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of one page.

    `parts` are the addresses that made the last reading, the page itself first. `who` stands for the people
    who were looked for. `told` holds what was last said of each. `why` says why the page cannot be judged
    now, empty where it can.
    """

    kept: Kept | None = None
    parts: tuple[Part, ...] = ()
    who: str = ""
    told: Mapping[str, str] = field(default_factory=dict)
    next_look: datetime | None = None
    interval: timedelta = SOONEST
    failures: int = 0
    why: str = ""

    @classmethod
    def from_json(cls, value: object) -> Memory:
        """Read what `as_json` wrote; of anything else nothing is remembered."""
        if not isinstance(value, dict):
            return cls()
        try:
            return cls(
                kept=value["kept"],
                parts=tuple(
                    Part(str(url), dict(known), str(digest)) for url, known, digest in value["parts"]
                ),
                who=str(value["who"]),
                told=dict(value["told"]),
                next_look=datetime.fromisoformat(value["next"]),
                interval=timedelta(seconds=value["interval"]),
                failures=int(value["failures"]),
                why=str(value["why"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError):
            return cls()

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON value."""
        return {
            "kept": self.kept,
            "parts": [[part.url, dict(part.validators), part.digest] for part in self.parts],
            "who": self.who,
            "told": dict(self.told),
            "next": self.next_look.isoformat() if self.next_look else "",
            "interval": int(self.interval.total_seconds()),
            "failures": self.failures,
            "why": self.why,
        }

    def is_due(self, now: datetime, who: str) -> bool:
        """Say whether it is time to look; somebody new to look for is looked for at once."""
        return self.next_look is None or now >= self.next_look or (who != self.who and not self.failures)

    def needs_text(self, who: str) -> bool:
        """Say whether the page must be read although it has not changed: to confirm, or for somebody new."""
        return not self.parts or who != self.who or waits(self.kept)

    def unchanged(self, now: datetime, parts: Sequence[Part]) -> Memory:
        """Return what to remember after a look at a page that is what it was."""
        interval = min(self.interval * SLOWER, SELDOM)
        return replace(
            self, parts=tuple(parts), next_look=now + interval, interval=interval, failures=0, why=""
        )

    def failed(self, now: datetime, why: str, retry_at: datetime | None) -> Memory:
        """Return what to remember after a look that could not judge the page: all that was known stays."""
        wait = min(AFTER_FAILURE * 2 ** min(self.failures, _DOUBLINGS), SELDOM)
        next_look = max(now + wait, retry_at or now)
        return replace(self, next_look=next_look, failures=self.failures + 1, why=why[:MOST_REASON])

    def read(
        self, now: datetime, report: Report, parts: Sequence[Part], watched: Sequence[Watched]
    ) -> Memory:
        """Return what to remember after a page was read: of those no longer watched, nothing."""
        keys = {each.key for each in watched}
        told = {key: state for key, state in self.told.items() if key in keys}
        told |= {found.key: said(found) for found in report.findings if found.state is not State.UNKNOWN}
        people = {key: value for key, value in report.state.get("people", {}).items() if key in keys}
        return Memory(
            kept={**report.state, "people": people},
            parts=tuple(parts),
            who=who(watched),
            told=told,
            next_look=now + SOONEST,
            why="" if told else NOBODY,
        )


def said(found: Finding) -> str:
    """Return what is remembered to have been said: present or gone."""
    return State.GONE.value if found.state is State.GONE else State.PRESENT.value


def who(watched: Iterable[Watched]) -> str:
    """Return what stands for the people who are looked for; it changes with them and with how we read."""
    people = sorted((each.key, each.name, each.title, each.company) for each in watched)
    return hashlib.sha256(json.dumps([READING, people]).encode()).hexdigest()[:16]


def waits(kept: Kept | None) -> bool:
    """Say whether a first sign waits for a second look."""
    people: Iterable[Mapping[str, Any]] = (kept or {}).get("people", {}).values()
    return any(
        each.get("pending") or (each.get("missing") and each.get("state") != State.GONE) for each in people
    )
