"""Watch mails that lie in files: what is new since the last pass, whatever was moved, changed or grew."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from bot.model import Json, NeedsHuman, SourceDown
from watchers import Batch, Settings
from watchers.mail import Item, RawMail, Wants, mbox
from watchers.mail.folders import Found, Reached, look_through, mails, read_box, read_file, reason

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
        return mails(self.paths, self.source)

    def total(self) -> int:
        """Count the mails there are now."""
        return sum(_count(found, 0) for found in look_through(self.paths))

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
        everything = list(look_through(self.paths))
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

    def _read(self, new: Sequence[Found], starts: dict[str, int], place: _Place) -> Iterator[Item]:
        for found in new:
            if not found.is_mbox:
                place.upto = _key(found)
                yield read_file(found, self.source)
                continue
            for item, reached in read_box(found, starts[found.path], self.source):
                if reached is not None:
                    place.boxes[_key(found)] = reached
                yield item


class _Saved(BaseModel):
    """A `_Place` as it is kept between passes."""

    mark: int = 0
    fresh: str = ""
    folders: str = ""
    boxes: dict[str, Reached] = {}
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
    boxes: dict[str, Reached] = field(default_factory=dict)
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

    def new(self, everything: Sequence[Found]) -> Iterator[Found]:
        """Yield what this pass has to read; an mbox always, for it knows its own offset."""
        read = (
            {_key(found): at for at, found in enumerate(everything)}.get(self.upto, -1) if self.upto else -1
        )
        folders = {found.folder for found in everything}
        known = {folder for folder in folders if _digest(folder) in self.folders}
        for at, found in enumerate(everything):
            unchanged = found.changed <= self.mark and found.folder in known
            is_new = found.trouble or not (unchanged or _version(found) in self.fresh)
            if found.is_mbox or (at > read and is_new):
                yield found

    def finish(self, everything: Sequence[Found]) -> None:
        """Note that all of this was read."""
        self.mark, self.began, self.upto = self.began, 0, ""
        fresh = [_version(found) for found in everything if found.changed > self.mark and not found.is_mbox]
        self.fresh = set(fresh[:FRESH_KEPT])
        self.folders = {_digest(folder) for folder in {found.folder for found in everything}}
        boxes = {_key(found) for found in everything if found.is_mbox}
        self.boxes = {key: reached for key, reached in self.boxes.items() if key in boxes}


def _count(found: Found, start: int) -> int:
    """Count the mails of a file; of an mbox those after an offset."""
    if not found.is_mbox:
        return 1
    try:
        with Path(found.path).open("rb") as file:
            return sum(1 for _ in mbox.bounds(file, start))
    except OSError:
        return 1


def _resume(found: Found, boxes: dict[str, Reached]) -> int:
    """Return where to go on in an mbox: at its beginning, unless it only grew since."""
    at, digest = boxes.get(_key(found), (0, ""))
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
        raise SourceDown(f"{path} cannot be opened: {reason(error)}") from error
    if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
        raise NeedsHuman(f"{path} may not be read", _LET_US_READ)


_LET_US_READ = "give the user that runs Stillthere the right to read it"


def _key(found: Found) -> str:
    return _digest(found.path).hex()


def _version(found: Found) -> bytes:
    return _digest(f"{found.path}\0{found.size}\0{found.mtime}")


def _digest(text: str) -> bytes:
    return hashlib.blake2b(os.fsencode(text), digest_size=DIGEST).digest()


def _pack(digests: set[bytes]) -> str:
    return base64.b64encode(b"".join(sorted(digests))).decode("ascii")


def _unpack(text: str) -> set[bytes]:
    packed = base64.b64decode(text)
    return {packed[i : i + DIGEST] for i in range(0, len(packed), DIGEST)}
