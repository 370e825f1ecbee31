from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.coverage import Coverage, Outage
from bot.digest import Book, Own, due_at, week
from bot.model import (
    Action,
    Alert,
    Answer,
    Assessment,
    Case,
    Choice,
    Contact,
    Deal,
    Decision,
    Delivery,
    Observation,
    Person,
    Reason,
    Strength,
    Verdict,
)
from bot.store.changes import outlined

NOW = datetime(2026, 8, 10, 8, tzinfo=UTC)
LAST_WEEK = NOW - timedelta(days=7)
BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
DEAL = Deal("Renewal 2026", 120_000, "EUR")


def judged(address: str, verdict: Verdict, days: float = 1, **more: Any) -> Assessment:
    at = NOW - timedelta(days=days)
    return replace(Assessment(address, at, verdict, Strength.CLEAR, 0.5, f"{verdict} it is"), **more)


def decided(address: str, verdict: Verdict, days: float, action: Action, reason: Reason) -> Decision:
    return Decision(address, NOW - timedelta(days=days), action, reason, verdict, 0.5)


def person(name: str, verdict: Verdict, before: Verdict | None = None, **more: Any) -> Person:
    """Return somebody at Acme of whom something else was thought two weeks ago, where `before` says so."""
    address = f"{name.lower()}@acme.example"
    contact = Contact(address, name, account="Acme", owner="rita@vendor.example")
    earlier = decided(address, before or verdict, 14, Action.HOLD, Reason.BELOW_THRESHOLD)
    known = Person(address, contact, assessment=judged(address, verdict), decisions=(earlier,))
    return replace(known, **more)


def case(
    address: str, verdict: Verdict, days: float = 3, word: Answer | None = None, held: Reason | None = None
) -> Case:
    at = NOW - timedelta(days=days)
    raised = Alert(Contact(address, account="Acme"), judged(address, verdict, days), 1, at)
    told = Case(address, 1, (Delivery(raised, held=held, sent_at=None if held else at),))
    on_it = word is not None and word.choice is Choice.ON_IT
    return replace(told, on_it=word) if on_it else replace(told, settled=word)


def word(address: str, choice: Choice, days: float, until: date | None = None) -> Answer:
    return Answer(address, f"{address}:1", "URITA", NOW - timedelta(days=days), choice, until)


def book(*people: Person, **more: Any) -> Book:
    own = [Own(watched, person) for person in people if (watched := outlined(person))]
    return replace(Book(own, {"Acme": people}), **more)


JANE, AL, BO = "jane@acme.example", "al@acme.example", "bo@acme.example"


def test_decisions_due_come_gravest_and_then_oldest_first() -> None:
    people = [
        person("Jane", Verdict.SLIPPING, cases=(case(JANE, Verdict.SLIPPING, 9),)),
        person("Al", Verdict.LEFT, cases=(case(AL, Verdict.LEFT, 1),)),
        person("Bo", Verdict.LEFT, cases=(case(BO, Verdict.LEFT, 2),)),
    ]
    assert [one.case.contact for one in week(book(*people), LAST_WEEK, NOW).due] == [BO, AL, JANE]


@pytest.mark.parametrize(
    ("said", "due"),
    [
        (None, True),
        (word(JANE, Choice.ON_IT, 2), False),
        (word(JANE, Choice.ON_IT, 4), True),  # before the newest alert
        (word(JANE, Choice.SNOOZE, 2, date(2026, 8, 11)), False),
        (word(JANE, Choice.SNOOZE, 2, date(2026, 8, 10)), True),
        (word(JANE, Choice.STILL_THERE, 2), False),
        (word(JANE, Choice.LEFT, 2), False),
    ],
)
def test_a_decision_is_due_until_somebody_decides_or_takes_it_up(said: Answer | None, *, due: bool) -> None:
    jane = person("Jane", Verdict.LEFT, cases=(case(JANE, Verdict.LEFT, 3, said),))
    assert bool(week(book(jane), LAST_WEEK, NOW).due) is due


def test_no_decision_is_due_on_somebody_who_is_back() -> None:
    jane = person("Jane", Verdict.ACTIVE, cases=(case(JANE, Verdict.LEFT),))
    assert week(book(jane), LAST_WEEK, NOW).due == ()


def test_an_alert_that_is_held_back_is_due_with_the_reason() -> None:
    jane = person("Jane", Verdict.LEFT, cases=(case(JANE, Verdict.LEFT, held=Reason.OVER_BUDGET),))
    [due] = week(book(jane), LAST_WEEK, NOW).due
    assert due.held is Reason.OVER_BUDGET


