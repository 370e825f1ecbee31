"""The engine of several processes: Procrastinate on PostgreSQL, worker processes anywhere.

A unit is a job. Its `queueing_lock` lets one wait at most, its `lock` lets one be done at a time, so that a
source is never looked at twice at once, wherever. A planned run is claimed in the transaction that defers
its jobs: killed at any instant, it is either planned whole or left to the next who tries.

Each watcher has a queue, and each process a Procrastinate worker for each queue, which takes no more than a
watcher's share; what was taken waits for one of the places that all watchers of the process have together.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Self

import procrastinate
import structlog
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, UniqueViolation
from procrastinate.job_context import JobContext
from procrastinate.jobs import DEFAULT_PRIORITY, Job, Status
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from bot.engine import AT_ONCE, MOST_OF_ONE, Look, Unit
from bot.store import StoreDown, codec
from bot.store.database import MIGRATING, Connection, Database, rows
from bot.store.table import claim_slot

log = structlog.get_logger()
logging.getLogger("procrastinate").setLevel(logging.CRITICAL)  # we say ourselves, and once, what matters

TASK = "look"
QUEUES = "SELECT DISTINCT queue_name FROM procrastinate_jobs WHERE status = 'todo'"

SOON = 10
"""The priority of what was asked for, before what was only planned."""

RESCUED = 20
"""The priority of what a dead process was doing: before all else, also behind a long backlog."""

AT_A_TIME = 500
"""How many jobs are deferred in one statement."""

TRIES = 5
"""How often jobs are deferred anew because another process deferred some of the same."""

CONNECTIONS = 3
"""Of a process, for taking jobs and ending them."""

SESSION = " ".join(
    f"-c {name}=off"
    for name in (
        "synchronous_commit",
        "enable_sort",
        "enable_bitmapscan",
        "enable_hashjoin",
        "enable_mergejoin",
        "enable_seqscan",
    )
)
"""What a crash of the server loses of taking and ending jobs is done again: nobody waits for the disk.

A queue fills and empties faster than statistics follow. A planner that takes it for empty sorts all of it for
each job that is taken: 3.5 s behind 10,000 jobs, and 6 ms by the indexes.
"""

LOCK_INDEX = """
    CREATE INDEX stillthere_jobs_lock ON procrastinate_jobs (lock)
    WHERE status = ANY (ARRAY['todo', 'doing']::procrastinate_job_status[])
"""
"""Whether another job of the same source is under way is asked for each job that is taken."""

POLL = timedelta(seconds=0.5)
"""How often a worker that has nothing to do looks for work."""

HEARTBEAT = timedelta(seconds=4)
STALLED_AFTER = timedelta(seconds=14)
"""A worker that was not heard of for so long is dead, and its jobs are given to others."""

RESTART_SECONDS = 2.0
"""How long to wait before a worker that the database left alone is started again."""

DEATHS = 4
"""So often is a job done anew whose worker died; after one more it is what workers die of.

With fewer, a healthy source is left alone for an hour where workers die of something else, one after another.
"""

STRAYS_EVERY = timedelta(seconds=10)
"""A job that was not in our hand twice in a row is not ours any more."""

AGAIN_SECONDS = 10
"""When a look is tried anew during which the store went away."""

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""At once, whatever the clocks of two machines say of now."""

FAREWELL = timedelta(seconds=15)
"""How long a worker that is told to stop waits for what is under way; others take up the rest."""


class Stopping(Exception):  # noqa: N818 - it is no error
    """Say that a unit was taken, and not begun before we were told to stop."""


class HandOn(BaseRetryStrategy):
    """Does anew what we could not end: we were told to stop, or the store was away."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Return when it is done anew; None where it is not."""
        del job
        if isinstance(exception, asyncio.CancelledError | Stopping):
            return RetryDecision(retry_at=LONG_AGO, priority=RESCUED)
        if isinstance(exception, StoreDown):
            return RetryDecision(retry_in={"seconds": AGAIN_SECONDS})
        return None


