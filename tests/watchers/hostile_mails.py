"""Mails made to hurt whoever reads them: each of a size, depth or shape that no person would send."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Iterator
from functools import partial

from watchers.mail import bounce_layouts, bounce_table
from watchers.mail.phrases import languages

MB = 2**20
LARGEST = 25 * MB

PERSON = b"From: Jane <jane@acme.example>\nTo: ann@vendor.example\nIn-Reply-To: <1@vendor.example>\n"
REPLY = PERSON + b"Subject: Automatic reply: Pilot\nAuto-Submitted: auto-replied\n"
REPORT = (
    b"From: MAILER-DAEMON@mx.vendor.example\nTo: ann@vendor.example\nSubject: Undelivered Mail\n"
    b"X-Failed-Recipients: jane@acme.example\n"
)
HEADS = {"person": PERSON, "reply": REPLY, "report": REPORT}
STATUS = b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n"

FLOODS = (
    *"<>()\"'@\\,;:[]-_\t\n\r \0",
    *(
        "=?",
        "?=",
        "=\n",
        "=3D",
        "&amp;",
        "a@",
        "<a@b.example> ",
        "https://",
        "mailto:",
        "> ",
        "-- \n",
        "\n\n ",
    ),
    *("5.1.1 ", "550 ", "<<< 550 ", "(reason: 550 ", "host ", "host a.", "in reply to ", "unknown ", "user "),
    *("Action: failed\n", "Final-Recipient: rfc822; a@b.example\n", "expanded from: <a@b ", "Subject: x\n"),
    *("Received: from a by b;\n", "From: a@b.example\n", "x" * 998 + "\n"),
    *("no longer ", "i left ", "until ", "1/2 ", "31 ", "contact ", "Ann ", "J. ", "at ", "[at] ", "dot "),
    *("退職", "は", "の", "後任", "씨", "请联系", "é", "\u0130", "\u2028", "\u3000"),
)

PAGES = (
    *("<div>", "<table><tr><td>", "<a href='", "<!--", "<script>", "</div>", "<p", "&#x41;", "<b><i>"),
    "<![CDATA[",
)


def flood(head: bytes, piece: str, size: int = MB) -> bytes:
    """Return a mail whose text is one piece over and over."""
    body = (piece * (size // len(piece) + 1))[:size].encode("utf-8", "surrogatepass")
    return head + b"Content-Type: text/plain; charset=utf-8\n\n" + body


def fragments(head: bytes, seed: int, size: int = 200 * 2**10) -> bytes:
    """Return a mail whose text is made of pieces of the phrase tables' own examples."""
    chance = random.Random(seed)  # noqa: S311 - the same mail each time
    known = [example for one in languages() for row in one.phrases for example in row.examples]
    known += [
        phrase.example for vague in (False, True) for phrase in bounce_table.diagnoses(vague=vague).phrases
    ]
    known += [line.partition(" :: ")[2] for line in bounce_layouts.NOTICES.splitlines()]
    parts: list[str] = []
    while sum(map(len, parts)) < size:
        example = chance.choice(known)
        start = chance.randrange(len(example) or 1)
        part = example[start : start + chance.randrange(1, 40)]
        parts.append(
            part * chance.choice((1, 1, 1, 2, 30)) + chance.choice((" ", "", "  ", "\n", ", ", ". "))
        )
        if len(parts) > size:
            break
    return (
        head
        + b"Content-Type: text/plain; charset=utf-8\n\n"
        + "".join(parts)[:size].encode("utf-8", "replace")
    )


def _nested(levels: int) -> bytes:
    text = bytearray(PERSON)
    for level in range(levels):
        text += b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (level, level)
    return bytes(text + b"Content-Type: text/plain\n\nhello\n")


def _forwards(levels: int) -> bytes:
    return PERSON + b"Content-Type: message/rfc822\n\n" * levels + b"Subject: x\n\nhello"


def _encoded_forwards() -> bytes:
    inner = b"Subject: x\n\nhello"
    for _ in range(40):
        inner = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + base64.b64encode(
            inner
        )
    return REPORT + inner[:LARGEST]


def _parts(count: int, kind: bytes) -> bytes:
    part = b"--b\nContent-Type: %b\n\nFinal-Recipient: rfc822; a@b.example\nStatus: 5.1.1\n" % kind
    return (
        REPORT + b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n" + part * count
    )


def _recipients(count: int) -> bytes:
    to = b", ".join(b'"Jane, \\"J\\" %d" <jane%d@acme.example>' % (i, i) for i in range(count))
    groups = b"".join(
        b"Final-Recipient: rfc822; jane%d@acme.example\nAction: failed\nStatus: 5.1.1\n"
        b"Diagnostic-Code: smtp; 550 5.1.1 <jane%d@acme.example> user unknown\n\n" % (i, i)
        for i in range(count)
    )
    listed = b"\n".join(b"<jane%d@acme.example>: 550 user unknown" % i for i in range(count))
    text = b"Content-Type: text/plain\n\n" + listed + b"\n--b\n"
    status = (
        b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n" + groups + b"--b--\n"
    )
    return REPORT + b"To: " + to + b"\nCc: " + to + b"\n" + STATUS + text + status


