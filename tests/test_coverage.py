from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.coverage import Coverage, Outage, gaps
from bot.health import Health
from bot.model import Contact, NeedsHuman, Observation, SourceDown, Verdict, Watched

NOW = datetime(2026, 8, 14, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
RITA, MAX = "mailbox:rita@vendor.example", "mailbox:max@vendor.example"
EXPIRED = NeedsHuman("the token expired", "connect it again")


def seen(source: str) -> Observation:
    return Observation("jane@acme.example", "wrote", NOW, source, "wrote")


def unchecked(name: str, why: str) -> Watched:
    return Watched(Contact(f"{name}@acme.example", name), Verdict.UNCHECKED, headline=why)


def test_what_cannot_be_read_is_told_with_since_when_the_longest_first() -> None:
    health = Health()
    health.bad(MAX, EXPIRED, NOW)
    health.bad(RITA, SourceDown("no answer"), NOW - HOUR)
    health.bad(RITA, SourceDown("no answer"), NOW)
    assert health.coverage().outages == (Outage(RITA, NOW - HOUR), Outage(MAX, NOW, needs_human=True))


def test_a_source_that_is_read_again_is_no_outage_and_was_read_just_now() -> None:
    health = Health()
    health.bad(RITA, SourceDown("no answer"), NOW - HOUR)
    health.good(RITA, NOW)
    assert health.coverage() == Coverage((), {RITA: NOW})


def test_the_last_check_is_that_of_the_sources_that_know_the_person() -> None:
    coverage = Coverage(read_at={RITA: NOW - HOUR, MAX: NOW})
    assert coverage.last_check([seen(RITA), seen("Slack")]) == NOW - HOUR
    assert coverage.last_check([seen(RITA), seen(MAX)]) == NOW
    assert coverage.last_check([]) == NOW
    assert Coverage().last_check([seen(RITA)]) is None


def test_who_is_unchecked_is_grouped_by_the_reason_the_most_numerous_first() -> None:
    outage = Outage(RITA, NOW)
    down = f"{RITA} cannot be read: the token expired"
    people = [
        unchecked("al", "no mail with them was found"),
        unchecked("bo", down),
        unchecked("cy", down),
        replace(unchecked("di", down), verdict=Verdict.ACTIVE),
    ]
    found = gaps(people, Coverage((outage,)))
    assert [([one.name for one in gap.contacts], gap.outage) for gap in found] == [
        (["bo", "cy"], outage),
        (["al"], None),
    ]
