from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.config import Crm
from bot.crm.proposals import Change, Kept, Proposal, State, Step, Wanted, Writer, parted, settled, wanted
from bot.crm.settings import HubSpotContacts, SalesforceContacts
from bot.crm.writing import writer
from bot.model import (
    Alert,
    Answer,
    Assessment,
    Case,
    Choice,
    Contact,
    Delivery,
    NeedsHuman,
    SourceDown,
    Strength,
    Suggestion,
    Verdict,
)
from tests.servers import hubspot, salesforce

ANN = Suggestion("Ann Lee", "ann@acme.example", ("named in the auto-reply",), successor=True)
WANTED = Wanted("0123456789abcdef" * 2, "jane@acme.example", "Jane Doe", date(2026, 5, 4), "Rita Rep", ANN)
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
EVERY_STEP = list(Step)


def hubspots(portal: hubspot.HubSpot, ticked: str = "no_longer_at_company") -> Writer:
    return writer(Crm(hubspot=HubSpotContacts(api=portal.url, left_property=ticked)))


def salesforces(organisation: salesforce.Salesforce, ticked: str = "No_Longer_At_Company__c") -> Writer:
    settings = SalesforceContacts(url=organisation.url, client_id=salesforce.CLIENT, left_field=ticked)
    return writer(Crm(salesforce=settings))


def jane_in(portal: hubspot.HubSpot) -> str:
    acme = portal.add("companies", name="Acme")
    return portal.add("contacts", email="jane@acme.example", associatedcompanyid=acme)


async def look(crm: Writer) -> Proposal:
    found = await crm.look(WANTED)
    assert found is not None
    return found


async def test_a_proposal_says_exactly_what_would_change_in_hubspot(portal: hubspot.HubSpot) -> None:
    jane = jane_in(portal)
    proposal = await look(hubspots(portal))
    assert proposal.record == jane
    assert [(one.step, one.before, one.after) for one in proposal.changes] == [
        (Step.LEFT, "not set", "true"),
        (Step.SUCCESSOR, "no such contact", "Ann Lee <ann@acme.example>"),
        (Step.NOTE, "no note", WANTED.note),
    ]
    assert portal.written == {}


async def test_what_was_accepted_is_written_to_hubspot_and_nothing_is_left_to_write(
    portal: hubspot.HubSpot,
) -> None:
    jane = jane_in(portal)
    crm = hubspots(portal)
    await crm.write(WANTED, await look(crm), EVERY_STEP)
    assert portal.objects["contacts"][jane]["no_longer_at_company"] == "true"
    assert portal.objects["contacts"][jane]["email"] == "jane@acme.example"
    [ann] = [one for one in portal.objects["contacts"].values() if one.get("email") == "ann@acme.example"]
    assert (ann["firstname"], ann["lastname"]) == ("Ann", "Lee")
    assert portal.links["contacts", "companies"][ann["hs_object_id"]]
    [note] = portal.objects["notes"].values()
    assert "Jane Doe has left, as Rita Rep said on 2026-05-04. Next: Ann Lee." in note["hs_note_body"]
    assert portal.links["notes", "contacts"][note["hs_object_id"]] == [jane]
    assert (await look(crm)).changes == ()


async def test_only_the_accepted_steps_are_done(portal: hubspot.HubSpot) -> None:
    jane_in(portal)
    crm = hubspots(portal)
    await crm.write(WANTED, await look(crm), [Step.NOTE])
    assert portal.written == {"notes created": 1}


KILLS = ["PATCH", "POST /crm/v3/objects/contacts", "POST /crm/v3/objects/notes"]


@pytest.mark.parametrize("killed_at", KILLS)
async def test_cut_off_after_any_write_to_hubspot_and_begun_again_nothing_is_lost_or_doubled(
    portal: hubspot.HubSpot, killed_at: str
) -> None:
    jane_in(portal)
    crm = hubspots(portal)
    proposal = await look(crm)
    portal.dies_after = killed_at
    with pytest.raises(SourceDown):
        await crm.write(WANTED, proposal, EVERY_STEP)
    rest = await look(crm)
    await crm.write(WANTED, rest, rest.steps)
    assert portal.written["contacts created"] == 1
    assert portal.written["notes created"] == 1
    assert (await look(crm)).changes == ()


