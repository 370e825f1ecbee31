"""Mail: where it comes from (files, IMAP, ...) and its bounded, pure parsing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, TypeAlias

from bot.model import Json
from watchers import Batch

if TYPE_CHECKING:
    from watchers.mail.head import Head


@dataclass(frozen=True, slots=True)
class RawMail:
    """One mail as it was found: `label` says where in its source it lies.

    `headers_only` says that nobody wanted its body, so `content` ends with the headers.
    """

    source: str
    label: str
    content: bytes
    headers_only: bool = False


@dataclass(frozen=True, slots=True)
class Skipped:
    """A mail that could not be read, and why; it takes the mail's place in the batch."""

    source: str
    label: str
    reason: str


Item: TypeAlias = RawMail | Skipped
Wants: TypeAlias = "Callable[[Head], bool]"


class MailSource(Protocol):
    """A place where mail lies: a new kind of mailbox is one file that keeps this contract."""

    def batches(self, cursor: Json, wants: Wants) -> AsyncIterator[Batch[Item]]:
        """Yield what is new since the cursor (None: from the beginning), in a stable order.

        Bodies are carried only for mails whose headers `wants` says so of, where fetching one is a choice.
        Raises `SourceDown` where trying later may help and `NeedsHuman` where only a person can.
        """

    async def woken(self, within: timedelta) -> bool:
        """Wait until there may be new mail, at most this long; say whether something woke us.

        A hint to look sooner, never a reason not to look: polling goes on regardless.
        """
