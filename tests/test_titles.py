from __future__ import annotations

import csv
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.titles import LONGEST, UNTITLED, Function, Seniority, Side, Standing, read_title

ENOUGH = 0.9
TABLE = Path(__file__).with_name("titles.csv")
FRESH = Path(__file__).with_name("titles_fresh.csv")
PER_LANGUAGE = 25


def labelled(table: Path = TABLE) -> list[tuple[str, Standing]]:
    with table.open(encoding="utf-8", newline="") as file:
        return [
            (row["title"], Standing(Seniority(row["seniority"]), Function(row["function"])))
            for row in csv.DictReader(file, delimiter=";")
        ]


# The rules were written with the even rows in sight; the odd ones only tell how good they are.
@pytest.mark.parametrize("rows", [labelled()[0::2], labelled()[1::2]], ids=["seen", "unseen"])
def test_labelled_titles_are_read_as_people_label_them(rows: list[tuple[str, Standing]]) -> None:
    assert len(rows) >= 150
    assert_read(rows)


# Labelled before any rule was run on them; what the first reading missed was mended by general rules since.
@pytest.mark.parametrize("begin", range(0, 100, PER_LANGUAGE), ids=["English", "German", "French", "Spanish"])
def test_titles_labelled_after_the_rules_are_read_in_every_language(begin: int) -> None:
    rows = labelled(FRESH)
    assert len(rows) == 4 * PER_LANGUAGE
    assert_read(rows[begin : begin + PER_LANGUAGE])


def assert_read(rows: list[tuple[str, Standing]]) -> None:
    read = [(read_title(title), label) for title, label in rows]
    assert sum(found.seniority is label.seniority for found, label in read) >= ENOUGH * len(rows)
    assert sum(found.side is label.side for found, label in read) >= ENOUGH * len(rows)
    assert sum(found.function is label.function for found, label in read) >= ENOUGH * len(rows)


def test_an_executive_director_is_a_director() -> None:
    assert read_title("Executive Director").seniority is Seniority.DIRECTOR
    assert read_title("EXECUTIVE DIRECTOR, FINANCE") == Standing(Seniority.DIRECTOR, Function.FINANCE)


@pytest.mark.parametrize(
    "title", ["Executive Assistant to the CEO", "Assistentin der Geschäftsführung", "Assistante du directeur"]
)
def test_who_assists_somebody_is_not_that_somebody(title: str) -> None:
    assert read_title(title) == Standing(Seniority.ASSISTANT, Function.OTHER)


def test_a_chief_of_staff_is_not_the_chief() -> None:
    assert read_title("Chief of Staff to the CEO").seniority is Seniority.DIRECTOR


@pytest.mark.parametrize("title", ["", "  ", "-", "…"])
def test_of_an_absent_title_nothing_is_said(title: str) -> None:
    assert read_title(title) == UNTITLED
    assert UNTITLED.side is Side.OTHER


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Leiter Einkauf", "LEITER EINKAUF"),
        ("Geschäftsführer", "Geschaeftsfuehrer"),
        ("Head of IT", "head  of\tIT"),
        ("Einkäufer", "Einkäufer (m/w/d)"),
        ("Sr. VP, Sales", "SR VP SALES"),
        ("Directeur général", "DIRECTEUR GENERAL"),
    ],
)
def test_how_a_title_is_written_makes_no_difference(one: str, other: str) -> None:
    assert read_title(one) == read_title(other)


def test_the_sides_of_a_deal_are_told_apart() -> None:
    assert read_title("VP Operations").side is Side.BUSINESS
    assert read_title("Leiter Informationstechnik").side is Side.TECHNICAL
    assert read_title("Professor of Chemistry").side is Side.OTHER


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=3 * LONGEST))
def test_any_text_is_read(text: str) -> None:
    assert read_title(text).side in Side


@pytest.mark.parametrize("piece", ["assistant to ", "chief a ", "leiter", "officer ", "(m/w/d", "a" * 200])
def test_a_hostile_title_takes_no_time(piece: str) -> None:
    began = time.process_time()
    read_title(piece * 20_000)
    assert time.process_time() - began < 1
