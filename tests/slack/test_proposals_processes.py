"""Real processes on PostgreSQL take a rep's word on a proposal, and are killed as they write to the CRM."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.config import Crm
from bot.crm.proposals import LEASE
from bot.crm.settings import HubSpotContacts
from bot.crm.writing import writer
from bot.slack.proposals import ACCEPT, DECLINE
from bot.store.postgres import PostgresStore
from tests.servers import hubspot
from tests.servers.postgres import PostgresServer
from tests.servers.slack import Workspace
from tests.slack.pressing import Office, open_office
from tests.slack.story import ADDRESS
from watchers.crm import hubspot as line

pytestmark = [pytest.mark.servers, pytest.mark.long]

SCRIPT = Path(__file__).parent / "propose_once.py"
PATIENCE = timedelta(seconds=60)
ONCE = {"contacts changed": 1, "contacts created": 1, "notes created": 1}


@dataclass
class Offer:
    """A proposal that stands in Slack, in a database that any process may open."""

    office: Office
    portal: hubspot.HubSpot
    database: str

    def card(self) -> dict[str, Any]:
        channel = self.office.server.channel("champions")
        messages = self.office.server.state()["messages"]
        [card] = [one for one in messages if one["channel_id"] != channel]
        return dict(card)

    def shown(self) -> str:
        return json.dumps(self.card()["blocks"], ensure_ascii=False)

    def pressed(self, action: str) -> str:
        """Return what Slack sends when the rep presses a button of the card."""
        return json.dumps(self.office.pressed_on(self.card(), action))

    async def process(self, later: timedelta = timedelta()) -> Process:
        """Start a process, which waits until it is told to go on."""
        server = self.office.server
        arguments = [self.database, server.base_url, self.portal.url, server.channel("champions")]
        arguments.append(str(int(later.total_seconds())))
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(SCRIPT), *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE.total_seconds()):
            assert await process.stdout.readline() == b"ready\n", await process.communicate()
        return process


async def go_on(process: Process, pressed: str = "") -> bytes:
    """Let a process go on until it ends, by itself or not; return the last it said."""
    async with asyncio.timeout(PATIENCE.total_seconds()):
        told, problem = await process.communicate(f"{pressed}\n".encode())
    assert process.returncode in {0, -9}, problem.decode()
    return told


@pytest.fixture
async def offer(
    slack_server: Workspace, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Offer]:
    monkeypatch.setattr(line, "PAUSE", timedelta())
    monkeypatch.setenv("HUBSPOT_TOKEN", hubspot.TOKEN)
    database = postgres_server.new_database()
    async with (
        hubspot.running() as portal,
        await PostgresStore.open(database) as store,
        open_office(slack_server, store=store) as office,
    ):
        portal.add("contacts", email=ADDRESS)
        settings = HubSpotContacts(api=portal.url, left_property="no_longer_at_company")
        office.app.proposals.writer = writer(Crm(hubspot=settings))
        await office.post_alert()
        await office.settle()
        await office.until("Settled")
        await office.app.proposals.go_on()
        office.app.proposals.writer = None
        yield Offer(office, portal, database)


async def test_accepted_in_two_processes_at_once_it_is_written_once(offer: Offer) -> None:
    both = await asyncio.gather(offer.process(), offer.process())
    pressed = offer.pressed(ACCEPT)
    told = await asyncio.gather(*(go_on(one, pressed) for one in both))
    assert all(each.endswith(b"done\n") for each in told)
    assert offer.portal.written == ONCE
    assert "Written to HubSpot" in offer.shown()


async def test_accepted_in_one_process_and_declined_in_another_one_word_stands(offer: Offer) -> None:
    *both, last = await asyncio.gather(offer.process(), offer.process(), offer.process())
    words = offer.pressed(ACCEPT), offer.pressed(DECLINE)
    await asyncio.gather(*(go_on(one, word) for one, word in zip(both, words, strict=True)))
    await go_on(last)
    was_declined = "Declined by" in offer.shown()
    assert offer.portal.written == ({} if was_declined else ONCE)
    assert ("Written to HubSpot" in offer.shown()) is not was_declined


@pytest.mark.parametrize("write", ["POST /crm/v3/objects/contacts", "POST /crm/v3/objects/notes"])
async def test_killed_after_any_write_and_before_we_kept_it_the_next_process_doubles_nothing(
    offer: Offer, write: str
) -> None:
    first, early, second = await asyncio.gather(offer.process(), offer.process(), offer.process(LEASE))
    offer.portal.carried_out[write] = first.kill
    assert await go_on(first, offer.pressed(ACCEPT)) == b""
    assert first.returncode == -9
    done = dict(offer.portal.written)
    assert done
    assert (await go_on(early)).endswith(b"done\n")
    assert offer.portal.written == done
    assert (await go_on(second)).endswith(b"done\n")
    assert offer.portal.written == ONCE
    assert "Written to HubSpot" in offer.shown()
