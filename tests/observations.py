"""Builds the observations that the tests of the judgement are about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bot import activity
from bot.answers import KINDS
from bot.assessment import NORMAL, Circumstances, assess
from bot.model import Assessment, Json, Observation, Person, Verdict
from bot.pipeline import Rules
from watchers import derivers, kinds, load

load()
RULES = Rules({**kinds(), **{kind.name: kind for kind in (*KINDS, *activity.KINDS)}}, derivers())

JANE = "jane@acme.example"
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
BOX = "mailbox:rita@vendor.example"


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def seen(kind: str, days: float, contact: str = JANE, **facts: Json) -> Observation:
    """Return what was observed so many days ago."""
    return Observation(contact, kind, days_ago(days), BOX, f"{kind} {days:g} days ago", facts=facts)


def wrote(days: float, contact: str = JANE) -> Observation:
    return seen("wrote", days, contact, message_id=f"in-{days:g}@acme.example", name="")


def written_to(days: float, contact: str = JANE, ident: str = "") -> Observation:
    return seen("written_to", days, contact, message_id=ident or f"out-{days:g}@vendor.example")


def bounce(days: float, contact: str = JANE, *, original: str = "", ours: Json = True) -> Observation:
    return seen("mailbox_gone", days, contact, original_message_id=original, ours=ours, status="5.1.1")


def meeting(days: float, start_in: float, *, words: bool = True, by: str = JANE) -> Observation:
    """Return the snapshot of an update seen so many days ago that sets the call to `start_in` days ago."""
    return seen(
        "meeting",
        days,
        message_id=f"call-{days}@acme.example",
        uid="call@acme.example",
        recurrence_id="",
        method="REQUEST",
        sequence=0,
        dtstamp=days_ago(days).isoformat(),
        start=days_ago(start_in).isoformat(),
        end=days_ago(start_in - 0.02).isoformat(),
        status="",
        organizer=JANE,
        attendees=[[JANE, "ACCEPTED"], ["rita@vendor.example", "NEEDS-ACTION"]],
        by=by,
        by_side="them" if by == JANE else "us",
        words=words,
    )


def exchange(contact: str = JANE) -> list[Observation]:
    """Return half a year of mail both ways, up to three weeks ago: a rhythm of about two weeks."""
    return [
        *(wrote(days, contact) for days in range(21, 180, 14)),
        *(written_to(days, contact) for days in range(22, 180, 14)),
    ]


def judged(
    observations: Sequence[Observation],
    now: datetime = NOW,
    circumstances: Circumstances = NORMAL,
    stands: Verdict | None = None,
) -> Assessment:
    """Judge Jane by these observations, with the kinds and derivers of all watchers."""
    derived = RULES.derive(Person(JANE, observations=tuple(observations)), now)
    return assess(
        JANE, observations, now, RULES.kinds, derived=derived, circumstances=circumstances, stands=stands
    )
