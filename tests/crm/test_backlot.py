"""HubSpot's reads against `backlot`, which is not ours; it lacks owners, lists, association batches.

It knows no types of properties, so moments stand there in milliseconds, as HubSpot takes them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from backlot import server  # type: ignore[import-untyped]
from backlot.server import Server, serve  # type: ignore[import-untyped]

from bot.model import NeedsHuman
from watchers import Scope
from watchers.crm.hubspot import HubSpot, HubSpotAccess
from watchers.crm.line import Refused
from watchers.crm_hubspot import CrmHubSpot

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("backlot")]

START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)
PEOPLE = 230
LOOKS = 1200
"""A tenth of a second apart; it gives itself a hundred."""


def record(what: str, number: int, properties: dict[str, str], *links: str) -> dict[str, Any]:
    ident = str({"contacts": 10_000, "deals": 20_000, "emails": 30_000}[what] + number)
    return {
        "source_type": "hubspot",
        "doc_id": f"{what}-{number}",
        "record_id": ident,
        "object_type": what,
        "title": f"{what} {number}",
        "content": f"{what} {number}",
        "properties": {**properties, "hs_object_id": ident},
        "associations": [{"to": link} for link in links],
        "created": "2026-01-01T00:00:00Z",
        "author_email": "rita@vendor.example",
        "visibility": "public",
    }


def stamp(minutes: int) -> str:
    return str(int((START + timedelta(minutes=minutes)).timestamp() * 1000))


@pytest.fixture(scope="module")
def portal() -> Iterator[Server]:
    people = [
        record(
            "contacts",
            number,
            {
                "email": f"person{number}@acme.example",
                "lastmodifieddate": stamp(0 if number < 150 else number),
                **({"hs_email_hard_bounce_reason_enum": "UNKNOWN_USER"} if number == 7 else {}),
            },
        )
        for number in range(PEOPLE)
    ]
    deals = [
        record("deals", 1, {"dealname": "Rollout", "hs_is_closed": "false"}, "contacts-7", "contacts-8"),
        record("deals", 2, {"dealname": "Old", "hs_is_closed": "true"}, "contacts-9"),
    ]
    mails = [
        record(
            "emails",
            1,
            {
                "hs_timestamp": stamp(5),
                "hs_lastmodifieddate": stamp(5),
                "hs_email_direction": "INCOMING_EMAIL",
                "hs_email_from_email": "person8@acme.example",
                "hs_email_to_email": "rita@vendor.example",
            },
        )
    ]
    with ExitStack() as stack:
        yield started(stack, [*people, *deals, *mails])


def started(stack: ExitStack, records: list[dict[str, Any]]) -> Server:
    """Start it, and give it the time that it takes to begin on a busy machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "_LOCAL_HEALTH_ATTEMPTS", LOOKS)
        return stack.enter_context(serve(records, telemetry=False))


@pytest.fixture
async def hubspot(portal: Server, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HubSpot]:
    monkeypatch.setenv("HUBSPOT_TOKEN", portal.token)
    async with HubSpotAccess(api=f"{portal.base_url}/hubspot").line() as line:
        yield HubSpot(line)


async def test_everybody_is_read_once_page_by_page(hubspot: HubSpot) -> None:
    found = [one.text("email") async for one in hubspot.every("contacts", [], ["email"])]
    assert sorted(found) == sorted(f"person{number}@acme.example" for number in range(PEOPLE))


async def test_what_changed_comes_oldest_first_also_where_one_moment_holds_more_than_a_page(
    hubspot: HubSpot,
) -> None:
    pages = [page async for page in hubspot.changed("contacts", "lastmodifieddate", START, ["email"])]
    stamps = [one.text("lastmodifieddate") for page in pages for one in page]
    assert len({one.ident for page in pages for one in page}) == PEOPLE
    assert stamps == sorted(stamps)


async def test_only_open_deals_are_found_and_their_people(hubspot: HubSpot) -> None:
    is_open = {"propertyName": "hs_is_closed", "operator": "EQ", "value": "false"}
    [deal] = [one async for one in hubspot.every("deals", [is_open], ["dealname"])]
    assert deal.text("dealname") == "Rollout"
    assert sorted(await hubspot.neighbours("deals", deal.ident, "contacts")) == ["10007", "10008"]


async def test_ids_that_are_gone_are_left_out_of_a_batch(hubspot: HubSpot) -> None:
    found = [one.text("email") async for one in hubspot.batch("contacts", ["10007", "99999"], ["email"])]
    assert found == ["person7@acme.example"]


async def test_a_token_that_is_not_taken_needs_a_person_and_names_the_scopes(
    portal: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUBSPOT_TOKEN", "wrong")
    async with HubSpotAccess(api=f"{portal.base_url}/hubspot").line() as line:
        with pytest.raises(NeedsHuman, match=r"crm\.objects\.contacts\.read, crm\.objects\.companies\.read"):
            _ = [one async for one in HubSpot(line).batch("contacts", ["10007"], ["email"])]


async def test_what_is_not_there_is_said_in_hubspots_words(hubspot: HubSpot) -> None:
    with pytest.raises(Refused) as refused:
        await hubspot.line.get("crm/v3/objects/nonsense")
    assert refused.value.status == 400


async def test_the_watcher_reads_bounces_and_mails(portal: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBSPOT_TOKEN", portal.token)
    watcher = CrmHubSpot(CrmHubSpot.Config(api=f"{portal.base_url}/hubspot", meetings=False))
    scope = Scope(frozenset({"vendor.example"}), frozenset(), frozenset({"acme.example"}))
    found = [
        seen
        async for batch in watcher.fetch("HubSpot", None, scope)
        for raw in batch.items
        for seen in watcher.read(raw, scope)
    ]
    assert {(seen.contact, seen.kind) for seen in found} == {
        ("person7@acme.example", "mailbox_gone"),
        ("person8@acme.example", "wrote"),
    }
