"""Look whether public pages such as team pages still list the contacts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from bot.model import Contact, Family, Json, Kind, Means, NeedsHuman, Observation, SourceDown
from watchers import Batch, Example, Scope, Settings, Watcher
from watchers.web import known_pages
from watchers.web.client import Client, Courtesy, Manners
from watchers.web.findings import Finding, State, Watched
from watchers.web.guard import PUBLIC, Reach, Refused, host_of
from watchers.web.memory import Memory, who
from watchers.web.pace import Pace
from watchers.web.persons import Person
from watchers.web.visits import News, visit

MOST_PAGES = 20
"""Pages of one host that are looked at in one go; the others are due at the next."""
READ_ELSEWHERE = ("github.com",)
"""Sites that have an interface of their own, and a watcher that uses it."""
MOST_QUOTED = 80
"""Characters of a page's own words in a sentence of ours."""
AT_LEAST = timedelta(minutes=1)

_YEAR = timedelta(days=365)
_CONFIRMED = 6.2
"""Likely left, however lately they wrote: seen twice, where the others still are, it is rarely wrong."""
_NAMED_FORMER = 6.4
_NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)

Plan = Mapping[str, Mapping[str, tuple[Watched, ...]]]
"""Whom to look for on which page, by host."""


@dataclass(frozen=True, slots=True)
class PageReport:
    """What one look at one page found that is new."""

    source: str
    url: str
    at: datetime
    news: News


