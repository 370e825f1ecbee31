"""A small past for tests: invented mails in a folder, and a backtest over them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from bot.backtest import Backtest, Outcome
from bot.backtest.replay import Span
from bot.backtest.settings import Chosen
from bot.model import Contact
from bot.routing import Rules
from watchers import load

load()

REP = "rita@vendor.example"
JANE = Contact("jane@acme.example", "Jane Doe", account="Acme", owner=REP)
AT_ONCE = Chosen(routing=Rules(channel="C"))
"""Tells everything when it is raised."""

FIRST, LAST = date(2026, 3, 2), date(2026, 3, 29)


def at(day: date, hour: float = 9) -> datetime:
    return datetime.combine(day, time(), UTC) + timedelta(hours=hour)


def mail(
    when: datetime,
    *,
    sender: str = "jane@acme.example",
    to: str = REP,
    received: datetime | None = None,
    automatic: bool = False,
    text: str = "Sounds good.",
    answers: str = "",
) -> bytes:
    """Return a mail; `received` is when our server got it, None where no server says so."""
    ident = f"{when:%Y%m%d%H%M}.{sender}"
    lines = [
        *([f"Received: by mx.vendor.example; {format_datetime(received)}"] if received else []),
        f"From: {sender}",
        f"To: {to}",
        f"Subject: {'Automatic reply: Pilot' if automatic else 'Pilot'}",
        f"Date: {format_datetime(when)}",
        f"Message-ID: <{ident}>",
        *(["Auto-Submitted: auto-replied"] if automatic else []),
        *([f"In-Reply-To: <{answers}>"] if answers else []),
        "Content-Type: text/plain; charset=utf-8",
        "",
        text,
    ]
    return "\r\n".join(lines).encode()


def acquaintance(contact: str = JANE.address, until: date = FIRST, days: int = 120) -> list[bytes]:
    """Return mails both ways, about weekly, until a day."""
    found = []
    for back in range(days, 0, -6):
        day = until - timedelta(back)
        found.append(mail(at(day), sender=REP, to=contact))
        found.append(mail(at(day, 15), sender=contact))
    return found


def gone(when: datetime, received: datetime | None = None, contact: str = JANE.address) -> bytes:
    """Return the reply of a mailbox whose owner has left."""
    return mail(when, sender=contact, received=received, automatic=True, text="I no longer work at Acme.")


def folder(place: Path, mails: Sequence[bytes]) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(mails):
        (place / f"{number:05}.eml").write_bytes(content)
    return place


def backtest(box: Path, *contacts: Contact, **more: Any) -> Backtest:
    options = {"span": Span(FIRST, LAST), "mail": (box,), "jobs": 1, **more}
    return Backtest(contacts=contacts or (JANE,), our_domains=("vendor.example",), **options)


def lived(box: Path, *contacts: Contact, chosen: Chosen = AT_ONCE, **more: Any) -> Outcome:
    (outcome,) = backtest(box, *contacts, **more).run([chosen])
    return outcome


def sends(outcome: Outcome) -> list[tuple[date, str | None, str, str]]:
    """Return what was sent: day, contact, verdict, reason."""
    return [
        (line.day, line.contact, line.verdict.value, line.reason.value)
        for line in outcome.lines
        if line.decision == "send"
    ]
