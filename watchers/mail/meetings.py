"""Make one history of each meeting from what was seen of it, by mail or in a calendar. Pure.

The order of arrival does not matter: what was seen is ordered by SEQUENCE, then DTSTAMP, then its own date,
and a SEQUENCE that stays the same is no obstacle, because most clients leave it so (RFC 5546 2.1.4 asks
otherwise). What is said about single occurrences of a series says nothing about the series and is left out.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from operator import itemgetter

from bot.model import Json, Observation
from watchers import FREE_MAIL
from watchers.mail.zones import plausible

SNAPSHOT = "meeting"
"""The kind of observation that holds how a meeting stood for one person at one moment.

Every source of meetings writes this form, and only this form; what is missing counts as not said. `at` is
when the source said so, `group` is the UID, and the facts are:

- `uid`: the UID that all sources of the meeting share. `recurrence_id`: the occurrence that is overridden,
  empty for the meeting itself; `series`: whether it repeats.
- `method`: the iTIP method (RFC 5546) of a mail; empty where a calendar shows how the meeting stands.
- `sequence`: SEQUENCE, None where the source has none. `dtstamp`, `start`, `end`: ISO 8601 in UTC, or empty.
- `status`: CONFIRMED, TENTATIVE, CANCELLED or empty. `title`: digest of the subject (`watchers.mail.ics`).
- `organizer`, and `attendees` as pairs of address and PARTSTAT; `delegated_to`: whom the contact sends.
- `by`: the address of who did what is new, and `by_side`: "them", "us" or "other".
- `words`: whether they wrote something with it; `wording`: a digest of it, by which an agenda that comes
  again is known. `attended`: true where the source knows that the contact was there.
