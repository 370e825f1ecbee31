"""Note who wrote to whom and when, from the headers of mail that people wrote.

A mail by the person is the best proof of life there is. What our side wrote to them is kept because a bounce
is genuine only where there was a mail to bounce, and because silence means something only after a question.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.model import Family, Json, Kind, Means, Observation
from watchers import FREE_MAIL, Example, MailReader, Scope
from watchers.mail.automatic import automatic
from watchers.mail.exchange import COLLEAGUE, SLOW, UNANSWERED, exchange_signals
from watchers.mail.folding import fold
from watchers.mail.ics import announces_calendar
from watchers.mail.meetings import same_account
from watchers.mail.tnef import outlooks_meeting

if TYPE_CHECKING:
    from watchers.mail.head import Address, Head
    from watchers.mail.parse import Mail

BULK = 50
"""A mail of ours to more people than this is a mailing, not a word to a person."""

MOST_NAMED = 20
"""So many of the others on a mail are kept."""

LONGEST_NAME = 80
MACHINES = frozenset({"mailer-daemon", "mail-daemon", "postmaster", "mailerdaemon", "mdaemon"})

FADES = timedelta(days=30)


def _sign(name: str, weight: float, example: str) -> Kind:
    """Declare a sign of pulling away; all of them together are not enough to alarm anybody."""
    return Kind(name, Means.SLIPPING, Family.RESPONSE, weight, FADES, example=example)


class Correspondence(MailReader):
    """Plain activity: the person wrote, we wrote to them, they were copied; and how promptly they answer."""

    name = "correspondence"
    kinds = (
        Kind("wrote", Means.ALIVE, Family.RESPONSE, example="wrote to rep@vendor.example"),
        Kind("written_to", Means.NOTED, Family.RESPONSE, example="rep@vendor.example wrote to them"),
        Kind("copied", Means.NOTED, Family.RESPONSE, example="copied on a mail by ann@acme.example"),
        Kind(
            "wrote_elsewhere",
            Means.NOTED,
            Family.RESPONSE,
            example="wrote from another domain: acme-group.example",
        ),
        _sign(SLOW, 0.3, "answers now take 4 days; they used to take 5 hours"),
        _sign(UNANSWERED, 0.4, "3 of our mails since 4 May are unanswered"),
        _sign(COLLEAGUE, 0.4, "the last 2 answers to our mails came from ann@acme.example instead"),
    )
    examples = (
        Example(
            b"From: Jane Doe <jane@acme.example>\r\nTo: rep@vendor.example\r\n"
            b"Date: Mon, 20 Apr 2026 09:00:00 +0000\r\nMessage-ID: <1@acme.example>\r\n\r\nSounds good.\r\n",
            ("wrote",),
        ),
        Example(
            b"From: Jane Doe <jane@acme.example>\r\nTo: rep@vendor.example\r\n"
            b"Date: Mon, 20 Apr 2026 09:00:00 +0000\r\nAuto-Submitted: auto-replied\r\n\r\nI am away.\r\n",
            (),
        ),
    )

    def wants(self, head: Head) -> bool:
        """Want no body: the headers say it all."""
        del head
        return False

    def read(self, mail: Mail, scope: Scope) -> Sequence[Observation]:
        """Return who wrote, who was written to and who was copied, if a person wrote the mail."""
        head = mail.head
        calendar = announces_calendar(head) or _invites(mail)
        if scope.is_ours(head.sender.address):
            # An invitation of ours is a mail to them as well: it is often the one that bounces.
            return list(_Letter(head, scope).ours()) if calendar or not automatic(head) else ()
        if not head.sender.address or is_machine(head.sender.address):
            return ()
        letter = _Letter(head, scope)
        wrote = () if calendar or automatic(head) else letter.theirs()
        return [*wrote, *letter.from_elsewhere()]

    def derive(self, history: Sequence[Observation], now: datetime) -> Iterable[Observation]:
        """Say whether they answer more slowly than they used to, not at all, or through a colleague."""
        return exchange_signals(history, now)


def is_machine(address: str) -> bool:
    """Say whether a mail system writes under this address (RFC 2142, RFC 3464)."""
    return address.partition("@")[0] in MACHINES


def _invites(mail: Mail) -> bool:
    """Say whether the body, where there is one, shows that a calendar program wrote the mail."""
    invites = any("method" in part.head.content_type[1] for part in mail.of_type("text/calendar"))
    return invites or bool(outlooks_meeting(mail).events)


class _Letter:
    """One mail by a person, seen from the people on it."""

    def __init__(self, head: Head, scope: Scope) -> None:
        self.head = head
        self.scope = scope
        self.sender = head.sender
        self.to = {to.address: to for to in reversed(head.addresses("to"))}
        self.cc = {cc.address: cc for cc in reversed(head.addresses("cc")) if cc.address not in self.to}
        self.people = list(dict.fromkeys([self.sender.address, *(to.address for to in head.recipients)]))

    def ours(self) -> Iterator[Observation]:
        """Yield whom we wrote to, unless it was a mailing."""
        if len(self.people) > BULK:
            return
        for address, field in self._others():
            yield self._observe("written_to", address, field, f"{self.sender.address[:80]} wrote to them")

    def theirs(self) -> Iterator[Observation]:
        """Yield that they wrote to us, and which watched people were on their mail."""
        if self._reached_us():
            us = [address for address in self.people if self.scope.is_ours(address)]
            whom = us[0] if us else self.people[1] if len(self.people) > 1 else ""
            sentence = f"wrote to {whom[:80]}" if whom else "wrote to us"
            yield self._observe("wrote", self.sender, "", sentence)
        if len(self.people) > BULK:
            return
        for address, field in self._others():
            if self.scope.covers(address.address):
                by = self.sender.address[:80]
                yield self._observe("copied", address, field, f"copied on a mail by {by}")

    def from_elsewhere(self) -> Iterator[Observation]:
        """Yield that somebody of a watched person's name and local part wrote from an unknown domain.

        An invitation or an automatic reply shows that as well as a mail.
        """
        local, _, domain = self.sender.address.partition("@")
        known = self.scope.covers(self.sender.address) or domain in FREE_MAIL
        if known or not self.sender.name or not self._reached_us():
            return
        for contact in self.scope.by_local_part.get(local, ()):
            if fold(contact.name.lower()).split() == fold(self.sender.name.lower()).split():
                yield Observation(
                    contact=contact.address,
                    kind="wrote_elsewhere",
                    at=self.head.dated,
                    source="",
                    sentence=f"wrote from another domain: {domain[:80]}",
                    group=domain[:80],
                    facts={"message_id": self.head.message_id, "domain": domain[:80]},
                )

    def _reached_us(self) -> bool:
        """Say whether the mail was meant for us; where our domains are unknown, it is in our mailbox."""
        if not self.scope.our_domains:
            return True
        delivered = (*self.head.addresses("delivered-to"), *self.head.addresses("x-original-to"))
        return any(map(self.scope.is_ours, [*self.people, *(box.address for box in delivered)]))

    def _others(self) -> Iterator[tuple[Address, str]]:
        """Yield the recipients who are not of our team, and in which header they stand."""
        for field, recipients in (("to", self.to), ("cc", self.cc)):
            for address in reversed(recipients.values()):
                if address.address != self.sender.address and not self.scope.is_ours(address.address):
                    yield address, field

    def _observe(self, kind: str, about: Address, field: str, sentence: str) -> Observation:
        return Observation(
            contact=about.address,
            kind=kind,
            at=self.head.dated,
            source="",
            sentence=sentence,
            facts={
                "message_id": self.head.message_id,
                "answers": self.head.references[0] if self.head.references else "",
                "field": field,
                "with": self._with(about.address),
                "name": " ".join("".join(filter(_shown, about.name)).split())[:LONGEST_NAME],
            },
        )

    def _with(self, contact: str) -> list[Json]:
        """Return who of ours or of the contact's account was on the mail too."""
        known: list[Json] = [
            address
            for address in self.people
            if address != contact
            and (self.scope.is_ours(address) or self.scope.covers(address) or same_account(address, contact))
        ]
        return known[:MOST_NAMED]


def _shown(char: str) -> bool:
    return char.isprintable() or char.isspace()
