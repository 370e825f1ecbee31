"""Make one history of each meeting from the calendar mails that were seen of it. Pure.

The order of arrival does not matter: mails are ordered by SEQUENCE, then DTSTAMP, then their own date, and a
SEQUENCE that stays the same is no obstacle, because most clients leave it so (RFC 5546 2.1.4 asks otherwise).
What is said about single occurrences of a series says nothing about the series and is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.model import Json, Observation
from watchers import FREE_MAIL

SNAPSHOT = "meeting"
"""The kind of observation that holds what one calendar mail said."""

THEM, US, OTHER = "them", "us", "other"

ANSWERS = frozenset({"REPLY", "COUNTER", "REFRESH", "DECLINECOUNTER"})
"""The methods that do not state how the meeting stands (RFC 5546 3.2); all others come from the organizer."""

MOST_ATTENDEES = 50
"""So many attendees are kept of each mail; a longer list proves nobody's absence."""

A_DAY = timedelta(days=1)
ALMOST_A_DAY = timedelta(hours=20)
"""A shift below this is the same meeting at another hour; the clocks' change and a changed room are such."""

LONG_OVER = timedelta(hours=12)
"""A meeting moved later than this after its start had taken place, or was given up without a word then."""

RESCHEDULED_WITHIN = timedelta(hours=24)
"""A cancellation and a new invitation to the same people within this time are one reschedule."""

SAME_PEOPLE = 0.5
"""The share of people two meetings must have in common to be one."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one calendar mail said about a meeting. `wording` is a digest of its human words, if any."""

    at: datetime
    source: str
    message_id: str
    uid: str
    occurrence: str
    series: bool
    method: str
    sequence: int
    dtstamp: datetime
    start: datetime | None
    cancelled: bool
    organizer: str
    answers: tuple[tuple[str, str], ...]
    by: str
    side: str
    wording: str
    delegated_to: str

    @property
    def attendees(self) -> frozenset[str]:
        """Return who was asked to come."""
        return frozenset(address for address, _ in self.answers)

    @property
    def people(self) -> frozenset[str]:
        """Return everybody who has a part in the meeting."""
        return (self.attendees | {self.organizer}) - {""}


@dataclass(frozen=True, slots=True)
class Move:
    """A new start for a meeting: from when to when, by whom, told by which mail, with words or without."""

    before: datetime
    after: datetime
    at: datetime
    by: str
    side: str
    words: bool
    seen: Snapshot

    @property
    def later(self) -> bool:
        """Say whether the meeting is further away than before."""
        return self.after > self.before

    @property
    def days(self) -> int:
        """Return by how many days, at least one; negative where it is now earlier."""
        days = round((self.after - self.before) / A_DAY)
        return days or (1 if self.later else -1)

    @property
    def was_over(self) -> bool:
        """Say whether the meeting had long begun when it was moved: that is the next one, no push."""
        return self.before < self.at - LONG_OVER


@dataclass(frozen=True, slots=True)
class Meeting:
    """The history of one meeting, as far as it concerns one person.

    Each of the later fields holds the mail that last said so, None where nobody did or it was taken back.
    """

    uid: str
    first: Snapshot
    start: datetime
    series: bool = False
    moves: tuple[Move, ...] = ()
    cancelled: Snapshot | None = None
    answer: Snapshot | None = None
    partstat: str = ""
    dropped: Snapshot | None = None
    taken_over: Snapshot | None = None


def meetings(history: Iterable[Observation]) -> list[Meeting]:
    """Return the meetings of one person, by when they were first heard of."""
    by_uid: dict[str, list[Snapshot]] = {}
    contact = ""
    for seen in history:
        if seen.kind == SNAPSHOT:
            contact = seen.contact
            by_uid.setdefault(str(seen.facts.get("uid", "")), []).append(snapshot(seen))
    ordered = [sorted(snapshots, key=_order) for snapshots in by_uid.values()]
    waiting = sorted(ordered, key=lambda snapshots: (_first_seen(snapshots), snapshots[0].uid))
    found = []
    while waiting:
        chain = waiting.pop(0)
        tail = chain
        while (successor := _successor(tail, waiting, contact)) is not None:
            waiting.remove(successor)
            chain, tail = chain + successor, successor
        meeting = _told(chain, contact)
        if meeting is not None:
            found.append(meeting)
    return found


def snapshot(seen: Observation) -> Snapshot:
    """Read a stored snapshot; what is missing or of another type counts as not said."""
    facts = seen.facts
    listed = facts.get("attendees")
    answers = tuple(
        (str(entry[0]), str(entry[1]))
        for entry in (listed if isinstance(listed, list) else [])
        if isinstance(entry, list) and len(entry) == 2  # noqa: PLR2004 - address and answer
    )
    sequence = facts.get("sequence")
    method = _text(facts.get("method"))
    return Snapshot(
        at=seen.at,
        source=seen.source,
        message_id=_text(facts.get("message_id")),
        uid=_text(facts.get("uid")),
        occurrence=_text(facts.get("recurrence_id")),
        series=facts.get("series") is True,
        method=method,
        sequence=sequence if isinstance(sequence, int) else 0,
        dtstamp=_moment(facts.get("dtstamp")) or seen.at,
        start=_moment(facts.get("start")),
        cancelled=method == "CANCEL" or (facts.get("status") == "CANCELLED" and method not in ANSWERS),
        organizer=_text(facts.get("organizer")),
        answers=answers,
        by=_text(facts.get("by")),
        side=_text(facts.get("by_side")),
        wording=_text(facts.get("wording")) if facts.get("words") is True else "",
        delegated_to=_text(facts.get("delegated_to")),
    )


