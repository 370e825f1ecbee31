"""The installed service and commands with connected and granted mailboxes, all on loopback."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.config import Connect as Settings
from bot.config import GoogleClient
from bot.connect import Connect
from bot.connections import Connections, Link, clients
from bot.store.memory import MemoryStore
from bot.store.tiny import TinyStore
from bot.vault import Vault, new_key
from tests.connecting import RITA, SECRET, SECRET_ENV, Page, now
from tests.mails import plain
from tests.servers import google_mail, graph_mail, oauth
from tests.servers.google_mail import GoogleMail
from tests.servers.oauth import AuthorizationServer
from tests.servers.ports import free_port
from tests.service import Service
from tests.test_connections import held_in
from tests.watchers.granting import BOARD, service_account
from watchers.mail.oauth import Granted
from watchers.mail.tokens import Provider, Use

pytestmark = pytest.mark.long

JANE = "jane@acme.example"
KEY = new_key()


@pytest.fixture
async def tokens() -> AsyncIterator[AuthorizationServer]:
    async with oauth.running() as server:
        server.clients["stillthere"] = SECRET
        yield server


@pytest.fixture
async def google(tokens: AuthorizationServer) -> AsyncIterator[GoogleMail]:
    async with google_mail.running(tokens) as server:
        yield server


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def service(tmp_path: Path, port: int, tokens: AuthorizationServer, google: GoogleMail) -> Service:
    tokens.redirects.add(f"http://localhost:{port}/connect/google/callback")
    (tmp_path / "contacts.csv").write_text(f"email,name,account\n{JANE},Jane Doe,Acme\n")
    (tmp_path / "config.yaml").write_text(
        f"""\
team: {{domains: [vendor.example]}}
contacts: contacts.csv
listen: {{port: {port}, public_url: "http://localhost:{port}"}}
connect:
  key_env: CONNECT_TEST_KEY
  google:
    client_id: stillthere
    client_secret_env: {SECRET_ENV}
    authorize_url: {tokens.url}authorize
    token_url: {tokens.url}token
    revoke_url: {tokens.url}revoke
    api: {google.url}
watchers:
  mailbox: {{every: 1s}}
"""
    )
    return Service(tmp_path, env=environment())


def environment() -> dict[str, str]:
    return {"CONNECT_TEST_KEY": KEY, SECRET_ENV: SECRET, "SLACK_BOT_TOKEN": ""}


def button(port: int) -> str:
    """Return where the button in Slack leads: the link is sealed under the service's key."""
    settings = Settings(google=GoogleClient(client_id="stillthere"))
    vault, store = Vault([KEY]), MemoryStore()
    connections = Connections(store, vault, clients(settings))
    return Connect(store, vault, connections, f"http://localhost:{port}", frozenset(), now).url("U1", RITA)


def farewell(at: datetime) -> bytes:
    return (
        f"From: Jane Doe <{JANE}>\r\nTo: {RITA}\r\nSubject: Automatic reply: Pilot\r\n"
        f"Date: {format_datetime(at)}\r\nMessage-ID: <auto-1@acme.example>\r\n"
        "Auto-Submitted: auto-replied\r\n\r\n"
        "I am no longer with Acme. Please write to Ann Lee at ann.lee@acme.example.\r\n"
    ).encode()


async def test_a_rep_connects_and_their_champions_leaving_is_told_even_after_a_kill(
    service: Service, port: int, tokens: AuthorizationServer, google: GoogleMail, tmp_path: Path
) -> None:
    start = now()
    for days in (60, 40, 20, 5):
        at = start - timedelta(days=days)
        google.deliver(RITA, plain(JANE, RITA, at), at)
    try:
        await asyncio.to_thread(service.start)
        async with httpx.AsyncClient() as browser:
            page = Page(await browser.get(button(port)))
            allowed = await browser.get(page.link("Continue to Google"))
            assert f"{RITA} is connected" in Page(await browser.get(allowed.headers["location"])).text
        await asyncio.to_thread(service.wait, lambda: service.events("source.read"))
        assert "Jane" not in service.shown
        service.kill()
        tokens.end()
        await asyncio.to_thread(service.start)
        assert service.process is not None
        arguments = await asyncio.to_thread(Path(f"/proc/{service.process.pid}/cmdline").read_bytes)
        google.deliver(RITA, farewell(now()), now())
        await asyncio.to_thread(service.wait, lambda: "Left: auto-reply: no longer there" in service.shown)
        assert "ann.lee@acme.example" in service.shown
        await asyncio.to_thread(service.stop)
    finally:
        service.end()
    held = [*held_in(tmp_path / "data"), service.log.read_bytes(), service.shown.encode(), arguments]
    for secret in [*tokens.access, *tokens.refresh, *tokens.codes, SECRET, KEY]:
        assert not [one for one in held if secret.encode() in one]


