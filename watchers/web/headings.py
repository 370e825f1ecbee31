"""Say of a heading what stands under it: people who left, news, vacancies, or anything else."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

from watchers.web.folding import clean, fold, words
from watchers.web.words import lines, phrases, vocabulary

MOST_WORDS = 12
_JOINED = re.compile(r"\s*(?:&|\+|/|,|\band\b|\bund\b|\bet\b|\by\b|\be\b|\boch\b|\bog\b|\ben\b)\s*")
_CURRENT = re.compile(
    r"\b(?:current|currently|present|active|aktuell\w{0,3}|aktiv\w{0,3}|actuel\w{0,4}|actual\w{0,3}|"
    r"atuais|attual\w{0,3}|"
    r"huidige|nuvarande|nuvaerende|today)\b",
)
_TEAM = re.compile(
    r"\b(?:team|people|staff|members|employees|faculty|colleagues|leadership|board|fellows|students|"
    r"maintainers|"
    r"mitarbeiter\w{0,4}|mitglieder|equipe|membres|equipo|miembros|medewerkers|leden|medlemmar)\b",
)
_COUNT = re.compile(r"\(?\b\d{1,4}\)?$")


class Kind(StrEnum):
    """What stands under a heading."""

    OTHER = "other"
    FORMER = "former"
    NEWS = "news"
    JOBS = "jobs"


@lru_cache(maxsize=8_192)
def kind_of(heading: str) -> Kind:
    """Say what stands under a heading.

    >>> kind_of("Alumni & friends"), kind_of("Alumni Relations"), kind_of("Current and former members")
    (<Kind.FORMER: 'former'>, <Kind.OTHER: 'other'>, <Kind.OTHER: 'other'>)
    """
    text = _COUNT.sub("", fold(clean(heading[:200]))).strip(" :.-!|()")
    if text in lines("news"):
        return Kind.NEWS
    if text in lines("jobs"):
        return Kind.JOBS
    return Kind.FORMER if names_the_departed(heading) else Kind.OTHER


def names_the_departed(text: str) -> bool:
    """Say whether a heading or a label is one of people who are no longer there."""
    folded = fold(clean(text))
    if len(words(folded)) > MOST_WORDS or not (found := phrases("former").search(folded)):
        return False
    around = f"{folded[: found.start()]} | {folded[found.end() :]}"
    if vocabulary("not_former") & set(words(around)) or _CURRENT.search(around):
        return False
    first = _JOINED.split(folded)[0]
    mixed = _TEAM.search(first) and not phrases("former").search(first) and found.start() >= len(first)
    return not mixed
