"""Read mails from files: a Maildir, an mbox, a folder with one mail a file, or one file.

In a folder every file is one mail, whatever its ending; only `*.mbox`, or a file named directly that begins
with a "From " line, is split. One mail at a time is read.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import stat
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from bot.model import Json, NeedsHuman, SourceDown
from watchers import Batch, Settings
from watchers.mail import Item, RawMail, Skipped, Wants, mbox
from watchers.mail.parse import LIMITS

BATCH_MAILS = 200
BATCH_BYTES = 32 * 2**20

CLOCK_GRAIN = 2 * 10**9
"""Nanoseconds by which a file system's clock may lag behind ours on the same machine, generously."""

FRESH_KEPT = 5000
"""How many files of the pass' last moments are remembered one by one; the others are read once more."""

DIGEST = 8


class FileMailbox(Settings):
    """A mailbox that lies in files."""

    kind: Literal["files"]
    path: Path = Field(description="a Maildir, an mbox, a folder with one mail a file, or one file")
    name: str = Field(default="", description="what to call it; the path where empty")

    @property
    def label(self) -> str:
        """Return what the mailbox is called."""
        return self.name or str(self.path)

    def open(self, source: str) -> MailFiles:
        """Return the source of its mails."""
        return MailFiles([self.path], source)


class MailFiles:
    """The mails of these paths, as one source."""

    def __init__(self, paths: Iterable[Path], source: str = "files") -> None:
        self.paths = tuple(sorted(set(paths)))
        self.source = source

    def mails(self) -> Iterator[Item]:
        """Yield every mail, in a stable order, and what could not be read."""
        for found in self._found():
            yield from (item for item, _ in self._box(found, 0)) if found.is_mbox else [self._file(found)]

    def total(self) -> int:
        """Count the mails there are now."""
        return sum(_count(found, 0) for found in self._found())

    async def batches(self, cursor: Json, wants: Wants) -> AsyncIterator[Batch[Item]]:
        """Yield what is new since the cursor, whole: a file lies here already, there is nothing to fetch."""
        del wants
        for path in self.paths:
            _must_open(path)
        reading = self._batches(_Place.of(cursor))
        while (batch := await asyncio.to_thread(next, reading, None)) is not None:
            yield batch

    async def woken(self, within: timedelta) -> bool:
        """Wait; files wake nobody."""
        await asyncio.sleep(within.total_seconds())
        return False

    def _batches(self, place: _Place) -> Iterator[Batch[Item]]:
        place.began = place.began or time.time_ns() - CLOCK_GRAIN
        everything = list(self._found())
        new = list(place.new(everything))
        starts = {found.path: _resume(found, place.boxes) for found in new if found.is_mbox}
        total = sum(_count(found, starts.get(found.path, 0)) for found in new)
        items: list[Item] = []
        size = 0
        for item in self._read(new, starts, place):
            items.append(item)
            size += len(item.content) if isinstance(item, RawMail) else 0
            if len(items) >= BATCH_MAILS or size >= BATCH_BYTES:
                yield Batch(self.source, items, place.cursor(), total)
                items, size = [], 0
        place.finish(everything)
        yield Batch(self.source, items, place.cursor(), total)

    def _read(self, new: Sequence[_Found], starts: dict[str, int], place: _Place) -> Iterator[Item]:
        for found in new:
            if not found.is_mbox:
                place.upto = found.key
                yield self._file(found)
                continue
            for item, reached in self._box(found, starts[found.path]):
                if reached is not None:
                    place.boxes[found.key] = reached
                yield item

    def _file(self, found: _Found) -> Item:
        if found.trouble:
            return Skipped(self.source, found.label, found.trouble)
        try:
            with Path(found.path).open("rb") as file:
                return RawMail(self.source, found.label, file.read(LIMITS.mail))
        except OSError as error:
            return Skipped(self.source, found.label, _reason(error))

    def _box(self, found: _Found, start: int) -> Iterator[tuple[Item, _Reached | None]]:
        """Yield the mails of an mbox from an offset on, each with how far that brings us."""
        try:
            with Path(found.path).open("rb") as file:
                for begin, content, end in mbox.mails(file, start):
                    reached = (end, mbox.tail(file, end))
                    yield RawMail(self.source, f"{found.label}@{begin}", content), reached
        except OSError as error:
            yield Skipped(self.source, found.label, _reason(error)), None

    def _found(self) -> Iterator[_Found]:
        """Yield the files of all paths, each folder's sorted, whatever order the file system has them in."""
        for path in self.paths:
            if path.is_dir():
                yield from _walk(path)
                continue
            named = _look(str(path), str(path))
            splits = mbox.is_named_mbox(str(path)) or (not named.trouble and mbox.begins_as_mbox(path))
            yield _look(str(path), str(path), is_mbox=splits)


_Reached = tuple[int, str]
"""An offset in an mbox, and the digest of what stands before it."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A file; `folder` names the one it lies in, with its inode. `trouble` says why it cannot be read."""

    path: str
    folder: str
    is_mbox: bool = False
    size: int = 0
    mtime: int = 0
    changed: int = 0
    trouble: str = ""

    @property
    def label(self) -> str:
        """Return the path as text, also where its name is not UTF-8."""
        return os.fsencode(self.path).decode("utf-8", "replace")

    @property
    def key(self) -> str:
        return _digest(self.path).hex()

    @property
    def version(self) -> bytes:
        return _digest(f"{self.path}\0{self.size}\0{self.mtime}")


