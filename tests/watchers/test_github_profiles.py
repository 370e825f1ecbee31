"""A contact's GitHub profile tells that they moved, twice a day apart, and nothing else alarms anybody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import Contact, NeedsHuman, SourceDown, Verdict
from tests.servers import github as servers
from tests.servers.github import GitHub
from tests.watchers.profile_watching import World
from tests.web.site import Clock
from watchers import Example, Scope
from watchers.github_profiles import MOST_AT_ONCE, GithubProfiles, Glimpse, Kept, login_of, waiting
from watchers.profiles.words import Stand, is_account, names_of, read_profile

JANE = Contact("jane@acme.example", "Jane Doe", "VP", "Acme Inc.", links=("https://github.com/janedoe",))
OMAR = Contact("omar@acme.example", "Omar Roe", "", "Acme Inc.", links=("github.com/omarroe?tab=repos",))
NAMES = ("Acme Inc.", "acme")


def world_of(github: GitHub, **settings: Any) -> World[GitHub]:
    config = GithubProfiles.Config(api=github.url, **settings)
    return World(github, partial(GithubProfiles, config), pause=timedelta(hours=12))


@pytest.fixture
async def github() -> AsyncIterator[GitHub]:
    async with servers.running() as server:
        yield server


@pytest.fixture
async def world(github: GitHub) -> World[GitHub]:
    world = world_of(github)
    await world.store.watch(JANE)
    return world


@pytest.mark.parametrize("example", GithubProfiles.examples)
def test_the_watcher_reads_its_own_examples(example: Example[Glimpse]) -> None:
    scope = Scope.of([JANE], [])
    assert tuple(seen.kind for seen in GithubProfiles().read(example.raw, scope)) == example.kinds


async def test_a_move_is_said_after_two_looks_a_day_apart_and_makes_it_likely(world: World[GitHub]) -> None:
    jane = world.server.person("janedoe", "@acme")
    await world.look()
    jane.company = "Globex GmbH"
    await world.look()
    assert await world.kinds(JANE) == ["profile_present"]
    await world.look()
    assert await world.kinds(JANE) == ["profile_present", "profile_moved"]
    moved = (await world.said(JANE))[-1]
    assert moved.sentence == "github.com/janedoe now names Globex GmbH as the employer, no longer Acme Inc."
    assert moved.facts["now"] == "Globex GmbH"
    (judged,) = await world.pipeline.judge(world.clock())
    assert judged.verdict is Verdict.LIKELY_LEFT


async def test_a_move_that_is_taken_back_before_the_second_look_is_none(world: World[GitHub]) -> None:
    jane = world.server.person("janedoe", "Acme")
    await world.look()
    jane.company = "Globex"
    await world.look()
    jane.company = "Acme"
    await world.look(4)
    assert await world.kinds(JANE) == ["profile_present"]


async def test_who_comes_back_is_present_again_and_no_longer_likely_left(world: World[GitHub]) -> None:
    jane = world.server.person("janedoe", "Acme")
    await world.look()
    jane.company = "Globex"
    await world.look(3)
    jane.company = "Acme Incorporated"
    await world.look()
    assert await world.kinds(JANE) == ["profile_present", "profile_moved", "profile_present"]
    (judged,) = await world.pipeline.judge(world.clock())
    assert judged.verdict is not Verdict.LIKELY_LEFT


async def test_another_name_that_stood_there_all_along_says_nothing(world: World[GitHub]) -> None:
    world.server.person("janedoe", "The Open Garden Society")
    await world.look(5)
    assert await world.kinds(JANE) == []


async def test_the_bio_alone_may_say_that_they_left(world: World[GitHub]) -> None:
    world.server.person("janedoe", None, "Formerly VP of Sales at Acme. Now at Globex.")
    await world.look(3)
    (moved,) = await world.said(JANE)
    assert (moved.kind, moved.facts["now"]) == ("profile_moved", "Globex")


async def test_a_membership_that_is_gone_is_a_weak_sign_by_itself(world: World[GitHub]) -> None:
    jane = world.server.person("janedoe", None, orgs=["acme", "knitting"])
    await world.look()
    jane.orgs = ["knitting"]
    await world.look(3)
    assert await world.kinds(JANE) == ["org_left"]
    (judged,) = await world.pipeline.judge(world.clock())
    assert judged.verdict not in {Verdict.LEFT, Verdict.LIKELY_LEFT}


async def test_an_account_that_was_renamed_is_followed_by_its_number(world: World[GitHub]) -> None:
    jane = world.server.person("janedoe", "Acme")
    await world.look()
    jane.login, jane.company = "jane-globex", "Globex"
    world.server.person("janedoe", "Initech")
    await world.look(3)
    assert (await world.said(JANE))[-1].sentence.startswith("github.com/jane-globex now names Globex")


@pytest.mark.parametrize("kind", ["Organization", "Bot"])
async def test_a_profile_that_is_nobodys_says_nothing(world: World[GitHub], kind: str) -> None:
    world.server.person("janedoe", "Acme", type=kind)
    await world.look(2)
    assert await world.kinds(JANE) == []


async def test_an_account_that_is_not_there_says_nothing(world: World[GitHub]) -> None:
    await world.look(3)
    jane = world.server.person("janedoe", "Acme")
    await world.look()
    world.server.accounts.remove(jane)
    await world.look(3)
    assert await world.kinds(JANE) == ["profile_present"]


async def test_colleagues_who_all_name_the_same_new_employer_were_acquired(world: World[GitHub]) -> None:
    await world.store.watch(JANE)
    await world.store.watch(OMAR)
    both = [world.server.person("janedoe", "Acme"), world.server.person("omarroe", "@acme")]
    await world.look()
    for each in both:
        each.company = "Globex"
    await world.look(4)
    assert await world.kinds(JANE) == ["profile_present", "profile_renamed"]
    assert await world.kinds(OMAR) == ["profile_present", "profile_renamed"]


async def test_an_unchanged_profile_costs_two_answers_without_a_body(world: World[GitHub]) -> None:
    world.server.person("janedoe", "Acme", orgs=["acme"])
    await world.look(2)
    world.server.statuses.clear()
    await world.look(2)
    assert world.server.statuses == [304] * 4


async def test_profiles_are_looked_at_no_more_often_than_asked_for(github: GitHub) -> None:
    world = world_of(github, days=7)
    await world.store.watch(JANE)
    github.person("janedoe", "Acme")
    await world.look(8)
    assert github.asked.count("/user/1") + github.asked.count("/users/janedoe") == 2


async def test_one_pass_stays_below_the_limit_of_strangers_and_goes_on_with_the_others(
    world: World[GitHub],
) -> None:
    many = [
        Contact(f"p{number}@acme.example", "P", "", "Acme", links=(f"github.com/p{number}",))
        for number in range(MOST_AT_ONCE + 5)
    ]
    world.server.person("janedoe", "Acme")
    for number, contact in enumerate(many):
        await world.store.watch(contact)
        world.server.person(f"p{number}", "Acme")
    await world.pipeline.sweep(world.watcher, "github_profiles", world.clock())
    assert len(world.server.asked) == 2 * MOST_AT_ONCE
    await world.pipeline.sweep(world.watcher, "github_profiles", world.clock())
    assert [await world.kinds(each) for each in many] == [["profile_present"]] * len(many)


async def test_a_limit_is_waited_for_and_loses_nothing(world: World[GitHub]) -> None:
    jane = world.server.person("janedoe", "Acme")
    await world.look()
    reset = str(int(world.clock().timestamp()) + 1800)
    world.server.refusal = web.Response(
        status=403, headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
    )
    jane.company = "Globex"
    with pytest.raises(SourceDown) as failure:
        await world.look()
    assert failure.value.retry_after == timedelta(minutes=30)
    world.server.refusal = None
    await world.look(3)
    assert await world.kinds(JANE) == ["profile_present", "profile_moved"]


async def test_of_a_contact_who_is_no_longer_watched_nothing_is_remembered(world: World[GitHub]) -> None:
    await world.store.watch(OMAR)
    world.server.person("janedoe", "Acme")
    world.server.person("omarroe", "Acme")
    await world.look()
    await world.store.unwatch(JANE.address)
    await world.pipeline.sweep(world.watcher, "github_profiles", world.clock() - timedelta(hours=20))
    remembered = await world.store.cursor("github_profiles")
    assert isinstance(remembered, dict)
    assert list(remembered) == [OMAR.address]


async def test_a_token_is_sent_and_one_that_is_refused_needs_a_human(
    github: GitHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = world_of(github, token_env="GITHUB_TOKEN_OF_OURS")
    await world.store.watch(JANE)
    monkeypatch.delenv("GITHUB_TOKEN_OF_OURS", raising=False)
    with pytest.raises(NeedsHuman, match="is not set"):
        await world.look()
    monkeypatch.setenv("GITHUB_TOKEN_OF_OURS", "wrong")
    github.token = "right"
    with pytest.raises(NeedsHuman, match="refuses the token"):
        await world.look()
    monkeypatch.setenv("GITHUB_TOKEN_OF_OURS", "right")
    github.person("janedoe", "Acme")
    await world.look()
    assert await world.kinds(JANE) == ["profile_present"]


@pytest.mark.parametrize(
    ("status", "body"), [(503, b""), (200, b"<html>"), (200, b"[" * 100_000), (200, b"[1]"), (301, b"")]
)
async def test_an_answer_that_is_none_alarms_nobody(world: World[GitHub], status: int, body: bytes) -> None:
    world.server.person("janedoe", "Acme")
    await world.look()
    world.server.refusal = web.Response(status=status, body=body)
    for _ in range(3):
        try:
            await world.look()
        except SourceDown:
            world.clock.pass_by(days=1)
    assert await world.kinds(JANE) == ["profile_present"]


@pytest.mark.parametrize(
    ("headers", "minutes"),
    [
        ({"retry-after": "120"}, 2),
        ({"retry-after": "1"}, 1),
        ({"retry-after": "99999999999"}, 24 * 60),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "nonsense"}, 1),
        ({}, 1),
    ],
)
def test_a_limit_says_how_long_to_wait_or_a_minute_is_waited(headers: dict[str, str], minutes: int) -> None:
    assert waiting(headers, Clock()()) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("link", "login"),
    [
        ("https://github.com/janedoe", "janedoe"),
        ("github.com/jane-doe/", "jane-doe"),
        ("https://www.GitHub.com/janedoe?tab=stars", "janedoe"),
        ("https://github.com/acme/tool", ""),
        ("https://github.com/orgs/acme", ""),
        ("https://github.com/sponsors", ""),
        ("https://gist.github.com/janedoe", ""),
        ("https://github.com.evil.example/janedoe", ""),
        ("https://evil.example/github.com/janedoe", ""),
        ("https://github.com/", ""),
    ],
)
def test_only_a_persons_own_page_is_a_profile(link: str, login: str) -> None:
    assert login_of(Contact("jane@acme.example", links=(link,))) == login


@pytest.mark.parametrize(
    ("company", "bio"),
    [
        ("@acme", ""),
        ("ACME, Inc.", ""),
        ("acmecorp", ""),
        ("Acme Holdings", ""),
        ("@globex @acme", ""),
        ("Globex / Acme", ""),
        ("", "Engineer at Acme"),
        ("", "VP Sales @acme, knitter"),
    ],
)
def test_a_profile_that_names_the_account_is_present(company: str, bio: str) -> None:
    assert read_profile(company, bio, NAMES).stand is Stand.HERE


@pytest.mark.parametrize(
    ("company", "bio", "employer"),
    [
        ("@globex", "ex-Acme", "globex"),
        ("", "formerly @acme", ""),
        ("", "now at Globex, ex-Acme", "Globex"),
        ("", "Former VP of Sales at Acme", ""),
        ("", "Previously Senior Engineer at Acme. Now at Globex.", "Globex"),
        ("", "No longer at Acme", ""),
        ("", "Acme alum", ""),
        ("Globex, formerly Acme", "", "Globex"),
        ("", "Ehemals Acme", ""),
    ],
)
def test_a_profile_that_names_the_account_as_a_former_employer_says_left(
    company: str, bio: str, employer: str
) -> None:
    said = read_profile(company, bio, NAMES)
    assert (said.stand, said.employer) == (Stand.LEFT, employer)


@pytest.mark.parametrize(
    ("company", "bio"),
    [
        ("", ""),
        ("-", ""),
        ("Looking for work", ""),
        ("", "Former Googler at Acme"),
        ("", "ex-Google, Acme"),
        ("", "previously @initech, @acme"),
        ("Globex (formerly Acme)", ""),
        ("", "Engineer at Globex (formerly Acme)"),
        ("", "Acme University alum"),
        ("", "I build tools for Acme users"),
        ("", "helping ex-Acme folks"),
        ("", "not affiliated with Acme"),
        ("", "maintainer of @reactjs"),
        ("", "Looking for a job at Globex"),
        ("Acme", "ex-Acme"),
        ("", "Engineer at Acme (2015-2020)"),
    ],
)
def test_what_can_be_read_in_two_ways_says_nothing(company: str, bio: str) -> None:
    assert read_profile(company, bio, NAMES).stand is Stand.SILENT


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=600), st.text(max_size=600), st.text(max_size=30))
def test_no_profile_breaks_the_reading(company: str, bio: str, account: str) -> None:
    contact = Contact("jane@acme.example", account=account)
    assert read_profile(company, bio, names_of(contact)).stand in Stand


def test_a_private_address_tells_no_company() -> None:
    assert names_of(Contact("jane@gmail.com")) == ()
    assert not is_account("Gmail", names_of(Contact("jane@gmail.com")))


@pytest.mark.parametrize(
    "value", [None, 3, [], {}, {"work": 1}, {"nonsense": 1, "work": {}, "membership": {}}]
)
def test_a_memory_that_is_none_begins_anew(value: object) -> None:
    assert Kept.from_json(value) == Kept()
