"""The traps that others fell into, each through the whole chain from what was read to what is told.

Their numbers are those of the list in docs/how-it-decides.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest

from bot.answers import observe
from bot.model import (
    Action,
    Answer,
    Assessment,
    Choice,
    Contact,
    Deal,
    Json,
    NeedsHuman,
    Observation,
    Reason,
    Strength,
    Verdict,
)
from bot.pipeline import Pipeline
from bot.store.memory import MemoryStore
from tests.observations import BOX, JANE, NOW, RULES, bounce, exchange, seen, written_to, wrote
from tests.test_pipeline import Scripted

PAGE = "public_pages:www.acme.example"
TEAM = "https://www.acme.example/team"
ACME = "Acme"
LATER = timedelta(minutes=10)


class Chain:
    """The service's pipeline over what a test lets be read, and everything it told."""

    def __init__(self, *contacts: Contact) -> None:
        self.contacts = contacts or (Contact(JANE, "Jane Doe", account=ACME, owner="rita@vendor.example"),)
        self.pipe = Pipeline(MemoryStore(), RULES, ["vendor.example"], baseline=False)
        self.told: list[str] = []

    async def reads(self, *observations: Observation, now: datetime = NOW) -> Assessment:
        """Let the source bring these; return what is then thought of the first contact, twice looked at."""
        for contact in self.contacts:
            await self.pipe.store.watch(contact)
        number = await self.pipe.store.cursor(BOX)
        read = number if isinstance(number, int) else 0
        await self.pipe.sweep(Scripted([*[()] * read, observations]), BOX, now)
        await self.pipe.judge(now)
        found = await self.pipe.judge(now + LATER)
        await self._deliver(now + LATER)
        return next(one for one in found if one.contact == self.contacts[0].address)

    async def _deliver(self, now: datetime) -> None:
        while (taken := await self.pipe.store.take_alert(now, timedelta(minutes=1))) is not None:
            case, delivery = taken
            self.told.append(f"{delivery.alert.contact.address} {delivery.alert.assessment.verdict}")
            await self.pipe.store.alert_sent(case.key, delivery, None, now)

    async def decision(self) -> tuple[Action, Reason]:
        """Return the last decision on the first contact."""
        person = await self.pipe.store.person(self.contacts[0].address)
        assert person is not None
        return person.decisions[-1].action, person.decisions[-1].reason


def on_page(kind: str, days: float, contact: str = JANE, source: str = PAGE, **facts: Json) -> Observation:
    """Return what a look at a public page said so many days ago."""
    about = seen(kind, days, contact, url=TEAM, **facts)
    return Observation(about.contact, kind, about.at, source, about.sentence, group=TEAM, facts=about.facts)


def warm(contact: str = JANE, last: float = 3) -> list[Observation]:
    """Return half a year of mail both ways, the last so many days ago."""
    return [*exchange(contact), wrote(last, contact)]


def note(found: Assessment, kind: str) -> str:
    return next(item.note for item in found.evidence if item.kind == kind)


async def test_trap_1_a_certain_bounce_alarms_and_three_copies_of_it_say_no_more() -> None:
    once, thrice = Chain(), Chain()
    one = await once.reads(*exchange(), bounce(1))
    three = await thrice.reads(*exchange(), *(bounce(1 + copy / 100) for copy in range(3)))
    assert once.told == thrice.told == [f"{JANE} likely left"]
    assert one.probability > 0.7
    assert three.probability == pytest.approx(one.probability, abs=0.02)


async def test_trap_2_a_mail_of_yesterday_takes_last_months_signal_back_visibly() -> None:
    chain = Chain()
    found = await chain.reads(*exchange(), bounce(30), seen("departed", 29, message_id="d"), wrote(1))
    assert chain.told == []
    assert found.verdict is Verdict.ACTIVE
    assert "contradicted" in note(found, "departed")


async def test_trap_2_a_signal_fades_with_time() -> None:
    fresh = await Chain().reads(*exchange(), bounce(1))
    old = [replace_days(item, 500) for item in exchange()]
    faded = await Chain().reads(*old, bounce(460))
    assert fresh.verdict is Verdict.LIKELY_LEFT
    assert faded.verdict not in {Verdict.LEFT, Verdict.LIKELY_LEFT, Verdict.SLIPPING}


