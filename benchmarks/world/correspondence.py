"""Conversations: who writes when, who answers how late, and what mailboxes do with what reaches them.

A conversation begins by chance, more often in a project than between two; its answers come at once, when
people get to it, or when they dig it out. Nothing here draws a gap between two contacts.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from benchmarks.world import words
from benchmarks.world.cast import Account, Person, Rep, World
from benchmarks.world.clock import answer_delay, at_work, is_holiday, next_working
from benchmarks.world.names import COUNTRY
from benchmarks.world.post import Letter, Mail, Name, body, ident, letter
from benchmarks.world.reports import Refusal, Report, render

OUR_COUNTRY, OUR_ZONE = "GB", "Europe/London"
PROGRAMS = {
    "exchange": "outlook",
    "google": "gmail",
    "gateway": "outlook",
    "postfix": "apple",
    "exim": "apple",
}
WEEKDAY = (1.05, 1.15, 1.15, 1.0, 0.75, 0.03, 0.04)
SEASON = (0.95, 1.05, 1.1, 1.0, 1.05, 1.05, 0.8, 0.6, 1.1, 1.1, 1.1, 0.8)
PHASES = ((0.15, 0.3), (1.0, 0.45), (2.4, 0.25))
RESPONDER_RESTS = timedelta(days=3)
MOST_TURNS = 9

Deliver = Callable[[Mail], None]


@dataclass
class Mailboxes:
    """What a person's mailbox did so far, and what the rep learned of it."""

    replied: dict[str, datetime] = field(default_factory=dict)
    moved: bool = False
    handed_over: bool = False
    refused: bool = False


