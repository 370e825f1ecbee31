"""Keep out whom we were asked to forget, knowing them only by a keyed hash. Pure but for making the key.

A person also stands in what is kept of others: named as a successor, suggested, on the same mail. `Forgotten`
takes them out of that by the same rule wherever a value goes into a store or is cleaned in it: a fact that is
read a second time has the same key then, and is known. Where others name them without an address, they are
known by a keyed hash of their name at that company: a namesake elsewhere is somebody else.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar

from bot.model import Alert, Assessment, Contact, Observation, Person, Suggestion
from watchers import FREE_MAIL
from watchers.web import listed
from watchers.web.names import collapsed, given_names, parse

T = TypeVar("T")

KEY_BYTES = 32
ERASED = "[erased]"
"""What stands in a text where the person's name or address stood."""

ADDRESS = re.compile(r"[^\s@<>()\[\]{},;:\"'|=]{1,64}@[^\s@<>()\[\]{},;:\"'|=]{1,253}")
SHORTEST_NAME = 3
"""A shorter name is part of too many other words."""

CROWD = 3
"""Somebody whom mail calls by so many names shares a mailbox: none of them is surely theirs."""


def new_key() -> bytes:
    """Make the key of the hashes; it is made once for each store."""
    return secrets.token_bytes(KEY_BYTES)


def neighbourhood(address: str, contacts: Iterable[Contact]) -> frozenset[str]:
    """Return the names of the account that an address belongs to, and all of its mail domains.

    A domain that anybody may use belongs to no account, but a contact there belongs to theirs.
    """
    known = list(contacts)
    domain = _untagged(address).lower().rpartition("@")[2]
    names = {
        one.account.casefold()
        for one in known
        if one.account and (one.address == address or one.domain in {domain} - FREE_MAIL)
    }
    domains = {one.domain for one in known if one.account.casefold() in names} | {domain}
    return frozenset(names | (domains - FREE_MAIL))


def expired(address: str) -> Forgotten:
    """Return what cleans one person out, for once, without a key: nothing of it is kept."""
    nobody = Forgotten(b"")
    return nobody.with_mark(nobody.mark(address))


@dataclass(frozen=True)
class Forgotten:
    """Whom we were asked to forget: hashes of their addresses under a key that only this store has."""

    key: bytes
    marks: frozenset[str] = frozenset()

    def mark(self, address: str) -> str:
        """Return the hash by which a person is known once they are forgotten."""
        return self._hash(address.strip().lower())

    def _hash(self, text: str) -> str:
        return hmac.digest(self.key, text.encode("utf-8", "surrogatepass"), "sha256").hex()

    def __contains__(self, address: object) -> bool:
        """Say whether the person is forgotten, under this address or under it with a tag (jane+news@)."""
        if not self.marks or not address or not isinstance(address, str):
            return False
        return self.mark(address) in self.marks or (
            "+" in address and self.mark(_untagged(address)) in self.marks
        )

    def with_mark(self, mark: str) -> Forgotten:
        """Return the same with one more person."""
        return replace(self, marks=self.marks | {mark})

    def with_names(self, address: str, people: Iterable[Person], account: Collection[str] = ()) -> Forgotten:
        """Return the same with the names of one of them, at their domain and their account.

        `people` are what is kept of them, and whoever's documents name them beside their address; `account`
        are the other domains and the names of their account, as `neighbourhood` tells them.
        """
        local, _, domain = _untagged(address).lower().rpartition("@")
        known, places = {collapsed((re.sub(r"[^a-z]", "", local),))}, {domain, *account}
        for person in people:
            if _untagged(person.address) == _untagged(address):
                names = _own_names(person)
                places |= {one.account.casefold() for one in _contacts(person) if one.account}
            else:
                names = {name for name, theirs in _entries(person) if _untagged(theirs) == _untagged(address)}
            for words in (parse(name).words for name in names):
                known |= {collapsed((words[0], word)) for word in words[1:]}
        named = {self._hash(f"{name}\n{place}") for name in known for place in places}
        return replace(self, marks=self.marks | named)

    def knows(self, name: str, places: Collection[str]) -> bool:
        """Say whether one of the forgotten was called so there, in either order and by any short form."""
        words = parse(name).words
        if len(words) < 2:  # noqa: PLR2004 - a full name: half of one is anybody's
            return False
        pairs = ((given, words[-1]) for given in given_names(words[0]))
        spelt = {collapsed(order) for one, other in pairs for order in ((one, other), (other, one))}
        return any(self._hash(f"{each}\n{place}") in self.marks for place in places for each in spelt)

    def observation(self, seen: Observation) -> Observation:
        """Return the observation without the forgotten; by what it says alone, so that its key is stable."""
        return self.cleaned(seen)

    def cleaned(self, value: T, account: str = "") -> T:
        """Return a value without the forgotten: entries that are theirs go, texts lose name and address.

        `account` is whose people it speaks of, where the value does not say so itself.
        """
        return self._cleaned(value, _Names.of(self, value, account)) if self.marks else value

    def person(self, person: Person) -> Person:
        """Return what is kept of a person without the forgotten; as the next version where it changed."""
        if not self.marks:
            return person
        observations = {seen.key: seen for seen in map(self.observation, person.observations)}
        rest = self._cleaned(replace(person, observations=()), _Names.of(self, person))
        after = replace(rest, observations=tuple(observations.values()))
        return person if after == person else replace(after, version=person.version + 1)

    def _cleaned(self, value: T, names: _Names) -> T:
        return self._clean(value, names)  # type: ignore[no-any-return]  # it keeps the type

    def _clean(self, value: Any, names: _Names) -> Any:
        if value is None or isinstance(value, int | float):
            return value
        if isinstance(value, str) and not isinstance(value, Enum):
            return self._text(value, names)
        if isinstance(value, tuple | list):
            return type(value)(self._clean(item, names) for item in value if not self._is_theirs(item, names))
        if isinstance(value, Mapping):
            return {
                name: "" if isinstance(item, str) and item in self else self._clean(page, names)
                for name, item in value.items()
                if self._text(str(name), names) == str(name)
                for page in (listed.without(str(name), item, self.knows) if listed.is_memory(item) else item,)
            }
        if is_dataclass(value) and not isinstance(value, type):
            parts = {part.name: getattr(value, part.name) for part in fields(value) if part.init}
            changes = {name: self._clean(part, names) for name, part in parts.items()}
            return replace(value, **changes) if changes != parts else value
        return value

    def _is_theirs(self, item: object, names: _Names) -> bool:
        """Say whether an item of a list is one of the forgotten: their address, or an entry of theirs."""
        if isinstance(item, int | float):
            return False
        return _address_of(item) in self or any(
            name in names.known for name, address in _entry(item) if not address
        )

    def _text(self, text: str, names: _Names) -> str:
        if "@" in text:
            text = ADDRESS.sub(lambda found: ERASED if found[0].rstrip(".") in self else found[0], text)
        return names.erased(text)


