from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import BaseModel, ValidationError

from bot.model import NeedsHuman, SourceDown
from tests.servers.oauth import AuthorizationServer
from tests.watchers.granting import BOARD, GMAIL_SCOPE, OMAR, RITA, everything, service_account
from watchers import Scope
from watchers.mail.gmail import GmailMailboxes
from watchers.mail.grants import ServiceAccount
from watchers.mail.graph import GraphMailboxes
from watchers.mail.group import no_news
from watchers.mail.limits import check_limits
from watchers.mail.oauth import Granted, Lease, ask
from watchers.mail.rest import code_of
from watchers.mail.tokens import Connectable, Use
from watchers.mailbox import Mailbox


def account(tokens: AuthorizationServer, path: Path, mailbox: str = RITA) -> ServiceAccount:
    return ServiceAccount(path, mailbox, f"{tokens.url}token")


async def test_each_use_is_signed_for_by_itself(tokens: AuthorizationServer, tmp_path: Path) -> None:
    calendar = "https://www.googleapis.com/auth/calendar.readonly"
    grant = account(tokens, service_account(tmp_path, tokens, RITA, scopes=[GMAIL_SCOPE, calendar]))
    mail, meetings = await grant.token(Use.MAIL), await grant.token(Use.CALENDAR)
    assert tokens.access[mail].scopes == {GMAIL_SCOPE}
    assert tokens.access[meetings].scopes == {calendar}
    assert await grant.token(Use.MAIL) == mail


async def test_a_scope_that_was_not_granted_is_named(tokens: AuthorizationServer, tmp_path: Path) -> None:
    grant = account(tokens, service_account(tmp_path, tokens, RITA))
    with pytest.raises(NeedsHuman, match=r"calendar\.readonly - grant its client id exactly this scope"):
        await grant.token(Use.CALENDAR)


async def test_an_altered_key_signs_nothing(tokens: AuthorizationServer, tmp_path: Path) -> None:
    path = service_account(tmp_path, tokens, RITA)
    tokens.accounts = {"other@project.example": tokens.accounts.popitem()[1]}
    with pytest.raises(NeedsHuman, match="Google refuses"):
        await account(tokens, path).token(Use.MAIL)


@pytest.mark.parametrize("content", ["", "{}", "[]", "{", '{"client_email": "x", "private_key": "planted"}'])
async def test_a_file_that_is_no_key_is_said_and_not_repeated(
    tokens: AuthorizationServer, tmp_path: Path, content: str
) -> None:
    path = tmp_path / "key.json"
    path.write_text(content)
    with pytest.raises(NeedsHuman, match="is no key of a service account") as problem:
        await account(tokens, path).token(Use.MAIL)
    assert "planted" not in f"{problem.value} {problem.value.__cause__!r}"
    path.unlink()
    with pytest.raises(NeedsHuman, match="cannot be read"):
        await account(tokens, path).token(Use.MAIL)


async def test_an_authorization_server_that_is_down_is_an_outage(
    tokens: AuthorizationServer, tmp_path: Path
) -> None:
    grant = account(tokens, service_account(tmp_path, tokens, RITA))
    tokens.down = 1
    with pytest.raises(SourceDown, match="503"):
        await grant.token(Use.MAIL)
    assert await grant.token(Use.MAIL)


async def test_a_token_is_renewed_before_its_end_and_by_one_caller_at_a_time() -> None:
    renewed = 0

    async def renew() -> Granted:
        nonlocal renewed
        renewed += 1
        await asyncio.sleep(0)
        return Granted(f"token {renewed}", 3600)

    lease = Lease(renew)
    assert set(await asyncio.gather(*(lease.token() for _ in range(10)))) == {"token 1"}
    assert await lease.token(refused="token 1") == "token 2"
    assert await lease.token(refused="token 1") == "token 2"
    lease._until = 0
    assert await lease.token() == "token 3"
    assert "token 3" not in repr(lease)
    assert "token 1" not in repr(await renew())


@pytest.mark.parametrize(
    ("seconds", "lasts"),
    [
        ("3599", 3599),
        ("1e999", 86_400),
        ("1" + "0" * 400, 86_400),
        ("-5", 0),
        ("NaN", 0),
        ("true", 3600),
        ('"soon"', 3600),
        ("null", 3600),
    ],
)
async def test_a_token_lasts_no_longer_than_a_day_whatever_number_is_said(seconds: str, lasts: float) -> None:
    async def answer(request: web.Request) -> web.Response:
        del request
        text = f'{{"access_token": "a", "token_type": "Bearer", "expires_in": {seconds}}}'
        return web.Response(text=text, content_type="application/json")

    app = web.Application()
    app.router.add_post("/token", answer)
    async with TestServer(app) as server:
        assert (await ask(str(server.make_url("/token")), {})).seconds == lasts


