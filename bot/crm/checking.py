"""Try everything that is read of a CRM, one thing after another, and say of each what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bot.crm.hubspot import OPEN
from bot.crm.reading import Named
from bot.crm.settings import HubSpotContacts, SalesforceContacts
from bot.model import NeedsHuman, SourceDown
from watchers.crm.hubspot import LISTS, HubSpot
from watchers.crm.line import Refused, unanswerable
from watchers.crm.salesforce import Salesforce

TRY_LATER = "try again later"
OPTED_OUT = {"propertyName": "hs_email_optout", "operator": "EQ", "value": "true"}

Asks = Mapping[str, Callable[[], Awaitable[int]]]

SCOPES = {
    "contacts": "crm.objects.contacts.read",
    "companies": "crm.objects.companies.read",
    "open deals": "crm.objects.deals.read",
    "owners": "crm.objects.owners.read",
    "the list": LISTS,
    "logged mails": "sales-email-read, and crm.objects.contacts.read",
    "meetings": "crm.objects.contacts.read",
    "opted out of e-mail": "crm.objects.contacts.read",
}
"""The scope of HubSpot that each thing takes."""

QUERIES = {
    "contacts": "SELECT COUNT() FROM Contact",
    "roles in open opportunities": "SELECT COUNT() FROM OpportunityContactRole "
    "WHERE Opportunity.IsClosed = false",
    "bounced contacts": "SELECT COUNT() FROM Contact WHERE EmailBouncedDate != null",
    "logged mails": "SELECT COUNT() FROM EmailMessage",
    "logged tasks": "SELECT COUNT() FROM Task WHERE TaskSubtype = 'Email'",
    "events": "SELECT COUNT() FROM Event",
    "opted out of e-mail": "SELECT COUNT() FROM Contact WHERE HasOptedOutOfEmail = true",
}


@dataclass(frozen=True)
class Tried:
    """One thing that was asked for: how many there are, or what is wrong and what to do."""

    what: str
    count: int = 0
    problem: str = ""
    cure: str = ""

    @property
    def ok(self) -> bool:
        """Say whether it may be read."""
        return not self.problem


async def check(named: Named) -> list[Tried]:
    """Try everything that is read of the CRM that the settings name."""
    if named.hubspot is not None:
        return await _hubspot(named.hubspot)
    assert named.salesforce is not None
    return await _salesforce(named.salesforce)


async def _hubspot(settings: HubSpotContacts) -> list[Tried]:
    async with settings.line() as line:
        hubspot = HubSpot(line)

        def total(what: str, *filters: Mapping[str, str]) -> Callable[[], Awaitable[int]]:
            return lambda: hubspot.count(what, filters)

        async def owners() -> int:
            return len(await hubspot.owners())

        async def listed() -> int:
            return len(await hubspot.members(settings.list_id))

        asks: dict[str, Callable[[], Awaitable[int]]] = {
            "contacts": total("contacts"),
            "companies": total("companies"),
            "open deals": total("deals", OPEN),
            "owners": owners,
            **({"the list": listed} if settings.list_id else {}),
            "logged mails": total("emails"),
            "meetings": total("meetings"),
            "opted out of e-mail": total("contacts", OPTED_OUT),
        }
        return await _tried(
            asks, line.host, {what: f"grant the scope {scope}" for what, scope in SCOPES.items()}
        )


async def _salesforce(settings: SalesforceContacts) -> list[Tried]:
    async with settings.line() as line:
        salesforce = Salesforce(line, settings.version)

        def total(soql: str) -> Callable[[], Awaitable[int]]:
            return lambda: salesforce.count(soql)

        asks: dict[str, Callable[[], Awaitable[int]]] = {what: total(soql) for what, soql in QUERIES.items()}
        if settings.where:
            asks["contacts that fit `where`"] = total(
                f"SELECT COUNT() FROM Contact WHERE Email != null AND ({settings.where})"  # noqa: S608 - the admin's
            )
        cures = dict.fromkeys(asks, "let the connected app's user read it, or switch its object on")
        cures["opted out of e-mail"] = (
            "let the connected app's user see contacts' Email Opt Out: until then those may be suggested"
        )
        return await _tried(asks, line.host, cures)


async def _tried(asks: Asks, host: str, cures: Mapping[str, str]) -> list[Tried]:
    """Ask for each. What only a person can mend does not keep the others from being tried."""
    found = []
    for what, ask in asks.items():
        try:
            found.append(Tried(what, await ask()))
        except SourceDown as down:
            found.append(Tried(what, problem=down.what, cure=TRY_LATER))
        except NeedsHuman as problem:
            found.append(Tried(what, problem=problem.what, cure=problem.how))
        except Refused as refused:
            human = unanswerable(refused, host, cures[what])
            found.append(Tried(what, problem=human.what, cure=human.how))
    return found
