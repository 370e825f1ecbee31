"""Compare job titles by what they say, not by how they are written, and see when one says "no longer"."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from watchers.web.folding import fold, words
from watchers.web.namelike import has_title_word
from watchers.web.words import lines, vocabulary

_STOP = frozenset(
    "and of the for at in a an to de des du der die das und et la le el los las y e da do di del von".split()
)
_ASIDE = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_PARTS = re.compile(r"[,;|/•·]|\s[-\u2013\u2014]\s")
_INITIALS = re.compile(r"\b((?:[a-z]\.){2,5})")
_SEGMENTS = re.compile(r"[;|]|\s/\s")
_NOW = re.compile(r"\b(?:now|currently|today|jetzt|heute|maintenant|ahora|agora|adesso)\b")
_BEGINS_FORMER = re.compile(
    r"^\W*(?:former|formerly|ex|past|previous|previously|retired|late|ehemalig\w{0,3}|fruher\w{0,3}|"
    r"ancien(?:ne)?|antigu[oa]|"
    r"antig[oa]|exdirect\w{0,4}|voormalig\w{0,2}|tidigare|tidligere|entinen|byly|byla|bivsi|fost|eski|"
    r"бывш\w{0,3}|元|前)(?:\b|(?=[^\x00-\u2fff]))",
)
_FORMER_INSIDE = re.compile(
    r"[(,;-]\s*(?:former|retired|emerit(?:us|a|i)|ehemals|a\.\s?d\.|i\.\s?r\.|deceased|alumn(?:us|a|i)|"
    r"left)\b|\bemerit(?:us|a|i)\b|"
    r"\b(?:no longer|left (?:us|the|in)|passed away)\b",
)
_STILL_SERVING = re.compile(
    r"^\W*(?:immediate )?past[- ](?:president|chair\w{0,6}|commodore|master|governor)|\bex[- ]officio\b"
)
_UNTIL = re.compile(
    r"\b(?:until|till|bis|jusqu'en|jusqu'a|hasta|ate|fino al|tot|til|left|retired|resigned|departed|"
    r"\u2020|ended)\b"
    r"[^\d]{0,20}\b(\d{4})\b",
)
_RANGE = re.compile(r"\b(\d{4})\s?(?:[-\u2013\u2014]|to|bis|until)\s?(\d{4})\b")
_SENTENCE = re.compile(r"[.!?](?:\s|$)")
_VERBS = re.compile(
    r"^(?:\S+ ){0,3}?(?:is|was|has|had|leads|led|lives|works|worked|joined|brings|studied|holds|cares|"
    r"loves|spoke|"
    r"enjoys|serves|oversees|manages|runs|spent|started|helps|grew|ist|hat|est|a rejoint|es|tiene|e)\b",
)
_PROSE_WORDS = 7
_LONG_WORDS = 40


@cache
def _meanings() -> dict[str, tuple[str, ...]]:
    return {line.split()[0]: tuple(line.split()[1:]) for line in lines("abbreviations")}


@lru_cache(maxsize=16_384)
def fold_title(title: str) -> frozenset[str]:
    """Return the words that a title says, abbreviations written out.

    >>> fold_title("Sr. VP, Product (Remote)") == fold_title("senior vice president of product")
    True
    """
    text = _INITIALS.sub(lambda found: found[1].replace(".", ""), fold(title))
    text = _ASIDE.sub(lambda found: f" {found[1]} " if _tells(found[1]) else " ", text)
    parts = _PARTS.split(text)
    kept = [part for part in parts if not _only_places(part)] or parts
    found: list[str] = []
    for word in words(" ".join(kept)):
        found += _meanings().get(word, (word,))
    return frozenset(word for word in found if word not in _STOP)


def _tells(aside: str) -> bool:
    """Say whether what stands in brackets belongs to the title."""
    return has_title_word(aside) and not _only_places(aside)


def _only_places(part: str) -> bool:
    found = words(part)
    return bool(found) and all(word in vocabulary("places") for word in found)


def same_title(one: str, other: str) -> bool:
    """Say whether two titles say the same; where one is missing nothing is said."""
    a, b = fold_title(one), fold_title(other)
    return not a or not b or a == b


def difference(old: str, new: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the words that went and those that came."""
    a, b = fold_title(old), fold_title(new)
    return a - b, b - a


def says_departed(title: str, year: int) -> bool:
    """Say whether a title is one that its bearer no longer holds, in this year.

    >>> says_departed("Former Designer (until 2020)", 2021), says_departed("Former Lead; Developer", 2021)
    (True, False)
    """
    text = fold(title)
    if not text or _NOW.search(text) or _STILL_SERVING.search(text):
        return False
    over = [int(found) for found in _UNTIL.findall(text)] + [int(end) for _, end in _RANGE.findall(text)]
    if over and max(over) <= year:
        return True
    segments = [segment for segment in _SEGMENTS.split(text) if segment.strip()]
    held = [segment for segment in segments if has_title_word(segment)] or segments
    return all(_BEGINS_FORMER.search(segment.strip()) or _FORMER_INSIDE.search(segment) for segment in held)


def is_prose(text: str, given: str = "") -> bool:
    """Say whether the text is running text rather than a title; `given` is the given name of its person."""
    found = text.split()
    if len(found) > _LONG_WORDS and ";" not in text:
        return True
    folded = fold(text)
    first = fold(found[0]).strip(".,'\u2019s") if found else ""
    if first in {
        "he",
        "she",
        "they",
        "i",
        "we",
        "er",
        "sie",
        "il",
        "elle",
        "before",
        "previously",
        "prior",
    } or (given and first == given):
        return len(found) > 2  # noqa: PLR2004 - "He", "She" alone says nothing
    if len(found) > 1 and text.endswith(".") and not has_abbreviation_only(text):
        return True
    ends = len(found) >= _PROSE_WORDS and bool(_SENTENCE.search(text)) and not has_abbreviation_only(text)
    return ends or (len(found) >= _PROSE_WORDS and bool(_VERBS.search(folded)))


def has_abbreviation_only(text: str) -> bool:
    """Say whether every full stop of the text ends an abbreviation ("Sr.", "Dir.")."""
    stops = re.findall(r"(\S+)[.!?](?=\s|$)", text)
    return all(len(word) <= 4 and word[:1].isupper() for word in stops)  # noqa: PLR2004 - as long as abbreviations are
