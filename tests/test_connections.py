from __future__ import annotations

import asyncio
import gzip
import traceback
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from bot import story
from bot.connections import INDEX, Link
from bot.model import NeedsHuman, SourceDown, Verdict
from bot.pipeline import Pipeline
from bot.service import rules
from bot.store.memory import MemoryStore
from bot.store.tiny import TinyStore
from bot.vault import new_key
from tests.connecting import RITA, SECRET, SECRET_ENV, Team, team
from tests.mails import JANE, REP, at, plain
from watchers import load
from watchers.mail.oauth import Granted
from watchers.mail.tokens import Provider, Use
from watchers.mailbox import Mailbox


@pytest.fixture(autouse=True)
def client_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET_ENV, SECRET)


@pytest.fixture
async def vendor() -> AsyncIterator[Team]:
    async with team(MemoryStore(), "google", "microsoft") as made:
        async with httpx.AsyncClient() as browser:
            await made.connect(browser, "Google")
        yield made


async def test_a_connected_mailbox_is_read_without_a_restart_until_it_is_disconnected(vendor: Team) -> None:
    load()
    watcher = Mailbox()
    watcher.connected = vendor.connections.mailboxes
    pipe = Pipeline(vendor.store, rules(), ["vendor.example"], baseline=False)
    await vendor.store.watch(story.CHAMPION)
    scope = await pipe.scope()
    assert watcher.sources(scope) == [f"mailbox:{RITA}"]
    now = datetime.now(UTC)
    vendor.google.deliver(RITA, plain("jane@acme.example", RITA, now), now)
    swept = await pipe.sweep(watcher, f"mailbox:{RITA}", now)
    assert swept.new == 1
    [link] = vendor.connections.of("U1")
    await vendor.connections.disconnect(link)
    for source in watcher.sources(scope):
        with pytest.raises(NeedsHuman, match="no longer connected"):
            await pipe.sweep(watcher, source, now)
    [judged] = await pipe.judge(now)
    assert judged.verdict is Verdict.UNCHECKED
    assert "no longer connected" in judged.headline


async def test_who_connects_again_is_read_with_the_new_permission(vendor: Team) -> None:
    watcher = Mailbox()
    watcher.connected = vendor.connections.mailboxes
    first = watcher._open(f"mailbox:{RITA}")
    assert watcher._open(f"mailbox:{RITA}") is first
    async with httpx.AsyncClient() as browser:
        await vendor.connect(browser, "Google", "U2")
    assert watcher._open(f"mailbox:{RITA}") is not first
    assert [link.user for link in vendor.connections.of("U2")] == ["U2"]


async def test_a_replaced_refresh_token_is_kept_before_it_is_used(vendor: Team) -> None:
    [connected] = vendor.connections.mailboxes()
    for _ in range(3):
        vendor.tokens.end()
        access = await connected.tokens.token(Use.MAIL)
        assert await connected.tokens.token(Use.MAIL) == access
        assert await connected.tokens.token(Use.MAIL, refused=access) != access
    vendor.open()
    await vendor.connections.load()
    [again] = vendor.connections.mailboxes()
    assert await again.tokens.token(Use.MAIL)


async def test_a_token_that_another_process_replaced_meanwhile_is_taken_up(vendor: Team) -> None:
    vendor.tokens.rotates = True
    first = vendor.connections
    vendor.open()
    await vendor.connections.load()
    [link] = first.all()
    read, waiting, replaced = first._refresh_tokens, asyncio.Event(), asyncio.Event()

    async def slowly(link: Link) -> list[str]:
        found = await read(link)
        if not waiting.is_set():
            waiting.set()
            await replaced.wait()
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(first, "_refresh_tokens", slowly)
        renewal = asyncio.create_task(first.renew(link))
        await waiting.wait()
        await vendor.connections.renew(link)
        replaced.set()
        granted = await renewal
    assert granted.access
    assert await read(link) == [granted.refresh, *(await read(link))[1:]]