def _calendar(line: bytes) -> bytes:
    begin = b"BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:x\nDTSTART:20260504T130000Z\n"
    body = begin + line * (20 * MB // len(line)) + b"\nEND:VEVENT\nEND:VCALENDAR\n"
    return PERSON + b"Content-Type: text/calendar; method=REQUEST\n\n" + body


def _many_events() -> bytes:
    event = b"BEGIN:VEVENT\nUID:%d\nDTSTART:20260504T130000Z\nORGANIZER:mailto:a@b.example\nEND:VEVENT\n"
    body = (
        b"BEGIN:VCALENDAR\nMETHOD:REQUEST\n"
        + b"".join(event % i for i in range(100_000))
        + b"END:VCALENDAR\n"
    )
    return PERSON + b"Content-Type: text/calendar; method=REQUEST\n\n" + body


def _charset(name: bytes, body: bytes) -> bytes:
    return REPLY + b"Content-Type: text/plain; charset=%b\n\n" % name + body


def _encoded(encoding: bytes, body: bytes) -> bytes:
    return REPLY + b"Content-Transfer-Encoding: %b\n\n" % encoding + body


def _header(name: bytes, value: bytes) -> bytes:
    return REPORT + name + b": " + value + b"\n\nhello"


MAILS: dict[str, Callable[[], bytes]] = {
    "empty": bytes,
    "5,000 nested levels": lambda: _nested(5000),
    "100,000 nested levels": lambda: _nested(100_000),
    "5,000 forwards in each other": lambda: _forwards(5000),
    "encoded forwards in each other": _encoded_forwards,
    "100,000 parts": lambda: _parts(100_000, b"text/plain"),
    "100,000 delivery statuses": lambda: _parts(100_000, b"message/delivery-status"),
    "100,000 forwards beside each other": lambda: _parts(100_000, b"message/rfc822"),
    "20,000 recipients": lambda: _recipients(20_000),
    "an unknown charset": lambda: _charset(b"klingon", b"\xff\xfe Qapla" * 1000),
    "a charset that is a codec of bytes": lambda: _charset(b"zlib", b"x\x9c" * 1000),
    "UTF-7": lambda: _charset(b"utf-7", b"+AG4-+" * 100_000),
    "idna": lambda: _charset(b"idna", b"a.xn--" * 100_000),
    "punycode": lambda: _charset(b"punycode", b"abcd-" + b"z9" * 100_000),
    "ISO-2022-JP without ESC": lambda: _charset(b"iso-2022-jp", b"$B$3$N(B" * 100_000),
    "HZ": lambda: _charset(b"hz", b"~{<:Ky~" * 100_000),
    "bad base64": lambda: _encoded(b"base64", b"=A=B!" * MB),
    "bad quoted-printable": lambda: _encoded(b"quoted-printable", b"==3\n=" * MB),
    "CR alone ends the lines": lambda: _recipients(5000).replace(b"\n", b"\r"),
    "NUL bytes": lambda: REPLY + b"\n" + b"\0" * LARGEST,
    "NUL bytes before everything": lambda: b"\0" * MB + REPLY,
    "glued headers": lambda: REPORT + b"X: y" * (LARGEST // 4),
    "a header of 25 MB": lambda: _header(b"Subject", b"a " * (LARGEST // 2)),
    "a million headers": lambda: REPORT + b"X: y\n" * MB,
    "a million folded lines": lambda: REPORT + b"X: y\n" + b" z\n" * MB,
    "giant References": lambda: REPLY + b"References: " + b" <1@vendor.example>" * MB + b"\n\nhello",
    "References without end": lambda: REPLY + b"References: " + b"<" * MB + b"\n\nhello",
    "a million encoded words": lambda: _header(b"Subject", b"=?utf-8?q?a?= " * MB),
    "a broken encoded word": lambda: _header(b"From", b"=?utf-8?q?" * MB),
    "comments in To": lambda: _header(b"To", b"(" * MB),
    "quotes in To": lambda: _header(b"To", b'"\\' * MB),
    "many parameters": lambda: _header(b"Content-Type", b"text/plain" + b"; a*0*=b" * MB),
    "one line of 25 MB": lambda: REPLY + b"\n" + b"no longer with us " * (LARGEST // 18),
    "a report of one line of 25 MB": lambda: REPORT + b"\n" + b"550 5.1.1 user unknown " * (LARGEST // 23),
    "a calendar of many guests": lambda: _calendar(b"ATTENDEE:mailto:a@b.example\n"),
    "a calendar of one long line": lambda: _calendar(b"x"),
    "a calendar of many rules": lambda: _calendar(b"RRULE:FREQ=SECONDLY\n"),
    "a calendar of nested events": lambda: _calendar(b"BEGIN:VEVENT\n"),
    "a calendar of 100,000 events": _many_events,
    "a notification of nested JSON": lambda: b"From: a@sns.amazonaws.com\nSubject: x\n\n" + b'{"a":' * MB,
}  # fmt: skip


def page(head: bytes, piece: str) -> bytes:
    """Return a mail of 25 MB of HTML that is one piece over and over."""
    return head + b"Content-Type: text/html\n\n" + (piece * (LARGEST // len(piece))).encode()


def everything() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Yield the name of each hostile mail and how it is made."""
    yield from MAILS.items()
    for name, head in HEADS.items():
        for piece in FLOODS:
            yield f"{name}: {piece[:20]!r}", partial(flood, head, piece)
        for piece in PAGES:
            yield f"{name}: page of {piece}", partial(page, head, piece)
        for seed in range(4):
            yield f"{name}: fragments {seed}", partial(fragments, head, seed)
