from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack import mrkdwn


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.integers(min_value=2, max_value=60))
def test_quoted_text_fits_its_limit_and_never_ends_in_half_an_entity(text: str, limit: int) -> None:
    quoted = mrkdwn.quote(text, limit)
    assert len(quoted) <= limit
    assert not re.search(r"&(?!amp;|lt;|gt;)", quoted)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="ab*_~`:.@<>&| ", max_size=80))
def test_quoted_text_holds_nothing_that_formats(text: str) -> None:
    quoted = mrkdwn.quote(text, 1000)
    assert not set("*~`|<>") & set(quoted)
    assert not re.search(r":[\w+'-]+:", quoted)
    assert not re.search(r"(?<![a-z])_|_(?![a-z])", quoted)


@pytest.mark.parametrize(
    "harmless",
    [
        "ann_lee@acme.example",
        "10:30",
        "Zoë O'Brien",
        "50 % of C++",
        "https://acme.example/a?b=c",
        "ratio 3:2",
    ],
)
def test_harmless_text_stays_as_it_is(harmless: str) -> None:
    assert mrkdwn.quote(harmless) == harmless


def test_a_cut_text_says_so() -> None:
    assert mrkdwn.quote("a" * 300, 10) == "aaaaaaaaa…"
    assert mrkdwn.quote("a&&&&", 12) == "a&amp;&amp;…"


def test_an_address_that_could_be_no_link_becomes_none() -> None:
    assert mrkdwn.mailto("a@b.example|<!channel>", "Ann") == "Ann"
    assert mrkdwn.mailto("ann@b.example", "") == "<mailto:ann@b.example|ann@b.example>"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a" * 300, "aaaaaaaaa…"),
        ("one\ntwo", "one two"),
        (":fire: hot", "\u2236fire: hot"),
        ("<!here>", "<!here>"),
        ("\u202egnp", "gnp"),
    ],
)
def test_plain_text_is_one_line_without_emoji_and_fits(text: str, shown: str) -> None:
    assert mrkdwn.plain(text, 10) == shown


def test_after_a_name_from_right_to_left_the_line_goes_on_from_left_to_right() -> None:
    assert mrkdwn.quote("נועה כהן", 80) == "נועה כהן\u200e"
    assert mrkdwn.quote("Jane Doe", 80) == "Jane Doe"
    assert mrkdwn.quote("Zoë", 80) == "Zoë"


def test_a_text_from_right_to_left_keeps_the_limit() -> None:
    assert mrkdwn.quote("נועה כהן", 5) == "נוע…\u200e"
