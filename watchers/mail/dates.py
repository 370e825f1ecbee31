"""Find the dates that people write in an auto-reply, in their own languages.

A date without a year is the one nearest to the mail's own date, rather ahead than behind. Where day and month
could be either way round, English text is read so that the date lies ahead, other languages day first.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import islice

from watchers.mail.folding import fold
from watchers.mail.words import any_of, lines, numbered


@dataclass(frozen=True, slots=True)
class Found:
    """A date and where it stands. `ranged`: it is the last day of a range such as "1 to 15 August"."""

    day: date
    start: int
    end: int
    weekday: bool = False
    ranged: bool = False


_FIRST_IDEOGRAPH = "\u3041"


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    def words(table: dict[str, int]) -> str:
        return "|".join(sorted(map(re.escape, table), key=len, reverse=True))

    month = rf"(?P<name>{words(numbered('months'))})\b\.?"
    day = r"(?<![\d.:/-])(?P<day>\d{1,2})(?:st|nd|rd|th|er|re|do|ten|te|a|o|º|°|:?e|\.)?"
    year = r"(?:[ ,.]{1,2}(?:de |del |of |do )?(?P<year>(?:19|20)\d\d)\b|(?! ?\d))?"
    weekday = words({word: 0 for word in numbered("weekdays") if word < _FIRST_IDEOGRAPH})
    ideographic = words({word: 0 for word in numbered("weekdays") if word >= _FIRST_IDEOGRAPH})
    to = "-|to|through|bis|au|al|a|until|till|tot|ate|do|til|och|and|und|et"
    first = r"(?:the )?\d{1,2}(?:st|nd|rd|th)?"
    second = r"(?:the )?(?P<day2>\d{1,2})(?:st|nd|rd|th|er|re|te|\.)?"
    last = r"(?:the )?(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?(?![\d:/])"
    ideograms = r"(?P<month>\d{1,2}) ?[月월] ?(?P<day>\d{1,2}) ?[日号號일]"
    numeric = r"(?<![\d./:-])(?P<a>\d{1,2})(?P<sep>[./-]) ?(?P<b>\d{1,2})"
    return tuple(
        (name, re.compile(pattern))
        for name, pattern in (
            ("month_end", rf"(?<!\w)(?:{'|'.join(map(fold, lines('end_of')))}){month}{year}"),
            ("iso", r"(?<!\d)(?P<year>(?:19|20)\d\d)[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?!\d)"),
            ("cjk", rf"(?:(?P<year>20\d\d) ?[年년] ?)?{ideograms}"),
            ("range", rf"{day} ?(?:{to}) ?{second} ?(?:of |de |d')?{month}{year}"),
            ("dmy", rf"{day} ?(?:of |de |d')?{month}{year}"),
            ("mdrange", rf"\b{month} {first} ?(?:{to}) ?{last}{year}"),
            ("mdy", rf"\b{month} {last}{year}"),
            ("numeric", rf"{numeric}(?:(?P=sep) ?(?P<year>\d{{4}}|\d\d))?\.?(?![\d:%/]|\.\d)"),
            ("my", rf"\b{month} (?:de |of |del )?(?P<year>20\d\d)\b"),
            ("weekday", rf"(?<!\w)(?:{weekday})(?!\w)(?:-feira)?|(?:{ideographic})"),
        )
    )  # fmt: skip


_MOST = 30
_BEHIND = timedelta(days=60)
BEHIND_GONE = timedelta(days=335)
"""How long ago a last day without a year may lie that is told as past; few tell one a month ahead so."""
BEHIND_LEFT = timedelta(days=183)
"""The same for one of which no verb says whether it is past."""
BEHIND_STANDING = timedelta(days=150)
"""The same for one that is announced by an automatic reply, which may stand for months."""
BEHIND_ANNOUNCED = timedelta(days=14)
"""The same for one that a person announces, who writes it now."""
_LAST = 0
"""In place of a day: the last of its month."""
_ENGLISH = "en"
_CENTURY = 100


def dates(low: str, wrote: date, code: str = _ENGLISH, behind: timedelta = _BEHIND) -> list[Found]:
    """Return the dates in a folded text, in order; `wrote` is the mail's date, `code` the language.

    `behind` is how long ago a date without a year may lie.

    >>> [found.day.isoformat() for found in dates("until 14.9.", date(2026, 9, 1), "de")]
    ['2026-09-14']
    """
    found: list[Found] = []
    for name, pattern in _patterns():
        for match in islice(pattern.finditer(low), _MOST):
            if any(other.start < match.end() and match.start() < other.end for other in found):
                continue
            day = _day(name, match, wrote, code, behind)
            if day is not None:
                found.append(Found(day, match.start(), match.end(), name == "weekday", "range" in name))
    return sorted(_without_named_weekdays(found), key=lambda one: one.start)


def _without_named_weekdays(found: list[Found]) -> Iterator[Found]:
    """Drop the weekday in "Monday 14 September": the date beside it says more."""
    starts = [one.start for one in found if not one.weekday]
    near = 8
    return (one for one in found if not one.weekday or not any(0 <= at - one.end <= near for at in starts))


def _day(name: str, match: re.Match[str], wrote: date, code: str, behind: timedelta) -> date | None:
    groups = match.groupdict()
    if name == "weekday":
        number = numbered("weekdays")[match[0].removesuffix("-feira")]
        return wrote + timedelta(days=(number - 1 - wrote.weekday() - 1) % 7 + 1)
    year = int(groups["year"]) if groups.get("year") else None
    if name == "numeric":
        return _numeric(int(groups["a"]), int(groups["b"]), groups["sep"], year, wrote, code, behind)
    month = int(groups["month"]) if groups.get("month") else numbered("months")[groups["name"]]
    if name == "month_end":
        return _resolve(year, month, _LAST, wrote, behind)
    day = int(groups.get("day2") or 0) if name == "range" else int(groups.get("day") or 1)
    return _resolve(year, month, day, wrote, behind)


def _numeric(
    first: int, second: int, sep: str, year: int | None, wrote: date, code: str, behind: timedelta
) -> date | None:
    if year is not None and year < _CENTURY:
        year += 2000
    if year is None and sep == "-":
        return None
    if code in {"ja", "zh", "ko", "hu"}:
        return _resolve(year, first, second, wrote, behind)
    day_first = _resolve(year, second, first, wrote, behind)
    month_first = _resolve(year, first, second, wrote, behind) if code == _ENGLISH and sep == "/" else None
    both = [day for day in (day_first, month_first) if day is not None]
    ahead = [day for day in both if day >= wrote]
    return min(ahead or both, key=lambda day: abs(day - wrote), default=None)


def _resolve(year: int | None, month: int, day: int, wrote: date, behind: timedelta) -> date | None:
    """Return the date; without a year the one nearest to `wrote`, at most `behind` behind it."""
    candidates = []
    for candidate in [year] if year is not None else [wrote.year - 1, wrote.year, wrote.year + 1]:
        try:
            candidates.append(
                _month_end(date(candidate, month, 1)) if day == _LAST else date(candidate, month, day)
            )
        except ValueError:
            continue
    if year is not None:
        return candidates[0] if candidates else None
    return next((one for one in candidates if one >= wrote - behind), None)


_REACH = 30
_REACH_AFTER = 45


def return_day(low: str, wrote: date, code: str = _ENGLISH) -> date | None:
    """Return the day somebody is back, or the last day away where only that is said; None for neither.

    "Back on X" is worth more than "until X", which is worth more than the end of a range.
    """
    found = dates(low, wrote, code)
    best, best_worth = None, 0
    for index, one in enumerate(found):
        worth = _worth(low, found, index)
        if worth > best_worth:
            best, best_worth = one.day, worth
    bare = any_of("back_day").search(low)
    dated = [one for one in found if not one.weekday]
    if bare is not None and not any(one.start < bare.end() <= one.end for one in dated):
        number = next(int(group) for group in bare.groups() if group)
        return _next_day(number, max([wrote, *(one.day for one in dated)])) or best
    return best


_BACK, _UNTIL, _RANGE = 3, 2, 1


def _worth(low: str, found: list[Found], index: int) -> int:
    """Return how well the words around a date say that it is the day of return."""
    one = found[index]
    line = low.rfind("\n", 0, one.start) + 1
    previous = found[index - 1].end if index else 0
    following = found[index + 1].start if index + 1 < len(found) else len(low)
    before = low[max(line, one.start - _REACH, previous) : one.start]
    after = low[one.end : one.end + _REACH_AFTER].partition("\n")[0]
    alone = following >= one.end + len(after)
    until = any_of("until").search(before) is not None
    if any_of("back").search(before) or (alone and not until and any_of("back_after").search(after)):
        return _BACK
    if until or any_of("until_after").match(after):
        return _UNTIL
    second = index > 0 and previous >= line and one.start - previous < _REACH
    return _RANGE if one.ranged or second else 0


def _next_day(number: int, after: date) -> date | None:
    """Return the next day of that number in a month, from `after` on."""
    for ahead in range(1, 62):
        day = after + timedelta(days=ahead)
        if day.day == number:
            return day
    return None


_EASTERN_END = re.compile(r"(?<!\d)(\d{1,2}) ?(?:月(?:末|底)|월 ?말)")
_UNTIL_REACH = 12
_YEAR = re.compile(r" ?(?:de |del |do )?(20\d\d)\b")


def last_day(
    sentence: str,
    wrote: date,
    code: str = _ENGLISH,
    phrase: tuple[int, int] = (0, 0),
    behind: timedelta = BEHIND_LEFT,
) -> date | None:
    """Return the last day that a sentence about leaving names: a date, today, the end of a month or year.

    `phrase` is where in the sentence the leaving stands: of several dates the one next to it counts.
    """
    found = dates(sentence, wrote, code, behind)
    dated = [one for one in found if not one.weekday] or found
    # "On vacation until 30 June, and leaving on 15 July": the end of an absence is no last day.
    dated = [one for one in dated if not _ends_absence(sentence, one)] or dated
    if dated:
        return min(dated, key=lambda one: max(phrase[0] - one.end, one.start - phrase[1], 0)).day
    ideographic = _EASTERN_END.search(sentence)
    if ideographic is not None:
        return _resolve(None, int(ideographic[1]), _LAST, wrote, behind)
    year = any_of("end_of_year").search(sentence)
    if year is not None:
        number = _YEAR.match(sentence, year.end())
        return _resolve(int(number[1]) if number else None, 12, _LAST, wrote, behind)
    if any_of("next_month").search(sentence):
        return _month_end(_month_end(wrote) + timedelta(days=1))
    if any_of("this_month").search(sentence):
        return _month_end(wrote)
    return wrote if any_of("today").search(sentence) else None


def _ends_absence(sentence: str, one: Found) -> bool:
    return any_of("until").search(sentence, max(0, one.start - _UNTIL_REACH), one.start) is not None


def _month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])
