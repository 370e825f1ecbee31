"""Find pages that list an account's people: links of its first page, usual names, its sitemap.

What is found is only proposed: nothing is watched before somebody has looked at it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from watchers.web.client import Client
from watchers.web.findings import State, Watched
from watchers.web.guard import MOST_URL, host_of
from watchers.web.pages import Fetched, decode, further, unpack
from watchers.web.presence import look_again
from watchers.web.reading import look, open_page
from watchers.web.words import vocabulary

USUAL = ("/team", "/about", "/people", "/leadership", "/about-us", "/our-team", "/company", "/about/team")
MOST_TRIED = 16
"""Pages of one site that are asked for, beside its first page and its sitemaps."""
MOST_PROPOSED = 3
FEWEST_PEOPLE = 3
"""A page that lists none of the watched people lists at least so many others to be proposed."""
MOST_SITEMAPS = 4
MOST_LOCATIONS = 5_000
MOST_NAMED = 3

_LOCATION = re.compile(r"<loc>\s{0,20}([^<\s]{1,2000})\s{0,20}</loc>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A page that may be worth watching: how many people it lists, and which of the watched ones."""

    url: str
    people: int
    found: tuple[str, ...]

    @property
    def why(self) -> str:
        """Say in words what is on it."""
        others = f"lists {self.people} people"
        if not self.found:
            return others
        named = ", ".join(self.found[:MOST_NAMED])
        more = f" and {len(self.found) - MOST_NAMED} more" if len(self.found) > MOST_NAMED else ""
        return f"{others}, among them {named}{more}"


def sites(domain: str) -> tuple[str, ...]:
    """Return where the site of a mail domain may be."""
    return (f"https://www.{domain}/", f"https://{domain}/")


async def discover(client: Client, bases: Sequence[str], watched: Sequence[Watched]) -> list[Proposal]:
    """Return pages that list people at the first of these sites that answers, the likeliest first."""
    home = await _home(client, bases)
    if home is None:
        return []
    found: dict[str, Proposal] = {}
    for url in await _candidates(client, home):
        fetched = (await client.get(url)).fetched
        if _is_same_site(home.final_url, fetched.final_url) and fetched.final_url not in found:
            proposal = await asyncio.to_thread(_judged, fetched, watched)
            if proposal is not None:
                found[proposal.url] = proposal
    ranked = sorted(found.values(), key=lambda each: (-len(each.found), -each.people, each.url))
    return ranked[:MOST_PROPOSED]


async def _home(client: Client, bases: Sequence[str]) -> Fetched | None:
    """Return the first page of the site; None where there is none to be had."""
    for base in bases:
        fetched = (await client.get(base)).fetched
        if fetched.status == 200 and fetched.body:  # noqa: PLR2004 - the answer that is a page
            return fetched
    return None


async def _candidates(client: Client, home: Fetched) -> list[str]:
    """Return the addresses that may be worth a look, the first page last."""
    opened = await asyncio.to_thread(open_page, home)
    linked = further(home, opened.listing.document)
    usual = [urljoin(home.final_url, path) for path in USUAL]
    mapped = await _mapped(client, home.final_url)
    likely = dict.fromkeys([*linked, *mapped, *usual])
    return [*[*likely][:MOST_TRIED], home.final_url]


async def _mapped(client: Client, base: str) -> list[str]:
    """Return the addresses in the sitemaps (sitemaps.org) whose names say that they list people."""
    todo = [*(await client.sitemaps(base)), urljoin(base, "/sitemap.xml")]
    asked: list[str] = []
    found: dict[str, None] = {}
    while todo and len(asked) < MOST_SITEMAPS:
        url = todo.pop(0)
        if url in asked or host_of(url) != host_of(base):
            continue
        asked.append(url)
        fetched = (await client.get(url)).fetched
        for location in locations(fetched):
            if location.partition("?")[0].endswith((".xml", ".xml.gz")):
                todo.append(location)
            elif host_of(location) == host_of(base) and names_people(location):
                found[location] = None
    return sorted(found, key=len)


def locations(fetched: Fetched) -> list[str]:
    """Return the addresses that a sitemap, or an index of sitemaps, names."""
    body = unpack(fetched.body) if fetched.status == 200 else None  # noqa: PLR2004 - as above
    text = decode(body or b"", fetched.header("content-type"))
    found = [match[1].replace("&amp;", "&") for match in _first(_LOCATION, text)]
    return [url for url in found if len(url) <= MOST_URL]


def _first(pattern: re.Pattern[str], text: str) -> Iterable[re.Match[str]]:
    return (match for match, _ in zip(pattern.finditer(text), range(MOST_LOCATIONS), strict=False))


def names_people(url: str) -> bool:
    """Say whether the last part of an address is a name that listings of people have.

    >>> names_people("https://acme.example/about/team/"), names_people("https://acme.example/team/jane-doe")
    (True, False)
    """
    try:
        last = urlsplit(url).path.strip("/").rpartition("/")[2].lower()
    except ValueError:
        return False
    return (last.partition(".")[0]) in vocabulary("team")


def _is_same_site(one: str, other: str) -> bool:
    """Say whether two hosts are one, or the one is below the other."""
    a, b = (host_of(url).removeprefix("www.") for url in (one, other))
    return a == b or a.endswith(f".{b}") or b.endswith(f".{a}")


def _judged(fetched: Fetched, watched: Sequence[Watched]) -> Proposal | None:
    """Return what is to be said of a page; None where it lists nobody."""
    seen = look([fetched])
    if seen.sighting.reason:
        return None
    people = [person for person in seen.sighting.people if not person.former and not person.weak]
    findings = look_again(None, watched, seen.sighting, fetched.day).findings
    present = {found.key for found in findings if found.state is State.PRESENT}
    named = tuple(each.name for each in watched if each.key in present)
    if not named and len(people) < FEWEST_PEOPLE:
        return None
    return Proposal(fetched.final_url, len(people), named)
