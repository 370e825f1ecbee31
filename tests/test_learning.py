from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import learning
from bot.assessment import DEPENDENCE, prior_after
from bot.evidence import EVEN, LARGEST, Scales
from bot.learning import LEARNT, Label, Record, What, brier, fit, in_force, is_off, learnt, records
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
    Json,
    Means,
    Strength,
    Verdict,
)
from tests.observations import bounce, exchange, judged, meeting

NOW = datetime(2026, 8, 3, 2, tzinfo=UTC)
JANE = "jane@acme.example"
CONTACT = Contact(JANE)


def drawn(count: int, truth: Scales, seed: int = 3) -> list[Label]:
    """Return answers of a world in which each family is worth what `truth` says."""
    chance = random.Random(seed)  # noqa: S311 - the same every time, on purpose
    found = []
    for number in range(count):
        families = chance.sample([Family.MAIL, Family.PUBLIC, Family.CALENDAR, Family.SILENCE], 2)
        added = {family: chance.uniform(0.5, 2.0) for family in families}
        one = Label(NOW - timedelta(days=number), right=False, before=-1.5, learnt=added, fixed={})
        found.append(replace(one, right=chance.random() < one.probability(truth)))
    return found[::-1]


def said(count: int, *, right: bool, added: float = 6.5) -> list[Label]:
    return [Label(NOW - timedelta(days=day), right, -4.0, {Family.MAIL: added}, {}) for day in range(count)]


@pytest.mark.parametrize("family", ["mail", "public", "calendar", "silence"])
def test_a_family_that_is_twice_as_reliable_as_assumed_comes_to_count_for_more_and_no_other_does(
    family: str,
) -> None:
    found = fit(drawn(300, EVEN.with_one(family, 2.0)))
    others = [getattr(found, name) for name in LEARNT if name != family]
    assert 1.25 < getattr(found, family) <= LARGEST
    assert getattr(found, family) > max(others)
    assert all(0.75 < other < 1.35 for other in others)


def test_a_family_that_is_half_as_reliable_as_assumed_comes_to_count_for_less() -> None:
    found = fit(drawn(300, Scales(calendar=0.5)))
    assert 1 / LARGEST <= found.calendar < 0.85


def test_answers_of_a_world_that_is_as_assumed_move_nothing_far() -> None:
    found = fit(drawn(300, EVEN))
    assert all(0.8 < getattr(found, name) < 1.25 for name in LEARNT)


def test_with_nineteen_answers_nothing_moves_and_with_twenty_it_may() -> None:
    assert learnt(said(19, right=False), [], NOW) is None
    record = learnt(said(20, right=False), [], NOW)
    assert record is not None
    assert record.labels == 20
    assert record.after.mail < 1


@pytest.mark.parametrize("count", [20, 100, 500])
@pytest.mark.parametrize("right", [True, False])
def test_somebody_who_always_presses_the_same_button_moves_the_scales_no_further_than_their_bounds(
    count: int, *, right: bool
) -> None:
    found = fit(said(count, right=right))
    assert 1 / LARGEST <= found.mail <= LARGEST
    assert all(getattr(found, name) == pytest.approx(1, abs=1e-3) for name in LEARNT if name != "mail")


def test_the_sources_own_word_has_no_scale() -> None:
    own = [replace(one, learnt={}, fixed={Family.MAIL: 9.0}) for one in said(100, right=False)]
    assert fit(own) == EVEN
    assert own[0].probability(EVEN) == own[0].probability(Scales(mail=2.0))


def test_a_probability_is_the_one_that_the_judgement_gives() -> None:
    found = judged([*exchange(), bounce(2)])
    assert found.last_contact is not None
    one = learning.label(found, EVEN, right=True, at=found.at)
    assert one.probability(EVEN) == pytest.approx(found.probability, abs=0.005)


def test_signs_of_pulling_away_are_as_likely_as_not_right_at_their_threshold() -> None:
    found = judged([*exchange(), meeting(20, 6), meeting(12, -8), meeting(5, -22)])
    assert found.verdict is Verdict.SLIPPING
    one = learning.label(found, EVEN, right=True, at=found.at)
    assert set(one.learnt) == {Family.CALENDAR}
    assert one.probability(EVEN) == pytest.approx(0.5, abs=0.1)


def test_what_was_judged_by_other_scales_is_learnt_from_as_if_by_those_shipped() -> None:
    twice = Scales(mail=2.0)
    found = judged([*exchange(), bounce(2)])
    scaled = replace(
        found,
        evidence=tuple(
            replace(item, weight=item.weight * twice.of(item.family)) if item.weight > 0 else item
            for item in found.evidence
        ),
    )
    assert learning.label(scaled, twice, right=True, at=found.at).learnt == pytest.approx(
        learning.label(found, EVEN, right=True, at=found.at).learnt
    )


