"""Tell how well we know the people of an account: their threads and meetings with us, their titles. Pure."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.history import is_forged
from bot.identity import Somebody, company, is_shared, same_name
from bot.incidents import ELSEWHERE, moves
from bot.model import Json, Observation, Person, Verdict
from bot.past import Past
from watchers import under
from watchers.mail.names import is_role
from watchers.web.titles import says_departed

FADES = timedelta(days=60)
"""A contact's warmth halves in this time."""

FORGOTTEN = timedelta(days=1000)
"""What is older says nothing about today."""

DESKS = frozenset(
    "abuse accounting accounts admin billing contact enquiries finance hello help helpdesk hr info "
    "inquiries invoice invoices jobs kontakt legal mail marketing no-reply noreply office orders postmaster "
    "press privacy procurement purchasing reception recruiting sales security service support team "
    "webmaster".split()
)
"""Local parts that are a desk, not a person."""

PROGRAMS = frozenset(
    "alert alerts automailer bounce bounces bot daemon donotreply mailer mailerdaemon newsletter noreply "
    "notification notifications notify root system".split()
)
"""Words with which a program's address begins or ends, or that it is when its signs are left out."""

SIGNS = re.compile(r"[._+-]+")

WROTE, WRITTEN_TO, COPIED, MEETING = "wrote", "written_to", "copied", "meeting"
MAILS = frozenset({WROTE, WRITTEN_TO, COPIED})
LEAVING = frozenset(
    {"departed", "farewell", "colleague_said", "mailbox_gone", "answer_left", "page_gone", "page_former"}
)
"""Kinds that say somebody is gone, unless they wrote since."""

BOUNCED = "mailbox_gone"
"""A kind that says no more than that an address does not work."""

OPTED_OUT, OPTED_IN = "opted_out", "opted_in"
"""Kinds by which a source says that somebody wants no mail of ours, and that they take it again."""

GONE = frozenset({Verdict.LEFT, Verdict.LIKELY_LEFT})

BY_THEM, BOTH_WAYS, MET, INVITED, BY_US, COPIED_ONLY = 3.0, 3.0, 2.0, 0.3, 0.3, 0.2
"""What a mail by them, a mail answered, a meeting, an invitation, a mail of ours, a copy add to warmth."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Somebody whom the account's own page names now, and the words for where: `on their team page`."""

    name: str
    title: str = ""
    where: str = "on their team page"


NOBODY_LISTED: Sequence[Listed] = ()


@dataclass(frozen=True)
class Acquaintance:
    """Somebody at an account, and how well we know them.

    `is_known` says whether they are more than an address, `is_closed` that nobody should turn to them.
    `answered` are the mails they answered, `asked` those of ours that went to them, by when. `moved` is the
    domain that they write from since their account moved there, empty where it did not.
    """

    somebody: Somebody
    warmth: float = 0.0
    threads: frozenset[str] = frozenset()
    meetings: int = 0
    invitations: int = 0
    last: datetime | None = None
    answering: bool = False
    title: str = ""
    where: str = ""
    is_known: bool = True
    is_closed: bool = False
    answered: Mapping[str, datetime] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()
    moved: str = ""

    @property
    def name(self) -> str:
        """Return the name, empty where none is known."""
        return self.somebody.name

    @property
    def address(self) -> str:
        """Return the address to use: at the domain they write from, where their account moved."""
        address = self.somebody.address
        return f"{address.partition('@')[0]}@{self.moved}" if self.moved else address

    @property
    def addresses(self) -> frozenset[str]:
        """Return all of their addresses."""
        return self.somebody.addresses | {self.address}

    @property
    def is_open(self) -> bool:
        """Say whether one can turn to them."""
        return self.is_known and not self.is_closed

    def stood_in_for(self, champion: Acquaintance) -> datetime | None:
        """Return when they last answered a mail that went to the champion and not to them."""
        instead = [
            at for ident, at in self.answered.items() if ident in champion.asked and ident not in self.asked
        ]
        return max(instead, default=None)

    def reasons(self, now: datetime, champion: str = "", common: int = 0) -> tuple[str, ...]:
        """Say in words what we know of them, each a few words; `common` threads are with the champion, too.

        Who they are and how alive the contact is come first: where there is little room, that is told.
        """
        told = [f"{self.title} {self.where}".strip()] if self.title else []
        count = len(self.threads)
        if count and self.last is not None:
            told.append(f"last {'reply' if self.answering else 'wrote'} {ago(self.last, now)}")
        elif count:
            told.append("has not written yet")
        if count:
            threads = f"on {_counted(count, 'thread')} with us"
            if common:
                threads += f" and {champion}" if common == count else f", {common} of them with {champion}"
            told.append(threads)
        if self.meetings:
            told.append(f"in {_counted(self.meetings, 'meeting')} with us")
        elif self.invitations:
            told.append(f"invited to {_counted(self.invitations, 'meeting')} with us")
        if self.moved:
            told.append(f"writes from {self.moved} now")
        if not told:
            told.append("among your contacts")
        return tuple(told)


