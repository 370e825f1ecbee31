"""Measure how long and in how much memory contacts files of 200,000 rows are read.

Each file is read in a process of its own, so that memory is its own. One row in a hundred has no valid
address and one in a hundred repeats an earlier person; all of them must be listed with their numbers. One
JSON line a file: seconds, peak megabytes (of which `base_mb` before reading), contacts, rows left out, and
whether what was listed is what was put in.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bot.crm.csv import read_contacts

KIBIBYTE = 1024
BROKEN, REPEATED = 37, 73
"""Which of each hundred rows has no address, and which repeats the one before it."""

FORMS = {"utf-8": ("utf-8", ","), "cp1252": ("cp1252", ";"), "utf-16": ("utf-16", ";")}
TARGETS = {"seconds": 60.0, "peak_mb": 300.0}


def rows(count: int, mark: str) -> Iterator[str]:
    """Yield the lines of a file in the form of a CRM export."""
    columns = "Email,Full name,Job title,Company name,Contact owner,Deal name,Amount,Close date,Country"
    yield columns.replace(",", mark)
    for number in range(count):
        person = number - 1 if number % 100 == REPEATED else number
        address = "not known" if number % 100 == BROKEN else f"person{person}@account{person % 5000}.example"
        cells = (
            address,
            f"J\u00fcrgen M\u00fcller{person}",
            '"Leiter, Einkauf"',
            f"Konto {person % 5000} GmbH",
            f"rep{person % 40}@vendor.example",
            f"Deal {person}",
            '"48.000,00"',
            "30.06.2027",
            "Germany",
        )
        yield mark.join(cells)


def measure(path: Path) -> None:
    """Read one file and print what it took."""
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIBIBYTE
    begin = time.perf_counter()
    found = read_contacts(path)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIBIBYTE
    listed = [(row.line - 2) % 100 for row in found.bad]
    told = {
        "seconds": round(seconds, 1),
        "peak_mb": round(peak),
        "base_mb": round(base),
        "contacts": len(found.contacts),
        "left_out": len(found.bad),
        "numbers_right": set(listed) == {BROKEN, REPEATED},
    }
    print(json.dumps(told))


def main() -> int:
    """Write the files, read each in a process of its own; fail where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--read", type=Path, help="read this file in this process")
    asked = parser.parse_args()
    if asked.read is not None:
        measure(asked.read)
        return 0
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        for name, (encoding, mark) in FORMS.items():
            path = Path(folder, f"{name}.csv")
            path.write_text("\n".join(rows(asked.rows, mark)), encoding=encoding)
            command = [sys.executable, __file__, "--read", str(path)]
            ran = subprocess.run(command, check=True, capture_output=True, text=True)
            told = {"file": name, "mb": round(path.stat().st_size / KIBIBYTE**2, 1), **json.loads(ran.stdout)}
            print(json.dumps(told))
            missed = missed or any(told[figure] > most for figure, most in TARGETS.items())
            missed = missed or not told["numbers_right"]
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
