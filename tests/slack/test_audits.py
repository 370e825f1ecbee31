from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from bot import audit
from bot.model import Action, Contact, Decision, Json, Reason, Verdict
from bot.slack.register import Register
from tests.servers.slack import Workspace
from tests.servers.slack_wire import Transport
from tests.slack.pressing import Office, open_office
from tests.slack.story import JANE, NOW, SLIPPING

pytestmark = pytest.mark.servers

MONDAY = "2026-08-03"


@pytest.fixture
async def office(slack_server: Workspace, transport: Transport) -> AsyncIterator[Office]:
    async with open_office(slack_server, transport=transport) as opened:
        await calm(opened, JANE)
        kept: list[Json] = [[MONDAY, slack_server.user("rita"), JANE.address]]
        await opened.store.save_setting(audit.SETTING, kept)
        yield opened


async def calm(office: Office, contact: Contact) -> None:
    """Watch somebody who alarms nobody."""
    await office.store.watch(contact)
    person = await office.store.person(contact.address)
    assert person is not None
    judged = replace(SLIPPING, contact=contact.address, verdict=Verdict.ACTIVE, evidence=())
    held = Decision(contact.address, NOW, Action.HOLD, Reason.BELOW_THRESHOLD, judged.verdict, 0.02)
    assert await office.store.conclude(person.version, judged, held)


async def press(office: Office, choice: str, by: str = "rita", week: str = MONDAY) -> None:
    mark = (await Register(office.store).marks()).of(JANE.address)
    pressed: dict[str, Any] = {
        "type": "block_actions",
        **office.sender(by),
        "container": {"message_ts": "1.0", "channel_id": office.server.channel("champions")},
        "channel": {"id": office.server.channel("champions"), "name": "directmessage"},
        "trigger_id": office.server.trigger(by),
        "actions": [
            {
                "type": "button",
                "action_id": f"audit.{choice}",
                "block_id": "audit-answers",
                "value": f"{mark} {week}",
            }
        ],
    }
    before = len(office.server.calls("chat.postEphemeral"))
    assert (await office.interact(pressed))[0] == 200
    await office.eventually(lambda: len(office.server.calls("chat.postEphemeral")) > before)


async def said(office: Office) -> list[str]:
    person = await office.store.person(JANE.address)
    assert person is not None
    return [seen.sentence for seen in person.observations]


def told(office: Office) -> str:
    return str(office.server.calls("chat.postEphemeral")[-1]["args"]["text"])


@pytest.mark.parametrize(
    ("choice", "sentence"), [("still_there", "said: still there"), ("left", "confirmed: left")]
)
async def test_an_answer_to_the_question_is_kept_like_any_answer_and_the_first_stands(
    office: Office, choice: str, sentence: str
) -> None:
    await press(office, choice)
    [kept] = await said(office)
    assert kept.endswith(sentence)
    assert told(office).startswith("Thank you. Noted: Jane Doe")
    await press(office, "left" if choice == "still_there" else "still_there")
    assert await said(office) == [kept]
    assert told(office).startswith("You said already")
    assert await office.store.news() == [JANE.address]


@pytest.mark.parametrize(
    ("choice", "by", "week"),
    [
        ("still_there", "max", MONDAY),
        ("still_there", "rita", "2026-08-10"),
        ("still_there", "rita", "soon"),
        ("snooze", "rita", MONDAY),
    ],
)
async def test_what_was_not_asked_or_asked_of_somebody_else_changes_nothing(
    office: Office, choice: str, by: str, week: str
) -> None:
    await press(office, choice, by, week)
    assert await said(office) == []
    assert "Nothing was changed" in told(office)