def test_new_scales_that_judge_what_they_have_not_seen_worse_are_not_adopted() -> None:
    refused = 0
    for seed in range(8):
        found = drawn(24, EVEN, seed)
        record, worse = learnt(found, [], NOW), learning.left_out(found, fit(found)) > brier(found, EVEN)
        assert (record is None) == worse
        refused += worse
    assert 0 < refused < 8


def test_an_adoption_keeps_its_day_its_answers_and_both_scores() -> None:
    found = drawn(200, Scales(calendar=0.5, mail=0.5))
    record = learnt(found, [], NOW)
    assert record is not None
    assert (record.at, record.what, record.labels, record.before) == (NOW, What.LEARNT, 200, EVEN)
    assert record.old_brier == round(brier(found, EVEN), 4)
    assert record.new_brier is not None
    assert record.new_brier < brier(found, EVEN)
    assert records(learning.kept([record])) == [record]
    assert learnt(found, [record], NOW + timedelta(days=1)) is None
    assert learning.line(record).startswith("3 August 2026: mail 1.00 to 0.")


def test_what_is_kept_can_be_put_back_and_switched_off_and_on() -> None:
    found = said(50, right=False)
    adopted = learnt(found, [], NOW)
    assert adopted is not None
    later = NOW + timedelta(hours=1)
    reset = learning.switched([adopted], What.RESET, later)
    assert in_force([adopted], later) == adopted.after
    assert in_force([adopted, reset], later) == EVEN
    assert in_force([adopted, reset], NOW) == adopted.after
    assert learnt(found, [adopted, reset], later) is None
    off = learning.switched([adopted], What.OFF, later)
    on = learning.switched([adopted, off], What.ON, later + timedelta(hours=1))
    assert is_off([adopted, off])
    assert not is_off([adopted, off, on])
    new = [replace(one, at=later + timedelta(days=2)) for one in found]
    assert learnt(new, [adopted, off], later + timedelta(days=3)) is None
    assert learnt(new, [adopted, off, on], later + timedelta(days=3)) is not None


def by(rep: str, labels: Sequence[Label]) -> list[Label]:
    return [replace(one, by=rep) for one in labels]


def test_one_rep_who_is_wrong_a_hundred_times_moves_a_teams_scales_no_further_than_a_quarter_of_it() -> None:
    team = [one for rep in ("U2", "U3", "U4", "U5") for one in by(rep, said(10, right=True))]
    wrong = by("U1", said(100, right=False))
    weighed = learning.fair([*wrong, *team], reps=5)
    of_one = sum(one.weight for one in weighed if one.by == "U1")
    assert of_one == pytest.approx(0.25 * sum(one.weight for one in weighed))
    assert all(one.weight == 1 for one in weighed if one.by != "U1")
    few = learning.fair([*by("U1", said(14, right=False)), *team], reps=5)
    heard, unbounded = fit(weighed), fit([*wrong, *team])
    assert unbounded.mail == pytest.approx(1 / LARGEST, abs=0.01)
    assert heard.mail > unbounded.mail + 0.1
    assert heard.mail == pytest.approx(fit(few).mail, abs=0.01)


def test_in_a_team_one_rep_who_answers_alone_teaches_nothing_and_two_are_heard_alike() -> None:
    alone = by("U1", said(100, right=False))
    assert learnt(alone, [], NOW, reps=1) is not None
    assert learnt(alone, [], NOW, reps=2) is None
    assert learnt([*alone, *by("U2", said(9, right=False))], [], NOW, reps=2) is None
    both = learning.fair([*alone, *by("U2", said(10, right=False))], reps=2)
    assert sum(one.weight for one in both if one.by == "U1") == pytest.approx(10)
    assert learnt([*alone, *by("U2", said(10, right=False))], [], NOW, reps=2) is not None


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 200), min_size=2, max_size=12))
def test_whoever_answers_how_often_nobodys_word_has_more_than_their_share(counts: list[int]) -> None:
    labels = [one for rep, count in enumerate(counts) for one in by(f"U{rep}", said(count, right=True))]
    weighed = learning.fair(labels, reps=len(counts))
    total = sum(one.weight for one in weighed)
    for rep, count in enumerate(counts):
        share = sum(one.weight for one in weighed if one.by == f"U{rep}") / total
        assert share <= max(0.25, 1 / len(counts)) + 1e-9
        assert share * total <= count + 1e-6
    assert total > 0


