"""What people write when they leave, go away, move or merely answer: one text file for each language.

A file begins with what is known of the language, a line each::

    name:    what the language is called in English
    words:   frequent words by which the language is recognised; or script: the Unicode script's name
    i:       words for "I", so that "I left" and "John left" are told apart
    we:      words for "we": "we no longer work with agencies" is nobody's departure
    if:      what begins a condition; a phrase in a condition says nothing
    not:     what denies a phrase of departure, before it or within; not after: the same behind it
    clause:  words that begin another clause, which a denial does not reach into
    contact: what stands before the name of the person to turn to
    from:    what stands before the date of a departure

Then come sections, `[departed]` and the others of `SECTIONS`. In a section each regular expression has a line
of its own and, indented under it, at least one sentence that it must match: a test checks every one.
A pattern is written in lower case and sees one sentence at a time: lower case, accents folded (`é` stands for
`e` in both), apostrophes straight, white space single. A gap between words is bounded: `.{0,40}`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

from watchers.mail.folding import fold
from watchers.mail.words import any_of

SECTIONS = (
    "departed",
    "mailbox",
    "unmonitored",
    "not departed",
    "on_leave",
    "role_change",
    "address_change",
    "acknowledgement",
    "farewell",
    "leaving",
)
"""`mailbox`: the address is no longer in use. `unmonitored`: nobody reads it, which may always have been so.
`leaving`: a farewell where what follows is a company: the name in the sender's domain or a word for one.
`not departed`: what takes back a `departed` or `farewell` phrase in the same sentence."""

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Phrase:
    """One pattern, the section it stands in and the sentences it must match."""

    section: str
    pattern: str
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Language:
    """What we know of one language. `code` is its ISO 639-1 code, the name of its file."""

    code: str
    about: dict[str, str]
    phrases: tuple[Phrase, ...] = field(repr=False)

    @property
    def name(self) -> str:
        """Return what the language is called in English."""
        return self.about["name"]

    @cached_property
    def words(self) -> frozenset[str]:
        """Return the frequent words that give the language away, folded."""
        return frozenset(fold(self.about.get("words", "")).split())

    @cached_property
    def scripts(self) -> tuple[str, ...]:
        """Return the scripts that only this language is written in."""
        return tuple(self.about.get("script", "").split())

    def patterns(self, section: str) -> tuple[re.Pattern[str], ...]:
        """Return the section's patterns, compiled at the first call."""
        if section not in self._compiled:
            rows = (row for row in self.phrases if row.section == section)
            self._compiled[section] = tuple(re.compile(fold(row.pattern)) for row in rows)
        return self._compiled[section]

    @cached_property
    def _compiled(self) -> dict[str, tuple[re.Pattern[str], ...]]:
        return {}

    @cached_property
    def condition(self) -> re.Pattern[str] | None:
        """Return what begins a condition."""
        return self._about_words("if")

    @cached_property
    def first_person(self) -> re.Pattern[str] | None:
        """Return the words for "I"."""
        return self._about_words("i")

    @cached_property
    def plural(self) -> re.Pattern[str] | None:
        """Return the words for "we"."""
        return self._about_words("we")

    @cached_property
    def denial(self) -> re.Pattern[str] | None:
        """Return what denies a phrase before which or within which it stands."""
        return re.compile(fold(self.about["not"])) if "not" in self.about else None

    @cached_property
    def denial_after(self) -> re.Pattern[str] | None:
        """Return what denies a phrase behind which it stands."""
        return re.compile(fold(self.about["not after"])) if "not after" in self.about else None

    @cached_property
    def clause(self) -> re.Pattern[str] | None:
        """Return what stands between two clauses."""
        return re.compile(fold(f"[,;:()]| (?:{self.about['clause']}) ")) if "clause" in self.about else None

    def speaks(self, low: str) -> bool:
        """Say whether the writer of a folded text speaks of themselves: "I took over", or "my colleague"."""
        said = self.first_person is not None and self.first_person.search(any_of("courtesies").sub("", low))
        return bool(said or any_of("colleagues").search(low))

    def _about_words(self, name: str) -> re.Pattern[str] | None:
        text = self.about.get(name, "")
        if not text:
            return None
        words = text if "|" in text else "|".join(re.escape(word) for word in text.split())
        edge = "" if self.scripts else r"\b"
        return re.compile(fold(f"{edge}(?:{words}){edge}"))


@cache
def language(code: str) -> Language:
    """Read one language's file."""
    about: dict[str, str] = {}
    rows: list[tuple[str, str, list[str]]] = []
    section = ""
    for line in (_FOLDER / f"{code}.txt").read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("[") and line.rstrip().strip("[]") in SECTIONS:
            section = line.rstrip().strip("[]")
        elif not section:
            name, _, value = line.partition(":")
            about[name] = value.strip()
        elif line.startswith(" "):
            rows[-1][2].append(line.strip())
        else:
            rows.append((section, line, []))
    return Language(code, about, tuple(Phrase(name, pattern, tuple(seen)) for name, pattern, seen in rows))


@cache
def languages() -> tuple[Language, ...]:
    """Read every language's file, English first."""
    codes = sorted(path.stem for path in _FOLDER.glob("*.txt"))
    return tuple(language(code) for code in sorted(codes, key=lambda code: code != "en"))


_SCRIPTS = {  # compiled when first needed: patterns of so many letters take long
    "hiragana": r"[\u3041-\u3096]",
    "katakana": r"[\u30a1-\u30fa]",
    "hangul": r"[\uac00-\ud7a3]",
    "han": r"[\u4e00-\u9fff]",
    "cyrillic": r"[\u0400-\u04ff]",
    "greek": r"[\u0370-\u03ff]",
    "hebrew": r"[\u0590-\u05ff]",
    "arabic": r"[\u0600-\u06ff]",
    "thai": r"[\u0e00-\u0e7f]",
}
_WORD = re.compile(r"[^\W\d_]{1,20}")
_ENOUGH = 2
_SHORT = 25


def spoken(low: str) -> Iterator[Language]:
    """Yield the languages a folded text is written in, the likeliest first."""
    scripts = {name for name, letters in _SCRIPTS.items() if not low.isascii() and re.search(letters, low)}
    if "hiragana" in scripts:
        scripts.discard("han")
    words = set(_WORD.findall(low[:4000]))
    scored = []
    for one in languages():
        score = len(words & one.words)
        if one.scripts and scripts.intersection(one.scripts):
            score += 10 if not one.words else score
        if score >= _ENOUGH:
            scored.append((score, one))
    scored.sort(key=lambda pair: -pair[0])
    best = scored[0][0] if scored else 0
    return (one for score, one in scored if score * 3 >= best)


def is_short(low: str) -> bool:
    """Say whether a folded text has so few different words that its language may not show."""
    return len(set(_WORD.findall(low[:4000]))) <= _SHORT
