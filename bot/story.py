"""The founding story as mails: a champion slips away in the calendar, then leaves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

from bot.model import Contact, Deal

OUR_DOMAIN = "vendor.example"
REP = "Rita Rep <rita@vendor.example>"
JANE = "Jane Doe <jane@acme.example>"
ANN = "Ann Lee <ann.lee@acme.example>"
TOM = "Tom Berg <tom.berg@acme.example>"
UID = "acme-rollout-call-7f3a@acme.example"

CHAMPION = Contact(
    address="jane@acme.example",
    name="Jane Doe",
    title="VP Operations",
    account="Acme",
    owner="Rita Rep",
    deal=Deal(
        name="Acme rollout", amount=240_000, currency="EUR", stage="Negotiation", close_date=date(2026, 9, 30)
    ),
)


@dataclass(frozen=True)
class Step:
    """A day of the story: what happens, and the mails that arrive until then."""

    at: datetime
    title: str
    mails: tuple[bytes, ...]
    moral: str = ""


def moment(text: str) -> datetime:
    """Read a moment of the story."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def story() -> tuple[Step, ...]:
    """Return the founding story, day by day."""
    first, second, third, last = map(
        moment, ("2026-05-04T14:00", "2026-05-18T14:00", "2026-06-01T14:00", "2026-08-20T14:00")
    )
    return (
        Step(
            moment("2026-04-20T10:00"),
            "A call is set for two weeks out",
            (*acquaintance(), invitation("2026-04-20T09:12", first, 0, "Looking forward to it. Jane")),
            "Everything is well.",
        ),
        Step(
            moment("2026-05-01T12:00"),
            "Jane pushes the call by two weeks",
            (invitation("2026-05-01T11:40", second, 1, "Sorry, quarter end. Two weeks later?"),),
            "Recorded, no alert: one push is normal life.",
        ),
        Step(
            moment("2026-05-15T16:30"),
            "Jane pushes it by two more weeks",
            (invitation("2026-05-15T16:05", third, 2, "I have to move this once more."),),
        ),
        Step(
            moment("2026-05-31T09:00"),
            "The call moves to 20 August, without a word",
            (invitation("2026-05-29T07:58", last, 2, ""),),
        ),
        Step(
            moment("2026-07-06T08:31"),
            "Rita's next mail bounces",
            (
                letter("2026-07-06T08:30", REP, JANE, "Rollout plan", "Hi Jane, here is the plan.", "m-6"),
                bounce("2026-07-06T08:30:40", "jane@acme.example", "m-6"),
            ),
        ),
        Step(
            moment("2026-07-06T08:34"),
            "Minutes later, the reply to an earlier mail",
            (auto_reply("2026-07-06T08:33"),),
            "Trackers of bought profiles say this one to six weeks later, and never see the pushes before.",
        ),
    )


def acquaintance() -> tuple[bytes, ...]:
    """Return the mails of a deal that goes well."""
    both, all_three = JANE, f"{JANE}, {ANN}"
    return (
        letter("2026-03-02T09:00", REP, both, "Pilot", "Hi Jane, shall we start the pilot?", "m-1"),
        letter(
            "2026-03-02T15:20",
            JANE,
            REP,
            "Re: Pilot",
            "Yes. Ann Lee runs the sites.",
            "j-1",
            answers="m-1",
            cc=ANN,
        ),
        letter("2026-03-11T08:10", REP, all_three, "Sites", "Which sites come first?", "m-2"),
        letter(
            "2026-03-11T17:45",
            ANN,
            REP,
            "Re: Sites",
            "Leeds first, then York.",
            "a-1",
            answers="m-2",
            cc=JANE,
        ),
        letter("2026-03-23T10:30", JANE, REP, "Security review", "Tom Berg has questions.", "j-2", cc=TOM),
        letter(
            "2026-03-24T09:05",
            REP,
            TOM,
            "Re: Security review",
            "Happy to answer them.",
            "m-3",
            answers="j-2",
            cc=JANE,
        ),
        letter(
            "2026-03-24T16:40", TOM, REP, "Re: Security review", "Where are keys kept?", "t-1", answers="m-3"
        ),
        letter("2026-04-08T11:15", REP, JANE, "Rollout", "The pilot went well. Next steps?", "m-4"),
        letter(
            "2026-04-09T08:50", JANE, REP, "Re: Rollout", "Board liked it. Let us talk.", "j-3", answers="m-4"
        ),
        letter("2026-04-14T13:00", ANN, REP, "Leeds", "Leeds is happy with it.", "a-2"),
    )


