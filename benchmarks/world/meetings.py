"""Meetings: set, accepted, pushed, cancelled; by people whose week is full, and by those who pull away."""

from __future__ import annotations

import random
from base64 import b64encode
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from email.utils import format_datetime

from benchmarks.world import words
from benchmarks.world.cast import Account, Person
from benchmarks.world.clock import at_work, is_holiday, local
from benchmarks.world.correspondence import OUR_ZONE, PROGRAMS, Correspondence, _on_leave, _phases
from benchmarks.world.names import COUNTRY
from benchmarks.world.post import Letter, Mail, Name, ident, mailbox, word

A_DAY = timedelta(days=1)
RATE = 1 / 38
"""Meetings a day in a phase of ordinary business."""

NOTES = {
    "en": "Sorry, something came up. Can we do this instead?|I have to move this.|"
    "Conflict on my side, new time.",
    "de": "Leider ist mir etwas dazwischengekommen, passt dieser Termin?|Ich muss das leider verschieben.",
    "fr": "Désolé, un imprévu. Est-ce que ce créneau convient ?|Je dois décaler.",
    "nl": "Er is iets tussengekomen, lukt dit moment?|Ik moet dit helaas verzetten.",
    "es": "Lo siento, me ha surgido algo. ¿Le va bien esta fecha?|Tengo que moverlo.",
    "sv": "Tyvärr kom något emellan, funkar den här tiden?|Jag måste flytta mötet.",
}


@dataclass(frozen=True)
class Meeting:
    """A meeting as its organizer's calendar has it."""

    uid: str
    title: str
    start: datetime
    organizer: Name
    guests: tuple[Name, ...]
    sequence: int = 0
    answer: str = "NEEDS-ACTION"


