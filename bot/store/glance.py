"""Look into a data folder that may belong to a running service, without its lock and changing nothing.

Every file is replaced in one step, so whoever reads one sees it whole, as it stood before a write or after.
Documents of two files may be of different moments: good enough to look at, never to write by.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from bot.model import Contact, Json, NeedsHuman, Person
from bot.store import codec
from bot.store.files import BACKUP, FILE, Damaged, decode
from bot.store.marks import FORGOTTEN, KEY_FILE
from bot.store.moving import Entry
from bot.store.tiny import CURSOR_DIGITS, PEOPLE_DIGITS
from bot.store.verbs import SETTING


class Glance:
    """What a folder holds now; read anew at each question. Raise NeedsHuman where it holds no data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / "people").is_dir():
            raise NeedsHuman(
                f"{folder} holds no data of a service or of `check --data`",
                "name the folder with --data, or the settings with --config",
            )

    async def person(self, address: str) -> Person | None:
        """Return all that is kept of a person, or None."""
        return await asyncio.to_thread(self._person, codec.normal(address))

    async def everybody(self) -> list[Person]:
        """Return everybody of whom something is kept, without their observations, by address."""
        return await asyncio.to_thread(lambda: sorted(self._outlines(), key=lambda person: person.address))

    async def contacts(self) -> list[Contact]:
        """Return everybody who is watched, by address."""
        return [person.contact for person in await self.everybody() if person.contact is not None]

    async def people(self, domains: frozenset[str]) -> list[Person]:
        """Return everybody whose address is at one of these domains, by address."""
        known = await self.everybody()
        asked = [person.address for person in known if person.address.rpartition("@")[2] in domains]
        found = [await self.person(address) for address in asked]
        return [person for person in found if person is not None]

    async def cursor(self, source: str) -> Json:
        """Return where reading of a source goes on, None where it was never read."""
        document = await asyncio.to_thread(self._document, "cursors", CURSOR_DIGITS, codec.normal(source))
        cursor: Json = document["cursor"] if document else None
        return cursor

    async def setting(self, name: str) -> Json:
        """Return a setting that somebody made while the service ran, None where nobody did."""
        return await self.cursor(f"{SETTING}{name}")

    async def entries(self) -> AsyncIterator[Entry]:
        """Yield every person, cursor and setting that is kept, and the marks of the forgotten."""
        for path in sorted((self.folder / "people").glob(f"*{FILE}")):
            for address, document in (await asyncio.to_thread(_documents, path)).items():
                yield Entry("person", address, codec.to_document(codec.from_document(document)))
        for path in sorted((self.folder / "cursors").glob(f"*{FILE}")):
            for source, document in (await asyncio.to_thread(_documents, path)).items():
                yield Entry("cursor", source, document["cursor"])
        key = self.folder / KEY_FILE
        if key.exists():
            yield Entry("forgotten key", "", key.read_bytes().hex())
        for path in sorted((self.folder / FORGOTTEN).glob(f"*{FILE}")):
            for document in _documents(path).values():
                for mark in document["marks"]:
                    yield Entry("forgotten", mark, None)

    def _person(self, address: str) -> Person | None:
        document = self._document("people", PEOPLE_DIGITS, address)
        return codec.from_document(document) if document else None

    def _outlines(self) -> Iterator[Person]:
        for path in (self.folder / "people").glob(f"*{FILE}"):
            yield from map(codec.outline, _documents(path).values())

    def _document(self, shelf: str, digits: int, key: str) -> Any:
        name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:digits]
        return _documents(self.folder / shelf / f"{name}{FILE}").get(key)


def _documents(path: Path) -> dict[str, Any]:
    """Return a file's documents, those of its last good copy where it is damaged, none where it is gone."""
    for candidate in (path, path.with_name(path.name + BACKUP)):
        try:
            tables = decode(candidate.read_bytes())
        except (FileNotFoundError, Damaged):
            continue
        except OSError as error:
            raise NeedsHuman(
                f"{candidate} cannot be read: {error.strerror or error}",
                "run this as the user of the service, or let yours read the folder",
            ) from error
        return {key: document for table in tables.values() for key, document in table.items()}
    return {}
