"""See which employer a page names for a person, and whether two names are one company."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from watchers.web.folding import fold, words
from watchers.web.namelike import has_title_word
from watchers.web.persons import Person
from watchers.web.words import vocabulary

_LEGAL = frozenset(
    "inc incorporated llc llp ltd limited gmbh ag kg se sa sas sarl srl spa bv nv ab as oy plc corp "
    "corporation co company "
    "companies group holding holdings the and of de international global technologies technology labs "
    "foundation project team".split(),
)
_AT = re.compile(r"(?:\bat|@|\bbei|\bbei der|\bchez|\bhos|\bw/)\s?(?=[^\W\d_a-z])(.{2,80})$")
_PARTS = re.compile(r"\s*(?:,|\||·|•|\s[-\u2013\u2014]\s)\s*")
_MOST_NAME = 60
_ASIDE = re.compile(r"\(([^()]{2,60})\)\s*$")


@lru_cache(maxsize=8_192)
def company_words(name: str) -> frozenset[str]:
    """Return the words that tell a company, without legal forms and the like."""
    found = words(name)
    return frozenset(word for word in found if word not in _LEGAL) or frozenset(found)


def same_company(one: str, other: str) -> bool:
    """Say whether two names may be one company, a parent and its part, or a name and its initials.

    >>> same_company("Acme Holdings Inc.", "ACME"), same_company("IBM", "International Business Machines")
    (True, True)
    """
    a, b = company_words(one), company_words(other)
    if not a or not b or a <= b or b <= a:
        return True
    return _initials(one) == fold(other).strip() or _initials(other) == fold(one).strip()


def _initials(name: str) -> str:
    return "".join(word[0] for word in words(name))


def employer(person: Person, known: Iterable[str] = ()) -> str:
    """Return the employer that a page names for a person; a company already known is seen in a title too."""
    if person.org:
        return person.org
    found = _AT.search(person.title)
    if found:
        return _PARTS.split(found[1])[0].strip()
    wanted = [company_words(name) for name in known if name]
    for part in (*person.notes, *reversed(_parts(person.title))):
        if company_words(part) in wanted:
            return part
    return ""


def replaced(old_title: str, old_org: str, new_title: str) -> str:
    """Return the employer that stands in a title where another stood before; empty where none does.

    "Engineer, Acme" that became "Engineer, Globex" names Globex.
    """
    old, new = _parts(old_title), _parts(new_title)
    if not old or not new or not same_company(old[-1], old_org) or len(new) < len(old):
        return ""
    last = new[-1]
    if set(words(last)) <= vocabulary("places"):
        return ""
    return "" if has_title_word(last) or same_company(last, old_org) or not last[:1].isupper() else last


def replaced_alone(old_title: str, old_org: str, new_title: str) -> str:
    """Return the employer that stands where a card had no title but another; empty where none does.

    >>> replaced_alone("", "Acme", "Globex"), replaced_alone("", "Acme", "Head of Sales")
    ('Globex', '')
    """
    is_name = new_title[:1].isupper() and not has_title_word(new_title) and len(new_title) <= _MOST_NAME
    if old_title or not is_name or set(words(new_title)) <= vocabulary("places"):
        return ""
    return "" if same_company(new_title, old_org) else new_title


def replaced_note(old: Iterable[str], old_org: str, new: Iterable[str]) -> str:
    """Return the employer that stands in a card where another stood before; empty where none does."""
    before, after = list(old), list(new)
    if len(before) != len(after):
        return ""
    for one, other in zip(before, after, strict=True):
        if same_company(one, old_org) and other[:1].isupper() and not same_company(other, old_org):
            return other
    return ""


def is_company(text: str, known: Iterable[str]) -> bool:
    """Say whether a text is the name of a company that we know, and nothing else."""
    found = company_words(text)
    return bool(found) and any(found == company_words(name) for name in known if name)


def _parts(title: str) -> list[str]:
    """Return the parts of a title: between commas and the like, and what stands in brackets at its end."""
    aside = _ASIDE.search(title)
    head = title[: aside.start()] if aside else title
    return [part for part in [*_PARTS.split(head), *([aside[1]] if aside else [])] if part.strip()]
