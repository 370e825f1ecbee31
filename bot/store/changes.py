"""What each verb does to one person: pure, so that stores differ only in how they read and write one.

A change returns the person with the next `version`, or the very same person where there was nothing to
change: a store then writes nothing. None means refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bot.model import (
    Alert,
    Answer,
    Assessment,
    Case,
    Choice,
    Contact,
    Decision,
    Delivery,
    Home,
    Observation,
    Person,
    Verdict,
    Watched,
)
from bot.store import DECISIONS_KEPT, FARTHEST_HOLD, FARTHEST_LEASE
from bot.store.codec import normal

EVENTS_KEPT = timedelta(days=2)
"""How long a claimed event is remembered; Slack repeats one for about an hour."""

SLOTS_KEPT = timedelta(days=30)
"""How long a claimed slot is remembered, counted back from the slot that is being claimed."""


GRAVEST_FIRST = (Verdict.LEFT, Verdict.LIKELY_LEFT, Verdict.SLIPPING)


@dataclass(frozen=True, slots=True, order=True)
class Waiting:
    """The next alert of a case that is not sent yet; sorts by gravity, then by age.

    Free once `leased_until` has passed, or where it lies so far ahead that a clock was wrong; `held` is one
    that waits for its time and not for a poster.
    """

    rank: int
    at: datetime
    key: str
    case: str = field(compare=False)
    leased_until: datetime | None = field(default=None, compare=False)
    held: bool = field(default=False, compare=False)

    def is_free(self, now: datetime) -> bool:
        """Say whether nobody holds it."""
        farthest = FARTHEST_HOLD if self.held else FARTHEST_LEASE
        return self.leased_until is None or not now < self.leased_until <= now + farthest


def watched(person: Person, contact: Contact) -> Person:
    """Watch the person under what is known of them now."""
    return _changed(person, contact=normal(contact), former=None)


def unwatched(person: Person) -> Person:
    """Stop watching the person and keep the rest, so that it can be undone."""
    return _changed(person, contact=None, former=person.contact or person.former)


def outlined(person: Person) -> Watched | None:
    """Return the person as a list shows them; None where nobody watches them."""
    if person.contact is None:
        return None
    shown = Watched(person.contact)
    if (found := person.assessment) is not None:
        shown = replace(
            shown,
            verdict=found.verdict,
            strength=found.strength,
            headline=found.headline,
            judged_at=found.at,
            last_contact=found.last_contact,
            returns=found.returns,
            recheck=found.recheck,
        )
    if person.cases:
        case = person.cases[-1]
        opened = case.deliveries[0].alert.at if case.deliveries else None
        shown = replace(shown, case=case.key, opened_at=opened, home=case.home, settled=case.settled)
    return shown


def by_person(observations: Iterable[Observation]) -> dict[str, list[Observation]]:
    """Sort observations by whom they are about, in the form in which they are kept."""
    sorted_out: dict[str, list[Observation]] = {}
    for observation in observations:
        kept = normal(observation)
        sorted_out.setdefault(kept.contact, []).append(kept)
    return sorted_out


def recorded(person: Person, observations: Iterable[Observation]) -> tuple[Person, list[Observation]]:
    """Add what is not yet known, as news; return it beside the person."""
    known = {observation.key for observation in person.observations}
    new: dict[str, Observation] = {}
    for observation in observations:
        if observation.key not in known:
            new.setdefault(observation.key, observation)
    if not new:
        return person, []
    return _changed(person, observations=(*person.observations, *new.values()), news=True), list(new.values())


def concluded(
    person: Person, version: int, assessment: Assessment, decision: Decision, alert: Alert | None
) -> Person | None:
    """Keep a conclusion drawn from `version`; None where it is outdated or its alert is there already."""
    return concluded_as_it_is(person, version, normal(assessment), normal(decision), normal(alert))


def concluded_as_it_is(
    person: Person, version: int, assessment: Assessment, decision: Decision, alert: Alert | None
) -> Person | None:
    """Keep a conclusion whose values are in the form in which they are kept."""
    if person.version != version:
        return None
    cases = person.cases
    if alert is not None:
        if any(delivery.alert.key == alert.key for case in cases for delivery in case.deliveries):
            return None
        cases = _with_alert(person, alert)
    return _changed(
        person,
        assessment=assessment,
        decisions=_with_decision(person.decisions, decision),
        cases=cases,
        news=False,
    )


def waiting(person: Person) -> tuple[Waiting, ...]:
    """Return the next unsent alert of each case: those behind it wait for it, unless it is held back."""
    found = []
    for case in person.cases:
        unsent = [delivery for delivery in case.deliveries if delivery.sent_at is None]
        if unsent:
            head = next((delivery for delivery in unsent if delivery.held is None), unsent[-1])
            verdict = head.alert.assessment.verdict
            rank = GRAVEST_FIRST.index(verdict) if verdict in GRAVEST_FIRST else len(GRAVEST_FIRST)
            held = head.held is not None
            found.append(Waiting(rank, head.alert.at, head.alert.key, case.key, head.leased_until, held))
    return tuple(found)


def leased(person: Person, key: str, now: datetime, lease: timedelta) -> tuple[Person, Case, Delivery]:
    """Lease the alert of that key, which must be waiting, until `now + lease`."""
    case, delivery = next(
        (case, delivery) for case in person.cases for delivery in case.deliveries if delivery.alert.key == key
    )
    until = normal(now + lease)
    taken = replace(delivery, attempts=delivery.attempts + 1, leased_until=until, held=None)
    held = _with_delivery(case, taken)
    return _with_case(person, held), held, taken


def released(person: Person) -> Person:
    """Free what is leased: for a store that has just been opened and that only one process can hold.

    Whoever held the leases is gone. The attempts stay, so that the next poster looks whether they posted.
    """
    cases = tuple(
        replace(case, deliveries=tuple(replace(delivery, leased_until=None) for delivery in case.deliveries))
        for case in person.cases
    )
    return replace(person, cases=cases)


def sent(person: Person, case: str, delivery: Delivery, home: Home | None, now: datetime) -> Person | None:
    """Note that a leased alert was posted; None where the lease is no longer held.

    A lease that ran out is still held as long as nobody else took it: what was posted was posted. Older
    alerts of the case, which were held back, are told with it. Without a home it needed no showing.
    """
    held = _held(person, case, delivery)
    if held is None:
        return None
    found, kept = held
    upto = found.deliveries.index(kept) + 1
    told = tuple(
        replace(one, leased_until=None, held=None, sent_at=one.sent_at or normal(now))
        for one in found.deliveries[:upto]
    )
    home = normal(home) if home else found.home
    return _with_case(person, replace(found, deliveries=told + found.deliveries[upto:], home=home))


def posted(person: Person, case: str, post: Home) -> Person | None:
    """Note where a message about a case stands; None where there is no such case."""
    found = next((one for one in person.cases if one.key == case), None)
    if found is None:
        return None
    return _with_case(person, replace(found, posts=tuple(dict.fromkeys((*found.posts, normal(post))))))


def handed_back(
    person: Person, case: str, delivery: Delivery, retry_at: datetime, decision: Decision | None
) -> Person | None:
    """Leave a leased alert alone until `retry_at`, then free; None where the lease is no longer held.

    With a decision it is held back, and this lease was no attempt to post it.
    """
    held = _held(person, case, delivery)
    if held is None:
        return None
    found, kept = held
    back = replace(kept, leased_until=normal(retry_at))
    if decision is not None:
        back = replace(back, attempts=kept.attempts - 1, held=decision.reason)
        person = replace(person, decisions=_with_decision(person.decisions, normal(decision)))
    return _with_case(person, _with_delivery(found, back))


def answered(
    person: Person, answer: Answer, observation: Observation | None = None
) -> tuple[Person, Case] | None:
    """Settle the case by the first word that settles; None where there is no such case.

    Somebody who is on it has not settled it; the first who said so stays the one until it is told anew. A
    snooze gives way to any other word. What the word says about the person (`observation`) is kept with it,
    in the same write, where the word counts.
    """
    case = next((case for case in person.cases if case.key == answer.case), None)
    if case is None:
        return None
    answer, word = normal(answer), case.settled
    stands = word is not None and (
        word.choice is not Choice.SNOOZE or (word.choice, word.until) == (answer.choice, answer.until)
    )
    on_it = answer.choice is Choice.ON_IT
    if stands or (on_it and case.is_taken):
        return person, case
    case = replace(case, on_it=answer) if on_it else replace(case, settled=answer)
    person = _with_case(person, case)
    if observation is not None:
        person, _ = recorded(person, [normal(observation)])
    return person, case


def claimed(slots: Iterable[datetime], slot: datetime) -> list[datetime] | None:
    """Return a watcher's slots with this one and without outdated ones; None where it is claimed.

    What counts as outdated is measured from the slot being claimed, so that one claim by a clock far
    ahead cannot refuse all that come after it.
    """
    known = [normal(other) for other in slots]
    slot = normal(slot)
    if slot in known:
        return None
    return [*(other for other in known if other >= slot - SLOTS_KEPT), slot]


def remembered(events: Mapping[str, datetime], event: str, now: datetime) -> dict[str, datetime] | None:
    """Return the claimed events with this one and without outdated ones; None where it is claimed."""
    if event in events:
        return None
    now = normal(now)
    return {**{name: at for name, at in events.items() if now - at <= EVENTS_KEPT}, event: now}


def _changed(person: Person, **changes: Any) -> Person:
    changed = replace(person, **changes)
    return person if changed == person else replace(changed, version=person.version + 1)


def _with_decision(decisions: tuple[Decision, ...], decision: Decision) -> tuple[Decision, ...]:
    """Add the decision unless it falls as the last one did; a probability that drifts is no new decision."""
    if decisions and _essence(decisions[-1]) == _essence(decision):
        return decisions
    return (*decisions, decision)[-DECISIONS_KEPT:]


def _essence(decision: Decision) -> tuple[str, str, str]:
    return decision.action, decision.reason, decision.verdict


def _with_alert(person: Person, alert: Alert) -> tuple[Case, ...]:
    """Add the alert to its case; where it opens one, an earlier one that nobody settled is over."""
    delivery = Delivery(alert)
    for case in person.cases:
        if case.episode == alert.episode:
            told = replace(case, deliveries=(*case.deliveries, delivery))
            return _with_case(person, _answered(told, alert) if alert.is_all_clear else told).cases
    over = tuple(case if alert.is_notice or case.settled else _answered(case, alert) for case in person.cases)
    return (*over, Case(person.address, alert.episode, (delivery,)))


def _answered(case: Case, alert: Alert) -> Case:
    """Settle a case by evidence: the person was in touch again."""
    at = alert.assessment.last_contact or alert.at
    return replace(case, settled=Answer(case.contact, case.key, case.contact, at, Choice.ANSWERED))


def _with_case(person: Person, case: Case) -> Person:
    cases = tuple(case if case.episode == other.episode else other for other in person.cases)
    return _changed(person, cases=cases)


def _with_delivery(case: Case, delivery: Delivery) -> Case:
    deliveries = tuple(
        delivery if delivery.alert.key == other.alert.key else other for other in case.deliveries
    )
    return replace(case, deliveries=deliveries)


def _held(person: Person, case: str, delivery: Delivery) -> tuple[Case, Delivery] | None:
    """Return the case and what is kept of the delivery, where it is still leased to whoever holds this."""
    for found in person.cases:
        for kept in found.deliveries:
            if found.key == case and kept.alert.key == delivery.alert.key:
                same = kept.attempts == delivery.attempts and kept.leased_until == delivery.leased_until
                return (found, kept) if same and kept.leased_until is not None else None
    return None
