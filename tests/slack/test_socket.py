"""Socket Mode when things go wrong: envelopes that are lost, come late, or come again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

from bot.slack import contacts, tab
from tests.servers.slack import Workspace
from tests.servers.slack_socket import Mishap
from tests.servers.slack_wire import Enveloped, Kind
from tests.slack.commanding import Reception, entered, reception, said
from tests.slack.pressing import Office, open_office, option
from tests.slack.story import ADDRESS, ANN, JANE, SLIPPING, raise_alert

pytestmark = pytest.mark.servers

BACK = timedelta(seconds=20)
"""So soon the app must have connected anew after its connection was cut."""

MISHAPS: list[Mishap] = ["dropped", "delayed", "twice", "unheard"]


@pytest.fixture
async def office(slack_server: Workspace) -> AsyncIterator[Office]:
    async with open_office(slack_server, transport="socket") as opened:
        yield opened


@pytest.fixture
async def desk(slack_server: Workspace) -> AsyncIterator[Reception]:
    async with reception(slack_server, transport="socket") as running:
        yield running


def over(running: Office | Reception) -> Enveloped:
    assert isinstance(running.wire, Enveloped)
    return running.wire


async def eventually(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(BACK.total_seconds()):
        while not holds():  # noqa: ASYNC110 - Slack cannot set our event
            await asyncio.sleep(0.02)


async def goes(
    running: Office | Reception, mishap: Mishap, payload: dict[str, Any], kind: Kind = "interactive"
) -> str:
    """Send an envelope to which that happens; return what it is acknowledged with in the end."""
    socket = over(running).socket
    socket.mishaps.append(mishap)
    envelope = await socket.send(payload, kind)
    answer = await socket.answer(envelope, BACK)
    assert answer is not None
    if mishap == "twice":
        await eventually(lambda: socket.acknowledged[envelope] == socket.delivered[envelope])
    return answer


@pytest.mark.parametrize("mishap", MISHAPS)
async def test_an_answer_whose_envelope_goes_astray_or_comes_again_counts_once(
    office: Office, mishap: Mishap
) -> None:
    await office.post_alert()
    await goes(office, mishap, office.pressed("answer.still_there"))
    await office.until("Jane Doe is still there")
    await office.app.stop()
    assert await office.sentences() == ["Rita Rep said: still there"]
    assert office.server.ephemeral() == []


@pytest.mark.parametrize("mishap", MISHAPS)
async def test_a_modal_whose_envelope_comes_again_opens_once_and_settles_once(
    office: Office, mishap: Mishap
) -> None:
    await office.post_alert()
    await goes(office, mishap, office.pressed("answer.left"))
    await office.eventually(office.server.views)
    view = office.server.views()[0]
    await goes(office, mishap, office.submitted(view, champion=option("0")))
    await office.until("New champion: Ann Lee")
    await office.app.stop()
    assert len(office.server.views()) == 1
    assert await office.sentences() == ["Rita Rep confirmed: left"]
    assert (await office.person(ANN.address)).contact is not None
    assert {told["text"].partition(" is watched")[0] for told in office.server.ephemeral()} == {"Ann Lee"}


@pytest.mark.parametrize("mishap", MISHAPS)
@pytest.mark.parametrize("action", ["why", "watch.0"])
async def test_what_is_told_to_one_person_is_told_once(office: Office, mishap: Mishap, action: str) -> None:
    await office.post_alert()
    await goes(office, mishap, office.pressed(action))
    await office.told()
    await office.app.stop()
    assert len(office.server.ephemeral()) == 1


@pytest.mark.parametrize("mishap", MISHAPS)
async def test_a_command_whose_envelope_comes_again_is_done_once(desk: Reception, mishap: Mishap) -> None:
    await goes(desk, mishap, desk.typed(f"add {ADDRESS} Jane Doe, Acme"), "slash_commands")
    text = said(await desk.told())
    await desk.app.stop()
    assert text.startswith("Jane Doe (Acme) is watched from now on")
    assert len(desk.server.responses()) == 1


@pytest.mark.parametrize("mishap", MISHAPS)
async def test_a_button_under_an_answer_whose_envelope_comes_again_is_pressed_once(
    desk: Reception, mishap: Mishap
) -> None:
    await desk.store.watch(JANE)
    button = {"type": "button", "action_id": contacts.REMOVE_ACTION, "block_id": "b", "value": ADDRESS}
    await goes(desk, mishap, desk.happens("block_actions", actions=[{**button, "action_ts": "1"}]))
    assert "is not watched any more" in said(await desk.told())
    await desk.app.stop()
    assert len(desk.server.responses()) == 1


@pytest.mark.parametrize("mishap", MISHAPS)
async def test_a_form_whose_envelope_comes_again_is_answered_again_and_adds_nobody_twice(
    desk: Reception, mishap: Mishap
) -> None:
    view = await desk.opened("add")
    sent = {**view, "id": view["view_id"], "state": {"values": entered(email=ADDRESS)}}
    answer = await goes(desk, mishap, desk.happens("view_submission", view=sent, response_urls=[]))
    assert "watched" in answer
    assert [one.address for one in await desk.store.contacts()] == [ADDRESS]


@pytest.mark.parametrize("mishap", MISHAPS)
async def test_an_event_that_comes_again_draws_the_home_tab_once(desk: Reception, mishap: Mishap) -> None:
    await desk.store.watch(JANE)
    event = {"type": "app_home_opened", "user": desk.server.user("rita"), "tab": "home", "channel": "D1"}
    body = {"type": "event_callback", "team_id": "T000000001", "event_id": "Ev1", "event": event}
    await goes(desk, mishap, body, "events_api")
    await eventually(lambda: desk.server.calls("views.publish"))
    await desk.app.stop()
    assert len(desk.server.calls("views.publish")) == 1


async def test_after_the_connection_was_cut_again_and_again_every_answer_arrives(office: Office) -> None:
    await office.post_alert(assessment=SLIPPING)
    socket = over(office).socket
    for action, shown in (("answer.on_it", "is on it"), ("answer.nothing_wrong", "Settled")):
        await socket.cut()
        envelope = await asyncio.wait_for(socket.send(office.pressed(action)), BACK.total_seconds())
        assert await socket.answer(envelope, BACK) is not None
        await office.until(shown)


async def test_many_envelopes_at_once_of_which_some_come_late_are_all_answered(desk: Reception) -> None:
    people = [f"p{number}@acme.example" for number in range(20)]
    over(desk).socket.mishaps.extend(["delayed", "twice"] * 5)
    await asyncio.gather(*(desk.command(desk.typed(f"add {one} P, Acme")) for one in people))
    await desk.told(len(people))
    assert sorted(one.address for one in await desk.store.contacts()) == sorted(people)
    await raise_alert(desk.store)
    pressed = {"type": "button", "action_id": tab.NEXT, "block_id": "t", "value": "0", "action_ts": "1"}
    assert await desk.interact(desk.happens("block_actions", actions=[pressed])) == (200, "")
