"""Take contacts, their owners and open opportunities over from Salesforce."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bot.crm.people import Entry, Imported, amount, contacts, day
from bot.crm.settings import SalesforceContacts
from bot.model import Deal
from watchers.crm.line import text, under
from watchers.crm.salesforce import Salesforce

PERSON = (
    "Id, Email, Name, Title, Account.Name, MailingCountry, "
    "Owner.Email, Owner.IsActive, Account.Owner.Email, Account.Owner.IsActive"
)
OPPORTUNITY = (
    "Opportunity.Id, Opportunity.Name, Opportunity.Amount, Opportunity.StageName, "
    "Opportunity.CloseDate, Opportunity.Owner.Email, Opportunity.Owner.IsActive"
)
OF_ROLE = ", ".join(f"Contact.{name.strip()}" for name in PERSON.split(","))
ROLES = (
    f"SELECT ContactId, {OF_ROLE}, {OPPORTUNITY} "  # noqa: S608 - made of constants
    "FROM OpportunityContactRole WHERE Opportunity.IsClosed = false AND Contact.Email != null"
)

Row = Mapping[str, Any]


async def read_contacts(salesforce: Salesforce, settings: SalesforceContacts) -> Imported:
    """Read whom we are to watch. Raises `SourceDown` and `NeedsHuman`."""
    people: dict[str, Row] = {}
    deals: dict[str, list[Row]] = {}
    async for role in salesforce.query(ROLES):
        ident, person, deal = text(role.get("ContactId")), role.get("Contact"), role.get("Opportunity")
        if ident and isinstance(person, dict) and isinstance(deal, dict):
            people[ident] = person
            deals.setdefault(ident, []).append(deal)
    if settings.where:
        fitting = f"Email != null AND ({settings.where})"
        chosen = salesforce.query(f"SELECT {PERSON} FROM Contact WHERE {fitting}")  # noqa: S608 - the admin's own
        people = {text(row.get("Id")): row async for row in chosen}
    opportunities = {text(deal.get("Id")) for theirs in deals.values() for deal in theirs}
    counts = {"contacts": len(people), "open opportunities": len(opportunities)}
    return contacts(_entries(people, deals), counts)


def _entries(people: Mapping[str, Row], deals: Mapping[str, list[Row]]) -> Iterable[Entry]:
    """Yield the people with their opportunities. An owner who is not active gives way to the next."""
    for ident, person in people.items():
        theirs = sorted(deals.get(ident, ()), key=lambda deal: -(amount(deal.get("Amount")) or 0.0))
        responsible = [*(deal.get("Owner") for deal in theirs), person.get("Owner")]
        responsible.append(under(person, "Account", "Owner"))
        yield Entry(
            ident=ident,
            address=text(person.get("Email")),
            name=text(person.get("Name")),
            title=text(person.get("Title")),
            account=text(under(person, "Account", "Name")),
            country=text(person.get("MailingCountry")),
            owners=tuple(
                text(under(owner, "Email")) for owner in responsible if under(owner, "IsActive") is True
            ),
            deals=tuple(_deal(deal) for deal in theirs),
        )


def _deal(deal: Row) -> Deal:
    return Deal(
        name=text(deal.get("Name")),
        amount=amount(deal.get("Amount")),
        currency=text(deal.get("CurrencyIsoCode")),
        stage=text(deal.get("StageName")),
        close_date=day(deal.get("CloseDate")),
    )
