"""The engine of several processes: Procrastinate on PostgreSQL, worker processes anywhere.

A unit is a job. Its `queueing_lock` lets one wait at most, its `lock` lets one be done at a time, so that a
source is never looked at twice at once, wherever. A planned run is claimed in the transaction that defers
its jobs: killed at any instant, it is either planned whole or left to the next who tries.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Self

import procrastinate
import structlog
from procrastinate.exceptions import AlreadyEnqueued, UniqueViolation
from procrastinate.jobs import DEFAULT_PRIORITY, Job, Status

from bot.engine import AT_ONCE, Look, Unit
from bot.model import SourceDown
from bot.store.database import MIGRATING, Connection, Database, rows
from bot.store.postgres import claim_slot

log = structlog.get_logger()

QUEUE = "looks"
TASK = "look"

SOON = 10
"""The priority of what was asked for, before what was only planned."""

AT_A_TIME = 500
"""How many jobs are deferred in one statement."""

TRIES = 5
"""How often jobs are deferred anew because another process deferred some of the same."""

HEARTBEAT = timedelta(seconds=5)
STALLED_AFTER = timedelta(seconds=20)
"""A worker that was not heard of for so long is dead, and its jobs are given to others."""

RESTART_SECONDS = 2.0
"""How long to wait before a worker that the database left alone is started again."""

FAREWELL = timedelta(seconds=15)
"""How long a worker that is told to stop waits for what is under way; others take up the rest."""


class QueueEngine:
    """Have units done by whichever worker is free; open it with `open`."""

    def __init__(self, database: Database, look: Look) -> None:
        self._database = database
        self._look = look
        self._app = procrastinate.App(connector=procrastinate.PsycopgConnector())
        self._app.task(name=TASK, queue=QUEUE)(self._do)
        self._worker: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, database: Database, look: Look) -> Self:
        """Make the queue's tables where there are none."""
        engine = cls(database, look)
        await engine._app.open_async(database.pool)
        await database.run(engine._migrate)
        return engine

    async def close(self) -> None:
        """Let go of the database, which stays open."""
        await self._app.close_async()

    async def start(self, units: Iterable[Unit]) -> None:
        """Have these units done soon, before what was only planned."""
        await self._database.run(partial(self._defer, units=list(units), priority=SOON))

    async def plan(self, name: str, slot: datetime, units: Iterable[Unit]) -> bool:
        """Claim a planned run and defer its units in one transaction; False where it was claimed before."""
        planned = list(units)

        async def work(connection: Connection) -> bool:
            if not await claim_slot(connection, name, slot):
                return False
            await self._defer(connection, planned, DEFAULT_PRIORITY)
            return True

        return await self._database.run(work)

    def work(self) -> None:
        """Begin to do, in this process, what any process has handed out."""
        self._worker = asyncio.create_task(self._work(), name="worker")

    async def drain(self) -> None:
        """Take no more work, and wait for what is under way; what takes too long is left to others."""
        if self._worker is not None:
            self._worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._worker
            self._worker = None

    async def rescue(self) -> int:
        """Give the jobs of dead workers to others; return how many.

        Where the same unit waits in a newer job already, that one will do, and the dead one is dropped.
        """
        manager = self._app.job_manager
        stalled = await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER.total_seconds())
        found = [job for job in stalled if job.id is not None]
        for job in found:
            assert job.id is not None
            try:
                await manager.retry_job_by_id_async(job.id, retry_at=datetime.now(UTC))
            except UniqueViolation:
                await manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)
            log.warning("job.rescued", source=str(job.task_kwargs.get("source", "")))
        return len(found)

    async def waiting(self) -> int:
        """Return how many units wait or are under way."""
        count = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
        ((number,),) = await self._database.run(partial(rows, query=count))
        return int(number)

    async def _work(self) -> None:
        """Do what is deferred until cancelled; a database that goes away ends a worker, not us."""
        while True:
            try:
                await self._app.run_worker_async(
                    queues=[QUEUE],
                    concurrency=AT_ONCE,
                    delete_jobs="always",
                    install_signal_handlers=False,
                    shutdown_graceful_timeout=FAREWELL.total_seconds(),
                    update_heartbeat_interval=HEARTBEAT.total_seconds(),
                    stalled_worker_timeout=STALLED_AFTER.total_seconds(),
                )
            except Exception as error:  # noqa: BLE001 - whatever ended it, work has to go on
                log.warning("worker.restarted", why=f"{type(error).__name__}: {error}"[:200])
            await asyncio.sleep(RESTART_SECONDS)

    async def _do(self, watcher: str, source: str) -> None:
        """Do one unit; one that fails is logged with its traceback, and comes again with its next slot."""
        try:
            await self._look(Unit(watcher, source))
        except SourceDown as down:
            log.warning("look.postponed", watcher=watcher, source=source, why=down.what)
        except Exception:
            log.exception("look.failed", watcher=watcher, source=source)

    async def _defer(self, connection: Connection, units: Sequence[Unit], priority: int) -> None:
        """Defer what does not wait already, in the transaction that is open."""
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
        queue=QUEUE,
        lock=_name(unit),
        queueing_lock=_name(unit),
        task_name=TASK,
        priority=priority,
        task_kwargs=arguments,
    )
