from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.guess import SHAPES, Parts, fits, name_parts, pattern, written

KNOWN = [
    ("Jane Doe", "jane.doe@acme.example"),
    ("Müller, Jörg", "joerg.mueller@acme.example"),
    ("Dr. Vincent van der Berg", "vincent.vanderberg@acme.example"),
]


def guessed(known: list[tuple[str, str]], name: str) -> str:
    found = pattern(known)
    return found.address(name) if found is not None else ""


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("Ann Lee", "ann.lee@acme.example"),
        ("LEE, ANN", "ann.lee@acme.example"),
        ("Günther Größer", "guenther.groesser@acme.example"),
        ("Anne-Marie Roe", "anne-marie.roe@acme.example"),
        ("Ludwig van Beek", "ludwig.vanbeek@acme.example"),
        ("José Núñez", "jose.nunez@acme.example"),
        ("Prof. Dr. Ada Byron", "ada.byron@acme.example"),
        ("Ann", ""),
        ("", ""),
        ("李 雷", ""),
        ("team@acme.example", ""),
    ],
)
def test_a_name_is_written_as_the_known_addresses_are(name: str, address: str) -> None:
    assert guessed(KNOWN, name) == address


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_recognised_by_two_addresses(shape: str) -> None:
    local = {name: written(Parts(*name.lower().split()), shape) for name in ("Jane Doe", "Robert Ashby")}
    found = pattern([(name, f"{one}@acme.example") for name, one in local.items()])
    assert found is not None
    assert found.address("Zoe Quill") == f"{written(Parts('zoe', 'quill'), shape)}@acme.example"


def test_one_known_address_makes_no_pattern() -> None:
    assert pattern(KNOWN[:1]) is None
    assert pattern([*KNOWN[:1], *KNOWN[:1]]) is None
    assert pattern([]) is None


def test_addresses_that_do_not_agree_make_no_pattern() -> None:
    others = [
        ("Ann Lee", "alee@acme.example"),
        ("Bob Roe", "bob@acme.example"),
        ("Cy Fox", "x17@acme.example"),
    ]
    assert pattern([*KNOWN[:2], *others]) is None


def test_hyphens_and_umlauts_follow_the_house() -> None:
    plain = [("Jörg Müller", "jmuller@acme.example"), ("Anne-Marie Süß-Roth", "asussroth@acme.example")]
    assert guessed(plain, "Björn Grün-Hof") == "bgrunhof@acme.example"


def test_particles_may_be_left_out() -> None:
    left_out = [("Tom van Dyck", "tom.dyck@acme.example"), ("Jan de Vries", "jan.vries@acme.example")]
    assert guessed(left_out, "Piet van der Meer") == "piet.meer@acme.example"


def test_a_guess_says_what_it_follows() -> None:
    found = pattern(KNOWN)
    assert found is not None
    assert found.because == "a guess: first.last@acme.example, as 3 known addresses there are made"


@pytest.mark.parametrize("local", ["jane.doe", "jdoe", "doe.jane", "jane", "jdoe2", "jane.doe+list"])
def test_an_address_that_a_name_may_have_fits(local: str) -> None:
    assert fits("Jane Doe", local)
    assert not fits("Robert Ashby", local)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=40), st.text(max_size=40)), max_size=6), st.text(max_size=60))
def test_hostile_names_and_addresses_make_no_odd_address(known: list[tuple[str, str]], name: str) -> None:
    address = guessed([*known, *KNOWN], name)
    assert not address or (address.count("@") == 1 and not any(char.isspace() for char in address))
    assert name_parts(name) is None or len(name_parts(name) or ()) == 2
