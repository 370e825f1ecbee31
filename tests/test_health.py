from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from bot.health import Health
from bot.model import NeedsHuman, SourceDown

NOW = datetime(2026, 8, 14, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DOWN = SourceDown("imap.vendor.example does not answer")
LOCKED = NeedsHuman("the password is wrong", "set SALES_IMAP_PASSWORD")


def waits(health: Health, failure: SourceDown | NeedsHuman, tries: int) -> list[timedelta]:
    found = []
    now = NOW
    for _ in range(tries):
        health.bad("mailbox:sales", failure, now)
        found.append(health.troubles["mailbox:sales"].next_try - now)
        now = health.troubles["mailbox:sales"].next_try
    return found


def test_a_source_that_never_failed_may_be_looked_at() -> None:
    assert Health().may_look("mailbox:sales", NOW)


def test_a_source_that_is_down_is_left_alone_until_its_next_try() -> None:
    health = Health()
    health.bad("mailbox:sales", DOWN, NOW)
    assert not health.may_look("mailbox:sales", NOW + MINUTE - timedelta(seconds=1))
    assert health.may_look("mailbox:sales", NOW + MINUTE)
    assert health.may_look("mailbox:other", NOW)


def test_each_wait_is_longer_up_to_an_hour() -> None:
    minutes = [wait // MINUTE for wait in waits(Health(), DOWN, 9)]
    assert minutes == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_the_thousandth_try_still_waits_an_hour() -> None:
    assert waits(Health(), DOWN, 1000)[-1] == 60 * MINUTE


@pytest.mark.parametrize(
    ("asked", "waited"),
    [
        (timedelta(minutes=7), timedelta(minutes=7)),
        (timedelta(hours=3), timedelta(hours=3)),
        (timedelta.max, timedelta(days=1)),
    ],
)
def test_a_wait_the_source_asks_for_is_kept_up_to_a_day(asked: timedelta, waited: timedelta) -> None:
    assert waits(Health(), SourceDown("busy", asked), 1) == [waited]


def test_a_source_that_waits_for_a_person_is_tried_hourly() -> None:
    assert waits(Health(), LOCKED, 3) == [60 * MINUTE] * 3


def test_it_is_said_once_when_it_goes_bad_and_once_when_it_recovers() -> None:
    health = Health()
    with capture_logs() as logs:
        waits(health, DOWN, 5)
        health.good("mailbox:sales", NOW + 90 * MINUTE)
        health.good("mailbox:sales", NOW + 95 * MINUTE)
    assert [(line["event"], line["log_level"]) for line in logs] == [
        ("source.down", "warning"),
        ("source.recovered", "info"),
    ]
    assert logs[0]["what"] == "imap.vendor.example does not answer"
    assert logs[1]["minutes"] == 90


def test_a_recovered_source_begins_with_short_waits_again() -> None:
    health = Health()
    waits(health, DOWN, 5)
    health.good("mailbox:sales", NOW)
    assert health.troubles == {}
    assert waits(health, DOWN, 1) == [MINUTE]


def test_that_a_person_is_needed_is_said_also_of_a_source_that_was_down_before() -> None:
    health = Health()
    with capture_logs() as logs:
        health.bad("mailbox:sales", DOWN, NOW)
        health.bad("mailbox:sales", LOCKED, NOW + MINUTE)
        health.bad("mailbox:sales", DOWN, NOW + 2 * MINUTE)
        health.bad("mailbox:sales", LOCKED, NOW + 3 * MINUTE)
    assert [line["event"] for line in logs] == ["source.down", "source.needs_human"]
    assert logs[1]["how"] == "set SALES_IMAP_PASSWORD"
    assert health.troubles["mailbox:sales"].since == NOW
