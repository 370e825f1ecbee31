"""Say on how many people each deal rests. Pure: time is passed in.

Real contact goes both ways: they wrote and we wrote, or a meeting was accepted. Somebody who only gets our
mail, or who has left, carries nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.circle import followed, has_accepted, is_desk, is_gone, is_leaving, moved_to
from bot.identity import resolve
from bot.model import Contact, Person

WITHIN = timedelta(days=60)
"""How recent the contact must be."""

BOTH_WAYS = frozenset({"meeting_accepted", "meeting_advanced", "meeting_attended"})
"""Kinds of observation that take both sides by themselves."""

THEIRS = "wrote"
OURS = "written_to"
CLOSED = re.compile(
    r"\b(?:closed(?:won|lost)?|won|lost|gewonnen|verloren|geschlossen|abgeschlossen|gagnée?|perdue?|fermée?"
    r"|ganad[ao]|perdid[ao]|cerrad[ao])\b",
    re.IGNORECASE,
)
"""A stage at which a deal is over, in English (also HubSpot's own names), German, French and Spanish."""


@dataclass(frozen=True, slots=True)
class InTouch:
    """Somebody at an account with whom there was real contact, and when it was last.

    `addresses` are all of theirs: one person with three addresses carries a deal once.
    """

    address: str
    name: str
    last: datetime
    addresses: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Exposure:
    """An account with open deals: its champions, and who there is in real contact, latest first."""

    account: str
    champions: tuple[Contact, ...]
    in_touch: tuple[InTouch, ...]

    def without(self, champion: Contact) -> int:
        """Return how many remain if the champion leaves."""
        return sum(champion.address not in {one.address, *one.addresses} for one in self.in_touch)

    @property
    def amount(self) -> float:
        """Return what is at stake: the largest of the deals, whatever their currency."""
        return max(map(stake, self.champions), default=0.0)


def remaining(row: Exposure, champion: Contact, name: str) -> str:
    """Say what is left of an account without its champion, in the same words wherever it is told.

    `name` is the champion's as the reader is to see it. Where nobody is in contact there is nothing to say.
    """
    left = row.without(champion)
    if left == len(row.in_touch):
        return f"{name} is not among them." if left else ""
    return f"If {name} leaves, {left} {'remains' if left == 1 else 'remain'}."


def stake(contact: Contact) -> float:
    """Return the amount of their deal, 0 where none is known."""
    return (contact.deal.amount or 0.0) if contact.deal is not None else 0.0


def has_open_deal(contact: Contact) -> bool:
    """Say whether there is a deal that is neither won nor lost."""
    return contact.deal is not None and not CLOSED.search(contact.deal.stage)


def exposure(
    champions: Sequence[Contact], people: Mapping[str, Iterable[Person]], now: datetime
) -> list[Exposure]:
    """Return the exposure of each account of these champions: the thinnest first, of those the largest deal.

    `people` holds everybody known at each account, by its name.
    """
    by_account: dict[str, list[Contact]] = {}
    for champion in champions:
        if has_open_deal(champion):
            by_account.setdefault(champion.account_name, []).append(champion)
    found = [
        Exposure(account, tuple(mine), in_touch(people.get(account, ()), now))
        for account, mine in by_account.items()
    ]
    return sorted(found, key=lambda one: (len(one.in_touch), -one.amount, one.account))


def in_contact(person: Person, now: datetime) -> datetime | None:
    """Return when somebody on whom a deal may rest was last in real contact; None for everybody else.

    That is the one meaning of being in contact, wherever it is told: in the digest as on `exposure`.
    """
    if is_desk(person.address) or is_leaving(person.observations, now) or is_gone(person, now):
        return None
    return last_real_contact(person, now)


def in_touch(people: Iterable[Person], now: datetime) -> tuple[InTouch, ...]:
    """Return who of an account is in real contact, latest first; where it moved, its people are followed."""
    everybody = resolve(people)
    moved = moved_to(everybody, now)
    found = []
    for one in everybody:
        address, past = followed(one, moved, now)
        last = in_contact(replace(one.person, observations=past), now)
        if last is not None:
            found.append(InTouch(address, one.label, last, one.addresses | {address}))
    return tuple(sorted(found, key=lambda one: (one.last, one.address), reverse=True))


def last_real_contact(person: Person, now: datetime) -> datetime | None:
    """Return when contact last went both ways within the time that counts; None where it did not."""
    recent = [seen for seen in person.observations if now - WITHIN <= seen.at <= now]
    met = [seen.at for seen in recent if seen.kind in BOTH_WAYS or has_accepted(seen)]
    wrote = [seen for seen in recent if seen.kind == THEIRS]
    answered = any(seen.kind == OURS for seen in recent) or any(seen.facts.get("answers") for seen in wrote)
    return max([*met, *(seen.at for seen in wrote if answered)], default=None)
