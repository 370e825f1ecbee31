"""Guess somebody's address from the pattern of the addresses that are known at their company. Pure.

A guess is a guess: it is marked with the pattern it follows, never watched, never written to a CRM, and made
only where two known addresses or more agree and no more than a few do not.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from nameparser import HumanName

ENOUGH = 2
"""So many known addresses must agree."""

SHARE = 0.6
"""So large a share of the addresses that could be compared must agree."""

MOST = 500
"""So many known addresses are compared."""

LONGEST_NAME = 100

SHAPES = {
    "first.last": "{first}.{last}",
    "first_last": "{first}_{last}",
    "first-last": "{first}-{last}",
    "firstlast": "{first}{last}",
    "f.last": "{f}.{last}",
    "flast": "{f}{last}",
    "last.first": "{last}.{first}",
    "lastfirst": "{last}{first}",
    "last.f": "{last}.{f}",
    "lastf": "{last}{f}",
    "first.l": "{first}.{l}",
    "firstl": "{first}{l}",
    "first": "{first}",
    "last": "{last}",
}
"""How an address is made of a name; `f` and `l` are initials."""

_PARTICLES = frozenset(
    "van von de der den del della di da do dos das du la le el ten ter zu zum af av y".split()
)
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_ANYWAY = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "å": "a", "ł": "l", "đ": "d", "ð": "d", "þ": "th"})
_NORDIC = str.maketrans({"ø": "oe", "å": "aa"})
_TAG = re.compile(r"\+.*")


class Spelling(NamedTuple):
    """How a name's letters are written in addresses: ü as ue, hyphens kept, "van der" kept and how joined."""

    digraphs: bool = True
    hyphens: bool = True
    particles: str | None = ""


SPELLINGS = tuple(Spelling(*one) for one in product((True, False), (True, False), ("", ".", "-", None)))


@dataclass(frozen=True, slots=True)
class Pattern:
    """How a company makes its addresses, and how many known addresses say so."""

    shape: str
    domain: str
    known: int
    spelling: Spelling

    def address(self, name: str) -> str:
        """Return the address that somebody of this name would have; empty where the name is no full one."""
        parts = name_parts(name)
        local = written(parts, self.shape, self.spelling) if parts is not None else ""
        return f"{local}@{self.domain}" if local else ""

    @property
    def because(self) -> str:
        """Say what a guess follows."""
        return f"a guess: {self.shape}@{self.domain}, as {self.known} known addresses there are made"


def pattern(known: Iterable[tuple[str, str]]) -> Pattern | None:
    """Return the pattern that most of these (name, address) pairs follow; None where too few agree."""
    return _pattern(tuple(sorted(set(known))[:MOST]))


@lru_cache(maxsize=1_024)
def _pattern(known: Sequence[tuple[str, str]]) -> Pattern | None:
    shapes: Counter[tuple[str, str]] = Counter()
    spellings: Counter[tuple[str, str, Spelling]] = Counter()
    compared = 0
    for name, address in known:
        local, _, domain = address.partition("@")
        parts = name_parts(name)
        if parts is None or not domain:
            continue
        fitting = set(_fitting(parts, _TAG.sub("", local)))
        compared += 1
        shapes.update({(domain, shape) for shape, _ in fitting})
        spellings.update({(domain, shape, spelling) for shape, spelling in fitting})
    if not shapes:
        return None
    (domain, shape), count = min(shapes.items(), key=lambda one: (-one[1], one[0]))
    if count < ENOUGH or count < SHARE * compared:
        return None
    best = max(SPELLINGS, key=lambda spelling: spellings[domain, shape, spelling])
    return Pattern(shape, domain, count, best)


class Parts(NamedTuple):
    """A name in two parts, in small letters, as it is written."""

    first: str
    last: str


@lru_cache(maxsize=4_096)
def name_parts(name: str) -> Parts | None:
    """Take a name apart; None where it is no first and last name in Latin letters.

    >>> name_parts("Dr. Vincent van der Berg")
    Parts(first='vincent', last='van der berg')
    """
    if not name or "@" in name:
        return None
    human = HumanName(" ".join(name[:LONGEST_NAME].split()))
    first, last = (
        unicodedata.normalize("NFC", part.lower()).strip(" .") for part in (human.first, human.last)
    )
    return Parts(first, last) if _letters(first) and len(_letters(last)) > 1 else None


def written(parts: Parts, shape: str, spelling: Spelling = SPELLINGS[0]) -> str:
    """Return what stands before the @ for a name, in this shape and spelling."""
    first, last = _spelt(parts.first, spelling), _spelt(parts.last, spelling)
    if not first or not last:
        return ""
    return SHAPES[shape].format(first=first, last=last, f=first[0], l=last[0])


def fits(name: str, local: str) -> bool:
    """Say whether an address may be made of a name in one of the usual ways, numbers aside."""
    parts = name_parts(name)
    return parts is not None and any(_fitting(parts, _TAG.sub("", local).rstrip("0123456789")))


def _fitting(parts: Parts, local: str) -> Iterator[tuple[str, Spelling]]:
    """Yield the shapes and spellings in which a name makes what stands before the @."""
    made: dict[Parts, list[Spelling]] = {}
    for spelling in SPELLINGS:
        spelt = Parts(_spelt(parts.first, spelling), _spelt(parts.last, spelling))
        if all(spelt):
            made.setdefault(spelt, []).append(spelling)
    for (first, last), spellings in made.items():
        for shape, text in SHAPES.items():
            if text.format(first=first, last=last, f=first[0], l=last[0]) == local:
                yield from ((shape, spelling) for spelling in spellings)


@lru_cache(maxsize=8_192)
def _spelt(part: str, spelling: Spelling) -> str:
    """Return one part of a name as an address has it."""
    words = part.split()
    if spelling.particles is None:
        words = [word for word in words if word not in _PARTICLES] or words
    text = (spelling.particles or "").join(filter(None, (_word(word, spelling) for word in words)))
    return text.strip(".-")


def _word(word: str, spelling: Spelling) -> str:
    if spelling.digraphs:
        word = word.translate(_GERMAN).translate(_NORDIC)
    word = _letters(word, "-")
    return word if spelling.hyphens else word.replace("-", "")


def _letters(text: str, more: str = "") -> str:
    """Return the Latin letters of a text without their marks, and these signs."""
    plain = unicodedata.normalize("NFKD", text.translate(_ANYWAY))
    return "".join(char for char in plain if "a" <= char <= "z" or char in more)
