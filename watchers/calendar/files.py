"""Read calendars that lie in files, or are published as a feed: everything is listed at each change."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import Literal

import httpx
import structlog
from pydantic import Field, model_validator

from bot.model import Json, NeedsHuman, SourceDown
from watchers import Settings
from watchers.calendar import MOST_ENTRIES, Entry, Page, Pass, overfull, versions
from watchers.calendar.line import Line
from watchers.calendar.split import entries
from watchers.cursor import Cursor
from watchers.secret import Secret

log = structlog.get_logger()

LARGEST = 20 * 2**20
MOST_FILES = 5000
LONGEST_VALIDATOR = 300


class FileCalendar(Settings):
    """A calendar that lies in `.ics` files, such as an export."""

    kind: Literal["files"]
    path: Path = Field(description="an .ics file, or a folder of them")
    name: str = Field(default="", description="what to call it; the path where empty")
    history_days: int = Field(default=365, ge=1, le=1000, description="how far the first pass looks back")

    @property
    def label(self) -> str:
        """Return what the calendar is called."""
        return self.name or str(self.path)

    def open(self) -> CalendarFiles:
        """Return the source of its meetings."""
        return CalendarFiles(self)


class FeedCalendar(Settings):
    """A calendar that is published at an address, which is often a secret: whoever knows it can read it."""

    kind: Literal["feed"]
    name: str = Field(min_length=1, description="what to call it; the address is never shown")
    url: str = Field(default="", pattern=r"^((https?|webcal)://\S+)?$", description="the address of the feed")
    url_env: str = Field(default="", description="the variable that holds the address, where it is secret")
    url_file: Path | None = None
    history_days: int = Field(default=365, ge=1, le=1000, description="how far the first pass looks back")
    timeout_seconds: float = Field(default=60, gt=0, description="how long one answer may take")

    @property
    def label(self) -> str:
        """Return what the calendar is called."""
        return self.name

    @model_validator(mode="after")
    def _has_one_address(self) -> FeedCalendar:
        if sum(map(bool, [self.url, self.url_env, self.url_file])) != 1:
            raise ValueError("give exactly one of url, url_env, url_file")
        return self

    def open(self) -> Feed:
        """Return the source of its meetings."""
        return Feed(self)


class _Files(Cursor):
    """Which files were read: digests of path, size and time."""

    read: str = ""


class CalendarFiles:
    """The meetings in some files. A file that is taken away says nothing about them."""

    def __init__(self, calendar: FileCalendar) -> None:
        self.calendar = calendar

    async def pages(self, state: Json, look: Pass) -> AsyncIterator[Page]:
        """Yield the meetings of every file that is new or changed, older states of one meeting first."""
        read = versions.unpack(_Files.of(state).read)
        found, now_read = await asyncio.to_thread(self._read, read, look)
        yield Page(_Files(read=versions.pack(now_read)).model_dump(), found, copies=True)

    def _read(self, read: set[bytes], look: Pass) -> tuple[list[Entry], set[bytes]]:
        found: list[Entry] = []
        now_read = set()
        for path in self._paths():
            try:
                stat = path.stat()
                version = versions.digest(os.fsencode(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}"))
                if version not in read:
                    with path.open("rb") as file:
                        content = file.read(LARGEST + 1)
                    if len(content) > LARGEST:
                        log.warning("calendar_file_cut", file=str(path), bytes=LARGEST)
                    found += _bounded(entries(content[:LARGEST], look.scope, look.known), path.name)
            except OSError as error:
                log.warning("calendar_file_skipped", file=str(path), reason=error.strerror)
                continue
            now_read.add(version)
        return sorted(found, key=lambda one: (one.uid, one.sequence or 0, one.changed or look.now)), now_read

    def _paths(self) -> Iterator[Path]:
        path = self.calendar.path
        if not path.exists():
            raise SourceDown(f"{path} is not there")
        if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
            raise NeedsHuman(
                f"{path} may not be read", "give the user that runs Stillthere the right to read it"
            )
        if not path.is_dir():
            return iter([path])
        inside = list(islice(path.rglob("*"), MOST_FILES + 1))
        if len(inside) > MOST_FILES:
            log.warning("calendar_files_left_out", folder=str(path), most=MOST_FILES)
        found = (file for file in inside[:MOST_FILES] if file.suffix.lower() == ".ics" and file.is_file())
        return iter(sorted(found))


class _Feed(Cursor):
    """What the feed said of its version, and a digest of it for those that say nothing."""

    etag: str = ""
    modified: str = ""
    digest: str = ""


class Feed:
    """The meetings of a feed, which lists all of them each time."""

    def __init__(self, calendar: FeedCalendar) -> None:
        self.calendar = calendar

    async def pages(self, state: Json, look: Pass) -> AsyncIterator[Page]:
        """Yield all meetings of the feed if it changed, and which are no longer in it."""
        before = _Feed.of(state)
        url = self._url()
        headers = {"Accept": "text/calendar", "User-Agent": "stillthere"}
        if before.etag:
            headers["If-None-Match"] = before.etag
        if before.modified:
            headers["If-Modified-Since"] = before.modified
        async with Line(LARGEST, self.calendar.timeout_seconds) as line:
            answer = await line.ask("GET", url, headers)
        if answer.status == HTTPStatus.NOT_MODIFIED:
            yield Page(state)
            return
        self._must_be_calendar(answer.status, answer.body)
        digest = versions.digest(answer.body).hex()
        after = _Feed(
            etag=_validator(answer.headers.get("etag", "")),
            modified=_validator(answer.headers.get("last-modified", "")),
            digest=digest,
        ).model_dump()
        if digest == before.digest:
            yield Page(after)
            return
        uids = {ident.partition("#")[0] for ident in look.known}
        found = await asyncio.to_thread(
            lambda: _bounded(entries(answer.body, look.scope, uids), self.calendar.name)
        )
        listed = {one.ident for one in found}
        yield Page(after, found, gone=[ident for ident in look.known if ident not in listed])

    def _url(self) -> httpx.URL:
        calendar = self.calendar
        text = calendar.url or Secret(calendar.url_env, calendar.url_file, calendar.name).read()
        try:
            url = httpx.URL(text.replace("webcal://", "https://", 1))
        except httpx.InvalidURL:
            url = httpx.URL()
        if url.scheme not in {"http", "https"} or not url.host:
            raise NeedsHuman(f"the address of {calendar.name} is none", "write one that begins with https://")
        return url

    def _must_be_calendar(self, status: int, body: bytes) -> None:
        name = self.calendar.name
        if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            raise NeedsHuman(
                f"there is no calendar at the address of {name}",
                "publish it again, and put its new address where the old one stands",
            )
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise NeedsHuman(
                f"the server refuses to show {name}",
                "use the secret address of the calendar, which needs no password, or kind: caldav",
            )
        if status != HTTPStatus.OK:
            raise SourceDown(f"the server of {name} answers {status}")
        if b"BEGIN:VCALENDAR" not in body[:1000].upper():
            raise NeedsHuman(
                f"what lies at the address of {name} is no calendar",
                "name the address of its .ics file, not of the page that shows it",
            )


def _validator(header: str) -> str:
    """Return a header that can be sent back, empty where it cannot."""
    return header if header.isascii() and header.isprintable() and len(header) <= LONGEST_VALIDATOR else ""


def _bounded(found: Iterator[Entry], who: str) -> list[Entry]:
    """Return all meetings. Raises NeedsHuman where there are too many of them."""
    held = list(islice(found, MOST_ENTRIES + 1))
    if len(held) > MOST_ENTRIES:
        raise overfull(who)
    return held
