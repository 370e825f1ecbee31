"""Read each mailbox once and hand every mail to every reader."""

from __future__ import annotations

import hashlib
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

import structlog
from pydantic import Field, model_validator

from bot.model import Json, NeedsHuman, Observation
from watchers import Batch, MailReader, Scope, Settings, Watcher
from watchers.mail import Item, MailSource, Skipped
from watchers.mail.authentication import is_forged
from watchers.mail.files import FileMailbox
from watchers.mail.gmail import API as GMAIL
from watchers.mail.gmail import GmailBox, GmailMailboxes
from watchers.mail.graph import API as GRAPH
from watchers.mail.graph import GraphBox, GraphMailboxes
from watchers.mail.group import Box, Group
from watchers.mail.head import Head
from watchers.mail.imap import ImapMailbox
from watchers.mail.parse import Mail, parse
from watchers.mail.tokens import Connected, Connections, Provider, Use, nobody

log = structlog.get_logger()

AnyMailbox = Annotated[
    ImapMailbox | GmailMailboxes | GraphMailboxes | FileMailbox, Field(discriminator="kind")
]


class Mailbox(Watcher[Item]):
    """Mail to and from the team: bounces, auto-replies, invitations, who wrote to whom.

    A mail over which a reader fails is noted once in the log, counted in `broken`, and skipped: it never
    stops the batch.
    """

    name = "mailbox"
    every = timedelta(minutes=5)

    class Config(Settings):
        """The team's mailboxes."""

        mailboxes: tuple[AnyMailbox, ...] = Field(default=(), description="where the team's mail lies")
        authenticators: tuple[str, ...] = Field(
            default=(),
            description="the names your own mail servers write into Authentication-Results (RFC 8601): "
            "a mail whose sender they find forged counts for nothing",
        )

        @model_validator(mode="after")
        def _names_differ(self) -> Mailbox.Config:
            names = [
                name
                for box in self.mailboxes
                for name in (box.mailboxes if isinstance(box, Group) else (box.label,))
            ]
            twice = [name for name, n in Counter(names).items() if n > 1]
            if twice:
                raise ValueError(f"two mailboxes are called {twice[0]}: give each a name of its own")
            return self

    config: Config

    def __init__(self, config: Settings | None = None) -> None:
        super().__init__(config)
        self.readers: Sequence[MailReader] = [reader() for reader in MailReader.registry.values()]
        self._authenticators = frozenset(name.lower() for name in self.config.authenticators)
        self.broken: Counter[str] = Counter()
        self.connected: Connections = nobody
        self._once_connected: dict[str, None] = {}
        self._known: dict[str, Box] = {}
        self._opened: dict[str, MailSource] = {}

    def sources(self, scope: Scope) -> Sequence[str]:
        """Name the mailboxes: those of the settings, and those that their owners connected.

        One that was disconnected is still named until the next start: whom only it showed is unseen now,
        not silent.
        """
        del scope
        return [*dict.fromkeys([*self._boxes(), *self._once_connected])]

    async def fetch(self, source: str, cursor: Json, scope: Scope) -> AsyncIterator[Batch[Item]]:
        """Yield what is new in one mailbox; bodies only of what a reader wants or the scope covers."""

        def wants(head: Head) -> bool:
            people = (head.sender, *head.recipients)
            return any(scope.covers(person.address) for person in people) or self._is_wanted(head)

        async for batch in self._open(source).batches(cursor, wants):
            for item in batch.items:
                if isinstance(item, Skipped):
                    self.broken[item.reason] += 1
                    log.warning("mail_skipped", source=source, mail=item.label, reason=item.reason)
            yield batch

    async def woken(self, source: str, within: timedelta) -> bool:
        """Wait until the mailbox may hold new mail, at most this long; polling goes on regardless."""
        return await self._open(source).woken(within)

    def read(self, raw: Item, scope: Scope) -> list[Observation]:
        """Say what one mail means, by every reader, about people in the scope and never about our own."""
        if isinstance(raw, Skipped):
            return []
        mail = parse(raw.content)
        facts: dict[str, Json] = {"forged": True} if is_forged(mail.head, self._authenticators) else {}
        return [
            replace(observation, source=raw.source, facts={**observation.facts, **facts})
            for reader in self.readers
            for observation in self._read(reader, mail, scope)
            if scope.covers(observation.contact) and not scope.is_ours(observation.contact)
        ]

    def _read(self, reader: MailReader, mail: Mail, scope: Scope) -> Sequence[Observation]:
        try:
            return list(reader.read(mail, scope))
        except Exception as error:  # noqa: BLE001 - a stranger's mail must not stop the others'
            self._note(reader, mail.head, error)
            return ()

    def _is_wanted(self, head: Head) -> bool:
        wanted = False
        for reader in self.readers:
            try:
                wanted = wanted or reader.wants(head)
            except Exception as error:  # noqa: BLE001 - as in _read
                self._note(reader, head, error)
        return wanted

    def _note(self, reader: MailReader, head: Head, error: Exception) -> None:
        """Note a failing reader: where it failed, but neither the mail's words nor its plain id."""
        self.broken[reader.name] += 1
        where = traceback.extract_tb(error.__traceback__)[-1]
        log.error(
            "reader_failed",
            reader=reader.name,
            mail=hashlib.sha256(head.message_id.encode("utf-8", "replace")).hexdigest()[:12],
            error=type(error).__name__,
            where=f"{where.filename}:{where.lineno}",
        )

    def _boxes(self) -> dict[str, Box]:
        """Return every mailbox there is now by the name of its source; the settings come first."""
        found: dict[str, Box] = {}
        for box in self.config.mailboxes:
            for one in box.boxes() if isinstance(box, Group) else (box,):
                found[f"{self.name}:{one.label}"] = one
        for owned in self.connected():
            if Use.MAIL in owned.uses:
                found.setdefault(f"{self.name}:{owned.mailbox}", _box(owned))
                self._once_connected[f"{self.name}:{owned.mailbox}"] = None
        return found

    def _open(self, source: str) -> MailSource:
        """Return what reads a mailbox; whoever disconnected and connected again gets a new one."""
        box = self._boxes().get(source)
        if box is None:
            raise NeedsHuman(f"{source.partition(':')[2]} is no longer connected", "connect it again")
        if source not in self._opened or self._known.get(source, box) != box:
            self._opened[source] = box.open(source)
        self._known[source] = box
        return self._opened[source]


def _box(owned: Connected) -> Box:
    """Return the mailbox that somebody connected."""
    if owned.provider is Provider.GOOGLE:
        return GmailBox(owned.mailbox, owned.tokens, owned.api(Use.MAIL, GMAIL))
    return GraphBox(owned.mailbox, owned.tokens, api=owned.api(Use.MAIL, GRAPH))
