"""Read bounces: whom a mail could not be delivered to, and what that says of the person.

`watchers.mail.reports` finds the report, `watchers.mail.bounce_table` knows what diagnostics mean. Here the
two meet: the words of a diagnostic count before its codes, because 5.1.1 also stands for rate limits and
full mailboxes, and 5.0.0 or 5.7.1 for unknown users. RFC 3463, RFC 3464, RFC 5248, RFC 5965.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from bot.model import Family, Kind, Means, Observation
from watchers import Example, MailReader, Scope
from watchers.mail import bounce_table as table
from watchers.mail.notices import CODED
from watchers.mail.reports import Failure, Report, locate, looks_like_report
from watchers.mail.status_fields import status_code

if TYPE_CHECKING:
    from bot.model import Json
    from watchers.mail.head import Head
    from watchers.mail.parse import Mail

LONGEST_DIAGNOSTIC = 300
LONGEST_QUOTE = 100
MOST_LINES = 30
MOST_ORIGINAL_RECIPIENTS = 20

NO_FAILURE = frozenset({"delivered", "relayed", "expanded"})
"""Actions of RFC 3464 2.3.3 that report no failure."""

NOT_YET = {table.GONE: table.TRANSIENT, table.DOMAIN: table.TRANSIENT}
"""While a mail is only delayed nobody is known to be gone."""

_REPLY = re.compile(r"(?<![\w.])([245]\d\d)(?=[ \-:,>#]|$)")
_GENERIC = re.compile(r"[245]\.0\.0|[245]\.(?:3|5)\.0|5\.[124]\.0|[245]\.4\.7|5\.0\.\d+")

_CATEGORY = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3} - [\w ]{1,60} (?=[245]\d\d-')")
"""What Cisco's (IronPort's) systems write before the remote system's own words."""

_REASON = re.compile(r"\(reason: ([^\n]{1,500})")
"""What Sendmail writes below each recipient."""

_REPLIES = re.compile(r"<<<[ ]?([45]\d\d(?:-[^\n]{0,300}\n<<< \d\d\d){0,12}[^\n]{0,300})")
"""The replies in a transcript, each with its continuation lines."""

_BOUNCE = b"""From: MAILER-DAEMON@mx.ours.example (Mail Delivery System)
Return-Path: <>
Subject: Undelivered Mail Returned to Sender
Message-ID: <bounce-1@mx.ours.example>
Date: Mon, 4 May 2026 09:30:00 +0000
To: ann@ours.example
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

<jane@acme.example>: host mx.acme.example[192.0.2.1] said: 550 5.1.1 User unknown

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.ours.example

Final-Recipient: rfc822; jane@acme.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown

--b--
"""

_BY_HAND = b"""From: Jane Roe <jane@acme.example>
Subject: Fwd: failure notice
To: ann@ours.example

Look what came back: 550 5.1.1 <bob@acme.example> User unknown. Your message could not be delivered.
"""

_QMAIL = b"""From: MAILER-DAEMON@mx.ours.example
Subject: failure notice
To: ann@ours.example

Hi. This is the qmail-send program at mx.ours.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<jane@acme.example>:
192.0.2.1 does not like recipient.
Remote host said: 552 sorry, mailbox over quota
Giving up on 192.0.2.1.
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a failure means: the kind, and in words what led to it."""

    kind: str
    why: str


def _noted(name: str, example: str) -> Kind:
    return Kind(name, Means.NOTED, Family.MAIL, example=example)


