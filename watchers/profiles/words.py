"""Read the free text of a profile: does it name the account as the employer, a former one, or another. Pure.

People write "ex-Acme", "Former Googler at Acme", "Engineer at Globex (formerly Acme)". What can be read in
two ways is left unread: a profile that says nothing alarms nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.model import Contact
from watchers import FREE_MAIL
from watchers.web.employers import company_words, same_company
from watchers.web.folding import clean, fold, words
from watchers.web.words import vocabulary

MOST_TEXT = 400
MOST_NAME = 80
_PREFIX = 4
_SHORT_LABEL = 3

_FORMER = frozenset(
    "ex former formerly previously prev past retired left longer ehemals ehemalig ehemaliger ehemalige "
    "fruher zuvor ancien ancienne anciennement antiguo antes anteriormente previamente voormalig voorheen "
    "tidigare tidligere gia".split()
)
_ALUM = frozenset("alum alumnus alumna alumni former formerly".split())
_NOW = frozenset("now currently today presently jetzt aktuell maintenant ahora agora nu".split())
_BETWEEN = frozenset(
    "at of from the with for in a an my bei chez en de da do und and senior sr jr staff".split()
)
_AT = frozenset("at @ bei chez hos en".split())
_OF_IT = frozenset(
    "customer customers user users fan fans folks people employees employee colleagues team university "
    "college school foundation shareholder investor compatible until bis".split()
)
"""After a company's name: then something of it is meant, or a time that has an end."""
_NO_EMPLOYER = frozenset(
    (
        "", "none", "n a", "na", "null", "nil", "home", "earth", "internet", "the internet", "student",
        "various", "open to work", "looking for work", "looking", "unemployed", "available", "nowhere",
        "everywhere", "private", "secret", "stealth", "stealth startup", "stealth mode", "tba", "tbd",
        "company", "my company",
    )
)  # fmt: skip

_CLAUSES = re.compile(r"[,.;|\u2022\u00b7\n\u2014\u2013/!?]|\s-\s|\u2192|->|\u00bb")
_PARTS = re.compile(r"[,;|\u2022\u00b7\n/]|\s-\s|\s(?=@)")
_ARROW = re.compile(r"\u2192|->|\u00bb")
"""From one employer to the next."""
_RENAMED = re.compile(
    r"[(\[]\s?(?:formerly|previously|prev\.?|once|nee|f/k/a|fka|ex)\b(?!-)[^()\[\]]{0,60}[)\]]", re.IGNORECASE
)
"""What stands in brackets behind a company's name: it may be the company that was called so."""
_NAME = r"@?[^\W_][\w.&'-]{0,40}(?:\s[A-Z0-9][\w.&'-]{0,40}){0,3}"
_EMPLOYER = re.compile(
    rf"(?:\b(?:[Nn]ow|[Cc]urrently|[Ww]orking|[Ww]ork|[Jj]oined|[Jj]oining)\s(?:at\s|with\s|for\s)?|"
    rf"\b[Aa]t\s|\s@\s?|^@)(?P<name>{_NAME})$"
)


class Stand(StrEnum):
    """What a profile says of its owner and the account."""

    HERE = "here"
    LEFT = "left"
    ELSEWHERE = "elsewhere"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Said:
    """What was read. `employer` is the other one that is named, empty where none is."""

    stand: Stand
    employer: str = ""


SILENT = Said(Stand.SILENT)


def names_of(contact: Contact) -> tuple[str, ...]:
    """Return what the contact's account may be called: its name, and the main part of its mail domain.

    >>> names_of(Contact("jane@mail.acme.co.uk", account="Acme Holdings"))
    ('Acme Holdings', 'acme')
    """
    if contact.domain in FREE_MAIL:
        return (contact.account,) if contact.account else ()
    labels = contact.domain.split(".")[:-1]
    long = [label for label in labels if len(label) > _SHORT_LABEL] or labels
    return tuple(dict.fromkeys(name for name in (contact.account, *long[-1:]) if name))


def is_account(name: str, names: Iterable[str]) -> bool:
    """Say whether a company's name may be the account's: as written, run together, or as a part of it.

    >>> is_account("@acme", ["Acme Inc."]), is_account("ACMEcorp", ["Acme Corp"])
    (True, True)
    """
    if not words(name):
        return False
    return any(same_company(name, each) or _run_together(name, each) for each in names if words(each))


def same_employer(one: str, other: str) -> bool:
    """Say whether two names are one employer."""
    return bool(one and other) and is_account(one, (other,))


def _run_together(one: str, other: str) -> bool:
    a, b = sorted(("".join(words(one)), "".join(words(other))), key=len)
    return len(a) >= _PREFIX and b.startswith(a)


