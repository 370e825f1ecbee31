"""A watcher of profiles as the service runs it: a store, a pipeline, and a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from bot.model import Contact, Observation
from bot.pipeline import Pipeline, Rules
from bot.store.memory import MemoryStore
from tests.web.site import Clock
from watchers import Watcher

Server = TypeVar("Server")
A_DAY = timedelta(days=1)


@dataclass
class World(Generic[Server]):
    """What a watcher that `make` gives finds at a server, looking after each `pause`."""

    server: Server
    make: Callable[[Callable[[], datetime]], Watcher[Any]]
    pause: timedelta = A_DAY
    clock: Clock = field(default_factory=Clock)
    store: MemoryStore = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        self.watcher = self.make(self.clock)
        rules = Rules({kind.name: kind for kind in self.watcher.kinds})
        self.pipeline = Pipeline(self.store, rules, ["vendor.example"], baseline=False)

    async def look(self, days: int = 1) -> None:
        """Look again and again for so many days."""
        for _ in range(days * (A_DAY // self.pause)):
            for source in self.watcher.sources(await self.pipeline.scope()):
                await self.pipeline.sweep(self.watcher, source, self.clock())
            self.clock.pass_by(seconds=self.pause.total_seconds())

    async def said(self, contact: Contact) -> list[Observation]:
        """Return what was observed of a contact, oldest first."""
        person = await self.store.person(contact.address)
        return sorted(person.observations, key=lambda seen: seen.at) if person else []

    async def kinds(self, contact: Contact) -> list[str]:
        """Return the kinds of what was observed of a contact, oldest first."""
        return [seen.kind for seen in await self.said(contact)]
