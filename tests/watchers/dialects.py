"""Invitations as calendar programs write them, each with the fields that it really sends.

Every writer takes an `Invitation` and returns the bytes of the mail. What differs from program to program is
what readers trip over: how zones are named and whether they are explained, whether SEQUENCE is bumped, where
the address of a person stands, who the sender is, and what the program writes around its user's words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from tests.watchers import winmail
from tests.watchers.invitation_mails import HOUR, REP, SENT, Invitation
from tests.watchers.invitation_parts import (
    NOTES,
    WEBEX,
    WINDOWS,
    calendar,
    head,
    local,
    multipart,
    part,
    sent,
    stamp,
    status,
    verb,
    when,
    zone,
)

Writer = Callable[[Invitation], bytes]


def exchange(mail: Invitation) -> bytes:
    """Outlook with Exchange: Windows zones, a content class, SEQUENCE bumped, "Canceled:" in SUMMARY."""
    prefix = "Canceled: " if mail.method == "CANCEL" else f"{verb(mail)}: " if verb(mail) else ""
    guests = [
        f"ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT={answer};RSVP=TRUE;CN=Guest:\n mailto:{who}"
        for who, answer in mail.attendees
        if who != mail.organizer
    ]
    ics = calendar(
        "Microsoft Exchange Server 2010",
        mail,
        zone(mail, WINDOWS[mail.zone]),
        [
            f"ORGANIZER;CN=Doe, Jane:mailto:{mail.organizer}",
            *guests,
            "DESCRIPTION;LANGUAGE=en-US:\\n",
            f"UID:{mail.uid}",
            f"SUMMARY;LANGUAGE=en-US:{prefix}{mail.title}",
            f"DTSTART;TZID={WINDOWS[mail.zone]}:{local(mail, mail.start)}",
            f"DTEND;TZID={WINDOWS[mail.zone]}:{local(mail, mail.start + HOUR)}",
            "CLASS:PUBLIC",
            "PRIORITY:5",
            f"DTSTAMP:{stamp(mail.sent)}",
            "TRANSP:OPAQUE",
            status(mail),
            f"SEQUENCE:{mail.sequence}",
            f"LOCATION;LANGUAGE=en-US:{mail.place}",
            f"X-MICROSOFT-CDO-APPT-SEQUENCE:{mail.sequence}",
            "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE",
            "X-MICROSOFT-CDO-INTENDEDSTATUS:BUSY",
            "X-MICROSOFT-CDO-ALLDAYEVENT:FALSE",
            "X-MICROSOFT-DISALLOW-COUNTER:FALSE",
            "BEGIN:VALARM\nDESCRIPTION:REMINDER\nTRIGGER;RELATED=START:-PT15M\nACTION:DISPLAY\nEND:VALARM",
        ],
    )
    lines = head(
        mail,
        f"Subject: {prefix}{mail.title}",
        f"Thread-Topic: {mail.title}",
        "Content-Language: en-US",
        "X-MS-Has-Attach:",
        "X-MS-TNEF-Correlator:",
        "Content-Class: urn:content-classes:calendarmessage",
    )
    text = (
        f"{mail.words}\n{'_' * 80}\nMicrosoft Teams Need help?\nJoin the meeting now\n"
        "Meeting ID: 312 445 118 902\nPasscode: xY3\n"
    )
    html = f"<html><body><p>{mail.words}</p></body></html>"
    return sent(
        lines,
        multipart(
            "alternative",
            part('text/plain; charset="utf-8"', text),
            part('text/html; charset="utf-8"', html),
            part(f'text/calendar; charset="utf-8"; method={mail.method}', ics),
        ),
    )


def outlook(mail: Invitation) -> bytes:
    """Outlook that takes the other side for an Outlook: all of the meeting is in winmail.dat."""
    prefix = "Canceled: " if mail.method == "CANCEL" else f"{verb(mail)}: " if verb(mail) else ""
    lines = head(
        mail,
        f"Subject: {prefix}{mail.title}",
        "X-MS-TNEF-Correlator: <0123456789ABCDEF@acme.example>",
        "X-Mailer: Microsoft Outlook 16.0",
    )
    return sent(
        lines,
        multipart(
            "mixed",
            part('text/plain; charset="us-ascii"', f"{mail.words}\n"),
            part(
                'application/ms-tnef; name="winmail.dat"',
                winmail.meeting(mail),
                'Content-Disposition: attachment; filename="winmail.dat"',
            ),
        ),
    )


def google(mail: Invitation) -> bytes:
    """Google Calendar: UTC, SEQUENCE bumped once and then no more, its own words around the organizer's."""
    said = {"REPLY": verb(mail), "CANCEL": "Canceled event"}.get(
        mail.method, "Updated invitation" if mail.sequence else "Invitation"
    )
    guests = [
        f"ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT={answer};RSVP=TRUE\n"
        f" ;CN={who};X-NUM-GUESTS=0:mailto:{who}"
        for who, answer in mail.attendees
    ]
    ics = calendar(
        "-//Google Inc//Google Calendar 70.9054//EN",
        mail,
        "",
        [
            f"DTSTART:{stamp(mail.start)}",
            f"DTEND:{stamp(mail.start + HOUR)}",
            f"DTSTAMP:{stamp(mail.sent)}",
            f"ORGANIZER;CN=Jane Doe:mailto:{mail.organizer}",
            f"UID:{mail.uid}@google.com",
            *guests,
            "X-MICROSOFT-CDO-OWNERAPPTID:1337",
            f"CREATED:{stamp(SENT)}",
            f"LAST-MODIFIED:{stamp(mail.sent)}",
            f"LOCATION:{mail.place}",
            f"SEQUENCE:{min(mail.sequence, 1)}",
            status(mail),
            f"SUMMARY:{mail.title}",
            "TRANSP:OPAQUE",
        ],
        "CALSCALE:GREGORIAN",
    )
    note = f" with this note:\n{mail.words}" if mail.words else "."
    text = (
        f"This event has been changed{note}\n\n{mail.title}\n{when(mail)}\n\n"
        f"Organizer\nJane Doe\n{mail.organizer}\n\n"
        f"Guests\n{mail.organizer} - organizer\nView all guest info https://calendar.google.com/calendar/r\n\n"
        f"Reply for {REP} and view more details https://calendar.google.com/calendar/event\n"
        "Your attendance is optional.\n\n~~//~~\nInvitation from Google Calendar: https://calendar.google.com/\n\n"
        "You are receiving this email because you are an attendee on the event.\n\n"
        "Forwarding this invitation could allow any recipient to send a response to the organizer.\n"
    )
    lines = head(
        mail,
        f"Reply-To: {mail.sender}",
        "Sender: Google Calendar <calendar-notification@google.com>",
        f"Subject: {said}: {mail.title} @ {when(mail)} ({mail.to})",
    )
    alternative = multipart(
        "alternative",
        part('text/plain; charset="UTF-8"; format=flowed; delsp=yes', text),
        part('text/html; charset="UTF-8"', f"<html><body>{text}</body></html>"),
        part(f'text/calendar; charset="UTF-8"; method={mail.method}', ics, plain=True),
    )
    attached = part(
        'application/ics; name="invite.ics"', ics, 'Content-Disposition: attachment; filename="invite.ics"'
    )
    return sent(lines, multipart("mixed", alternative, attached))