async def test_a_stale_proposal_written_twice_doubles_nothing(portal: hubspot.HubSpot) -> None:
    jane_in(portal)
    crm = hubspots(portal)
    stale = await look(crm)
    await crm.write(WANTED, stale, EVERY_STEP)
    await crm.write(WANTED, stale, EVERY_STEP)
    assert (portal.written["contacts created"], portal.written["notes created"]) == (1, 1)


async def test_whom_the_crm_does_not_know_nothing_is_proposed_for(
    portal: hubspot.HubSpot, organisation: salesforce.Salesforce
) -> None:
    assert await hubspots(portal).look(WANTED) is None
    assert await salesforces(organisation).look(WANTED) is None


async def test_without_a_checkbox_of_the_team_only_contact_and_note_are_proposed(
    portal: hubspot.HubSpot,
) -> None:
    jane_in(portal)
    assert (await look(hubspots(portal, ""))).steps == [Step.SUCCESSOR, Step.NOTE]


async def test_without_write_scope_a_person_must_act(portal: hubspot.HubSpot) -> None:
    jane_in(portal)
    crm = hubspots(portal)
    proposal = await look(crm)
    portal.tokens = {hubspot.TOKEN: hubspot.EVERYTHING - {"crm.objects.contacts.write"}}
    with pytest.raises(NeedsHuman, match=r"crm\.objects\.contacts\.write"):
        await crm.write(WANTED, proposal, EVERY_STEP)
    assert portal.written == {}


async def test_a_checkbox_that_does_not_exist_needs_a_person(portal: hubspot.HubSpot) -> None:
    jane_in(portal)
    crm = hubspots(portal, "gone_away")
    with pytest.raises(NeedsHuman, match="gone_away"):
        await crm.write(WANTED, await look(crm), EVERY_STEP)


async def test_salesforce_gets_the_checkbox_the_contact_and_a_completed_task(
    organisation: salesforce.Salesforce,
) -> None:
    jane = organisation.add("Contact", Email="jane@acme.example", LastName="Doe", AccountId="001A")
    crm = salesforces(organisation)
    proposal = await look(crm)
    assert [(one.step, one.before) for one in proposal.changes] == [
        (Step.LEFT, "false"),
        (Step.SUCCESSOR, "no such contact"),
        (Step.NOTE, "no note"),
    ]
    await crm.write(WANTED, proposal, EVERY_STEP)
    [row] = [one for one in organisation.rows["Contact"] if one["Id"] == jane]
    assert (row["No_Longer_At_Company__c"], row["Email"]) == (True, "jane@acme.example")
    [ann] = [one for one in organisation.rows["Contact"] if one["Email"] == "ann@acme.example"]
    assert (ann["FirstName"], ann["LastName"], ann["AccountId"]) == ("Ann", "Lee", "001A")
    [task] = organisation.rows["Task"]
    assert (task["WhoId"], task["Status"], task["Description"]) == (jane, "Completed", WANTED.note)
    assert (await look(crm)).changes == ()


@pytest.mark.parametrize("killed_at", ["PATCH", "sobjects/Contact", "sobjects/Task"])
async def test_cut_off_after_any_write_to_salesforce_and_begun_again_nothing_is_lost_or_doubled(
    organisation: salesforce.Salesforce, killed_at: str
) -> None:
    organisation.add("Contact", Email="jane@acme.example", LastName="Doe")
    crm = salesforces(organisation)
    proposal = await look(crm)
    organisation.dies_after = killed_at
    with pytest.raises(SourceDown):
        await crm.write(WANTED, proposal, EVERY_STEP)
    rest = await look(crm)
    await crm.write(WANTED, rest, rest.steps)
    assert (organisation.written["Contact created"], organisation.written["Task created"]) == (1, 1)
    assert (await look(crm)).changes == ()


async def test_a_name_with_a_quote_is_a_name_and_no_query(organisation: salesforce.Salesforce) -> None:
    strange = replace(WANTED, address="o'neill@acme.example")
    organisation.add("Contact", Email="o'neill@acme.example", LastName="O'Neill")
    assert await salesforces(organisation).look(strange) is not None


