"""A poisoned mail, row, record or answer beside good ones, in every source of one running service."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from aiohttp import web
from rich.console import Console
from structlog.testing import capture_logs

from bot import config
from bot.model import Contact, Deal, Json, SourceDown
from bot.service import Service
from bot.store.tiny import TinyStore
from bot.terminal import TerminalPoster
from tests.crm.test_import import furnish
from tests.faults.fleet import letter
from tests.faults.test_storm import POISON
from tests.servers import hubspot, people_data_labs
from tests.web.site import Clock
from watchers import Scope, load
from watchers.data_provider import DataProvider

REP = "rita@vendor.example"
GOOD, POISONED = "champion0@customer0.example", "champion1@customer1.example"
ROWS = (
    b"email,name,account,owner,amount,close_date\n"
    b"not an address,Nobody,Acme,%(rep)s,1,2026-01-01\n"
    b"=cmd|' /C calc'!A0,\x00\xff\xfe,\x1b[2J,%(rep)s,1e999,99999-99-99\n"
    b"%(poisoned)s,%(long)s,Customer 1,%(rep)s,nan,0000-00-00\n"
    b"%(good)s,Champion 0,Customer 0,%(rep)s,48000,2026-06-30\n"
)
ODD: tuple[dict[str, str | None], ...] = (
    {"email": "odd0@acme.example", "firstname": None, "lastname": "x" * 100_000},
    {"email": "@@@", "firstname": "Nobody"},
    {"email": None},
    {"email": "odd1@acme.example\r\nBcc: all@acme.example", "hs_email_first_send_date": "99999-99-99"},
)
ODD_DEAL = {"amount": "1e999", "closedate": "+999999-13-45T99:99:99Z", "hs_is_closed": "false"}
PATIENCE_SECONDS = 60


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.02)


def furnish_mailbox(box: Path) -> None:
    """Let poison lie before, between and after what the champions wrote."""
    box.mkdir()
    for number, mail in enumerate(POISON):
        (box / f"0{number}.eml").write_bytes(mail)
        (box / f"9{number}.eml").write_bytes(mail)
    (box / "50.eml").write_bytes(letter(GOOD, REP, 20))
    (box / "51.eml").write_bytes(letter(POISONED, REP, 21))


def furnish_portal(portal: hubspot.HubSpot) -> None:
    """Let odd people and an odd deal stand in the CRM beside good ones."""
    furnish(portal)
    for odd in ODD:
        ident = portal.add("contacts", **{name: value or "" for name, value in odd.items()})
        portal.objects["contacts"][ident].update(odd)  # type: ignore[arg-type]
        deal = portal.add("deals", dealname="Odd", **ODD_DEAL)
        portal.link("deals", deal, "contacts", ident)


def configure(folder: Path, portal: hubspot.HubSpot, provider: people_data_labs.PeopleDataLabs) -> None:
    rows = {b"rep": REP, b"poisoned": POISONED, b"good": GOOD, b"long": "x" * 100_000}
    (folder / "contacts.csv").write_bytes(ROWS % {name: value.encode() for name, value in rows.items()})
    (folder / "config.yaml").write_text(
        f"""
team: {{domains: [vendor.example]}}
contacts: contacts.csv
crm: {{hubspot: {{api: "{portal.url}"}}}}
watchers:
  mailbox: {{every: 1s, mailboxes: [{{kind: files, path: mail}}]}}
  crm_hubspot: {{every: 1s, api: "{portal.url}"}}
  data_provider: {{every: 1s, api: "{provider.url}", key_env: A_KEY, contacts: all}}
"""
    )


async def test_one_poisoned_thing_in_every_source_costs_no_other_and_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load()
    monkeypatch.setenv("HUBSPOT_TOKEN", hubspot.TOKEN)
    monkeypatch.setenv("A_KEY", people_data_labs.KEY)
    furnish_mailbox(tmp_path / "mail")
    async with hubspot.running() as portal, people_data_labs.running() as provider:
        furnish_portal(portal)
        configure(tmp_path, portal, provider)
        provider.person(GOOD, "customer 0", "vp")
        provider.records[POISONED] = 9, {"job_company_name": ["a", {"list": 1}], "job_title": {"x": [1]}}
        with capture_logs() as logs:
            async with await TinyStore.open(tmp_path / "data") as store:
                poster = TerminalPoster(Console(file=StringIO()))
                service = Service(config.load(tmp_path / "config.yaml"), store, poster)
                async with service.running():
                    sources = set(await service.sources())
                    await until(lambda: sources <= service.health.read_at.keys())
                    looked = dict(service.health.read_at)
                    await until(lambda: all(service.health.read_at[one] > looked[one] for one in sources))
                people = {one.address: await store.person(one.address) for one in await store.contacts()}
    for address in (GOOD, POISONED):
        person = people[address]
        assert person is not None
        assert "wrote" in {seen.kind for seen in person.observations}
    assert {"jane@acme.example", "bob@acme.example"} <= people.keys()
    assert not {address for address in people if any(odd in address for odd in ("@@@", "\r", "\n", "="))}
    events = Counter(line["event"] for line in logs)
    assert events["contacts.bad_row"] == 2
    assert not {"look.failed", "job.failed", "source.down", "source.needs_human"} & events.keys()
    assert events["item.unreadable"] == 0
    asked = [one.get("email") for one in provider.asked]
    assert {GOOD, POISONED} <= {*asked}


async def test_a_person_whose_record_no_provider_can_give_keeps_nobody_else_from_being_asked_about(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("A_KEY", people_data_labs.KEY)
    clock, scope = Clock(), Scope.of([Contact(GOOD, deal=Deal()), Contact(POISONED, deal=Deal())], [])
    async with people_data_labs.running() as provider:
        provider.person(GOOD, "customer 0", "vp")
        provider.person(POISONED, "customer 1", "vp")
        settings = DataProvider.Config.model_validate({"api": provider.url, "key_env": "A_KEY"})
        watcher = DataProvider(settings, clock)
        cursor: Json = None
        for look in range(3):
            provider.broken = web.Response(status=200, body=b"{}") if look == 0 else None
            with contextlib.suppress(SourceDown):
                async for batch in watcher.fetch("data_provider", cursor, scope):
                    cursor = batch.cursor
    asked = [one["email"] for one in provider.asked]
    assert asked[0] != asked[1]
    assert {*asked} == {GOOD, POISONED}
