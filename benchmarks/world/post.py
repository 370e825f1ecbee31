"""Mails as files: letters between people, as several mail programs and servers write them."""

from __future__ import annotations

import random
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from quopri import encodestring

Name = tuple[str, str]
"""A name and an address."""


@dataclass(frozen=True)
class Mail:
    """A rendered mail and the moment at which it arrived in, or left from, a rep's mailbox."""

    at: datetime
    rep: str
    content: bytes


@dataclass(frozen=True)
class Letter:
    """A mail that one person writes to others."""

    at: datetime
    sender: Name
    to: tuple[Name, ...]
    subject: str
    text: str
    ident: str
    answers: str = ""
    cc: tuple[Name, ...] = ()
    program: str = "outlook"


def ident(chance: random.Random, address: str, program: str) -> str:
    """Return a Message-ID as the program makes it."""
    number = f"{chance.getrandbits(96):024x}"
    domain = address.rpartition("@")[2]
    if program == "outlook":
        return f"{number[:8].upper()}.{number[8:].upper()}@{domain}"
    if program == "gmail":
        return f"CA{number}@mail.{domain}"
    return f"{number[:8]}-{number[8:12]}-{number[12:]}@{domain}"


def letter(mail: Letter, *, received: bool) -> bytes:
    """Return the bytes of a letter; one that was received bears our server's stamp."""
    lines = _received(mail.at, mail.sender[1]) if received else []
    lines += [
        f"From: {mailbox(mail.sender)}",
        f"To: {', '.join(map(mailbox, mail.to))}",
        *([f"Cc: {', '.join(map(mailbox, mail.cc))}"] if mail.cc else []),
        f"Subject: {word(mail.subject)}",
        f"Date: {format_datetime(mail.at - timedelta(seconds=20 if received else 0))}",
        f"Message-ID: <{mail.ident}>",
        *([f"In-Reply-To: <{mail.answers}>", f"References: <{mail.answers}>"] if mail.answers else []),
        "MIME-Version: 1.0",
        *_programs(mail.program),
    ]
    return "\r\n".join([*lines, *body(mail.text, mail.program)]).encode()


def body(text: str, program: str) -> list[str]:
    """Return the lines of a body with its own headers, encoded as the program does."""
    if program == "gmail":
        html = text.replace("\n", "<br>")
        return [
            'Content-Type: multipart/alternative; boundary="000000000000b1"',
            "",
            "--000000000000b1",
            'Content-Type: text/plain; charset="UTF-8"',
            "Content-Transfer-Encoding: quoted-printable",
            "",
            encodestring(text.encode()).decode(),
            "--000000000000b1",
            'Content-Type: text/html; charset="UTF-8"',
            "Content-Transfer-Encoding: quoted-printable",
            "",
            encodestring(f'<div dir="ltr">{html}</div>'.encode()).decode(),
            "--000000000000b1--",
            "",
        ]
    if program == "outlook":
        coded = b64encode(text.encode()).decode()
        rows = [coded[at : at + 76] for at in range(0, len(coded), 76)]
        return [
            'Content-Type: text/plain; charset="utf-8"',
            "Content-Transfer-Encoding: base64",
            "",
            *rows,
            "",
        ]
    return [
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        *text.split("\n"),
        "",
    ]


def mailbox(who: Name) -> str:
    """Return a name and an address as a header holds them."""
    name, address = who
    return f"{word(name)} <{address}>" if name else address


def word(text: str) -> str:
    """Return a header's text, encoded where it is not ASCII (RFC 2047)."""
    return text if text.isascii() else f"=?utf-8?B?{b64encode(text.encode()).decode()}?="


def _received(at: datetime, sender: str) -> list[str]:
    domain = sender.rpartition("@")[2]
    by = f"by mx.vendor.example with ESMTPS id {at:%H%M%S}x"
    return [f"Received: from mx.{domain} (mx.{domain} [192.0.2.25])\r\n\t{by};\r\n\t{format_datetime(at)}"]


def _programs(program: str) -> list[str]:
    if program == "outlook":
        return ["X-Mailer: Microsoft Outlook 16.0", "Thread-Index: AdoT", "Accept-Language: en-GB"]
    return ["X-Mailer: Apple Mail (2.3774)"] if program == "apple" else []
