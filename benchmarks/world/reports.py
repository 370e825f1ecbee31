"""What mail servers report of mail they refuse or delay, as different servers word it."""

# ruff: noqa: E501 - wordings and lists of names stand as they are written

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Literal

from benchmarks.world.cast import Server
from benchmarks.world.post import Letter, mailbox

Refusal = Literal["gone", "blocked", "full", "delayed", "expired"]

_SAID: dict[Refusal, dict[str, tuple[str, str]]] = {
    "gone": {
        "exchange": (
            "5.1.10",
            "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {to} not found by SMTP address lookup",
        ),
        "google": (
            "5.1.1",
            "550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking the recipient's email address for typos 550 5.1.1 NoSuchUser - gsmtp",
        ),
        "postfix": (
            "5.1.1",
            "550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table",
        ),
        "exim": ("5.0.0", "550 No such user here: {to}"),
        "gateway": ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied. [{to}]"),
    },
    "blocked": {
        "exchange": (
            "5.7.1",
            "550 5.7.1 Service unavailable, Client host [192.0.2.9] blocked using Customer Block list",
        ),
        "google": (
            "5.7.1",
            "550-5.7.1 Our system has detected that this message is likely unsolicited mail. 550 5.7.1 gsmtp",
        ),
        "postfix": ("5.7.1", "554 5.7.1 Service unavailable; Client host [192.0.2.9] blocked by policy"),
        "exim": ("5.7.1", "550 5.7.1 Message rejected due to content restrictions"),
        "gateway": ("5.7.509", "550 5.7.509 Access denied, sending domain does not pass DMARC verification"),
    },
    "full": {
        "exchange": ("5.2.2", "554 5.2.2 mailbox full; STOREDRV.Deliver: Quota exceeded"),
        "google": (
            "5.2.2",
            "552-5.2.2 The email account that you tried to reach is over quota. 552 5.2.2 gsmtp",
        ),
        "postfix": ("5.2.2", "552 5.2.2 <{to}>: user is over quota"),
        "exim": ("5.0.0", "552 mailbox is full"),
        "gateway": ("4.2.2", "452 4.2.2 Mailbox full"),
    },
    "delayed": {"": ("4.4.1", "451 4.4.1 connection timed out")},
    "expired": {"": ("4.4.7", "451 4.7.1 Greylisting in action, please come back later")},
}


@dataclass(frozen=True)
class Report:
    """A report about one recipient of a letter of ours."""

    at: datetime
    letter: Letter
    to: str
    what: Refusal
    server: Server


def render(report: Report, chance: random.Random) -> bytes:
    """Return the bytes of a report; a closed mailbox is reported by either side's server."""
    table = _SAID[report.what]
    status, said = table.get(report.server) or table.get("", ("5.0.0", "550 refused"))
    said = said.format(to=report.to)
    if report.server == "exim" and report.what in {"gone", "full"}:
        return _exim(report, said, chance)
    if report.server == "exchange" and report.what == "gone":
        return _exchange(report, status, said, chance)
    return _postfix(report, status, said, chance)


def _head(report: Report, sender: str, subject: str, chance: random.Random, *more: str) -> list[str]:
    stamp = format_datetime(report.at)
    return [
        f"Received: by mx.vendor.example (Postfix) id {chance.getrandbits(40):010X};\r\n\t{stamp}",
        "Return-Path: <>",
        f"From: {sender}",
        f"To: {report.letter.sender[1]}",
        f"Subject: {subject}",
        f"Date: {format_datetime(report.at - timedelta(seconds=2))}",
        f"Message-ID: <{chance.getrandbits(64):016x}@{sender.rpartition('@')[2].rstrip('>')}>",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        *more,
    ]


def _original(report: Report) -> list[str]:
    mail = report.letter
    return [
        f"From: {mailbox(mail.sender)}",
        f"To: {', '.join(map(mailbox, mail.to))}",
        *([f"Cc: {', '.join(map(mailbox, mail.cc))}"] if mail.cc else []),
        f"Subject: {mail.subject.encode('ascii', 'replace').decode()}",
        f"Date: {format_datetime(mail.at)}",
        f"Message-ID: <{mail.ident}>",
    ]