class Page(BaseModel):
    """A page to watch for everybody at an account."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(description="the address of the page")
    account: str = Field(description="the account as the contacts name it, or its mail domain")


def _example(state: State, was: str = "", now: str = "", person: Person | None = None) -> PageReport:
    found = Finding("jane@acme.example", state, "", was, now, person)
    url = "https://www.acme.example/team"
    return PageReport("public_pages:www.acme.example", url, _NOON, News((found,), listed=1))


class PublicPages(Watcher[PageReport]):
    """Public pages such as team pages: still listed, title changed, moved, or gone."""

    name = "public_pages"
    every = timedelta(hours=1)
    remembers = True
    kinds = (
        Kind(
            "page_present",
            Means.ALIVE,
            Family.PUBLIC,
            narrow=True,
            example="listed on www.acme.example/team as VP Sales",
        ),
        Kind(
            "page_title_changed",
            Means.NOTED,
            Family.PUBLIC,
            example="title on www.acme.example/team changed from VP Sales to Advisor",
        ),
        Kind(
            "page_gone",
            Means.GONE,
            Family.PUBLIC,
            weight=_CONFIRMED,
            half_life=_YEAR,
            hard=True,
            example="no longer on www.acme.example/team, where 11 of 12 others still are, since 4 March 2026",
        ),
        Kind(
            "page_former",
            Means.GONE,
            Family.PUBLIC,
            weight=_NAMED_FORMER,
            half_life=_YEAR,
            hard=True,
            example="listed under Alumni on www.acme.example/team since 4 March 2026",
        ),
        Kind(
            "page_moved",
            Means.GONE,
            Family.PUBLIC,
            weight=_CONFIRMED,
            half_life=_YEAR,
            hard=True,
            example="now listed with Globex on jane-doe.example, no longer with Acme",
        ),
    )
    examples = (
        Example(_example(State.PRESENT, person=Person("Jane Doe", "VP Sales")), ("page_present",)),
        Example(_example(State.CHANGED, "VP Sales", "Advisor"), ("page_title_changed",)),
        Example(_example(State.GONE), ("page_gone",)),
        Example(_example(State.GONE, person=Person("Jane Doe", former="Alumni")), ("page_former",)),
        Example(_example(State.MOVED, "Acme", "Globex"), ("page_moved",)),
        Example(_example(State.UNKNOWN), ()),
    )

    class Config(Settings):
        """Which pages are looked at, and how we present ourselves."""

        contact: str = Field(
            default="",
            max_length=200,
            description="a web or mail address at which a webmaster reaches you; every request names it",
        )
        pages: tuple[Page, ...] = Field(default=(), description="pages that list an account's people")
        confirmed: Path = Field(
            default=Path("pages.csv"),
            description="the file of pages that `stillthere pages` found and somebody confirmed",
        )
        pause: float = Field(
            default=2.0, ge=1, le=60, description="seconds between two requests to one host, at least"
        )

    config: Config

    def __init__(
        self,
        config: Settings | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        reach: Reach = PUBLIC,
        courtesy: Courtesy | None = None,
    ) -> None:
        super().__init__(config)
        self._clock = clock
        self._reach = reach
        self._courtesy = courtesy or Courtesy(Pace(clock, timedelta(seconds=self.config.pause)))
        self._planned: tuple[object, Plan] = ((), {})

    def sources(self, scope: Scope) -> Sequence[str]:
        """Name the hosts; without a contact address, nothing is asked."""
        hosts = self._plan(scope)
        if hosts and not self.config.contact:
            return [self.name]
        return [f"{self.name}:{host}" for host in sorted(hosts)]

    async def fetch(self, source: str, cursor: Json, scope: Scope) -> AsyncIterator[Batch[PageReport]]:
        """Look at the pages of one host that are due, the longest waiting first."""
        if not self.config.contact:
            raise NeedsHuman(
                "public pages are not looked at: no contact address is set",
                "set watchers.public_pages.contact to an address at which a webmaster reaches you",
            )
        pages = self._plan(scope).get(source.partition(":")[2], {})
        remembered = cursor if isinstance(cursor, dict) else {}
        memories = {url: Memory.from_json(remembered.get(url)) for url in pages}
        due = [url for url, watched in pages.items() if memories[url].is_due(self._clock(), who(watched))]
        due.sort(key=lambda url: (memories[url].next_look or datetime.min.replace(tzinfo=UTC), url))
        if due:
            reports = []
            async with self.client() as client:
                for url in due[:MOST_PAGES]:
                    now = self._clock()
                    news, memories[url] = await visit(client, url, pages[url], memories[url], now)
                    if news.findings:
                        reports.append(PageReport(source, url, now, news))
            yield Batch(source, reports, {url: memory.as_json() for url, memory in memories.items()})
        unjudged = [(memory.next_look or self._clock(), url, memory.why) for url, memory in memories.items()]
        if unjudged and all(why for *_, why in unjudged):
            next_look, url, why = min(unjudged)
            raise SourceDown(f"{place(url)}: {why}", max(next_look - self._clock(), AT_LEAST))

    def read(self, raw: PageReport, scope: Scope) -> list[Observation]:
        """Say what a look at a page means for each watched person."""
        covered = (found for found in raw.news.findings if scope.covers(found.key))
        return [_observation(raw, found) for found in covered if found.state is not State.UNKNOWN]

    def client(self) -> Client:
        """Return a client that asks in our name; all of them share one patience with every host."""
        return Client(Manners(self.config.contact), self._courtesy, self._clock, self._reach)

    def _plan(self, scope: Scope) -> Plan:
        """Return whom to look for where; it is made anew when the contacts or the pages changed."""
        given = [(page.account, page.url) for page in self.config.pages]
        given += [(page.account, page.url) for page in known_pages.confirmed(self.config.confirmed)]
        if self._planned[0] != (scope.contacts, given):
            self._planned = (scope.contacts, given), plan(scope.contacts, given, self._reach)
        return self._planned[1]


def plan(contacts: Iterable[Contact], given: Iterable[tuple[str, str]], reach: Reach = PUBLIC) -> Plan:
    """Return whom to look for on which page: their own links, and the pages of their account.

    `given` are accounts, by name or mail domain, each with a page. What may not be asked is left out.
    """
    by_account: dict[str, list[str]] = {}
    for account, url in given:
        by_account.setdefault(account.strip().lower(), []).append(url)
    found: dict[str, dict[str, dict[str, Watched]]] = {}
    for contact in contacts:
        if not contact.name:
            continue
        each = Watched(contact.address, contact.name, contact.title, contact.account, contact.address)
        theirs = {contact.account_name.lower(), contact.domain}
        for raw in (*contact.links, *(url for account in theirs for url in by_account.get(account, ()))):
            url = _page(raw, reach)
            if url:
                found.setdefault(host_of(url), {}).setdefault(url, {})[contact.address] = each
    return {
        host: {url: tuple(people[key] for key in sorted(people)) for url, people in pages.items()}
        for host, pages in found.items()
    }


def _page(raw: str, reach: Reach) -> str:
    """Return the address of a page that may be looked at; empty of any other link."""
    try:
        url = str(reach.checked(raw.strip()))
    except Refused:
        return ""
    host = host_of(url)
    return "" if any(host == site or host.endswith(f".{site}") for site in READ_ELSEWHERE) else url


def place(url: str) -> str:
    """Return an address as a sentence names it."""
    return url.partition("://")[2].rstrip("/")[:120]


def _quoted(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MOST_QUOTED else f"{text[: MOST_QUOTED - 1]}\u2026"


def _observation(raw: PageReport, found: Finding) -> Observation:
    """Put one finding in our words; the page's own are kept short and marked."""
    kind, sentence = _worded(found, place(raw.url))
    facts: dict[str, Json] = {"url": raw.url, "listed": raw.news.listed}
    facts |= {name: _quoted(value) for name, value in (("was", found.was), ("now", found.now)) if value}
    if found.state is State.CHANGED:
        facts["changed_together"] = raw.news.changed
    if found.state is State.GONE:
        facts["gone_together"] = raw.news.gone
    if raw.news.notices:
        facts["notices"] = [_quoted(notice) for notice in raw.news.notices[:4]]
    return Observation(
        contact=found.key,
        kind=kind,
        at=raw.at,
        source=raw.source,
        sentence=sentence,
        group=raw.url,
        facts=facts,
        because=(found.reason[:300],) if found.reason else (),
    )


def _worded(found: Finding, where: str) -> tuple[str, str]:
    """Return the kind of a finding, and the sentence that says it."""
    person = found.person
    if found.state is State.CHANGED:
        return "page_title_changed", (
            f"title on {where} changed from {_quoted(found.was)} to {_quoted(found.now)}"
        )
    if found.state is State.MOVED:
        return "page_moved", (
            f"now listed with {_quoted(found.now)} on {where}, no longer with {_quoted(found.was)}"
        )
    if found.state is State.GONE and person is None:
        return "page_gone", f"{found.reason.replace('the page', where, 1) or f'no longer on {where}'}"
    if found.state is State.GONE and person is not None:
        heading = f"under {_quoted(person.former)}" if person.former else f"as {_quoted(person.title)}"
        return "page_former", f"listed {heading} on {where}"
    title = f" as {_quoted(person.title)}" if person is not None and person.title else ""
    return "page_present", f"listed on {where}{title}"
