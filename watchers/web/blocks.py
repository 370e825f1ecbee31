"""Lay a page out as lines of text that remember where they stand: what a reader sees, in order.

One walk over the parsed tree. Boxes are elements, with the range of lines each holds; a line is the text
between two breaks, in pieces by inline element. What follows works on ranges of lines, in linear time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Flag, auto
from functools import lru_cache
from typing import TYPE_CHECKING

from watchers.web.elements import Element, parse
from watchers.web.folding import clean, fold
from watchers.web.headings import names_the_departed

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_LINES = 20_000
MOST_BOXES = 100_000
MOST_DEPTH = 300
MOST_TEXT = 2_000
"""Characters of a line that are read."""
MOST_PIECES = 100

_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark meter output q ruby s"
    " samp "
    "small span strike strong sub sup time tt u var wbr nobr".split(),
)
_UNREAD = frozenset(
    "script style svg math canvas head template select textarea object embed audio video map".split()
)
_BREAKS = frozenset(("br", "hr"))
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_SPLIT = re.compile(r"[^a-zA-Z]+|(?<=[a-z])(?=[A-Z])")
_SEMANTIC = frozenset("section article aside details table dl fieldset".split())


class Place(Flag):
    """What the elements around a line say about it."""

    NONE = 0
    NAV = auto()
    FOOT = auto()
    QUOTE = auto()
    NEWS = auto()
    JOBS = auto()
    FORMER = auto()
    OWN = auto()
    """Inside a part of the page, so that a footer there is that part's."""


_PLACES_BY_TOKEN = {
    **dict.fromkeys(("breadcrumb", "breadcrumbs", "menu", "navbar"), Place.NAV),
    **dict.fromkeys(
        ("testimonial", "testimonials", "quote", "quotes", "blockquote", "review", "reviews"), Place.QUOTE
    ),
    **dict.fromkeys(
        ("news", "blog", "byline", "press", "podcast", "comments", "webinar", "webinars"), Place.NEWS
    ),
    **dict.fromkeys(("jobs", "vacancies", "careers"), Place.JOBS),
    **dict.fromkeys(
        (
            "alumni",
            "alumnus",
            "alumna",
            "former",
            "emeritus",
            "emeriti",
            "memoriam",
            "past",
            "retired",
            "departed",
        ),
        Place.FORMER,
    ),
}
_PEOPLE_TOKENS = frozenset("team people person staff member members employee profile".split())
_NAME_ATTRIBUTES = ("data-name", "name", "full-name", "fullname", "data-full-name", "member-name")
_ROLE_ATTRIBUTES = ("data-role", "data-title", "data-position", "role", "title", "job-title", "position")
_GIVEN_TOKENS = frozenset(
    "first given firstname givenname forename vorname prenom last surname family lastname".split()
)
_PLACES_BY_TAG = {"nav": Place.NAV, "blockquote": Place.QUOTE, "q": Place.QUOTE, "cite": Place.QUOTE}
_HOLDERS = frozenset(("html", "body", "main"))
_WRAPPERS = frozenset(("a", "span", "label"))
_ORNAMENTS = frozenset("br i img svg sup sub wbr".split())
_TELLING = ("class", "id", "itemprop", "data-field", "data-testid")
_NO_TOKENS: frozenset[str] = frozenset()
_FEED = re.compile(
    r"\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--[^>]{0,200}-->\s*)?<(?:rss|feed|rdf:|urlset|sitemapindex|svg)\b",
    re.IGNORECASE,
)
_SWITCHES = frozenset(("a", "button", "label"))
_OWN_PARTS = frozenset("article li section main blockquote figure".split())


@dataclass(slots=True)
class Box:
    """An element: the lines and assets it holds are `first` to `last`, the last excluded."""

    tag: str
    attrs: dict[str, str]
    parent: int
    place: Place
    first: int
    first_asset: int
    depth: int
    tokens: frozenset[str]
    last: int = 0
    last_asset: int = 0
    breaks: bool = False


@dataclass(slots=True)
class Piece:
    """Text of one inline element."""

    text: str
    box: int


