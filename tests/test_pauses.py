from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import free_days
from bot.history import History
from bot.model import Contact, Json, Observation, Person
from bot.our_days import CURSOR, KEPT, OurDays
from bot.pauses import Pauses, leaves
from bot.pipeline import Pipeline
from bot.store.memory import MemoryStore
from tests.observations import BOX, JANE, NOW, RULES, days_ago, seen, wrote

RITA = "rita@vendor.example"
TODAY = NOW.date()


def day(ago: float) -> date:
    return days_ago(ago).date()


def mail_of(rep: str, ago: float, contact: str = JANE) -> Observation:
    facts: dict[str, Json] = {"message_id": f"{contact}-{ago:g}", "with": [rep]}
    return Observation(contact, "written_to", days_ago(ago), BOX, "wrote to them", facts=facts)


def away(*observations: Observation) -> list[tuple[date, date]]:
    return leaves(History.of(JANE, observations, NOW, RULES.kinds), RULES.kinds)


def person(address: str, *ago: float) -> Person:
    return Person(address, None, observations=tuple(wrote(days, address) for days in ago))


def regular(address: str, last: float, gap: float = 3) -> Person:
    return person(address, *(last + gap * number for number in range(30)))


def pauses(*people: Person) -> Pauses:
    return Pauses.of(people, {}, NOW)


def test_a_leave_reply_stops_the_clock_until_three_days_after_its_date() -> None:
    assert away(seen("on_leave", 30, returns=day(20).isoformat())) == [(day(30), day(17))]


def test_a_leave_reply_without_a_date_is_believed_for_two_weeks() -> None:
    assert away(seen("on_leave", 30)) == [(day(30), day(16))]


def test_a_reps_word_that_somebody_is_away_counts_like_their_own_reply() -> None:
    assert away(seen("answer_on_leave", 9, returns=day(5).isoformat())) == [(day(9), day(2))]


def test_a_leave_ends_when_the_person_writes_again() -> None:
    assert away(seen("on_leave", 30, returns=day(10).isoformat()), wrote(25)) == [(day(30), day(26))]


def test_a_leave_until_a_placeholder_ends_after_three_years() -> None:
    (found,) = away(seen("on_leave", 30, returns="9999-12-31"))
    assert found[1] - found[0] == timedelta(days=3 * 365 + 3)


def test_a_forged_leave_reply_stops_nothing() -> None:
    assert away(seen("on_leave", 30, returns=day(20).isoformat(), forged=True)) == []


def test_the_holidays_of_the_contacts_country_do_not_count() -> None:
    unity_day = (date(2025, 10, 3), date(2025, 10, 3))
    july_fourth = (date(2025, 7, 4), date(2025, 7, 4))
    german, american = (
        free_days.of(Contact(JANE, country=name), date(2025, 12, 1)) for name in ("Germany", "USA")
    )
    assert unity_day in german
    assert unity_day not in american
    assert july_fourth in american


@pytest.mark.parametrize(
    ("address", "country", "expected"),
    [
        ("jane@acme.de", "", "DE"),
        ("jane@acme.co.uk", "", "UK"),
        ("jane@acme.de", "France", "FR"),
        ("jane@acme.com", "united states", "US"),
        ("jane@acme.com", "U.S.A.", "USA"),
        ("jane@acme.io", "", ""),
        ("jane@acme.example", "", ""),
        ("jane@acme.com", "Atlantis", ""),
        ("jane@acme.de", "Atlantis", "DE"),
        ("jane@acme.com", "Österreich", "AT"),
        ("jane@acme.com", "The  Netherlands", "NL"),
    ],
)
def test_the_country_is_what_the_contact_says_or_else_the_end_of_the_address(
    address: str, country: str, expected: str
) -> None:
    assert free_days.country(Contact(address, country=country)) == expected


def test_the_days_around_new_year_are_free_whatever_the_country() -> None:
    found = free_days.of(Contact(JANE), date(2026, 1, 20))
    assert (date(2025, 12, 24), date(2025, 12, 31)) in found
    assert (date(2026, 1, 1), date(2026, 1, 1)) in found


def test_a_country_whose_holidays_nobody_wrote_down_has_none() -> None:
    assert free_days.of(Contact("jane@acme.ax"), TODAY)
    assert free_days.of(Contact("jane@acme.qq"), TODAY) == free_days.of(Contact(JANE), TODAY)


def test_an_account_is_quiet_since_the_last_of_at_least_two_others_wrote() -> None:
    account = pauses(regular(JANE, 25), regular("ann@acme.example", 30), regular("bob@acme.example", 22))
    assert account.quiet(JANE, TODAY) == [(day(21), TODAY)]


@pytest.mark.parametrize(
    "others",
    [
        [regular("ann@acme.example", 30)],
        [regular("ann@acme.example", 30), regular("bob@acme.example", 1)],
        [regular("ann@acme.example", 30), person("bob@acme.example", 30, 200)],
        [regular("ann@acme.example", 30), regular("bob@acme.example", 30, gap=60)],
    ],
    ids=["only one other", "one still writes", "one hardly known", "one writes seldom"],
)
def test_an_account_where_others_write_or_nobody_would_is_not_quiet(others: list[Person]) -> None:
    assert pauses(regular(JANE, 25), *others).quiet(JANE, TODAY) == []


