"""Find the lines of a page that name a person as a listing does: as a whole, in front, or behind a title."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from watchers.web.blocks import Document, Line, Place
from watchers.web.folding import EDGES, clean, fold
from watchers.web.headings import Kind, kind_of
from watchers.web.hints import Hint, Hints
from watchers.web.namelike import Look, has_title_word, look
from watchers.web.names import MOST_LETTERS, compare, parse
from watchers.web.sections import Standing
from watchers.web.titles import is_prose

_SEPARATORS = re.compile(
    r"\s[-\u2013\u2014\u2015]\s|\s?[|•·\u2023\u25aa\u2192]\s?|\s?[\u2013\u2014]\s|\s(?:\u2013|\u2014)|"
    r"\s?[:;]\s|\s?/\s|\s(?=\()|,\s?"
)
_LIST = re.compile(r"\s*(?:,|;|·|•|\||、|\uff0c|/|\band\b|\bund\b|\bet\b|\by\b|&)\s*")
_ALT = re.compile(
    r"^(?:(?:a |the )?(?:photo(?:graph)?|picture|portrait|headshot|image|avatar|profile(?: photo| picture|"
    r" image)?|foto|bild|portr[aä]t|"
    r"retrato|imagen|imagem|immagine|kuva|zdjecie)\s*(?:of|von|de|di|do|da|for|:|-)?\s+)|(?:'s|"
    r"\u2019s)?\s+(?:photo|picture|portrait|headshot|avatar|profile.{0,10})$",
    re.IGNORECASE,
)
_PREFIX = re.compile(
    r"^(?:name|contact|member|lead|nom|nombre|naam|nome)\s*:\s*", re.IGNORECASE,
)  # fmt: skip
_TITLED = re.compile(r"([^()]{2,80}?)\s*\(([^()]{2,200})\)")
_DATE = re.compile(
    r"\b(?:\d{1,2}[./ -](?:\d{1,2}|[a-z]{3,9}\.?)[./ -],?\s?\d{2,4}|\d{4}-\d{2}-\d{2}|"
    r"[a-z]{3,9}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4})\b",
)
_BYLINE = re.compile(
    r"^(?:by|posted by|written by|author|von|par|por|di|av|af|door)\b|\bmin(?:ute)?s? read\b"
)
_FEW_IN_A_LIST = 3
_NAMED_SHARE = 0.6
_NEWS_CARD = 8
_MOST_SPLITS = 12
_BESIDE = 3
"""Lines between a photo and the name of whom it shows, at most."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in a line, what else the line says, and how sure we are by the line alone."""

    line: int
    name: str
    rest: str
    seen: Look
    shape: str
    before: str = ""


_NO_LISTING = Place.NAV | Place.FOOT | Place.QUOTE | Place.NEWS | Place.JOBS


def mentions(doc: Document, standings: list[Standing], hints: Hints) -> list[Mention]:
    """Return the mentions of a page in order; those in news, quotations and menus are none."""
    found: list[Mention] = []
    done = 0
    for number, line in enumerate(doc.lines):
        place = doc.boxes[line.box].place
        if place is not Place.NONE and place & _NO_LISTING:
            continue
        if standings[number].kind in {Kind.NEWS, Kind.JOBS} or _is_no_name(doc, line):
            continue
        if number >= done:
            new = _of_line(doc, number, line, hints)
            done = number + 2 if any(mention.shape == "two" for mention in new) else number
            found += new
    return [mention for mention in found if not _is_byline(doc, mention)]


