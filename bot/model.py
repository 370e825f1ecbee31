"""The values that flow through Stillthere, all frozen: nothing here does I/O or reads a clock.

One way through the house, in the order data flows::

    source --fetch--> raw --read--> Observation --(Kind)--> Evidence
           --fuse--> Assessment --decide--> Decision --raise--> Alert --post--> Slack
           --button--> Answer --> Evidence again
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cached_property

from typing_extensions import TypeAliasType

Json = TypeAliasType("Json", "bool | int | float | str | list[Json] | dict[str, Json] | None")


_canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode
"""Made once: `json.dumps` makes an encoder for every call that asks for more than its defaults."""


class SourceDown(Exception):  # noqa: N818 - the name is the word the admin reads
    """Say that a source cannot be read now and that trying later may help.

    `retry_after` is the wait the source asked for, or None where it named none.
    """

    def __init__(self, what: str, retry_after: timedelta | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.retry_after = retry_after


class NeedsHuman(Exception):  # noqa: N818 - the name is the word the admin reads
    """Say that only a person can mend this: `what` is wrong, and `how` to put it right."""

    def __init__(self, what: str, how: str) -> None:
        super().__init__(f"{what} - {how}")
        self.what = what
        self.how = how

    def __reduce__(self) -> tuple[type[NeedsHuman], tuple[str, str]]:
        """Say how another process makes the same of it."""
        return type(self), (self.what, self.how)


class Verdict(StrEnum):
    """The state of a contact, in the words the rep reads."""

    LEFT = "left"
    LIKELY_LEFT = "likely left"
    SLIPPING = "slipping"
    QUIET = "quiet"
    ON_LEAVE = "on leave"
    ACTIVE = "active"
    UNCHECKED = "unchecked"


ALARMING = frozenset({Verdict.LEFT, Verdict.LIKELY_LEFT, Verdict.SLIPPING})
"""The verdicts that open a case."""


class Family(StrEnum):
    """Kinds of evidence that fail together: within a family more of the same adds little."""

    MAIL = "mail"
    PUBLIC = "public"
    CALENDAR = "calendar"
    SILENCE = "silence"
    RESPONSE = "response"
    ANSWER = "answer"


class Means(StrEnum):
    """What a kind of observation says about the contact."""

    GONE = "gone"
    SLIPPING = "slipping"
    AWAY = "away"
    ALIVE = "alive"
    NOTED = "noted"


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of observation is worth, declared by the watcher that makes it.

    `weight` is the log-odds (nats) of "gone" that one fresh observation adds; it halves every
    `half_life` (None: it does not fade). An `explicit` kind is the source's own word that the person
    left; a `hard` one is as good as that, but has an innocent reading: by itself it makes a departure
    likely. A `narrow` sign of life only takes back what was said of the same thing (family and group), such
    as a page that names the person again: it may be out of date. `example` is a line that shows the reader
    what such an observation looks like.
    """

    name: str
    means: Means
    family: Family
    weight: float = 0.0
    half_life: timedelta | None = None
    explicit: bool = False
    hard: bool = False
    narrow: bool = False
    example: str = ""


@dataclass(frozen=True, slots=True)
class Deal:
    """An open opportunity; `amount` is in `currency`, which is empty where the team uses one."""

    name: str = ""
    amount: float | None = None
    currency: str = ""
    stage: str = ""
    close_date: date | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """A watched person at an account. `address` is the lower-case e-mail address and the identity."""

    address: str
    name: str = ""
    title: str = ""
    account: str = ""
    owner: str = ""
    deal: Deal | None = None
    country: str = ""
    links: tuple[str, ...] = ()
    informed_on: date | None = None

    @property
    def domain(self) -> str:
        """Return what stands after the @."""
        return self.address.rpartition("@")[2]

    @property
    def account_name(self) -> str:
        """Return the account's name, or the mail domain where none is known."""
        return self.account or self.domain

    @property
    def label(self) -> str:
        """Return the name a person would use, or the address where none is known."""
        return self.name or self.address


