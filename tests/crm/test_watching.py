from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Contact, Json, NeedsHuman, Observation, SourceDown, Verdict
from bot.pipeline import Pipeline
from bot.service import rules
from bot.store.memory import MemoryStore
from bot.suggest import Circle, suggest
from tests.servers import hubspot, salesforce
from watchers import Scope, Watcher, load
from watchers.crm import facts
from watchers.crm.facts import Meeting
from watchers.crm.following import MOST_FOLLOWED, OVERLAP, Place
from watchers.crm.hubspot import Record
from watchers.crm_hubspot import CrmHubSpot
from watchers.crm_salesforce import CrmSalesforce

NOW = datetime.now(UTC).replace(microsecond=0)
JANE = Contact("jane@acme.example", "Jane Doe")
SCOPE = Scope.of([JANE], ["vendor.example"])


def days_ago(days: float) -> str:
    return (NOW - timedelta(days=days)).isoformat().replace("+00:00", "Z")


def of_hubspot(portal: hubspot.HubSpot, **chosen: bool) -> CrmHubSpot:
    return CrmHubSpot(CrmHubSpot.Config.model_validate({"api": portal.url, **chosen}))


def of_salesforce(organisation: salesforce.Salesforce) -> CrmSalesforce:
    return CrmSalesforce(CrmSalesforce.Config(url=organisation.url, client_id=salesforce.CLIENT))


async def look(
    watcher: Watcher[Any], cursor: Json = None, scope: Scope = SCOPE
) -> tuple[list[Observation], Json]:
    [source] = watcher.sources(scope)
    found: list[Observation] = []
    async for batch in watcher.fetch(source, cursor, scope):
        found += [seen for raw in batch.items for seen in watcher.read(raw, scope)]
        cursor = batch.cursor
    return found, cursor


def kinds(found: list[Observation]) -> list[str]:
    return [seen.kind for seen in found]


@pytest.mark.parametrize("watcher", [CrmHubSpot, CrmSalesforce])
def test_a_watcher_reads_its_own_examples(watcher: type[Watcher[Any]]) -> None:
    for example in watcher.examples:
        found = list(watcher().read(example.raw, SCOPE))
        assert tuple(kinds(found)) == example.kinds
        assert [seen.key for seen in watcher().read(example.raw, SCOPE)] == [seen.key for seen in found]


def furnish(portal: hubspot.HubSpot) -> str:
    """Let Jane have got mails, answered one, and bounced three days ago."""
    jane = portal.add(
        "contacts",
        email="jane@acme.example",
        hs_email_hard_bounce_reason_enum="UNKNOWN_USER",
        hs_email_delivered="4",
        hs_email_first_send_date=days_ago(200),
        lastmodifieddate=days_ago(3),
    )
    reason = "hs_email_hard_bounce_reason_enum"
    portal.history[jane, reason] = [{"value": "UNKNOWN_USER", "timestamp": days_ago(3)}]
    for number, (days, direction) in enumerate([(40, "EMAIL"), (38, "INCOMING_EMAIL"), (5, "EMAIL")]):
        theirs = direction == "INCOMING_EMAIL"
        portal.add(
            "emails",
            hs_timestamp=days_ago(days),
            hs_lastmodifieddate=days_ago(days),
            hs_email_direction=direction,
            hs_email_from_email="jane@acme.example" if theirs else "rita@vendor.example",
            hs_email_to_email="rita@vendor.example" if theirs else "jane@acme.example; zoe@other.example",
            hs_email_message_id=f"<{number}@mail.example>",
        )
    return jane


async def test_hubspots_bounces_and_mails_become_what_mail_itself_would_say(portal: hubspot.HubSpot) -> None:
    furnish(portal)
    found, _ = await look(of_hubspot(portal))
    assert kinds(found) == ["written_to", "mailbox_gone", "written_to", "wrote", "written_to"]
    assert {seen.contact for seen in found} == {"jane@acme.example"}
    assert found[1].at == NOW - timedelta(days=3)
    assert found[3].facts["message_id"] == "1@mail.example"
    assert "zoe@other.example" not in str(found)