class Bounces(MailReader):
    """Read what mail systems report of mails they could not deliver."""

    name = "bounces"
    kinds: ClassVar[tuple[Kind, ...]] = (
        Kind(
            "mailbox_gone",
            Means.GONE,
            Family.MAIL,
            6.5,
            timedelta(days=120),
            hard=True,
            example="hard bounce 5.1.1 from mx.acme.example: there is no such mailbox",
        ),
        Kind(
            "domain_gone",
            Means.GONE,
            Family.MAIL,
            1.0,
            timedelta(days=60),
            example="bounce from mx.acme.example: the domain takes no mail",
        ),
        _noted("full", "bounce 5.2.2 from mx.acme.example: the mailbox is full"),
        _noted("blocked", "bounce 5.7.1 from mx.acme.example: the mail was refused, not the person"),
        _noted("transient", "delay 4.4.1 from mx.acme.example: not delivered in time"),
        _noted("feedback", "complaint: the recipient reported our mail as unwanted"),
        _noted("other", "bounce from mx.acme.example: it does not say why"),
    )
    examples: ClassVar[tuple[Example[bytes], ...]] = (
        Example(_BOUNCE, ("mailbox_gone",)),
        Example(_BOUNCE.replace(b"User unknown", b"Mailbox full"), ("full",)),
        Example(_BOUNCE.replace(b"Action: failed", b"Action: delayed"), ("transient",)),
        Example(_BOUNCE.replace(b"Action: failed", b"Action: relayed"), ()),
        Example(_QMAIL, ("full",)),
        Example(_BY_HAND, ()),
    )

    def wants(self, head: Head) -> bool:
        """Say by the headers alone whether the body matters to this reader."""
        return looks_like_report(head)

    def read(self, mail: Mail, scope: Scope) -> Sequence[Observation]:
        """Say whom the mail reports as not reached, and why: one observation a recipient."""
        report = locate(mail)
        if report is None:
            return ()
        returned = _original(report, scope)
        return tuple(
            _observation(mail, report, failure, returned)
            for failure in report.failures
            if failure.action not in NO_FAILURE
        )


def read_failure(failure: Failure, report: Report, status: str) -> Reading:
    """Say what a report means for one recipient: its words first, then its codes, then the other text."""
    if report.feedback:
        return Reading(table.FEEDBACK, "the recipient or their provider complained about the mail")
    reading = _judged(failure, report, status)
    late = failure.action in {"delayed", "expired"} or (report.warning and not failure.action)
    if late and reading.kind in {*NOT_YET, table.OTHER}:
        return Reading(table.TRANSIENT, "the mail is only late so far")
    return reading


def _judged(failure: Failure, report: Report, status: str) -> Reading:
    heard: list[str] = []
    for vague, voices in ((False, _voices(failure)), (True, heard)):
        for said in voices:
            if not vague:
                heard.append(said)
            code = status_code(said) or status or _reply_code(said)
            phrase = table.diagnose(said, code, vague=vague)
            if phrase is not None:
                quote = _one_line(said, LONGEST_QUOTE)
                return Reading(phrase.kind, f"{phrase.why}: it says “{quote}”")
    by_code = _by_code(failure, status)
    if by_code is not None and not _GENERIC.fullmatch(status):
        return by_code
    phrase = table.diagnose(report.notice, status)
    if phrase is not None:
        return Reading(phrase.kind, f"{phrase.why}: the report says so in general")
    if by_code is not None:
        return by_code
    return Reading(table.OTHER, "nothing in it says why the mail was refused")


def _voices(failure: Failure) -> Iterator[str]:
    """Yield what was said of the recipient, most reliable first."""
    if failure.diagnostic:
        yield _CATEGORY.sub("", failure.diagnostic)
    passage = _CATEGORY.sub("", failure.passage)
    if passage:
        yield from _REASON.findall(passage)
        yield from _REPLIES.findall(passage)
        lines = passage.splitlines()
        coded = next((number for number, line in enumerate(lines) if CODED.search(line)), len(lines))
        yield "\n".join(lines[coded : coded + 8])
        yield "\n".join(lines[:2])
        yield "\n".join(lines[:MOST_LINES])


def _by_code(failure: Failure, status: str) -> Reading | None:
    kind = table.by_status(status)
    if kind:
        return Reading(kind, f"the delivery report gives status {status} for this recipient")
    reply = _reply(failure)
    kind = table.by_reply(reply)
    return Reading(kind, f"the mail was refused with reply {reply}") if kind else None


