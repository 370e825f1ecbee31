"""The one seam to what is kept: a dozen verbs in the words of the domain.

Every verb is atomic and durable when it returns. Nothing is lost and nothing doubled because keys are unique
(an observation's hash, an alert's `contact:claim:episode`, a slot) and changes are compare-and-set (a
person's `version`, a delivery's lease) or made in one step (`amend_setting`). Three stores keep the same
contract: TinyDB (`tiny`) for one process, PostgreSQL (`postgres`) for several, and memory (`memory`) for what
keeps nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime, timedelta
from typing import Protocol

from bot.model import (
    Alert,
    Answer,
    Assessment,
    Case,
    Contact,
    Decision,
    Delivery,
    Home,
    Json,
    Observation,
    Person,
    SourceDown,
    Watched,
)

Amendment = Callable[[Json], Json]
"""Says what becomes of something kept. Pure, and it may be asked more than once."""


class StoreDown(SourceDown):
    """The store itself is away: no source is to blame, and whatever was under way is to be done again."""


DECISIONS_KEPT = 50
"""How many of a person's latest decisions are kept; equal ones in a row are kept once, the first."""


FARTHEST_LEASE, FARTHEST_HOLD = timedelta(hours=2), timedelta(days=7)
"""An alert that is leased, or held back, for longer was so by a clock that was ahead, and is free."""


class Store(Protocol):
    """What every store can do."""

    async def watch(self, contact: Contact) -> bool:
        """Keep the contact, or bring what is known of them up to date; say whether they are new.

        Somebody who is to be forgotten is not kept.
        """

    async def unwatch(self, address: str) -> bool:
        """Stop watching; what is known stays, so that it can be undone. Say whether they were watched."""

    async def forget(self, address: str) -> bool:
        """Erase a person from all that is kept, older copies and what is kept of others included.

        Only a keyed hash stays: `watch`, `record` and `conclude` refuse the person from then on, and take
        them out of what is said of others. Say whether anything was kept of them. Begun once, it is ended
        whatever happens: by the next start, if need be.
        """

    async def expire(self, address: str, version: int) -> bool:
        """Erase what is kept of somebody whose time is over, and their traces in cursors and settings.

        False, and nothing changes, where the person's version is no longer `version`. Nothing keeps them out
        afterwards; what is kept of others stays as it is, and has a time of its own.
        """

    async def contacts(self) -> list[Contact]:
        """Return everybody who is watched, by address."""

    async def watchlist(self) -> list[Watched]:
        """Return everybody who is watched with what is thought of them, by address; quick for thousands."""

    async def cases(self) -> list[Case]:
        """Return every case there ever was, by contact and episode."""

    async def person(self, address: str) -> Person | None:
        """Return all that is kept of a person, or None."""

    async def people(self, domains: frozenset[str]) -> list[Person]:
        """Return everybody, watched or not, whose address is at one of these domains, by address."""

    def everybody(self) -> AsyncIterator[Person]:
        """Yield everybody of whom something is kept, watched or not; others may change it meanwhile."""

    async def record(self, observations: Iterable[Observation]) -> list[Observation]:
        """Keep what is not yet known and return just that; each person it is about then has news."""

    async def news(self) -> list[str]:
        """Return the addresses of watched people with observations no assessment has seen, sorted."""

    async def conclude(
        self,
        version: int,
        assessment: Assessment,
        decision: Decision,
        alert: Alert | None = None,
    ) -> bool:
        """Keep an assessment, its decision and the alert it raises, in one write.

        Return False, and change nothing, where the person's version is no longer `version` or an alert of
        that key exists: whoever asked must look again. An alert whose episode is new opens a case. Of an
        address of which nothing is kept yet, the version is 0.
        """

    async def due(self, now: datetime) -> list[str]:
        """Return the keys of the cases with an alert that may be taken now, gravest first, then oldest."""

    async def take_alert(
        self, now: datetime, lease: timedelta, case: str = ""
    ) -> tuple[Case, Delivery] | None:
        """Lease an alert that is unsent, or whose lease ran out; None where there is none.

        One that would run for longer than any real one counts as run out: see `FARTHEST_LEASE`.
        It is that of the case, or else the first that is due. Alerts of one case are handed out one after
        another, never two at a time; but one that is held back gives way to a newer one.
        """

    async def alert_sent(self, case: str, delivery: Delivery, home: Home | None, now: datetime) -> bool:
        """Note that it was posted and where; False where the lease is no longer held.

        Older alerts of the case that were held back are told with it. Without a home there was nothing
        to show.
        """

    async def posted(self, case: str, post: Home) -> bool:
        """Note that a message about a case stands there; False where there is no such case."""

    async def alert_failed(
        self, case: str, delivery: Delivery, retry_at: datetime, decision: Decision | None = None
    ) -> bool:
        """Hand a lease back until `retry_at`; False where the lease is no longer held.

        With a decision the alert is held back, for its reason, without having been tried.
        """

    async def answer(self, answer: Answer, observation: Observation | None = None) -> Case | None:
        """Keep a rep's word on a case and return the case as it stands now; None where there is no such case.

        The first word that settles stands, whoever says something else later. *On it* settles nothing; a
        snooze gives way to any other word. What the word says about the person (`observation`) is kept in
        the same write, where the word counts.
        """

    async def cursor(self, source: str) -> Json:
        """Return where reading of a source goes on, None where it was never read."""

    async def save_cursor(self, source: str, cursor: Json) -> None:
        """Keep where reading of a source goes on."""

    async def amend_cursor(self, source: str, amendment: Amendment) -> Json:
        """Change a cursor in one step, whoever else changes it, and return what is kept then.

        `amendment` gets what is kept, None where nothing is; where it returns the same, nothing is written.
        """

    async def claim_slot(self, watcher: str, slot: datetime) -> bool:
        """Claim a planned run; True for exactly one caller."""

    async def claim_event(self, event: str, now: datetime) -> bool:
        """Claim something that may be delivered to us twice; True once, for a day at least."""

    async def setting(self, name: str) -> Json:
        """Return a setting that somebody made while the service ran, None where nobody did."""

    async def save_setting(self, name: str, value: Json) -> None:
        """Keep a setting."""

    async def amend_setting(self, name: str, amendment: Amendment) -> Json:
        """Change a setting in one step, like `amend_cursor`."""

    async def close(self) -> None:
        """Let go of what is held; nothing is lost without it."""
