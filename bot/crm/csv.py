"""Read contacts from a CSV file: ours, or a contact export of HubSpot or Salesforce.

Only `email` is required. A row without a valid address is reported with its line and the others are taken.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from bot.model import Contact, Deal, NeedsHuman

COLUMNS: dict[str, tuple[str, ...]] = {
    "email": ("email", "e-mail", "email address", "e-mail address", "work email", "mail"),
    "name": ("name", "full name", "contact name", "person - name"),
    "first": ("first name", "firstname", "given name", "vorname"),
    "last": ("last name", "lastname", "surname", "family name", "nachname"),
    "title": ("title", "job title", "jobtitle", "position", "role"),
    "account": (
        "account",
        "account name",
        "company",
        "company name",
        "associated company",
        "organisation",
        "organization",
        "primary associated company",
        "associated company names",
        "account.name",
        "organization name",
        "organization 1 - name",
        "person - organization",
        "firma",
    ),
    "owner": (
        "owner",
        "contact owner",
        "account owner",
        "owner email",
        "contact owner email",
        "owner name",
        "owner.email",
        "owner.name",
        "person - owner",
    ),
    "deal": ("deal", "deal name", "opportunity", "opportunity name", "associated deal", "associated deals"),
    "amount": ("amount", "deal amount", "opportunity amount", "value"),
    "currency": ("currency", "amount currency", "deal currency", "currency iso code"),
    "stage": ("stage", "deal stage", "opportunity stage"),
    "close_date": ("close_date", "close date", "closing date", "closedate"),
    "country": ("country", "country/region", "mailing country", "mailingcountry", "country code"),
    "links": ("links", "link", "linkedin", "linkedin url", "linkedin profile", "website", "website url"),
    "informed_on": ("informed_on",),
}
"""What each column may be called, in lower case: our own name first, then those of exports."""

OF_EMAIL = frozenset({"email", "mail", "emailaddress", "emailadresse", "emailadres", "courriel"})
"""The word that an e-mail column of another name has once; "E-mail" is one word."""
BESIDE_EMAIL = frozenset(
    {
        "1",
        "address",
        "addresses",
        "adresse",
        "adres",
        "business",
        "contact",
        "id",
        "main",
        "person",
        "primary",
    }
    | {"value", "work", "geschäftlich", "dienstlich", "professionnel", "professionnelle", "trabajo"}
)
"""What else its name may say; any other word, such as "owner", "opt" or "type", makes it another column."""

ADDRESS = re.compile(r"[^@\s<>,;\"]{1,64}@(?!.{0,253}\.\.)[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
IN_BRACKETS = re.compile(r"[^<>]*<([^<>]*)>")
"""An address as mail programs write it, behind a name (RFC 5322, section 3.4)."""
SEPARATED_BY = re.compile(r"\ufeff?\"?sep=([,;\t|])\"?\s*", re.IGNORECASE)
"""A line with which Excel says in front of a table what separates its columns."""
IN_THOUSANDS = re.compile(r"\d\s*(?:k|m|b|bn|mio|mrd|tsd)\b", re.IGNORECASE)
DATE_FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d")
JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
"""Invisible, but part of how some languages write a name."""

BLANK = " \t\r\n,;|\ufeff"
LONGEST = 500
"""The longest value that is taken over; what is longer is cut."""


LOOKED_AT = 50
"""In so many rows an address is looked for where no column is called by what it holds."""

PROGRESS_EVERY = 2000
"""After so many rows each it is said how far reading has come."""

Progress = Callable[[str, int, int], None]
"""Told of a file how many rows were read so far, and of how many lines."""


@dataclass(frozen=True)
class BadRow:
    """A row that was left out; `line` is the one on which it begins, as an editor counts: the first is 1."""

    line: int
    reason: str


@dataclass(frozen=True)
class Contacts:
    """What a contacts file holds: the contacts by address, and the rows that were left out."""

    contacts: tuple[Contact, ...]
    bad: tuple[BadRow, ...] = ()


def read_contacts(path: Path, progress: Progress | None = None) -> Contacts:
    """Read a contacts file. Raises NeedsHuman where there is no such file or no e-mail column."""
    try:
        text = decode(path.read_bytes())
    except OSError as error:
        raise NeedsHuman(f"{path}: {error.strerror}", "name a CSV file with a column 'email'") from error
    return parse_contacts(text, str(path), progress)


def parse_contacts(text: str, where: str, progress: Progress | None = None) -> Contacts:
    """Read contacts from CSV text; `where` names it in errors and to `progress`."""
    lines = io.StringIO(text, newline="").readlines()
    begin = _first_line(lines, 0)
    said = SEPARATED_BY.fullmatch(lines[begin]) if begin < len(lines) else None
    if said is not None:
        begin = _first_line(lines, begin + 1)
    rows = read_rows(lines[begin:], said[1] if said else delimiter("".join(lines[begin : begin + 1])))
    _, header = next(rows, (0, []))
    columns = recognise(header)
    if "email" not in columns:
        found = ", ".join(name.strip() for name in header if name.strip())[:200]
        problem = f"no e-mail column among: {found}" if found.isprintable() and found else "holds no table"
        raise NeedsHuman(f"{where}: {problem}", _cure(header, rows))
    contacts: dict[str, Contact] = {}
    bad: list[BadRow] = []
    for number, (at, row) in enumerate(rows, start=1):
        if progress is not None and number % PROGRESS_EVERY == 0:
            progress(where, number, len(lines) - begin)
        if not any(cell.strip() for cell in row):
            continue
        line = begin + at + 1
        cells = {name: tidy(row[column]) for name, column in columns.items() if column < len(row)}
        address = cells.get("email", "").lower().removeprefix("mailto:")
        if named := IN_BRACKETS.fullmatch(address):
            address = named[1].strip()
        if not ADDRESS.fullmatch(address):
            bad.append(
                BadRow(line, f"'{address[:60]}' is no e-mail address" if address else "no e-mail address")
            )
            continue
        contact = _contact(address, cells)
        known = contacts.get(address)
        if known is not None:
            bad.append(BadRow(line, f"{address} stands in an earlier line; what is new was added to it"))
            contact = _merged(known, contact)
        contacts[address] = contact
    return Contacts(tuple(contacts.values()), tuple(bad))


def _first_line(lines: Sequence[str], begin: int) -> int:
    """Return where the first line stands from there on that holds anything."""
    return next((at for at in range(begin, len(lines)) if lines[at].strip(BLANK)), len(lines))


def _cure(header: Sequence[str], rows: Iterator[tuple[int, list[str]]]) -> str:
    """Say how to get a column 'email': by renaming the first that holds addresses, where one does."""
    for _, row in itertools.islice(rows, LOOKED_AT):
        for name, cell in zip(header, row, strict=False):
            shown = tidy(name)[:60]
            if shown and ADDRESS.fullmatch(tidy(cell)) and "owner" not in shown.lower():
                return f"rename the column '{shown}' to email"
    return "save a CSV file whose first line names a column 'email'"


def read_rows(lines: Sequence[str], mark: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows, each with how many lines stand before it.

    One that is not well quoted is taken as the single line on which it begins.
    Otherwise a quote that is never closed would swallow all rows after it.
    """
    at = 0
    while at < len(lines):
        rest = (lines[number] for number in range(at, len(lines)))
        reader = csv.reader(rest, delimiter=mark, strict=True)
        begin = at
        try:
            for row in reader:
                yield at, row
                at = begin + reader.line_num
        except csv.Error:
            yield at, one_row(lines[at], mark)
            at += 1


