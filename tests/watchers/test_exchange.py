from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Json, Observation, Verdict
from tests.observations import judged
from watchers.mail.exchange import COLLEAGUE, SLOW, UNANSWERED, exchange_signals

JANE, ANN, REP = "jane@acme.example", "ann@acme.example", "rita@vendor.example"
START = datetime(2026, 1, 5, 9, tzinfo=UTC)


def seen(
    kind: str, days: float, ident: str, answers: str = "", company: Json = None, **facts: Json
) -> Observation:
    known: dict[str, Json] = {"message_id": ident, "answers": answers, "with": company, **facts}
    return Observation(JANE, kind, START + timedelta(days=days), "mailbox:rita", kind, facts=known)


def ours(days: float, field: str = "to") -> Observation:
    return seen("written_to", days, f"out-{days:g}", field=field, company=[REP])


def answer(to: float, hours: float) -> Observation:
    return seen("wrote", to + hours / 24, f"in-{to:g}", f"out-{to:g}", company=[REP])


def by(colleague: str, to: float) -> Observation:
    return seen("copied", to + 0.2, f"other-{to:g}", f"out-{to:g}", company=[colleague, REP])


def exchange(hours: list[float]) -> list[Observation]:
    """Return one mail of ours a week, each answered after so many hours."""
    return [one for week, wait in enumerate(hours) for one in (ours(7 * week), answer(7 * week, wait))]


def signs(history: list[Observation], days: float = 365) -> dict[str, str]:
    found = exchange_signals(sorted(history, key=lambda one: one.at), START + timedelta(days=days))
    return {one.kind: one.sentence for one in found}


def test_replies_that_take_far_longer_than_they_used_to_are_a_sign() -> None:
    found = signs(exchange([4, 6, 5, 3, 8, 5, 100, 90, 110]))
    assert found == {SLOW: "answers now take 4 days; they used to take 5 hours"}


@pytest.mark.parametrize(
    "hours",
    [
        [4, 6, 5, 3, 8, 5, 6, 4, 100],
        [4, 100, 5, 90, 8, 70, 100, 90, 110],
        [100, 90, 110, 4, 6, 5, 3, 8],
        [4, 6, 100, 90, 110],
        [0.01] * 8 + [0.1] * 3,
    ],
    ids=["one slow reply", "always uneven", "quicker", "too few", "minutes"],
)
def test_replies_as_they_always_were_are_no_sign(hours: list[float]) -> None:
    assert SLOW not in signs(exchange(hours))


def test_only_the_first_reply_to_a_mail_says_how_long_it_took() -> None:
    again = [seen("wrote", 7 * week + 6, f"again-{week}", f"out-{7 * week}") for week in range(6, 9)]
    assert SLOW not in signs([*exchange([5] * 9), *again])


def test_three_mails_of_ours_without_an_answer_are_a_sign() -> None:
    found = signs([*exchange([5, 5]), ours(20), ours(24), ours(28)], days=31)
    assert found == {UNANSWERED: "3 of our mails since 25 January are unanswered"}


@pytest.mark.parametrize(
    "nudges",
    [
        [ours(20), ours(28)],
        [ours(20), ours(21), ours(22)],
        [ours(20), ours(24), ours(29)],
        [ours(20, "cc"), ours(24, "cc"), ours(28, "cc")],
        [ours(20), ours(20.1), ours(28), ours(28.1)],
        [ours(20), ours(24), ours(28), seen("meeting", 28.5, "m", by=JANE)],
        [ours(20), ours(24), ours(28), seen("on_leave", 28.1, "away")],
    ],
    ids=[
        "two",
        "within days",
        "the last only yesterday",
        "copies",
        "two days",
        "they moved a meeting",
        "away",
    ],
)
def test_what_may_still_be_answered_or_asked_nothing_is_no_nudge(nudges: list[Observation]) -> None:
    assert signs([*exchange([5, 5]), *nudges], days=30) == {}


