"""One pass over files without Slack: who of these contacts has left, is slipping, is there.

It runs the same pipeline as the service, and judges from the first mail on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.model import Assessment, Contact, Json, NeedsHuman, SourceDown
from bot.pipeline import Pipeline, Progress, Rules
from bot.store import Store
from bot.store.memory import MemoryStore
from bot.store.tiny import TinyStore
from watchers import derivers, kinds
from watchers.mail.files import FileMailbox
from watchers.mailbox import Mailbox


@dataclass(frozen=True)
class Checked:
    """A contact and what we think of them."""

    contact: Contact
    assessment: Assessment


@dataclass(frozen=True)
class Outcome:
    """What a check found.

    `mails` were read, `unreadable` could not be. `seen` counts the contacts of whom there is any mail, and
    `ours` those we wrote to. `closed` says which places could not be opened and why.
    """

    checked: tuple[Checked, ...]
    mails: int = 0
    unreadable: int = 0
    seen: int = 0
    ours: int = 0
    closed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check:
    """What to check: the contacts, where the mail lies, and which mail domains are ours.

    `data` is the folder to keep what was read in, so that the next pass reads only what is new; None keeps
    nothing. `authenticators` are the mail servers of ours whose word is taken on whether a sender is forged.
    """

    contacts: tuple[Contact, ...]
    mail: tuple[Path, ...]
    our_domains: tuple[str, ...]
    data: Path | None = None
    authenticators: tuple[str, ...] = ()

    async def run(self, now: datetime, progress: Progress | None = None) -> Outcome:
        """Read what is new and judge everybody at `now`."""
        paths = dict.fromkeys(path.resolve() for path in self.mail)
        boxes = tuple(FileMailbox(kind="files", path=path) for path in paths)
        watcher = Mailbox(Mailbox.Config(mailboxes=boxes, authenticators=self.authenticators))
        closed: list[str] = []
        mails = 0
        async with _store(self.data) as store:
            await _watch(store, self.contacts)
            pipeline = Pipeline(store, Rules(kinds(), derivers()), self.our_domains, baseline=False)
            for source in watcher.sources(await pipeline.scope()):
                try:
                    mails += (await pipeline.sweep(watcher, source, now, progress)).items
                except (SourceDown, NeedsHuman) as failure:
                    closed.append(failure.what)
            assessments = await pipeline.judge(now)
            known = [await store.person(contact.address) for contact in self.contacts]
        judged = {assessment.contact: assessment for assessment in assessments}
        checked = tuple(Checked(contact, judged[contact.address]) for contact in self.contacts)
        histories = [person.observations for person in known if person is not None and person.observations]
        return Outcome(
            checked,
            mails=mails,
            unreadable=sum(watcher.broken.values()),
            seen=len(histories),
            ours=sum(any(seen.kind == "written_to" for seen in history) for history in histories),
            closed=tuple(closed),
        )


async def _watch(store: Store, contacts: Iterable[Contact]) -> None:
    """Watch exactly these contacts."""
    wanted = {contact.address: contact for contact in contacts}
    for known in await store.contacts():
        if known.address not in wanted:
            await store.unwatch(known.address)
    for contact in wanted.values():
        await store.watch(contact)


@asynccontextmanager
async def _store(data: Path | None) -> AsyncIterator[Store]:
    store: Store = MemoryStore() if data is None else await TinyStore.open(data)
    try:
        yield store
    finally:
        await store.close()


def as_json(checked: Checked) -> dict[str, Json]:
    """Return the line that `check --json` prints for a contact."""
    contact, assessment = checked.contact, checked.assessment
    return {
        "contact": contact.address,
        "name": contact.name,
        "account": contact.account_name,
        "owner": contact.owner,
        "verdict": str(assessment.verdict),
        "strength": str(assessment.strength),
        "probability": assessment.probability,
        "headline": assessment.headline,
        "last_contact": assessment.last_contact.isoformat() if assessment.last_contact else None,
        "returns": assessment.returns.isoformat() if assessment.returns else None,
        "evidence": [
            {
                "kind": item.kind,
                "date": item.at.isoformat(),
                "source": item.source,
                "sentence": item.sentence,
                "weight": item.weight,
                "note": item.note,
            }
            for item in assessment.evidence
        ],
        "other_explanations": list(assessment.other_explanations),
        "suggestions": [
            {
                "name": suggestion.name,
                "address": suggestion.address,
                "successor": suggestion.successor,
                "reasons": list(suggestion.reasons),
            }
            for suggestion in assessment.suggestions
        ],
    }