class Calendars:
    """All meetings between one account and its rep."""

    def __init__(self, mail: Correspondence) -> None:
        self.mail = mail
        self.account: Account = mail.account
        self.moved: list[tuple[str, str, date]] = []
        """Who had a meeting moved, by whom, and on which day: for the truth."""

    def happen(self) -> None:
        """Let meetings be set and moved for everybody who is watched."""
        for one in self.account.people:
            if one.watched:
                self._meet(one)

    def _meet(self, one: Person) -> None:
        chance, busy_until = one.chance, self.mail.world.first
        for day, phase in _phases(one, self.mail.world.first, self.mail.world.last):
            if (
                day <= busy_until
                or day.weekday() > 4
                or chance.random() >= RATE * phase * (17 * one.rate) ** 0.5
            ):
                continue
            rep_is_there = not _on_leave(self.mail.rep, day) and not is_holiday("GB", day)
            if not (self.mail.works(one, day) and rep_is_there):
                continue
            busy_until = self._one(one, day)

    def _one(self, one: Person, day: date) -> date:
        """Let one meeting run its course; return the day on which it is over."""
        chance = one.chance
        by_them = chance.random() < 0.42
        at = at_work(chance, day, self.account.zone if by_them else OUR_ZONE)
        ours, theirs = self.mail.ours(), self.mail.name(one, day)
        company = [other for other in self.account.people if other is not one and self.mail.works(other, day)]
        guests = (
            [theirs, ours]
            if chance.random() < 0.6 or not company
            else [theirs, ours, self.mail.name(company[0], day)]
        )
        organizer = theirs if by_them else ours
        meeting = Meeting(
            uid=f"{chance.getrandbits(120):030X}",
            title=words.choose(chance, words.SUBJECTS, self.account.language),
            start=self._slot(one, day + timedelta(chance.choice((4, 7, 9, 12, 14, 20, 27)))),
            organizer=organizer,
            guests=tuple(guests),
        )
        self._send(one, meeting, at, "REQUEST", by_them=by_them, note="")
        if not by_them and chance.random() < 0.78:
            self._reply(one, meeting, at + timedelta(hours=chance.lognormvariate(1.2, 1.1)), "ACCEPTED")
        return self._history(one, meeting, day, by_them=by_them)

    def _history(self, one: Person, meeting: Meeting, day: date, *, by_them: bool) -> date:
        chance, pushes = one.chance, 0
        for _ in range(6):
            day = self._next_look(chance, day, meeting.start.date())
            if day >= meeting.start.date():
                break
            if one.is_gone(day):
                self._left_behind(one, meeting, day, by_them=by_them)
                break
            pulling = one.pulls_away(day)
            # Who moved a meeting once is likelier to move it again; some do so all the time.
            pushing = 0.45 if pulling else (0.22 if one.restless else 0.075) * (1.5 if pushes else 1.0)
            draw = chance.random()
            if draw < pushing and self.mail.works(one, day):
                pushes += 1
                meeting = self._push(one, meeting, day, by_them=by_them, pulling=pulling)
            elif draw < pushing + (0.15 if pulling else 0.025) and self.mail.works(one, day):
                self._call_off(one, meeting, day, by_them=by_them)
                break
            elif draw > 0.955 and not _on_leave(self.mail.rep, day):
                moved = replace(
                    meeting,
                    start=self._slot(one, meeting.start.date() + timedelta(chance.randint(2, 15))),
                    sequence=meeting.sequence + 1,
                )
                if not by_them:
                    meeting = moved
                    self.moved.append((one.address, "own reschedule", day))
                    self._send(
                        one, meeting, at_work(chance, day, OUR_ZONE), "REQUEST", by_them=False, note="Moved."
                    )
        return meeting.start.date()

    def _push(self, one: Person, meeting: Meeting, day: date, *, by_them: bool, pulling: bool) -> Meeting:
        chance = one.chance
        self.moved.append((one.address, "pushed", day))
        far = pulling and chance.random() < 0.25
        later = timedelta(chance.randint(35, 90) if far else chance.choice((2, 5, 7, 7, 10, 14, 14, 21)))
        moved = replace(
            meeting, start=self._slot(one, meeting.start.date() + later), sequence=meeting.sequence + 1
        )
        at = at_work(chance, day, self.account.zone)
        wordless = chance.random() < (0.55 if pulling else 0.2)
        excuse = words.choose(chance, NOTES, self.account.language) if not wordless else ""
        note = f"{excuse} {self._afterwards(moved.sequence)}" if excuse else ""
        if by_them:
            self._send(one, moved, at, "REQUEST", by_them=True, note=note)
        else:  # guests ask in words, and the organizer, who is ours, moves it for them
            self._reply(one, meeting, at, "TENTATIVE" if chance.random() < 0.5 else "DECLINED", note)
            self._send(one, moved, at + timedelta(hours=3), "REQUEST", by_them=False, note="As you asked.")
            self._reply(one, moved, at + timedelta(hours=8), "ACCEPTED")
        return moved

    def _afterwards(self, number: int) -> str:
        """Return what is written after an excuse: nobody writes the same with each push of a meeting."""
        sentences = words.LETTERS[self.account.language].split("|")
        return sentences[number % len(sentences)]

    def _call_off(self, one: Person, meeting: Meeting, day: date, *, by_them: bool) -> None:
        at = at_work(one.chance, day, self.account.zone)
        if by_them:
            self._send(one, meeting, at, "CANCEL", by_them=True, note="")
        else:
            self._reply(one, meeting, at, "DECLINED")

    def _left_behind(self, one: Person, meeting: Meeting, day: date, *, by_them: bool) -> None:
        """Let the company tidy up a meeting whose organizer has left, sometimes."""
        if not by_them or one.chance.random() < 0.5:
            return
        others = [other for other in self.account.people if self.mail.works(other, day)]
        at = at_work(one.chance, day, self.account.zone)
        if others and one.chance.random() < 0.5:
            heir = self.mail.name(others[-1], day)
            taken = replace(
                meeting, organizer=heir, guests=(heir, self.mail.ours()), sequence=meeting.sequence + 1
            )
            self._send(one, taken, at, "REQUEST", by_them=True, note="")
        else:
            self._send(one, meeting, at, "CANCEL", by_them=True, note="")

    def _send(
        self, one: Person, meeting: Meeting, at: datetime, method: str, *, by_them: bool, note: str
    ) -> None:
        if at.date() > self.mail.world.last:
            return
        sender = meeting.organizer
        to = self.mail.ours() if by_them else meeting.guests[0]
        program = PROGRAMS[self.account.server] if by_them else "outlook"
        letter = Letter(
            at, sender, (to,), meeting.title, note, ident(one.chance, sender[1], program), program=program
        )
        content = invitation(letter, meeting, method, received=by_them)
        self.mail.deliver(Mail(at, self.mail.rep.address, content))
        if not by_them:
            whose = self.mail._whose(to[1])  # noqa: SLF001 - one world
            if whose is not None:
                self.mail._arrives(letter, to[1], whose)  # noqa: SLF001

    def _reply(self, one: Person, meeting: Meeting, at: datetime, answer: str, note: str = "") -> None:
        if at.date() > self.mail.world.last or not self.mail.works(one, at.date()):
            return
        sender = self.mail.name(one, at.date())
        program = PROGRAMS[self.account.server]
        letter = Letter(
            at,
            sender,
            (self.mail.ours(),),
            meeting.title,
            note,
            ident(one.chance, sender[1], program),
            program=program,
        )
        replied = replace(meeting, guests=(sender,), answer=answer)
        self.mail.deliver(
            Mail(at, self.mail.rep.address, invitation(letter, replied, "REPLY", received=True))
        )

    def _slot(self, one: Person, day: date) -> datetime:
        while day.weekday() > 4 or is_holiday(COUNTRY[self.account.language], day):
            day += A_DAY
        return local(day, one.chance.choice((9.0, 10.0, 11.0, 13.5, 14.0, 15.0, 16.0)), self.account.zone)

    @staticmethod
    def _next_look(chance: random.Random, day: date, start: date) -> date:
        """Return when somebody next thinks about moving it: most do so in its last days."""
        gap = (start - day).days
        day += timedelta(max(1, round(gap * chance.betavariate(3, 1.5))))
        while day.weekday() > 4:
            day += A_DAY
        return day


