"""What is remembered of a page between two looks, and when to look again. Pure: time is passed in.

Facts about watched people, and hashes of the rest. Of a page that lists one of them, the names and titles as
they stood at the last reading are kept as well, so that somebody to turn to can be named; nothing older is.
Whoever was ever looked for is never among them: they are known by their contact, or to be forgotten.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from watchers.web.findings import Finding, Kept, Report, State, Watched
from watchers.web.names import parse
from watchers.web.persons import Person
from watchers.web.revalidation import Validators

SOONEST = timedelta(days=1)
"""Between two looks at a page, and between a first sign and its confirmation."""
SELDOM = timedelta(days=7)
"""Between two looks at a page that never changes."""
SLOWER = 1.5
"""By this an interval grows with each look that found nothing new."""
AFTER_FAILURE = timedelta(hours=6)
"""Until a page that could not be read is tried again; twice as long each time."""
READING = 3
"""Raised when reading gets better at what it saw before, so that unchanged pages are read anew."""
MOST_REASON = 200
MOST_LISTED, LONGEST_LISTED = 60, 100
"""So many people of a page are kept, with so many characters of each name and title."""

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
    now, empty where it can. `listed` are the names and titles of the page's other people,
    `sought` the hashes of the names that were ever looked for, `companies` where those looked for now work.
    """

    kept: Kept | None = None
    parts: tuple[Part, ...] = ()
    who: str = ""
    told: Mapping[str, str] = field(default_factory=dict)
    next_look: datetime | None = None
    interval: timedelta = SOONEST
    failures: int = 0
    why: str = ""
    listed: tuple[tuple[str, str], ...] = ()
    sought: frozenset[str] = frozenset()
    companies: tuple[str, ...] = ()

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
                listed=tuple((str(name), str(title)) for name, title in value.get("listed", ())),
                sought=frozenset(map(str, value.get("sought", ()))),
                companies=tuple(map(str, value.get("companies", ()))),
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
            "listed": [[name, title] for name, title in self.listed],
            "sought": sorted(self.sought),
            "companies": [*self.companies],
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
        self,
        now: datetime,
        report: Report,
        parts: Sequence[Part],
        watched: Sequence[Watched],
        seen: Iterable[Person] = (),
    ) -> Memory:
        """Return what to remember after a page was read: of those no longer watched, nothing."""
        keys = {each.key for each in watched}
        told = {key: state for key, state in self.told.items() if key in keys}
        told |= {found.key: said(found) for found in report.findings if found.state is not State.UNKNOWN}
        people = {key: value for key, value in report.state.get("people", {}).items() if key in keys}
        sought = self.sought | {parse(each.name).digest for each in watched}
        return Memory(
            kept={**report.state, "people": people},
            parts=tuple(parts),
            who=who(watched),
            told=told,
            next_look=now + SOONEST,
            why="" if told else NOBODY,
            listed=_listed(seen, sought) if told else (),
            sought=sought,
            companies=tuple(sorted({each.company for each in watched} - {""})),
        )


def listed_at(cursor: object, url: str) -> tuple[tuple[str, str], ...]:
    """Return the names and titles that a page listed at the last reading, from what is kept of its host."""
    return Memory.from_json(cursor.get(url)).listed if isinstance(cursor, dict) else ()


def _listed(people: Iterable[Person], sought: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """Return who else a page says is there now; a name that stands alone may be anybody's."""
    members = (
        each
        for each in people
        if each.name and not each.former and not each.weak and parse(each.name).digest not in sought
    )
    kept = ((each.name[:LONGEST_LISTED], each.title[:LONGEST_LISTED]) for each in members)
    return tuple(islice(dict.fromkeys(kept), MOST_LISTED))


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
