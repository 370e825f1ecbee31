"""Say what is not seen now, and why: a contact we cannot see is never shown as Active. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.model import Contact, Observation, Verdict, Watched


@dataclass(frozen=True, slots=True)
class Outage:
    """A source that cannot be read, since when, and whether only a person can mend it."""

    source: str
    since: datetime
    needs_human: bool = False


MAIL = "mailbox"
CRMS = frozenset({"crm_hubspot", "crm_salesforce"})
CRM_ONLY = "CRM only: no auto-replies, no invitations, and only the mail that was logged there"


def missed(watchers: Iterable[str]) -> str:
    """Say what these watchers can never see, empty where that is nothing that mail would show."""
    names = set(watchers)
    return CRM_ONLY if names & CRMS and MAIL not in names else ""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which sources cannot be read now, and when each was last read; empty before the first look.

    `missed` says in words what is never seen, whether or not the sources can be read.
    """

    outages: tuple[Outage, ...] = ()
    read_at: Mapping[str, datetime] = field(default_factory=dict)
    missed: str = ""

    def last_check(self, observations: Iterable[Observation]) -> datetime | None:
        """Return when a source that knows the person was last read; of a stranger, when any was."""
        theirs = {seen.source for seen in observations} & set(self.read_at)
        return max((self.read_at[source] for source in theirs or self.read_at), default=None)


@dataclass(frozen=True, slots=True)
class Gap:
    """Contacts that are unchecked for one reason: `reason` in words, `outage` where a source is down."""

    contacts: tuple[Contact, ...]
    reason: str
    outage: Outage | None = None


def gaps(watched: Iterable[Watched], coverage: Coverage) -> list[Gap]:
    """Return who is unchecked and why, the most numerous reason first."""
    by_reason: dict[str, list[Contact]] = {}
    for one in watched:
        if one.verdict is Verdict.UNCHECKED:
            by_reason.setdefault(one.headline, []).append(one.contact)
    found = [
        Gap(tuple(contacts), reason, next((o for o in coverage.outages if o.source in reason), None))
        for reason, contacts in by_reason.items()
    ]
    return sorted(found, key=lambda gap: (-len(gap.contacts), gap.reason))
