"""Read the CRM that config.yaml names."""

from __future__ import annotations

from typing import Protocol

from bot.crm import hubspot, salesforce
from bot.crm.people import Imported
from bot.crm.settings import HubSpotContacts, SalesforceContacts
from watchers.crm.hubspot import HubSpot
from watchers.crm.line import Refused, unanswerable
from watchers.crm.salesforce import Salesforce

HUBSPOT = "contacts in HubSpot"
SALESFORCE = "contacts in Salesforce"
"""What the source is called in coverage and logs."""

OWNERS = "owners in the CRM"
"""The setting that holds whom the CRM named last as each contact's owner, by address."""


class Named(Protocol):
    """The section of config.yaml: exactly one of the two is there."""

    @property
    def hubspot(self) -> HubSpotContacts | None:
        """How to read HubSpot."""

    @property
    def salesforce(self) -> SalesforceContacts | None:
        """How to read Salesforce."""


def source(named: Named) -> str:
    """Return what the source is called."""
    return HUBSPOT if named.hubspot is not None else SALESFORCE


async def read_contacts(named: Named) -> Imported:
    """Read whom we are to watch. Raises `SourceDown` and `NeedsHuman`."""
    if named.hubspot is not None:
        async with named.hubspot.line() as line:
            try:
                return await hubspot.read_contacts(HubSpot(line), named.hubspot)
            except Refused as refused:
                check = "check list_id and filter under crm.hubspot in config.yaml"
                raise unanswerable(refused, line.host, check) from refused
    assert named.salesforce is not None
    async with named.salesforce.line() as line:
        asked = Salesforce(line, named.salesforce.version)
        try:
            return await salesforce.read_contacts(asked, named.salesforce)
        except Refused as refused:
            check = "check where under crm.salesforce in config.yaml, and what the user may see"
            raise unanswerable(refused, line.host, check) from refused
