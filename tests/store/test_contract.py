"""What every store promises of people, sources, slots and settings."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta, timezone
from typing import cast

import pytest

from bot.model import (
    Case,
    Contact,
    Delivery,
    Json,
    Reason,
    Verdict,
)
from bot.store import DECISIONS_KEPT, Amendment, Store
from tests.store.contents import DAY, JANE, LEASE, NOW, OMAR, alarm, decided, judged, known, sighting, warn


@pytest.fixture
def store(empty_store: Store) -> Store:
    return empty_store


async def test_a_contact_is_new_once_and_then_brought_up_to_date(store: Store) -> None:
    assert await store.watch(JANE)
    promoted = replace(JANE, title="CEO", deal=None)
    assert not await store.watch(promoted)
    assert await store.contacts() == [promoted]
    assert (await known(store)).contact == promoted


async def test_watching_somebody_as_they_are_known_changes_nothing(store: Store) -> None:
    await store.watch(JANE)
    before = await known(store)
    await store.watch(JANE)
    assert await known(store) == before


async def test_contacts_come_by_address_and_only_those_watched(store: Store) -> None:
    await store.watch(OMAR)
    await store.watch(JANE)
    await store.record([sighting("colleague@acme.example")])
    assert await store.contacts() == [JANE, OMAR]


async def test_nobody_is_known_in_an_empty_store(store: Store) -> None:
    assert await store.person(JANE.address) is None
    assert await store.contacts() == []
    assert await store.news() == []
    assert await store.people(frozenset({"acme.example"})) == []
    assert not await store.unwatch(JANE.address)
    assert await store.take_alert(NOW, LEASE) is None


async def test_a_person_no_longer_watched_keeps_all_that_is_known(store: Store) -> None:
    await store.watch(JANE)
    await store.record([sighting()])
    assert await store.unwatch(JANE.address)
    assert not await store.unwatch(JANE.address)
    assert await store.contacts() == []
    assert (await known(store)).contact is None
    assert (await known(store)).observations == (sighting(),)


async def test_a_person_watched_again_has_all_that_was_known(store: Store) -> None:
    await store.watch(JANE)
    await store.record([sighting()])
    await store.unwatch(JANE.address)
    await store.record([sighting(days=1)])
    assert await store.watch(JANE)
    assert (await known(store)).observations == (sighting(), sighting(days=1))
    assert await store.news() == [JANE.address]


async def test_people_at_a_domain_are_found_watched_or_not(store: Store) -> None:
    await store.watch(JANE)
    await store.watch(OMAR)
    await store.record([sighting("ann@acme.example"), sighting("eve@sub.acme.example")])
    found = await store.people(frozenset({"acme.example", "nowhere.example"}))
    assert [person.address for person in found] == ["ann@acme.example", JANE.address]
    assert found[0].observations == (sighting("ann@acme.example"),)


async def test_what_is_recorded_comes_back_as_it_was(store: Store) -> None:
    seen = sighting(days_lost=14, by="them", nested={"list": [1, 2.5, True, None, "2026-05-04"]})
    assert await store.record([seen]) == [seen]
    (kept,) = (await known(store)).observations
    assert kept == seen
    assert kept.key == seen.key
    assert kept.at.isoformat() == seen.at.isoformat()
    assert repr(kept.facts) == repr(seen.facts)


async def test_the_same_observation_twice_is_one(store: Store) -> None:
    assert await store.record([sighting(), sighting()]) == [sighting()]
    before = await known(store)
    elsewhere = replace(sighting(), source="imap:other@vendor.example", sentence="in other words")
    assert await store.record([sighting(), elsewhere]) == []
    assert await known(store) == before


async def test_only_what_is_new_is_returned_in_the_order_it_came(store: Store) -> None:
    await store.record([sighting(days=1)])
    batch = [sighting(days=2), sighting(days=1), sighting(days=0)]
    assert await store.record(batch) == [sighting(days=2), sighting(days=0)]


async def test_a_moment_is_one_in_every_time_zone(store: Store) -> None:
    await store.record([sighting()])
    tokyo = replace(sighting(), at=NOW.astimezone(timezone(timedelta(hours=9))))
    without_zone = replace(sighting(), at=NOW.replace(tzinfo=None))
    assert await store.record([tokyo, without_zone]) == []


async def test_text_that_no_encoding_knows_is_kept_readable_and_once(store: Store) -> None:
    broken = replace(sighting(), group="a\ud800b\x00c", facts={"na\udfffme": ["\udc80", float("nan")]})
    (kept,) = await store.record([broken])
    assert kept.group == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"
    assert kept.facts == {"na\N{REPLACEMENT CHARACTER}me": ["\N{REPLACEMENT CHARACTER}", None]}
    assert (await known(store)).observations == (kept,)
    assert await store.record([broken]) == []


async def test_an_address_that_no_encoding_knows_harms_nothing(store: Store) -> None:
    await store.watch(Contact("a\ud800@acme.example", "B\x00"))
    assert await store.person("a\ud800@acme.example") is None
    assert [contact.name for contact in await store.contacts()] == ["B\N{REPLACEMENT CHARACTER}"]


async def test_facts_that_nest_without_end_are_refused(store: Store) -> None:
    deep: Json = "core"
    for _ in range(200):
        deep = [deep]
    with pytest.raises(ValueError, match="nests deeper"):
        await store.record([sighting(deep=deep)])
    assert await store.person(JANE.address) is None


async def test_an_observation_is_news_until_a_conclusion_has_seen_it(store: Store) -> None:
    await store.watch(OMAR)
    await store.watch(JANE)
    assert await store.news() == []
    await store.record([sighting(OMAR.address), sighting()])
    assert await store.news() == [JANE.address, OMAR.address]
    version = (await known(store)).version
    assert await store.conclude(version, judged(), decided())
    assert await store.news() == [OMAR.address]
    await store.record([sighting()])
    assert await store.news() == [OMAR.address]
    await store.record([sighting(days=1)])
    assert await store.news() == [JANE.address, OMAR.address]


async def test_what_is_seen_of_a_colleague_is_no_news_until_they_are_watched(store: Store) -> None:
    await store.record([sighting()])
    assert await store.news() == []
    await store.watch(JANE)
    assert await store.news() == [JANE.address]
    await store.unwatch(JANE.address)
    assert await store.news() == []


async def test_a_conclusion_comes_back_as_it_was(store: Store) -> None:
    await warn(store, alarm())
    person = await known(store)
    assert person.assessment == judged()
    assert person.decisions == (decided(),)
    assert person.cases == (Case(JANE.address, 1, (Delivery(alarm()),)),)


async def test_a_conclusion_from_an_older_version_changes_nothing(store: Store) -> None:
    await store.watch(JANE)
    version = (await known(store)).version
    await store.record([sighting()])
    before = await known(store)
    assert not await store.conclude(version, judged(), decided(), alarm())
    assert await known(store) == before
    assert await store.news() == [JANE.address]
    assert await store.take_alert(NOW, LEASE) is None


async def test_of_two_conclusions_from_one_version_one_is_kept(store: Store) -> None:
    await store.watch(JANE)
    version = (await known(store)).version
    outcomes = await asyncio.gather(
        store.conclude(version, judged(), decided(), alarm()),
        store.conclude(version, judged(verdict=Verdict.SLIPPING), decided(), alarm(verdict=Verdict.SLIPPING)),
    )
    assert sorted(outcomes) == [False, True]
    assert len((await known(store)).cases) == 1


async def test_the_first_thing_kept_of_an_address_may_be_a_conclusion(store: Store) -> None:
    assert not await store.conclude(3, judged(), decided(), alarm())
    assert await store.person(JANE.address) is None
    assert await store.conclude(0, judged(), decided(), alarm())
    assert len((await known(store)).cases) == 1


async def test_an_alert_is_raised_once_in_an_episode(store: Store) -> None:
    await warn(store, alarm())
    before = await known(store)
    assert not await store.conclude(before.version, judged(), decided(days=1), alarm(days=1))
    assert await known(store) == before
    await warn(store, alarm(episode=2))


async def test_alerts_of_an_episode_share_a_case_and_a_new_episode_opens_one(store: Store) -> None:
    await warn(store, alarm(verdict=Verdict.SLIPPING))
    await warn(store, alarm(days=1))
    await warn(store, alarm(days=2, episode=2))
    first, second = (await known(store)).cases
    assert [delivery.alert for delivery in first.deliveries] == [
        alarm(verdict=Verdict.SLIPPING),
        alarm(days=1),
    ]
    assert [delivery.alert for delivery in second.deliveries] == [alarm(days=2, episode=2)]


async def test_the_same_decision_again_is_kept_once_with_its_first_date(store: Store) -> None:
    await store.watch(JANE)
    for days, reason in enumerate([Reason.FIRST, Reason.ALREADY_SENT, Reason.ALREADY_SENT, Reason.FIRST]):
        drifted = replace(decided(reason=reason, days=days), probability=0.9 + days / 100)
        assert await store.conclude((await known(store)).version, judged(), drifted)
    decisions = (await known(store)).decisions
    assert [(decision.reason, decision.at) for decision in decisions] == [
        (Reason.FIRST, NOW),
        (Reason.ALREADY_SENT, NOW + DAY),
        (Reason.FIRST, NOW + 3 * DAY),
    ]


async def test_the_latest_decisions_are_kept_and_older_ones_go(store: Store) -> None:
    await store.watch(JANE)
    for days in range(DECISIONS_KEPT + 2):
        reason = Reason.SNOOZED if days % 2 else Reason.SETTLED
        await store.conclude((await known(store)).version, judged(), decided(reason=reason, days=days))
    decisions = (await known(store)).decisions
    assert len(decisions) == DECISIONS_KEPT
    assert decisions[-1].at == NOW + (DECISIONS_KEPT + 1) * DAY


async def test_concluding_the_same_again_keeps_the_version(store: Store) -> None:
    await store.watch(JANE)
    await store.conclude((await known(store)).version, judged(), decided())
    before = await known(store)
    assert await store.conclude(before.version, judged(), decided())
    assert await known(store) == before


async def test_a_source_goes_on_where_it_was_left(store: Store) -> None:
    assert await store.cursor("imap:a") is None
    for cursor in cast("list[Json]", [7, "UID 9", {"uid": 4, "seen": [1, 2]}, None]):
        await store.save_cursor("imap:a", cursor)
        await store.save_cursor("imap:b", "other")
        assert await store.cursor("imap:a") == cursor
    assert await store.cursor("imap:b") == "other"


async def test_a_source_with_a_name_that_no_encoding_knows_goes_on_too(store: Store) -> None:
    await store.save_cursor("folder:\ud800", "\udfff")
    assert await store.cursor("folder:\ud800") == "\N{REPLACEMENT CHARACTER}"


async def test_a_slot_is_claimed_by_exactly_one_of_many(store: Store) -> None:
    slots = [NOW, NOW.astimezone(timezone(timedelta(hours=2)))] * 5
    assert (
        sorted(await asyncio.gather(*(store.claim_slot("mailbox", slot) for slot in slots))).count(True) == 1
    )
    assert await store.claim_slot("calendars", NOW)
    assert await store.claim_slot("mailbox", NOW + DAY)
    assert not await store.claim_slot("mailbox", NOW)


async def test_a_clock_that_ran_ahead_does_not_stop_later_runs(store: Store) -> None:
    assert await store.claim_slot("mailbox", NOW + 9000 * DAY)
    assert await store.claim_slot("mailbox", NOW)
    assert not await store.claim_slot("mailbox", NOW)


async def test_what_a_caller_holds_cannot_change_the_store(store: Store) -> None:
    pushes: Json = [1]
    cursor: dict[str, Json] = {"uid": [1]}
    given = sighting(pushes=pushes)
    (returned,) = await store.record([given])
    await store.save_cursor("imap:a", cursor)
    expected = await known(store)
    person = await known(store)
    (listed,) = await store.people(frozenset({"acme.example"}))
    kept = await store.cursor("imap:a")
    for observation in (given, returned, *person.observations, *listed.observations):
        cast("list[Json]", observation.facts["pushes"]).append(2)
        cast("dict[str, Json]", observation.facts)["new"] = 1
    cast("dict[str, list[int]]", kept)["uid"].append(2)
    cast("list[Json]", cursor["uid"]).append(3)
    assert (await known(store)).observations[0].facts == {"pushes": [1]}
    assert await known(store) == expected
    assert await store.cursor("imap:a") == {"uid": [1]}


async def test_a_setting_that_many_add_to_at_once_holds_what_each_of_them_added(store: Store) -> None:
    def adding(name: str) -> Amendment:
        return lambda kept: {**(kept if isinstance(kept, dict) else {}), name: 1}

    await asyncio.gather(*(store.amend_setting("moments", adding(f"source {n}")) for n in range(20)))
    await asyncio.gather(*(store.amend_cursor("moments", adding(f"other {n}")) for n in range(3)))
    assert await store.setting("moments") == {f"source {n}": 1 for n in range(20)}
    assert await store.cursor("moments") == {f"other {n}": 1 for n in range(3)}


async def test_who_makes_a_setting_first_is_told_the_same_as_who_comes_second(store: Store) -> None:
    def making(key: str) -> Amendment:
        return lambda kept: kept or key

    kept = await asyncio.gather(*(store.amend_setting("key", making(key)) for key in "abc"))
    assert kept == [await store.setting("key")] * 3


async def test_an_amendment_that_fails_leaves_what_was_kept(store: Store) -> None:
    await store.save_setting("list", [1])

    def failing(_: Json) -> Json:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await store.amend_setting("list", failing)
    assert await store.amend_setting("list", lambda kept: kept) == [1]
