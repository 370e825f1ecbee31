"""Ask a data provider where contacts work now, with the operator's own key and within a budget.

Experimental: no server but our own stand-in has answered it yet.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from pydantic import Field

from bot.model import Contact, Family, Json, Kind, Means, NeedsHuman, Observation, SourceDown
from watchers import Batch, Example, Scope, Settings, Watcher, under
from watchers.profiles.colleagues import are_colleagues, is_shared
from watchers.profiles.people_data_labs import PeopleDataLabs
from watchers.profiles.provider import Provider, Record
from watchers.profiles.words import is_account, names_of
from watchers.web.titles import same_title

MOST_AT_ONCE = 50
"""People in one pass: below what a free key may ask in a minute."""
MOST_QUOTED = 80

_YEAR = timedelta(days=365)
_NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)
_HERE, _MOVED, _RENAMED, _TITLE = "here", "moved", "renamed", "title"

PROVIDERS: Mapping[str, Callable[..., Provider]] = {"people_data_labs": PeopleDataLabs}
"""A second provider is one class with `look_up`, named here and in `Config.provider`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """News of one record: its employer and title, and the title before."""

    contact: str
    kind: str
    account: str
    provider: str
    employer: str
    title: str
    was: str
    since: date | None
    likelihood: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """What is remembered of one contact's record. `fresh` says that it was not judged yet."""

    next_look: str = ""
    employer: str = ""
    site: str = ""
    title: str = ""
    since: str = ""
    changed: str = ""
    likelihood: int = 0
    title_before: str = ""
    was_here: bool = False
    told: str = ""
    fresh: bool = False

    @classmethod
    def from_json(cls, value: object) -> Kept:
        """Read what was remembered; of anything else nothing is."""
        try:
            return cls(**value) if isinstance(value, dict) else cls()
        except TypeError:
            return cls()

    def with_record(self, record: Record | None, next_look: datetime) -> Kept:
        """Return it after a look-up. Nobody found changes nothing but when to look again."""
        looked = replace(self, next_look=next_look.isoformat())
        if record is None:
            return looked
        return replace(
            looked,
            employer=record.employer,
            site=record.site,
            title=record.title or self.title,
            since=record.since.isoformat() if record.since else "",
            changed=record.changed.isoformat() if record.changed else "",
            likelihood=record.likelihood,
            title_before=self.title,
            fresh=True,
        )


@dataclass(frozen=True, slots=True)
class Spent:
    """How many calls were made in a month, such as "2026-03"."""

    month: str = ""
    calls: int = 0

    def left(self, now: datetime, budget: int) -> int:
        """Return how many calls the month still holds."""
        return budget - (self.calls if self.month == f"{now:%Y-%m}" else 0)

    def one_more(self, now: datetime) -> Spent:
        """Return it after another call."""
        month = f"{now:%Y-%m}"
        return Spent(month, self.calls + 1 if self.month == month else 1)


