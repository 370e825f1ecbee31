"""Choose whom to turn to at the account, with reasons. Pure: time is passed in.

Candidates are people the team knows already: the successor that a reply names, colleagues on its mails and
invitations, whoever answered instead, the contacts it keeps, and the people of the account's team page.
Nobody is invented, and people of other domains are not the account's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from bot import guess
from bot.circle import NOBODY_LISTED, WROTE, Acquaintance, Listed, acquaint, ago, is_desk
from bot.evidence import day
from bot.guess import Pattern
from bot.history import is_forged
from bot.identity import resolve, same_name
from bot.model import Contact, Json, Observation, Person, Suggestion
from bot.titles import Function, Seniority, Side, Standing, read_title

SHOWN = 3
"""How many people are suggested."""

AWAY = "on_leave"
NAMING = frozenset({"departed", "farewell", AWAY, "role_change"})
"""Kinds of observation that name whom to write to instead."""

SENIORITY = {
    Seniority.EXECUTIVE: 1.0,
    Seniority.VP: 1.0,
    Seniority.DIRECTOR: 1.0,
    Seniority.MANAGER: 0.7,
    Seniority.INDIVIDUAL: 0.4,
    Seniority.UNKNOWN: 0.4,
    Seniority.ASSISTANT: 0.1,
}
SENIOR, FITTING, CLOSE, STOOD_IN = 0.3, 0.4, 0.6, 0.8
"""What seniority, the role, common threads and having answered instead add at most; warmth is a logarithm."""

ON_LEAVE = 1.0
"""What an announced leave takes away: whoever is there comes first."""

SAME_FUNCTION, SAME_SIDE, UNTOLD = 1.0, 0.6, 0.3
"""How well a role fits the champion's."""


@dataclass(frozen=True)
class Circle:
    """The people of one account: whom we know, the pattern of their addresses, and who their page lists."""

    acquaintances: Sequence[Acquaintance]
    pattern: Pattern | None = None
    listed: Sequence[Listed] = NOBODY_LISTED

    @classmethod
    def of(
        cls,
        people: Iterable[Person],
        now: datetime,
        ours: Collection[str] = (),
        listed: Sequence[Listed] = NOBODY_LISTED,
    ) -> Circle:
        """Look at everybody at an account once; `ours` are our own domains."""
        everybody = resolve(people)
        known = [(one.name, address) for one in everybody for address in one.addresses if one.name]
        return cls(acquaint(everybody, now, ours, listed), guess.pattern(known), listed)

    def others(self, address: str) -> list[Acquaintance]:
        """Return everybody who is not whoever has this address."""
        return [one for one in self.acquaintances if address not in one.addresses]

    @cached_property
    def unknown(self) -> list[Listed]:
        """Return who is on the team page and in nobody's mail."""
        names = [one.name for one in self.acquaintances if one.name]
        return [one for one in self.listed if not any(same_name(one.name, name) for name in names)]

    @cached_property
    def moved_to(self) -> frozenset[str]:
        """Return the domains that people there write from since their account moved."""
        return frozenset(one.moved for one in self.acquaintances if one.moved)

    @cached_property
    def addresses(self) -> frozenset[str]:
        """Return every address that is known there: to guess one of them again would be somebody else's."""
        return frozenset(address for one in self.acquaintances for address in one.addresses)


def suggest(
    contact: Contact, observations: Iterable[Observation], circle: Circle, now: datetime
) -> tuple[Suggestion, ...]:
    """Return up to three people to turn to: a named successor first, then whom we know best.

    At least one of them is on the business side and one on the technical side, where such people are known.
    """
    champion = next((one for one in circle.acquaintances if contact.address in one.addresses), None)
    mine = champion.addresses if champion is not None else frozenset({contact.address})
    standing = read_title(contact.title or (champion.title if champion is not None else ""))
    named: list[_Choice] = []
    taken = set(mine)
    for reply in successors(contact, observations, now, circle.moved_to):
        one = _known(reply, circle)
        if reply.address in taken or (
            one is not None and (one.is_closed or not taken.isdisjoint(one.addresses))
        ):
            continue
        named.append(_as_known(reply, one, circle, now))
        taken |= {named[-1].address, *(one.addresses if one is not None else ())} - {""}
    others = [
        _weighed(one, contact, champion, standing, now)
        for one in circle.acquaintances
        if one.is_open and taken.isdisjoint(one.addresses)
    ]
    others.sort(key=lambda one: (-one.score, one.address))
    pages = _from_page(contact, circle, standing, taken | {one.name for one in named})
    ranked = [*named, *others, *pages]
    return tuple(one.suggestion for one in _both_sides(ranked))