def acquaint(
    everybody: Sequence[Somebody], now: datetime, ours: Collection[str] = (), listed: Sequence[Listed] = ()
) -> list[Acquaintance]:
    """Return how well we know the people of an account."""
    threads = _Threads()
    for one in everybody:
        threads.learn(one.observations.once(_letters))
    our_names = _our_names(everybody, frozenset(ours))
    moved = moved_to(everybody, now)
    return [_acquaintance(one, now, threads, our_names, frozenset(ours), listed, moved) for one in everybody]


def is_desk(address: str) -> bool:
    """Say whether an address belongs to a desk or a program rather than to a person."""
    local = address.partition("@")[0].lower()
    parts = SIGNS.split(local)
    is_program = not PROGRAMS.isdisjoint({parts[0], parts[-1], "".join(parts)})
    return local in DESKS or is_program or is_role(address)


def is_leaving(observations: Iterable[Observation], now: datetime) -> bool:
    """Say whether somebody has left or said so by now, and did not write since."""
    signs = [seen for seen in observations if (seen.kind in LEAVING or seen.kind == WROTE) and seen.at <= now]
    gone = max((seen.at for seen in signs if seen.kind != WROTE and not is_forged(seen)), default=None)
    return gone is not None and not any(seen.kind == WROTE and seen.at > gone for seen in signs)


def is_gone(person: Person, now: datetime) -> bool:
    """Say whether we had concluded by now that somebody left."""
    judged = person.assessment
    return judged is not None and judged.at <= now and judged.verdict in GONE


def has_accepted(seen: Observation) -> bool:
    """Say whether an observation is their own yes to a meeting that somebody else called."""
    if seen.kind != MEETING or seen.facts.get("by") != seen.contact:
        return False
    return seen.facts.get("organizer") != seen.contact and _answer(seen) == "ACCEPTED"


def ago(when: datetime, now: datetime) -> str:
    """Say how long ago something was, in days."""
    days = (now - when).days
    return "today" if days <= 0 else "yesterday" if days == 1 else f"{days} days ago"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count != 1 else ''}"


def _acquaintance(
    one: Somebody,
    now: datetime,
    threads: _Threads,
    our_names: Collection[str],
    ours: frozenset[str],
    listed: Sequence[Listed],
    moved: Collection[str],
) -> Acquaintance:
    on_page = [who for who in listed if who.title and one.name and same_name(who.name, one.name)]
    title, where = (one.title, "") if one.title else ("", "")
    if on_page and (not title or title.casefold() == on_page[0].title.casefold()):
        title, where = on_page[0].title, on_page[0].where
    newer = [seen for seen in _from_elsewhere(one, now) if _domain(seen) in moved]
    mails = _Mails(one, now, threads, newer)
    known = bool(mails.threads or mails.met or mails.invited) or any(each.contact for each in one.people)
    return Acquaintance(
        somebody=one,
        warmth=mails.warmth,
        threads=frozenset(mails.threads),
        meetings=len(mails.met),
        invitations=len(mails.invited),
        last=mails.last,
        answering=mails.answering,
        title=title,
        where=where,
        is_known=known,
        is_closed=_is_closed(one, now, our_names, ours, newer),
        answered=mails.answered,
        asked=frozenset(mails.asked),
        moved=_domain(newer[-1]) if newer else "",
    )


