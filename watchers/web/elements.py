"""Parse a page with BeautifulSoup into elements that know what they hold, and nothing else of each other.

BeautifulSoup's own tree can be searched and rewritten in every direction, so each element of it points to its
neighbours: that costs most of the time and memory of a parse. We only ever walk down, once.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bs4 import BeautifulSoup
from bs4.builder._lxml import LXMLTreeBuilder

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


class _Elements(LXMLTreeBuilder):
    """Builds elements of what lxml calls out, in place of BeautifulSoup's own."""

    def reset(self) -> None:
        """Begin anew, as happens when a parser rejects an encoding."""
        super().reset()
        self.page = Element("")
        self.left = MOST_ELEMENTS
        self._open = [self.page]
        self._names: Counter[str] = Counter()
        self._text: list[str] = []

    def start(self, tag: str | bytes, attrib: Mapping[Any, Any], nsmap: object = None) -> None:
        """Open an element."""
        del nsmap
        self._end_text()
        element = Element(str(tag).lower(), dict(attrib))
        self._hold(element)
        self._open.append(element)
        self._names[element.name] += 1

    def end(self, tag: str | bytes) -> None:
        """Close the innermost element of this name, and all in it; where none is open, nothing."""
        self._end_text()
        name, closed = str(tag).lower(), ""
        while closed != name and self._names[name]:
            closed = self._open.pop().name
            self._names[closed] -= 1

    def data(self, data: str | bytes) -> None:
        """Take text, which comes in parts."""
        self._text.append(str(data))

    def comment(self, text: str | bytes) -> None:
        """Part the text around a comment."""
        del text
        self._end_text()
        self._hold(None)

    def pi(self, target: str, data: str) -> None:
        """Part the text around an instruction."""
        self.comment(target + data)

    def doctype(self, name: str, pubid: str, system: str) -> None:
        """Part the text around a declaration."""
        del pubid, system
        self.comment(name)

    def close(self) -> None:
        """End the page."""
        self._end_text()
        super().close()

    def _end_text(self) -> None:
        if self._text:
            self._hold("".join(self._text))
            self._text = []

    def _hold(self, held: Element | str | None) -> None:
        self.left -= 1
        if self.left >= 0:
            self._open[-1].contents.append(held)


def parse(text: str) -> tuple[Element, bool]:
    """Return the root of a page and whether all of it was taken; anything is read as HTML.

    >>> parse("<p>Jane<br>Doe")[0].contents[0].contents[0].contents[0].contents[0]
    'Jane'
    """
    with warnings.catch_warnings():
        # A page may look like anything; that it is read as HTML is meant.
        warnings.simplefilter("ignore")
        builder = _Elements()
        BeautifulSoup(text, builder=builder)
    return builder.page, builder.left >= 0
