"""Read invitations and their updates, and see a champion pull away while the meeting still stands.

Each mail leaves one raw snapshot of each meeting (kind `meeting`), which by itself means nothing. What
several snapshots mean together is worked out anew at every judgement: see `watchers.mail.meetings` for the
history of a meeting, and `watchers.mail.signals` for what it says about a person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from bot.model import Family, Json, Kind, Means, Observation
from watchers import Example, MailReader, Scope, under
from watchers.mail.human_words import human_words
from watchers.mail.ics import (
    CALENDAR_IDS,
    MAX_ATTENDEES,
    SCHEDULERS,
    Attendee,
    Event,
    Itip,
    announces_calendar,
    read_ics,
)
from watchers.mail.meetings import ANSWERS, MOST_ATTENDEES, OTHER, SNAPSHOT, THEM, US, same_account
from watchers.mail.signals import signals
from watchers.mail.tnef import announces_outlook, outlooks_meeting

if TYPE_CHECKING:
    from watchers.mail.head import Head
    from watchers.mail.parse import Mail, Part

MOST_EVENTS = 20
"""So many meetings of one mail are kept; an invitation has one, and some more for changed occurrences."""

LONGEST_UID = 200
"""A longer UID is replaced by its hash."""

FADES = timedelta(days=60)


def _kind(name: str, means: Means, weight: float, example: str) -> Kind:
    return Kind(name, means, Family.CALENDAR, weight, FADES if weight else None, example=example)


class Invitations(MailReader):
    """Calendar invitations: meetings set, pushed, drifting, cancelled, declined, delegated, taken over."""

    name = "invitations"
    kinds = (
        _kind(SNAPSHOT, Means.NOTED, 0.0, "invitation for 4 May from jane@acme.example"),
        _kind("meeting_set", Means.ALIVE, -0.8, "meeting set for 4 May by them"),
        _kind("meeting_invited", Means.NOTED, 0.0, "meeting set for 4 May by us"),
        _kind("meeting_accepted", Means.ALIVE, -1.0, "accepted the meeting of 4 May"),
        _kind("meeting_moved", Means.NOTED, 0.0, "meeting moved from 4 May to 18 May by us"),
        _kind("meeting_attended", Means.ALIVE, -1.0, "was in the meeting of 4 May"),
        _kind("meeting_advanced", Means.ALIVE, -1.0, "meeting brought forward from 18 May to 4 May by them"),
        _kind("meeting_pushed", Means.SLIPPING, 0.4, "meeting pushed from 4 May to 18 May by them"),
        _kind("meeting_drift", Means.SLIPPING, 1.8, "2 pushes, 28 days lost, both by them"),
        _kind(
            "meeting_shuffled",
            Means.SLIPPING,
            0.9,
            "2 pushes, 14 days lost, both by them, each with words of their own",
        ),
        _kind(
            "meeting_distance",
            Means.SLIPPING,
            0.3,
            "the meeting grows distant: 14, 17, now 83 days ahead",
        ),
        _kind(
            "meeting_bare_update",
            Means.SLIPPING,
            1.5,
            "moved to 20 August, more than two months out, without a word in two days",
        ),
        _kind("meeting_cancelled", Means.SLIPPING, 1.2, "meeting of 4 May cancelled by them, no new date"),
        _kind("meeting_declined", Means.SLIPPING, 0.7, "declined the meeting of 4 May"),
        _kind(
            "meeting_delegated", Means.SLIPPING, 0.8, "sends ann@acme.example to the meeting of 4 May instead"
        ),
        _kind("meeting_dropped", Means.SLIPPING, 1.2, "no longer invited to the meeting of 4 May"),
        _kind(
            "meeting_replaced",
            Means.SLIPPING,
            1.4,
            "ann@acme.example is invited to the meeting of 4 May in their place",
        ),
        _kind(
            "meeting_no_show",
            Means.SLIPPING,
            0.3,
            "no word since the meeting of 4 May, although we wrote",
        ),
        _kind(
            "meeting_taken_over",
            Means.SLIPPING,
            1.2,
            "the meeting of 4 May is now organised by ann@acme.example",
        ),
    )
    examples: ClassVar[tuple[Example[bytes], ...]] = (
        Example(
            b"From: Jane Doe <jane@acme.example>\r\nTo: rep@vendor.example\r\n"
            b"Date: Mon, 20 Apr 2026 09:00:00 +0000\r\nMessage-ID: <1@acme.example>\r\n"
            b"Content-Type: text/calendar; method=REQUEST\r\n\r\n"
            b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:call-1\r\n"
            b"DTSTAMP:20260420T090000Z\r\nDTSTART:20260504T130000Z\r\nORGANIZER:mailto:jane@acme.example\r\n"
            b"ATTENDEE:mailto:rep@vendor.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
            (SNAPSHOT,),
        ),
    )

    def wants(self, head: Head) -> bool:
        """Want what a calendar program says it wrote."""
        return announces_calendar(head) or announces_outlook(head)

    def read(self, mail: Mail, scope: Scope) -> Sequence[Observation]:
        """Return one snapshot for each person concerned and each meeting the mail is about."""
        itip = _calendar(mail)
        if itip is None:
            return ()
        wording = human_words(mail.text, mail.head.subject)
        return [
            _snapshot(mail.head, itip, event, contact, scope, wording=wording)
            for event in itip.events[:MOST_EVENTS]
            for contact in _concerned(mail.head, itip, event, scope)
        ]

    def derive(self, history: Sequence[Observation], now: datetime) -> Iterable[Observation]:
        """Say what a person's snapshots mean together as of `now`."""
        return signals(history, now)


