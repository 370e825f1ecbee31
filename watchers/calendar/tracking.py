"""Follow the meetings of one calendar: say what is new about which, and for whom. Pure.

Only meetings with people in the scope are followed, only their people and our own are kept, and what ended a
month ago is forgotten. A listing that shows nothing new therefore says nothing, however often it is read.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

from bot.model import Json, Observation
from watchers import Scope
from watchers.calendar import CANCELLED, Entry
from watchers.cursor import Cursor
from watchers.mail.ics import Attendee
from watchers.mail.meetings import MOST_ATTENDEES, OTHER, SNAPSHOT, THEM, US, same_account

KEPT = timedelta(days=30)
"""A meeting that ended this long ago is no longer followed: nobody moves it any more."""

MOST_FOLLOWED = 3000
"""So many meetings of one calendar are followed; those furthest back give way or are not taken up."""

LONGEST_UID = 200
"""A longer UID is replaced by its hash, as in `watchers.invitations`."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A meeting that stands otherwise than before: `by` is who did it, empty where nobody can say.

    `at` is when it changed as far as that is known. `contacts` are those whose history it belongs to. Where
    it `is_proposal`, `by` proposed the entry's start, and the meeting itself stands as before.
    """

    source: str
    entry: Entry
    at: datetime
    by: str
    contacts: tuple[str, ...]
    is_proposal: bool = False


class Followed(BaseModel):
    """What is kept of a meeting until its next change: no more than it takes to see that there is one."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    uid: str
    occurrence: str = ""
    series: bool = False
    sequence: int | None = None
    changed: datetime | None = None
    start: datetime | None = None
    end: datetime | None = None
    status: str = ""
    title: str = ""
    organizer: str = ""
    people: dict[str, str] = {}
    proposed: dict[str, datetime] = {}

    @property
    def over(self) -> datetime | None:
        """Return when it is over, None for a series and where nobody knows."""
        return None if self.series else self.end or self.start

    def stands_as(self, other: Followed) -> bool:
        """Say whether both say the same: when, whether, who asks, and who comes."""
        mine = (self.start, self.status, self.organizer, self.people)
        return mine == (other.start, other.status, other.organizer, other.people)

    def is_older_than(self, other: Followed) -> bool:
        """Say whether it is an earlier state of the same meeting."""
        earlier = (self.sequence or 0) <= (other.sequence or 0)
        if not earlier or self.changed is None or other.changed is None:
            return False
        return self.changed < other.changed


class Place(Cursor):
    """Where reading of a calendar goes on: the source's own state, and the meetings that are followed.

    `passed` is when the last whole pass ended, None during the first. `full` says that as
    many meetings are followed as may be.
    """

    model_config = ConfigDict(extra="ignore")

    state: Json = None
    passed: datetime | None = None
    full: bool = False
    followed: dict[str, Followed] = Field(default_factory=dict)

    def cursor(self) -> Json:
        """Return what to keep."""
        dumped: dict[str, Json] = self.model_dump(mode="json", exclude_defaults=True)
        return dumped


