"""What never alarms, each cause by its name, from the mail as it arrives to what is told.

Two more causes have their tests elsewhere: in `tests/test_traps_as_read.py` a permission to read that ends
(trap 12) and every refusal by its code (trap 7); in `tests/watchers/test_calendars.py` a calendar that loses
its place (its sync token).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.model import Assessment, Verdict
from tests.connecting import RITA
from tests.test_traps_as_read import (
    BOX,
    JANE,
    MAITE,
    NOW,
    ROBERT,
    SIOBHAN,
    Chain,
    automatic,
    bounced,
    chain,
    everybody,
    friendship,
    letter,
)
from tests.watchers.dialects import exchange, google
from tests.watchers.invitation_mails import Invitation

__all__ = ["chain"]


async def later(chain: Chain, days: int) -> Assessment:
    """Let so many days pass, with a look each day, and return what is thought of the first contact."""
    for _ in range(days):
        chain.clock.pass_by(days=1)
        found = await chain.judged()
    return found


async def test_no_alarm_comes_from_a_vacation(chain: Chain) -> None:
    away = automatic(JANE, 1, "I am out of the office until 20 March 2026.")
    found = await chain.receives(*friendship(last=2, every=4), letter(RITA, JANE, 1.1), away)
    assert found.verdict is Verdict.ON_LEAVE
    await later(chain, 30)
    assert chain.told == []


async def test_no_alarm_comes_from_a_shutdown_of_the_whole_company(chain: Chain) -> None:
    chain.contacts = everybody(JANE, MAITE, ROBERT, SIOBHAN)
    await chain.receives(*(mail for one in chain.contacts for mail in friendship(one.address, 2, 4)))
    found = await later(chain, 21)
    assert found.verdict is Verdict.ACTIVE
    assert chain.told == []


async def test_no_alarm_comes_from_a_rep_who_is_away(chain: Chain) -> None:
    await chain.receives(*friendship(last=1, every=3))
    await later(chain, 45)
    assert chain.told == []


@pytest.mark.parametrize("program", [exchange, google])
async def test_no_alarm_comes_from_our_own_reschedules(chain: Chain, program: object) -> None:
    ours = Invitation(
        sender=RITA,
        to=JANE,
        organizer=RITA,
        attendees=((JANE, ""), (RITA, "ACCEPTED")),
        sent=NOW - timedelta(40),
    )
    ours = replace(ours, start=NOW - timedelta(20))
    moves = [ours]
    for _ in range(4):
        moves.append(moves[-1].pushed(21, timedelta(days=7)))
    await chain.receives(*friendship(last=1), *(program(one) for one in moves))  # type: ignore[operator]
    await later(chain, 7)
    assert chain.told == []


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("4.4.1", "Connection timed out"),
        ("4.7.1", "Greylisted, please try again later"),
        ("4.2.2", "Mailbox full"),
        ("5.7.1", "Service unavailable, client host blocked using a block list"),
        ("5.7.509", "Access denied, sending domain does not pass DMARC verification"),
    ],
)
async def test_no_alarm_comes_from_a_delay_or_a_refusal_by_policy(
    chain: Chain, status: str, said: str
) -> None:
    again = [mail for days in (8, 5, 3, 1) for mail in bounced(JANE, days, status, said)]
    await chain.receives(*friendship(last=9), *again)
    await later(chain, 14)
    assert chain.told == []


async def test_no_alarm_comes_from_a_mailbox_that_is_numbered_anew_and_read_again(chain: Chain) -> None:
    await chain.receives(*friendship(last=40), *bounced(JANE, 30), letter(JANE, RITA, 1))
    before = await chain.pipe.store.person(JANE)
    await chain.pipe.store.save_cursor(BOX, None)
    await chain.receives()
    after = await chain.pipe.store.person(JANE)
    assert before is not None
    assert after is not None
    assert after.observations == before.observations
    assert chain.told == []


async def test_a_domain_that_moves_is_one_notice_however_long_its_bounces_go_on(chain: Chain) -> None:
    chain.contacts = everybody(JANE, MAITE, ROBERT, SIOBHAN)
    past = [mail for one in chain.contacts for mail in friendship(one.address, last=20)]
    at_once = [mail for one in chain.contacts[:3] for mail in bounced(one.address, 1)]
    await chain.receives(*past, *at_once)
    assert chain.told == ["@acme.example unchecked"]
    chain.clock.pass_by(days=24)
    await chain.receives(*bounced(SIOBHAN, -23))
    await later(chain, 3)
    assert chain.told == ["@acme.example unchecked"]


async def test_an_outage_of_one_hour_swallows_no_departure_two_days_later(chain: Chain) -> None:
    chain.contacts = everybody(JANE, MAITE, ROBERT, SIOBHAN)
    past = [mail for one in chain.contacts for mail in friendship(one.address, last=20)]
    outage = [mail for one in chain.contacts[1:] for mail in bounced(one.address, 1)]
    await chain.receives(*past, *outage)
    assert chain.told == ["@acme.example unchecked"]
    chain.clock.pass_by(days=3)
    back = [letter(one.address, RITA, 0.5) for one in chain.contacts[1:]]
    found = await chain.receives(*back, *bounced(JANE, -1))
    assert found.verdict is Verdict.LIKELY_LEFT
    assert chain.told == ["@acme.example unchecked", f"{JANE} likely left"]


async def test_two_who_join_one_new_employer_do_not_hide_those_who_stay(chain: Chain) -> None:
    chain.contacts = everybody(JANE, MAITE, ROBERT, SIOBHAN)
    past = [mail for one in chain.contacts for mail in friendship(one.address, last=20)]
    joined = [
        letter(who, RITA, days).replace(b"@acme.example>\r\nTo", b"@newco.example>\r\nTo")
        for who, days in ((MAITE, 5), (ROBERT, 4))
    ]
    stay = [letter(JANE, RITA, days) for days in (6, 3)]
    left = [*bounced(MAITE, 15), *bounced(ROBERT, 8)]
    found = await chain.receives(*past, *stay, *left, *joined)
    assert found.verdict is Verdict.ACTIVE
    assert sorted(chain.told) == [f"{MAITE} likely left", f"{ROBERT} likely left"]
