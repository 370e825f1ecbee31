"""Keep a kind of signal that was wrong too often out of the channel, and say so. Pure.

What reps answered over the last 90 days is what counts: once enough of it has faded, or enough of it was
right, the kind raises alerts again. In a team one rep alone keeps nothing from the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.model import Case
from bot.stats import Precision, label, precision

FLOOR = 0.5
"""Where even the upper bound of the share that was right lies below, alerts do more harm than good."""

LEAST = 10
"""So few answers prove nothing yet."""


def demoted(kinds: Iterable[Precision]) -> dict[str, Precision]:
    """Return the kinds of signal that are left to the digest, each with how right it was."""
    return {one.kind: one for one in kinds if one.answers >= LEAST and one.high < FLOOR}


def by_answers(cases: Sequence[Case], now: datetime) -> dict[str, Precision]:
    """Return the kinds that what reps answered leaves to the digest.

    Where several reps are told, the others must have called it wrong more often than right as well, without
    the one who did so most often.
    """
    found = demoted(precision(cases, now))
    answered: dict[str, list[Case]] = {}
    for case in cases:
        word = label(case)
        if word is not None:
            answered.setdefault(word.by, []).append(case)
    told = {case.alert.contact.owner for case in cases if case.deliveries}
    if max(len(told), len(answered)) <= 1:
        return found
    words = [{one.kind: one for one in precision(theirs, now)} for theirs in answered.values()]
    return {kind: one for kind, one in found.items() if _others_agree(kind, one, words)}


def _others_agree(kind: str, everybody: Precision, words: Iterable[dict[str, Precision]]) -> bool:
    said = [by_kind[kind] for by_kind in words if kind in by_kind]
    loudest = max(said, key=lambda one: one.wrong)
    return everybody.wrong - loudest.wrong > everybody.right - loudest.right


def announcement(before: Iterable[str], now: dict[str, Precision]) -> list[str]:
    """Say in a line each which kinds of signal raise no alerts any more, and which do so again."""
    known = set(before)
    lines = [
        f"“{one.signal}” goes to the weekly digest from now on and raises no alerts by itself: of the last "
        f"{one.answers} answered alerts that it led, {one.right} {'was' if one.right == 1 else 'were'} right."
        for kind, one in sorted(now.items())
        if kind not in known
    ]
    return lines + [
        f"“{Precision(kind).signal}” raises alerts again: the answers of the last 90 days no longer speak "
        "against it."
        for kind in sorted(known - set(now))
    ]
