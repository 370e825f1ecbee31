"""What concerns everybody at an account, looked at once for all who are judged there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property

from bot import exposure, incidents
from bot.backscatter import HARD, WROTE
from bot.circle import NOBODY_LISTED, Listed, ago, followed
from bot.history import is_forged, latest
from bot.identity import Somebody, resolve
from bot.incidents import Incident, Sort
from bot.model import (
    ALARMING,
    Assessment,
    Contact,
    Kind,
    Means,
    Observation,
    Person,
    Reason,
    Strength,
    Verdict,
)
from bot.past import SKEW, Past
from bot.pauses import Pauses
from bot.suggest import Circle, suggest

GONE = frozenset({Verdict.LEFT, Verdict.LIKELY_LEFT})

COMPOUND_WITHIN = timedelta(days=30)
"""Two watched people who leave one account within this time are graver than one and one."""


@dataclass(frozen=True)
class Account:
    """An account's people by address, what happened to many of them at once, and when our side wrote.

    `people` is brought up to date with each judgement, so that the next one there knows of it.
    """

    people: dict[str, Person]
    incidents: Sequence[Incident]
    written: Mapping[str, Sequence[date]]
    now: datetime
    ours: frozenset[str] = frozenset()
    listed: Sequence[Listed] = NOBODY_LISTED

    @classmethod
    def of(
        cls,
        people: Iterable[Person],
        domains: Iterable[str],
        written: Mapping[str, Sequence[date]],
        now: datetime,
        kinds: Mapping[str, Kind],
        ours: frozenset[str] = frozenset(),
        listed: Sequence[Listed] = NOBODY_LISTED,
    ) -> Account:
        """Look at everybody at the account once; `listed` are the people of its own page."""
        known = {person.address: person for person in people}
        found = [
            seen
            for domain in sorted(domains)
            for seen in incidents.of(domain, known.values(), now + SKEW, kinds)
        ]
        return cls(known, found, written, now, ours, listed)

    @cached_property
    def circle(self) -> Circle:
        """Return how well we know everybody there: worked out for the first who needs it."""
        return Circle.of(self.people.values(), self.now, self.ours, self.listed)

    @cached_property
    def pauses(self) -> Pauses:
        """Return what explains a silence there."""
        return Pauses.of(self.people.values(), self.written, self.now)

    def incidents_of(self, address: str) -> list[Incident]:
        """Return what happened to many that concerns this address: the bounces of its own domain only."""
        domain = address.rpartition("@")[2]
        return [one for one in self.incidents if one.domain == domain or not one.is_of_bounces]

    @cached_property
    def _persons(self) -> Mapping[str, Somebody]:
        """Return who is behind each address there."""
        return {address: one for one in resolve(self.people.values()) for address in one.addresses}

    def other_mail(self, contact: Contact) -> Observation | None:
        """Return the newest mail that the contact wrote from another address there, by name and address.

        It matters of those alone whose mail bounced. An address that bounced since shows nobody.
        """
        known = self.people.get(contact.address)
        if known is None or HARD not in Past.of(known.observations).by_kind:
            return None
        others = (one for one in self._persons[contact.address].people if one.address != contact.address)
        return latest(_last_mail(other, self.now) for other in others)

    def escalated(self, contact: Contact, assessment: Assessment) -> Assessment:
        """Say that a departure is graver where another watched person left shortly before."""
        before = self._who_left_before(contact, assessment)
        return replace(assessment, strength=Strength.STRONG, stakes=before) if before else assessment

    def completed(self, contact: Contact, person: Person, assessment: Assessment) -> Assessment:
        """Add to an alarm whom to turn to, and what is at stake."""
        if assessment.verdict not in ALARMING:
            return assessment
        return replace(
            assessment,
            suggestions=suggest(contact, person.observations, self.circle, self.now),
            stakes=(*assessment.stakes, *self._standing_alone(contact)),
        )

    def is_outdated(self, contact: Contact) -> bool:
        """Say whether trouble with the account's mail began or ended since somebody there was judged."""
        person = self.people.get(contact.address)
        if person is None or not person.decisions:
            return False
        hidden = any(found.hides(self.now) for found in self.incidents_of(contact.address))
        return hidden != (person.decisions[-1].reason is Reason.INHIBITED_BY_ACCOUNT_NOTICE)

    def inhibits(self, assessment: Assessment) -> Reason | None:
        """Say why no alert of a person is raised because of the whole account, None where one may be."""
        told = any(
            found.hides(self.now)
            if assessment.verdict is Verdict.UNCHECKED
            else found.sort is Sort.DEPARTURES and found.tells(assessment)
            for found in self.incidents_of(assessment.contact)
        )
        return Reason.INHIBITED_BY_ACCOUNT_NOTICE if told else None

    def judged(self, person: Person, assessment: Assessment) -> None:
        """Take note of a judgement."""
        self.people[person.address] = replace(person, assessment=assessment)

    def _who_left_before(self, contact: Contact, assessment: Assessment) -> tuple[str, ...]:
        """Say which other watched person left within the last weeks, before this one did.

        They are named by their address, which is found again when they are to be forgotten.
        """
        mine = left_at(assessment)
        if mine is None:
            return ()
        others = sorted(
            (theirs, address)
            for address, person in self.people.items()
            if address != contact.address and person.contact is not None and person.assessment is not None
            if (theirs := left_at(person.assessment)) is not None and mine - COMPOUND_WITHIN <= theirs < mine
        )
        return tuple(
            f"the second departure at {contact.account_name}: {address} left {ago(theirs, self.now)}"
            for theirs, address in others[-1:]
        )

    def _colleagues(self, contact: Contact) -> Iterator[Person]:
        """Yield everybody else there, as they write now; the contact's other addresses are the contact."""
        for one in self.circle.others(contact.address):
            _, past = followed(one.somebody, self.circle.moved_to, self.now)
            yield replace(one.somebody.person, observations=past)

    def _standing_alone(self, contact: Contact) -> tuple[str, ...]:
        """Say that nobody else there is in contact both ways, where nobody is: one may write all the same."""
        if any(exposure.in_contact(one, self.now) for one in self._colleagues(contact)):
            return ()
        days = exposure.WITHIN.days
        return (f"nobody else at {contact.account_name} is in contact both ways (last {days} days)",)


def _last_mail(person: Person, now: datetime) -> Observation | None:
    """Return the newest mail from an address that did not bounce since, None where there is none."""
    past = Past.of(person.observations).until(now)
    bounced = latest(past.by_kind.get(HARD, ()))
    wrote = latest(seen for seen in past.by_kind.get(WROTE, ()) if not is_forged(seen))
    return None if wrote is None or (bounced is not None and bounced.at > wrote.at) else wrote


def left_at(assessment: Assessment) -> datetime | None:
    """Return when the newest sign came that the person is gone; None where they are not."""
    if assessment.verdict not in GONE:
        return None
    signs = [
        item.at for item in assessment.evidence if item.means is Means.GONE and item.key and item.weight > 0
    ]
    return max(signs, default=None)
