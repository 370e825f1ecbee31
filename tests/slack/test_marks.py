from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.slack.marks import DIGITS, Marks
from bot.slack.register import Register
from bot.store.memory import MemoryStore
from tests.servers.slack import Workspace
from tests.slack.pressing import open_office
from tests.slack.story import ADDRESS, ANN, BOB, JANE, LEFT, SLIPPING, raise_alert


@given(address=st.text(max_size=80), episode=st.integers(1, 9))
@settings(max_examples=50, deadline=None)
def test_a_mark_tells_nothing_of_the_address_and_keeps_the_episode(address: str, episode: int) -> None:
    marks = Marks(b"key")
    mark = marks.case(f"{address}:{episode}")
    assert mark == f"{marks.of(address)}:{episode}"
    assert len(marks.of(address)) == DIGITS
    assert mark != Marks(b"other key").case(f"{address}:{episode}")


def test_the_key_is_never_printed() -> None:
    assert "secret" not in repr(Marks(b"secret"))


async def test_a_mark_is_found_again_by_another_process_for_old_cases_and_people_no_longer_watched() -> None:
    store = MemoryStore()
    raised = await raise_alert(store)
    mark = (await Register(store).marks()).case(raised.case)
    assert await Register(store).case(mark) == raised.case
    await store.unwatch(ADDRESS)
    assert await Register(store).case(mark) == raised.case
    assert await Register(store).case("0" * DIGITS + ":1") == ""
    assert await Register(store).case(raised.case) == ""
    assert await Register(store).case("") == ""


async def test_whoever_was_forgotten_is_no_longer_known_by_their_mark() -> None:
    store = MemoryStore()
    raised = await raise_alert(store)
    register = Register(store)
    mark = (await register.marking([ADDRESS])).case(raised.case)
    assert await register.case(mark) == raised.case
    await store.forget(ADDRESS)
    register.drop(ADDRESS)
    assert await register.case(mark) == ""


@pytest.mark.servers
async def test_where_people_have_initials_no_message_holds_an_address_or_name_in_any_part_of_it(
    slack_server: Workspace,
) -> None:
    async with open_office(slack_server, names="initials", admins=("max@vendor.example",)) as office:
        await office.post_alert(assessment=SLIPPING)
        await raise_alert(office.store, LEFT)
        await office.app.poster.settle()
        from bot.slack.outbox import drain

        assert await drain(office.store, office.app.poster, office.clock) == 1
        await office.press("watch.0")
        await office.told()
        view = await office.open("assign")
        await office.submit(view, owner={"selected_user": office.server.user("max")})
        await office.eventually(lambda: len(office.messages()) == 3)
        await office.press("answer.still_there")
        await office.until("is still there")
        await office.app.stop()
        said = json.dumps(sent_to(slack_server, slack_server.channel("champions")), ensure_ascii=False)
    for told in (JANE.address, ANN.address, BOB.address, "Jane", "Doe", "Ann Lee", "Bob Roe"):
        assert told not in said


def sent_to(server: Workspace, channel: str) -> list[dict[str, Any]]:
    """Return all that was sent to a channel, whatever it was changed to later."""
    calls = [call for method in ("chat.postMessage", "chat.update") for call in server.calls(method)]
    return [call["args"] for call in calls if call["args"]["channel"] == channel]
