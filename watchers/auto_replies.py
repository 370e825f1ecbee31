"""Read what auto-replies and farewell mails say: gone, away, another role, another address, and whom to ask.

A departure is the sender's own word, so it weighs as proof; everything here is built to be sure before it
says so. The phrases are data (`watchers.mail.phrases`); the rules that choose are in `watchers.mail.reading`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from bot.model import Family, Json, Kind, Means, Observation
from watchers import FREE_MAIL, Example, MailReader, Scope, under
from watchers.mail.automatic import automatic, is_list, is_reply
from watchers.mail.reading import Reading, read_automatic, read_personal
from watchers.mail.reports import is_report

if TYPE_CHECKING:
    from watchers.mail.head import Head
    from watchers.mail.parse import Mail

_SHOWN = 80


def _example(body: str, *headers: str) -> bytes:
    lines = (
        "From: Jane Doe <jane@acme.example>",
        "To: rep@vendor.example",
        "Date: Mon, 07 Sep 2026 09:00:00 +0000",
        "Message-ID: <answer@acme.example>",
        "In-Reply-To: <sent@vendor.example>",
        *headers,
        "Content-Type: text/plain; charset=utf-8",
        "",
        body,
    )
    return "\r\n".join(lines).encode()


_AUTOMATIC = ("Subject: Automatic reply: Next step", "Auto-Submitted: auto-replied")


class AutoReplies(MailReader):
    """Reads auto-replies and farewell mails: who left, who is away until when, and whom to turn to."""

    name: ClassVar[str] = "auto_replies"
    kinds: ClassVar[tuple[Kind, ...]] = (
        Kind(
            "departed",
            Means.GONE,
            Family.MAIL,
            9.0,
            explicit=True,
            example="auto-reply: no longer there, write to Ann Lee",
        ),
        Kind("farewell", Means.GONE, Family.MAIL, 4.0, example="said goodbye: last day 2026-09-11"),
        Kind("on_leave", Means.AWAY, Family.MAIL, example="auto-reply: away until 14 September 2026"),
        Kind(
            "role_change",
            Means.SLIPPING,
            Family.MAIL,
            1.5,
            timedelta(days=90),
            example="auto-reply: has another role there, write to Ann Lee",
        ),
        Kind("address_change", Means.NOTED, Family.MAIL, example="auto-reply: has a new address"),
        Kind("acknowledgement", Means.NOTED, Family.MAIL, example="auto-reply: the mail was received"),
    )
    examples: ClassVar[tuple[Example[bytes], ...]] = (
        Example(
            _example("I am no longer with Acme. Please write to Ann Lee, ann.lee@acme.example.", *_AUTOMATIC),
            ("departed",),
        ),
        Example(_example("I am out of the office until 14 September.", *_AUTOMATIC), ("on_leave",)),
        Example(
            _example("I have moved to a new role within Acme. Please contact Ann Lee.", *_AUTOMATIC),
            ("role_change",),
        ),
        Example(_example("My email address has changed: jane@new.example", *_AUTOMATIC), ("address_change",)),
        Example(_example("We have received your message.", *_AUTOMATIC), ("acknowledgement",)),
        Example(
            _example("Friday is my last day, please work with Ann from now on.", "Subject: Re: Next step"),
            ("farewell",),
        ),
        Example(_example("See you on Friday.", "Subject: Re: Next step"), ()),
    )

    def wants(self, head: Head) -> bool:
        """Say whether the headers call it automatic; other bodies come with the watched domains' mail."""
        return bool(automatic(head)) and not is_list(head)

    def read(self, mail: Mail, scope: Scope) -> Sequence[Observation]:
        """Say what an auto-reply or a farewell says of its sender; at most one observation."""
        head = mail.head
        if not mail.parts or is_list(head) or is_report(head):
            return ()
        reason = automatic(head)
        if is_reply(head) or (reason and head.references):
            reading = read_automatic(mail, scope)
        else:
            reading = read_personal(mail, scope)
        if reading is None:
            return ()
        return (_observation(head, reading, reason),)


def _about(sender: str, contact: str) -> str:
    """Return whom the reply is about: whom it names, at the sender's company; of others it says nothing.

    No stranger can give up somebody's mailbox.
    """
    theirs, senders = (frozenset({address.rpartition("@")[2]}) - FREE_MAIL for address in (contact, sender))
    return contact if under(sender, theirs) or under(contact, senders) else sender


def _observation(head: Head, reading: Reading, reason: str) -> Observation:
    facts: dict[str, Json] = {
        "message_id": head.message_id,
        "successors": [
            {"name": one.name, "address": one.address, "role": one.role} for one in reading.successors
        ],
        "returns": reading.returns.isoformat() if reading.returns else "",
        "leaves": reading.leaves.isoformat() if reading.leaves else "",
        "new_address": reading.new_address,
        "language": reading.language,
    }
    sent_by = f"a machine sent it: {reason}" if reason else "no header says that a machine sent it"
    return Observation(
        contact=_about(head.sender.address, reading.contact),
        kind=reading.says,
        at=head.dated,
        source="",
        sentence=_sentence(reading),
        facts=facts,
        because=(sent_by, *reading.because),
    )


def _sentence(reading: Reading) -> str:
    what = {
        "departed": "auto-reply: no longer there",
        "farewell": "said goodbye",
        "on_leave": "auto-reply: away",
        "role_change": "auto-reply: has another role there",
        "address_change": "auto-reply: has a new address",
        "acknowledgement": "auto-reply: the mail was received",
    }[reading.says]
    if reading.asks:
        what = "auto-reply: asks you to confirm that you are a person"
    if reading.says == "on_leave" and reading.returns:
        what += f" until {reading.returns:%-d %B %Y}"
    if reading.says in {"departed", "farewell"} and reading.leaves:
        what += f": last day {reading.leaves:%-d %B %Y}" if reading.says == "farewell" else ""
        what += f" after {reading.leaves:%-d %B %Y}" if reading.says == "departed" else ""
    named = [one.name or one.address for one in reading.successors]
    if named and reading.says in {"departed", "farewell", "role_change"}:
        what += f", write to {' '.join(named[0].split())[:_SHOWN]}"
    return what
