from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Alert, Assessment, Case, Home, Reason, Verdict
from bot.preferences import Preferences
from bot.routing import Deliver, Hold, Rep, Rules, Team, owners, route, shadowed, stand_ins
from tests.slack.story import JANE, LEFT, SLIPPING

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY_NOON = datetime(2026, 8, 3, 12, tzinfo=BERLIN)
RITA = Rep("U1", "rita@vendor.example", "Europe/Berlin")
OMAR = Rep("U2", "omar@vendor.example", "Europe/Berlin")
RULES = Rules(
    "C1",
    slipping="dm",
    quiet=(time(18), time(8)),
    alerts_a_day=2,
    zone="Europe/Berlin",
    admins=("a@v.example",),
)
LIKELY = replace(LEFT, verdict=Verdict.LIKELY_LEFT)


def told(
    assessment: Assessment = LEFT,
    now: datetime = MONDAY_NOON,
    *,
    raised: datetime | None = None,
    reps: tuple[Rep, ...] = (RITA,),
    rules: Rules = RULES,
    chosen: Preferences = Preferences(),  # noqa: B008 - it is frozen
    today: tuple[Verdict, ...] = (),
    home: Home | None = None,
    owner: str = "rita@vendor.example",
) -> Deliver | Hold:
    judged = replace(assessment, at=raised or now)
    alert = Alert(replace(JANE, owner=owner), judged, 1, judged.at)
    return route(alert, Case(JANE.address, 1, home=home), reps, rules, chosen, today, now)


def test_departures_go_to_the_channel_and_slipping_to_the_owner() -> None:
    assert told(LEFT) == Deliver("C1", mention=(RITA,))
    assert told(LIKELY) == Deliver("C1", mention=(RITA,))
    assert told(SLIPPING) == Deliver(user="U1", mention=(RITA,))


def test_a_team_may_have_departures_in_the_dm_and_slipping_in_the_channel() -> None:
    rules = replace(RULES, home="dm", slipping="channel")
    assert told(LEFT, rules=rules) == Deliver(user="U1", mention=(RITA,))
    assert told(SLIPPING, rules=rules) == Deliver("C1", mention=(RITA,))


def test_a_case_that_stands_in_a_channel_stays_there_and_one_in_a_dm_moves_when_she_left() -> None:
    assert told(SLIPPING, home=Home("C1", "1.0")) == Deliver("C1", mention=(RITA,))
    assert told(SLIPPING, home=Home("D1", "1.0")) == Deliver(user="U1", mention=(RITA,))
    assert told(LEFT, home=Home("D1", "1.0")) == Deliver("C1", mention=(RITA,))


def test_each_team_has_its_channel_whoever_stands_in() -> None:
    rules = replace(RULES, teams=(Team(frozenset({"rita@vendor.example"}), "C9"),))
    assert told(rules=rules) == Deliver("C9", mention=(RITA,))
    assert told(rules=rules, reps=(OMAR,)) == Deliver("C9", mention=(OMAR,))
    stand_in = replace(OMAR, instead_of="Rita@vendor.example")
    assert told(rules=rules, reps=(stand_in,), owner="Rita Rep") == Deliver("C9", mention=(stand_in,))
    assert told(rules=rules, owner="omar@vendor.example", reps=(OMAR,)) == Deliver("C1", mention=(OMAR,))


def test_a_shared_contact_is_one_case_in_the_channel_with_both_mentioned() -> None:
    assert told(SLIPPING, reps=(RITA, OMAR)) == Deliver("C1", mention=(RITA, OMAR))


def test_what_nobody_can_be_told_goes_to_the_channel() -> None:
    assert told(SLIPPING, reps=(), today=(Verdict.LEFT,) * 9) == Deliver("C1")


def test_names_are_by_initials_in_the_channel_where_the_team_says_so_and_full_in_the_dm() -> None:
    rules = replace(RULES, names="initials")
    assert told(LEFT, rules=rules) == Deliver("C1", mention=(RITA,), names="initials")
    assert told(SLIPPING, rules=rules) == Deliver(user="U1", mention=(RITA,))


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (datetime(2026, 8, 3, 18, 0, tzinfo=BERLIN), datetime(2026, 8, 4, 8, tzinfo=BERLIN)),
        (datetime(2026, 8, 4, 7, 59, tzinfo=BERLIN), datetime(2026, 8, 4, 8, tzinfo=BERLIN)),
        (datetime(2026, 8, 7, 18, 1, tzinfo=BERLIN), datetime(2026, 8, 10, 8, tzinfo=BERLIN)),
        (datetime(2026, 8, 8, 12, 0, tzinfo=BERLIN), datetime(2026, 8, 10, 8, tzinfo=BERLIN)),
        (datetime(2026, 8, 9, 23, 0, tzinfo=BERLIN), datetime(2026, 8, 10, 8, tzinfo=BERLIN)),
        (datetime(2026, 10, 23, 20, 0, tzinfo=BERLIN), datetime(2026, 10, 26, 8, tzinfo=BERLIN)),
        (datetime(2027, 3, 26, 20, 0, tzinfo=BERLIN), datetime(2027, 3, 29, 8, tzinfo=BERLIN)),
    ],
    ids=["evening", "morning", "Friday", "Saturday", "Sunday", "clocks go back", "clocks go forward"],
)
def test_nobody_is_disturbed_before_the_next_working_morning(now: datetime, until: datetime) -> None:
    for assessment in (LEFT, SLIPPING):
        held = told(assessment, now)
        assert held == Hold(until.astimezone(UTC), Reason.QUIET_HOURS)
        assert isinstance(told(assessment, until, raised=now), Deliver)


