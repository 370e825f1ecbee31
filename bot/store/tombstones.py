"""Take along who is to stay forgotten, and replay it on an older backup.

A backup that is older than an erasure still holds the person, and nothing in it says that they are to stay
out. So the marks are written next to each backup, and replayed on whatever is restored. A mark names nobody:
it is a hash of an address, under a key that stands beside it and that is to be kept as the backup is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

from bot.model import Json, NeedsHuman
from bot.store import Store, codec
from bot.store.forgotten import KEY_BYTES, Forgotten
from bot.store.moving import Entry, Movable, Walkable

VERSION = 1
MARK = re.compile(r"[0-9a-f]{64}")
MOST_MARKS = 10**6
TAKE_THE_FILE = "take the file that `stillthere privacy tombstones export` wrote"


class Whole(Store, Movable, Protocol):
    """A store whose contents can be walked through and replaced."""


async def forgotten_in(store: Walkable) -> Forgotten:
    """Return who is forgotten in a store; with an empty key where nobody ever was."""
    key, marks = b"", set()
    async for entry in store.entries():
        if entry.shelf == "forgotten key":
            key = bytes.fromhex(str(entry.document))
        elif entry.shelf == "forgotten":
            marks.add(entry.key)
    return Forgotten(key, frozenset(marks))


async def exported(store: Walkable) -> dict[str, Json]:
    """Return the key and the marks as they stand in a file."""
    found = await forgotten_in(store)
    return {"version": VERSION, "key": found.key.hex(), "marks": [*sorted(found.marks)]}


def read(kept: Any) -> Forgotten:
    """Read what `exported` returned. Raise NeedsHuman where it is something else."""
    problem = NeedsHuman("this file does not hold who is to stay forgotten", TAKE_THE_FILE)
    if not isinstance(kept, Mapping) or kept.get("version") != VERSION:
        raise problem
    key, marks = kept.get("key"), kept.get("marks")
    if not isinstance(key, str) or not isinstance(marks, list) or len(marks) > MOST_MARKS:
        raise problem
    if not re.fullmatch(r"[0-9a-f]*", key) or len(key) not in {0, 2 * KEY_BYTES}:
        raise problem
    if not all(isinstance(mark, str) and MARK.fullmatch(mark) for mark in marks):
        raise problem
    return Forgotten(bytes.fromhex(key), frozenset(marks))


async def replay(store: Whole, tombstones: Forgotten) -> int:
    """Erase from a restored store whoever is to stay forgotten; return of how many it held anything.

    Nobody else may use the store meanwhile. Raise NeedsHuman where its own marks have another key.
    """
    if not tombstones.key:
        return 0
    marks = [Entry("forgotten", mark, None) for mark in sorted(tombstones.marks)]
    await store.take([Entry("forgotten key", "", tombstones.key.hex()), *marks])
    tombstones = await forgotten_in(store)
    back = [person.address async for person in store.everybody() if person.address in tombstones]
    for address in back:
        await store.forget(address)
    changed = [entry async for entry in store.entries() if _cleaned(entry, tombstones) != entry]
    for entry in changed:
        for _ in range(2):  # a data folder keeps the copy before as well
            await store.take([_cleaned(entry, tombstones)])
    return len(back) + len(changed)


def _cleaned(entry: Entry, forgotten: Forgotten) -> Entry:
    """Return an entry without the forgotten who stand in it beside others."""
    if entry.shelf == "person":
        person = forgotten.person(codec.from_document(entry.document))
        return Entry(entry.shelf, entry.key, codec.to_document(person))
    if entry.shelf == "cursor":
        return Entry(entry.shelf, entry.key, forgotten.cleaned(entry.document))
    return entry
