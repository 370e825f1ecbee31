from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bot.config import Crm
from bot.crm.people import Entry, amount, contacts, day, weightiest
from bot.crm.reading import read_contacts
from bot.crm.settings import HubSpotContacts, SalesforceContacts
from bot.model import Contact, Deal, NeedsHuman, SourceDown
from tests.servers import hubspot, salesforce


def in_hubspot(portal: hubspot.HubSpot, **settings: object) -> Crm:
    return Crm(hubspot=HubSpotContacts.model_validate({"api": portal.url, **settings}))


def in_salesforce(organisation: salesforce.Salesforce, **settings: object) -> Crm:
    access = {"url": organisation.url, "client_id": salesforce.CLIENT}
    return Crm(salesforce=SalesforceContacts.model_validate({**access, **settings}))


def furnish(portal: hubspot.HubSpot) -> dict[str, str]:
    """Let Jane and Bob be on an open deal of Rita's, Eve on a closed one; Omar owns Acme."""
    portal.owners = [
        {"id": "1", "email": "Rita@vendor.example", "archived": False},
        {"id": "2", "email": "omar@vendor.example", "archived": False},
        {"id": "3", "email": "gone@vendor.example", "archived": True},
    ]
    acme = portal.add("companies", name="Acme", hubspot_owner_id="2")
    jane = portal.add(
        "contacts",
        email="Jane@acme.example",
        firstname="Jane",
        lastname="Doe",
        jobtitle="VP Operations",
        associatedcompanyid=acme,
        country="Germany",
    )
    bob = portal.add("contacts", email="bob@acme.example", hubspot_owner_id="3", associatedcompanyid=acme)
    eve = portal.add("contacts", email="eve@acme.example", watched="yes")
    rollout = portal.add(
        "deals",
        dealname="Rollout",
        amount="48000",
        deal_currency_code="EUR",
        dealstage="contractsent",
        closedate="2026-06-30T00:00:00Z",
        hubspot_owner_id="1",
        hs_is_closed="false",
    )
    pilot = portal.add("deals", dealname="Pilot", amount="9000", hubspot_owner_id="3", hs_is_closed="false")
    old = portal.add("deals", dealname="Old", amount="99000", hs_is_closed="true")
    portal.link("deals", rollout, "contacts", jane)
    portal.link("deals", pilot, "contacts", jane)
    portal.link("deals", pilot, "contacts", bob)
    portal.link("deals", old, "contacts", eve)
    return {"jane": jane, "bob": bob, "eve": eve, "acme": acme, "rollout": rollout}


ROLLOUT = Deal("Rollout", 48000.0, "EUR", "Contract sent", date(2026, 6, 30))


async def test_the_contacts_of_open_deals_come_from_hubspot_with_owner_account_and_deal(
    portal: hubspot.HubSpot,
) -> None:
    furnish(portal)
    found = await read_contacts(in_hubspot(portal))
    by_address = {contact.address: contact for contact in found.contacts}
    assert set(by_address) == {"jane@acme.example", "bob@acme.example"}
    assert by_address["jane@acme.example"] == Contact(
        "jane@acme.example",
        "Jane Doe",
        "VP Operations",
        "Acme",
        "rita@vendor.example",
        ROLLOUT,
        "Germany",
    )
    assert found.counts == {"contacts": 2, "companies": 1, "open deals": 2, "owners": 2}


async def test_an_owner_who_is_gone_gives_way_to_the_owner_of_the_company(portal: hubspot.HubSpot) -> None:
    furnish(portal)
    found = await read_contacts(in_hubspot(portal))
    assert {one.address: one.owner for one in found.contacts}["bob@acme.example"] == "omar@vendor.example"


async def test_a_list_and_a_filter_say_otherwise_whom_to_watch(portal: hubspot.HubSpot) -> None:
    known = furnish(portal)
    portal.lists["42"] = [known["bob"], "99999"]
    listed = await read_contacts(in_hubspot(portal, list_id="42"))
    assert [one.address for one in listed.contacts] == ["bob@acme.example"]
    both = await read_contacts(in_hubspot(portal, list_id="42", filter={"watched": "yes"}))
    assert {one.address for one in both.contacts} == {"bob@acme.example", "eve@acme.example"}


