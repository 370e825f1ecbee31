"""Tell a line that is a person's name from the other short, capitalised lines of a page."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache

from watchers.web.folding import clean, words
from watchers.web.names import MOST_LETTERS, is_degree, is_given_name, parse
from watchers.web.words import vocabulary

_FEWEST, _MOST = 2, 6
_CHUNK = re.compile(r"[^\W\d_][^\W\d_'\u2019.·-]*(?:['\u2019.·-][^\W\d_'\u2019.·-]+)*\.?,?")
_PARTICLES = frozenset(
    "van von de der den del della di da do dos das du la le el al bin ibn ben ten ter zu zum af av y e bint"
    " 't d'".split(),
)
_ASIDE = re.compile(r"\s*[(\[\"“„«][^()\[\]\"“”„«»]{1,40}[)\]\"“”„»]")
_EAST_LETTER = r"[\u3400-\u9fff\u3040-\u30ff\uac00-\ud7af]"
_EAST = re.compile(rf"{_EAST_LETTER}{{1,5}}(?:[ \u3000・·]{_EAST_LETTER}{{1,6}})?")
_EAST_LETTERS = 2, 5
_LONGEST_WORD = 25
_LOUD = 3


class Look(IntEnum):
    """How much a line looks like a name by itself."""

    NO = 0
    MAYBE = 1
    YES = 2


def _is_common(word: str) -> bool:
    return len(word) > 1 and (word in vocabulary("title_words") or word in vocabulary("not_names"))


@lru_cache(maxsize=16_384)
def look(text: str) -> Look:  # noqa: PLR0911 - each return is a rule
    """Say whether the text, as a whole, looks like one person's name.

    MAYBE is what only its place among names can tell: one word, a handle, words that are names as well.
    """
    if not text or len(text) > MOST_LETTERS or "@" in text or "://" in text:
        return Look.NO
    text = _ASIDE.sub("", clean(text)).strip()
    if _EAST.fullmatch(text):
        fits = _EAST_LETTERS[0] <= len(text.replace(" ", "")) <= _EAST_LETTERS[1] + 2
        return Look.MAYBE if fits and not _is_common(text) else Look.NO
    chunks = text.split()
    if not chunks or len(chunks) > _MOST + 2 or any(not _CHUNK.fullmatch(chunk) for chunk in chunks):
        return Look.NO
    if sum("," in chunk for chunk in chunks) > 2 or chunks[-1].endswith(","):  # noqa: PLR2004 - "Last, First, PhD"
        return Look.NO
    if not _is_last_first(text):
        return Look.NO
    name = parse(text)
    if not 1 <= len(name.words) <= _MOST + 1 or any(len(word) > _LONGEST_WORD for word in name.words):
        return Look.NO
    return _by_words(chunks, name.words)


def _is_last_first(text: str) -> bool:
    """Say whether a comma, if any, parts a family from a given name or a degree from a name."""
    last, comma, first = text.partition(",")
    if not comma or is_degree(first):
        return True
    first, _, further = first.partition(",")
    if further.strip() and not is_degree(further):
        return False
    found = words(first)
    if not found or len(found) > _FEWEST + 1:
        return False
    ahead = [chunk for chunk in last.split() if chunk.lower() not in _PARTICLES]
    return is_given_name(found[0]) or (len(ahead) == 1 and not is_degree(last))


def _by_words(chunks: list[str], found: tuple[str, ...]) -> Look:
    """Judge by the words: which are common, and which stand with a capital."""
    common = [word for word in found if _is_common(word) and word not in _PARTICLES]
    names_too = vocabulary("names_too")
    if any(word not in names_too and not (is_given_name(word) and len(word) > _LOUD) for word in common):
        return Look.NO
    if len(common) == len(found):
        return Look.MAYBE if is_given_name(found[0]) and len(found) >= _FEWEST else Look.NO
    lower = [chunk for chunk in chunks if chunk[0].islower() and chunk.rstrip(".,").lower() not in _PARTICLES]
    if lower or len(found) < _FEWEST or len(chunks) < _FEWEST or not any(len(word) > 1 for word in found):
        return Look.MAYBE if len(lower) < len(chunks) or len(chunks) <= _FEWEST else Look.NO
    return Look.MAYBE if common and not is_given_name(found[0]) else Look.YES


def has_title_word(text: str) -> bool:
    """Say whether the text holds a word of titles, roles or departments."""
    known = vocabulary("title_words")
    return any(word in known for word in words(text))