def idle(written: list[float], ours: list[float]) -> list[tuple[date, date]]:
    days = sorted(day(ago) for ago in written)
    return Pauses(ours=sorted(day(ago) for ago in ours)).idle(days, TODAY)


BUSY = [float(ago) for ago in range(20, 80, 3)]


def test_while_the_rep_writes_nobody_and_none_of_us_writes_there_the_clock_stands() -> None:
    assert idle([*BUSY, 1], BUSY) == [(day(19), day(2))]
    assert idle(BUSY, BUSY) == [(day(19), TODAY)]


def test_what_is_still_to_come_explains_nothing() -> None:
    ahead = [day(-1), day(-30)]
    written = [*sorted(day(ago) for ago in BUSY), *ahead]
    assert Pauses(ours=ahead).idle(written, TODAY) == idle(BUSY, [])
    unsent = Person(JANE, None, observations=(mail_of(RITA, -3), mail_of(RITA, 3)))
    assert pauses(unsent).ours == [day(3)]


@pytest.mark.parametrize(
    ("written", "ours"),
    [
        ([*BUSY, 13, 7, 1], []),
        ([*BUSY, 1], [10]),
        ([80, 60, 40, 20], [40, 20]),
        ([], []),
    ],
    ids=["others were written", "a colleague wrote there", "a rep who writes seldom", "unknown"],
)
def test_a_rep_who_was_not_away_explains_nothing(written: list[float], ours: list[float]) -> None:
    assert idle(written, ours) == []


async def pipeline(contact: Contact) -> Pipeline:
    store = MemoryStore()
    await store.watch(contact)
    return Pipeline(store, RULES, ["vendor.example"], baseline=False)


async def test_the_days_of_each_of_us_are_kept_for_as_long_as_they_matter() -> None:
    store = MemoryStore()
    days = OurDays(store, frozenset({"vendor.example"}))
    too_old = KEPT.days + 1
    await days.note([mail_of(RITA, 5), mail_of(RITA, 5), mail_of("x@other.example", 4)], days_ago(1))
    await days.note([mail_of(RITA, 3), mail_of(RITA, too_old), wrote(2)], NOW)
    assert await days.known() == {RITA: [day(5), day(3)]}
    await days.note([mail_of(RITA, 0)], NOW + KEPT - timedelta(days=4))
    assert await days.known() == {RITA: [day(3), day(0)]}


async def test_what_is_no_list_of_days_is_left_out() -> None:
    store = MemoryStore()
    await store.save_cursor(CURSOR, {RITA: ["x", 739_000, None], "bob@vendor.example": 7})
    known = await OurDays(store, frozenset()).known()
    assert known == {RITA: [date.fromordinal(739_000)], "bob@vendor.example": []}


async def silent_days(contact: Contact, *observations: Observation) -> str:
    """Return what the pipeline says of the silence of a contact."""
    pipe = await pipeline(contact)
    await pipe.our_days.note(await pipe.store.record(observations), NOW)
    (found,) = await pipe.judge(NOW)
    return next((item.sentence for item in found.evidence if item.kind == "silent"), "")


HISTORY = [wrote(ago) for ago in range(30, 150, 3)]


async def test_a_reps_own_absence_explains_the_silence_of_their_contacts_alone() -> None:
    ours = [mail_of(RITA, ago) for ago in (*range(29, 100, 3), 1)]
    told = await silent_days(Contact(JANE, account="Acme", owner="Rita@Vendor.example"), *HISTORY, *ours)
    other = await silent_days(Contact(JANE, account="Acme", owner="x@vendor.example"), *HISTORY, *ours)
    assert told == "", "three days are nothing to mention"
    assert other.startswith("silent 30 days;")


async def test_a_leave_that_is_over_shortens_the_silence_after_it() -> None:
    leave = seen("on_leave", 28, returns=day(15).isoformat(), message_id="away")
    told = await silent_days(Contact(JANE, account="Acme"), *HISTORY, leave)
    assert told.startswith("silent 13 days, not counting 17 that are explained")


async def test_while_a_source_cannot_be_read_nobody_grows_more_silent() -> None:
    pipe = await pipeline(Contact(JANE, account="Acme"))
    await pipe.store.record(HISTORY)
    pipe.outages[BOX] = "the token expired"
    pipe._unread_since[BOX] = days_ago(10)
    (found,) = await pipe.judge(NOW)
    (told,) = [item.sentence for item in found.evidence if item.kind == "silent"]
    assert told.startswith("silent 19 days, not counting 10 that are explained")


kinds = st.sampled_from(["on_leave", "answer_on_leave", "wrote"])
dates = st.sampled_from(["", "2026-06-01", "9999-12-31", "0001-01-01", "nonsense", "2026-13-40"])
moments = st.datetimes(datetime(1970, 1, 1), datetime(2026, 6, 15), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


@given(st.lists(st.tuples(kinds, moments, dates), max_size=12))
@settings(max_examples=60, deadline=None)
def test_whatever_a_leave_says_it_never_raises(told: list[tuple[str, datetime, Json]]) -> None:
    found = [Observation(JANE, kind, at, BOX, kind, facts={"returns": back}) for kind, at, back in told]
    assert all(isinstance(first, date) and isinstance(last, date) for first, last in away(*found))
