"""Read what a CRM knows of the people we watch: what does not depend on which CRM it is."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Protocol

from pydantic import Field

from bot.model import Json, Observation
from watchers import Batch, Scope, Watcher
from watchers.crm import facts
from watchers.crm.facts import OptOut
from watchers.crm.following import Place
from watchers.crm.hubspot import Record
from watchers.crm.line import Line, Refused, number, unanswerable
from watchers.settings import Settings

OPT_OUTS, TURN = "opt-outs", "turn"
"""What a contact is called that was read for its opt-out alone, and how often they changed their mind."""

Pages = AsyncIterator[Sequence[Record]]


class Parts(Settings):
    """What of a CRM is read."""

    bounces: bool = Field(default=True, description="read contacts' bounce flags")
    opt_outs: bool = Field(
        default=True, description="read who opted out of e-mail, to suggest them to nobody"
    )
    emails: bool = Field(
        default=True, description="read logged mails; those that are in a mailbox, too, count once"
    )
    meetings: bool = Field(default=True, description="read meetings; say false where calendars are read, too")
    history_days: int = Field(default=365, ge=1, le=1000, description="how far the first pass looks back")


class Opened(Protocol):
    """What is read of a CRM, and how it is opened."""

    bounces: bool
    opt_outs: bool
    emails: bool
    meetings: bool
    history_days: int

    def line(self) -> Line:
        """Return a line to the CRM."""


class CrmWatcher(Watcher[Record]):
    """Reads a CRM; which one, and what its records mean, a subclass says."""

    every = timedelta(minutes=15)
    source: ClassVar[str]
    """What the CRM is called."""

    @property
    @abstractmethod
    def opened(self) -> Opened:
        """Return the settings."""

    @abstractmethod
    def passes(self, line: Line, place: Place, scope: Scope) -> tuple[Pages, Pages, Pages, Pages]:
        """Return what changed since the place, page by page: bounces, opt-outs, mails, and meetings."""

    @abstractmethod
    def meaning(self, raw: Record) -> facts.Fact | None:
        """Say what a record stands for, None where it says nothing. Pure."""

    def sources(self, scope: Scope) -> Sequence[str]:
        """Name the CRM, where there is anybody to look for."""
        return [self.source] if scope.addresses else []

    async def fetch(self, source: str, cursor: Json, scope: Scope) -> AsyncIterator[Batch[Record]]:
        """Yield what changed since the cursor."""
        now, chosen = datetime.now(UTC), self.opened
        place = Place(cursor, now - timedelta(days=chosen.history_days))
        wanted = (chosen.bounces, chosen.opt_outs, chosen.emails, chosen.meetings)
        async with chosen.line() as line:
            try:
                for is_wanted, pages in zip(wanted, self.passes(line, place, scope), strict=True):
                    if is_wanted:
                        async for items in pages:
                            yield Batch(source, items, place.cursor(now))
            except Refused as refused:
                check = "check what may be read, with `stillthere crm check`"
                raise unanswerable(refused, line.host, check) from refused

    def read(self, raw: Record, scope: Scope) -> Iterable[Observation]:
        """Say what a record means."""
        return facts.observations(self.meaning(raw), scope, self.source)


def turned(record: Record, place: Place, *, is_out: bool) -> Record | None:
    """Return a contact as one whose opt-out was read; None for one who never opted out."""
    turn = place.turn(record.ident, is_out=is_out)
    return Record(OPT_OUTS, record.ident, {**record.values, TURN: turn}) if turn else None


def opt_out(record: Record, crm: str, address: str, at: datetime | None) -> OptOut | None:
    """Read a contact that `turned` returned."""
    turn = number(record.values.get(TURN))
    return OptOut(f"{crm}.optout.{record.ident}", address, at, turn) if at and turn > 0 else None
