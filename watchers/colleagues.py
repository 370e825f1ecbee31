"""Read what a colleague writes of somebody who left: "Jane has left us, I am taking over".

A mailbox that was handed on bounces nothing and answers nothing by itself; the first to tell is whoever opens
our mail. Their sentence must name a watched person of their own company and say that this person is gone. A
full name is enough. Where only the first or the family name stands there, the mail must answer one of ours to
that very person, which their history shows: so it is decided when they are judged, not when the mail is read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from bot.model import Family, Kind, Means, Observation
from bot.past import Past
from watchers import FREE_MAIL, Example, MailReader, Scope, under
from watchers.mail.automatic import automatic, is_list
from watchers.mail.folding import fold
from watchers.mail.names import runs
from watchers.mail.own_text import Text, own_text
from watchers.mail.phrases import is_short, languages, spoken
from watchers.mail.reading import find, told_last_day
from watchers.mail.reports import is_report

if TYPE_CHECKING:
    from bot.model import Json
    from watchers.mail.head import Head
    from watchers.mail.parse import Mail
    from watchers.mail.reading import Hit

SAID = "colleague_said"
TOLD = "colleague_told"
WRITTEN_TO = "written_to"

LONGEST = 3000
"""Whoever takes over says so at the beginning; a longer text is read so far, in characters."""

NEAR = 25
"""How far, in characters, a name may stand from the phrase whose subject it is."""

MOST_ANSWERED = 5
"""So many of the mails that it goes back to are kept; the first is the one that it answers."""

SHORTEST_NAME = 2

OF = frozenset("af av d da de del della der di do dos du of od van von".split())
"""Words before a name that make it an owner: the assistant of Jane is not Jane."""

_WORD = re.compile(r"[^\W\d_]{1,40}")

_HANDED_OVER = b"""From: Ann Lee <ann@acme.example>
To: rita@vendor.example
Cc: Jane Doe <jane@acme.example>
Date: Mon, 07 Sep 2026 09:00:00 +0000
Message-ID: <handed-over@acme.example>
In-Reply-To: <sent@vendor.example>
Content-Type: text/plain; charset=utf-8

Jane Doe has left the company, I am taking over from her.
"""

_ORDINARY = _HANDED_OVER.replace(b"Jane Doe has left the company, I", b"Jane Doe has left the room, I")


class Colleagues(MailReader):
    """Reads where a colleague writes that a watched person of their company has left."""

    name: ClassVar[str] = "colleagues"
    kinds: ClassVar[tuple[Kind, ...]] = (
        Kind(SAID, Means.NOTED, Family.MAIL, example="ann@acme.example wrote that they have left"),
        Kind(
            TOLD,
            Means.GONE,
            Family.MAIL,
            6.5,
            timedelta(days=120),
            hard=True,
            example="ann@acme.example wrote that they have left",
        ),
    )
    examples: ClassVar[tuple[Example[bytes], ...]] = (
        Example(_HANDED_OVER, (SAID,)),
        Example(_ORDINARY, ()),
    )

    def wants(self, head: Head) -> bool:
        """Want no other bodies than those of the watched accounts' own mail, which are there anyway."""
        del head
        return False

    def read(self, mail: Mail, scope: Scope) -> Sequence[Observation]:
        """Say of whom a person writes that they have left their company."""
        head = mail.head
        if not _may_tell(head, scope) or not mail.parts:
            return ()
        people = _colleagues(head, scope)
        shown = own_text(mail.text)[:LONGEST]
        said = frozenset(_WORD.findall(fold(shown.lower())))
        if not any(said & words for words in people.values()):
            return ()
        text = Text(shown)
        return [_observation(head, *one) for one in _gone(text, people, head)]

    def derive(self, history: Sequence[Observation], now: datetime) -> Iterable[Observation]:
        """Say that they were told to have left, once that day is over and it is sure who is meant."""
        past = Past.of(history).until(now)
        return past.at_stage(_departures, _last_days, now) if SAID in past.by_kind else ()


def _may_tell(head: Head, scope: Scope) -> bool:
    """Say whether a person of a watched company wrote the mail; where none is watched, of any company."""
    sender = head.sender.address
    theirs = bool(sender) and sender.rpartition("@")[2] not in FREE_MAIL
    watched = scope.covers(sender) or not (scope.addresses or scope.domains)
    if not theirs or scope.is_ours(sender) or not watched:
        return False
    return not automatic(head) and not is_list(head) and not is_report(head)


