"""Find a person's name in running text: beside an address, or after "please contact".

In western text a name is a run of capitalised words that are no common words; the part of an address before
the @ tells which run is meant. In Chinese, Japanese and Korean it stands right before the address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from watchers.mail.folding import fold
from watchers.mail.words import any_of, as_written, words

_LETTER = r"[^\W\d_]"
_NAME_WORD = re.compile(rf"{_LETTER}(?:{_LETTER}|['.-](?={_LETTER})){{0,40}}")
_PARTICLES = frozenset(
    "van von de der den del della di da do dos das du la le el al bin ibn ten ter zu zum af av y e".split(),
)
_MOST_WORDS = 4
_BEFORE = 160
_AFTER = 60
_ROOT = 3


@dataclass(frozen=True, slots=True)
class Run:
    """Capitalised words in a row that may be a name, and where they stand."""

    words: tuple[str, ...]
    start: int
    end: int

    @property
    def name(self) -> str:
        """Return the words as one name."""
        return " ".join(self.words)


def runs(text: str, known: frozenset[str] = frozenset()) -> Iterator[Run]:
    """Yield the runs of capitalised words that may be a name; a `known` word may be one whatever else."""
    run: list[re.Match[str]] = []
    for match in _NAME_WORD.finditer(text):
        word, low = match[0], fold(match[0].lower())
        if run and not _joined(run[-1][0], text[run[-1].end() : match.start()]):
            yield from _finished(run)
            run = []
        named = word[0].isupper() and (low in known or low not in words("not_names"))
        if named or (run and word in _PARTICLES):
            run.append(match)
        elif run:
            yield from _finished(run)
            run = []
    yield from _finished(run)


def _joined(word: str, gap: str) -> bool:
    """Say whether a name goes on after the gap: "J. Smith" does, a word that ends a sentence does not."""
    return gap in {" ", "-"} or (gap == ". " and (len(word) == 1 or word in {"Dr", "Prof", "Jr", "St"}))


def _finished(run: list[re.Match[str]]) -> Iterator[Run]:
    while run and run[-1][0] in _PARTICLES:
        run.pop()
    if run and len(run) <= _MOST_WORDS + 2:
        yield Run(tuple(match[0] for match in run), run[0].start(), run[-1].end())


def is_role(address: str) -> bool:
    """Say whether the address is a function's rather than a person's."""
    local = fold(address.partition("@")[0].lower())
    parts = [part for part in re.split(r"[.\-_+\d]", local) if part]
    return bool(parts) and not words("roles").isdisjoint({parts[0], parts[-1], local})


def _local_words(address: str) -> list[str]:
    return [word for word in re.split(r"[^a-z]+", fold(address.partition("@")[0])) if word]


_DIGRAPHS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "å": "aa"})


def _spellings(word: str) -> set[str]:
    """Return how a name's word may be spelled in an address."""
    low = word.lower()
    return {"".join(filter(str.isalpha, fold(form))) for form in (low, low.translate(_DIGRAPHS))}


def _fit(name: Iterable[str], local: list[str]) -> int:
    """Return how well a name fits the part before the @: 2 a whole word, 1 a piece of one, 0 not at all."""
    joined = "".join(local)
    best = 0
    for word in name:
        for form in _spellings(word):
            if form in local:
                return 2
            stems = (one[: max(_ROOT, len(one) - 1)] for one in local if len(one) >= _ROOT)
            if len(form) >= _ROOT and (form in joined or any(form.startswith(stem) for stem in stems)):
                best = 1
    return best


_CASE_ENDINGS = ("em", "iem", "owi", "ej", "ie", "ou", "ovi", "ym", "im", "lle", "om")
_CASE_LETTERS = "ąę"


def _uninflected(name: Iterable[str], local: list[str]) -> str:
    """Return the name; a word with a Slavic or Finnic case ending as the address has it: "Ewą" is Ewa."""
    shown = []
    for word in name:
        forms = _spellings(word)
        stems = [one for one in local if len(one) >= _ROOT]
        if word[-1] in _CASE_LETTERS:
            plain = next((one for one in stems if one in forms), "")
        else:
            plain = next((one for one in stems for end in _CASE_ENDINGS if one + end in forms), "")
        shown.append(plain.title() or word)
    return " ".join(shown)


def fits(name: Iterable[str], address: str) -> bool:
    """Say whether a word of the name is in the part of the address before the @."""
    return _fit(name, _local_words(address)) > 0


def name_beside(text: str, start: int, end: int, floor: int, ceiling: int, address: str) -> str:
    """Return the name that belongs to the address at `start` to `end`, or the empty string.

    Only the text between `floor` and `ceiling` counts: there the neighbouring addresses stand.
    """
    role = is_role(address)
    local = [] if role else _local_words(address)
    before, after = text[max(floor, start - _BEFORE) : start], text[end : min(ceiling, end + _AFTER)]
    name = _before(before, local) or _after(after, local)
    return "" if role and " " not in name and not _is_eastern(name) else name


def _before(before: str, local: list[str]) -> str:
    if _is_eastern(before[-12:]):
        return _eastern(before)
    found = list(runs(before, frozenset(local)))
    for wanted in (2, 1):
        fitting = [run for run in found if _fit(run.words, local) >= wanted]
        if fitting:
            return _uninflected(_with_neighbours(fitting[-1].words, local), local)
    cut = max(before.rfind(stop) for stop in ("\n\n", "! ", "? "))
    for run in reversed(found):
        rest = before[run.end :]
        if run.start <= cut or _SENTENCE_END.search(rest) is not None:
            break
        if len(run.words) > 1 or _honorific().search(before[: run.start]) or _directly_before(rest):
            return run.name
    return ""


