"""Whom a folder has forgotten: the marks, their key in a file of its own, and whose erasure is not ended."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from bot.model import NeedsHuman, Person
from bot.store.files import Group, Shelf, write_durably
from bot.store.forgotten import Forgotten, new_key
from bot.store.journal import sync_folder
from bot.store.moving import Entry

FORGOTTEN = "forgotten"
FORGOTTEN_DIGITS = 1
KEY_FILE = "forgotten.key"


class Marks:
    """The marks of a folder; whoever writes does so one at a time."""

    def __init__(self, folder: Path, group: Group) -> None:
        self.folder = folder
        self.shelf = Shelf(folder / FORGOTTEN, FORGOTTEN_DIGITS, group)
        self.forgotten = Forgotten(b"")

    def load(self) -> list[str]:
        """Read whom we were asked to forget; raise NeedsHuman where the key of the hashes is gone."""
        notices = self.shelf.load(lambda _: None)
        kept = self.shelf.get(FORGOTTEN)
        path = self.folder / KEY_FILE
        if kept is not None and not path.exists():
            raise NeedsHuman(
                f"{path} is gone: nobody can tell who was to be forgotten",
                f"restore it from a backup, or remove {self.folder / FORGOTTEN} and forget them again",
            )
        if path.exists():
            self.forgotten = Forgotten(path.read_bytes(), frozenset(kept["marks"]) if kept else frozenset())
        return notices

    def unfinished(self, kept: Iterable[str]) -> list[str]:
        """Return whose erasure was begun and not ended: restored from an older backup, or interrupted."""
        document = self.shelf.get(FORGOTTEN) or {"unfinished": []}
        back = [address for address in kept if address in self.forgotten]
        return list(dict.fromkeys([*document["unfinished"], *back]))

    def begin(self, address: str, kept: Iterable[str]) -> None:
        """Mark a person, and note that their erasure is to be ended."""
        forgotten = self._with_key()
        forgotten = forgotten.with_mark(forgotten.mark(address))
        self._keep(forgotten, [*self.unfinished(kept), address])

    def name(
        self, address: str, people: Iterable[Person], kept: Iterable[str], account: Collection[str]
    ) -> None:
        """Keep by a hash what these people say that a forgotten one is called."""
        forgotten = self.forgotten.with_names(address, people, account)
        if forgotten != self.forgotten:
            self._keep(forgotten, self.unfinished(kept))

    def end(self) -> None:
        """Note that every erasure is ended."""
        self._keep(self.forgotten, [])

    def entries(self) -> Iterator[Entry]:
        """Yield the key and the marks, for another store to take."""
        if self.forgotten.key:
            yield Entry("forgotten key", "", self.forgotten.key.hex())
        for mark in self.forgotten.marks:
            yield Entry("forgotten", mark, None)

    def take(self, entry: Entry) -> None:
        """Keep the key or a mark that another store gave."""
        if entry.shelf == "forgotten key":
            self._take_key(bytes.fromhex(str(entry.document)))
        else:
            self._keep(self._with_key().with_mark(entry.key), [])

    def _take_key(self, key: bytes) -> None:
        if self.forgotten.marks and self.forgotten.key != key:
            raise NeedsHuman(
                f"{self.folder} has forgotten people under another key", "move into an empty folder"
            )
        self._write_key(key)
        self.forgotten = Forgotten(key, self.forgotten.marks)

    def _with_key(self) -> Forgotten:
        """Return whom we forgot, with a key that is on the disk."""
        if not self.forgotten.key:
            key = new_key()
            self._write_key(key)
            self.forgotten = Forgotten(key)
        return self.forgotten

    def _write_key(self, key: bytes) -> None:
        temporary = self.folder / f"{KEY_FILE}.tmp"
        write_durably(temporary, key)
        temporary.replace(self.folder / KEY_FILE)
        sync_folder(self.folder)

    def _keep(self, forgotten: Forgotten, unfinished: list[str]) -> None:
        self.shelf.put(FORGOTTEN, {"marks": sorted(forgotten.marks), "unfinished": unfinished})
        self.shelf.forget_past(FORGOTTEN)
        self.forgotten = forgotten
