from __future__ import annotations

from dataclasses import replace

import pytest

from bot.alerts import decide
from bot.demotion import announcement, demoted
from bot.model import Action, Person, Reason
from bot.stats import Precision
from tests.slack.story import ADDRESS, JANE, LEFT, SLIPPING


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
