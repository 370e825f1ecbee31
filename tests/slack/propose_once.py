"""Take a press on a proposal and write it, in a process of its own: DATABASE SLACK HUBSPOT CHANNEL LATER.

It says "ready", waits for a line that holds what Slack sends (empty: nothing was pressed), and says "done".
LATER is by how many seconds its clock is ahead of the story.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from slack_bolt.async_app import AsyncApp, AsyncBoltRequest

from bot.config import Crm
from bot.crm.settings import HubSpotContacts
from bot.crm.writing import writer
from bot.routing import Rules
from bot.slack.board import Board
from bot.slack.people import Directory
from bot.slack.places import Places
from bot.slack.proposals import Proposals
from bot.slack.web import once
from bot.store.postgres import PostgresStore
from tests.servers.slack import BOT_TOKEN
from tests.slack.story import NOW
from watchers.crm import hubspot as line

line.PAUSE = timedelta()


async def main(database: str, base_url: str, hubspot: str, channel: str, later: str) -> None:
    def now() -> datetime:
        return NOW + timedelta(seconds=int(later))

    client = once(BOT_TOKEN, base_url)
    async with await PostgresStore.open(database) as store:
        people, rules = Directory(client, now, Rules(channel)), Rules(channel)
        places = Places(store, client, people, rules, now)
        board = Board(store, client, people, places.names, places.dress)
        proposals = Proposals(store, client, people, board, now)
        settings = HubSpotContacts(api=hubspot, left_property="no_longer_at_company")
        proposals.writer = writer(Crm(hubspot=settings))
        app = AsyncApp(token=BOT_TOKEN, signing_secret="of-nobody")
        app.client.base_url = base_url
        proposals.register(app)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        pressed = await asyncio.to_thread(sys.stdin.readline)
        if pressed.strip():
            request = AsyncBoltRequest(body=json.loads(pressed), mode="socket_mode")
            answer = await app.async_dispatch(request)
            assert answer.status == 200, answer.body
        await proposals.go_on()
        sys.stdout.write("done\n")


asyncio.run(main(*sys.argv[1:]))
