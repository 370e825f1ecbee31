from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Assessment, Verdict
from bot.notes import LONGEST, To, drafts
from tests.slack.story import ANN, BOB, JANE, LEFT, SLIPPING, alert

LIKELY = replace(LEFT, verdict=Verdict.LIKELY_LEFT)


@pytest.mark.parametrize(
    ("assessment", "order"),
    [
        (SLIPPING, [To.CHAMPION, To.COLLEAGUE]),
        (LIKELY, [To.SUCCESSOR, To.COLLEAGUE, To.CHAMPION]),
        (LEFT, [To.SUCCESSOR, To.COLLEAGUE, To.CHAMPION]),
    ],
)
def test_the_most_useful_reader_comes_first(assessment: Assessment, order: list[To]) -> None:
    assert [note.to for note in drafts(alert(assessment))] == order


def test_a_draft_greets_by_first_name_and_names_the_deal_and_who_named_them() -> None:
    note = drafts(alert(LEFT))[0]
    assert (note.name, note.address) == (ANN.name, ANN.address)
    assert note.text.startswith("Hi Ann,\n\nJane Doe named you as the contact for our work with Acme.")
    assert "Renewal 2026" in note.text


@pytest.mark.parametrize("assessment", [SLIPPING, LIKELY, LEFT])
def test_no_draft_tells_what_was_observed(assessment: Assessment) -> None:
    for note in drafts(alert(assessment)):
        for word in (
            "bounce",
            "refused",
            "automatic",
            "left Acme",
            "signal",
            "noticed",
            "team page",
            "pushed",
        ):
            assert word not in note.text
        assert not any(item.sentence in note.text for item in assessment.evidence)


@pytest.mark.parametrize("assessment", [SLIPPING, LIKELY])
def test_nobody_says_goodbye_to_somebody_who_has_not_left(assessment: Assessment) -> None:
    assert not any("wish you all the best" in note.text for note in drafts(alert(assessment)))


def test_a_farewell_comes_last() -> None:
    *others, last = drafts(alert(LEFT))
    assert "wish you all the best" in last.text
    assert not any("wish you all the best" in note.text for note in others)


def test_without_names_and_deal_the_text_still_reads() -> None:
    bare = replace(JANE, name="", deal=None, account="")
    champion, _ = drafts(alert(replace(SLIPPING, suggestions=(replace(BOB, name=""),)), bare))
    assert champion.text.startswith("Hi there,")
    assert "our project with acme.example" in champion.text
    assert "{" not in champion.text


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=200))
def test_hostile_text_stays_short_and_on_its_line(text: str) -> None:
    odd = replace(JANE, name=text, account=text, deal=replace(JANE.deal, name=text) if JANE.deal else None)
    people = (replace(ANN, name=text), replace(BOB, name="", address=text))
    lines = {len(note.text.split("\n")) for note in drafts(alert(LEFT))}
    for note in drafts(alert(replace(LEFT, suggestions=people), odd)):
        assert len(note.text) <= LONGEST
        assert len(note.text.split("\n")) in lines
