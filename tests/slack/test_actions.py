from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from bot import listener
from bot.answers import KINDS
from bot.clock import FrozenClock
from bot.model import Answer, Case, Choice, Contact, NeedsHuman, SourceDown
from bot.slack.app import Connection, SlackApp
from bot.slack.outbox import drain
from bot.store.memory import MemoryStore
from tests.servers.slack import ANSWER_SECONDS, BOT_TOKEN, SIGNING_SECRET, Workspace
from tests.servers.slack_socket import socket_mode
from tests.servers.slack_wire import Signed, Transport
from tests.slack.pressing import Office, open_office
from tests.slack.story import ADDRESS, JANE, LEFT, NOW, SLIPPING, raise_alert

pytestmark = pytest.mark.servers


@pytest.fixture
async def office(slack_server: Workspace, transport: Transport) -> AsyncIterator[Office]:
    async with open_office(slack_server, transport=transport) as opened:
        yield opened


@pytest.mark.parametrize(
    ("choice", "assessment", "sentence", "shown"),
    [
        (Choice.STILL_THERE, LEFT, "Rita Rep said: still there", "Jane Doe is still there"),
        (Choice.NOTHING_WRONG, SLIPPING, "Rita Rep said: nothing wrong", "nothing wrong with Jane Doe"),
    ],
)
async def test_an_answer_settles_the_case_and_the_message_says_who_decided(
    office: Office, choice: Choice, assessment: Any, sentence: str, shown: str
) -> None:
    await office.post_alert(assessment=assessment)
    assert await office.press(f"answer.{choice}") == 200
    await office.until(shown)
    rita = office.server.user("rita")
    assert (await office.case()).settled == Answer(ADDRESS, f"{ADDRESS}:1", rita, NOW, choice)
    assert await office.sentences() == [sentence]
    assert f"*Settled* by <@{rita}>" in office.shown()
    assert office.buttons() == ["Why?"]
    assert office.server.ephemeral() == []


async def test_each_answer_becomes_an_observation_of_a_declared_kind(office: Office) -> None:
    await office.post_alert()
    await office.settle()
    await office.until("Settled")
    [seen] = (await office.person()).observations
    assert seen.kind in {kind.name for kind in KINDS}
    assert (seen.contact, seen.at, seen.group) == (ADDRESS, NOW, f"{ADDRESS}:1")


async def test_i_am_on_it_is_shown_and_leaves_the_case_open(office: Office) -> None:
    await office.post_alert(assessment=SLIPPING)
    await office.press("answer.on_it")
    await office.until("is on it")
    assert (await office.case()).settled is None
    assert await office.sentences() == ["Rita Rep is on it"]
    assert office.buttons() == ["Nothing wrong", "Snooze…"]


async def test_pressing_twice_gives_one_result_and_no_complaint(office: Office) -> None:
    await office.post_alert()
    await office.press("answer.still_there")
    await office.until("Settled")
    office.clock.advance(timedelta(minutes=1))
    assert await office.press("answer.still_there") == 200
    await asyncio.gather(*(office.press("answer.still_there") for _ in range(3)))
    assert await office.sentences() == ["Rita Rep said: still there"]
    assert office.server.ephemeral() == []


async def test_of_two_who_press_at_once_one_decides_and_the_other_is_told(office: Office) -> None:
    await office.post_alert()
    await office.press("answer.on_it", "rita")
    answers = [office.press("answer.nothing_wrong", "rita"), office.press("answer.still_there", "max")]
    await asyncio.gather(*answers)
    [told] = await office.told()
    settled = (await office.case()).settled
    assert settled is not None
    loser = office.server.user("max" if settled.by == office.server.user("rita") else "rita")
    assert told["target_user"] == loser
    assert "Already settled" in told["text"]
    assert f"<@{settled.by}>" in told["text"]
    assert len(await office.sentences()) == 2
    await office.until(f"*Settled* by <@{settled.by}>")


async def test_nobody_gets_on_a_case_that_is_settled(office: Office) -> None:
    await office.post_alert(assessment=SLIPPING)
    await office.press("answer.nothing_wrong", "rita")
    await office.until("Settled")
    await office.press("answer.on_it", "max")
    [told] = await office.told()
    assert "Already settled" in told["text"]
    assert await office.sentences() == ["Rita Rep said: nothing wrong"]


async def test_why_shows_all_evidence_in_words_to_one_person_only(office: Office) -> None:
    await office.post_alert()
    before = office.message()
    assert await office.press("why", "max") == 200
    [told] = await office.told()
    assert told["target_user"] == office.server.user("max")
    said = json.dumps(told["blocks"], ensure_ascii=False)
    for evidence in LEFT.evidence:
        assert evidence.sentence in said
        assert evidence.source in said
    assert "0.99" not in said
    assert office.message() == before


