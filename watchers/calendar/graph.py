"""Read a calendar in Microsoft 365 by Graph: what changed in a window of time, by its delta links.

A delta link freezes its window. What is moved out of it comes as removed or without a start, so every meeting
that is followed and no longer shown is asked for by its id; and the window is drawn anew before it ends.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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
from watchers.mail.tokens import SAFE_ADDRESS, Tokens, Use
from watchers.mail.zones import plausible, to_utc

API = "https://graph.microsoft.com/v1.0"
AT_ONCE = 100
MOST_PAGES = MOST_ENTRIES // AT_ONCE
RESYNC = frozenset({"syncstatenotfound", "syncstateinvalid", "resyncrequired"})

AHEAD = timedelta(days=550)
LEAST_AHEAD = timedelta(days=400)
"""Once the window ends nearer than this, it is drawn anew."""

PREFER = ", ".join([f"odata.maxpagesize={AT_ONCE}", 'outlook.timezone="UTC"', 'IdType="ImmutableId"'])
HEADERS = {"Prefer": PREFER}

FIELDS = (
    "id,iCalUId,type,seriesMasterId,originalStart,subject,start,end,isCancelled,lastModifiedDateTime,"
    "organizer,attendees,hideAttendees,isOrganizer"
)
"""What is asked for of one meeting; a delta cannot be narrowed (`$select` is not supported there)."""

ANSWERS = {
    "none": "NEEDS-ACTION",
    "notResponded": "NEEDS-ACTION",
    "tentativelyAccepted": "TENTATIVE",
    "accepted": "ACCEPTED",
    "declined": "DECLINED",
}


class GraphCalendar(ByToken):
    """The main calendar of a Microsoft 365 mailbox, with an access token that somebody else renews."""

    kind: Literal["graph"]
    user: str = Field(default="", description="the mailbox's address; the token's own where empty")
    name: str = Field(default="", description="what to call it; the user where empty")
    api: str = Field(default=API, pattern=f"^{SAFE_ADDRESS}$", description="where Graph is")

    @property
    def label(self) -> str:
        """Return what the calendar is called."""
        return self.name or self.user or "me"

    def open(self) -> GraphSource:
        """Return the source of its meetings."""
        return GraphSource(self.label, self.tokens(self.label), self.user, self.api)


@dataclass
class _Window:
    """A delta link and the time it looks at."""

    link: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of(cls, state: Json) -> _Window:
        """Read a state; one that is none of ours has no link."""
        told = values.record(state)
        since, until = values.moment(told.get("since")), values.moment(told.get("until"))
        return cls(values.text(told.get("link")), since, until)

    def goes_on(self, api: str, now: datetime) -> bool:
        """Say whether its link can be asked, and still looks far enough ahead."""
        if not self.link.startswith(api) or self.since is None or self.until is None:
            return False
        return self.until >= now + LEAST_AHEAD

    def state(self) -> Json:
        """Return what to keep."""
        assert self.since is not None
        assert self.until is not None
        return {"link": self.link, "since": self.since.isoformat(), "until": self.until.isoformat()}

    def shows(self, start: datetime | None) -> bool:
        """Say whether a meeting that begins then is told of when it changes."""
        return start is None or self.since is None or self.until is None or self.since <= start < self.until


@dataclass
class _Seen:
    """What one listing showed: which meetings, of which only that they are not there, and of which series."""

    idents: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    series: set[str] = field(default_factory=set)

    def missing(self) -> set[str]:
        """Return the series of which only occurrences were shown."""
        return self.series - self.idents


class GraphSource:
    """The meetings in the main calendar of one mailbox; `who` names it in failures."""

    def __init__(self, who: str, tokens: Tokens, user: str = "", api: str = API) -> None:
        self.who = who
        self.tokens = tokens
        self.api = api
        self.path = f"users/{quote(user, safe='@')}" if user else "me"

    async def pages(self, state: Json, look: Pass) -> AsyncIterator[Page]:
        """Yield what changed since the delta link, everything where there is none or it was dropped."""
        window = _Window.of(state)
        renewal = f"grant access to the calendar of {self.who} again, with the permission Calendars.Read"
        async with Rest(self.api, self.tokens, Use.CALENDAR, self.who, renewal) as rest:
            changed = self._changed(rest, window, look) if window.goes_on(self.api, look.now) else None
            try:
                async for page in resumed(self.who, changed, self._anew(rest, look), _is_lost):
                    yield page
            except Refused as refusal:
                raise self._meaning(refusal) from None

    async def _changed(self, rest: Rest, window: _Window, look: Pass) -> AsyncIterator[Page]:
        """Yield what changed in the window, and how what was moved out of it stands."""
        seen = _Seen()
        async for page in self._listed(rest, window, seen, window.link, None):
            yield page
        moved_out = [
            ident
            for ident, start in look.known.items()
            if ident in seen.absent or (ident not in seen.idents and not window.shows(start))
        ]
        async for page in self._asked(rest, window.state(), seen.missing().union(moved_out)):
            yield page

    async def _anew(self, rest: Rest, look: Pass) -> AsyncIterator[Page]:
        """Yield everything in a new window, and how what is known and not in it stands."""
        window = _Window(since=look.since, until=look.now + AHEAD)
        seen = _Seen()
        bounds = {
            "startDateTime": f"{look.since:%Y-%m-%dT%H:%M:%SZ}",
            "endDateTime": f"{window.until:%Y-%m-%dT%H:%M:%SZ}",
        }
        async for page in self._listed(rest, window, seen, f"{self.path}/calendarView/delta", bounds):
            yield page
        missing = seen.missing().union(ident for ident in look.known if ident not in seen.idents)
        async for page in self._asked(rest, window.state(), missing):
            yield page

    async def _listed(
        self, rest: Rest, window: _Window, seen: _Seen, path: str, params: Mapping[str, str] | None
    ) -> AsyncIterator[Page]:
        """Yield a round of answers; the link to go on from is kept when everything was asked for."""
        kept = window.state() if window.link else None
        for _ in range(MOST_PAGES):
            told = await rest.json(path, params, headers=HEADERS)
            items = values.objects(told.get("value"))
            yield Page(kept, _entries(items, seen))
            if told.get("@odata.deltaLink"):
                window.link = values.text(told["@odata.deltaLink"])
                return
            path, params = values.text(told.get("@odata.nextLink")), None
            if not path:
                return
        raise overfull(self.who)

    async def _asked(self, rest: Rest, state: Json, idents: Iterable[str]) -> AsyncIterator[Page]:
        """Yield how these meetings stand, each asked for by its id, and then move the state on."""
        for ident in sorted(idents)[:MOST_LOOKUPS]:
            try:
                path = f"{self.path}/events/{quote(ident, safe='')}"
                item = await rest.json(path, {"$select": FIELDS}, headers=HEADERS)
            except Refused as refusal:
                if refusal.status not in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
                    raise
                yield Page(None, gone=[ident])
            else:
                yield Page(None, _entries([item], _Seen()))
        yield Page(state)

    def _meaning(self, refusal: Refused) -> NeedsHuman:
        if refusal.status == HTTPStatus.FORBIDDEN:
            return NeedsHuman(
                f"Microsoft does not let us read the calendar of {self.who}",
                "grant the permission Calendars.Read, and where access is limited to a group, "
                f"add {self.who} to it",
            )
        if refusal.status == HTTPStatus.NOT_FOUND:
            return NeedsHuman(
                f"Microsoft finds no calendar of {self.who}",
                "correct `user`: it is the address of a mailbox in Exchange Online",
            )
        return NeedsHuman(f"Microsoft refuses to show the calendar of {self.who}: {refusal}", "see the log")


def _is_lost(refusal: Refused) -> bool:
    return refusal.status == HTTPStatus.GONE or refusal.code.lower() in RESYNC


def _entries(items: Iterable[Mapping[str, Any]], seen: _Seen) -> list[Entry]:
    """Return the meetings, and note of which others the answer says too little."""
    found = []
    for item in items:
        ident = values.text(item.get("id"))
        start = _moment(item.get("start"))
        if item.get("type") == "occurrence":
            seen.series.update({values.text(item.get("seriesMasterId"))} - {""})
        elif "@removed" in item or start is None:
            seen.absent.add(ident)
            seen.idents.discard(ident)
        elif ident:
            found.append(_entry(ident, start, item))
            seen.idents.add(ident)
            seen.absent.discard(ident)
    return found


def _entry(ident: str, start: datetime, item: Mapping[str, Any]) -> Entry:
    invited = values.objects(item.get("attendees"))[:MAX_ATTENDEES]
    people = [one for one in invited if one.get("type") != "resource" and _address(one)]
    planned = values.moment(item.get("originalStart"))
    exception = item.get("type") == "exception"
    subject = values.text(item.get("subject"))
    return Entry(
        ident=ident,
        uid=steady(plain_uid(values.text(item.get("iCalUId"))), subject),
        start=start,
        end=_moment(item.get("end")),
        occurrence="" if not exception else planned.isoformat() if planned else "unknown",
        series=item.get("type") == "seriesMaster",
        changed=values.moment(item.get("lastModifiedDateTime")),
        status=CANCELLED if item.get("isCancelled") is True else "CONFIRMED",
        title=title(subject),
        organizer=_address(item.get("organizer")),
        attendees=tuple(Attendee(_address(one), _answer(one)) for one in people),
        partial=item.get("hideAttendees") is True and item.get("isOrganizer") is not True,
        proposals=tuple((_address(one), other) for one in people if (other := _proposed(one)) is not None),
    )


_EXCHANGE_UID = re.compile(r"(040000008200E00074C5B7101A82E008)[0-9A-F]{8}([0-9A-F]{48,2000})", re.IGNORECASE)
_FOREIGN = "7643616C2D55696401000000"
"""`vCal-Uid` and its version, in hexadecimal: what follows is the UID of another calendar program."""


def plain_uid(uid: str) -> str:
    """Return the UID that the meeting has in mails ([MS-OXOCAL] 2.2.1.28, [MS-OXCICAL] 2.1.3.1.1.20.26).

    Exchange packs a foreign UID into one of its own, and puts the date of an occurrence into the middle.
    """
    match = _EXCHANGE_UID.fullmatch(uid)
    if match is None:
        return uid
    _, found, foreign = match[2].upper().partition(_FOREIGN)
    if found and len(foreign) % 2 == 0:
        text = bytes.fromhex(foreign).rstrip(b"\0")
        if text and text.isascii():
            return text.decode("ascii")
    return f"{match[1]}{'0' * 8}{match[2]}".upper()


def _answer(attendee: Mapping[str, Any]) -> str:
    return ANSWERS.get(values.text(values.record(attendee.get("status")).get("response")), "")


def _proposed(attendee: Mapping[str, Any]) -> datetime | None:
    """Return the start that an attendee proposed instead, None where they proposed none.

    https://learn.microsoft.com/graph/api/resources/attendee has it as a time and the name of its zone.
    """
    told = values.record(values.record(attendee.get("proposedNewTime")).get("start"))
    wall = values.moment(told.get("dateTime"))
    return wall and plausible(
        to_utc(wall.replace(tzinfo=None), values.text(told.get("timeZone")) or "UTC", {})
    )


def _address(person: object) -> str:
    named = values.record(values.record(person).get("emailAddress"))
    return plain_address(values.text(named.get("address")))


def _moment(value: object) -> datetime | None:
    """Return a dateTimeTimeZone in UTC, which it is because we prefer it so."""
    return values.moment(values.record(value).get("dateTime"))
