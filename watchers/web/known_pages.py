"""The file of pages that were found for the accounts, and what somebody said of each."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

MOST_BYTES = 8 * 2**20
_FIELDS = ("account", "url", "status", "why")


class Status(StrEnum):
    """What became of a page that was found."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class KnownPage:
    """A page of an account; `why` says in words what was found on it."""

    account: str
    url: str
    status: Status
    why: str = ""


def read(path: Path) -> list[KnownPage]:
    """Return the pages in a file; none where there is no file. A line that says nothing is skipped."""
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES).decode("utf-8-sig", "replace")
    except FileNotFoundError:
        return []
    found = []
    for line in text.replace("\x00", "").splitlines():
        cells = dict.fromkeys(_FIELDS, "") | dict(zip(_FIELDS, _cells(line), strict=False))
        if cells["url"] and cells["account"] and cells["status"] in set(Status):
            found.append(KnownPage(cells["account"], cells["url"], Status(cells["status"]), cells["why"]))
    return found


def _cells(line: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line]), ())]
    except csv.Error:
        return []


def confirmed(path: Path) -> list[KnownPage]:
    """Return the pages that are to be watched."""
    return [page for page in read(path) if page.status is Status.CONFIRMED]


def write(path: Path, pages: Iterable[KnownPage]) -> None:
    """Replace the file, in one step: a service that reads it meanwhile sees the old or the new one."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(_FIELDS)
    for page in pages:
        rows.writerow(" ".join(cell.split()) for cell in (page.account, page.url, page.status, page.why))
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    written = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text.getvalue())
            file.flush()
            os.fsync(file.fileno())
        written.replace(path)
    except OSError:
        written.unlink(missing_ok=True)
        raise


def propose(known: Sequence[KnownPage], found: Iterable[KnownPage]) -> list[KnownPage]:
    """Add what was found: what somebody has decided already stays decided."""
    urls = {(page.account, page.url) for page in known}
    return [*known, *(page for page in found if (page.account, page.url) not in urls)]


def decide(known: Sequence[KnownPage], url: str, status: Status) -> list[KnownPage]:
    """Set what somebody says of a page. Raises KeyError where nobody proposed it."""
    if all(page.url != url for page in known):
        raise KeyError(url)
    return [replace(page, status=status) if page.url == url else page for page in known]
