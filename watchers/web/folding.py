"""Reduce text to what a reader compares: no invisible characters, no accents, no case."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Zero-width characters, soft hyphens and direction marks: seen by nobody, and between the letters of names.
_INVISIBLE = dict.fromkeys(
    (
        0xAD,
        0x34F,
        0x61C,
        0x180E,
        0xFEFF,
        *range(0x200B, 0x2010),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2065),
    ),
)
# Little pictures: decoration around names and between them, which parts words as a space does.
_PICTURES = dict.fromkeys((*range(0x2600, 0x27C0), *range(0xFE00, 0xFE10), *range(0x1F000, 0x1FB00)), " ")
_UNREAD = {**_INVISIBLE, **_PICTURES}
# Letters that no decomposition takes apart.
_LETTERS = str.maketrans(
    {
        "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th",
        "ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "\u0131": "i", "ħ": "h", "Ħ": "H", "ŋ": "n",
        "\u2019": "'", "\u2018": "'", "\u02bc": "'", "`": "'", "\u00b4": "'",
        "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-",
        "\u2212": "-",
    },
)  # fmt: skip
EDGES = " ,:;-\u2013\u2014|\u2022\u00b7"
"""What stands between the parts of a line and belongs to none."""

_SHORT = 200
"""Characters of a text that is worth remembering folded: names, titles, headings."""
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def clean(text: str) -> str:
    """Return the text without invisible characters, composed, and with single spaces."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.translate(_UNREAD))
    return " ".join(text.split())


def fold(text: str) -> str:
    """Return the text in lower case without accents.

    >>> fold("Jørgensen-Fuß")
    'jorgensen-fuss'
    """
    return _fold_once(text) if len(text) <= _SHORT else _folded(text)


@lru_cache(maxsize=16_384)
def _fold_once(text: str) -> str:
    return _folded(text)


def _folded(text: str) -> str:
    if not text.isascii():
        parts = unicodedata.normalize("NFKD", text.translate(_INVISIBLE).translate(_LETTERS))
        if not parts.isascii():
            parts = "".join(letter for letter in parts if not unicodedata.combining(letter))
        text = parts.translate(_LETTERS)
    return text.lower()


def words(text: str) -> list[str]:
    """Return the folded words of the text; a hyphen parts words, an apostrophe does not.

    >>> words("Anne-Marie O'Neil, VP")
    ['anne', 'marie', "o'neil", 'vp']
    """
    return _WORD.findall(fold(text))
