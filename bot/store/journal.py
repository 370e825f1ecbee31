"""What was written last, on the disk before its files are.

Waiting for a small file and for its name costs the disk two turns, and more for many; waiting for the end of
one file costs one. So a write is durable once it stands in the journal. Its files follow at once, but nobody
waits for them until the journal is emptied; after a crash the next start writes them anew from it.

A record is a line of JSON (each file's name and size, and a checksum), then the files' contents.
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path

PRIVATE_FILE = 0o600
NAME = "journal"


class Journal:
    """The journal of a folder; one process and one thread at a time use it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / NAME
        self.length = 0
        self._before = 0
        self._handle: int | None = None

    def append(self, files: Mapping[Path, bytes]) -> None:
        """Add a record, durable on return. Raise OSError where the disk refuses: it is not there then."""
        record = encode({str(path.relative_to(self.folder)): files[path] for path in files})
        self._before = self.length
        handle = self._opened()
        try:
            write_at(handle, record, self.length)
            os.fdatasync(handle)
        except OSError:
            self.take_back()
            raise
        self.length += len(record)

    def take_back(self) -> None:
        """Remove the record that was added last."""
        self.length = self._before
        with contextlib.suppress(OSError):  # what cannot be cut off is written over by the next record
            os.ftruncate(self._opened(), self.length)
            os.fdatasync(self._opened())

    def empty(self) -> None:
        """Forget everything: it is in its files, durably."""
        if self._handle is None and not self.path.exists():
            return
        os.ftruncate(self._opened(), 0)
        os.fdatasync(self._opened())
        self.length = self._before = 0

    def read(self) -> dict[Path, bytes]:
        """Return each file's latest content; a record that a crash cut off was never said to be written."""
        if not self.path.exists():
            return {}
        return {self.folder / name: content for name, content in decode(self.path.read_bytes()).items()}

    def close(self) -> None:
        """Let go of the file."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _opened(self) -> int:
        if self._handle is None:
            self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
            sync_folder(self.folder)
        return self._handle


def encode(files: Mapping[str, bytes]) -> bytes:
    """Return a record as it stands in the journal."""
    contents = b"".join(files.values())
    sizes = [[name, len(content)] for name, content in files.items()]
    return json.dumps({"files": sizes, "crc": zlib.crc32(contents)}).encode() + b"\n" + contents


def decode(journal: bytes) -> dict[str, bytes]:
    """Return each file's latest content, up to the first record that is not whole."""
    latest: dict[str, bytes] = {}
    at = 0
    while (end := journal.find(b"\n", at)) >= 0:
        try:
            head = json.loads(journal[at:end])
            sizes = [(str(name), int(size)) for name, size in head["files"]]
            crc = int(head["crc"])
        except (ValueError, KeyError, TypeError):
            break
        at, begin = end + 1 + sum(size for _, size in sizes), end + 1
        if any(size < 0 for _, size in sizes) or at > len(journal) or zlib.crc32(journal[begin:at]) != crc:
            break
        for name, size in sizes:
            latest[name] = journal[begin : begin + size]
            begin += size
    return latest


def write_at(handle: int, content: bytes, at: int) -> None:
    """Write all of it."""
    rest = memoryview(content)
    while rest:
        written = os.pwrite(handle, rest, at)
        rest, at = rest[written:], at + written


def sync_folder(folder: Path) -> None:
    """Wait until the names in the folder are on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
