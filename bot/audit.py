"""Ask each week about one who never alarmed: answers to alerts alone say nothing of what we miss. Pure.

Whom to ask about is drawn by a hash of the rep, the week and the person: at random, but the same whenever and
wherever it is drawn, so that a digest that is sent again asks the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.answers import LEFT, THERE
from bot.model import ALARMING, Choice, Contact, Json, Observation, Person, Verdict

SETTING = "audit questions"
"""The setting that holds what was asked."""

REMEMBERED = 4000
"""So many questions are kept: two years of forty reps."""

ASKED_ABOUT = timedelta(days=180)
"""Somebody of whom a rep said something within this time is not asked about."""

CHOICES = (Choice.STILL_THERE, Choice.LEFT)

_WORDS = frozenset({LEFT.name, THERE.name})


@dataclass(frozen=True, slots=True)
class Question:
    """Whom a rep (a Slack user id) was asked about in the week that begins on `monday`."""

    monday: date
    rep: str
    contact: str

    @property
    def group(self) -> str:
        """Return what marks the answer to it."""
        return f"audit {self.monday.isoformat()}"

    def answer(self, person: Person) -> Observation | None:
        """Return what was answered, None where nothing was so far."""
        said = (seen for seen in person.observations if seen.group == self.group and seen.kind in _WORDS)
        return next(said, None)


def draw(people: Iterable[Person], rep: str, monday: date, now: datetime) -> Contact | None:
    """Return whom to ask a rep about in a week, None where there is nobody."""
    able = [person.contact for person in people if person.contact is not None and _can_ask(person, now)]
    return min(able, key=lambda contact: _lot(rep, monday, contact.address), default=None)


def _can_ask(person: Person, now: datetime) -> bool:
    judged = person.assessment
    if judged is None or person.cases or judged.verdict in ALARMING | {Verdict.UNCHECKED}:
        return False
    said = (seen.at for seen in person.observations if seen.kind in _WORDS)
    return max(said, default=now - ASKED_ABOUT) <= now - ASKED_ABOUT


def _lot(rep: str, monday: date, address: str) -> bytes:
    content = f"{rep} {monday.isoformat()} {address}"
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest()


def asked(kept: Json) -> list[Question]:
    """Read what was asked, latest first; what cannot be read, or was erased, is left out."""
    found = []
    for entry in kept if isinstance(kept, list) else []:
        if not isinstance(entry, list) or len(entry) != 3:  # noqa: PLR2004 - week, rep, contact
            continue
        try:
            monday = date.fromisoformat(str(entry[0]))
        except ValueError:
            continue
        found.append(Question(monday, str(entry[1]), str(entry[2])))
    return found


def with_one(kept: Json, question: Question) -> Json:
    """Return what is kept with one more question; asking it again changes nothing."""
    known = asked(kept)
    if question in known:
        return kept
    latest = (question, *known)[:REMEMBERED]
    return [[one.monday.isoformat(), one.rep, one.contact] for one in latest]
