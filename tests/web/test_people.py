"""People are read out of pages of every design, and nobody else is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tests.web.team_pages import DESIGNS, TEAM, Member, cards, page
from watchers.web.headings import Kind, kind_of
from watchers.web.people import read
from watchers.web.titles import same_title, says_departed


@pytest.mark.parametrize("design", DESIGNS)
def test_every_design_yields_names_and_titles_and_nothing_else(
    design: Callable[[Sequence[Member]], str],
) -> None:
    found = [(person.name, person.title) for person in read(page(design(TEAM))).members]
    assert found == list(TEAM)


def test_the_section_the_profile_and_the_photo_are_kept() -> None:
    body = "<h2>Sales</h2>" + "".join(
        f'<div><img src="/p/{n}.jpg"><h3><a href="/team/{n}">{name}</a></h3><p>{title}</p>'
        f'<a href="mailto:{n}@acme.example">Mail</a></div>'
        for n, (name, title) in enumerate(TEAM)
    )
    jane = read(page(body)).members[0]
    assert (jane.section, jane.link, jane.photo, jane.email) == (
        "Sales",
        "/team/0",
        "/p/0.jpg",
        "0@acme.example",
    )


@pytest.mark.parametrize(
    "heading",
    ["Alumni", "Former team members", "Emeritus", "In memoriam", "Past leadership", "Ehemalige Mitarbeiter",
     "Anciens membres", "Antiguos miembros", "Byli cz\u0142onkowie", "\u5352\u696d\u751f",
     "People who left us", "Hall of Fame"],
)  # fmt: skip
def test_people_under_such_a_heading_left(heading: str) -> None:
    body = (
        cards(TEAM) + f"<section><h2>{heading}</h2><ul><li>Otis Quill</li><li>Vera Lund</li></ul></section>"
    )
    listing = read(page(body))
    assert [person.name for person in listing.people if person.former] == ["Otis Quill", "Vera Lund"]
    assert len(listing.members) == len(TEAM)


@pytest.mark.parametrize(
    "heading",
    ["Alumni Relations", "Past events", "Current and former members", "Team & alumni", "Leadership"],
)
def test_these_headings_say_of_nobody_that_they_left(heading: str) -> None:
    assert kind_of(heading) is not Kind.FORMER


def test_a_bold_line_opens_a_section_and_the_next_heading_closes_it() -> None:
    former = "<p><b>Alumni</b></p><ul><li>Otis Quill</li></ul>"
    body = f"{cards(TEAM)}{former}<h2>Board</h2><ul><li>Vera Lund, Chair</li></ul>"
    people = {person.name: bool(person.former) for person in read(page(body)).people}
    assert people["Otis Quill"]
    assert not people["Vera Lund"]


@pytest.mark.parametrize(
    "mention",
    [
        "<blockquote>Splendid.<cite>Otis Quill, CTO</cite></blockquote>",
        "<article><h3>On tea</h3><p>By Otis Quill, 3 May 2021</p></article>",
        "<section><h2>News</h2><h3>Thank you, Otis Quill!</h3><p>Otis Quill leaves us.</p></section>",
        "<p>Our work builds on the ideas of Otis Quill, who founded the group.</p>",
        "<!-- <div class=card><h3>Otis Quill</h3><p>CTO</p></div> -->",
        '<div class="testimonial"><p>Good.</p><p class="name">Otis Quill</p><p>CTO</p></div>',
    ],
)
def test_a_name_in_news_quotations_and_prose_is_no_listing(mention: str) -> None:
    assert "Otis Quill" not in [person.name for person in read(page(cards(TEAM) + mention)).members]


def test_employers_in_the_same_place_of_every_card_are_nobody() -> None:
    employers = ["Blue Harbor", "Red Fern", "Quantum Loop", "Hooli", "Blue Harbor"]
    body = "".join(
        f"<figure><img src=x.png><figcaption><b>{name}</b><br>{title}<br>{org}</figcaption></figure>"
        for (name, title), org in zip(TEAM, employers, strict=True)
    )
    assert [person.name for person in read(page(body)).members] == [name for name, _ in TEAM]


@pytest.mark.parametrize(
    ("one", "other"),
    [("VP Sales", "Vice President of Sales"), ("Sr. Engineer", "senior engineer"),
     ("CEO", "Chief Executive Officer"), ("Director (Remote)", "Director"), ("Head of R&D", "Head of R & D")],
)  # fmt: skip
def test_a_title_written_otherwise_is_the_same(one: str, other: str) -> None:
    assert same_title(one, other)


def test_a_new_role_is_another_title() -> None:
    assert not same_title("Executive Director", "Director")


@pytest.mark.parametrize(
    "title",
    [
        "Former CTO",
        "Ex-CTO",
        "CTO (until 2020)",
        "Member, 2014\u20132019",
        "Professor Emeritus",
        "Ehemaliger Leiter",
    ],
)
def test_such_a_title_says_that_it_is_over(title: str) -> None:
    assert says_departed(title, 2024)


@pytest.mark.parametrize(
    "title",
    [
        "Former Lead; Developer",
        "Chair, 2023\u20132027",
        "Past President",
        "Formerly CTO, now CEO",
        "Engineer",
    ],
)
def test_such_a_title_is_still_held(title: str) -> None:
    assert not says_departed(title, 2024)


@pytest.mark.parametrize("written", ["Jane M. Doe", "J. Doe", "Doe, Jane", "Jane Doe"])
def test_a_photo_and_the_name_beside_it_are_one_person_however_each_is_written(written: str) -> None:
    rows = [(written, "Jane Doe", "VP Sales"), *((name, name, title) for name, title in TEAM[1:])]
    body = "".join(
        f'<div class="card"><img src="/p.jpg" alt="{alt}"><h3>{name}</h3><p>{title}</p></div>'
        for name, alt, title in rows
    )
    found = read(page(body)).members
    assert [person.title for person in found] == [title for _, title in TEAM]
    assert found[0].name == ("Jane Doe" if written == "J. Doe" else written)


def test_a_family_name_a_given_name_and_a_title_parted_by_commas_are_told_apart() -> None:
    body = "".join(f"<p>{name.split(maxsplit=1)[1]}, {name.split()[0]}, {title}</p>" for name, title in TEAM)
    assert [person.title for person in read(page(body)).members] == [title for _, title in TEAM]


def test_a_title_is_found_where_a_site_builder_wraps_every_line_by_itself() -> None:
    body = "".join(
        f'<div class="widget"><h2>{name}</h2></div><div class="widget"><p>{title}</p></div>'
        for name, title in TEAM
    )
    assert [(person.name, person.title) for person in read(page(body)).members] == list(TEAM)


def test_pronouns_are_no_part_of_a_name() -> None:
    body = cards([(f"{name} (they/them)", title) for name, title in TEAM])
    assert [person.name for person in read(page(body)).members] == [name for name, _ in TEAM]


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("People who used to work here", Kind.FORMER),
        ("No longer active", Kind.FORMER),
        ("Left the team", Kind.FORMER),
        ("Our previous work", Kind.OTHER),
        ("Current and former members", Kind.OTHER),
        ("Graduate students", Kind.OTHER),
    ],
)
def test_a_phrase_of_leaving_is_not_undone_by_its_own_words(heading: str, kind: Kind) -> None:
    assert kind_of(heading) is kind