async def test_a_bounce_flag_in_the_crm_makes_a_departure_likely_without_any_mailbox(
    portal: hubspot.HubSpot,
) -> None:
    load()
    furnish(portal)
    store = MemoryStore()
    await store.watch(JANE)
    pipeline = Pipeline(store, rules(), ["vendor.example"], baseline=False)
    await pipeline.sweep(of_hubspot(portal), "HubSpot", NOW)
    [judged] = await pipeline.review(NOW)
    assert judged.verdict is Verdict.LIKELY_LEFT
    assert judged.last_contact == NOW - timedelta(days=38)


async def test_a_bounce_flag_of_an_address_that_never_worked_says_nothing(portal: hubspot.HubSpot) -> None:
    load()
    portal.add(
        "contacts",
        email="jane@acme.example",
        hs_email_hard_bounce_reason_enum="UNKNOWN_USER",
        hs_email_delivered="0",
        lastmodifieddate=days_ago(3),
    )
    store = MemoryStore()
    await store.watch(JANE)
    pipeline = Pipeline(store, rules(), ["vendor.example"], baseline=False)
    await pipeline.sweep(of_hubspot(portal), "HubSpot", NOW)
    [judged] = await pipeline.review(NOW)
    assert judged.verdict not in {Verdict.LEFT, Verdict.LIKELY_LEFT}


async def test_looking_again_finds_nothing_that_is_not_known(portal: hubspot.HubSpot) -> None:
    furnish(portal)
    first, cursor = await look(of_hubspot(portal))
    again, _ = await look(of_hubspot(portal), cursor)
    assert {seen.key for seen in again} <= {seen.key for seen in first}


def meet(portal: hubspot.HubSpot, jane: str, start: str, changed: str, outcome: str = "SCHEDULED") -> str:
    meeting = portal.add(
        "meetings",
        hs_meeting_start_time=start,
        hs_lastmodifieddate=changed,
        hs_meeting_outcome=outcome,
        hs_i_cal_uid="call-1",
    )
    portal.link("meetings", meeting, "contacts", jane)
    return meeting


async def test_a_meeting_is_told_when_it_stands_otherwise_and_only_then(portal: hubspot.HubSpot) -> None:
    jane = portal.add("contacts", email="jane@acme.example")
    meeting = meet(portal, jane, days_ago(-5), days_ago(2))
    watcher = of_hubspot(portal)
    found, cursor = await look(watcher)
    assert kinds(found) == ["meeting"]
    portal.objects["meetings"][meeting]["hs_lastmodifieddate"] = days_ago(1)
    found, cursor = await look(watcher, cursor)
    assert found == []
    portal.objects["meetings"][meeting].update(
        hs_meeting_start_time=days_ago(-19), hs_lastmodifieddate=days_ago(0.5)
    )
    found, cursor = await look(watcher, cursor)
    assert [(seen.kind, seen.facts["start"], seen.group) for seen in found] == [
        ("meeting", (NOW + timedelta(days=19)).isoformat(), "call-1")
    ]
    portal.objects["meetings"][meeting].update(
        hs_meeting_outcome="CANCELED", hs_lastmodifieddate=days_ago(0.2)
    )
    [cancelled], _ = await look(watcher, cursor)
    assert cancelled.facts["status"] == "CANCELLED"


@pytest.mark.parametrize(
    ("outcome", "expected"), [("NO_SHOW", ["meeting", "meeting_no_show"]), ("COMPLETED", ["meeting"])]
)
async def test_the_outcome_of_a_meeting_says_whether_they_came(
    portal: hubspot.HubSpot, outcome: str, expected: list[str]
) -> None:
    jane = portal.add("contacts", email="jane@acme.example")
    meet(portal, jane, days_ago(1), days_ago(0.5), outcome)
    found, _ = await look(of_hubspot(portal))
    assert kinds(found) == expected
    assert bool(found[0].facts.get("attended")) == (outcome == "COMPLETED")


@pytest.mark.parametrize(("starts_in", "status"), [(-1, "CANCELLED"), (5, "CONFIRMED")])
async def test_what_was_rescheduled_is_off_at_its_old_time_and_stands_at_its_new_one(
    portal: hubspot.HubSpot, starts_in: float, status: str
) -> None:
    jane = portal.add("contacts", email="jane@acme.example")
    meet(portal, jane, days_ago(-starts_in), days_ago(0.5), "RESCHEDULED")
    [seen], _ = await look(of_hubspot(portal))
    assert seen.facts["status"] == status
    assert "attended" not in seen.facts


