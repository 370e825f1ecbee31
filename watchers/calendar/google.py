"""Read a Google calendar by its REST interface: what changed since a sync token, and nothing else of it.

The token forbids narrowing (`timeMin`, `q`, `orderBy`), and lasts until Google drops it: then everything is
listed anew, without what was deleted meanwhile, so what is missing is asked for by its id.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, time
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import quote

from pydantic import Field

from bot.model import Json, NeedsHuman
from watchers import values
from watchers.calendar import CANCELLED, MOST_ENTRIES, MOST_LOOKUPS, Entry, Page, Pass, overfull
from watchers.calendar.held_token import ByToken
from watchers.calendar.resuming import resumed
from watchers.mail.ics import MAX_ATTENDEES, Attendee, plain_address, steady, title
from watchers.mail.rest import Refused, Rest
from watchers.mail.tokens import SAFE_ADDRESS, SCOPES, Provider, Tokens, Use

API = "https://www.googleapis.com/calendar/v3"
SCOPE = SCOPES[Provider.GOOGLE, Use.CALENDAR]
AT_ONCE = 250
MOST_PAGES = MOST_ENTRIES // AT_ONCE
TOO_SMALL = frozenset({"insufficientpermissions", "access_token_scope_insufficient"})
"""How Google says that a token's scope does not reach."""

FIELDS = (
    "id,status,iCalUID,summary,updated,start,end,recurrence,recurringEventId,originalStartTime,"
    "organizer(email,self),creator(email),attendees(email,responseStatus,resource),attendeesOmitted,"
    "sequence,guestsCanModify,eventType"
)
"""What is asked for of an event: neither description nor place, and the summary only to digest it."""

ANSWERS = {
    "needsAction": "NEEDS-ACTION",
    "declined": "DECLINED",
    "tentative": "TENTATIVE",
    "accepted": "ACCEPTED",
}
MEETINGS = frozenset({"default", "fromGmail"})
"""The event types that people are invited to; the others are focus time, places of work and the like."""

SHARED_CALENDAR = "calendar.google.com"
"""The domain of calendars that belong to no person: whoever made the event stands in `creator`."""


class GoogleCalendar(ByToken):
    """A calendar at Google, with an access token that somebody else renews."""

    kind: Literal["google"]
    name: str = Field(min_length=1, description="what to call it, such as the owner's address")
    calendar: str = Field(default="primary", min_length=1, description="the calendar's id")
    api: str = Field(default=API, pattern=f"^{SAFE_ADDRESS}$", description="where Google's interface is")

    @property
    def label(self) -> str:
        """Return what the calendar is called."""
        return self.name

    def open(self) -> GoogleSource:
        """Return the source of its meetings."""
        return GoogleSource(self.name, self.tokens(self.name), self.calendar, self.api)


