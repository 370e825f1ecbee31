"""Take contacts, their owners and open deals over from HubSpot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.crm.people import Entry, Imported, amount, contacts, day
from bot.crm.settings import HubSpotContacts
from bot.model import Deal
from watchers.crm.hubspot import HubSpot, Record, moment

CONTACT = ("email", "firstname", "lastname", "jobtitle", "company", "country", "hubspot_owner_id")
COMPANY_ID = "associatedcompanyid"
DEAL = ("dealname", "amount", "deal_currency_code", "dealstage", "closedate", "hubspot_owner_id")
COMPANY = ("name", "hubspot_owner_id")
OPEN = {"propertyName": "hs_is_closed", "operator": "EQ", "value": "false"}


@dataclass(frozen=True)
class _Sight:
    """All that was read, by id."""

    people: Mapping[str, Record]
    deals: Mapping[str, Record]
    deals_of: Mapping[str, list[str]]
    companies: Mapping[str, Record]
    owners: Mapping[str, str]
    stages: Mapping[str, str]


async def read_contacts(hubspot: HubSpot, settings: HubSpotContacts) -> Imported:
    """Read whom we are to watch. Raises `SourceDown` and `NeedsHuman`."""
    owners = await hubspot.owners()
    stages = await hubspot.stages()
    deals = {record.ident: record async for record in hubspot.every("deals", [OPEN], DEAL)}
    roles = await hubspot.associated("deals", list(deals), "contacts")
    deals_of: dict[str, list[str]] = {}
    for deal, idents in roles.items():
        for ident in idents:
            deals_of.setdefault(ident, []).append(deal)
    properties = (*CONTACT, COMPANY_ID)
    chosen = await hubspot.members(settings.list_id) if settings.list_id else []
    idents = chosen if settings.list_id or settings.filter else list(deals_of)
    people = {one.ident: one async for one in hubspot.batch("contacts", idents, properties)}
    if settings.filter:
        filters = [
            {"propertyName": name, "operator": "EQ", "value": value}
            for name, value in settings.filter.items()
        ]
        async for one in hubspot.every("contacts", filters, properties):
            people[one.ident] = one
    accounts = [one.text(COMPANY_ID) for one in people.values()]
    companies = {one.ident: one async for one in hubspot.batch("companies", filter(None, accounts), COMPANY)}
    counts = {
        "contacts": len(people),
        "companies": len(companies),
        "open deals": len(deals),
        "owners": len(owners),
    }
    return contacts(_entries(_Sight(people, deals, deals_of, companies, owners, stages)), counts)


def _entries(sight: _Sight) -> Iterable[Entry]:
    """Yield the people with their deals. An owner who is no longer active gives way to the next."""
    for ident, person in sight.people.items():
        theirs = [sight.deals[deal] for deal in sight.deals_of.get(ident, ()) if deal in sight.deals]
        theirs.sort(key=lambda deal: -(amount(deal.text("amount")) or 0.0))
        company = sight.companies.get(person.text(COMPANY_ID))
        responsible = [*theirs, person, *([company] if company else [])]
        owners = (sight.owners.get(one.text("hubspot_owner_id"), "") for one in responsible)
        yield Entry(
            ident=ident,
            address=person.text("email"),
            name=f"{person.text('firstname')} {person.text('lastname')}".strip(),
            title=person.text("jobtitle"),
            account=(company.text("name") if company else "") or person.text("company"),
            country=person.text("country"),
            owners=tuple(filter(None, owners)),
            deals=tuple(_deal(deal, sight.stages) for deal in theirs),
        )


def _deal(deal: Record, stages: Mapping[str, str]) -> Deal:
    closes = moment(deal.text("closedate"))
    return Deal(
        name=deal.text("dealname"),
        amount=amount(deal.text("amount")),
        currency=deal.text("deal_currency_code"),
        stage=stages.get(deal.text("dealstage")) or deal.text("dealstage"),
        close_date=closes.date() if closes else day(deal.text("closedate")),
    )
