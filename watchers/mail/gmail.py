"""Read a mailbox through Gmail's interface, without changing anything in it.

Ids come from the mailbox's history; headers are fetched first and whole mails only where they matter. Google
keeps a history for about a week: when ours is gone, the mails since the last one read are listed again, which
observation keys make harmless. https://developers.google.com/workspace/gmail/api/guides/sync
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Literal, Protocol, TypeVar

import structlog
from pydantic import Field

from bot.model import Json, NeedsHuman, SourceDown
from watchers import Batch
from watchers.cursor import Cursor
from watchers.mail import Item, RawMail, Skipped, Wants
from watchers.mail.granted import GoogleGroup, shut_by_google
from watchers.mail.group import SWITCHED_OFF, Judge, Opened, no_news, open_to_us, tried
from watchers.mail.head import LIMITS
from watchers.mail.parse import parse
from watchers.mail.rest import Refused, Rest, side_by_side
from watchers.mail.tokens import SAFE_ADDRESS, SCOPES, Provider, Tokens, Use
from watchers.values import objects

log = structlog.get_logger()

T = TypeVar("T")

API = "https://gmail.googleapis.com/"
IDS_AT_ONCE = 500
HEADS_AT_ONCE = 100
HEADS_A_SECOND = 40
"""What Google's limit for one mailbox allows, with some to spare: 250 units a second, 5 a mail."""

SIDE_BY_SIDE = 8
BODIES_AT_ONCE = 32 * 2**20
"""Bytes of mail in one batch, by the sizes that Google states."""

LARGEST_RAW = LIMITS.mail * 4 // 3 + 2**16
"""The largest mail in base64 with what surrounds it."""

MOST_PAGES = 2000
"""So many pages of one list are asked for: a million mails."""

OVERLAP = timedelta(days=1)
"""How much is listed again where the history was lost: mails are listed by a date that is not in order."""

NEVER_READ = frozenset({"DRAFT", "TRASH", "CHAT"})


class Choice(Protocol):
    """What of a mailbox is read."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the labels of which a mail must carry one; none: all mail."""

    @property
    def spam(self) -> bool:
        """Say whether spam is read too."""

    @property
    def history_days(self) -> int:
        """Return how far the first pass looks back."""


@dataclass(frozen=True)
class All:
    """Read all mail of a year, also in spam: bounces land there."""

    labels: tuple[str, ...] = ()
    spam: bool = True
    history_days: int = 365


class GmailMailboxes(GoogleGroup):
    """Mailboxes of a Google Workspace that a service account may read (domain-wide delegation)."""

    kind: Literal["gmail"]
    labels: tuple[str, ...] = Field(
        default=(),
        description="read only mails with one of these label ids, such as INBOX; all mail where empty",
    )
    spam: bool = Field(default=True, description="read the spam folder too: bounces land there")
    api: str = Field(default=API, pattern=f"^{SAFE_ADDRESS}$", description="where the Gmail API is")

    def box(self, address: str) -> GmailBox:
        """Return one mailbox of the group."""
        return GmailBox(address, self.tokens(address), self.api, self, self.guard)

    async def try_open(self, address: str, *, strictly: bool = False) -> Opened:
        """Ask for the mailbox's profile and say whether it opened."""
        line = Rest(self.api, self.tokens(address), Use.MAIL, address, "see docs/mailboxes.md")
        return await tried(line, "gmail/v1/users/me/profile", {}, Judge(_shut, problem), strictly=strictly)


@dataclass(frozen=True)
class GmailBox:
    """One mailbox at Google, and who gives the tokens for it."""

    label: str
    tokens: Tokens = field(repr=False)
    api: str = API
    choice: Choice = field(default_factory=All, repr=False)
    guard: Callable[[], Awaitable[None]] = field(default=open_to_us, repr=False, compare=False)

    def open(self, source: str) -> GmailSource:
        """Return the source of its mails."""
        return GmailSource(self, source)