async def test_who_opted_out_in_hubspot_is_known_once_however_often_their_record_changes(
    portal: hubspot.HubSpot,
) -> None:
    jane = portal.add(
        "contacts", email="Jane@Acme.example", hs_email_optout="true", lastmodifieddate=days_ago(2)
    )
    portal.add(
        "contacts", email="bob@elsewhere.example", hs_email_optout="true", lastmodifieddate=days_ago(2)
    )
    [first], cursor = await look(of_hubspot(portal))
    assert (first.kind, first.contact) == ("opted_out", "jane@acme.example")
    portal.objects["contacts"][jane]["lastmodifieddate"] = days_ago(1)
    [again], _ = await look(of_hubspot(portal), cursor)
    assert again.key == first.key
    assert (await look(of_hubspot(portal, opt_outs=False)))[0] == []


async def test_whoever_opts_in_again_is_suggested_again_and_no_more_once_they_opted_out_anew(
    portal: hubspot.HubSpot,
) -> None:
    ann = portal.add(
        "contacts", email="ann@acme.example", lastmodifieddate=days_ago(9), hs_email_optout="true"
    )
    portal.add("contacts", email="bob@acme.example", lastmodifieddate=days_ago(4))
    store, watcher, cursor = MemoryStore(), of_hubspot(portal), None
    for contact in (JANE, Contact("ann@acme.example", "Ann Lee")):
        await store.watch(contact)
    told = []
    for days, is_out in ((8, "true"), (6, "false"), (5, ""), (3, "true"), (2, "true"), (1, "false")):
        portal.objects["contacts"][ann].update(hs_email_optout=is_out, lastmodifieddate=days_ago(days))
        found, cursor = await look(watcher, cursor)
        await store.record(found)
        people = await store.people(frozenset({"acme.example"}))
        told.append([one.address for one in suggest(JANE, [], Circle.of(people, NOW), NOW)])
    yes, no = ["ann@acme.example"], list[str]()
    assert told == [no, yes, yes, no, no, yes]
    assert "@" not in str(cursor)


async def test_whoever_opts_in_again_in_salesforce_is_known_too(organisation: salesforce.Salesforce) -> None:
    organisation.add(
        "Contact", Email="jane@acme.example", HasOptedOutOfEmail=True, SystemModstamp=days_ago(3)
    )
    [out], cursor = await look(of_salesforce(organisation))
    organisation.rows["Contact"][0].update(HasOptedOutOfEmail=False, SystemModstamp=days_ago(1))
    [back], cursor = await look(of_salesforce(organisation), cursor)
    organisation.rows["Contact"][0].update(HasOptedOutOfEmail=True, SystemModstamp=days_ago(0.5))
    [again], _ = await look(of_salesforce(organisation), cursor)
    assert [one.kind for one in (out, back, again)] == ["opted_out", "opted_in", "opted_out"]
    assert again.key != out.key


async def test_who_opted_out_in_salesforce_is_known_and_a_field_that_is_hidden_stops_nothing(
    organisation: salesforce.Salesforce, monkeypatch: pytest.MonkeyPatch
) -> None:
    organisation.add(
        "Contact", Email="jane@acme.example", HasOptedOutOfEmail=True, SystemModstamp=days_ago(2)
    )
    organisation.add("Contact", Email="ann@acme.example", SystemModstamp=days_ago(2))
    [seen], _ = await look(of_salesforce(organisation))
    assert (seen.kind, seen.contact) == ("opted_out", "jane@acme.example")
    hidden = salesforce.FIELDS["Contact"] - {"HasOptedOutOfEmail"}
    monkeypatch.setitem(salesforce.FIELDS, "Contact", hidden)
    assert (await look(of_salesforce(organisation)))[0] == []


