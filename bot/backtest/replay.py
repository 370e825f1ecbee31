"""Live through the past day by day, knowing on each day only what could be known by then.

It is the service's own pipeline on a clock that is moved: what was read of the past is swept as if it had
just arrived, judged, decided, and told under the same rules of routing.
"""

from __future__ import annotations

import calendar
from bisect import bisect_right
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from bot import audit, routing
from bot.backtest.past import Known
from bot.clock import FrozenClock
from bot.model import (
    Action,
    Alert,
    Assessment,
    Case,
    Contact,
    Decision,
    Delivery,
    Home,
    Json,
    Means,
    NeedsHuman,
    Observation,
    Person,
    Reason,
    SourceDown,
    Verdict,
)
from bot.past import Past
from bot.pipeline import Pipeline, Rules
from bot.preferences import Preferences
from bot.routing import Hold, Rep
from bot.slack.outbox import drain
from bot.store import changes
from bot.store.memory import MemoryStore
from watchers import Batch, Scope, Watcher

NOON = time(12)
"""When the alerts of a day are told: in the service each goes out when its mail arrives."""

NOTICED = 0.01
"""A probability that changed by less is not noted in the curve."""

MOST_MARKS = 300
"""So many pieces of evidence are noted of each contact."""


@dataclass(frozen=True, slots=True)
class Outage:
    """From when to when a source could not be read; `again` says that it was then read from its beginning.

    Where `first` is `last`, nothing was out: the source only forgot where reading had stopped.
    """

    source: str
    first: date
    last: date
    what: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """The days that are judged: from the first to the last, in steps of so many days."""

    first: date
    last: date
    step: int = 1

    def days(self) -> list[date]:
        """Return the days at whose end everybody is judged."""
        return [
            self.first + timedelta(days) for days in range(0, (self.last - self.first).days + 1, self.step)
        ]

    def every_day(self) -> list[date]:
        """Return the days on which something may be told, also of what was judged before."""
        return [self.first + timedelta(days) for days in range((self.last - self.first).days + 1)]

    @property
    def begins(self) -> datetime:
        """Return when it begins: what is known by then is the baseline."""
        return datetime.combine(self.first, time(), UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """A day on which something changed of a contact, or an account's notice (`contact` is None)."""

    day: date
    contact: str | None
    account: str
    verdict: Verdict
    probability: float
    decision: Action
    reason: Reason
    evidence: tuple[str, ...]
    headline: str = ""

    def as_json(self) -> dict[str, Json]:
        """Return the line that `backtest --json` prints."""
        line: dict[str, Json] = {
            "date": self.day.isoformat(),
            "contact": self.contact,
            "verdict": self.verdict.value,
            "probability": self.probability,
            "decision": self.decision.value,
            "reason": self.reason.value,
            "evidence": [*self.evidence],
        }
        return line if self.contact is not None else {**line, "account": self.account}


@dataclass(frozen=True, slots=True)
class Told:
    """An alert that went out on a day, to whom (an address) it went."""

    day: date
    rep: str
    alert: Alert
    raised: date


@dataclass(frozen=True, slots=True)
class Mark:
    """A piece of evidence as it stands in a contact's time line."""

    day: date
    kind: str
    sentence: str
    weight: float


@dataclass(slots=True)
class Story:
    """What was thought of one contact over the days: only days on which it changed are noted."""

    curve: list[tuple[date, float, Verdict]] = field(default_factory=list)
    marks: dict[tuple[date, str], Mark] = field(default_factory=dict)

    def hear(self, day: date, found: Assessment) -> None:
        """Note what was thought at the end of a day."""
        last = self.curve[-1] if self.curve else None
        if last is None or abs(last[1] - found.probability) >= NOTICED or last[2] is not found.verdict:
            self.curve.append((day, found.probability, found.verdict))
        for item in found.evidence:
            key = (item.at.date(), item.kind)
            if item.key and item.weight > 0 and key not in self.marks and len(self.marks) < MOST_MARKS:
                self.marks[key] = Mark(*key, item.sentence, item.weight)


@dataclass(frozen=True)
class Part:
    """Contacts who can be judged apart from all others, and what was known of their accounts."""

    contacts: tuple[Contact, ...]
    past: Mapping[str, Sequence[Known]]
    elsewhere: Sequence[Known] = ()
    """What the owners of these contacts wrote to others: on those days they were not away."""


@dataclass(frozen=True)
class Setting:
    """How to judge and to tell: what `--set` can change."""

    rules: Rules
    routing: routing.Rules
    our_domains: frozenset[str]


@dataclass(frozen=True)
class Lived:
    """What living through the past came to."""

    lines: tuple[Line, ...]
    told: tuple[Told, ...]
    stories: Mapping[str, Story]


class Replayed(Watcher[Known]):
    """What was known of the past, told as far as the clock has come."""

    every = timedelta(days=1)

    def __init__(
        self, past: Mapping[str, Sequence[Known]], outages: Iterable[Outage], clock: FrozenClock
    ) -> None:
        super().__init__()
        self._past = past
        self._times = {source: [known.at for known in items] for source, items in past.items()}
        self._outages = tuple(outages)
        self._clock = clock
        self._forgotten: set[Outage] = set()

    def sources(self, scope: Scope) -> Sequence[str]:
        """Name the sources of the past."""
        del scope
        return sorted(self._past)

    def has_news(self, source: str, since: datetime) -> bool:
        """Say whether a look at the source would bring anything, or would fail."""
        times = self._times[source]
        return bisect_right(times, since) < bisect_right(times, self._clock()) or any(
            one.source == source and one.first <= self._today() + timedelta(1) and one.last >= since.date()
            for one in self._outages
        )

    async def fetch(self, source: str, cursor: Json, scope: Scope) -> AsyncIterator[Batch[Known]]:
        """Yield what arrived since the last look. Raise NeedsHuman on the days of an outage."""
        del scope
        start = cursor if isinstance(cursor, int) else 0
        for one in self._outages:
            if one.source != source:
                continue
            if one.first <= self._today() < one.last:
                raise NeedsHuman(one.what or "it cannot be read", "wait until it can")
            if one.again and one.last <= self._today() and one not in self._forgotten:
                self._forgotten.add(one)
                start = 0
        end = bisect_right(self._times[source], self._clock())
        yield Batch(source, self._past[source][start:end], end)

    def read(self, raw: Known, scope: Scope) -> Iterable[Observation]:
        """Return what the item said when it was read."""
        del scope
        return raw.observations

    def _today(self) -> date:
        return (self._clock() - timedelta(microseconds=1)).date()


Replayed.name = "replayed"


class HistoryStore(MemoryStore):
    """Keeps everything in memory and copies nothing: all values are frozen, and the replay is alone here."""

    def __init__(self) -> None:
        super().__init__()
        self._domains: dict[str, set[str]] = {}
        self._news: set[str] = set()
        self.concluded: list[tuple[Assessment, Decision, Alert | None]] = []
        """What was concluded since it was last emptied."""

    async def person(self, address: str) -> Person | None:
        """Return all that is kept of a person, or None."""
        return self._people.get(address)

    async def people(self, domains: frozenset[str]) -> list[Person]:
        """Return everybody, watched or not, whose address is at one of these domains, by address."""
        found = {address for domain in domains for address in self._domains.get(domain, ())}
        return [self._people[address] for address in sorted(found)]

    async def news(self) -> list[str]:
        """Return the addresses of watched people with observations no assessment has seen, sorted."""
        return sorted(self._news)

    async def conclude(
        self, version: int, assessment: Assessment, decision: Decision, alert: Alert | None = None
    ) -> bool:
        """Keep a conclusion, and note it for the day's lines."""
        person = self._get(assessment.contact)
        after = changes.concluded_as_it_is(person, version, assessment, decision, alert)
        kept = self._accept(person, after)
        if kept:
            self.concluded.append((assessment, decision, alert))
        return kept

    def _put(self, before: Person, after: Person) -> None:
        if after is before:
            return
        address = after.address
        if after.observations is not before.observations:
            after = replace(after, observations=Past.of(before.observations).grown(after.observations))
        self._people[address] = after
        self._domains.setdefault(address.rpartition("@")[2], set()).add(address)
        if after.news and after.contact is not None:
            self._news.add(address)
        else:
            self._news.discard(address)


class Teller:
    """Tells nobody, but decides as the service does whether and when each alert goes out."""

    removed = False

    def __init__(self, rules: routing.Rules) -> None:
        self._rules = rules
        self._today: dict[str, list[Verdict]] = {}
        self.day = date.min
        self.told: list[Told] = []
        self.held: dict[str, Reason] = {}

    def begin(self, day: date) -> datetime:
        """Begin a day; return the moment at which its alerts are told."""
        self.day, self._today, self.held = day, {}, {}
        zone = ZoneInfo(self._rules.zone)
        return datetime.combine(day, NOON, zone).astimezone(UTC)

    async def lane(self, case: Case) -> str:
        """Return who is told: one after another, so that the gravest takes the place in the budget."""
        return case.alert.contact.owner

    async def ready(self, lane: str) -> None:
        """Take the next at once."""

    async def deliver(self, case: Case, delivery: Delivery, now: datetime) -> Home | Hold | None:
        """Decide whether the alert goes out now; an end of a case only changes its message."""
        alert = delivery.alert
        if alert.is_all_clear:
            if case.home is None:
                self.held[alert.key] = Reason.ANSWERED
            return case.home
        reps = [Rep(one, one) for one in routing.owners(alert.contact.owner)]
        first = reps[0].user if reps else ""
        today = self._today.setdefault(first, [])
        found = routing.route(alert, case, reps, self._rules, Preferences(), today, now)
        if isinstance(found, Hold):
            self.held[alert.key] = found.reason
            return found
        today.append(alert.assessment.verdict)
        self.told.append(Told(self.day, first, alert, (alert.at - timedelta(microseconds=1)).date()))
        return case.home or Home("backtest", alert.case)

    async def settle(self) -> None:
        """Keep nothing."""


class Replay:
    """Lives through a span of days with the contacts of one part."""

    def __init__(self, part: Part, setting: Setting, span: Span, outages: Sequence[Outage] = ()) -> None:
        self.clock = FrozenClock(span.begins)
        self.store = HistoryStore()
        self.pipeline = Pipeline(self.store, setting.rules, setting.our_domains, baseline=True)
        self.pipeline.suggests_always = False
        self._part = part
        self._span = span
        self._watcher = Replayed(part.past, outages, self.clock)
        self._teller = Teller(setting.routing)
        self._elsewhere = [known.at for known in part.elsewhere]
        self._heard = 0
        self._said: dict[str, tuple[object, ...]] = {}
        self._stands: dict[str, tuple[Assessment, Decision]] = {}
        self._lines: list[Line] = []
        self._stories: dict[str, Story] = {contact.address: Story() for contact in part.contacts}
        self._accounts = {contact.address: contact.account_name for contact in part.contacts}

    async def live(self) -> Lived:
        """Live through the days and return what was thought and told on each."""
        for contact in self._part.contacts:
            await self.store.watch(contact)
        await self._sweep(None)
        await self._judge(None)
        since = self.clock()
        judged = set(self._span.days())
        for day in self._span.every_day():
            self.clock.now = datetime.combine(day + timedelta(1), time(), UTC)
            if day in judged:
                await self._sweep(since)
                since = self.clock()
                await self._judge(day)
            await self._tell(day)
            self._note(day)
            if day.weekday() == calendar.MONDAY:
                await self._ask(day)
        return Lived(tuple(self._lines), tuple(self._teller.told), self._stories)

    async def _sweep(self, since: datetime | None) -> None:
        until = bisect_right(self._elsewhere, self.clock())
        for known in self._part.elsewhere[self._heard : until]:
            await self.pipeline.our_days.note(known.observations, self.clock())
        self._heard = until
        for source in self._watcher.sources(Scope()):
            if since is None or self._watcher.has_news(source, since):
                try:
                    await self.pipeline.sweep(self._watcher, source, self.clock())
                except (SourceDown, NeedsHuman):
                    continue

    async def _judge(self, day: date | None) -> None:
        judged = await self.pipeline.review(self.clock())
        if day is None:
            return
        for found in judged:
            self._stories[found.contact].hear(day, found)

    async def _tell(self, day: date) -> None:
        noon = self._teller.begin(day)
        if await self.store.due(self.clock()):
            await drain(self.store, self._teller, FrozenClock(noon), lambda: 0.0)

    def _note(self, day: date) -> None:
        """Note the lines of a day: what was concluded, and what was told of what was concluded before."""
        today: dict[str, tuple[Assessment, Decision, Alert | None]] = {}
        for assessment, decision, alert in self.store.concluded:
            today[assessment.contact] = (assessment, decision, alert)
            self._stands[assessment.contact] = (assessment, decision)
        self.store.concluded.clear()
        for told in self._teller.told[::-1]:
            if told.day != day:
                break
            who = told.alert.contact.address
            if told.raised != day and (who not in today or today[who][1].action is not Action.SEND):
                assessment, decision = self._stands[who]
                today[who] = (assessment, _sent(decision, told.alert), told.alert)
        for who, (assessment, decision, alert) in sorted(today.items()):
            held = self._teller.held.get(alert.key) if alert is not None else None
            action, reason = (Action.HOLD, held) if held else (decision.action, decision.reason)
            self._add(day, who, assessment, action, reason)

    async def _ask(self, monday: date) -> None:
        """Note whom each rep's digest asks about, though nothing of them alarmed; see `bot.audit`."""
        mine: dict[str, list[Person]] = {}
        for contact in self._part.contacts:
            person = await self.store.person(contact.address)
            if person is not None:
                for rep in routing.owners(contact.owner):
                    mine.setdefault(rep, []).append(person)
        for rep, people in sorted(mine.items()):
            asked = audit.draw(people, rep, monday, self.clock())
            if asked is not None:
                self._note_question(monday, asked)

    def _note_question(self, day: date, contact: Contact) -> None:
        """Add the question to what the day's line says of the contact, unless something was told of them."""
        today = takewhile(lambda at: self._lines[at].day == day, range(len(self._lines) - 1, -1, -1))
        noted = next((at for at in today if self._lines[at].contact == contact.address), None)
        if noted is None:
            found, _ = self._stands[contact.address]
            self._lines.append(
                Line(
                    day,
                    contact.address,
                    contact.account_name,
                    found.verdict,
                    found.probability,
                    Action.DIGEST,
                    Reason.AUDIT,
                    telling(found),
                    found.headline,
                )
            )
        elif self._lines[noted].decision is Action.HOLD:
            self._lines[noted] = replace(self._lines[noted], decision=Action.DIGEST, reason=Reason.AUDIT)

    def _add(self, day: date, who: str, found: Assessment, action: Action, reason: Reason) -> None:
        kinds = telling(found)
        said = (found.verdict, action, reason, kinds)
        if self._said.get(who) == said and action is not Action.SEND:
            return
        self._said[who] = said
        is_notice = who.startswith("@")
        account = self._notice_account(who) if is_notice else self._accounts[who]
        contact = None if is_notice else who
        self._lines.append(
            Line(
                day, contact, account, found.verdict, found.probability, action, reason, kinds, found.headline
            )
        )

    def _notice_account(self, address: str) -> str:
        domain = address.removeprefix("@")
        return next(
            (contact.account_name for contact in self._part.contacts if contact.domain == domain), domain
        )


def telling(found: Assessment) -> tuple[str, ...]:
    """Return the kinds of evidence that an assessment rests on, the most telling first."""
    is_notice, is_away = found.contact.startswith("@"), found.verdict is Verdict.ON_LEAVE
    counted = (
        item.kind
        for item in found.evidence
        if is_notice or item.weight > 0 or (is_away and item.means is Means.AWAY)
    )
    return tuple(dict.fromkeys(counted))


def _sent(decision: Decision, alert: Alert) -> Decision:
    """Return the decision as it stands once the alert, which had been held, is told."""
    reason = Reason.FIRST if decision.action is not Action.SEND else decision.reason
    return Decision(
        decision.contact,
        alert.at,
        Action.SEND,
        reason,
        alert.assessment.verdict,
        alert.assessment.probability,
    )
