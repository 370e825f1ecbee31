"""Tell who is who at an account: three addresses may be one person, one name may be two. Pure.

Names and addresses decide together: "Jane Doe" at jane.doe@ and at jdoe@ is one; jane.doe2@ is somebody else.
Whoever stands on the same mail twice is two people. What is not sure stays apart: to take one for two shows
somebody twice, to take two for one hides somebody.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from rapidfuzz import fuzz

from bot.guess import fits
from bot.model import Person
from bot.past import Past
from watchers.web.names import Likeness, compare, parse
from watchers.web.titles import same_title

LONGEST_NAME = 80
CROWD = 3
"""Mail in the names of so many different people comes from a shared mailbox."""

MISSPELT = 85
"""Names as much alike (of 100) are one name for one address, however somebody typed it."""

NAMED_BY_THEMSELVES = frozenset({"wrote"})
GONE = frozenset({"mailbox_gone"})

_NUMBER = re.compile(r"(\d+)$")
_TAG = re.compile(r"\+.*")
_WORDS = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True)
class Somebody:
    """One person, with all that is kept of them under any of their addresses, the best address first."""

    people: tuple[Person, ...]

    @property
    def address(self) -> str:
        """Return the address to use."""
        return self.people[0].address

    @property
    def addresses(self) -> frozenset[str]:
        """Return all of their addresses."""
        return frozenset(person.address for person in self.people)

    @cached_property
    def observations(self) -> Past:
        """Return what was observed of them under any address."""
        if len(self.people) == 1:
            return Past.of(self.people[0].observations)
        return Past.of(seen for person in self.people for seen in person.observations)

    @cached_property
    def name(self) -> str:
        """Return the best name that is known, empty where none is."""
        names = [person.contact.name for person in self.people if person.contact and person.contact.name]
        return names[0] if names else next((found for one in self.people if (found := called(one))), "")

    @property
    def label(self) -> str:
        """Return the name, or the address where none is known."""
        return self.name or self.address

    @property
    def title(self) -> str:
        """Return the title that the contacts say they have."""
        return next((one.contact.title for one in self.people if one.contact and one.contact.title), "")

    @property
    def person(self) -> Person:
        """Return them as one, as the watched one of their addresses has it."""
        main = next((one for one in self.people if one.contact is not None), self.people[0])
        return replace(main, observations=self.observations)


def resolve(people: Iterable[Person]) -> list[Somebody]:
    """Return who the people behind these addresses are, by their address."""
    known = {person.address: _in_order(person) for person in people}
    names = {address: name_of(person) for address, person in known.items()}
    groups = {address: {address} for address in known}
    for one, other in _alike(known, names):
        mine, theirs = groups[one], groups[other]
        if mine is theirs or any(_are_two(known[a], known[b]) for a in sorted(mine) for b in sorted(theirs)):
            continue
        mine |= theirs
        for address in theirs:
            groups[address] = mine
    found = {id(group): group for group in groups.values()}
    merged = [
        Somebody(tuple(sorted((known[one] for one in group), key=_preference))) for group in found.values()
    ]
    return sorted(merged, key=lambda one: one.address)


def _in_order(person: Person) -> Person:
    """Return a person whose past is sorted once, and worked out once, for all who look at it here."""
    past = Past.of(person.observations)
    return person if past is person.observations else replace(person, observations=past)


def name_of(person: Person) -> str:
    """Return what somebody is called: as the contacts have it, as mail names them, or as the address says."""
    contact = person.contact
    if contact is not None and contact.name:
        return contact.name
    return called(person) or _spoken(person.address)


def called(person: Person) -> str:
    """Return the name that mail gives somebody: their own word before ours, the newest first."""
    return Past.of(person.observations).once(_called)


def _called(past: Past) -> str:
    name = ""
    for seen in reversed(past):
        given = seen.facts.get("name")
        if not given or not isinstance(given, str) or "@" in given:
            continue
        by_them = seen.kind in NAMED_BY_THEMSELVES
        if by_them or not name:
            name = given
        if by_them:
            break
    return " ".join(name[:LONGEST_NAME].split())


def is_shared(somebody: Somebody) -> bool:
    """Say whether several people write from the address, so that it is nobody's own."""
    return somebody.observations.once(_bears_many_names)


