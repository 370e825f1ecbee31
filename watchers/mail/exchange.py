"""Say what the mails between a person and us mean together: slower, not at all, or by somebody else. Pure.

Each sign compares the person with their own past and reads the history once. A mail of theirs, an invitation
of theirs or a leave reply ends what was counted before it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import fmean

from bot.model import Json, Observation
from bot.past import Past
from watchers.mail.meetings import SNAPSHOT, same_account

WROTE, SENT, COPIED, AWAY = "wrote", "written_to", "copied", "on_leave"
COUNTED = frozenset({WROTE, SENT, COPIED, AWAY, SNAPSHOT})
SLOW, UNANSWERED, COLLEAGUE = "slow_replies", "unanswered", "colleague_answers"

HOUR = timedelta(hours=1)
LONGEST_WAIT = timedelta(days=60)
"""What comes later than this is no reply any more."""

SHORTEST_WAIT = timedelta(minutes=10)
"""Replies quicker than this are equally quick."""

LATEST = 3
EARLIER = 5
MOST_EARLIER = 40
"""The latest three replies are held against at least five, at most forty, before them."""

SLOWER = math.log(3)
"""Replies must take at least three times as long as they used to."""

DEVIATIONS = 2.5
"""And lie so many standard errors beyond the person's own spread (of ln hours)."""

LEAST_SPREAD = 0.7
"""Nobody answers more evenly than this; eight replies alone would say so by chance."""

NUDGES = 3
NUDGED_FOR = timedelta(days=7)
"""Three mails within a week are one matter, not three nudges."""

GRACE = timedelta(days=2)
"""So long after the latest nudge an answer may still come."""

LONG_HOURS = 36
"""From so many hours on people count in days."""

OWN_ANSWERS = 3
COLLEAGUES = 2
"""Two of our mails in a row answered by a colleague, of a person who answered three before."""


@dataclass
class _Exchange:
    """What was counted so far on the way through a history."""

    contact: str = ""
    sent: dict[str, datetime] = field(default_factory=dict)
    replied: set[str] = field(default_factory=set)
    waits: list[tuple[datetime, float]] = field(default_factory=list)
    nudges: list[Observation] = field(default_factory=list)
    most_nudges: int = NUDGES - 1
    wrote: int = 0
    answered: int = 0
    by_colleagues: int = 0
    colleagues: dict[str, Observation] = field(default_factory=dict)

    def take(self, seen: Observation) -> None:
        """Go on by one observation."""
        self.contact = seen.contact
        if seen.kind == WROTE:
            self._reply(seen)
        elif seen.kind == SENT:
            self._mail_of_ours(seen)
        elif seen.kind == COPIED:
            self._mail_by_another(seen)
        elif seen.kind == AWAY or (seen.kind == SNAPSHOT and seen.facts.get("by") == seen.contact):
            self._heard()

    def _reply(self, seen: Observation) -> None:
        ident = _text(seen.facts.get("answers"))
        asked = self.sent.get(ident)
        if asked is not None and ident not in self.replied:
            self.replied.add(ident)
            self.answered += 1
            wait = seen.at - asked
            if timedelta() <= wait <= LONGEST_WAIT:
                self.waits.append((seen.at, math.log(max(wait, SHORTEST_WAIT) / HOUR)))
        self.wrote += 1
        self._heard()

    def _mail_of_ours(self, seen: Observation) -> None:
        if seen.facts.get("field", "to") != "to":
            return
        ident = _text(seen.facts.get("message_id"))
        if ident:
            self.sent.setdefault(ident, seen.at)
        if not self.nudges or seen.at.date() > self.nudges[-1].at.date():
            self.nudges.append(seen)

    def _mail_by_another(self, seen: Observation) -> None:
        answered = _text(seen.facts.get("answers"))
        if (
            answered in self.sent
            and answered not in self.replied
            and same_account(sender_of(seen), seen.contact)
        ):
            self.colleagues.setdefault(answered, seen)

    def _heard(self) -> None:
        self.most_nudges = max(self.most_nudges, len(self.nudges))
        self.nudges = []
        self.by_colleagues += len(self.colleagues)
        self.colleagues = {}


