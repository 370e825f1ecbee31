"""A provider's record tells a move with its date, within a budget, and a record in doubt tells nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from aiohttp import web

from bot.model import Contact, Deal, NeedsHuman, SourceDown, Verdict
from tests.servers import people_data_labs as servers
from tests.servers.people_data_labs import KEY, PeopleDataLabs
from tests.watchers.profile_watching import World
from watchers import Example, Scope
from watchers.data_provider import DataProvider, Entry, Kept, Spent
from watchers.profiles.people_data_labs import FIELDS, day

JANE = Contact("jane@acme.example", "Jane Doe", "VP Sales", "Acme", deal=Deal("Rollout"))
OMAR = Contact("omar@acme.example", "Omar Roe", "", "Acme", deal=Deal("Rollout"))
IDLE = Contact("idle@acme.example", "Ida Lee", "", "Acme")


def world_of(server: PeopleDataLabs, **settings: Any) -> World[PeopleDataLabs]:
    given = {"api": server.url, "key_env": "A_KEY", **settings}
    return World(server, partial(DataProvider, DataProvider.Config.model_validate(given)))


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", KEY)


@pytest.fixture
async def server() -> AsyncIterator[PeopleDataLabs]:
    async with servers.running() as running:
        yield running


@pytest.fixture
async def world(server: PeopleDataLabs) -> World[PeopleDataLabs]:
    world = world_of(server)
    await world.store.watch(JANE)
    return world


@pytest.mark.parametrize("example", DataProvider.examples)
def test_the_watcher_reads_its_own_examples(example: Example[Entry]) -> None:
    scope = Scope.of([JANE], [])
    assert tuple(seen.kind for seen in DataProvider().read(example.raw, scope)) == example.kinds


async def test_a_move_is_told_with_the_new_employer_the_title_and_the_date(
    world: World[PeopleDataLabs],
) -> None:
    world.server.person(JANE.address, "acme", "vp sales")
    await world.look(31)
    world.server.person(
        JANE.address, "globex", "cro", job_start_date="2026-03", job_last_changed="2026-03-20"
    )
    await world.look(31)
    moved = next(seen for seen in await world.said(JANE) if seen.kind == "record_moved")
    assert (
        moved.sentence
        == "People Data Labs lists them with Globex as Cro since 1 March 2026, no longer with Acme"
    )
    assert moved.facts["now"] == "Globex"
    assert moved.at == datetime(2026, 3, 20, tzinfo=UTC)
    (judged,) = await world.pipeline.judge(world.clock())
    assert judged.verdict is Verdict.LIKELY_LEFT


async def test_a_new_title_with_the_same_employer_is_noted_and_no_alarm(world: World[PeopleDataLabs]) -> None:
    world.server.person(JANE.address, "acme holdings", "vp sales")
    await world.look(31)
    world.server.person(JANE.address, "acme holdings", "adviser to the board")
    await world.look(31)
    assert sorted(await world.kinds(JANE)) == ["record_present", "record_title_changed"]
    (judged,) = await world.pipeline.judge(world.clock())
    assert judged.verdict not in {Verdict.LEFT, Verdict.LIKELY_LEFT, Verdict.SLIPPING}


async def test_the_employers_site_tells_it_under_another_name(world: World[PeopleDataLabs]) -> None:
    world.server.person(JANE.address, "roadrunner supplies", job_company_website="acme.example")
    await world.look(31)
    assert await world.kinds(JANE) == ["record_present"]


async def test_another_employer_without_any_date_and_any_history_says_nothing(
    world: World[PeopleDataLabs],
) -> None:
    world.server.person(JANE.address, "globex")
    await world.look(62)
    assert await world.kinds(JANE) == []


async def test_a_record_from_before_they_wrote_to_us_fades_by_its_own_date(
    world: World[PeopleDataLabs],
) -> None:
    world.server.person(JANE.address, "globex", job_start_date="2015-01")
    await world.look()
    (judged,) = await world.pipeline.judge(world.clock())
    assert judged.verdict is not Verdict.LIKELY_LEFT


async def test_a_record_that_is_hardly_theirs_is_not_taken(world: World[PeopleDataLabs]) -> None:
    world.server.person(JANE.address, "globex", likelihood=4, job_start_date="2026-02")
    await world.look()
    assert await world.kinds(JANE) == []


async def test_colleagues_who_are_all_with_one_other_employer_have_a_parent(
    world: World[PeopleDataLabs],
) -> None:
    await world.store.watch(OMAR)
    for each in (JANE, OMAR):
        world.server.person(each.address, "globex", job_start_date="2026-02")
    await world.look()
    assert [await world.kinds(JANE), await world.kinds(OMAR)] == [["record_renamed"], ["record_renamed"]]


async def test_only_what_is_read_is_asked_for(world: World[PeopleDataLabs]) -> None:
    world.server.person(JANE.address, "acme")
    await world.look()
    (asked,) = world.server.asked
    assert asked["data_include"].split(",") == list(FIELDS)
    assert (asked["email"], asked["name"], asked["company"]) == (JANE.address, "Jane Doe", "Acme")


async def test_a_contact_without_an_open_deal_is_looked_up_only_where_everybody_is(
    server: PeopleDataLabs,
) -> None:
    for contacts, asked in (("open_deals", 0), ("all", 1)):
        server.asked.clear()
        world = world_of(server, contacts=contacts)
        await world.store.watch(IDLE)
        await world.look()
        assert len(server.asked) == asked


async def test_nobody_is_looked_up_more_often_than_every_thirty_days(world: World[PeopleDataLabs]) -> None:
    await world.look(91)
    assert len(world.server.asked) == 4


async def test_the_months_budget_is_kept_and_the_next_month_goes_on(server: PeopleDataLabs) -> None:
    world = world_of(server, calls_a_month=3)
    for number in range(5):
        await world.store.watch(replace(JANE, address=f"p{number}@acme.example"))
    await world.look(20)
    assert len(server.asked) == 3
    world.clock.pass_by(days=15)
    await world.look(1)
    assert [each["email"][:2] for each in server.asked[3:5]] == ["p3", "p4"]


async def test_no_call_is_forgotten_when_the_provider_fails_in_the_middle(
    world: World[PeopleDataLabs],
) -> None:
    await world.store.watch(OMAR)
    world.server.a_minute = 1
    world.server.person(JANE.address, "globex", job_start_date="2026-02")
    with pytest.raises(SourceDown) as failure:
        await world.look()
    assert failure.value.retry_after == timedelta(minutes=1)
    world.server.a_minute = 100
    await world.look()
    assert [each["email"] for each in world.server.asked] == [JANE.address, OMAR.address, OMAR.address]
    assert await world.kinds(JANE) == ["record_moved"]


@pytest.mark.parametrize(
    ("change", "word"),
    [({"credits": 0}, "no credits"), ({"key": "another"}, "refuses the key"), ({"key": ""}, "is not set")],
)
async def test_what_only_a_person_can_mend_is_told_to_them(
    world: World[PeopleDataLabs], change: dict[str, Any], word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.server.person(JANE.address, "acme")
    world.server.credits = change.get("credits", 1)
    monkeypatch.setenv("A_KEY", change.get("key", KEY))
    with pytest.raises(NeedsHuman, match=word):
        await world.look()


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, b""), (200, b"<html>"), (200, b'{"data": 3}'), (204, b""), (200, b"[" * 100_000)],
)
async def test_an_answer_that_is_not_documented_means_try_again_later(
    world: World[PeopleDataLabs], status: int, body: bytes
) -> None:
    world.server.broken = web.Response(status=status, body=body)
    with pytest.raises(SourceDown):
        await world.look()
    assert await world.kinds(JANE) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026", date(2026, 1, 1)),
        ("2026-04", date(2026, 4, 1)),
        ("2026-04-30", date(2026, 4, 30)),
        ("2026-04-30T10:00:00", date(2026, 4, 30)),
        ("2026-13", None),
        ("0000", None),
        ("April", None),
        (None, None),
        (True, None),
    ],
)
def test_dates_are_as_exact_as_they_are(value: object, expected: date | None) -> None:
    assert day(value) == expected


@pytest.mark.parametrize("value", [None, 3, [], {"nonsense": 1}])
def test_a_memory_that_is_none_begins_anew(value: object) -> None:
    assert Kept.from_json(value) == Kept()


def test_calls_are_counted_by_the_calendar_month() -> None:
    may, june = datetime(2026, 5, 31, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    spent = Spent().one_more(may).one_more(may)
    assert (spent.left(may, 10), spent.left(june, 10), spent.one_more(june).calls) == (8, 10, 1)