def letter(
    at: str, sender: str, to: str, subject: str, text: str, ident: str, *, answers: str = "", cc: str = ""
) -> bytes:
    """Return a mail between people."""
    return _letter(at, sender, to, subject, text, ident, answers=answers, cc=cc).as_bytes()


def _letter(
    at: str, sender: str, to: str, subject: str, text: str, ident: str, *, answers: str = "", cc: str = ""
) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    if cc:
        mail["Cc"] = cc
    mail["Date"] = format_datetime(moment(at))
    mail["Message-ID"] = message_id(ident, sender)
    if answers:
        mail["In-Reply-To"] = message_id(answers, REP if answers.startswith("m") else JANE)
    mail.set_content(text)
    return mail


def message_id(ident: str, sender: str) -> str:
    """Return the Message-ID of one of the story's mails."""
    return f"<{ident}@{sender.rstrip('>').rpartition('@')[2]}>"


def invitation(at: str, start: datetime, sequence: int, words: str) -> bytes:
    """Return a calendar invitation, or an update of it, as Jane's client sends it (RFC 6047)."""
    mail = _letter(at, JANE, REP, "Acme rollout: call", words, f"call-{sequence}-{start:%m%d}")
    lines = (
        "BEGIN:VCALENDAR",
        "PRODID:-//Example Mail//Calendar//EN",
        "VERSION:2.0",
        "METHOD:REQUEST",
        "BEGIN:VEVENT",
        f"UID:{UID}",
        f"SEQUENCE:{sequence}",
        f"DTSTAMP:{moment(at):%Y%m%dT%H%M%SZ}",
        f"DTSTART:{start:%Y%m%dT%H%M%SZ}",
        f"DTEND:{start + timedelta(minutes=45):%Y%m%dT%H%M%SZ}",
        "SUMMARY:Acme rollout: call",
        "ORGANIZER;CN=Jane Doe:mailto:jane@acme.example",
        "ATTENDEE;CN=Jane Doe;PARTSTAT=ACCEPTED:mailto:jane@acme.example",
        "ATTENDEE;CN=Rita Rep;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:rita@vendor.example",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    )
    mail.add_alternative(
        "\r\n".join(lines).encode(), maintype="text", subtype="calendar", params={"method": "REQUEST"}
    )
    return mail.as_bytes()


def bounce(at: str, recipient: str, ident: str) -> bytes:
    """Return the report of a mail server that the mailbox does not exist (RFC 3464)."""
    return f"""\
Return-Path: <>
From: Mail Delivery System <mailer-daemon@mail.vendor.example>
To: rita@vendor.example
Subject: Undelivered Mail Returned to Sender
Date: {format_datetime(moment(at))}
Message-ID: <report-{ident}@mail.vendor.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="report"

--report
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mail.vendor.example. Your message could not be delivered.

<{recipient}>: host mx.acme.example said: 550 5.1.1 <{recipient}>: User unknown

--report
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.vendor.example

Final-Recipient: rfc822; {recipient}
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.acme.example
Diagnostic-Code: smtp; 550 5.1.1 <{recipient}>: User unknown

--report
Content-Type: text/rfc822-headers

From: {REP}
To: {JANE}
Subject: Rollout plan
Message-ID: {message_id(ident, REP)}
Date: {format_datetime(moment(at))}

--report--
""".encode()


def auto_reply(at: str) -> bytes:
    """Return the reply that Jane's mailbox gives after she left (RFC 3834)."""
    mail = _letter(
        at,
        JANE,
        REP,
        "Automatic reply: Rollout",
        "Thank you for your message. I am no longer with Acme.\n"
        "For the rollout please write to Ann Lee at ann.lee@acme.example.\n",
        "auto-1",
        answers="m-4",
    )
    mail["Auto-Submitted"] = "auto-replied"
    return mail.as_bytes()
