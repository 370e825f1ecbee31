"""Watch whom a file or a CRM names, and let it say who owns them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.model import Contact, Json
from bot.store import Store


async def take(store: Store, found: Iterable[Contact], said: str, *, follow: bool = False) -> int:
    """Watch these contacts and return of how many something changed.

    Whom the source no longer names stays watched. Who was made the owner in Slack stays so until the source
    itself names another; `said` is the setting that holds whom it named last. A source to `follow` is asked
    again and again: whom somebody stopped watching stays so, what it does not say stays as it is known, and
    whom it no longer names has no deal any more.
    """
    known = {contact.address: contact for contact in await store.contacts()}
    kept = await store.setting(said)
    before = kept if isinstance(kept, dict) else {}
    owners: dict[str, Json] = {}
    changed = 0
    for contact in found:
        owners[contact.address] = contact.owner
        old = known.get(contact.address)
        new = contact
        if old is not None and before.get(contact.address) == contact.owner:
            new = replace(new, owner=old.owner)
        if follow:
            if old is None and await _was_removed(store, contact.address):
                continue
            new = _followed(old, new)
        if new != old:
            await store.watch(new)
            changed += 1
    if follow:
        for address in before.keys() - owners.keys():
            old = known.get(address)
            if old is not None and old.deal is not None:
                await store.watch(replace(old, deal=None))
                changed += 1
    # Whom the store refuses, having forgotten them, is not to stand in a setting either.
    watched = {contact.address for contact in await store.contacts()}
    owners = {address: owner for address, owner in owners.items() if address in watched}
    if owners != before:
        await store.save_setting(said, owners)
    return changed


async def _was_removed(store: Store, address: str) -> bool:
    person = await store.person(address)
    return person is not None and person.former is not None


def _followed(old: Contact | None, new: Contact) -> Contact:
    """Return what the source says now, and what it does not say as it was known; the deal is its own."""
    if old is None:
        return new
    return replace(
        new,
        name=new.name or old.name,
        title=new.title or old.title,
        account=new.account or old.account,
        owner=new.owner or old.owner,
        country=new.country or old.country,
        links=new.links or old.links,
        informed_on=new.informed_on or old.informed_on,
    )
