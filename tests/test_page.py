"""`stillthere page` says what a page shows, in words and for machines."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cli import main
from bot.cli.commands.page import _completed
from bot.page_view import Seen, by_section, listed, reached, view
from tests.web.site import Clock, client, serving
from tests.web.team_pages import TEAM, bullets, cards, page
from watchers.web.findings import Sighting, Watched
from watchers.web.pages import Fetched
from watchers.web.reading import look

URL = "https://www.acme.example/team"
DAY = date(2026, 3, 2)
JANE = "Jane Doe"
ALUMNI = "<h2>Alumni</h2><ul><li>Maite Etxeberria - Head of Design</li><li>Tom Young - Analyst</li></ul>"


def seen(text: str, status: int = 200) -> Sighting:
    return look([Fetched(status, URL, URL, text.encode(), DAY)]).sighting


def state(now: str, before: str | None = None, name: str = JANE, title: str = "", company: str = "") -> Seen:
    earlier = seen(before) if before is not None else None
    return view(Watched("", name, title, company), seen(now), DAY, earlier).state


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(main, ["page", *map(str, args)], env={"COLUMNS": "80"})


@pytest.fixture
def team(tmp_path: Path) -> Path:
    path = tmp_path / "team.html"
    path.write_text(page(cards(TEAM[:2] + TEAM[3:]) + ALUMNI))
    return path


def test_a_page_says_present_changed_former_and_unknown_without_an_earlier_copy() -> None:
    here = page(cards(TEAM) + "<h2>Alumni</h2><ul><li>Ann Lee - CFO</li><li>Tom Young - Analyst</li></ul>")
    assert state(here) is Seen.PRESENT
    assert state(here, title="VP of Sales") is Seen.PRESENT
    assert state(here, title="Treasurer") is Seen.CHANGED
    assert state(here, name="Ann Lee") is Seen.FORMER
    assert state(here, name="Nobody Known") is Seen.UNKNOWN


def test_an_earlier_copy_tells_who_is_gone_and_what_changed() -> None:
    before = page(cards(TEAM))
    assert state(page(cards(TEAM[1:])), before) is Seen.GONE
    assert state(page(cards((("Jane Doe", "Chief Revenue Officer"), *TEAM[1:]))), before) is Seen.CHANGED
    assert state(before, before) is Seen.PRESENT
    assert state(page(cards(TEAM[1:])), page(cards(TEAM[1:]))) is Seen.UNKNOWN


def test_another_employer_than_the_known_one_is_a_move() -> None:
    now = page("<h1>Jane Doe</h1><p>VP Sales at Globex</p>")
    found = view(Watched("", JANE, "VP Sales", "Acme"), seen(now), DAY)
    assert (found.state, found.was, found.now) == (Seen.MOVED, "Acme", "Globex")


@pytest.mark.parametrize("other", ["", "<h1>Please log in</h1>", "<script>draw()</script>", "<h1>Sorry</h1>"])
def test_a_page_that_is_no_longer_the_listing_says_unknown_never_gone(other: str) -> None:
    found = view(Watched("", JANE), seen(other), DAY, seen(page(cards(TEAM))))
    assert found.state is Seen.UNKNOWN
    assert found.reason


def test_an_error_of_the_site_says_unknown_with_the_status() -> None:
    found = view(Watched("", JANE), seen("broken", 503), DAY, seen(page(cards(TEAM))))
    assert (found.state, "503" in found.reason) == (Seen.UNKNOWN, True)


def test_people_are_grouped_by_heading_and_those_who_left_come_last() -> None:
    text = page(f"{ALUMNI}<h2>Leadership</h2>{cards(TEAM[:2])}<h2>Engineering</h2>{cards(TEAM[3:])}")
    headings = [section for section, _ in by_section(listed(seen(text)))]
    assert headings == ["Leadership", "Engineering", "Alumni"]


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "http://[", ""]
)
def test_a_link_that_leads_nowhere_on_the_web_is_not_shown(link: str) -> None:
    assert not reached(link, URL)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=300), st.text(min_size=1, max_size=40))
def test_no_page_and_no_name_breaks_the_view(text: str, name: str) -> None:
    found = view(Watched("", name), seen(text), DAY, seen(page(cards(TEAM))))
    json.dumps(found.as_json(URL))


def test_everybody_is_shown_with_title_heading_and_address(team: Path) -> None:
    shown = run(team).stdout
    assert "4 people listed, and 2 as former" in shown
    assert "Jane Doe" in shown
    assert "Alumni (former)" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_machines_get_a_line_of_json_for_each(team: Path) -> None:
    people: list[dict[str, Any]] = [json.loads(line) for line in run(team, "--json").stdout.splitlines()]
    assert [each["name"] for each in people if each["former"]] == ["Maite Etxeberria", "Tom Young"]
    jane = json.loads(run(team, "--person", JANE, "--json").stdout)
    assert (jane["state"], jane["person"]["title"], jane["others"]) == ("present", "VP Sales", 5)


def test_a_person_is_explained_with_title_heading_and_who_else_is_there(team: Path) -> None:
    shown = run(team, "--person", "Etxeberria, Maite").stdout
    assert "Etxeberria, Maite: former" in shown
    assert "Head of Design" in shown
    assert "4 people listed beside them" in shown
    assert "second look" in shown


def test_two_files_are_compared(team: Path, tmp_path: Path) -> None:
    after = tmp_path / "after.html"
    after.write_text(page(cards(TEAM[1:2] + TEAM[3:]) + ALUMNI))
    shown = run(after, "--person", JANE, "--previous", team).stdout
    assert "Jane Doe: gone" in shown
    assert "3 of 3 others still are" in shown.replace("\n", " ")


def test_what_a_page_says_cannot_steer_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "evil.html"
    path.write_text(page(bullets([("Jane Doe", "CEO \x1b[2J \x1b]0;x\x07 [bold]"), *TEAM[1:]])))
    assert "\x1b" not in run(path).stdout
    assert "[bold]" in run(path).stdout


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (("https://www.linkedin.com/company/a", "--contact", "a@vendor.example"), "LinkedIn is never read"),
        (("https://www.acme.example/team",), "--contact"),
        (("nowhere.html",), "cannot be read"),
        (("nowhere.html", "--title", "CEO"), "--person"),
        (("nowhere.html", "--person", " "), "empty"),
    ],
)
def test_what_cannot_be_done_is_said_with_a_cure(
    args: tuple[str, ...], word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*args)
    assert result.exit_code == 2
    assert word in result.stderr
    assert "To mend it" in result.stderr


def test_a_private_address_is_not_asked_and_a_person_there_is_unknown() -> None:
    asked = ("http://127.0.0.1/team", "--contact", "ops@vendor.example")
    shown = run(*asked, "--person", JANE)
    assert "unknown" in shown.stdout
    assert "not public" in shown.stdout
    refused = run(*asked)
    assert refused.exit_code
    assert "saved and read as a file" in " ".join(refused.stderr.split())


async def test_further_pages_of_a_list_are_asked_for_as_long_as_somebody_is_missing() -> None:
    async with serving() as site:
        site.says("/more", page(bullets(TEAM[3:])))
        first = bullets(TEAM[:3]) + '<a href="/more" rel="next">Next</a>'
        site.says("/team", page(first))
        async with client(site, Clock()) as polite:
            found = await _completed(polite, site.url(), Watched("", TEAM[4][0]))
        assert view(Watched("", TEAM[4][0]), found, DAY).state is Seen.PRESENT
        async with client(site, Clock()) as polite:
            everybody = await _completed(polite, site.url(), None)
        assert len(listed(everybody)) == len(TEAM)
