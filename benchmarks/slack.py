"""Measure the Slack app against the stand-in: how soon alerts arrive, how soon it answers, what faults cost.

    python -m benchmarks.slack [latency] [ack] [chaos]

One line of JSON each; all three where none is named.

- `latency`: 100 people are found to have left at once, told in 100 channels, and then in 100 direct messages.
  Seconds from the stored observations to the posted alert, in a service that has just started (cold: no owner
  was looked up yet) and once more in the one that runs.
- `ack`: commands and presses of buttons with 10,000 contacts in the store, 400 of them, and then all, those
  of whoever asks; milliseconds until the app has acknowledged, four requests at a time, and how long the app
  took for a single step, in which it answers nobody else.
- `chaos`: 1,000 alerts to 100 channels; of all calls 20 % get 429, 10 % 503, 5 % are cut off; the process is
  killed five times with -9. Twice: where the app may read history, and where it may not.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from bot.answers import observe
from bot.model import Answer, Choice, Contact, Verdict
from bot.pipeline import Pipeline
from bot.routing import Rules, Team, Where
from bot.service import rules
from bot.slack.board import Board
from bot.slack.marks import Marks
from bot.slack.outbox import Outbox
from bot.slack.people import Directory
from bot.slack.places import Places
from bot.slack.poster import SlackPoster
from bot.slack.register import Register
from bot.slack.web import keep_alive, once, patient
from bot.store.tiny import TinyStore
from tests.servers.slack import BOT_TOKEN, BOT_WITH_HISTORY, Workspace, workspace
from tests.slack.commanding import reception
from tests.slack.story import LEFT, SLIPPING, raise_alert

ROOT = Path(__file__).parents[1]
PLACES = 100
ALERTS = 1000
CONTACTS = 10_000
KILLS = 5
REQUESTS = 400
AT_ONCE = 4
SEED = 20260803
LONG_STEP_MS = 50
LOOK_EVERY = 0.002


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share of them does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


async def latency() -> list[dict[str, Any]]:
    """Measure from the stored observation to the posted alert."""
    return [await arrival("channel"), await arrival("dm")]


async def arrival(home: Where) -> dict[str, Any]:
    """Let 100 people leave at once, each told in a channel or a direct message of their own."""
    with tempfile.TemporaryDirectory() as data, workspace(PLACES, PLACES) as server:
        teams = tuple(
            Team(frozenset({f"rep{i}@vendor.example"}), server.channel(f"team{i}")) for i in range(PLACES)
        )
        chosen = Rules(server.channel("champions"), teams=teams, home=home, alerts_a_day=5)
        async with await TinyStore.open(Path(data)) as store:
            client, posting = patient(BOT_TOKEN, server.base_url), once(BOT_TOKEN, server.base_url)
            client.session = posting.session = keep_alive()
            people = Directory(client, now, chosen)
            places = Places(store, client, people, chosen, now)
            board = Board(store, client, people, places.names, places.dress)
            outbox = Outbox(store, SlackPoster(posting, places, board), now)
            pipeline = Pipeline(store, rules(), ["vendor.example"], baseline=False)
            pipeline.raised = outbox.nudge
            figures: dict[str, Any] = {"what": f"latency, {home}s"}
            for start in ("cold", "warm"):
                contacts = [
                    Contact(f"p@{start}{i}.example", f"{start} {i}", owner=f"rep{i}@vendor.example")
                    for i in range(PLACES)
                ]
                for contact in contacts:
                    await store.watch(contact)
                words = [Answer(one.address, "", "somebody", now(), Choice.LEFT) for one in contacts]
                await store.record(seen for word in words if (seen := observe(word)))
                began, used = time.time(), time.process_time()
                await pipeline.judge(now(), await store.news())
                judged = time.time() - began
                await outbox.drain()
                used = time.process_time() - used
                took = [
                    call["at"] - began
                    for call in server.calls("chat.postMessage")
                    if f", {start}" in str(call["args"]["text"])
                ]
                figures[start] = {
                    "posted": len(took),
                    "judged_s": round(judged, 2),
                    "p50_s": round(statistics.median(took), 2),
                    "p95_s": round(percentile(took, 0.95), 2),
                    "most_s": round(max(took), 2),
                    "our_cpu_s": round(used, 2),
                }
            await client.session.close()
    return figures


async def ack() -> list[dict[str, Any]]:
    """Measure how soon requests are acknowledged, of a rep with few people and of one with all."""
    return [await acknowledged(REQUESTS), await acknowledged(CONTACTS)]


async def acknowledged(own: int) -> dict[str, Any]:
    """Let whoever asks own so many of the contacts; 400 of these have an open case."""
    took: dict[str, list[float]] = {}
    steps: list[float] = []
    with tempfile.TemporaryDirectory() as data, workspace() as server:
        await fill(Path(data), own)
        async with await TinyStore.open(Path(data)) as store:
            # As the service does when it has opened its store.
            gc.collect()
            gc.freeze()
            marks = await Register(store).marks()
            async with reception(server, store) as desk:
                slots = asyncio.Semaphore(AT_ONCE)

                async def timed(kind: str, form: dict[str, Any]) -> None:
                    async with slots:
                        began = time.perf_counter()
                        status, _ = await desk.wire.send(
                            form, "slash_commands" if "command" in form else "interactive"
                        )
                        took.setdefault(kind, []).append((time.perf_counter() - began) * 1000)
                        assert status == HTTPStatus.OK, f"{kind}: {status}"

                typed = (
                    "help",
                    "list",
                    "show p5@a5.example",
                    "add new{}@b.example New",
                    "snooze p7@a7.example 1w",
                )
                forms = [
                    (text.split()[0], desk.typed(text.format(i)))
                    for i in range(REQUESTS // len(typed))
                    for text in typed
                ]
                forms += [
                    ("press", desk.happens("block_actions", actions=[pressed(i, marks)]))
                    for i in range(REQUESTS // 2)
                ]
                random.Random(SEED).shuffle(forms)  # noqa: S311 - the same every time, on purpose
                watching = asyncio.create_task(watch_loop(steps))
                await asyncio.gather(*(timed(kind, form) for kind, form in forms))
                watching.cancel()
            settled = sum(case.settled is not None for case in await store.cases())
    every = [value for values in took.values() for value in values]
    return {
        "what": f"ack, {CONTACTS} contacts, {own} of them those of whoever asks",
        "requests": len(every),
        "settled": settled,
        "p50_ms": round(statistics.median(every), 1),
        "p99_ms": round(percentile(every, 0.99), 1),
        "p99_ms_by_kind": {kind: round(percentile(values, 0.99), 1) for kind, values in took.items()},
        "longest_step_ms": round(max(steps), 1),
        "steps_over_50_ms": sum(step > LONG_STEP_MS for step in steps),
    }


async def fill(data: Path, own: int) -> None:
    """Keep the contacts, and the first alerts of whoever asks; nothing here waits for the disk."""
    flush = os.fsync
    os.fsync = lambda fd: None  # noqa: ARG005 - what is only prepared need not outlive a power cut
    async with await TinyStore.open(data) as store:
        for i in range(CONTACTS):
            owner = "rita@vendor.example" if i < own else f"rep{i % PLACES}@vendor.example"
            contact = Contact(f"p{i}@a{i % 997}.example", f"Person {i}", owner=owner)
            await (raise_alert(store, contact=contact) if i < REQUESTS else store.watch(contact))
    os.fsync = flush


async def watch_loop(steps: list[float]) -> None:
    """Note how long each wait for a turn was, in milliseconds: as long as the longest step of others."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0)
        steps.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(LOOK_EVERY)