def successors(
    contact: Contact, observations: Iterable[Observation], now: datetime, moved_to: Collection[str] = ()
) -> list[Suggestion]:
    """Return the people that the contact's own replies name, newest reply first.

    They are at the contact's own company: at their domain, or at one that it moved to. A name without an
    address that is the contact's own is a signature.
    """
    found: dict[str, Suggestion] = {}
    naming = [seen for seen in observations if seen.kind in NAMING and seen.at <= now]
    for seen in sorted(naming, key=lambda seen: seen.at, reverse=True):
        for entry in entries(seen.facts.get("successors")):
            name, address = str(entry.get("name") or ""), str(entry.get("address") or "").lower()
            if not (name or address) or entry.get("role") or (address and address == contact.address):
                continue
            if not address and same_name(name, contact.name):
                continue
            if address and (is_desk(address) or not _is_colleague(address, contact, moved_to)):
                continue
            reason = f"named in {contact.label}'s own reply of {seen.at:%-d %B}"
            found.setdefault(address or name, Suggestion(name or address, address, (reason,), successor=True))
    return list(found.values())


def entries(value: Json | object) -> list[dict[str, Json]]:
    """Return the objects in a fact that should be a list of objects."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def same_company(one: str, other: str) -> bool:
    """Say whether two addresses are at the same domain, or one's is a sub-domain of the other's."""
    first, second = one.rpartition("@")[2], other.rpartition("@")[2]
    return first == second or first.endswith(f".{second}") or second.endswith(f".{first}")


def _is_colleague(address: str, contact: Contact, moved_to: Collection[str]) -> bool:
    local, _, domain = address.rpartition("@")
    return bool(local) and (domain in moved_to or same_company(address, contact.address))


@dataclass(frozen=True, slots=True)
class _Choice:
    """A suggestion, how much speaks for it, and on which side of the deal it is."""

    suggestion: Suggestion
    score: float
    side: Side

    @property
    def name(self) -> str:
        return self.suggestion.name

    @property
    def address(self) -> str:
        return self.suggestion.address


def _known(named: Suggestion, circle: Circle) -> Acquaintance | None:
    """Return whom a reply names, where we know them: by the address, or by a name that only one has."""
    mine = [one for one in circle.acquaintances if named.address in one.addresses]
    if not mine:
        local = named.address.partition("@")[0]
        mine = [
            one
            for one in circle.acquaintances
            if same_name(named.name, one.name) and (not local or guess.fits(one.name, local))
        ]
    return mine[0] if len(mine) == 1 else None


def _as_known(named: Suggestion, one: Acquaintance | None, circle: Circle, now: datetime) -> _Choice:
    """Return a named successor with what we know of them; without an address, the one they must have."""
    if one is not None:
        name = one.name if named.name in {"", named.address} else named.name
        reasons = (*named.reasons, *_away(one, now), *one.reasons(now))
        address = named.address or one.address
        told = replace(named, name=name or address, address=address, reasons=reasons)
        return _Choice(told, 0.0, read_title(one.title).side)
    titled = (who for who in circle.listed if who.title and same_name(who.name, named.name))
    page = next(titled, None)
    if page is not None:
        named = replace(named, reasons=(*named.reasons, f"{page.title} {page.where}"))
    told = named if named.address else _guessed(named, circle)
    return _Choice(told, 0.0, read_title(page.title if page is not None else "").side)


def _guessed(suggestion: Suggestion, circle: Circle) -> Suggestion:
    """Return the suggestion with the address that the account's pattern makes of the name, marked so."""
    address = circle.pattern.address(suggestion.name) if circle.pattern is not None else ""
    if circle.pattern is None or not address or address in circle.addresses:
        return suggestion
    reasons = (*suggestion.reasons, circle.pattern.because)
    return replace(suggestion, address=address, reasons=reasons, guess=True)


