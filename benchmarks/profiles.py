"""Run the watcher of public pages, exactly as shipped, over recorded fetches and write what it concluded.

Usage: profiles.py --data DIR [--split dev|heldout|all] [--sites A,B] --predictions OUT

DIR holds `split.json` and `data/<site>/site.json` with gzipped bodies in `data/<site>/pages`. Each site has a
main line of versions, each fetched twice, and branches that start from the state after their base version:
faults, redesigns, departures. Consecutive fetches count as a day apart. A row is one person's state after one
fetch; the people read are written as well where the fetch is marked for extraction.

The watcher may ask for further pages of the same site; it gets those that were recorded, and 404 for others.
Needs the installed project.
"""

from __future__ import annotations

import argparse
import copy
import gzip
import json
import re
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from watchers.web.pages import Fetched
from watchers.web.presence import Kept, Report, State, Watched, look_again
from watchers.web.reading import Look, look

Row = dict[str, Any]
ROUNDS = 4
BASE = re.compile(r"[~r]")
SEEN = frozenset((State.PRESENT, State.CHANGED, State.MOVED))


class Site:
    """One organisation's recorded fetches."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data: Row = json.loads((folder / "site.json").read_text(encoding="utf-8"))
        self.people = {
            version["id"]: [person[0] for person in version["people"]] for version in self.data["versions"]
        }
        self.dates = {version["id"]: date.fromisoformat(version["date"]) for version in self.data["versions"]}
        self.contacts = {
            row["person"]: Watched(row["person"], row["name"], row.get("title", ""), row.get("company", ""))
            for row in self.data["watch"]
        }
        self.since = {row["person"]: row["since"] for row in self.data["watch"]}
        self.fetches = 0
        self.seconds = 0.0

    def body(self, name: str) -> bytes:
        """Return a body as it was on the wire."""
        return gzip.decompress((self.folder / "pages" / name).read_bytes())

    def rows(self) -> Iterator[Row]:
        """Yield the predictions for the main line, then for every branch."""
        states: dict[str, tuple[Kept | None, date]] = {}
        state: Kept | None = None
        day = date.min
        for fetch in self.data["mainline"]:
            version = fetch["fetch"].rstrip("r")
            day = max(self.dates[version], day + timedelta(days=1)) if day > date.min else self.dates[version]
            new = [
                key for key, since in self.since.items() if since == version and key in self.people[version]
            ]
            watched = [
                key for key in dict.fromkeys([*(fetch["watched"] or []), *new]) if key in self.contacts
            ]
            state, rows = self.visit(fetch, watched, state, day)
            yield from rows
            states[version] = (copy.deepcopy(state), day)
        for branch in self.data["branches"]:
            state, day = copy.deepcopy(states[branch["base"]])
            for fetch in branch["fetches"]:
                day += timedelta(days=1)
                everybody = fetch.get("watched") or self.people[branch["base"]]
                watched = [key for key in everybody if key in self.contacts]
                state, rows = self.visit(fetch, watched, state, day)
                yield from rows

    def visit(self, fetch: Row, watched: list[str], state: Kept | None, day: date) -> tuple[Kept, list[Row]]:
        """Look at one fetch; ask for further pages as long as somebody is missing."""
        answers = [self.answer(fetch, fetch["final_url"], day, fetch)]
        contacts = [self.contacts[key] for key in watched]
        started = time.perf_counter()
        seen = look(answers)
        report = look_again(state, contacts, seen.sighting, day)
        for _ in range(ROUNDS):
            if not seen.wanted or not misses(report):
                break
            pages = fetch.get("pages") or {}
            answers += [self.answer(pages.get(url, {"status": 404}), url, day) for url in seen.wanted]
            seen = look(answers)
            report = look_again(state, contacts, seen.sighting, day)
        self.seconds += time.perf_counter() - started
        self.fetches += 1
        base = {"site": self.data["site"], "version": fetch["fetch"]}
        rows: list[Row] = [
            {**base, "person": each.key, "state": str(each.state), "why": each.reason}
            for each in report.findings
        ]
        if fetch.get("extract"):
            rows.append({**base, "people": listed(seen)})
        return report.state, rows

    def answer(self, row: Row, final_url: str, day: date, fetch: Row | None = None) -> Fetched:
        """Return what the server answered."""
        headers = row.get("headers") or {}
        body = self.body(row["file"]) if "file" in row else b"<h1>Not found</h1>"
        url = fetch["url"] if fetch else final_url
        return Fetched(row["status"], url, final_url, body, day, headers, headers.get("X-Error", ""))


def misses(report: Report) -> bool:
    """Say whether anybody watched was not seen."""
    return any(finding.state not in SEEN for finding in report.findings)


def listed(seen: Look) -> list[Row]:
    """Return the people of a look as the scorer reads them."""
    members = [person for person in seen.sighting.people if not person.former and not person.weak]
    return [{"name": person.name, "title": person.title} for person in members]


def main() -> None:
    """Run the sites that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", choices=("dev", "heldout", "all"), default="all")
    parser.add_argument("--sites", default="")
    parser.add_argument("--predictions", type=Path, required=True)
    given = parser.parse_args()
    split: dict[str, list[str]] = json.loads((given.data / "split.json").read_text(encoding="utf-8"))
    names = (
        given.sites.split(",")
        if given.sites
        else split["dev"] + split["heldout"]
        if given.split == "all"
        else split[given.split]
    )
    with given.predictions.open("w", encoding="utf-8") as out:
        for name in names:
            site = Site(given.data / "data" / name)
            for row in site.rows():
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
            print(
                json.dumps(
                    {
                        "site": name,
                        "fetches": site.fetches,
                        "ms_a_fetch": round(1000 * site.seconds / site.fetches, 1),
                    }
                )
            )


if __name__ == "__main__":
    main()
