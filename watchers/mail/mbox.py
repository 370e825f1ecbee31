"""Split an mbox into its mails without holding it in memory (RFC 4155; quoted as mboxrd and mboxo do)."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from watchers.mail.head import LIMITS

BLOCK = 2**20
SEPARATOR_LINE = 1000
"""How much of a "From " line, and of the line after it, is looked at."""

LOOK_BACK = 4
TAIL = 512

_START = b"\nFrom "
_BY_A_PROGRAM = re.compile(rb"From (?:\S{1,320}@\S{1,255}\r?\n|[^\n]{0,320}?\d\d:\d\d[^\n]{0,40}\d{4})")
_HEADER = re.compile(rb"(?:>?From |[!-9;-~]{1,100}[ \t]*:)")


def is_named_mbox(path: str) -> bool:
    """Say whether the name is an mbox's; Apple Mail exports a folder `x.mbox` with a file `mbox` in it."""
    return path.lower().endswith((".mbox", ".mbox/mbox"))


def begins_as_mbox(path: Path) -> bool:
    """Say whether the file begins with a "From " line; an unreadable one does not."""
    try:
        with path.open("rb") as file:
            return file.read(5) == b"From "
    except OSError:
        return False


def mails(file: BinaryIO, start: int = 0) -> Iterator[tuple[int, bytes, int]]:
    """Yield each mail from an offset on: where it begins, its bytes (cut at the limit), where it ends."""
    for begin, end in bounds(file, start):
        file.seek(begin)
        yield begin, unquote(file.read(min(end - begin, LIMITS.mail))), end


def bounds(file: BinaryIO, start: int = 0) -> Iterator[tuple[int, int]]:
    """Yield where each mail begins and ends, from an offset on."""
    begin = start
    for at in _separators(file, start):
        yield begin, at
        begin = at
    end = file.seek(0, os.SEEK_END)
    if end > begin:
        yield begin, end


def unquote(mail: bytes) -> bytes:
    """Undo the quoting of lines that begin with "From "."""
    return re.sub(rb"^>(>{0,99}From )", rb"\1", mail, flags=re.MULTILINE) if b">From " in mail else mail


def tail(file: BinaryIO, at: int) -> str:
    """Return a digest of what stands right before an offset, by which a grown mbox is known again."""
    file.seek(max(0, at - TAIL))
    return hashlib.blake2b(file.read(min(at, TAIL)), digest_size=8).hexdigest()


def goes_on(file: BinaryIO, at: int, digest: str) -> bool:
    """Say whether the mbox only grew since its mails were read up to this offset."""
    return tail(file, at) == digest and file.read(7).lstrip(b"\r\n")[:5] in {b"", b"From "}


def _separators(file: BinaryIO, start: int) -> Iterator[int]:
    """Yield the offsets after `start` where a "From " line begins another mail."""
    base, window, search_from = start, b"", 0
    while True:
        file.seek(base + len(window))
        block = file.read(BLOCK)
        window += block
        is_last = len(block) < BLOCK
        horizon = len(window) if is_last else len(window) - 2 * SEPARATOR_LINE
        at = window.find(_START, search_from, horizon)
        while at != -1:
            if _separates(window, at + 1):
                yield base + at + 1
            at = window.find(_START, at + 1, horizon)
        if is_last:
            return
        unsearched = horizon - len(_START) + 1
        kept = unsearched - LOOK_BACK
        base, window, search_from = base + kept, window[kept:], LOOK_BACK


def _separates(window: bytes, at: int) -> bool:
    """Say whether the "From " line at `at` begins a mail.

    A sentence that begins so, in a mail whose writer quoted nothing, is told apart by what stands around it:
    a blank line before, a time and year or an address in it, and a header after it.
    """
    if not window[max(0, at - LOOK_BACK) : at].endswith((b"\n\n", b"\n\r\n")):
        return False
    if not _BY_A_PROGRAM.match(window, at, at + SEPARATOR_LINE):
        return False
    line = window.find(b"\n", at, at + SEPARATOR_LINE)
    return line != -1 and _HEADER.match(window, line + 1, line + SEPARATOR_LINE) is not None
