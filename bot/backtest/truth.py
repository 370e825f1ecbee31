"""Read what really happened: who left when, and when a source could not be read."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from bot.backtest.replay import Outage
from bot.crm.csv import decode, delimiter
from bot.model import NeedsHuman

WHO = ("email", "contact", "address", "e-mail", "mail")
WHEN = ("departed", "departed_on", "left", "left_on", "departure", "last_day", "date", "day", "on")


def departures(path: Path) -> dict[str, date]:
    """Read a CSV of who left on which day: a column `email` and a column `departed`.

    Who is listed without a date is known not to have left. Raises NeedsHuman, also where two rows give one
    person different days.
    """
    found: dict[str, date] = {}
    for line, row in _rows(path, (WHO, WHEN)):
        who = next((row[name] for name in WHO if row.get(name)), "").lower().removeprefix("mailto:")
        columns = [name for name in WHEN if name in row]
        if "@" not in who or not columns:
            raise NeedsHuman(
                f"{path}: line {line} names no contact and day", "give it the columns 'email' and 'departed'"
            )
        text = next((row[name] for name in columns if row[name]), "")
        if not text:
            continue
        day = _day(text, path, line)
        if found.setdefault(who, day) != day:
            raise NeedsHuman(
                f"{path}: line {line}: {who[:80]} left on {day}, and on {found[who]} in a line before",
                "keep the line with their last day at work",
            )
    return found


def outages(path: Path, sources: Mapping[str, str]) -> tuple[Outage, ...]:
    """Read a CSV of when a source could not be read: columns `source`, `from`, `to`, `what`.

    `sources` gives, for the name of each mailbox, the source. Where both days are one, the source forgot on
    that day where reading had stopped, and was read from its beginning.
    """
    found = []
    for line, row in _rows(path, (("source",), ("from",), ("to",))):
        name = row.get("source", "")
        if name not in sources:
            known = ", ".join(sorted(sources)[:5])
            raise NeedsHuman(
                f"{path}: line {line}: no mailbox is called {name[:60]!r}", f"name one of: {known}"
            )
        first, last = (_day(row.get(column, ""), path, line) for column in ("from", "to"))
        found.append(Outage(sources[name], first, last, row.get("what", ""), again=first == last))
    return tuple(found)


def _rows(path: Path, needed: Sequence[Sequence[str]]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a table that has, of each group of names, one as a column; each with its line."""
    try:
        text = decode(path.read_bytes())
    except OSError as error:
        raise NeedsHuman(f"{path}: {error.strerror}", "name a CSV file") from error
    numbered = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    lines = [line for _, line in numbered]
    table = csv.DictReader(lines, delimiter=delimiter("".join(lines[:1])))
    try:
        columns = {name.strip().lower() for name in table.fieldnames or ()}
        missing = [names[0] for names in needed if columns.isdisjoint(names)]
        if missing:
            raise NeedsHuman(
                f"{path}: no column {' and no column '.join(map(repr, missing))}", "name it in the first line"
            )
        for row in table:
            yield (
                numbered[table.line_num - 1][0],
                {
                    str(name).strip().lower(): (value or "").strip()
                    for name, value in row.items()
                    if isinstance(value, str | None)
                },
            )
    except csv.Error as error:
        raise NeedsHuman(f"{path}: line {table.line_num + 1}: {error}", "save it as CSV again") from error


def _day(text: str, path: Path, line: int) -> date:
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise NeedsHuman(
            f"{path}: line {line}: {text[:20]!r} is no day", "write days as 2026-08-14"
        ) from error
