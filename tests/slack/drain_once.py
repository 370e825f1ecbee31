"""Drain a store's outbox in a process of its own, so that a test can kill it: DATA BASE_URL CHANNEL TOKEN."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from bot.slack.board import Board
from bot.slack.outbox import SlackPoster, drain
from bot.slack.people import Directory
from bot.slack.web import once
from bot.store.tiny import TinyStore
from tests.slack.story import NOW


async def main(data: str, base_url: str, channel: str, token: str) -> None:
    client = once(token, base_url)
    client.timeout = 60
    async with await TinyStore.open(Path(data)) as store:
        people = Directory(client, lambda: NOW)
        poster = SlackPoster(client, people, Board(store, client, people), channel)
        await drain(store, poster, lambda: NOW)


asyncio.run(main(*sys.argv[1:]))