def replace_days(item: Observation, days: float) -> Observation:
    at = item.at - timedelta(days=days)
    return Observation(item.contact, item.kind, at, item.source, item.sentence, facts=item.facts)


async def test_trap_3_a_recorded_departure_reaches_the_outbox_and_whoever_posts_it() -> None:
    chain = Chain()
    await chain.reads(*exchange(), seen("departed", 0, message_id="d"))
    assert chain.told == [f"{JANE} left"]
    assert await chain.decision() == (Action.SEND, Reason.FIRST)


async def test_trap_4_a_name_that_vanished_from_a_page_never_says_left_by_itself() -> None:
    chain = Chain()
    found = await chain.reads(*exchange(), on_page("page_gone", 1))
    assert found.verdict is not Verdict.LEFT
    assert f"{JANE} left" not in chain.told


async def test_trap_4_a_page_that_lost_several_names_at_once_was_made_anew_and_is_one_notice() -> None:
    people = [f"{name}@acme.example" for name in ("jane", "tom", "ann", "max")]
    chain = Chain(*(Contact(address, account=ACME) for address in people))
    past = [item for address in people for item in warm(address)]
    await chain.reads(*past, *(on_page("page_gone", 1, address) for address in people))
    assert chain.told == ["@acme.example unchecked"]


async def test_trap_4_a_page_that_lists_the_person_again_takes_its_word_back_and_proves_no_life() -> None:
    chain = Chain()
    silent = [wrote(days) for days in range(120, 500, 7)]
    found = await chain.reads(*silent, on_page("page_gone", 10), on_page("page_present", 1))
    assert chain.told == []
    assert "taken back" in note(found, "page_gone")
    assert found.verdict is Verdict.QUIET
    assert found.last_contact == NOW - timedelta(days=120)


async def test_trap_4_another_page_that_is_out_of_date_takes_nothing_back() -> None:
    stale = on_page("page_present", 1)
    elsewhere = Observation(
        JANE, stale.kind, stale.at, stale.source, stale.sentence, group="https://old.acme.example"
    )
    found = await Chain().reads(*exchange(), on_page("page_gone", 10), elsewhere)
    assert note(found, "page_gone") == ""


@pytest.mark.parametrize("kind", ["page_moved", "page_former", "page_gone"])
async def test_trap_5_what_one_page_says_of_a_name_may_be_a_namesakes_and_never_says_left(kind: str) -> None:
    chain = Chain()
    found = await chain.reads(*exchange(), on_page(kind, 1))
    assert found.verdict is not Verdict.LEFT
    wrote_since = await chain.reads(wrote(0.01))
    assert wrote_since.verdict is Verdict.ACTIVE


async def test_trap_5_a_new_employer_on_a_profile_says_left_only_with_one_more_sign() -> None:
    moved = on_page("page_moved", 2, source="github_profiles:github.example")
    alone = await Chain().reads(*exchange(), moved)
    both = await Chain().reads(*exchange(), moved, on_page("page_gone", 1))
    same_place = await Chain().reads(*exchange(), on_page("page_moved", 2), on_page("page_gone", 1))
    assert alone.verdict is not Verdict.LEFT
    assert both.verdict is Verdict.LEFT
    assert same_place.verdict is not Verdict.LEFT


async def test_trap_5_a_renamed_company_is_one_notice_and_no_departures() -> None:
    people = [f"{name}@acme.example" for name in ("jane", "tom", "ann")]
    chain = Chain(*(Contact(address, account=ACME) for address in people))
    past = [item for address in people for item in exchange(address)]
    await chain.reads(*past, *(bounce(1 + i / 10, address) for i, address in enumerate(people)))
    assert chain.told == ["@acme.example unchecked"]


@pytest.mark.parametrize(("before", "after"), [("Director", "Executive Director"), ("VP", "Director")])
async def test_trap_6_a_title_with_director_in_it_is_a_title_and_no_departure(
    before: str, after: str
) -> None:
    chain = Chain(Contact(JANE, "Jane Doe", after, ACME))
    found = await chain.reads(*warm(), on_page("page_title_changed", 1, was=before, now=after))
    assert found.verdict is Verdict.ACTIVE
    assert chain.told == []
    gone = await chain.reads(seen("departed", 0, message_id="d"))
    assert gone.verdict is Verdict.LEFT


