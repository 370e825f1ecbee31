"""Add people, recognise those who are watched already, and say what became of each.

A rep may change their own people; whoever has no owner becomes theirs. An admin may change everybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

from bot.model import Contact, Person
from bot.slack.gate import Caller
from bot.store import Store
from watchers import under

NAMED = 10
"""So many people or problems are named; the others are counted."""


@dataclass
class Outcome:
    """What became of the people somebody added."""

    added: list[Contact]
    changed: list[Contact]
    known: list[Contact]
    refused: list[str]


async def add(
    store: Store, caller: Caller, contacts: Iterable[Contact], our_domains: frozenset[str]
) -> Outcome:
    """Watch these people, where the caller may; `owner` is empty for whom the caller adds for themselves."""
    outcome = Outcome([], [], [], [])
    for contact in contacts:
        if under(contact.address, our_domains):
            outcome.refused.append(f"{contact.address} is one of our own team")
            continue
        person = await store.person(contact.address)
        known = person.contact if person else None
        if known is not None and known.owner and not caller.may_change(known):
            outcome.refused.append(f"{contact.address} is watched already, for {known.owner}")
            continue
        wanted = merged(_before(person), contact, caller.owner)
        if wanted == known:
            outcome.known.append(wanted)
            continue
        is_new = await store.watch(wanted)
        kept = await store.person(contact.address)
        if kept is None or kept.contact is None:
            outcome.refused.append(f"{contact.address} was erased on request and is not recorded again")
        else:
            (outcome.added if is_new else outcome.changed).append(wanted)
    return outcome


def merged(known: Contact | None, new: Contact, owner: str) -> Contact:
    """Return what is known with what is new in its place; the caller owns whom nobody owns."""
    if known is None:
        return new if new.owner else replace(new, owner=owner)
    whole: Contact = _filled(known, new)
    if known.deal is not None and new.deal is not None:
        whole = replace(whole, deal=_filled(known.deal, new.deal))
    return whole if whole.owner else replace(whole, owner=owner)


def _filled(known: Any, new: Any) -> Any:
    """Return a value with every part that the new one says in place of its own."""
    said = {part.name: value for part in fields(new) if (value := getattr(new, part.name)) not in _NOTHING}
    return replace(known, **said)


_NOTHING: tuple[object, ...] = ("", None, ())


def _before(person: Person | None) -> Contact | None:
    """Return the contact as it is or, where somebody stopped watching, as it was."""
    return (person.contact or person.former) if person else None
