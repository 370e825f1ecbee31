from __future__ import annotations

import asyncio
import json
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from bot.clock import FrozenClock
from bot.model import Answer, Case, Choice, Contact, Home, Verdict
from bot.routing import Rules
from bot.slack.board import Board
from bot.slack.outbox import AFTER_HUMAN, LEASE, LONGEST_RETRY, Outbox, drain
from bot.slack.people import Directory
from bot.slack.places import Places
from bot.slack.poster import EVENT_TYPE, SlackPoster
from bot.slack.register import Register
from bot.slack.web import once, patient
from bot.store import Store
from bot.store.memory import MemoryStore
from bot.store.tiny import TinyStore
from tests.servers.slack import BOT_TOKEN, BOT_WITH_HISTORY, Workspace
from tests.slack.story import ADDRESS, JANE, LEFT, NOW, SLIPPING, raise_alert

pytestmark = pytest.mark.servers
HERE = Path(__file__).parent


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOW)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def poster_to(
    server: Workspace,
    store: Store,
    clock: FrozenClock,
    token: str = BOT_TOKEN,
    base_url: str = "",
    pace: timedelta = timedelta(),
    rules: Rules | None = None,
) -> SlackPoster:
    client = patient(token, base_url or server.base_url)
    rules = rules or Rules(server.channel("champions"))
    people = Directory(client, clock, rules)
    places = Places(store, client, people, rules, clock)
    board = Board(store, client, people, dress=places.dress)
    return SlackPoster(once(token, base_url or server.base_url), places, board, pace)


async def case_of(store: Store, address: str = ADDRESS) -> Case:
    person = await store.person(address)
    assert person is not None
    return person.cases[-1]


def key(message: dict[str, Any]) -> str:
    return str(message["metadata"]["event_payload"]["key"])


async def test_an_alert_is_posted_once_with_its_key_and_the_owner_mentioned(
    slack_server: Workspace, clock: FrozenClock, store: MemoryStore
) -> None:
    raised = await raise_alert(store)
    poster = poster_to(slack_server, store, clock)
    assert await drain(store, poster, clock) == 1
    assert await drain(store, poster, clock) == 0
    channel = slack_server.channel("champions")
    [message] = slack_server.messages(channel)
    marks = await Register(store).marks()
    assert message["metadata"] == {
        "event_type": EVENT_TYPE,
        "event_payload": {"key": marks.of(raised.key), "case": marks.case(raised.case)},
    }
    assert JANE.address not in json.dumps(message)
    assert "Jane Doe" in message["text"]
    assert f"<@{slack_server.user('rita')}>" in message["blocks"][0]["text"]["text"]
    case = await case_of(store)
    assert case.home == Home(channel, message["ts"])
    assert case.deliveries[0].sent_at == clock()


async def test_a_later_alert_updates_the_message_and_says_in_its_thread_what_is_new(
    slack_server: Workspace, clock: FrozenClock, store: MemoryStore
) -> None:
    poster = poster_to(slack_server, store, clock)
    await raise_alert(store, SLIPPING)
    await drain(store, poster, clock)
    later = await raise_alert(store, LEFT)
    assert await drain(store, poster, clock) == 1
    parent, reply = slack_server.messages(slack_server.channel("champions"))
    assert "*Left*" in parent["blocks"][0]["text"]["text"]
    assert "edited" in parent
    assert reply["thread_ts"] == parent["ts"]
    assert key(reply) == (await Register(store).marks()).of(later.key)
    told = reply["blocks"][0]["text"]["text"]
    assert "was: slipping" in told
    assert "no longer with Acme" in told
    assert "21 Jul" not in told


async def test_a_message_that_somebody_deleted_is_posted_anew(
    slack_server: Workspace, clock: FrozenClock, store: MemoryStore
) -> None:
    poster = poster_to(slack_server, store, clock)
    await raise_alert(store, SLIPPING)
    await drain(store, poster, clock)
    home = (await case_of(store)).home
    assert home is not None
    await once(BOT_TOKEN, slack_server.base_url).chat_delete(channel=home.channel, ts=home.ts)
    await raise_alert(store, LEFT)
    assert await drain(store, poster, clock) == 1
    [message] = slack_server.messages(home.channel)
    assert (await case_of(store)).home == Home(home.channel, message["ts"])


