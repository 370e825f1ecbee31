"""What a person's meetings are judged by besides their own history: mails, and days that were cleared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bot.past import Past
from watchers.mail.meetings import SNAPSHOT, Meeting, Move, Snapshot, meetings

SICK_DAY = 3
"""Somebody who moves so many meetings on one day is clearing a day, not leaving a deal."""


@dataclass(frozen=True, slots=True)
class Background:
    """What is known of a person and their meetings, whatever the time is."""

    contact: str
    meetings: tuple[Meeting, ...]
    sick_days: frozenset[tuple[str, date]]
    wrote: tuple[datetime, ...]
    written_to: tuple[datetime, ...]
    sees_mail: bool
    """Whether any mail was seen: where only calendars are read, nobody knows who wrote."""


def background(past: Past) -> Background:
    """Sort out what is known of a person."""
    told = past.only(SNAPSHOT).once(meetings)
    return Background(
        contact=past[0].contact if past else "",
        meetings=tuple(meeting for meeting in told if meeting.is_theirs),
        sick_days=_sick_days(told),
        wrote=tuple(seen.at for seen in past.by_kind.get("wrote", ())),
        written_to=tuple(seen.at for seen in past.by_kind.get("written_to", ())),
        sees_mail=any(seen.facts.get("message_id") for seen in past),
    )


def _sick_days(told: Sequence[Meeting]) -> frozenset[tuple[str, date]]:
    """Return who cleared which day: moved, cancelled or declined many meetings on it, whosever they were."""
    touched: Counter[tuple[str, date]] = Counter()
    for meeting in told:
        ended = [seen for seen in (meeting.cancelled, meeting.answer) if seen is not None]
        ended = [seen for seen in ended if seen.cancelled or meeting.partstat == "DECLINED"]
        single = [seen for seen in meeting.occurrences if seen.moves_an_occurrence]
        days = {("", move.by, move.at.date()) for move in meeting.moves}
        days |= {(seen.occurrence, seen.by, seen.at.date()) for seen in (*ended, *single)}
        touched.update((by, day) for _, by, day in days)
    return frozenset(day for day, meetings_touched in touched.items() if meetings_touched >= SICK_DAY)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a meeting is judged by besides its own history."""

    now: datetime
    known: Background

    def is_sick_day(self, change: Move | Snapshot) -> bool:
        """Say whether whoever did this cleared that day."""
        return (change.by, change.at.date()) in self.known.sick_days

    def heard(self, since: datetime, until: datetime) -> bool:
        """Say whether the person wrote in that time."""
        return any(since <= at <= until for at in self.known.wrote)

    def days_heard(self, since: datetime, until: datetime) -> int:
        """Return on how many days of that time the person wrote."""
        return len({at.date() for at in self.known.wrote if since <= at <= until})
