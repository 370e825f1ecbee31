"""Decide what a mail says from the phrases found in it; pure text in, a `Reading` out.

The phrases of all languages the text is written in are searched. A phrase inside a condition, said of "we",
or taken back by its neighbours does not count. What is left is weighed in the order of `_decide`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING

from watchers.mail.automatic import AWAY_SUBJECTS, automatic
from watchers.mail.dates import (
    BEHIND_ANNOUNCED,
    BEHIND_GONE,
    BEHIND_LEFT,
    BEHIND_STANDING,
    last_day,
    return_day,
)
from watchers.mail.denials import denied
from watchers.mail.folding import fold
from watchers.mail.names import fits, is_role
from watchers.mail.own_text import Text, own_text
from watchers.mail.phrases import Language, is_short, language, languages, spoken
from watchers.mail.subjects import names_company, of_another
from watchers.mail.successors import Successor, mentions, named_only, reveal, successors
from watchers.mail.words import any_of

if TYPE_CHECKING:
    from watchers import Scope
    from watchers.mail.head import Address, Head
    from watchers.mail.parse import Mail


@dataclass(frozen=True, slots=True)
class Reading:
    """What a mail says, of whom, and why we think so."""

    says: str
    contact: str
    language: str
    because: tuple[str, ...]
    successors: tuple[Successor, ...] = ()
    returns: date | None = None
    leaves: date | None = None
    new_address: str = ""
    asks: bool = False
    """Whether the mail is let through only once its writer confirms to be a person."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase that counts: its section, where it stands and whether the writer speaks of themselves."""

    section: str
    start: int
    end: int
    first_person: bool
    code: str


_NEAR = 25
"""How close, in characters, a phrase must stand to one that takes it back."""
_CONTEXT = 300
"""How far, in characters, a sentence is looked at for its subject, its condition and its dates."""
_BESIDE = 15
"""How far, in characters, the verb may stand that says whether a last day is past or still to come."""
_QUOTE = 400
"""How far, in characters, a quotation mark is looked for on either side of a phrase."""
_BOXED = 60
"""How far, in characters, behind the address of a mailbox it may stand that it is no longer used."""
_PAIR = 2
_MOST = 20
"""How often one pattern is looked for: a mail that repeats itself says no more."""


def find(text: Text, spoken_here: Iterable[Language], sections: Iterable[str]) -> list[Hit]:
    """Return the phrases that count, in the order they stand in the text."""
    wanted = tuple(sections)
    found: list[Hit] = []
    for one in spoken_here:
        taken_back = [
            match.span() for pattern in one.patterns("not departed") for match in pattern.finditer(text.low)
        ]
        for section in wanted:
            for pattern in one.patterns(section):
                found.extend(
                    Hit(section, match.start(), match.end(), _first_person(text, one, match), one.code)
                    for match in islice(pattern.finditer(text.low), _MOST)
                    if _counts(text, one, section, match, taken_back)
                )
    return sorted(found, key=lambda hit: hit.start)


def _first_person(text: Text, one: Language, match: re.Match[str]) -> bool:
    """Say whether the writer is the subject: "my last day", or "I" in the phrase's own clause."""
    if any_of("my").match(match[0]):
        return True
    if one.first_person is None:
        return False
    before = _before(text, match.start())
    clause = any_of("clause").split(before)[-1]
    said = any_of("colleagues").sub("", clause if clause.strip() else before)
    return one.first_person.search(said + match[0]) is not None


_GONE = frozenset({"departed", "mailbox", "farewell", "leaving"})
_PLURAL_NEAR = 14


def _counts(
    text: Text,
    one: Language,
    section: str,
    match: re.Match[str],
    taken_back: list[tuple[int, int]],
) -> bool:
    if _quoted(text, match.start(), match.end()):
        return False
    before = _before(text, match.start())
    if section != "acknowledgement" and _conditional(one, before, text.low[match.end() : match.end() + 12]):
        return False
    if section not in _GONE:
        return True
    if any_of("not_people").search(before + match[0]) or denied(text, one, match):
        return False
    tail = before[-_PLURAL_NEAR:]
    said_of_us = one.plural.search(tail + match[0][:_PLURAL_NEAR]) if one.plural is not None else None
    if said_of_us is not None and said_of_us.start() < len(tail):
        return section == "mailbox"
    after = text.low[match.end() : match.end() + _NEAR].partition("\n")[0]
    low, high = match.start() - min(_NEAR, len(before)), match.end() + len(after)
    return not any(start < high and low < stop for start, stop in taken_back)