async def test_killed_between_renewal_and_saving_the_mailbox_is_kept_where_the_provider_lets_it(
    vendor: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor.tokens.rotates = True
    kept = dict(vendor.tokens.refresh)
    [connected] = vendor.connections.mailboxes()

    async def power_cut(name: str, value: object) -> None:
        del name, value
        raise SystemExit(9)

    with monkeypatch.context() as patch:
        patch.setattr(vendor.store, "amend_setting", power_cut)
        with pytest.raises(SystemExit):
            await connected.tokens.token(Use.MAIL)
    vendor.tokens.refresh |= kept  # as Microsoft does: an old refresh token goes on to be good
    vendor.open()
    await vendor.connections.load()
    [again] = vendor.connections.mailboxes()
    assert await again.tokens.token(Use.MAIL)


async def test_the_refresh_token_before_is_tried_when_the_newest_is_refused(vendor: Team) -> None:
    first = dict(vendor.tokens.refresh)
    [connected] = vendor.connections.mailboxes()
    await connected.tokens.token(Use.MAIL)
    vendor.tokens.refresh = first
    vendor.tokens.end()
    vendor.open()
    await vendor.connections.load()
    [again] = vendor.connections.mailboxes()
    assert await again.tokens.token(Use.MAIL)


async def test_many_who_ask_at_once_cause_one_renewal(vendor: Team) -> None:
    [connected] = vendor.connections.mailboxes()
    vendor.tokens.asked.clear()
    got = await asyncio.gather(*(connected.tokens.token(use) for use in [Use.MAIL, Use.CALENDAR] * 10))
    assert len(set(got)) == 1
    assert len(vendor.tokens.asked) == 1


async def test_a_permission_that_was_taken_back_asks_to_connect_again(vendor: Team) -> None:
    vendor.tokens.refresh.clear()
    [connected] = vendor.connections.mailboxes()
    with pytest.raises(NeedsHuman, match="has ended or was taken back") as problem:
        await connected.tokens.token(Use.MAIL)
    assert "press Connect my mailbox" in problem.value.how


async def test_an_outage_is_no_end_of_a_permission(vendor: Team) -> None:
    [connected] = vendor.connections.mailboxes()
    vendor.tokens.down = 1
    with pytest.raises(SourceDown, match="503"):
        await connected.tokens.token(Use.MAIL)
    assert await connected.tokens.token(Use.MAIL)


async def test_a_wrong_client_secret_is_the_admins_matter(
    vendor: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRET_ENV, "planted wrong secret")
    [connected] = vendor.connections.mailboxes()
    with pytest.raises(NeedsHuman, match=r"invalid_client - correct connect\.google") as problem:
        await connected.tokens.token(Use.MAIL)
    assert "planted" not in "".join(traceback.format_exception(problem.value))


async def test_what_was_not_allowed_is_refused_with_its_scope(vendor: Team) -> None:
    only_mail = Link(Provider.GOOGLE, RITA, "U1", datetime.now(UTC), frozenset({Use.MAIL}))
    await vendor.connections.connect(only_mail, Granted("at", 60, "rt"))
    [connected] = vendor.connections.mailboxes()
    with pytest.raises(NeedsHuman, match=r"without https://www\.googleapis\.com/auth/calendar\.readonly"):
        await connected.tokens.token(Use.CALENDAR)


async def test_tokens_are_sealed_anew_when_the_key_changes_and_lost_without_it(vendor: Team) -> None:
    new = new_key()
    vendor.open(new, vendor.key)
    await vendor.connections.load()
    vendor.open(new)
    await vendor.connections.load()
    [connected] = vendor.connections.mailboxes()
    assert await connected.tokens.token(Use.MAIL)
    vendor.open(new_key())
    await vendor.connections.load()
    [connected] = vendor.connections.mailboxes()
    with pytest.raises(NeedsHuman, match="sealed under another key"):
        await connected.tokens.token(Use.MAIL)


async def test_another_process_notices_what_was_connected_and_ended(vendor: Team) -> None:
    ours = vendor.connections
    vendor.open()
    theirs = vendor.connections
    await theirs.load()
    assert [one.mailbox for one in theirs.mailboxes()] == [RITA]
    before = theirs.mailboxes()[0]
    await theirs.load()
    assert theirs.mailboxes()[0] is before
    await ours.disconnect(ours.of("U1")[0])
    await theirs.load()
    assert theirs.mailboxes() == []


@pytest.mark.parametrize("kept", [7, "x", [1, None, {}], [{"provider": "yahoo"}], {"a": 1}])
async def test_a_list_that_is_damaged_costs_no_start(vendor: Team, kept: object) -> None:
    await vendor.store.save_setting(INDEX, kept)  # type: ignore[arg-type]
    vendor.open()
    await vendor.connections.load()
    assert vendor.connections.mailboxes() == []


async def test_no_secret_lies_open_in_the_data_or_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    load()
    data = tmp_path / "data"
    with capture_logs() as logs:
        async with await TinyStore.open(data) as store, team(store, "google") as made:
            async with httpx.AsyncClient() as browser:
                shown = (await made.connect(browser)).response.text
            watcher = Mailbox()
            watcher.connected = made.connections.mailboxes
            pipe = Pipeline(store, rules(), ["vendor.example"], baseline=False)
            made.google.deliver(RITA, plain(JANE, REP, at(1), "planted subject"), at(1))
            await pipe.sweep(watcher, f"mailbox:{RITA}", datetime.now(UTC))
            made.tokens.end()
            await pipe.sweep(watcher, f"mailbox:{RITA}", datetime.now(UTC))
            secrets = {*made.tokens.access, *made.tokens.refresh, *made.tokens.codes, SECRET, made.key}
            secrets |= {
                form[name] for form in made.tokens.asked for name in ("code_verifier",) if name in form
            }
            shown += repr(made.connections.__dict__) + repr(made.connections.mailboxes())
    files = held_in(data)
    said = f"{logs} {caplog.text} {shown}".encode()
    for secret in secrets:
        assert not [held for held in [*files, said] if secret.encode() in held]
    assert len(secrets) >= 8
    assert any(b"connected token" in held and b"gAAAA" in held for held in files), "what is sealed begins so"


async def test_what_was_disconnected_is_in_no_file_not_even_sealed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with await TinyStore.open(data) as store, team(store, "microsoft") as made:
        async with httpx.AsyncClient() as browser:
            await made.connect(browser, "Microsoft")
        assert any(b"gAAAA" in held for held in held_in(data))
        await made.connections.disconnect(made.connections.of("U1")[0])
        assert not any(b"gAAAA" in held for held in held_in(data))


def held_in(data: Path) -> list[bytes]:
    """Return what each file of a data folder holds, unpacked where it is packed."""
    files = [path for path in data.rglob("*") if path.is_file()]
    contents = [path.read_bytes() for path in files]
    return [gzip.decompress(one) if one.startswith(b"\x1f\x8b") else one for one in contents]
