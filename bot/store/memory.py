"""Keep everything in memory: for commands and drills that keep nothing, and as the twin of the others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime, timedelta

from bot.model import (
    Answer,
    Case,
    Contact,
    Delivery,
    Json,
    Observation,
    Person,
    Watched,
)
from bot.store import Amendment, changes, codec
from bot.store.forgotten import Forgotten, expired, neighbourhood, new_key
from bot.store.verbs import Verbs


class MemoryStore(Verbs):
    """The store that keeps everything in memory; see `bot.store.Store`.

    No verb awaits anything, so each is atomic. What goes in and out is copied through documents, like in
    every other store: nobody can change what is kept through what they hold.
    """

    def __init__(self) -> None:
        self._people: dict[str, Person] = {}
        self._cursors: dict[str, Json] = {}
        self._slots: dict[str, list[datetime]] = {}
        self._events: dict[str, datetime] = {}
        self._kept_out = Forgotten(new_key())

    @property
    def _forgotten(self) -> Forgotten:
        return self._kept_out

    async def watch(self, contact: Contact) -> bool:
        """Keep the contact, or bring what is known of them up to date; say whether they are new."""
        if codec.normal(contact.address) in self._forgotten:
            return False
        person = self._get(codec.normal(contact.address))
        self._put(person, changes.watched(person, contact))
        return person.contact is None

    async def unwatch(self, address: str) -> bool:
        """Stop watching; what is known stays. Say whether they were watched."""
        person = self._get(address)
        self._put(person, changes.unwatched(person))
        return person.contact is not None

    async def forget(self, address: str) -> bool:
        """Erase a person from all that is kept; only a keyed hash stays."""
        address = codec.normal(address).strip().lower()
        kept_out = self._kept_out.with_mark(self._kept_out.mark(address))
        contacts = [person.contact for person in self._people.values() if person.contact]
        account = neighbourhood(address, contacts)
        self._kept_out = kept_out.with_names(address, self._people.values(), account)
        gone = [theirs for theirs in self._people if theirs in self._forgotten]
        for theirs in gone:
            del self._people[theirs]
        changed = bool(gone)
        for person in list(self._people.values()):
            after = self._forgotten.person(person)
            changed |= after is not person
            self._put(person, after)
        before, self._cursors = self._cursors, self._forgotten.cleaned(self._cursors)
        return changed or self._cursors != before

    async def expire(self, address: str, version: int) -> bool:
        """Erase what is kept of somebody whose time is over; nothing keeps them out afterwards."""
        if address not in self._people or self._people[address].version != version:
            return False
        del self._people[address]
        self._cursors = expired(address).cleaned(self._cursors)
        return True

    async def contacts(self) -> list[Contact]:
        """Return everybody who is watched, by address."""
        return [person.contact for _, person in sorted(self._people.items()) if person.contact]

    async def watchlist(self) -> list[Watched]:
        """Return everybody who is watched with what is thought of them, by address."""
        found = [changes.outlined(person) for _, person in sorted(self._people.items())]
        return [watched for watched in found if watched is not None]

    async def cases(self) -> list[Case]:
        """Return every case there ever was, by contact and episode."""
        return [case for _, person in sorted(self._people.items()) for case in _copy(person).cases]

    async def person(self, address: str) -> Person | None:
        """Return all that is kept of a person, or None."""
        return _copy(self._people[address]) if address in self._people else None

    async def people(self, domains: frozenset[str]) -> list[Person]:
        """Return everybody, watched or not, whose address is at one of these domains, by address."""
        return [
            _copy(person)
            for address, person in sorted(self._people.items())
            if address.rpartition("@")[2] in domains
        ]

    async def everybody(self) -> AsyncIterator[Person]:
        """Yield everybody of whom something is kept, watched or not; others may change it meanwhile."""
        for person in list(self._people.values()):
            yield _copy(person)

    async def record(self, observations: Iterable[Observation]) -> list[Observation]:
        """Keep what is not yet known and return just that; each person it is about then has news."""
        recorded = []
        for address, found in changes.by_person(observations).items():
            if address in self._forgotten:
                continue
            theirs = map(self._forgotten.observation, found)
            person = self._get(address)
            after, new = changes.recorded(person, theirs)
            self._put(person, after)
            recorded += new
        return recorded

    async def news(self) -> list[str]:
        """Return the addresses of watched people with observations no assessment has seen, sorted."""
        return sorted(address for address, person in self._people.items() if person.contact and person.news)

    async def due(self, now: datetime) -> list[str]:
        """Return the keys of the cases with an alert that may be taken now, gravest first, then oldest."""
        return [waiting.case for waiting, _ in sorted(self._free(now))]

    async def take_alert(
        self, now: datetime, lease: timedelta, case: str = ""
    ) -> tuple[Case, Delivery] | None:
        """Lease an alert that is unsent, or whose lease ran out; None where there is none."""
        free = (found for found in self._free(now) if case in {"", found[0].case})
        waiting, address = min(free, default=(None, ""))
        if waiting is None:
            return None
        before = self._people[address]
        after, held, delivery = changes.leased(_copy(before), waiting.key, now, lease)
        self._put(before, after)
        return held, delivery

    async def answer(self, answer: Answer, observation: Observation | None = None) -> Case | None:
        """Keep a rep's word on a case and return the case as it stands now; None where there is none."""
        person = self._people.get(answer.contact)
        found = changes.answered(person, answer, observation) if person else None
        if person is None or found is None:
            return None
        after, case = found
        self._put(person, after)
        return _copy(after).cases[after.cases.index(case)]

    async def cursor(self, source: str) -> Json:
        """Return where reading of a source goes on, None where it was never read."""
        return codec.normal(self._cursors.get(codec.normal(source)))

    async def save_cursor(self, source: str, cursor: Json) -> None:
        """Keep where reading of a source goes on."""
        self._cursors[codec.normal(source)] = self._forgotten.cleaned(codec.normal(cursor))

    async def amend_cursor(self, source: str, amendment: Amendment) -> Json:
        """Change a cursor in one step and return what is kept then."""
        after = amendment(await self.cursor(source))
        await self.save_cursor(source, after)
        return await self.cursor(source)

    async def claim_slot(self, watcher: str, slot: datetime) -> bool:
        """Claim a planned run; True for exactly one caller."""
        slots = changes.claimed(self._slots.get(watcher, []), slot)
        if slots is None:
            return False
        self._slots[watcher] = slots
        return True

    async def claim_event(self, event: str, now: datetime) -> bool:
        """Claim something that may be delivered to us twice; True once, for a day at least."""
        events = changes.remembered(self._events, event, now)
        self._events = self._events if events is None else events
        return events is not None

    async def close(self) -> None:
        """Do nothing: there is nothing to let go of."""

    def _free(self, now: datetime) -> list[tuple[changes.Waiting, str]]:
        return [
            (waiting, address)
            for address, person in self._people.items()
            for waiting in changes.waiting(person)
            if waiting.is_free(now)
        ]

    def _get(self, address: str) -> Person:
        return self._people.get(address) or Person(address)

    def _put(self, before: Person, after: Person) -> None:
        if after is not before:
            self._people[after.address] = _copy(after)

    async def _write_person(self, address: str, change: Callable[[Person], Person | None]) -> bool:
        person = self._get(address)
        return self._accept(person, change(person))

    def _accept(self, before: Person, after: Person | None) -> bool:
        if after is None:
            return False
        self._put(before, after)
        return True


def _copy(person: Person) -> Person:
    return codec.from_document(codec.to_document(person))