@pytest.mark.parametrize("action", ["answer.left", "answer.still_there", "watch.0", "why"])
async def test_a_button_of_a_case_we_no_longer_keep_says_so(office: Office, action: str) -> None:
    await office.post_alert()
    assert await office.press(action, value="omar@other.example:3") == 200
    [told] = await office.told()
    assert "not kept any more" in told["text"]


async def test_a_button_this_version_does_not_know_says_so(office: Office) -> None:
    await office.post_alert()
    assert await office.press("answer.promoted") == 200
    [told] = await office.told()
    assert "older version" in told["text"]
    assert (await office.case()).settled is None


async def test_an_answer_is_kept_and_confirmed_when_the_message_cannot_be_changed(office: Office) -> None:
    await office.post_alert()
    office.server.fail("chat.update", error="invalid_arguments")
    await office.press("answer.still_there")
    [told] = await office.told()
    assert "Your answer is kept" in told["text"]
    assert (await office.case()).settled is not None


async def test_slack_is_answered_at_once_although_looking_up_a_name_takes_long(office: Office) -> None:
    await office.post_alert()
    office.server.fail("users.info", delay=1000 * ANSWER_SECONDS)
    started = time.monotonic()
    assert await office.press("answer.still_there") == 200
    assert time.monotonic() - started < ANSWER_SECONDS
    assert await office.sentences() == []
    await office.until("Settled")
    assert await office.sentences() == ["Rita Rep said: still there"]


@pytest.mark.parametrize("shown_as", ["is_restricted", "deleted"])
async def test_a_guest_whom_slack_identifies_late_is_still_refused(office: Office, shown_as: str) -> None:
    await office.post_alert()
    office.server.show_user("rita", **{shown_as: True})
    office.server.fail("users.info", delay=1300)
    assert await office.press("answer.still_there") == 200
    [told] = await office.told()
    assert "Nothing was changed" in told["text"]
    assert (await office.case()).settled is None
    assert "Settled" not in office.shown()


@pytest.mark.parametrize("action", ["answer.still_there", "answer.left", "watch.0", "why"])
async def test_whom_slack_does_not_identify_is_told_so_and_changes_nothing(
    office: Office, action: str
) -> None:
    await office.post_alert()
    office.server.fail("users.info", error="internal_error", times=9)
    assert await office.press(action) == 200
    [told] = await office.told()
    assert "does not say who you are at the moment" in told["text"]
    assert "blocks" not in told or not told["blocks"]
    assert (await office.case()).settled is None
    assert office.server.views() == []


async def test_an_answer_that_cannot_be_kept_is_not_confirmed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.post_alert()

    async def full(*_: object) -> Case | None:
        raise OSError("no space left on device")

    monkeypatch.setattr(office.store, "answer", full)
    assert await office.press("answer.still_there") >= 500
    assert "Settled" not in office.shown()


@pytest.mark.parametrize(("secret", "age"), [("wrong", 0), (SIGNING_SECRET, 600)])
async def test_a_request_that_is_not_signed_by_slack_just_now_is_refused(
    slack_server: Workspace, secret: str, age: int
) -> None:
    async with open_office(slack_server) as office:
        await office.post_alert()
        assert isinstance(office.wire, Signed)
        payload = {"type": "block_actions", "user": {"id": "U1"}, "actions": [{"action_id": "answer.left"}]}
        assert (await office.wire.request(payload, "interactive", secret, age))[0] == 401
        assert (await office.case()).settled is None


async def test_the_app_listens_on_the_loopback_only_unless_told_otherwise(slack_server: Workspace) -> None:
    assert Connection("t", "C1").host == "127.0.0.1"
    async with open_office(slack_server) as office:
        assert office.app.addresses[0].startswith("http://127.0.0.1:")


async def test_where_slack_is_heard_whoever_never_ends_their_request_is_hung_up_on(
    slack_server: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "MOST_CONNECTIONS", 3)
    monkeypatch.setattr(listener, "REQUEST_SECONDS", 0.2)
    async with open_office(slack_server) as office:
        port = int(office.app.addresses[0].split(":")[2].split("/")[0])
        slow = b"POST /slack/events HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 9\r\n\r\nabc"
        async with asyncio.timeout(30):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(slow)
            assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
            writer.close()
            idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(8)]
            reads = [asyncio.create_task(line.read()) for line, _ in idle]
            done, _ = await asyncio.wait(reads, return_when=asyncio.FIRST_COMPLETED)
            assert {one.result() for one in done} == {b""}
        for read in reads:
            read.cancel()
        for _, line in idle:
            line.close()


