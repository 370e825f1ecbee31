"""Measure how many pages a second are looked at: unchanged, changed and new, beside simpler programs.

    python benchmarks/pages.py --data DIR [--rounds 3]

DIR holds recorded fetches as `benchmarks/profiles.py` reads them. For every version of a page that differs
from the one before it, a look is taken: at the old version as a new page, at the new one as a changed page,
and at the new one again as an unchanged page; ten people are watched. The new versions also go
through simpler programs: BeautifulSoup with lxml that merely parses, and `difflib` over the lines of the old
and the new text. Everything runs in this process and is counted in its processor time; the best of the rounds
counts. Prints one line of JSON for each, and one with the ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import difflib
import gzip
import json
import re
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

from bs4 import BeautifulSoup

from benchmarks.recorded import Recorded
from watchers.web.findings import Watched
from watchers.web.memory import Memory
from watchers.web.pages import Fetched, decode
from watchers.web.visits import visit

FIRST = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)
WATCHED = 10
"""More contacts than most accounts have."""
TAGS = re.compile(r"<[^>]{0,1000}>")


@dataclass(frozen=True)
class Change:
    """One version of a page and the next one, and who is watched on it."""

    url: str
    old: bytes
    new: bytes
    watched: tuple[Watched, ...]


def changes(data: Path) -> list[Change]:
    """Return the changes that were recorded."""
    found = []
    for file in sorted((data / "data").glob("*/site.json")):
        site = json.loads(file.read_text(encoding="utf-8"))
        people = {
            row["person"]: Watched(row["person"], row["name"], row.get("title", ""), row.get("company", ""))
            for row in site["watch"]
        }
        on = {version["id"]: [person[0] for person in version["people"]] for version in site["versions"]}
        fetches = [fetch for fetch in site["mainline"] if "file" in fetch]
        for before, after in pairwise(fetches):
            old, new = (
                gzip.decompress((file.parent / "pages" / fetch["file"]).read_bytes())
                for fetch in (before, after)
            )
            listed = on[before["fetch"].rstrip("r")]
            watched = tuple(people[key] for key in listed if key in people)[:WATCHED]
            if old != new:
                found.append(Change(after["final_url"], old, new, watched))
    return found


def looked_at(found: list[Change]) -> dict[str, float]:
    """Look at everything as new, as changed and as unchanged; return the seconds of each."""
    seconds = dict.fromkeys(("new", "changed", "unchanged"), 0.0)

    async def run() -> None:
        for change in found:
            memory = Memory()
            looks = (("new", change.old), ("changed", change.new), ("unchanged", change.new))
            for number, (name, body) in enumerate(looks):
                now = FIRST + number * DAY
                if name == "unchanged":
                    memory = settled(memory)
                began = time.process_time()
                client = Recorded(partial(only, change.url, body))
                _, memory = await visit(client, change.url, change.watched, memory, now)
                seconds[name] += time.process_time() - began

    asyncio.run(run())
    return seconds


def only(known: str, body: bytes, url: str) -> Fetched:
    """Return the one page that is known, and 404 for every other address."""
    return Fetched(*((200, url, url, body) if url == known else (404, url, url, b"")), FIRST.date())


def settled(memory: Memory) -> Memory:
    """Return a memory in which nothing waits to be confirmed: else a page is read although it is the same."""
    kept = dict(memory.kept or {})
    people = kept.get("people", {})
    kept["people"] = {key: {**one, "pending": None, "missing": None} for key, one in people.items()}
    return Memory.from_json({**memory.as_json(), "kept": kept})


def parsed(found: list[Change]) -> None:
    """Merely parse."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for change in found:
            BeautifulSoup(decode(change.new), "lxml")


def compared(found: list[Change]) -> None:
    """Compare two texts line by line."""
    for change in found:
        old, new = (TAGS.sub("\n", decode(body)).split("\n") for body in (change.old, change.new))
        before, after = ([line.strip() for line in text if line.strip()] for text in (old, new))
        list(difflib.unified_diff(before, after))


def best(work: Callable[[list[Change]], object], found: list[Change], rounds: int) -> float:
    """Return the seconds of the best round."""
    least = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        work(found)
        least = min(least, time.process_time() - began)
    return least


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    found = changes(given.data)
    rounds = [looked_at(found) for _ in range(given.rounds)]
    seconds = {name: min(one[name] for one in rounds) for name in rounds[0]}
    seconds["bare parse"] = best(parsed, found, given.rounds)
    seconds["text diff"] = best(compared, found, given.rounds)
    kilobytes = round(sum(len(change.new) for change in found) / len(found) / 1000, 1)
    for name, took in seconds.items():
        rate = round(len(found) / took, 1)
        print(json.dumps({"look": name, "pages": len(found), "kilobytes": kilobytes, "pages_a_second": rate}))
    ratios = {name: round(seconds["bare parse"] / seconds[name], 2) for name in ("new", "changed")}
    print(json.dumps({"of the bare parse": ratios}))


if __name__ == "__main__":
    main()
