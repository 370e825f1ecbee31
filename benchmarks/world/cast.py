"""Who there is: reps, accounts, people, and what happens to them. Nothing here knows how it is judged."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal, TypeVar

from benchmarks.world import names

T = TypeVar("T")

OURS = "vendor.example"
REPS = 10
DAYS_A_YEAR = 365.25

Ending = Literal["reply", "closed", "forwarded", "silent"]
Server = Literal["exchange", "google", "postfix", "exim", "gateway"]

YEARLY_DEPARTURES = 0.20
ENDINGS: tuple[tuple[Ending, float], ...] = (
    ("reply", 0.38),
    ("closed", 0.32),
    ("forwarded", 0.15),
    ("silent", 0.15),
)
SERVERS: tuple[tuple[Server, float], ...] = (
    ("exchange", 0.46),
    ("google", 0.24),
    ("postfix", 0.12),
    ("exim", 0.08),
    ("gateway", 0.10),
)


@dataclass(frozen=True)
class Away:
    """Days, the last included, on which somebody does not work; `says` whether their mailbox says so."""

    first: date
    last: date
    says: bool = False
    dated: bool = True

    def covers(self, day: date) -> bool:
        """Say whether it is on that day."""
        return self.first <= day <= self.last


@dataclass(frozen=True)
class Departure:
    """Somebody's last day, and what their mailbox does then.

    `closes` is when it is closed (None: never), `replies_until` how long it answers. `pulls` says whether
    meetings drift before, `farewell` whether they say goodbye, `slows` how much less they write before.
    """

    last_day: date
    announced: date
    ending: Ending
    closes: date | None
    replies_until: date | None
    pulls: bool
    farewell: bool
    slows: float


@dataclass(frozen=True)
class Rename:
    """Somebody's new address from a day on, and what the old one does: alias, reply or bounce."""

    day: date
    address: str
    last: str
    old: Literal["alias", "reply", "bounce"]


