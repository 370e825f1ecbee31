"""Tell an account's trouble from a person's departure. Pure: time is passed in.

Several people of one domain to whom the same happens within days are a mail migration, an acquisition, a
reorganisation or a page that was made anew: one notice for the account, not many departures. Bounces belong
together while nobody there is heard of; whoever is heard of shows that the domain takes mail again.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from operator import attrgetter

from bot.backscatter import HARD, MAIL_WORKS, objection, text
from bot.history import DEPARTURES, MEETING, is_forged
from bot.model import (
    Assessment,
    Contact,
    Evidence,
    Family,
    Kind,
    Means,
    Observation,
    Person,
    Strength,
    Verdict,
)
from bot.past import Past

ELSEWHERE = "wrote_elsewhere"
DOMAIN = "domain_gone"
"""A bounce that says of the whole domain that it takes no mail."""

HEARD = MAIL_WORKS | DEPARTURES | {"role_change"}
"""What comes out of a mailbox only where its domain takes mail; a change of address may say that it stops."""

SEVERAL = 3
"""So many people of one domain are no coincidence."""

MANY, VERY_MANY = 10, 30
"""From so many addresses on an incident is clear, and strong."""

WITHIN = timedelta(days=4)
"""Replies, pages, and a bounce and a report of the whole domain belong together within this time."""

IN_THE_DARK = timedelta(days=30)
"""So long it may take until several people's mail has bounced, while nobody at the domain is heard of."""

AT_ONCE = timedelta(days=1)
"""Bounces that follow each other within this time belong together though others there are heard of.

What refuses a company's mail for hours need not keep it from writing.
"""

MOVED_BEFORE = timedelta(days=60)
"""So long before somebody of a domain is first seen to write from another one, the domain may have moved."""

MOVERS = 2
"""So many people who write from one other domain have not each found a new employer there."""

SHORTEST_STEM = 4
"""A shorter name is part of too many others."""


class Sort(StrEnum):
    """What happened to several people at once."""

    BOUNCES = "bounces"
    DEPARTURES = "departures"
    PAGES = "pages"
    MOVED = "moved"


HAPPENED: Mapping[Sort, str] = {
    Sort.BOUNCES: "{count} addresses at {domain} bounced {when}",
    Sort.DEPARTURES: "{count} people at {domain} left by their own replies {when}",
    Sort.PAGES: "{count} people at {domain} changed or vanished on public pages {when}",
    Sort.MOVED: "mail to {domain} bounces, and its people write from {other} now",
}

RESERVE: Mapping[Sort, str] = {
    Sort.BOUNCES: "not counted as departures",
    Sort.DEPARTURES: "a reorganisation or an acquisition?",
    Sort.PAGES: "a reorganisation, or a page that was made anew?",
    Sort.MOVED: "not counted as departures; watch their new addresses",
}

OPEN: Mapping[Sort, tuple[str, ...]] = {
    Sort.BOUNCES: (
        "a mail migration or a gateway block",
        "an acquisition or a new company name",
        "a reorganisation: then several of them may really be gone",
    ),
    Sort.DEPARTURES: (
        "a reorganisation: ask who takes the work over",
        "an acquisition: they may go on under another company's name",
    ),
    Sort.MOVED: (
        "an acquisition or a new company name",
        "some of them may really be gone: their old addresses do not tell",
    ),
    Sort.PAGES: (
        "a page that was made anew, or that names fewer people now",
        "a reorganisation: then several of them may really be gone",
    ),
}


def sort_of(kind: Kind) -> Sort | None:
    """Say to which sort of incident a sign of this kind can belong."""
    if kind.family is Family.PUBLIC and kind.means is not Means.ALIVE:
        return Sort.PAGES
    if kind.family is not Family.MAIL or kind.means is not Means.GONE:
        return None
    return Sort.DEPARTURES if kind.explicit else Sort.BOUNCES if kind.name in {HARD, DOMAIN} else None


