"""Names are compared by the person."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from watchers.web.namelike import Look, look
from watchers.web.names import Likeness, compare, parse


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Jörg Müller", "Joerg Mueller"),
        ("Jørgen Ødegård", "Jorgen Odegard"),
        ("Doe, Jane", "Jane Doe"),
        ("DOE Jane", "Jane Doe"),
        ("JANE DOE", "Jane Doe"),
        ("Dr. Jane Doe, PhD", "Jane Doe"),
        ("Jane Doe (she/her)", "Jane Doe"),
        ("Prof. Dr.-Ing. Jane Doe", "Jane Doe"),
        ("Wang Xiaoming", "Xiao-Ming Wang"),
        ("\u5c71\u7530 \u592a\u90ce", "\u5c71\u7530\u592a\u90ce"),
        ("Anne-Marie Roe", "Anne Marie Roe"),
        ("Ja\u00adne\u00a0D\u200boe", "Jane Doe"),
    ],
)
def test_ways_to_write_one_name_are_the_same(one: str, other: str) -> None:
    assert compare(parse(one), parse(other)) is Likeness.SAME


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Bob Ashby", "Robert Ashby"),
        ("Robert (Bob) Ashby", "Bob Ashby"),
        ("Jane M. Doe", "Jane Doe"),
        ("Jane Maria Doe", "Jane M. Doe"),
        ("J. Robert Ashby", "Robert Ashby"),
    ],
)
def test_nicknames_and_middle_names_are_near(one: str, other: str) -> None:
    assert compare(parse(one), parse(other)) is Likeness.NEAR


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("J. Doe", "Jane Doe"),
        ("Jane D.", "Jane Doe"),
        ("Jane Doe-Roe", "Jane Doe"),
        ("Jane Roe (n\u00e9e Doe)", "Jane Doe"),
        ("Jane Doe Roe", "Jane Doe"),
    ],
)
def test_initials_and_married_names_need_more_than_the_name(one: str, other: str) -> None:
    assert compare(parse(one), parse(other)) is Likeness.LOOSE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Jane Doe", "John Doe"),
        ("Jane Doe", "Jane Roe"),
        ("K. Doe", "Jane Doe"),
        ("Jane A. Doe", "Jane B. Doe"),
        ("John Doe Sr.", "John Doe Jr."),
        ("Jane", "Jane Doe"),
        ("", "Jane Doe"),
    ],
)
def test_another_given_or_family_name_is_another_person(one: str, other: str) -> None:
    assert compare(parse(one), parse(other)) is Likeness.NONE


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
@example("A", "E/A")
def test_comparing_never_fails_and_does_not_depend_on_the_order(one: str, other: str) -> None:
    assert (compare(parse(one), parse(other)) is Likeness.SAME) == (
        compare(parse(other), parse(one)) is Likeness.SAME
    )
    look(one)


@pytest.mark.parametrize(
    "text", ["Jane Doe", "Doe, Jane", "JANE DOE", "J. Doe", "Jane van der Berg", "Jane Doe, PhD"]
)
def test_a_name_looks_like_one(text: str) -> None:
    assert look(text) is Look.YES


@pytest.mark.parametrize(
    "text",
    [
        "Product Designer",
        "Latest news",
        "Head of Marketing",
        "POSITION VACANT",
        "Read more",
        "New York Office",
        "Jane @ Acme",
    ],
)
def test_titles_menus_and_vacancies_do_not_look_like_names(text: str) -> None:
    assert look(text) is Look.NO