def _bears_many_names(past: Past) -> bool:
    given = {str(seen.facts.get("name") or "") for seen in past.by_kind.get("wrote", ())}
    names = [name for text in sorted(given)[: 4 * CROWD] if len((name := parse(text)).words) > 1]
    apart: list[int] = []
    for number, name in enumerate(names):
        if all(compare(name, names[other]) is Likeness.NONE for other in apart):
            apart.append(number)
    return len(apart) >= CROWD


def same_name(one: str, other: str) -> bool:
    """Say whether two full names are one person's, as far as names can tell."""
    first, second = parse(one), parse(other)
    return min(len(first.words), len(second.words)) > 1 and compare(first, second) >= Likeness.NEAR


def _spoken(address: str) -> str:
    """Return the name that an address spells out (jane.doe@), empty where it does not."""
    local = _TAG.sub("", address.partition("@")[0])
    words = re.split(r"[._-]", local.rstrip("0123456789"))
    spelt = len(words) in {2, 3} and all(_WORDS.fullmatch(word) for word in words)
    return " ".join(word.capitalize() for word in words) if spelt else ""


def _alike(known: Mapping[str, Person], names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the pairs of addresses that may be one person's."""
    by_local: defaultdict[str, list[str]] = defaultdict(list)
    by_family: defaultdict[str, list[str]] = defaultdict(list)
    for address in sorted(known):
        by_local[_TAG.sub("", address.partition("@")[0])].append(address)
        words = parse(names[address]).words
        if len(words) > 1:
            for word in {words[0], words[-1]}:
                by_family[word].append(address)
    for same in by_local.values():
        yield from (pair for pair in _pairs(same) if _may_be_one_name(*(names[one] for one in pair)))
    for same in by_family.values():
        yield from (pair for pair in _pairs(same) if _is_one_name(*pair, names))


def _pairs(addresses: list[str]) -> Iterator[tuple[str, str]]:
    """Yield neighbours and, among few, all pairs: of a crowd with one name too little is known."""
    few = addresses[:MOST_OF_ONE_NAME]
    yield from ((one, other) for at, one in enumerate(few) for other in few[at + 1 :])


MOST_OF_ONE_NAME = 40


def _may_be_one_name(one: str, other: str) -> bool:
    """Say whether nothing speaks against two names being one person's, typing mistakes included."""
    if not one or not other or compare(parse(one), parse(other)) is not Likeness.NONE:
        return True
    return fuzz.token_sort_ratio(one.casefold(), other.casefold()) >= MISSPELT


def _is_one_name(one: str, other: str, names: Mapping[str, str]) -> bool:
    """Say whether two addresses are made of one name, and not told apart by a number or a middle initial."""
    mine, theirs = (_TAG.sub("", address.partition("@")[0]) for address in (one, other))
    if _number(mine) != _number(theirs) or len(mine.split(".")) > len(theirs.split(".")) > 1:
        return False
    if len(theirs.split(".")) > len(mine.split(".")) > 1 or not same_name(names[one], names[other]):
        return False
    return all(fits(names[one], local) or fits(names[other], local) for local in (mine, theirs))


def _number(local: str) -> str:
    found = _NUMBER.search(local)
    return found[1] if found else ""


def _are_two(one: Person, other: Person) -> bool:
    """Say whether two addresses are surely two people's: both on one mail, or with two titles."""
    mine, theirs = (Past.of(person.observations).once(company) for person in (one, other))
    if other.address in mine or one.address in theirs:
        return True
    a, b = one.contact, other.contact
    return a is not None and b is not None and bool(a.title and b.title) and not same_title(a.title, b.title)


def company(past: Past) -> frozenset[str]:
    """Return who was on the same mails and meetings; fold it with `Past.once`."""
    found: set[str] = set()
    for seen in past:
        people, invited = seen.facts.get("with"), seen.facts.get("attendees")
        if isinstance(people, list):
            found.update(map(str, people))
        if isinstance(invited, list):
            found.update(str(one[0]) for one in invited if isinstance(one, list) and one)
    return frozenset(found)


def _preference(person: Person) -> tuple[bool, float, bool, str]:
    """Order one person's addresses: those that work first, then the one they last wrote from."""
    kinds = Counter(seen.kind for seen in person.observations)
    wrote = max((seen.at.timestamp() for seen in person.observations if seen.kind == "wrote"), default=0.0)
    return any(kinds[kind] for kind in GONE), -wrote, person.contact is None, person.address
