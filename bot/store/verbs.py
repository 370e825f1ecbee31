"""The verbs that are the same in every store, made of the few that are not.

What happens to one person is a pure change of `changes`; settings lie beside the cursors.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Self

from bot.model import Alert, Assessment, Decision, Delivery, Home, Json, Person
from bot.store import Amendment, changes
from bot.store.forgotten import Forgotten

SETTING = "setting "
"""Settings are cursors under names that no source has."""


class Verbs(ABC):
    """What a store can do once it can change one person in one write and keep cursors; see `Store`."""

    @property
    @abstractmethod
    def _forgotten(self) -> Forgotten:
        """Return who is kept out."""

    @abstractmethod
    async def _write_person(self, address: str, change: Callable[[Person], Person | None]) -> bool:
        """Change a person, who may be new, in one write; False where the change is refused."""

    @abstractmethod
    async def cursor(self, source: str) -> Json:
        """Return where reading of a source goes on, None where it was never read."""

    @abstractmethod
    async def save_cursor(self, source: str, cursor: Json) -> None:
        """Keep where reading of a source goes on."""

    @abstractmethod
    async def amend_cursor(self, source: str, amendment: Amendment) -> Json:
        """Change a cursor in one step and return what is kept then."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of what is held."""

    async def __aenter__(self) -> Self:
        """Return the store, which is ready once it is there."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the store."""
        await self.close()

    async def conclude(
        self, version: int, assessment: Assessment, decision: Decision, alert: Alert | None = None
    ) -> bool:
        """Keep an assessment, its decision and the alert it raises, in one write; False where outdated."""

        def change(person: Person) -> Person | None:
            if person.address in self._forgotten:
                return None
            account = person.contact.account if person.contact else ""
            thought, raised = self._forgotten.cleaned(assessment, account), self._forgotten.cleaned(alert)
            return changes.concluded(person, version, thought, decision, raised)

        return await self._write_person(assessment.contact, change)

    async def alert_sent(self, case: str, delivery: Delivery, home: Home | None, now: datetime) -> bool:
        """Note that it was posted and where; False where the lease is no longer held."""
        return await self._write_person(
            delivery.alert.contact.address, lambda person: changes.sent(person, case, delivery, home, now)
        )

    async def posted(self, case: str, post: Home) -> bool:
        """Note that a message about a case stands there; False where there is no such case."""
        return await self._write_person(
            case.rpartition(":")[0], lambda person: changes.posted(person, case, post)
        )

    async def alert_failed(
        self, case: str, delivery: Delivery, retry_at: datetime, decision: Decision | None = None
    ) -> bool:
        """Hand a lease back until `retry_at`; False where the lease is no longer held."""
        return await self._write_person(
            delivery.alert.contact.address,
            lambda person: changes.handed_back(person, case, delivery, retry_at, decision),
        )

    async def setting(self, name: str) -> Json:
        """Return a setting that somebody made while the service ran, None where nobody did."""
        return await self.cursor(f"{SETTING}{name}")

    async def save_setting(self, name: str, value: Json) -> None:
        """Keep a setting."""
        await self.save_cursor(f"{SETTING}{name}", value)

    async def amend_setting(self, name: str, amendment: Amendment) -> Json:
        """Change a setting in one step and return what is kept then."""
        return await self.amend_cursor(f"{SETTING}{name}", amendment)
