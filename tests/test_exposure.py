from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.exposure import exposure, has_open_deal, last_real_contact
from bot.model import Assessment, Contact, Deal, Observation, Person, Strength, Verdict

NOW = datetime(2026, 8, 3, 9, 30, tzinfo=UTC)
JANE = Contact("jane@acme.example", "Jane Doe", account="Acme", deal=Deal("Renewal"))


def person(name: str, *seen: tuple[str, int], **facts: str) -> Person:
    address = f"{name}@acme.example"
    return Person(
        address,
        observations=tuple(
            Observation(address, kind, NOW - timedelta(days=days), "mailbox", kind, facts=facts)
            for kind, days in seen
        ),
    )


BOTH = (("wrote", 5), ("written_to", 6))


@pytest.mark.parametrize(
    ("seen", "days"),
    [
        (BOTH, 5),
        ((("meeting_accepted", 3),), 3),
        ((("wrote", 5),), None),
        ((("written_to", 5),), None),
        ((("copied", 5),), None),
        ((("wrote", 61), ("written_to", 5)), None),
        ((("wrote", 5), ("written_to", 61)), None),
        ((("meeting_accepted", 61),), None),
        ((("meeting_accepted", -1),), None),
    ],
)
def test_real_contact_goes_both_ways_and_is_recent(
    seen: tuple[tuple[str, int], ...], days: int | None
) -> None:
    expected = NOW - timedelta(days=days) if days is not None else None
    assert last_real_contact(person("bob", *seen), NOW) == expected


def test_a_mail_that_answers_one_of_ours_is_contact_both_ways() -> None:
    assert last_real_contact(person("bob", ("wrote", 5), answers="<1@vendor.example>"), NOW) is not None


def test_whoever_has_left_or_is_a_desk_carries_no_deal() -> None:
    gone = replace(
        person("bob", *BOTH),
        assessment=Assessment("bob@acme.example", NOW, Verdict.LIKELY_LEFT, Strength.CLEAR, 0.9, "bounced"),
    )
    left = person("cy", *BOTH, ("departed", 1))
    desk = person("sales", *BOTH)
    [row] = exposure([JANE], {"Acme": [gone, left, desk]}, NOW)
    assert row.in_touch == ()


def test_what_remains_without_the_champion_is_counted() -> None:
    people = [person("jane", *BOTH), person("bob", ("meeting_accepted", 2))]
    [row] = exposure([JANE], {"Acme": people}, NOW)
    assert [one.address for one in row.in_touch] == ["bob@acme.example", "jane@acme.example"]
    assert row.without(JANE) == 1
    assert row.without(replace(JANE, address="new@acme.example")) == 2


def test_the_thinnest_account_comes_first_and_closed_deals_are_left_out() -> None:
    other = replace(JANE, address="omar@other.example", account="Other")
    won = replace(JANE, address="zoe@won.example", account="Won", deal=Deal("Old", stage="Closed Won"))
    rows = exposure(
        [JANE, other, won, replace(JANE, account="None", deal=None)], {"Acme": [person("b", *BOTH)]}, NOW
    )
    assert [row.account for row in rows] == ["Other", "Acme"]


@pytest.mark.parametrize(
    ("stage", "is_open"),
    [
        *((stage, True) for stage in ("", "Negotiation", "Wonderful", "Verhandlung", "En curso")),
        *((stage, False) for stage in ("Closed lost", "won", "closedwon", "closedlost", "Gewonnen")),
        *((stage, False) for stage in ("Verloren", "Cerrada ganada", "Fermé perdu", "Gagnée")),
    ],
)
def test_a_deal_is_open_until_it_is_won_or_lost(stage: str, is_open: bool) -> None:  # noqa: FBT001 - a table
    assert has_open_deal(replace(JANE, deal=Deal("x", stage=stage))) is is_open


def moved(name: str, days: int, domain: str = "acme-group.example") -> Person:
    """Return somebody whose old address bounces, to whom we wrote, and who writes from another domain."""
    before = person(name, ("wrote", 90), ("written_to", 30), ("mailbox_gone", 20))
    new = person(name, ("wrote_elsewhere", days), domain=domain, message_id=f"<{name}@new>")
    return replace(before, observations=(*before.observations, *new.observations))


def test_whoever_writes_from_where_their_account_moved_still_carries_its_deal() -> None:
    rows = exposure([JANE], {"Acme": [moved("ann", 3), moved("bob", 9), moved("jane", 5)]}, NOW)
    assert [one.address for one in rows[0].in_touch] == [
        "ann@acme-group.example",
        "jane@acme-group.example",
        "bob@acme-group.example",
    ]
    assert rows[0].without(JANE) == 2


def test_whoever_changed_employers_alone_carries_no_deal_of_the_old_one() -> None:
    rows = exposure([JANE], {"Acme": [moved("ann", 3, "newco.example"), person("bob", *BOTH)]}, NOW)
    assert [one.address for one in rows[0].in_touch] == ["bob@acme.example"]
