"""From what was fetched to a sighting: the people on a page and on those that complete it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from watchers.web.blocks import Document
from watchers.web.findings import Sighting
from watchers.web.pages import (
    MOST_FURTHER,
    Fetched,
    decode,
    further,
    gaps,
    guess,
    paging,
    refused,
    unpack,
    went_home,
)
from watchers.web.people import Listing, from_json, read
from watchers.web.persons import Person

_PASSABLE = ("page not found",)


@dataclass(frozen=True, slots=True)
class Opened:
    """One answer, read: the listing, or why there is none."""

    fetched: Fetched
    listing: Listing
    reason: str
    gaps: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Look:
    """A sighting, and the addresses that may hold the rest of the listing, for whoever misses somebody."""

    sighting: Sighting
    wanted: tuple[str, ...] = ()


def open_page(fetched: Fetched) -> Opened:
    """Read one answer. Whatever a server sends is read or refused with a reason; nothing raises."""
    reason = refused(fetched)
    if reason and not reason.startswith(_PASSABLE):
        return Opened(fetched, Listing(Document(), ()), reason)
    body = unpack(fetched.body)
    if body is None:
        return Opened(fetched, Listing(Document(), ()), "larger than we read")
    text = decode(body, fetched.header("content-type"))
    listing = from_json(text) if text.lstrip()[:1] in {"{", "["} else read(text)
    return Opened(fetched, listing, reason, gaps(fetched, text, listing.document))


def look(fetched: Sequence[Fetched]) -> Look:
    """Read a page, given first, together with further pages that were fetched to complete it."""
    return put_together([open_page(each) for each in fetched])


def put_together(opened: Sequence[Opened]) -> Look:
    """Return what pages that were read, the one asked for first, show together."""
    first = opened[0]
    read_ones = [each for each in opened if not each.reason]
    wanted = _wanted(opened)
    if not read_ones:
        return Look(Sighting(reason=first.reason, url=first.fetched.final_url), wanted)
    people: list[Person] = []
    for each in read_ones:
        people += each.listing.people
    had = {each.fetched.url for each in read_ones} | {each.fetched.final_url for each in read_ones}
    needed = [url for each in read_ones for url in paging(each.fetched, each.listing.document)]
    main = read_ones[0]
    return Look(
        Sighting(
            people=tuple(people),
            guess=partial(guess, first.fetched, first.listing.document),
            gaps=main.gaps,
            unread=any(url not in had for url in needed),
            detour=went_home(main.fetched) and first is main,
            url=main.fetched.final_url,
        ),
        wanted,
    )


def _wanted(opened: Sequence[Opened]) -> tuple[str, ...]:
    """Return what else to fetch: never more in all than `MOST_FURTHER`."""
    had = {each.fetched.url for each in opened} | {each.fetched.final_url for each in opened}
    wanted: list[str] = []
    for number, each in enumerate(opened):
        document = each.listing.document
        found = (
            further(each.fetched, document) if number == 0 or each.reason else paging(each.fetched, document)
        )
        if number and _is_home(each.fetched):
            found = further(each.fetched, document)
        wanted += [url for url in found if url not in had and url not in wanted]
    return tuple(wanted[: max(0, MOST_FURTHER + 1 - len(opened))])


def _is_home(fetched: Fetched) -> bool:
    return fetched.url.rstrip("/").count("/") == 2  # noqa: PLR2004 - "https://host"
