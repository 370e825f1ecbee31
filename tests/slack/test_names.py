from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.names import Naming, initials


@pytest.mark.parametrize(
    ("name", "address", "short"),
    [
        ("Jane Doe", "", "J. D."),
        ("jane maria van doe", "", "J. D."),
        ("", "jane.doe@acme.example", "J. D."),
        ("Cher", "", "C."),
        ("山田 太郎", "", "山. 太."),
        ("", "", "somebody"),
        ("\u202e12", "", "somebody"),
        ("W" * 10_000, "", "W."),
    ],
)
def test_initials_are_those_of_the_first_and_the_last_name(name: str, address: str, short: str) -> None:
    assert initials(name, address) == short


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=200))
def test_no_name_breaks_the_search_for_names(name: str, address: str, text: str) -> None:
    by = Naming("initials", ((name, address), (text, name)))
    assert len(by.quote(text, 100)) <= 100
    assert len(by.source(text)) <= 80