def apple(mail: Invitation) -> bytes:
    """Calendar on a Mac, through the user's own account: IANA zones, one attached file."""
    guests = [
        f'ATTENDEE;CN="Guest";CUTYPE=INDIVIDUAL;EMAIL="{who}";PARTSTAT={answer}:mailto:{who}'
        for who, answer in mail.attendees
    ]
    ics = calendar(
        "-//Apple Inc.//macOS 14.4.1//EN",
        mail,
        zone(mail, mail.zone),
        [
            f"CREATED:{stamp(SENT)}",
            f"UID:{mail.uid}",
            f"DTEND;TZID={mail.zone}:{local(mail, mail.start + HOUR)}",
            *guests,
            "TRANSP:OPAQUE",
            "X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC",
            f"SUMMARY:{mail.title}",
            f"LAST-MODIFIED:{stamp(mail.sent)}",
            f"DTSTAMP:{stamp(mail.sent)}",
            f"DTSTART;TZID={mail.zone}:{local(mail, mail.start)}",
            f"LOCATION:{mail.place}",
            f"SEQUENCE:{mail.sequence}",
            f'ORGANIZER;CN="Jane Doe";EMAIL="{mail.organizer}":mailto:{mail.organizer}',
            status(mail),
        ],
        "CALSCALE:GREGORIAN",
    )
    lines = head(mail, f"Subject: {mail.title}", "X-Mailer: Apple Mail (2.3774.500.171.1.1)")
    name = f"iCal-{mail.sent:%Y%m%d-%H%M%S}.ics"
    return sent(
        lines,
        multipart(
            "mixed",
            part("text/plain; charset=utf-8", f"{mail.words}\n", plain=True),
            part(
                f'text/calendar; x-unix-mode=0644; method={mail.method}; name="{name}"',
                ics,
                f"Content-Disposition: attachment; filename={name}",
            ),
        ),
    )


