"""Mails for tests, written as mail programs and servers write them; every name is invented."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

REP = "ann@vendor.example"
JANE = "jane.doe@acme.example"
BOB = "bob.ray@acme.example"


def at(day: int, hour: int = 9) -> datetime:
    """Return a moment in August 2026."""
    return datetime(2026, 8, day, hour, tzinfo=UTC)


def plain(sender: str, to: str, when: datetime, subject: str = "Pilot") -> bytes:
    """Return a mail from one person to another."""
    return (
        f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\nDate: {format_datetime(when)}\r\n"
        f"Message-ID: <{when:%d%H}.{sender}>\r\n\r\nSounds good.\r\n"
    ).encode()


def bounce(of: str, when: datetime, status: str = "5.1.1", said: str = "User unknown") -> bytes:
    """Return what our own server reports of a mail of ours that was refused (RFC 3464)."""
    return (
        f"From: MAILER-DAEMON@mx.vendor.example\r\nTo: {REP}\r\nSubject: Undelivered Mail\r\n"
        f"Date: {format_datetime(when)}\r\nMessage-ID: <{when:%d%H}.report@mx.vendor.example>\r\n"
        "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nYour message could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.vendor.example\r\n\r\n"
        f"Final-Recipient: rfc822; {of}\r\nAction: failed\r\nStatus: {status}\r\n"
        f"Remote-MTA: dns; mx.acme.example\r\nDiagnostic-Code: smtp; 550 {status} <{of}>: {said}\r\n"
        "--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"From: {REP}\r\nTo: {of}\r\nSubject: Pilot\r\nDate: {format_datetime(when)}\r\n"
        f"Message-ID: <{when:%d%H}.{REP}>\r\n\r\n--b--\r\n"
    ).encode()


def mbox(*mails: bytes) -> bytes:
    """Return the mails as one mbox."""
    line = b"From ann@vendor.example Fri Aug 14 09:00:00 2026\n"
    return b"".join(line + mail.replace(b"\r\n", b"\n") + b"\n" for mail in mails)


def story(folder: Path) -> Path:
    """Write a folder in which Jane's mailbox, which worked, is gone, and Bob is there."""
    folder.mkdir()
    mails = {
        "1.eml": plain(JANE, REP, at(3)),
        "2": plain(REP, JANE, at(4)),
        "3.txt": plain(BOB, REP, at(13)),
        "4.eml": bounce(JANE, at(14)),
    }
    for name, content in mails.items():
        (folder / name).write_bytes(content)
    return folder