async def test_who_is_on_it_stays_on_the_message_when_it_is_updated(
    slack_server: Workspace, clock: FrozenClock, store: MemoryStore
) -> None:
    poster = poster_to(slack_server, store, clock)
    raised = await raise_alert(store, SLIPPING)
    await drain(store, poster, clock)
    await store.answer(Answer(ADDRESS, raised.case, "U0MAX00001", NOW, Choice.ON_IT))
    await raise_alert(store, LEFT)
    await drain(store, poster, clock)
    parent = slack_server.messages(slack_server.channel("champions"))[0]
    assert "<@U0MAX00001> is on it" in str(parent["blocks"])


@pytest.mark.parametrize("seconds", [1, 7, 120])
async def test_a_429_is_obeyed_to_the_second(
    slack_server: Workspace, clock: FrozenClock, store: MemoryStore, seconds: int
) -> None:
    poster = poster_to(slack_server, store, clock)
    await raise_alert(store)
    slack_server.fail("chat.postMessage", status=429, retry_after=seconds)
    assert await drain(store, poster, clock) == 0
    clock.advance(timedelta(seconds=seconds - 1))
    assert await drain(store, poster, clock) == 0
    assert len(slack_server.calls("chat.postMessage")) == 1
    clock.advance(timedelta(seconds=1))
    assert await drain(store, poster, clock) == 1
    assert len(slack_server.messages(slack_server.channel("champions"))) == 1


async def test_after_a_429_nothing_else_is_tried_in_that_channel_until_then(
    slack_server: Workspace, clock: FrozenClock, store: MemoryStore
) -> None:
    poster = poster_to(slack_server, store, clock)
    for i in range(3):
        await raise_alert(store, contact=Contact(f"p{i}@acme.example"))
    slack_server.fail("chat.postMessage", status=429, retry_after=30)
    assert await drain(store, poster, clock) == 0
    assert len(slack_server.calls("chat.postMessage")) == 1
    clock.advance(timedelta(seconds=30))
    assert await drain(store, poster, clock) == 3


async def test_a_wait_that_slack_asked_for_while_the_clock_was_ahead_ends_when_it_is_right(
    slack_server: Workspace, clock: FrozenClock, store: MemoryStore
) -> None:
    outbox = Outbox(store, poster_to(slack_server, store, clock), clock)
    clock.advance(timedelta(days=1))
    await raise_alert(store)
    slack_server.fail("chat.postMessage", status=429, retry_after=30)
    assert await outbox.drain() == 0
    clock.advance(-timedelta(days=1))
    assert await outbox.drain() == 1


async def test_each_alert_that_goes_out_is_logged_once(
    slack_server: Workspace, clock: FrozenClock, store: MemoryStore
) -> None:
    await raise_alert(store)
    slack_server.fail("chat.postMessage", status=429, retry_after=30)
    poster = poster_to(slack_server, store, clock)
    with structlog.testing.capture_logs() as logs:
        assert await drain(store, poster, clock) == 0
        assert not [line for line in logs if line["event"] == "alert.posted"]
        clock.advance(timedelta(seconds=30))
        assert await drain(store, poster, clock) == 1
    [posted] = [line for line in logs if line["event"] == "alert.posted"]
    seconds = round((clock() - (await case_of(store)).alert.at).total_seconds())
    assert (posted["contact"], posted["verdict"]) == (ADDRESS, "left")
    assert (posted["attempts"], posted["seconds"], posted["log_level"]) == (2, seconds, "info")


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"status": 503}, {"drop": True}, {"error": "internal_error"}]
)
async def test_trouble_at_slack_delays_an_alert_and_each_delay_is_longer(
    slack_server: Workspace, clock: FrozenClock, store: MemoryStore, fault: dict[str, Any]
) -> None:
    poster = poster_to(slack_server, store, clock)
    await raise_alert(store)
    slack_server.fail("chat.postMessage", times=3, **fault)
    waits = []
    for _ in range(3):
        assert await drain(store, poster, clock, jitter=lambda: 1.0) == 0
        until = (await case_of(store)).deliveries[0].leased_until
        assert until is not None
        waits.append(until - clock())
        clock.now = until
    assert waits == sorted(set(waits))
    assert max(waits) < LONGEST_RETRY
    assert await drain(store, poster, clock) == 1
    assert len(slack_server.messages(slack_server.channel("champions"))) == 1


