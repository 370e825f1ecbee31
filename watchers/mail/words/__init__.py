"""Lists of words by purpose, for all languages together: one text file each.

A line that begins with # is a comment. In `months` and `weekdays` each line is one month or day, in order; in
`roles`, `not_names` and `abbreviations` each word counts for itself. The others hold one regular expression a
line, of which any one may match: in folded text (see `watchers.mail.own_text`), but `honorifics`,
`organisations`, `call`, `quotes` and `notices` in the text as shown.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from watchers.mail.folding import fold

_FOLDER = Path(__file__).parent


def lines(name: str) -> list[str]:
    """Return the lines of a list, without comments and empty ones."""
    text = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@cache
def words(name: str) -> frozenset[str]:
    """Return the words of a list, folded."""
    return frozenset(word for line in lines(name) for word in fold(line).split())


@cache
def numbered(name: str) -> dict[str, int]:
    """Return the words of a list, folded, with the number of their line from 1."""
    return {word: number for number, line in enumerate(lines(name), 1) for word in fold(line).split()}


@cache
def any_of(name: str, flags: int = 0) -> re.Pattern[str]:
    """Return a pattern that matches where any line of the list does."""
    return re.compile("|".join(map(fold, lines(name))), flags)


@cache
def as_written(name: str) -> str:
    """Return the alternatives of a list that is matched against the text as shown, to build patterns of."""
    return "|".join(lines(name))