def test_an_account_notice_nobody_answered_is_due() -> None:
    notice = case("@acme.example", Verdict.UNCHECKED)
    [due] = week(book(person("Jane", Verdict.ACTIVE), notices=[notice]), LAST_WEEK, NOW).due
    assert due.case == notice


def test_a_change_is_what_is_thought_otherwise_than_a_week_ago() -> None:
    people = [person("Jane", Verdict.ACTIVE, Verdict.QUIET), person("Al", Verdict.ACTIVE)]
    [change] = week(book(*people), LAST_WEEK, NOW).changes
    assert (change.watched.contact.address, change.before) == (JANE, Verdict.QUIET)


def test_whoever_is_new_this_week_has_changed_nothing() -> None:
    first = decided(JANE, Verdict.UNCHECKED, 2, Action.HOLD, Reason.BELOW_THRESHOLD)
    jane = person("Jane", Verdict.ACTIVE, decisions=(first,))
    assert week(book(jane), LAST_WEEK, NOW).changes == ()


def test_nobody_is_told_of_twice() -> None:
    people = [
        person("Jane", Verdict.LEFT, Verdict.ACTIVE, cases=(case(JANE, Verdict.LEFT),)),
        person("Al", Verdict.SLIPPING, Verdict.ACTIVE),
        person("Bo", Verdict.SLIPPING),
    ]
    found = week(book(*people), LAST_WEEK, NOW)
    assert [one.case.contact for one in found.due] == [JANE]
    assert [one.watched.contact.address for one in found.changes] == [AL]
    assert [one.contact.address for one in found.slipping] == [BO]


def test_quiet_people_are_told_of_here_and_who_is_on_leave_by_their_return() -> None:
    until: dict[str, Any] = {"assessment": judged(AL, Verdict.ON_LEAVE, returns=date(2026, 9, 1))}
    soon: dict[str, Any] = {"assessment": judged(BO, Verdict.ON_LEAVE, returns=date(2026, 8, 12))}
    people = [
        person("Jane", Verdict.QUIET),
        person("Al", Verdict.ON_LEAVE, **until),
        person("Cy", Verdict.ON_LEAVE),
        person("Bo", Verdict.ON_LEAVE, **soon),
    ]
    found = week(book(*people), LAST_WEEK, NOW)
    assert [one.contact.name for one in found.quiet] == ["Jane"]
    assert [one.contact.name for one in found.away] == ["Bo", "Al", "Cy"]


@pytest.mark.parametrize(
    ("action", "reason", "held"),
    [
        (Action.DIGEST, Reason.DEMOTED, True),
        (Action.HOLD, Reason.SETTLED, False),
        (Action.SEND, Reason.FIRST, False),
    ],
)
def test_what_was_held_is_told_with_its_reason(action: Action, reason: Reason, *, held: bool) -> None:
    jane = person(
        "Jane", Verdict.LIKELY_LEFT, decisions=(decided(JANE, Verdict.LIKELY_LEFT, 20, action, reason),)
    )
    found = week(book(jane), LAST_WEEK, NOW).held
    assert [one.reason for one in found] == ([reason] if held else [])


def with_deal(known: Person) -> Person:
    assert known.contact is not None
    return replace(known, contact=replace(known.contact, deal=DEAL))


def colleague(address: str, kind: str, days: float) -> Person:
    seen = Observation(address, kind, NOW - timedelta(days=days), "mailbox", f"{kind}")
    return Person(address, observations=(seen,))


@pytest.mark.parametrize(
    ("others", "alone"),
    [
        ([], True),
        ([colleague("ann@acme.example", "meeting_accepted", 10)], False),
        ([colleague("ann@acme.example", "meeting_accepted", 90)], True),
        ([colleague("ann@acme.example", "wrote", 10)], True),
        ([colleague("ann@acme.example", "written_to", 1)], True),
        ([colleague("info@acme.example", "wrote", 1)], True),
        ([person("Al", Verdict.ACTIVE)], True),
        ([person("Al", Verdict.QUIET)], True),
    ],
)
def test_a_deal_hangs_on_one_person_where_nobody_else_is_in_contact(
    others: list[Person], *, alone: bool
) -> None:
    jane = with_deal(person("Jane", Verdict.ACTIVE))
    found = week(book(jane, around={"Acme": [jane, *others]}), LAST_WEEK, NOW)
    assert [contact.address for contact in found.alone] == ([JANE] if alone else [])


