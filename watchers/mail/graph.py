"""Read a mailbox through Microsoft Graph, without changing anything in it.

Each folder is followed by its delta link; headers come with the list and whole mails (MIME) are fetched only
where they matter. A first pass lists what is there; a lost link lists only the mails since the last one read.
https://learn.microsoft.com/graph/delta-query-messages
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any, Literal, Protocol
from urllib.parse import quote

import structlog
from pydantic import BaseModel, Field

from bot.model import Json, NeedsHuman, SourceDown
from watchers import Batch
from watchers.cursor import Cursor
from watchers.mail import Item, RawMail, Wants
from watchers.mail.gmail import head_of
from watchers.mail.granted import MicrosoftGroup, shut_by_microsoft
from watchers.mail.group import Judge, Opened, no_news, open_to_us, tried
from watchers.mail.head import LIMITS
from watchers.mail.parse import parse
from watchers.mail.rest import Refused, Rest, side_by_side
from watchers.mail.tokens import SAFE_ADDRESS, SCOPES, Provider, Tokens, Use
from watchers.values import objects

log = structlog.get_logger()

API = "https://graph.microsoft.com/v1.0/"
MAILS_AT_ONCE = 50
BODIES_AT_ONCE = 8
SIDE_BY_SIDE = 3
"""Exchange answers four requests at a time for one mailbox; one is left for the calendar."""

OVERLAP = timedelta(days=1)
"""How much is listed again where the link was lost, and how far before now a new link begins."""

MOST_PAGES = 20_000
"""So many pages of one list are asked for: a million mails."""

WORN_OUT = 4000
"""After how many mails a link is replaced: with a filter it gives 5,000 at most."""

FURTHER, NEXT_TIME = "@odata.nextLink", "@odata.deltaLink"
LOST = frozenset({"syncstatenotfound", "syncstateinvalid", "resyncrequired", "resyncchangesapplydifferences"})
NO_FOLDER = frozenset({"errorfoldernotfound", "erroritemnotfound"})

SELECT = (
    "internetMessageHeaders,internetMessageId,subject,from,toRecipients,ccRecipients,"
    "receivedDateTime,sentDateTime,isDraft"
)


class Choice(Protocol):
    """What of a mailbox is read."""

    @property
    def folders(self) -> tuple[str, ...]:
        """Return the folders, by their well-known names or ids."""

    @property
    def history_days(self) -> int:
        """Return how far the first pass looks back."""


FOLDERS = ("inbox", "sentitems", "archive", "junkemail")


@dataclass(frozen=True)
class Usual:
    """Read a year of what arrives, is sent, is archived, and is taken for junk: bounces land there."""

    folders: tuple[str, ...] = FOLDERS
    history_days: int = 365


class GraphMailboxes(MicrosoftGroup):
    """Mailboxes at Microsoft that an application may read (RBAC for Applications, limited to a group)."""

    kind: Literal["graph"]
    folders: tuple[str, ...] = Field(
        default=FOLDERS, min_length=1, description="the folders to read, by well-known name or id"
    )
    api: str = Field(default=API, pattern=f"^{SAFE_ADDRESS}$", description="where Microsoft Graph is")

    def box(self, address: str) -> GraphBox:
        """Return one mailbox of the group."""
        return GraphBox(address, self.tokens(), f"users/{quote(address)}", self.api, self, self.guard)

    async def try_open(self, address: str, *, strictly: bool = False) -> Opened:
        """Ask for one id of the mailbox's inbox and say whether it opened."""
        line = Rest(self.api, self.tokens(), Use.MAIL, address, "see docs/mailboxes.md")
        path = f"users/{quote(address)}/mailFolders/inbox/messages"
        judge = Judge(shut_by_microsoft, problem)
        return await tried(line, path, {"$top": 1, "$select": "id"}, judge, strictly=strictly)


@dataclass(frozen=True)
class GraphBox:
    """One mailbox at Microsoft, where it lies below the interface's address, and who gives tokens for it."""

    label: str
    tokens: Tokens = field(repr=False)
    path: str = "me"
    api: str = API
    choice: Choice = field(default_factory=Usual, repr=False)
    guard: Callable[[], Awaitable[None]] = field(default=open_to_us, repr=False, compare=False)

    def open(self, source: str) -> GraphSource:
        """Return the source of its mails."""
        return GraphSource(self, source)


class _Folder(BaseModel):
    """How far a folder was read: its link, the date of the newest mail listed, and what the link gave.

    While `listing`, the mails there are, are still being listed; what the link says comes after them.
    """

    link: str = ""
    reached: datetime | None = None
    listing: bool = True
    given: int = 0


