from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.silence import LEAST_DAYS, Silence, judge

START = datetime(2025, 1, 6, 10, 0, tzinfo=UTC)
moments = st.datetimes(
    min_value=datetime(1900, 1, 1),  # noqa: DTZ001 - naive datetimes are part of the hostile input
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([None, UTC, timezone(timedelta(hours=-12)), timezone(timedelta(hours=14))]),
)
histories = st.lists(moments, max_size=30)
days = st.dates(min_value=date(2020, 1, 1), max_value=date(2030, 1, 1))
pauses = st.lists(st.tuples(days, days), max_size=6)


def every(gap: int, times: int) -> list[datetime]:
    return [START + timedelta(days=gap * n) for n in range(times)]


def judged(events: list[datetime], silent: float, paused: list[tuple[date, date]] | None = None) -> Silence:
    silence = judge(events, max(events) + timedelta(days=silent), paused or [])
    assert silence is not None
    return silence


def test_the_sentence_holds_the_silence_against_the_longest_gap_of_the_year() -> None:
    events = [*every(3, 20), START + timedelta(days=66)]
    silence = judged(events, 24)
    assert silence.sentence == "silent 24 days; the longest gap in a year was 9"
    assert (silence.days, silence.longest_gap_days) == (24, 9)


def test_a_silence_shorter_than_earlier_ones_is_held_against_the_usual_gap() -> None:
    events = [
        *every(3, 20),
        START + timedelta(days=90),
        *(START + timedelta(days=90 + 3 * n) for n in range(20)),
    ]
    assert (
        judged(events, 12).sentence == "silent 12 days; the usual gap is 3, the longest gap in a year was 33"
    )


def test_a_gap_longer_than_a_year_is_not_said_to_lie_within_one() -> None:
    events = [*every(3, 20), START + timedelta(days=457)]
    assert judged(events, 401).sentence == "silent 401 days; the longest gap before was 400"


def test_one_day_and_none_are_said_in_plain_words() -> None:
    events = every(2, 10)
    assert judged(events, 1).sentence.startswith("silent 1 day;")
    assert judged(events, 0.5).sentence.startswith("silent less than a day;")


def test_days_that_do_not_count_are_named_in_the_sentence() -> None:
    events = every(3, 20)
    after = (max(events) + timedelta(days=1)).date()
    silence = judged(events, 24, [(after, after + timedelta(days=13))])
    assert silence.days == pytest.approx(10)
    assert silence.sentence == (
        "silent 10 days, not counting 14 that are explained; the longest gap in a year was 3"
    )


def test_the_same_silence_says_more_of_somebody_who_wrote_daily_than_of_one_who_wrote_monthly() -> None:
    daily, monthly = judged(every(1, 120), 40), judged(every(28, 24), 40)
    assert daily.surprise < 0.001
    assert monthly.surprise > 0.1
    assert daily.probability > 3 * monthly.probability


def test_a_silence_within_the_usual_gap_is_no_surprise() -> None:
    silence = judged(every(7, 50), 7)
    assert silence.usual_gap_days == pytest.approx(7, rel=0.1)
    assert silence.surprise > 0.4
    assert silence.probability < 0.01


def test_silence_alone_never_makes_a_departure_near_certain() -> None:
    assert judged(every(1, 500), 3000).probability < 0.95


def test_contact_that_had_slowed_down_before_the_silence_makes_it_more_probable() -> None:
    steady = every(3, 40)
    slowed = [*steady[:-4], steady[-1] + timedelta(days=9)]
    assert judged(slowed, 40).probability > judged(steady, 40).probability


@pytest.mark.parametrize("count", range(LEAST_DAYS))
def test_too_few_days_of_contact_say_nothing(count: int) -> None:
    assert judge(every(5, count), START + timedelta(days=100)) is None


def test_many_mails_on_one_day_are_one_day_of_contact() -> None:
    assert judge([START + timedelta(minutes=n) for n in range(200)], START + timedelta(days=30)) is None


