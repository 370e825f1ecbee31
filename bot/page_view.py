"""Say what one page shows: of one person, in which state and why; or of everybody it lists. Pure.

The state is the watcher's own (`watchers.web.presence`), with one difference: the watcher wants a second look
at least a day later before it says that something changed, and here the same page is taken for both looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from urllib.parse import urljoin, urlsplit

from bot.model import Json
from watchers.web.findings import Finding, Kept, Report, Sighting, State, Watched
from watchers.web.matching import Matcher, Sought
from watchers.web.persons import Person
from watchers.web.presence import look_again

A_DAY = timedelta(days=1)
_KEY = "person"
_NO_COPY = (
    "nobody of that name is listed; whether they ever were, only an earlier copy of the page could tell"
)


class Seen(StrEnum):
    """What a page says of a person."""

    PRESENT = "present"
    CHANGED = "title changed"
    FORMER = "former"
    GONE = "gone"
    MOVED = "moved"
    UNKNOWN = "unknown"


_SEEN = {
    State.PRESENT: Seen.PRESENT,
    State.CHANGED: Seen.CHANGED,
    State.GONE: Seen.GONE,
    State.MOVED: Seen.MOVED,
    State.UNKNOWN: Seen.UNKNOWN,
}

ALARMS = frozenset((Seen.CHANGED, Seen.FORMER, Seen.GONE, Seen.MOVED))
"""What the watcher says only after a second look, at least a day later."""


@dataclass(frozen=True, slots=True)
class View:
    """What a page shows of the person who was looked for, and who else stands on it.

    `was` and `now` are the titles or employers that differ, empty where none do. `notices` concern the whole
    page.
    """

    name: str
    state: Seen
    reason: str
    person: Person | None
    others: tuple[Person, ...]
    was: str = ""
    now: str = ""
    notices: tuple[str, ...] = ()

    def as_json(self, url: str) -> dict[str, Json]:
        """Return the line for machines."""
        return {
            "url": url,
            "name": self.name,
            "state": str(self.state),
            "reason": self.reason,
            "was": self.was,
            "now": self.now,
            "person": line_of(self.person, url) if self.person else None,
            "others": len(self.others),
            "notices": list(self.notices),
        }


def listed(seen: Sighting) -> tuple[Person, ...]:
    """Return the people of a page; names that merely stand somewhere in it are none."""
    return tuple(person for person in seen.people if not person.weak)


def likely(seen: Sighting) -> str:
    """Return what a page on which nobody is listed looks like."""
    guess = seen.guess()
    is_wall = guess and not guess.startswith("not the listing")
    return guess if is_wall else "no names with titles, photos or headings of a team"


def view(watched: Watched, now: Sighting, day: date, before: Sighting | None = None) -> View:
    """Say what a page shows of a person, compared with an earlier copy where there is one.

    Without one, the title and employer that are known of the person stand in its place.
    """
    watched = Watched(_KEY, watched.name, watched.title, watched.company, watched.email)
    state = _remembered(watched) if before is None else look_again(None, [watched], before, day - A_DAY).state
    known = state.get("people", {}).get(_KEY, {})
    report = look_again(look_again(state, [watched], now, day).state, [watched], now, day + A_DAY)
    found = report.findings[0]
    person = found.person or _named(watched, now)
    others = tuple(each for each in listed(now) if each is not person)
    seen, reason = _said(found, person, was_seen=bool(known.get("seen")), copy=before is not None)
    if seen is Seen.GONE:
        person = None
    return View(watched.name, seen, reason, person, others, found.was, found.now, _notices(report))


def _remembered(watched: Watched) -> Kept:
    """Return the state of a page that showed the person with what is known of them."""
    if not watched.title and not watched.company:
        return {}
    known = {
        "name": watched.name,
        "title": watched.title,
        "org": watched.company,
        "seen": date.min.isoformat(),
    }
    return {"people": {_KEY: known}}


def _said(found: Finding, person: Person | None, *, was_seen: bool, copy: bool) -> tuple[Seen, str]:
    """Return the state in our words, and why."""
    reason = found.reason.partition(", since ")[0]
    if found.state is State.GONE and person is not None:
        return Seen.FORMER, reason
    if found.state is not State.UNKNOWN:
        return _SEEN[found.state], reason
    if person is not None and person.weak:
        return Seen.UNKNOWN, "the name stands on the page, but in no place where it lists people"
    if copy and not was_seen:
        return Seen.UNKNOWN, "the earlier copy does not list them either"
    if not copy and reason.startswith(("never seen", "not the listing")):
        return Seen.UNKNOWN, _NO_COPY
    return Seen.UNKNOWN, reason


def _named(watched: Watched, seen: Sighting) -> Person | None:
    """Return who bears the name, wherever on the page."""
    match = Matcher(seen.people).run([Sought(_KEY, (watched.name,))]).get(_KEY)
    return match.person if match else None


def _notices(report: Report) -> tuple[str, ...]:
    return tuple(dict.fromkeys(report.notices))


def line_of(person: Person, url: str) -> dict[str, Json]:
    """Return what is known of a listed person, for machines; links lead on from `url`."""
    return {
        "name": person.name,
        "title": person.title,
        "employer": person.org,
        "section": person.section,
        "former": bool(person.former),
        "email": person.email,
        "link": reached(person.link, url),
        "profile": reached(person.handle, url),
        "found_in": person.source,
    }


def reached(link: str, url: str) -> str:
    """Return where a link of a page leads; empty of what is no address of the web.

    On a page that was saved as a file, a link within its site stays as it is written.

    >>> reached("/people/jane", "https://acme.example/team"), reached("javascript:void(0)", "https://a.example")
    ('https://acme.example/people/jane', '')
    """
    try:
        whole = urljoin(url, link) if link and "://" in url else link
        parts = urlsplit(whole)
    except ValueError:
        return ""
    return whole if parts.scheme in {"http", "https", ""} else ""


def by_section(people: Sequence[Person]) -> Iterator[tuple[str, list[Person]]]:
    """Group people by the heading they stand under, in the page's order; those who left come last."""
    groups: dict[tuple[bool, str], list[Person]] = {}
    for person in people:
        groups.setdefault((bool(person.former), person.section), []).append(person)
    for (_, section), members in sorted(groups.items(), key=lambda group: group[0][0]):
        yield section, members