@dataclass(frozen=True)
class Observation:
    """One dated fact about one person from one source; never a mail body.

    `at` is when the fact happened, as its source dates it (UTC); `seen` is when we learned of it, by our own
    clock, None until it is recorded. `group` names the fact itself: sightings that share kind and group are
    one voice. `facts` holds JSON values. `because` says in words, for a human, why the source was read this
    way. Where and when it was read and how it was worded are not part of the identity: the same fact read
    twice, or from two mailboxes, is one observation.
    """

    contact: str
    kind: str
    at: datetime
    source: str
    sentence: str
    group: str = ""
    facts: Mapping[str, Json] = field(default_factory=dict)
    because: tuple[str, ...] = ()
    seen: datetime | None = field(default=None, compare=False)

    @cached_property
    def key(self) -> str:
        """Return the content hash that identifies this observation in every store.

        A mail is identified by its Message-ID: its copies in two mailboxes arrived at different moments.
        """
        at = "" if self.facts.get("message_id") else self.at.isoformat()
        content = [self.contact, self.kind, at, self.group, dict(self.facts)]
        return hashlib.sha256(_canonical(content).encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def __hash__(self) -> int:
        return hash(self.key)


@dataclass(frozen=True, slots=True)
class Evidence:
    """An observation as it weighs now: `weight` in nats after decay, caps and contradiction.

    `seen` is when we learned of it. `note` says why it counts for less than its kind promises, empty where it
    counts in full.
    """

    key: str
    kind: str
    means: Means
    family: Family
    at: datetime
    source: str
    sentence: str
    weight: float
    explicit: bool = False
    hard: bool = False
    note: str = ""
    seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A person to turn to at the account, with the reasons in words. `guess` marks a guessed address."""

    name: str
    address: str
    reasons: tuple[str, ...]
    successor: bool = False
    guess: bool = False


class Strength(StrEnum):
    """How strong a verdict is, in the word the rep reads."""

    SOME = "some"
    CLEAR = "clear"
    STRONG = "strong"


@dataclass(frozen=True, slots=True)
class Assessment:
    """What we think of a contact at `at`, and the evidence that made it.

    `probability` is that of having left. `headline` is the verdict's reason in one sentence.
    `other_explanations` are the innocent readings still open. `returns` is set when on leave with a date.
    `recheck` is when time alone may change it, None where that is not known. `stakes` say what makes it
    graver at the account: nobody else is in contact there, or somebody else left too.
    """

    contact: str
    at: datetime
    verdict: Verdict
    strength: Strength
    probability: float
    headline: str
    evidence: tuple[Evidence, ...] = ()
    other_explanations: tuple[str, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    last_contact: datetime | None = None
    returns: date | None = None
    recheck: datetime | None = None
    stakes: tuple[str, ...] = ()


class Action(StrEnum):
    """What is done with an assessment."""

    SEND = "send"
    DIGEST = "digest"
    HOLD = "hold"


class Reason(StrEnum):
    """Why a decision fell as it did, so that "why did it ping me, why did it not" is data."""

    FIRST = "first"
    STRONGER = "stronger"
    REMINDER_DUE = "reminder_due"
    ANSWERED = "answered"
    BELOW_THRESHOLD = "below_threshold"
    UNCONFIRMED = "unconfirmed"
    COOLING_DOWN = "cooling_down"
    ALREADY_SENT = "already_sent"
    SNOOZED = "snoozed"
    SETTLED = "settled"
    ON_LEAVE = "on_leave"
    OVER_BUDGET = "over_budget"
    QUIET_HOURS = "quiet_hours"
    BASELINE = "baseline"
    AUDIT = "audit"
    DEMOTED = "demoted"
    INHIBITED_BY_SOURCE_OUTAGE = "inhibited_by_source_outage"
    INHIBITED_BY_ACCOUNT_NOTICE = "inhibited_by_account_notice"


@dataclass(frozen=True, slots=True)
class Decision:
    """Send or not, with its reason; stored either way."""

    contact: str
    at: datetime
    action: Action
    reason: Reason
    verdict: Verdict
    probability: float


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to tell about a case. Its `key` (contact:claim:episode) is unique in every store.

    An `episode` is one story of one contact, from the first alert until somebody settles it or the
    person is proven to be there; all alerts of an episode share one message.
    """

    contact: Contact
    assessment: Assessment
    episode: int
    at: datetime

    @property
    def claim(self) -> str:
        """Return what is claimed: the verdict and how strongly."""
        return f"{self.assessment.verdict}/{self.assessment.strength}"

    @property
    def case(self) -> str:
        """Return the key of the case: all alerts of one case share one message."""
        return f"{self.contact.address}:{self.episode}"

    @property
    def key(self) -> str:
        """Return the unique key."""
        return f"{self.contact.address}:{self.claim}:{self.episode}"

    @property
    def is_notice(self) -> bool:
        """Say whether it is about an account and not about a person."""
        return self.contact.address.startswith("@")

    @property
    def is_all_clear(self) -> bool:
        """Say whether it ends its case: the person was in touch since, and nothing alarms any more."""
        return not self.is_notice and self.assessment.verdict not in ALARMING


class Choice(StrEnum):
    """What a rep can say about an alert; ANSWERED is the person's own word: they were in touch again."""

    LEFT = "left"
    STILL_THERE = "still_there"
    ON_LEAVE = "on_leave"
    CHANGED_ROLE = "changed_role"
    ON_IT = "on_it"
    NOTHING_WRONG = "nothing_wrong"
    SNOOZE = "snooze"
    UNDERSTOOD = "understood"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Answer:
    """A rep's word on a case: strong evidence with a name on it.

    `by` is a Slack user id, or the address of the contact where evidence settled the case (ANSWERED).
    `champion` is the address of who takes the contact's place in the deal, empty where nobody was named.
    """

    contact: str
    case: str
    by: str
    at: datetime
    choice: Choice
    until: date | None = None
    champion: str = ""

    @property
    def is_final(self) -> bool:
        """Say whether it settles the case for good; *On it* and a snooze leave it open."""
        return self.choice not in {Choice.ON_IT, Choice.SNOOZE}


@dataclass(frozen=True, slots=True)
class Home:
    """Where a case's message stands in Slack; `thread` is the message that it answers, where it does."""

    channel: str
    ts: str
    thread: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """An alert on its way out: unsent, then leased to one poster until `leased_until`, then sent.

    `attempts` counts the leases taken; more than one means that an earlier poster may have died between
    posting and saying so. `held` says why it is kept back until `leased_until`, None where it is not.
    """

    alert: Alert
    attempts: int = 0
    leased_until: datetime | None = None
    held: Reason | None = None
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """An episode of one contact: its alerts in order, its one message, and how it was settled.

    `on_it` is who said first, since it was last told, that they are on it; that settles nothing. `posts` is
    every message about it that stands somewhere: its own, replies, copies, and what it left behind.
    """

    contact: str
    episode: int
    deliveries: tuple[Delivery, ...] = ()
    home: Home | None = None
    settled: Answer | None = None
    on_it: Answer | None = None
    posts: tuple[Home, ...] = ()

    @property
    def key(self) -> str:
        """Return the key that its alerts carry."""
        return f"{self.contact}:{self.episode}"

    @property
    def is_taken(self) -> bool:
        """Say whether somebody is on it as it was last told."""
        return self.on_it is not None and self.on_it.at >= self.alert.at

    @property
    def alert(self) -> Alert:
        """Return the latest alert that says what the case is about."""
        told = [delivery.alert for delivery in self.deliveries]
        return next((alert for alert in reversed(told) if not alert.is_all_clear), told[-1])


@dataclass(frozen=True, slots=True)
class Person:
    """All we keep of one person, in one document. `contact` is None for a colleague nobody watches.

    `former` is the contact as it was before somebody stopped watching, so that it can be undone. `news` says
    that there are observations the last assessment has not seen. `version` counts writes: a conclusion drawn
    from an older version is refused.
    """

    address: str
    contact: Contact | None = None
    former: Contact | None = None
    observations: tuple[Observation, ...] = ()
    assessment: Assessment | None = None
    decisions: tuple[Decision, ...] = ()
    cases: tuple[Case, ...] = ()
    news: bool = False
    version: int = 0


@dataclass(frozen=True, slots=True)
class Watched:
    """A watched person as a list shows them, without what was observed.

    Before the first assessment `verdict` is Unchecked and `judged_at` is None. `case` is the key of their
    latest case, empty where there is none; it is open while `settled` is None, and `home` is its message.
    """

    contact: Contact
    verdict: Verdict = Verdict.UNCHECKED
    strength: Strength = Strength.SOME
    headline: str = ""
    judged_at: datetime | None = None
    last_contact: datetime | None = None
    returns: date | None = None
    recheck: datetime | None = None
    case: str = ""
    opened_at: datetime | None = None
    home: Home | None = None
    settled: Answer | None = None

    @property
    def is_open(self) -> bool:
        """Say whether a case waits for somebody's word."""
        return bool(self.case) and self.settled is None
