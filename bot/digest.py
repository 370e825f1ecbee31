"""Choose what goes into a rep's week. Pure: time is passed in, and nothing here knows of Slack.

Everything is about the rep's own people. Each of them is told of once, where they matter most: what waits
for a decision comes first. Only what a deal hangs on, and who cannot be seen, is said besides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot import stats
from bot.alerts import GRAVITY
from bot.audit import draw
from bot.coverage import Coverage, Gap, gaps
from bot.exposure import InTouch, has_open_deal, in_touch, stake
from bot.model import Action, Alert, Case, Choice, Contact, Person, Reason, Verdict, Watched
from bot.stats import Precision, Tally

NO_ANSWERS = Precision("")


@dataclass(frozen=True, slots=True)
class Due:
    """A case that waits for a decision: its newest alert, and why that was held back where it was."""

    case: Case
    alert: Alert
    held: Reason | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Of whom something else is thought than before."""

    watched: Watched
    before: Verdict


@dataclass(frozen=True, slots=True)
class Held:
    """What was not told when it happened, and why."""

    watched: Watched
    reason: Reason


@dataclass(frozen=True, slots=True)
class Week:
    """A rep's week; `people` is how many are watched for them.

    `alone` are the contacts without whom a deal has nobody left. `away` is who is on leave, by return. `ask`
    is who never alarmed and whom the rep is asked about.
    """

    people: int
    due: tuple[Due, ...] = ()
    changes: tuple[Change, ...] = ()
    slipping: tuple[Watched, ...] = ()
    alone: tuple[Contact, ...] = ()
    quiet: tuple[Watched, ...] = ()
    away: tuple[Watched, ...] = ()
    unchecked: tuple[Gap, ...] = ()
    held: tuple[Held, ...] = ()
    precision: tuple[Precision, ...] = ()
    overall: Precision = NO_ANSWERS
    quarter: tuple[Tally, ...] = ()
    ask: Contact | None = None

    @property
    def is_silent(self) -> bool:
        """Say whether there is nothing to tell."""
        told = (self.due, self.changes, self.slipping, self.alone, self.quiet)
        return not any((*told, self.away, self.unchecked, self.held))


@dataclass(frozen=True, slots=True)
class Own:
    """One of the rep's people, as a list shows them and with all that is kept of them."""

    watched: Watched
    person: Person


@dataclass(frozen=True, slots=True)
class Book:
    """What a rep's week is made of.

    `around` holds everybody known at each account, by its name; `notices` the cases of whole accounts. `rep`
    is their Slack user id.
    """

    people: Sequence[Own]
    around: Mapping[str, Collection[Person]]
    notices: Sequence[Case] = ()
    coverage: Coverage = field(default_factory=Coverage)
    rep: str = ""


def week(book: Book, since: datetime, now: datetime) -> Week:
    """Return what changed since `since`, and what stands now; `now` is in the rep's time zone."""
    cases = [*(case for own in book.people for case in own.person.cases), *book.notices]
    due = _due(book, now.date())
    told = {one.case.contact for one in due}
    rest = [own for own in book.people if own.person.address not in told]
    changes = [change for own in rest if (change := _change(own, since))]
    held = [back for own in rest if (back := _held(own))]
    told = {change.watched.contact.address for change in changes}
    told |= {back.watched.contact.address for back in held}
    calm = [own.watched for own in rest if own.person.address not in told]
    return Week(
        people=len(book.people),
        due=tuple(due),
        changes=tuple(changes),
        slipping=_are(Verdict.SLIPPING, calm),
        alone=tuple(_alone(book, now)),
        quiet=_are(Verdict.QUIET, calm),
        away=tuple(sorted(_are(Verdict.ON_LEAVE, calm), key=lambda one: one.returns or date.max)),
        unchecked=tuple(gaps((own.watched for own in book.people), book.coverage)),
        held=tuple(held),
        precision=tuple(stats.precision(cases, now)),
        overall=stats.overall(cases, now),
        quarter=tuple(stats.quarter(cases, now)),
        ask=draw((own.person for own in book.people), book.rep, monday_of(now.date()), now),
    )


def due_at(now: datetime, zone: ZoneInfo, day: int, hour: int) -> tuple[date, datetime]:
    """Return the Monday of the week it is in that zone, and the moment (UTC) at which its digest is due.

    An hour that the change to summer time leaves out comes an hour later by the clock; of one that comes
    twice, the first counts.

    >>> due_at(datetime(2026, 8, 6, tzinfo=UTC), ZoneInfo("Europe/Berlin"), 0, 8)[1].isoformat()
    '2026-08-03T06:00:00+00:00'
    """
    monday = monday_of(now.astimezone(zone).date())
    return monday, datetime.combine(monday + timedelta(days=day), time(hour), zone).astimezone(UTC)


def monday_of(day: date) -> date:
    """Return the first day of the week."""
    return day - timedelta(days=day.weekday())


def waits(case: Case, today: date) -> bool:
    """Say whether a case waits for a word: a snooze ended, or nobody is on it as it was last told."""
    word = case.settled
    if word is None:
        return not case.is_taken
    return word.choice is Choice.SNOOZE and word.until is not None and word.until <= today


def gravity(verdict: Verdict) -> int:
    """Rank a verdict: the gravest highest, 0 for what raises no alert."""
    return GRAVITY.get(verdict, 0)


def _due(book: Book, today: date) -> list[Due]:
    """Return what waits for a decision, gravest and oldest first."""
    latest = [
        own.person.cases[-1] for own in book.people if own.person.cases and gravity(own.watched.verdict)
    ]
    found = [case for case in (*latest, *book.notices) if waits(case, today)]
    found.sort(key=lambda case: (-gravity(case.alert.assessment.verdict), case.alert.at, case.key))
    return [Due(case, case.alert, case.deliveries[-1].held) for case in found]


def _change(own: Own, since: datetime) -> Change | None:
    """Return what is thought of somebody otherwise than at `since`; whoever is new has changed nothing."""
    before = [decision for decision in own.person.decisions if decision.at <= since]
    if not before or own.person.assessment is None or before[-1].verdict is own.watched.verdict:
        return None
    return Change(own.watched, before[-1].verdict)


def _held(own: Own) -> Held | None:
    decision = own.person.decisions[-1] if own.person.decisions else None
    if decision is None or not gravity(own.watched.verdict):
        return None
    return Held(own.watched, decision.reason) if decision.action is Action.DIGEST else None


def _alone(book: Book, now: datetime) -> Iterable[Contact]:
    """Return who is the last active contact of a deal, the largest deal first: without them nobody is left.

    Of somebody whom we cannot see, we cannot say it either.
    """
    there: dict[str, tuple[InTouch, ...]] = {}
    for own in sorted(book.people, key=lambda own: -stake(own.watched.contact)):
        contact = own.watched.contact
        if not has_open_deal(contact) or own.watched.verdict in {Verdict.LEFT, Verdict.UNCHECKED}:
            continue
        account = contact.account_name
        if account not in there:
            there[account] = in_touch(book.around.get(account, ()), now)
        if all(contact.address in one.addresses for one in there[account]):
            yield contact


def _are(verdict: Verdict, watched: Iterable[Watched]) -> tuple[Watched, ...]:
    return tuple(one for one in watched if one.verdict is verdict)
