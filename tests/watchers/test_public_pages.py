"""A real site over days of frozen time: a departure is noticed, and whatever else happens is not one."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from bot.model import Contact, Family, Kind, Means, NeedsHuman, Observation, SourceDown, Verdict
from bot.pipeline import Pipeline, Rules
from bot.store.memory import MemoryStore
from bot.store.tiny import TinyStore
from tests.web.site import CONTACT, Clock, Site, courtesy, reach, serving
from tests.web.team_pages import TEAM, bullets, cards, page, table
from watchers import Example, Scope
from watchers.public_pages import PublicPages, plan
from watchers.web.memory import AFTER_FAILURE, SELDOM, SOONEST, Memory

JANE = "jane@acme.example"
CONTACTS = tuple(
    Contact(f"{name.split()[0].lower()}@acme.example", name, title, "Acme") for name, title in TEAM[:3]
)
WITHOUT_JANE = TEAM[1:]
KINDS = {kind.name: kind for kind in PublicPages.kinds}
LOUD = {name for name, kind in KINDS.items() if kind.means in {Means.GONE, Means.SLIPPING}}


@dataclass
class World:
    """The watcher as the service runs it, a store, and a clock that is moved by hand."""

    site: Site
    folder: Path
    clock: Clock = field(default_factory=Clock)
    store: MemoryStore = field(default_factory=MemoryStore)
    trouble: str = ""

    def __post_init__(self) -> None:
        settings = PublicPages.Config.model_validate(
            {
                "contact": CONTACT,
                "pages": [{"url": self.site.url(), "account": "Acme"}],
                "confirmed": self.folder / "pages.csv",
            }
        )
        self.watcher = PublicPages(settings, self.clock, reach(self.site), courtesy(self.clock))
        self.pipeline = Pipeline(self.store, Rules(KINDS), ["vendor.example"], baseline=False)

    async def days(self, count: int = 1) -> None:
        """Look every hour that matters, for so many days."""
        for _ in range(count * 4):
            await self.look()
            self.clock.pass_by(hours=6)

    async def look(self) -> None:
        """Look at every host once."""
        self.trouble = ""
        for source in self.watcher.sources(await self.pipeline.scope()):
            try:
                await self.pipeline.sweep(self.watcher, source, self.clock())
            except SourceDown as down:
                self.trouble = down.what

    async def said(self, address: str = JANE) -> list[Observation]:
        """Return what was observed of somebody."""
        person = await self.store.person(address)
        return sorted(person.observations, key=lambda seen: seen.at) if person else []

    async def kinds(self, address: str = JANE) -> list[str]:
        return [seen.kind for seen in await self.said(address)]

    async def verdicts(self) -> list[Verdict]:
        """Judge everybody, Jane first."""
        judged = await self.pipeline.judge(self.clock(), [contact.address for contact in CONTACTS])
        return [one.verdict for one in sorted(judged, key=lambda one: one.contact)]

    async def loud(self) -> list[tuple[str, str]]:
        """Return everything that may raise an alert."""
        return [
            (contact.address, kind)
            for contact in CONTACTS
            for kind in await self.kinds(contact.address)
            if kind in LOUD
        ]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with serving() as site:
        site.says("/team", page(cards(TEAM)))
        world = World(site, tmp_path)
        for contact in CONTACTS:
            await world.store.watch(contact)
        yield world


async def test_a_departure_is_told_after_two_looks_a_day_apart(world: World) -> None:
    await world.days(3)
    assert await world.kinds() == ["page_present"]
    world.site.says("/team", page(cards(WITHOUT_JANE)))
    await world.days(1)
    assert await world.loud() == []
    await world.days(2)
    assert await world.loud() == [(JANE, "page_gone")]
    (_, gone) = await world.said()
    assert gone.sentence.startswith(f"no longer on www.acme.example:{world.site.port}/team, where 4 of ")
    assert gone.facts["gone_together"] == 1
    await world.days(20)
    assert await world.loud() == [(JANE, "page_gone")]


async def test_a_departure_alone_alarms_and_coming_back_takes_it_back(world: World) -> None:
    await world.days(2)
    world.site.says("/team", page(cards(WITHOUT_JANE)))
    await world.days(3)
    assert await world.verdicts() == [Verdict.LIKELY_LEFT, Verdict.UNCHECKED, Verdict.UNCHECKED]
    world.site.says("/team", page(cards(TEAM)))
    await world.days(2)
    assert await world.verdicts() == [Verdict.UNCHECKED] * 3


async def test_a_departure_is_told_although_the_page_then_stays_as_it_is(world: World) -> None:
    world.site.says("/team", page(cards(TEAM)), ETag='"1"')
    await world.days(1)

    async def answer(request: web.BaseRequest) -> web.Response:
        if request.headers.get("If-None-Match") == '"2"':
            return web.Response(status=304, headers={"ETag": '"2"'})
        return web.Response(text=page(cards(WITHOUT_JANE)), content_type="text/html", headers={"ETag": '"2"'})

    world.site.answers["/team"] = answer
    await world.days(4)
    assert await world.loud() == [(JANE, "page_gone")]


async def test_somebody_under_alumni_is_former_although_the_name_stands_there(world: World) -> None:
    await world.days(1)
    former = "<section><h2>Alumni</h2>" + cards(TEAM[:1]) + "</section>"
    world.site.says("/team", page(cards(WITHOUT_JANE) + former))
    await world.days(3)
    assert await world.loud() == [(JANE, "page_former")]
    assert "Alumni" in (await world.said())[-1].sentence


async def test_a_new_title_is_noted_and_who_else_got_one_is_counted(world: World) -> None:
    await world.days(1)
    changed = [("Jane Doe", "Advisor"), ("Robert Ashby", "Head of Data"), ("Maite Etxeberria", "Artist")]
    world.site.says("/team", page(cards([*changed, *TEAM[3:]])))
    await world.days(3)
    title = (await world.said())[-1]
    assert title.kind == "page_title_changed"
    assert (title.facts["was"], title.facts["now"]) == ("VP Sales", "Advisor")
    assert title.facts["changed_together"] == 3
    assert "reorganisation" in str(title.facts["notices"])
    assert await world.loud() == []


async def test_who_comes_back_is_told_to_be_present_again(world: World) -> None:
    await world.days(1)
    world.site.says("/team", page(cards(WITHOUT_JANE)))
    await world.days(3)
    world.site.says("/team", page(cards(TEAM)))
    await world.days(2)
    assert await world.kinds() == ["page_present", "page_gone", "page_present"]


SHELL = '<html><body><div id="root"></div><script src="/app.js"></script></body></html>'
COOKIES = "<h1>We value your privacy</h1><p>Accept all cookies to continue.</p><button>Accept all</button>"
ROBOT = (
    "<h1>Checking your browser</h1><p>Please verify that you are human. Enable JavaScript and cookies.</p>"
)
REDESIGN = page("<h1>Our values</h1><p>We believe in craft, candour and long lunches.</p>" * 20)
BIG = b"<html><body>" + b"<p>Our values</p>" * 400_000
NESTED = "<div>" * 10_000 + "Welcome"
LINKS = page("".join(f'<a href="{to}">Next</a>' for to in ("javascript:alert(1)", "file:///etc/passwd")))


async def _slowly(request: web.BaseRequest) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    for _ in range(2_000):
        await answer.write(b" " * 2**16)
    return answer


def _says(*given: object, **headers: str) -> Callable[[Site], None]:
    return lambda site: site.says("/team", *given, **headers)  # type: ignore[arg-type]


def _leads(to: str, status: int = 302) -> Callable[[Site], None]:
    return lambda site: site.leads("/team", to, status)


FAULTS: dict[str, Callable[[Site], None]] = {
    "404": _says("<h1>Not found</h1>", 404),
    "410": _says("", 410),
    "soft 404": _says(page("<h1>Page not found</h1><p>Sorry, that page does not exist.</p>")),
    "500": _says("oops", 500),
    "503 with a wait": _says("", 503, Retry_After="3600"),
    "403": _says("forbidden", 403),
    "429": _says("slow down", 429),
    "consent wall": _says(page(COOKIES)),
    "bot wall": _says(page(ROBOT)),
    "empty shell": _says(SHELL),
    "empty page": _says(""),
    "redesign without the list": _says(REDESIGN),
    "led home": _leads("/"),
    "led in a circle": _leads("/team"),
    "led to LinkedIn": _leads("https://www.linkedin.com/company/acme"),
    "led inwards": _leads("http://169.254.169.254/latest/meta-data"),
    "led to a file": _leads("file:///etc/passwd"),
    "cut off": _says(page(cards(TEAM)).partition("Jane Doe")[0]),
    "damaged letters": _says(page(table([("J\ufffd \ufffdoe", title) for _, title in TEAM]))),
    "gzip bomb": _says(gzip.compress(bytes(2**25)), Content_Encoding="gzip"),
    "not gzip": _says("plain", Content_Encoding="gzip"),
    "brotli": _says(b"\x0b", Content_Encoding="br"),
    "seven megabytes": _says(BIG),
    "a hundred megabytes": lambda site: site.answers.update({"/team": _slowly}),
    "10,000 nested tags": _says(NESTED),
    "hostile links": _says(LINKS),
    "rules that forbid": lambda site: site.says("/robots.txt", "User-agent: *\nDisallow: /"),
    "rules in trouble": lambda site: site.says("/robots.txt", "", 503),
    "a page of JSON": _says('{"error": "not found"}', content_type="application/json"),
    "a picture": _says(b"\x89PNG\r\n\x1a\n" + bytes(500), content_type="image/png"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_is_no_departure_its_reason_is_told_and_it_passes(world: World, fault: str) -> None:
    world.site.says("/", page("<h1>Acme</h1><p>We make anvils.</p>"))
    await world.days(2)
    FAULTS[fault](world.site)
    await world.days(4)
    assert await world.loud() == []
    assert len(world.trouble.partition(": ")[2]) > 5
    world.site.says("/team", page(cards(TEAM)))
    world.site.says("/robots.txt", "")
    await world.days(9)
    assert await world.loud() == []
    assert world.trouble == ""
    assert await world.kinds() == ["page_present"]


@pytest.mark.parametrize(
    "damaged",
    [
        page(cards(TEAM)).partition("Siobhan")[0],
        page(cards(TEAM)).replace("Jane Doe", "J\ufffdne D\ufffde"),
        page(cards(TEAM[1:]) + "<button>Load more</button>"),
    ],
    ids=["cut off", "damaged letters", "more on demand"],
)
async def test_who_is_not_on_a_damaged_page_is_unknown_while_others_are_seen(
    world: World, damaged: str
) -> None:
    world.site.says("/team", page(cards([*TEAM[1:], TEAM[0]])))
    await world.days(2)
    world.site.says("/team", damaged)
    await world.days(4)
    assert await world.loud() == []


@pytest.mark.parametrize("redesign", [table, bullets])
async def test_a_redesign_that_lists_everybody_is_nothing(
    world: World, redesign: Callable[[object], str]
) -> None:
    await world.days(2)
    world.site.says("/team", page(redesign(TEAM)))
    await world.days(3)
    assert await world.loud() == []
    assert world.trouble == ""


async def test_a_page_that_moved_is_followed_and_a_departure_there_is_told(world: World) -> None:
    await world.days(1)
    world.site.leads("/team", "/company/people", 301)
    world.site.says("/company/people", page(cards(TEAM)))
    await world.days(2)
    assert await world.loud() == []
    world.site.says("/company/people", page(cards(WITHOUT_JANE)))
    await world.days(9)
    assert await world.loud() == [(JANE, "page_gone")]


async def test_who_stands_on_the_second_page_is_present_and_missed_there(world: World) -> None:
    more = '<nav><a rel="next" href="/team/2">Next</a></nav>'
    world.site.says("/team", page(cards(TEAM[1:]) + more))
    world.site.says("/team/2", page(cards([*TEAM[:1], ("Ann Lee", "Controller")])))
    await world.days(2)
    assert await world.kinds() == ["page_present"]
    world.site.says("/team/2", page(cards([("Ann Lee", "Controller")])))
    await world.days(9)
    assert await world.loud() == [(JANE, "page_gone")]


async def test_a_second_page_that_cannot_be_had_is_no_departure(world: World) -> None:
    more = '<nav><a rel="next" href="/team/2">Next</a></nav>'
    world.site.says("/team", page(cards(TEAM[1:]) + more))
    world.site.says("/team/2", page(cards([*TEAM[:1], ("Ann Lee", "Controller")])))
    await world.days(2)
    world.site.says("/team/2", "", 500)
    await world.days(9)
    assert await world.loud() == []


async def test_a_page_that_never_changes_is_asked_less_and_is_not_read_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.site.says("/team", page(cards(TEAM)), ETag='"1"')
    await world.days(1)
    monkeypatch.setattr("watchers.web.visits.open_page", None)
    world.site.asked.clear()
    world.site.says("/team", "", 304, ETag='"1"')
    await world.days(28)
    asked = len(world.site.paths)
    assert 28 / SELDOM.days <= asked < 10
    assert world.trouble == ""


async def test_a_site_in_trouble_is_asked_less_and_less(world: World) -> None:
    await world.days(1)
    world.site.asked.clear()
    world.site.says("/team", "", 500)
    await world.days(28)
    assert len(world.site.paths) < 9


async def test_a_page_that_changes_is_looked_at_daily(world: World) -> None:
    for number in range(10):
        world.site.says("/team", page(cards(TEAM) + f"<p>Visitor {number}</p>"))
        await world.days(1)
    assert len(world.site.paths) == 10


async def test_what_is_remembered_is_small_json_and_names_who_is_listed_now(world: World) -> None:
    await world.days(2)
    (source,) = world.watcher.sources(await world.pipeline.scope())
    text = json.dumps(await world.store.cursor(source), ensure_ascii=False)
    assert len(text) < 5_000
    assert "Jane Doe" in text
    (others,) = (Memory.from_json(kept).listed for kept in (await world.store.cursor(source)).values())  # type: ignore[union-attr]
    assert others == tuple(TEAM[3:])
    world.site.says("/team", page(cards(TEAM[:4])))
    await world.days(8)
    text = json.dumps(await world.store.cursor(source), ensure_ascii=False)
    assert not any(name in text for name, _ in TEAM[4:])


async def test_who_is_on_the_page_and_in_nobodys_mail_is_suggested_with_a_guess(world: World) -> None:
    await world.days(3)
    world.site.says("/team", page(cards(WITHOUT_JANE)))
    await world.days(3)
    (judged,) = await world.pipeline.judge(world.clock(), [JANE])
    known = {contact.address for contact in CONTACTS}
    (guessed, *_) = [one for one in judged.suggestions if one.address not in known]
    assert guessed.guess
    assert guessed.name in {name for name, _ in TEAM[3:]}
    assert any(reason.endswith("on their team page") for reason in guessed.reasons)
    assert "a guess: first@acme.example" in guessed.reasons[-1]


async def test_of_somebody_who_is_no_longer_watched_nothing_is_remembered(world: World) -> None:
    await world.days(1)
    await world.store.unwatch(JANE)
    await world.days(2)
    (source,) = world.watcher.sources(await world.pipeline.scope())
    assert "jane" not in json.dumps(await world.store.cursor(source)).lower()


async def test_somebody_new_is_looked_for_at_once_and_nobody_is_lost(world: World) -> None:
    await world.store.unwatch(JANE)
    await world.days(3)
    await world.store.watch(CONTACTS[0])
    await world.look()
    assert await world.kinds() == ["page_present"]
    world.site.says("/team", page(cards([TEAM[0], *TEAM[2:]])))
    await world.store.watch(Contact("new@globex.example", "Nora New", account="Globex"))
    await world.days(8)
    assert await world.loud() == [("robert@acme.example", "page_gone")]


async def test_a_page_that_lists_nobody_we_look_for_says_so(world: World) -> None:
    world.site.says("/team", page(cards(TEAM[3:])))
    await world.days(1)
    assert "none of the people" in world.trouble


async def test_without_a_contact_address_nothing_is_asked_and_one_person_is_told(world: World) -> None:
    world.watcher.config = PublicPages.Config(pages=world.watcher.config.pages)
    (source,) = world.watcher.sources(await world.pipeline.scope())
    with pytest.raises(NeedsHuman, match="contact"):
        await world.pipeline.sweep(world.watcher, source, world.clock())
    assert world.site.asked == []


def test_links_of_a_contact_are_watched_for_them_alone_and_linkedin_never() -> None:
    jane = Contact(
        JANE,
        "Jane Doe",
        account="Acme",
        links=(
            "https://www.linkedin.com/company/acme",
            "https://github.com/jane",
            "mailto:jane@acme.example",
            "https://jane.example/about#me",
            "https://jane.example:8443/",
        ),
    )
    bob = Contact("bob@acme.example", "Bob Roe", account="Acme")
    found = plan((jane, bob), [("acme.example", "https://acme.example/team")])
    assert {host: list(pages) for host, pages in found.items()} == {
        "jane.example": ["https://jane.example/about"],
        "acme.example": ["https://acme.example/team"],
    }
    assert [each.key for each in found["jane.example"]["https://jane.example/about"]] == [JANE]
    assert [each.key for each in found["acme.example"]["https://acme.example/team"]] == [bob.address, JANE]


@pytest.mark.parametrize("example", PublicPages.examples)
def test_the_watcher_reads_its_own_examples(example: Example[object]) -> None:
    scope = Scope.of(CONTACTS, ["vendor.example"])
    seen = list(PublicPages().read(example.raw, scope))  # type: ignore[arg-type]
    assert tuple(each.kind for each in seen) == example.kinds
    assert [each.key for each in seen] == [each.key for each in PublicPages().read(example.raw, scope)]  # type: ignore[arg-type]
    assert list(PublicPages().read(example.raw, Scope())) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", PublicPages.kinds)
def test_nothing_on_a_page_is_proof_of_life_or_says_left_by_itself(kind: Kind) -> None:
    assert kind.means is not Means.ALIVE or kind.narrow
    assert not kind.explicit


@pytest.mark.parametrize("value", [None, 3, [], {}, {"kept": None}, {"parts": 3, "next": "x"}, "x"])
def test_a_memory_that_cannot_be_read_is_none(value: object) -> None:
    assert Memory.from_json(value) == Memory()


def test_a_memory_comes_back_as_it_was() -> None:
    memory = Memory().failed(Clock()(), "why", None)
    assert Memory.from_json(json.loads(json.dumps(memory.as_json()))) == memory
    assert memory.next_look == Clock()() + AFTER_FAILURE
    assert SOONEST < SELDOM


async def test_a_page_that_cannot_be_read_explains_no_silence_in_the_mail(world: World) -> None:
    await world.days(1)
    world.site.says("/team", "", 500)
    await world.days(1)
    assert world.trouble
    (judged, *_) = await world.pipeline.judge(world.clock(), [JANE])
    assert judged.verdict is Verdict.UNCHECKED
    assert "an error of the site" in judged.headline
    mail = Observation(JANE, "human_mail", world.clock(), "mailbox:rita", "wrote")
    await world.store.record([mail])
    world.pipeline.outages["mailbox:rita"] = ""
    world.pipeline.rules = Rules({**KINDS, "human_mail": Kind("human_mail", Means.ALIVE, Family.MAIL)})
    world.clock.pass_by(days=1)
    (judged, *_) = await world.pipeline.judge(world.clock(), [JANE])
    assert judged.verdict is Verdict.ACTIVE


async def test_who_is_forgotten_goes_out_of_what_is_remembered_of_pages(world: World, tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path / "data") as store:
        world.pipeline.store = store
        for contact in CONTACTS:
            await store.watch(contact)
        await world.days(1)
        (source,) = world.watcher.sources(await world.pipeline.scope())
        assert "Jane Doe" in json.dumps(await store.cursor(source))
        await store.forget(JANE)
        text = json.dumps(await store.cursor(source)).lower()
    assert "jane" not in text
    assert "robert ashby" in text
