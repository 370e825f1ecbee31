from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.config import Crm
from bot.crm.settings import HubSpotContacts, SalesforceContacts
from watchers.crm_hubspot import CrmHubSpot
from watchers.crm_salesforce import CrmSalesforce

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"
MODELS = (Crm, HubSpotContacts, SalesforceContacts, CrmHubSpot.Config, CrmSalesforce.Config)
SALESFORCE = {"url": "https://vendor.my.salesforce.com", "client_id": "key"}


@pytest.mark.parametrize("key", sorted({key for model in MODELS for key in model.model_fields}))
def test_the_example_shows_every_key_of_a_crm(key: str) -> None:
    assert re.search(rf"^[ #-]*{key}:", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(
    "settings", [{}, {"hubspot": {}, "salesforce": SALESFORCE}, {"hubspot": {"list_id": "mine"}}]
)
def test_one_crm_is_named_and_no_more(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Crm.model_validate(settings)


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://vendor.my.salesforce.com"},
        {"key_file": "/run/secrets/key.pem"},
        {"user": "stillthere@vendor.example"},
        {"version": "latest"},
        {"left_field": "Left__c = true, Email"},
    ],
)
def test_what_would_send_a_secret_in_the_clear_or_cannot_be_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        SalesforceContacts.model_validate({**SALESFORCE, **wrong})
