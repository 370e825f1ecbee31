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
import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any, TextIO

from benchmarks.recorded import Recorded
from watchers.web.findings import State, Watched
from watchers.web.memory import NOBODY, Memory
from watchers.web.pages import Fetched
from watchers.web.reading import Look, look
from watchers.web.visits import News, visit

Row = dict[str, Any]
NOON = time(12, tzinfo=UTC)


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

    async def rows(self) -> AsyncIterator[Row]:
        """Yield the predictions for the main line, then for every branch."""
        memories: dict[str, tuple[Memory, date]] = {}
        memory = Memory()
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
            memory, rows = await self.visit(fetch, watched, memory, day)
            for row in rows:
                yield row
            memories[version] = memory, day
        for branch in self.data["branches"]:
            memory, day = memories[branch["base"]]
            for fetch in branch["fetches"]:
                day += timedelta(days=1)
                everybody = fetch.get("watched") or self.people[branch["base"]]
                watched = [key for key in everybody if key in self.contacts]
                memory, rows = await self.visit(fetch, watched, memory, day)
                for row in rows:
                    yield row

    async def visit(
        self, fetch: Row, watched: list[str], memory: Memory, day: date
    ) -> tuple[Memory, list[Row]]:
        """Look at one fetch as the watcher does, and keep what it keeps."""
        asked: dict[str, Fetched] = {}
        pages = {**(fetch.get("pages") or {}), fetch["url"]: fetch}

        def answer(url: str) -> Fetched:
            asked[url] = self.answer(pages.get(url, {"status": 404}), url, day)
            return asked[url]

        contacts = [self.contacts[key] for key in watched]
        now = datetime.combine(day, NOON)
        started = perf_counter()
        news, memory = await visit(Recorded(answer), fetch["url"], contacts, memory, now)
        self.seconds += perf_counter() - started
        self.fetches += 1
        base = {"site": self.data["site"], "version": fetch["fetch"]}
        rows: list[Row] = [{**base, **row} for row in states(watched, news, memory)]
        if fetch.get("extract"):
            rows.append({**base, "people": listed(look([*asked.values()]))})
        return Memory.from_json(json.loads(json.dumps(memory.as_json()))), rows

    def answer(self, row: Row, url: str, day: date) -> Fetched:
        """Return what the server answered."""
        headers = row.get("headers") or {}
        body = self.body(row["file"]) if "file" in row else b"<h1>Not found</h1>"
        final_url = row.get("final_url", url)
        return Fetched(row["status"], url, final_url, body, day, headers, headers.get("X-Error", ""))


def states(watched: Sequence[str], news: News, memory: Memory) -> Iterator[Row]:
    """Yield what stands of each person: what is new, or what was said last; unknown while nobody can tell.

    Who was said to be present and was not on the page when it was last read is unknown too.
    """
    found = {each.key: each for each in news.findings}
    people = (memory.kept or {}).get("people", {})
    last_read = max((one.get("seen", "") for one in people.values()), default="")
    for key in watched:
        state, why = memory.told.get(key, str(State.UNKNOWN)), "as before"
        if memory.why not in {"", NOBODY}:
            state, why = str(State.UNKNOWN), memory.why
        elif key in found:
            state, why = str(found[key].state), found[key].reason
        elif state == State.PRESENT and people[key].get("seen") != last_read:
            state, why = str(State.UNKNOWN), "not seen at the last look"
        yield {"person": key, "state": state, "why": why}


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
            asyncio.run(predict(site, out))
            a_fetch = round(1000 * site.seconds / site.fetches, 1)
            print(json.dumps({"site": name, "fetches": site.fetches, "ms_a_fetch": a_fetch}))


async def predict(site: Site, out: TextIO) -> None:
    """Write a line for each row of a site."""
    async for row in site.rows():
        out.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
