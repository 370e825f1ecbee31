"""Calendars that an organisation granted together: one entry of the settings for a whole team's.

The grant, its list and the fence around it are those of mailboxes (`watchers.mail.group`): a mailbox outside
the group can be named, whose calendar must not open, and while it does nothing is read.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote

from pydantic import Field

from bot.model import Json, NeedsHuman
from watchers.calendar import CalendarSource, Page, Pass
from watchers.calendar.google import API as GOOGLE
from watchers.calendar.google import GoogleSource
from watchers.calendar.graph import API as GRAPH
from watchers.calendar.graph import GraphSource
from watchers.mail.granted import GoogleGroup, MicrosoftGroup, shut_by_google, shut_by_microsoft
from watchers.mail.group import SWITCHED_OFF, Group, Judge, Opened, tried
from watchers.mail.rest import Params, Refused, Rest
from watchers.mail.tokens import SAFE_ADDRESS, Use

SEE = "see docs/calendars.md"


@dataclass(frozen=True)
class GrantedCalendar:
    """The calendar of one mailbox of a group, which is read only while the grant ends at the group."""

    label: str
    calendar: CalendarSource = field(repr=False)
    guard: Callable[[], Awaitable[None]] = field(repr=False, compare=False)

    async def pages(self, state: Json, look: Pass) -> AsyncIterator[Page]:
        """Yield what changed. Raises NeedsHuman while the grant is too wide."""
        await self.guard()
        async for page in self.calendar.pages(state, look):
            yield page


@dataclass(frozen=True)
class Unlisted:
    """Stands for the calendars of a list that cannot be read."""

    label: str
    problem: NeedsHuman

    async def pages(self, state: Json, look: Pass) -> AsyncIterator[Page]:
        """Raise what is wrong with the list."""
        del state, look
        raise NeedsHuman(self.problem.what, self.problem.how)
        yield  # only this makes it an iterator


class CalendarGroup(Group):
    """Whose calendars are read, and the fence around them."""

    def calendars(self) -> dict[str, CalendarSource]:
        """Return every calendar of the group by its owner's address."""
        try:
            listed = self.addresses()
        except NeedsHuman as problem:
            return {str(self.mailboxes_file): Unlisted(str(self.mailboxes_file), problem)}
        return {address: self.box(address) for address in listed}

    def box(self, address: str) -> GrantedCalendar:  # type: ignore[override] # a calendar, not its mail
        """Return one calendar of the group."""
        return GrantedCalendar(address, self.source(address), self.guard)

    @abstractmethod
    def source(self, address: str) -> CalendarSource:
        """Return what reads the calendar of one mailbox."""


class GoogleCalendars(GoogleGroup, CalendarGroup):
    """Calendars of a Google Workspace that a service account may read (domain-wide delegation)."""

    kind: Literal["google_workspace"]
    api: str = Field(default=GOOGLE, pattern=f"^{SAFE_ADDRESS}$", description="where the Calendar API is")

    def source(self, address: str) -> GoogleSource:
        """Return what reads the main calendar of one mailbox."""
        return GoogleSource(address, self.tokens(address), api=self.api)

    async def try_open(self, address: str, *, strictly: bool = False) -> Opened:
        """Ask for one event's id and say whether the calendar opened."""
        line = Rest(self.api, self.tokens(address), Use.CALENDAR, address, SEE)
        asked: Params = {"maxResults": 1, "fields": "items(id)"}
        judge = Judge(shut_by_google, _problem)
        return await tried(line, "calendars/primary/events", asked, judge, strictly=strictly)


class GraphCalendars(MicrosoftGroup, CalendarGroup):
    """Calendars in Microsoft 365 that an application may read (RBAC for Applications, limited to a group)."""

    kind: Literal["microsoft_365"]
    api: str = Field(default=GRAPH, pattern=f"^{SAFE_ADDRESS}$", description="where Microsoft Graph is")

    def source(self, address: str) -> GraphSource:
        """Return what reads the main calendar of one mailbox."""
        return GraphSource(address, self.tokens(), address, self.api)

    async def try_open(self, address: str, *, strictly: bool = False) -> Opened:
        """Ask for one event's id and say whether the calendar opened."""
        line = Rest(self.api, self.tokens(), Use.CALENDAR, address, SEE)
        path = f"users/{quote(address, safe='@')}/events"
        judge = Judge(shut_by_microsoft, _problem)
        return await tried(line, path, {"$top": 1, "$select": "id"}, judge, strictly=strictly)


def _problem(refused: Refused, address: str) -> NeedsHuman:
    if refused.code.lower() in SWITCHED_OFF:
        return NeedsHuman(
            "the Google Calendar API is switched off",
            "enable the Google Calendar API in the Google Cloud project",
        )
    return NeedsHuman(f"the calendar of {address} does not open: {refused}", f"widen the grant to it: {SEE}")
