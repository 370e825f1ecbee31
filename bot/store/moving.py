"""Move all that one store keeps into another, and prove that it arrived.

Moving twice is moving once: every entry has its key. What the target holds beyond that is no copy, and is
said; so the target should be empty, or the result of an earlier move.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.model import NeedsHuman

BATCH = 100

Progress = Callable[[str, int, int | None], None]
"""Told how many entries were moved so far."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a store keeps: on which shelf, under which key, and the document (JSON values)."""

    shelf: str
    key: str
    document: Any


class Walkable(Protocol):
    """What can be walked through: a store, or `bot.store.glance.Glance`."""

    def entries(self) -> AsyncIterator[Entry]:
        """Yield all that is kept."""


class Movable(Walkable, Protocol):
    """A store whose contents can be moved as a whole, by one process while nobody else uses it."""

    async def take(self, entries: Sequence[Entry]) -> None:
        """Keep what another store gave; taking it twice is taking it once."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a store holds: entries a shelf, and one hash over all of them that no order changes."""

    counts: Counter[str]
    digest: str


async def move(source: Movable, target: Movable, progress: Progress) -> Inventory:
    """Move everything and return what was moved.

    Raise NeedsHuman where the target does not hold exactly that afterwards.
    """
    batch: list[Entry] = []
    done = 0
    async for entry in source.entries():
        batch.append(entry)
        if len(batch) >= BATCH or entry.shelf == "forgotten key":
            await target.take(batch)
            done += len(batch)
            progress("moved", done, None)
            batch = []
    await target.take(batch)
    progress("moved", done + len(batch), None)
    before, after = await inventory(source), await inventory(target)
    if before != after:
        extra = {shelf: after.counts[shelf] - before.counts[shelf] for shelf in before.counts | after.counts}
        told = ", ".join(f"{shelf}: {number:+d}" for shelf, number in sorted(extra.items()) if number)
        raise NeedsHuman(
            f"the target does not hold what the source holds ({told or 'other contents'})",
            "stop whatever uses either of them, and move into an empty target",
        )
    return before


async def inventory(store: Movable) -> Inventory:
    """Count what a store holds, and hash it; a key under which nobody was forgotten yet is nothing."""
    counts: Counter[str] = Counter()
    total = key = 0
    async for entry in store.entries():
        content = json.dumps([entry.shelf, entry.key, entry.document], sort_keys=True, ensure_ascii=False)
        number = int.from_bytes(hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest())
        if entry.shelf == "forgotten key":
            key = number
            continue
        counts[entry.shelf] += 1
        total ^= number
    if counts["forgotten"]:
        counts["forgotten key"] = 1
        total ^= key
    return Inventory(+counts, f"{total:064x}")