def _with_neighbours(name: tuple[str, ...], local: list[str]) -> tuple[str, ...]:
    """Keep only the words around the fitting one where more than a name came together."""
    if len(name) <= _MOST_WORDS:
        return name
    first = next(i for i, word in enumerate(name) if _fit([word], local))
    return name[max(0, first - 1) : first + 2]


_SENTENCE_END = re.compile(r"[.!?]\s+[A-ZÀ-Þ]")
_JOINS = frozenset(
    "at unter via on by à a al op per por em auf pod på e-mail email mail correo courriel is".split(),
)


@cache
def _honorific() -> re.Pattern[str]:
    return re.compile(rf"(?:{as_written('honorifics')})\s?$")


def _directly_before(gap: str) -> bool:
    """Say whether nothing but joining words and punctuation stands between a name and its address."""
    return all(word in _JOINS for word in re.sub(r"[^\w\s-]", " ", gap.lower()[:_AFTER]).split())


def _after(after: str, local: list[str]) -> str:
    for run in runs(after.partition("\n\n")[0]):
        lead = after[: run.start]
        if _fit(run.words, local) or (re.fullmatch(r">?\s?[(\[,-]\s?", lead) and len(run.words) > 1):
            return run.name
        if run.start > _AFTER // 2:
            break
    return ""


def name_first(text: str) -> str:
    """Return the name that the text begins with, after a title at most; else the empty string."""
    title = re.match(rf"(?:{as_written('honorifics')})\s+", text)
    rest = text[title.end() :] if title else text
    run = next(runs(rest), None)
    if run is None or run.start or len(run.words) > _MOST_WORDS:
        return ""
    return "" if re.search(rf"\b(?:{as_written('organisations')})\b", run.name) else run.name


def name_last(text: str) -> str:
    """Return the name that the text ends with, or the empty string."""
    *_, run = (None, *runs(text))
    if run is None or run.end < len(text) or len(run.words) > _MOST_WORDS:
        return ""
    return "" if re.search(rf"\b(?:{as_written('organisations')})\b", run.name) else run.name


_EAST = r"[\u3041-\u30fa\u4e00-\u9fff\uac00-\ud7a3]"
_HANGUL = r"[\uac00-\ud7a3]"
_HAN = r"[\u4e00-\u9fff\u3005]"
_KANA = r"[\u30a1-\u30fa\u30fc]"
_EASTERN_NAME = rf"(?P<name>{_HAN}{{1,4}}[ ]?(?:{_HAN}|{_KANA}){{0,4}}|{_KANA}{{2,10}})"
_CUE = (
    r"(?:後任(?:者|担当者?)?|新?担当(?:者)?|弊社|同僚|上司|代理|引き?継ぎ先?|当社|同部署|連絡先|窓口"
    r"|请联系|請聯繫|请与|联系人|联系|同事|接替|后任|接手人|由|可联系|联络|转至)"
)
_UNIT = rf"(?:{_HAN}{{1,10}}[部課室局科係店所社]|{_CUE})"
_SUFFIX = r"(?:様|さん|氏|宛て?|まで|課長|部長|主任|係長|室長|先生|经理|女士|总监|です。?|が|へ|に|と|は)?"


def _is_eastern(text: str) -> bool:
    return not text.isascii() and re.search(_EAST, text) is not None


@cache
def _eastern_before() -> re.Pattern[str]:
    return re.compile(
        rf"(?:^|[、。,.:\n (]|は|の|{_UNIT})(?:{_UNIT}|[の:はは ])*[:]?[ ]?{_EASTERN_NAME}{_SUFFIX}[ ]?"
        r"(?:[(<\[:、,\n/]|tel|メール|邮箱|电子邮件|的邮箱)?[ ]?[a-z-]{0,8}:?[ ]?$",
        re.IGNORECASE,
    )


@cache
def _eastern_alone() -> re.Pattern[str]:
    return re.compile(
        rf"(?:後任|新?担当)(?:者)?(?:は|の|:|として)[ ]?(?:{_UNIT}[の ]?)?"
        rf"{_EASTERN_NAME}(?=が|様|氏|さん|に|と|へ|で|。|、|宛)",
    )


_KOREAN_TITLE = r"(?: ?(?:씨|님|과장|부장|대리|차장|팀장|사원|이사|매니저|책임|선임))?(?:님)?"


@cache
def _korean_before() -> re.Pattern[str]:
    return re.compile(
        rf"(?:^|[\s:,(])(?P<name>[가-힣]{{2,4}}?){_KOREAN_TITLE}"
        r"(?:에게|께|으로|로)? ?[(<:,]? ?(?:이메일|메일)?:? ?$",
    )


_UNITS = re.compile(
    r"^.*(?:後任(?:者|担当者?)?|担当者?|[部課室局科係]|请联系|联系人?|同事|接替|由|弊社|当社|は|の)"
    r"(?=.{2})"
)
_EASTERN_LONGEST = 10


def _eastern(before: str) -> str:
    tail = before[-40:]
    match = (_korean_before() if re.search(_HANGUL, tail) else _eastern_before()).search(tail)
    name = _UNITS.sub("", match["name"].strip()) if match else ""
    return name if _plausible(name) else ""


def eastern_alone(text: str) -> str:
    """Return the successor that Japanese text names without an address, or the empty string."""
    match = _eastern_alone().search(text)
    return match["name"].strip() if match and _plausible(match["name"].strip()) else ""


def _plausible(name: str) -> bool:
    return 1 < len(name) <= _EASTERN_LONGEST and any_of("not_east_names").search(name) is None
