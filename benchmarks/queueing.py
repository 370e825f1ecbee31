"""Measure the queue: deferring, doing, and rescuing behind a backlog.

    python -m benchmarks.queueing [--units 10000]

On a PostgreSQL of its own (with fsync). Printed, as lines of JSON: units deferred a second, as planned runs
are (claimed and deferred in one transaction); looks done a second by 1 and by 2 worker processes, each look
recording one new observation and moving a cursor, and once with looks that do nothing (what the queue itself
costs); seconds from the SIGKILL of a worker until another has begun what it was doing, behind a backlog of
that many units. With the load of the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from bot.engine import Look, Unit
from bot.engine.queue import QueueEngine
from bot.model import Observation
from bot.service import RESCUE_EVERY
from bot.store.database import rows
from bot.store.postgres import PostgresStore
from tests.servers import postgres

WATCHER = "benchmark"
NOW = datetime(2026, 5, 4, tzinfo=UTC)
SLOW_LOOK_SECONDS = 0.05
POLL_SECONDS = 0.05
WORKERS = "SELECT DISTINCT worker_id FROM procrastinate_jobs WHERE status = 'doing'"
IN_HAND = "SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = %s"
UNTOUCHED = """
    SELECT count(*) FROM procrastinate_jobs WHERE id = ANY(%s) AND (status = 'todo' OR worker_id = %s)
"""


def show(**figures: object) -> None:
    """Print one line of figures."""
    print(json.dumps({**figures, "load": round(os.getloadavg()[0], 1)}), flush=True)


async def nothing(_: Unit) -> None:
    """Look at nothing."""


async def work(url: str, kind: str) -> None:
    """Do looks until killed."""
    chance = random.Random()  # noqa: S311 - invented data
    async with await PostgresStore.open(url) as store:

        async def check(unit: Unit) -> None:
            moment = NOW + timedelta(microseconds=chance.randrange(10**12))
            seen = Observation(f"jane@{unit.source}", "wrote", moment, unit.source, "They wrote.")
            await store.record([seen])
            await store.save_cursor(unit.source, {"at": moment.isoformat()})

        async def dawdle(_: Unit) -> None:
            await asyncio.sleep(SLOW_LOOK_SECONDS)

        looks: dict[str, Look] = {"check": check, "nothing": nothing, "dawdle": dawdle}
        engine = await QueueEngine.open(store.database, looks[kind])
        engine.work()
        print("ready", flush=True)
        await asyncio.Event().wait()


class Workers:
    """Worker processes."""

    def __init__(self, url: str, kind: str, number: int) -> None:
        command = [sys.executable, "-m", "benchmarks.queueing", "--child", kind, "--url", url]
        self.processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(number)]
        for process in self.processes:
            assert process.stdout is not None
            process.stdout.readline()

    def end(self) -> None:
        """Kill them all."""
        for process in self.processes:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


async def plan(engine: QueueEngine, units: Sequence[Unit]) -> float:
    """Defer units as a planned run does and return the seconds it took."""
    began = time.monotonic()
    slot = NOW + timedelta(seconds=random.randrange(10**9))  # noqa: S311 - any slot that is not claimed
    if not await engine.plan(WATCHER, slot, units):
        raise SystemExit("somebody else planned it")
    return time.monotonic() - began


async def throughput(url: str, units: Sequence[Unit], kind: str, workers: int) -> None:
    """Measure how many looks are done a second."""
    async with await PostgresStore.open(url) as store:
        engine = await QueueEngine.open(store.database, nothing)
        running = await asyncio.to_thread(Workers, url, kind, workers)
        try:
            took = await plan(engine, units)
            deferred = len(units) / took
            left = await engine.waiting()
            began = time.monotonic()
            while await engine.waiting():  # noqa: ASYNC110 - the queue is in the database
                await asyncio.sleep(POLL_SECONDS)
            seconds = time.monotonic() - began
        finally:
            await asyncio.to_thread(running.end)
        show(
            looks=kind,
            workers=workers,
            units=left,
            per_s=round(left / seconds),
            deferred_per_s=round(deferred),
        )


async def deferring(url: str, units: Sequence[Unit]) -> None:
    """Measure how many units are deferred a second while nobody works."""
    async with await PostgresStore.open(url) as store:
        engine = await QueueEngine.open(store.database, nothing)
        took = await plan(engine, units)
        again = await plan(engine, units)
        show(deferred=len(units), per_s=round(len(units) / took), again_per_s=round(len(units) / again))


async def rescue(url: str, units: Sequence[Unit]) -> None:
    """Kill a worker behind a backlog and wait until another does what it was doing."""
    async with await PostgresStore.open(url) as store:
        engine = await QueueEngine.open(store.database, nothing)
        await plan(engine, units)
        victim = await asyncio.to_thread(Workers, url, "dawdle", 1)
        while not (held := await store.database.run(partial(rows, query=WORKERS))):  # noqa: ASYNC110 - so are these
            await asyncio.sleep(POLL_SECONDS)
        ((worker,),) = held
        other = await asyncio.to_thread(Workers, url, "dawdle", 1)

        async def rescuing() -> None:
            while True:
                await engine.rescue()
                await asyncio.sleep(RESCUE_EVERY.total_seconds())

        helper = asyncio.create_task(rescuing())
        try:
            await asyncio.to_thread(victim.end)
            began = time.monotonic()
            jobs = [row[0] for row in await store.database.run(lambda it: rows(it, IN_HAND, worker))]
            while (await store.database.run(lambda it: rows(it, UNTOUCHED, jobs, worker)))[0][0]:  # noqa: ASYNC110 - and these
                await asyncio.sleep(POLL_SECONDS)
            seconds = time.monotonic() - began
            backlog = await engine.waiting()
        finally:
            helper.cancel()
            await asyncio.gather(helper, return_exceptions=True)
            await asyncio.to_thread(other.end)
        show(rescued=len(jobs), seconds=round(seconds, 1), backlog_then=backlog)


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--units", type=int, default=10_000)
    parser.add_argument("--child", choices=["check", "nothing", "dawdle"], help=argparse.SUPPRESS)
    parser.add_argument("--url", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        asyncio.run(work(options.url, options.child))
        return
    units = [Unit(WATCHER, f"host{number}.example") for number in range(options.units)]
    with postgres.running(durable=True) as server:
        asyncio.run(deferring(server.new_database(), units))
        for kind in ("nothing", "check"):
            for workers in (1, 2):
                asyncio.run(throughput(server.new_database(), units[: options.units // 5], kind, workers))
        asyncio.run(rescue(server.new_database(), units))


if __name__ == "__main__":
    main()
