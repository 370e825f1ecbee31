"""Whatever a server sends is read in bounded time, and nothing raises."""

from __future__ import annotations

import gzip
import json
import random
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web.team_pages import DESIGNS, FIRST_DAY, TEAM, URL, cards, fetched, page
from watchers.web.findings import Sighting, Watched
from watchers.web.pages import MOST_BYTES, Fetched, decode, unpack
from watchers.web.presence import look_again
from watchers.web.reading import look

LONGEST_SECONDS = 20
"""Generous: the machine of the tests may be busy. Anything quadratic takes minutes at these sizes."""

ODD = [
    "<div>" * 10_000 + "Jane Doe",
    "<footer>" * 10_000,
    "<a href=x>" * 20_000,
    "<span>" * 5_000 + "<a href=x>Jane</a>" * 5_000,
    "<table><tr><td>" * 10_000,
    "<h2>Alumni</h2>" * 20_000,
    "<p>Jane Doe</p>" * 60_000,
    "<li>Jane Doe, CEO</li>" * 30_000,
    "<p>" + "Jane Doe, " * 100_000,
    "<b>Jane " * 30_000,
    "<p " + " ".join(f"a{number}=1" for number in range(50_000)) + ">",
    "<p class='" + "x-" * 500_000 + "'>Jane Doe</p>",
    "<" * 1_000_000,
    "&amp;" * 400_000,
    "<script>" + "x={" * 300_000,
    '<script type="application/json">' + "[" * 500_000,
    '<script type="application/json">'
    + json.dumps([{"name": "Jane Doe", "role": "CEO"}] * 30_000)
    + "</script>",
    "<img src=a alt='Jane Doe'>" * 30_000,
    "<title>" * 10_000,
    "\x00" * 500_000,
]


@pytest.mark.parametrize("text", ODD, ids=lambda text: text[:12].strip())
def test_odd_pages_take_bounded_time(text: str) -> None:
    started = time.monotonic()
    sighting = look([fetched(text)]).sighting
    look_again(None, [Watched("j", "Jane Doe")], sighting, fetched("").day)
    assert time.monotonic() - started < LONGEST_SECONDS


@pytest.mark.parametrize("length", ["²", "9" * 5000, "-1", "1e9", ""])
def test_any_length_can_be_announced(length: str) -> None:
    whole = fetched(page(cards(TEAM)))
    announced = replace(whole, headers={"content-length": length})
    assert len(look([announced]).sighting.people) == len(TEAM)


def test_a_gzip_bomb_is_unpacked_no_further_than_a_page() -> None:
    assert unpack(gzip.compress(bytes(50 * MOST_BYTES))) is None
    assert "larger" in look([fetched(gzip.compress(bytes(5 * MOST_BYTES)))]).sighting.reason


def test_gzip_that_nobody_labelled_is_read() -> None:
    assert look([fetched(gzip.compress(page(cards(TEAM)).encode()))]).sighting.people


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("Jörg Müller".encode(), "text/html; charset=iso-8859-1"),
        ("Jörg Müller".encode("cp1252"), ""),
        ("Jörg Müller".encode("cp1252"), "text/html; charset=utf-8"),
        ("Jörg Müller".encode("utf-16"), ""),
        ("\ufeffJörg Müller".encode(), "text/html; charset=ascii"),
        ("Jörg Müller".encode(), "text/html; charset=no-such-thing"),
        ("Jörg Müller".encode(), "text/html; charset=rot13"),
        ("Jörg Müller".encode("iso-8859-2"), "text/html; charset=iso-8859-2"),
    ],
)
def test_a_wrong_or_missing_charset_does_not_damage_names(body: bytes, content_type: str) -> None:
    assert decode(body, content_type) == "Jörg Müller"


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, len(DESIGNS) - 1), st.integers(1, 30))
def test_random_damage_never_raises_and_never_loses_the_state(seed: int, design: int, cuts: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - damage needs no secrecy
    body = bytearray(page(DESIGNS[design](TEAM)).encode())
    contacts = [Watched(name, name, title) for name, title in TEAM]
    state = look_again(None, contacts, look([fetched(bytes(body))]).sighting, fetched("").day).state
    for _ in range(cuts):
        start = chance.randrange(len(body))
        body[start : start + chance.randrange(12)] = chance.randbytes(chance.randrange(6))
    report = look_again(state, contacts, look([fetched(bytes(body), 1)]).sighting, fetched("", 1).day)
    assert json.loads(json.dumps(report.state)) == report.state
    assert len(report.findings) == len(contacts)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 600), st.text(max_size=30))
def test_random_answers_never_raise(body: bytes, status: int, content_type: str) -> None:
    seen = look([Fetched(status, URL, URL, body, FIRST_DAY, {"content-type": content_type})])
    assert isinstance(seen.sighting, Sighting)
