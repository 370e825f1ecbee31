"""Say what a CRM's records mean, in the kinds of observation that mail and calendars have too. Pure.

A CRM knows of mail only what was logged there, and of a meeting not who moved it. What it says is taken at
its word: a bounce flag is about mail of our own by definition.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.model import Json, Observation
from watchers import Scope
from watchers.mail import bounce_table as table
from watchers.mail.meetings import MOST_ATTENDEES, OTHER, SNAPSHOT
from watchers.mail.status_fields import status_code

BULK = 50
"""A mail of ours to more people than this is a mailing, not a word to a person."""

MOST_NAMED = 20
LONGEST_DIAGNOSTIC = 300
LONGEST_ID = 200

_ADDRESS = re.compile(r"[^\s@<>,;\"']{1,64}@[^\s@<>,;\"']{1,253}")

MEANINGS = {
    table.GONE: "there is no such mailbox",
    table.DOMAIN: "the domain takes no mail",
    table.FULL: "the mailbox is full",
    table.BLOCKED: "the mail was refused, not the person",
    table.TRANSIENT: "not delivered in time",
    table.OTHER: "it does not say why",
}


@dataclass(frozen=True)
class LoggedMail:
    """A mail as a CRM logged it: `ident` is its Message-ID, or else one made of the record's own id.

    `incoming` is None where the CRM does not say in which direction it went.
    """

    ident: str
    at: datetime
    sender: str
    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    incoming: bool | None = None


@dataclass(frozen=True)
class Bounce:
    """A contact's bounce flag; `worked` is when a mail is known to have reached them before."""

    ident: str
    address: str
    at: datetime
    kind: str
    words: str = ""
    worked: datetime | None = None


@dataclass(frozen=True)
class OptOut:
    """A contact who wants no mail of ours, or wants it again; `at` is when the CRM last says so.

    `turn` counts how often they changed their mind: after an odd number of turns they want none.
    """

    ident: str
    address: str
    at: datetime
    turn: int = 1


@dataclass(frozen=True)
class Meeting:
    """A meeting as it stands; `answers` are those of the contacts by address, `missed` says nobody came."""

    uid: str
    changed: datetime
    start: datetime | None
    end: datetime | None
    organizer: str
    answers: Mapping[str, str]
    cancelled: bool = False
    attended: bool = False
    missed: bool = False

    @property
    def stands(self) -> list[Json]:
        """Return what another state of the meeting differs in, small enough to be kept in a cursor."""
        outcome = "cancelled" if self.cancelled else "attended" if self.attended else ""
        return [
            _iso(self.start),
            "missed" if self.missed else outcome,
            " ".join(f"{len(one)}{self.answers[one]}" for one in sorted(self.answers)),
        ]


Fact = LoggedMail | Bounce | OptOut | Meeting


def observations(fact: Fact | None, scope: Scope, source: str) -> Iterable[Observation]:
    """Return what a fact says of the people we watch."""
    match fact:
        case LoggedMail():
            return mail(fact, scope, source)
        case Bounce():
            return bounce(fact, scope, source)
        case OptOut():
            return opt_out(fact, scope, source)
        case Meeting():
            return meeting(fact, scope, source)
    return ()


def mail(logged: LoggedMail, scope: Scope, source: str) -> Iterator[Observation]:
    """Yield who wrote and who was written to."""
    people = list(dict.fromkeys([logged.sender, *logged.to, *logged.cc]))
    if scope.covers(logged.sender) and not scope.is_ours(logged.sender):
        ours = [address for address in people[1:] if scope.is_ours(address)]
        if logged.incoming is not False and (ours or logged.incoming):
            sentence = f"wrote to {ours[0][:80]}" if ours else "wrote to us"
            yield _letter("wrote", logged, logged.sender, "", sentence, people, scope, source)
        return
    is_ours = scope.is_ours(logged.sender) or logged.incoming is False
    if not is_ours or len(people) > BULK:
        return
    for address in people[1:]:
        if scope.covers(address) and not scope.is_ours(address):
            field = "to" if address in logged.to else "cc"
            sentence = f"{logged.sender[:80] or 'we'} wrote to them"
            yield _letter("written_to", logged, address, field, sentence, people, scope, source)


def _letter(
    kind: str,
    logged: LoggedMail,
    contact: str,
    field: str,
    sentence: str,
    people: Sequence[str],
    scope: Scope,
    source: str,
) -> Observation:
    known: list[Json] = [
        one for one in people if one != contact and (scope.is_ours(one) or scope.covers(one))
    ]
    return Observation(
        contact=contact,
        kind=kind,
        at=logged.at,
        source=source,
        sentence=sentence,
        facts={
            "message_id": logged.ident[:LONGEST_ID],
            "answers": "",
            "field": field,
            "with": known[:MOST_NAMED],
            "name": "",
            "logged": True,
        },
        because=("it is logged in the CRM",),
    )