def _order(seen: Snapshot) -> tuple[int, datetime, datetime, str, str, str]:
    return (seen.sequence, seen.dtstamp, seen.at, seen.message_id, seen.method, seen.by)


def _first_seen(snapshots: Sequence[Snapshot]) -> datetime:
    return min(seen.at for seen in snapshots)


def _successor(chain: list[Snapshot], others: list[list[Snapshot]], contact: str) -> list[Snapshot] | None:
    """Return the meeting by which a cancelled one was replaced within a day, if it was."""
    last = chain[-1]
    known = [seen for seen in chain if not seen.cancelled and not seen.occurrence]
    if not last.cancelled or last.occurrence or not known:
        return None
    people = known[-1].people
    for other in others:
        first = other[0]
        common = people & first.people
        if (
            abs(_first_seen(other) - last.at) <= RESCHEDULED_WITHIN
            and not first.cancelled
            and first.start is not None
            and len(common) >= SAME_PEOPLE * len(people | first.people)
            and common - {contact}
        ):
            return other
    return None


class _Story:
    """What is known of one meeting while its mails are gone through in order."""

    def __init__(self, contact: str) -> None:
        self.contact = contact
        self.start: datetime | None = None
        self.starts: set[datetime] = set()
        self.wordings: set[str] = set()
        self.moves: list[Move] = []
        self.organizer = ""
        self.invited = False
        self.cancelled: Snapshot | None = None
        self.answer: Snapshot | None = None
        self.dropped: Snapshot | None = None
        self.taken_over: Snapshot | None = None

    def hear(self, seen: Snapshot) -> None:
        """Take in the next mail."""
        if seen.method in {"REFRESH", "DECLINECOUNTER"}:
            return
        if seen.cancelled:
            self.cancelled = seen if self.start is not None else None
        elif seen.method == "REPLY":
            self._reply(seen)
        else:
            self._moved(seen, seen.by, seen.side)
            if seen.method != "COUNTER":
                self._people(seen)
                self.cancelled = None
        if seen.wording:
            self.wordings.add(seen.wording)

    def _reply(self, seen: Snapshot) -> None:
        if seen.by == self.contact:
            self.answer = seen
        if seen.start not in self.starts:
            # A reply cannot move a meeting (RFC 5546 3.2.3): its organizer did, in a mail we did not see.
            side = THEM if same_account(seen.organizer, self.contact) else OTHER
            self._moved(seen, seen.organizer, side)

    def _moved(self, seen: Snapshot, by: str, side: str) -> None:
        if seen.start is None:
            return
        at, ended = seen.at, self.cancelled
        if ended is not None:
            by, side, at = ended.by, ended.side, max(at, ended.at)
        if self.start is not None and is_move(self.start, seen.start):
            words = bool(seen.wording) and seen.wording not in self.wordings
            words = words or (ended is not None and bool(ended.wording))
            self.moves.append(Move(self.start, seen.start, at, by, side, words, seen))
        self.start = seen.start
        self.starts.add(seen.start)

    def _people(self, seen: Snapshot) -> None:
        if seen.organizer and seen.organizer != self.organizer:
            left_it = self.organizer == self.contact
            self.taken_over = seen if left_it else None if seen.organizer == self.contact else self.taken_over
            self.organizer = seen.organizer
        if self.contact in seen.people:
            self.invited, self.dropped = True, None
        elif self.invited and self.dropped is None and len(seen.answers) < MOST_ATTENDEES:
            goes_on = any(same_account(address, self.contact) for address in seen.people)
            self.dropped = seen if goes_on else None


def _told(chain: list[Snapshot], contact: str) -> Meeting | None:
    """Return the meeting that these mails tell of, None where they name no start or not this person."""
    told = [seen for seen in chain if not seen.occurrence]
    story = _Story(contact)
    for seen in told:
        story.hear(seen)
    concerned = any(contact in seen.people or seen.by == contact for seen in told)
    if story.start is None or not concerned:
        return None
    answer = story.answer
    return Meeting(
        uid=chain[0].uid,
        first=next(seen for seen in told if not seen.cancelled),
        start=story.start,
        series=any(seen.series for seen in told),
        moves=tuple(story.moves),
        cancelled=story.cancelled,
        answer=answer,
        partstat=dict(answer.answers).get(contact, "") if answer else "",
        dropped=story.dropped,
        taken_over=story.taken_over,
    )


def is_move(before: datetime, after: datetime) -> bool:
    """Say whether a new start is another day, and not another hour or the clocks' change."""
    shift = abs(after - before)
    return shift >= A_DAY or (shift >= ALMOST_A_DAY and before.date() != after.date())


def same_account(one: str, other: str) -> bool:
    """Say whether two addresses are one, or at the same company's domain."""
    domain = one.rpartition("@")[2]
    return bool(one) and (one == other or (domain not in FREE_MAIL and domain == other.rpartition("@")[2]))


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _moment(value: Json) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) and value else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
