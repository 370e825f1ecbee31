"""Read the team's calendars, and make them one history with the invitations that came by mail.

Each change of a meeting becomes an observation in the form that invitations have (`meetings.SNAPSHOT`), with
the UID that both share; what they mean together is worked out in one place, `watchers.mail.signals`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar

import structlog
from pydantic import Field, model_validator

from bot.model import Json, NeedsHuman, Observation
from watchers import Batch, Example, Scope, Settings, Watcher
from watchers.calendar import CalendarSource, Entry, Page, Pass
from watchers.calendar.caldav import CaldavCalendar
from watchers.calendar.files import FeedCalendar, FileCalendar
from watchers.calendar.google import API as GOOGLE
from watchers.calendar.google import GoogleCalendar, GoogleSource
from watchers.calendar.granted import CalendarGroup, GoogleCalendars, GraphCalendars
from watchers.calendar.graph import API as GRAPH
from watchers.calendar.graph import GraphCalendar, GraphSource
from watchers.calendar.tracking import MOST_FOLLOWED, Follower, Place, Sighting, observations
from watchers.mail.ics import Attendee
from watchers.mail.meetings import SNAPSHOT
from watchers.mail.tokens import Connected, Connections, Provider, Use, nobody

log = structlog.get_logger()

AnyCalendar = Annotated[
    CaldavCalendar
    | GoogleCalendar
    | GraphCalendar
    | GoogleCalendars
    | GraphCalendars
    | FeedCalendar
    | FileCalendar,
    Field(discriminator="kind"),
]

HISTORY_DAYS = 365
"""How far the first pass over a calendar that its owner connected looks back."""

MOST_HISTORY_DAYS = 1000


class Calendars(Watcher[Sighting]):
    """The team's calendars: meetings set, moved, cancelled, declined, also where no mail says so."""

    name = "calendars"
    every = timedelta(minutes=15)
    examples: ClassVar[tuple[Example[Sighting], ...]] = (
        Example(
            Sighting(
                source="calendars:rita",
                entry=Entry(
                    ident="1",
                    uid="call-1",
                    start=datetime(2026, 5, 4, 13, tzinfo=UTC),
                    organizer="jane@acme.example",
                    attendees=(Attendee("jane@acme.example"), Attendee("rita@vendor.example")),
                ),
                at=datetime(2026, 4, 20, 9, tzinfo=UTC),
                by="jane@acme.example",
                contacts=("jane@acme.example",),
            ),
            (SNAPSHOT,),
        ),
    )

    class Config(Settings):
        """The team's calendars."""

        calendars: tuple[AnyCalendar, ...] = Field(default=(), description="where the team's meetings stand")

        @model_validator(mode="after")
        def _names_differ(self) -> Calendars.Config:
            names = [
                name
                for one in self.calendars
                for name in (one.mailboxes if isinstance(one, CalendarGroup) else (one.label,))
            ]
            twice = [name for name, n in Counter(names).items() if n > 1]
            if twice:
                raise ValueError(f"two calendars are called {twice[0]}: give each a name of its own")
            return self

    config: Config

    def __init__(self, config: Settings | None = None) -> None:
        super().__init__(config)
        self.connected: Connections = nobody
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def sources(self, scope: Scope) -> Sequence[str]:
        """Name the calendars: those of the settings, and those that their owners connected."""
        del scope
        return list(self._opened())

    async def fetch(self, source: str, cursor: Json, scope: Scope) -> AsyncIterator[Batch[Sighting]]:
        """Yield what is new about the meetings with people in the scope."""
        opened = self._opened().get(source)
        if opened is None:
            raise NeedsHuman(f"{source.partition(':')[2]} is no longer connected", "connect it again")
        calendar, history_days = opened
        now = self.clock()
        place = Place.of(cursor)
        since = now - timedelta(days=min(history_days, MOST_HISTORY_DAYS))
        follower = Follower(source, place, scope, now, since)
        known = {ident: meeting.start for ident, meeting in place.followed.items()}
        async for page in calendar.pages(place.state, Pass(now, since, scope, known)):
            seen = _sightings(follower, page)
            place.state = page.state if page.state is not None else place.state
            if seen:
                yield Batch(source, seen, place.cursor())
        was_full = place.full
        follower.end()
        if place.full and not was_full:
            log.warning("calendar_full", source=source, followed=MOST_FOLLOWED)
        yield Batch(source, [], place.cursor())

    def read(self, raw: Sighting, scope: Scope) -> list[Observation]:
        """Say what one change means for each person it concerns, never for our own."""
        return list(observations(raw, scope))

    def _opened(self) -> dict[str, tuple[CalendarSource, int]]:
        """Return every calendar by its name, with the days that the first pass looks back."""
        found: dict[str, tuple[CalendarSource, int]] = {
            one.mailbox: (_connected(one), HISTORY_DAYS)
            for one in self.connected()
            if Use.CALENDAR in one.uses
        }
        for one in self.config.calendars:
            named = one.calendars() if isinstance(one, CalendarGroup) else {one.label: one.open()}
            found |= {name: (calendar, one.history_days) for name, calendar in named.items()}
        return {f"{self.name}:{name}": calendar for name, calendar in found.items()}


def _connected(one: Connected) -> CalendarSource:
    if one.provider is Provider.GOOGLE:
        return GoogleSource(one.mailbox, one.tokens, api=one.api(Use.CALENDAR, GOOGLE))
    return GraphSource(one.mailbox, one.tokens, api=one.api(Use.CALENDAR, GRAPH))


def _sightings(follower: Follower, page: Page) -> list[Sighting]:
    found = [*follower.taken(page.entries, are_copies=page.copies)]
    found += [seen for ident in page.cancelled if (seen := follower.cancel(ident)) is not None]
    for ident in page.gone:
        follower.lose(ident)
    return found
