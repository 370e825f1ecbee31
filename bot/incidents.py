"""Tell an account's trouble from a person's departure. Pure: time is passed in.

Several addresses of one domain that bounce within days are a mail migration, an acquisition, a gateway block
or a reorganisation: one notice for the account, not many departures.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.backscatter import HARD, objection
from bot.model import Assessment, Contact, Evidence, Family, Means, Observation, Person, Strength, Verdict

SEVERAL = 3
"""So many addresses of one domain are no coincidence."""

WITHIN = timedelta(days=4)
"""Bounces that follow each other within this time belong together."""

CURRENT_FOR = timedelta(days=14)
"""How long after its last bounce an incident still hides what happens to the people behind it."""


@dataclass(frozen=True)
class Incident:
    """Addresses of one domain that bounced together, with the bounces, oldest first."""

    domain: str
    bounces: tuple[Observation, ...]

    @property
    def first(self) -> datetime:
        """Return when it began."""
        return self.bounces[0].at

    @property
    def last(self) -> datetime:
        """Return when it was last seen."""
        return self.bounces[-1].at

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return who is affected."""
        return tuple(sorted({bounce.contact for bounce in self.bounces}))

    @property
    def sentence(self) -> str:
        """Say it in words."""
        days = f"on {self.first:%-d %B %Y}"
        if self.first.date() != self.last.date():
            days = f"between {self.first:%-d %B} and {self.last:%-d %B %Y}"
        return f"{len(self.addresses)} addresses at {self.domain} bounced {days}"

    def covers(self, when: datetime) -> bool:
        """Say whether a bounce of that time is part of it."""
        return self.first - WITHIN <= when <= self.last + WITHIN

    def is_current(self, now: datetime) -> bool:
        """Say whether it still hides what happens to the people behind it."""
        return now - self.last <= CURRENT_FOR


def of(domain: str, people: Iterable[Person], now: datetime) -> list[Incident]:
    """Return the incidents of one domain that are known at `now`, oldest first."""
    bounces = sorted(
        (
            seen
            for person in people
            for seen in person.observations
            if seen.kind == HARD and seen.at <= now and not objection(seen, person.observations)
        ),
        key=lambda seen: (seen.at, seen.key),
    )
    clusters: list[list[Observation]] = []
    for bounce in bounces:
        if clusters and bounce.at - clusters[-1][-1].at <= WITHIN:
            clusters[-1].append(bounce)
        else:
            clusters.append([bounce])
    found = [Incident(domain, tuple(cluster)) for cluster in clusters]
    return [incident for incident in found if len(incident.addresses) >= SEVERAL]


def notice(incident: Incident, account: str, owner: str, now: datetime) -> tuple[Contact, Assessment]:
    """Return the account as a contact of its own (its address is "@domain") and what to say of it."""
    evidence = tuple(
        Evidence(
            key=bounce.key,
            kind=bounce.kind,
            means=Means.NOTED,
            family=Family.MAIL,
            at=bounce.at,
            source=bounce.source,
            sentence=f"{bounce.contact}: {bounce.sentence}",
            weight=0.0,
            seen=bounce.seen,
        )
        for bounce in {bounce.contact: bounce for bounce in incident.bounces}.values()
    )
    address = f"@{incident.domain}"
    assessment = Assessment(
        contact=address,
        at=now,
        verdict=Verdict.UNCHECKED,
        strength=size(len(incident.addresses)),
        probability=0.0,
        headline=f"{incident.sentence}: not counted as departures",
        evidence=evidence,
        other_explanations=(
            "a mail migration or a gateway block",
            "an acquisition or a new company name",
            "a reorganisation: then several of them may really be gone",
        ),
    )
    return Contact(address=address, account=account, owner=owner), assessment


def size(addresses: int) -> Strength:
    """Say how large an incident is: a handful of addresses, ten or more, thirty or more."""
    return Strength.STRONG if addresses >= 30 else Strength.CLEAR if addresses >= 10 else Strength.SOME  # noqa: PLR2004
