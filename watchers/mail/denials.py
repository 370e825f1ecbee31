"""Tell a departure that is denied from one that is told: "I have not left" holds all of "I have left".

Many phrases of departure hold a negation of their own, "no longer" or "nicht mehr". So a word denies a phrase
only where it stands in the phrase's own clause and the phrase is complete without it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from watchers.mail.words import any_of

if TYPE_CHECKING:
    from watchers.mail.own_text import Text
    from watchers.mail.phrases import Language

_BEFORE = 60
"""How far back, in characters, the clause of a phrase is looked at."""
_AFTER = 40
"""How far on, in characters, the clause of a phrase is looked at."""
_NEAR = 30
"""How far, in characters, a word may deny what follows: "I don't think Jane Doe has left"."""
_ANY_MORE = 15
"""How far behind a phrase the "any more" may stand that makes its negation a departure's."""
_TALE = 100
"""How far, in characters, a sentence is looked at for a word that calls it untrue."""


def denied(text: Text, one: Language, match: re.Match[str]) -> bool:
    """Say whether what a phrase says is denied: by a word in its clause, or because it is called untrue."""
    low, (start, end) = text.low, match.span()
    begin = low.rfind("\n", 0, start) + 1
    stop = low.find("\n", end)
    stop = len(low) if stop == -1 else stop
    if any_of("untrue").search(low, max(begin, start - _TALE), min(stop, end + _TALE)):
        return True
    if one.denial is None or one.clause is None:
        return False
    clause = max(begin, start - _BEFORE)
    for border in one.clause.finditer(low, clause, end - 1):
        clause = border.end()
    if any_of("any_more").search(low, clause, min(stop, end + _ANY_MORE)):
        return False
    if any(_denies(match, word, clause, stop) for word in one.denial.finditer(low, clause, end)):
        return True
    # "Ich verlasse Acme nicht, ...": where a phrase reaches on, the denial may end its first clause.
    if any(low[word.end()] in ",;" for word in one.denial.finditer(low, start, end - 1)):
        return True
    stop = min(stop, end + _AFTER)
    following = one.clause.search(low, end, stop)
    after = low[end : following.start() if following else stop]
    return one.denial_after is not None and one.denial_after.search(after) is not None


def _denies(match: re.Match[str], word: re.Match[str], clause: int, stop: int) -> bool:
    """Say whether a word takes a phrase back: it stands before it, or the phrase would be one without it."""
    if word.start() < match.start():
        return match.start() - word.end() <= _NEAR
    low = match.string
    without = (
        low[clause : word.start()].rstrip() + " " + low[word.end() : min(stop, match.end() + _AFTER)].lstrip()
    )
    return match.re.search(without) is not None
