"""A CRM that refuses, expires or answers in part at any request of an import: nobody and nothing is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.config import Crm
from bot.crm.reading import OWNERS, read_contacts
from bot.crm.settings import HubSpotContacts, SalesforceContacts
from bot.crm.taking import take
from bot.model import Contact, NeedsHuman, SourceDown
from bot.store.memory import MemoryStore
from tests.crm.test_import import furnish, people
from tests.servers import hubspot, salesforce

REQUESTS = 6
"""An import from the furnished portal asks for owners, stages, deals, who is on them, people, companies."""

LIMITED: hubspot.Refusal = (429, hubspot.error(429, "RATE_LIMITS")[1], {"Retry-After": "7"})


def of(portal: hubspot.HubSpot) -> Crm:
    return Crm(hubspot=HubSpotContacts(api=portal.url))


async def synchronised(store: MemoryStore, crm: Crm) -> list[Contact]:
    await take(store, (await read_contacts(crm)).contacts, OWNERS, follow=True)
    return await store.contacts()


async def test_an_import_asks_as_often_as_these_tests_say(portal: hubspot.HubSpot) -> None:
    furnish(portal)
    await read_contacts(of(portal))
    assert len(portal.asked) == REQUESTS


@pytest.mark.parametrize("number", range(1, REQUESTS + 1))
async def test_an_import_that_is_held_up_at_any_request_changes_nothing_and_is_made_good_later(
    portal: hubspot.HubSpot, number: int
) -> None:
    furnish(portal)
    store = MemoryStore()
    before = await synchronised(store, of(portal))
    portal.at = {len(portal.asked) + number: lambda: LIMITED}
    with pytest.raises(SourceDown) as down:
        await synchronised(store, of(portal))
    assert down.value.retry_after == timedelta(seconds=7)
    assert await store.contacts() == before
    assert await synchronised(store, of(portal)) == before


@pytest.mark.parametrize("number", range(1, REQUESTS + 1))
async def test_a_token_that_is_replaced_in_the_midst_of_an_import_is_taken_up(
    portal: hubspot.HubSpot, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    furnish(portal)

    def replaced() -> None:
        portal.tokens = {"pat-new": hubspot.EVERYTHING}
        monkeypatch.setenv("HUBSPOT_TOKEN", "pat-new")

    portal.at = {number: replaced}
    assert len((await read_contacts(of(portal))).contacts) == 2


@pytest.mark.parametrize("number", range(1, REQUESTS + 1))
async def test_a_token_that_expires_in_the_midst_of_an_import_needs_a_person_and_loses_nobody(
    portal: hubspot.HubSpot, number: int
) -> None:
    furnish(portal)
    store = MemoryStore()
    before = await synchronised(store, of(portal))
    portal.at = {len(portal.asked) + number: portal.tokens.clear}
    with pytest.raises(NeedsHuman, match="expired or revoked"):
        await synchronised(store, of(portal))
    assert await store.contacts() == before


@pytest.mark.parametrize("number", [4, 5, 6])
async def test_a_batch_that_is_answered_in_part_takes_no_deal_away(
    portal: hubspot.HubSpot, number: int
) -> None:
    furnish(portal)
    store = MemoryStore()
    before = await synchronised(store, of(portal))
    part = {"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [{"category": "INTERNAL_ERROR"}]}
    portal.at = {len(portal.asked) + number: lambda: (207, part, {})}
    with pytest.raises(SourceDown, match="only in part"):
        await synchronised(store, of(portal))
    assert await store.contacts() == before


async def test_whoever_is_gone_from_a_batch_is_left_out_and_the_others_are_taken(
    portal: hubspot.HubSpot,
) -> None:
    known = furnish(portal)
    del portal.objects["contacts"][known["bob"]]
    found = await read_contacts(of(portal))
    assert [one.address for one in found.contacts] == ["jane@acme.example"]


async def test_salesforce_that_holds_an_import_up_between_two_pages_loses_nobody(
    organisation: salesforce.Salesforce,
) -> None:
    people(organisation)
    organisation.page = 1
    crm = Crm(salesforce=SalesforceContacts(url=organisation.url, client_id=salesforce.CLIENT))
    store = MemoryStore()
    before = await synchronised(store, crm)
    limited = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]
    organisation.at = {len(organisation.asked) + 3: (403, limited, {})}
    with pytest.raises(SourceDown, match="fewer requests"):
        await synchronised(store, crm)
    assert await store.contacts() == before
    assert await synchronised(store, crm) == before
