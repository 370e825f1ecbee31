from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot import story
from bot.model import (
    Choice,
    Contact,
    Family,
    Json,
    Kind,
    Means,
    NeedsHuman,
    Observation,
    Reason,
    SourceDown,
    Verdict,
)
from bot.pipeline import Pipeline
from bot.store.memory import MemoryStore
from tests.observations import BOX, JANE, NOW, RULES, bounce, exchange, meeting, seen, written_to, wrote
from watchers import Batch, Scope, Watcher


class Scripted(Watcher[Observation]):
    """A source whose observations the test wrote down."""

    every = timedelta(minutes=5)

    def __init__(self, batches: Sequence[Sequence[Observation] | Exception]) -> None:
        super().__init__()
        self.batches = batches
        self.asked: list[Json] = []

    def sources(self, scope: Scope) -> Sequence[str]:
        del scope
        return [BOX]

    async def fetch(self, source: str, cursor: Json, scope: Scope) -> AsyncIterator[Batch[Observation]]:
        del scope
        self.asked.append(cursor)
        done = cursor if isinstance(cursor, int) else 0
        for number, batch in enumerate(self.batches[done:], start=done + 1):
            if isinstance(batch, Exception):
                raise batch
            yield Batch(source, batch, number)

    def read(self, raw: Observation, scope: Scope) -> Iterable[Observation]:
        del scope
        if raw.kind == "poison":
            raise ZeroDivisionError
        return [raw]


Scripted.name = "scripted"


async def pipeline(*contacts: Contact, baseline: bool = False) -> Pipeline:
    store = MemoryStore()
    for contact in contacts or (Contact(JANE, account="Acme"),):
        await store.watch(contact)
    return Pipeline(store, RULES, ["vendor.example"], baseline=baseline)


async def sweep(pipe: Pipeline, *batches: Sequence[Observation] | Exception, now: datetime = NOW) -> Scripted:
    watcher = Scripted(batches)
    await pipe.sweep(watcher, BOX, now)
    return watcher


async def test_what_a_sweep_finds_is_kept_judged_and_raised_once() -> None:
    pipe = await pipeline()
    await sweep(pipe, [*exchange(), seen("departed", 1, message_id="d")])
    for _ in range(3):
        (found,) = await pipe.judge(NOW)
        assert found.verdict is Verdict.LEFT
    person = await pipe.store.person(JANE)
    assert person is not None
    assert [len(case.deliveries) for case in person.cases] == [1]


async def test_a_sweep_goes_on_where_the_last_one_ended() -> None:
    pipe = await pipeline()
    await sweep(pipe, [wrote(9)])
    again = await sweep(pipe, [wrote(9)], [wrote(8)])
    assert again.asked == [1]


async def test_a_source_that_fails_half_way_keeps_what_it_gave() -> None:
    pipe = await pipeline()
    with pytest.raises(SourceDown):
        await sweep(pipe, [wrote(9)], SourceDown("gone away"))
    again = await sweep(pipe, [wrote(9)], [wrote(8)])
    person = await pipe.store.person(JANE)
    assert again.asked == [1]
    assert person is not None
    assert len(person.observations) == 2


async def test_one_item_that_cannot_be_read_does_not_cost_the_others() -> None:
    pipe = await pipeline()
    await sweep(pipe, [wrote(9), seen("poison", 3), wrote(8)])
    person = await pipe.store.person(JANE)
    assert person is not None
    assert len(person.observations) == 2


async def test_one_mail_in_two_mailboxes_is_one_observation() -> None:
    pipe = await pipeline()
    copy = replace(wrote(9), at=wrote(9).at + timedelta(seconds=2), source="mailbox:max@vendor.example")
    await sweep(pipe, [wrote(9), copy])
    person = await pipe.store.person(JANE)
    assert person is not None
    assert len(person.observations) == 1


async def test_somebody_who_is_watched_later_is_looked_up_in_the_past() -> None:
    pipe = await pipeline()
    await sweep(pipe, [wrote(9)])
    await pipe.store.watch(Contact("tom@other.example"))
    again = await sweep(pipe, [wrote(9)])
    assert again.asked == [None]


async def test_fewer_people_to_watch_cause_no_new_reading() -> None:
    pipe = await pipeline(Contact(JANE), Contact("tom@other.example"))
    await sweep(pipe, [wrote(9)])
    await pipe.store.unwatch("tom@other.example")
    assert (await sweep(pipe, [wrote(9)])).asked == [1]