def pressed(i: int, marks: Marks) -> dict[str, Any]:
    """Return a button under the i-th alert."""
    return {
        "type": "button",
        "action_id": "answer.still_there",
        "block_id": "answers",
        "value": marks.case(f"p{i}@a{i % 997}.example:1"),
        "action_ts": "1",
    }


async def chaos() -> list[dict[str, Any]]:
    """Measure what faults and kills cost."""
    return [await storm("may read history", BOT_WITH_HISTORY), await storm("may not", BOT_TOKEN)]


async def storm(what: str, token: str) -> dict[str, Any]:
    """Bring the alerts out through faults and kills."""
    chance = random.Random(SEED)  # noqa: S311 - the same every time, on purpose
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, workspace(PLACES, PLACES) as server:
        data = Path(folder)
        async with await TinyStore.open(data) as store:
            for i in range(ALERTS):
                verdict = chance.choice([Verdict.LEFT, Verdict.LIKELY_LEFT, Verdict.SLIPPING])
                told = replace(SLIPPING if verdict is Verdict.SLIPPING else LEFT, verdict=verdict, at=now())
                owner = f"rep{i % PLACES}@vendor.example"
                await raise_alert(store, told, Contact(f"p{i}@a{i // 2}.example", f"Person {i}", owner=owner))
        server.chaos(seed=SEED, limited=0.20, broken=0.10, dropped=0.05)
        for kill in range(KILLS + 1):
            process = await drainer(server, data, token)
            if kill < KILLS:
                # The other process cannot set an event of ours.
                while len(posts(server)) < (kill + 1) * ALERTS // (KILLS + 1):  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
                process.send_signal(signal.SIGKILL)
            await process.wait()
        async with await TinyStore.open(data) as store:
            unsent = sum(one.sent_at is None for case in await store.cases() for one in case.deliveries)
        found, harm = posts(server), server.harm()
    return {
        "what": f"chaos, {what}",
        "alerts": ALERTS,
        "lost": ALERTS - len(found),
        "unsent": unsent,
        "doubles": found.total() - len(found),
        "answers_lost": harm["unheard"],
        "calls_gone_wrong": harm["limited"] + harm["broken"] + harm["dropped"],
        "kills": KILLS,
        "seconds": round(time.perf_counter() - began, 1),
    }


async def drainer(server: Workspace, data: Path, token: str) -> asyncio.subprocess.Process:
    """Start a process that empties the outbox."""
    channels = json.dumps([server.channel("champions"), *(server.channel(f"team{i}") for i in range(PLACES))])
    script = str(ROOT / "tests" / "slack" / "drain_loop.py")
    return await asyncio.create_subprocess_exec(
        sys.executable, script, str(data), server.base_url, channels, token,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip


def posts(server: Workspace) -> Counter[str]:
    """Return how often each alert stands in the workspace."""
    carried = [message["metadata"] for message in server.state()["messages"] if message.get("metadata")]
    return Counter(one["event_payload"]["key"] for one in carried)


def main() -> None:
    """Run what is named, or all."""
    known = {"latency": latency, "ack": ack, "chaos": chaos}
    for name in sys.argv[1:] or known:
        for line in asyncio.run(known[name]()):
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