def _status(failure: Failure) -> str:
    """Return the enhanced status code: the remote system's own where it says more than the report's field."""
    vague = ""
    for code in _statuses(failure):
        if code and not _GENERIC.fullmatch(code):
            return code
        vague = vague or code
    return vague


def _statuses(failure: Failure) -> Iterator[str]:
    yield status_code(failure.diagnostic)
    yield failure.status
    yield status_code(failure.passage)


def _reply(failure: Failure) -> str:
    return _reply_code(failure.diagnostic) or _reply_code(failure.passage)


def _reply_code(text: str) -> str:
    found = _REPLY.search(text)
    return found[1] if found is not None else ""


def _observation(mail: Mail, report: Report, failure: Failure, returned: dict[str, Json]) -> Observation:
    status, reply = _status(failure), _reply(failure)
    reading = read_failure(failure, report, status)
    host = failure.remote_mta or report.reporting_mta
    facts: dict[str, Json] = {
        "message_id": mail.head.message_id,
        "status": status,
        "reply": reply,
        "diagnostic": _diagnostic(failure),
        "action": failure.action or ("delayed" if report.warning else ""),
        "reporting_mta": report.reporting_mta,
        "remote_mta": failure.remote_mta,
        "final_recipient": failure.final,
        "original_recipient": failure.original,
        "expanded_from": failure.expanded_from,
        **returned,
    }
    return Observation(
        contact=failure.recipient.lower(),
        kind=reading.kind,
        at=mail.head.dated,
        source="",
        sentence=_sentence(reading.kind, status or reply, _one_line(host, 80)),
        facts=facts,
        because=(report.found_by, reading.why),
    )


_WORDS = {
    table.GONE: ("hard bounce", "there is no such mailbox"),
    table.DOMAIN: ("bounce", "the domain takes no mail"),
    table.FULL: ("bounce", "the mailbox is full"),
    table.BLOCKED: ("bounce", "the mail was refused, not the person"),
    table.TRANSIENT: ("delay", "not delivered in time"),
    table.FEEDBACK: ("complaint", "the recipient reported our mail as unwanted"),
    table.OTHER: ("bounce", "it does not say why"),
}


def _sentence(kind: str, code: str, host: str) -> str:
    name, meaning = _WORDS[kind]
    return f"{' '.join(filter(None, (name, code)))}{f' from {host}' if host else ''}: {meaning}"


def _diagnostic(failure: Failure) -> str:
    """Return the reason in one line: the report's diagnostic, else the line of its text that has a code."""
    if failure.diagnostic:
        return _one_line(failure.diagnostic, LONGEST_DIAGNOSTIC)
    lines = [line for line in failure.passage.splitlines() if line.strip()]
    coded = next((" ".join(lines[i : i + 3]) for i, line in enumerate(lines) if CODED.search(line)), "")
    return _one_line(coded or " ".join(lines[:3]), LONGEST_DIAGNOSTIC)


_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


def _one_line(text: str, longest: int) -> str:
    line = text[: 4 * longest]
    if "  " in line or not line.isprintable():
        line = _UNPRINTABLE.sub(" ", line)
    line = line.strip()
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _original(report: Report, scope: Scope) -> dict[str, Json]:
    """Return the facts of the mail that came back; `ours` is None where it cannot be told."""
    head = report.original
    if head is None:
        return {
            "original_message_id": "",
            "original_from": "",
            "original_date": None,
            "original_to": [],
            "ours": None,
        }
    sender = head.sender.address
    date = head.date
    recipients: list[Json] = [address.address for address in head.recipients[:MOST_ORIGINAL_RECIPIENTS]]
    return {
        "original_message_id": head.message_id,
        "original_from": sender,
        "original_date": date.isoformat() if date is not None else None,
        "original_to": recipients,
        "ours": scope.is_ours(sender) if sender and scope.our_domains else None,
    }
