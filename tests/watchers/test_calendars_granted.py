"""Calendars that an organisation granted together: by a service account, by an application, with a fence."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from myworld.api.http import handle
from myworld.host import Host
from pydantic import ValidationError

from bot.model import NeedsHuman, Observation
from tests.servers import calendar_graph
from tests.servers.calendar_google import GoogleWorld
from tests.servers.oauth import Account, AuthorizationServer
from tests.watchers.calendar_programs import DAY, HOUR, JANE, RITA, Call, Google, Graph, utc
from tests.watchers.calendar_reading import SCOPE as WATCHED
from watchers.calendar import Pass
from watchers.calendar.granted import GoogleCalendars
from watchers.calendars import Calendars
from watchers.mail.group import keeps_out
from watchers.mail.limits import check_limits
from watchers.mail.rest import Refused
from watchers.mail.tokens import SCOPES, Provider, Use

SET = utc(2026, 4, 20, 9)
CALL = Call(utc(2026, 5, 4, 13))
BOARD = "board@vendor.example"
SCOPE = SCOPES[Provider.GOOGLE, Use.CALENDAR]


async def read(settings: dict[str, Any]) -> list[Observation]:
    watcher = Calendars(Calendars.Config.model_validate({"calendars": [settings]}))
    watcher.clock = lambda: SET + HOUR
    assert list(watcher.sources(WATCHED)) == [f"calendars:{RITA}"]
    return [
        seen
        async for batch in watcher.fetch(f"calendars:{RITA}", None, WATCHED)
        for raw in batch.items
        for seen in watcher.read(raw, WATCHED)
    ]


@asynccontextmanager
async def workspace(tokens: AuthorizationServer) -> AsyncIterator[tuple[GoogleWorld, str]]:
    """Serve Rita's calendar at Google to whoever holds a token of the authorization server for her."""
    host = Host()
    world = GoogleWorld(host, 0, RITA, [JANE], SET - DAY)

    async def answer(request: web.Request) -> web.Response:
        whose = tokens.opens(request.headers.get("Authorization", ""), SCOPE)
        if whose is None:
            return web.json_response({"error": {"errors": [{"reason": "authError"}]}}, status=401)
        headers = {"Authorization": f"Bearer {world.token}"}
        told = handle(
            host,
            "www.googleapis.com",
            "GET",
            f"/{request.path.strip('/')}",
            request.query_string,
            headers,
            b"",
        )
        return web.Response(status=told.status, body=told.body, content_type="application/json")

    app = web.Application()
    app.router.add_get("/{tail:.*}", answer)
    async with TestServer(app) as server:
        yield world, str(server.make_url("/calendar/v3"))


@pytest.fixture
def key(tmp_path: Path, tokens: AuthorizationServer) -> Path:
    """Make a service account that may act for Rita, and return its key file."""
    private = rsa.generate_private_key(65537, 2048)
    tokens.accounts["reader@project.example"] = Account(
        private.public_key(), frozenset({SCOPE}), frozenset({RITA})
    )
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "key.json"
    path.write_text(json.dumps({"client_email": "reader@project.example", "private_key": pem.decode()}))
    return path


def delegated(tokens: AuthorizationServer, key: Path, api: str) -> dict[str, Any]:
    return {
        "kind": "google_workspace",
        "mailboxes": [RITA],
        "key_file": key,
        "outside": BOARD,
        "api": api,
        "token_url": f"{tokens.url}token",
    }


async def test_a_service_account_reads_the_calendars_of_the_group_and_no_others(
    tokens: AuthorizationServer, key: Path
) -> None:
    async with workspace(tokens) as (world, api):
        Google(world).write(CALL, SET)
        settings = delegated(tokens, key, api)
        (seen,) = await read(settings)
        assert seen.contact == JANE

        account = tokens.accounts["reader@project.example"]
        account.mailboxes = frozenset({RITA, BOARD})
        with pytest.raises(NeedsHuman, match=f"too wide: {BOARD} opens"):
            await read(settings)

        account.scopes = frozenset()
        with pytest.raises(NeedsHuman, match="may not open rita"):
            await read({**settings, "outside": ""})