def test_somebody_who_never_wrote_leaves_nothing_unanswered() -> None:
    assert signs([ours(20), ours(24), ours(28)], days=40) == {}


def test_somebody_who_let_three_stand_before_must_let_four_stand_now() -> None:
    before = [*exchange([5]), ours(10), ours(14), ours(18), answer(18, 5)]
    assert signs([*before, ours(30), ours(34), ours(38)], days=41) == {}
    assert UNANSWERED in signs([*before, ours(30), ours(34), ours(38), ours(42)], days=45)


def test_a_colleague_who_answers_in_their_place_is_a_sign() -> None:
    found = signs([*exchange([5] * 4), ours(30), by(ANN, 30), ours(33), by(ANN, 33)], days=34)
    assert found == {COLLEAGUE: "the last 2 answers to our mails came from ann@acme.example instead"}


@pytest.mark.parametrize(
    "history",
    [
        [*exchange([5] * 4), ours(30), by(ANN, 30)],
        [*exchange([5] * 2), ours(30), by(ANN, 30), ours(33), by(ANN, 33)],
        [*exchange([5] * 4), ours(30), by("x@other.example", 30), ours(33), by("x@other.example", 33)],
        [*exchange([5] * 4), ours(30), by(ANN, 30), ours(33), by(ANN, 33), ours(34), answer(34, 5)],
        [*exchange([5] * 4), ours(30), answer(30, 1), by(ANN, 30), ours(33), answer(33, 1), by(ANN, 33)],
    ],
    ids=["once", "hardly known", "another company", "they wrote again", "they answered first"],
)
def test_a_colleague_beside_them_is_no_sign(history: list[Observation]) -> None:
    assert COLLEAGUE not in signs(history)


def test_an_assistant_who_always_answered_is_no_sign() -> None:
    always = [one for week in range(4, 8) for one in (ours(7 * week), by(ANN, 7 * week), answer(7 * week, 9))]
    assert COLLEAGUE not in signs([*exchange([5] * 2), *always, ours(60), by(ANN, 60), ours(63), by(ANN, 63)])


def test_all_of_them_together_alarm_nobody() -> None:
    history = [*exchange([4, 6, 5, 3, 8, 5, 100, 90, 110])]
    history += [one for day in (70, 74, 78) for one in (ours(day), by(ANN, day))]
    now = START + timedelta(days=81)
    assert set(signs(history, days=81)) == {SLOW, UNANSWERED, COLLEAGUE}
    assert judged(history, now).verdict in {Verdict.ACTIVE, Verdict.QUIET}


def test_ten_thousand_mails_take_no_time() -> None:
    history = [one for week in range(5_000) for one in (ours(week / 10), answer(week / 10, 1))]
    assert signs(history, days=900) == {}


kinds = st.sampled_from(["wrote", "written_to", "copied", "meeting", "on_leave", "other"])
values = st.sampled_from(["", "out-1", "to", JANE, None, 7, [], [None], [ANN], {"a": 1}])
facts = st.dictionaries(st.sampled_from(["message_id", "answers", "with", "field", "by"]), values)


@given(st.lists(st.tuples(kinds, st.integers(0, 9), facts), max_size=30), st.integers(0, 12))
@settings(max_examples=60, deadline=None)
def test_whatever_the_facts_are_only_known_kinds_come_out(
    history: list[tuple[str, int, dict[str, Json]]], days: int
) -> None:
    observed = [
        Observation(JANE, kind, START + timedelta(days=at), "box", kind, facts=known)
        for kind, at, known in history
    ]
    now = START + timedelta(days=days)
    found = list(exchange_signals(sorted(observed, key=lambda one: one.at), now))
    assert {one.kind for one in found} <= {SLOW, UNANSWERED, COLLEAGUE}
    assert all(one.at <= now and one.contact == JANE for one in found)
    assert list(exchange_signals(observed[::-1], now)) == found
