"""Keep everything in TinyDB files in one folder, for one process.

One person is one document, so each verb about a person is one atomic write. Writes are done one after
another by one thread (`writer`), and are durable by one record in a journal (`journal`). Reads are served
from memory. What is due (news, outbox) is derived from the documents at start.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from tinydb.table import Document

from bot.model import (
    Answer,
    Case,
    Contact,
    Delivery,
    Json,
    NeedsHuman,
    Observation,
    Person,
    Watched,
)
from bot.store import Amendment, changes, codec
from bot.store.claims import Claims
from bot.store.files import Group, Shelf, make_private
from bot.store.forgotten import Forgotten, expired, neighbourhood
from bot.store.index import Index
from bot.store.marks import Marks
from bot.store.moving import Entry
from bot.store.owner import OwnerLock
from bot.store.verbs import Verbs
from bot.store.writer import Writer
from watchers.garbage import nothing_collected
from watchers.web.listed import LISTED

T = TypeVar("T")

PEOPLE_DIGITS = 4
"""Up to 65,536 files, nearly one a person at 10,000 people: with 4,096 a read took three times as long.

Changing it needs a migration.
"""

CURSOR_DIGITS = 2
SLOT_DIGITS = 1


class TinyStore(Verbs):
    """The store of one process; see `bot.store.Store`. Open it with `open` or `async with`.

    `notices` are sentences for the admin about what was found damaged at start. Raise NeedsHuman where the
    folder is in use, cannot be written, or holds what this version does not know.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notices: list[str] = []
        self._group = Group(folder)
        self._people = Shelf(folder / "people", PEOPLE_DIGITS, self._group)
        self._cursors = Shelf(folder / "cursors", CURSOR_DIGITS, self._group)
        self._slots = Shelf(folder / "slots", SLOT_DIGITS, self._group)
        self._marks = Marks(folder, self._group)
        self._claims = Claims(self._slots)
        self._forgetting = asyncio.Lock()
        self._index = Index()
        self._changed: set[str] = set()
        self._writer = Writer(self._group, self._changed.clear, self._undo)
        self._lock: OwnerLock | None = None

    @property
    def took(self) -> Callable[[float], None]:
        """Told how many seconds each write took, the wait for others included."""
        return self._writer.took

    @took.setter
    def took(self, told: Callable[[float], None]) -> None:
        self._writer.took = told

    @property
    def _forgotten(self) -> Forgotten:
        return self._marks.forgotten

    @classmethod
    async def open(cls, folder: Path) -> Self:
        """Open the folder, create it where it does not exist."""
        store = cls(folder)
        try:
            await store._write(store._load)
            await store._end_forgetting()
        except BaseException:
            await store.close()
            raise
        return store

    async def watch(self, contact: Contact) -> bool:
        """Keep the contact, or bring what is known of them up to date; say whether they are new."""

        def write() -> bool:
            address = codec.normal(contact.address)
            if address in self._forgotten:
                return False
            person = self._get(address) or Person(address)
            self._put(person, changes.watched(person, contact))
            return person.contact is None

        return await self._write(write)

    async def unwatch(self, address: str) -> bool:
        """Stop watching; what is known stays. Say whether they were watched."""

        def write() -> bool:
            person = self._get(address)
            if person is None or person.contact is None:
                return False
            return self._put(person, changes.unwatched(person))

        return await self._write(write)

    async def forget(self, address: str) -> bool:
        """Erase a person from all that is kept; only a keyed hash stays."""
        address = codec.normal(address).strip().lower()

        def begin() -> bool:
            kept = self._get(address) is not None
            self._marks.begin(address, self._index.addresses())
            return kept

        async with self._forgetting:
            kept = await self._write(begin)
            return await self._end_forgetting() > 0 or kept

    async def expire(self, address: str, version: int) -> bool:
        """Erase what is kept of somebody whose time is over; nothing keeps them out afterwards."""

        def erase() -> bool:
            person = self._get(address)
            return person is not None and person.version == version and self._erase(address)

        async with self._forgetting:
            if not await self._write(erase):
                return False
            for shelf in (self._cursors, self._slots):
                for key in await asyncio.to_thread(shelf.mentioning, address):
                    await self._write(partial(self._clean_document, shelf, key, expired(address)))
        return True

    async def contacts(self) -> list[Contact]:
        """Return everybody who is watched, by address."""
        return sorted(self._index.contacts.copy().values(), key=lambda contact: contact.address)

    async def watchlist(self) -> list[Watched]:
        """Return everybody who is watched with what is thought of them, by address."""
        return [watched for _, watched in sorted(self._index.watched.copy().items())]

    async def cases(self) -> list[Case]:
        """Return every case there ever was, by contact and episode."""
        found: list[Case] = []
        for address in sorted(self._index.cases.copy()):
            person = self._get(address)
            found += person.cases if person else ()
            await asyncio.sleep(0)
        return found

    async def person(self, address: str) -> Person | None:
        """Return all that is kept of a person, or None."""
        return self._get(address)

    async def people(self, domains: frozenset[str]) -> list[Person]:
        """Return everybody, watched or not, whose address is at one of these domains, by address."""
        found = (self._get(address) for address in self._index.at(domains))
        return [person for person in found if person is not None]

    async def everybody(self) -> AsyncIterator[Person]:
        """Yield everybody of whom something is kept, watched or not; others may change it meanwhile."""
        for _, document in self._people.items():  # noqa: PERF102 - a shelf is no dict
            yield codec.from_document(document)
            await asyncio.sleep(0)

    async def record(self, observations: Iterable[Observation]) -> list[Observation]:
        """Keep what is not yet known and return just that; each person it is about then has news."""
        about = changes.by_person(observations)

        def write() -> list[Observation]:
            recorded = []
            for address, found in about.items():
                if address in self._forgotten:
                    continue
                theirs = map(self._forgotten.observation, found)
                person = self._get(address) or Person(address)
                after, new = changes.recorded(person, theirs)
                self._put(person, after)
                recorded += new
            return recorded

        return await self._write(write)

    async def news(self) -> list[str]:
        """Return the addresses of watched people with observations no assessment has seen, sorted."""
        return sorted(self._index.news.copy())

    async def due(self, now: datetime) -> list[str]:
        """Return the keys of the cases with an alert that may be taken now, gravest first, then oldest."""
        return [waiting.case for waiting, _ in sorted(self._index.free(now))]

    async def take_alert(
        self, now: datetime, lease: timedelta, case: str = ""
    ) -> tuple[Case, Delivery] | None:
        """Lease an alert that is unsent, or whose lease ran out; None where there is none."""

        def write() -> tuple[Case, Delivery] | None:
            found = self._index.first(now, case)
            person = self._get(found[1]) if found else None
            if found is None or person is None:
                return None
            after, held, delivery = changes.leased(person, found[0].key, now, lease)
            self._put(person, after)
            return held, delivery

        return await self._write(write) if self._index.first(now, case) else None

    async def answer(self, answer: Answer, observation: Observation | None = None) -> Case | None:
        """Keep a rep's word on a case and return the case as it stands now; None where there is none."""

        def write() -> Case | None:
            person = self._get(answer.contact)
            found = changes.answered(person, answer, observation) if person else None
            if person is None or found is None:
                return None
            after, case = found
            self._put(person, after)
            return case

        return await self._write(write)

    async def cursor(self, source: str) -> Json:
        """Return where reading of a source goes on, None where it was never read."""
        document = self._cursors.get(codec.normal(source))
        cursor: Json = document["cursor"] if document else None
        return cursor

    async def save_cursor(self, source: str, cursor: Json) -> None:
        """Keep where reading of a source goes on."""
        await self.amend_cursor(source, lambda _: cursor)

    async def amend_cursor(self, source: str, amendment: Amendment) -> Json:
        """Change a cursor in one step and return what is kept then."""
        name = codec.normal(source)

        def write() -> Json:
            kept = self._cursors.get(name)
            after: Json = codec.normal(amendment(kept["cursor"] if kept else None))
            document = {"cursor": self._forgotten.cleaned(after)}
            if document != (kept or {"cursor": None}):
                self._cursors.put(name, document)
            return document["cursor"]

        return await self._write(write)

    async def claim_slot(self, watcher: str, slot: datetime) -> bool:
        """Claim a planned run; True for exactly one caller."""
        return await self._write(lambda: self._claims.slot(watcher, slot))

    async def claim_event(self, event: str, now: datetime) -> bool:
        """Claim something that may be delivered to us twice; True once, for a day at least."""
        return await self._write(lambda: self._claims.event(event, now))

    async def entries(self) -> AsyncIterator[Entry]:
        """Yield all that is kept, for another store to take."""
        async for person in self.everybody():
            yield Entry("person", person.address, codec.to_document(person))
        for source, document in self._cursors.items():
            yield Entry("cursor", source, document["cursor"])
        for entry in (*self._claims.entries(), *self._marks.entries()):
            yield entry

    async def take(self, entries: Sequence[Entry]) -> None:
        """Keep what another store gave; taking it twice is taking it once."""

        def write() -> None:
            for entry in entries:
                self._take(entry)

        await self._write(write)

    async def close(self) -> None:
        """Finish the write under way and let another process have the folder."""
        await self._writer.close()
        for shelf in (self._people, self._cursors, self._slots, self._marks.shelf):
            shelf.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    async def _write(self, write: Callable[[], T]) -> T:
        """Do a write after all others. Raise StoreDown where the disk refuses: nothing has changed then."""
        return await self._writer.write(write)

    def _undo(self) -> None:
        """Bring the index up to date where the disk refused what was in it already."""
        for address in self._changed:
            self._index.drop(address)
            if (person := self._get(address)) is not None:
                self._index.note(person)

    async def _write_person(self, address: str, change: Callable[[Person], Person | None]) -> bool:
        """Change a person, who may be new, in one write; False where the change is refused."""

        def write() -> bool:
            person = self._get(address) or Person(address)
            after = change(person)
            if after is None:
                return False
            self._put(person, after)
            return True

        return await self._write(write)

    def _take(self, entry: Entry) -> None:
        if entry.shelf == "person":
            person = codec.from_document(entry.document)
            self._people.put(entry.key, codec.to_document(person))
            self._index.note(person)
        elif entry.shelf == "cursor":
            self._cursors.put(entry.key, {"cursor": entry.document})
        elif entry.shelf in {"slot", "event"}:
            self._claims.take(entry)
        else:
            self._marks.take(entry)

    def _load(self) -> None:
        try:
            make_private(self.folder)
            self._lock = OwnerLock(self.folder)
            self._group.restore()
            self.notices += self._marks.load()
            with nothing_collected():
                self.notices += self._people.load(self._add)
            self.notices += self._cursors.load(lambda _: None)
            self.notices += self._slots.load(lambda _: None)
        except OSError as error:
            raise NeedsHuman(
                f"the data folder {self.folder} cannot be used: {error}",
                "let this user read and write it, or name another folder",
            ) from error

    async def _end_forgetting(self) -> int:
        """End every erasure that was begun; return how many documents it changed.

        Who is to be forgotten is known from the first write on, so nothing new about them can come in while
        the others' documents are searched.
        """
        unfinished = self._marks.unfinished(self._index.addresses())
        changed = 0
        for address in unfinished:
            naming = await asyncio.to_thread(self._people.mentioning, address)
            account = neighbourhood(address, await self.contacts())
            await self._write(partial(self._mark_names, address, [address, *naming], account))
            colleagues = self._index.at(account | {address.rpartition("@")[2]})
            for key in sorted(key for key in {*naming, *colleagues} if key not in self._forgotten):
                changed += await self._write(partial(self._clean_person, key))
            for shelf in (self._cursors, self._slots):
                naming = await asyncio.to_thread(shelf.mentioning, address, LISTED)
                for key in naming:
                    changed += await self._write(partial(self._clean_document, shelf, key, self._forgotten))
            # Last: what is begun and cut off can tell anew which account they belonged to.
            changed += await self._write(partial(self._erase, address))
        if unfinished:
            await self._write(self._marks.end)
        return changed

    def _mark_names(self, address: str, naming: Iterable[str], account: Collection[str]) -> None:
        """Keep by a hash what they are called, before what says so is erased."""
        people = [person for key in dict.fromkeys(naming) if (person := self._get(key)) is not None]
        self._marks.name(address, people, self._index.addresses(), account)

    def _erase(self, address: str) -> bool:
        kept = self._get(address) is not None
        self._people.erase(address)
        for shelf in (self._people, self._cursors, self._slots):
            shelf.remove_set_aside()
        self._index.drop(address)
        return kept

    def _clean_person(self, address: str) -> bool:
        person = self._get(address)
        changed = person is not None and self._put(person, self._forgotten.person(person))
        self._people.forget_past(address)
        return changed

    def _clean_document(self, shelf: Shelf, key: str, forgotten: Forgotten) -> bool:
        before = shelf.get(key)
        after = forgotten.cleaned(before)
        if forgotten.cleaned(key) != key:
            shelf.erase(key)
            return True
        if after is not None and after != before:
            shelf.put(key, after)
        shelf.forget_past(key)
        return after != before

    def _add(self, document: Document) -> None:
        self._index.note(changes.released(codec.outline(document)))

    def _get(self, address: str) -> Person | None:
        document = self._people.get(address)
        return codec.from_document(document) if document else None

    def _put(self, before: Person, after: Person) -> bool:
        if after is before:
            return False
        self._people.put(after.address, codec.to_document(after))
        self._changed.add(after.address)
        self._index.note(after)
        return True
