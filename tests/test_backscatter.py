from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.backscatter import ANSWERED, NEW_ADDRESS, NOT_KNOWN, objection
from bot.model import Json, Observation
from tests.observations import JANE, exchange, seen, wrote

RITA = "rita@vendor.example"
TOM = "tom@vendor.example"


def sent(days: float, ident: str = "", by: str = RITA, **facts: Json) -> Observation:
    """Return a mail of ours as it was sent."""
    named: dict[str, Json] = {"message_id": ident or f"out-{days:g}@vendor.example", "with": [by], **facts}
    return seen("written_to", days, JANE, **named)


def report(days: float, of: str = "nosuch@vendor.example", by: str = RITA) -> Observation:
    """Return the bounce of a mail that one of us is said to have sent."""
    return seen("mailbox_gone", days, original_message_id=of, original_from=by, ours=True, status="5.1.1")


def answer(days: float, to: str, **facts: Json) -> Observation:
    named: dict[str, Json] = {"message_id": f"in-{days:g}@acme.example", "answers": to, **facts}
    return seen("wrote", days, JANE, **named)


OLD = [wrote(80), *(sent(days) for days in (79, 65, 50, 36))]
"""A correspondence of which every mail of Rita's is known, the last five weeks ago."""


def test_a_report_of_a_mail_that_is_not_among_ours_counts_for_nothing_where_we_had_not_written_lately() -> (
    None
):
    assert objection(report(1), OLD) == NOT_KNOWN
    assert objection(report(1, of=""), OLD) == NOT_KNOWN


def test_it_counts_where_we_wrote_within_the_week_before_or_invited_them() -> None:
    invited = seen("meeting", 5, by=RITA, by_side="us", uid="call@vendor.example")
    assert objection(report(1), [*OLD, sent(6)]) == ""
    assert objection(report(1), [*OLD, invited]) == ""
    assert objection(report(1), [*OLD, sent(9)]) == NOT_KNOWN


def test_it_does_not_count_where_they_answered_all_that_we_wrote_in_that_week() -> None:
    lately = [*OLD, sent(6, "asked@vendor.example")]
    assert objection(report(1), [*lately, answer(5, "asked@vendor.example")]) == NOT_KNOWN
    assert objection(report(1), [*lately, answer(5, "asked@vendor.example"), sent(3)]) == ""


@pytest.mark.parametrize(
    "known",
    [
        [wrote(80), sent(79), sent(36)],
        [wrote(300), *(sent(days) for days in range(150, 300, 10))],
        [wrote(80), *(sent(days, by=TOM) for days in (79, 65, 50))],
        [wrote(80), *(sent(days, logged=True) for days in (79, 65, 50))],
        [wrote(80), *(seen("written_to", days, message_id=f"{days}@x") for days in (79, 65, 50))],
    ],
    ids=["two mails", "long ago", "another one of us", "logged in the CRM", "sender unknown"],
)
def test_a_report_of_an_unknown_mail_counts_where_its_sender_may_have_sent_more_than_we_know(
    known: Sequence[Observation],
) -> None:
    assert objection(report(1), known) == ""


def test_a_mail_that_they_answered_cannot_come_back_later() -> None:
    asked = [*OLD, sent(4, "asked@vendor.example")]
    answered = answer(3, "asked@vendor.example")
    assert objection(report(1, of="asked@vendor.example"), asked) == ""
    assert objection(report(1, of="asked@vendor.example"), [*asked, answered]) == ANSWERED


def test_neither_an_automatic_reply_nor_a_forged_mail_is_an_answer() -> None:
    asked = [*OLD, sent(4, "asked@vendor.example")]
    automatic = [
        answer(3, "asked@vendor.example", message_id="auto@acme.example"),
        seen("acknowledgement", 3, message_id="auto@acme.example"),
    ]
    forged = answer(3, "asked@vendor.example", forged=True)
    assert objection(report(1, of="asked@vendor.example"), [*asked, *automatic]) == ""
    assert objection(report(1, of="asked@vendor.example"), [*asked, forged]) == ""


def test_a_report_that_is_dated_before_the_mail_it_returns_is_one_of_wrong_clocks_and_counts() -> None:
    assert objection(report(1), [*OLD, sent(0.8, "nosuch@vendor.example")]) == ""


def test_a_bounce_after_they_told_that_their_address_changes_counts_for_nothing() -> None:
    told = seen("address_change", 10, message_id="c@acme.example", new_address="jane.smith@acme.example")
    assert objection(report(1), [*OLD, sent(2), told]).startswith(NEW_ADDRESS)
    assert objection(report(1), [*OLD, sent(2), told, wrote(5)]).startswith(NEW_ADDRESS)


def test_a_forged_word_of_a_change_or_one_that_came_after_it_or_was_not_kept_to_explains_no_bounce() -> None:
    def told(days: float, **facts: Json) -> Observation:
        return seen("address_change", days, JANE, message_id="c@acme.example", **facts)

    assert objection(report(1), [*OLD, sent(2), told(10, forged=True)]) == ""
    assert objection(report(1), [*OLD, sent(2), told(0.5)]) == ""
    assert objection(report(1), [*OLD, sent(2), told(200), wrote(20)]) == ""


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["original_message_id", "original_from", "with", "answers", "message_id", "by_side"]),
    st.sampled_from([None, 7, [], [7], {}, {"a": 1}, True, "x"]),
)
def test_whatever_a_fact_holds_a_bounce_is_judged(fact: str, value: Json) -> None:
    odd = [replace(one, facts={**one.facts, fact: value}) for one in [*exchange(), *OLD, report(1)]]
    assert isinstance(objection(odd[-1], odd), str)


def test_a_week_is_a_week_to_the_minute() -> None:
    edge = 1 + 7
    minute = timedelta(minutes=1) / timedelta(days=1)
    assert objection(report(1), [*OLD, sent(edge - minute)]) == ""
    assert objection(report(1), [*OLD, sent(edge + minute)]) == NOT_KNOWN