def _calendar(mail: Mail) -> Itip | None:
    """Return the mail's calendar: the part made for programs, else an attached file, else Outlook's own."""
    parts = [part for part in mail.parts if _holds_calendar(part)]
    for part in sorted(parts, key=lambda part: part.content_type != "text/calendar"):
        itip = read_ics(part.payload, part.head.content_type[1].get("charset", ""))
        if itip.events:
            return _peopled(itip, mail.head)
    itip = outlooks_meeting(mail)
    return _peopled(itip, mail.head) if itip.events else None


def _holds_calendar(part: Part) -> bool:
    return part.content_type in {"text/calendar", "application/ics"} or part.filename.lower().endswith(".ics")


def _peopled(itip: Itip, head: Head) -> Itip:
    """Return the calendar with people: where it names none, they are those of its mail.

    Zoom's own file names nobody, Outlook's often only who calls the meeting, its answers nobody at all.
    """
    return replace(itip, events=tuple(_with_people(event, itip.method, head) for event in itip.events))


def _with_people(event: Event, method: str, head: Head) -> Event:
    if event.attendees:
        return event
    if method in ANSWERS:
        return replace(event, attendees=(Attendee(head.sender.address, event.answer),))
    organizer = event.organizer or ("" if _is_service(head.sender.address) else head.sender.address)
    invited = tuple(Attendee(to.address) for to in head.recipients if to.address)[:MAX_ATTENDEES]
    return replace(event, organizer=organizer, attendees=invited)


def _is_service(address: str) -> bool:
    return address in CALENDAR_IDS or under(address, SCHEDULERS)


def _people(event: Event) -> list[str]:
    """Return the organizer and the attendees, each once."""
    return list(dict.fromkeys([event.organizer or "", *(one.address for one in event.attendees)]))


def _by(head: Head, itip: Itip, event: Event) -> str:
    """Return who acts in this mail: its sender, or the person for whom a service such as Zoom sends it.

    A stranger who sends in somebody else's name acts for themselves only.
    """
    sender = head.sender.address
    if sender in _people(event) or not _is_service(sender):
        return sender
    if itip.method not in ANSWERS:
        return event.organizer or sender
    return event.attendees[0].address if len(event.attendees) == 1 else sender


def _concerned(head: Head, itip: Itip, event: Event, scope: Scope) -> Iterator[str]:
    """Yield everybody whose history the mail belongs to, each once.

    A watched person who is missing among invited colleagues is concerned too: they may have been dropped.
    Where nobody is watched, it is whoever acts, or else the first who is not one of ours.
    """
    people = [address for address in _people(event) if address and not scope.is_ours(address)]
    if not scope.addresses and not scope.domains:
        acting = _by(head, itip, event)
        yield from [acting] if acting and not scope.is_ours(acting) else people[:1]
        return
    covered = [address for address in people if scope.covers(address)]
    yield from covered
    if itip.method not in ANSWERS:
        for address in sorted(scope.addresses.difference(covered)):
            if any(same_account(address, other) for other in covered):
                yield address


def _snapshot(
    head: Head, itip: Itip, event: Event, contact: str, scope: Scope, *, wording: str
) -> Observation:
    by = _by(head, itip, event)
    uid = event.uid if len(event.uid) <= LONGEST_UID else hashlib.sha256(event.uid.encode()).hexdigest()
    status = "CANCELLED" if event.cancelled else event.status
    facts: dict[str, Json] = {
        "message_id": head.message_id,
        "uid": uid,
        "recurrence_id": event.recurrence_id,
        "series": event.series,
        "method": itip.method,
        "sequence": event.sequence,
        "dtstamp": _iso(event.dtstamp),
        "start": _iso(event.start),
        "end": _iso(event.end),
        "status": status,
        "organizer": event.organizer,
        "attendees": _attendees(event, contact),
        "delegated_to": next((one.delegated_to for one in event.attendees if one.address == contact), ""),
        "by": by,
        "by_side": _side(by, contact, scope),
        "title": event.title,
        "words": bool(wording),
        "wording": wording,
    }
    return Observation(
        contact=contact,
        kind=SNAPSHOT,
        at=head.dated,
        source="",
        sentence=_sentence(itip.method, event, by),
        group=uid,
        facts=facts,
        because=(*itip.notes, *event.notes),
    )


def _attendees(event: Event, contact: str) -> list[Json]:
    """Return address and answer of the first attendees, and of the contact wherever in the list they are."""
    kept = sorted(event.attendees, key=lambda one: one.address != contact)[:MOST_ATTENDEES]
    return [[one.address, one.partstat] for one in kept]


def _side(address: str, contact: str, scope: Scope) -> str:
    if scope.is_ours(address):
        return US
    return THEM if scope.covers(address) or same_account(address, contact) else OTHER


def _sentence(method: str, event: Event, by: str) -> str:
    when = f"{event.start:%-d %B %Y}" if event.start else "an unknown day"
    what = {
        "REPLY": f"answer about the meeting of {when}",
        "COUNTER": f"another time proposed: {when}",
        "CANCEL": f"cancellation of the meeting of {when}",
    }.get(method, f"invitation for {when}")
    return f"{what} from {by[:80] or 'an unknown sender'}"


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