async def test_slack_out_of_reach_loses_nothing(
    clock: FrozenClock, store: MemoryStore, slack_server: Workspace
) -> None:
    await raise_alert(store)
    away = poster_to(slack_server, store, clock, base_url="http://127.0.0.1:9/api/")
    assert await drain(store, away, clock) == 0
    clock.advance(LONGEST_RETRY)
    assert await drain(store, poster_to(slack_server, store, clock), clock) == 1


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        ("channel_not_found", "channel's id"),
        ("not_in_channel", "invite the bot"),
        ("is_archived", "unarchive"),
        ("invalid_auth", "token"),
        ("missing_scope", "add the scope"),
    ],
)
async def test_what_only_a_person_can_mend_is_said_in_one_line_and_the_alerts_are_kept(
    slack_server: Workspace, clock: FrozenClock, store: MemoryStore, error: str, cure: str
) -> None:
    poster = poster_to(slack_server, store, clock)
    for i in range(3):
        await raise_alert(store, contact=Contact(f"p{i}@acme.example"))
    slack_server.fail("chat.postMessage", times=3, error=error)
    with structlog.testing.capture_logs() as logs:
        assert await drain(store, poster, clock) == 0
    [line] = [entry for entry in logs if entry["log_level"] == "error"]
    assert error in line["what"]
    assert cure in line["how"]
    clock.advance(AFTER_HUMAN)
    assert await drain(store, poster, clock) == 3


async def test_an_alert_that_slack_refuses_does_not_hold_up_the_others(
    slack_server: Workspace, clock: FrozenClock, store: MemoryStore
) -> None:
    poster = poster_to(slack_server, store, clock)
    for i in range(2):
        await raise_alert(store, contact=Contact(f"p{i}@acme.example"))
    slack_server.fail("chat.postMessage", error="invalid_arguments")
    with structlog.testing.capture_logs() as logs:
        assert await drain(store, poster, clock) == 1
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["alert.undeliverable"]


@pytest.mark.parametrize("error", ["invalid_blocks", "invalid_blocks_format", "msg_too_long"])
async def test_an_alert_that_slack_does_not_take_as_it_is_drawn_is_told_in_plain_text(
    slack_server: Workspace, clock: FrozenClock, store: MemoryStore, error: str
) -> None:
    poster = poster_to(slack_server, store, clock)
    await raise_alert(store, SLIPPING)
    slack_server.fail("chat.postMessage", error=error)
    assert await drain(store, poster, clock) == 1
    [message] = slack_server.messages(slack_server.channel("champions"))
    assert "Jane Doe" in message["text"]
    assert "Home tab" in message["text"]
    await raise_alert(store)
    slack_server.fail("chat.update", error=error)
    assert await drain(store, poster, clock) == 1
    edited = slack_server.messages(slack_server.channel("champions"))[0]
    assert "Left" in edited["text"] or "has left" in edited["text"]


@pytest.mark.parametrize("error", ["message_limit_exceeded", "team_added_to_org", "org_login_required"])
async def test_what_passes_at_slack_is_waited_for(
    slack_server: Workspace, clock: FrozenClock, store: MemoryStore, error: str
) -> None:
    poster = poster_to(slack_server, store, clock)
    await raise_alert(store)
    slack_server.fail("chat.postMessage", error=error)
    assert await drain(store, poster, clock) == 0
    clock.advance(LONGEST_RETRY)
    assert await drain(store, poster, clock) == 1


async def test_an_all_clear_in_a_channel_that_is_gone_is_not_tried_for_ever(
    slack_server: Workspace, clock: FrozenClock, store: MemoryStore
) -> None:
    poster = poster_to(slack_server, store, clock)
    await raise_alert(store)
    assert await drain(store, poster, clock) == 1
    await raise_alert(store, replace(LEFT, verdict=Verdict.ACTIVE, headline="wrote today"))
    slack_server.fail("chat.update", error="is_archived", times=10)
    assert await drain(store, poster, clock) == 1
    clock.advance(timedelta(days=1))
    assert await store.due(clock()) == []


