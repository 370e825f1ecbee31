"""Dates, money and verdicts in the words a rep reads. Pure; what comes from outside is quoted."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime

from bot.model import Answer, Assessment, Choice, Deal, Evidence, Family, Means, Strength, Verdict
from bot.slack.mrkdwn import quote

_RULINGS = {
    Choice.LEFT: "{} has left",
    Choice.STILL_THERE: "{} is still there",
    Choice.ON_LEAVE: "{} is on leave",
    Choice.CHANGED_ROLE: "{} has changed role",
    Choice.NOTHING_WRONG: "nothing wrong with {}",
    Choice.UNDERSTOOD: "understood",
    Choice.ANSWERED: "{} was in touch again",
}
_STRENGTH = {
    Strength.SOME: "some evidence",
    Strength.CLEAR: "clear evidence",
    Strength.STRONG: "strong evidence",
}
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six")
_DRIFT = frozenset({Means.GONE, Means.SLIPPING})
_LEADS_FROM = 1.0
"""What the first fact of a family must weigh (nats) to be told before a weightier one of another."""

_SPEAKS_FOR = {
    Verdict.LEFT: _DRIFT,
    Verdict.LIKELY_LEFT: _DRIFT,
    Verdict.SLIPPING: _DRIFT,
    Verdict.QUIET: _DRIFT,
    Verdict.ON_LEAVE: frozenset({Means.AWAY}),
    Verdict.ACTIVE: frozenset({Means.ALIVE}),
    Verdict.UNCHECKED: frozenset(Means),
}
_YEAR_NEEDED_DAYS = 270  # beyond this, a month alone could be last year's or next year's


def title(verdict: Verdict) -> str:
    """Return the verdict as it opens a sentence."""
    return verdict.value.capitalize()


def ruling(word: Answer, name: str, now: datetime) -> str:
    """Return what was decided for good, in words; `name` is whom it is about (mrkdwn)."""
    until = f" until {day(word.until, now)}" if word.until and word.choice is Choice.ON_LEAVE else ""
    return f"{_RULINGS[word.choice].format(name)}{until}"


def source(name: str) -> str:
    """Return where something was seen, for a reader: `mailbox:rita@vendor.example` is a mailbox."""
    kind, colon, which = name.partition(":")
    is_address = which.startswith("//")
    return f"{kind} {which}" if colon and kind.isalpha() and not is_address else name


def reason(verdict: Verdict, headline: str) -> str:
    """Return why a verdict is what it is, for a reader: who is unchecked has the name of a source there."""
    return source(headline) if verdict is Verdict.UNCHECKED else headline


def day(when: date, now: datetime) -> str:
    """Return a short date, `Mon 3 Aug`, in the time zone of `now`; with the year where it is far off."""
    on = when.astimezone(now.tzinfo).date() if isinstance(when, datetime) else when
    far = abs((on - now.date()).days) > _YEAR_NEEDED_DAYS
    return f"{on:%a} {on.day} {on:%b}{f' {on.year}' if far else ''}"


def ago(when: datetime, now: datetime) -> str:
    """Return how many calendar days lie between, in the time zone of `now`."""
    days = (now.date() - when.astimezone(now.tzinfo).date()).days
    if days <= 0:
        return "today"
    return "yesterday" if days == 1 else f"{days} days ago"


def counted(count: int, one: str, many: str = "") -> str:
    """Return `1 mail` or `2 mails`; `many` where the plural is not made with an s."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def deal(of: Deal, now: datetime, quoted: Callable[[str, int], str] = quote) -> str:
    """Return the deal's name, amount and close date; empty where none of them is known."""
    parts = [quoted(of.name, 80)]
    if of.amount is not None and math.isfinite(of.amount):
        parts.append(f"{quote(of.currency, 8)} {of.amount:,.0f}".strip())
    if of.close_date:
        past = of.close_date < now.date()
        parts.append(f"{'was to close' if past else 'closes'} {day(of.close_date, now)}")
    return ", ".join(part for part in parts if part)


def strength(assessment: Assessment) -> str:
    """Return how strong the verdict is: `strong evidence, two independent signs`."""
    word = _STRENGTH[assessment.strength]
    signs = len({evidence.family for evidence in supporting(assessment)})
    if not signs:
        return word
    return f"{word}, {'one sign' if signs == 1 else f'{_NUMBERS[signs]} independent signs'}"


def supporting(assessment: Assessment) -> list[Evidence]:
    """Return the evidence that speaks for the verdict, weightiest first, each fact once.

    What leads a family and weighs something comes before the others: families fail apart, so one fact of each
    says more than all facts of one.
    """
    means = _SPEAKS_FOR[assessment.verdict]
    weighs = [e for e in assessment.evidence if e.means in means and (e.weight or e.means is Means.AWAY)]
    weighs.sort(key=lambda e: (e.explicit, abs(e.weight), e.at, e.key), reverse=True)
    facts: dict[tuple[date, str], Evidence] = {}
    leading: dict[Family, Evidence] = {}
    for evidence in weighs:
        if facts.setdefault((evidence.at.date(), evidence.sentence), evidence) is evidence:
            leading.setdefault(evidence.family, evidence)
    leads = [fact for fact in leading.values() if abs(fact.weight) >= _LEADS_FROM]
    return [*leads, *(fact for fact in facts.values() if fact not in leads)]