class GoogleSource:
    """The meetings in one calendar at Google; `who` names it in failures."""

    def __init__(self, who: str, tokens: Tokens, calendar: str = "primary", api: str = API) -> None:
        self.who = who
        self.tokens = tokens
        self.path = f"calendars/{quote(calendar, safe='')}/events"
        self.api = api

    async def pages(self, state: Json, look: Pass) -> AsyncIterator[Page]:
        """Yield what changed since the sync token, everything where there is none or Google dropped it."""
        token = values.text(values.record(state).get("token"))
        renewal = f"grant access to the calendar of {self.who} again, with the scope {SCOPE}"
        async with Rest(self.api, self.tokens, Use.CALENDAR, self.who, renewal) as rest:
            changed = self._listed(rest, state, {"syncToken": token}) if token else None
            try:
                async for page in resumed(self.who, changed, self._anew(rest, look), _is_lost):
                    yield page
            except Refused as refusal:
                raise self._meaning(refusal) from None

    async def _anew(self, rest: Rest, look: Pass) -> AsyncIterator[Page]:
        """Yield everything in the window; what is known and not listed is asked for by its id."""
        listed: set[str] = set()
        window = {"timeMin": f"{look.since:%Y-%m-%dT%H:%M:%SZ}"}
        async for page in self._listed(rest, None, window):
            listed.update(entry.ident for entry in page.entries)
            listed.update([*page.cancelled, *page.gone])
            yield page
        state = page.state
        for ident in [ident for ident in look.known if ident not in listed][:MOST_LOOKUPS]:
            found = await self._asked(rest, ident)
            yield _page(state, [found]) if found else Page(state, gone=[ident])

    async def _listed(self, rest: Rest, state: Json, asked: Mapping[str, str]) -> AsyncIterator[Page]:
        """Yield a listing page by page; only its last page moves the state on."""
        params: dict[str, str | int] = {
            "maxResults": AT_ONCE,
            "showDeleted": "true",
            "singleEvents": "false",
            "fields": f"nextPageToken,nextSyncToken,items({FIELDS})",
            **asked,
        }
        for _ in range(MOST_PAGES):
            told = await rest.json(self.path, params)
            items = values.objects(told.get("items"))
            token = values.text(told.get("nextSyncToken"))
            if token:
                yield _page({"token": token}, items)
                return
            yield _page(state, items)
            params["pageToken"] = values.text(told.get("nextPageToken"))
            if not params["pageToken"]:
                return
        raise overfull(self.who)

    async def _asked(self, rest: Rest, ident: str) -> dict[str, Any] | None:
        """Return one event, called off or not; None where there is nothing of it any more."""
        try:
            return await rest.json(f"{self.path}/{quote(ident, safe='')}", {"fields": FIELDS})
        except Refused as refusal:
            if refusal.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
                return None
            raise

    def _meaning(self, refusal: Refused) -> NeedsHuman:
        if refusal.code == "accessNotConfigured":
            return NeedsHuman(
                f"Google does not let this project read calendars ({self.who})",
                "switch on the Google Calendar API for the project that the token belongs to",
            )
        if refusal.code.lower() in TOO_SMALL:
            return NeedsHuman(f"the token of {self.who} may not read events", f"grant the scope {SCOPE}")
        if refusal.status == HTTPStatus.FORBIDDEN:
            return NeedsHuman(
                f"the calendar of {self.who} shows no details to this account",
                f'share it with "See all event details", and grant the scope {SCOPE}',
            )
        if refusal.status == HTTPStatus.NOT_FOUND:
            return NeedsHuman(
                f"there is no such calendar for {self.who}",
                "correct `calendar`: Google shows the id under Integrate calendar in its settings",
            )
        return NeedsHuman(f"Google refuses to show the calendar of {self.who}: {refusal}", "see the log")


def _is_lost(refusal: Refused) -> bool:
    return refusal.status == HTTPStatus.GONE


def _page(state: Json, items: list[dict[str, Any]]) -> Page:
    entries: list[Entry] = []
    cancelled: list[str] = []
    gone: list[str] = []
    for item in items:
        ident = values.text(item.get("id"))
        organizer = values.record(item.get("organizer"))
        if values.text(item.get("eventType", "default")) not in MEETINGS or not ident:
            continue
        if item.get("status") != "cancelled":
            entries.append(_entry(ident, item))
        elif organizer and organizer.get("self") is not True:
            # Google keeps telling about an invitation that the calendar's own owner removed, while of one
            # that its organizer called off only the id is left.
            gone.append(ident)
        else:
            cancelled.append(ident)
    return Page(state, entries, cancelled, gone)


def _entry(ident: str, item: Mapping[str, Any]) -> Entry:
    organizer = _address(item.get("organizer"))
    if organizer.endswith(SHARED_CALENDAR):
        organizer = _address(item.get("creator"))
    invited = values.objects(item.get("attendees"))[:MAX_ATTENDEES]
    people = [one for one in invited if one.get("resource") is not True and _address(one)]
    subject = values.text(item.get("summary"))
    sequence = item.get("sequence")
    planned = _moment(item.get("originalStartTime"))
    return Entry(
        ident=ident,
        uid=steady(values.text(item.get("iCalUID")), subject),
        start=_moment(item.get("start")),
        end=_moment(item.get("end")),
        occurrence=planned.isoformat() if planned else "unknown" if item.get("recurringEventId") else "",
        series=bool(item.get("recurrence")),
        sequence=sequence if isinstance(sequence, int) else None,
        changed=values.moment(item.get("updated")),
        status=CANCELLED if item.get("status") == "cancelled" else values.text(item.get("status")).upper(),
        title=title(subject),
        organizer=organizer,
        attendees=tuple(
            Attendee(_address(one), ANSWERS.get(values.text(one.get("responseStatus")), "")) for one in people
        ),
        anybody=item.get("guestsCanModify") is True,
        partial=item.get("attendeesOmitted") is True,
    )


def _moment(value: object) -> datetime | None:
    """Return a date or a time of Google's in UTC; a whole day begins at midnight UTC."""
    told = values.record(value)
    if told.get("dateTime"):
        return values.moment(told["dateTime"])
    day = values.moment(told.get("date"))
    return datetime.combine(day.date(), time(), UTC) if day else None


def _address(person: object) -> str:
    return plain_address(values.text(values.record(person).get("email")))
