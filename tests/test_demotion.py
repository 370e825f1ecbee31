from __future__ import annotations

from dataclasses import replace

import pytest

from bot.alerts import decide
from bot.demotion import announcement, by_answers, demoted
from bot.model import Action, Answer, Case, Choice, Delivery, Person, Reason
from bot.stats import Precision, precision
from tests.slack.story import ADDRESS, JANE, LEFT, NOW, SLIPPING, alert


@pytest.mark.parametrize(
    ("right", "wrong", "out"),
    [
        (0, 9, False),
        (0, 10, True),
        (2, 8, False),
        (1, 9, True),
        (5, 25, True),
        (10, 10, False),
        (20, 0, False),
    ],
)
def test_a_kind_is_demoted_only_where_ten_answers_prove_it_wrong(
    right: int, wrong: int, *, out: bool
) -> None:
    assert (list(demoted([Precision("push", right, wrong)])) == ["push"]) is out


def answered(number: int, by: str, choice: Choice) -> Case:
    contact = replace(JANE, address=f"p{number}@acme.example", owner=by)
    told = Case(contact.address, 1, (Delivery(alert(SLIPPING, contact)),))
    return replace(told, settled=Answer(contact.address, told.key, by, NOW, choice))


def answers(by: str, wrong: int, right: int = 0) -> list[Case]:
    words = [Choice.NOTHING_WRONG] * wrong + [Choice.LEFT] * right
    return [answered(number, by, choice) for number, choice in enumerate(words)]


def test_one_rep_of_several_who_calls_every_warning_wrong_keeps_none_from_the_others() -> None:
    wrong = answers("U1", 30)
    assert demoted(precision(wrong, NOW))
    assert by_answers([*wrong, *answers("U2", 0, 2)], NOW) == {}
    assert by_answers([*wrong, *answers("U2", 1, 1)], NOW) == {}
    assert list(by_answers([*wrong, *answers("U2", 2, 1)], NOW)) == ["calendar"]


def test_a_rep_whom_nobody_else_shares_the_alerts_with_is_taken_at_their_word() -> None:
    assert list(by_answers(answers("U1", 12), NOW)) == ["calendar"]


def test_what_changed_is_said_in_words() -> None:
    first = announcement([], demoted([Precision("meeting_pushed", 1, 11)]))
    assert len(first) == 1
    assert first[0].startswith("“meeting pushed” goes to the weekly digest from now on")
    assert first[0].endswith("of the last 12 answered alerts that it led, 1 was right.")
    assert announcement(["meeting_pushed"], demoted([Precision("meeting_pushed", 1, 11)])) == []
    (again,) = announcement(["meeting_pushed"], {})
    assert again.startswith("“meeting pushed” raises alerts again")


def test_what_rests_on_a_demoted_kind_alone_goes_to_the_digest_with_its_reason() -> None:
    person = Person(ADDRESS, JANE)
    decision, alert = decide(person, JANE, SLIPPING, None, {"calendar"})
    assert (decision.action, decision.reason, alert) == (Action.DIGEST, Reason.DEMOTED, None)
    decision, alert = decide(person, JANE, LEFT, None, {"calendar"})
    assert (decision.action, decision.reason) == (Action.SEND, Reason.FIRST)
    assert alert is not None


def test_once_promoted_again_it_is_told() -> None:
    person = Person(ADDRESS, JANE, assessment=SLIPPING)
    assert decide(person, JANE, SLIPPING, None, {"calendar"})[1] is None
    assert decide(person, JANE, SLIPPING, None, ())[1] is not None


def test_evidence_that_weighs_nothing_does_not_carry_a_demoted_kind() -> None:
    faded = tuple(replace(one, kind="other", weight=0.0) for one in SLIPPING.evidence[:1])
    mixed = replace(SLIPPING, evidence=(*faded, *SLIPPING.evidence[1:]))
    assert decide(Person(ADDRESS, JANE), JANE, mixed, None, {"calendar"})[1] is None
