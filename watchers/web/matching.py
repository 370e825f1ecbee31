"""Find the people we watch among the people a page lists."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from watchers.web.names import Likeness, Name, compare, parse
from watchers.web.persons import Person
from watchers.web.titles import same_title

_GENERIC_MAIL = frozenset(
    "info contact hello team office press sales support admin hr jobs careers media mail general enquiries "
    "kontakt".split(),
)


_OWN_PHOTO = re.compile(r"[a-z]{3,}[-_.][a-z]{3,}|[0-9a-f]{8,}")
"""A file name that is a person's or a hash, not a number in a row."""


@dataclass(frozen=True, slots=True)
class Sought:
    """A person to find: the ways their name is written, and what they were known by at the last sight."""

    key: str
    names: tuple[str, ...]
    title: str = ""
    link: str = ""
    photo: str = ""
    email: str = ""
    handle: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """Where a sought person was found; `by` says what besides the name told them."""

    person: Person
    likeness: Likeness
    by: str = ""


class Matcher:
    """One page's people against those sought; every listed person is claimed at most once."""

    def __init__(self, people: Sequence[Person], strangers: Iterable[str] = ()) -> None:
        self._people = people
        self._names = [parse(person.name) for person in people]
        self._strangers = frozenset(strangers)
        self._index: dict[str, list[int]] = defaultdict(list)
        for number, name in enumerate(self._names):
            for token in _tokens(name):
                self._index[token].append(number)
        self._claimed: set[int] = set()
        self._alike: dict[Sequence[str], dict[int, Likeness]] = {}
        marks = (
            mark for person in people for mark in {person.link, person.photo, person.email, person.handle}
        )
        self._uses = Counter(mark for mark in marks if mark)
        self.found: dict[str, Match] = {}
        self.ambiguous: set[str] = set()

    def run(self, sought: Sequence[Sought]) -> Mapping[str, Match]:
        """Return who was found; see `ambiguous` for those whom several might be."""
        # Namesakes of one page are told by their titles, so those whose title agrees come first.
        for likeness, titled in ((Likeness.SAME, True), (Likeness.SAME, False), (Likeness.NEAR, False)):
            for each in self._open(sought):
                self._claim_best(each, likeness, titled=titled)
        for each in self._open(sought):
            self._claim_by_marks(each)
        self._claim_loosely(self._open(sought))
        return self.found

    def _open(self, sought: Sequence[Sought]) -> list[Sought]:
        return [each for each in sought if each.key not in self.found]

    def _candidates(self, each: Sought) -> dict[int, Likeness]:
        """Return the free people whose names agree in some way, and how far."""
        if each.names not in self._alike:
            self._alike[each.names] = self._compared(each.names)
        alike = self._alike[each.names]
        return {number: likeness for number, likeness in alike.items() if number not in self._claimed}

    def _compared(self, names: Sequence[str]) -> dict[int, Likeness]:
        result: dict[int, Likeness] = {}
        for text in names:
            name = parse(text)
            for number in {number for token in _tokens(name) for number in self._index.get(token, ())}:
                if (found := compare(name, self._names[number])) is not Likeness.NONE:
                    result[number] = max(found, result.get(number, Likeness.NONE))
        return result

    def _claim_best(self, each: Sought, least: Likeness, *, titled: bool) -> None:
        fitting = [number for number, likeness in self._candidates(each).items() if likeness >= least]
        if titled:
            fitting = [
                number for number in fitting if each.title and each.title == self._people[number].title
            ]
        if fitting:
            best = min(fitting, key=lambda number: self._rank(each, number))
            self._claim(each, best, least)

    def _rank(self, each: Sought, number: int) -> tuple[bool, bool, bool, bool, int]:
        """Order people of one name: the one with our marks first, then members, then by title."""
        person = self._people[number]
        return (
            not _marks(each, person),
            bool(person.former),
            person.weak,
            not same_title(each.title, person.title),
            number,
        )

    def _claim(self, each: Sought, number: int, likeness: Likeness, by: str = "") -> None:
        self._claimed.add(number)
        self.found[each.key] = Match(self._people[number], likeness, by)

    def _claim_by_marks(self, each: Sought) -> None:
        """Recognise a renamed person by profile, e-mail, handle, or by photo and half the name."""
        if not (each.link or each.photo or each.email or each.handle):
            return
        fitting = []
        for number, person in enumerate(self._people):
            if number in self._claimed or self._names[number].digest in self._strangers:
                continue
            mark = _marks(each, person)
            if mark and self._tells(each, number, mark):
                fitting.append((number, mark))
        if len(fitting) == 1:
            self._claim(each, fitting[0][0], Likeness.LOOSE, fitting[0][1])

    def _tells(self, each: Sought, number: int, mark: str) -> bool:
        """Say whether a mark is one person's own; the third photo of a page may be the successor's."""
        person = self._people[number]
        value = {"e-mail": person.email, "handle": person.handle, "link": person.link, "photo": person.photo}[
            mark
        ]
        if self._uses[value] > 1:
            return False
        return mark != "photo" or (
            self._shares_a_name(each, number) and bool(_OWN_PHOTO.search(value.lower()))
        )

    def _shares_a_name(self, each: Sought, number: int) -> bool:
        own = self._names[number]
        return any({own.given, own.family} & set(parse(text).words) for text in each.names)

    def _claim_loosely(self, sought: Sequence[Sought]) -> None:
        """Match by initials and by half-changed family names, where nobody else can be meant."""
        options = {each.key: self._loose(each) for each in sought}
        rivals: dict[int, int] = defaultdict(int)
        for numbers in options.values():
            for number in numbers:
                rivals[number] += 1
        for each in sought:
            numbers = [number for number in options[each.key] if number not in self._claimed]
            if not numbers:
                if options[each.key]:
                    self.ambiguous.add(each.key)
                continue
            if rivals[numbers[0]] > len(options[each.key]):
                self.ambiguous.add(each.key)
                continue
            self._claim(each, numbers[0], Likeness.LOOSE)

    def _loose(self, each: Sought) -> list[int]:
        """Return the free people who may be meant, but nobody who stood there before under that name."""
        candidates = self._candidates(each)
        known = [number for number in candidates if self._names[number].digest not in self._strangers]
        return sorted(known, key=lambda number: self._rank(each, number))


def _tokens(name: Name) -> set[str]:
    """Return the words by which a name is looked up."""
    plain = {word for word in (*name.words, *name.aside) if len(word) > 1}
    flat = {
        word.replace("ae", "a").replace("oe", "o").replace("ue", "u").replace("aa", "a") for word in plain
    }
    return plain | flat | {"".join(sorted(name.words))}


def _marks(each: Sought, person: Person) -> str:
    """Return by what beside the name the person is the one sought."""
    if each.email and each.email == person.email and each.email.partition("@")[0] not in _GENERIC_MAIL:
        return "e-mail"
    if each.handle and each.handle == person.handle:
        return "handle"
    if each.link and each.link == person.link:
        return "link"
    return "photo" if each.photo and each.photo == person.photo else ""
