"""Say what the histories of a person's meetings mean: who pulls away from whom. Pure."""

from __future__ import annotations

from calendar import month_name
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from bot.model import Json, Observation
from bot.past import Past
from watchers.mail.meetings import (
    LONG_OVER,
    RESCHEDULED_WITHIN,
    THEM,
    US,
    Meeting,
    Move,
    Snapshot,
    are_alike,
)
from watchers.mail.surroundings import Surroundings, background

WORD_WITHIN = timedelta(days=2)
"""Whoever pushes a meeting far away and means to come says why within this time."""

WORD_BEFORE = timedelta(days=2)
"""A mail shortly before the push announces it."""

FAR = timedelta(days=30)
"""A single push of this length is worth a word."""

SUSPICIOUS_PUSH = 3
"""The push of one meeting that is worth a word whatever its length."""

DRIFTS_FROM = 2
"""One push is normal life; so many by them are a drift."""

LONG_BEFORE = timedelta(days=90)
"""Whoever pushed another meeting so long before, and is still here, moves meetings now and then."""

LEAST_LOST = 5
"""Pushes that lose fewer days than a working week together are a search for an hour, and no drift."""

LONG_LOST = 28
"""Two pushes that lose so many days together are a drift whatever is said with them."""

BUSILY = 5
"""Whoever writes on so many days while they push a meeting does not pull away, however long the pushes."""

GROWS = 1.5
"""A meeting that stands this many times further away than ever before is growing distant."""

CLEARED_WITHIN = timedelta(days=7)
"""Whoever clears a day cancels what is near, and moves by days or weeks; what is further is no sick day."""

NO_NEW_DATE = timedelta(days=3)
"""A cancellation is without a new date when none came within this time."""

NEW_DATE_WITHIN = timedelta(days=14)
"""A meeting of the same people that is set within this time after all is the new date."""

ASKED_WITHIN = timedelta(days=2)
"""Whoever waited in an empty call writes within this time."""

UNANSWERED_FOR = timedelta(days=5)
"""How long nothing is heard of somebody after a meeting, until it looks as if they had not come."""

PUSHES = "pushes"
"""Each meeting may be pushed once: pushes are one voice, however many; what they add up to is the drift."""

NO_SHOWS = "no-shows"
"""A customer who never answers after a call keeps to their habit: that counts once."""

NUMBERS = tuple("no one two three four five six seven eight nine ten eleven twelve".split())
DAYS_A_MONTH = 30.44

MONTHS = tuple(month_name)
"""Looked up once: every sentence names a day, and `strftime` asks the locale each time."""


def signals(history: Sequence[Observation], now: datetime) -> list[Observation]:
    """Return what a person's history says about their meetings as of `now`, oldest first."""
    return Past.of(history).until(now).at_stage(_signals, _moments, now)


def _signals(past: Past, now: datetime) -> list[Observation]:
    surroundings = Surroundings(now, past.once(background))
    readings = (_Reading(meeting, surroundings) for meeting in surroundings.known.meetings)
    found = [seen for reading in readings for seen in reading.all()]
    return sorted(found, key=lambda seen: (seen.at, seen.kind, seen.group))


def _moments(past: Past) -> list[datetime]:
    """Return when time alone says something new of somebody's meetings."""
    found: list[datetime] = []
    for meeting in past.once(background).meetings:
        found += [move.at + WORD_WITHIN for move in meeting.moves]
        found.append(meeting.start + UNANSWERED_FOR)
        if meeting.cancelled is not None:
            found.append(meeting.cancelled.at + NO_NEW_DATE)
    return sorted(found)


