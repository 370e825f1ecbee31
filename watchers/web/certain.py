"""Tell which mentions are names: by themselves, or by what stands around them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from watchers.web.blocks import Box, Document
from watchers.web.mentions import Mention
from watchers.web.namelike import Look, has_title_word, look
from watchers.web.sections import Standing
from watchers.web.titles import is_prose

CARD_LINES = 12
"""Lines that a card of one person has at most."""

MOST_TITLE = 400
"""Letters of a title at most."""

_GROUP_FEWEST = 2
_GROUP_SHARE = 0.5
_GROUP_MANY, _GROUP_MANY_SHARE = 4, 0.3
_SMALL_CARD = 6
_ROWS = frozenset("tr ul ol dl table tbody main body html".split())
"""Elements whose parts are one person each."""


class Design:
    """What lines of a page have in common by where they stand in it."""

    def __init__(self, doc: Document) -> None:
        self._doc = doc
        self._styles: dict[int, str] = {}
        self._positions: dict[int, str] = {}

    def small_card(self, number: int) -> Box | None:
        """Return the element that holds this line and a few others."""
        box = self._doc.boxes[self._doc.lines[number].box]
        card = box if box.last - box.first > 1 or box.parent < 0 else self._doc.boxes[box.parent]
        return card if card.last - card.first <= _SMALL_CARD and card.tag not in _ROWS else None

    def position(self, number: int) -> str:
        """Return the design of a line and, in a small card, which line of it this is.

        What stands third in every card is no name because it looks like one: "Blue Harbor" is an employer.
        """
        if number not in self._positions:
            card = self.small_card(number)
            place = number - card.first if card else -1
            self._positions[number] = f"{place}@{self.style(self._doc.lines[number].box)}"
        return self._positions[number]

    def style(self, box: int) -> str:
        """Return what elements of one design have in common: their tags and classes, three deep."""
        if box not in self._styles:
            outer = [self._doc.boxes[index] for _, index in zip(range(3), self._doc.up(box), strict=False)]
            self._styles[box] = ">".join(f"{each.tag}.{each.attrs.get('class', '')[:60]}" for each in outer)
        return self._styles[box]


def certain(
    doc: Document, found: Sequence[Mention], standings: Sequence[Standing], design: Design
) -> list[Mention]:
    """Return the mentions that are names by themselves or by the company they keep."""
    return _Surroundings(doc, found, standings, design).certain()


class _Surroundings:
    """What stands around the mentions of a page."""

    def __init__(
        self, doc: Document, found: Sequence[Mention], standings: Sequence[Standing], design: Design
    ) -> None:
        self._doc = doc
        self._found = found
        self._standings = standings
        self._design = design

    def certain(self) -> list[Mention]:
        """Return the mentions that are names."""
        total = Counter(map(self._design.position, range(len(self._doc.lines))))
        yes = Counter(
            self._design.position(mention.line)
            for mention in self._found
            if mention.seen is Look.YES and mention.shape != "list"
        )
        return [mention for mention in self._found if self._is_sure(mention, yes, total)]

    def _is_sure(self, mention: Mention, yes: Counter[str], total: Counter[str]) -> bool:
        style = self._design.position(mention.line)
        share = _GROUP_SHARE if yes[style] < _GROUP_MANY else _GROUP_MANY_SHARE
        grouped = yes[style] >= _GROUP_FEWEST and yes[style] >= share * total[style]
        if mention.seen is Look.MAYBE:
            fits = yes[style] > _GROUP_FEWEST and yes[style] >= _GROUP_SHARE * total[style]
            return fits and mention.shape != "split" and not self._beside_a_name(mention)
        if mention.shape in {"list", "name", "two"}:
            return True
        if self._follows_a_name(mention.line) or _runs_on(mention):
            return False
        return grouped or self._is_accompanied(mention)

    def _beside_a_name(self, mention: Mention) -> bool:
        """Say whether the line's own card names somebody already, so that the line is no name."""
        box = self._doc.boxes[self._doc.lines[mention.line].box]
        for around in (box, self._doc.boxes[box.parent] if box.parent >= 0 else box):
            near = self._doc.lines[around.first : min(around.last, around.first + CARD_LINES)]
            if len(near) > 1 and sum(look(line.text) is Look.YES for line in near if not line.alt) == 1:
                return True
        return False

    def _is_accompanied(self, mention: Mention) -> bool:
        """Say whether a lone name has what belongs to a person beside it: a title, a heading, a photo."""
        line = self._doc.lines[mention.line]
        if mention.rest:
            return has_title_word(mention.rest) and not is_prose(mention.rest)
        near = self._doc.lines[mention.line + 1 : mention.line + 3]
        titled = any(
            has_title_word(other.text) and not is_prose(other.text) and len(other.text) <= MOST_TITLE // 2
            for other in near
        )
        return titled or line.heading == 1 or has_title_word(self._standings[mention.line].text)

    def _follows_a_name(self, number: int) -> bool:
        """Say whether a small card names somebody before this line, so that this is their employer or place.

        Names side by side look alike and have nothing, or their titles, between them.
        """
        card, line = self._design.small_card(number), self._doc.lines[number]
        if card is None or line.heading:
            return False
        before = [other for other in self._doc.lines[card.first : number] if not other.alt]
        named = [place for place, other in enumerate(before) if look(other.text) is Look.YES]
        if not named:
            return False
        if self._design.style(before[named[-1]].pieces[0].box) != self._design.style(line.pieces[0].box):
            return True
        after = self._doc.lines[number + 1 : min(number + 2, card.last)]
        return named[-1] < len(before) - 1 and not any(has_title_word(other.text) for other in after)


def _runs_on(mention: Mention) -> bool:
    """Say whether a name only begins running text, such as the authors and the title of a paper."""
    first = mention.rest.partition(". ")[0]
    return mention.shape == "split" and is_prose(mention.rest) and not has_title_word(first)
