"""Read a job title: how senior somebody is, and what they do. Pure; English, German, French and Spanish.

Seniority is what the title claims, not what its bearer may decide: a product manager is a manager. What
cannot be told is OTHER or UNKNOWN, never guessed from the person.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from bot import title_words

LONGEST = 200
"""So many characters of a title are read."""


class Seniority(StrEnum):
    """How senior a title is."""

    EXECUTIVE = "executive"
    VP = "vp"
    DIRECTOR = "director"
    MANAGER = "manager"
    INDIVIDUAL = "individual"
    ASSISTANT = "assistant"
    UNKNOWN = "unknown"


class Function(StrEnum):
    """What somebody does."""

    SALES = "sales"
    MARKETING = "marketing"
    FINANCE = "finance"
    PROCUREMENT = "procurement"
    OPERATIONS = "operations"
    LEGAL = "legal"
    PEOPLE = "people"
    MANAGEMENT = "management"
    ENGINEERING = "engineering"
    IT = "it"
    DATA = "data"
    SECURITY = "security"
    PRODUCT = "product"
    OTHER = "other"


class Side(StrEnum):
    """On which side of a deal somebody stands; it needs both of the first two."""

    BUSINESS = "business"
    TECHNICAL = "technical"
    OTHER = "other"


TECHNICAL = frozenset({Function.ENGINEERING, Function.IT, Function.DATA, Function.SECURITY, Function.PRODUCT})


@dataclass(frozen=True, slots=True)
class Standing:
    """What a title says."""

    seniority: Seniority
    function: Function

    @property
    def side(self) -> Side:
        """Return the side of a deal on which the function is."""
        if self.function is Function.OTHER:
            return Side.OTHER
        return Side.TECHNICAL if self.function in TECHNICAL else Side.BUSINESS


UNTITLED = Standing(Seniority.UNKNOWN, Function.OTHER)


@lru_cache(maxsize=4_096)
def read_title(title: str) -> Standing:
    """Return what a title says; of an absent one nothing.

    >>> read_title("SENIOR DIRECTOR, GLOBAL PROCUREMENT").function.value
    'procurement'
    >>> read_title("Executive Assistant to the CEO").seniority.value
    'assistant'
    """
    text = _plain(title)
    if not text:
        return UNTITLED
    served = _SERVES.search(text)
    own = text[: served.start(1)] if served else text
    level = _seniority(own)
    return Standing(level, _function(own if level is Seniority.ASSISTANT else text, level))


def _plain(title: str) -> str:
    """Return a title in small letters without accents, signs and the endings of both genders."""
    text = unicodedata.normalize("NFKD", title[:LONGEST].casefold())
    text = "".join(char for char in text if not unicodedata.combining(char))
    text = _GENDERS.sub(" ", _TRANSLITERATED.sub(lambda found: found[0][0], text))
    return " ".join(_SIGNS.sub(" ", text).split())


_TRANSLITERATED = re.compile(r"(?<=gesch)ae(?=ft)|(?<=f)ue(?=hr)|(?<=k)ae(?=uf)")
_GENDERS = re.compile(r"\((?:[mwdfhx](?:/[mwdfhx]){1,3}|e|in|ne|rice|a)\)|[/*:_·](?:-?in|innen|e|a|rice)\b")
_SIGNS = re.compile(r"[^\w&+,]+")
_SERVES = re.compile(
    r"(?:assist|asist|secretar|sekretar|referent|office|staff)\w*((?: administrativ\w+)?"
    r" (?:to|der|des|du|de|al?|von)\b"
    r"(?: (?:the|la|el|le|l))? (?:c\wo|executive|managing|board|president\w*|chair\w*|vice|vp|head|direct\w*|"
    r"direkt\w*|direc\w*|gerenc\w*|geschaft\w*|vorstand\w*|bereich\w*|leit\w*|werk\w*)\b.*)"
)
"""Whom somebody works for: not what they are themselves."""


def _any(words: str) -> re.Pattern[str]:
    return re.compile("|".join(word.replace("_", " ") for word in words.split()))


_LEVELS = (
    (Seniority.ASSISTANT, _any(title_words.ASSISTANT)),
    (Seniority.EXECUTIVE, _any(title_words.CHIEF)),
    (Seniority.VP, _any(title_words.VP)),
    (Seniority.DIRECTOR, _any(title_words.DEPUTY)),
    (Seniority.EXECUTIVE, _any(title_words.EXECUTIVE)),
    (Seniority.MANAGER, _any(title_words.TEAM_LEAD)),
    (Seniority.DIRECTOR, _any(title_words.DIRECTOR)),
    (Seniority.MANAGER, _any(title_words.MANAGER)),
)
"""What is looked for, in this order; whoever has a title and none of these is an individual."""


def _seniority(text: str) -> Seniority:
    found = (level for level, words in _LEVELS if words.search(text))
    return next(found, Seniority.INDIVIDUAL)


_WORDS = [
    (Function(function), weight, _any(words))
    for function, tiers in title_words.SAYS.items()
    for weight, words in zip((3, 2, 1), tiers, strict=True)
]
_ROMANCE = _any(title_words.ROMANCE)
_CONJOINED = re.compile(r",|&|\band\b|\bund\b|\bet\b|\by\b")


def _function(text: str, level: Seniority) -> Function:
    """Return what the title says they do.

    In English and German the last word rules ("IT procurement"), in French and Spanish the first ("achats
    informatiques"); of things in a row, the first.
    """
    said = [
        (weight, match.start(), function)
        for function, weight, words in _WORDS
        for match in words.finditer(text)
    ]
    if not said:
        leads = level in {Seniority.EXECUTIVE, Seniority.VP, Seniority.DIRECTOR}
        return Function.MANAGEMENT if leads else Function.OTHER
    most = max(weight for weight, *_ in said)
    strongest = sorted((start, function) for weight, start, function in said if weight == most)
    if _ROMANCE.search(text):
        return strongest[0][1]
    ends = [match.start() for match in _CONJOINED.finditer(text)]
    end = next((end for end in ends if end > strongest[0][0]), len(text))
    return [function for start, function in strongest if start < end][-1]