def test_order_repeats_and_future_events_change_nothing() -> None:
    events = every(4, 30)
    now = max(events) + timedelta(days=20)
    hostile = [now + timedelta(days=1), *reversed(events), *events[:7], datetime.max.replace(tzinfo=UTC)]
    assert judge(hostile, now) == judge(events, now)


def test_a_mail_dated_1970_does_not_pass_for_a_silence_of_decades() -> None:
    events = every(4, 30)
    now = max(events) + timedelta(days=20)
    assert judge([datetime(1970, 1, 1, tzinfo=UTC), datetime.min.replace(tzinfo=UTC), *events], now) == judge(
        events, now
    )


def test_a_time_without_a_zone_is_utc() -> None:
    events = every(4, 30)
    now = max(events) + timedelta(days=20)
    assert judge([event.replace(tzinfo=None) for event in events], now.replace(tzinfo=None)) == judge(
        events, now
    )


def test_a_paused_period_stops_the_clock() -> None:
    events = every(3, 20)
    last = max(events).date()
    holiday = [(last + timedelta(days=2), last + timedelta(days=15))]
    assert judged(events, 20, holiday).probability == pytest.approx(judged(events, 6).probability)


def test_paused_periods_that_overlap_or_repeat_count_once() -> None:
    events = every(3, 20)
    last = max(events).date()
    apart = [(last + timedelta(days=2), last + timedelta(days=15))]
    tangled = [
        (last + timedelta(days=9), last + timedelta(days=15)),
        (last + timedelta(days=2), last + timedelta(days=10)),
        (last + timedelta(days=4), last + timedelta(days=5)),
        (last + timedelta(days=30), last + timedelta(days=20)),
    ]
    assert judged(events, 40, tangled) == judged(events, 40, apart)


def test_a_pause_in_the_past_takes_the_gap_it_explains_out_of_the_record() -> None:
    events = [*every(3, 20), *(START + timedelta(days=80 + 3 * n) for n in range(20))]
    holiday = [((START + timedelta(days=58)).date(), (START + timedelta(days=78)).date())]
    assert judged(events, 30).longest_gap_days == 23
    assert judged(events, 30, holiday).longest_gap_days == 3


def test_a_pause_that_lies_ahead_changes_nothing() -> None:
    events = every(3, 20)
    ahead = [((max(events) + timedelta(days=40)).date(), (max(events) + timedelta(days=60)).date())]
    assert judged(events, 30, ahead) == judged(events, 30)


@settings(max_examples=60, deadline=None)
@given(events=histories, paused=pauses, silences=st.lists(st.floats(0, 2000), min_size=2, max_size=5))
def test_a_longer_silence_is_never_less_probable_and_never_less_surprising(
    events: list[datetime], paused: list[tuple[date, date]], silences: list[float]
) -> None:
    last = max((event if event.tzinfo else event.replace(tzinfo=UTC) for event in events), default=START)
    judgements = [judge(events, last + timedelta(days=silent), paused) for silent in sorted(silences)]
    known = [judgement for judgement in judgements if judgement]
    assert len(known) in {0, len(judgements)}
    for shorter, longer in pairwise(known):
        assert longer.days >= shorter.days
        assert longer.probability >= shorter.probability
        assert longer.surprise <= shorter.surprise


@settings(max_examples=60, deadline=None)
@given(events=histories, now=moments, paused=pauses)
def test_any_history_yields_a_probability_or_nothing(
    events: list[datetime], now: datetime, paused: list[tuple[date, date]]
) -> None:
    silence = judge(events, now, paused)
    if silence is not None:
        assert 0 <= silence.probability <= 1
        assert 0 <= silence.surprise <= 1
        assert silence.days >= 0
        assert all(math.isfinite(value) for value in (silence.usual_gap_days, silence.longest_gap_days))