def _from_elsewhere(one: Somebody, now: datetime) -> list[Observation]:
    """Return their mails from a domain that we do not know as their account's, oldest first."""
    seen = one.observations.by_kind.get(ELSEWHERE, ())
    return [each for each in seen if each.at <= now and _domain(each) and not is_forged(each)]


def _domain(seen: Observation) -> str:
    return _text(seen.facts.get("domain"))


def moved_to(everybody: Iterable[Somebody], now: datetime) -> frozenset[str]:
    """Return the domains that an account moved to, by who writes from there: see `incidents.moves`."""
    return frozenset(move.domain for move in moves({one.address: one.observations for one in everybody}, now))


def followed(one: Somebody, moved: Collection[str], now: datetime) -> tuple[str, Past]:
    """Return the address that somebody writes from, and their past; their account `moved` to these domains.

    Mails from there are their own, and that the old address bounces says nothing.
    """
    newer = [seen for seen in _from_elsewhere(one, now) if _domain(seen) in moved]
    if not newer:
        return one.address, one.observations
    return f"{one.address.partition('@')[0]}@{_domain(newer[-1])}", _at_new_address(one, newer)


def _at_new_address(one: Somebody, newer: Iterable[Observation]) -> Past:
    wrote = (replace(seen, kind=WROTE) for seen in newer)
    return Past.of([*(seen for seen in one.observations if seen.kind != BOUNCED), *wrote])


def _is_closed(
    one: Somebody,
    now: datetime,
    our_names: Collection[str],
    ours: frozenset[str],
    newer: Sequence[Observation],
) -> bool:
    """Say whether nobody should turn to them: a desk, one of ours, gone, or somebody who wants no mail.

    Whoever writes from where their account moved to (`newer`) is not gone because the old address bounces.
    """
    local = one.address.partition("@")[0]
    past = _at_new_address(one, newer) if newer else one.observations
    return (
        is_desk(one.address)
        or under(one.address, ours)
        or local in our_names
        or any(is_gone(each, now) for each in one.people)
        or _wants_no_mail(one.observations)
        or is_leaving(past, now)
        or is_shared(one)
        or says_departed(one.title, now.year)
    )


def _wants_no_mail(observations: Iterable[Observation]) -> bool:
    """Say whether somebody opted out and did not opt in since."""
    word = max(
        ((seen.at, seen.kind == OPTED_OUT) for seen in observations if seen.kind in {OPTED_OUT, OPTED_IN}),
        default=None,
    )
    return word is not None and word[1]


def _our_names(everybody: Iterable[Somebody], ours: frozenset[str]) -> frozenset[str]:
    """Return the local parts of our own people's addresses that are a full name.

    Whoever has the same at the account is one of us: a rep with an address there, or one who changed sides.
    """
    if not ours:
        return frozenset()
    found: set[str] = set()
    for one in everybody:
        found |= one.observations.once(company)
    locals_ = {each.partition("@")[0] for each in found if under(each, ours)}
    return frozenset(local for local in locals_ if any(sign in local for sign in "._-"))


class _Letter(NamedTuple):
    """A mail by, to or with a person: the mail it answers, and which part of it was theirs.

    There are thousands, and a tuple is made in a third of the time of another value.
    """

    kind: str
    at: datetime
    ident: str
    answers: str
    share: float


def _letters(past: Past) -> Sequence[_Letter]:
    """Return the mails of a person's past."""
    found = []
    for seen in past:
        kind, facts = seen.kind, seen.facts
        if kind not in MAILS:
            continue
        others, ident, answers = facts.get("with"), facts.get("message_id"), facts.get("answers")
        count = len(others) if isinstance(others, list) and others else 1
        # Whoever writes to many still writes; of a mail to many, each gets little.
        share = 1 / math.sqrt(count) if kind == WROTE else 1 / count
        found.append(_Letter(kind, seen.at, _text(ident), _text(answers), share))
    return found


@dataclass(frozen=True, slots=True)
class _Invitation:
    """A meeting as it was seen once: whether they said that they come, or it is off for them."""

    uid: str
    at: datetime
    came: bool
    is_off: bool


def _invitations(past: Past) -> Sequence[_Invitation]:
    """Return the meetings of a person's past, as often as they were seen."""
    found = []
    for seen in past.by_kind.get(MEETING, ()):
        facts, answer = seen.facts, _answer(seen)
        uid = _text(facts.get("uid")) or seen.group
        came = seen.contact in (facts.get("organizer"), facts.get("by")) or answer == "ACCEPTED"
        is_off = answer == "DECLINED" or facts.get("method") == "CANCEL"
        found.append(_Invitation(uid, seen.at, came, is_off))
    return found