def _quoted(text: Text, start: int, end: int) -> bool:
    """Say whether the phrase stands in quotation marks: somebody else's words, or a subject line.

    A text that stands in them as a whole is the writer's all the same.
    """
    if text.shown.startswith('"') and text.shown.endswith('"') and text.shown.count('"') == _PAIR:
        return False
    begin = max(text.shown.rfind("\n\n", 0, start) + 1, start - _QUOTE)
    return text.shown.count('"', begin, start) % 2 == 1 and '"' in text.shown[end : end + _QUOTE]


def _before(text: Text, at: int) -> str:
    """Return the part of the sentence that stands before an offset, as far as it matters."""
    return text.low[max(0, at - _CONTEXT) : at].rpartition("\n")[2]


def _conditional(one: Language, before: str, after: str) -> bool:
    if one.condition is None:
        return False
    if one.scripts and one.condition.search(after):
        return True
    conditions = list(one.condition.finditer(before))
    return bool(conditions) and "," not in before[conditions[-1].end() :]


def _decide(
    text: Text, hits: list[Hit], scope: Scope, head: Head, named: tuple[Successor, ...]
) -> Hit | None:
    """Choose the phrase that says what the mail is; None where none says anything."""
    sender = head.sender
    hits = list(_of_the_sender(text, hits, sender))
    of = {
        section: [hit for hit in hits if hit.section == section] for section in {hit.section for hit in hits}
    }
    roles, away = of.get("role_change", []), of.get("on_leave", [])
    departed = [hit for hit in of.get("departed", []) if not any(_overlap(hit, role) for role in roles)]
    departed += of.get("farewell", [])
    internal = [role for role in roles if any_of("internal").search(text.sentence(role.start))]
    own = [hit for hit in departed if hit.first_person]
    if departed and not internal and (own or not _own(away)):
        # "I am leaving the company; my last day is Friday": the sentence that names the day says more.
        return min(own or departed, key=lambda hit: told_last_day(text, hit, head) is None)
    changes = sorted([*(internal or roles), *of.get("address_change", []), *away], key=lambda hit: hit.start)
    if changes:
        return changes[0]
    if of.get("mailbox"):
        moved = any(
            _is_mine(text, one.start) for one in mentions(text.shown) if one.address != sender.address
        )
        return replace(of["mailbox"][0], section="address_change" if moved else "departed")
    unmonitored = of.get("unmonitored", [])
    if unmonitored and any(any_of("any_more").search(text.sentence(hit.start)) for hit in unmonitored):
        person = any(one.name and not one.role for one in named)
        if person and not is_role(sender.address) and not scope.is_ours(sender.address):
            return replace(unmonitored[0], section="departed")
    acknowledged = [*of.get("acknowledgement", []), *unmonitored]
    return replace(acknowledged[0], section="acknowledgement") if acknowledged else None


def _of_the_sender(text: Text, hits: list[Hit], sender: Address) -> Iterator[Hit]:
    """Drop the departures of others: named ones, told by a writer who says "I" or begins with being away.

    A reply without any "I" may speak for a mailbox whose owner is gone, under any sender's name. A desk has
    no owner: whoever has left it is somebody else, and known only where their address is named.
    """
    desk = is_role(sender.address) and not any(_given_up(text, sender))
    speaks = any(language(code).speaks(text.low) for code in {hit.code for hit in hits})
    away = min((hit.end for hit in hits if hit.section == "on_leave"), default=len(text.low))
    for hit in hits:
        if desk and hit.section == "departed" and not hit.first_person:
            continue
        tells = speaks or "\n" in text.low[away : hit.start]
        if not (tells and hit.section in _GONE and not hit.first_person) or not of_another(
            text, hit.start, hit.end, sender
        ):
            yield hit


def _own(hits: list[Hit]) -> list[Hit]:
    return [hit for hit in hits if hit.first_person]


def _overlap(one: Hit, other: Hit) -> bool:
    return one.start < other.end and other.start < one.end