class _Place(Cursor):
    """Where reading goes on: after this history id; `reached` is the date of the newest mail read, in ms.

    While `listing`, the mails up to now are still being listed, and the history comes after them; `listed`
    is the date that was reached of each label, for each is read from its oldest mail on.
    """

    history: str = Field(default="", pattern=r"^\d*$")
    reached: int = 0
    listing: bool = True
    listed: dict[str, int] = Field(default_factory=dict)

    def pass_by(self, newest: int, label: str | None) -> None:
        """Note the date of a mail that was read, while listing a label or by the history; no later than now.

        Mail that was moved here from elsewhere may bear any date.
        """
        newest = min(newest, int(time.time() * 1000))
        if label is None:
            self.reached = max(self.reached, newest)
        else:
            self.listed[label] = max(self.listed.get(label, 0), newest)

    def end_listing(self) -> None:
        """Note that everything was listed, and that the history comes next."""
        self.reached = max([self.reached, *self.listed.values()])
        self.listing, self.listed = False, {}


@dataclass(frozen=True)
class _Found:
    """What the headers of a mail say about it: where it lies, when it came, how large it is."""

    id: str
    head: bytes
    labels: frozenset[str]
    arrived: int
    size: int


class GmailSource:
    """The mails of one mailbox at Google."""

    def __init__(self, box: GmailBox, source: str) -> None:
        self.box = box
        self.source = source

    async def batches(self, cursor: Json, wants: Wants) -> AsyncIterator[Batch[Item]]:
        """Yield what is new since the cursor; the first pass, oldest first, as far as `history_days`."""
        await self.box.guard()
        renewal = f"connect {self.box.label} again, or renew what was granted (docs/mailboxes.md)"
        try:
            async with Rest(self.box.api, self.box.tokens, Use.MAIL, self.box.label, renewal) as line:
                async for batch in self._batches(line, _Place.of(cursor), wants):
                    yield batch
        except Refused as refused:
            raise problem(refused, self.box.label) from None

    async def woken(self, within: timedelta) -> bool:
        """Wait; Gmail wakes only who can be reached from the internet."""
        return await no_news(within)

    async def _batches(self, line: Rest, place: _Place, wants: Wants) -> AsyncIterator[Batch[Item]]:
        place.listing = place.listing or not place.history
        if not place.listing:
            try:
                async for batch in self._since(line, place, wants):
                    yield batch
            except Refused as refused:
                if refused.status != HTTPStatus.NOT_FOUND:
                    raise
                log.warning("mailbox_history_lost", source=self.source)
                place.listing, place.history, place.listed = True, "", {}
        if place.listing:
            async for batch in self._listed(line, place, wants):
                yield batch

    async def _listed(self, line: Rest, place: _Place, wants: Wants) -> AsyncIterator[Batch[Item]]:
        """Yield the mails there are; what comes meanwhile is in the history, which begins before."""
        if not place.history:
            place.history = _digits((await line.json("gmail/v1/users/me/profile")).get("historyId"))
        ids = await self._ids(line, place)
        total = sum(map(len, ids.values()))
        for label, named in ids.items():
            for chunk in _chunks(named):
                async for items in self._read(line, chunk, place, wants, label):
                    yield Batch(self.source, items, place.model_dump(), total)
        place.end_listing()
        yield Batch(self.source, [], place.model_dump(), total)

    async def _ids(self, line: Rest, place: _Place) -> dict[str, list[str]]:
        """Return the ids of all mails since the one that was reached, oldest first, each under one label."""
        first = datetime.now(UTC) - timedelta(days=self.box.choice.history_days)
        found: dict[str, list[str]] = {}
        seen: set[str] = set()
        for label in self.box.choice.labels or ("",):
            reached = place.listed.get(label, place.reached) // 1000
            since = max(0, int(first.timestamp()), int(reached - OVERLAP.total_seconds()))
            asked: dict[str, str | int] = {
                "q": f"after:{since} -in:drafts -in:chats",
                "maxResults": IDS_AT_ONCE,
                "includeSpamTrash": "true" if self.box.choice.spam else "false",
                **({"labelIds": label} if label else {}),
            }
            named: dict[str, None] = {}
            async for page in _pages(line, "gmail/v1/users/me/messages", asked):
                named.update(dict.fromkeys(_ids_of(page.get("messages"))))
            found[label] = [one for one in reversed(named) if one not in seen]
            seen.update(named)
        return found

    async def _since(self, line: Rest, place: _Place, wants: Wants) -> AsyncIterator[Batch[Item]]:
        """Yield the mails that the history names; a record is passed when all its mails were read."""
        asked: dict[str, str | int] = {
            "startHistoryId": place.history,
            "historyTypes": "messageAdded",
            "maxResults": IDS_AT_ONCE,
        }
        seen: set[str] = set()
        async for page in _pages(line, "gmail/v1/users/me/history", asked):
            for some in _chunks(objects(page.get("history"))):
                added = [part.get("message") for one in some for part in objects(one.get("messagesAdded"))]
                fresh = [one for one in dict.fromkeys(_ids_of(added)) if one not in seen]
                seen.update(fresh)
                before = place.model_copy()
                async for items in self._read(line, fresh, place, wants):
                    yield Batch(self.source, items, before.model_dump())
                place.history = _digits(some[-1].get("id")) or place.history
            last = _digits(page.get("historyId"))
        place.history = last or place.history
        yield Batch(self.source, [], place.model_dump())

    async def _read(
        self, line: Rest, ids: Sequence[str], place: _Place, wants: Wants, label: str | None = None
    ) -> AsyncIterator[list[Item]]:
        """Yield the mails of these ids in groups of bounded size: bodies only of wanted ones."""
        begun = time.monotonic()
        asked = await side_by_side(lambda one: self._head(line, one), ids, SIDE_BY_SIDE)
        found = [one for one in asked if one is not None and self._is_read(one)]
        whole = {one.id for one in found if one.size <= LIMITS.mail and wants(parse(one.head).head)}
        for group in _groups(found, whole):
            yield await side_by_side(
                lambda one: self._item(line, one, whole=one.id in whole), group, SIDE_BY_SIDE
            )
        place.pass_by(max((one.arrived for one in found), default=0), label)
        if len(ids) == HEADS_AT_ONCE:
            await asyncio.sleep(max(0.0, begun + len(ids) / HEADS_A_SECOND - time.monotonic()))

    async def _head(self, line: Rest, name: str) -> _Found | None:
        """Return the headers of a mail; None where it was deleted meanwhile."""
        try:
            told = await line.json(f"gmail/v1/users/me/messages/{name}", {"format": "metadata"})
        except Refused as refused:
            if refused.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        payload = told.get("payload")
        fields = payload.get("headers") if isinstance(payload, dict) else None
        named = told.get("labelIds")
        labels = frozenset(str(label) for label in named) if isinstance(named, list) else frozenset[str]()
        arrived, size = _digits(told.get("internalDate")), told.get("sizeEstimate")
        return _Found(name, head_of(fields), labels, int(arrived or 0), size if isinstance(size, int) else 0)

    def _is_read(self, found: _Found) -> bool:
        choice = self.box.choice
        chosen = not choice.labels or bool(found.labels & frozenset(choice.labels))
        return chosen and not found.labels & NEVER_READ and (choice.spam or "SPAM" not in found.labels)

    async def _item(self, line: Rest, found: _Found, *, whole: bool) -> Item:
        if not whole:
            return RawMail(self.source, found.id, found.head, headers_only=True)
        try:
            told = await line.json(
                f"gmail/v1/users/me/messages/{found.id}", {"format": "raw"}, largest=LARGEST_RAW
            )
            raw = str(told.get("raw") or "")
            content = base64.b64decode(raw + "=" * (-len(raw) % 4), altchars=b"-_", validate=True)
        except Refused as refused:
            if refused.status not in {HTTPStatus.NOT_FOUND, 200}:
                raise
            return RawMail(self.source, found.id, found.head, headers_only=True)
        except (binascii.Error, ValueError):
            content = b""
        if not content:
            return Skipped(self.source, found.id, "the server could not give it")
        return RawMail(self.source, found.id, content)