GROUP: dict[str, Any] = {"kind": "gmail", "key_file": "key.json"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "name the mailboxes to read"),
        ({"mailboxes": ["rita"]}, "is no e-mail address"),
        ({"mailboxes": ["rita/../../omar@vendor.example"]}, "is no e-mail address"),
        ({"mailboxes": ["a?b@vendor.example"]}, "is no e-mail address"),
        ({"mailboxes": [RITA], "outside": RITA.upper()}, "one that must not open"),
        ({"mailboxes": [RITA], "api": "file:///etc"}, "pattern"),
        ({"mailboxes": [RITA], "api": "http://gmail.example/"}, "pattern"),
        ({"mailboxes": [RITA], "api": "http://localhost:80@attacker.example/"}, "pattern"),
        ({"mailboxes": [RITA], "api": "http://localhost.attacker.example/"}, "pattern"),
        ({"mailboxes": [RITA], "token_url": "http://127.0.0.1.attacker.example/token"}, "pattern"),
    ],
)
def test_a_group_that_cannot_be_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        GmailMailboxes(**GROUP, **settings)


@pytest.mark.parametrize("given", [{}, {"secret_env": "A", "secret_file": "b"}])
def test_an_application_has_one_credential(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="exactly one of"):
        GraphMailboxes(kind="graph", tenant="t", client_id="c", mailboxes=(RITA,), **given)


def test_a_mailbox_stands_in_one_group_only() -> None:
    box = {**GROUP, "mailboxes": [RITA, OMAR]}
    with pytest.raises(ValidationError, match=f"two mailboxes are called {RITA}"):
        Mailbox.Config.model_validate({"mailboxes": [box, {**box, "mailboxes": [BOARD, RITA]}]})


async def test_a_list_of_mailboxes_is_read_anew_at_each_look(tmp_path: Path) -> None:
    listed = tmp_path / "reps.txt"
    listed.write_text(f"{RITA}\n\n# {OMAR}\n  {BOARD.upper()} # the board\n{RITA}\n")
    watcher = Mailbox(
        Mailbox.Config.model_validate({"mailboxes": [{**GROUP, "mailboxes_file": listed, "name": "reps"}]})
    )
    assert watcher.sources(Scope()) == [f"mailbox:{RITA}", f"mailbox:{BOARD}"]
    assert watcher._open(f"mailbox:{RITA}") is watcher._open(f"mailbox:{RITA}")
    listed.write_text(f"{OMAR}\n")
    assert watcher.sources(Scope()) == [f"mailbox:{OMAR}"]
    for damage in (b"\xff\xfe\x00", b"rita\n", f"{OMAR}\n".encode() * 60_000):
        listed.write_bytes(damage)
        [source] = watcher.sources(Scope())
        with pytest.raises(NeedsHuman, match="one address a line"):
            await anext(aiter(watcher._open(source).batches(None, everything)))
    listed.unlink()
    assert watcher.sources(Scope()) == [source]


def test_the_mailbox_watcher_takes_what_owners_connect() -> None:
    assert isinstance(Mailbox(), Connectable)


async def test_these_sources_wake_nobody() -> None:
    from datetime import timedelta

    assert not await no_news(timedelta())


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"error": {"code": "SyncStateNotFound"}}', "SyncStateNotFound"),
        (b'{"error": {"code": 403, "errors": [{"reason": "domainPolicy"}]}}', "domainPolicy"),
        (b'{"error": {"code": 403, "status": "PERMISSION_DENIED"}}', "PERMISSION_DENIED"),
        (b'{"error": {"code": 403, "details": [{"reason": "SERVICE_DISABLED"}]}}', "SERVICE_DISABLED"),
        (b'{"error": {"code": "<script>"}}', ""),
        (b'{"error": "x"}', ""),
        (b"[" * 100_000, ""),
        (b"", ""),
    ],
)
def test_the_code_of_a_refusal_is_read_and_nothing_else_of_it(body: bytes, code: str) -> None:
    assert code_of(body) == code


async def test_the_limits_of_calendars_are_tried_with_those_of_mailboxes(
    tokens: AuthorizationServer, tmp_path: Path
) -> None:
    class Calendars(BaseModel):
        calendars: tuple[GmailMailboxes, ...]
        every: int = 5

    key = service_account(tmp_path, tokens)
    group = GmailMailboxes(kind="gmail", key_file=key, mailboxes=(RITA,), token_url=f"{tokens.url}token")
    found = await check_limits([Calendars(calendars=(group,)), Mailbox.Config()])
    assert [one.ok for one in found] == [False, False]
    assert RITA in found[0].what