@pytest.mark.parametrize("verdict", [Verdict.LEFT, Verdict.UNCHECKED])
def test_nothing_hangs_on_whoever_left_or_is_not_seen(verdict: Verdict) -> None:
    assert week(book(with_deal(person("Jane", verdict))), LAST_WEEK, NOW).alone == ()


def test_without_a_deal_nothing_hangs_on_them() -> None:
    assert week(book(person("Jane", Verdict.ACTIVE)), LAST_WEEK, NOW).alone == ()


def test_unchecked_people_are_grouped_by_the_reason_with_the_outage_behind_it() -> None:
    box = "mailbox:rita@vendor.example"
    why: dict[str, Any] = {"headline": f"{box} cannot be read: the token expired"}
    people = [
        person("Jane", Verdict.UNCHECKED, assessment=judged(JANE, Verdict.UNCHECKED, **why)),
        person("Al", Verdict.UNCHECKED, assessment=judged(AL, Verdict.UNCHECKED, **why)),
        person("Bo", Verdict.UNCHECKED, assessment=judged(BO, Verdict.UNCHECKED, headline="no mail")),
    ]
    outage = Outage(box, LAST_WEEK, needs_human=True)
    found = week(book(*people, coverage=Coverage((outage,))), LAST_WEEK, NOW).unchecked
    assert [([one.name for one in gap.contacts], gap.outage) for gap in found] == [
        (["Jane", "Al"], outage),
        (["Bo"], None),
    ]


def test_a_week_in_which_all_are_active_has_nothing_to_say() -> None:
    found = week(book(person("Jane", Verdict.ACTIVE), person("Al", Verdict.ACTIVE)), LAST_WEEK, NOW)
    assert found.is_silent
    assert found.people == 2


def test_how_right_alerts_were_counts_only_the_reps_own_cases() -> None:
    answered = case(JANE, Verdict.LEFT, 3, word(JANE, Choice.LEFT, 2))
    found = week(book(person("Jane", Verdict.LEFT, cases=(answered,))), LAST_WEEK, NOW)
    assert (found.overall.right, found.overall.wrong) == (1, 0)
    assert sum(tally.right for tally in found.quarter) == 1


@pytest.mark.parametrize(
    ("now", "zone", "day", "hour", "monday", "due"),
    [
        # Berlin goes to summer time on 29 March 2026 and back on 25 October.
        ("2026-03-23T12:00", BERLIN, 0, 8, "2026-03-23", "2026-03-23T07:00"),
        ("2026-03-30T12:00", BERLIN, 0, 8, "2026-03-30", "2026-03-30T06:00"),
        ("2026-10-26T12:00", BERLIN, 0, 8, "2026-10-26", "2026-10-26T07:00"),
        ("2026-03-28T12:00", BERLIN, 6, 2, "2026-03-23", "2026-03-29T01:00"),  # 2:00 does not exist: 3:00
        ("2026-10-25T12:00", BERLIN, 6, 2, "2026-10-19", "2026-10-25T00:00"),  # 2:00 comes twice: the first
        # New York goes to summer time on 8 March 2026 and back on 1 November.
        ("2026-03-02T12:00", NEW_YORK, 0, 8, "2026-03-02", "2026-03-02T13:00"),
        ("2026-03-09T12:00", NEW_YORK, 0, 8, "2026-03-09", "2026-03-09T12:00"),
        ("2026-11-02T12:00", NEW_YORK, 0, 8, "2026-11-02", "2026-11-02T13:00"),
        # On Monday at 1:00 in UTC it is still Sunday, and the week before, in New York.
        ("2026-08-10T01:00", NEW_YORK, 0, 8, "2026-08-03", "2026-08-03T12:00"),
        ("2026-08-09T23:00", BERLIN, 0, 0, "2026-08-10", "2026-08-09T22:00"),
        # The week that two years share is one week.
        ("2027-01-01T12:00", BERLIN, 0, 8, "2026-12-28", "2026-12-28T07:00"),
    ],
)
def test_a_digest_is_due_at_its_hour_by_the_reps_clock(
    now: str, zone: ZoneInfo, day: int, hour: int, monday: str, due: str
) -> None:
    found = due_at(datetime.fromisoformat(f"{now}+00:00"), zone, day, hour)
    assert found == (date.fromisoformat(monday), datetime.fromisoformat(f"{due}+00:00"))
