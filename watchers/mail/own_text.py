"""Reduce a body to what its author wrote now, in a form that patterns can search.

Quoted mail, signature blocks and legal notices say nothing about the author, yet they are full of words such
as "no longer". What is left is held twice at the same offsets: as shown, for names, and folded, for phrases.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, cached_property

from watchers.mail.folding import fold
from watchers.mail.words import as_written, words

READ = 20_000
"""How many characters of a body are looked at; an auto-reply is far shorter."""


_PLAIN = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u02bc\u00b4\u0060\u201b", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff", None),
        **dict.fromkeys("\t\u00a0\u3000\u202f\v\f\x1c\x1d\x1e\x85", " "),
        **dict.fromkeys("\r\u2028\u2029", "\n"),
    },
)


_SIGNATURE = re.compile(r"^-- ?$", re.MULTILINE)


@cache
def _quote() -> re.Pattern[str]:
    return re.compile(rf"^(?:{as_written('quotes')})", re.IGNORECASE | re.MULTILINE)


@cache
def _notice() -> re.Pattern[str]:
    return re.compile(rf"^[ *_]{{0,6}}(?:{as_written('notices')})", re.IGNORECASE | re.MULTILINE)


def own_text(body: str) -> str:
    """Return what the author wrote above quotes, signature marker and legal notice, tidied."""
    text = body[: READ * 2]
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = text.translate(_PLAIN)[:READ]
    lines = [" ".join(line.split()) for line in text.split("\n")]
    text = "\n".join(line for line in lines if not line.startswith((">", "|"))).strip("\n")
    cuts = [match.start() for match in (_quote().search(text), _notice().search(text)) if match is not None]
    cuts.extend(match.start() for match in [_SIGNATURE.search(text)] if match is not None)
    kept = text[: min((cut for cut in cuts if text[:cut].strip()), default=len(text))]
    return re.sub(r"\n{3,}", "\n\n", kept).strip()


_STOP = re.compile(r"[.!?:;][\"')]{0,2}[ \n]|\n|[\u3002\uff01\uff1f]")
_DAY_AND_MONTH = re.compile(r"(?<!\d)\d{1,2}\.\d{1,2}\.\s$")
_DAY_AND_NAME = re.compile(r"(?<!\d)\d{1,2}\.? [^\W\d_]{3,5}\.\s$")
_SHORT_LINE = 45


@dataclass(frozen=True)
class Text:
    """An author's own words. `shown` keeps case and lines; `low` is folded, with one sentence a line."""

    shown: str

    @cached_property
    def low(self) -> str:
        """Return the folded text; every sentence is a line of its own, at the same offsets as `shown`."""
        low = self.shown.translate({0x130: "i"}).lower()
        low = fold(low if len(low) == len(self.shown) else self.shown)
        letters = list(low)
        for match in _STOP.finditer(low):
            at = match.end() - 1
            letters[at] = "\n" if self._ends(low, match) else low[at].replace("\n", " ")
        return "".join(letters)

    def _ends(self, low: str, match: re.Match[str]) -> bool:
        at, mark = match.end() - 1, match[0][0]
        if mark == "\n":
            if low[at + 1 : at + 2] in {"", "\n"} or low[at - 1 : at] == "\n":
                return True
            wrapped = at - low.rfind("\n", 0, at) >= _SHORT_LINE
            return not wrapped and not self.shown[at + 1 : at + 2].islower()
        if mark != ".":
            return mark != ":"
        following = self.shown[at + 1 : at + 2]
        if _DAY_AND_MONTH.search(low, max(0, match.start() - 8), match.end()):
            return not following.islower() and not following.isdigit()
        if _DAY_AND_NAME.search(low, max(0, match.start() - 10), match.end()):
            return following.isupper()
        return not _abbreviated(low, match.start())

    def sentence(self, start: int) -> str:
        """Return the folded sentence around an offset."""
        begin = self.low.rfind("\n", 0, start) + 1
        end = self.low.find("\n", start)
        return self.low[begin : len(self.low) if end == -1 else end]


def _abbreviated(low: str, dot: int) -> bool:
    word = low[max(0, dot - 8) : dot].replace("\n", " ").rpartition(" ")[2].lstrip("(\"'")
    if word.isdigit():
        return len(word) <= 2  # noqa: PLR2004 - a day or a month, as in "14. September"
    return word in words("abbreviations") or (len(word) == 1 and word.isalpha())
