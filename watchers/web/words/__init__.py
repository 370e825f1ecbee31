"""The vocabulary that pages are read with, as text files: one entry or several a line, # for remarks."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from watchers.web.folding import fold


def as_written(name: str) -> tuple[str, ...]:
    """Return the lines of a list as they stand in the file, without remarks and empty lines."""
    text = (files(__name__) / f"{name}.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))


@cache
def lines(name: str) -> tuple[str, ...]:
    """Return the lines of a list, folded, without remarks and empty lines."""
    text = (files(__name__) / f"{name}.txt").read_text(encoding="utf-8")
    kept = (line.partition("#")[0].strip() for line in text.splitlines())
    return tuple(fold(line) for line in kept if line)


@cache
def vocabulary(name: str) -> frozenset[str]:
    """Return every word of a list."""
    return frozenset(word for line in lines(name) for word in line.split())


@cache
def phrases(name: str) -> re.Pattern[str]:
    """Return a pattern for the phrases of a list, one a line, in folded text; a * ends a word's stem.

    Scripts without spaces between words match anywhere.
    """
    spaced: list[str] = []
    unspaced: list[str] = []
    for line in lines(name):
        body = re.escape(line).replace(r"\*", r"[^\W_]{0,20}").replace(r"\ ", "[ -]")
        (spaced if line[0] < "\u3000" else unspaced).append(body)
    # The boundary stands before all of them, so that most places of a text are passed over at one glance.
    return re.compile("|".join([rf"\b(?:{'|'.join(spaced)})\b", *unspaced]))
