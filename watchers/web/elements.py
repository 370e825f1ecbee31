"""Parse a page with BeautifulSoup into elements that know what they hold, and nothing else of each other.

BeautifulSoup's own tree can be searched and rewritten in every direction, so each of its elements points to its
neighbours: that costs most of the time and memory of a parse. We only ever walk down, once.
"""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass, field
from typing import cast

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PageElement, Tag

MOST_ELEMENTS = 300_000
"""Of one page, with its texts. What is beyond is not read, and the page says that it is not complete."""


@dataclass(slots=True, eq=False)
class Element:
    """An element, its attributes, and what it holds in order: elements, text, and None for a comment."""

    name: str
    attrs: dict[str, str] = field(default_factory=dict)
    contents: list[Element | str | None] = field(default_factory=list)

    @property
    def string(self) -> str:
        """Return the text where nothing but text is held."""
        only = self.contents[0] if len(self.contents) == 1 else None
        return only.string if isinstance(only, Element) else only or ""


class _Parser(BeautifulSoup):
    """Builds elements of what the tree builder calls out, in place of BeautifulSoup's own.

    A tree builder calls `handle_starttag`, `handle_data`, `endData` and `handle_endtag`.
    """

    def reset(self) -> None:
        """Begin anew, as happens when a parser rejects an encoding."""
        super().reset()
        self.page = Element("")
        self.open = [self.page]
        self.names: Counter[str] = Counter()
        self.left = MOST_ELEMENTS

    def handle_starttag(
        self,
        name: str,
        namespace: str | None,
        nsprefix: str | None,
        attrs: object,
        sourceline: int | None = None,
        sourcepos: int | None = None,
        namespaces: dict[str, str] | None = None,
    ) -> None:
        """Open an element."""
        del namespace, nsprefix, sourceline, sourcepos, namespaces
        self.endData()
        element = Element(name.lower(), cast("dict[str, str]", attrs))
        self._hold(element)
        self.open.append(element)
        self.names[element.name] += 1

    def handle_endtag(self, name: str, nsprefix: str | None = None) -> None:
        """Close the innermost element of this name, and all in it; where none is open, nothing."""
        del nsprefix
        self.endData()
        closed = ""
        while self.names[name.lower()] and closed != name.lower():
            closed = self.open.pop().name
            self.names[closed] -= 1

    def endData(self, containerClass: type[NavigableString] | None = None) -> None:  # noqa: N802, N803 - the interface's
        """Hold the text that was called out since; a comment, a declaration or the like is no text."""
        if self.current_data:
            self._hold("".join(self.current_data) if containerClass is None else None)
            self.current_data = []

    def _hold(self, held: Element | str | None) -> None:
        self.left -= 1
        if self.left >= 0:
            self.open[-1].contents.append(held)

    def object_was_parsed(
        self, o: PageElement, parent: Tag | None = None, most_recent_element: PageElement | None = None
    ) -> None:
        """Do nothing: nothing is made that would have to be put in its place."""


def parse(text: str) -> tuple[Element, bool]:
    """Return the root of a page and whether all of it was taken; anything is read as HTML.

    >>> parse("<p>Jane<br>Doe")[0].contents[0].contents[0].contents[0].contents[0]
    'Jane'
    """
    with warnings.catch_warnings():
        # A page may look like anything; that it is read as HTML is meant.
        warnings.simplefilter("ignore")
        parser = _Parser(text, "lxml", multi_valued_attributes=None)
    return parser.page, parser.left >= 0