async def test_hundreds_of_deals_and_contacts_are_all_read(portal: hubspot.HubSpot) -> None:
    for number in range(230):
        person = portal.add("contacts", email=f"person{number}@acme.example")
        deal = portal.add("deals", dealname=f"Deal {number}", hs_is_closed="false")
        portal.link("deals", deal, "contacts", person)
    hub = portal.add("deals", dealname="Everybody", hs_is_closed="false")
    for number in range(700):
        portal.link("deals", hub, "contacts", portal.add("contacts", email=f"p{number}@acme.example"))
    assert len((await read_contacts(in_hubspot(portal))).contacts) == 930


@pytest.mark.parametrize("missing", ["crm.objects.owners.read", "crm.objects.deals.read"])
async def test_a_missing_scope_is_named(portal: hubspot.HubSpot, missing: str) -> None:
    portal.tokens = {hubspot.TOKEN: hubspot.EVERYTHING - {missing}}
    with pytest.raises(NeedsHuman, match=f"grant it the scope {missing}"):
        await read_contacts(in_hubspot(portal))


async def test_too_many_requests_wait_as_long_as_hubspot_asks(portal: hubspot.HubSpot) -> None:
    status, told = hubspot.error(429, "RATE_LIMITS", policyName="SECONDLY")
    portal.answers = [(status, told, {"Retry-After": "7"})]
    with pytest.raises(SourceDown) as down:
        await read_contacts(in_hubspot(portal))
    assert down.value.retry_after == timedelta(seconds=7)


async def test_a_token_that_expired_needs_a_person(portal: hubspot.HubSpot) -> None:
    portal.tokens = {}
    with pytest.raises(NeedsHuman, match="refuses the token"):
        await read_contacts(in_hubspot(portal))


async def test_a_filter_with_an_unknown_property_is_said_to_whoever_wrote_it(portal: hubspot.HubSpot) -> None:
    with pytest.raises(NeedsHuman, match='"colour" does not exist') as wrong:
        await read_contacts(in_hubspot(portal, filter={"colour": "red"}))
    assert "config.yaml" in wrong.value.how


async def test_an_error_of_the_server_is_tried_again(portal: hubspot.HubSpot) -> None:
    portal.answers = [(502, {}, {})]
    with pytest.raises(SourceDown, match="answers 502"):
        await read_contacts(in_hubspot(portal))


def people(organisation: salesforce.Salesforce) -> None:
    rita = {"Email": "Rita@vendor.example", "IsActive": True}
    gone = {"Email": "gone@vendor.example", "IsActive": False}
    acme = {"Name": "Acme", "Owner": {"Email": "omar@vendor.example", "IsActive": True}}
    for number in range(5):
        person = {
            "Id": f"003{number}",
            "Email": f"person{number}@acme.example",
            "Name": f"Person {number}",
            "Title": "CTO",
            "Account": acme,
            "MailingCountry": "France",
            "Owner": gone,
        }
        organisation.add("Contact", **person, Watched__c=number == 4)
        deal = {
            "Id": "0061",
            "Name": "Rollout",
            "Amount": 48000.0,
            "StageName": "Proposal",
            "CloseDate": "2026-06-30",
            "IsClosed": number == 3,
            "Owner": rita if number else gone,
        }
        organisation.add("OpportunityContactRole", ContactId=person["Id"], Contact=person, Opportunity=deal)


async def test_the_contacts_of_open_opportunities_come_from_salesforce_page_by_page(
    organisation: salesforce.Salesforce,
) -> None:
    people(organisation)
    found = await read_contacts(in_salesforce(organisation))
    assert [one.address for one in found.contacts] == [
        f"person{number}@acme.example" for number in (0, 1, 2, 4)
    ]
    assert found.contacts[1] == Contact(
        "person1@acme.example",
        "Person 1",
        "CTO",
        "Acme",
        "rita@vendor.example",
        Deal("Rollout", 48000.0, "", "Proposal", date(2026, 6, 30)),
        "France",
    )
    assert found.contacts[0].owner == "omar@vendor.example"


async def test_a_condition_says_otherwise_whom_to_watch(organisation: salesforce.Salesforce) -> None:
    people(organisation)
    found = await read_contacts(in_salesforce(organisation, where="Watched__c = true"))
    assert [one.address for one in found.contacts] == ["person4@acme.example"]
    assert found.contacts[0].deal is not None


async def test_a_condition_that_salesforce_does_not_take_is_said(organisation: salesforce.Salesforce) -> None:
    with pytest.raises(NeedsHuman, match="No such column 'Colour__c'") as wrong:
        await read_contacts(in_salesforce(organisation, where="Colour__c = true"))
    assert "crm.salesforce" in wrong.value.how


