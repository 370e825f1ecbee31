"""Look at calendars and pages as they were kept on earlier days, with the watchers that look at them today.

Pages lie in a folder for each: a `site.json` that lists what was fetched when, or files named by their day.
Calendars are `.ics` files, known from the day in their name, or else from when they were written; a meeting
that says when it was last changed is known from then.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from bot.backtest.past import Known
from bot.model import Contact, Json, NeedsHuman
from watchers import Scope
from watchers.calendar.files import FileCalendar
from watchers.calendars import Calendars
from watchers.public_pages import PageReport, PublicPages, plan
from watchers.web.client import Answer
from watchers.web.memory import Memory
from watchers.web.pages import MOST_BYTES, Fetched
from watchers.web.visits import visit

LARGEST_SITE = 20 * 2**20
LOOKS_AGAIN = 3
"""How often one snapshot is looked at again, to confirm what was found at its first look."""

NOON = time(12, tzinfo=UTC)
_DAY = re.compile(r"(?<!\d)(20\d\d)-?(0[1-9]|1[0-2])-?(0[1-9]|[12]\d|3[01])(?!\d)")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a page looked like on a day; `status` 0 is no answer."""

    at: datetime
    url: str
    status: int
    file: Path
    final_url: str = ""
    headers: Mapping[str, str] | None = None

    def fetched(self) -> Fetched:
        """Return what the server answered."""
        body = b""
        if self.file.is_file():
            opened = gzip.open if self.file.suffix == ".gz" else open
            with opened(self.file, "rb") as file:
                body = file.read(MOST_BYTES)
        return Fetched(
            self.status, self.url, self.final_url or self.url, body, self.at.date(), self.headers or {}
        )


@dataclass(frozen=True, slots=True)
class Site:
    """A page over time; `account` is the account's name or mail domain."""

    account: str
    snapshots: tuple[Snapshot, ...]

    @property
    def url(self) -> str:
        """Return the page's address."""
        return self.snapshots[0].url


class Archive:
    """Answers for a page with one of its snapshots, and for every other address with nothing."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    async def get(self, url: str, validators: Mapping[str, str] | None = None, digest: str = "") -> Answer:
        """Return what the page looked like."""
        del validators, digest
        if url != self._snapshot.url:
            return Answer(Fetched(404, url, url, b"", self._snapshot.at.date()))
        return Answer(self._snapshot.fetched())


async def pages(folder: Path, contacts: Sequence[Contact], scope: Scope) -> list[Known]:
    """Return what the snapshots in a folder say of the contacts. Raises NeedsHuman."""
    known: list[Known] = []
    watcher = PublicPages()
    for site in sites(folder, contacts):
        async for report in _looks(site, contacts):
            seen = tuple(watcher.read(report, scope))
            if seen:
                known.append(Known(report.at, report.source, seen))
    return known


async def _looks(site: Site, contacts: Sequence[Contact]) -> AsyncIterator[PageReport]:
    planned = plan(contacts, [(site.account, site.url)])
    for host, urls in planned.items():
        for url, watched in urls.items():
            if url != site.url:
                continue
            memory = Memory.from_json(None)
            ends = [snapshot.at for snapshot in site.snapshots[1:]]
            ends.append(site.snapshots[-1].at + timedelta(days=30))
            for snapshot, end in zip(site.snapshots, ends, strict=True):
                now = snapshot.at
                for _ in range(1 + LOOKS_AGAIN):
                    news, memory = await visit(Archive(snapshot), url, watched, memory, now)
                    if news.findings:
                        yield PageReport(f"public_pages:{host}", url, now, news)
                    if memory.next_look is None or memory.next_look >= end:
                        break
                    now = memory.next_look


def sites(folder: Path, contacts: Sequence[Contact]) -> Iterator[Site]:
    """Yield the pages that a folder holds, each with its snapshots, oldest first. Raises NeedsHuman."""
    listed = sorted(folder.rglob("site.json"))
    for path in listed:
        snapshots, account = _listed(path)
        if snapshots:
            yield Site(account or _account(snapshots[0].url, contacts), snapshots)
    if listed:
        return
    for place in sorted({file.parent for file in folder.rglob("*") if file.is_file()}):
        files = [(day, file) for file in sorted(place.iterdir()) if (day := day_in(file.name))]
        url = f"https://{place.name}/team"
        found = tuple(Snapshot(datetime.combine(day, NOON), url, 200, file) for day, file in sorted(files))
        if found:
            yield Site(_account(url, contacts), found)


def _listed(path: Path) -> tuple[tuple[Snapshot, ...], str]:
    try:
        if path.stat().st_size > LARGEST_SITE:
            raise NeedsHuman(f"{path} is too large", "keep one page a folder")
        site = json.loads(path.read_text(encoding="utf-8"))
        fetches = site.get("fetches") or site.get("mainline") or []
        found = [_snapshot(path.parent, site, fetch) for fetch in fetches]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NeedsHuman(f"{path} cannot be read: {error}", "see docs/backtest.md for its form") from error
    return tuple(sorted(found, key=lambda one: one.at)), str(site.get("domain") or site.get("account") or "")


def _snapshot(folder: Path, site: Mapping[str, Any], fetch: Mapping[str, Any]) -> Snapshot:
    file = folder / str(fetch["file"])
    if not file.resolve().is_relative_to(folder.resolve()):
        raise ValueError("a file lies outside its folder")
    headers = fetch.get("headers")
    return Snapshot(
        at=datetime.combine(date.fromisoformat(str(fetch["date"])[:10]), NOON),
        url=str(fetch.get("url") or site["url"]),
        status=int(fetch.get("status", 200)),
        file=file,
        final_url=str(fetch.get("final_url") or ""),
        headers={str(name): str(value) for name, value in headers.items()}
        if isinstance(headers, dict)
        else None,
    )


def _account(url: str, contacts: Sequence[Contact]) -> str:
    """Return the account whose mail domain the page's host is, or stands under; empty where there is none."""
    host = url.partition("://")[2].partition("/")[0].partition(":")[0].lower()
    return next((one.domain for one in contacts if f".{host}".endswith(f".{one.domain}")), host)


async def calendars(path: Path, scope: Scope) -> list[Known]:
    """Return what calendar files say of meetings with people in the scope."""
    cursor: Json = None
    known: list[Known] = []
    for day, file in _dated(path):
        read_at = datetime.combine(day, NOON)
        one = FileCalendar(kind="files", path=file, name=str(path), history_days=1000)
        watcher = Calendars(Calendars.Config(calendars=(one,)))
        watcher.clock = lambda at=read_at: at  # type: ignore[misc]  # a lambda's default has no type
        (source,) = watcher.sources(scope)
        async for batch in watcher.fetch(source, cursor, scope):
            cursor = batch.cursor
            for sighting in batch.items:
                seen = tuple(watcher.read(sighting, scope))
                if seen:
                    known.append(Known(min(read_at, *(each.at for each in seen)), source, seen))
    return known


def _dated(path: Path) -> list[tuple[date, Path]]:
    """Return the calendar files of a path, each with the day from which it is known, oldest first."""
    files = sorted(path.rglob("*.ics")) if path.is_dir() else [path]
    return sorted((day_in(file.name) or written_on(file), file) for file in files)


def day_in(name: str) -> date | None:
    """Return the day that a file's name holds, None where it holds none.

    >>> day_in("team-2026-03-05.html")
    datetime.date(2026, 3, 5)
    """
    found = _DAY.search(name)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def written_on(file: Path) -> date:
    """Return the day on which a file was written."""
    return datetime.fromtimestamp(file.stat().st_mtime, UTC).date()
