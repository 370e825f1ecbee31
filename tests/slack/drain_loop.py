"""Empty a store's outbox in a process of its own, which a test kills: DATA BASE_URL CHANNELS TOKEN.

Time passes two hundred times as fast as outside, so that what is tried again later is tried soon.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from bot.routing import Rules, Team
from bot.slack.board import Board
from bot.slack.outbox import Outbox
from bot.slack.people import Directory
from bot.slack.places import Places
from bot.slack.poster import SlackPoster
from bot.slack.web import once
from bot.store.tiny import TinyStore

FASTER = 200
BEGAN = time.monotonic()
OPENED = datetime.now(UTC)
LATER = timedelta(days=30)


def now() -> datetime:
    return OPENED + FASTER * timedelta(seconds=time.monotonic() - BEGAN)


async def main(data: str, base_url: str, channels: str, token: str) -> None:
    first, *others = json.loads(channels)
    teams = tuple(Team(frozenset({f"rep{i}@vendor.example"}), other) for i, other in enumerate(others))
    rules = Rules(first, slipping="dm", teams=teams)
    client = once(token, base_url)
    async with await TinyStore.open(Path(data)) as store:
        people = Directory(client, now, rules)
        places = Places(store, client, people, rules, now)
        board = Board(store, client, people, places.names, places.dress)
        outbox = Outbox(store, SlackPoster(client, places, board, timedelta()), now)
        while await store.due(now() + LATER):
            await outbox.bring_out()
            await asyncio.sleep(0.05)
        await outbox.drain()
        await outbox.stop(timedelta(seconds=5))


asyncio.run(main(*sys.argv[1:]))
