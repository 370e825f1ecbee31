"""What was claimed: planned runs, a document a watcher, and events that may be delivered to us twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime

from bot.store import changes, codec
from bot.store.files import Shelf
from bot.store.moving import Entry

EVENT_DIGITS = 2


class Claims:
    """The claims on a shelf; whoever writes does so one at a time."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def slot(self, watcher: str, slot: datetime) -> bool:
        """Claim a planned run; True for exactly one caller."""
        watcher = codec.normal(watcher)
        document = self._shelf.get(watcher) or {"slots": []}
        slots = changes.claimed(map(datetime.fromisoformat, document["slots"]), slot)
        if slots is None:
            return False
        self._shelf.put(watcher, {"slots": [other.isoformat() for other in slots]})
        return True

    def event(self, event: str, now: datetime) -> bool:
        """Claim something that may be delivered to us twice; True once, for a day at least."""
        event = codec.normal(event)
        name = _document_of(event)
        document = self._shelf.get(name) or {"events": {}}
        known = {one: datetime.fromisoformat(at) for one, at in document["events"].items()}
        events = changes.remembered(known, event, now)
        if events is None:
            return False
        self._shelf.put(name, {"events": {one: at.isoformat() for one, at in events.items()}})
        return True

    def entries(self) -> Iterator[Entry]:
        """Yield every claim, for another store to take."""
        for name, document in self._shelf.items():
            for slot in document.get("slots", ()):
                yield Entry("slot", f"{slot} {name}", None)
            for event, at in document.get("events", {}).items():
                yield Entry("event", event, at)

    def take(self, entry: Entry) -> None:
        """Keep a claim that another store gave."""
        if entry.shelf == "slot":
            slot, _, watcher = entry.key.partition(" ")
            kept = self._shelf.get(watcher) or {"slots": []}
            self._shelf.put(watcher, {"slots": sorted({*kept["slots"], slot})})
        else:
            name = _document_of(entry.key)
            kept = self._shelf.get(name) or {"events": {}}
            self._shelf.put(name, {"events": {**kept["events"], entry.key: entry.document}})


def _document_of(event: str) -> str:
    return f"event {hashlib.sha256(event.encode()).hexdigest()[:EVENT_DIGITS]}"