async def test_who_opted_out_is_suggested_to_nobody_and_alarms_nobody(portal: hubspot.HubSpot) -> None:
    load()
    store = MemoryStore()
    for contact in (JANE, Contact("ann@acme.example", "Ann Lee")):
        await store.watch(contact)
    portal.add("contacts", email="ann@acme.example", hs_email_optout="true", lastmodifieddate=days_ago(2))
    pipeline = Pipeline(store, rules(), ["vendor.example"], baseline=False)
    await pipeline.sweep(of_hubspot(portal), "HubSpot", NOW)
    judged = await pipeline.review(NOW)
    assert not [one for one in judged if one.evidence]
    people = await store.people(frozenset({"acme.example"}))
    before = [replace(one, observations=()) for one in people]
    assert [one.address for one in suggest(JANE, [], Circle.of(before, NOW), NOW)] == ["ann@acme.example"]
    assert suggest(JANE, [], Circle.of(people, NOW), NOW) == ()


async def test_nobody_moves_a_meeting_as_far_as_a_crm_knows(portal: hubspot.HubSpot) -> None:
    jane = portal.add("contacts", email="jane@acme.example")
    meet(portal, jane, days_ago(-5), days_ago(2))
    [seen], _ = await look(of_hubspot(portal))
    assert (seen.facts["by"], seen.facts["by_side"]) == ("", "other")


async def test_people_whom_nobody_watches_leave_no_trace(portal: hubspot.HubSpot) -> None:
    furnish(portal)
    scope = Scope.of([Contact("bob@elsewhere.example")], ["vendor.example"])
    found, cursor = await look(of_hubspot(portal), scope=scope)
    assert found == []
    assert "@" not in str(cursor)


async def test_what_is_switched_off_is_not_asked_for(portal: hubspot.HubSpot) -> None:
    furnish(portal)
    await look(of_hubspot(portal, emails=False, meetings=False))
    assert not [asked for asked in portal.asked if "emails" in asked or "meetings" in asked]


async def test_a_private_app_that_may_not_read_needs_a_person(portal: hubspot.HubSpot) -> None:
    furnish(portal)
    portal.tokens = {hubspot.TOKEN: frozenset()}
    with pytest.raises(NeedsHuman, match=r"crm\.objects\.contacts\.read"):
        await look(of_hubspot(portal))


async def test_too_many_requests_end_the_look_and_lose_nothing(portal: hubspot.HubSpot) -> None:
    furnish(portal)
    portal.answers = [(429, hubspot.error(429, "RATE_LIMITS")[1], {"Retry-After": "3"})]
    with pytest.raises(SourceDown) as down:
        await look(of_hubspot(portal))
    assert down.value.retry_after == timedelta(seconds=3)
    assert "mailbox_gone" in kinds((await look(of_hubspot(portal)))[0])


def sold(organisation: salesforce.Salesforce) -> None:
    organisation.add(
        "Contact",
        Email="jane@acme.example",
        EmailBouncedReason="550 5.1.1 <jane@acme.example>: Recipient address rejected: User unknown",
        EmailBouncedDate=days_ago(2),
        SystemModstamp=days_ago(2),
    )
    for number, (days, incoming) in enumerate([(60, False), (58, True), (3, False), (1, False)]):
        people = ["jane@acme.example", "rita@vendor.example"]
        organisation.add(
            "EmailMessage",
            MessageDate=days_ago(days),
            SystemModstamp=days_ago(days),
            FromAddress=people[not incoming],
            ToAddress=people[incoming],
            Incoming=incoming,
            MessageIdentifier=f"<{number}@mail.example>",
            Status="5" if number == 3 else "3",
        )


async def test_salesforces_bounces_and_mails_become_what_mail_itself_would_say(
    organisation: salesforce.Salesforce,
) -> None:
    sold(organisation)
    found, cursor = await look(of_salesforce(organisation))
    assert kinds(found) == ["mailbox_gone", "written_to", "wrote", "written_to"]
    assert found[0].facts["status"] == "5.1.1"
    again, _ = await look(of_salesforce(organisation), cursor)
    assert {seen.key for seen in again} <= {seen.key for seen in found}