@dataclass
class Person:
    """Somebody at an account; `watched` are the contacts of the team."""

    first: str
    last: str
    address: str
    title: str
    watched: bool
    chance: random.Random
    rate: float
    speed: float
    answers: float
    starts: float
    restless: bool
    aways: list[Away] = field(default_factory=list)
    departure: Departure | None = None
    rename: Rename | None = None
    cooling: list[tuple[date, date]] = field(default_factory=list)
    full: list[tuple[date, date]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Return the full name."""
        return f"{self.first} {self.last}"

    def away(self, day: date) -> Away | None:
        """Return the absence that covers a day."""
        return next((one for one in self.aways if one.covers(day)), None)

    def is_gone(self, day: date) -> bool:
        """Say whether they have left by then."""
        return self.departure is not None and day > self.departure.last_day

    def pulls_away(self, day: date) -> bool:
        """Say whether they are pulling away from us on that day."""
        leaving = self.departure
        before = leaving is not None and leaving.pulls and leaving.announced <= day <= leaving.last_day
        return before or any(first <= day <= last for first, last in self.cooling)


@dataclass(frozen=True)
class Migration:
    """An account's new domain from a day on; the old one takes mail as before, or refuses all of it."""

    day: date
    domain: str
    refuses: bool


@dataclass
class Account:
    """A company: its people, its mail server, its habits and its troubles."""

    name: str
    domain: str
    language: str
    server: Server
    rep: str
    people: list[Person]
    has_page: bool
    chance: random.Random
    shutdowns: list[Away] = field(default_factory=list)
    blocks: list[tuple[date, date]] = field(default_factory=list)
    migration: Migration | None = None

    @property
    def zone(self) -> str:
        """Return the time zone it works in."""
        return names.ZONE[self.language]


@dataclass
class Rep:
    """One of ours."""

    name: str
    address: str
    chance: random.Random
    aways: list[Away]


@dataclass(frozen=True)
class World:
    """Everybody, from the first day to the last; the days before `begins` are only history."""

    first: date
    begins: date
    last: date
    reps: dict[str, Rep]
    accounts: list[Account]

    def watched(self) -> Iterator[tuple[Account, Person]]:
        """Yield the team's contacts."""
        return ((account, one) for account in self.accounts for one in account.people if one.watched)


def populate(seed: int, contacts: int, months: int, history: int) -> World:
    """Make a world with so many contacts; the same seed makes the same world."""
    first = date(2024, 7, 1)
    begins = _months_on(first, history)
    last = _months_on(begins, months) - timedelta(1)
    count = max(1, min(REPS, round(contacts / 100)))
    reps = {}
    for number in range(count):
        chance = random.Random(f"{seed} rep {number}")
        given, family = names.person(chance, "en")
        address = f"{names.plain(given)}.{names.plain(family)}.{number}@{OURS}"
        reps[address] = Rep(f"{given} {family}", address, chance, _aways(chance, first, last, says=0.0))
    accounts: list[Account] = []
    left = contacts
    while left > 0:
        account = _account(seed, len(accounts), list(reps)[len(accounts) % count], left, first, last)
        left -= sum(one.watched for one in account.people)
        accounts.append(account)
    return World(first, begins, last, reps, accounts)


def _account(seed: int, number: int, rep: str, left: int, first: date, last: date) -> Account:
    chance = random.Random(f"{seed} account {number}")
    name = names.company(number)
    language = chance.choice(names.LANGUAGES)
    domain = f"{names.plain(name)}{name[-1] if name[-1].isdigit() else ''}.example"
    style = chance.choices(("first.last", "f.last", "flast"), (6, 2, 1))[0]
    watched = min(left, chance.choices((1, 2, 3, 4, 5, 6, 8), (22, 24, 20, 14, 9, 7, 4))[0])
    account = Account(
        name=name,
        domain=domain,
        language=language,
        server=_weighted(chance, SERVERS),
        rep=rep,
        people=[],
        has_page=chance.random() < 0.4,
        chance=chance,
        shutdowns=_shutdowns(chance, language, first, last),
    )
    taken: set[str] = set()
    for index in range(watched + chance.randint(1, 4)):
        own = random.Random(f"{seed} account {number} person {index}")
        account.people.append(_person(own, account, style, taken, watched=index < watched))
    _happen(account, first, last)
    for one in account.people:
        _live(one, account, first, last)
    return account


def _person(chance: random.Random, account: Account, style: str, taken: set[str], *, watched: bool) -> Person:
    given, family = names.person(chance, account.language)
    local = names.local_part(given, family, style)
    number = 2
    while f"{local}@{account.domain}" in taken:
        local, number = f"{names.local_part(given, family, style)}{number}", number + 1
    address = f"{local}@{account.domain}"
    taken.add(address)
    return Person(
        first=given,
        last=family,
        address=address,
        title=chance.choice(names.TITLES),
        watched=watched,
        chance=chance,
        rate=chance.lognormvariate(math.log(1 / 17), 0.7) * (1.0 if watched else 0.25),
        speed=chance.lognormvariate(0.0, 0.6),
        answers=chance.betavariate(9, 2),
        starts=chance.betavariate(3, 5),
        restless=chance.random() < 0.08,
    )


def _happen(account: Account, first: date, last: date) -> None:
    """Let things happen to an account as a whole."""
    chance, years = account.chance, (last - first).days / DAYS_A_YEAR
    watched = [one for one in account.people if one.watched]
    if chance.random() < 0.03 * years:
        start = _some_day(chance, first, last)
        account.blocks.append((start, start + timedelta(chance.randint(2, 9))))
    if len(watched) >= 3 and chance.random() < 0.04 * years:
        old = account.domain.removesuffix(".example")
        account.migration = Migration(
            _some_day(chance, first + timedelta(60), last), f"{old}-group.example", chance.random() < 0.6
        )
    elif len(watched) >= 4 and chance.random() < 0.02 * years:
        day = _some_day(chance, first + timedelta(120), last)
        for one in chance.sample(watched, k=round(len(watched) * 0.6)):
            one.departure = _departure(one.chance, day - timedelta(chance.randint(0, 4)), laid_off=True)


def _live(one: Person, account: Account, first: date, last: date) -> None:
    """Let things happen to a person."""
    chance, years = one.chance, (last - first).days / DAYS_A_YEAR
    one.aways = _aways(chance, first, last, says=0.72) + [
        Away(shut.first, shut.last, chance.random() < 0.5) for shut in account.shutdowns
    ]
    if chance.random() < 0.02 * years:
        start = _some_day(chance, first, last)
        one.aways.append(
            Away(
                start,
                start + timedelta(chance.randint(60, 240)),
                chance.random() < 0.85,
                chance.random() < 0.6,
            )
        )
    if one.departure is None:
        # Few leave in their first months with us: the contact is new because the person is.
        wait = chance.expovariate(YEARLY_DEPARTURES / DAYS_A_YEAR) + 45
        if wait < (last - first).days:
            one.departure = _departure(chance, first + timedelta(wait), laid_off=False)
    if one.departure is None and account.migration is None and chance.random() < 0.012 * years:
        _rename(one, account, _some_day(chance, first + timedelta(60), last))
    for _ in range(_poisson(chance, 0.10 * years)):
        start = _some_day(chance, first, last)
        one.cooling.append((start, start + timedelta(chance.randint(45, 130))))
    for _ in range(_poisson(chance, 0.03 * years)):
        start = _some_day(chance, first, last)
        one.full.append((start, start + timedelta(chance.randint(1, 8))))


def _departure(chance: random.Random, day: date, *, laid_off: bool) -> Departure:
    while day.weekday() >= 5:
        day -= timedelta(1)
    ending = _weighted(chance, ENDINGS)
    notice = 0 if laid_off else chance.randint(10, 90)
    replies_until = closes = None
    if ending == "reply":
        replies_until = day + timedelta(chance.randint(30, 150))
        closes = replies_until if chance.random() < 0.6 else None
    elif ending == "closed":
        wait = chance.randint(0, 3) if chance.random() < 0.7 else chance.randint(4, 35)
        closes = day + timedelta(wait)
    elif chance.random() < 0.4:
        closes = day + timedelta(chance.randint(60, 200))
    return Departure(
        last_day=day,
        announced=day - timedelta(notice),
        ending=ending,
        closes=closes,
        replies_until=replies_until,
        pulls=not laid_off and chance.random() < 0.4,
        farewell=chance.random() < (0.1 if laid_off else 0.28),
        slows=chance.uniform(0.3, 1.0),
    )


def _rename(one: Person, account: Account, day: date) -> None:
    last = one.chance.choice([name for name in names.LAST[account.language] if name != one.last])
    address = f"{names.local_part(one.first, last, 'first.last')}.n@{account.domain}"
    old = one.chance.choices(("alias", "reply", "bounce"), (70, 18, 12))[0]
    one.rename = Rename(day, address, last, old)  # type: ignore[arg-type]


def _aways(chance: random.Random, first: date, last: date, *, says: float) -> list[Away]:
    """Return somebody's holidays and the odd illness: more in summer than in spring."""
    found = []
    for year in range(first.year, last.year + 1):
        for _ in range(chance.choice((2, 2, 3, 3, 4))):
            month = chance.choices(range(1, 13), (4, 6, 6, 8, 8, 9, 17, 18, 8, 7, 4, 5))[0]
            start = date(year, month, chance.randint(1, 28))
            length = chance.choices((4, 6, 9, 13, 16, 22), (18, 22, 24, 16, 15, 5))[0]
            found.append(Away(start, start + timedelta(length), chance.random() < says))
        if chance.random() < 0.35:
            start = date(year, chance.choice((1, 2, 3, 10, 11, 12)), chance.randint(1, 28))
            found.append(
                Away(start, start + timedelta(chance.randint(1, 9)), chance.random() < says / 3, dated=False)
            )
    return found


def _shutdowns(chance: random.Random, language: str, first: date, last: date) -> list[Away]:
    """Return when the whole company is closed."""
    winter, summer = chance.random() < 0.55, chance.random() < (0.3 if language in {"fr", "es"} else 0.06)
    found = []
    for year in range(first.year, last.year + 1):
        if winter:
            found.append(Away(date(year, 12, 23), date(year + 1, 1, chance.randint(1, 6))))
        if summer:
            found.append(Away(date(year, 8, 3), date(year, 8, 3) + timedelta(chance.choice((13, 20)))))
    return found


def _some_day(chance: random.Random, first: date, last: date) -> date:
    return first + timedelta(chance.randrange(max(1, (last - first).days)))


def _months_on(day: date, months: int) -> date:
    total = day.year * 12 + day.month - 1 + months
    return date(total // 12, total % 12 + 1, 1)


def _poisson(chance: random.Random, mean: float) -> int:
    limit, count, product = math.exp(-mean), 0, chance.random()
    while product > limit:
        count, product = count + 1, product * chance.random()
    return count


def _weighted(chance: random.Random, table: Sequence[tuple[T, float]]) -> T:
    return chance.choices([value for value, _ in table], [weight for _, weight in table])[0]
