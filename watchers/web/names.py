"""Tell whether two names may be one person's: by the person, not by the text.

Accents, "Last, First", Bob and Robert, initials, middle names, married names, the order of East Asian names,
titles and degrees make no difference; another given or family name does.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import IntEnum
from functools import cache, lru_cache

from rapidfuzz.distance import OSA

from watchers.web.folding import clean, fold, words
from watchers.web.words import lines

MOST_LETTERS = 100
_MOST_WORDS = 8
_A_NAME = 2
"""Words, of which no fewer are left when degrees are taken off."""

_HONORIFICS = frozenset(
    "dr drs prof professor mr mrs ms miss mx sir dame lord lady rev revd reverend hon fr sister brother "
    "herr frau "
    "hr fru mme mlle monsieur madame dott dottssa dottoressa avv ing dipl mag univ sig sra srta don dona "
    "dhr mevr "
    "capt captain col gen lt maj sgt pan pani mgr bc rndr judr mudr phdr assoc emer associate".split(),
)
_DEGREES = frozenset(
    "phd dphil md mba jd llm llb esq msc bsc mphil bs ms ma ba mph mpa mfa med edd psyd dds dvm rn cpa cfa "
    "cissp "
    "pmp cism cisa cpp acca aca fca fcca frs frsa obe mbe cbe pe phr sphr shrm ceng csm ret dsc do meng "
    "beng bcom "
    "mcom dipl ing habil drhc mag bed cma cipp gisp aia faia pharmd dnp np lcsw csc msw dr emba".split(),
)
_SHORT_DEGREES = frozenset("ma ba ms bs do pe ing med ret np dr bed mag".split())
"""Degrees that are names as well: they count only after a comma."""
_QUIET = frozenset(("Esq", "Ret", "Ing", "Dipl", "Mag", "Bed"))
_SUFFIXES = frozenset("jr sr snr jnr ii iii iv junior senior".split())
_PARTICLES = frozenset(
    "van von de der den del della di da do dos das du la le el al bin ibn ben ten ter zu zum af av y e bint"
    " abu".split(),
)
_PRONOUNS = re.compile(r"[(\[]?\b(?:s?he|they|xe|ze|it|any|er|sie|elle?|il|iel)\s?/\s?[\w/ ]{1,24}[)\]]?")
_BORN = re.compile(r"\b(?:nee|nees|born|geb|geborene?|ne|dite?|formerly|maiden name)\b[. ]", re.IGNORECASE)
_ASIDE = re.compile(r"[(\[\"“”„«»]([^()\[\]\"“”„«»]{1,40})[)\]\"“”„«»]")
_DOTS = re.compile(r"(?<=[^\W\d_])\.(?=[^\W\d_]\.?\b)")
_UMLAUTS = re.compile(r"(?<=[aou])e")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class Likeness(IntEnum):
    """How far two names agree; LOOSE needs more than the names to be believed."""

    NONE = 0
    LOOSE = 1
    NEAR = 2
    SAME = 3


@dataclass(frozen=True, slots=True)
class Name:
    """A name taken apart: folded words in the order given names, family names."""

    words: tuple[str, ...]
    aside: tuple[str, ...] = ()
    suffix: str = ""
    hyphened: frozenset[str] = frozenset()

    @property
    def given(self) -> str:
        """Return the first given name or its initial."""
        return self.words[0] if self.words else ""

    @property
    def family(self) -> str:
        """Return the last family name."""
        return self.words[-1] if self.words else ""

    @property
    def key(self) -> tuple[str, ...]:
        """Return the words without order."""
        return tuple(sorted(self.words))

    @property
    def digest(self) -> str:
        """Return a short hash of the words in any order, to know a name again without keeping it."""
        return _digest(" ".join(sorted(self.words)))

    @property
    def loose_digest(self) -> str:
        """Return a short hash of the initial and the family name, which survive most ways of writing."""
        return _digest(f"{self.given[:1]} {self.family}")


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def _is_initial(word: str) -> bool:
    return len(word) == 1 and not _UNSPACED.match(word)


@lru_cache(maxsize=16_384)
def parse(text: str) -> Name:
    """Take a name apart.

    >>> parse("Prof. Müller-Lüdenscheidt, Anne-Marie, PhD (she/her)").words
    ('anne', 'marie', 'muller', 'ludenscheidt')
    """
    text = _PRONOUNS.sub(
        " ", clean(text[: 2 * MOST_LETTERS]).lower() if text.isupper() else clean(text[: 2 * MOST_LETTERS])
    )
    aside: list[str] = []
    for part in _ASIDE.findall(text):
        aside += words(_BORN.sub(" ", f"{part} "))
    text = _ASIDE.sub(" ", text)
    born = _BORN.search(text)
    if born and born.start() > 2:  # noqa: PLR2004 - a name stands before it
        aside += words(text[born.end() :])
        text = text[: born.start()]
    parts = [part for part in re.split(r"[,;]", text) if part.strip()]
    named = [part for part in parts[:1] + parts[1:] if not is_degree(part)]
    found = [_words(part) for part in named[:2]]
    suffix = next((word for part in parts for word in words(part) if word in _SUFFIXES), "")
    if len(found) == 2 and found[1]:  # noqa: PLR2004 - "Last, First"
        ordered = [*found[1], *found[0]]
    elif found:
        ordered = found[0] if text.isupper() else _family_last(named[0], found[0])
    else:
        ordered = []
    hyphened = frozenset(word for chunk in text.split() if "-" in fold(chunk) for word in words(chunk))
    return Name(tuple(ordered[:_MOST_WORDS]), tuple(aside[:_MOST_WORDS]), suffix, hyphened)


def is_degree(part: str) -> bool:
    """Say whether the text holds degrees and the like alone: "PhD", "M.D.", but not the given name "Faia"."""
    chunks = part.replace(".", "").split()
    loud = part.isupper() or part.islower()
    return bool(chunks) and all(
        fold(chunk).strip(",") in _SUFFIXES
        or (
            fold(chunk).strip(",") in _DEGREES
            and (loud or sum(letter.isupper() for letter in chunk) > 1 or chunk in _QUIET)
        )
        for chunk in chunks
    )


def _words(part: str) -> list[str]:
    """Return the words of a name without titles before and degrees behind it."""
    chunks = _DOTS.sub(" ", part.replace("Ph.D", "PhD").replace("ph.d", "phd").replace("M.D.", "MD")).split()
    while (
        len(chunks) > _A_NAME and is_degree(chunks[-1]) and fold(chunks[-1]).strip(".") not in _SHORT_DEGREES
    ):
        chunks.pop()
    found = words(" ".join(chunks))
    while len(found) > 1 and found[0] in _HONORIFICS:
        found = found[1:]
    return found


def _family_last(part: str, found: list[str]) -> list[str]:
    """Move a family name that is told by its capitals ("DOE Jane") to the end."""
    chunks = part.split()
    if len(chunks) < 2 or not (chunks[0].isupper() and len(chunks[0]) > 2):  # noqa: PLR2004 - not an initial
        return found
    if any(chunk.isupper() and len(chunk) > 2 for chunk in chunks[1:]):  # noqa: PLR2004 - as above
        return found
    head = words(chunks[0])
    return [*found[len(head) :], *head] if found[: len(head)] == head else found


@cache
def _nicknames() -> dict[str, frozenset[int]]:
    """Return the groups that each name belongs to."""
    groups: dict[str, set[int]] = {}
    for number, line in enumerate(lines("nicknames")):
        for word in line.split():
            groups.setdefault(word, set()).add(number)
    return {word: frozenset(numbers) for word, numbers in groups.items()}


def is_given_name(word: str) -> bool:
    """Say whether the folded word is a given name that we know."""
    return word in _nicknames()


def given_names(word: str) -> frozenset[str]:
    """Return the given names that may stand for this one, itself among them: bob and robert."""
    mine = _nicknames().get(word, frozenset())
    return frozenset({word, *(other for other, groups in _nicknames().items() if mine & groups)})


def _same_given(one: str, other: str) -> bool:
    if one == other:
        return True
    groups = _nicknames()
    return bool(groups.get(one, frozenset()) & groups.get(other, frozenset()))


@lru_cache(maxsize=16_384)
def collapsed(found: tuple[str, ...]) -> str:
    """Return the words in one, as the same whether an umlaut was written with an e or without."""
    return _UMLAUTS.sub("", "".join(found)).replace("aa", "a")


def compare(one: Name, other: Name) -> Likeness:
    """Say how far two names may be one person's.

    >>> compare(parse("Bob Smith"), parse("Smith, Robert J."))
    <Likeness.NEAR: 2>
    >>> compare(parse("Jane Doe"), parse("John Doe"))
    <Likeness.NONE: 0>
    """
    a, b = one.words, other.words
    if not a or not b or _contradict(one.suffix, other.suffix):
        return Likeness.NONE
    if a == b or sorted(a) == sorted(b):
        return Likeness.SAME
    if "".join(a) == "".join(b) or collapsed(a) in _turned(b) or collapsed(b) in _turned(a):
        return Likeness.SAME
    if len(a) == 1 or len(b) == 1:
        return Likeness.NONE
    return _by_parts(one, other)


def _turned(words: tuple[str, ...]) -> tuple[str, str, str]:
    """Return a name run together: as it stands, and with its last word first or its first word last."""
    return collapsed(words), collapsed((words[-1], *words[:-1])), collapsed((*words[1:], words[0]))


def _contradict(one: str, other: str) -> bool:
    return bool(one and other and one[0] != other[0])


def _by_parts(one: Name, other: Name) -> Likeness:
    """Compare two names of several words each that differ somewhere."""
    a, b = one.words, other.words
    givens_a, givens_b = {a[0], *one.aside}, {b[0], *other.aside}
    same_given = any(_same_given(x, y) for x in givens_a for y in givens_b)
    same_family = collapsed((a[-1],)) == collapsed((b[-1],))
    if same_family and same_given:
        return _middles(one, other)
    if same_family:
        return _by_initial(one, other)
    if same_given:
        families_a, families_b = set(a[1:]) | set(one.aside), set(b[1:]) | set(other.aside)
        kept = {word for word in families_a & families_b if not _is_initial(word) and word not in _PARTICLES}
        if kept - {a[0], b[0]}:
            return Likeness.LOOSE
        for x, y in ((a, b), (b, a)):
            if _is_initial(x[-1]) and any(word.startswith(x[-1]) for word in y[1:]):
                return Likeness.LOOSE
    return Likeness.NONE


def _middles(one: Name, other: Name) -> Likeness:
    """Compare what stands between a given and a family name that agree."""
    a, b = one.words[1:-1], other.words[1:-1]
    if not a or not b:
        extra = set(a) | set(b)
        doubled = (one.hyphened | other.hyphened) & extra and {one.family, other.family} & (
            one.hyphened | other.hyphened
        )
        return Likeness.LOOSE if doubled else Likeness.NEAR
    shorter, longer = sorted((a, b), key=len)
    fits = all(any(x == y or x.startswith(y) or y.startswith(x) for y in longer) for x in shorter)
    return Likeness.NEAR if fits else Likeness.NONE


def _by_initial(one: Name, other: Name) -> Likeness:
    """Compare given names where the family name agrees but the first words do not."""
    for x, y in ((one, other), (other, one)):
        if _is_initial(x.given) and (y.given.startswith(x.given)):
            return Likeness.LOOSE
        if len(x.words) > 2 and (_is_initial(x.given)) and _same_given(x.words[1], y.given):  # noqa: PLR2004 - a middle name that is used
            return Likeness.NEAR
        if len(x.words) > 2 and _same_given(x.words[1], y.given) and x.words[1] not in x.hyphened:  # noqa: PLR2004 - as above
            return Likeness.LOOSE
        if len(x.given) >= 3 and y.given.startswith(x.given) and len(x.words) == len(y.words):  # noqa: PLR2004 - a short form
            return Likeness.LOOSE
    return Likeness.NONE


def may_be_slip(one: Name, known: Name) -> bool:
    """Say whether a name may be the known one by a slip of the pen, or its given name alone.

    >>> may_be_slip(parse("Jane Deo"), parse("Jane Doe")), may_be_slip(parse("Jane Roth"), parse("Jane Doe"))
    (True, False)
    """
    if one.given != known.given:
        return False
    return len(one.words) == 1 or OSA.distance(one.family, known.family, score_cutoff=1) <= 1
