"""Make contacts of what a CRM says, the same for every CRM. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from bot.crm.csv import ADDRESS, tidy
from bot.model import Contact, Deal


@dataclass(frozen=True)
class Imported:
    """What a CRM holds of whom we are to watch: contacts by address, and why others were left out.

    `counts` says how much was read, by what it is.
    """

    contacts: tuple[Contact, ...] = ()
    left_out: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """A person as a CRM has them; `owners` are who is responsible, the most responsible first."""

    ident: str
    address: str
    name: str = ""
    title: str = ""
    account: str = ""
    country: str = ""
    owners: tuple[str, ...] = ()
    deals: tuple[Deal, ...] = ()


def contacts(entries: Iterable[Entry], counts: Mapping[str, int]) -> Imported:
    """Return the contacts of a CRM; of two records with one address, the second adds what is new."""
    found: dict[str, Contact] = {}
    left_out: list[str] = []
    for entry in entries:
        address = entry.address.strip().lower()
        if not ADDRESS.fullmatch(address):
            left_out.append(
                f"record {entry.ident[:40]}: {'no' if not address else 'a broken'} e-mail address"
            )
            continue
        contact = _contact(address, entry)
        known = found.get(address)
        if known is not None:
            left_out.append(
                f"record {entry.ident[:40]}: has the address of another record, and was added to it"
            )
            contact = joined(known, contact)
        found[address] = contact
    return Imported(tuple(found.values()), tuple(left_out), counts)


def _contact(address: str, entry: Entry) -> Contact:
    return Contact(
        address=address,
        name=tidy(entry.name),
        title=tidy(entry.title),
        account=tidy(entry.account),
        owner=next((owner.lower() for owner in entry.owners if ADDRESS.fullmatch(owner)), ""),
        deal=_tidied(weightiest(entry.deals)),
        country=tidy(entry.country),
    )


def _tidied(deal: Deal | None) -> Deal | None:
    if deal is None:
        return None
    return replace(deal, name=tidy(deal.name), currency=tidy(deal.currency), stage=tidy(deal.stage))


def weightiest(deals: Sequence[Deal]) -> Deal | None:
    """Return the deal that counts: the largest, and of two as large the one that closes first."""
    return max(deals, key=lambda deal: (deal.amount or 0.0, -_ordinal(deal.close_date)), default=None)


def _ordinal(day: date | None) -> int:
    return (day or date.max).toordinal()


def joined(known: Contact, other: Contact) -> Contact:
    """Return the known contact with what only the other says."""
    names = ("name", "title", "account", "owner", "deal", "country", "links", "informed_on")
    changes = {
        name: getattr(other, name) for name in names if not getattr(known, name) and getattr(other, name)
    }
    return replace(known, **changes)


def amount(value: object) -> float | None:
    """Return a deal's amount, None where it is none."""
    try:
        read = float(value) if isinstance(value, str | int | float) else math.nan
    except (ValueError, OverflowError):
        return None
    return read if math.isfinite(read) else None


def day(value: object) -> date | None:
    """Return the day with which a date or a moment in ISO 8601 begins, None where it is none."""
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
