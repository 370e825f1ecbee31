"""Call the roll of a page: who of the people we know it lists, and whether it is still that list. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from watchers.web.employers import is_company
from watchers.web.findings import Kept, Sighting, State, Watched
from watchers.web.matching import Match, Matcher, Sought
from watchers.web.names import parse
from watchers.web.persons import Person
from watchers.web.titles import says_departed

MANY = 4
"""So many former people at once may be a page that is read wrongly."""
_FOUND_SHARE = 0.25
_FOUND_ENOUGH = 3
_SUDDEN_SHARE = 0.6
_DETOUR_SHARE = 0.6
_ALONE = "alone"


@dataclass(frozen=True, slots=True)
class Roll:
    """Who of the people we know is on a page.

    `before` is what was kept of each watched person; `here` are those whom the page lists, `left` those whom
    it counts among the former ones. `ambiguous` are those for whom several on the page may be meant.
    `companies` are the employers that we know. Of the `known` people of the last look, watched or not, so
    many as `found` are listed again. `doubt` is why a miss on this page cannot count, empty where it does.
    """

    before: Mapping[str, Kept]
    here: Mapping[str, Match]
    left: Mapping[str, Match]
    ambiguous: Collection[str]
    companies: frozenset[str]
    found: int
    known: int
    doubt: str = ""

    @property
    def is_the_list(self) -> bool:
        """Say whether enough of the people we know are listed."""
        return self.found >= max(1, min(_FOUND_ENOUGH, math.ceil(_FOUND_SHARE * (self.known - 1))))


def call_roll(old: Kept, watched: Sequence[Watched], seen: Sighting, day: date) -> Roll:
    """Find the watched people on a page that was read; `old` is the state of the last look."""
    kept: Mapping[str, Kept] = old.get("people", {})
    before = {each.key: kept.get(each.key, {}) for each in watched}
    matcher = Matcher(seen.people, old.get("names", ()))
    matches = {
        key: match
        for key, match in matcher.run([_sought(each, before[each.key]) for each in watched]).items()
        if not _is_only_mentioned(before[key], match.person)
    }
    companies = _companies(watched, before, matches.values())
    matches = {key: replace(match, person=_sorted(match.person, companies)) for key, match in matches.items()}
    here = {key: match for key, match in matches.items() if not _has_left(before[key], match.person, day)}
    left = {key: match for key, match in matches.items() if key not in here}
    found, known = _known(old, before, here, seen)
    roll = Roll(before, here, left, matcher.ambiguous, companies, found, known)
    return replace(roll, doubt=_doubt(roll, old, seen))


def _sought(each: Watched, kept: Kept) -> Sought:
    names = tuple(dict.fromkeys(name for name in (each.name, kept.get("name", "")) if name))
    email = kept.get("email", "") or each.email
    return Sought(
        each.key,
        names,
        kept.get("title", ""),
        kept.get("link", ""),
        kept.get("photo", ""),
        email,
        kept.get("handle", ""),
    )


def _is_only_mentioned(kept: Kept, person: Person) -> bool:
    """Say whether someone who was listed in full before is now only named somewhere on the page."""
    return person.weak and not person.former and kept.get("style", _ALONE) != _ALONE


def _companies(
    watched: Iterable[Watched], before: Mapping[str, Kept], matches: Iterable[Match]
) -> frozenset[str]:
    """Return the employers that we know, or that the page names as such."""
    named = (match.person.org for match in matches)
    kept = (kept.get("org", "") for kept in before.values())
    return frozenset(org for org in (*(each.company for each in watched), *named, *kept) if org)


def _sorted(person: Person, companies: frozenset[str]) -> Person:
    """Return the person with an employer that was read as the title in its place."""
    if not person.org and person.title and is_company(person.title, companies):
        return replace(person, org=person.title, title="")
    return person


def _has_left(kept: Kept, person: Person, day: date) -> bool:
    """Say whether the page lists the person among those who left."""
    if person.former:
        return True
    was = kept.get("title", "")
    return says_departed(person.title, day.year) and not (was and says_departed(was, day.year))


def _known(old: Kept, before: Mapping[str, Kept], here: Collection[str], seen: Sighting) -> tuple[int, int]:
    """Return how many of the people known before are found, and how many there were."""
    listed = {
        parse(person.name).loose_digest for person in seen.people if not person.former and not person.weak
    }
    others = set(old.get("others", ()))
    watched = [key for key, kept in before.items() if kept.get("seen") and kept.get("state") != State.GONE]
    return len(others & listed) + sum(key in here for key in watched), len(others) + len(watched)


def _doubt(roll: Roll, old: Kept, seen: Sighting) -> str:
    """Return why a miss on this page cannot count, or nothing where it does."""
    if not roll.is_the_list:
        return seen.guess() or "not the listing it was: too few of the people we know are on it"
    if seen.detour and roll.found < _DETOUR_SHARE * roll.known:
        return seen.guess() or "another page was answered"
    completed = set() if seen.unread else {"more pages", "frames"}
    new_gaps = sorted(seen.gaps - set(old.get("gaps", ())) - completed)
    if new_gaps:
        return f"the page may not show everybody: {', '.join(new_gaps)}"
    if (
        len(roll.left) >= MANY
        and len(roll.left) > _SUDDEN_SHARE * max(1, len(roll.left) + len(roll.here))
        and _left_suddenly(roll)
    ):
        return "nearly everybody stands under a heading of former people at once"
    return ""


def _left_suddenly(roll: Roll) -> bool:
    new = [key for key in roll.left if roll.before[key].get("state") != State.GONE]
    return len(new) > _SUDDEN_SHARE * len(roll.left)
