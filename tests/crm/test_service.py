from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from bot import config
from bot.coverage import CRM_ONLY
from bot.model import Contact, Watched
from bot.service import Service
from bot.slack.tab import _coverage
from bot.store.memory import MemoryStore
from bot.terminal import TerminalPoster
from tests.crm.test_import import furnish
from tests.servers import hubspot
from tests.service import Service as Process
from watchers import load

pytestmark = pytest.mark.long

SOURCE = "contacts in HubSpot"
BOB, JANE = "bob@acme.example", "jane@acme.example"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def text(portal: hubspot.HubSpot, more: str = "") -> str:
    return f"team:\n  domains: [vendor.example]\ncrm:\n  hubspot:\n    api: {portal.url}\n{more}"


def service(folder: Path, portal: hubspot.HubSpot, store: MemoryStore, more: str = "") -> Service:
    load()
    (folder / "config.yaml").write_text(text(portal, more))
    poster = TerminalPoster(Console(file=StringIO()))
    return Service(config.load(folder / "config.yaml"), store, poster)


async def test_the_service_watches_whom_the_crm_names_and_follows_a_reassignment(
    portal: hubspot.HubSpot, store: MemoryStore, tmp_path: Path
) -> None:
    known = furnish(portal)
    running = service(tmp_path, portal, store)
    await running.take_crm()
    assert {one.address: one.owner for one in await store.contacts()} == {
        BOB: "omar@vendor.example",
        JANE: "rita@vendor.example",
    }
    portal.objects["deals"][known["rollout"]]["hubspot_owner_id"] = "2"
    await running.take_crm()
    assert {one.owner for one in await store.contacts()} == {"omar@vendor.example"}


async def test_a_crm_that_cannot_be_read_is_an_outage_and_nobody_is_lost(
    portal: hubspot.HubSpot, store: MemoryStore, tmp_path: Path
) -> None:
    furnish(portal)
    running = service(tmp_path, portal, store)
    await running.take_crm()
    before = await store.contacts()
    portal.answers = [(503, {}, {})]
    await running.take_crm()
    assert [one.source for one in running.health.coverage().outages] == [SOURCE]
    assert await store.contacts() == before
    await running.take_crm()
    assert running.health.coverage().outages == ()


async def test_a_wait_that_the_crm_asks_for_is_kept(
    portal: hubspot.HubSpot, store: MemoryStore, tmp_path: Path
) -> None:
    portal.answers = [(429, hubspot.error(429, "RATE_LIMITS")[1], {"Retry-After": "7200"})]
    running = service(tmp_path, portal, store)
    assert await running.plan_crm(datetime(2026, 5, 4, 10, tzinfo=UTC))
    asked = len(portal.asked)
    assert not await running.plan_crm(datetime(2026, 5, 4, 11, tzinfo=UTC))
    assert len(portal.asked) == asked


async def test_of_two_processes_one_takes_contacts_over_in_each_slot(
    portal: hubspot.HubSpot, store: MemoryStore, tmp_path: Path
) -> None:
    furnish(portal)
    slot = datetime(2026, 5, 4, 10, tzinfo=UTC)
    both = [service(tmp_path, portal, store) for _ in range(2)]
    assert [await one.plan_crm(slot) for one in both] == [True, False]
    assert await both[1].plan_crm(slot + timedelta(hours=1))


@pytest.mark.parametrize(
    ("watchers", "said"),
    [
        ("  crm_hubspot: {}\n", CRM_ONLY),
        ("  crm_hubspot: {}\n  mailbox:\n    mailboxes: [{kind: files, path: mail}]\n", ""),
        ("  mailbox:\n    mailboxes: [{kind: files, path: mail}]\n", ""),
    ],
)
def test_where_nothing_but_a_crm_is_read_coverage_says_what_that_misses(
    portal: hubspot.HubSpot, store: MemoryStore, tmp_path: Path, watchers: str, said: str
) -> None:
    coverage = service(tmp_path, portal, store, f"watchers:\n{watchers}").health.coverage()
    assert coverage.missed == said
    shown = _coverage([Watched(Contact(JANE))], coverage, datetime(2026, 5, 4, tzinfo=UTC))
    assert ("no auto-replies, no invitations" in shown) == bool(said)


async def test_a_crm_token_is_all_that_the_service_needs_to_start_and_look(
    portal: hubspot.HubSpot, tmp_path: Path
) -> None:
    known = furnish(portal)
    now = datetime.now(UTC)
    portal.objects["contacts"][known["jane"]].update(
        hs_email_hard_bounce_reason_enum="UNKNOWN_USER",
        hs_email_delivered="9",
        hs_email_first_send_date=(now - timedelta(days=90)).isoformat(),
        lastmodifieddate=(now - timedelta(hours=2)).isoformat(),
    )
    watchers = f"watchers:\n  crm_hubspot:\n    api: {portal.url}\n"
    (tmp_path / "config.yaml").write_text(text(portal, watchers))
    process = Process(tmp_path, {"HUBSPOT_TOKEN": hubspot.TOKEN})
    try:
        await asyncio.to_thread(process.start)
        [started] = process.events("service.started")
        assert started["contacts"] == 2
        await asyncio.to_thread(process.wait, lambda: process.events("source.read"))
    finally:
        process.end()
