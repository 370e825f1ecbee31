"""Fold accents away, character for character, so that text typed without them is found as well."""

from __future__ import annotations

import unicodedata


def _folding() -> dict[int, str]:
    """Map accented Latin letters to their base, one to one, so that offsets survive."""
    table = {}
    for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)):
        base = unicodedata.normalize("NFD", chr(code))[0]
        if base.isascii() and base.isalpha():
            table[code] = base.lower()
    odd = {"İ": "i", "ı": "i", "ł": "l", "Ł": "l", "ø": "o", "Ø": "o", "đ": "d", "Đ": "d", "ё": "е", "Ё": "е"}  # noqa: RUF001 - these are the letters
    return table | {ord(letter): base for letter, base in odd.items()}


_FOLD = _folding()


def fold(text: str) -> str:
    """Return the text with accents folded away, character for character.

    >>> fold("geändert")
    'geandert'
    """
    return text if text.isascii() else text.translate(_FOLD)