async def test_a_port_that_is_taken_is_said_with_where_to_name_another(slack_server: Workspace) -> None:
    async with open_office(slack_server) as office:
        port = int(office.app.addresses[0].split(":")[2].split("/")[0])
        taken = Connection(BOT_TOKEN, "C1", signing_secret="s", base_url=slack_server.base_url, port=port)
        with pytest.raises(NeedsHuman, match="cannot listen") as refused:
            await SlackApp(taken, MemoryStore(), FrozenClock(NOW)).start()
    assert "slack.http" in refused.value.how


async def test_by_socket_mode_the_app_listens_nowhere(slack_server: Workspace) -> None:
    async with open_office(slack_server, transport="socket") as office:
        assert office.app.addresses == []


async def test_a_wrong_token_stops_the_start_and_names_the_cure(slack_server: Workspace) -> None:
    connection = Connection("xoxb-wrong", "C1", signing_secret="s", base_url=slack_server.base_url)
    with pytest.raises(NeedsHuman, match="bot token"):
        await SlackApp(connection, MemoryStore(), FrozenClock(NOW)).start()


async def test_slack_out_of_reach_at_the_start_may_be_tried_again() -> None:
    connection = Connection("xoxb", "C1", signing_secret="s", base_url="http://127.0.0.1:9/api/")
    with pytest.raises(SourceDown):
        await SlackApp(connection, MemoryStore(), FrozenClock(NOW)).start()


def test_an_app_that_slack_could_not_reach_is_refused() -> None:
    with pytest.raises(NeedsHuman, match="signing secret"):
        SlackApp(Connection("xoxb", "C1"), MemoryStore(), FrozenClock(NOW))


def test_a_connection_never_prints_its_secrets() -> None:
    shown = repr(Connection("xoxb-1", "C1", app_token="xapp-2", signing_secret="s3"))
    assert not any(secret in shown for secret in ("xoxb-1", "xapp-2", "s3"))


async def test_the_account_of_another_case_is_left_alone(office: Office) -> None:
    await office.post_alert()
    other = Contact("omar@other.example", "Omar")
    await raise_alert(office.store, contact=other)
    await drain(office.store, office.app.poster, office.clock)
    await office.press("answer.still_there")
    await office.until("Settled")
    person = await office.store.person(other.address)
    assert person is not None
    assert person.cases[0].settled is None
    assert person.observations == ()
    assert JANE.address != other.address


async def test_a_port_in_use_stops_the_start_and_says_which(slack_server: Workspace) -> None:
    async with open_office(slack_server) as office:
        port = int(office.app.addresses[0].rpartition("/slack")[0].rpartition(":")[2])
        taken = Connection(BOT_TOKEN, "C1", signing_secret="s", port=port, base_url=slack_server.base_url)
        with pytest.raises(NeedsHuman, match=str(port)):
            await SlackApp(taken, MemoryStore(), FrozenClock(NOW)).start()


async def test_a_wrong_app_token_stops_the_start(slack_server: Workspace) -> None:
    async with socket_mode(slack_server):
        connection = Connection(BOT_TOKEN, "C1", app_token="xapp-wrong", base_url=slack_server.base_url)
        with pytest.raises(NeedsHuman, match="connections:write"):
            await SlackApp(connection, MemoryStore(), FrozenClock(NOW)).start()


async def test_an_answer_during_a_stronger_alert_is_still_on_the_message_afterwards(office: Office) -> None:
    await office.post_alert(assessment=SLIPPING)
    await raise_alert(office.store, LEFT)
    office.server.fail("chat.update", delay=400)
    raising = asyncio.create_task(drain(office.store, office.app.poster, office.clock))
    await asyncio.sleep(0.2)
    assert await office.press("answer.nothing_wrong") == 200
    assert await raising == 1
    await office.until("Settled")
    await asyncio.sleep(0.5)
    assert "Settled" in office.shown()


async def test_what_was_begun_is_finished_before_the_app_stops(office: Office) -> None:
    await office.post_alert()
    office.server.fail("chat.update", delay=300)
    assert await office.press("answer.still_there") == 200
    await office.app.stop()
    assert "Settled" in office.shown()


async def test_an_answer_to_a_message_that_was_deleted_meanwhile_is_kept_and_confirmed(
    office: Office,
) -> None:
    await office.post_alert()
    office.server.fail("chat.update", error="message_not_found")
    await office.press("answer.still_there")
    [told] = await office.told()
    assert "Your answer is kept" in told["text"]