@pytest.mark.parametrize(
    "kind", ["blocked", "full", "transient", "other", "address_change", "acknowledgement"]
)
async def test_trap_7_a_refusal_or_a_new_address_is_no_departure(kind: str) -> None:
    chain = Chain()
    found = await chain.reads(*warm(), *(seen(kind, days, ours=True) for days in (1, 2)))
    assert found.verdict is Verdict.ACTIVE
    assert chain.told == []


async def test_trap_7_a_refusal_behind_an_automatic_forwarding_is_no_departure() -> None:
    chain = Chain()
    found = await chain.reads(*warm(), seen("mailbox_gone", 1, ours=True, final_recipient="j@other.example"))
    assert found.verdict is Verdict.ACTIVE
    assert chain.told == []


ALSO_JANE = "jane.doe@acme.example"


def as_jane(days: float, contact: str = ALSO_JANE, **facts: Json) -> Observation:
    """Return a mail by somebody who bears the name of the first contact."""
    return seen("wrote", days, contact, message_id=f"{days}@{contact}", name="Jane Doe", **facts)


async def test_trap_7_an_old_address_is_switched_off_while_the_person_writes_from_another() -> None:
    chain = Chain()
    found = await chain.reads(*exchange(), bounce(2), as_jane(1))
    assert chain.told == []
    assert f"they wrote from {ALSO_JANE}" in note(found, "mailbox_gone")


async def test_trap_7_another_address_that_was_silent_since_or_bounced_too_or_is_forged_shows_nobody() -> (
    None
):
    for other in (
        [as_jane(3)],
        [as_jane(1.5), bounce(1, ALSO_JANE)],
        [as_jane(1, forged=True)],
        [as_jane(1, "jane.doe2@acme.example")],
    ):
        chain = Chain()
        await chain.reads(*exchange(), bounce(2), *other)
        assert chain.told == [f"{JANE} likely left"]


async def test_trap_7_an_address_that_they_said_would_change_may_be_switched_off() -> None:
    chain = Chain()
    moved = seen("address_change", 10, message_id="c", new_address="jane.smith@acme.example")
    found = await chain.reads(*exchange(), moved, bounce(2))
    assert chain.told == []
    assert "their address changes" in note(found, "mailbox_gone")


async def test_trap_8_a_bounce_of_a_mail_that_we_never_sent_counts_nothing() -> None:
    chain = Chain()
    found = await chain.reads(*warm(), bounce(1, original="spam@evil.example", ours=False))
    assert found.verdict is Verdict.ACTIVE
    assert note(found, "mailbox_gone") == "it answers a mail that was not ours"
    assert chain.told == []


async def test_trap_9_a_name_under_alumni_speaks_for_a_departure_and_proves_nobody_there() -> None:
    silent = [wrote(days) for days in range(60, 400, 14)]
    chain = Chain()
    found = await chain.reads(*silent, on_page("page_former", 1))
    assert found.verdict is Verdict.LIKELY_LEFT
    assert found.last_contact == NOW - timedelta(days=60)
    assert chain.told == [f"{JANE} likely left"]


async def test_trap_10_nobody_goes_quiet_because_our_rep_was_on_holiday() -> None:
    ours: Sequence[Json] = ["rita@vendor.example"]
    addresses = [f"p{number}@a{number}.example" for number in range(6)]
    mails = [
        item
        for number, address in enumerate(addresses)
        for days in range(35, 300, 5)
        for item in (
            seen("wrote", days + number / 10, address, message_id=f"i{days}@{number}", **{"with": [*ours]}),
            seen(
                "written_to", days + number / 9, address, message_id=f"o{days}@{number}", **{"with": [*ours]}
            ),
        )
    ]
    rita = "rita@vendor.example"
    chain = Chain(*(Contact(address, account=address, owner=rita) for address in addresses))
    found = await chain.reads(*mails)
    assert chain.told == []
    assert found.verdict is not Verdict.QUIET


