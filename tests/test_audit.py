from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.answers import observe
from bot.audit import Question, asked, draw, with_one
from bot.model import Answer, Assessment, Case, Choice, Contact, Json, Person, Strength, Verdict

NOW = datetime(2026, 8, 10, 8, tzinfo=UTC)
MONDAY = date(2026, 8, 10)
RITA = "URITA"


def person(name: str, verdict: Verdict = Verdict.ACTIVE) -> Person:
    address = f"{name}@acme.example"
    judged = Assessment(address, NOW, verdict, Strength.SOME, 0.02, "wrote yesterday")
    return Person(address, Contact(address, name.title()), assessment=judged)


PEOPLE = [person(f"p{number}") for number in range(8)]


def drawn(people: list[Person], rep: str = RITA, monday: date = MONDAY) -> str:
    found = draw(people, rep, monday, NOW)
    return found.address if found is not None else ""


def test_the_same_rep_and_week_draw_the_same_person_in_whatever_order_they_are_listed() -> None:
    assert drawn(PEOPLE) == drawn(PEOPLE[::-1]) != ""


def test_other_weeks_and_other_reps_draw_others_and_everybody_about_as_often() -> None:
    weeks = [MONDAY + timedelta(weeks=number) for number in range(400)]
    for rep in (RITA, "UMAX"):
        often = Counter(drawn(PEOPLE, rep, monday) for monday in weeks)
        assert len(often) == len(PEOPLE)
        assert min(often.values()) >= 25
        assert max(often.values()) <= 80
    assert any(drawn(PEOPLE, RITA, monday) != drawn(PEOPLE, "UMAX", monday) for monday in weeks)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_only_of_people_who_alarm_nobody_and_can_be_seen_is_asked(verdict: Verdict) -> None:
    calm = verdict in {Verdict.ACTIVE, Verdict.QUIET, Verdict.ON_LEAVE}
    assert bool(drawn([person("jane", verdict)])) == calm


def test_who_alarmed_once_or_is_not_watched_or_not_judged_is_not_asked_about() -> None:
    jane = person("jane")
    assert drawn([replace(jane, cases=(Case(jane.address, 1),))]) == ""
    assert drawn([replace(jane, contact=None)]) == ""
    assert drawn([replace(jane, assessment=None)]) == ""
    assert drawn([]) == ""


def test_nobody_is_asked_about_twice_within_half_a_year() -> None:
    jane = person("jane")
    for days, ask in ((1, False), (179, False), (181, True)):
        word = Answer(jane.address, "audit 2026-01-05", RITA, NOW - timedelta(days=days), Choice.STILL_THERE)
        seen = observe(word)
        assert seen is not None
        assert bool(drawn([replace(jane, observations=(seen,))])) == ask


def test_an_answer_belongs_to_its_question_alone() -> None:
    question = Question(MONDAY, RITA, "jane@acme.example")
    word = Answer(question.contact, question.group, RITA, NOW, Choice.LEFT)
    seen = observe(word, "Rita Rep")
    assert seen is not None
    jane = replace(person("jane"), observations=(seen,))
    assert question.answer(jane) == seen
    assert replace(question, monday=MONDAY + timedelta(7)).answer(jane) is None


def test_what_was_asked_is_kept_once_and_what_was_erased_is_left_out() -> None:
    question = Question(MONDAY, RITA, "jane@acme.example")
    kept = with_one(with_one(None, question), question)
    assert asked(kept) == [question]
    later = replace(question, monday=MONDAY + timedelta(7))
    assert asked(with_one(kept, later)) == [later, question]
    broken: list[Json] = [None, 7, {}, [], [["2026-08-10", RITA]], [["x", RITA, "a@b"]], "x"]
    for one in broken:
        assert asked(one) == []
