"""Say what the histories of a person's meetings mean: who pulls away from whom. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.model import Json, Observation
from watchers.mail.meetings import LONG_OVER, RESCHEDULED_WITHIN, THEM, US, Meeting, Move, Snapshot, meetings

WORD_WITHIN = timedelta(days=2)
"""Whoever pushes a meeting far away and means to come says why within this time."""

WORD_BEFORE = timedelta(hours=12)
"""A mail shortly before the push announces it."""

FAR = timedelta(days=30)
"""A single push of this length is worth a word."""

SUSPICIOUS_PUSH = 3
"""The push of one meeting that is worth a word whatever its length."""

DRIFTS_FROM = 2
"""One push is normal life; so many by them are a drift."""

SICK_DAY = 3
"""Somebody who moves so many meetings on one day is clearing a day, not leaving a deal."""

NUMBERS = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
DAYS_A_MONTH = 30.44


def signals(history: Sequence[Observation], now: datetime) -> list[Observation]:
    """Return what the snapshots in a person's history mean together as of `now`, oldest first."""
    known = [seen for seen in history if seen.at <= now]
    told = meetings(known)
    contact = next((seen.contact for seen in known), "")
    days = Counter(day for meeting in told for day in {(move.by, move.at.date()) for move in meeting.moves})
    sick = frozenset(day for day, moved in days.items() if moved >= SICK_DAY)
    wrote = tuple(seen.at for seen in known if seen.kind == "wrote")
    found = [seen for meeting in told for seen in _Reading(contact, meeting, sick, wrote, now).all()]
    return sorted(found, key=lambda seen: (seen.at, seen.kind, seen.group))


@dataclass(frozen=True, slots=True)
class _Reading:
    """One meeting, and what is needed to judge it."""

    contact: str
    meeting: Meeting
    sick_days: frozenset[tuple[str, date]]
    wrote: tuple[datetime, ...]
    now: datetime

    def all(self) -> Iterator[Observation]:
        yield self._set()
        yield from self._moves()
        yield from self._answer()
        yield from self._end()

    def _set(self) -> Observation:
        first = self.meeting.first
        own = first.by == self.contact and first.method not in {"REPLY", "COUNTER"}
        when = _day(first.start, first.at)
        return self._observe(
            "meeting_set" if own else "meeting_invited",
            first.at,
            first,
            f"meeting set for {when} by {'them' if own else _whom(first.side)}",
            start=_iso(first.start),
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
        if len(pushes) >= DRIFTS_FROM:
            yield self._drift(pushes, others)

    def _excuse(self, move: Move, pushes: Sequence[Move]) -> str:
        """Say why a move counts neither for nor against them, empty where it counts."""
        if move.side != THEM:
            return f"moved by {_whom(move.side)}, not by them"
        if not move.later:
            return "" if move.by == self.contact else "brought forward by somebody else on their side"
        if move.was_over:
            return "the meeting had already taken place: this is the next one"
        if (move.by, move.at.date()) in self.sick_days:
            return "they moved many meetings that day"
        if self.meeting.series and pushes:
            return "a series counts once"
        return ""

    def _bare(self, move: Move) -> bool:
        if move.words or self.meeting.series or self.now < move.at + WORD_WITHIN:
            return False
        return not any(move.at - WORD_BEFORE <= at <= move.at + WORD_WITHIN for at in self.wrote)

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
            **_facts(move),
            nth=nth,
        )

    def _drift(self, pushes: Sequence[Move], others: int) -> Observation:
        lost = sum(move.days for move in pushes)
        by_them = len(pushes)
        if others:
            sentence = f"{by_them + others} pushes, {lost} days lost in the {by_them} by them"
        else:
            share = "both" if by_them == DRIFTS_FROM else "all"
            sentence = f"{by_them} pushes, {lost} days lost, {share} by them"
        last = pushes[-1]
        because = tuple(
            f"{move.at:%-d %B}: from {_day(move.before, move.at)} to {_day(move.after, move.at)}"
            for move in pushes[-5:]
        )
        return self._observe(
            "meeting_drift", last.at, last.seen, sentence, *because, pushes=by_them, days=lost, by=last.by
        )

    def _bare_update(self, move: Move, nth: int) -> Observation:
        return self._observe(
            "meeting_bare_update",
            move.at + WORD_WITHIN,
            move.seen,
            f"moved to {_day(move.after, move.at)}, {_distance(move)}, without a word in two days",
            "the update carried no words of their own",
            "no mail by them came within two days",
            **_facts(move),
            nth=nth,
        )

    def _answer(self) -> Iterator[Observation]:
        answer = self.meeting.answer
        if answer is None or any(move.at > answer.at for move in self.meeting.moves):
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
                delegated_to=answer.delegated_to,
            )
        elif self.meeting.partstat == "DECLINED":
            yield self._observe("meeting_declined", answer.at, answer, f"declined the meeting of {when}")

    def _end(self) -> Iterator[Observation]:
        meeting = self.meeting
        cancelled, dropped, taken = meeting.cancelled, meeting.dropped, meeting.taken_over
        if cancelled is not None:
            at = cancelled.at + RESCHEDULED_WITHIN
            ahead = meeting.start >= cancelled.at - LONG_OVER
            if cancelled.side == THEM and ahead and self.now >= at:
                when = _day(meeting.start, cancelled.at)
                yield self._observe(
                    "meeting_cancelled",
                    at,
                    cancelled,
                    f"meeting of {when} cancelled by them, no new date",
                    f"cancelled by {_clean(cancelled.by)}",
                    "no new invitation to the same people within a day",
                )
            return
        if dropped is not None and dropped.side == THEM:
            yield self._observe(
                "meeting_dropped",
                dropped.at,
                dropped,
                f"no longer invited to the meeting of {_day(dropped.start or meeting.start, dropped.at)}",
                "others at the account still are",
            )
        if taken is not None and taken.side == THEM:
            when = _day(taken.start or meeting.start, taken.at)
            yield self._observe(
                "meeting_taken_over",
                taken.at,
                taken,
                f"the meeting of {when} is now organised by {_clean(taken.organizer)}",
                organizer=taken.organizer,
            )

    def _observe(
        self, kind: str, at: datetime, seen: Snapshot, sentence: str, *because: str, **facts: Json
    ) -> Observation:
        return Observation(
            contact=self.contact,
            kind=kind,
            at=at,
            source=seen.source,
            sentence=sentence,
            group=self.meeting.uid,
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
    return side if side in {THEM, US} else "a third party"


def _day(moment: datetime | None, told: datetime) -> str:
    if moment is None:
        return "an unknown day"
    return f"{moment:%-d %B}" if moment.year == told.year else f"{moment:%-d %B %Y}"


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


def _clean(address: str) -> str:
    return "".join(char for char in address if char.isprintable())[:80]
