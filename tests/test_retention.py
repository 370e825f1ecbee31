from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.model import Action, Contact, Deal, Decision, Observation, Person, Reason, Verdict
from bot.retention import overview, term
from bot.service import rules
from watchers import load

NOW = datetime(2026, 8, 14, 9, tzinfo=UTC)
YEAR = timedelta(days=365)
DAY = timedelta(days=1)
JANE = Contact("jane@acme.example", "Jane Doe", account="Acme")

load()
KINDS = rules().kinds


def seen(kind: str, days_ago: float) -> Observation:
    at = NOW - days_ago * DAY
    return Observation(JANE.address, kind, at, "mailbox:rita@vendor.example", "said", seen=at)


def person(*observations: Observation, contact: Contact | None = JANE) -> Person:
    return Person(JANE.address, contact, observations=observations)


def test_it_is_counted_from_the_last_business_contact() -> None:
    found = term(person(seen("wrote", 400), seen("wrote", 300)), YEAR, KINDS, NOW)
    assert found.since == NOW - 300 * DAY
    assert found.reason == "last business contact"
    assert found.until == NOW + 65 * DAY
    assert not found.is_over(NOW)
    assert found.is_over(NOW + 65 * DAY)


@pytest.mark.parametrize("kind", ["departed", "page_moved", "page_present", "bounced_gone", "answer_left"])
def test_what_says_that_they_changed_jobs_starts_nothing_anew(kind: str) -> None:
    found = term(person(seen("wrote", 400), seen(kind, 5)), YEAR, KINDS, NOW)
    assert found.since == NOW - 400 * DAY
    assert found.is_over(NOW)


def test_the_close_of_the_deal_counts_where_it_is_later() -> None:
    deal = Deal("Pilot", close_date=date(2026, 3, 1))
    contact = replace(JANE, deal=deal)
    found = term(person(seen("wrote", 400), contact=contact), YEAR, KINDS, NOW)
    assert (found.since, found.reason) == (datetime(2026, 3, 1, tzinfo=UTC), "close of the deal")
    earlier = replace(JANE, deal=replace(deal, close_date=date(2024, 3, 1)))
    assert term(person(seen("wrote", 400), contact=earlier), YEAR, KINDS, NOW).is_over(NOW)


def test_a_deal_that_closes_when_calendars_end_stops_nobody_from_being_looked_at() -> None:
    contact = replace(JANE, deal=Deal("Pilot", close_date=date(9999, 12, 31)))
    found = term(person(contact=contact), YEAR, KINDS, NOW)
    assert found.reason == "close of the deal"
    assert found.until is not None
    assert not found.is_over(NOW)


def test_a_deal_that_closes_in_future_keeps_somebody_who_never_wrote() -> None:
    contact = replace(JANE, deal=Deal("Pilot", close_date=date(2026, 12, 1)))
    found = term(person(seen("invited", 500), contact=contact), YEAR, KINDS, NOW)
    assert found.until == datetime(2027, 12, 1, tzinfo=UTC)


def test_of_whom_nothing_but_a_look_is_known_it_is_counted_from_the_first() -> None:
    decision = Decision(JANE.address, NOW - 370 * DAY, Action.HOLD, Reason.BASELINE, Verdict.UNCHECKED, 0.1)
    found = term(replace(person(), decisions=(decision,)), YEAR, KINDS, NOW)
    assert (found.reason, found.is_over(NOW)) == ("first known", True)


def test_who_was_only_named_a_moment_ago_is_not_due() -> None:
    assert term(person(), YEAR, KINDS, NOW).until is None
    assert not term(person(), YEAR, KINDS, NOW).is_over(NOW)


def test_colleagues_whom_nobody_watches_have_a_time_too() -> None:
    found = term(person(seen("wrote", 366), contact=None), YEAR, KINDS, NOW)
    assert not found.watched
    assert found.is_over(NOW)


def test_the_overview_counts_what_is_kept_and_names_who_is_next() -> None:
    bob = Person("bob@acme.example", observations=(replace(seen("wrote", 340), contact="bob@acme.example"),))
    ann = replace(person(seen("wrote", 10)), address="ann@acme.example")
    ann = replace(ann, contact=Contact("ann@acme.example", informed_on=date(2026, 1, 1)))
    found = overview([person(seen("wrote", 400)), bob, ann], YEAR, KINDS, NOW)
    assert (found.watched, found.colleagues, found.observations, found.uninformed) == (2, 1, 3, 1)
    assert found.over == 1
    assert [one.address for one in found.next] == [JANE.address, "bob@acme.example"]
    assert found.oldest == NOW - 400 * DAY
