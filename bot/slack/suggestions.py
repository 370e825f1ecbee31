"""Name whom to turn to at an account: a line for each person, in the same words wherever it is told. Pure.

Where there is little room, the first of their reasons are told; all of them stand behind *Why?*.
"""

from __future__ import annotations

from collections.abc import Collection

from bot.model import Assessment, Suggestion, Verdict
from bot.slack.mrkdwn import quote
from bot.slack.names import Naming

TURN_TO = 3
"""So many people are named."""

ROOM = 60
"""Characters for the reasons of one person: a line on a wide screen. The first of them is always told."""

_REASON = 100
_ADDRESS = 80


def ranking(assessment: Assessment, most: int = TURN_TO) -> list[Suggestion]:
    """Return whom to turn to, the successor first."""
    return sorted(assessment.suggestions, key=lambda suggestion: not suggestion.successor)[:most]


def ask(assessment: Assessment) -> str:
    """Say what to do about the people who follow."""
    return "Ask for a second contact now" if assessment.verdict is Verdict.SLIPPING else "Turn to"


def whom(assessment: Assessment, by: Naming, watched: Collection[str] = ()) -> str:
    """Name whom to turn to and why, one a line, the successor first; empty where there is nobody (mrkdwn)."""
    people = "\nor ".join(_line(suggestion, by, watched) for suggestion in ranking(assessment))
    return f"*{ask(assessment)}:* {people}" if people else ""


def person(suggestion: Suggestion, by: Naming) -> str:
    """Name somebody so that one can write to them; a guessed address is called that, and is no link."""
    return f"{by.name(suggestion)} ({_guessed(suggestion, by)})" if suggestion.guess else by.link(suggestion)


def brief(suggestion: Suggestion) -> list[str]:
    """Return the first reasons, as many as there is room for; beside a guessed address only the first."""
    told = list(suggestion.reasons[:1])
    for reason in suggestion.reasons[1:]:
        if suggestion.guess or len("; ".join([*told, reason])) > ROOM:
            break
        told.append(reason)
    return told


def _line(suggestion: Suggestion, by: Naming, watched: Collection[str]) -> str:
    reasons = [by.quote(reason, _REASON) for reason in brief(suggestion)]
    if suggestion.address in watched:
        reasons.append("watched")
    if suggestion.guess:
        reasons.insert(0, _guessed(suggestion, by))
    told = f" ({'; '.join(reasons)})" if reasons else ""
    return f"{by.name(suggestion) if suggestion.guess else by.link(suggestion)}{told}"


def _guessed(suggestion: Suggestion, by: Naming) -> str:
    shown = f": {quote(suggestion.address, _ADDRESS)}" if by.names == "full" else ""
    return f"guessed address{shown}"
