"""Send a made-up bounce and a made-up reschedule through every stage, in a store of their own.

Nothing of it reaches the real store: the contact is at a domain that cannot exist (RFC 2606, section 2), and
what is shown is marked TEST. The stage that fails is named.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import format_datetime

import structlog

from bot.answers import KINDS
from bot.model import Alert, Contact, Deal, NeedsHuman, Observation, SourceDown, Strength, Verdict
from bot.pipeline import Pipeline, Rules
from bot.slack import cards
from bot.slack.cards import Scene
from bot.slack.notices import copied
from bot.slack.parts import Card
from bot.store import Store
from bot.store.memory import MemoryStore
from watchers import MailReader, Scope, derivers, kinds
from watchers.mail.parse import Mail, parse

log = structlog.get_logger()

CHAMPION = Contact(
    "dora.drill@customer.invalid",
    "Dora Drill",
    "Head of Tests",
    "TEST account",
    deal=Deal("TEST deal", 1000, "EUR"),
)
REP = "rep@vendor.invalid"
SOURCE = "drill"
MARK = "TEST, nothing real"
EXPECTED = frozenset({"mailbox_gone", "meeting"})
"""The kinds that the made-up mails must be read as, at least."""

LEASE = timedelta(minutes=1)


class Failed(Exception):  # noqa: N818 - a stage that fails is a result
    """Say what a stage did not bring about."""


@dataclass(frozen=True)
class Stage:
    """A stage of the way from a mail to an alert: whether it held, and what it brought about."""

    name: str
    held: bool
    said: str


@dataclass
class Drill:
    """One run through every stage; `post` shows the alert to the one who asked."""

    now: datetime
    post: Callable[[Card], Awaitable[str]]
    store: Store = field(default_factory=MemoryStore)
    mails: list[Mail] = field(default_factory=list)
    card: Card | None = None
    alert: Alert | None = None

    async def run(self) -> list[Stage]:
        """Run the stages in order up to the first that fails."""
        done: list[Stage] = []
        for name in ("parse", "read", "judge", "decide", "card", "post"):
            try:
                said = await getattr(self, f"_{name}")()
            except (Failed, SourceDown, NeedsHuman) as failure:
                return [*done, Stage(name, held=False, said=str(failure))]
            except Exception as error:
                log.exception("drill.failed", stage=name)
                return [*done, Stage(name, held=False, said=f"{type(error).__name__}, see the log")]
            done.append(Stage(name, held=True, said=said))
        return done

    async def _parse(self) -> str:
        self.mails = [parse(raw) for raw in mails(self.now)]
        return f"{len(self.mails)} mails taken apart"

    async def _read(self) -> str:
        scope = Scope.of([CHAMPION], [REP.partition("@")[2]])
        readers = [reader() for reader in MailReader.registry.values()]
        found: list[Observation] = [
            replace(seen, source=SOURCE, seen=self.now)
            for mail in self.mails
            for reader in readers
            for seen in reader.read(mail, scope)
            if scope.covers(seen.contact)
        ]
        missing = EXPECTED - {seen.kind for seen in found}
        if missing:
            raise Failed(f"not recognised: {', '.join(sorted(missing)).replace('_', ' ')}")
        await self.store.watch(CHAMPION)
        kept = await self.store.record(found)
        return f"{len(kept)} facts recorded"

    async def _judge(self) -> str:
        rules = Rules({**kinds(), **{kind.name: kind for kind in KINDS}}, derivers())
        pipeline = Pipeline(self.store, rules, [REP.partition("@")[2]], baseline=False)
        (assessment,) = await pipeline.judge(self.now)
        if assessment.verdict not in {Verdict.LEFT, Verdict.LIKELY_LEFT}:
            raise Failed(f"a bounce and a pushed meeting were judged {assessment.verdict}")
        strength = "" if assessment.strength is Strength.SOME else f", {assessment.strength} evidence"
        return f"judged {assessment.verdict}{strength}"

    async def _decide(self) -> str:
        taken = await self.store.take_alert(self.now, LEASE)
        if taken is None:
            raise Failed("no alert was raised")
        self.alert = taken[1].alert
        return "an alert was raised"

    async def _card(self) -> str:
        assert self.alert is not None, "the stage before raised it"
        card = copied(cards.case(self.alert, None, Scene(self.now)))
        mark = {"type": "header", "block_id": "test", "text": {"type": "plain_text", "text": MARK}}
        self.card = Card(f"{MARK}: {card.text}", (mark, *card.blocks))
        return "the message was drawn"

    async def _post(self) -> str:
        assert self.card is not None, "the stage before drew it"
        return await self.post(self.card)


def report(stages: Sequence[Stage]) -> str:
    """Say which stages held, and which one failed (mrkdwn; nothing in it comes from outside)."""
    failed = [stage for stage in stages if not stage.held]
    head = f"*{MARK}*: the drill failed at *{failed[0].name}*." if failed else f"*{MARK}*: every stage held."
    lines = [f"• {stage.name}: {'' if stage.held else 'failed: '}{stage.said}" for stage in stages]
    return "\n".join([head, *lines])


def mails(now: datetime) -> list[bytes]:
    """Return the made-up mails: a letter, a meeting, the meeting pushed by them, and the letter's bounce."""
    first, second = now + timedelta(days=7), now + timedelta(days=21)
    return [
        _mail(now - timedelta(days=30), CHAMPION.address, REP, "hello", "Re: TEST", "TEST"),
        _meeting(now - timedelta(days=10), first, 0),
        _meeting(now - timedelta(days=3), second, 1),
        _mail(now - timedelta(hours=2), REP, CHAMPION.address, "letter", "TEST", "TEST"),
        _bounce(now - timedelta(hours=1)),
    ]