class QueueEngine:
    """Have units done by whichever worker is free; open it with `open`."""

    def __init__(self, database: Database, look: Look, give_up: Look) -> None:
        self._database = database
        self._look = look
        self._give_up = give_up
        self._app = procrastinate.App(connector=procrastinate.PsycopgConnector())
        self._app.task(name=TASK, pass_context=True, retry=HandOn())(self._do)
        self._opened = contextlib.AsyncExitStack()
        self._worker: asyncio.Task[None] | None = None
        self._minding: asyncio.Task[None] | None = None
        self._known_as: set[int | None] = set()
        self._free = asyncio.Semaphore(AT_ONCE)
        self._draining = False
        self._in_hand: set[int | None] = set()
        self._stray: set[int] = set()
        self._failing = False

    @classmethod
    async def open(cls, database: Database, look: Look, give_up: Look | None = None) -> Self:
        """Make the queue's tables where there are none.

        `give_up` is told of a unit that whoever does it dies of, again and again.
        """
        engine = cls(database, look, give_up or _say_no_more)
        await database.run(engine._migrate)
        pool = await engine._opened.enter_async_context(database.apart(CONNECTIONS, SESSION))
        await engine._app.open_async(pool)
        return engine

    async def close(self) -> None:
        """Let go of the database, which stays open."""
        await self._app.close_async()
        await self._opened.aclose()

    async def start(self, units: Iterable[Unit]) -> None:
        """Have these units done soon, before what was only planned."""
        await self._database.run(partial(self._defer, units=list(units), priority=SOON))

    async def plan(self, name: str, slot: datetime, units: Iterable[Unit]) -> bool:
        """Claim a planned run and defer its units in one transaction; False where it was claimed before."""
        planned, claimant = list(units), secrets.token_hex()

        async def work(connection: Connection) -> bool:
            if not await claim_slot(connection, name, slot, claimant):
                return False
            await self._defer(connection, planned, DEFAULT_PRIORITY)
            return True

        return await self._database.run(work)

    def work(self) -> None:
        """Begin to do, in this process, what any process has handed out."""
        self._worker = asyncio.create_task(self._work(), name="worker")
        self._minding = asyncio.create_task(self._mind_strays(), name="strays")

    async def drain(self) -> None:
        """Take no more work, and wait for what is under way; what takes too long is left to others."""
        self._draining = True
        tasks = [task for task in (self._worker, self._minding) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._worker = self._minding = None

    async def rescue(self) -> int:
        """Give the jobs of dead workers to others; return how many.

        Where the same unit waits in a newer job already, that one will do, and the dead one is dropped.
        """
        try:
            stalled = await self._app.job_manager.get_stalled_jobs(
                seconds_since_heartbeat=STALLED_AFTER.total_seconds()
            )
        except ConnectorException as away:
            raise StoreDown("the queue cannot be asked") from away
        for job in stalled:
            unit = Unit(str(job.task_kwargs["watcher"]), str(job.task_kwargs["source"]))
            assert job.id is not None
            if job.attempts < DEATHS:
                await self._give_back(job.id)
                log.warning("job.rescued", watcher=unit.watcher, source=unit.source)
            else:
                await self._drop(job.id)
                await self._give_up(unit)
                log.error("job.given_up", watcher=unit.watcher, source=unit.source, deaths=DEATHS + 1)
        return len(list(stalled))

    async def _give_back(self, number: int) -> None:
        """Let others do a job; drop it where the same unit waits in a newer one."""
        try:
            await self._app.job_manager.retry_job_by_id_async(number, retry_at=LONG_AGO, priority=RESCUED)
        except UniqueViolation:
            await self._drop(number)
        except ConnectorException:
            return  # another process was quicker, or the next round does it

    async def _drop(self, number: int) -> None:
        with contextlib.suppress(ConnectorException):
            await self._app.job_manager.finish_job_by_id_async(number, Status.FAILED, delete_job=True)

    async def waiting(self) -> int:
        """Return how many units wait or are under way."""
        count = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
        ((number,),) = await self._database.run(partial(rows, query=count))
        return int(number)

    async def _work(self) -> None:
        """Have a worker for each watcher that ever has work, until cancelled."""
        workers: dict[str, asyncio.Task[None]] = {}
        try:
            while True:
                with contextlib.suppress(StoreDown):
                    for (queue,) in await self._database.run(partial(rows, query=QUEUES)):
                        if queue not in workers:
                            workers[queue] = asyncio.create_task(self._work_at(queue), name=queue)
                await asyncio.sleep(POLL.total_seconds())
        finally:
            for worker in workers.values():
                worker.cancel()
            await asyncio.gather(*workers.values(), return_exceptions=True)

    async def _work_at(self, queue: str) -> None:
        """Do what is deferred there until cancelled; a database that goes away ends a worker, not us."""
        while True:
            begun = time.monotonic()
            try:
                await self._app.run_worker_async(
                    queues=[queue],
                    concurrency=MOST_OF_ONE,
                    listen_notify=False,
                    delete_jobs="always",
                    install_signal_handlers=False,
                    fetch_job_polling_interval=POLL.total_seconds(),
                    shutdown_graceful_timeout=FAREWELL.total_seconds(),
                    update_heartbeat_interval=HEARTBEAT.total_seconds(),
                    stalled_worker_timeout=STALLED_AFTER.total_seconds(),
                )
            except Exception as error:  # noqa: BLE001 - whatever ended it, work has to go on
                if not self._failing or time.monotonic() - begun > STALLED_AFTER.total_seconds():
                    log.warning("worker.restarted", why=f"{type(error).__name__}: {error}"[:200])
                self._failing = True
            await asyncio.sleep(RESTART_SECONDS)

    async def _mind_strays(self) -> None:
        """Give back what the database says is in our hand and is not: an answer of the database got lost."""
        while True:
            await asyncio.sleep(STRAYS_EVERY.total_seconds())
            with contextlib.suppress(StoreDown, ConnectorException):
                found = await self._database.run(partial(_in_hand_of, workers=self._known_as))
                missing = found - self._in_hand
                for number in missing & self._stray:
                    await self._give_back(number)
                    log.warning("job.lost", number=number)
                self._stray = missing

    async def _do(self, context: JobContext, watcher: str, source: str) -> None:
        """Do one unit; one that fails is logged with its traceback, and comes again with its next slot.

        While the store is away, and where we are told to stop, it comes again at once, for anybody.
        """
        self._known_as.add(context.job.worker_id)
        self._failing = False
        self._in_hand.add(context.job.id)
        try:
            await self._in_turn(Unit(watcher, source))
        except Stopping:
            raise
        except StoreDown:
            log.warning("look.postponed", watcher=watcher, source=source)
            raise
        except Exception:
            log.exception("look.failed", watcher=watcher, source=source)
        finally:
            self._in_hand.discard(context.job.id)

    async def _in_turn(self, unit: Unit) -> None:
        """Look as soon as there is a place."""
        async with self._free:
            if self._draining:
                raise Stopping
            await self._look(unit)

    async def _defer(self, connection: Connection, units: Sequence[Unit], priority: int) -> None:
        """Defer what does not wait already, in the transaction that is open."""
        units = codec.normal([*units])
        for begin in range(0, len(units), AT_A_TIME):
            for _ in range(TRIES):
                missing = await _not_waiting(connection, units[begin : begin + AT_A_TIME])
                if not missing:
                    break
                try:
                    async with connection.transaction():
                        await self._app.job_manager.batch_defer_jobs_async(
                            [_job(unit, priority) for unit in missing], connection=connection
                        )
                except AlreadyEnqueued:
                    continue
                break

    async def _migrate(self, connection: Connection) -> None:
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATING,))
        ((made,),) = await rows(connection, "SELECT to_regclass('procrastinate_jobs') IS NOT NULL")
        if not made:
            await connection.execute(self._app.schema_manager.get_schema().encode())
        ((indexed,),) = await rows(connection, "SELECT to_regclass('stillthere_jobs_lock') IS NOT NULL")
        if not indexed:
            await connection.execute(LOCK_INDEX)


