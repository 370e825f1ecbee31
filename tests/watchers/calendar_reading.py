"""Reads one calendar again and again, as the pipeline does, and keeps its cursor."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.model import Observation
from tests.watchers.calendar_programs import BOB, JANE
from watchers import Scope
from watchers.calendars import Calendars

SCOPE = Scope(frozenset({"vendor.example"}), frozenset({JANE, BOB}), frozenset({"acme.example"}))


class Reading:
    """One calendar, with where reading goes on; a cursor survives as it does in a store, as JSON."""

    def __init__(self, settings: Mapping[str, Any], scope: Scope = SCOPE) -> None:
        self.watcher = Calendars(Calendars.Config.model_validate({"calendars": [dict(settings)]}))
        self.scope = scope
        self.cursor: Any = None
        self.batches = 0

    async def at(self, now: datetime) -> list[Observation]:
        """Look at the calendar at that moment; return what was observed."""
        self.watcher.clock = lambda: now
        (source,) = self.watcher.sources(self.scope)
        found: list[Observation] = []
        async for batch in self.watcher.fetch(source, self.cursor, self.scope):
            found += [seen for raw in batch.items for seen in self.watcher.read(raw, self.scope)]
            self.cursor = json.loads(json.dumps(batch.cursor))
            self.batches += 1
        return found
