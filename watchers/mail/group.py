"""A group of mailboxes that an organisation granted together, and the fence around it.

A grant that is wider than the group opens the whole company's mail to one key. So a mailbox outside the group
can be named, which must not open: it is tried before the group is read, and nothing is read while it opens.
"""

from __future__ import annotations

import re
import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Protocol, Self

from pydantic import Field, PrivateAttr, field_validator, model_validator

from bot.model import Json, NeedsHuman
from watchers import Batch, Settings
from watchers.mail import Item, MailSource, Wants
from watchers.mail.grants import NotGranted
from watchers.mail.rest import Params, Refused, Rest

FENCE_GOOD_FOR = timedelta(hours=1)
LARGEST_LIST = 2**20
SWITCHED_OFF = frozenset({"accessnotconfigured", "service_disabled"})
"""How Google says, in lower case, that an interface is switched off for all."""

ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+=^_`{|}~.-]{1,64}@[A-Za-z0-9.-]{1,255}")


class Box(Protocol):
    """One mailbox that can be opened."""

    @property
    def label(self) -> str:
        """Return what it is called."""

    def open(self, source: str) -> MailSource:
        """Return the source of its mails."""


class Opened(StrEnum):
    """What came of trying to open a mailbox; UNKNOWN where there is none of that name."""

    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"


def keeps_out(refused: Refused) -> bool:
    """Say whether a refusal is about this mailbox; any other leaves open whether it would open."""
    shuts = refused.status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
    return shuts and refused.code.lower() not in SWITCHED_OFF


async def tried(line: Rest, path: str, params: Params, judge: Judge, *, strictly: bool) -> Opened:
    """Ask a mailbox's line for the least, as `Group.try_open` promises, and close it."""
    try:
        async with line:
            await line.json(path, params)
    except NotGranted:
        if strictly:
            raise
        return Opened.CLOSED
    except Refused as refused:
        opened = judge.opened(refused)
        if strictly or opened is None:
            raise judge.problem(refused, line.who) from None
        return opened
    return Opened.OPEN


@dataclass(frozen=True)
class Judge:
    """Knows what a provider's refusals mean.

    `opened` says it of one mailbox, None where a refusal is about something else. `problem` says it to a
    person, of the mailbox that is named.
    """

    opened: Callable[[Refused], Opened | None]
    problem: Callable[[Refused, str], NeedsHuman]


@dataclass(frozen=True)
class Finding:
    """What a check found: whether it is as it should be, what it is, and how to put it right."""

    ok: bool
    what: str
    how: str = ""


@dataclass
class Fence:
    """Knows for an hour that the outside mailbox is closed: only the provider's own refusal says so."""

    _closed_until: float = 0.0

    async def hold(self, group: Group) -> None:
        """Refuse to go on while the outside mailbox opens. Raises NeedsHuman, and SourceDown."""
        if not group.outside or time.monotonic() < self._closed_until:
            return
        if await group.try_open(group.outside) is Opened.OPEN:
            raise NeedsHuman(
                f"the grant of {group.label} is too wide: {group.outside} opens, and must not",
                "limit it to the group (docs/mailboxes.md); until then none of its mailboxes is read",
            )
        self._closed_until = time.monotonic() + FENCE_GOOD_FOR.total_seconds()


class Group(Settings):
    """The mailboxes of a group, by list or by file; `outside` is one that must not open."""

    name: str = Field(
        default="", description="what to call the group; its first mailbox or its file where empty"
    )
    mailboxes: tuple[str, ...] = Field(default=(), description="the addresses of the mailboxes to read")
    mailboxes_file: Path | None = Field(
        default=None, description="a text file with one address a line; read anew at each look"
    )
    outside: str = Field(
        default="", description="a mailbox of your own that must not open: while it does, nothing is read"
    )
    history_days: int = Field(default=365, ge=1, description="how far the first pass looks back")
    _boxes: dict[str, Box] = PrivateAttr(default_factory=dict)
    _fence: Fence = PrivateAttr(default_factory=Fence)

    @field_validator("mailboxes", mode="after")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_address(one) for one in value)

    @field_validator("outside", mode="after")
    @classmethod
    def _is_address(cls, value: str) -> str:
        return _address(value) if value else ""

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if not self.mailboxes and self.mailboxes_file is None:
            raise ValueError("name the mailboxes to read: by mailboxes, or by mailboxes_file")
        if self.outside in self.mailboxes:
            raise ValueError("the mailbox outside is one of the group: name one that must not open")
        return self

    @property
    def label(self) -> str:
        """Return what the group is called."""
        return self.name or (self.mailboxes[0] if self.mailboxes else str(self.mailboxes_file))

    def boxes(self) -> Sequence[Box]:
        """Return every mailbox of the group; a file that cannot be read is a mailbox that cannot either."""
        try:
            listed = self.addresses()
        except NeedsHuman as problem:
            return [Unlisted(str(self.mailboxes_file), problem)]
        return [self._boxes.setdefault(address, self.box(address)) for address in listed]

    def addresses(self) -> list[str]:
        """Return the addresses of the group. Raises NeedsHuman."""
        listed = [*self.mailboxes, *(_listed(self.mailboxes_file) if self.mailboxes_file else ())]
        return list(dict.fromkeys(listed))

    async def check_limits(self) -> list[Finding]:
        """Try every mailbox of the group, which must open, and the one outside, which must not.

        Raises SourceDown where the provider cannot be asked now.
        """
        try:
            found = [await self._inside(address) for address in self.addresses()]
        except NeedsHuman as problem:
            return [Finding(ok=False, what=problem.what, how=problem.how)]
        if not self.outside:
            how = "name a mailbox as `outside` that must not open, so that this is tried"
            return [
                *found,
                Finding(ok=False, what=f"nobody knows how wide the grant of {self.label} is", how=how),
            ]
        if not any(one.ok for one in found):
            how = "put right first why the mailboxes of the group do not open"
            return [
                *found,
                Finding(ok=False, what=f"how wide the grant of {self.label} is cannot be told", how=how),
            ]
        return [*found, await self._outside()]

    async def _inside(self, address: str) -> Finding:
        try:
            opened = await self.try_open(address, strictly=True)
        except NeedsHuman as problem:
            return Finding(ok=False, what=problem.what, how=problem.how)
        if opened is Opened.OPEN:
            return Finding(ok=True, what=f"{address} opens")
        how = "correct its address, or add it to the group; Microsoft takes up to two hours to notice"
        return Finding(ok=False, what=f"{address} does not open", how=how)

    async def _outside(self) -> Finding:
        try:
            opened = await self.try_open(self.outside)
        except NeedsHuman as problem:
            return Finding(ok=False, what=problem.what, how=problem.how)
        if opened is Opened.OPEN:
            return Finding(
                ok=False,
                what=f"THE GRANT IS TOO WIDE: {self.outside} opens, and must not",
                how="limit it to the group, or withdraw it (docs/mailboxes.md); nothing is read until then",
            )
        if opened is Opened.UNKNOWN:
            how = "name one that exists: that nobody opens proves nothing"
            return Finding(ok=False, what=f"there is no mailbox {self.outside}", how=how)
        return Finding(ok=True, what=f"{self.outside}, which is outside the group, does not open")

    async def guard(self) -> None:
        """Refuse to go on while the grant is too wide; every mailbox asks before it is read."""
        await self._fence.hold(self)

    @abstractmethod
    def box(self, address: str) -> Box:
        """Return one mailbox of the group."""

    @abstractmethod
    async def try_open(self, address: str, *, strictly: bool = False) -> Opened:
        """Ask for the least of a mailbox and say whether it opened; if `strictly`, raise why it did not.

        Raises NeedsHuman and SourceDown where the provider could not be asked, which says nothing of it.
        """


@dataclass(frozen=True)
class Unlisted:
    """Stands for the mailboxes of a list that cannot be read, so that this is told like any other outage."""

    label: str
    problem: NeedsHuman

    def open(self, source: str) -> Unlisted:
        """Return the source, which is this."""
        del source
        return self

    async def batches(self, cursor: Json, wants: Wants) -> AsyncIterator[Batch[Item]]:
        """Raise what is wrong with the list."""
        del cursor, wants
        raise NeedsHuman(self.problem.what, self.problem.how)
        yield  # only this makes it an iterator

    async def woken(self, within: timedelta) -> bool:
        """Wait; nothing wakes us."""
        return await no_news(within)


async def open_to_us() -> None:
    """Hold nothing back: who connected their own mailbox limited the grant to it."""


async def no_news(within: timedelta) -> bool:
    """Wait out the time of a source that wakes nobody."""
    import asyncio  # noqa: PLC0415 - loads slowly, and reading settings needs none

    await asyncio.sleep(within.total_seconds())
    return False


def _listed(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            text = file.read(LARGEST_LIST + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise NeedsHuman(f"{path} cannot be read", "write one address a line into it") from error
    if len(text) > LARGEST_LIST:
        raise NeedsHuman(f"{path} is longer than any list of mailboxes", "write one address a line into it")
    lines = text.splitlines()
    named = [line.partition("#")[0].strip() for line in lines]
    try:
        return [_address(one) for one in named if one]
    except ValueError as error:
        raise NeedsHuman(f"{path}: {error}", "write one address a line into it") from error


def _address(text: str) -> str:
    """Accept an address of our own, in lower case; it becomes part of an address of the web."""
    found = text.strip().lower()
    if not ADDRESS.fullmatch(found):
        raise ValueError(f"'{text[:80]}' is no e-mail address: write one such as rita@vendor.example")
    return found