def icloud(mail: Invitation) -> bytes:
    """iCloud: sent by a service, an address in EMAIL and a path as the value, SEQUENCE left at nought."""
    guests = [
        f"ATTENDEE;CN=Guest;CUTYPE=INDIVIDUAL;EMAIL={who};PARTSTAT={answer}:/aMTIzNDU2Nzg5/principal/"
        for who, answer in mail.attendees
    ]
    ics = calendar(
        "-//Apple Inc.//iCloud 2420B//EN",
        mail,
        "",
        [
            f"UID:{mail.uid}",
            f"DTSTAMP:{stamp(mail.sent)}",
            f"DTSTART;TZID={mail.zone}:{local(mail, mail.start)}",
            "DURATION:PT1H",
            "SEQUENCE:0",
            f"SUMMARY:{mail.title}",
            f'ORGANIZER;CN="Doe, Jane";EMAIL={mail.organizer}:/aMTIzNDU2Nzg5/principal/',
            *guests,
            status(mail),
        ],
    )
    lines = head(
        mail.but(sender="noreply@email.apple.com"), f"Subject: {mail.title}", f"Reply-To: {mail.sender}"
    )
    text = f"Jane Doe has invited you to {mail.title}\n{mail.words}\nWhen: {when(mail)}\n"
    return sent(
        lines,
        multipart(
            "alternative",
            part("text/plain; charset=UTF-8", text, plain=True),
            part(f"text/calendar; charset=UTF-8; method={mail.method}", ics, plain=True),
        ),
    )


def zoom_event(mail: Invitation, uid: str, people: list[str]) -> str:
    return calendar(
        "-//zoom.us//iCalendar Event//EN",
        mail,
        zone(mail, mail.zone),
        [
            f"DTSTAMP:{stamp(mail.sent)}",
            f"DTSTART;TZID={mail.zone}:{local(mail, mail.start)}",
            f"DTEND;TZID={mail.zone}:{local(mail, mail.start + HOUR)}",
            f"SUMMARY:{mail.title}",
            f"UID:{uid}",
            f"TZID:{mail.zone}",
            *people,
            "LOCATION:https://zoom.example/j/99912345678",
            "BEGIN:VALARM\nTRIGGER:-PT10M\nACTION:DISPLAY\nDESCRIPTION:Reminder\nEND:VALARM",
            *(["STATUS:CANCELLED"] if mail.method == "CANCEL" else []),
        ],
        "CALSCALE:GREGORIAN",
    )


def zoom_text(mail: Invitation) -> str:
    return (
        f"Hi there,\n{mail.words}\n\nJane Doe is inviting you to a scheduled Zoom meeting.\n\n"
        f"Topic: {mail.title}\nTime: {when(mail)}\n\nJoin Zoom Meeting\n"
        "https://zoom.example/j/99912345678\n\nMeeting ID: 999 1234 5678\nPasscode: 004711\n"
    )


def zoom(mail: Invitation) -> bytes:
    """Zoom's own mail: sent by a service, a doubled semicolon in the media type, no SEQUENCE at all."""
    people = [f"ORGANIZER:MAILTO:{mail.organizer}"]
    people += [f"ATTENDEE;PARTSTAT={answer};RSVP=TRUE:MAILTO:{who}" for who, answer in mail.attendees]
    return sent(
        head(mail.but(sender="no-reply@zoom.us"), f"Subject: {mail.title}"),
        multipart(
            "alternative",
            part("text/plain; charset=UTF-8", zoom_text(mail)),
            part(f"text/calendar; method={mail.method};; charset=UTF-8", zoom_event(mail, mail.uid, people)),
        ),
    )


def zoom_file(mail: Invitation) -> bytes:
    """Zoom's file, sent on by whoever made the meeting: it names nobody and gets a new UID each time."""
    number = int(hashlib.sha256(mail.uid.encode()).hexdigest(), 16) % 10**10 + 10**10
    uid = f"{stamp(mail.sent)}-{number}@fe80:0:0:0:a1b:2cff:fe3d:4e5fens5"
    return sent(
        head(mail, f"Subject: {mail.title}"),
        multipart(
            "mixed",
            part("text/plain; charset=utf-8", zoom_text(mail), plain=True),
            part(
                'application/octet-stream; name="meeting.ics"',
                zoom_event(mail.but(method="PUBLISH"), uid, []),
                'Content-Disposition: attachment; filename="meeting.ics"',
            ),
        ),
    )


