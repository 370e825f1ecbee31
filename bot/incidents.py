"""Tell an account's trouble from a person's departure. Pure: time is passed in.

Several people of one domain to whom the same happens within days are a mail migration, an acquisition, a
reorganisation or a page that was made anew: one notice for the account, not many departures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.backscatter import HARD, MAIL_WORKS, objection, text
from bot.history import MEETING, is_forged
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

SEVERAL = 3
"""So many people of one domain are no coincidence."""

MANY, VERY_MANY = 10, 30
"""From so many addresses on an incident is clear, and strong."""

WITHIN = timedelta(days=4)
"""Signs that follow each other within this time belong together."""

MOVED_BEFORE = timedelta(days=60)
"""So long before somebody of a domain is first seen to write from another one, the domain may have moved."""

MOVERS = 2
"""So many people who write from one other domain have not each found a new employer there."""

SHORTEST_STEM = 4
"""A shorter name is part of too many others."""

CURRENT_FOR = timedelta(days=14)
"""How long after its last bounce an incident still hides what happens to the people behind it."""


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

    `other` is the domain that they moved to, where they did, `since` the earliest that it may have been.
    """

    domain: str
    signs: tuple[Observation, ...]
    sort: Sort = Sort.BOUNCES
    other: str = ""
    since: datetime | None = None

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
        if self.since is not None:
            return sort is Sort.BOUNCES and seen.at >= self.since
        if self.sort is Sort.DEPARTURES or sort is not self.sort:
            return False
        return self.first - WITHIN <= seen.at <= self.last + WITHIN

    def hides(self, now: datetime) -> bool:
        """Say whether it keeps us from seeing what happens to the people behind it."""
        return self.sort is Sort.MOVED or (self.sort is Sort.BOUNCES and now - self.last <= CURRENT_FOR)

    def tells(self, assessment: Assessment) -> bool:
        """Say whether the notice tells what an assessment rests on already."""
        told = {sign.key for sign in self.signs}
        return any(item.key in told for item in assessment.evidence if item.weight > 0)


def of(domain: str, people: Iterable[Person], now: datetime, kinds: Mapping[str, Kind]) -> list[Incident]:
    """Return the incidents of one domain that are known at `now`, oldest first."""
    sorts = {name: sort for name, kind in kinds.items() if (sort := sort_of(kind)) is not None}
    signs: dict[Sort, list[Observation]] = {sort: [] for sort in Sort}
    elsewhere: list[Observation] = []
    theirs = [person for person in people if person.address.rpartition("@")[2] == domain]
    for person in theirs:
        past = Past.of(person.observations)
        for kind, sightings in past.by_kind.items():
            sort = sorts.get(kind)
            if sort is not None:
                known = (seen for seen in sightings if seen.at <= now)
                signs[sort] += [seen for seen in known if _is_genuine(sort, seen, person)]
        elsewhere += (
            seen for seen in past.by_kind.get(ELSEWHERE, ()) if seen.at <= now and not is_forged(seen)
        )
    found = [incident for sort, seen in signs.items() for incident in _clusters(domain, sort, seen)]
    found = [_while_dark(one, signs[Sort.BOUNCES], theirs) for one in found]
    found += _moved(domain, signs[Sort.BOUNCES], elsewhere)
    return sorted(found, key=lambda incident: incident.first)


def _while_dark(incident: Incident, bounces: Sequence[Observation], people: Iterable[Person]) -> Incident:
    """Add the bounces that follow an incident of bounces until anybody there is heard of under the domain.

    We write to some people weeks later than to others: what refused everybody's mail refuses theirs as well.
    """
    after = [sign for sign in bounces if sign.at > incident.last]
    if incident.sort is not Sort.BOUNCES or not after:
        return incident
    life = (seen.at for person in people for seen in person.observations if _shows_it_works(seen))
    ended = min((at for at in life if at > incident.last), default=None)
    dark = [sign for sign in after if ended is None or sign.at < ended]
    signs = sorted((*incident.signs, *dark), key=lambda sign: (sign.at, sign.key))
    return replace(incident, signs=tuple(signs))


def _shows_it_works(seen: Observation) -> bool:
    """Say whether only somebody whose mailbox works can have sent this."""
    invites = seen.kind == MEETING and seen.facts.get("by") == seen.contact
    return (seen.kind in MAIL_WORKS or invites) and not is_forged(seen)


def _moved(domain: str, bounces: Sequence[Observation], seen: Sequence[Observation]) -> list[Incident]:
    """Return that a domain which bounces moved to another one, by who writes from there.

    One person who writes from elsewhere may have found another employer; several have not, nor has anybody
    whose new domain bears the old one's name.
    """
    others: dict[str, list[Observation]] = {}
    for one in sorted(seen, key=lambda one: (one.at, one.key)):
        others.setdefault(text(one.facts.get("domain")), []).append(one)
    for other, sightings in sorted(others.items()):
        people = {one.contact for one in sightings}
        since = sightings[0].at - MOVED_BEFORE
        signs = sorted((one for one in bounces if one.at >= since), key=lambda one: (one.at, one.key))
        if signs and (len(people) >= MOVERS or bears_the_name(other, domain)):
            return [Incident(domain, tuple(signs), Sort.MOVED, other, since)]
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


def _is_genuine(sort: Sort, seen: Observation, person: Person) -> bool:
    if sort is Sort.BOUNCES:
        return not objection(seen, person.observations)
    return not is_forged(seen)


def _clusters(domain: str, sort: Sort, signs: Sequence[Observation]) -> list[Incident]:
    clusters: list[list[Observation]] = []
    for sign in sorted(signs, key=lambda seen: (seen.at, seen.key)):
        if clusters and sign.at - clusters[-1][-1].at <= WITHIN:
            clusters[-1].append(sign)
        else:
            clusters.append([sign])
    found = [Incident(domain, tuple(cluster), sort) for cluster in clusters]
    return [incident for incident in found if _concerns_many(incident)]


def _concerns_many(incident: Incident) -> bool:
    """Say whether it is about the domain: several people, or two signs of which one says so itself."""
    says_so = len(incident.signs) > 1 and any(sign.kind == DOMAIN for sign in incident.signs)
    return len(incident.addresses) >= SEVERAL or says_so


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