def _postfix(report: Report, status: str, said: str, chance: random.Random) -> bytes:
    """Our own Postfix tells what the other side's server said (RFC 3464)."""
    delayed = report.what == "delayed"
    if report.what == "expired":
        status = status.replace("5.", "4.", 1)
    action = "delayed" if delayed else "failed"
    subject = "Delayed Mail (still being retried)" if delayed else "Undelivered Mail Returned to Sender"
    host = f"mx.{report.to.rpartition('@')[2]}"
    note = (
        "Your message could not be delivered for more than 4 hour(s).\r\nIt will be retried until it is 5 day(s) old."
        if delayed
        else "I'm sorry to have to inform you that your message could not be delivered to one or more recipients."
    )
    lines = [
        *_head(report, "MAILER-DAEMON@mx.vendor.example (Mail Delivery System)", subject, chance),
        'Content-Type: multipart/report; report-type=delivery-status; boundary="B2/mx"',
        "",
        "--B2/mx",
        "Content-Description: Notification",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        "This is the mail system at host mx.vendor.example.",
        "",
        note,
        "",
        f"<{report.to}>: host {host}[192.0.2.25] said: {said}",
        "",
        "--B2/mx",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mx.vendor.example",
        f"Arrival-Date: {format_datetime(report.letter.at)}",
        "",
        f"Final-Recipient: rfc822; {report.to}",
        f"Action: {action}",
        f"Status: {status}",
        f"Remote-MTA: dns; {host}",
        f"Diagnostic-Code: smtp; {said}",
        "",
        "--B2/mx",
        "Content-Type: text/rfc822-headers",
        "",
        *_original(report),
        "",
        "--B2/mx--",
        "",
    ]
    return "\r\n".join(lines).encode()


def _exchange(report: Report, status: str, said: str, chance: random.Random) -> bytes:
    """Report as the other side's Exchange does, which accepts the mail first."""
    domain = report.to.rpartition("@")[2]
    lines = [
        *_head(
            report,
            f"Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@{domain}>",
            f"Undeliverable: {report.letter.subject.encode('ascii', 'replace').decode()}",
            chance,
            f"In-Reply-To: <{report.letter.ident}>",
            "X-MS-Exchange-Message-Is-Ndr:",
        ),
        'Content-Type: multipart/report; report-type=delivery-status; boundary="_ndr_"',
        "",
        "--_ndr_",
        "Content-Type: text/html; charset=utf-8",
        "",
        f"<html><body><p><b>Delivery has failed to these recipients or groups:</b></p><p>{report.to}<br>",
        "The email address you entered couldn't be found. Please check the recipient's email address",
        "and try to resend the message.</p></body></html>",
        "--_ndr_",
        "Content-Type: message/delivery-status",
        "",
        f"Reporting-MTA: dns;EX01.{domain}",
        "Received-From-MTA: dns;mx.vendor.example",
        "",
        f"Final-Recipient: rfc822;{report.to}",
        "Action: failed",
        f"Status: {status}",
        f"Diagnostic-Code: smtp;{said}",
        "",
        "--_ndr_",
        "Content-Type: message/rfc822",
        "",
        *_original(report),
        "",
        "",
        "--_ndr_--",
        "",
    ]
    return "\r\n".join(lines).encode()


def _exim(report: Report, said: str, chance: random.Random) -> bytes:
    """Exim writes no report for machines, only words."""
    domain = report.to.rpartition("@")[2]
    lines = [
        *_head(
            report,
            f"Mail Delivery System <Mailer-Daemon@mx.{domain}>",
            "Mail delivery failed: returning message to sender",
            chance,
            f"X-Failed-Recipients: {report.to}",
        ),
        "",
        "This message was created automatically by mail delivery software.",
        "",
        "A message that you sent could not be delivered to one or more of its",
        "recipients. This is a permanent error. The following address(es) failed:",
        "",
        f"  {report.to}",
        f"    {said}",
        "",
        "------ This is a copy of your message, including all the headers. ------",
        "",
        *_original(report),
        "",
    ]
    return "\r\n".join(lines).encode()