class DataProvider(Watcher[Entry]):
    """A data provider's records, with your own key: another employer or title (experimental)."""

    name = "data_provider"
    every = timedelta(hours=6)
    remembers = True
    kinds = (
        Kind(
            "record_present",
            Means.ALIVE,
            Family.PUBLIC,
            narrow=True,
            example="People Data Labs lists them with Acme as VP Sales",
        ),
        Kind(
            "record_title_changed",
            Means.NOTED,
            Family.PUBLIC,
            example="title at People Data Labs changed from VP Sales to Advisor",
        ),
        Kind(
            "record_moved",
            Means.GONE,
            Family.PUBLIC,
            weight=4.8,
            half_life=_YEAR,
            hard=True,
            example="People Data Labs lists them with Globex since 1 April 2026, no longer with Acme",
        ),
        Kind(
            "record_renamed",
            Means.NOTED,
            Family.PUBLIC,
            example="People Data Labs lists them and others of Acme with Globex: renamed, or a parent",
        ),
    )
    examples = tuple(
        Example(
            Entry(
                "jane@acme.example", kind, "Acme", "PDL", "Globex", "VP", "CEO", date(2026, 3, 1), 9, _NOON
            ),
            (said,),
        )
        for kind, said in (
            (_HERE, "record_present"),
            (_TITLE, "record_title_changed"),
            (_MOVED, "record_moved"),
            (_RENAMED, "record_renamed"),
        )
    )

    class Config(Settings):
        """Which provider is asked, for whom, and what it may cost."""

        provider: Literal["people_data_labs"] = Field(
            default="people_data_labs", description="whose records are read"
        )
        key_env: str = Field(default="PDL_API_KEY", description="the variable with your own key")
        contacts: Literal["open_deals", "all"] = Field(
            default="open_deals", description="who is looked up: contacts with an open deal, or everybody"
        )
        calls_a_month: int = Field(
            default=100,
            ge=1,
            le=1_000_000,
            description="calls in a calendar month (UTC) at most: they cost money",
        )
        days: int = Field(default=30, ge=1, le=365, description="days between two look-ups of one contact")
        min_likelihood: int = Field(
            default=7, ge=1, le=10, description="how sure the provider must be that it is them, of 10"
        )
        api: str = Field(
            default="",
            pattern=r"^(https?://.*)?$",
            description="the address of the interface, if not the usual",
        )

    config: Config

    def __init__(
        self, config: Settings | None = None, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(config)
        self._clock = clock

    def sources(self, scope: Scope) -> Sequence[str]:
        """Name the provider where there is anybody to look up."""
        return [self.name] if any(map(self._is_wanted, scope.contacts)) else []

    async def fetch(self, source: str, cursor: Json, scope: Scope) -> AsyncIterator[Batch[Entry]]:
        """Look up who is due, the longest waiting first, as long as the month's budget lasts."""
        contacts = {one.address: one for one in scope.contacts if self._is_wanted(one)}
        people, spent = _remembered(cursor, contacts)
        now = self._clock()
        due = [one for one, kept in people.items() if not kept.next_look or kept.next_look <= now.isoformat()]
        due.sort(key=lambda address: (people[address].next_look, address))
        async with self._provider() as provider:
            for address in due[: max(0, min(MOST_AT_ONCE, spent.left(now, self.config.calls_a_month)))]:
                now = self._clock()
                try:
                    record = await provider.look_up(contacts[address])
                except SourceDown:
                    # Whoever it fails for goes last: one bad record must not stand before the others.
                    people[address] = replace(people[address], next_look=now.isoformat())
                    yield Batch(source, [], _memory(people, spent))
                    raise
                spent = spent.one_more(now)
                people[address] = people[address].with_record(record, now + timedelta(days=self.config.days))
                yield Batch(source, [], _memory(people, spent))
            news: list[Entry] = []
            for address, kept in people.items():
                if kept.fresh:
                    contact = contacts[address]
                    colleagues = [people[one] for one in contacts if are_colleagues(contact, contacts[one])]
                    people[address], said = concluded(contact, kept, colleagues, provider.label, now)
                    news += said
            yield Batch(source, news, _memory(people, spent))

    def _is_wanted(self, contact: Contact) -> bool:
        return self.config.contacts == "all" or contact.deal is not None

    def _provider(self) -> Provider:
        key = os.environ.get(self.config.key_env, "").strip()
        if not key:
            raise NeedsHuman(
                f"{self.config.key_env} is not set", "put your key there, or remove watchers.data_provider"
            )
        config = self.config
        return PROVIDERS[config.provider](key, config.key_env, config.min_likelihood, config.api)

    def read(self, raw: Entry, scope: Scope) -> list[Observation]:
        """Say what is new in a record."""
        if not scope.covers(raw.contact):
            return []
        kind, sentence = _worded(raw)
        facts: dict[str, Json] = {"likelihood": raw.likelihood}
        facts |= {key: value for key, value in _named(raw).items() if value}
        because = f"the provider is sure by {raw.likelihood} of 10 that the record is theirs"
        return [
            Observation(
                contact=raw.contact,
                kind=kind,
                at=raw.at,
                source=self.name,
                sentence=sentence,
                group=raw.provider,
                facts=facts,
                because=(because,),
            )
        ]


def concluded(
    contact: Contact, kept: Kept, colleagues: Sequence[Kept], provider: str, now: datetime
) -> tuple[Kept, list[Entry]]:
    """Return what to remember, and what is new in a record.

    Another employer counts where an earlier record named the account, or where the record dates the change.
    Where most colleagues' records name the same other employer, it is a parent, or theirs was renamed.
    """
    is_here = _is_here(contact, kept)
    kinds: list[str] = []
    if is_here:
        retitled = bool(kept.title_before) and not same_title(kept.title_before, kept.title)
        kinds = [_TITLE] if retitled else []
        kinds += [_HERE] if kept.told != _HERE else []
        fact = _HERE
    elif is_shared(kept.employer, (one.employer for one in colleagues if one.employer)):
        fact = f"{_RENAMED} {kept.employer}"
        kinds = [_RENAMED] if kept.told != fact else []
    elif kept.was_here or kept.since or kept.changed:
        fact = f"{_MOVED} {kept.employer}"
        kinds = [_MOVED] if kept.told != fact else []
    else:
        fact = kept.told
    news = [_entry(contact, kept, kind, provider, now) for kind in kinds]
    return replace(kept, fresh=False, told=fact, was_here=kept.was_here or is_here), news


def _is_here(contact: Contact, kept: Kept) -> bool:
    site = kept.site.removeprefix("www.").partition("/")[0]
    by_site = bool(site) and (
        under(site, frozenset({contact.domain})) or under(contact.domain, frozenset({site}))
    )
    return by_site or is_account(kept.employer, names_of(contact))


def _entry(contact: Contact, kept: Kept, kind: str, provider: str, now: datetime) -> Entry:
    """Return the news, dated by the record where it dates a move: what happened after speaks against it."""
    since = date.fromisoformat(kept.since) if kept.since else None
    dated = [date.fromisoformat(value) for value in (kept.since, kept.changed) if value]
    happened = max((datetime.combine(each, time(), UTC) for each in dated), default=now)
    return Entry(
        contact=contact.address,
        kind=kind,
        account=contact.account_name,
        provider=provider,
        employer=kept.employer[:MOST_QUOTED],
        title=kept.title[:MOST_QUOTED],
        was=kept.title_before[:MOST_QUOTED],
        since=since,
        likelihood=kept.likelihood,
        at=min(happened, now) if kind == _MOVED else now,
    )


def _named(raw: Entry) -> dict[str, Json]:
    """Return the facts that a kind of news carries."""
    if raw.kind == _TITLE:
        return {"was": raw.was, "now": raw.title}
    since = raw.since.isoformat() if raw.since else ""
    return (
        {"now": raw.employer, "title": raw.title, "since": since}
        if raw.kind != _HERE
        else {"title": raw.title}
    )


def _worded(raw: Entry) -> tuple[str, str]:
    """Return the kind and the sentence."""
    title = f" as {raw.title}" if raw.title else ""
    if raw.kind == _HERE:
        return "record_present", f"{raw.provider} lists them with {raw.account}{title}"
    if raw.kind == _TITLE:
        return "record_title_changed", f"title at {raw.provider} changed from {raw.was} to {raw.title}"
    if raw.kind == _RENAMED:
        said = f"{raw.provider} lists them and others of {raw.account} with {raw.employer}"
        return "record_renamed", f"{said}: renamed, or a parent"
    since = f" since {raw.since:%-d %B %Y}" if raw.since else ""
    said = f"{raw.provider} lists them with {raw.employer}{title}{since}"
    return "record_moved", f"{said}, no longer with {raw.account}"


def _remembered(cursor: Json, contacts: Mapping[str, Contact]) -> tuple[dict[str, Kept], Spent]:
    """Return what is known of those who are still to be looked up, and what was spent."""
    kept: Mapping[str, Any] = cursor if isinstance(cursor, dict) else {}
    people, month, calls = kept.get("people"), kept.get("month"), kept.get("calls")
    known = people if isinstance(people, dict) else {}
    spent = Spent(month, calls) if isinstance(month, str) and isinstance(calls, int) else Spent()
    return {address: Kept.from_json(known.get(address)) for address in contacts}, spent


def _memory(people: Mapping[str, Kept], spent: Spent) -> Json:
    return {**asdict(spent), "people": {address: asdict(kept) for address, kept in people.items()}}
