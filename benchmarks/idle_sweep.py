"""Measure what a look costs that finds nothing new, by contacts and by mails.

    python -m benchmarks.idle_sweep [--contacts 1000 --contacts 10000] [--mails 0 --mails 10000]

A PostgreSQL of its own holds that many contacts with 50 observations each; a Maildir holds that many mails of
one of them, read through before. Each run is a process of its own that looks as a worker does: what is new
in the mailbox, and who is due. Printed, as one line of JSON a run: milliseconds of CPU of the first such look
(everybody is read once) and of a later one, the milliseconds that one takes on the wall, the megabytes of
the process, the load of the machine; last, how many times as much ten times the contacts cost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from benchmarks import sweep
from benchmarks.store import fill
from benchmarks.store_postgres import URL_FILE
from bot.pipeline import Pipeline
from bot.service import rules
from bot.store.postgres import PostgresStore
from tests.servers import postgres
from watchers import load
from watchers.mail.files import FileMailbox
from watchers.mailbox import Mailbox

NOW = datetime.now(UTC)
OBSERVATIONS = 50
TIMES = 7
SOURCE = "mailbox:rita"


async def look(folder: Path, mails: int) -> dict[str, float]:
    """Look again and again at what has nothing new."""
    load()
    watcher = Mailbox(
        Mailbox.Config(mailboxes=(FileMailbox(kind="files", path=folder / "mail", name="rita"),))
    )
    async with await PostgresStore.open((folder / URL_FILE).read_text()) as store:
        pipeline = Pipeline(store, rules(), ["vendor.example"], baseline=True)
        cpu, wall = [], []
        for number in range(TIMES):
            began, began_cpu = time.perf_counter(), time.process_time()
            await pipeline.sweep(watcher, SOURCE, NOW + timedelta(minutes=number))
            await pipeline.due(NOW)
            wall.append(time.perf_counter() - began)
            cpu.append(time.process_time() - began_cpu)
    return {
        "mails": mails,
        "first_cpu_ms": round(cpu[0] * 1000, 1),
        "cpu_ms": round(statistics.median(cpu[2:]) * 1000, 2),
        "wall_ms": round(statistics.median(wall[2:]) * 1000, 2),
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--contacts", type=int, action="append", help="repeatable (1000, 10000, 100000)")
    parser.add_argument("--mails", type=int, action="append", help="repeatable (0, 10000)")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(asyncio.run(look(options.child, options.mails[0]))))
        return
    found: dict[int, dict[int, float]] = {}
    with postgres.running() as server, tempfile.TemporaryDirectory() as temporary:
        for contacts in options.contacts or [1000, 10_000, 100_000]:
            folder = Path(temporary) / str(contacts)
            folder.mkdir()
            (folder / URL_FILE).write_text(server.new_database())
            asyncio.run(fill("postgres", folder, contacts, OBSERVATIONS))
            for mails in options.mails or [0, 10_000]:
                sweep.write(folder / "mail", sweep.past(1, mails), 0)
                command = [sys.executable, "-m", "benchmarks.idle_sweep", "--child", str(folder)]
                done = subprocess.run(
                    [*command, "--mails", str(mails)], check=True, stdout=subprocess.PIPE, text=True
                )
                figures = json.loads(done.stdout.splitlines()[-1])
                found.setdefault(mails, {})[contacts] = figures["cpu_ms"]
                print(
                    json.dumps({"contacts": contacts, **figures, "load": round(os.getloadavg()[0], 1)}),
                    flush=True,
                )
    for mails, by_contacts in found.items():
        sizes = sorted(by_contacts)
        growth = {f"{a} to {b}": round(by_contacts[b] / by_contacts[a], 2) for a, b in pairwise(sizes)}
        print(json.dumps({"mails": mails, "growth": growth, "promised": "at most as many times as contacts"}))


if __name__ == "__main__":
    main()