async def test_what_the_first_pass_finds_is_the_baseline_and_raises_nothing() -> None:
    pipe = await pipeline(baseline=True)
    await sweep(pipe, [*exchange(), bounce(3)])
    (found,) = await pipe.judge(NOW)
    person = await pipe.store.person(JANE)
    assert found.verdict is Verdict.LIKELY_LEFT
    assert person is not None
    assert person.cases == ()
    assert person.decisions[-1].reason is Reason.BASELINE


async def test_what_comes_after_the_baseline_is_raised() -> None:
    pipe = await pipeline(baseline=True)
    await sweep(pipe, [*exchange(), bounce(3)])
    later = NOW + timedelta(days=1)
    departed = seen("departed", -1, message_id="d")
    await sweep(pipe, [], [departed], now=later)
    await pipe.judge(later)
    person = await pipe.store.person(JANE)
    assert person is not None
    assert len(person.cases) == 1


async def test_what_was_known_at_first_raises_nothing_when_we_write_or_an_old_mail_turns_up() -> None:
    tom, ann = "tom@acme.example", "ann@acme.example"
    pipe = await pipeline(*(Contact(address, account="Acme") for address in (JANE, tom, ann)), baseline=True)
    known = [*exchange(), seen("departed", 9, message_id="d"), *exchange(tom), bounce(20, tom)]
    unclear = [wrote(60, ann), bounce(20, ann, original="sent@vendor.example", ours=None)]
    await sweep(pipe, [*known, *unclear])
    assert [one.verdict for one in await pipe.judge(NOW, [ann])] == [Verdict.ACTIVE]
    later, sent = NOW + timedelta(days=2), written_to(21, ann, "sent@vendor.example")
    await sweep(pipe, [], [written_to(-1), written_to(-1, tom), sent], now=later)
    found = {one.contact: one.verdict for one in await pipe.judge(later)}
    assert found == {JANE: Verdict.LEFT, tom: Verdict.LIKELY_LEFT, ann: Verdict.LIKELY_LEFT}
    assert await pipe.store.cases() == []


async def test_a_last_day_that_was_announced_before_the_first_pass_is_told_when_it_has_passed() -> None:
    pipe = await pipeline(baseline=True)
    await sweep(pipe, [*exchange(), seen("farewell", 5, leaves="2026-06-20", message_id="bye")])
    (before,) = await pipe.judge(NOW)
    assert before.verdict is Verdict.SLIPPING
    assert await pipe.store.cases() == []
    (after,) = await pipe.judge(NOW + timedelta(days=6))
    (case,) = await pipe.store.cases()
    assert after.verdict is case.alert.assessment.verdict is Verdict.LEFT


async def test_a_mail_by_the_person_after_the_signal_ends_the_case_without_anybodys_word() -> None:
    pipe = await pipeline()
    await sweep(pipe, [*exchange(), bounce(2)])
    await pipe.judge(NOW)
    later = NOW + timedelta(hours=3)
    await sweep(pipe, [], [wrote(-0.1)], now=later)
    for _ in range(2):
        await pipe.judge(later)
    (case,) = await pipe.store.cases()
    assert case.settled is not None
    assert (case.settled.choice, case.settled.by) == (Choice.ANSWERED, JANE)
    assert len(case.deliveries) == 2
    assert case.alert.assessment.verdict is Verdict.LIKELY_LEFT


async def test_people_who_are_added_later_and_left_long_ago_raise_nothing() -> None:
    pipe = await pipeline(baseline=True)
    await sweep(pipe, [wrote(9)], now=NOW - timedelta(days=5))
    late = Contact("tom@other.example")
    await pipe.store.watch(late)
    await sweep(pipe, [*exchange(late.address), seen("departed", 20, late.address, message_id="d")])
    (_, tom) = await pipe.judge(NOW)
    person = await pipe.store.person(late.address)
    assert tom.verdict is Verdict.LEFT
    assert person is not None
    assert person.cases == ()


@pytest.mark.parametrize("failure", [SourceDown("no route"), NeedsHuman("token expired", "renew it")])
async def test_nobody_is_active_while_the_only_source_cannot_be_read(failure: Exception) -> None:
    pipe = await pipeline()
    await sweep(pipe, [*exchange(), wrote(1)])
    assert (await pipe.judge(NOW))[0].verdict is Verdict.ACTIVE
    with pytest.raises(type(failure)):
        await sweep(pipe, [], failure)
    (blind,) = await pipe.judge(NOW)
    assert blind.verdict is Verdict.UNCHECKED
    assert str(failure.args[0]).split(" - ")[0] in blind.headline
    await sweep(pipe, [], [])
    assert (await pipe.judge(NOW))[0].verdict is Verdict.ACTIVE


