"""Changes that real pages go through without anybody leaving, and departures among them."""

from __future__ import annotations

import pytest

from tests.web.team_pages import DESIGNS, TEAM, Member, cards, fetched, page, table
from watchers.web.findings import Kept, State, Watched
from watchers.web.presence import look_again
from watchers.web.reading import look

OTHERS: tuple[Member, ...] = (
    ("Liam Foster", "Data Analyst"),
    ("Noah Hughes", "Account Manager"),
    ("Emma Price", "Recruiter"),
    ("Olivia Reed", "Engineer"),
    ("Lucas Grant", "Engineer"),
    ("Mia Wells", "Designer"),
)
ALL = (*TEAM, *OTHERS)
WATCHED = [Watched(name, name, title, "Acme") for name, title in TEAM]
REST = ALL[1:]
FEW = cards(ALL[1:8])
CONSENT = "<div><h2>We value your privacy</h2><button>Accept all cookies</button></div>"
LETTERS = "".join(f'<a href="?letter={letter}">{letter}</a>' for letter in "ADEM")


def gone_after(*pages: str) -> set[str]:
    """Return who was said to be gone at any of the looks, a day apart."""
    state: Kept | None = None
    gone: set[str] = set()
    for day, text in enumerate(pages):
        report = look_again(state, WATCHED, look([fetched(text, day)]).sighting, fetched("", day).day)
        state = report.state
        gone |= {found.key for found in report.findings if found.state is State.GONE}
    return gone


def named(name: str, title: str = "VP Sales") -> str:
    """Return the whole team, with its first member under another name."""
    return cards(((name, title), *REST))


@pytest.mark.parametrize(
    "after",
    [
        page(table([*reversed(ALL)])),
        page(named("Doe, Jane")),
        page(named("DOE Jane")),
        page(named("Jane Smith (née Doe)")),
        page(named("Jane Doe-Smith")),
        page(named("J. Doe")),
        page(named("Jane")),
        page(named("Jane Deo")),
        page(named("Dr. Jane M. Doe, MBA")),
        page(named("Jane Doe \U0001f384")),
        page(named("\U0001f385 Jane \U0001f384 Doe")),
        page(named("Jane\u200b D\u00adoe")),
        page(named("Jane Doe", "Vertriebsleiterin"), "Unser Team"),
        page(named("Jane Doe", "VP Sales (on parental leave)")),
        page(cards([(name, "Chief Elf") for name, _ in ALL]), "Merry Christmas from all of us"),
        page(cards([(name.split()[0], title) for name, title in ALL])),
        page(cards([(f"{name.split()[0]} {name.split()[-1][0]}.", title) for name, title in ALL])),
        page(FEW + '<a href="/team?page=2">Next</a>'),
        page(FEW + "<button>Load more</button>"),
        page(cards(REST) + "<button>Load more</button>"),
        page(FEW + '<div class="load-more" data-url="/api/team?page=2">+</div>'),
        page(FEW + '<span role="button">Show all 11 team members</span>'),
        page(FEW + '<input type="button" value="Load more">'),
        page(FEW + '<p class="btn">Mehr anzeigen</p>'),
        page(FEW + '<div class="infinite-scroll">Loading</div>'),
        page(LETTERS + cards(REST)),
        page(CONSENT + cards(ALL)),
        page("".join(f'<img src="/photos/{number}.jpg">' for number in range(11))),
        page(cards(REST) + "<h2>Advisors</h2>" + cards([("Jane Doe", "Advisor")])),
        page(
            cards(ALL) + "<h2>Our partners</h2>" + cards([("Ivy Stone", "Reseller"), ("Max Bell", "Agency")])
        ),
        page("<details><summary>Sales</summary>" + cards(ALL[:1]) + "</details>" + cards(REST)),
        page("<team-member name='Jane Doe' role='VP Sales'></team-member>" + cards(REST)),
        page(cards(ALL) + "<h2>Alumni</h2><p>We keep in touch.</p>"),
    ],
)
def test_a_page_that_changes_without_a_departure_says_nobody_is_gone(after: str) -> None:
    before = page(cards(ALL))
    assert not gone_after(before, before, after, after, after, after)


@pytest.mark.parametrize("design", DESIGNS)
def test_a_departure_is_found_in_every_design(design: object) -> None:
    assert callable(design)
    before, after = page(design(ALL)), page(design(REST))
    assert gone_after(before, before, after, after) == {"Jane Doe"}


@pytest.mark.parametrize(
    "after",
    [
        page(CONSENT + cards(REST)),
        page(cards(REST) + f"<!-- {cards(ALL[:1])} -->"),
        page(cards([("Jane Roth", "VP Sales"), *REST])),
        page(cards(REST) + "<h2>Alumni</h2>" + cards(ALL[:1])),
    ],
)
def test_a_departure_is_found_beside_what_looks_like_another_change(after: str) -> None:
    before = page(cards(ALL))
    assert gone_after(before, before, after, after) == {"Jane Doe"}