def case(choice: Choice = Choice.LEFT, champion: str = "", *others: Suggestion) -> Case:
    contact = Contact("jane@acme.example", "Jane Doe")
    assessment = Assessment(
        contact.address, NOW, Verdict.LEFT, Strength.STRONG, 0.99, "left", suggestions=(*others, ANN)
    )
    answer = Answer(contact.address, "jane@acme.example:1", "U0RITA", NOW, choice, None, champion)
    return Case(contact.address, 1, (Delivery(Alert(contact, assessment, 1, NOW)),), settled=answer)


def test_a_guessed_address_is_never_proposed() -> None:
    guess = Suggestion("Bob Ray", "bob.ray@acme.example", ("on their team page",), guess=True)
    assert wanted(case(Choice.LEFT, guess.address, guess), "key", "Rita").successor is None


@pytest.mark.parametrize(
    "name", ["N" * 10_000, "\u202eeL nnA", "Ann\n\nLee\x00", "\ud800Ann", "\ufdfa" * 4000]
)
def test_a_name_goes_into_a_crm_on_one_line_and_short_and_only_as_the_card_shows_it(name: str) -> None:
    odd = Suggestion(name, "ann.lee@acme.example", ("named",), successor=True)
    asked = wanted(case(Choice.LEFT, odd.address, odd), "key", name)
    assert asked.successor is not None
    for text in (asked.by, asked.successor.name, asked.note):
        assert text.isprintable()
        assert len(text) < 400


@pytest.mark.parametrize(
    "address", ["", "ann", "@acme.example", "ann@", "ann@acme..example", "a b@acme.example"]
)
def test_what_is_no_address_is_no_contact_to_create(address: str) -> None:
    odd = Suggestion("Ann Lee", address, ("named",), successor=True)
    settled_case = replace(case(), deliveries=())
    judged = replace(case().alert.assessment, suggestions=(odd,))
    raised = replace(case().alert, assessment=judged)
    assert wanted(replace(settled_case, deliveries=(Delivery(raised),)), "key", "Rita").successor is None


def test_whom_the_rep_named_goes_before_whom_the_auto_reply_named() -> None:
    bob = Suggestion("Bob Ray", "bob@acme.example", ("on 7 threads",))
    assert wanted(case(Choice.LEFT, bob.address, bob), "key", "Rita").successor == bob
    assert wanted(case(Choice.LEFT, "", bob), "key", "Rita").successor == ANN


@pytest.mark.parametrize("choice", [one for one in Choice if one is not Choice.LEFT])
def test_only_a_departure_that_a_rep_confirmed_is_proposed(choice: Choice) -> None:
    assert settled([case(choice)], NOW) == []
    assert settled([case()], NOW + timedelta(days=13)) == [case()]
    assert settled([case()], NOW + timedelta(days=15)) == []


@pytest.mark.parametrize(
    ("name", "parts"), [("Ann Lee", ("Ann", "Lee")), ("Lee", ("", "Lee")), ("", ("", ""))]
)
def test_a_single_word_is_the_last_name(name: str, parts: tuple[str, str]) -> None:
    assert parted(name) == parts


def test_what_is_kept_of_a_proposal_reads_as_it_was_written() -> None:
    kept = Kept(State.ACCEPTED, "d", (Step.LEFT, Step.NOTE), "U1", "C1", "1.0", NOW)
    assert Kept.read(kept.json()) == kept
    assert "@" not in str(kept.json())


def test_a_proposal_that_a_clock_was_ahead_for_is_worked_on_when_the_clock_is_right() -> None:
    held = Kept(State.ACCEPTED, until=NOW)
    assert not held.is_free(NOW - timedelta(days=1))
    assert held.is_free(NOW)
    assert held.is_free(NOW - timedelta(days=30))


@pytest.mark.parametrize("broken", [None, [], {}, {"state": "dreamt"}, "offered"])
def test_what_is_not_ours_is_no_proposal(broken: object) -> None:
    assert Kept.read(broken) is None  # type: ignore[arg-type]


def test_a_proposal_is_known_by_all_that_it_says() -> None:
    change = Change(Step.LEFT, "Jane", "no", "yes")
    others = [replace(change, where="x"), replace(change, before="x"), replace(change, after="x")]
    proposals = [Proposal("1", ()), Proposal("2", ()), Proposal("1", (change,))]
    proposals += [Proposal("1", (other,)) for other in others]
    assert len({one.digest for one in proposals}) == len(proposals)