_SAYS = {
    "departed": "says that the person has left, or that the mailbox is no longer theirs",
    "farewell": "has its writer say goodbye",
    "on_leave": "says that the person is away",
    "role_change": "says that the person now has other duties",
    "address_change": "says that the person is reached at another address",
    "acknowledgement": "says that the mail arrived",
}
"""What each reading rests on, in words; the text itself is not quoted, for it may give private reasons."""

_SHORT = 2000
"""Up to this length, in characters, every language is tried where the likely ones say nothing."""


def read_automatic(mail: Mail, scope: Scope) -> Reading | None:
    """Read an auto-reply; what says nothing we know is an acknowledgement."""
    head = mail.head
    text = Text(reveal(own_text(mail.text)))
    spoken_here = list(spoken(text.low))
    sections = (
        "departed",
        "mailbox",
        "unmonitored",
        "role_change",
        "address_change",
        "on_leave",
        "acknowledgement",
        "farewell",
    )
    named = _named(text, head, scope)
    hit = _decide(text, find(text, spoken_here, sections), scope, head, named)
    if hit is None and len(text.shown) <= _SHORT:
        others = [one for one in languages() if one not in spoken_here]
        hit = _decide(text, find(text, others, sections), scope, head, named)
    if hit is None:
        says = "on_leave" if _away_subject(head) else "acknowledgement"
        code = spoken_here[0].code if spoken_here else ""
        hit = Hit(says, 0, 0, first_person=True, code=code)
        because = "its subject says so" if says == "on_leave" else "its text says nothing else that is known"
    else:
        says = "departed" if hit.section == "farewell" else hit.section
        because = f"its text, in {language(hit.code).name}, {_SAYS[says]}"
    return _reading(says, text, hit, head, scope, named, because)


_LONGEST = 900


def read_personal(mail: Mail, scope: Scope) -> Reading | None:
    """Read a mail that no header calls an answer: a farewell, or an auto-reply without a mark; else None."""
    head = mail.head
    text = Text(reveal(own_text(mail.text)))
    if not any_of("farewell_cues").search(text.low):
        return None
    spoken_here = list(spoken(text.low))
    named = _named(text, head, scope)
    goodbye = [
        hit
        for hit in _goodbyes(text, spoken_here, head.sender)
        or _goodbyes(text, _others(text, spoken_here), head.sender)
        if not text.sentence(hit.start).rstrip().endswith("?")
    ]
    if goodbye and not any_of("no_reply").search(head.sender.address):
        goodbye.sort(key=lambda hit: told_last_day(text, hit, head) is None)
        because = f"its text, in {language(goodbye[0].code).name}, {_SAYS['farewell']}"
        return _reading("farewell", text, goodbye[0], head, scope, named, because)
    if len(text.shown) > _LONGEST or "?" in text.shown or not head.references:
        return None
    hits = find(text, spoken_here, ("departed", "mailbox", "on_leave", "acknowledgement", "role_change"))
    formal = (
        any(hit.section == "acknowledgement" for hit in hits) or any_of("formal").search(text.low) is not None
    )
    hit = _decide(text, hits, scope, head, named)
    if hit is None or not formal or not hit.first_person or hit.section not in {"departed", "on_leave"}:
        return None
    if hit.section == "on_leave" and not any_of("redirect").search(text.low):
        return None
    said = f"in {language(hit.code).name}, {_SAYS[hit.section]}"
    because = f"it is short and formal as an auto-reply is, and its text, {said}"
    return _reading(hit.section, text, hit, head, scope, named, because)


def _goodbyes(text: Text, spoken_here: Iterable[Language], sender: Address) -> list[Hit]:
    """Return the farewells; people leave cities, too, so what they leave must be their company."""
    found = find(text, spoken_here, ("farewell", "leaving"))
    return [
        hit
        for hit in found
        if hit.section == "farewell" or names_company(text.low[hit.start : hit.end], sender)
    ]


def _others(text: Text, spoken_here: Sequence[Language]) -> list[Language]:
    """Return the other languages that a short text may be in: "Friday is my last day." shows none."""
    return [one for one in languages() if one not in spoken_here] if is_short(text.low) else []