def bounce(flag: Bounce, scope: Scope, source: str) -> Iterator[Observation]:
    """Yield the bounce, and that mail reached the address before where that is known."""
    if not scope.covers(flag.address):
        return
    if flag.worked is not None and flag.worked < flag.at:
        worked = LoggedMail(f"{flag.ident}.first", flag.worked, "", (flag.address,))
        people = ("", flag.address)
        yield _letter("written_to", worked, flag.address, "to", "we wrote to them", people, scope, source)
    code = status_code(flag.words)
    name = "hard bounce" if flag.kind == table.GONE else "bounce"
    addressed: list[Json] = [flag.address]
    facts: dict[str, Json] = {
        "message_id": flag.ident[:LONGEST_ID],
        "status": code,
        "reply": "",
        "diagnostic": " ".join(flag.words.split())[:LONGEST_DIAGNOSTIC],
        "action": "failed",
        "reporting_mta": "",
        "remote_mta": "",
        "final_recipient": flag.address,
        "original_recipient": flag.address,
        "expanded_from": "",
        "original_message_id": "",
        "original_from": "",
        "original_date": None,
        "original_to": addressed,
        "ours": True,
    }
    yield Observation(
        contact=flag.address,
        kind=flag.kind,
        at=flag.at,
        source=source,
        sentence=f"{f'{name} {code}'.strip()} noted in the CRM: {MEANINGS[flag.kind]}",
        facts=facts,
        because=("the CRM marks the address as bounced, for mail that was sent from it",),
    )


def opt_out(flag: OptOut, scope: Scope, source: str) -> Iterator[Observation]:
    """Yield that somebody wants no mail, or wants it again: once a turn, however often the record changes."""
    if not scope.covers(flag.address) or scope.is_ours(flag.address):
        return
    is_out = flag.turn % 2 == 1
    told = f"{flag.ident}.{flag.turn}" if flag.turn > 1 else flag.ident
    yield Observation(
        contact=flag.address,
        kind="opted_out" if is_out else "opted_in",
        at=flag.at,
        source=source,
        sentence=f"{'wants no mail of ours' if is_out else 'takes mail of ours again'}, as the CRM says",
        facts={"message_id": told[:LONGEST_ID]},
        because=(f"the CRM marks the contact as opted {'out of' if is_out else 'in to'} e-mail",),
    )


def diagnosis(words: str) -> str:
    """Return the kind of bounce that a mail system's words stand for."""
    code = status_code(words)
    phrase = table.diagnose(words[:1000], code)
    kind = phrase.kind if phrase else table.by_status(code) if code else ""
    return kind if kind in MEANINGS else table.OTHER


def meeting(met: Meeting, scope: Scope, source: str) -> Iterator[Observation]:
    """Yield how a meeting stands, for each watched person who has a part in it."""
    people = [address for address in met.answers if scope.covers(address) and not scope.is_ours(address)]
    uid = met.uid[:LONGEST_ID]
    when = f"{met.start:%-d %B %Y}" if met.start else "an unknown day"
    for contact in people:
        yield Observation(
            contact=contact,
            kind=SNAPSHOT,
            at=met.changed,
            source=source,
            sentence=f"meeting of {when} in the CRM{', cancelled' if met.cancelled else ''}",
            group=uid,
            facts=_state(met),
        )
        if met.missed:
            yield Observation(
                contact=contact,
                kind="meeting_no_show",
                at=met.start or met.changed,
                source=source,
                sentence=f"did not come to the meeting of {when}",
                group=uid,
                facts={"uid": uid},
                because=("the rep noted it as a no-show in the CRM",),
            )


def _state(met: Meeting) -> dict[str, Json]:
    """Return the facts of a meeting, as an invitation by mail would have them."""
    attendees: list[Json] = [[one, answer] for one, answer in list(met.answers.items())[:MOST_ATTENDEES]]
    return {
        "message_id": "",
        "uid": met.uid[:LONGEST_ID],
        "recurrence_id": "",
        "series": False,
        "method": "",
        "sequence": None,
        "dtstamp": _iso(met.changed),
        "start": _iso(met.start),
        "end": _iso(met.end),
        "status": "CANCELLED" if met.cancelled else "CONFIRMED",
        "organizer": met.organizer,
        "attendees": attendees,
        "delegated_to": "",
        "by": "",
        "by_side": OTHER,
        "title": "",
        "words": False,
        "wording": "",
        **({"attended": True} if met.attended else {}),
    }


def addresses(listed: str) -> tuple[str, ...]:
    """Return the addresses in a list such as a CRM keeps, in lower case, each once."""
    return tuple(dict.fromkeys(found.lower() for found in _ADDRESS.findall(listed[:20_000])))


def _iso(at: datetime | None) -> str:
    return at.isoformat() if at else ""