async def test_a_silence_is_no_silence_while_one_of_two_sources_cannot_be_read() -> None:
    pipe = await pipeline()
    other = "mailbox:max@vendor.example"
    weekly = [wrote(days) for days in range(120, 500, 7)]
    await sweep(pipe, [*weekly[::2], *(replace(item, source=other) for item in weekly[1::2])])
    pipe.outages = {BOX: "", other: ""}
    assert (await pipe.judge(NOW))[0].verdict is Verdict.QUIET
    pipe.outages = {BOX: "", other: "max@vendor.example cannot be read: token expired"}
    (half_blind,) = await pipe.judge(NOW)
    assert half_blind.verdict is Verdict.UNCHECKED
    assert "token expired" in half_blind.headline


async def test_one_person_who_cannot_be_judged_keeps_nobody_else_from_it() -> None:
    pipe = await pipeline(Contact("bad@acme.example"), Contact(JANE))
    await sweep(pipe, [*exchange(), bounce(1)])
    pipe.rules = replace(pipe.rules, derivers=(*pipe.rules.derivers, stumble))
    (bad, jane) = await pipe.judge(NOW)
    assert bad.verdict is Verdict.UNCHECKED
    assert jane.verdict is Verdict.LIKELY_LEFT


def stumble(history: Sequence[Observation], now: datetime) -> list[Observation]:
    del now
    if not history:
        raise ZeroDivisionError
    return []


async def test_a_whole_domain_that_bounces_is_one_notice_and_no_departures() -> None:
    people = [f"{name}@acme.example" for name in ("a", "b", "c", "d")]
    pipe = await pipeline(*(Contact(address, account="Acme") for address in people))
    mails = [
        observation
        for number, address in enumerate(people)
        for observation in (*exchange(address), bounce(2 - number / 10, address))
    ]
    await sweep(pipe, mails)
    for _ in range(2):
        found = await pipe.judge(NOW)
    assert {assessment.verdict for assessment in found} == {Verdict.UNCHECKED}
    assert all("see the account notice" in assessment.headline for assessment in found)
    taken = await pipe.store.take_alert(NOW, timedelta(minutes=1))
    assert taken is not None
    assert taken[1].alert.contact.address == "@acme.example"
    assert await pipe.store.take_alert(NOW, timedelta(minutes=1)) is None


async def test_when_a_domains_trouble_begins_and_ends_everybody_there_is_judged_at_once() -> None:
    people = [f"{name}@acme.example" for name in ("jane", "tom", "ann", "bob")]
    pipe = await pipeline(*(Contact(address, account="Acme") for address in people))
    *many, bob = people
    await sweep(pipe, [one for address in people for one in (*exchange(address), wrote(3, address))])
    await pipe.judge(NOW)
    sent = [written_to(0.1, address) for address in many]
    await sweep(pipe, [], [*sent, *(bounce(0.05, address) for address in many)])
    begun = {one.contact: one.verdict for one in await pipe.judge(NOW, await pipe.due(NOW))}
    assert begun[bob] is Verdict.UNCHECKED
    later = NOW + timedelta(hours=9)
    await sweep(pipe, [], [], [wrote(-0.2, many[0])], now=later)
    ended = {one.contact: one.verdict for one in await pipe.judge(later, await pipe.due(later))}
    assert ended[bob] is Verdict.ACTIVE
    assert await pipe.judge(later, [many[0]]) != []
    assert bob not in {one.contact for one in await pipe.judge(later, [many[0]])}


@pytest.mark.parametrize("ahead", [timedelta(), timedelta(minutes=2), timedelta(minutes=4)])
async def test_a_whole_domain_that_bounces_by_a_clock_ahead_of_ours_is_one_notice(ahead: timedelta) -> None:
    people = [f"{name}@acme.example" for name in ("jane", "tom", "ann", "bob")]
    pipe = await pipeline(*(Contact(address, account="Acme") for address in people))
    await sweep(
        pipe,
        [one for address in people for one in exchange(address)],
        [replace(bounce(0, address), at=NOW + ahead) for address in people],
    )
    await pipe.judge(NOW)
    told = [case for case in await pipe.store.cases() if case.deliveries]
    assert [case.alert.is_notice for case in told] == [True]