class _Threads:
    """Which mails belong to one conversation: each mail is joined to the one that it answers."""

    def __init__(self) -> None:
        self._before: dict[str, str] = {}

    def learn(self, letters: Iterable[_Letter]) -> None:
        """Take note of what answers what."""
        for letter in letters:
            if letter.answers and letter.ident and letter.ident != letter.answers:
                self._before.setdefault(letter.ident, letter.answers)

    def of(self, ident: str) -> str:
        """Return the first mail of the thread; a circle, which only a forger makes, ends where it began."""
        if ident not in self._before:
            return ident
        path: list[str] = []
        passed: set[str] = set()
        while ident in self._before and ident not in passed:
            passed.add(ident)
            path.append(ident)
            ident = self._before[ident]
        first = min(passed) if ident in passed else ident
        for each in path:
            if each != first:
                self._before[each] = first
        self._before.pop(first, None)
        return first


class _Mails:
    """What somebody's mails and meetings come to at a moment."""

    def __init__(
        self, one: Somebody, now: datetime, threads: _Threads, newer: Iterable[Observation] = ()
    ) -> None:
        self.threads: set[str] = set()
        self.met: set[str] = set()
        self.invited: set[str] = set()
        self.asked: set[str] = set()
        self.answered: dict[str, datetime] = {}
        self.last: datetime | None = None
        self.answering = False
        self._worth: defaultdict[str, float] = defaultdict(float)
        self._meetings: dict[str, tuple[float, bool]] = {}
        since = now - FORGOTTEN
        wrote = (_Letter(WROTE, seen.at, _text(seen.facts.get("message_id")), "", 1.0) for seen in newer)
        for letter in (*one.observations.once(_letters), *wrote):
            if since <= letter.at <= now:
                self._mail(letter, (now - letter.at) / FADES, threads)
        for invited in one.observations.once(_invitations):
            if since <= invited.at <= now:
                self._meeting(invited, (now - invited.at) / FADES)
        self.met = {uid for uid, (_, came) in self._meetings.items() if came}
        self.invited = self._meetings.keys() - self.met

    @property
    def warmth(self) -> float:
        """Return how alive the contact is: recent exchange that goes both ways weighs most."""
        worth = self._worth
        both = math.sqrt(worth[WROTE] * worth[WRITTEN_TO])
        mails = (
            BY_THEM * worth[WROTE]
            + BOTH_WAYS * both
            + BY_US * worth[WRITTEN_TO]
            + COPIED_ONLY * worth[COPIED]
        )
        return math.log1p(
            mails + sum(weight * (MET if came else INVITED) for weight, came in self._meetings.values())
        )

    def _mail(self, letter: _Letter, halvings: float, threads: _Threads) -> None:
        at, ident, answers = letter.at, letter.ident, letter.answers
        self._worth[letter.kind] += letter.share * 0.5**halvings
        self.threads.add(threads.of(ident) if ident else f"{at:%Y-%m-%d %H:%M}")
        if letter.kind == WROTE:
            if self.last is None or at > self.last:
                self.last, self.answering = at, bool(answers)
            if answers:
                self.answered[answers] = max(at, self.answered.get(answers, at))
        elif ident:
            self.asked.add(ident)

    def _meeting(self, invited: _Invitation, halvings: float) -> None:
        """Count each meeting once, as it was last seen; one they declined is none."""
        if invited.is_off:
            self._meetings.pop(invited.uid, None)
            return
        weight, before = self._meetings.get(invited.uid, (0.0, False))
        self._meetings[invited.uid] = max(weight, 0.5**halvings), invited.came or before


def _answer(seen: Observation) -> str:
    """Return their own answer to a meeting (RFC 5545, PARTSTAT), empty where there is none."""
    invited = seen.facts.get("attendees")
    if not isinstance(invited, list):
        return ""
    pairs = (one for one in invited if isinstance(one, list) and len(one) > 1)
    return next((_text(one[1]) for one in pairs if one[0] == seen.contact), "")


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