@dataclass(slots=True)
class Line:
    """Text between two breaks. `heading` is the level of the heading it is, 0 for none."""

    text: str
    box: int
    pieces: list[Piece]
    heading: int = 0
    alt: bool = False


@dataclass(frozen=True, slots=True)
class Asset:
    """A link, a photo or a frame, before which line it stands, and in which element."""

    kind: str
    value: str
    line: int
    text: str = ""


@dataclass(slots=True)
class Document:
    """A page laid out."""

    boxes: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    assets: list[Asset] = field(default_factory=list)
    scripts: list[tuple[str, str]] = field(default_factory=list)
    title: str = ""
    language: str = ""
    complete: bool = True

    def up(self, box: int) -> Iterator[int]:
        """Yield the box and all around it, from the inside out."""
        while box >= 0:
            yield box
            box = self.boxes[box].parent

    @property
    def text(self) -> str:
        """Return what can be read on the page."""
        return "\n".join(line.text for line in self.lines)


def tokens_of(attrs: dict[str, str]) -> frozenset[str]:
    """Return the words of an element's class, id and kin."""
    found = [attrs[key] for key in _TELLING if key in attrs]
    return _words_of(" ".join(found)[:400]) if found else _NO_TOKENS


@lru_cache(maxsize=16_384)
def _words_of(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _SPLIT.split(text) if word)


def _holds_parts(tag: Element) -> bool:
    """Say whether an inline element is a card: it holds elements of its own for each thing it says."""
    parts = [
        child for child in tag.contents[:8] if isinstance(child, Element) and child.name not in _ORNAMENTS
    ]
    return len(parts) > 1


def _place_in(around: Place, name: str, role: str | None, tokens: frozenset[str]) -> Place:
    """Return the place inside an element that stands in another place."""
    place = around
    if name in _PLACES_BY_TAG:
        place |= _PLACES_BY_TAG[name]
    if role in {"navigation", "menu", "menubar"}:
        place |= Place.NAV
    if name == "footer" and Place.OWN not in place:
        place |= Place.FOOT
    if name in _OWN_PARTS:
        place |= Place.OWN
    if tokens and name != "img":
        for token in tokens & _PLACES_BY_TOKEN.keys():
            if _PLACES_BY_TOKEN[token] is Place.FORMER or not tokens & _PEOPLE_TOKENS:
                place |= _PLACES_BY_TOKEN[token]
    return place