async def test_without_its_key_the_service_does_not_start_and_says_how_to_make_one(service: Service) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "run", "--config", str(service.folder / "config.yaml")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **environment(), "CONNECT_TEST_KEY": ""},
    )
    said = (await asyncio.wait_for(process.communicate(), 60))[0].decode()
    assert process.returncode
    assert "CONNECT_TEST_KEY holds no key" in said
    assert "stillthere connect key" in said


async def test_connected_mailboxes_are_listed_and_ended_by_command(
    service: Service, tokens: AuthorizationServer
) -> None:
    tokens.refresh["rt-planted"] = (RITA, frozenset())
    settings = Settings(google=GoogleClient(client_id="stillthere"))
    async with await TinyStore.open(service.folder / "data") as store:
        connections = Connections(store, Vault([KEY]), clients(settings))
        link = Link(Provider.GOOGLE, RITA, "U1", now(), frozenset({Use.MAIL}))
        await connections.connect(link, Granted("at-1", 60, "rt-planted"))
    config = str(service.folder / "config.yaml")
    [line] = (await run("connect", "list", "--json", "--config", config)).splitlines()
    assert json.loads(line)["mailbox"] == RITA
    assert "the token is erased" in await run("connect", "end", RITA, "--config", config)
    assert tokens.refresh == {}
    assert not any(b"gAAAA" in held for held in held_in(service.folder / "data"))


async def test_the_command_fails_where_a_mailbox_outside_the_group_opens(
    tmp_path: Path, tokens: AuthorizationServer, google: GoogleMail
) -> None:
    key_file = service_account(tmp_path, tokens, RITA)
    google.mailbox(BOARD)
    async with graph_mail.running(tokens) as microsoft:
        for address in ("lea@vendor.example", BOARD):
            microsoft.mailbox(address)
        microsoft.group = {"lea@vendor.example"}
        config = tmp_path / "config.yaml"
        config.write_text(
            f"""\
team: {{domains: [vendor.example]}}
watchers:
  mailbox:
    mailboxes:
      - {{kind: gmail, key_file: {key_file}, mailboxes_file: reps.txt, outside: {BOARD}, api: "{google.url}",
         token_url: "{tokens.url}token"}}
      - {{kind: graph, tenant: t, client_id: stillthere, secret_env: {SECRET_ENV}, outside: {BOARD},
         mailboxes: [lea@vendor.example], api: "{microsoft.url}", token_url: "{tokens.url}token"}}
"""
        )
        (tmp_path / "reps.txt").write_text(f"# our reps\n{RITA}  # Rita\n\n")
        said = await run("connect", "check", "--config", str(config))
        assert said.count("ok  ") == 4
        assert "BAD" not in said
        microsoft.everything = True
        lines = await run("connect", "check", "--json", "--config", str(config), fails=True)
        bad = [one for one in map(json.loads, lines.splitlines()) if not one["ok"]]
        assert [one["what"] for one in bad] == [f"THE GRANT IS TOO WIDE: {BOARD} opens, and must not"]


async def test_a_new_key_is_a_key() -> None:
    key = (await run("connect", "key")).strip()
    assert Vault([key]).open(Vault([key]).seal(1)) == 1


async def run(*arguments: str, fails: bool = False) -> str:
    """Run a command beside the servers of this test and return what it says, on both its outputs."""
    runner = CliRunner(env=environment())
    result = await asyncio.to_thread(runner.invoke, main, arguments)
    assert (result.exit_code != 0) is fails, result.output
    return result.output