@pytest.mark.parametrize("token", [BOT_TOKEN, BOT_WITH_HISTORY])
async def test_an_answer_that_got_lost_doubles_a_message_only_where_we_may_not_look(
    slack_server: Workspace, clock: FrozenClock, store: MemoryStore, token: str
) -> None:
    poster = poster_to(slack_server, store, clock, token=token)
    await raise_alert(store)
    slack_server.fail("chat.postMessage", drop=True, after=True)
    assert await drain(store, poster, clock) == 0
    clock.advance(LONGEST_RETRY)
    assert await drain(store, poster, clock) == 1
    messages = slack_server.messages(slack_server.channel("champions"))
    assert len(messages) == (1 if token == BOT_WITH_HISTORY else 2)
    assert (await case_of(store)).home == Home(slack_server.channel("champions"), messages[-1]["ts"])


async def test_a_reply_whose_answer_got_lost_is_found_in_the_thread(
    slack_server: Workspace, clock: FrozenClock, store: MemoryStore
) -> None:
    poster = poster_to(slack_server, store, clock, token=BOT_WITH_HISTORY)
    await raise_alert(store, SLIPPING)
    await drain(store, poster, clock)
    await raise_alert(store, LEFT)
    slack_server.fail("chat.postMessage", drop=True, after=True)
    assert await drain(store, poster, clock) == 0
    clock.advance(LONGEST_RETRY)
    assert await drain(store, poster, clock) == 1
    assert len(slack_server.messages(slack_server.channel("champions"))) == 2


async def test_an_owner_slack_does_not_know_is_named_in_words(
    slack_server: Workspace, clock: FrozenClock, store: MemoryStore
) -> None:
    await raise_alert(store, contact=replace(JANE, owner="gone <!channel>@vendor.example"))
    assert await drain(store, poster_to(slack_server, store, clock), clock) == 1
    [message] = slack_server.messages(slack_server.channel("champions"))
    assert "gone &lt;!channel&gt;@vendor.example" in message["blocks"][0]["text"]["text"]


async def test_messages_into_one_channel_keep_their_distance(
    slack_server: Workspace, clock: FrozenClock, store: MemoryStore
) -> None:
    poster = poster_to(slack_server, store, clock, pace=timedelta(milliseconds=150))
    for i in range(3):
        await raise_alert(store, contact=Contact(f"p{i}@acme.example"))
    started = asyncio.get_running_loop().time()
    assert await drain(store, poster, clock) == 3
    assert asyncio.get_running_loop().time() - started >= 0.3


async def kill_while_draining(data: Path, server: Workspace, seen: int, token: str) -> None:
    """Start another process that drains, and kill it with -9 once Slack has that many messages."""
    script = str(HERE / "drain_once.py")
    channel = server.channel("champions")
    process = await asyncio.create_subprocess_exec(
        sys.executable, script, str(data), server.base_url, channel, token, cwd=HERE.parents[1]
    )
    try:
        async with asyncio.timeout(30):
            # The other process cannot set an event of ours.
            while not server.calls("chat.postMessage") or len(server.messages(channel)) < seen:  # noqa: ASYNC110 - Slack cannot set our event
                await asyncio.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


@pytest.mark.parametrize(
    ("fault", "posted"),
    [({"delay": 60_000}, 0), ({"delay": 60_000, "after": True}, 1)],
    ids=["before Slack has it", "after Slack has it"],
)
async def test_killed_with_9_while_posting_an_alert_is_neither_lost_nor_doubled(
    tmp_path: Path, slack_server: Workspace, clock: FrozenClock, fault: dict[str, Any], posted: int
) -> None:
    async with await TinyStore.open(tmp_path) as store:
        await raise_alert(store)
    slack_server.fail("chat.postMessage", **fault)
    await kill_while_draining(tmp_path, slack_server, posted, BOT_WITH_HISTORY)
    assert len(slack_server.messages(slack_server.channel("champions"))) == posted
    async with await TinyStore.open(tmp_path) as store:
        poster = poster_to(slack_server, store, clock, token=BOT_WITH_HISTORY)
        clock.advance(LEASE + timedelta(seconds=1))
        assert await drain(store, poster, clock) == 1
        [message] = slack_server.messages(slack_server.channel("champions"))
        assert (await case_of(store)).home == Home(message["channel_id"], message["ts"])