def problem(refused: Refused, who: str) -> NeedsHuman:
    """Say what a refusal means and what a person can do about it."""
    code = refused.code.lower()
    if code in {"insufficientpermissions", "access_token_scope_insufficient"}:
        return NeedsHuman(
            f"what was granted for {who} is too little to read mail",
            f"grant the scope {SCOPES[Provider.GOOGLE, Use.MAIL]}, or connect the mailbox again and allow it",
        )
    if code == "domainpolicy":
        return NeedsHuman(
            f"the Google Workspace of {who} lets no application read its mail",
            "let its admin allow it: Admin console, Security, API controls",
        )
    if code in SWITCHED_OFF:
        return NeedsHuman("the Gmail API is switched off", "enable the Gmail API in the Google Cloud project")
    if _lacks_gmail(refused):
        return NeedsHuman(f"{who} has no Gmail", "take it off the list, or give it a Gmail licence")
    if refused.status == HTTPStatus.FORBIDDEN:
        return NeedsHuman(
            f"Google does not open {who}: {refused.code or 'forbidden'}", "see docs/mailboxes.md"
        )
    return NeedsHuman(f"Google does not understand us: {refused}", "report this, with this line")


def _lacks_gmail(refused: Refused) -> bool:
    return refused.code.lower() == "failedprecondition" and refused.status == HTTPStatus.BAD_REQUEST