async def test_trap_11_a_snooze_loses_nothing_and_turns_nothing_back_on() -> None:
    chain = Chain()
    await chain.reads(*exchange(), bounce(2))
    (case,) = await chain.pipe.store.cases()
    until = NOW.date() + timedelta(days=7)
    await chain.pipe.store.answer(Answer(JANE, case.key, "U1", NOW + LATER, Choice.SNOOZE, until))
    await chain.reads(now=NOW + timedelta(days=6))
    assert chain.told == [f"{JANE} likely left"]
    assert await chain.decision() == (Action.HOLD, Reason.SNOOZED)
    await chain.reads(now=NOW + timedelta(days=8))
    assert chain.told == [f"{JANE} likely left"] * 2


async def test_trap_11_what_a_rep_settled_stays_settled_after_a_snooze_of_it() -> None:
    chain = Chain()
    await chain.reads(*exchange(), bounce(2))
    (case,) = await chain.pipe.store.cases()
    until = NOW.date() + timedelta(days=2)
    await chain.pipe.store.answer(Answer(JANE, case.key, "U1", NOW + LATER, Choice.SNOOZE, until))
    there = Answer(JANE, case.key, "U1", NOW + LATER * 2, Choice.STILL_THERE)
    await chain.pipe.store.answer(there, observe(there))
    await chain.reads(now=NOW + timedelta(days=3))
    assert chain.told == [f"{JANE} likely left"]


async def test_trap_12_nobody_looks_silent_while_the_mailbox_cannot_be_read() -> None:
    chain = Chain()
    await chain.reads(*(wrote(days) for days in range(3, 300, 3)))
    with pytest.raises(NeedsHuman):
        await chain.pipe.sweep(
            Scripted([(), NeedsHuman("token expired", "connect it again")]), BOX, NOW + timedelta(days=1)
        )
    (found,) = await chain.pipe.judge(NOW + timedelta(days=60))
    assert found.verdict is Verdict.UNCHECKED
    assert "token expired" in found.headline
    assert all(item.weight == 0 for item in found.evidence)
    assert await chain.decision() == (Action.HOLD, Reason.INHIBITED_BY_SOURCE_OUTAGE)
    assert chain.told == []


async def test_an_alarm_says_that_nobody_else_there_is_in_contact_both_ways() -> None:
    deal = Deal("Rollout", close_date=date(2026, 9, 30))
    alone = await Chain(Contact(JANE, account=ACME, deal=deal)).reads(*exchange(), bounce(1))
    ann = "ann@acme.example"
    not_alone = await Chain(Contact(JANE, account=ACME, deal=deal)).reads(
        *exchange(), bounce(1), written_to(9, ann), wrote(8, ann)
    )
    one_way = await Chain(Contact(JANE, account=ACME, deal=deal)).reads(
        *exchange(), bounce(1), wrote(42, ann)
    )
    assert alone.stakes == ("nobody else at Acme is in contact both ways (last 60 days)",)
    assert not_alone.stakes == ()
    assert one_way.stakes == alone.stakes
    assert [one.address for one in one_way.suggestions] == [ann]


async def test_a_second_watched_person_who_leaves_is_told_as_such_and_strongly() -> None:
    tom = "tom@acme.example"
    chain = Chain(Contact(JANE, "Jane Doe", account=ACME), Contact(tom, "Tom Berg", account=ACME))
    await chain.reads(*exchange(), *exchange(tom), bounce(3, tom))
    found = await chain.reads(bounce(0), now=NOW)
    assert chain.told == [f"{tom} likely left", f"{JANE} likely left"]
    assert found.strength is Strength.STRONG
    assert found.stakes[0] == "the second departure at Acme: tom@acme.example left 3 days ago"


async def test_several_people_whose_replies_say_that_they_left_are_one_notice_and_stay_left() -> None:
    people = [f"{name}@acme.example" for name in ("jane", "tom", "ann", "max")]
    chain = Chain(*(Contact(address, account=ACME) for address in people))
    past = [item for address in people for item in exchange(address)]
    found = await chain.reads(
        *past, *(seen("departed", 1, address, message_id=address) for address in people)
    )
    assert chain.told == ["@acme.example unchecked"]
    assert found.verdict is Verdict.LEFT
    assert await chain.decision() == (Action.HOLD, Reason.INHIBITED_BY_ACCOUNT_NOTICE)