@dataclass(frozen=True)
class Incident:
    """What happened to several people of one domain within days, with its signs, oldest first.

    `other` is the domain that they moved to, where they did. `ended` is when the domain was heard of again
    after its last bounce, None where it was not.
    """

    domain: str
    signs: tuple[Observation, ...]
    sort: Sort = Sort.BOUNCES
    other: str = ""
    ended: datetime | None = None

    @property
    def first(self) -> datetime:
        """Return when it began."""
        return self.signs[0].at

    @property
    def last(self) -> datetime:
        """Return when it was last seen."""
        return self.signs[-1].at

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return who is affected."""
        return tuple(sorted({sign.contact for sign in self.signs}))

    @property
    def sentence(self) -> str:
        """Say it in words."""
        when = f"on {self.first:%-d %B %Y}"
        if self.first.date() != self.last.date():
            when = f"between {self.first:%-d %B} and {self.last:%-d %B %Y}"
        count = len(self.addresses)
        said = HAPPENED[self.sort].format(count=count, domain=self.domain, when=when, other=self.other)
        return said.replace("1 addresses", "1 address") if count == 1 else said

    def explains(self, seen: Observation, kind: Kind) -> bool:
        """Say whether it takes the weight from a sign of one person.

        What people's own replies say stays true of each of them, however many they are.
        """
        sort = sort_of(kind)
        if self.is_of_bounces:
            return sort is Sort.BOUNCES and any(sign.key == seen.key for sign in self.signs)
        if self.sort is Sort.DEPARTURES or sort is not self.sort:
            return False
        return self.first - WITHIN <= seen.at <= self.last + WITHIN

    @property
    def is_of_bounces(self) -> bool:
        """Say whether mail to its domain is in trouble, and to no other domain of the account."""
        return self.sort in {Sort.BOUNCES, Sort.MOVED}

    def hides(self, now: datetime) -> bool:
        """Say whether it keeps us from seeing what happens to the people behind it."""
        return self.is_of_bounces and (self.ended is None or now < self.ended)

    def tells(self, assessment: Assessment) -> bool:
        """Say whether the notice tells what an assessment rests on already."""
        told = {sign.key for sign in self.signs}
        return any(item.key in told for item in assessment.evidence if item.weight > 0)


def of(domain: str, people: Iterable[Person], now: datetime, kinds: Mapping[str, Kind]) -> list[Incident]:
    """Return the incidents of one domain that are known at `now`, oldest first."""
    sorts = {name: sort for name, kind in kinds.items() if (sort := sort_of(kind)) is not None}
    signs: dict[Sort, list[Observation]] = {sort: [] for sort in Sort}
    pasts: dict[str, Past] = {}
    for person in people:
        if person.address.rpartition("@")[2] != domain:
            continue
        past = pasts[person.address] = Past.of(person.observations)
        for kind, sightings in past.by_kind.items():
            sort = sorts.get(kind)
            if sort is not None:
                known = (seen for seen in sightings if seen.at <= now)
                signs[sort] += [seen for seen in known if _is_genuine(sort, seen, past)]
    bounces = _in_order(signs[Sort.BOUNCES])
    heard = {address: heard_of(past, now) for address, past in pasts.items()} if bounces else {}
    found = [
        Incident(domain, tuple(cluster), sort)
        for sort in (Sort.DEPARTURES, Sort.PAGES)
        for cluster in _clusters(_in_order(signs[sort]), WITHIN)
        if _concern_many(cluster)
    ]
    moved = _moved(domain, bounces, heard, moves(pasts, now) if bounces else ())
    told = {sign.key for incident in moved for sign in incident.signs}
    outages = _outages(domain, bounces, heard)
    found += [one for one in outages if not told.issuperset(sign.key for sign in one.signs)]
    return sorted([*found, *moved], key=lambda incident: incident.first)


def heard_of(past: Past, until: datetime) -> Sequence[datetime]:
    """Return when a mailbox sent what only one sends whose domain takes mail, oldest first."""
    moments = past.once(_heard)
    return moments[: bisect_right(moments, until)]


def _heard(past: Past) -> Sequence[datetime]:
    sent = (seen for kind in HEARD for seen in past.by_kind.get(kind, ()))
    invited = (seen for seen in past.by_kind.get(MEETING, ()) if seen.facts.get("by") == seen.contact)
    return sorted(seen.at for seen in (*sent, *invited) if not is_forged(seen))


def _outages(
    domain: str, bounces: Iterable[Observation], heard: Mapping[str, Sequence[datetime]]
) -> list[Incident]:
    """Return when mail to a domain was in trouble: its incidents of bounces, which are given in order.

    From the first bounces of several people on, all belong to one until anybody there is heard of: we write
    to some weeks later than to others. What bounces after that, or bounced before with life in between, is a
    person's own, unless several came at once.
    """
    life = sorted(at for moments in heard.values() for at in moments)
    in_the_dark: defaultdict[int, list[Observation]] = defaultdict(list)
    for sign in bounces:
        in_the_dark[bisect_right(life, sign.at)].append(sign)
    found: list[Sequence[Observation]] = []
    alone: list[Observation] = []
    for spell in in_the_dark.values():
        begin = _begin(spell)
        alone += spell[:begin]
        found.append(spell[begin:])
    for cluster in _clusters(alone, AT_ONCE):
        last = cluster[-1].at
        found.append([sign for sign in cluster if not _between(heard[sign.contact], sign.at, last)])
    return [
        Incident(domain, tuple(signs), ended=next(iter(life[bisect_right(life, signs[-1].at) :]), None))
        for signs in found
        if _concern_many(signs)
    ]


def _begin(spell: Sequence[Observation]) -> int:
    """Return from which place on bounces that follow each other in the dark are about the domain."""
    for place, sign in enumerate(spell):
        for reach, concern in ((WITHIN, _say_so), (IN_THE_DARK, _are_of_several)):
            begin = bisect_left(spell, sign.at - reach, key=attrgetter("at"))
            if concern(spell[begin : place + 1]):
                return begin
    return len(spell)


def _between(moments: Sequence[datetime], after: datetime, until: datetime) -> bool:
    return bisect_right(moments, until) > bisect_right(moments, after)


@dataclass(frozen=True)
class Move:
    """The domain that the people of an account write from now, who does so, and since when.

    `is_named` says that the domain bears the old one's name.
    """

    domain: str
    movers: frozenset[str]
    began: datetime
    is_named: bool


def moves(pasts: Mapping[str, Past], now: datetime) -> list[Move]:
    """Return where the people of these addresses moved together, by the domain.

    One person who writes from elsewhere may have found another employer; several have not, unless anybody
    else is heard of under the old domain since, nor has anybody whose new domain bears the old one's name.
    """
    sightings: defaultdict[str, dict[str, list[datetime]]] = defaultdict(lambda: defaultdict(list))
    for address, past in pasts.items():
        for seen in past.by_kind.get(ELSEWHERE, ()):
            domain = text(seen.facts.get("domain"))
            if domain and seen.at <= now and not is_forged(seen):
                sightings[domain][address].append(seen.at)
    if not sightings:
        return []
    last = {address: moments[-1] for address, past in pasts.items() if (moments := heard_of(past, now))}
    found = []
    for domain, theirs in sorted(sightings.items()):
        is_named = any(bears_the_name(domain, address.rpartition("@")[2]) for address in theirs)
        gone = {one: min(at) for one, at in theirs.items() if one not in last or last[one] < max(at)}
        movers = gone or {one: min(at) for one, at in theirs.items()}
        began = min(movers.values())
        before = {one.rpartition("@")[2] for one in movers}
        others = (at for one, at in last.items() if one not in movers and one.rpartition("@")[2] in before)
        stays = any(at > began for at in others)
        if is_named or (len(gone) >= MOVERS and not stays):
            found.append(Move(domain, frozenset(movers), began, is_named))
    return found


def _moved(
    domain: str,
    bounces: Iterable[Observation],
    heard: Mapping[str, Sequence[datetime]],
    known: Iterable[Move],
) -> list[Incident]:
    """Return that a domain which bounces, in this order, moved to another one.

    Its bounces are those after which nobody was heard of under it but who moved.
    """
    for move in known:
        stayed = sorted(at for one, moments in heard.items() if one not in move.movers for at in moments)
        worked = stayed[-1:] if not move.is_named else []
        since = max([move.began - MOVED_BEFORE, *worked])
        signs = tuple(one for one in bounces if one.at >= since)
        if signs:
            again = stayed[bisect_right(stayed, max(signs[-1].at, move.began)) :]
            return [Incident(domain, signs, Sort.MOVED, move.domain, next(iter(again), None))]
    return []


def bears_the_name(one: str, other: str) -> bool:
    """Say whether one of two domains is named after the other.

    >>> bears_the_name("acme-group.example", "acme.example")
    True
    >>> bears_the_name("newco.example", "acme.example")
    False
    """
    first, second = (domain.removeprefix("mail.").partition(".")[0] for domain in (one, other))
    short, long = sorted((first, second), key=len)
    return len(short) >= SHORTEST_STEM and short in long


def _is_genuine(sort: Sort, seen: Observation, past: Past) -> bool:
    return not (objection(seen, past) if sort is Sort.BOUNCES else is_forged(seen))


def _in_order(signs: Iterable[Observation]) -> list[Observation]:
    return sorted(signs, key=lambda seen: (seen.at, seen.key))


def _clusters(signs: Iterable[Observation], within: timedelta) -> list[list[Observation]]:
    """Return the signs, which are given in order, by those that follow each other within this time."""
    clusters: list[list[Observation]] = []
    for sign in signs:
        if clusters and sign.at - clusters[-1][-1].at <= within:
            clusters[-1].append(sign)
        else:
            clusters.append([sign])
    return clusters


def _concern_many(signs: Sequence[Observation]) -> bool:
    return _say_so(signs) or _are_of_several(signs)


def _say_so(signs: Sequence[Observation]) -> bool:
    """Say whether one of several signs says itself that it is about the domain."""
    return len(signs) > 1 and any(sign.kind == DOMAIN for sign in signs)


def _are_of_several(signs: Sequence[Observation]) -> bool:
    return len({sign.contact for sign in signs}) >= SEVERAL


def notice(incident: Incident, account: str, owner: str, now: datetime) -> tuple[Contact, Assessment]:
    """Return the account as a contact of its own (its address is "@domain") and what to say of it."""
    first_of_each = {sign.contact: sign for sign in reversed(incident.signs)}
    evidence = tuple(
        Evidence(
            key=sign.key,
            kind=sign.kind,
            means=Means.NOTED,
            family=Family.PUBLIC if incident.sort is Sort.PAGES else Family.MAIL,
            at=sign.at,
            source=sign.source,
            sentence=f"{sign.contact}: {sign.sentence}",
            weight=0.0,
            seen=sign.seen,
        )
        for sign in sorted(first_of_each.values(), key=lambda sign: (sign.at, sign.key))
    )
    address = f"@{incident.domain}"
    assessment = Assessment(
        contact=address,
        at=now,
        verdict=Verdict.UNCHECKED,
        strength=size(len(incident.addresses)),
        probability=0.0,
        headline=f"{incident.sentence}: {RESERVE[incident.sort]}",
        evidence=evidence,
        other_explanations=OPEN[incident.sort],
    )
    return Contact(address=address, account=account, owner=owner), assessment


def size(addresses: int) -> Strength:
    """Say how large an incident is: a handful of addresses, ten or more, thirty or more."""
    if addresses >= VERY_MANY:
        return Strength.STRONG
    return Strength.CLEAR if addresses >= MANY else Strength.SOME
