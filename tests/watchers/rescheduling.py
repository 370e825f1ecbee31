"""Half a year of meetings in which people reschedule as people do, as the mails that it leaves."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from tests.watchers.dialects import DIALECTS, Writer, exchange, google
from tests.watchers.invitation_mails import BOB, DAY, HOUR, JANE, REP, Invitation

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
SPAN = 180
"""Days in which meetings are set: the clocks change within them."""

ZONES = ("Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles")
SORRY = (
    "Sorry, our quarter ends that week and I cannot make it.",
    "I am travelling then. Does this suit you as well?",
    "Our board moved its session, so I have to move ours.",
)
AGENDAS = ("Agenda: results of the pilot, open questions.", "Agenda: security review, roll-out by site.")


@dataclass
class History:
    """The mails of one made-up half-year, oldest first, and what happened in it."""

    mails: list[tuple[datetime, bytes]] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)


@dataclass
class Life:
    """One customer with a calendar program, and a rep with another."""

    chance: random.Random
    history: History = field(default_factory=History)

    def __post_init__(self) -> None:
        self.theirs: Writer = self.chance.choice(list(DIALECTS.values()))
        self.ours: Writer = self.chance.choice([exchange, google])
        self.zone = self.chance.choice(ZONES)

    def send(self, mail: Invitation) -> None:
        """Let whoever sends it write the mail with their program."""
        writer = self.ours if mail.sender == REP else self.theirs
        self.history.mails.append((mail.sent, writer(mail)))

    def letter(self, at: datetime, sender: str, to: str) -> None:
        """Let somebody write a mail of their own."""
        lines = (
            f"From: {sender}\r\nTo: {to}\r\nSubject: Pilot\r\nDate: {format_datetime(at)}\r\n"
            f"Message-ID: <{at:%Y%m%d%H%M%S}.{sender[:3]}@{sender.partition('@')[2]}>\r\n\r\nHello.\r\n"
        )
        self.history.mails.append((at, lines.encode()))

    def meeting(self, number: int, *, by_us: bool) -> Invitation:
        """Set a meeting one to four weeks out, in office hours of the customer's zone."""
        sent = BEGIN + self.chance.randint(0, SPAN) * DAY + self.chance.randint(8, 16) * HOUR
        day = (sent + self.chance.randint(7, 28) * DAY).date()
        wall = datetime(day.year, day.month, day.day, self.chance.randint(9, 16), tzinfo=ZoneInfo(self.zone))
        people = (
            (JANE, "NEEDS-ACTION" if by_us else "ACCEPTED"),
            (REP, "ACCEPTED" if by_us else "NEEDS-ACTION"),
        )
        return Invitation(
            sent=sent,
            start=wall.astimezone(UTC),
            sender=REP if by_us else JANE,
            to=JANE if by_us else REP,
            organizer=REP if by_us else JANE,
            attendees=people,
            uid=f"call-{number}-{self.chance.randint(0, 10**9)}",
            title=f"Pilot {number}",
            zone=self.zone,
        )

    def later(self, before: Invitation, days: int, **changes: object) -> Invitation:
        """Move a meeting by whole days of the wall clock, some time before it would begin."""
        ahead = max((before.start - before.sent) * self.chance.uniform(0.2, 0.8), HOUR)
        wall = before.start.astimezone(ZoneInfo(before.zone)) + days * DAY
        moved = before.pushed(0, ahead, **changes)
        return moved.but(start=wall.astimezone(UTC))

    def same(self, before: Invitation, **changes: object) -> Invitation:
        """Change something else than the time."""
        return before.but(sent=before.sent + self.chance.randint(1, 40) * HOUR, **changes)


Habit = Callable[[Life, Invitation], Invitation]
"""Goes on with a meeting as people do, and returns how it stands then."""


def nothing(_: Life, mail: Invitation) -> Invitation:
    return mail


