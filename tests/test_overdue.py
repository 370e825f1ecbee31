from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.overdue import lines, overdue

NOW = datetime(2026, 8, 14, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
EVERY = {"mailbox:a": 5 * MINUTE, "mailbox:b": 5 * MINUTE, "pages:x": 60 * MINUTE}


def test_a_source_is_overdue_after_three_of_its_own_intervals() -> None:
    read = {"mailbox:a": NOW - 16 * MINUTE, "mailbox:b": NOW - 15 * MINUTE, "pages:x": NOW - 100 * MINUTE}
    assert overdue(EVERY, read, NOW - 999 * MINUTE, NOW) == {"mailbox:a": NOW - 16 * MINUTE}


def test_what_was_never_read_is_counted_from_the_start() -> None:
    assert overdue(EVERY, {}, NOW - 14 * MINUTE, NOW) == {}
    assert set(overdue(EVERY, {}, NOW - 16 * MINUTE, NOW)) == {"mailbox:a", "mailbox:b"}


def test_it_is_said_once_with_its_reason_and_once_on_recovery() -> None:
    late = {"mailbox:a": NOW - 16 * MINUTE}
    [line] = lines(late, {}, {}, {"mailbox:a": "the server does not answer"}, NOW)
    assert line.startswith("mailbox:a was not read for 16 minutes: the server does not answer.")
    assert lines(late, late, {}, {}, NOW) == []
    [line] = lines({}, late, {"mailbox:a": NOW}, {}, NOW)
    assert line == "mailbox:a is read again, after 16 minutes."


def test_after_a_restart_nothing_is_called_recovered_that_was_not_read() -> None:
    assert lines({}, {"mailbox:a": NOW - 90 * MINUTE}, {}, {}, NOW) == []


def test_many_hosts_that_are_down_are_one_line() -> None:
    late = {f"public_pages:{n}.example": NOW - 300 * MINUTE for n in range(200)}
    [line] = lines(late, {}, {}, {}, NOW)
    assert line.startswith("200 sources of public_pages were not read for three of their intervals")
    assert lines({}, late, dict.fromkeys(late, NOW), {}, NOW)[0].startswith("200 sources of public_pages are")


def test_long_outages_are_told_in_hours_and_days() -> None:
    said = [lines({"m:a": NOW - n * MINUTE}, {}, {}, {}, NOW)[0] for n in (90, 300, 5000)]
    assert ["90 minutes" in said[0], "5 hours" in said[1], "3 days" in said[2]] == [True] * 3
