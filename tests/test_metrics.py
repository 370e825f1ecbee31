from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from bot.health import Health
from bot.listener import listening
from bot.metrics import MOST_SOURCES, Metrics, due_lag, routes, source_id
from bot.model import (
    Action,
    Alert,
    Assessment,
    Case,
    Contact,
    Decision,
    Delivery,
    Home,
    NeedsHuman,
    Reason,
    SourceDown,
    Strength,
    Verdict,
)
from bot.routing import Hold
from bot.store.memory import MemoryStore

NOW = datetime(2026, 8, 14, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
JANE = Contact("jane@acme.example", "Jane Doe", account="Acme", owner="rita@vendor.example")
BOX, OTHER = "mailbox:rita@vendor.example", "mailbox:omar@vendor.example"


class Watching:
    """What metrics ask of a service."""

    def __init__(self, *sources: str) -> None:
        self.health = Health()
        self.recorded = 7
        self.rescued = 2
        self._sources = sources

    async def intervals(self) -> dict[str, timedelta]:
        return dict.fromkeys(self._sources, 5 * MINUTE)


class Poster:
    """Does what it is told."""

    removed = False
    does: Home | Hold | Exception | None = Home("C1", "1.1")

    async def lane(self, case: Case) -> str:
        return case.key

    async def ready(self, lane: str) -> None:
        del lane

    async def deliver(self, case: Case, delivery: Delivery, now: datetime) -> Home | Hold | None:
        del case, delivery, now
        if isinstance(self.does, Exception):
            raise self.does
        return self.does

    async def settle(self) -> None:
        return


def alert(at: datetime) -> Alert:
    return Alert(JANE, Assessment(JANE.address, at, Verdict.LEFT, Strength.STRONG, 0.99, "left"), 1, at)


def values(text: bytes) -> dict[str, float]:
    lines = [line for line in text.decode().splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


async def collected(metrics: Metrics, service: Watching, store: MemoryStore | None = None) -> bytes:
    return await metrics.collect(store or MemoryStore(), service, None)


def test_what_is_late_is_late_by_its_own_interval_and_what_is_down_is_not_late() -> None:
    health = Health()
    health.good("a", NOW - 9 * MINUTE)
    health.good("b", NOW - 50 * MINUTE)
    health.good("c", NOW - 500 * MINUTE)
    health.bad("c", SourceDown("away"), NOW)
    every = {"a": 5 * MINUTE, "b": 60 * MINUTE, "c": 5 * MINUTE, "never": MINUTE}
    assert due_lag(every, health, NOW) == 4 * MINUTE
    assert due_lag({}, health, NOW) == timedelta()


async def test_sources_are_told_by_state_and_short_id_and_never_by_address() -> None:
    service = Watching(BOX, OTHER, "calendars:x")
    service.health.good(BOX, NOW - MINUTE)
    service.health.bad(OTHER, NeedsHuman("locked", "unlock"), NOW)
    text = await collected(Metrics(lambda: NOW), service)
    found = values(text)
    assert found['stillthere_sources{kind="mailbox",state="read"}'] == 1
    assert found['stillthere_sources{kind="mailbox",state="needs_human"}'] == 1
    assert found['stillthere_sources{kind="calendars",state="waiting"}'] == 1
    last = f'stillthere_source_last_success_timestamp_seconds{{kind="mailbox",source="{source_id(BOX)}"}}'
    assert found[last] == (NOW - MINUTE).timestamp()
    assert (found["stillthere_observations_recorded"], found["stillthere_jobs_rescued"]) == (7, 2)
    assert b"@" not in text
    assert b"rita" not in text


async def test_of_thousands_of_hosts_only_the_states_are_counted() -> None:
    service = Watching(*(f"public_pages:{n}.example" for n in range(MOST_SOURCES + 1)))
    for source in await service.intervals():
        service.health.good(source, NOW)
    found = values(await collected(Metrics(lambda: NOW), service))
    assert found['stillthere_sources{kind="public_pages",state="read"}'] == MOST_SOURCES + 1
    assert not [name for name in found if "last_success" in name]


async def test_unsent_alerts_are_counted_with_the_age_of_the_oldest_and_nobody_is_named() -> None:
    store = MemoryStore()
    await store.watch(JANE)
    raised = alert(NOW - 20 * MINUTE)
    decision = Decision(JANE.address, NOW, Action.SEND, Reason.FIRST, Verdict.LEFT, 0.99)
    assert await store.conclude(1, raised.assessment, decision, raised)
    text = await collected(Metrics(lambda: NOW), Watching(), store)
    assert values(text)["stillthere_alerts_unsent"] == 1
    assert values(text)["stillthere_alerts_oldest_unsent_seconds"] == 1200
    for word in (b"jane", b"acme", b"rita", b"@"):
        assert word not in text.lower()


async def test_posts_are_counted_by_verdict_and_failures_by_what_is_wrong() -> None:
    metrics, inner = Metrics(lambda: NOW), Poster()
    poster = metrics.counting(inner)
    case = Case(JANE.address, 1, (Delivery(alert(NOW)),))
    await poster.deliver(case, case.deliveries[0], NOW)
    inner.does = Hold(NOW, Reason.QUIET_HOURS)
    await poster.deliver(case, case.deliveries[0], NOW)
    for failure in (SourceDown("x"), NeedsHuman("x", "y"), ValueError("x")):
        inner.does = failure
        with pytest.raises(type(failure)):
            await poster.deliver(case, case.deliveries[0], NOW)
    found = values(await collected(metrics, Watching()))
    assert found['stillthere_alerts_total{verdict="left"}'] == 1
    for why in ("down", "needs_human", "bug"):
        assert found[f'stillthere_posting_errors_total{{why="{why}"}}'] == 1


async def test_that_the_app_was_removed_is_seen_through_the_counting() -> None:
    inner = Poster()
    poster = Metrics(lambda: NOW).counting(inner)
    assert not poster.removed
    inner.removed = True
    assert poster.removed


async def test_no_label_can_tell_what_one_rep_does() -> None:
    metrics, service = Metrics(lambda: NOW), Watching(BOX)
    service.health.good(BOX, NOW)
    case = Case(JANE.address, 1, (Delivery(alert(NOW)),))
    await metrics.counting(Poster()).deliver(case, case.deliveries[0], NOW)
    text = (await collected(metrics, service)).decode()
    assert set(re.findall(r"[{,](\w+)=", text)) == {"version", "kind", "source", "state", "verdict", "le"}


async def test_the_routes_say_what_is_missing() -> None:
    wrong = ["", "not connected"]

    async def store() -> str:
        return wrong[0]

    async def slack() -> str:
        return wrong[1]

    async def collect() -> bytes:
        return b"x 1\n"

    made = routes(collect, {"store": store, "slack": slack})
    async with listening("127.0.0.1", 0, made) as port, httpx.AsyncClient() as client:
        base = f"http://127.0.0.1:{port}"
        assert (await client.get(f"{base}/healthz")).json() == {"status": "alive"}
        answer = await client.get(f"{base}/readyz")
        assert (answer.status_code, answer.json()) == (503, {"store": "ok", "slack": "not connected"})
        wrong[1] = ""
        assert (await client.get(f"{base}/readyz")).status_code == 200
        answer = await client.get(f"{base}/metrics")
        assert re.match(r"text/plain|application/openmetrics", answer.headers["content-type"])
        assert answer.text == "x 1\n"


async def test_a_store_that_is_away_makes_it_unready_and_metrics_unavailable() -> None:
    async def away() -> str:
        raise SourceDown("the database cannot be used")

    async def collect() -> bytes:
        raise SourceDown("the database cannot be used")

    async with (
        listening("127.0.0.1", 0, routes(collect, {"store": away})) as port,
        httpx.AsyncClient() as client,
    ):
        answer = await client.get(f"http://127.0.0.1:{port}/readyz")
        assert (answer.status_code, answer.json()) == (503, {"store": "the database cannot be used"})
        assert (await client.get(f"http://127.0.0.1:{port}/metrics")).status_code == 503
        assert (await client.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200


async def test_how_late_the_event_loop_is_shows() -> None:
    metrics = Metrics(lambda: NOW)
    measuring = asyncio.create_task(metrics.measure_loop())
    await asyncio.sleep(0)
    time.sleep(1.3)  # noqa: ASYNC251 - to be late is what is measured
    until = time.monotonic() + 20
    while not values(await collected(metrics, Watching()))["stillthere_event_loop_lag_seconds"]:
        assert time.monotonic() < until
        await asyncio.sleep(0.01)
    measuring.cancel()