class Follower:
    """Takes in what a source shows, and says what is new about it."""

    def __init__(self, source: str, place: Place, scope: Scope, now: datetime, since: datetime) -> None:
        self.source = source
        self.place = place
        self.scope = scope
        self.now = now
        self._oldest = since if place.passed is None else now - KEPT
        self._horizon: datetime | None = None
        self.shed()

    def taken(self, entries: Sequence[Entry], *, are_copies: bool = False) -> Iterator[Sighting]:
        """Take in what a page shows, and yield what is new.

        Of more new meetings than are ever followed, those that lie furthest back are not taken up at all:
        what is new about them would be said again and again.
        """
        starts = {one.ident: one.start for one in entries if one.start is not None}
        most = heapq.nlargest(MOST_FOLLOWED, starts, key=lambda ident: (starts[ident], ident))
        within = {*most, *self.place.followed}
        for entry in entries:
            if entry.ident in within:
                before = self.place.followed.get(entry.ident)
                if (seen := self.take(entry, is_copy=are_copies)) is not None:
                    yield seen
                yield from self._proposals(entry.ident, before)
        self.shed()

    def take(self, entry: Entry, *, is_copy: bool = False) -> Sighting | None:
        """Take in how a meeting stands; None where nothing is new, or nobody we watch has a part in it.

        A copy that was saved before what is known already is no news.
        """
        before = self.place.followed.get(entry.ident)
        if entry.start is None or not entry.uid:
            return None
        after = self._followed(entry, before)
        watched = self._watched(after)
        if before is None and (not watched or self._lies_too_far_back(after)):
            return None
        if is_copy and before is not None and after.is_older_than(before):
            return None
        if watched:
            self.place.followed[entry.ident] = after
        else:
            del self.place.followed[entry.ident]
        if before is not None and after.stands_as(before):
            return None
        contacts = (*watched, *(one for one in self._watched(before) if one not in watched))
        by = "" if entry.anybody and before is not None else after.organizer
        return Sighting(self.source, _entry(entry.ident, after), self._at(after, before), by, contacts)

    def _proposals(self, ident: str, before: Followed | None) -> Iterator[Sighting]:
        """Yield the other starts that people at a watched account proposed since it was seen before."""
        after = self.place.followed.get(ident)
        if after is None:
            return
        known = before.proposed if before is not None else {}
        for address, start in after.proposed.items():
            if start not in {known.get(address), after.start}:
                entry = replace(_entry(ident, after), start=start, end=None)
                at = self._at(after, before)
                yield Sighting(self.source, entry, at, address, (address,), is_proposal=True)

    def cancel(self, ident: str) -> Sighting | None:
        """Take in that a meeting was called off by its organizer; None where it is not followed."""
        before = self.place.followed.get(ident)
        if before is None or before.status == CANCELLED:
            return None
        after = before.model_copy(update={"status": CANCELLED})
        self.place.followed[ident] = after
        entry = _entry(ident, after)
        return Sighting(self.source, entry, self.now, after.organizer, tuple(self._watched(after)))

    def lose(self, ident: str) -> None:
        """Take in that a meeting is no longer in the calendar; that says nothing about anybody."""
        self.place.followed.pop(ident, None)

    def end(self) -> None:
        """Note that the pass is over, and forget what is over for long or too much."""
        followed = self.place.followed
        for ident, meeting in list(followed.items()):
            if meeting.over is not None and meeting.over < self.now - KEPT:
                del followed[ident]
        self.shed()
        self.place.full = len(followed) >= MOST_FOLLOWED
        self.place.passed = self.now

    def shed(self) -> None:
        """Give up the meetings furthest back where there are too many, and take up no such others."""
        followed = self.place.followed
        if len(followed) < MOST_FOLLOWED:
            return
        latest = sorted(followed, key=lambda ident: (followed[ident].start or self.now, ident), reverse=True)
        for ident in latest[MOST_FOLLOWED:]:
            del followed[ident]
        self._horizon = followed[latest[MOST_FOLLOWED - 1]].start

    def _lies_too_far_back(self, meeting: Followed) -> bool:
        if meeting.over is not None and meeting.over < self._oldest:
            return True
        return self._horizon is not None and meeting.start is not None and meeting.start <= self._horizon

    def _followed(self, entry: Entry, before: Followed | None) -> Followed:
        people = {
            one.address: one.partstat
            for one in entry.attendees
            if self.scope.is_ours(one.address) or self.scope.covers(one.address)
        }
        if entry.partial and before is not None:
            people = {**before.people, **people}
        kept = sorted(people, key=lambda address: (not self.scope.covers(address), address))[:MOST_ATTENDEES]
        digest = hashlib.sha256(entry.uid.encode("utf-8", "replace")).hexdigest()
        return Followed(
            uid=entry.uid if len(entry.uid) <= LONGEST_UID else digest,
            occurrence=entry.occurrence,
            series=entry.series,
            sequence=entry.sequence,
            changed=min(entry.changed, self.now) if entry.changed else None,
            start=entry.start,
            end=entry.end,
            status=entry.status,
            title=entry.title,
            organizer=entry.organizer,
            people={address: people[address] for address in kept},
            proposed={one: start for one, start in entry.proposals if is_watched(one, self.scope)},
        )

    def _watched(self, meeting: Followed | None) -> list[str]:
        """Return who of those in it are people at a watched account, each once."""
        people = dict.fromkeys([meeting.organizer, *meeting.people]) if meeting is not None else ()
        return [one for one in people if one and is_watched(one, self.scope)]

    def _at(self, after: Followed, before: Followed | None) -> datetime:
        """Return when it changed: as the calendar says, unless it said so before."""
        if after.changed is None:
            return self.now
        if before is None or before.changed is None or after.changed > before.changed:
            return after.changed
        return self.now


def is_watched(address: str, scope: Scope) -> bool:
    """Say whether something may be kept about this person."""
    return scope.covers(address) and not scope.is_ours(address)


def observations(seen: Sighting, scope: Scope) -> Iterator[Observation]:
    """Yield what a sighting says about each person it concerns, in the form of `meetings.SNAPSHOT`."""
    for contact in seen.contacts:
        if is_watched(contact, scope):
            yield _observation(seen, contact, scope)


def _observation(seen: Sighting, contact: str, scope: Scope) -> Observation:
    entry = seen.entry
    people = sorted(entry.attendees, key=lambda one: one.address != contact)
    facts: dict[str, Json] = {
        "uid": entry.uid,
        "recurrence_id": entry.occurrence,
        "series": entry.series,
        "method": "COUNTER" if seen.is_proposal else "",
        "sequence": entry.sequence,
        "dtstamp": seen.at.isoformat(),
        "start": _iso(entry.start),
        "end": _iso(entry.end),
        "status": entry.status,
        "title": entry.title,
        "organizer": entry.organizer,
        "attendees": [[one.address, one.partstat] for one in people],
        "by": seen.by,
        "by_side": _side(seen.by, contact, scope),
        "words": False,
    }
    when = f"{entry.start:%-d %B %Y}" if entry.start else "an unknown day"
    what = "cancelled meeting" if entry.status == CANCELLED else "meeting"
    whose = f" of {entry.organizer[:80]}" if entry.organizer else ""
    sentence = f"{what}{whose} on {when} in the calendar"
    if seen.is_proposal:
        sentence = f"{when} proposed for the meeting{whose} instead, in the calendar"
    return Observation(
        contact=contact,
        kind=SNAPSHOT,
        at=seen.at,
        source=seen.source,
        sentence=sentence,
        group=entry.uid,
        facts=facts,
        because=("a calendar shows how a meeting stands, and that only its organizer can move it",),
    )


def _side(address: str, contact: str, scope: Scope) -> str:
    if not address:
        return OTHER
    if scope.is_ours(address):
        return US
    return THEM if scope.covers(address) or same_account(address, contact) else OTHER


def _entry(ident: str, meeting: Followed) -> Entry:
    """Return a followed meeting as an entry, which names nobody else."""
    return Entry(
        ident=ident,
        uid=meeting.uid,
        start=meeting.start,
        end=meeting.end,
        occurrence=meeting.occurrence,
        series=meeting.series,
        sequence=meeting.sequence,
        changed=meeting.changed,
        status=meeting.status,
        title=meeting.title,
        organizer=meeting.organizer,
        attendees=tuple(Attendee(address, partstat) for address, partstat in meeting.people.items()),
    )


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
