from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import stats
from bot.model import (
    Alert,
    Answer,
    Assessment,
    Case,
    Choice,
    Contact,
    Delivery,
    Evidence,
    Family,
    Means,
    Strength,
    Verdict,
)
from bot.stats import Precision, precision

NOW = datetime(2026, 8, 3, 9, 30, tzinfo=UTC)
JANE = Contact("jane@acme.example", "Jane Doe")


def sign(kind: str, weight: float, means: Means = Means.GONE, *, explicit: bool = False) -> Evidence:
    return Evidence(kind, kind, means, Family.MAIL, NOW, "mailbox", kind, weight, explicit)


def alert(*evidence: Evidence, days: float = 10) -> Alert:
    at = NOW - timedelta(days=days)
    judged = Assessment(JANE.address, at, Verdict.LEFT, Strength.CLEAR, 0.9, "gone", evidence)
    return Alert(JANE, judged, 1, at)


def case(choice: Choice | None, *alerts: Alert, days: float = 1) -> Case:
    raised = alerts or (alert(sign("mailbox_gone", 4)),)
    word = Answer(JANE.address, "case", "URITA", NOW - timedelta(days=days), choice) if choice else None
    told = Case(JANE.address, 1, tuple(map(Delivery, raised)))
    return replace(told, on_it=word) if choice is Choice.ON_IT else replace(told, settled=word)


@pytest.mark.parametrize("choice", [Choice.LEFT, Choice.ON_LEAVE, Choice.CHANGED_ROLE, Choice.ON_IT])
def test_whoever_confirms_explains_or_takes_it_up_says_that_the_alert_was_right(choice: Choice) -> None:
    assert precision([case(choice)], NOW) == [Precision("mailbox_gone", right=1)]


@pytest.mark.parametrize("choice", [Choice.STILL_THERE, Choice.NOTHING_WRONG])
def test_only_still_there_and_nothing_wrong_are_false_alarms(choice: Choice) -> None:
    assert precision([case(choice)], NOW) == [Precision("mailbox_gone", wrong=1)]


@pytest.mark.parametrize("choice", [None, Choice.SNOOZE])
def test_a_snooze_and_no_answer_say_nothing(choice: Choice | None) -> None:
    assert precision([case(choice)], NOW) == []
    assert stats.overall([case(choice)], NOW).answers == 0


def test_who_was_on_it_and_then_found_nothing_wrong_is_counted_once_as_a_false_alarm() -> None:
    taken = case(Choice.ON_IT)
    settled = replace(taken, settled=case(Choice.NOTHING_WRONG).settled)
    assert precision([settled], NOW) == [Precision("mailbox_gone", wrong=1)]


def test_a_snooze_after_somebody_was_on_it_takes_nothing_back() -> None:
    snoozed = replace(case(Choice.ON_IT), settled=case(Choice.SNOOZE).settled)
    assert precision([snoozed], NOW) == [Precision("mailbox_gone", right=1)]


def test_answers_of_more_than_ninety_days_ago_or_yet_to_come_do_not_count() -> None:
    old = case(Choice.LEFT, alert(sign("mailbox_gone", 4), days=100), days=90)
    recent = case(Choice.LEFT, alert(sign("mailbox_gone", 4), days=100), days=89.9)
    future = case(Choice.LEFT, days=-1)
    assert precision([old, recent, future], NOW) == [Precision("mailbox_gone", right=1)]
    assert stats.overall([old, recent, future], NOW).right == 1


def test_the_weightiest_sign_leads_an_alert_and_the_persons_own_word_before_all() -> None:
    bounced, pushed = sign("mailbox_gone", 4), sign("meeting_pushed", 2, Means.SLIPPING)
    assert stats.lead(alert(pushed, bounced)) == "mailbox_gone"
    assert stats.lead(alert(bounced, sign("departed", 3, explicit=True))) == "departed"


def test_what_weighs_nothing_or_speaks_for_the_person_leads_nothing() -> None:
    refuted, wrote = sign("mailbox_gone", 0), sign("wrote", 5, Means.ALIVE)
    assert stats.lead(alert(refuted, wrote)) == ""
    assert precision([case(Choice.LEFT, alert(refuted, wrote))], NOW) == []


def test_a_confirmed_departure_proves_the_warnings_before_it() -> None:
    pushed = alert(sign("meeting_pushed", 2, Means.SLIPPING), days=30)
    confirmed = case(Choice.LEFT, pushed, alert(sign("departed", 9, explicit=True), days=2))
    assert precision([confirmed], NOW) == [Precision("departed", 1), Precision("meeting_pushed", 1)]
    assert stats.overall([confirmed], NOW) == Precision("", 1)


def test_a_false_alarm_is_charged_to_the_alert_that_was_answered() -> None:
    pushed = alert(sign("meeting_pushed", 2, Means.SLIPPING), days=30)
    later = alert(sign("departed", 9), days=0.5)
    denied = case(Choice.STILL_THERE, pushed, alert(sign("mailbox_gone", 4), days=2), later, days=1)
    assert precision([denied], NOW) == [Precision("mailbox_gone", wrong=1)]


def test_the_most_answered_kind_comes_first() -> None:
    pushed = alert(sign("meeting_pushed", 2, Means.SLIPPING))
    found = precision([case(Choice.LEFT), case(Choice.LEFT, pushed), case(Choice.STILL_THERE, pushed)], NOW)
    assert [(one.signal, one.right, one.wrong) for one in found] == [
        ("meeting pushed", 1, 1),
        ("mailbox gone", 1, 0),
    ]


@pytest.mark.parametrize(
    ("right", "wrong", "low", "high"),
    [
        (8, 2, 0.4902, 0.9433),
        (10, 0, 0.7225, 1.0),
        (0, 10, 0.0, 0.2775),
        (0, 0, 0.0, 1.0),
        (1, 0, 0.2065, 1.0),
    ],
)
def test_the_interval_is_wilsons(right: int, wrong: int, low: float, high: float) -> None:
    found = Precision("x", right, wrong)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_the_interval_always_holds_the_share(right: int, wrong: int) -> None:
    found = Precision("x", right, wrong)
    assert 0 <= found.low <= found.share + 1e-12
    assert found.share - 1e-12 <= found.high <= 1