async def test_an_application_reads_the_calendars_of_the_group_and_no_others(
    tokens: AuthorizationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens.clients["app-1"] = "the-secret"
    monkeypatch.setenv("APP_SECRET", "the-secret")
    async with calendar_graph.serving(RITA) as graph:
        everything = "https://graph.microsoft.com/.default"
        graph.opens = lambda header: isinstance(tokens.opens(header, everything), str)
        Graph(graph).write(CALL, SET)
        graph.others[BOARD] = False
        settings = {
            "kind": "microsoft_365",
            "mailboxes": [RITA],
            "tenant": "vendor.example",
            "client_id": "app-1",
            "secret_env": "APP_SECRET",
            "outside": BOARD,
            "api": graph.url,
            "token_url": f"{tokens.url}vendor.example/oauth2/v2.0/token",
        }
        (seen,) = await read(settings)
        assert seen.contact == JANE
        config = Calendars.Config.model_validate({"calendars": [settings]})
        assert [one.ok for one in await check_limits([config])] == [True, True]

        graph.others[BOARD] = True
        assert [one.ok for one in await check_limits([config])] == [True, False]
        with pytest.raises(NeedsHuman, match=f"too wide: {BOARD} opens"):
            await read(settings)

        monkeypatch.setenv("APP_SECRET", "another-secret")
        with pytest.raises(NeedsHuman, match="refuses the application app-1") as refused:
            await read({**settings, "outside": ""})
        assert "another-secret" not in str(refused.value)


async def test_a_fence_of_calendars_that_could_not_be_tried_is_not_taken_for_closed(
    tokens: AuthorizationServer, key: Path
) -> None:
    async with workspace(tokens) as (world, api):
        Google(world).write(CALL, SET)
        settings = delegated(tokens, key, api)
        calendar = GoogleCalendars.model_validate(settings).box(RITA)
        look = Pass(SET + HOUR, SET - DAY, WATCHED, {})
        hidden = settings["key_file"].rename(f"{key}.hidden")
        with pytest.raises(NeedsHuman, match="cannot be read"):
            await anext(calendar.pages(None, look))

        hidden.rename(key)
        tokens.accounts["reader@project.example"].mailboxes = frozenset({RITA, BOARD})
        with pytest.raises(NeedsHuman, match=f"too wide: {BOARD} opens"):
            await anext(calendar.pages(None, look))


@pytest.mark.parametrize(
    ("status", "code", "closed"),
    [
        (403, "forbidden", True),
        (404, "ErrorInvalidUser", True),
        (403, "accessNotConfigured", False),
        (403, "SERVICE_DISABLED", False),
        (400, "badRequest", False),
        (200, "tooLarge", False),
    ],
)
def test_only_a_refusal_of_the_mailbox_itself_keeps_us_out(status: int, code: str, *, closed: bool) -> None:
    assert keeps_out(Refused(status, code)) is closed


@pytest.mark.parametrize(
    "settings",
    [
        {"kind": "google", "name": "omar", "token_env": "T", "api": "http://calendar.example/v3"},
        {"kind": "graph", "token_env": "T", "api": "http://localhost.attacker.example/"},
        {"kind": "google_workspace", "mailboxes": [RITA], "key_file": "k", "token_url": "http://x.example/"},
        {
            "kind": "google_workspace",
            "mailboxes": [RITA],
            "key_file": "k",
            "api": "http://127.0.0.1@x.example",
        },
        {
            "kind": "microsoft_365",
            "mailboxes": [RITA],
            "tenant": "t",
            "client_id": "c",
            "secret_env": "S",
            "token_url": "http://login.example/token",
        },
    ],
)
def test_a_token_for_a_calendar_is_not_sent_in_the_clear(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="pattern"):
        Calendars.Config.model_validate({"calendars": [settings]})


async def test_a_list_that_cannot_be_read_is_a_calendar_that_cannot_either(tmp_path: Path, key: Path) -> None:
    watcher = Calendars(
        Calendars.Config.model_validate(
            {"calendars": [{"kind": "google_workspace", "key_file": key, "mailboxes_file": tmp_path / "no"}]}
        )
    )
    (source,) = watcher.sources(WATCHED)
    with pytest.raises(NeedsHuman, match="one address a line"):
        await anext(watcher.fetch(source, None, WATCHED))