def _away_subject(head: Head) -> bool:
    subject = fold(head.subject[:100].lower())
    words = [fold(word.strip()) for word in re.split(r"[|\n]", AWAY_SUBJECTS) if word.strip()]
    return subject.startswith(tuple(words))


def _named(text: Text, head: Head, scope: Scope) -> tuple[Successor, ...]:
    """Return who is named to turn to; neither the sender, nor we, nor the address that is given up."""
    told = mentions(text.shown)
    unwanted = {head.sender.address, *(one.address for one in head.recipients)}
    unwanted.update(one.address for one in told if scope.is_ours(one.address))
    unwanted.update(_given_up(text, head.sender))
    found = successors(text.shown, unwanted)
    if found:
        return tuple(found)
    ours = [(one.name, one.address) for one in head.recipients if scope.is_ours(one.address)]
    theirs = {one.address for one in told if not scope.is_ours(one.address)}
    ours += [(one.name, one.address) for one in successors(text.shown, theirs)]
    return tuple(one for one in named_only(text.shown) if not any(_is_called(one.name, *our) for our in ours))


def _is_called(name: str, known: str, address: str) -> bool:
    """Say whether every word of a name belongs to the name that is known, or fits the address."""
    words = known.lower().split()
    return all(word.lower() in words or fits([word], address) for word in name.split())


def _given_up(text: Text, sender: Address) -> Iterator[str]:
    """Yield the addresses that a sentence says are no longer used, or a desk says are nobody's any more."""
    desk = is_role(sender.address)
    for one in mentions(text.shown):
        boxed = any_of("box").search(text.low[max(0, one.start - 40) : one.start])
        reach = _BOXED if boxed else _NEAR if desk else 0
        if any_of("any_more").search(text.low[one.end : one.end + reach].partition("\n")[0]):
            yield one.address


def _reading(
    says: str, text: Text, hit: Hit, head: Head, scope: Scope, named: tuple[Successor, ...], because: str
) -> Reading:
    wrote = _written_on(head)
    sender = head.sender.address
    given_up = [address for address in _given_up(text, head.sender) if not scope.is_ours(address)]
    contact = given_up[0] if says == "departed" and given_up else sender
    mine = [
        one.address for one in mentions(text.shown) if one.address != sender and _is_mine(text, one.start)
    ]
    new_address = ""
    if says == "address_change":
        people = [one.address for one in named if one.address]
        new_address = (mine or people or [""])[0]
    elif says in {"departed", "farewell"}:
        new_address = mine[0] if mine else ""
        named = tuple(one for one in named if one.address not in mine)
    asks = says == "acknowledgement" and any_of("challenges").search(text.low) is not None
    if asks:
        because = "its text asks for a proof that a person wrote"
    return Reading(
        says=says,
        contact=contact,
        language=hit.code,
        because=(because,),
        successors=named if says != "acknowledgement" else tuple(one for one in named if one.name),
        returns=return_day(text.low, wrote, hit.code) if says == "on_leave" else None,
        leaves=told_last_day(text, hit, head) if says in {"departed", "farewell"} else None,
        new_address=new_address,
        asks=asks,
    )


def _written_on(head: Head) -> date:
    return head.date.date() if head.date else date(1970, 1, 1)


def told_last_day(text: Text, hit: Hit, head: Head) -> date | None:
    """Return the last day that the sentence of a departure names.

    Without a year an announced day is the next one, a told one the last; an automatic reply may be old.
    """
    before = _before(text, hit.start)
    sentence = before + text.low[hit.start : hit.end + _CONTEXT].partition("\n")[0]
    start, end = len(before), len(before) + hit.end - hit.start
    said = sentence[max(0, start - _BESIDE) : end + _BESIDE]
    behind = BEHIND_LEFT
    if any_of("gone_by").search(said):
        behind = BEHIND_GONE
    elif any_of("coming").search(said):
        behind = BEHIND_STANDING if automatic(head) else BEHIND_ANNOUNCED
    elif any_of("gone_by").search(sentence):
        behind = BEHIND_GONE
    return last_day(sentence, _written_on(head), hit.code, (start, end), behind)


def _is_mine(text: Text, at: int) -> bool:
    begin = text.low.rfind("\n", 0, at) + 1
    return any_of("mine").search(text.low, max(begin, at - 80), at) is not None
