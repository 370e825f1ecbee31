"""`/healthz`, `/readyz` and `/metrics`: how the service is, for whoever runs it.

Nothing here is about a person: no address, no contact, no rep and what they do. A source is known by its kind
and a short id, which `stillthere doctor` shows beside its name. https://prometheus.io/docs/practices/naming
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter as Tally
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from bot import __version__
from bot.health import Health
from bot.model import Case, Delivery, Home, NeedsHuman, SourceDown
from bot.routing import Hold
from bot.slack.outbox import Poster
from bot.store import Store

PATIENCE = timedelta(seconds=3)
"""How long the store and Slack may take to say that they are there."""

PULSE = timedelta(seconds=1)
"""How often it is measured by how much the event loop is late."""

MOST_SOURCES = 500
"""So many sources of one kind have a series of their own; of more, only the states are counted."""

MOST_UNSENT = 200
"""So many unsent alerts are looked at for the oldest."""

NAMESPACE = "stillthere"
ID_DIGITS = 8
WRITE_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

UNAVAILABLE = 503
Check = Callable[[], Awaitable[str]]
"""Says what is wrong, empty where nothing is."""


class Watching(Protocol):
    """What is asked of the service; `bot.service.Service` has it."""

    health: Health
    recorded: int
    rescued: int

    async def intervals(self) -> dict[str, timedelta]:
        """Return how often each source is looked at."""


def source_id(source: str) -> str:
    """Return the short id that a source is known by where no address may stand."""
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:ID_DIGITS]


def due_lag(every: Mapping[str, timedelta], health: Health, now: datetime) -> timedelta:
    """Return by how much the latest source is late; what is known to be down is not late."""
    late = [
        now - health.read_at[source] - interval
        for source, interval in every.items()
        if source in health.read_at and source not in health.troubles
    ]
    return max([timedelta(), *late])


class Metrics:
    """What is measured, in a registry of its own; `now` is the clock."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.registry = registry = CollectorRegistry()
        gauge = partial(Gauge, namespace=NAMESPACE, registry=registry)
        counter = partial(Counter, namespace=NAMESPACE, registry=registry)
        gauge("build_info", "The version that runs.", ["version"]).labels(__version__).set(1)
        self._lag = gauge("due_lag_seconds", "By how much the latest source is late.")
        self._last = gauge(
            "source_last_success_timestamp_seconds", "When a source was last read.", ["kind", "source"]
        )
        self._sources = gauge("sources", "Sources by their state.", ["kind", "state"])
        self._unsent = gauge("alerts_unsent", "Alerts that are due and not sent.")
        self._oldest = gauge("alerts_oldest_unsent_seconds", "The age of the oldest of these.")
        self._alerts = counter("alerts", "Alerts brought out by this process.", ["verdict"])
        self._errors = counter("posting_errors", "Posts that failed.", ["why"])
        self._recorded = gauge("observations_recorded", "Observations since this process started.")
        self._rescued = gauge("jobs_rescued", "Jobs of dead workers given to others since the start.")
        self._waiting = gauge("jobs_waiting", "Jobs in the queue, those under way included.")
        self._writes = Histogram(
            "store_write_seconds",
            "How long a write to the store took.",
            namespace=NAMESPACE,
            registry=registry,
            buckets=WRITE_SECONDS,
        )
        self._loop = gauge("event_loop_lag_seconds", "By how much the event loop was last late.")

    def wrote(self, seconds: float) -> None:
        """Note how long a write to the store took."""
        self._writes.observe(seconds)

    def counting(self, poster: Poster) -> Poster:
        """Return a poster whose alerts and failures are counted."""
        return _Counted(poster, self._alerts, self._errors)

    async def measure_loop(self) -> None:
        """Measure by how much the event loop is late, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + PULSE.total_seconds()
            await asyncio.sleep(PULSE.total_seconds())
            self._loop.set(max(loop.time() - due, 0.0))

    async def collect(
        self, store: Store, service: Watching, waiting: Callable[[], Awaitable[int]] | None
    ) -> bytes:
        """Return everything as Prometheus reads it."""
        now = self._now()
        every = await service.intervals()
        self._lag.set(due_lag(every, service.health, now).total_seconds())
        self._show_sources(every, service.health)
        due = await store.due(now)
        self._unsent.set(len(due))
        self._oldest.set(await _oldest(store, due[:MOST_UNSENT], now))
        self._recorded.set(service.recorded)
        self._rescued.set(service.rescued)
        self._waiting.set(await waiting() if waiting else 0)
        return generate_latest(self.registry)

    def _show_sources(self, every: Mapping[str, timedelta], health: Health) -> None:
        self._last.clear()
        self._sources.clear()
        of_kind = Tally(source.partition(":")[0] for source in every)
        for source in every:
            kind = source.partition(":")[0]
            self._sources.labels(kind, _state(source, health)).inc()
            if source in health.read_at and of_kind[kind] <= MOST_SOURCES:
                self._last.labels(kind, source_id(source)).set(health.read_at[source].timestamp())


def _state(source: str, health: Health) -> str:
    if source in health.troubles:
        return "needs_human" if health.troubles[source].needs_human else "down"
    return "read" if source in health.read_at else "waiting"


async def _oldest(store: Store, due: list[str], now: datetime) -> float:
    """Return the age in seconds of the oldest of these alerts, 0 where there is none."""
    ages = [0.0]
    for key in due:
        person = await store.person(key.rpartition(":")[0])
        unsent = [
            delivery.alert.at
            for case in (person.cases if person else ())
            for delivery in case.deliveries
            if case.key == key and delivery.sent_at is None
        ]
        ages += [(now - at).total_seconds() for at in unsent]
    return max(ages)


class _Counted:
    """A poster whose alerts and failures are counted."""

    def __init__(self, poster: Poster, alerts: Counter, errors: Counter) -> None:
        self._poster = poster
        self._alerts = alerts
        self._errors = errors

    @property
    def removed(self) -> bool:
        """Say whether there is nowhere to show anything any more."""
        return self._poster.removed

    @removed.setter
    def removed(self, value: bool) -> None:
        self._poster.removed = value

    async def lane(self, case: Case) -> str:
        """Return what names the place of the case's next alert."""
        return await self._poster.lane(case)

    async def ready(self, lane: str) -> None:
        """Wait until the place takes another message."""
        await self._poster.ready(lane)

    async def deliver(self, case: Case, delivery: Delivery, now: datetime) -> Home | Hold | None:
        """Show the alert, and count it or why it could not be shown."""
        try:
            done = await self._poster.deliver(case, delivery, now)
        except SourceDown:
            self._errors.labels("down").inc()
            raise
        except NeedsHuman:
            self._errors.labels("needs_human").inc()
            raise
        except Exception:
            self._errors.labels("bug").inc()
            raise
        if not isinstance(done, Hold):
            self._alerts.labels(delivery.alert.assessment.verdict.value).inc()
        return done

    async def settle(self) -> None:
        """Keep what has to be remembered of what was delivered."""
        await self._poster.settle()


def routes(collect: Callable[[], Awaitable[bytes]], checks: Mapping[str, Check]) -> list[web.RouteDef]:
    """Return the three routes. `checks` are what has to be there before the service can do its work."""

    async def healthz(_request: web.Request) -> web.Response:
        # Whoever reads this was answered by the event loop: one that is stuck answers nobody.
        return web.json_response({"status": "alive"})

    async def readyz(_request: web.Request) -> web.Response:
        found = dict(zip(checks, await asyncio.gather(*map(_asked, checks.values())), strict=True))
        wrong = any(found.values())
        said = {name: why or "ok" for name, why in found.items()}
        return web.json_response(said, status=UNAVAILABLE if wrong else web.HTTPOk.status_code)

    async def metrics(_request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                body = await collect()
        except (TimeoutError, SourceDown):
            return web.Response(status=UNAVAILABLE, text="the store cannot be asked now\n")
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)]


async def _asked(check: Check) -> str:
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            return await check()
    except TimeoutError:
        return f"no answer within {PATIENCE.total_seconds():g} seconds"
    except SourceDown as down:
        return down.what