def test_quiet_hours_are_those_of_the_reps_own_time_zone_or_else_the_teams() -> None:
    in_new_york = replace(RITA, zone="America/New_York")
    assert told(now=MONDAY_NOON, reps=(in_new_york,)) == Hold(
        datetime(2026, 8, 3, 12, tzinfo=UTC), Reason.QUIET_HOURS
    )
    nowhere = replace(RITA, zone="Mars/Olympus")
    assert told(now=MONDAY_NOON, reps=(nowhere,)) == Deliver("C1", mention=(nowhere,))


def test_a_rep_may_choose_other_hours_or_none() -> None:
    evening = MONDAY_NOON.replace(hour=19)
    late = Preferences(quiet_from="20:00", quiet_to="10:00")
    assert isinstance(told(now=evening, chosen=late), Deliver)
    assert told(now=evening.replace(hour=20), chosen=late) == Hold(
        datetime(2026, 8, 4, 8, tzinfo=UTC), Reason.QUIET_HOURS
    )
    none = Preferences(quiet_from="00:00", quiet_to="00:00")
    assert isinstance(told(now=evening + timedelta(days=5), chosen=none), Deliver)


def test_quiet_hours_may_lie_within_the_day() -> None:
    siesta = Preferences(quiet_from="12:00", quiet_to="14:00")
    assert told(now=MONDAY_NOON, chosen=siesta) == Hold(
        datetime(2026, 8, 3, 12, tzinfo=UTC), Reason.QUIET_HOURS
    )
    assert isinstance(told(now=MONDAY_NOON.replace(hour=3), chosen=siesta), Deliver)


def test_beyond_the_budget_an_alert_waits_for_the_next_working_morning() -> None:
    two = (Verdict.SLIPPING, Verdict.SLIPPING)
    tomorrow = datetime(2026, 8, 4, 6, tzinfo=UTC)
    assert told(SLIPPING, today=two) == Hold(tomorrow, Reason.OVER_BUDGET)
    assert isinstance(told(SLIPPING, today=two, chosen=Preferences(alerts_a_day=3)), Deliver)
    assert isinstance(told(SLIPPING, today=two, rules=replace(RULES, alerts_a_day=None)), Deliver)


def test_a_departure_is_held_only_by_other_departures_and_only_once() -> None:
    assert isinstance(told(LEFT, today=(Verdict.SLIPPING,) * 9), Deliver)
    full = (Verdict.LEFT, Verdict.LIKELY_LEFT)
    assert told(LEFT, today=full) == Hold(datetime(2026, 8, 4, 6, tzinfo=UTC), Reason.OVER_BUDGET)
    tomorrow = MONDAY_NOON.replace(day=4, hour=8)
    assert isinstance(told(LEFT, tomorrow, raised=MONDAY_NOON, today=full), Deliver)
    assert isinstance(told(SLIPPING, tomorrow, raised=MONDAY_NOON, today=full), Hold)


def test_in_shadow_mode_the_admins_get_what_the_team_would_have_got() -> None:
    would = told(LEFT)
    assert isinstance(would, Deliver)
    assert shadowed(would, ["U8", "U9"]) == Deliver(user="U8", copies=("U9",), instead_of=would)


def test_several_owners_are_read_from_one_field() -> None:
    assert owners("a@x.example; b@x.example ,a@x.example;") == ("a@x.example", "b@x.example")
    assert owners(" ") == ()


def test_the_backup_stands_in_first_then_the_lead() -> None:
    rules = replace(
        RULES,
        backups={"rita@vendor.example": "omar@vendor.example", "lea@vendor.example": "omar@vendor.example"},
        teams=(Team(frozenset({"rita@vendor.example", "lea@vendor.example"}), "C9", "lea@vendor.example"),),
    )
    assert stand_ins("rita@vendor.example", rules) == ("omar@vendor.example", "lea@vendor.example")
    assert stand_ins("lea@vendor.example", rules) == ("omar@vendor.example",)
    assert stand_ins("nobody@vendor.example", rules) == ()


HOURS = st.times().map(lambda at: at.replace(second=0, microsecond=0))
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


@settings(max_examples=200, deadline=None)
@given(
    now=MOMENTS,
    quiet=st.tuples(HOURS, HOURS),
    zone=st.sampled_from(
        ["UTC", "Asia/Kathmandu", "America/New_York", "Pacific/Apia", "Australia/Lord_Howe"]
    ),
    full=st.booleans(),
)
def test_what_is_held_is_told_on_a_working_day_and_a_departure_within_the_next(
    now: datetime,
    quiet: tuple[time, time],
    zone: str,
    full: bool,  # noqa: FBT001 - hypothesis names it
) -> None:
    rules = replace(RULES, quiet=quiet)
    rep = replace(RITA, zone=zone)
    today = (Verdict.LEFT,) * 2 if full else ()
    held = told(LEFT, now, rules=rules, reps=(rep,), today=today)
    if isinstance(held, Hold):
        assert now < held.until <= now + timedelta(days=4)
        assert held.until.astimezone(ZoneInfo(zone)).weekday() < 5
        again = told(LEFT, held.until, raised=now, rules=rules, reps=(rep,), today=today)
        assert isinstance(again, Deliver)
