"""Measure how soon Slack is told that a command arrived, and answered, with 10,000 contacts in the store.

python -m benchmarks.commands [CONTACTS] [ROUNDS]
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path
from statistics import median, quantiles

import structlog
from aiohttp import web

from bot.model import Contact, Deal, Observation
from bot.store.tiny import TinyStore
from tests.servers import slack
from tests.slack.commanding import Reception, reception
from tests.slack.story import JANE, NOW, raise_alert
from watchers import load

ACCOUNTS = 2_500
OWN = 300
AT_ONCE = 4


def contacts(most: int) -> Iterator[Contact]:
    """Yield contacts of many accounts, some of them the rep's own, each third with a deal."""
    for number in range(most):
        account = number % ACCOUNTS
        yield Contact(
            f"p{number}@account{account}.example",
            f"Person {number}",
            account=f"Account {account}",
            owner="rita@vendor.example" if number < OWN else "max@vendor.example",
            deal=Deal(f"Deal {number}", 1000.0) if number % 3 == 0 else None,
        )


async def fill(store: TinyStore, most: int) -> None:
    """Keep the contacts with a little history each, and one open case."""
    for contact in contacts(most):
        await store.watch(contact)
    await store.record(
        Observation(contact.address, kind, NOW - timedelta(days=days), "mailbox:rita@vendor.example", kind)
        for contact in contacts(OWN)
        for days in range(20)
        for kind in ("wrote", "written_to")
    )
    await raise_alert(store, contact=JANE)


class Listener:
    """Takes what the app answers, and only counts it."""

    def __init__(self) -> None:
        self.count = 0
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        """Count an answer."""
        await request.read()
        self.count += 1
        return web.Response(text="ok")


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    """Listen for answers on a free port."""
    listener, application = Listener(), web.Application()
    application.router.add_post("/{any}", listener.take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    listener.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield listener
    await runner.cleanup()


async def measure(desk: Reception, listener: Listener, texts: list[str], rounds: int) -> None:
    """Send each command so often, several at once, and print how long each took."""
    like = {by: desk.typed("", by) for by in ("rita", "max")}
    numbers = count()
    for text in texts:
        acks: list[float] = []
        work: list[float] = []

        async def once(text: str = text, acks: list[float] = acks, work: list[float] = work) -> None:
            number = next(numbers)
            by = "max" if text in {"team", "list all"} else "rita"
            changes = {
                "text": text.format(number),
                "trigger_id": f"{number}",
                "response_url": f"{listener.url}/r",
            }
            started, worked = time.perf_counter(), time.thread_time()
            assert await desk.command({**like[by], **changes}) == (200, "")
            acks.append(time.perf_counter() - started)
            work.append(time.thread_time() - worked)

        before, begun = listener.count, time.perf_counter()
        for _ in range(rounds // AT_ONCE):
            await asyncio.gather(*(once() for _ in range(AT_ONCE)))
        while listener.count < before + len(acks):  # noqa: ASYNC110 - a count sets no event
            await asyncio.sleep(0.02)
        rate = len(acks) / (time.perf_counter() - begun)
        middle, p99, busy = median(acks) * 1e3, *(quantiles(one, n=100)[98] * 1e3 for one in (acks, work))
        print(
            f"{text.format('N'):42} ack median {middle:4.0f} ms, p99 {p99:4.0f} ms "
            f"(of which our own processor time {busy:4.0f} ms); {rate:5.1f} a second"
        )


async def main(most: int, rounds: int) -> None:
    """Fill a store, run the app on it against the stand-in, and measure."""
    load()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as folder, slack.workspace() as server:
        async with await TinyStore.open(Path(folder)) as store:
            await fill(store, most)
            async with reception(server, store) as desk:
                texts = [
                    "help",
                    "list",
                    "list all",
                    "show person 7",
                    "add new{}@account1.example New One, Account 1",
                ]
                texts += ["show jane", "snooze jane 2d", "exposure", "stats", "team", "drill", "nonsense"]
                texts += ["settings", "add"]
                async with listening() as listener:
                    await measure(desk, listener, texts, rounds)


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    asyncio.run(main(*(given + [10_000, 100][len(given) :])))
