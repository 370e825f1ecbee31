"""Mail servers and Slack that are slow, refuse, fall silent, or break off; and a store that is away."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.clock import FrozenClock
from bot.engine.local import LocalEngine
from bot.health import Health
from bot.model import Contact, Observation, SourceDown
from bot.pipeline import Pipeline
from bot.service import rules
from bot.slack.outbox import drain
from bot.store import StoreDown
from bot.store.memory import MemoryStore
from tests.servers.mail import PASSWORD, MailServers
from tests.servers.proxy import Mood, Proxy, proxy
from tests.servers.slack import BOT_WITH_HISTORY, Workspace
from tests.slack.story import raise_alert
from tests.slack.test_outbox import poster_to
from watchers import load
from watchers.mail.files import FileMailbox
from watchers.mail.imap import ImapMailbox
from watchers.mailbox import Mailbox

NOW = datetime.now(UTC)
JANE = Contact("jane@acme.example", "Jane", account="Acme")
SOURCE = "mailbox:faulty@vendor.example"
USER = "faulty@vendor.example"
MAIL = (
    b"From: jane@acme.example\r\nTo: rita@vendor.example\r\nSubject: number %n\r\n"
    b"Date: Mon, 04 May 2026 09:30:00 +0000\r\nMessage-ID: <%n@acme.example>\r\n\r\nSounds good.\r\n"
)
MAILS = 40
TRIES = 20


class Away(MemoryStore):
    """A store that takes no observations for a while."""

    away = True

    async def record(self, observations: Iterable[Observation]) -> list[Observation]:
        if self.away:
            raise StoreDown("the database cannot be used")
        return await super().record(observations)


@pytest.fixture
def before_imap(mail_servers: MailServers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    load()
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    known = mail_servers.credentials(USER)
    mail_servers.empty(USER)
    mail_servers.deliver(USER, MAIL, copies=MAILS)
    with proxy(known.port) as running:
        yield running


def reading(at: Proxy, store: MemoryStore) -> tuple[Pipeline, Mailbox]:
    box = ImapMailbox(
        kind="imap",
        host="127.0.0.1",
        port=at.port,
        tls=False,
        user=USER,
        password_env="MAIL_PASSWORD",
        folders=("INBOX",),
        timeout_seconds=1,
    )
    return Pipeline(store, rules(), ["vendor.example"], baseline=True), Mailbox(
        Mailbox.Config(mailboxes=(box,))
    )


async def read_at_last(pipeline: Pipeline, watcher: Mailbox) -> None:
    """Read the mailbox; on a busy machine an answer may come later than is waited for here."""
    for _ in range(TRIES):
        with contextlib.suppress(SourceDown):
            await pipeline.sweep(watcher, SOURCE, NOW)
            return
    raise AssertionError(pipeline.outages)


async def seen(store: MemoryStore) -> int:
    person = await store.person(JANE.address)
    return len(person.observations) if person else 0


@pytest.mark.parametrize("mood", [Mood.REFUSING, Mood.SILENT])
async def test_a_mail_server_out_of_reach_is_said_once_and_read_whole_afterwards(
    before_imap: Proxy, mood: Mood
) -> None:
    store, health = MemoryStore(), Health()
    await store.watch(JANE)
    pipeline, watcher = reading(before_imap, store)
    before_imap.mood = mood
    with capture_logs() as logs:
        for minute in range(3):
            with pytest.raises(SourceDown) as failure:
                await pipeline.sweep(watcher, SOURCE, NOW)
            health.bad(SOURCE, failure.value, NOW + timedelta(minutes=minute))
        assert pipeline.outages[SOURCE]
        before_imap.cut()
        before_imap.mood = Mood.FAITHFUL
        await read_at_last(pipeline, watcher)
        health.good(SOURCE, NOW + timedelta(minutes=9))
    assert await seen(store) == MAILS
    assert [line["event"] for line in logs] == ["source.down", "source.recovered"]
    assert not pipeline.outages[SOURCE]


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_line_that_breaks_at_any_instant_loses_no_mail_and_doubles_none(
    before_imap: Proxy, seed: int
) -> None:
    chance, store = random.Random(seed), MemoryStore()  # noqa: S311 - a seed is to give the same again
    await store.watch(JANE)
    pipeline, watcher = reading(before_imap, store)
    before_imap.mood, before_imap.delay = Mood.SLOW, 0.01

    async def cutting() -> None:
        for _ in range(12):
            await asyncio.sleep(chance.uniform(0, 0.3))
            await asyncio.to_thread(before_imap.cut)

    trouble = asyncio.create_task(cutting())
    async with asyncio.timeout(300):
        while not trouble.done() or await seen(store) < MAILS:
            try:
                await pipeline.sweep(watcher, SOURCE, NOW)
            except SourceDown:
                await asyncio.sleep(0.05)
    assert await seen(store) == MAILS


async def test_an_alert_whose_answer_got_lost_between_slack_and_us_is_not_posted_again(
    workspace: Workspace,
) -> None:
    store, clock = MemoryStore(), FrozenClock(NOW)
    await raise_alert(store)
    with proxy(int(workspace.url.rpartition(":")[2])) as between:
        url = f"http://127.0.0.1:{between.port}/api/"
        poster = poster_to(workspace, store, clock, BOT_WITH_HISTORY, url)
        between.cut_after = b"chat.postMessage"
        with capture_logs() as logs:
            assert await drain(store, poster, clock) == 0
            clock.advance(timedelta(minutes=5))
            assert await drain(store, poster, clock) == 1
    assert len(workspace.messages(workspace.channel("champions"))) == 1
    assert [line["event"] for line in logs] == ["alert.delayed", "alert.posted"]


@pytest.mark.parametrize("mood", [Mood.REFUSING, Mood.SILENT, Mood.SLOW])
async def test_alerts_outlast_a_slack_that_is_out_of_reach(
    workspace: Workspace, mood: Mood, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.web.TIMEOUT", timedelta(seconds=1))
    store, clock = MemoryStore(), FrozenClock(NOW)
    await raise_alert(store)
    with proxy(int(workspace.url.rpartition(":")[2])) as between:
        between.mood, between.delay = mood, 0.2
        poster = poster_to(workspace, store, clock, BOT_WITH_HISTORY, f"http://127.0.0.1:{between.port}/api/")
        with capture_logs():
            sent = await drain(store, poster, clock)
            between.cut()
            between.mood = Mood.FAITHFUL
            for _ in range(TRIES):
                clock.advance(timedelta(minutes=20))
                sent += await drain(store, poster, clock)
                if sent:
                    break
    assert sent == 1
    assert len(workspace.messages(workspace.channel("champions"))) == 1


async def test_a_store_that_is_away_is_not_taken_for_a_mailbox_that_is(tmp_path: Path) -> None:
    load()
    (tmp_path / "one.eml").write_bytes(MAIL)
    store = Away()
    await store.watch(JANE)
    pipeline = Pipeline(store, rules(), ["vendor.example"], baseline=True)
    watcher = Mailbox(Mailbox.Config(mailboxes=(FileMailbox(kind="files", path=tmp_path),)))
    with pytest.raises(StoreDown):
        await pipeline.sweep(watcher, f"mailbox:{tmp_path}", NOW)
    assert pipeline.outages == {}
    store.away = False
    await pipeline.sweep(watcher, f"mailbox:{tmp_path}", NOW)
    assert await seen(store) == 1


async def test_a_look_that_the_store_kept_from_ending_is_no_bug() -> None:
    from bot.engine import Unit

    async def look(_: Unit) -> None:
        raise StoreDown("the disk is full")

    engine = LocalEngine(look, MemoryStore())
    with capture_logs() as logs:
        await engine.start([Unit("mailbox", SOURCE)])
        await engine.idle()
    assert [line["event"] for line in logs] == ["look.postponed"]