@pytest.mark.parametrize("ahead", [timedelta(minutes=2), timedelta(minutes=6), timedelta(hours=3)])
async def test_a_push_by_a_clock_ahead_of_ours_is_told_as_soon_as_it_has_happened(ahead: timedelta) -> None:
    pipe = await pipeline()
    pushed = replace(meeting(0, -33, words=False), at=NOW + ahead)
    await sweep(pipe, [*exchange(), meeting(20, -5), meeting(8, -19), pushed])
    at, found = NOW, []
    while at <= NOW + ahead:
        found = await pipe.judge(at)
        assert found[0].recheck is not None
        if found[0].verdict is not Verdict.ACTIVE:
            break
        at = found[0].recheck
    assert [one.verdict for one in found] == [Verdict.SLIPPING]


async def test_what_time_alone_brings_about_is_looked_at_again_within_minutes_and_then_told() -> None:
    pipe = await pipeline()
    page = Kind("page", Means.GONE, Family.PUBLIC, 4.8, timedelta(days=365), hard=True)
    pipe.rules = replace(pipe.rules, kinds={**pipe.rules.kinds, page.name: page})
    await sweep(pipe, [*exchange(), wrote(1), seen(page.name, 0)])
    (at_first,) = await pipe.judge(NOW)
    assert at_first.verdict is Verdict.ACTIVE
    later = NOW + timedelta(days=50)
    (risen,) = await pipe.judge(later)
    assert risen.verdict is Verdict.LIKELY_LEFT
    assert (await reasons(pipe))[-1] is Reason.UNCONFIRMED
    assert await pipe.due(later + timedelta(minutes=1)) == []
    second = later + timedelta(minutes=5)
    assert await pipe.due(second) == [JANE]
    await pipe.judge(second, await pipe.due(second))
    assert (await reasons(pipe))[-1] is Reason.FIRST
    assert len(await pipe.store.cases()) == 1


async def reasons(pipe: Pipeline) -> list[Reason]:
    person = await pipe.store.person(JANE)
    assert person is not None
    return [decision.reason for decision in person.decisions]


async def test_the_second_push_is_told_at_the_very_poll_that_reads_it() -> None:
    pipe = await pipeline()
    await sweep(pipe, [*exchange(), meeting(20, 6), meeting(10, -4)])
    (one_push,) = await pipe.judge(NOW)
    assert one_push.verdict is Verdict.ACTIVE
    await sweep(pipe, [], [meeting(0.01, -18)])
    (two_pushes,) = await pipe.judge(NOW)
    assert two_pushes.verdict is Verdict.SLIPPING
    assert await reasons(pipe) == [Reason.BELOW_THRESHOLD, Reason.FIRST]


async def test_an_unchanged_judgement_writes_nothing() -> None:
    pipe = await pipeline()
    await sweep(pipe, [*exchange(), wrote(1)])
    await pipe.judge(NOW)
    before = await pipe.store.person(JANE)
    await pipe.judge(NOW + timedelta(minutes=5))
    assert await pipe.store.person(JANE) == before


async def test_whom_to_turn_to_is_kept_with_a_judgement_that_raises_nothing_new_unless_nobody_asks() -> None:
    ann = "ann@acme.example"
    for always in (True, False):
        pipe = await pipeline(Contact(JANE, account="Acme"), Contact(ann, account="Acme"))
        pipe.suggests_always = always
        await sweep(pipe, [*exchange(), *exchange(ann), bounce(1)])
        await pipe.judge(NOW)
        person = await pipe.store.person(JANE)
        assert person is not None
        (case,) = person.cases
        assert [one.address for one in case.alert.assessment.suggestions] == [ann]
        (later,) = await pipe.judge(NOW + timedelta(days=2), [JANE])
        assert later.verdict is Verdict.LIKELY_LEFT
        assert [one.address for one in later.suggestions] == ([ann] if always else [])


async def test_the_founding_story_read_from_mail_needs_no_order_of_arrival(tmp_path: Any) -> None:
    from watchers.mail.files import FileMailbox
    from watchers.mailbox import Mailbox

    steps = story.story()
    for number, mail in enumerate(reversed([mail for step in steps for mail in step.mails])):
        (tmp_path / f"{number:02}.eml").write_bytes(mail)
    store = MemoryStore()
    await store.watch(story.CHAMPION)
    pipe = Pipeline(store, RULES, [story.OUR_DOMAIN], baseline=False)
    watcher = Mailbox(Mailbox.Config(mailboxes=(FileMailbox(kind="files", path=tmp_path, name="box"),)))
    await pipe.sweep(watcher, "mailbox:box", steps[-1].at)
    (found,) = await pipe.judge(steps[-1].at)
    assert found.verdict is Verdict.LEFT
    assert found.suggestions[0].name == "Ann Lee"
    assert found.suggestions[0].successor
