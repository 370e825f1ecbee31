"""What is asked of all people at once, kept in memory beside the documents it is derived from."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.model import Contact, Person, Watched
from bot.store import changes


class Index:
    """The people of a store by what is asked of them.

    The writing thread changes it while the event loop reads it: readers take copies, which is one step.
    """

    def __init__(self) -> None:
        self.contacts: dict[str, Contact] = {}
        self.watched: dict[str, Watched] = {}
        self.cases: set[str] = set()
        self.news: set[str] = set()
        self._outbox: dict[str, tuple[changes.Waiting, ...]] = {}
        self._domains: dict[str, set[str]] = {}

    def note(self, person: Person) -> None:
        """Bring the index up to date with a person as just written."""
        address = person.address
        self._domains.setdefault(address.rpartition("@")[2], set()).add(address)
        watched = changes.outlined(person)
        if watched is None:
            self.contacts.pop(address, None)
            self.watched.pop(address, None)
        else:
            self.contacts[address] = watched.contact
            self.watched[address] = watched
        if person.cases:
            self.cases.add(address)
        if person.contact is not None and person.news:
            self.news.add(address)
        else:
            self.news.discard(address)
        waiting = changes.waiting(person)
        if waiting:
            self._outbox[address] = waiting
        else:
            self._outbox.pop(address, None)

    def addresses(self) -> list[str]:
        """Return everybody of whom something is kept."""
        return [address for known in list(self._domains.values()) for address in known.copy()]

    def drop(self, address: str) -> None:
        """Take a person out of the index."""
        self._domains.get(address.rpartition("@")[2], set()).discard(address)
        for known in (self.contacts, self.watched, self._outbox):
            known.pop(address, None)
        self.cases.discard(address)
        self.news.discard(address)

    def at(self, domains: frozenset[str]) -> list[str]:
        """Return the addresses at these domains, sorted."""
        return sorted(address for domain in domains for address in self._domains.get(domain, set()).copy())

    def first(self, now: datetime, case: str = "") -> tuple[changes.Waiting, str] | None:
        """Return the alert of the case, or the first of all, that nobody holds, and whose it is."""
        return min(self.free(now, case), default=None)

    def free(self, now: datetime, case: str = "") -> Iterator[tuple[changes.Waiting, str]]:
        """Yield the alerts that nobody holds, of one case or of all, and whose each is."""
        address = case.rpartition(":")[0]
        outbox = {address: self._outbox.get(address, ())} if case else self._outbox.copy()
        for whose, theirs in outbox.items():
            for waiting in theirs:
                if waiting.is_free(now) and case in {"", waiting.case}:
                    yield waiting, whose