- `message_id`: of a mail; a calendar has none.
"""

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

CORRECTED_WITHIN = timedelta(hours=12)
"""A move of what was moved this shortly before is a correction of it: the two are one move."""

RESCHEDULED_WITHIN = timedelta(hours=24)
"""A cancellation and a new invitation to the same people with the same subject are then one reschedule."""

GIVEN_ANSWERS = frozenset({"ACCEPTED", "DECLINED", "DELEGATED"})

SAME_PEOPLE = 0.5
"""The share of people two meetings must have in common to be one."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one source said about a meeting at one moment: see `SNAPSHOT`.

    `wording` is a digest of its human words, if any. `sequence` is None where the source has none.
    """

    at: datetime
    source: str
    message_id: str
    uid: str
    occurrence: str
    series: bool
    method: str
    sequence: int | None
    dtstamp: datetime
    start: datetime | None
    cancelled: bool
    organizer: str
    answers: tuple[tuple[str, str], ...]
    by: str
    side: str
    wording: str
    delegated_to: str
    title: str = ""
    attended: bool = False

    @property
    def attendees(self) -> frozenset[str]:
        """Return who was asked to come."""
        return frozenset(address for address, _ in self.answers)

    @property
    def people(self) -> frozenset[str]:
        """Return everybody who has a part in the meeting."""
        return (self.attendees | {self.organizer}) - {""}

    @property
    def moves_an_occurrence(self) -> bool:
        """Say whether it takes one occurrence of a series from its day."""
        planned = _moment(self.occurrence)
        if not self.occurrence:
            return False
        return self.cancelled or bool(planned and self.start and is_move(planned, self.start))


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

    def corrects(self, last: Move) -> bool:
        """Say whether the same person moved the meeting once more soon after, by when it was written too."""
        written = abs(self.seen.dtstamp - last.seen.dtstamp)
        return self.by == last.by and max(abs(self.at - last.at), written) < CORRECTED_WITHIN

    @property
    def distance(self) -> timedelta:
        """Return how far away the meeting was when it was moved."""
        return self.after - self.at

    @property
    def was_over(self) -> bool:
        """Say whether the meeting had long begun when it was moved: that is the next one, no push."""
        return self.before < self.at - LONG_OVER


@dataclass(frozen=True, slots=True)
class Meeting:
    """The history of one meeting, as far as it concerns one person.

    `last` is how it stood last, `occurrences` what was said of single occurrences. `partstat` is the person's
    last answer, and `replaced_by` who was invited when they were dropped. Each of the later fields holds what
    last said so, None where nobody did or it was taken back. The person has no part in the meeting where
    `is_theirs` is false: it tells of its organizer only.
    """

    uid: str
    first: Snapshot
    last: Snapshot
    start: datetime
    series: bool = False
    moves: tuple[Move, ...] = ()
    occurrences: tuple[Snapshot, ...] = ()
    cancelled: Snapshot | None = None
    answer: Snapshot | None = None
    partstat: str = ""
    attended: Snapshot | None = None
    dropped: Snapshot | None = None
    replaced_by: str = ""
    taken_over: Snapshot | None = None
    is_theirs: bool = True


def meetings(history: Iterable[Observation]) -> list[Meeting]:
    """Return the meetings in one person's history, by when they were first heard of."""
    by_uid: dict[str, list[Snapshot]] = {}
    contact = ""
    for seen in history:
        if seen.kind == SNAPSHOT:
            contact = seen.contact
            by_uid.setdefault(str(seen.facts.get("uid", "")), []).append(snapshot(seen))
    ordered = [_ordered(snapshots) for snapshots in by_uid.values()]
    heard = [(min(seen.at for seen in snapshots), snapshots) for snapshots in ordered]
    waiting = sorted(heard, key=lambda one: (one[0], one[1][0].uid))
    found = []
    while waiting:
        _, chain = waiting.pop(0)
        tail = chain
        while (place := _successor(tail, waiting, contact)) is not None:
            _, tail = waiting.pop(place)
            chain = chain + tail
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
        sequence=sequence if isinstance(sequence, int) else None,
        dtstamp=_moment(facts.get("dtstamp")) or seen.at,
        start=_moment(facts.get("start")),
        cancelled=method == "CANCEL" or (facts.get("status") == "CANCELLED" and method not in ANSWERS),
        organizer=_text(facts.get("organizer")),
        answers=answers,
        by=_text(facts.get("by")),
        side=_text(facts.get("by_side")),
        wording=_text(facts.get("wording")) if facts.get("words") is True else "",
        delegated_to=_text(facts.get("delegated_to")),
        title=_text(facts.get("title")),
        attended=facts.get("attended") is True,
    )


