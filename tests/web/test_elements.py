"""A page is taken apart as BeautifulSoup takes it apart, in less memory."""

from __future__ import annotations

import warnings

import pytest
from bs4 import BeautifulSoup
from bs4.element import NavigableString, PreformattedString, Tag

from tests.web.team_pages import DESIGNS, TEAM, page
from watchers.web import elements
from watchers.web.blocks import lay_out
from watchers.web.elements import Element, parse

ODD = [
    "<p>a<!-- c -->b<!DOCTYPE x>c<?pi x?>d",
    "<a><!-- x --><b>1</b><i>2</i></a>",
    "</div>x<p></b>y",
    "<title>a<b>c</b></title>",
    "<svg:rect>x</svg:rect><P CLASS=A>x</P>",
    "<table><p>x</table>y",
    "<li>a<li>b</ul>c",
    "<a href=x>1<a href=y>2",
    "<b><p>x</b>y</p>",
    "<script>a</script><script><!-- x --></script>",
    "<![CDATA[x]]>y",
    "<select><option>a</select>b",
    "x&amp;y&nbsp;z&bogus;",
    "<body><body class=x>y</html>z",
    "",
]


def ours(held: Element) -> object:
    """Return an element as nested tuples; spaces between elements say nothing."""
    kept = [each for each in held.contents if each is not None]
    return (
        held.name,
        dict(held.attrs),
        [
            ours(each) if isinstance(each, Element) else each
            for each in kept
            if isinstance(each, Element) or each.strip()
        ],
    )


def theirs(held: Tag) -> object:
    """Return an element of BeautifulSoup's in the same form."""
    kept = [each for each in held.contents if not isinstance(each, PreformattedString)]
    return (
        held.name.lower() if held.parent is not None else "",
        dict(held.attrs),
        [
            theirs(each) if isinstance(each, Tag) else str(each)
            for each in kept
            if isinstance(each, Tag) or (isinstance(each, NavigableString) and each.strip())
        ],
    )


@pytest.mark.parametrize("text", [*ODD, *(page(design(TEAM)) for design in DESIGNS)])
def test_elements_are_those_of_beautiful_soup(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = theirs(BeautifulSoup(text, "lxml", multi_valued_attributes=None))
    assert ours(parse(text)[0]) == expected


def test_of_a_page_with_too_many_elements_the_first_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elements, "MOST_ELEMENTS", 20)
    seen = lay_out("<p>Jane Doe</p>" + "<p>x</p>" * 100 + "<p>Bob Roe</p>")
    assert "Jane Doe" in seen.text
    assert "Bob Roe" not in seen.text
    assert not seen.complete


def test_text_in_a_million_parts_takes_linear_time() -> None:
    assert parse("&amp;" * 300_000)[1]
