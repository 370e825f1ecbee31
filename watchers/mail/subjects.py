"""Tell of whom a phrase of departure speaks: of the mail's sender, of somebody else, or of no person at all.

People tell in their own replies who else has left. Only what can be told surely is told: a phrase about "he"
or about a mailbox stays the sender's, for a reply is often written for somebody who is no longer there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from watchers.mail.folding import fold
from watchers.mail.names import fits, runs
from watchers.mail.phrases import languages
from watchers.mail.words import any_of, words

if TYPE_CHECKING:
    from watchers.mail.head import Address
    from watchers.mail.own_text import Text

_WORD = re.compile(r"[^\W\d_]{1,40}")
_GAP = 25
"""How far, in characters, a name may stand from the phrase whose subject it is."""
_NAME_WORDS = 4
_LABEL = 3
_GAP_ALONE = 8
"""The same for the first word of a sentence, whose capital tells little."""


def of_another(text: Text, start: int, end: int, sender: Address) -> bool:
    """Say whether the phrase at `start` to `end` speaks of a person who is not the sender.

    True for "Tom Fox has left" and "my colleague has left", unless the sentence names the sender.
    """
    if any_of("my").search(text.low[start:end]):
        return False
    begin = text.low.rfind("\n", 0, start) + 1
    if _names(text, begin, end, sender):
        return False
    return any_of("colleagues").search(text.low, begin, end) is not None or _named(text, begin, start)


def names_company(low: str, sender: Address) -> bool:
    """Say whether a folded text has a word for a company, or the name that stands in the sender's domain."""
    if any_of("companies").search(low):
        return True
    labels = [re.sub(r"[^a-z]", "", label) for label in sender.domain.split(".")[:-1]]
    said = _WORD.findall(low)
    joined = {
        "".join(said[at : at + length]) for at in range(len(said)) for length in range(1, _NAME_WORDS + 1)
    }
    return any(len(label) >= _LABEL and label in joined for label in labels)


def _names(text: Text, begin: int, end: int, sender: Address) -> bool:
    said = text.low[begin:end]
    said_words = frozenset(_WORD.findall(said))
    for word in _WORD.findall(fold(sender.name.lower())):
        if len(word) > 1 and (word in said_words or (not word.isascii() and word in said)):
            return True
    return any(fits(run.words, sender.address) for run in runs(text.shown[begin:end]))


def _named(text: Text, begin: int, start: int) -> bool:
    """Say whether a name stands right before the phrase or begins it: "Tom left the company"."""
    for run in runs(text.shown[begin : start + _GAP]):
        first, last = begin + run.start, begin + run.end
        if first > start:
            return False
        alone = first == begin and len(run.words) == 1
        if start - last > (_GAP_ALONE if alone else _GAP):
            continue
        if any_of("pronouns").search(text.low, min(last, start), start):
            continue
        if not (alone and _is_common(run.words[0])):
            return True
    return False


def _is_common(word: str) -> bool:
    low = fold(word.lower())
    return low in words("not_subjects") or any(low in one.words for one in languages())
