"""Choose whom to turn to at the account, with reasons. Pure: time is passed in.

Candidates are people the team's own mail knows: the successor that a reply names, and colleagues at the
account who write or are written to. Nobody is invented, and people of other domains are not the account's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from bot.model import Contact, Json, Observation, Person, Suggestion

SHOWN = 3
"""How many people are suggested."""

FADES = timedelta(days=60)
"""A contact's warmth halves in this time."""

NAMING = frozenset({"departed", "farewell", "on_leave", "role_change"})
ROLES = frozenset(
    "abuse accounting accounts admin billing contact enquiries finance hello help helpdesk hr info "
    "inquiries invoice invoices jobs kontakt legal mail marketing no-reply noreply office orders postmaster "
    "press privacy procurement purchasing reception recruiting sales security service support team "
    "webmaster".split()
)
"""Local parts that are a desk, not a person."""

WORTH = {"wrote": 3.0, "meeting_accepted": 2.0, "written_to": 1.0, "copied": 0.5}
"""What one contact of each kind adds to somebody's warmth."""


@dataclass(frozen=True)
class Candidate:
    """A colleague at the account, and how warm the contact with them is."""

    person: Person
    warmth: float
    name: str

    def reasons(self, now: datetime) -> tuple[str, ...]:
        """Say in words what we know of them."""
        wrote = [seen.at for seen in self.person.observations if seen.kind == "wrote"]
        threads = [seen for seen in self.person.observations if seen.kind in WORTH]
        told = [f"on {len(threads)} mail{'s' if len(threads) != 1 else ''} with us"]
        if wrote:
            told.append(f"last wrote {ago(max(wrote), now)}")
        contact = self.person.contact
        if contact is not None and contact.title:
            told.append(contact.title)
        return tuple(told)


def rank(people: Iterable[Person], now: datetime) -> list[Candidate]:
    """Return the people of an account whom one can turn to, the warmest contact first."""
    candidates = [
        Candidate(person, warmth(person, now), display_name(person))
        for person in people
        if not is_desk(person.address) and not is_leaving(person)
    ]
    warm = [candidate for candidate in candidates if candidate.warmth > 0]
    return sorted(warm, key=lambda candidate: (-candidate.warmth, candidate.person.address))


def suggest(
    contact: Contact, observations: Iterable[Observation], ranked: Iterable[Candidate], now: datetime
) -> tuple[Suggestion, ...]:
    """Return up to three people to turn to: a named successor first, then the warmest colleagues."""
    named = successors(contact, observations, now)
    taken = {contact.address} | {suggestion.address for suggestion in named}
    others = (candidate for candidate in ranked if candidate.person.address not in taken)
    warm = [
        Suggestion(candidate.name, candidate.person.address, candidate.reasons(now))
        for candidate in islice(others, SHOWN)
    ]
    return (*named, *warm)[:SHOWN]


def successors(contact: Contact, observations: Iterable[Observation], now: datetime) -> list[Suggestion]:
    """Return the people that the contact's own replies name, newest reply first."""
    found: dict[str, Suggestion] = {}
    naming = [seen for seen in observations if seen.kind in NAMING and seen.at <= now]
    for seen in sorted(naming, key=lambda seen: seen.at, reverse=True):
        for entry in entries(seen.facts.get("successors")):
            name, address = str(entry.get("name") or ""), str(entry.get("address") or "").lower()
            if not (name or address) or entry.get("role") or (address and address == contact.address):
                continue
            if address and not same_company(address, contact.address):
                continue
            reason = f"named in {contact.label}'s own reply of {seen.at:%-d %B}"
            found.setdefault(address or name, Suggestion(name or address, address, (reason,), successor=True))
    return list(found.values())


def entries(value: Json | object) -> list[dict[str, Json]]:
    """Return the objects in a fact that should be a list of objects."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def warmth(person: Person, now: datetime) -> float:
    """Return how alive the contact with somebody is: two-way, recent exchange weighs most."""
    total = 0.0
    for seen in person.observations:
        age = max(timedelta(), now - seen.at)
        total += WORTH.get(seen.kind, 0.0) * 0.5 ** (age / FADES)
    return math.log1p(total)


def display_name(person: Person) -> str:
    """Return the best name we have for somebody: the contact's, else the newest that mail gave."""
    if person.contact is not None and person.contact.name:
        return person.contact.name
    names = [str(seen.facts["name"]) for seen in newest_first(person.observations) if seen.facts.get("name")]
    return names[0] if names else person.address


def newest_first(observations: Sequence[Observation]) -> list[Observation]:
    """Sort observations, newest first."""
    return sorted(observations, key=lambda seen: seen.at, reverse=True)


def is_desk(address: str) -> bool:
    """Say whether an address belongs to a desk rather than to a person."""
    return address.partition("@")[0].lower() in ROLES


def is_leaving(person: Person) -> bool:
    """Say whether somebody is known to have left or to be leaving, which makes them no one to turn to."""
    return any(seen.kind in {"departed", "farewell", "mailbox_gone"} for seen in person.observations)


def same_company(one: str, other: str) -> bool:
    """Say whether two addresses are at the same domain, or one's is a sub-domain of the other's."""
    first, second = one.rpartition("@")[2], other.rpartition("@")[2]
    return first == second or first.endswith(f".{second}") or second.endswith(f".{first}")


def ago(when: datetime, now: datetime) -> str:
    """Say how long ago something was, in days."""
    days = (now - when).days
    return "today" if days <= 0 else "yesterday" if days == 1 else f"{days} days ago"