@dataclass(frozen=True, slots=True)
class _Reading:
    """One meeting, and what is needed to judge it."""

    meeting: Meeting
    around: Surroundings

    @property
    def contact(self) -> str:
        """Return whose meeting it is."""
        return self.around.known.contact

    def all(self) -> Iterator[Observation]:
        yield self._set()
        yield from self._moves()
        yield from self._answer()
        yield from self._end()
        yield from self._presence()

    def _set(self) -> Observation:
        first = self.meeting.first
        own = first.by == self.contact and first.method not in {"REPLY", "COUNTER"}
        when = _day(first.start, first.at)
        return self._observe(
            "meeting_set" if own else "meeting_invited",
            first.at,
            first,
            f"meeting set for {when} by {'them' if own else _whom(first.side)}",
            facts={"start": _iso(first.start)},
        )

    def _moves(self) -> Iterator[Observation]:
        pushes: list[Move] = []
        others = 0
        for move in self.meeting.moves:
            excuse = self._excuse(move, pushes)
            if excuse:
                others += move.later
                yield self._move("meeting_moved", "moved", move, excuse)
            elif not move.later:
                pushes, others = [], 0
                yield self._move("meeting_advanced", "brought forward", move)
            else:
                pushes = [*pushes, move]
                yield self._move("meeting_pushed", "pushed", move, nth=len(pushes))
                if (move.after - move.before >= FAR or len(pushes) >= SUSPICIOUS_PUSH) and self._bare(move):
                    yield self._bare_update(move, len(pushes))
        if len(pushes) >= DRIFTS_FROM and sum(move.days for move in pushes) >= LEAST_LOST:
            yield self._drift(pushes, others)
            yield from self._distance(pushes)

    def _excuse(self, move: Move, pushes: Sequence[Move]) -> str:  # noqa: PLR0911 - a reason each
        """Say why a move counts neither for nor against them, empty where it counts."""
        if move.side != THEM:
            return f"moved by {_whom(move.side)}, not by them"
        if not move.later:
            return "" if move.by == self.contact else "brought forward by somebody else on their side"
        if self.contact != move.by == move.seen.organizer:
            return "moved by the colleague whose meeting it is"
        if move.was_over:
            return "the meeting had already taken place: this is the next one"
        if self.around.is_sick_day(move) and move.after - move.before < FAR:
            return "they moved many meetings that day"
        if self.meeting.series and pushes:
            return "a series counts once"
        return ""

    def _pushed_before(self, last: Move) -> str:
        """Return on which day they pushed another meeting, long before this, empty where they did not."""
        days = [
            move.at.date()
            for meeting in self.around.known.meetings
            for move in meeting.moves
            if meeting is not self.meeting and move.by == self.contact and move.later
            if move.at < last.at - LONG_BEFORE
        ]
        return max(days).isoformat() if days else ""

    def _bare(self, move: Move) -> bool:
        if move.words or self.meeting.series or not self.around.known.sees_mail:
            return False
        if self.around.now < move.at + WORD_WITHIN:
            return False
        return not self.around.heard(move.at - WORD_BEFORE, move.at + WORD_WITHIN)

    def _move(self, kind: str, verb: str, move: Move, excuse: str = "", nth: int = 0) -> Observation:
        before, after = _day(move.before, move.at), _day(move.after, move.at)
        length = f"{abs(move.days)} day{'s' if abs(move.days) > 1 else ''}"
        because = (
            f"the same meeting now begins {length} {'later' if move.later else 'earlier'}",
            f"moved by {_clean(move.by) or 'an unknown sender'}",
            excuse or ("with words of their own" if move.words else "without words of their own"),
        )
        return self._observe(
            kind,
            move.at,
            move.seen,
            f"meeting {verb} from {before} to {after} by {_whom(move.side)}",
            *because,
            group=PUSHES if nth else "",
            facts={**_facts(move), "nth": nth},
        )

    def _in_touch(self, pushes: Sequence[Move]) -> str:
        """Say how they kept in touch over these pushes, empty where they did not.

        Over two that lose little time, whoever says why each time, or writes meanwhile, looks for another
        hour and does not pull away. Nor does, however often they push, whoever writes as busily as ever.
        """
        if not self.around.known.sees_mail:
            return ""
        days = self.around.days_heard(pushes[0].at - WORD_BEFORE, pushes[-1].at + WORD_WITHIN)
        if len(pushes) >= SUSPICIOUS_PUSH or sum(move.days for move in pushes) >= LONG_LOST:
            return f"and they wrote on {days} days meanwhile" if days >= BUSILY else ""
        if all(move.words for move in pushes):
            return "each with words of their own"
        return "and they wrote meanwhile" if days else ""

    def _drift(self, pushes: Sequence[Move], others: int) -> Observation:
        lost = sum(move.days for move in pushes)
        by_them = len(pushes)
        in_touch = self._in_touch(pushes)
        if others:
            sentence = f"{by_them + others} pushes, {lost} days lost in the {by_them} by them"
        else:
            sentence = (
                f"{by_them} pushes, {lost} days lost, {'both' if by_them == DRIFTS_FROM else 'all'} by them"
            )
        if in_touch:
            sentence = f"{sentence}, {in_touch}"
        last = pushes[-1]
        because = tuple(
            f"{move.at:%-d %B}: from {_day(move.before, move.at)} to {_day(move.after, move.at)}"
            for move in pushes[-5:]
        )
        return self._observe(
            "meeting_shuffled" if in_touch else "meeting_drift",
            last.at,
            last.seen,
            sentence,
            *because,
            facts={
                "pushes": by_them,
                "days": lost,
                "by": last.by,
                "pushed_before": self._pushed_before(last),
            },
        )

    def _distance(self, pushes: Sequence[Move]) -> Iterator[Observation]:
        first = self.meeting.first
        set_for = [first.start - first.at] if first.start else []
        before = [*set_for, *(move.distance for move in pushes[:-1])]
        last = pushes[-1]
        if last.distance > GROWS * max(before):
            days = ", ".join(str(max(distance.days, 0)) for distance in before[-4:])
            yield self._observe(
                "meeting_distance",
                last.at,
                last.seen,
                f"the meeting grows distant: {days}, now {last.distance.days} days ahead",
                "days from each update to the meeting's new start",
                facts={"days": last.distance.days},
            )

    def _bare_update(self, move: Move, nth: int) -> Observation:
        return self._observe(
            "meeting_bare_update",
            move.at + WORD_WITHIN,
            move.seen,
            f"moved to {_day(move.after, move.at)}, {_distance(move)}, without a word in two days",
            "the update carried no words of their own",
            "no mail by them came within two days",
            facts={**_facts(move), "nth": nth},
        )

    def _answer(self) -> Iterator[Observation]:
        answer = self.meeting.answer
        if answer is None or any(move.at > answer.at for move in self.meeting.moves):
            return
        if self.meeting.partstat == "DECLINED" and self.around.is_sick_day(answer):
            return
        when = _day(answer.start or self.meeting.start, answer.at)
        if self.meeting.partstat == "ACCEPTED":
            yield self._observe("meeting_accepted", answer.at, answer, f"accepted the meeting of {when}")
        elif self.meeting.partstat == "DELEGATED" or answer.delegated_to:
            whom = _clean(answer.delegated_to) or "somebody else"
            yield self._observe(
                "meeting_delegated",
                answer.at,
                answer,
                f"sends {whom} to the meeting of {when} instead",
                facts={"delegated_to": answer.delegated_to},
            )
        elif self.meeting.partstat == "DECLINED":
            yield self._observe("meeting_declined", answer.at, answer, f"declined the meeting of {when}")

    def _end(self) -> Iterator[Observation]:
        if self.meeting.cancelled is not None:
            yield from self._cancelled(self.meeting.cancelled)
            return
        dropped, taken = self.meeting.dropped, self.meeting.taken_over
        if dropped is not None and dropped.side == THEM:
            yield self._dropped(dropped)
        if taken is not None and taken.side == THEM:
            when = _day(taken.start or self.meeting.start, taken.at)
            yield self._observe(
                "meeting_taken_over",
                taken.at,
                taken,
                f"the meeting of {when} is now organised by {_clean(taken.organizer)}",
                facts={"organizer": taken.organizer},
            )

    def _cancelled(self, cancelled: Snapshot) -> Iterator[Observation]:
        start, at = self.meeting.start, cancelled.at + NO_NEW_DATE
        was_over = start < cancelled.at - LONG_OVER
        cleared = self.around.is_sick_day(cancelled) and start <= cancelled.at + CLEARED_WITHIN
        if (
            cancelled.side != THEM
            or was_over
            or cleared
            or self.around.now < at
            or self._has_new_date(cancelled)
        ):
            return
        yield self._observe(
            "meeting_cancelled",
            at,
            cancelled,
            f"meeting of {_day(start, cancelled.at)} cancelled by them, no new date",
            f"cancelled by {_clean(cancelled.by)}",
            f"no other meeting with the same people was set within {NO_NEW_DATE.days} days",
        )

    def _has_new_date(self, cancelled: Snapshot) -> bool:
        """Say whether the same people set another meeting around the time of the cancellation."""
        since, until = cancelled.at - RESCHEDULED_WITHIN, cancelled.at + NEW_DATE_WITHIN
        return any(
            since <= other.first.at <= until
            and other.cancelled is None
            and other.start > cancelled.at
            and are_alike(self.meeting.last, other.first, self.contact)
            for other in self.around.known.meetings
            if other is not self.meeting
        )

    def _dropped(self, dropped: Snapshot) -> Observation:
        when = _day(dropped.start or self.meeting.start, dropped.at)
        instead = _clean(self.meeting.replaced_by)
        if instead:
            sentence = f"{instead} is invited to the meeting of {when} in their place"
            return self._observe(
                "meeting_replaced", dropped.at, dropped, sentence, facts={"instead": instead}
            )
        sentence = f"no longer invited to the meeting of {when}"
        return self._observe(
            "meeting_dropped", dropped.at, dropped, sentence, "others at the account still are"
        )

    def _presence(self) -> Iterator[Observation]:
        """Yield that they were there, or that it looks as if they had not come."""
        meeting, around = self.meeting, self.around
        if meeting.attended is not None:
            when = _day(meeting.start, meeting.start)
            yield self._observe(
                "meeting_attended", meeting.start, meeting.attended, f"was in the meeting of {when}"
            )
            return
        start, at = meeting.start, meeting.start + UNANSWERED_FOR
        expected = meeting.partstat == "ACCEPTED" or meeting.last.organizer == self.contact
        asked = any(start <= moment <= start + ASKED_WITHIN for moment in around.known.written_to)
        if (
            expected
            and asked
            and meeting.cancelled is None
            and not meeting.series
            and around.now >= at
            and not around.heard(start, at)
            and not self._acted(start, at)
        ):
            yield self._observe(
                "meeting_no_show",
                at,
                meeting.last,
                f"no word since the meeting of {_day(start, at)}, although we wrote",
                "they had accepted or called the meeting",
                f"we wrote within {ASKED_WITHIN.days} days, and they not for {UNANSWERED_FOR.days}",
                group=NO_SHOWS,
            )

    def _acted(self, since: datetime, until: datetime) -> bool:
        """Say whether the person did anything about any meeting in that time."""
        done = (
            seen
            for meeting in self.around.known.meetings
            for seen in (meeting.first, meeting.last, meeting.answer, *(move.seen for move in meeting.moves))
        )
        return any(
            seen is not None and seen.by == self.contact and since <= seen.at <= until for seen in done
        )

    def _observe(
        self,
        kind: str,
        at: datetime,
        seen: Snapshot,
        sentence: str,
        *because: str,
        group: str = "",
        facts: Mapping[str, Json] = MappingProxyType({}),
    ) -> Observation:
        return Observation(
            contact=self.contact,
            kind=kind,
            at=at,
            source=seen.source,
            sentence=sentence,
            group=group or self.meeting.uid,
            facts={"message_id": seen.message_id, **facts},
            because=because,
        )


def _facts(move: Move) -> dict[str, Json]:
    return {
        "start_before": _iso(move.before),
        "start_after": _iso(move.after),
        "days": move.days,
        "by": move.by,
        "words": move.words,
    }


def _distance(move: Move) -> str:
    """Return how far away the new start is, as one would say it."""
    days = (move.after - move.at).days
    months = int(days / DAYS_A_MONTH)
    if months < 2 or months >= len(NUMBERS):  # noqa: PLR2004 - below, days say it better
        return f"{days} days out"
    return f"more than {NUMBERS[months]} months out"


def _whom(side: str) -> str:
    return side if side in {THEM, US} else "somebody"


def _day(moment: datetime | None, told: datetime) -> str:
    if moment is None:
        return "an unknown day"
    day = f"{moment.day} {MONTHS[moment.month]}"
    return day if moment.year == told.year else f"{day} {moment.year}"


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


def _clean(address: str) -> str:
    return "".join(char for char in address if char.isprintable())[:80]
