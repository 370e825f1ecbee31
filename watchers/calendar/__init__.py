"""Calendars: where they are read (files and feeds, CalDAV, Google, Microsoft Graph), in one form for all.

A source says what changed and nothing else; what a change means for whom is worked out in `tracking`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.model import Json, NeedsHuman
from watchers import Scope
from watchers.mail.ics import Attendee

CANCELLED = "CANCELLED"

MOST_ENTRIES = 50_000
"""Entries of one calendar that are looked at in one pass; a calendar with more is refused: see `overfull`."""

MOST_LOOKUPS = 500
"""Meetings that are asked for one by one in one pass; the others stay as they were until the next."""


def overfull(who: str) -> NeedsHuman:
    """Return what is said of a calendar with more than `MOST_ENTRIES` meetings."""
    return NeedsHuman(
        f"the calendar of {who} holds more than {MOST_ENTRIES:,} events",
        "lower its `history_days`; where it is a feed or a file, give one that holds less",
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """One meeting, or one changed occurrence of a series, as a calendar shows it now. Times are in UTC.

    `ident` names it in its calendar, `uid` everywhere (RFC 5545 3.8.4.7). `sequence` is None where the
    calendar has none. `changed` is when anything about it last changed. `anybody` says that others than the
    organizer may move it, `partial` that not everybody who is invited is shown. `proposals` are other starts
    that attendees proposed, by their addresses.
    """

    ident: str
    uid: str
    start: datetime | None
    end: datetime | None = None
    occurrence: str = ""
    series: bool = False
    sequence: int | None = None
    changed: datetime | None = None
    status: str = ""
    title: str = ""
    organizer: str = ""
    attendees: tuple[Attendee, ...] = ()
    anybody: bool = False
    partial: bool = False
    proposals: tuple[tuple[str, datetime], ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """What a source found, and where it goes on from once this is durable.

    `cancelled` names meetings that their organizer called off. `gone` names what is no longer in the
    calendar without anybody saying why: whoever owns the calendar may have removed it. `copies` says that the
    entries were saved at some time, so that an older one may be found after a newer one.
    """

    state: Json
    entries: Sequence[Entry] = ()
    cancelled: Sequence[str] = ()
    gone: Sequence[str] = ()
    copies: bool = False


@dataclass(frozen=True, slots=True)
class Pass:
    """What a source needs to know of this look at a calendar.

    `known` holds the ident and the start of every meeting that is followed, `since` is how far to look back.
    """

    now: datetime
    since: datetime
    scope: Scope
    known: Mapping[str, datetime | None]


class CalendarSource(Protocol):
    """A calendar: a new kind is one file that keeps this contract."""

    def pages(self, state: Json, look: Pass) -> AsyncIterator[Page]:
        """Yield what changed since `state` (None: everything since `look.since`).

        Where its place is lost, it lists everything anew and says which known meetings are missing: what is
        listed again unchanged means nothing. Raises `SourceDown` where trying later may help and
        `NeedsHuman` where only a person can.
        """