class _Saved(BaseModel):
    """A `_Place` as it is kept between passes."""

    mark: int = 0
    fresh: str = ""
    folders: str = ""
    boxes: dict[str, _Reached] = {}
    began: int = 0
    upto: str = ""


@dataclass(slots=True)
class _Place:
    """Where reading goes on, in a few bytes a folder and an mbox, however many mails there are.

    A file is new when its inode changed (ctime, which unlike mtime cannot be set back) after `mark`, or when
    its folder was never seen, for moving a folder in changes none of its files. `fresh` are those already
    read that changed after the mark. While a pass is under way, `upto` is the file read last and `began` the
    mark that the pass will leave.
    """

    mark: int = 0
    fresh: set[bytes] = field(default_factory=set)
    folders: set[bytes] = field(default_factory=set)
    boxes: dict[str, _Reached] = field(default_factory=dict)
    began: int = 0
    upto: str = ""

    @classmethod
    def of(cls, cursor: Json) -> _Place:
        """Read a cursor; None, or one that is none of ours, starts from the beginning."""
        try:
            saved = _Saved.model_validate(cursor or {})
            fresh, folders = _unpack(saved.fresh), _unpack(saved.folders)
        except (ValidationError, ValueError):
            return cls()
        return cls(saved.mark, fresh, folders, saved.boxes, saved.began, saved.upto)

    def cursor(self) -> Json:
        """Return what to keep."""
        saved = _Saved(
            mark=self.mark,
            fresh=_pack(self.fresh),
            folders=_pack(self.folders),
            boxes=self.boxes,
            began=self.began,
            upto=self.upto,
        )
        dumped: dict[str, Json] = saved.model_dump(mode="json")
        return dumped

    def new(self, everything: Sequence[_Found]) -> Iterator[_Found]:
        """Yield what this pass has to read; an mbox always, for it knows its own offset."""
        read = {found.key: at for at, found in enumerate(everything)}.get(self.upto, -1) if self.upto else -1
        folders = {found.folder for found in everything}
        known = {folder for folder in folders if _digest(folder) in self.folders}
        for at, found in enumerate(everything):
            unchanged = found.changed <= self.mark and found.folder in known
            is_new = found.trouble or not (unchanged or found.version in self.fresh)
            if found.is_mbox or (at > read and is_new):
                yield found

    def finish(self, everything: Sequence[_Found]) -> None:
        """Note that all of this was read."""
        self.mark, self.began, self.upto = self.began, 0, ""
        fresh = [found.version for found in everything if found.changed > self.mark and not found.is_mbox]
        self.fresh = set(fresh[:FRESH_KEPT])
        self.folders = {_digest(folder) for folder in {found.folder for found in everything}}
        boxes = {found.key for found in everything if found.is_mbox}
        self.boxes = {key: reached for key, reached in self.boxes.items() if key in boxes}


def _walk(root: Path) -> Iterator[_Found]:
    """Yield the files under a folder in order; of a Maildir only what was delivered."""
    try:
        entries = sorted(os.scandir(root), key=lambda entry: entry.name)
        folder = f"{root}\0{root.stat().st_ino}"
    except OSError as error:
        yield _Found(str(root), str(root), trouble=_reason(error))
        return
    folders = {entry.name for entry in entries if entry.is_dir(follow_symlinks=False)}
    is_maildir = {"cur", "new"} <= folders
    for entry in entries:
        if entry.name in folders:
            if not (is_maildir and entry.name == "tmp"):
                yield from _walk(Path(entry.path))
        elif not is_maildir:
            yield _look(entry.path, folder, is_mbox=mbox.is_named_mbox(entry.path))


def _look(path: str, folder: str, *, is_mbox: bool = False) -> _Found:
    try:
        status = os.stat(path)  # noqa: PTH116 - a Path each makes looking through 100,000 files twice as slow
    except OSError as error:
        return _Found(path, folder, trouble=_reason(error))
    if not stat.S_ISREG(status.st_mode):
        return _Found(path, folder, trouble="not a regular file")
    return _Found(path, folder, is_mbox, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _count(found: _Found, start: int) -> int:
    """Count the mails of a file; of an mbox those after an offset."""
    if not found.is_mbox:
        return 1
    try:
        with Path(found.path).open("rb") as file:
            return sum(1 for _ in mbox.bounds(file, start))
    except OSError:
        return 1


def _resume(found: _Found, boxes: dict[str, _Reached]) -> int:
    """Return where to go on in an mbox: at its beginning, unless it only grew since."""
    at, digest = boxes.get(found.key, (0, ""))
    try:
        with Path(found.path).open("rb") as file:
            return at if mbox.goes_on(file, at, digest) else 0
    except OSError:
        return 0


def _must_open(path: Path) -> None:
    """Say in the failure words what keeps a path that was named from being read."""
    try:
        path.stat()
    except PermissionError as error:
        raise NeedsHuman(f"{path} may not be read", _LET_US_READ) from error
    except OSError as error:
        raise SourceDown(f"{path} cannot be opened: {_reason(error)}") from error
    if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
        raise NeedsHuman(f"{path} may not be read", _LET_US_READ)


_LET_US_READ = "give the user that runs Stillthere the right to read it"


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


def _digest(text: str) -> bytes:
    return hashlib.blake2b(os.fsencode(text), digest_size=DIGEST).digest()


def _pack(digests: set[bytes]) -> str:
    return base64.b64encode(b"".join(sorted(digests))).decode("ascii")


def _unpack(text: str) -> set[bytes]:
    packed = base64.b64decode(text)
    return {packed[i : i + DIGEST] for i in range(0, len(packed), DIGEST)}
