"""Find whom an auto-reply says to turn to: names, addresses, and role mailboxes such as sales@.

People write "Jane Smith at jane.smith@acme.example", "Frau Meier (meier@...)", "Ann Lee, VP Sales, +1 555,
ann@..." or the address alone, and hide it from robots: "jane (at) acme (dot) example".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import islice

from watchers.mail.names import eastern_alone, is_role, name_beside, name_first, name_last
from watchers.mail.words import as_written

_MOST = 40
_NEVER = re.compile(r"(?:no-?reply|do-?not-?reply|mailer-daemon|postmaster|bounce|unsubscribe|abuse)\b")

_ADDRESS = re.compile(
    r"(?<![\w.+-])[^\W_][\w.+'&-]{0,63}@(?:(?:[a-z0-9-]{1,63}\.){1,6}[a-z]{2,24})(?![\w-])",
    re.IGNORECASE | re.ASCII,
)
_MAILTO = re.compile(r"\[?<?mailto:([^\s<>?\]]{3,120})[^\s<>\]]{0,200}>?\]?", re.IGNORECASE)
_HIDDEN = re.compile(r"\bdot\b|\bpunkt\b|[\[({] ?(?:dot|at|ät|arroba|chiocciola)\b", re.IGNORECASE)
_SHOW = (
    (re.compile(r" ?[\[({<] ?(?:at|@|ät|arroba|chiocciola) ?[\])}>] ?", re.IGNORECASE), "@"),
    (re.compile(r" ?[\[({<] ?(?:dot|punkt|point|punto|ponto|punt|\.) ?[\])}>] ?", re.IGNORECASE), "."),
    (re.compile(r"(?<=\w) (?:dot|DOT|punkt|punto) (?=\w)"), "."),
    (re.compile(r"(?<![\w@])([\w.-]{2,40}) (?:at|AT) ((?:[\w-]{1,40}\.){1,4}[a-z]{2,10})\b(?!@)"), r"\1@\2"),
)


@dataclass(frozen=True, slots=True)
class Successor:
    """Somebody to turn to; name or address may be empty. `role`: a function's mailbox, not a person's."""

    name: str
    address: str
    role: bool = False


@dataclass(frozen=True, slots=True)
class Mention:
    """An address in the text and where it stands there."""

    address: str
    start: int
    end: int


def reveal(text: str) -> str:
    """Undo the disguises of addresses: "jane (at) acme (dot) example", "<mailto:...>"."""
    text = _MAILTO.sub(lambda match: f"<{match[1]}>", text)
    if _HIDDEN.search(text):
        for pattern, plain in _SHOW:
            text = pattern.sub(plain, text)
    return text


def mentions(text: str) -> list[Mention]:
    """Return the addresses in a revealed text, in order, each once."""
    found: dict[str, Mention] = {}
    for match in islice(_ADDRESS.finditer(text), _MOST):
        address = match[0].lower()
        found.setdefault(address, Mention(address, match.start(), match.end()))
    return list(found.values())


def successors(text: str, unwanted: Iterable[str] = ()) -> list[Successor]:
    """Return who is named with an address, in order of mention; `unwanted` addresses are left out."""
    skipped = {address.lower() for address in unwanted}
    found: list[Successor] = []
    everything = mentions(text)
    floor = 0
    for index, one in enumerate(everything):
        if one.address not in skipped and not _NEVER.match(one.address):
            ceiling = everything[index + 1].start if index + 1 < len(everything) else len(text)
            name = name_beside(text, one.start, one.end, floor, ceiling, one.address)
            found.append(Successor(name, one.address, is_role(one.address)))
        floor = one.end
    return found


_MINE = (
    "my our your his her mein(?:en?|e[rm])? unser(?:en?|e) mon ma notre mi mio mia meu minha mijn min mitt"
)
_COLLEAGUE = (
    "colleagues? manager boss successor assistant deputy kolleg(?:en?|in) vorgesetzten? collègue "
    "compañer[oa] collega colega kollega"
)


@cache
def _call() -> re.Pattern[str]:
    mine, colleague = "|".join(_MINE.split()), "|".join(_COLLEAGUE.split())
    return re.compile(
        rf"\b(?:{as_written('call')})\s+(?:(?:please|bitte|with)\s+)?"
        rf"(?:(?:il |la |o |a )?(?:{mine}) )?(?:(?:{colleague}),? )?",
        re.IGNORECASE,
    )


@cache
def _takes_over() -> re.Pattern[str]:
    return re.compile(rf"\s(?:{as_written('takes_over')})\b", re.IGNORECASE)


_REACH = 60


def named_only(text: str) -> list[Successor]:
    """Return who is named to turn to without an address: "call Mike on +1 555 0100", "Tom Fox takes over"."""
    called = {
        call.start(): name_first(text[call.end() : call.end() + _REACH])
        for call in islice(_call().finditer(text), _MOST)
    }
    for verb in islice(_takes_over().finditer(text), _MOST):
        name, at = name_last(text[max(0, verb.start() - _REACH) : verb.start()]), verb.start() + 1
        # "Meine Kunden übernimmt Tim Berg": a full name after the verb is likelier than a noun before it.
        if len(name.split()) >= len(called.get(at, "").split()):
            called[at] = name
    names = [called[at] for at in sorted(called)]
    if not any(names):
        names = [eastern_alone(text)]
    return [Successor(name, "") for name in dict.fromkeys(names) if name]