def _of_line(doc: Document, number: int, line: Line, hints: Hints) -> list[Mention]:  # noqa: PLR0911 - each return is a rule
    """Return the mentions of one line: mostly none or one, several where it lists names."""
    text = line.text
    if line.alt:
        return _of_alt(number, text)
    hint = hints.of(line.pieces[0].box)
    if hint in {Hint.TITLE, Hint.BIO, Hint.CONTACT, Hint.ORG, Hint.STATUS}:
        return []
    text = _PREFIX.sub("", text)
    whole = look(text)
    if hint is Hint.NAME and 0 < len(text) <= MOST_LETTERS and whole is not Look.NO:
        return [Mention(number, text, "", Look.YES, "name")]
    if whole is not Look.NO and (aside := _TITLED.fullmatch(text)) and has_title_word(aside[2]):
        return [Mention(number, aside[1], aside[2], whole, "split")]
    if whole is Look.YES:
        return [Mention(number, text, "", Look.YES, "line")]
    if whole is Look.MAYBE and (joined := _of_two_lines(doc, number, line, hints)):
        return [joined]
    if len(line.pieces) > 1 and (piece := _of_pieces(number, line, hints)):
        return [piece]
    listed = _of_list(number, text)
    if listed:
        return listed
    split = _of_split(number, text)
    if split:
        return [split]
    return [Mention(number, text, "", Look.MAYBE, "line")] if whole is Look.MAYBE else []


def _of_two_lines(doc: Document, number: int, line: Line, hints: Hints) -> Mention | None:
    """Read a given and a family name that stand in lines of their own."""
    if number + 1 >= len(doc.lines):
        return None
    after = doc.lines[number + 1]
    marks = (hints.of(line.pieces[0].box), hints.of(after.pieces[0].box))
    if marks in {(Hint.FIRST, Hint.LAST), (Hint.LAST, Hint.FIRST)}:
        parts = (line.text, after.text) if marks[0] is Hint.FIRST else (after.text, line.text)
        return Mention(number, " ".join(parts), "", Look.YES, "two")
    box, other = doc.boxes[line.box], doc.boxes[after.box]
    outer = doc.boxes[box.parent] if box.parent >= 0 else box
    alone = box.parent == other.parent and (outer.first, outer.last) == (number, number + 2)
    same = (box.tag, box.attrs.get("class")) == (other.tag, other.attrs.get("class"))
    name = f"{line.text} {after.text}"
    return Mention(number, name, "", Look.YES, "two") if alone and same and look(name) is Look.YES else None


def _of_alt(number: int, text: str) -> list[Mention]:
    text = _ALT.sub("", text).strip(" :,-")
    if look(text) is Look.YES:
        return [Mention(number, text, "", Look.YES, "alt")]
    split = _of_split(number, text)
    return (
        [Mention(number, split.name, split.rest, split.seen, "alt")]
        if split and split.seen is Look.YES
        else []
    )


def _of_pieces(number: int, line: Line, hints: Hints) -> Mention | None:
    """Read a line whose name is an element of its own: a link, bold print, a span."""
    maybe: Mention | None = None
    for size in (1, 2, 3):
        head = clean(" ".join(piece.text for piece in line.pieces[:size])).strip(EDGES)
        named = hints.of(line.pieces[0].box) is Hint.NAME
        if len(line.pieces) > size and (seen := look(head)) is not Look.NO:
            rest = clean(" ".join(piece.text for piece in line.pieces[size:])).strip(EDGES)
            if seen is Look.YES or named:
                return Mention(number, head, rest, Look.YES, "piece")
            if size == 1 and line.pieces[0].box != line.box:
                maybe = Mention(number, head, rest, Look.MAYBE, "piece")
    tail = line.pieces[-1]
    before = clean(" ".join(piece.text for piece in line.pieces[:-1])).strip(EDGES)
    if look(tail.text.strip(EDGES)) is Look.YES and has_title_word(before) and not is_prose(before):
        return Mention(number, tail.text.strip(EDGES), "", Look.YES, "tail", before)
    return maybe


def _of_split(number: int, text: str) -> Mention | None:
    """Read "Jane Doe, VP Sales", "Jane Doe - VP Sales" and "VP Sales: Jane Doe"."""
    best: Mention | None = None
    for count, found in enumerate(_SEPARATORS.finditer(text)):
        if count >= _MOST_SPLITS or found.start() > MOST_LETTERS:
            break
        head, rest = text[: found.start()].strip(), text[found.end() :].strip(EDGES)
        seen = look(head)
        if seen is Look.NO:
            if (
                count == 0
                and "," not in found[0]
                and has_title_word(head)
                and look(rest) is Look.YES
                and not is_prose(head)
            ):
                return Mention(number, rest, "", Look.YES, "tail", head)
            continue
        comma = found[0].startswith(",")
        if seen is Look.YES and not (comma and best and best.seen is Look.YES):
            best = Mention(number, head, rest, Look.YES, "split")
            if not _more_name(rest):
                break
        elif best is None:
            best = Mention(number, head, rest, Look.MAYBE, "split")
    return best