def _shut(refused: Refused) -> Opened | None:
    return Opened.UNKNOWN if _lacks_gmail(refused) else shut_by_google(refused)


def head_of(fields: object) -> bytes:
    """Return headers given as names and values as the header block of a mail (RFC 5322, 6532)."""
    lines = []
    for field_ in objects(fields):
        name, value = field_.get("name"), field_.get("value")
        if isinstance(name, str) and isinstance(value, str) and re.fullmatch(r"[!-9;-~]{1,200}", name):
            folded = re.sub(r"[\r\n\x00]+", " ", value)
            lines.append(f"{name}: {folded}\r\n")
    return ("".join(lines) + "\r\n").encode("utf-8", "replace")


async def _pages(line: Rest, path: str, asked: dict[str, str | int]) -> AsyncIterator[dict[str, Any]]:
    token = ""
    for _ in range(MOST_PAGES):
        page = await line.json(path, {**asked, **({"pageToken": token} if token else {})})
        yield page
        following = page.get("nextPageToken")
        if not isinstance(following, str) or following in {"", token}:
            return
        token = following
    raise SourceDown("Google lists mails without an end")


def _ids_of(named: object) -> list[str]:
    """Return the ids of messages that an answer names; they become part of an address."""
    found = [one.get("id") for one in objects(named)]
    return [one for one in found if isinstance(one, str) and re.fullmatch(r"[0-9A-Za-z_-]{1,64}", one)]


def _digits(value: object) -> str:
    text = str(value or "")
    return text if text.isascii() and text.isdigit() and len(text) <= 20 else ""  # noqa: PLR2004 - 64 bits


def _chunks(each: Sequence[T]) -> list[Sequence[T]]:
    return [each[start : start + HEADS_AT_ONCE] for start in range(0, len(each), HEADS_AT_ONCE)]


def _groups(found: Sequence[_Found], whole: set[str]) -> list[list[_Found]]:
    groups: list[list[_Found]] = [[]]
    size = 0
    for one in found:
        weight = one.size if one.id in whole else 0
        if groups[-1] and size + weight > BODIES_AT_ONCE:
            groups.append([])
            size = 0
        groups[-1].append(one)
        size += weight
    return groups