def _colleagues(head: Head, scope: Scope) -> dict[str, frozenset[str]]:
    """Return the sender's colleagues by address, each with the words of their name."""
    sender = head.sender.address
    domain = sender.rpartition("@")[2]
    named = [(one.address, one.name) for one in scope.by_domain.get(domain, ())]
    named += [(one.address, one.name) for one in head.recipients if under(one.address, frozenset({domain}))]
    found: dict[str, frozenset[str]] = {}
    for address, name in named:
        words = frozenset(_words(name))
        if address != sender and words:
            found.setdefault(address, words)
    return found


def _words(name: str) -> list[str]:
    return [word for word in _WORD.findall(fold(name.lower())) if len(word) >= SHORTEST_NAME]


def _gone(
    text: Text, people: dict[str, frozenset[str]], head: Head
) -> Iterator[tuple[str, bool, date | None]]:
    """Yield who is said to be gone, whether by their full name, and their last day where it is told."""
    told: set[str] = set()
    # A line or two may hold no frequent word of their language.
    for hit in find(text, languages() if is_short(text.low) else spoken(text.low), ("departed",)):
        sentence = text.sentence(hit.start)
        if hit.first_person or sentence.rstrip().endswith("?"):
            continue
        found = {
            address: len(name) > 1
            for name in _subjects(text, hit)
            for address, words in people.items()
            if name <= words
        }
        # Of two who stand there, either may be the one who left.
        if len(found) == 1 and not told.issuperset(found):
            told.update(found)
            ((address, full),) = found.items()
            yield address, full, told_last_day(text, hit, head)


def _subjects(text: Text, hit: Hit) -> Iterator[frozenset[str]]:
    """Yield the names, as words, that stand before a phrase or begin it, where one is its subject.

    What belongs to somebody, "Jane's assistant" or "die Assistentin von Jane", is not that person.
    """
    begin = text.low.rfind("\n", 0, hit.start) + 1
    named = [run for run in runs(text.shown[begin : hit.end]) if begin + run.start <= hit.start]
    if named and hit.start - (begin + named[-1].end) <= NEAR:
        for run in named:
            before = _WORD.findall(text.low[begin : begin + run.start])
            if not (before and before[-1] in OF) and not run.name.endswith(("'s", "'")):
                yield frozenset(_words(run.name))


def _observation(head: Head, address: str, full: bool, leaves: date | None) -> Observation:  # noqa: FBT001 - one of three that are yielded together
    answered: list[str] = list(head.references[:MOST_ANSWERED])
    return Observation(
        contact=address,
        kind=SAID,
        at=head.dated,
        source="",
        sentence=f"{head.sender.address[:80]} wrote that they have left",
        group=head.message_id,
        facts={
            "message_id": head.message_id,
            "by": head.sender.address[:80],
            "answers": [*answered],
            "full_name": full,
            "leaves": leaves.isoformat() if leaves else "",
        },
        because=("a colleague wrote it; the text itself is not kept",),
    )


def _departures(past: Past, now: datetime) -> Sequence[Observation]:
    """Return who was told to have left by now, where it is sure who is meant."""
    ours = [seen.facts.get("message_id") for seen in past.by_kind.get(WRITTEN_TO, ())]
    return [_told(seen) for seen in past.by_kind[SAID] if _is_meant(seen, ours) and now >= _since(seen)]


def _last_days(past: Past) -> Sequence[datetime]:
    """Return when the last days are over that were told."""
    return sorted(map(_since, past.by_kind[SAID]))


def _is_meant(seen: Observation, ours: Collection[Json]) -> bool:
    """Say whether it is sure who is meant: by the full name, or because our mail was to this person."""
    answered = seen.facts.get("answers")
    return seen.facts.get("full_name") is True or any(
        one in ours for one in (answered if isinstance(answered, list) else [])
    )


def _since(seen: Observation) -> datetime:
    """Return from when on they are gone: after the last day that was told, else at once."""
    try:
        leaves = date.fromisoformat(str(seen.facts.get("leaves")))
        return max(seen.at, datetime(leaves.year, leaves.month, leaves.day, tzinfo=UTC) + timedelta(days=1))
    except (ValueError, OverflowError):
        return seen.at


def _told(seen: Observation) -> Observation:
    """Return what it means; one voice, however many colleagues say so in one mail or in several."""
    return Observation(
        contact=seen.contact,
        kind=TOLD,
        at=_since(seen),
        source=seen.source,
        sentence=seen.sentence,
        group=TOLD,
        facts=dict(seen.facts),
        because=seen.because,
    )