def _more_name(rest: str) -> bool:
    """Say whether a degree follows, which belongs to the name."""
    return bool(
        re.match(
            r"(?:ph\.?d|m\.?d|mba|j\.?d|cpa|jr|sr|esq|m\.?sc|b\.?sc|rn|ii|iii)\b\.?\s*(?:[,|\u2013\u2014-]|$)",
            fold(rest),
        )
    )


def _of_list(number: int, text: str) -> list[Mention]:
    """Read "Jane Doe, John Roe and Ann Lee"."""
    label, colon, names = text.partition(":")
    parts = [part.strip(" .") for part in _LIST.split(names if colon and look(label) is Look.NO else text)]
    parts = [part for part in parts if part]
    if len(parts) < _FEW_IN_A_LIST:
        return []
    seen = [look(re.sub(r"\s*\([^()]{0,60}\)$", "", part)) for part in parts]
    if sum(each is Look.YES for each in seen) < _NAMED_SHARE * len(parts):
        return []
    if any(each is Look.NO and has_title_word(part) for part, each in zip(parts, seen, strict=True)):
        return []
    return [
        Mention(number, part, "", Look.YES, "list")
        for part, each in zip(parts, seen, strict=True)
        if each is not Look.NO
    ]


def _is_byline(doc: Document, mention: Mention) -> bool:
    """Say whether a name is that of an article's author: a date stands beside it, a headline above it."""
    line = doc.lines[mention.line]
    own = fold(line.text)
    if _BYLINE.search(own) or (_DATE.search(fold(mention.rest)) and not has_title_word(mention.rest)):
        return True
    for index in doc.up(line.box):
        box = doc.boxes[index]
        if box.last - box.first > _NEWS_CARD:
            return False
        if box.tag in {"article", "li", "div", "a"} and box.last - box.first > 1:
            card = doc.lines[box.first : box.last]
            headed = any(other.heading and look(other.text) is Look.NO for other in card)
            if headed and any(_dates(other.text) for other in card if other is not line):
                return True
    return False


@lru_cache(maxsize=4_096)
def _dates(text: str) -> bool:
    """Say whether a line is a date, or names an author."""
    folded = fold(text)
    return bool(_DATE.fullmatch(folded) or _BYLINE.search(folded))


def _is_no_name(doc: Document, line: Line) -> bool:
    """Say whether the line is a heading of people, or the site's own name: a link to its first page."""
    if kind_of(line.text) is not Kind.OTHER:
        return True
    box = doc.boxes[line.pieces[0].box]
    return box.tag == "a" and box.attrs.get("href", "").strip() in {"/", "./", "#top", "/index.html"}


def without_photos(sure: Sequence[Mention]) -> list[Mention]:
    """Leave out what photos say of those whom the text names, too, maybe with an initial or turned round.

    Where the text beside a photo has but an initial, the photo's full name is taken.
    """
    texts = [mention for mention in sure if mention.shape != "alt"]
    keys = {parse(mention.name).key for mention in texts}
    lines = [mention.line for mention in texts]
    alone: list[Mention] = []
    for photo in (mention for mention in sure if mention.shape == "alt"):
        if parse(photo.name).key in keys:
            continue
        first = bisect_left(lines, photo.line - _BESIDE)
        beside = range(first, bisect_left(lines, photo.line + _BESIDE + 1))
        alike = [at for at in beside if compare(parse(texts[at].name), parse(photo.name))]
        if not alike:
            alone.append(photo)
        elif len(alike) == 1 and _has_initial(texts[alike[0]]) and not _has_initial(photo):
            texts[alike[0]] = replace(texts[alike[0]], name=photo.name)
    return sorted([*texts, *alone], key=lambda mention: mention.line)


def _has_initial(mention: Mention) -> bool:
    """Say whether a mention has but the initial of the given name."""
    return len(parse(mention.name).given) == 1
