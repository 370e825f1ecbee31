"""The files that were dropped on the page: each content once, bounded, under names of our own."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import re
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath

from bot.crm.csv import tidy

MOST_FILES = 20_000
MOST_BYTES = 500 * 2**20
LARGEST_CONTACTS = 20 * 2**20
LONGEST_NAME = 80

MAIL, MBOX, CALENDAR, CONTACTS = "mail", "mbox", "calendar", "contacts"
BY_ENDING = {".eml": MAIL, ".mbox": MBOX, ".ics": CALENDAR, ".csv": CONTACTS}

NUMBERS = itertools.count(1)
"""No two files share one, also where the files are removed while one is on its way."""


class TooMuch(Exception):  # noqa: N818 - it is an answer, no error
    """Say that no more is taken."""


class Dropped:
    """What lies in a folder of its own; nothing is counted before the whole of it is there.

    Of several lists of contacts the last one counts. A calendar is the same where its name is, too: that may
    hold the day on which it looked like this.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.contacts = folder / "contacts.csv"
        self.kinds: dict[str, int] = {}
        self.list_name = ""
        self.coming = 0
        self._bytes = 0
        self._taken: set[bytes] = set()
        self._useless: set[bytes] = set()

    @property
    def skipped(self) -> int:
        """How many files were of no use."""
        return len(self._useless)

    async def take(self, name: str, content: AsyncIterator[bytes]) -> None:
        """Keep one file. Raises TooMuch where the bounds are reached; files of no use are skipped."""
        kind = kind_of(name)
        if kind is None:
            self._useless.add(hashlib.sha256(name.encode("utf-8", "replace")).digest())
            return
        if len(self._taken) + self.coming >= MOST_FILES:
            raise TooMuch(f"More than {MOST_FILES:,} files. Drop a smaller folder.")
        self.coming += 1
        whole = f"{next(NUMBERS):06}-{safe(name)}"
        part = self.folder / f"{whole}.part"
        size = 0
        mark = hashlib.sha256((safe(name) if kind == CALENDAR else kind).encode())
        try:
            with await asyncio.to_thread(part.open, "wb") as file:
                async for chunk in content:
                    size += len(chunk)
                    self._bytes += len(chunk)
                    if kind == CONTACTS and size > LARGEST_CONTACTS:
                        raise TooMuch(
                            f"A list of more than {LARGEST_CONTACTS // 2**20} MB. Drop a smaller one."
                        )
                    if self._bytes > MOST_BYTES:
                        raise TooMuch(f"More than {MOST_BYTES // 2**20} MB. Drop a smaller folder.")
                    mark.update(chunk)
                    await asyncio.to_thread(file.write, chunk)
            if kind == CONTACTS:
                part.replace(self.contacts)
                self.list_name = tidy(PurePosixPath(name).name)
                self.kinds[CONTACTS] = 1
            elif mark.digest() not in self._taken:
                (self.folder / kind).mkdir(exist_ok=True)
                part.replace(self.folder / kind / whole)
                self._taken.add(mark.digest())
                self.kinds[kind] = self.kinds.get(kind, 0) + 1
                size = 0
        except FileNotFoundError as error:
            raise TooMuch("The files were removed while this one was on its way.") from error
        finally:
            self.coming -= 1
            self._bytes -= size
            part.unlink(missing_ok=True)

    def mail(self) -> tuple[Path, ...]:
        """Return where mail lies: a folder with one a file, and each mailbox file."""
        single = tuple(path for path in (self.folder / MAIL,) if path.exists())
        return single + tuple(sorted((self.folder / MBOX).glob("*")))

    def calendars(self) -> tuple[Path, ...]:
        """Return where calendars lie."""
        return tuple(path for path in (self.folder / CALENDAR,) if path.exists())


def kind_of(name: str) -> str | None:
    """Say what a file is by its name, None where it is of no use; a Maildir's mails have no ending."""
    path = PurePosixPath(name)
    if path.parent.name in {"cur", "new"}:
        return MAIL
    if path.name.lower() == MBOX:
        return MBOX
    return BY_ENDING.get(path.suffix.lower())


def safe(name: str) -> str:
    """Return the last part of a name in letters that no file system minds."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", PurePosixPath(name).name)[-LONGEST_NAME:]