def one_push(life: Life, mail: Invitation) -> Invitation:
    moved = life.later(mail, life.chance.choice([1, 2, 7, 7, 14, 21]), words=life.chance.choice(["", *SORRY]))
    life.send(moved)
    return moved


def one_long_push_with_words(life: Life, mail: Invitation) -> Invitation:
    moved = life.later(mail, life.chance.randint(30, 60))
    if life.chance.random() < 0.5:
        life.send(moved.but(words=life.chance.choice(SORRY)))
    else:
        life.send(moved)
        life.letter(moved.sent + life.chance.choice([-30, -3, 1, 40]) * HOUR, JANE, REP)
    return moved


def two_short_pushes(life: Life, mail: Invitation) -> Invitation:
    for days in (1, life.chance.randint(1, 3)):
        mail = life.later(mail, days)
        life.send(mail)
    return mail


def corrected_push(life: Life, mail: Invitation) -> Invitation:
    mail = life.later(mail, life.chance.choice([7, 14]))
    life.send(mail)
    mail = mail.pushed(life.chance.choice([1, 3, -2]), life.chance.randint(1, 600) * timedelta(minutes=1))
    life.send(mail)
    return mail


def push_and_back(life: Life, mail: Invitation) -> Invitation:
    mail = life.later(mail, 14)
    life.send(mail)
    mail = life.later(mail, -life.chance.choice([7, 14]))
    life.send(mail)
    return mail


def cancelled_and_set_anew(life: Life, mail: Invitation) -> Invitation:
    ended = life.later(mail, 0).but(method="CANCEL")
    life.send(ended)
    new = ended.but(method="REQUEST", sequence=0, uid=f"{mail.uid}-again", start=mail.start + 7 * DAY)
    new = new.but(sent=ended.sent + life.chance.choice([-2, 1, 20]) * HOUR)
    life.send(new)
    return new


def another_hour(life: Life, mail: Invitation) -> Invitation:
    moved = life.same(mail, start=mail.start + life.chance.choice([-3, -1, 1, 2, 4]) * HOUR)
    life.send(moved.but(sequence=mail.sequence + 1))
    return moved


def sent_again(life: Life, mail: Invitation) -> Invitation:
    for _ in range(life.chance.randint(1, 3)):
        mail = life.same(mail)
        life.send(mail)
    return mail


def another_zone(life: Life, mail: Invitation) -> Invitation:
    mail = life.same(mail, zone=life.chance.choice(ZONES))
    life.send(mail)
    return mail


def another_room(life: Life, mail: Invitation) -> Invitation:
    mail = life.same(mail, place="Room 12", sequence=mail.sequence + 1)
    life.send(mail)
    return mail


def another_agenda(life: Life, mail: Invitation) -> Invitation:
    for agenda in AGENDAS:
        mail = life.same(mail, words=agenda, sequence=mail.sequence + 1)
        life.send(mail)
    return mail.but(words="")


def one_more_guest(life: Life, mail: Invitation) -> Invitation:
    mail = life.same(mail, attendees=(*mail.attendees, (BOB, "NEEDS-ACTION")), sequence=mail.sequence + 1)
    life.send(mail)
    return mail


def series_with_edits(life: Life, mail: Invitation) -> Invitation:
    series = mail.but(rule="FREQ=WEEKLY", uid=f"{mail.uid}-series", sent=mail.sent + HOUR)
    life.send(series)
    for week in range(1, life.chance.randint(3, 9)):
        usual = series.start + 7 * week * DAY
        single = series.but(rule="", occurrence=usual, start=usual + life.chance.choice([0, 1, 2, 3]) * DAY)
        life.send(single.but(sent=usual - life.chance.randint(5, 60) * HOUR, sequence=week))
    moved = series.pushed(life.chance.choice([1, 2]), after=20 * DAY)
    for n in range(life.chance.randint(0, 2)):
        moved = moved.pushed(1, after=(n + 1) * 10 * DAY)
        life.send(moved)
    return mail


