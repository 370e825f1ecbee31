"""The people and verdicts that the Slack tests tell of; all invented."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from bot.model import (
    Action,
    Alert,
    Assessment,
    Contact,
    Deal,
    Decision,
    Evidence,
    Family,
    Means,
    Reason,
    Strength,
    Suggestion,
    Verdict,
)
from bot.store import Store

NOW = datetime(2026, 8, 3, 9, 30, tzinfo=UTC)
ADDRESS = "jane.doe@acme.example"
MAILBOX = "mailbox rita@vendor.example"

JANE = Contact(
    ADDRESS,
    "Jane Doe",
    "Head of Platform",
    "Acme",
    "rita@vendor.example",
    Deal("Renewal 2026", 120_000, "EUR", "", date(2026, 10, 30)),
)
ANN = Suggestion("Ann Lee", "ann.lee@acme.example", ("named in the automatic reply",), successor=True)
BOB = Suggestion("Bob Roe", "bob.roe@acme.example", ("on the last 3 invitations", "wrote 9 days ago"))


def fact(
    means: Means, family: Family, days: int, sentence: str, weight: float = 3, source: str = MAILBOX
) -> Evidence:
    at = NOW - timedelta(days=days)
    return Evidence(f"{family}-{sentence}", f"{family}", means, family, at, source, sentence, weight)


PUSHED = fact(Means.SLIPPING, Family.CALENDAR, 34, "Meeting pushed from 21 Jul to 4 Aug by them")
PUSHED_AGAIN = fact(Means.SLIPPING, Family.CALENDAR, 20, "Meeting pushed from 4 Aug to 18 Aug by them")
REPLIED = replace(fact(Means.GONE, Family.MAIL, 0, "Automatic reply: no longer with Acme", 9), explicit=True)

SLIPPING = Assessment(
    ADDRESS,
    NOW - timedelta(days=20),
    Verdict.SLIPPING,
    Strength.CLEAR,
    0.2,
    "2 pushes, 28 days lost, both by them",
    (PUSHED_AGAIN, PUSHED),
    ("a full calendar",),
    (BOB,),
    NOW - timedelta(days=41),
)
LEFT = Assessment(
    ADDRESS,
    NOW,
    Verdict.LEFT,
    Strength.STRONG,
    0.99,
    "an automatic reply says that she no longer works there",
    (REPLIED, PUSHED_AGAIN, PUSHED),
    (),
    (BOB, ANN),
    NOW - timedelta(days=61),
)


def alert(assessment: Assessment = LEFT, contact: Contact = JANE, episode: int = 1) -> Alert:
    return Alert(contact, assessment, episode, assessment.at)


async def raise_alert(store: Store, assessment: Assessment = LEFT, contact: Contact = JANE) -> Alert:
    """Keep an assessment the way the pipeline does, and return the alert it raised."""
    await store.watch(contact)
    person = await store.person(contact.address)
    assert person is not None
    judged = replace(assessment, contact=contact.address)
    raised = alert(judged, contact)
    verdict = Decision(
        contact.address, judged.at, Action.SEND, Reason.FIRST, judged.verdict, judged.probability
    )
    assert await store.conclude(person.version, judged, verdict, raised)
    return raised
