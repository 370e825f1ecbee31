"""Name the people of a case in full or by their initials, as its channel allows. Pure.

In a channel where names are kept short, what comes from outside is searched for them too: the people we know
of, by any part of their name, and every address. What only one person sees names people in full.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from bot.model import Alert, Contact, Suggestion
from bot.slack import mrkdwn
from bot.slack.mrkdwn import clean, mailto

Names = Literal["full", "initials"]

SOMEBODY = "somebody"

_ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@([\w-]{1,63}(?:\.[\w-]{1,63}){1,8})")
_PARTS = re.compile(r"[^\W\d_]+")
_READ = 200  # characters of a name that are looked at
_SHORTEST = 3  # a shorter part of a name is too often another word
_MOST = 40  # parts of names that are looked for in one case


def initials(name: str, address: str = "") -> str:
    """Return `J. D.` for Jane Doe, from the address where no name is known."""
    parts = _PARTS.findall(clean(name[:_READ])) or _PARTS.findall(address[:_READ].partition("@")[0])
    ends = parts[:1] + parts[1:][-1:]
    return " ".join(f"{part[0].upper()}." for part in ends) or SOMEBODY


@dataclass(frozen=True)
class Naming:
    """How the people of one case are named: the contact and whom we suggest."""

    names: Names = "full"
    people: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, raised: Alert, names: Names) -> Naming:
        """Return the naming of everybody whom an alert knows by name."""
        known: list[Contact | Suggestion] = [raised.contact, *raised.assessment.suggestions]
        return cls(names, tuple((one.name[:_READ], one.address[:_READ]) for one in known))

    def quote(self, text: str, limit: int = 200) -> str:
        """Return text from outside, harmless in mrkdwn, with people named as agreed."""
        return mrkdwn.quote(self._short(text[: 4 * limit]), limit)

    def source(self, name: str, limit: int = 80) -> str:
        """Return where something was seen; our own mailboxes keep their address."""
        short = self.names == "initials" and self._known
        return mrkdwn.quote(self._replaced(name[: 4 * limit]) if short else name, limit)

    def name(self, person: Contact | Suggestion, limit: int = 80) -> str:
        """Return the person's name, or the address where none is known (mrkdwn)."""
        if self.names == "initials":
            return mrkdwn.quote(initials(person.name, person.address), limit)
        return mrkdwn.quote(person.name, limit) or mrkdwn.quote(person.address, limit)

    def link(self, person: Suggestion) -> str:
        """Return the name as a link that writes to them; in a channel without names, no link (mrkdwn)."""
        full = self.names == "full"
        return mailto(person.address, person.name or person.address) if full else self.name(person)

    def plain(self, person: Contact | Suggestion, limit: int) -> str:
        """Return the name for a button or an option, where nothing formats."""
        short = self.names == "initials"
        shown = initials(person.name, person.address) if short else clean(person.name) or person.address
        return mrkdwn.plain(shown, limit)

    def _short(self, text: str) -> str:
        if self.names == "full":
            return text
        shown = self._replaced(text) if self._known else text
        return _ADDRESS.sub(lambda found: f"an address at {found[1]}", shown)

    def _replaced(self, text: str) -> str:
        return self._pattern.sub(lambda found: self._known.get(found[0].casefold(), SOMEBODY), text)

    @cached_property
    def _known(self) -> dict[str, str]:
        """Return what each name, address and part of a name is replaced by."""
        found: dict[str, str] = {}
        for name, address in self.people:
            short = initials(name, address)
            whole = clean(name)
            for written in (whole, address):
                if written:
                    found.setdefault(written.casefold(), short)
            for part in _parts(whole):
                found.setdefault(part.casefold(), f"{part[0].upper()}.")
        return dict(list(found.items())[:_MOST])

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        longest_first = sorted(self._known, key=len, reverse=True)
        return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)


def _parts(name: str) -> Iterable[str]:
    return (part for part in _PARTS.findall(name) if len(part) >= _SHORTEST)