async def _say_no_more(unit: Unit) -> None:
    """Leave it at what is logged."""
    del unit


async def _in_hand_of(connection: Connection, workers: set[int | None]) -> set[int]:
    """Return the jobs that some workers have in hand, by what the database says."""
    query = "SELECT id FROM procrastinate_jobs WHERE status = 'doing' AND worker_id = ANY(%s)"
    return {int(row[0]) for row in await rows(connection, query, [*filter(None, workers)])}


async def _not_waiting(connection: Connection, units: Sequence[Unit]) -> list[Unit]:
    """Return the units that no job waits for, each once."""
    names = [_name(unit) for unit in units]
    query = "SELECT queueing_lock FROM procrastinate_jobs WHERE status = 'todo' AND queueing_lock = ANY(%s)"
    waiting = {row[0] for row in await rows(connection, query, names)}
    return list({name: unit for name, unit in zip(names, units, strict=True) if name not in waiting}.values())


def _name(unit: Unit) -> str:
    return f"{unit.watcher} {unit.source}"


def _job(unit: Unit, priority: int) -> Job:
    arguments: dict[str, Any] = {"watcher": unit.watcher, "source": unit.source}
    return Job(
        id=None,
        queue=unit.watcher,
        lock=_name(unit),
        queueing_lock=_name(unit),
        task_name=TASK,
        priority=priority,
        task_kwargs=arguments,
    )