@dataclass(frozen=True)
class _Names:
    """What the forgotten are called in one value: beside their addresses, or alone where they were known."""

    known: frozenset[str]
    pattern: re.Pattern[str] | None

    @classmethod
    def of(cls, forgotten: Forgotten, value: object, account: str = "") -> _Names:
        places = frozenset(filter(None, (*_places(value), account.casefold())))
        names = {
            name
            for name, address in _entries(value)
            if (address in forgotten if address else places and forgotten.knows(name, places))
        }
        known = sorted((name for name in names if len(name) >= SHORTEST_NAME), key=len, reverse=True)
        either = "|".join(map(re.escape, known))
        return cls(frozenset(names), re.compile(rf"(?<!\w)(?:{either})(?!\w)") if known else None)

    def erased(self, text: str) -> str:
        return self.pattern.sub(ERASED, text) if self.pattern else text


def _untagged(address: str) -> str:
    """Return the address without what follows a plus sign in its local part (RFC 5233, section 1)."""
    local, at, domain = address.strip().rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def _places(value: object) -> Iterator[str]:
    """Yield where the people are whom a value speaks of: a domain, those above it, and an account."""
    address = ""
    if isinstance(value, Person):
        address = value.address
        yield from (one.account.casefold() for one in _contacts(value))
    elif isinstance(value, Alert):
        address = value.contact.address
        yield value.contact.account.casefold()
    elif isinstance(value, Observation | Assessment):
        address = value.contact
    labels = address.rpartition("@")[2].lower().split(".")
    yield from (".".join(labels[start:]) for start in range(len(labels) - 1))


def _contacts(person: Person) -> Iterator[Contact]:
    yield from (one for one in (person.contact, person.former) if one is not None)


def _own_names(person: Person) -> set[str]:
    """Return what the contacts and mail call somebody; of a shared mailbox, the contacts alone."""
    told = {str(seen.facts["name"]) for seen in person.observations if seen.facts.get("name")}
    apart = {parse(name).words for name in told}
    return {one.name for one in _contacts(person) if one.name} | (told if len(apart) < CROWD else set())


def _address_of(item: object) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, Suggestion):
        return item.address
    if isinstance(item, Mapping):
        return str(item.get("address") or "")
    return ""


def _entry(item: object) -> Iterator[tuple[str, str]]:
    """Yield what an item says of one person: the name with the address, or with none; a guess is none."""
    if isinstance(item, Suggestion):
        yield item.name, item.address
        if item.guess:
            yield item.name, ""
    elif isinstance(item, Mapping) and item.get("name") and "address" in item:
        yield str(item["name"]), str(item["address"] or "")


def _entries(value: object) -> Iterator[tuple[str, str]]:
    """Yield every name that stands beside an address in a value, or where one would stand."""
    yield from _entry(value)
    if isinstance(value, tuple | list):
        for item in value:
            yield from _entries(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _entries(item)
    elif is_dataclass(value) and not isinstance(value, type | Suggestion):
        for part in fields(value):
            yield from _entries(getattr(value, part.name))
