"""What the first pass over a source found: who already looks gone, and what was said of them. Pure."""

from __future__ import annotations

from bot.answers import KINDS
from bot.model import ALARMING, Observation, Person, Reason, Verdict

GONE = frozenset({Verdict.LEFT, Verdict.LIKELY_LEFT})

_ANSWERS = frozenset(kind.name for kind in KINDS)


def belongs(person: Person, source: str) -> bool:
    """Say whether the person is on the list of this source: it alarms, but it was so before we watched."""
    judged = person.assessment
    if person.contact is None or judged is None or judged.verdict not in ALARMING or person.cases:
        return False
    held = bool(person.decisions) and person.decisions[-1].reason is Reason.BASELINE
    return held and any(item.source == source for item in judged.evidence)


def group(source: str) -> str:
    """Return what the answers to the list of a source have in common."""
    return f"baseline {source}"


def answer(person: Person, source: str) -> Observation | None:
    """Return what was said of the person on the list of this source, None where nothing was so far."""
    said = (seen for seen in person.observations if seen.kind in _ANSWERS and seen.group == group(source))
    return next(said, None)
