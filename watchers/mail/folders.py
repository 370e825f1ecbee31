"""Find the mails in files: a Maildir, an mbox, a folder with one mail a file, or one file.

In a folder every file is one mail, whatever its ending; only `*.mbox`, or a file named directly that begins
with a "From " line, is split. One mail at a time is read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from watchers.mail import Item, RawMail, Skipped, mbox
from watchers.mail.head import LIMITS

Reached = tuple[int, str]
"""An offset in an mbox, and the digest of what stands before it."""


@dataclass(frozen=True, slots=True)
class Found:
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


def mails(paths: Iterable[Path], source: str = "files") -> Iterator[Item]:
    """Yield every mail of these paths, in a stable order, and what could not be read."""
    for found in look_through(sorted(set(paths))):
        if found.is_mbox:
            yield from (item for item, _ in read_box(found, 0, source))
        else:
            yield read_file(found, source)


def look_through(paths: Iterable[Path]) -> Iterator[Found]:
    """Yield the files of all paths, each folder's sorted, whatever order the file system has them in."""
    for path in paths:
        if path.is_dir():
            yield from _walk(str(path))
            continue
        named = _look(str(path), str(path))
        splits = mbox.is_named_mbox(str(path)) or (not named.trouble and mbox.begins_as_mbox(path))
        yield _look(str(path), str(path), is_mbox=splits)


def read_file(found: Found, source: str) -> Item:
    """Read a file that is one mail."""
    if found.trouble:
        return Skipped(source, found.label, found.trouble)
    try:
        with open(found.path, "rb") as file:  # noqa: PTH123 - a Path each takes longer than the reading
            return RawMail(source, found.label, file.read(LIMITS.mail))
    except OSError as error:
        return Skipped(source, found.label, reason(error))


def read_box(found: Found, start: int, source: str) -> Iterator[tuple[Item, Reached | None]]:
    """Yield the mails of an mbox from an offset on, each with how far that brings us."""
    try:
        with Path(found.path).open("rb") as file:
            for begin, content, end in mbox.mails(file, start):
                reached = (end, mbox.tail(file, end))
                yield RawMail(source, f"{found.label}@{begin}", content), reached
    except OSError as error:
        yield Skipped(source, found.label, reason(error)), None


def reason(error: OSError) -> str:
    """Return in words why a file could not be read."""
    return (error.strerror or type(error).__name__).lower()


def _walk(root: str) -> Iterator[Found]:
    """Yield the files under a folder in order; of a Maildir only what was delivered."""
    try:
        entries = sorted(os.scandir(root), key=lambda entry: entry.name)
        folder = f"{root}\0{os.stat(root).st_ino}"  # noqa: PTH116 - as below
    except OSError as error:
        yield Found(root, root, trouble=reason(error))
        return
    folders = {entry.name for entry in entries if entry.is_dir(follow_symlinks=False)}
    is_maildir = {"cur", "new"} <= folders
    for entry in entries:
        if entry.name in folders:
            if not (is_maildir and entry.name == "tmp"):
                yield from _walk(entry.path)
        elif not is_maildir:
            yield _look(entry.path, folder, is_mbox=mbox.is_named_mbox(entry.path))


def _look(path: str, folder: str, *, is_mbox: bool = False) -> Found:
    try:
        status = os.stat(path)  # noqa: PTH116 - a Path each makes looking through 100,000 files twice as slow
    except OSError as error:
        return Found(path, folder, trouble=reason(error))
    if not stat.S_ISREG(status.st_mode):
        return Found(path, folder, trouble="not a regular file")
    return Found(path, folder, is_mbox, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
