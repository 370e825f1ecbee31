"""Keep out whom we were asked to forget, knowing them only by a keyed hash. Pure but for making the key.

A person also stands in what is kept of others: named as a successor, suggested, on the same mail. `Forgotten`
takes them out of that by the same rule wherever a value goes into a store or is cleaned in it: a fact that is
read a second time has the same key then, and is known.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar

from bot.model import Observation, Person, Suggestion

T = TypeVar("T")

KEY_BYTES = 32
ERASED = "[erased]"
"""What stands in a text where the person's name or address stood."""

ADDRESS = re.compile(r"[^\s@<>()\[\]{},;:\"'|=]{1,64}@[^\s@<>()\[\]{},;:\"'|=]{1,253}")
SHORTEST_NAME = 3
"""A shorter name is part of too many other words."""


def new_key() -> bytes:
    """Make the key of the hashes; it is made once for each store."""
    return secrets.token_bytes(KEY_BYTES)


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
        content = address.strip().lower().encode("utf-8", "surrogatepass")
        return hmac.new(self.key, content, hashlib.sha256).hexdigest()

    def __contains__(self, address: object) -> bool:
        """Say whether the person is forgotten, under this address or under it with a tag (jane+news@)."""
        if not self.marks or not isinstance(address, str):
            return False
        return self.mark(address) in self.marks or (
            "+" in address and self.mark(_untagged(address)) in self.marks
        )

    def with_mark(self, mark: str) -> Forgotten:
        """Return the same with one more person."""
        return replace(self, marks=self.marks | {mark})

    def observation(self, seen: Observation) -> Observation:
        """Return the observation without the forgotten; by what it says alone, so that its key is stable."""
        return self._cleaned(seen, _Names.of(self, seen)) if self.marks else seen

    def cleaned(self, value: T) -> T:
        """Return a value without the forgotten: entries that are theirs go, texts lose name and address."""
        return self._cleaned(value, _Names.of(self, value)) if self.marks else value

    def person(self, person: Person) -> Person:
        """Return what is kept of a person without the forgotten; as the next version where it changed."""
        if not self.marks:
            return person
        observations = {seen.key: seen for seen in map(self.observation, person.observations)}
        rest = self._cleaned(replace(person, observations=()), _Names.of(self, person))
        after = replace(rest, observations=tuple(observations.values()))
        return person if after == person else replace(after, version=person.version + 1)

    def _cleaned(self, value: T, names: _Names) -> T:
        return self._clean(value, names)  # type: ignore[no-any-return]

    def _clean(self, value: Any, names: _Names) -> Any:
        if isinstance(value, str) and not isinstance(value, Enum):
            return self._text(value, names)
        if isinstance(value, tuple | list):
            return type(value)(self._clean(item, names) for item in value if not self._is_theirs(item))
        if isinstance(value, Mapping):
            return {
                name: "" if self._is_theirs(item) and isinstance(item, str) else self._clean(item, names)
                for name, item in value.items()
                if self._text(str(name), names) == str(name)
            }
        if is_dataclass(value) and not isinstance(value, type):
            parts = {part.name: getattr(value, part.name) for part in fields(value) if part.init}
            changes = {name: self._clean(part, names) for name, part in parts.items()}
            return replace(value, **changes) if changes != parts else value
        return value

    def _is_theirs(self, item: object) -> bool:
        """Say whether an item of a list is one of the forgotten: their address, or an entry that holds it."""
        return _address_of(item) in self

    def _text(self, text: str, names: _Names) -> str:
        if "@" in text:
            text = ADDRESS.sub(lambda found: ERASED if found[0].rstrip(".") in self else found[0], text)
        return names.erased(text)


@dataclass(frozen=True)
class _Names:
    """What the forgotten are called in one value, as it says itself beside their addresses."""

    pattern: re.Pattern[str] | None

    @classmethod
    def of(cls, forgotten: Forgotten, value: object) -> _Names:
        names = {name for name, address in _entries(value) if address in forgotten}
        known = sorted((name for name in names if len(name) >= SHORTEST_NAME), key=len, reverse=True)
        either = "|".join(map(re.escape, known))
        return cls(re.compile(rf"(?<!\w)(?:{either})(?!\w)") if known else None)

    def erased(self, text: str) -> str:
        return self.pattern.sub(ERASED, text) if self.pattern else text


def _untagged(address: str) -> str:
    """Return the address without what follows a plus sign in its local part (RFC 5233, section 1)."""
    local, at, domain = address.strip().rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def _address_of(item: object) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, Suggestion):
        return item.address
    if isinstance(item, Mapping):
        return str(item.get("address") or "")
    return ""


def _entries(value: object) -> Iterator[tuple[str, str]]:
    """Yield every name that stands beside an address in a value."""
    if isinstance(value, Suggestion):
        yield value.name, value.address
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _entries(item)
    elif isinstance(value, Mapping):
        if value.get("name") and value.get("address"):
            yield str(value["name"]), str(value["address"])
        for item in value.values():
            yield from _entries(item)
    elif is_dataclass(value) and not isinstance(value, type):
        for part in fields(value):
            yield from _entries(getattr(value, part.name))