class _Place(Cursor):
    """Where reading of a mailbox goes on."""

    folders: dict[str, _Folder] = Field(default_factory=dict)


class GraphSource:
    """The mails of one mailbox at Microsoft."""

    def __init__(self, box: GraphBox, source: str) -> None:
        self.box = box
        self.source = source

    async def batches(self, cursor: Json, wants: Wants) -> AsyncIterator[Batch[Item]]:
        """Yield what is new since the cursor; the first pass, oldest first, as far as `history_days`."""
        await self.box.guard()
        place = _Place.of(cursor)
        renewal = f"connect {self.box.label} again, or renew what was granted (docs/mailboxes.md)"
        try:
            async with Rest(self.box.api, self.box.tokens, Use.MAIL, self.box.label, renewal) as line:
                for name in self.box.choice.folders:
                    reading = _Reading(self, line, name, place.folders.setdefault(name, _Folder()), wants)
                    async for items in reading.items():
                        yield Batch(self.source, items, place.model_dump(mode="json"))
        except Refused as refused:
            raise problem(refused, self.box.label) from None
        yield Batch(self.source, [], place.model_dump(mode="json"))

    async def woken(self, within: timedelta) -> bool:
        """Wait; Microsoft wakes only who can be reached from the internet."""
        return await no_news(within)


