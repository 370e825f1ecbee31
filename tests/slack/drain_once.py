"""Drain a store's outbox in a process of its own, so that a test can kill it: DATA BASE_URL CHANNEL TOKEN."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from bot.routing import Rules
from bot.slack.board import Board
from bot.slack.outbox import drain
from bot.slack.people import Directory
from bot.slack.places import Places
from bot.slack.poster import SlackPoster
from bot.slack.web import once
from bot.store.tiny import TinyStore
from tests.slack.story import NOW


async def main(data: str, base_url: str, channel: str, token: str) -> None:
    client = once(token, base_url)
    client.timeout = 60
    async with await TinyStore.open(Path(data)) as store:
        people, rules = Directory(client, lambda: NOW), Rules(channel)
        places = Places(store, client, people, rules, lambda: NOW)
        poster = SlackPoster(client, places, Board(store, client, people))
        await drain(store, poster, lambda: NOW)


asyncio.run(main(*sys.argv[1:]))