def read_profile(company: str, bio: str, names: Sequence[str]) -> Said:
    """Say where a profile puts its owner, by its field for the company and its text about them.

    >>> read_profile("@globex", "Formerly @acme", ["Acme"])
    Said(stand=<Stand.LEFT: 'left'>, employer='globex')
    """
    company, bio = clean(company[:MOST_TEXT]), clean(bio[:MOST_TEXT].replace("\n", " | "))
    others, stands = _field(company, names)
    stands |= _stands(bio, names)
    other = next(iter(others), "") or _employer_in(bio, names)
    if Stand.HERE in stands:
        return SILENT if Stand.LEFT in stands else Said(Stand.HERE)
    if Stand.LEFT in stands:
        return Said(Stand.LEFT, other)
    return Said(Stand.ELSEWHERE, other) if other and not _RENAMED.search(f"{company} {bio}") else SILENT


def _field(company: str, names: Sequence[str]) -> tuple[list[str], set[Stand]]:
    """Return the other employers in the field for the company, and what it says of the account."""
    company = _ARROW.split(company)[-1]
    if is_account(company, names) and not _FORMER & set(words(company)):
        return [], {Stand.HERE}
    others: list[str] = []
    stands = _stands(company, names)
    for part in _PARTS.split(_RENAMED.sub(" ", company)):
        name = part.strip(" @()[]:.")[:MOST_NAME].strip()
        found = words(name)
        if not found or " ".join(found) in _NO_EMPLOYER or _FORMER & set(found) or _ALUM & set(found):
            continue
        if is_account(name, names):
            stands.add(Stand.HERE)
        elif company_words(name):
            others.append(name)
    return others, stands if others or Stand.LEFT not in stands else stands - {Stand.HERE}


def _stands(text: str, names: Sequence[str]) -> set[Stand]:
    """Return what each mention of the account says."""
    found: set[Stand] = set()
    is_list_of_former = False
    for clause in _CLAUSES.split(_RENAMED.sub(" | ", text)):
        here = words(clause)
        spans = [span for span in _mentions(here, names) if not set(here[span[1] : span[1] + 1]) & _OF_IT]
        for start, end in spans:
            stand = _stand(here, start, end, has_at=f"@{here[start]}" in fold(clause))
            is_open = start == 0 and is_list_of_former and stand is Stand.HERE
            found |= {stand} if stand is not None and not is_open else set()
        is_list_of_former = bool(_FORMER & set(here)) or (is_list_of_former and bool(spans))
    return found


def _mentions(found: Sequence[str], names: Sequence[str]) -> list[tuple[int, int]]:
    """Return where the account is named in a clause: the first and the last word, the latter excluded."""
    spans: dict[int, int] = {}
    for name in names:
        core = [word for word in words(name) if word in company_words(name)]
        whole = "".join(words(name))
        for start in range(len(found)):
            if core and found[start : start + len(core)] == core:
                spans[start] = max(spans.get(start, 0), start + len(core))
            elif found[start] == whole:
                spans[start] = max(spans.get(start, 0), start + 1)
    return sorted(spans.items())


def _stand(found: Sequence[str], start: int, end: int, *, has_at: bool) -> Stand | None:
    """Return what one mention says; None where it can be read in several ways."""
    if end < len(found) and found[end] in _ALUM:
        return Stand.LEFT
    if end < len(found) and found[end].isdigit():
        return None
    before = found[:start]
    marks = [place for place, word in enumerate(before) if word in _FORMER]
    between = before[marks[-1] + 1 :] if marks else before
    if marks and not _NOW & set(between):
        return Stand.LEFT if all(_is_of_a_title(word) for word in between) else None
    if has_at or not between or between[-1] in _AT or all(_is_of_a_title(word) for word in between):
        return Stand.HERE
    return None


def _is_of_a_title(word: str) -> bool:
    return word in _BETWEEN or word in _NOW or word in vocabulary("title_words")


def _employer_in(bio: str, names: Sequence[str]) -> str:
    """Return the employer that running text names outright: "now at Globex", "Engineer @globex"."""
    for clause in _CLAUSES.split(_RENAMED.sub(" | ", bio)):
        match = _EMPLOYER.search(clause.strip())
        if match is None:
            continue
        name, before = match["name"].lstrip("@"), words(clause[: clause.find(match[0])])
        is_handle = "@" in match[0]
        if _FORMER & set(before) or is_account(name, names) or set(words(name)) <= _common():
            continue
        by_itself = match[0].split()[0].lower() == "at" or is_handle
        if by_itself and not (before and before[-1] != "of" and all(map(_is_of_a_title, before))):
            continue
        if is_handle or name[:1].isupper():
            return name[:MOST_NAME]
    return ""


def _common() -> frozenset[str]:
    return vocabulary("title_words") | vocabulary("places") | _NOW | _BETWEEN | _FORMER