@dataclass
class _Reading:
    """One pass over one folder; moves `at` on when what was read up to there was handed out."""

    source: GraphSource
    line: Rest
    name: str
    at: _Folder
    wants: Wants

    async def items(self) -> AsyncIterator[list[Item]]:
        """Yield the mails that are new in the folder; a folder that the mailbox lacks is left out."""
        try:
            async for group in self._items():
                yield group
        except Refused as refused:
            if refused.code.lower() not in NO_FOLDER:
                raise
            log.info("mailbox_lacks_folder", source=self.source.source, folder=self.name)

    async def _items(self) -> AsyncIterator[list[Item]]:
        if not self.line.leads_here(self.at.link):
            self.at.link = ""  # the interface's address was changed
        if self.at.link and not self.at.listing and self.at.given < WORN_OUT:
            try:
                async for group in self._following():
                    yield group
            except Refused as refused:
                if refused.status != HTTPStatus.GONE and refused.code.lower() not in LOST:
                    raise
                log.warning("mailbox_link_lost", source=self.source.source, folder=self.name)
            else:
                return
            self.at.link = ""
        if not self.at.link or not self.at.listing:
            self.at.link, self.at.given, self.at.listing = await self._new_link(), 0, True
        async for group in self._listed():
            yield group

    async def _following(self) -> AsyncIterator[list[Item]]:
        """Yield what the link says is new: it leads to further pages, and then to the link of next time."""
        given = self.at.given
        async for page in self._pages(await self._page(self.at.link)):
            mails = _mails(page)
            async for group in self._read(mails):
                yield group
            self.at.given += len(mails)
            self._pass_by(mails)
            self.at.link = str(page.get(FURTHER) or page.get(NEXT_TIME) or self.at.link)
        if self.at.given > given:
            yield []

    async def _listed(self) -> AsyncIterator[list[Item]]:
        """Yield the mails there are, oldest first; what comes later the link says."""
        first = datetime.now(UTC) - timedelta(days=self.source.box.choice.history_days)
        since = max(first, self.at.reached - OVERLAP) if self.at.reached else first
        page = await self._page(
            f"{self._folder}/messages",
            {
                "$filter": f"receivedDateTime ge {_stamp(since)}",
                "$orderby": "receivedDateTime asc",
                "$select": SELECT,
                "$top": MAILS_AT_ONCE,
            },
        )
        async for some in self._pages(page):
            mails = _mails(some)
            async for group in self._read(mails):
                yield group
            self._pass_by(mails)
        self.at.listing = False
        yield []

    async def _new_link(self) -> str:
        """Begin to follow the folder a little before now; what is listed meanwhile will be listed anyway."""
        page = await self._page(
            f"{self._folder}/messages/delta",
            {
                "changeType": "created",
                "$filter": f"receivedDateTime ge {_stamp(datetime.now(UTC) - OVERLAP)}",
                "$select": SELECT,
            },
        )
        link = ""
        async for some in self._pages(page):
            link = str(some.get(NEXT_TIME) or "")
        return link

    async def _pages(self, page: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Yield a page and those that follow it."""
        for _ in range(MOST_PAGES):
            yield page
            further = page.get(FURTHER)
            if not isinstance(further, str):
                return
            page = await self._page(further)
        raise SourceDown("Microsoft lists mails without an end")

    def _pass_by(self, mails: Sequence[dict[str, Any]]) -> None:
        """Note the date of the newest mail that was read, which is no later than now."""
        now = datetime.now(UTC)
        dates = (min(date, now) for date in map(_received, mails) if date is not None)
        self.at.reached = max(filter(None, [self.at.reached, *dates]), default=None)

    async def _page(self, path: str, params: Mapping[str, str | int] | None = None) -> dict[str, Any]:
        prefer = {"Prefer": f"odata.maxpagesize={MAILS_AT_ONCE}"} if "/delta" in path else {}
        return await self.line.json(path, params, headers=prefer)

    async def _read(self, mails: Sequence[dict[str, Any]]) -> AsyncIterator[list[Item]]:
        """Yield mails in small groups: bodies only of wanted ones."""
        for start in range(0, len(mails), BODIES_AT_ONCE):
            yield await side_by_side(self._item, mails[start : start + BODIES_AT_ONCE], SIDE_BY_SIDE)

    async def _item(self, told: dict[str, Any]) -> Item:
        source, name = self.source.source, str(told["id"])
        label = f"{self.name}/{name}"
        if not told.get("receivedDateTime") or not (told.get("internetMessageHeaders") or self._is_sent):
            told = await self._asked_again(name) or told
        head = _head(told)
        if not self.wants(parse(head).head):
            return RawMail(source, label, head, headers_only=True)
        try:
            content = await self.line.content(self._path(name) + "/$value", largest=LIMITS.mail)
        except Refused as refused:
            if refused.status not in {HTTPStatus.NOT_FOUND, 200}:
                raise
            return RawMail(source, label, head, headers_only=True)
        return RawMail(source, label, content)

    async def _asked_again(self, name: str) -> dict[str, Any]:
        """Return what a list left out of a mail; nothing where it was deleted meanwhile."""
        try:
            return await self.line.json(self._path(name), {"$select": SELECT})
        except Refused as refused:
            if refused.status != HTTPStatus.NOT_FOUND:
                raise
            return {}

    @property
    def _folder(self) -> str:
        return f"{self.source.box.path}/mailFolders/{quote(self.name, safe='')}"

    @property
    def _is_sent(self) -> bool:
        """Say whether the mails are ours: those never went over the wire and have no headers to tell."""
        return self.name == "sentitems"

    def _path(self, name: str) -> str:
        return f"{self.source.box.path}/messages/{quote(name, safe='')}"


def problem(refused: Refused, who: str) -> NeedsHuman:
    """Say what a refusal means and what a person can do about it."""
    code = refused.code.lower()
    if code in {"authorization_requestdenied", "erroraccessdenied", "accessdenied"} or (
        refused.status == HTTPStatus.FORBIDDEN
    ):
        scope = SCOPES[Provider.MICROSOFT, Use.MAIL].rpartition("/")[2]
        return NeedsHuman(
            f"Microsoft does not open {who}",
            f"add it to the group whose mailboxes the application may read with {scope}, which takes up to "
            "two hours; or connect the mailbox again and allow it",
        )
    if refused.status == HTTPStatus.NOT_FOUND:
        return NeedsHuman(
            f"Microsoft has no mailbox {who} in the cloud", "correct the address, or take it off the list"
        )
    return NeedsHuman(f"Microsoft does not understand us: {refused}", "report this, with this line")


def _mails(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the mails of a page: neither what was removed nor drafts."""
    return [
        one
        for one in objects(page.get("value"))
        if isinstance(one.get("id"), str) and "@removed" not in one and not one.get("isDraft")
    ]


def _head(told: Mapping[str, Any]) -> bytes:
    """Return the header block of a mail: as it came, or from what Graph says of it where it never came."""
    came = told.get("internetMessageHeaders")
    if came:
        return head_of(came)
    received = _received(told)
    fields = {
        "Message-ID": told.get("internetMessageId"),
        "Date": format_datetime(received) if received else "",
        "Subject": told.get("subject"),
        "From": ", ".join(_people([told.get("from")])),
        "To": ", ".join(_people(told.get("toRecipients"))),
        "Cc": ", ".join(_people(told.get("ccRecipients"))),
    }
    return head_of([{"name": name, "value": value} for name, value in fields.items() if value])


def _people(named: object) -> list[str]:
    found = []
    for one in objects(named):
        person = one.get("emailAddress")
        address = person.get("address") if isinstance(person, dict) else None
        if isinstance(person, dict) and isinstance(address, str):
            name = re.sub(r'["\\\r\n]+', " ", str(person.get("name") or ""))[:200]
            found.append(f'"{name}" <{re.sub(r"[<>,;]", "", address)[:320]}>')
    return found


def _received(told: Mapping[str, Any]) -> datetime | None:
    try:
        return datetime.fromisoformat(str(told.get("receivedDateTime"))).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