def _weighed(
    one: Acquaintance, contact: Contact, champion: Acquaintance | None, standing: Standing, now: datetime
) -> _Choice:
    """Weigh an acquaintance: warmth, and what makes them fit for this champion's place."""
    theirs = read_title(one.title)
    stood_in = one.stood_in_for(champion) if champion is not None else None
    common = len(one.threads & champion.threads) if champion is not None else 0
    score = one.warmth + FITTING * _fit(theirs, standing) + SENIOR * SENIORITY[theirs.seniority]
    if champion is not None and common:
        score += CLOSE * common / (len(one.threads) * len(champion.threads)) ** 0.5
    away = _away(one, now)
    score -= ON_LEAVE if away else 0.0
    reasons = (*away, *one.reasons(now, contact.label, common))
    if stood_in is not None:
        score += STOOD_IN
        reasons = (f"answered instead of {contact.label}, {ago(stood_in, now)}", *reasons)
    # Mail in the champion's own name from an address that does not bear it: we cannot say who that is.
    is_borrowed = same_name(one.name, contact.name) and not guess.fits(
        one.name, one.address.partition("@")[0]
    )
    name = one.address if is_borrowed else one.name or one.address
    return _Choice(Suggestion(name, one.address, reasons), score, theirs.side)


def _away(one: Acquaintance, now: datetime) -> tuple[str, ...]:
    """Say until when they are on leave, by their own reply; nothing where they wrote since."""
    past = one.somebody.observations
    said = [seen for seen in past.by_kind.get(AWAY, ()) if seen.at <= now and not is_forged(seen)]
    back = day(said[-1].facts.get("returns")) if said else None
    if back is None or back <= now.date():
        return ()
    wrote = any(said[-1].at < seen.at <= now for seen in past.by_kind.get(WROTE, ()))
    return () if wrote else (f"on leave until {back:%-d %B %Y}",)


def _from_page(contact: Contact, circle: Circle, standing: Standing, taken: Collection[str]) -> list[_Choice]:
    """Return the people whom only the account's team page names, the most fitting first."""
    found = []
    for one in circle.unknown:
        theirs = read_title(one.title)
        if same_name(one.name, contact.name) or any(same_name(one.name, name) for name in taken):
            continue
        told = f"{one.title} {one.where}" if one.title else f"listed {one.where}"
        person = _guessed(Suggestion(one.name, "", (told, "no mail with them yet")), circle)
        score = FITTING * _fit(theirs, standing) + SENIOR * SENIORITY[theirs.seniority]
        found.append(_Choice(person, score, theirs.side))
    return sorted(found, key=lambda one: (-one.score, one.name))


def _fit(theirs: Standing, champions: Standing) -> float:
    if Function.OTHER in {theirs.function, champions.function}:
        return UNTOLD
    if theirs.function is champions.function:
        return SAME_FUNCTION
    return SAME_SIDE if theirs.side is champions.side else 0.0


def _both_sides(ranked: Sequence[_Choice]) -> list[_Choice]:
    """Return the first of them; where one side of the deal is missing, its best takes the last place."""
    chosen = list(ranked[:SHOWN])
    for side in (Side.BUSINESS, Side.TECHNICAL):
        best = next((one for one in ranked if one.side is side), None)
        if best is None or any(one.side is side for one in chosen):
            continue
        place = next((at for at in range(SHOWN - 1, 0, -1) if _may_go(chosen, at)), None)
        if place is not None:
            chosen[place : place + 1] = []
            chosen.append(best)
    return chosen


def _may_go(chosen: Sequence[_Choice], at: int) -> bool:
    """Say whether somebody may give way: no successor, and nobody who is alone on their side."""
    one = chosen[at]
    alone = one.side is not Side.OTHER and sum(other.side is one.side for other in chosen) == 1
    return not one.suggestion.successor and not alone
