"""Measure the TinyDB store beside stock TinyDB and sqlite3 doing the same work, and PostgreSQL at ten times.

Each peer runs in a process of its own, so that memory is its own. One JSON line a peer: milliseconds a write
(record one new observation of a person), milliseconds a read (all that is kept of a person), seconds to
start (open, and know who has news), peak megabytes of the process that starts, reads and writes. On a busy
machine look at `cpu_ms` (processor time of a read and a write together), `start_cpu_s`, `sync_ms`, what the
disk takes to make the end of one file durable, and `disk_ms`, a small file and its name, both measured
between the writes. Then one line with the
ratios to ours (above 1: the peer is slower or larger). PostgreSQL (with fsync, 32 MB of shared buffers) is
measured at ten times as many people; the memory is that of our process, not of the server.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, Self, cast

from pydantic_core import from_json, to_json
from tinydb import TinyDB, where
from tinydb.table import Document

from bot.model import Contact, Observation, Person
from bot.store import codec
from bot.store.changes import recorded
from bot.store.files import DurableStorage, KeyedTable, write_durably
from bot.store.journal import sync_folder
from bot.store.tiny import TinyStore

NOW = datetime(2026, 5, 4, tzinfo=UTC)
KIBIBYTE = 1024
FLAT = 1.5
"""PostgreSQL may take so many times as long for ten times as many people."""

TARGETS = {"write_ms": 5.0, "read_ms": 1.0, "memory_mb": 100.0, "start_s": 3.0}


class Peer(Protocol):
    """What is measured."""

    @classmethod
    async def open(cls, folder: Path) -> Self:
        """Open the folder and know who has news."""

    async def fill(self, people: Iterator[Person], count: int) -> None:
        """Keep so many people in the quickest way there is: not measured."""

    async def record(self, observation: Observation) -> None:
        """Keep one new observation durably."""

    async def person(self, address: str) -> Person | None:
        """Return all that is kept of a person."""

    async def close(self) -> None:
        """Let go."""


class Ours(TinyStore):
    """The TinyDB store as it is shipped."""

    async def fill(self, people: Iterator[Person], count: int) -> None:
        """Write the shards whole, so that filling does not take longer than measuring."""
        del count
        shards: dict[str, dict[str, Any]] = {}
        for person in people:
            key = self._people._shard(person.address)  # noqa: SLF001 - filling is no verb of the store
            shards.setdefault(key, {})[person.address] = codec.to_document(person)
        for key, documents in shards.items():
            storage = DurableStorage(self.folder / "people", key, self._group)
            storage.write({"_default": documents})

    async def record(self, observation: Observation) -> None:  # type: ignore[override]
        """Keep one new observation durably."""
        await super().record([observation])


class StockTable(KeyedTable):
    """A stock table with our keys."""


class StockTinyDB:
    """TinyDB with its own JSON storage: one file, rewritten by each write."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.table = StockTable(TinyDB(folder / "db.json").storage, "people")

    @classmethod
    async def open(cls, folder: Path) -> Self:
        """Open the file and look for news."""
        peer = cls(folder)
        peer.table.search(where("news") == True)  # noqa: E712 - TinyDB builds a query from the comparison
        return peer

    async def fill(self, people: Iterator[Person], count: int) -> None:
        """Insert all in one write."""
        del count
        self.table.insert_multiple(
            Document(codec.to_document(person), cast("int", person.address)) for person in people
        )

    async def record(self, observation: Observation) -> None:
        """Read, change and write the document."""
        person = await self.person(observation.contact) or Person(observation.contact)
        after, _ = recorded(person, [observation])
        self.table.upsert(Document(codec.to_document(after), cast("int", after.address)))

    async def person(self, address: str) -> Person | None:
        """Read the document."""
        document = self.table.get(doc_id=cast("int", address))
        return codec.from_document(document) if document else None

    async def close(self) -> None:
        """Close the file."""
        self.table.storage.close()