def _ordered(snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    """Return what was seen in order; what has no SEQUENCE belongs to the highest that was seen before it."""
    keys = []
    highest = 0
    for seen in sorted(snapshots, key=lambda seen: (seen.at, seen.message_id, seen.method, seen.by)):
        sequence = highest if seen.sequence is None else seen.sequence
        highest = max(highest, sequence)
        keys.append(((sequence, seen.dtstamp, seen.at, seen.message_id, seen.method, seen.by), seen))
    return [seen for _, seen in sorted(keys, key=lambda entry: entry[0])]


def _successor(
    chain: list[Snapshot], others: Sequence[tuple[datetime, list[Snapshot]]], contact: str
) -> int | None:
    """Return the place of the meeting by which a cancelled one was replaced within a day, if it was.

    The others come with when they were first heard of, in that order.
    """
    last = chain[-1]
    known = [seen for seen in chain if not seen.cancelled and not seen.occurrence]
    if not last.cancelled or last.occurrence or not known:
        return None
    begin = bisect_left(others, last.at - RESCHEDULED_WITHIN, key=itemgetter(0))
    end = bisect_right(others, last.at + RESCHEDULED_WITHIN, key=itemgetter(0))
    for place in range(begin, end):
        first = others[place][1][0]
        if (
            not first.cancelled
            and first.start is not None
            and have_one_subject(known[-1], first)
            and are_alike(known[-1], first, contact)
        ):
            return place
    return None


def have_one_subject(one: Snapshot, other: Snapshot) -> bool:
    """Say whether two meetings may be one by their subjects; one that is not known may be any."""
    return one.title == other.title or not (one.title and other.title)


def are_alike(one: Snapshot, other: Snapshot, contact: str) -> bool:
    """Say whether two meetings may be one: mostly the same people, or the same subject and some of them."""
    common = (one.people & other.people) - {contact}
    same_people = len(one.people & other.people) >= SAME_PEOPLE * len(one.people | other.people)
    return bool(common) and (same_people or (bool(one.title) and one.title == other.title))


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
        self.partstat = ""
        self.attended: Snapshot | None = None
        self.attendees: frozenset[str] = frozenset()
        self.dropped: Snapshot | None = None
        self.replaced_by = ""
        self.taken_over: Snapshot | None = None

    def hear(self, seen: Snapshot) -> None:
        """Take in the next mail."""
        if seen.method in {"REFRESH", "DECLINECOUNTER"}:
            return
        if seen.attended:
            self.attended = seen
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
            self.partstat = dict(seen.answers).get(self.contact, "")
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
            self._keep(Move(self.start, seen.start, at, by, side, words, seen))
        elif self._explains(seen):
            self.moves[-1] = replace(self.moves[-1], words=True)
        self.start = seen.start
        self.starts.add(seen.start)

    def _keep(self, move: Move) -> None:
        """Keep a move; one that corrects the last takes its place, or takes it back."""
        if self.moves and move.corrects(self.moves[-1]):
            last = self.moves.pop()
            move = replace(move, before=last.before, words=move.words or last.words)
        if is_move(move.before, move.after):
            self.moves.append(move)

    def _explains(self, seen: Snapshot) -> bool:
        """Say whether it brings the words to a move that a calendar showed before the mail was read."""
        if not self.moves or not seen.wording or seen.wording in self.wordings:
            return False
        move = self.moves[-1]
        return move.after == seen.start and abs(seen.at - move.at) <= RESCHEDULED_WITHIN

    def _people(self, seen: Snapshot) -> None:
        if seen.organizer and seen.organizer != self.organizer:
            left_it = self.organizer == self.contact
            self.taken_over = seen if left_it else None if seen.organizer == self.contact else self.taken_over
            self.organizer = seen.organizer
        if self.contact in seen.people:
            self._shown_answer(seen)
            self.invited, self.dropped = True, None
        elif self.invited and self.dropped is None and len(seen.answers) < MOST_ATTENDEES:
            colleagues = {address for address in seen.people if same_account(address, self.contact)}
            self.dropped = seen if colleagues else None
            self.replaced_by = min(colleagues - self.attendees, default="")
        self.attendees = seen.people

    def _shown_answer(self, seen: Snapshot) -> None:
        """Take in an answer that the meeting itself shows, where it is another than before."""
        partstat = dict(seen.answers).get(self.contact, "")
        changed = self.invited and partstat != self.partstat
        if changed and partstat in GIVEN_ANSWERS and seen.organizer != self.contact:
            self.answer = seen
        self.partstat = partstat or self.partstat


def _told(chain: list[Snapshot], contact: str) -> Meeting | None:
    """Return the meeting that this tells of, None where it names no start."""
    told = [seen for seen in chain if not seen.occurrence]
    story = _Story(contact)
    for seen in told:
        story.hear(seen)
    if story.start is None:
        return None
    answer = story.answer
    return Meeting(
        uid=chain[0].uid,
        first=next(seen for seen in told if not seen.cancelled),
        last=told[-1],
        start=story.start,
        series=any(seen.series for seen in told),
        moves=tuple(story.moves),
        occurrences=tuple(seen for seen in chain if seen.occurrence),
        cancelled=story.cancelled,
        answer=answer,
        partstat=dict(answer.answers).get(contact, "") if answer else "",
        attended=story.attended,
        dropped=story.dropped,
        replaced_by=story.replaced_by,
        taken_over=story.taken_over,
        is_theirs=any(contact in seen.people or seen.by == contact for seen in told),
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
    aware = moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
    return plausible(aware)
