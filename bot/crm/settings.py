"""What config.yaml says of the CRM that contacts come from."""

from __future__ import annotations

from pydantic import Field

from watchers.crm.hubspot import HubSpotAccess
from watchers.crm.salesforce import SalesforceAccess


class HubSpotContacts(HubSpotAccess):
    """HubSpot: contacts of open deals, unless a list, a filter or both say otherwise."""

    list_id: str = Field(
        default="", pattern=r"^\d{0,20}$", description="watch the contacts in this list instead"
    )
    filter: dict[str, str] = Field(
        default={}, max_length=5, description="watch contacts with these values of properties instead"
    )
    left_property: str = Field(
        default="",
        pattern=r"^[a-z0-9_]{0,100}$",
        description="the checkbox of a contact that a proposal ticks where the person has left",
    )


class SalesforceContacts(SalesforceAccess):
    """Salesforce: contacts with a role in an open opportunity, unless a condition says otherwise."""

    where: str = Field(
        default="",
        max_length=2000,
        description="watch contacts that fit this condition in SOQL instead, such as Watched__c = true",
    )
    left_field: str = Field(
        default="",
        pattern=r"^([A-Za-z][A-Za-z0-9_]{0,80})?$",
        description="the checkbox of a contact that a proposal ticks where the person has left",
    )