class Sqlite:
    """sqlite3 with a document a row, in write-ahead mode with a full sync at each commit."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.connection = sqlite3.connect(folder / "db.sqlite")
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = FULL")
        self.connection.execute(
            "CREATE TABLE IF NOT EXISTS people (address TEXT PRIMARY KEY, news INTEGER, document BLOB)"
        )
        self.connection.execute("CREATE INDEX IF NOT EXISTS news ON people (address) WHERE news")

    @classmethod
    async def open(cls, folder: Path) -> Self:
        """Open the file and ask for news."""
        peer = cls(folder)
        peer.connection.execute("SELECT address FROM people WHERE news").fetchall()
        return peer

    async def fill(self, people: Iterator[Person], count: int) -> None:
        """Insert all in one transaction."""
        del count
        with self.connection:
            for person in people:
                self._put(person)

    async def record(self, observation: Observation) -> None:
        """Read, change and write the row."""
        person = await self.person(observation.contact) or Person(observation.contact)
        with self.connection:
            self._put(recorded(person, [observation])[0])

    async def person(self, address: str) -> Person | None:
        """Read the row."""
        row = self.connection.execute("SELECT document FROM people WHERE address = ?", [address]).fetchone()
        return codec.from_document(from_json(row[0])) if row else None

    async def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def _put(self, person: Person) -> None:
        row = (person.address, person.news, to_json(codec.to_document(person)))
        self.connection.execute("REPLACE INTO people VALUES (?, ?, ?)", row)


PEERS: dict[str, type[Peer]] = {
    "stillthere": Ours,
    "tinydb": StockTinyDB,
    "sqlite3": Sqlite,
}
WORDS = (
    "the mailbox does not exist here any more meeting moved from to by them invited accepted wrote".split()
)


def peer_named(name: str) -> type[Peer]:
    """Load what a peer needs and no other does: their memory is compared."""
    if name == "postgres":
        from benchmarks.store_postgres import Postgres  # noqa: PLC0415 - see above

        return Postgres
    return PEERS[name]


def address_of(number: int) -> str:
    """Return the address of the n-th invented person."""
    return f"person{number}@account{number // 5}.example"


def invent(people: int, observations: int) -> Iterator[Person]:
    """Make people whose observations have the size of real ones and compress no better."""
    source = random.Random(people)  # noqa: S311 - invented data, the same on each run
    for number in range(people):
        address = address_of(number)
        contact = Contact(address, f"Person {number}", "Director", f"Account {number // 5}")
        seen = tuple(_sighting(address, index, source) for index in range(observations))
        yield Person(address, contact, observations=seen, news=True)


def _sighting(address: str, index: int, source: random.Random) -> Observation:
    return Observation(
        address,
        source.choice(["mail_from_them", "meeting_moved", "bounce_hard"]),
        NOW - timedelta(minutes=source.randrange(500_000)),
        "imap:sales@vendor.example/INBOX",
        " ".join(source.choices(WORDS, k=10)),
        group=f"<{source.getrandbits(64):x}@mail.example>",
        facts={"from": address, "to": "rep@vendor.example", "n": index, "days": 1.5},
        because=("The sender is the contact.",),
    )


async def measure(name: str, folder: Path, people: int, repeats: int) -> dict[str, Any]:
    """Open what was filled, read and write, and return the figures of this process."""
    source = random.Random(7)  # noqa: S311 - which people are read and written
    started, started_cpu = time.perf_counter(), time.process_time()
    peer = await peer_named(name).open(folder)
    start, start_cpu = time.perf_counter() - started, time.process_time() - started_cpu
    reads, writes, cpu, disk, sync = [], [], [], [], []
    log = os.open(folder / "probe.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for index in range(repeats):
        address = address_of(source.randrange(people))
        started, started_cpu = time.perf_counter(), time.process_time()
        person = await peer.person(address)
        reads.append(time.perf_counter() - started)
        if person is None:
            raise SystemExit(f"{name} lost {address}")
        new = replace(person.observations[0], at=NOW + timedelta(seconds=index))
        started = time.perf_counter()
        await peer.record(new)
        writes.append(time.perf_counter() - started)
        cpu.append(time.process_time() - started_cpu)
        started = time.perf_counter()
        write_durably(folder / "probe", b"x" * 4096)
        (folder / "probe").replace(folder / "probed")
        sync_folder(folder)
        disk.append(time.perf_counter() - started)
        started = time.perf_counter()
        os.write(log, b"x" * 4096)
        os.fdatasync(log)
        sync.append(time.perf_counter() - started)
    await peer.close()
    os.close(log)
    return {
        "store": name,
        "people": people,
        "write_ms": round(statistics.median(writes) * 1000, 3),
        "read_ms": round(statistics.median(reads) * 1000, 3),
        "cpu_ms": round(statistics.median(cpu) * 1000, 3),
        "sync_ms": round(statistics.median(sync) * 1000, 3),
        "disk_ms": round(statistics.median(disk) * 1000, 3),
        "start_s": round(start, 3),
        "start_cpu_s": round(start_cpu, 3),
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIBIBYTE, 1),
    }


async def fill(name: str, folder: Path, people: int, observations: int) -> None:
    """Fill a store with invented people."""
    peer = await peer_named(name).open(folder)
    await peer.fill(invent(people, observations), people)
    await peer.close()


def run(*arguments: str) -> str:
    """Run this file again in a process of its own and return what it printed."""
    command = [sys.executable, "-m", "benchmarks.store", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def compare_growth(peoples: list[int], observations: int) -> None:
    """Measure PostgreSQL at each size, and print how much slower the largest is than the smallest."""
    from benchmarks import store_postgres  # noqa: PLC0415 - it is no part of the other peers' memory
    from tests.servers import postgres  # noqa: PLC0415 - nor is this

    folder = Path(tempfile.mkdtemp(prefix="store-benchmark-"))
    figures = []
    with postgres.running(durable=True) as server:
        for people in peoples:
            here = folder / str(people)
            store_postgres.prepare(here, server)
            size = ["--people", str(people), "--observations", str(observations), "--folder", str(here)]
            run("--child", "fill postgres", *size)
            figures.append(json.loads(run("--child", "measure postgres", *size)))
            figures[-1]["disk_mb"] = round(store_postgres.size_of(here) / KIBIBYTE**2, 1)
            print(json.dumps({**figures[-1], "load": round(os.getloadavg()[0], 1)}), flush=True)
    shutil.rmtree(folder)
    growth = {
        what: round(figures[-1][what] / figures[0][what], 2) for what in ("write_ms", "read_ms", "cpu_ms")
    }
    print(json.dumps({"growth": f"postgres {peoples[0]} to {peoples[-1]}", **growth, "promised": FLAT}))


def compare(people: int, observations: int, names: list[str]) -> None:
    """Measure each peer and print a line for each, then the ratios and what was promised."""
    folder = Path(tempfile.mkdtemp(prefix="store-benchmark-"))
    figures: dict[str, dict[str, Any]] = {}
    try:
        for name in names:
            size = [
                "--people",
                str(people),
                "--observations",
                str(observations),
                "--folder",
                str(folder / name),
            ]
            run("--child", f"fill {name}", *size)
            figures[name] = json.loads(run("--child", f"measure {name}", *size))
            written = sum(path.stat().st_size for path in (folder / name).rglob("*"))
            figures[name]["disk_mb"] = round(written / KIBIBYTE**2, 1)
            print(json.dumps({**figures[name], "load": round(os.getloadavg()[0], 1)}), flush=True)
    finally:
        shutil.rmtree(folder)
    ours = figures["stillthere"]
    for name in names[1:]:
        ratios = {figure: round(figures[name][figure] / ours[figure], 2) for figure in TARGETS}
        print(json.dumps({"ratio": f"{name} / stillthere", "people": people, **ratios}))
    met = {figure: ours[figure] <= most for figure, most in TARGETS.items()}
    print(json.dumps({"promised": TARGETS, "kept": met}))


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--people", type=int, action="append", help="how many people; repeatable (1000, 10000)"
    )
    parser.add_argument("--observations", type=int, default=50, help="observations a person (50)")
    parser.add_argument("--only-ours", action="store_true", help="leave the peers out")
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    people = options.people or [1000, 10_000]
    if options.child:
        task, name = options.child.split()
        if task == "fill":
            asyncio.run(fill(name, options.folder, people[0], options.observations))
        else:
            repeats = 5 if name == "tinydb" else 300
            print(json.dumps(asyncio.run(measure(name, options.folder, people[0], repeats))))
        return
    for number in people:
        others = [] if options.only_ours else ["tinydb", "sqlite3"]
        compare(number, options.observations, ["stillthere", *others])
    if not options.only_ours:
        compare_growth([10 * number for number in people], options.observations)


if __name__ == "__main__":
    main()