async def test_where_there_are_no_email_messages_tasks_say_whom_we_wrote_to(
    organisation: salesforce.Salesforce,
) -> None:
    organisation.switched_off = {"EmailMessage"}
    organisation.add(
        "Task",
        Who={"Email": "jane@acme.example"},
        Owner={"Email": "rita@vendor.example"},
        CompletedDateTime=days_ago(4),
        SystemModstamp=days_ago(4),
        TaskSubtype="Email",
        IsClosed=True,
    )
    found, _ = await look(of_salesforce(organisation))
    assert kinds(found) == ["written_to"]


async def test_an_event_in_the_recycle_bin_is_a_cancelled_meeting(
    organisation: salesforce.Salesforce,
) -> None:
    organisation.add(
        "Event",
        Who={"Email": "jane@acme.example"},
        Owner={"Email": "rita@vendor.example"},
        StartDateTime=days_ago(-4),
        SystemModstamp=days_ago(1),
        EventRelations={"records": [{"Relation": {"Email": "jane@acme.example"}, "Status": "Accepted"}]},
    )
    watcher = of_salesforce(organisation)
    [seen], cursor = await look(watcher)
    assert seen.facts["attendees"] == [["jane@acme.example", "ACCEPTED"]]
    assert seen.facts["organizer"] == "rita@vendor.example"
    organisation.rows["Event"][0].update(IsDeleted=True, SystemModstamp=days_ago(0.5))
    [cancelled], _ = await look(watcher, cursor)
    assert cancelled.facts["status"] == "CANCELLED"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("550 5.1.1 User unknown", "mailbox_gone"),
        ("552 5.2.2 Mailbox full", "full"),
        ("550 5.7.1 Message rejected as spam", "blocked"),
        ("", "other"),
        ("something happened", "other"),
    ],
)
def test_the_words_of_a_bounce_are_read_as_those_of_a_mail_are(words: str, kind: str) -> None:
    assert facts.diagnosis(words) == kind


def test_meetings_long_over_are_no_longer_followed_nor_more_than_a_few_thousand() -> None:
    place = Place(None, NOW - timedelta(days=365))
    for number in range(MOST_FOLLOWED + 50):
        place.is_news(Meeting(f"m{number}", NOW, NOW + timedelta(minutes=number), None, "", {}))
    place.is_news(Meeting("old", NOW, NOW - timedelta(days=40), None, "", {}))
    kept = place.cursor(NOW)
    assert isinstance(kept, dict)
    assert isinstance(kept["known"], dict)
    assert len(kept["known"]) == MOST_FOLLOWED
    assert "old" not in kept["known"]


def test_a_record_from_the_future_passes_over_nothing_that_changes_until_then() -> None:
    begin = NOW - timedelta(days=365)
    place = Place(None, begin)
    place.read_to("emails", NOW + timedelta(days=20_000))
    place.read_to("contacts", NOW - timedelta(days=1))
    again = Place(place.cursor(NOW), begin)
    assert again.since("emails") == NOW - OVERLAP
    assert again.since("contacts") == NOW - timedelta(days=1) - OVERLAP


def test_a_record_from_before_all_time_does_not_stop_the_reading() -> None:
    begin = NOW - timedelta(days=365)
    place = Place(None, begin)
    place.read_to("emails", datetime.min.replace(tzinfo=UTC))
    assert Place(place.cursor(NOW), begin).since("emails") == begin


HOSTILE = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=40), st.lists(st.text(max_size=9), max_size=3)
)
NAMES = sorted(hubspot.PROPERTIES["contacts"] | hubspot.PROPERTIES["emails"] | hubspot.PROPERTIES["meetings"])
FIELDS = sorted(
    {name for what in ("Contact", "EmailMessage", "Event", "Task") for name in salesforce.FIELDS[what]}
    | {"Who", "Owner", "EventRelations"}
)


@settings(max_examples=60, deadline=None)
@given(
    what=st.sampled_from(["contacts", "emails", "meetings", "mails", "tasks", "events"]),
    values=st.dictionaries(st.sampled_from([*NAMES, *FIELDS, "contacts"]), HOSTILE, max_size=12),
)
def test_whatever_a_record_holds_it_is_read_or_left_out(what: str, values: dict[str, Any]) -> None:
    for watcher in (CrmHubSpot(), CrmSalesforce()):
        for seen in watcher.read(Record(what, "1", values), SCOPE):
            assert SCOPE.covers(seen.contact)
