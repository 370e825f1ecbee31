"""Give every line of a page the heading it stands under, also where the heading is only a short bold line."""

from __future__ import annotations

import re
from dataclasses import dataclass

from watchers.web.blocks import Document, Line, Place, semantic
from watchers.web.headings import Kind, kind_of
from watchers.web.namelike import Look, look

_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_PSEUDO_LEVEL = 7
_PSEUDO_WORDS = 6
_PSEUDO_LETTERS = 80
_PSEUDO_TAGS = frozenset(
    "p div span strong b dt th td caption legend summary figcaption header button em u li center".split(),
)
_LOUD_TAGS = frozenset(("strong", "b", "dt", "th", "caption", "legend", "summary", "u"))
_LINKED = frozenset(("a", "label", "option"))


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what it opens, up to the line `end`, which is excluded."""

    text: str
    level: int
    kind: Kind
    end: int
    style: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a line stands: the heading right above, and what all headings above make of it."""

    text: str = ""
    kind: Kind = Kind.OTHER
    former: str = ""


def standings(doc: Document) -> list[Standing]:
    """Return where each line stands."""
    stack: list[Section] = []
    result = []
    current, dirty = Standing(), False
    for number, line in enumerate(doc.lines):
        while stack and stack[-1].end <= number:
            stack.pop()
            dirty = True
        level = _level(doc, number, line, stack)
        if level:
            while stack and stack[-1].level >= level:
                stack.pop()
            stack.append(_open(doc, number, line, level))
            dirty = True
        if dirty:
            current, dirty = _standing(stack), False
        result.append(current)
    return result


def _standing(stack: list[Section]) -> Standing:
    if not stack:
        return Standing()
    former = next((section.text for section in stack if section.kind is Kind.FORMER), "")
    kind = Kind.FORMER if former else stack[-1].kind
    if (
        kind is Kind.OTHER
        and len(stack) > 1
        and stack[-2].kind in {Kind.NEWS, Kind.JOBS}
        and stack[-2].level > 1
    ):
        kind = stack[-2].kind
    return Standing(stack[-1].text, kind, former)


def _level(doc: Document, number: int, line: Line, stack: list[Section]) -> int:  # noqa: PLR0911 - each return is a rule
    """Return the level of the heading that the line is, 0 for none."""
    if line.alt:
        return 0
    if line.heading:
        if look(line.text) is not Look.YES or kind_of(line.text) is not Kind.OTHER:
            return line.heading
        # A name is a heading of its own card only, but one of higher rank than all before opens anew.
        return (
            line.heading
            if stack and stack[-1].level < _PSEUDO_LEVEL and line.heading < stack[-1].level
            else 0
        )
    if (
        doc.boxes[line.box].tag not in _PSEUDO_TAGS
        or len(line.text) > _PSEUDO_LETTERS
        or line.text.count(" ") >= _PSEUDO_WORDS
    ):
        return 0
    place = doc.boxes[line.box].place
    if (place is not Place.NONE and place & Place.NAV) or any(
        doc.boxes[piece.box].tag in _LINKED for piece in line.pieces
    ):
        return 0
    if (
        kind_of(line.text) is not Kind.OTHER
        and (doc.boxes[line.box].tag in _LOUD_TAGS or not _YEAR.search(line.text))
        and not _beside_a_name(doc, number, line)
    ):
        return _PSEUDO_LEVEL
    pseudo = stack and stack[-1].level == _PSEUDO_LEVEL
    return (
        _PSEUDO_LEVEL if pseudo and _style(doc, line) == stack[-1].style and look(line.text) is Look.NO else 0
    )


def _beside_a_name(doc: Document, number: int, line: Line) -> bool:
    """Say whether the line belongs to a person's own card, as "Former member" below a name does."""
    before = next(
        (other for other in reversed(doc.lines[max(0, number - 3) : number]) if not other.alt), None
    )
    if before is None or not _starts_with_name(before):
        return False
    box = doc.boxes[line.box]
    outer = doc.boxes[box.parent] if box.parent >= 0 else box
    if not outer.first <= number - 1:
        return False
    names = sum(
        _starts_with_name(other) for other in doc.lines[outer.first : outer.first + 20] if not other.alt
    )
    inner = {box.tag} | {doc.boxes[piece.box].tag for piece in line.pieces}
    return names <= 1 or not inner & _LOUD_TAGS


def _style(doc: Document, line: Line) -> tuple[str, ...]:
    box = doc.boxes[line.box]
    inner = doc.boxes[line.pieces[0].box].tag if line.pieces else ""
    return (box.tag, box.attrs.get("class", ""), inner, str(box.depth))


def _open(doc: Document, number: int, line: Line, level: int) -> Section:
    """Open a section; it ends with the element that holds it, where that is one that closes sections."""
    end = len(doc.lines)
    for index in doc.up(line.box):
        box = doc.boxes[index]
        if (
            box.last > number + 1
            and (semantic(box) or level == _PSEUDO_LEVEL)
            and _holds_names(doc, number + 1, box.last)
        ):
            end = box.last
            break
    return Section(line.text[:120], level, kind_of(line.text), end, _style(doc, line))


def _holds_names(doc: Document, first: int, last: int) -> bool:
    """Say whether a name may stand in one of the next lines, up to the last."""
    near = doc.lines[first : min(last, first + 8)]
    return any(_starts_with_name(line) for line in near)


def _starts_with_name(line: Line) -> bool:
    head = line.text[:60].split(",")[0].split(" - ")[0].split(" \u2013 ")[0].split(" (")[0]
    return look(head) is not Look.NO
