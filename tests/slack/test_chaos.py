"""Slack refuses, breaks and hangs up, and the process is killed again and again: nothing is lost."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sys
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.model import Contact, Verdict
from bot.slack.outbox import AT_ONCE
from bot.store.tiny import TinyStore
from tests.servers.slack import BOT_TOKEN, BOT_WITH_HISTORY, Workspace
from tests.slack.story import LEFT, SLIPPING, raise_alert

pytestmark = [pytest.mark.servers, pytest.mark.long]
HERE = Path(__file__).parent

SEED = 20260803
PATIENCE = 60


@dataclass(frozen=True)
class Outcome:
    """How often each alert was posted, and how many answers of Slack got lost."""

    raised: int
    posts: Counter[str]
    unheard: int
    unsent: int

    @property
    def lost(self) -> int:
        return self.raised - len(self.posts)

    @property
    def doubles(self) -> int:
        return self.posts.total() - len(self.posts)


async def storm(server: Workspace, data: Path, token: str, alerts: int, kills: int) -> Outcome:
    """Raise the alerts, bring them out through faults and kills, and say what became of them."""
    chance = random.Random(SEED)  # noqa: S311 - the same every time, on purpose
    now = datetime.now(UTC)
    async with await TinyStore.open(data) as store:
        for i in range(alerts):
            verdict = chance.choice([Verdict.LEFT, Verdict.LIKELY_LEFT, Verdict.SLIPPING])
            assessment = replace(SLIPPING if verdict is Verdict.SLIPPING else LEFT, verdict=verdict, at=now)
            account = f"account{chance.randrange(60)}"
            owner = chance.choice(["rita@vendor.example", "max@vendor.example", "rep0@vendor.example"])
            contact = Contact(f"p{i}@{account}.example", f"Person {i}", "", account, owner)
            await raise_alert(store, assessment, contact)
    server.chaos(seed=SEED, limited=0.20, broken=0.10, dropped=0.05)
    for kill in range(kills):
        process = await start(server, data, token)
        await until_posted(server, process, (kill + 1) * alerts // (kills + 1) + chance.randrange(-5, 5))
        process.send_signal(signal.SIGKILL)
        await process.wait()
    last = await start(server, data, token)
    async with asyncio.timeout(PATIENCE):
        assert await last.wait() == 0
    async with await TinyStore.open(data) as store:
        unsent = [one for case in await store.cases() for one in case.deliveries if one.sent_at is None]
    return Outcome(alerts, posts(server), server.harm()["unheard"], len(unsent))


async def start(server: Workspace, data: Path, token: str) -> asyncio.subprocess.Process:
    channels = json.dumps([server.channel("champions"), server.channel("general")])
    arguments = [str(HERE / "drain_loop.py"), str(data), server.base_url, channels, token]
    return await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stderr=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL
    )


async def until_posted(server: Workspace, process: asyncio.subprocess.Process, count: int) -> None:
    """Wait until Slack has so many alerts."""
    async with asyncio.timeout(PATIENCE):
        while len(posts(server)) < count:
            assert process.returncode is None
            await asyncio.sleep(0.1)


def posts(server: Workspace) -> Counter[str]:
    """Return how often each alert stands in the workspace."""
    carried = [message["metadata"] for message in server.state()["messages"] if message.get("metadata")]
    return Counter(one["event_payload"]["key"] for one in carried)


async def test_through_faults_and_kills_every_alert_arrives_once_where_we_may_look(
    slack_server: Workspace, tmp_path: Path
) -> None:
    outcome = await storm(slack_server, tmp_path, BOT_WITH_HISTORY, alerts=100, kills=5)
    assert (outcome.lost, outcome.unsent, outcome.doubles) == (0, 0, 0)


async def test_where_we_may_not_look_only_an_answer_that_got_lost_doubles_an_alert(
    slack_server: Workspace, tmp_path: Path
) -> None:
    outcome = await storm(slack_server, tmp_path, BOT_TOKEN, alerts=30, kills=2)
    assert (outcome.lost, outcome.unsent) == (0, 0)
    assert outcome.doubles <= outcome.unheard + 2 * AT_ONCE
