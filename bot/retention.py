"""Say how long what is kept of a person may be kept, and whose time is over. Pure.

It is counted from the last business contact, or from the close of the deal where that is later. What says
that somebody changed jobs is no business contact, and starts nothing anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from bot.history import History
from bot.model import Kind, Person

SOON = timedelta(days=30)
"""Whose time is over within this is shown as due next."""


@dataclass(frozen=True, slots=True)
class Term:
    """How long one person's facts may be kept: `since` when that counts, for what `reason`, and `until` when.

    `since` is None where nothing dated is known of them: they were named, and never seen.
    """

    address: str
    watched: bool
    since: datetime | None
    reason: str
    until: datetime | None
    informed_on: date | None = None

    def is_over(self, now: datetime) -> bool:
        """Say whether it may be kept no longer."""
        return self.until is not None and self.until <= now


@dataclass(frozen=True, slots=True)
class Overview:
    """What is kept, in numbers, and whose time ends soon, the first first."""

    watched: int
    colleagues: int
    notices: int
    observations: int
    cases: int
    messages: int
    oldest: datetime | None
    uninformed: int
    over: int
    next: tuple[Term, ...]


def term(person: Person, retention: timedelta, kinds: Mapping[str, Kind], now: datetime) -> Term:
    """Return how long what is kept of a person may be kept."""
    contact = person.contact or person.former
    since, reason = _since(person, kinds, now)
    return Term(
        person.address,
        person.contact is not None,
        since,
        reason,
        _end(since, retention) if since else None,
        contact.informed_on if contact else None,
    )


def _end(since: datetime, retention: timedelta) -> datetime:
    """Return when the time is over; a date so late that no calendar has the end is the last there is."""
    try:
        return since + retention
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _since(person: Person, kinds: Mapping[str, Kind], now: datetime) -> tuple[datetime | None, str]:
    if person.address.startswith("@"):
        return max((decision.at for decision in person.decisions), default=None), "last notice"
    known = History.of(person.address, person.observations, now, kinds)
    dated = [(at, "last business contact") for at in (known.last_contact, *known.activity) if at]
    contact = person.contact or person.former
    if contact is not None and contact.deal is not None and contact.deal.close_date is not None:
        dated.append((datetime.combine(contact.deal.close_date, time(), UTC), "close of the deal"))
    first = [seen.seen or seen.at for seen in person.observations] + [one.at for one in person.decisions[:1]]
    return max(dated, default=(min(first, default=None), "first known"), key=lambda one: one[0])


def overview(
    people: Iterable[Person], retention: timedelta, kinds: Mapping[str, Kind], now: datetime
) -> Overview:
    """Count what is kept."""
    everybody = list(people)
    humans = [person for person in everybody if not person.address.startswith("@")]
    terms = [term(person, retention, kinds, now) for person in everybody]
    soon = [one for one in terms if one.until is not None and one.until <= now + SOON]
    cases = [case for person in everybody for case in person.cases]
    seen = [observation.at for person in everybody for observation in person.observations]
    return Overview(
        watched=sum(person.contact is not None for person in humans),
        colleagues=sum(person.contact is None for person in humans),
        notices=len(everybody) - len(humans),
        observations=len(seen),
        cases=len(cases),
        messages=len(
            {(post.channel, post.ts) for case in cases for post in (*case.posts, case.home) if post}
        ),
        oldest=min(seen, default=None),
        uninformed=sum(one.watched and one.informed_on is None for one in terms),
        over=sum(one.is_over(now) for one in terms),
        next=tuple(sorted(soon, key=lambda one: (one.until or now, one.address))),
    )
