"""Tell a human's words from what calendar programs write around an invitation.

A push that comes with a sentence is a person's; one that comes bare says something. Every client repeats the
time, the place, the guests and how to join, and an agenda comes again with every update; so the words are
also reduced to a digest, by which an update that says nothing new is known. The words are not kept.
"""

from __future__ import annotations

import hashlib
import re

MAX_TEXT = 20_000
MAX_LINES = 400
FEWEST_WORDS = 2
DIGEST = 12
"""Hexadecimal digits; enough to tell the wordings of one meeting apart."""

_STARTS = (
    "accepted:",
    "all attendees",
    "attendees:",
    "attending?",
    "calendar:",
    "canceled:",
    "cancelled:",
    "date:",
    "datum:",
    "declined:",
    "description:",
    "dial ",
    "dial-in",
    "duration:",
    "end:",
    "event details",
    "find a local number",
    "find your local number",
    "forwarding this invitation",
    "from:",
    "going?",
    "guests",
    "hi there",
    "host:",
    "invitation from google",
    "invité",
    "invitees:",
    "join ",
    "join:",
    "learn more",
    "lieu:",
    "location:",
    "meeting id",
    "meeting options",
    "meeting password",
    "microsoft teams",
    "more details",
    "more options",
    "need help",
    "note: the gmt offset",
    "one tap mobile",
    "or call in",
    "organiser:",
    "organisator:",
    "organizer:",
    "ort:",
    "participants:",
    "passcode",
    "password:",
    "phone conference id",
    "quand",
    "replied ",
    "reply ",
    "reset dial-in",
    "sent:",
    "start:",
    "subject:",
    "teilnehmer:",
    "time:",
    "title:",
    "titel:",
    "to respond",
    "to stop receiving",
    "to view ",
    "topic:",
    "unsubscribe",
    "video call",
    "view all guest",
    "view event",
    "view on google",
    "wann:",
    "was:",
    "webex",
    "wer:",
    "what:",
    "when",
    "where",
    "who:",
    "wo:",
    "yes - ",
    "yesmaybe",
    "you are receiving",
    "you can add",
    "you have been invited",
    "you received this",
    "zoom ",
)
"""How the lines begin that Outlook, Google, Apple, Zoom, Teams and WebEx write, in lower case."""

_CONTAINS = (
    "has accepted",
    "has declined",
    "has been canceled",
    "has been cancelled",
    "has been changed",
    "has been updated",
    "has changed the",
    "has invited you",
    "has proposed",
    "has sent you an",
    "has tentatively",
    "invited you to",
    "is inviting you to",
    "just received",
    "receiving this courtesy",
    "receiving this email because",
    "this event is",
    "this invitation is",
    "updated the event",
    "updated the invitation",
)

_TIME = re.compile(r"\d{1,2}(?::\d{2}| ?[ap]\.?m\b)|\b20\d{2}\b")
_DAY = re.compile(
    r"\b(?:mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mo|di|mi|do|fr|lun|mar"
    r"|mer|jeu|ven)(?:[a-z]{1,7})?\b",
)
_LINK = re.compile(r"<?https?://\S{1,2000}|\S{1,100}@\S{1,200}|<?(?:mailto|tel):\S{1,200}")
_WORD = re.compile(r"[^\W\d_]{2,}")


def human_words(text: str, subject: str = "") -> str:
    """Return the digest of what a human wrote into an invitation mail, empty where that is nothing.

    `subject` is the mail's: a line that only repeats part of it is the meeting's title.
    """
    title = " ".join(subject.lower().split())
    words: list[str] = []
    for line in text[:MAX_TEXT].splitlines()[:MAX_LINES]:
        plain = " ".join(_LINK.sub(" ", line).lower().split()).strip("*•·>-_~=|#⋅ \t")
        if plain and plain not in title and not _boilerplate(plain):
            words.extend(_WORD.findall(plain))
    if len(words) < FEWEST_WORDS:
        return ""
    return hashlib.sha256(" ".join(words).encode("utf-8", "replace")).hexdigest()[:DIGEST]


def _boilerplate(line: str) -> bool:
    if line.startswith(_STARTS) or any(phrase in line for phrase in _CONTAINS):
        # Google quotes the organizer's note behind its own words: "... changed with this note: sorry, ..."
        return "note:" not in line or line.endswith("note:") or line.startswith("note: the gmt")
    return bool(_TIME.search(line) and (line[0].isdigit() or _DAY.match(line)))
