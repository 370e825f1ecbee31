"""What a look at a page is made of: whom to look for, what was seen, what is to be said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from watchers.web.persons import Person

Kept = dict[str, Any]


class State(StrEnum):
    """What a look concluded of a person; CHANGED and MOVED are said once, GONE until they are seen again."""

    PRESENT = "present"
    GONE = "gone"
    CHANGED = "changed"
    MOVED = "moved"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Watched:
    """A person to look for, as the CRM knows them; `key` is the caller's, an address for instance."""

    key: str
    name: str
    title: str = ""
    company: str = ""
    email: str = ""


def _no_guess() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A page as read. `reason` says why it could not be read, empty where it could.

    `guess` says what the page looks like if it is not the listing; that takes long and is seldom asked for.
    `gaps` are signs that the page shows less than its list; `unread` that pages which hold the rest could
    not be had; `detour` that another page than the one asked for was answered.
    """

    people: tuple[Person, ...] = ()
    reason: str = ""
    guess: Callable[[], str] = _no_guess
    gaps: frozenset[str] = frozenset()
    unread: bool = False
    detour: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is to be said of one person after a look, and why; `was` and `now` hold a title or an employer."""

    key: str
    state: State
    reason: str
    was: str = ""
    now: str = ""
    person: Person | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """All that one look found: a finding for each person, and notices that concern the whole page."""

    findings: tuple[Finding, ...]
    state: Kept
    notices: tuple[str, ...] = ()
