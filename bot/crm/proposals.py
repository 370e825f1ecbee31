"""What we propose to change in the CRM once a rep said that somebody has left. Pure.

A proposal is worked out anew whenever it is needed: from the rep's answer, and from what stands in the CRM
then. What is done already is no part of it, so it can be written any number of times and is written once.
Nothing personal is kept of it but in the CRM itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from bot.crm.csv import ADDRESS, tidy
from bot.model import Case, Choice, Json, Suggestion

KEPT = timedelta(days=14)
"""A case that was settled longer ago is not proposed any more: somebody has seen to it since."""

LEASE = timedelta(minutes=5)
"""How long one attempt to write may take before it counts as lost."""

FARTHEST = timedelta(days=2)
"""No CRM asks us to wait for longer: what is held until later was held by a clock that was ahead."""

KEY_DIGITS = 16
LONGEST_NAME = 100


class Step(StrEnum):
    """The parts of a proposal, each of which is done by itself."""

    LEFT = "left"
    SUCCESSOR = "successor"
    NOTE = "note"


class State(StrEnum):
    """What became of a proposal; while it is being offered, one process holds it."""

    OFFERING = "offering"
    OFFERED = "offered"
    NOTHING = "nothing"
    ACCEPTED = "accepted"
    WRITTEN = "written"
    DECLINED = "declined"


@dataclass(frozen=True)
class Wanted:
    """What is to be true in the CRM: this person has left, and who takes their place, as far as is known.

    `key` tells this case from every other, and says nothing to whoever reads it.
    """

    key: str
    address: str
    name: str
    day: date
    by: str
    successor: Suggestion | None = None

    @property
    def mark(self) -> str:
        """Return what our note carries, by which it is found again."""
        return f"stillthere:{self.key[:KEY_DIGITS]}"

    @property
    def note(self) -> str:
        """Return the note that is added."""
        who = self.name or self.address
        after = f" Next: {self.successor.name or self.successor.address}." if self.successor else ""
        return f"{who} has left, as {self.by} said on {self.day.isoformat()}.{after} [{self.mark}]"


@dataclass(frozen=True)
class Change:
    """One thing that would change: where, what stands there, and what would stand there."""

    step: Step
    where: str
    before: str
    after: str

    @property
    def digest(self) -> str:
        """Return by what it is known whether it would still write what somebody accepted."""
        return _digest([self.step, self.where, self.after])


@dataclass(frozen=True)
class Proposal:
    """What would change in the CRM; `record` is the id of the contact there."""

    record: str
    changes: tuple[Change, ...]

    @property
    def steps(self) -> list[Step]:
        """Return the parts in their order."""
        return [change.step for change in self.changes]

    @property
    def digest(self) -> str:
        """Return by what it is known whether it is still what somebody was shown."""
        told = [[self.record], *([one.step, one.where, one.before, one.after] for one in self.changes)]
        return _digest(told)


def _digest(told: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:KEY_DIGITS]


class Writer(Protocol):
    """Looks into a CRM and changes it."""

    @property
    def name(self) -> str:
        """What the CRM is called."""

    async def look(self, wanted: Wanted) -> Proposal | None:
        """Say what would change now; None where the CRM does not know the person.

        Raises `SourceDown` and `NeedsHuman`.
        """

    async def write(self, wanted: Wanted, proposal: Proposal, steps: Iterable[Step]) -> None:
        """Do these steps of a proposal, in order. Raises `SourceDown` and `NeedsHuman`.

        A step that was done in the meantime is not done again.
        """


@dataclass(frozen=True)
class Kept:
    """What is kept of a proposal: no more than what became of it; `shown` are the digests of its changes.

    Whoever works on it holds it until `until`; `holder` differs with each change, so that of two processes
    that change it at the same moment each knows whether it was the first.
    """

    state: State
    digest: str = ""
    steps: tuple[Step, ...] = ()
    by: str = ""
    channel: str = ""
    ts: str = ""
    until: datetime | None = None
    shown: tuple[str, ...] = ()
    holder: str = ""

    @classmethod
    def read(cls, kept: Json) -> Kept | None:
        """Read what was kept; None where it is nothing of ours."""
        if not isinstance(kept, dict) or kept.get("state") not in set(State):
            return None
        named = kept.get("steps")
        steps = [one for one in named if one in set(Step)] if isinstance(named, list) else []
        until, shown = kept.get("until"), kept.get("shown")
        return cls(
            State(str(kept["state"])),
            str(kept.get("digest") or ""),
            tuple(Step(str(one)) for one in steps),
            str(kept.get("by") or ""),
            str(kept.get("channel") or ""),
            str(kept.get("ts") or ""),
            datetime.fromisoformat(until) if isinstance(until, str) and until else None,
            tuple(map(str, shown)) if isinstance(shown, list) else (),
            str(kept.get("holder") or ""),
        )

    def is_free(self, now: datetime) -> bool:
        """Say whether nobody works on it now; nobody does until later than any real wait ends."""
        return self.until is None or not now < self.until <= now + FARTHEST

    def covers(self, proposal: Proposal) -> bool:
        """Say whether all that would be written now was shown."""
        return {change.digest for change in proposal.changes if change.step in self.steps} <= set(self.shown)

    def json(self) -> Json:
        """Return what is to be kept."""
        return {
            "state": self.state.value,
            "digest": self.digest,
            "steps": [one.value for one in self.steps],
            "by": self.by,
            "channel": self.channel,
            "ts": self.ts,
            "until": self.until.isoformat() if self.until else "",
            "shown": list(self.shown),
            "holder": self.holder,
        }


def settled(cases: Sequence[Case], now: datetime) -> list[Case]:
    """Return the cases in which a rep lately said that somebody has left."""
    return [
        case
        for case in cases
        if case.settled is not None and case.settled.choice is Choice.LEFT and case.settled.at >= now - KEPT
    ]


def wanted(case: Case, key: str, by: str) -> Wanted:
    """Return what is to be true after a rep's answer. A guessed address never goes into a CRM.

    The successor is whom the rep named, or else whom the person's own auto-reply did. Names go there on one
    line, without what cannot be seen, and as short as a card shows them.
    """
    assert case.settled is not None
    people = case.alert.assessment.suggestions
    known = [one for one in people if ADDRESS.fullmatch(one.address) and not one.guess]
    chosen = [one for one in known if one.address == case.settled.champion]
    named = [one for one in known if one.successor]
    contact = case.alert.contact
    successor = next(iter([*chosen, *([] if case.settled.champion else named)]), None)
    return Wanted(
        key=key,
        address=contact.address,
        name=_line(contact.name),
        day=case.settled.at.date(),
        by=_line(by),
        successor=replace(successor, name=_line(successor.name)) if successor is not None else None,
    )


def _line(name: str) -> str:
    return tidy(name)[:LONGEST_NAME].strip()


def parted(name: str) -> tuple[str, str]:
    """Return the first name and the last; a single word is the last name, which CRMs require."""
    first, _, last = name.strip().rpartition(" ")
    return first, last