def _mail(at: datetime, sender: str, to: str, ident: str, subject: str, body: str) -> bytes:
    return "\r\n".join([*_head(at, sender, to, ident, subject), "", body, ""]).encode()


def _head(at: datetime, sender: str, to: str, ident: str, subject: str) -> list[str]:
    domain = sender.rpartition("@")[2]
    return [
        f"From: {sender}",
        f"To: {to}",
        f"Subject: {subject}",
        f"Date: {format_datetime(at)}",
        f"Message-ID: <drill-{ident}@{domain}>",
        "MIME-Version: 1.0",
    ]


def _meeting(at: datetime, start: datetime, sequence: int) -> bytes:
    stamp = "%Y%m%dT%H%M%SZ"
    lines = [
        *_head(at, CHAMPION.address, REP, f"meeting-{sequence}", "TEST meeting"),
        "Content-Type: text/calendar; charset=utf-8; method=REQUEST",
        "",
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Stillthere//Drill//EN",
        "METHOD:REQUEST",
        "BEGIN:VEVENT",
        "UID:drill@customer.invalid",
        f"SEQUENCE:{sequence}",
        f"DTSTAMP:{at.strftime(stamp)}",
        f"DTSTART:{start.strftime(stamp)}",
        f"DTEND:{(start + timedelta(hours=1)).strftime(stamp)}",
        "SUMMARY:TEST meeting",
        f"ORGANIZER:mailto:{CHAMPION.address}",
        f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{CHAMPION.address}",
        f"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:{REP}",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    return "\r\n".join(lines).encode()


def _bounce(at: datetime) -> bytes:
    gone = f"<{CHAMPION.address}>: User unknown"
    lines = [
        "Return-Path: <>",
        *_head(at, "mailer-daemon@vendor.invalid", REP, "bounce", "Undelivered Mail Returned to Sender"),
        'Content-Type: multipart/report; report-type=delivery-status; boundary="drill"',
        "Auto-Submitted: auto-replied",
        "",
        "--drill",
        "Content-Type: text/plain",
        "",
        f"550 5.1.1 {gone}",
        "",
        "--drill",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mail.vendor.invalid",
        "",
        f"Final-Recipient: rfc822; {CHAMPION.address}",
        "Action: failed",
        "Status: 5.1.1",
        "Remote-MTA: dns; mx.customer.invalid",
        f"Diagnostic-Code: smtp; 550 5.1.1 {gone}",
        "",
        "--drill",
        "Content-Type: text/rfc822-headers",
        "",
        *_head(at, REP, CHAMPION.address, "letter", "TEST"),
        "",
        "--drill--",
        "",
    ]
    return "\r\n".join(lines).encode()