def notes(mail: Invitation) -> bytes:
    """Notes: zones of its own names ("GMT" is London), which it explains, and X-LOTUS fields."""
    name = NOTES[mail.zone]
    guests = [
        f"ATTENDEE;ROLE={'CHAIR' if who == mail.organizer else 'REQ-PARTICIPANT'};PARTSTAT={answer}\n"
        f' ;CN="Guest/Acme";RSVP=TRUE:mailto:{who}'
        for who, answer in mail.attendees
    ]
    notice = {"CANCEL": "C", "REPLY": "A"}.get(mail.method, "U" if mail.sequence else "I")
    ics = calendar(
        "-//Lotus Development Corporation//NONSGML Notes 9.0.1//EN_S",
        mail,
        zone(mail, name),
        [
            f'DTSTART;TZID="{name}":{local(mail, mail.start)}',
            f'DTEND;TZID="{name}":{local(mail, mail.start + HOUR)}',
            "TRANSP:OPAQUE",
            f"DTSTAMP:{stamp(mail.sent)}",
            f"SEQUENCE:{mail.sequence}",
            *guests,
            "CLASS:PUBLIC",
            f"SUMMARY:{mail.title}",
            f"LOCATION:{mail.place}",
            f'ORGANIZER;CN="Jane Doe/Acme":mailto:{mail.organizer}',
            f"UID:{hashlib.sha256(mail.uid.encode()).hexdigest()[:32].upper()}-Lotus_Notes_Generated",
            "X-LOTUS-BROADCAST:FALSE",
            f"X-LOTUS-UPDATE-SEQ:{mail.sequence + 1}",
            "X-LOTUS-UPDATE-WISL:$S:1;$L:1;$B:1;$R:1;$E:1;$W:1;$O:1;$M:1",
            "X-LOTUS-NOTESVERSION:2",
            f"X-LOTUS-NOTICETYPE:{notice}",
            "X-LOTUS-APPTTYPE:3",
            *(["STATUS:CANCELLED"] if mail.method == "CANCEL" else []),
        ],
        "X-LOTUS-CHARSET:UTF-8",
    )
    lines = head(mail, f"Subject: {mail.title}", "X-Mailer: IBM Notes Release 9.0.1 October 14, 2013")
    return sent(
        lines,
        multipart(
            "alternative",
            part('text/plain; charset="US-ASCII"', f"{mail.words}\n"),
            part(f'text/calendar; method={mail.method}; charset="UTF-8"', ics),
        ),
    )


def webex(mail: Invitation) -> bytes:
    """WebEx: sent by a service, zones by their display names and unexplained, SEQUENCE a time in seconds."""
    people = [f"ATTENDEE;CN={who};ROLE=REQ-PARTICIPANT;RSVP=TRUE:MAILTO:{who}" for who, _ in mail.attendees]
    if mail.method == "REPLY":
        people = [f"ATTENDEE;PARTSTAT={answer}:MAILTO:{who}" for who, answer in mail.attendees]
    ics = calendar(
        "-//Microsoft Corporation//Outlook 10.0 MIMEDIR//EN",
        mail,
        "",
        [
            *people,
            f'ORGANIZER;CN="webex":MAILTO:{mail.organizer}',
            f'DTSTART;TZID="{WEBEX[mail.zone]}":{local(mail, mail.start)}',
            f'DTEND;TZID="{WEBEX[mail.zone]}":{local(mail, mail.start + HOUR)}',
            "LOCATION:https://acme.webex.example/acme",
            "TRANSP:OPAQUE",
            f"SEQUENCE:{int(mail.sent.timestamp())}",
            f"UID:{mail.uid}",
            f"DTSTAMP:{stamp(mail.sent)}",
            f"SUMMARY:{mail.title}",
            "PRIORITY:5",
            "CLASS:PUBLIC",
        ],
    )
    text = f"{mail.words}\n\nHost: Jane Doe\n{when(mail)}\n\nJoin meeting\n\nNeed help?\n"
    return sent(
        head(mail.but(sender="messenger@webex.com"), f"Subject: Webex meeting invitation: {mail.title}"),
        multipart(
            "alternative",
            part("text/plain; charset=UTF-8", text),
            part(f"text/calendar; method={mail.method}; charset=UTF-8", ics),
        ),
    )


DIALECTS: dict[str, Writer] = {
    "exchange": exchange,
    "outlook": outlook,
    "google": google,
    "apple": apple,
    "icloud": icloud,
    "zoom": zoom,
    "notes": notes,
    "webex": webex,
}
ONE_WAY: dict[str, Writer] = {**DIALECTS, "zoom's file": zoom_file}
"""With the one that has neither answers nor cancellations."""
