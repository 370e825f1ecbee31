"""Look for phrases in what mail systems write: the notation of the tables, and a fast way to search them.

A table has a line for each phrase:

    words of the phrase :: an example that contains it

The words are written as `plain` leaves them: lower case, without punctuation, codes and addresses (an
address becomes `addr`). `(a|b)` are alternatives, `(a|)` is a word that may be missing, `..` is a gap of a
few words, `mailbox~` also matches longer words. `[5.4.1]` in front asks for a status code that begins so,
`[550]` for that reply where there is no status code.
Languages that write no spaces match anywhere. Every pattern is made of bounded pieces, so that a search takes
time linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

_ATOM = r"[^\s<>()\[\],;:\"'|\\@]"
_ADDRESS = re.compile(rf"(?<!{_ATOM}){_ATOM}{{1,64}}@[a-z0-9\[][a-z0-9.\-\]]{{0,253}}")
_CODE = re.compile(r"\b[245]\d\d[ \-]#?(?:[245]\.\d{1,3}\.\d{1,3}\b)?|\b[245]\.\d{1,3}\.\d{1,3}\b")
_HOST = re.compile(r"\bhost [a-z0-9][a-z0-9.\-]{0,253}\.[a-z0-9\-]{1,63}(?:\s?[\[(][0-9a-f.:]{3,45}[\])])?")
_BESIDE_THE_POINT = re.compile(r"\(in reply to [^()]{1,40}\)|privacy policy|terms of (?:service|use)")
_WORDS = re.compile(r"[^\W_]+")
_FIRST_UNSPACED = "\u2e80"
_LONGEST = 2000


@cache
def _unspaced() -> re.Pattern[str]:
    return re.compile(r"(?<=[\u3040-\u9fff\uff66-\uff9f]) (?=[\u3040-\u9fff\uff66-\uff9f])")


@lru_cache(maxsize=16)
def plain(text: str) -> str:
    """Reduce a diagnostic to its words, with a space on either side.

    >>> plain("550 5.1.1 <jane@acme.example>... User Unknown")
    ' addr user unknown '
    """
    text = text[:_LONGEST].lower()
    if "@" in text:
        text = _ADDRESS.sub(" addr ", text)
    if any(word in text for word in ("(in reply to ", "privacy policy", "terms of ")):
        text = _BESIDE_THE_POINT.sub(" ", text)
    text = _CODE.sub(" ", text)
    if "host " in text:
        text = _HOST.sub(" ", text)
    words = f" {' '.join(_WORDS.findall(text))} "
    return words if words.isascii() else _unspaced().sub("", words)


@dataclass(frozen=True)
class Phrase:
    """One line of a table, ready to be looked for in a `plain` text."""

    says: str
    example: str
    kind: str
    why: str
    status: str

    def is_in(self, words: str, status: str = "") -> bool:
        """Say whether the phrase stands in a `plain` text that came with this status code."""
        if self.status and not under(status, self.status):
            return False
        for slot in self._pieces:
            for piece in slot:
                if piece in words:
                    break
            else:
                return False
        return self._pattern.search(words) is not None

    @cached_property
    def _pieces(self) -> tuple[tuple[str, ...], ...]:
        """Return texts of which each slot must have one; by them alone most phrases fail."""
        return tuple(tuple(map(_longest_piece, slot)) for slot in _slots(self.says))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        first, last = (self.says.strip("()~")[end] for end in (0, -1))
        says = _INNER_OPTION.sub(r"((\1) |)", self.says)
        says = _LAST_OPTION.sub(r"( (\1)|)", says)
        gap = _UNSPACED_GAP if _is_unspaced(last) else _GAP
        says = says.replace("(", "(?:").replace("~", "[^ ]{0,40}").replace(" .. ", gap)
        return re.compile(
            f"{'' if _is_unspaced(first) else ' '}(?:{says}){'' if _is_unspaced(last) else '(?= )'}"
        )

    @cached_property
    def anchors(self) -> tuple[str, ...]:
        """Return words of which one must be in a text that holds the phrase: those that are rarest."""
        slots = [[word for word in slot if word.strip(" .")] for slot in _slots(self.says)]
        required = [_longest_words(slot) for slot in slots if slot]
        return min(required, key=lambda words: (sum(word in COMMON for word in words), len(words)))


COMMON = frozenset(
    "a addr address an and at be been by can could did do does for from has have in is it mail message my no "
    "not of on or our recipient s t that the this to user was with you your".split(),
)
"""Words that are in nearly every diagnostic, so that looking for them first saves nothing."""

_GAP = " (?:[^ ]{1,60} ){0,8}?"
_UNSPACED_GAP = ".{0,30}?"
_INNER_OPTION = re.compile(r"(?<![^ (])\(([^()]*[^ ()])\|\) ")
_LAST_OPTION = re.compile(r" \(([^()]*[^ ()])\|\)$")
_NESTED = re.compile(r"\([^()]*\)")


def _is_unspaced(char: str) -> bool:
    return char >= _FIRST_UNSPACED


def _slots(says: str) -> Iterator[list[str]]:
    """Yield the parts that a phrase must have, each as its alternatives; what may be missing is left out."""
    depth, start = 0, 0
    for i, char in enumerate(f"{says}("):
        if char == "(":
            if depth == 0:
                yield [says[start:i]]
                start = i + 1
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0:
                choices = _NESTED.sub("  ", says[start:i]).split("|")
                if all(map(str.strip, choices)):
                    yield choices
                start = i + 1


_BETWEEN_PIECES = re.compile(r"\.\.|~|  ")


def _longest_piece(choice: str) -> str:
    return max((piece.strip() for piece in _BETWEEN_PIECES.split(choice)), key=len)


def _longest_words(choices: list[str]) -> tuple[str, ...]:
    return tuple({max(choice.split(), key=_rarity, default="") for choice in choices})


def _rarity(word: str) -> tuple[bool, int]:
    return word not in COMMON and word != "..", len(word)


def under(status: str, prefix: str) -> bool:
    """Say whether a status code is the given one or one below it: 5.1.10 is under 5.1 and not under 5.1.1."""
    return status == prefix or status.startswith(f"{prefix}.")


def phrases(rows: str, kind: str = "", why: str = "") -> tuple[Phrase, ...]:
    """Read the lines of a table as the module's docstring describes them."""
    found = []
    for row in filter(None, map(str.strip, rows.splitlines())):
        says, _, example = row.partition(" :: ")
        status = ""
        if says.startswith("["):
            status, _, says = says[1:].partition("] ")
        found.append(Phrase(says, example, kind, why, status))
    return tuple(found)


class Index:
    """Phrases in order, with a look-up by word that leaves few of them to be searched for in a text."""

    def __init__(self, table: tuple[Phrase, ...]) -> None:
        self.phrases = table
        self._words: dict[str, list[int]] = {}
        self._pieces: dict[str, list[int]] = {}
        self._unspaced: dict[str, list[int]] = {}
        for number, phrase in enumerate(table):
            for anchor in phrase.anchors:
                piece = anchor.removesuffix("~")
                unspaced = _is_unspaced(piece[-1:])
                places = self._unspaced if unspaced else self._pieces if piece != anchor else self._words
                places.setdefault(piece, []).append(number)

    def find(self, words: str, status: str = "") -> Phrase | None:
        """Return the first phrase of the table that stands in a `plain` text."""
        candidates: set[int] = set()
        for word in self._words.keys() & set(words.split()):
            candidates.update(self._words[word])
        for places in (self._pieces,) if words.isascii() else (self._pieces, self._unspaced):
            for piece, numbers in places.items():
                if piece in words:
                    candidates.update(numbers)
        in_order = (self.phrases[number] for number in sorted(candidates))
        return next((phrase for phrase in in_order if phrase.is_in(words, status)), None)