def invitation(mail: Letter, meeting: Meeting, method: str, *, received: bool) -> bytes:
    """Return a calendar mail (RFC 6047) as the sender's program writes it."""
    verbs = {"CANCEL": "Canceled: ", "REPLY": f"{meeting.answer.capitalize()}: "}
    subject = verbs.get(method, "") + mail.subject
    stamp = format_datetime(mail.at)
    calendar = "\r\n".join(_calendar(mail, meeting, method))
    coded = b64encode(calendar.encode()).decode()
    rows = [coded[start : start + 76] for start in range(0, len(coded), 76)]
    lines = [
        *([f"Received: by mx.vendor.example id {mail.at:%H%M%S}i; {stamp}"] if received else []),
        f"From: {mailbox(mail.sender)}",
        f"To: {', '.join(map(mailbox, mail.to))}",
        f"Subject: {word(subject)}",
        f"Date: {stamp}",
        f"Message-ID: <{mail.ident}>",
        "MIME-Version: 1.0",
        *(["Content-Class: urn:content-classes:calendarmessage"] if mail.program == "outlook" else []),
        'Content-Type: multipart/alternative; boundary="=_cal"',
        "",
        "--=_cal",
        'Content-Type: text/plain; charset="utf-8"',
        "Content-Transfer-Encoding: 8bit",
        "",
        mail.text,
        "--=_cal",
        f'Content-Type: text/calendar; charset="utf-8"; method={method}',
        "Content-Transfer-Encoding: base64",
        "",
        *rows,
        "--=_cal--",
        "",
    ]
    return "\r\n".join(lines).encode()


def _calendar(mail: Letter, meeting: Meeting, method: str) -> list[str]:
    """Return the lines of the calendar object: SEQUENCE as the program counts it, or not at all."""
    product, sequence = {
        "outlook": ("Microsoft Exchange Server 2010", meeting.sequence),
        "gmail": ("-//Google Inc//Google Calendar 70.9054//EN", min(meeting.sequence, 1)),
        "apple": ("-//Apple Inc.//macOS 14.5//EN", 0),
    }[mail.program]
    title = (
        f"Canceled: {meeting.title}" if method == "CANCEL" and mail.program == "outlook" else meeting.title
    )
    answer = meeting.answer if method == "REPLY" else "NEEDS-ACTION"
    guests = [f"ATTENDEE;CN={name};PARTSTAT={answer}:mailto:{address}" for name, address in meeting.guests]
    status = "CANCELLED" if method == "CANCEL" else "CONFIRMED"
    return [
        "BEGIN:VCALENDAR",
        f"PRODID:{product}",
        "VERSION:2.0",
        f"METHOD:{method}",
        "BEGIN:VEVENT",
        f"UID:{meeting.uid}",
        f"SEQUENCE:{sequence}",
        f"DTSTAMP:{mail.at:%Y%m%dT%H%M%SZ}",
        f"DTSTART:{meeting.start:%Y%m%dT%H%M%SZ}",
        f"DTEND:{meeting.start + timedelta(minutes=45):%Y%m%dT%H%M%SZ}",
        f"SUMMARY:{title}",
        f"ORGANIZER;CN={meeting.organizer[0]}:mailto:{meeting.organizer[1]}",
        *guests,
        f"STATUS:{status}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
