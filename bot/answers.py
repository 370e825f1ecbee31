"""Turn a rep's word into an observation: strong evidence with a name on it. Pure."""

from __future__ import annotations

from bot.model import Answer, Choice, Family, Json, Kind, Means, Observation

SOURCE = "Slack"

LEFT = Kind(
    "answer_left", Means.GONE, Family.ANSWER, weight=9.0, explicit=True, example="Rita Rep confirmed: left"
)
THERE = Kind("answer_there", Means.ALIVE, Family.ANSWER, example="Rita Rep said: still there")
ON_LEAVE = Kind(
    "answer_on_leave", Means.AWAY, Family.ANSWER, example="Rita Rep said: on leave until 24 August 2026"
)
CHANGED_ROLE = Kind("answer_changed_role", Means.NOTED, Family.ANSWER, example="Rita Rep said: changed role")
ON_IT = Kind("answer_on_it", Means.NOTED, Family.ANSWER, example="Rita Rep is on it")
NOTHING_WRONG = Kind(
    "answer_nothing_wrong", Means.ALIVE, Family.ANSWER, example="Rita Rep said: nothing wrong"
)

KINDS = (LEFT, THERE, ON_LEAVE, CHANGED_ROLE, ON_IT, NOTHING_WRONG)
"""A rep's word does not fade: what they said stays said until something later contradicts it."""

_MEANS: dict[Choice, tuple[Kind, str]] = {
    Choice.LEFT: (LEFT, "confirmed: left"),
    Choice.STILL_THERE: (THERE, "said: still there"),
    Choice.ON_LEAVE: (ON_LEAVE, "said: on leave"),
    Choice.CHANGED_ROLE: (CHANGED_ROLE, "said: changed role"),
    Choice.ON_IT: (ON_IT, "is on it"),
    Choice.NOTHING_WRONG: (NOTHING_WRONG, "said: nothing wrong"),
}


def observe(answer: Answer, name: str = "") -> Observation | None:
    """Return what the answer says about the contact, in the words of `name`, who gave it.

    A snooze says nothing about the contact and gives None.
    """
    if answer.choice not in _MEANS:
        return None
    kind, words = _MEANS[answer.choice]
    facts: dict[str, Json] = {"by": answer.by}
    until = ""
    if answer.until is not None:
        facts["returns"] = answer.until.isoformat()
        until = f" until {answer.until.day} {answer.until:%B %Y}"
    return Observation(
        contact=answer.contact,
        kind=kind.name,
        at=answer.at,
        source=SOURCE,
        sentence=f"{name or answer.by} {words}{until}",
        group=answer.case,
        facts=facts,
    )