@dataclass
class Correspondence:
    """All mail between one account and its rep."""

    world: World
    account: Account
    deliver: Deliver
    boxes: dict[str, Mailboxes] = field(default_factory=dict)
    signs: list[tuple[str, date, str]] = field(default_factory=list)
    """For the truth: who left, by which mail that reached a rep: bounce, reply, goodbye, or a colleague's."""
    failures: list[tuple[str, str, date]] = field(default_factory=list)
    """Whose mail was delayed, given up after days, or refused though they are there; for the truth."""

    def __post_init__(self) -> None:
        self.rep: Rep = self.world.reps[self.account.rep]
        self.boxes = {one.address: Mailboxes() for one in self.account.people}

    def happen(self) -> None:
        """Let everybody write to each other."""
        for one in self.account.people:
            for day, phase in _phases(one, self.world.first, self.world.last):
                self._perhaps_begin(one, day, phase)
            if one.departure is not None and one.departure.farewell and one.watched:
                self._farewell(one)

    def send(self, mail: Letter) -> bool:
        """Send a letter of ours; say whether it reached whom it was first of all to."""
        self.deliver(Mail(mail.at, self.rep.address, letter(mail, received=False)))
        reached = True
        for number, (_, address) in enumerate((*mail.to, *mail.cc)):
            one = self._whose(address)
            if one is not None and not self._arrives(mail, address, one) and number == 0:
                reached = False
        return reached

    def receive(self, mail: Letter) -> None:
        """Let a letter of theirs arrive."""
        if mail.at.date() <= self.world.last:
            self.deliver(Mail(mail.at, self.rep.address, letter(mail, received=True)))

    def address(self, one: Person, day: date) -> str:
        """Return the address that somebody writes from on a day."""
        if one.rename is not None and day >= one.rename.day:
            return one.rename.address
        moved = self.account.migration
        if moved is not None and day >= moved.day:
            return f"{one.address.partition('@')[0]}@{moved.domain}"
        return one.address

    def name(self, one: Person, day: date) -> Name:
        """Return the name and the address that somebody writes under on a day."""
        last = one.rename.last if one.rename is not None and day >= one.rename.day else one.last
        return f"{one.first} {last}", self.address(one, day)

    def ours(self) -> Name:
        """Return the rep's name and address."""
        return self.rep.name, self.rep.address

    def known(self, one: Person, day: date, chance: random.Random) -> Name:
        """Return the address that the rep writes to: a new one once it was seen, by and by."""
        box = self.boxes[one.address]
        if (box.moved and chance.random() < 0.8) or (box.refused and chance.random() < 0.95):
            return self.name(one, day)
        return one.name, one.address

    def works(self, one: Person, day: date) -> bool:
        """Say whether somebody is at work on a day."""
        return not one.is_gone(day) and one.away(day) is None

    def _perhaps_begin(self, one: Person, day: date, phase: float) -> None:
        chance = one.chance
        rate = one.rate * phase * WEEKDAY[day.weekday()] * SEASON[day.month - 1]
        if chance.random() >= rate:
            return
        by_them = chance.random() < one.starts
        leaving = one.departure
        if (
            leaving is not None
            and leaving.announced <= day <= leaving.last_day
            and chance.random() > leaving.slows
        ):
            return
        if by_them and (not self.works(one, day) or is_holiday(COUNTRY[self.account.language], day)):
            return
        if not by_them and (_on_leave(self.rep, day) or is_holiday(OUR_COUNTRY, day)):
            return
        box = self.boxes[one.address]
        if (box.handed_over or (box.refused and one.is_gone(day))) and chance.random() < 0.85:
            return  # the rep knows by now, and writes to the successor
        zone = self.account.zone if by_them else OUR_ZONE
        self._converse(one, at_work(chance, day, zone), by_them=by_them)

    def _converse(self, one: Person, at: datetime, *, by_them: bool) -> None:
        """Let a conversation run its course: answers, reminders, and its end."""
        chance, language = one.chance, self.account.language
        subject = words.choose(chance, words.SUBJECTS, language)
        others = [other for other in self.account.people if other is not one and self.works(other, at.date())]
        cc = chance.choice(others) if others and chance.random() < 0.3 else None
        answered, theirs, nudges = "", by_them, 0
        for _ in range(MOST_TURNS):
            if at.date() > self.world.last:
                return
            mail = self._write(one, at, subject, answered, cc, theirs=theirs, nudge=nudges > 0)
            if theirs:
                self.receive(mail)
                self.boxes[one.address].moved = mail.sender[1] != one.address
                reached, nudges = True, 0
            else:
                reached = self.send(mail)
            answered, subject = mail.ident, subject if subject.startswith("Re: ") else f"Re: {subject}"
            willing = 0.62 if theirs else one.answers * (0.55 if one.pulls_away(at.date()) else 1.0)
            if not theirs and reached and one.is_gone(at.date()):
                self._taken_over(one, mail)
            if reached and chance.random() < willing * (0.9 if not theirs else 1.0):
                theirs = not theirs
                later = self._answers_at(one, at, theirs=theirs)
                if later is None:
                    return
                at = later
            elif not theirs and reached and nudges < 2 and chance.random() < 0.6:
                nudges += 1
                at = next_working(
                    chance,
                    at + timedelta(days=chance.uniform(4, 11)),
                    OUR_ZONE,
                    OUR_COUNTRY,
                    self._rep_is_away,
                )
            else:
                return

    def _answers_at(self, one: Person, at: datetime, *, theirs: bool) -> datetime | None:
        """Return when the other side answers; None where they do not any more."""
        chance = one.chance
        if not theirs:
            later = at + answer_delay(chance, 0.8)
            return next_working(chance, later, OUR_ZONE, OUR_COUNTRY, self._rep_is_away)
        if one.is_gone(at.date()):
            return None
        slow = 2.5 if one.pulls_away(at.date()) else 1.0
        later = next_working(
            chance,
            at + answer_delay(chance, one.speed * slow),
            self.account.zone,
            COUNTRY[self.account.language],
            lambda day: one.away(day) is not None,
        )
        waited_out = one.away(at.date()) is not None
        if one.is_gone(later.date()) or (waited_out and chance.random() < 0.35):
            return None
        return later

    def _write(
        self,
        one: Person,
        at: datetime,
        subject: str,
        answered: str,
        cc: Person | None,
        *,
        theirs: bool,
        nudge: bool,
    ) -> Letter:
        chance, day = one.chance, at.date()
        sender = self.name(one, day) if theirs else self.ours()
        to = self.ours() if theirs else self.known(one, day, chance)
        table = words.NUDGES if nudge else words.OURS
        text = (
            words.choose(chance, words.LETTERS, self.account.language)
            if theirs
            else chance.choice(table.split("|")).format(first=one.first)
        )
        signature = f"\n\n{sender[0]}\n{one.title if theirs else 'Vendor'}\n"
        program = PROGRAMS[self.account.server] if theirs else "outlook"
        copied = (self.name(cc, day) if theirs else self.known(cc, day, chance),) if cc is not None else ()
        return Letter(
            at,
            sender,
            (to,),
            subject,
            text + signature,
            ident(chance, sender[1], program),
            answered,
            copied,
            program,
        )

    def _arrives(self, mail: Letter, address: str, one: Person) -> bool:
        """Let a letter of ours reach a mailbox, or be refused; say whether it was taken."""
        chance, day = one.chance, mail.at.date()
        refusal = self._refusal(one, address, day)
        if refusal is None and chance.random() < 0.002:
            self._report(mail, address, "delayed", timedelta(hours=4))
            self.failures.append((one.address, "delayed", day))
            if chance.random() < 0.15:
                self.failures.append((one.address, "expired", day + timedelta(5)))
                self._report(mail, address, "expired", timedelta(days=5))
                return False
        if refusal is not None:
            self.boxes[one.address].refused |= refusal == "gone"
            slow = timedelta(minutes=chance.lognormvariate(0.5, 1.2))
            self._report(mail, address, refusal, slow)
            if refusal != "gone":
                self.failures.append((one.address, refusal, day))
            elif one.is_gone(day):
                self.signs.append((one.address, day, "bounce"))
            return False
        self._respond(one, mail, day)
        return True

    def _refusal(self, one: Person, address: str, day: date) -> Refusal | None:
        moved, leaving, renamed = self.account.migration, one.departure, one.rename
        old = address == one.address
        if any(first <= day <= last for first, last in self.account.blocks):
            return "blocked"
        if moved is not None and moved.refuses and day >= moved.day and old:
            return "gone"
        if renamed is not None and renamed.old == "bounce" and day >= renamed.day and old:
            return "gone"
        if leaving is not None and leaving.closes is not None and day > max(leaving.closes, leaving.last_day):
            return "gone"
        if any(first <= day <= last for first, last in one.full):
            return "full"
        return "blocked" if one.chance.random() < 0.0006 else None

    def _report(self, mail: Letter, address: str, what: Refusal, after: timedelta) -> None:
        report = Report(mail.at + after, mail, address, what, self.account.server)
        if report.at.date() <= self.world.last:
            self.deliver(Mail(report.at, self.rep.address, render(report, self.account.chance)))

    def _respond(self, one: Person, mail: Letter, day: date) -> None:
        """Let a mailbox answer by itself, at most once in a few days to the same sender."""
        chance, language, leaving = one.chance, self.account.language, one.departure
        away = one.away(day)
        text, subject = "", words.AWAY_SUBJECT[language] + mail.subject
        other = self._other(one, day)
        facts = {
            "other": other.name,
            "mail": other.address,
            "company": self.account.name.capitalize(),
            "first": one.first,
            "last": one.last,
        }
        renamed = one.rename
        if one.is_gone(day):
            if leaving is not None and leaving.replies_until is not None and day <= leaving.replies_until:
                left = words.written(chance, leaving.last_day, language)
                wordings = random.Random(one.address)
                text = words.choose(wordings, words.GONE, language).format(day=left, **facts)
        elif renamed is not None and renamed.old == "reply" and day >= renamed.day:
            text = words.RENAMED[language].format(mail=renamed.address)
        elif away is not None and away.says:
            back = words.written(
                random.Random(f"{one.address}{away.last}"), away.last + timedelta(1), language
            )
            text = words.choose(chance, words.AWAY, language).format(back=back, **facts)
            text = text if away.dated else words.AWAY_UNDATED[language]
        box = self.boxes[one.address]
        last = box.replied.get(text)
        if not text or (last is not None and mail.at - last < RESPONDER_RESTS):
            return
        box.replied[text] = mail.at
        if one.is_gone(day):
            self.signs.append((one.address, day, "reply"))
        at = mail.at + timedelta(seconds=chance.uniform(4, 90))
        self.deliver(Mail(at, self.rep.address, self._automatic(one, mail, at, subject, text)))

    def _automatic(self, one: Person, mail: Letter, at: datetime, subject: str, text: str) -> bytes:
        program = PROGRAMS[self.account.server]
        marks = {
            "outlook": ["Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: All"],
            "gmail": ["Auto-Submitted: auto-replied", "Precedence: bulk", "X-Autoreply: yes"],
            "apple": ["Auto-Submitted: auto-replied (vacation)", "Precedence: junk"],
        }[program]
        answer = Letter(
            at,
            (one.name, one.address),
            (mail.sender,),
            subject,
            text,
            ident(one.chance, one.address, program),
            mail.ident,
            program=program,
        )
        head, _, _ = letter(answer, received=True).decode().partition("\r\nMIME-Version")
        return "\r\n".join([head, *marks, "MIME-Version: 1.0", *body(text, program)]).encode()

    def _taken_over(self, one: Person, mail: Letter) -> None:
        """Let a colleague answer what is forwarded from the mailbox of somebody who left."""
        leaving, chance, language = one.departure, one.chance, self.account.language
        if leaving is None or leaving.ending != "forwarded" or chance.random() > 0.75:
            return
        other = self._other(one, mail.at.date())
        at = next_working(
            chance,
            mail.at + answer_delay(chance, 1.5),
            self.account.zone,
            COUNTRY[language],
            lambda day: other.away(day) is not None,
        )
        text = words.choose(chance, words.HANDED_OVER, language).format(first=one.first)
        sender = self.name(other, at.date())
        program = PROGRAMS[self.account.server]
        self.signs.append((one.address, at.date(), "colleague"))
        self.receive(
            Letter(
                at,
                sender,
                (self.ours(),),
                f"Re: {mail.subject}",
                f"{text}\n\n{sender[0]}\n",
                ident(chance, sender[1], program),
                mail.ident,
                program=program,
            )
        )
        self.boxes[one.address].handed_over = True

    def _farewell(self, one: Person) -> None:
        leaving, chance, language = one.departure, one.chance, self.account.language
        if leaving is None:
            return
        day = leaving.last_day - timedelta(chance.randint(0, 6))
        if day <= self.world.first or day > self.world.last or not self.works(one, day):
            return
        other = self._other(one, day)
        text = words.choose(chance, words.FAREWELLS, language).format(
            day=words.written(chance, leaving.last_day, language),
            company=self.account.name.capitalize(),
            other=other.name,
        )
        self.signs.append((one.address, day, "goodbye"))
        subject = {"de": "Abschied", "fr": "Au revoir", "nl": "Afscheid", "es": "Despedida", "sv": "Hej då"}
        sender = self.name(one, day)
        program = PROGRAMS[self.account.server]
        self.receive(
            Letter(
                at_work(chance, day, self.account.zone),
                sender,
                (self.ours(),),
                subject.get(language, "Goodbye"),
                f"{text}\n\n{one.name}\n",
                ident(chance, sender[1], program),
                program=program,
            )
        )

    def _other(self, one: Person, day: date) -> Person:
        """Return the colleague who stands in for somebody: always the same, while there."""
        there = [other for other in self.account.people if other is not one and not other.is_gone(day)]
        return there[-1] if there else one

    def _whose(self, address: str) -> Person | None:
        for one in self.account.people:
            renamed = one.rename.address if one.rename is not None else ""
            if (
                address in {one.address, renamed}
                or address.partition("@")[0] == one.address.partition("@")[0]
            ):
                return one
        return None

    def _rep_is_away(self, day: date) -> bool:
        return _on_leave(self.rep, day)


def _phases(one: Person, first: date, last: date) -> list[tuple[date, float]]:
    """Return every day with how lively the business with a person is then: projects come and go."""
    found: list[tuple[date, float]] = []
    day = first
    while day <= last:
        level = one.chance.choices([level for level, _ in PHASES], [share for _, share in PHASES])[0]
        length = round(one.chance.lognormvariate(math.log(55), 0.7)) + 7
        found += [(day + timedelta(days), level) for days in range(length) if day + timedelta(days) <= last]
        day += timedelta(length)
    return found


def _on_leave(rep: Rep, day: date) -> bool:
    return any(away.covers(day) for away in rep.aways)