def exchange_signals(history: Sequence[Observation], now: datetime) -> Sequence[Observation]:
    """Return what the mails with a person mean at `now`, in whatever order they became known."""
    past = Past.of(history).until(now)
    return past.at_stage(_meaning, _moments, now)


def _exchanged(past: Past) -> _Exchange:
    """Go through a history and count."""
    exchange = _Exchange()
    for seen in past:
        if seen.kind in COUNTED:
            exchange.take(seen)
    return exchange


def _meaning(past: Past, now: datetime) -> Sequence[Observation]:
    exchange = past.once(_exchanged)
    return [*_slow(exchange), *_unanswered(exchange, now), *_by_a_colleague(exchange)]


def _moments(past: Past) -> Sequence[datetime]:
    """Return when time alone says something new: when our latest mail is unanswered for long."""
    exchange = past.once(_exchanged)
    return [exchange.nudges[-1].at + GRACE] if _is_nudged(exchange) else []


def _slow(exchange: _Exchange) -> Iterator[Observation]:
    """Yield that the latest replies took far longer than those before."""
    latest = [wait for _, wait in exchange.waits[-LATEST:]]
    earlier = [wait for _, wait in exchange.waits[-LATEST - MOST_EARLIER : -LATEST]]
    if len(earlier) < EARLIER:
        return
    before, after = fmean(earlier), fmean(latest)
    spread = max(math.sqrt(fmean((wait - before) ** 2 for wait in earlier)), LEAST_SPREAD)
    error = spread * math.sqrt(1 / len(latest) + 1 / len(earlier))
    if after - before >= max(SLOWER, DEVIATIONS * error):
        sentence = f"answers now take {_span(after)}; they used to take {_span(before)}"
        yield _derived(exchange.waits[-1][0], SLOW, sentence, exchange.contact)


def _unanswered(exchange: _Exchange, now: datetime) -> Iterator[Observation]:
    """Yield that more of our mails in a row stand unanswered than ever before, and at least three."""
    nudges = exchange.nudges
    if _is_nudged(exchange) and now - nudges[-1].at >= GRACE:
        sentence = f"{len(nudges)} of our mails since {nudges[0].at:%-d %B} are unanswered"
        yield _derived(nudges[-1].at, UNANSWERED, sentence, exchange.contact)


def _is_nudged(exchange: _Exchange) -> bool:
    """Say whether we wrote more often in a row, and for longer, than they ever left us waiting."""
    nudges = exchange.nudges
    if not exchange.wrote or len(nudges) <= exchange.most_nudges:
        return False
    return nudges[-1].at - nudges[0].at >= NUDGED_FOR


def _by_a_colleague(exchange: _Exchange) -> Iterator[Observation]:
    """Yield that colleagues answer what the person used to answer."""
    found = list(exchange.colleagues.values())
    rare = exchange.by_colleagues * 2 <= exchange.answered
    if len(found) >= COLLEAGUES and exchange.answered >= OWN_ANSWERS and rare:
        names = sorted({sender_of(seen) for seen in found})
        who = names[0] if len(names) == 1 else "colleagues"
        sentence = f"the last {len(found)} answers to our mails came from {who} instead"
        yield _derived(found[-1].at, COLLEAGUE, sentence, exchange.contact)


def sender_of(seen: Observation) -> str:
    """Return who wrote the mail on which the person was copied, empty where that is not known."""
    company = seen.facts.get("with")
    return _text(company[0]) if isinstance(company, list) and company else ""


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _span(log_hours: float) -> str:
    """Say a length of time as people do."""
    hours = math.exp(log_hours)
    if hours >= LONG_HOURS:
        return f"{round(hours / 24)} days"
    return f"{round(hours)} hours" if round(hours) > 1 else "an hour or less"


def _derived(at: datetime, kind: str, sentence: str, contact: str) -> Observation:
    return Observation(contact=contact, kind=kind, at=at, source="correspondence", sentence=sentence)