async def test_a_session_that_ended_is_renewed_once(organisation: salesforce.Salesforce) -> None:
    people(organisation)
    organisation.answers = [(401, [{"errorCode": "INVALID_SESSION_ID", "message": "expired"}], {})]
    assert len((await read_contacts(in_salesforce(organisation))).contacts) == 4
    assert organisation.given == 2


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "x"}], {}), "fewer requests"),
        ((503, [{"errorCode": "SERVER_UNAVAILABLE", "message": "x"}], {}), "fewer requests"),
        ((500, [], {}), "answers 500"),
    ],
)
async def test_salesforce_out_of_reach_is_tried_again(
    organisation: salesforce.Salesforce, answer: tuple[int, object, dict[str, str]], said: str
) -> None:
    organisation.answers = [answer]
    with pytest.raises(SourceDown, match=said):
        await read_contacts(in_salesforce(organisation))


async def test_what_the_user_may_not_do_names_what_to_grant(organisation: salesforce.Salesforce) -> None:
    organisation.answers = [(403, [{"errorCode": "API_DISABLED_FOR_ORG", "message": "x"}], {})]
    with pytest.raises(NeedsHuman, match="API Enabled"):
        await read_contacts(in_salesforce(organisation))


async def test_a_wrong_secret_needs_a_person(
    organisation: salesforce.Salesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SALESFORCE_CLIENT_SECRET", "wrong")
    with pytest.raises(NeedsHuman, match="invalid_client"):
        await read_contacts(in_salesforce(organisation))


async def test_a_key_opens_salesforce_as_a_user_without_a_secret(
    organisation: salesforce.Salesforce, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SALESFORCE_CLIENT_SECRET")
    key = rsa.generate_private_key(65537, 2048)
    organisation.key = key.public_key()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    people(organisation)
    signed = in_salesforce(organisation, key_file=tmp_path / "key.pem", user=salesforce.USER)
    assert len((await read_contacts(signed)).contacts) == 4
    other = in_salesforce(organisation, key_file=tmp_path / "key.pem", user="somebody@else.example")
    with pytest.raises(NeedsHuman, match="invalid_client"):
        await read_contacts(other)


@pytest.mark.parametrize("pem", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
async def test_a_file_without_a_key_is_said(
    organisation: salesforce.Salesforce, tmp_path: Path, pem: bytes
) -> None:
    (tmp_path / "key.pem").write_bytes(pem)
    with pytest.raises(NeedsHuman, match="holds no RSA key"):
        await read_contacts(in_salesforce(organisation, key_file=tmp_path / "key.pem", user="u"))


def test_of_two_records_with_one_address_the_second_adds_what_is_new() -> None:
    found = contacts(
        [Entry("1", "jane@acme.example", "Jane"), Entry("2", "JANE@acme.example", "J", "CTO")], {}
    )
    assert found.contacts == (Contact("jane@acme.example", "Jane", "CTO"),)
    assert "record 2" in found.left_out[0]


@pytest.mark.parametrize("address", ["", "no address", "jane@", "a@b@c.example"])
def test_a_record_without_an_address_is_left_out_and_named(address: str) -> None:
    assert contacts([Entry("7", address)], {}).contacts == ()
    assert "record 7" in contacts([Entry("7", address)], {}).left_out[0]


def test_a_deals_words_stand_on_one_line_and_reorder_nothing() -> None:
    deal = Deal("Re\u202enewal\n" + "A" * 10_000, 1.0, "EUR\x1b[2J", "open\u202e")
    [contact] = contacts([Entry("1", "jane@acme.example", deals=(deal,))], {}).contacts
    assert contact.deal is not None
    words = (contact.deal.name, contact.deal.currency, contact.deal.stage)
    assert all(word.isprintable() and len(word) <= 500 for word in words)
    assert words[1:] == ("EUR[2J", "open")


def test_the_largest_deal_counts_and_of_two_as_large_the_next_to_close() -> None:
    late, soon = (
        Deal("late", 5.0, close_date=date(2027, 1, 1)),
        Deal("soon", 5.0, close_date=date(2026, 1, 1)),
    )
    assert weightiest([Deal("small", 1.0), late, soon, Deal("none")]) == soon
    assert weightiest([]) is None


@pytest.mark.parametrize("value", ["", "abc", "1e999", None, "nan", {}, "9" * 5000])
def test_what_is_no_amount_is_none(value: object) -> None:
    assert amount(value) is None


@pytest.mark.parametrize("value", ["", "soon", None, 7, "2026-02-30"])
def test_what_is_no_day_is_none(value: object) -> None:
    assert day(value) is None
