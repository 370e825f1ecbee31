"""Count a mail once that was read from a mailbox and logged in a CRM as well. Pure.

What was read itself says more than what was logged of it: which mail it answers, and whether a person or a
program wrote it. So the logged one gives way, whichever came first. Both stay kept.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.model import Observation, Person
from bot.past import Past

LOGGED = "logged"
"""The fact by which a watcher marks a mail that it knows from a CRM's record alone."""

NEAR = timedelta(minutes=10)
"""So far apart a CRM may date a mail that it logged without its Message-ID."""


def once(person: Person) -> Person:
    """Return what is kept of a person with each mail in it once."""
    if not Past.of(person.observations).once(_holds_logged):
        return person
    return replace(person, observations=Past.of(_once(person.observations)))


def _holds_logged(past: Past) -> bool:
    return any(seen.facts.get(LOGGED) for seen in past)


def _once(observations: Sequence[Observation]) -> Iterable[Observation]:
    read = [seen for seen in observations if not seen.facts.get(LOGGED)]
    idents = {_ident(seen) for seen in read} - {""}
    letters: defaultdict[tuple[str, str], list[datetime]] = defaultdict(list)
    for seen in sorted(read, key=lambda seen: seen.at):
        for who in _company(seen):
            letters[seen.kind, who].append(seen.at)
    for seen in observations:
        ident = _ident(seen)
        if not seen.facts.get(LOGGED):
            yield seen
        elif ident not in idents and not _is_near(seen, letters):
            idents.add(ident)
            yield seen


def _is_near(logged: Observation, letters: Mapping[tuple[str, str], Sequence[datetime]]) -> bool:
    """Say whether a mail without an id of its own is one of those that were read: by its time and people."""
    if "@" in _ident(logged):
        return False
    for who in _company(logged):
        times = letters.get((logged.kind, who), ())
        at = bisect_left(times, logged.at - NEAR)
        if at < len(times) and times[at] <= logged.at + NEAR:
            return True
    return False


def _ident(seen: Observation) -> str:
    """Return the id by which a mail is known; a Message-ID has an @ in it (RFC 5322, section 3.6.4)."""
    return str(seen.facts.get("message_id") or "")


def _company(seen: Observation) -> frozenset[str]:
    people = seen.facts.get("with")
    return frozenset(str(one) for one in people) if isinstance(people, list) else frozenset()
