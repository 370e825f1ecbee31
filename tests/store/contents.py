"""What the tests keep in a store: Jane, what is seen of her, and the alerts about her."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from bot.model import (
    Action,
    Alert,
    Assessment,
    Case,
    Contact,
    Deal,
    Decision,
    Delivery,
    Evidence,
    Family,
    Home,
    Json,
    Means,
    Observation,
    Person,
    Reason,
    Strength,
    Suggestion,
    Verdict,
)
from bot.store import Store

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
LEASE = timedelta(minutes=5)
JANE = Contact(
    "jane@acme.example",
    "Jane Doe",
    "CTO",
    "Acme",
    "rep@vendor.example",
    Deal("Renewal", 1200.5, "EUR", "open", date(2026, 7, 1)),
    "DE",
    ("https://acme.example/team",),
    date(2026, 1, 2),
)
OMAR = Contact("omar@other.example", "Omar")
HOME = Home("C1", "1777888.001")


def sighting(address: str = JANE.address, days: int = 0, **facts: Json) -> Observation:
    return Observation(
        address,
        "bounce_hard",
        NOW + days * DAY,
        "imap:sales@vendor.example",
        "550 5.1.1 no such mailbox",
        group="<1@vendor.example>",
        facts=facts,
        because=("the recipient is hers",),
    )


def judged(address: str = JANE.address, verdict: Verdict = Verdict.LEFT) -> Assessment:
    voice = Evidence(
        "k",
        "bounce_hard",
        Means.GONE,
        Family.MAIL,
        NOW,
        "imap",
        "550 5.1.1",
        3.25,
        explicit=True,
        note="fresh",
    )
    successor = Suggestion("Ann Lee", "ann@acme.example", ("named by her reply",), successor=True)
    return Assessment(
        address,
        NOW,
        verdict,
        Strength.STRONG,
        0.97,
        "Her mailbox is gone.",
        (voice,),
        ("a migration",),
        (successor,),
        NOW - DAY,
        date(2026, 6, 1),
    )


def decided(address: str = JANE.address, reason: Reason = Reason.FIRST, days: int = 0) -> Decision:
    action = Action.SEND if reason is Reason.FIRST else Action.HOLD
    return Decision(address, NOW + days * DAY, action, reason, Verdict.LEFT, 0.97)


def alarm(contact: Contact = JANE, verdict: Verdict = Verdict.LEFT, episode: int = 1, days: int = 0) -> Alert:
    return Alert(contact, judged(contact.address, verdict), episode, NOW + days * DAY)


async def known(store: Store, address: str = JANE.address) -> Person:
    person = await store.person(address)
    assert person is not None
    return person


async def warn(store: Store, alert: Alert) -> None:
    await store.watch(alert.contact)
    version = (await known(store, alert.contact.address)).version
    assert await store.conclude(version, alert.assessment, decided(alert.contact.address), alert)


async def take(store: Store, now: datetime = NOW) -> tuple[Case, Delivery]:
    taken = await store.take_alert(now, LEASE)
    assert taken is not None
    return taken