def sick_day(life: Life, mail: Invitation) -> Invitation:
    """Three to five meetings that stood on one day are moved that morning, some called off."""
    morning = mail.start.replace(hour=6, minute=0)
    for n in range(life.chance.randint(3, 5)):
        other = mail.but(uid=f"{mail.uid}-sick-{n}", title=f"Site {n}", sent=mail.sent + n * HOUR)
        life.send(other)
        if life.chance.random() < 0.3:
            life.send(other.but(method="CANCEL", sent=morning + n * HOUR / 6, sequence=1))
        else:
            new = other.start + life.chance.choice([1, 3, 7, 14]) * DAY
            life.send(other.but(start=new, sent=morning + n * HOUR / 6, sequence=1))
    return mail


def our_pushes(life: Life, mail: Invitation) -> Invitation:
    for _ in range(life.chance.randint(1, 4)):
        mail = life.later(mail, life.chance.choice([1, 7, 14, 30, 60]))
        life.send(mail)
    return mail


def our_cancellation(life: Life, mail: Invitation) -> Invitation:
    mail = life.later(mail, 0).but(method="CANCEL")
    life.send(mail)
    return mail


def answered(life: Life, mail: Invitation) -> Invitation:
    """Accept, at times only after having declined or been unsure."""
    answers = life.chance.choice([["ACCEPTED"], ["TENTATIVE", "ACCEPTED"], ["DECLINED", "ACCEPTED"]])
    for hours, answer in enumerate(answers, start=1):
        reply = mail.but(method="REPLY", sender=JANE, to=REP, attendees=((JANE, answer),))
        life.send(reply.but(sent=mail.sent + 4 * hours * HOUR))
    return mail


THEIRS: tuple[Habit, ...] = (
    nothing,
    one_push,
    one_long_push_with_words,
    two_short_pushes,
    corrected_push,
    push_and_back,
    cancelled_and_set_anew,
    another_hour,
    sent_again,
    another_zone,
    another_room,
    another_agenda,
    one_more_guest,
    series_with_edits,
    sick_day,
)
PUSHING = frozenset(
    {
        one_push,
        one_long_push_with_words,
        two_short_pushes,
        corrected_push,
        push_and_back,
        cancelled_and_set_anew,
    }
)
OURS: tuple[Habit, ...] = (
    nothing,
    our_pushes,
    our_cancellation,
    another_hour,
    sent_again,
    another_room,
    one_more_guest,
    answered,
)


def normal_history(seed: int) -> History:
    """Return a half-year of normal rescheduling: no meeting is pushed twice by them to any length."""
    life = Life(random.Random(seed))  # noqa: S311 - a story, not a secret
    chance = life.chance
    for number in range(chance.randint(2, 7)):
        by_us = chance.random() < 0.4
        mail = life.meeting(number, by_us=by_us)
        life.send(mail)
        pushed = False
        for habit in chance.sample(OURS if by_us else THEIRS, chance.randint(1, 3)):
            if habit in PUSHING and pushed:
                continue
            pushed = pushed or habit in PUSHING
            life.history.happened.append(habit.__name__)
            mail = habit(life, mail)
        for at, sender, to in _around(chance, mail):
            life.letter(at, sender, to)
    life.history.mails.sort(key=lambda entry: entry[0])
    return life.history


def _around(chance: random.Random, mail: Invitation) -> Iterator[tuple[datetime, str, str]]:
    """Yield what people write around a call: before it, and after it, where not everybody answers."""
    over = mail.start + 2 * HOUR
    yield mail.sent - 26 * HOUR, REP, JANE
    if chance.random() < 0.8:
        yield mail.sent - 22 * HOUR, JANE, REP
    yield over, REP, JANE
    if chance.random() < 0.6:
        yield over + timedelta(hours=chance.randint(1, 90)), JANE, REP