def answered(choice: Choice, days: float = 1, verdict: Verdict = Verdict.LIKELY_LEFT) -> Case:
    at = NOW - timedelta(days=days + 1)
    sign = Evidence("k", "mailbox_gone", Means.GONE, Family.MAIL, at, "mailbox", "bounce", 6.0, hard=True)
    found = Assessment(JANE, at, verdict, Strength.CLEAR, 0.9, "bounce", (sign,))
    told = Case(JANE, 1, (Delivery(Alert(CONTACT, found, 1, at)),))
    word = Answer(JANE, told.key, "URITA", NOW - timedelta(days=days), choice)
    return replace(told, on_it=word) if choice is Choice.ON_IT else replace(told, settled=word)


def test_answers_are_labels_and_what_says_nothing_of_a_departure_is_none() -> None:
    words = [Choice.LEFT, Choice.STILL_THERE, Choice.ON_LEAVE, Choice.SNOOZE, Choice.ANSWERED]
    found = learning.labels([answered(choice) for choice in words], NOW)
    assert [(one.right, one.by) for one in found] == [(True, "URITA"), (False, "URITA")]
    assert learning.labels([answered(Choice.LEFT, 366)], NOW) == []
    assert learning.labels([replace(answered(Choice.LEFT), settled=None)], NOW) == []


def test_what_is_kept_in_another_form_is_left_out() -> None:
    good = Record(NOW, What.RESET, Scales(mail=1.5), EVEN)
    bad: list[Json] = [None, 7, "x", {}, {"at": "x"}, {**good.as_json(), "what": "sung"}]
    for broken in bad:
        assert records([broken, good.as_json()]) == [good]
    assert records({"at": 1}) == []
    huge: dict[str, Json] = {
        **good.as_json(),
        "after": {"mail": 1e9, "other": 3, "public": "x", "silence": -1},
    }
    (read,) = records([huge])
    assert read.after == Scales(mail=LARGEST, silence=1 / LARGEST)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.floats(-8, 3),
            st.dictionaries(st.sampled_from(list(Family)[:5]), st.floats(0, 40), max_size=3),
        ),
        max_size=30,
    )
)
def test_whatever_is_answered_the_scales_stay_within_their_bounds(
    answers: Sequence[tuple[bool, float, dict[Family, float]]],
) -> None:
    found = fit([Label(NOW, right, before, added, {}) for right, before, added in answers])
    for name in LEARNT:
        assert 1 / LARGEST <= getattr(found, name) <= LARGEST


def test_the_prior_of_a_label_is_that_of_the_judgement() -> None:
    assert prior_after(timedelta(days=365)) == pytest.approx(0.22)
    both = Label(NOW, right=True, before=0.0, learnt={Family.MAIL: 2.0, Family.CALENDAR: 1.0}, fixed={})
    assert both.probability(EVEN) == pytest.approx(1 / (1 + math.exp(-(2 + DEPENDENCE))))


def test_a_thousand_wrong_answers_of_one_rep_among_several_move_a_scale_little() -> None:
    honest = [replace(one, by=f"U{number % 4}") for number, one in enumerate(said(40, right=True))]
    wrong = [
        replace(one, by="U9", at=NOW - timedelta(hours=hour))
        for hour, one in enumerate(said(1000, right=False))
    ]
    found = sorted([*honest, *wrong], key=lambda one: one.at)
    record = learnt(found, [], NOW, 5)
    assert record is None or record.after.mail > 0.75
    assert learnt(wrong, [], NOW, 5) is None
    alone = learnt(wrong, [], NOW, 1)
    assert alone is not None
    assert alone.after.mail >= 1 / LARGEST


def test_answers_that_say_one_thing_and_then_the_other_every_night_move_the_scales_seldom() -> None:
    known: list[Record] = []
    for night in range(1, 31):
        now = NOW + timedelta(days=night)
        found = [
            Label(
                NOW + timedelta(days=day),
                (day + rep) % 2 == 0,
                -4.0,
                {Family.MAIL: 4.0 + rep / 4},
                {},
                f"U{rep}",
            )
            for day in range(night)
            for rep in range(4)
        ]
        record = learnt(found, known, now, 4)
        known += [record] if record is not None else []
    assert len(known) <= 2
    assert all(0.8 < record.after.mail < 1.2 for record in known)


def test_an_answer_that_is_dated_in_the_future_is_not_learnt_from_yet() -> None:
    evidence = Evidence("k", "mailbox_gone", Means.GONE, Family.MAIL, NOW, "box", "bounce", 4.0)
    found = Assessment(JANE, NOW, Verdict.LEFT, Strength.STRONG, 0.9, "", (evidence,))
    told = Case(JANE, 1, (Delivery(Alert(CONTACT, found, 1, NOW)),))
    later = NOW + timedelta(days=400)
    case = replace(told, settled=Answer(JANE, told.key, "U1", later, Choice.LEFT))
    assert learning.labels([case], NOW) == []
    assert len(learning.labels([case], later)) == 1
