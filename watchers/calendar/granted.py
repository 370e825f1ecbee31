"""Calendars that an organisation granted together: one entry of the settings for a whole team's.

The grant, its list and the fence around it are those of mailboxes (`watchers.mail.group`): a mailbox outside
the group can be named, whose calendar must not open, and while it does nothing is read.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self
from urllib.parse import quote

from pydantic import Field, PrivateAttr, model_validator

from bot.model import Json, NeedsHuman
from watchers.calendar import CalendarSource, Page, Pass
from watchers.calendar.google import API as GOOGLE
from watchers.calendar.google import GoogleSource
from watchers.calendar.graph import API as GRAPH
from watchers.calendar.graph import GraphSource
from watchers.mail.grants import (
    GOOGLE_TOKEN_URL,
    MICROSOFT_LOGIN,
    Application,
    NotGranted,
    Secret,
    ServiceAccount,
)
from watchers.mail.group import SWITCHED_OFF, Group, Opened, keeps_out
from watchers.mail.rest import NOT_FOUND, Refused, Rest
from watchers.mail.tokens import SAFE_ADDRESS, Tokens, Use

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


class GoogleCalendars(CalendarGroup):
    """Calendars of a Google Workspace that a service account may read (domain-wide delegation)."""

    kind: Literal["google_workspace"]
    key_file: Path = Field(description="the JSON key of the service account")
    api: str = Field(default=GOOGLE, pattern=f"^{SAFE_ADDRESS}$", description="where the Calendar API is")
    token_url: str = Field(
        default=GOOGLE_TOKEN_URL, pattern=f"^{SAFE_ADDRESS}$", description="where access tokens are given"
    )
    _tokens: dict[str, Tokens] = PrivateAttr(default_factory=dict)

    def source(self, address: str) -> GoogleSource:
        """Return what reads the main calendar of one mailbox."""
        return GoogleSource(address, self._given(address), api=self.api)

    async def try_open(self, address: str, *, strictly: bool = False) -> Opened:
        """Ask for one event's id and say whether the calendar opened."""
        try:
            async with Rest(self.api, self._given(address), Use.CALENDAR, address, SEE) as line:
                await line.json("calendars/primary/events", {"maxResults": 1, "fields": "items(id)"})
        except NotGranted:
            if strictly:
                raise
            return Opened.CLOSED
        except Refused as refused:
            if strictly or not keeps_out(refused):
                raise _problem(refused, address) from None
            return Opened.CLOSED
        return Opened.OPEN

    def _given(self, address: str) -> Tokens:
        return self._tokens.setdefault(address, ServiceAccount(self.key_file, address, self.token_url))


class GraphCalendars(CalendarGroup):
    """Calendars in Microsoft 365 that an application may read (RBAC for Applications, limited to a group)."""

    kind: Literal["microsoft_365"]
    tenant: str = Field(pattern=r"^[A-Za-z0-9.-]{1,255}$", description="the tenant's id or domain")
    client_id: str = Field(pattern=r"^[A-Za-z0-9-]{1,64}$", description="the application's id")
    secret_env: str = Field(default="", description="the variable with the application's secret")
    secret_file: Path | None = Field(default=None, description="the file with the application's secret")
    certificate_file: Path | None = Field(
        default=None, description="a PEM file with private key and certificate, which is better than a secret"
    )
    api: str = Field(default=GRAPH, pattern=f"^{SAFE_ADDRESS}$", description="where Microsoft Graph is")
    token_url: str = Field(
        default="",
        pattern=f"^({SAFE_ADDRESS})?$",
        description="where access tokens are given; the tenant's own where empty",
    )
    _application: list[Tokens] = PrivateAttr(default_factory=list)

    @model_validator(mode="after")
    def _has_one_credential(self) -> Self:
        if sum(map(bool, (self.secret_env, self.secret_file, self.certificate_file))) != 1:
            raise ValueError("give exactly one of secret_env, secret_file, certificate_file")
        return self

    def source(self, address: str) -> GraphSource:
        """Return what reads the main calendar of one mailbox."""
        return GraphSource(address, self._given(), address, self.api)

    async def try_open(self, address: str, *, strictly: bool = False) -> Opened:
        """Ask for one event's id and say whether the calendar opened."""
        path = f"users/{quote(address, safe='@')}/events"
        try:
            async with Rest(self.api, self._given(), Use.CALENDAR, address, SEE) as line:
                await line.json(path, {"$top": 1, "$select": "id"})
        except Refused as refused:
            if strictly or not keeps_out(refused):
                raise _problem(refused, address) from None
            return Opened.UNKNOWN if refused.status == NOT_FOUND else Opened.CLOSED
        return Opened.OPEN

    def _given(self) -> Tokens:
        """Return what gives the tokens; one for all calendars, since one token opens them all."""
        if not self._application:
            secret = Secret(self.secret_env, self.secret_file, f"the application {self.client_id}")
            url = self.token_url or f"{MICROSOFT_LOGIN}{self.tenant}/oauth2/v2.0/token"
            certified = self.certificate_file
            given = Application(self.client_id, url, None if certified else secret, certified)
            self._application.append(given)
        return self._application[0]


def _problem(refused: Refused, address: str) -> NeedsHuman:
    if refused.code.lower() in SWITCHED_OFF:
        return NeedsHuman(
            "the Google Calendar API is switched off",
            "enable the Google Calendar API in the Google Cloud project",
        )
    return NeedsHuman(f"the calendar of {address} does not open: {refused}", f"widen the grant to it: {SEE}")
