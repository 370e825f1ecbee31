from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from bot.preferences import Preferences, preferences
from bot.slack import contacts, tab, views
from bot.slack.outbox import drain
from bot.slack.shape import wrong
from bot.store import Store
from bot.store.memory import MemoryStore
from tests.servers.slack import Workspace
from tests.slack.commanding import Reception, entered, reception
from tests.slack.story import ADDRESS, raise_alert

HOSTILE = "\u202e<!channel>" * 3
PLACE = json.dumps({"case": f"{ADDRESS}:1", "channel": "C1", "ts": "1.2", "people": ["ann.lee@acme.example"]})


def presses(desk: Reception, mark: str) -> Iterator[dict[str, Any]]:
    """Yield a press of one button of each kind."""
    values = {
        "answer.still_there": mark,
        "answer.left": mark,
        "why": mark,
        "watch.0": mark,
        "note.for": "",
        contacts.SHOW_ACTION: ADDRESS,
        tab.NEXT: "1",
        tab.ADD: "",
    }
    for action, value in values.items():
        button = {"type": "button", "action_id": action, "block_id": "b", "value": value, "action_ts": "1"}
        yield desk.happens("block_actions", actions=[button])
    menu = {"type": "overflow", "action_id": "more", "selected_option": {"value": "note"}}
    yield desk.happens("block_actions", actions=[menu])


def forms(desk: Reception) -> Iterator[dict[str, Any]]:
    """Yield one form of each kind as it is sent off."""
    sent: list[tuple[str, dict[str, Any], str]] = [
        (
            views.ADD,
            entered(email="a@b.example", amount="12 EUR", close="2026-09-09", file=[{"size": 1}]),
            "",
        ),
        (views.SETTINGS, entered(quiet_from="18:00", quiet_to="08:00", day="1", hour="8", budget="5"), ""),
        ("answer.left", {"champion": {"champion": {"selected_option": {"value": "0"}}}}, PLACE),
        ("answer.snooze", {"day": {"day": {"selected_date": "2026-08-09"}}}, PLACE),
        ("assign", {"owner": {"owner": {"selected_user": desk.server.user("max")}}}, PLACE),
    ]
    for callback, values, place in sent:
        view = {"id": "V1", "type": "modal", "callback_id": callback, "title": {"text": "Title"}}
        state = {"state": {"values": values}, "private_metadata": place}
        yield desk.happens("view_submission", view={**view, **state})


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every part of a payload."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield (*path, key)
        yield from places(part, (*path, key))


def spoiled(payload: dict[str, Any], path: tuple[Any, ...]) -> Iterator[dict[str, Any]]:
    """Yield the payload without one part, and with other things in its place."""
    others: tuple[Any, ...] = (None, HOSTILE, 7, [], {})
    for other in others:
        whole = copy.deepcopy(payload)
        part = whole
        for key in path[:-1]:
            part = part[key]
        if other is None:
            del part[path[-1]]
        else:
            part[path[-1]] = other
        yield whole


async def test_a_payload_in_which_anything_is_missing_or_odd_is_answered_or_refused_without_a_traceback(
    slack_server: Workspace, store: Store
) -> None:
    async with reception(slack_server, store) as desk:
        await raise_alert(store)
        await drain(store, desk.app.poster, desk.clock)
        [message] = slack_server.messages(slack_server.channel("champions"))
        mark = next(block for block in message["blocks"] if block["block_id"] == "answers")["elements"][0]
        payloads = [*presses(desk, mark["value"]), *forms(desk)]
        broken = [
            bad
            for payload in payloads
            for path in places(payload)
            if path[0] in {"user", "actions", "view", "container", "channel", "team"}
            for bad in spoiled(payload, path)
        ]
        with structlog.testing.capture_logs() as logs:
            for number, payload in enumerate(broken[:: max(1, len(broken) // 300)]):
                status, _ = await desk.interact({**payload, "trigger_id": f"spoiled {number}"})
                assert status in {200, 400, 404}, payload
        assert not [entry for entry in logs if entry["log_level"] in {"error", "critical"}]


@pytest.mark.parametrize(
    ("field", "value"),
    [("day", "9"), ("day", "x"), ("hour", "24"), ("hour", "-1"), ("budget", "00012345"), ("budget", "0")],
)
async def test_a_setting_that_was_not_offered_is_not_kept(
    slack_server: Workspace, store: Store, field: str, value: str
) -> None:
    async with reception(slack_server, store) as desk:
        view = await desk.opened("settings")
        await desk.submit(view, entered(**{field: value}))
        assert await preferences(store, slack_server.user("rita")) == Preferences()


def test_a_time_of_day_that_is_none_is_refused() -> None:
    sent = {
        "type": "view_submission",
        "user": {"id": "U1"},
        "view": {"type": "modal", "state": {"values": entered(quiet_from="25:00")}},
    }
    assert wrong(sent) == "view.state.values.quiet_from.value.selected_time"


def test_what_is_no_interaction_is_left_to_others() -> None:
    assert wrong({"type": "event_callback", "event": None}) == ""
    assert wrong({"command": "/champion"}) == ""


@pytest.fixture
def store() -> Store:
    return MemoryStore()
