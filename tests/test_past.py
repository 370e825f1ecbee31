"""What is known of one person is sorted once, and worked out once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.model import Observation
from bot.past import Past, in_order

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def seen(days: float, kind: str = "wrote", source: str = "mailbox:rita") -> Observation:
    return Observation("jane@acme.example", kind, START + timedelta(days=days), source, f"day {days}")


def test_observations_are_sorted_by_their_time() -> None:
    assert [one.sentence for one in Past.of([seen(3), seen(1), seen(2)])] == ["day 1", "day 2", "day 3"]


def test_what_is_sorted_comes_back_as_it_is() -> None:
    past = Past.of([seen(1)])
    assert Past.of(past) is past


def test_until_leaves_out_what_has_not_happened_yet() -> None:
    past = Past.of([seen(1), seen(2), seen(5)])
    assert past.until(START + timedelta(days=2)) == (seen(1), seen(2))
    assert past.until(START + timedelta(days=5)) is past
    assert past.until(START + timedelta(days=2)) is past.until(START + timedelta(days=4))
    assert Past().until(START) == ()


def test_what_is_dated_later_is_told_apart() -> None:
    past = Past.of([seen(1), seen(2), seen(5), seen(6)])
    assert [*past.after(START + timedelta(days=2))] == [seen(5), seen(6)]
    assert [*past.after(START + timedelta(days=6))] == []


def test_what_is_made_of_a_past_is_made_once_and_again_of_another_one() -> None:
    calls: list[int] = []

    def length(past: Past) -> int:
        calls.append(len(past))
        return len(past)

    one, more = Past.of([seen(1)]), Past.of([seen(1), seen(2)])
    assert [one.once(length), one.once(length), more.once(length)] == [1, 1, 2]
    assert calls == [1, 2]


def test_it_tells_its_kinds_and_sources() -> None:
    past = Past.of([seen(2, "meeting", "calendar:x"), seen(1), seen(3)])
    assert {kind: len(found) for kind, found in past.by_kind.items()} == {"wrote": 2, "meeting": 1}
    assert past.sources == {"mailbox:rita", "calendar:x"}


def test_what_depends_on_the_time_is_made_again_once_a_moment_has_passed() -> None:
    asked: list[datetime] = []

    def moments(past: Past) -> list[datetime]:
        return [seen.at + timedelta(days=5) for seen in past]

    def overdue(past: Past, now: datetime) -> int:
        asked.append(now)
        return sum(seen.at + timedelta(days=5) <= now for seen in past)

    past = Past.of([seen(1), seen(3)])
    assert past.next_stage(START) is None
    found = [past.at_stage(overdue, moments, START + timedelta(days=days)) for days in (4, 5, 6, 7, 8, 9, 5)]
    assert found == [0, 0, 1, 1, 2, 2, 0]
    assert len(asked) == 3
    stages = [past.next_stage(START + timedelta(days=days)) for days in (4, 6, 8)]
    assert stages == [START + timedelta(days=6), START + timedelta(days=8), None]


def test_what_was_worked_out_of_a_kind_is_kept_until_there_is_news_of_that_kind() -> None:
    calls: list[int] = []

    def count(past: Past) -> int:
        calls.append(len(past))
        return len(past)

    past = Past.of([seen(1, "meeting"), seen(2)])
    assert past.only("meeting").once(count) == 1
    mailed = past.grown([*past, seen(3)])
    later = mailed.grown([*mailed, seen(4)])
    assert later.only("meeting").once(count) == 1
    met = later.grown([*later, seen(5, "meeting")])
    assert met.only("meeting").once(count) == 2
    assert calls == [1, 2]


def test_observations_of_one_moment_are_told_apart_by_what_they_say() -> None:
    one, other = seen(1, "b"), seen(1, "a")
    assert in_order([seen(2), one, other], lambda each: (each.kind,)) == [other, one, seen(2)]
    last, first = seen(1, source="z"), seen(1, source="y")
    assert in_order([last, first], lambda each: (each.kind,), lambda each: (each.source,)) == [first, last]