def one_row(line: str, mark: str) -> list[str]:
    """Return the cells of one line, whatever its quotes; those of a line that is too long are cut."""
    return next(csv.reader([line[: csv.field_size_limit()]], delimiter=mark), [])


def tidy(cell: str) -> str:
    """Return a cell on one line, without control characters, cut at the longest that is taken over."""
    line = " ".join(cell[: 2 * LONGEST].split())
    if not line.isprintable():
        line = "".join(char for char in line if char.isprintable() or char in JOINERS)
    return line[:LONGEST]


def decode(raw: bytes) -> str:
    """Decode by the byte order mark, else as UTF-8, else as Windows-1252, as spreadsheets write.

    A first letter beside a zero byte is UTF-16 that lacks its mark. Files that were joined may have both of
    the others, so what is no UTF-8 is decoded line by line.
    """
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if raw.startswith(mark):
            return raw.decode(encoding, "replace")
    if raw[:2].count(0) == 1:
        return raw.decode("utf-16-le" if raw[0] else "utf-16-be", "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(map(_decoded, raw.splitlines(keepends=True)))


def _decoded(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


def delimiter(header: str) -> str:
    """Return what separates the columns: the one by which most of them are recognised, then most are made."""

    def worth(mark: str) -> tuple[int, int]:
        names = one_row(header, mark)
        return len(recognise(names)), len(names)

    return max(",;\t|", key=worth)


def recognise(header: list[str]) -> dict[str, int]:
    """Return where each known column stands; the first of several wins."""
    names = [re.sub(r"\s+", " ", name.replace("_", " ")).strip().lower() for name in header]
    found: dict[str, int] = {}
    for column, spellings in COLUMNS.items():
        for spelling in spellings:
            if spelling.replace("_", " ") in names:
                found[column] = names.index(spelling.replace("_", " "))
                break
    if "email" not in found and any(hit := [_is_of_email(name) for name in names]):
        found["email"] = hit.index(True)
    return found


def _is_of_email(name: str) -> bool:
    """Say whether a column's name says e-mail address and nothing else: "Person - Email - Work"."""
    words = re.findall(r"[^\W\d_]+|\d+", re.sub(r"\be[\W_]?mail", "email", name[:LONGEST]))
    return sum(word in OF_EMAIL for word in words) == 1 and OF_EMAIL.union(BESIDE_EMAIL).issuperset(words)


def _contact(address: str, cells: dict[str, str]) -> Contact:
    name = cells.get("name") or f"{cells.get('first', '')} {cells.get('last', '')}".strip()
    deal = Deal(
        name=cells.get("deal", ""),
        amount=amount(cells.get("amount", "")),
        currency=cells.get("currency", ""),
        stage=cells.get("stage", ""),
        close_date=day(cells.get("close_date", "")),
    )
    return Contact(
        address=address,
        name=name,
        title=cells.get("title", ""),
        account=cells.get("account", ""),
        owner=cells.get("owner", ""),
        deal=deal if deal != Deal() else None,
        country=cells.get("country", ""),
        links=tuple(filter(None, re.split(r"[\s;|]+", cells.get("links", "")))),
        informed_on=day(cells.get("informed_on", "")),
    )


def _merged(known: Contact, other: Contact) -> Contact:
    """Return the known contact with what only the other row says."""
    changes = {
        name: getattr(other, name)
        for name in ("name", "title", "account", "owner", "deal", "country", "links", "informed_on")
        if not getattr(known, name) and getattr(other, name)
    }
    return replace(known, **changes)


def amount(text: str) -> float | None:
    """Read an amount as people write it: "48,000.00", "48.000,00", "€ 48 000"; None where it is none.

    One that is shortened ("48k", "1.5 Mio") is none: it must not be taken for 48.
    """
    if IN_THOUSANDS.search(text):
        return None
    digits = re.sub(r"[^\d.,-]", "", text)
    if re.fullmatch(r"-?[\d.]*,\d{1,2}", digits):
        digits = digits.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"-?\d{1,3}(\.\d{3})+", digits):
        digits = digits.replace(".", "")
    try:
        value = float(digits.replace(",", ""))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def day(text: str) -> date | None:
    """Read a date in the forms of the common exports; None where it is none."""
    for form in DATE_FORMATS if text else ():
        try:
            return datetime.strptime(re.split(r"[T\s,]", text, maxsplit=1)[0], form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None