class _Layout:
    """Walks the tree once and fills a document."""

    def __init__(self) -> None:
        self.doc = Document()
        self.pieces: list[Piece] = []
        self.block = -1
        self.heading = 0
        self.labels: dict[str, Place] = {}
        self.places: dict[tuple[Place, str, str | None, frozenset[str]], Place] = {}
        self.opened = 0

    def walk(self, root: Element) -> None:
        """Enter every element, and leave it, without recursion."""
        box, rest = -1, iter(root.contents)
        around: list[tuple[int, Iterator[Element | str | None]]] = []
        while True:
            for node in rest:
                if isinstance(node, str):
                    self._text(node, box)
                elif node is not None:
                    entered = self._enter(node, box)
                    if entered is not None:
                        around.append((box, rest))
                        box, rest = entered, iter(node.contents)
                        break
            else:
                if not around:
                    break
                self._leave(box)
                box, rest = around.pop()
        self._flush()

    def _enter(self, tag: Element, parent: int) -> int | None:
        name, doc = tag.name, self.doc
        if name in _UNREAD:
            self._aside(name, tag)
            return None
        if name in _BREAKS:
            if self.heading or (name == "br" and self._splits_a_name()):
                self._text(" ", parent)
            else:
                self._flush()
            return None
        depth = doc.boxes[parent].depth + 1 if parent >= 0 else 0
        if depth > MOST_DEPTH or len(doc.boxes) >= MOST_BOXES or len(doc.lines) >= MOST_LINES:
            doc.complete = False
            return None
        attrs = tag.attrs
        breaks = name not in _INLINE or (name in _WRAPPERS and _holds_parts(tag))
        if breaks and self.pieces and not self.heading:
            self._flush()
        tokens = tokens_of(attrs)
        place = self._place(name, attrs, tokens, parent)
        index = len(doc.boxes)
        box = Box(name, attrs, parent, place, len(doc.lines), len(doc.assets), depth, tokens)
        box.breaks = breaks
        doc.boxes.append(box)
        if name == "a":
            self.opened = len(self.pieces)
        if breaks and not self.heading:
            self.block = index
            if name in _HEADINGS or attrs.get("role") == "heading":
                level = name[1] if name[0] == "h" and name[1:].isdigit() else attrs.get("aria-level", "2")
                self.heading = int(level) if level in "123456" else 2
        self._note(name, attrs, index)
        return index

    def _splits_a_name(self) -> bool:
        """Say whether a line break parts a given name from its family name, as designers like it."""
        if not self.pieces or self.pieces[-1].box == self.block:
            return False
        box = self.doc.boxes[self.pieces[-1].box]
        return bool(box.tokens & _GIVEN_TOKENS) and box.tag in _INLINE

    def _leave(self, index: int) -> None:
        doc, box = self.doc, self.doc.boxes[index]
        if box.breaks and (not self.heading or self.block == index):
            self._flush()
            self.heading = 0 if self.block == index else self.heading
            self.block = box.parent
        box.last, box.last_asset = len(doc.lines) + bool(self.pieces), len(doc.assets)
        if box.tag == "a":
            self._link(box)
        if box.tag in _SWITCHES:
            self._switch(box)

    def _place(self, name: str, attrs: dict[str, str], tokens: frozenset[str], parent: int) -> Place:
        around = self.doc.boxes[parent].place if parent >= 0 else Place.NONE
        if name in _HOLDERS:
            return around
        key = (around, name, attrs.get("role"), tokens)
        place = self.places.get(key)
        if place is None:
            place = self.places[key] = _place_in(*key)
        return place | self._labelled(attrs) if self.labels else place

    def _labelled(self, attrs: dict[str, str]) -> Place:
        """Return what the button that opens a panel says of it."""
        names = (attrs.get("id", ""), attrs.get("aria-labelledby", ""))
        return next((self.labels[name] for name in names if name in self.labels), Place.NONE)

    def _note(self, name: str, attrs: dict[str, str], index: int) -> None:
        """Keep what an element says outside its text."""
        doc = self.doc
        if name == "img":
            source = attrs.get("src") or attrs.get("data-src") or attrs.get("srcset", "").split(" ")[0]
            if source:
                doc.assets.append(Asset("photo", source[:500], len(doc.lines)))
            alt = clean(attrs.get("alt", "")[:300])
            if alt and not self.heading:
                self._flush()
                doc.lines.append(Line(alt, index, [Piece(alt, index)], alt=True))
        elif name in {"iframe", "frame"} and attrs.get("src"):
            doc.assets.append(Asset("frame", attrs["src"][:500], len(doc.lines)))
        elif name == "link" and "next" in attrs.get("rel", "").split():
            doc.assets.append(Asset("next", attrs.get("href", "")[:500], len(doc.lines)))
        elif name in {"meta", "link"} and attrs.get("itemprop") and attrs.get("content"):
            text = clean(attrs["content"][:300])
            doc.lines.append(Line(text, index, [Piece(text, index)]))
        elif "-" in name or "data-name" in attrs:
            self._note_component(attrs, index)
        elif name == "html":
            doc.language = attrs.get("lang", "")[:2].lower()

    def _note_component(self, attrs: dict[str, str], index: int) -> None:
        """Keep a person who is given in the attributes of an element that a script draws."""
        name = next((attrs[key] for key in _NAME_ATTRIBUTES if attrs.get(key)), "")
        role = next((attrs[key] for key in _ROLE_ATTRIBUTES if attrs.get(key)), "")
        if not name or len(self.doc.boxes) >= MOST_BOXES:
            return
        for text, token in ((name, "fullname"), (role, "role")):
            if text:
                place, depth = self.doc.boxes[index].place, self.doc.boxes[index].depth + 1
                at = len(self.doc.lines)
                tokens = frozenset((token,))
                self.doc.boxes.append(
                    Box("span", {}, index, place, at, len(self.doc.assets), depth, tokens, at + 1)
                )
                said = clean(text[:MOST_TEXT])
                self.doc.lines.append(
                    Line(said, len(self.doc.boxes) - 1, [Piece(said, len(self.doc.boxes) - 1)])
                )

    def _link(self, box: Box) -> None:
        """Keep a link with its text."""
        href = box.attrs.get("href", "")
        if not href:
            return
        text = " ".join(piece.text for piece in self.pieces[self.opened :])
        if len(self.doc.lines) > box.first:
            text = " ".join(line.text for line in self.doc.lines[box.first : box.first + 3])
        label = clean(text[:200] or box.attrs.get("aria-label", "") or box.attrs.get("title", ""))
        kind = "next" if "next" in box.attrs.get("rel", "").split() else "link"
        self.doc.assets.append(Asset(kind, href[:500], box.first, label[:120]))
        box.last_asset = len(self.doc.assets)

    def _switch(self, box: Box) -> None:
        """Keep what a tab or an accordion's button says of the panel it opens."""
        target = box.attrs.get("aria-controls") or next(
            (
                value[1:]
                for key in ("href", "data-target", "data-bs-target")
                if (value := box.attrs.get(key, ""))[:1] == "#"
            ),
            "",
        )
        names = [name for name in (target, box.attrs.get("id", "")) if name]
        if not names:
            return
        text = " ".join(line.text for line in self.doc.lines[box.first : box.first + 2])
        text = text or " ".join(piece.text for piece in self.pieces[self.opened :])
        if names_the_departed(text[:200]):
            self.labels.update(dict.fromkeys(names, Place.FORMER))

    def _aside(self, name: str, tag: Element) -> None:
        """Keep scripts and the title; what else is not read is dropped."""
        if name == "script" and len(self.doc.scripts) < 200:  # noqa: PLR2004 - no page of people has more
            self.doc.scripts.append((fold(tag.attrs.get("type", "")), tag.string))
        elif name == "head":
            for child in tag.contents:
                if not isinstance(child, Element):
                    continue
                if child.name == "title" and not self.doc.title:
                    self.doc.title = clean(child.string[:300])
                elif child.name == "script":
                    self._aside("script", child)
                elif child.name == "link" and "next" in child.attrs.get("rel", "").split():
                    self.doc.assets.append(Asset("next", child.attrs.get("href", "")[:500], 0))

    def _text(self, text: str, box: int) -> None:
        if self.pieces and self.pieces[-1].box == box:
            self.pieces[-1].text += text
        elif text.strip() or self.pieces:
            last = self.pieces[-1] if self.pieces else None
            spans = last and self.block not in {box, last.box} and last.text[-1:].strip() and text[:1].strip()
            self.pieces.append(Piece(" " + text if spans else text, box))

    def _flush(self) -> None:
        """End the line."""
        pieces, self.pieces = self.pieces, []
        if not pieces:
            return
        text = clean("".join(piece.text for piece in pieces)[:MOST_TEXT])
        if text:
            cleaned = [Piece(text, pieces[0].box)] if len(pieces) == 1 else _cleaned(pieces)
            self.doc.lines.append(Line(text, self.block, cleaned, self.heading))


def _cleaned(pieces: list[Piece]) -> list[Piece]:
    kept = (
        (clean(piece.text[:MOST_TEXT]), piece.box) for piece in pieces[:MOST_PIECES] if piece.text.strip()
    )
    return [Piece(text, box) for text, box in kept if text]


def lay_out(text: str) -> Document:
    """Lay a page's text out; anything can be laid out, also what is no HTML.

    >>> [line.text for line in lay_out("<h3>Jane<br>Doe</h3><p>CEO</p>").lines]
    ['Jane Doe', 'CEO']
    """
    if _FEED.match(text[:500]):
        return Document()
    layout = _Layout()
    root, complete = parse(text)
    layout.walk(root)
    layout.doc.complete &= complete
    return layout.doc


def semantic(box: Box) -> bool:
    """Say whether an element closes what a heading inside it opened."""
    return box.tag in _SEMANTIC or box.attrs.get("role") == "tabpanel"
