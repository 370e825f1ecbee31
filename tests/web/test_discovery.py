"""Pages that list an account's people are found on its own site, and only proposed."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cli import main
from tests.web.site import CONTACT, Clock, Site, client, serving
from tests.web.team_pages import FIRST_DAY, TEAM, cards, page
from watchers.public_pages import PublicPages
from watchers.web import known_pages
from watchers.web.client import Client
from watchers.web.discovery import MOST_TRIED, Proposal, discover, locations, sites
from watchers.web.findings import Watched
from watchers.web.known_pages import KnownPage, Status
from watchers.web.pages import Fetched

JANE = Watched("jane@acme.example", "Jane Doe", "VP Sales", "Acme")
HOME = page("<h1>Acme</h1><p>We make anvils.</p>")


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with serving() as site:
        site.says("/", HOME)
        yield site


async def found(site: Site, *watched: Watched) -> list[Proposal]:
    async with client(site, Clock()) as asking:
        return await discover(asking, [site.url("/", host="gone.example.invalid"), site.url("/")], watched)


async def test_a_page_with_a_usual_name_that_lists_a_contact_is_proposed(site: Site) -> None:
    site.says("/team", page(cards(TEAM)))
    (proposal,) = await found(site, JANE)
    assert proposal == Proposal(site.url("/team"), 5, ("Jane Doe",))
    assert proposal.why == "lists 5 people, among them Jane Doe"


async def test_a_page_that_the_first_page_links_is_found(site: Site) -> None:
    site.says("/", page('<h1>Acme</h1><a href="/who/our-people">Meet our people</a>'))
    site.says("/who/our-people", page(cards(TEAM)))
    assert [each.url for each in await found(site)] == [site.url("/who/our-people")]


async def test_a_page_that_only_the_sitemap_names_is_found(site: Site) -> None:
    site.says("/robots.txt", f"Sitemap: {site.url('/maps/index.xml')}")
    site.says("/maps/index.xml", f"<sitemapindex><loc>{site.url('/maps/pages.xml.gz')}</loc></sitemapindex>")
    inner = f"<urlset><loc> {site.url('/en/2026/leadership.html')} </loc><loc>http://x.example/team</loc>"
    site.says("/maps/pages.xml.gz", gzip.compress(inner.encode()), content_type="application/gzip")
    site.says("/en/2026/leadership.html", page(cards(TEAM)))
    assert [each.url for each in await found(site)] == [site.url("/en/2026/leadership.html")]


async def test_the_page_that_lists_our_contacts_comes_before_one_that_lists_more(site: Site) -> None:
    site.says("/people", page(cards(TEAM[1:])))
    site.says("/leadership", page(cards(TEAM[:2])))
    assert [each.url for each in await found(site, JANE)] == [site.url("/leadership"), site.url("/people")]


async def test_pages_without_people_errors_and_other_peoples_sites_are_not_proposed(site: Site) -> None:
    site.says("/about", page("<p>We believe in craft.</p>"))
    site.says("/people", page(cards(TEAM)), 500)
    site.leads("/leadership", site.url("/agency", host="www.agency.example"))
    site.says("/agency", page(cards(TEAM)))
    assert await found(site, JANE) == []


async def test_what_robots_txt_forbids_is_not_asked_for(site: Site) -> None:
    site.says("/robots.txt", "User-agent: *\nDisallow: /team")
    site.says("/team", page(cards(TEAM)))
    assert await found(site, JANE) == []
    assert "/team" not in site.paths


async def test_a_site_is_asked_for_a_bounded_number_of_pages(site: Site) -> None:
    links = "".join(f'<a href="/{number}/team">Team {number}</a>' for number in range(500))
    maps = "".join(f"<loc>{site.url(f'/{number}/people')}</loc>" for number in range(20_000))
    site.says("/", page(links))
    site.says("/sitemap.xml", maps, content_type="text/xml")
    await found(site, JANE)
    assert len(site.paths) <= MOST_TRIED + 4


async def test_a_site_that_does_not_answer_proposes_nothing(site: Site) -> None:
    site.says("/", "", 503)
    assert await found(site, JANE) == []


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_can_be_a_sitemap(body: bytes) -> None:
    assert isinstance(locations(Fetched(200, "", "", body, FIRST_DAY)), list)


def test_a_site_is_looked_for_under_both_its_names() -> None:
    assert sites("acme.example") == ("https://www.acme.example/", "https://acme.example/")


PAGE = KnownPage("Acme", "https://www.acme.example/team", Status.PROPOSED, 'lists "5" people, and more')


def test_the_file_of_pages_comes_back_as_it_was_written(tmp_path: Path) -> None:
    known_pages.write(tmp_path / "pages.csv", [PAGE])
    assert known_pages.read(tmp_path / "pages.csv") == [PAGE]
    assert known_pages.read(tmp_path / "none.csv") == []
    assert [path.name for path in tmp_path.iterdir()] == ["pages.csv"]


def test_a_file_of_pages_that_cannot_be_replaced_stays_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    (tmp_path / "pages.csv" / "in the way").mkdir(parents=True)
    with pytest.raises(OSError, match=r"pages\.csv"):
        known_pages.write(tmp_path / "pages.csv", [PAGE])
    assert [path.name for path in tmp_path.iterdir()] == ["pages.csv"]


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200))
def test_a_damaged_file_of_pages_is_read_as_far_as_it_goes(body: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "pages.csv")
        file.write_bytes(b"account,url,status,why\nAcme,https://x.example/,confirmed,\n" + body)
        assert len(known_pages.read(file)) >= 1


def test_what_was_decided_stays_decided_when_it_is_found_again() -> None:
    declined = known_pages.decide([PAGE], PAGE.url, Status.DECLINED)
    assert known_pages.propose(declined, [PAGE]) == declined
    with pytest.raises(KeyError):
        known_pages.decide(declined, "https://other.example/", Status.CONFIRMED)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.yaml").write_text(
        "team: {domains: [vendor.example]}\ncontacts: contacts.csv\n"
        f"watchers: {{public_pages: {{contact: '{CONTACT}'}}}}\n"
    )
    (tmp_path / "contacts.csv").write_text("email,name,account\njane@acme.example,Jane Doe,Acme\n")
    return tmp_path


def pages(folder: Path, *args: str) -> Result:
    return CliRunner().invoke(main, ["pages", *args, "--config", str(folder / "config.yaml")])


def test_a_page_is_found_confirmed_and_then_watched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio
    import threading

    site, ready, stop = Site(), threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with serving() as started:
            started.says("/", HOME)
            started.says("/team", page(cards(TEAM)))
            site.port = started.port
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(30)
        monkeypatch.setattr("watchers.web.discovery.sites", lambda _: [site.url("/")])
        monkeypatch.setattr(PublicPages, "client", lambda _: local(site))
        (proposed,) = [json.loads(line) for line in pages(folder, "propose", "--json").stdout.splitlines()]
        assert proposed["status"] == "proposed"
        assert proposed["url"] == site.url("/team")
        assert known_pages.confirmed(folder / "pages.csv") == []
        assert pages(folder, "confirm", site.url("/team")).exit_code == 0
        assert [page.url for page in known_pages.confirmed(folder / "pages.csv")] == [site.url("/team")]
        assert "no page was found" in pages(folder, "propose").output
        assert pages(folder, "decline", site.url("/team")).exit_code == 0
        assert known_pages.confirmed(folder / "pages.csv") == []
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()


def local(site: Site) -> Client:
    return client(site, Clock())


@pytest.mark.parametrize(
    ("args", "said"), [(("confirm",), "no page is named"), (("confirm", "https://x.example/"), "proposed")]
)
def test_a_slip_is_answered_with_what_to_do(folder: Path, args: tuple[str, ...], said: str) -> None:
    told = pages(folder, *args)
    assert told.exit_code
    assert said in told.output


def test_without_a_contact_address_nothing_is_searched(folder: Path) -> None:
    (folder / "config.yaml").write_text("team: {domains: [vendor.example]}\nwatchers: {public_pages: {}}\n")
    told = pages(folder, "propose")
    assert told.exit_code
    assert "contact address" in told.output


def test_without_a_file_of_contacts_it_is_said_where_pages_can_be_named(folder: Path) -> None:
    settings = folder / "config.yaml"
    settings.write_text(settings.read_text().replace("contacts: contacts.csv\n", ""))
    told = pages(folder, "propose")
    assert told.exit_code
    assert "watchers.public_pages.pages" in " ".join(told.output.split())
