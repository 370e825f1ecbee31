"""Answer a person who asks what is kept of them: every fact, where it comes from, and who was told.

Reads only. See article 15 of the GDPR.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.model import Assessment, Case, Contact, Decision, Delivery, Home, Json, Kind, Observation, Person
from bot.retention import term
from bot.slack.marks import Marks
from bot.slack.register import KEY
from bot.store import codec
from bot.store.forgotten import Forgotten, expired
from bot.store.moving import Entry, Walkable
from bot.store.verbs import SETTING

DIGESTS = f"{SETTING}digests sent "
BASELINE = f"{SETTING}baseline "


@dataclass
class _Found:
    """What one walk through everything found."""

    address: str
    person: Person | None = None
    mentions: list[tuple[str, Observation]] = field(default_factory=list)
    suggested: list[dict[str, Json]] = field(default_factory=list)
    notes: dict[str, Json] = field(default_factory=dict)
    key: str = ""
    digests: list[tuple[str, list[Json]]] = field(default_factory=list)
    lists: list[tuple[str, str, list[Json]]] = field(default_factory=list)
    forgotten: Forgotten = field(default_factory=lambda: Forgotten(b""))


async def access(
    store: Walkable, address: str, retention: timedelta, kinds: Mapping[str, Kind], now: datetime
) -> dict[str, Json]:
    """Return all that is kept about a person, as JSON values."""
    found = _Found(codec.normal(address).strip().lower())
    async for entry in store.entries():
        _look(entry, found)
    person, told = found.person, _recipients(found)
    return {
        "address": found.address,
        "asked_at": now.isoformat(),
        "kept": person is not None or bool(found.mentions or found.notes or found.suggested),
        "forgotten": found.address in found.forgotten,
        "contact": _contact(person.contact or person.former) if person else None,
        "watched": person is not None and person.contact is not None,
        "retention": _retention(person, retention, kinds, now),
        "facts": [_fact(seen) for seen in person.observations] if person else [],
        "assessment": _assessment(person.assessment) if person and person.assessment else None,
        "decisions": [_decision(one) for one in person.decisions] if person else [],
        "cases": [_case(case) for case in person.cases] if person else [],
        "recipients": told,
        "named_in_facts_of_others": [
            {"about": about, **_fact(seen)}
            for about, seen in sorted(found.mentions, key=lambda one: (one[1].at, one[0]))
        ],
        "suggested_in_place_of_others": [*found.suggested],
        "named_in_notes_of_the_service": {name: found.notes[name] for name in sorted(found.notes)},
    }


def _look(entry: Entry, found: _Found) -> None:
    if entry.shelf == "person":
        person = codec.from_document(entry.document)
        if person.address == found.address:
            found.person = person
            return
        nobody = expired(found.address)
        found.mentions += [
            (person.address, seen) for seen in person.observations if nobody.cleaned(seen) != seen
        ]
        found.suggested += _suggested(person, found.address)
    elif entry.shelf == "cursor":
        _look_into_setting(entry, found)
    elif entry.shelf == "forgotten key":
        found.forgotten = Forgotten(bytes.fromhex(str(entry.document)), found.forgotten.marks)
    elif entry.shelf == "forgotten":
        found.forgotten = found.forgotten.with_mark(entry.key)


def _look_into_setting(entry: Entry, found: _Found) -> None:
    kept: Any = entry.document
    if entry.key == f"{SETTING}{KEY}":
        found.key = str(kept)
    elif entry.key.startswith(DIGESTS) and isinstance(kept, list):
        found.digests += [(entry.key.removeprefix(DIGESTS), one) for one in kept if isinstance(one, list)]
    elif entry.key.startswith(BASELINE) and isinstance(kept, dict):
        for owner, addresses in (kept.get("lists") or {}).items():
            if found.address in addresses:
                where = (kept.get("at") or {}).get(owner) or []
                found.lists.append((entry.key.removeprefix(BASELINE), str(owner), where))
    elif (said := _naming(kept, expired(found.address))) is not None:
        found.notes[entry.key.removeprefix(SETTING)] = said


def _naming(kept: Any, nobody: Forgotten) -> Json:
    """Return of a note what names the person, None where nothing does; what names only others is left out."""
    if isinstance(kept, str):
        return kept if nobody.cleaned(kept) != kept else None
    if isinstance(kept, list):
        items: list[Json] = [said for item in kept if (said := _naming(item, nobody)) is not None]
        is_row = items and not any(isinstance(item, list | dict) for item in kept)
        return [item for item in kept if item in items or "@" not in str(item)] if is_row else items or None
    if isinstance(kept, dict):
        named: dict[str, Json] = {}
        for name, item in kept.items():
            said = item if nobody.cleaned(name) != name else _naming(item, nobody)
            if said is not None:
                named[name] = said
        return named or None
    return None


def _suggested(other: Person, address: str) -> list[dict[str, Json]]:
    """Return in whose place a person was named to a rep, with the reasons, each once."""
    said = [delivery.alert.assessment for case in other.cases for delivery in case.deliveries]
    said += [other.assessment] if other.assessment else []
    found: list[dict[str, Json]] = []
    for one in (each for assessment in said for each in assessment.suggestions if each.address == address):
        entry: dict[str, Json] = {"about": other.address, "name": one.name, "reasons": [*one.reasons]}
        if entry not in found:
            found.append(entry)
    words = [case.settled for case in other.cases if case.settled and case.settled.champion == address]
    return found + [{"about": other.address, "champion_instead": True, "by": word.by} for word in words]


def _recipients(found: _Found) -> list[Json]:
    """Return who was told of the person in Slack: by channel or user, with the message."""
    told: list[Json] = []
    for case in found.person.cases if found.person else ():
        posts = dict.fromkeys((*case.posts, *([case.home] if case.home else [])))
        told += [{"what": "alert", "case": case.key, **_place(post)} for post in posts]
    if found.key:
        mark = Marks(bytes.fromhex(found.key)).of(found.address)
        for reader, (channel, ts, *marks) in found.digests:
            if mark in marks:
                told.append({"what": "digest", "user": reader, "channel": channel, "message": ts})
    for source, owner, where in found.lists:
        channel, ts = (*where, "", "")[:2]
        told.append({"what": "list", "of": source, "user": owner, "channel": channel, "message": ts})
    return told


def _place(home: Home) -> dict[str, Json]:
    return {"channel": home.channel, "message": home.ts}


def _retention(person: Person | None, retention: timedelta, kinds: Mapping[str, Kind], now: datetime) -> Json:
    if person is None:
        return None
    found = term(person, retention, kinds, now)
    return {"counted_from": _iso(found.since), "because": found.reason, "kept_until": _iso(found.until)}


def _contact(contact: Contact | None) -> Json:
    if contact is None:
        return None
    deal = contact.deal
    return {
        "name": contact.name,
        "title": contact.title,
        "account": contact.account,
        "owner": contact.owner,
        "country": contact.country,
        "links": [*contact.links],
        "informed_on": contact.informed_on.isoformat() if contact.informed_on else None,
        "deal": {
            "name": deal.name,
            "amount": deal.amount,
            "currency": deal.currency,
            "stage": deal.stage,
            "close_date": deal.close_date.isoformat() if deal.close_date else None,
        }
        if deal
        else None,
    }


def _fact(seen: Observation) -> dict[str, Json]:
    return {
        "kind": seen.kind,
        "says": seen.sentence,
        "at": seen.at.isoformat(),
        "learned_at": _iso(seen.seen),
        "source": seen.source,
        "facts": dict(seen.facts),
        "read_this_way_because": [*seen.because],
    }


def _assessment(found: Assessment) -> Json:
    return {
        "verdict": found.verdict.value,
        "probability": found.probability,
        "strength": found.strength.value,
        "at": found.at.isoformat(),
        "because": found.headline,
        "evidence": [
            {
                "kind": one.kind,
                "says": one.sentence,
                "at": one.at.isoformat(),
                "source": one.source,
                "weight": one.weight,
            }
            for one in found.evidence
        ],
        "other_explanations": [*found.other_explanations],
        "suggested_instead": [
            {"name": one.name, "address": one.address, "reasons": [*one.reasons], "guess": one.guess}
            for one in found.suggestions
        ],
        "last_contact": _iso(found.last_contact),
        "returns": found.returns.isoformat() if found.returns else None,
    }


def _decision(one: Decision) -> Json:
    return {
        "at": one.at.isoformat(),
        "action": one.action.value,
        "reason": one.reason.value,
        "verdict": one.verdict.value,
        "probability": one.probability,
    }


def _case(case: Case) -> Json:
    answers = [one for one in (case.on_it, case.settled) if one is not None]
    return {
        "case": case.key,
        "alerts": [_alert(delivery) for delivery in case.deliveries],
        "answers": [
            {
                "by": one.by,
                "at": one.at.isoformat(),
                "said": one.choice.value,
                "until": one.until.isoformat() if one.until else None,
                "champion_instead": one.champion,
            }
            for one in answers
        ],
    }


def _alert(delivery: Delivery) -> Json:
    said = delivery.alert.assessment
    return {
        "raised_at": delivery.alert.at.isoformat(),
        "sent_at": _iso(delivery.sent_at),
        "verdict": said.verdict.value,
        "probability": said.probability,
        "because": said.headline,
    }


def _iso(at: datetime | None) -> Json:
    return at.isoformat() if at is not None else None
