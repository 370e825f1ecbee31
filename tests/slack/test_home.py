from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import Any

import pytest

from bot.clock import FrozenClock
from bot.coverage import Coverage, Outage
from bot.model import (
    Action,
    Alert,
    Answer,
    Assessment,
    Case,
    Choice,
    Contact,
    Deal,
    Decision,
    Delivery,
    Person,
    Reason,
    Strength,
    Verdict,
    Watched,
)
from bot.preferences import Preferences, save_preferences
from bot.slack import tab
from bot.slack.app import Connection, SlackApp
from bot.slack.outbox import drain
from bot.store import Store
from bot.store.memory import MemoryStore
from tests.servers.block_kit import check_view
from tests.servers.slack import APP_ID, BOT_TOKEN, TEAM, Workspace
from tests.servers.slack_wire import Enveloped, Signed, Transport, wire
from tests.slack.story import ADDRESS, JANE, LEFT, NOW, SLIPPING, alert, raise_alert

SETTLED = timedelta(seconds=60)
BOX = "mailbox:rita@vendor.example"
QUICK = 1.0
"""Seconds of processor time in which the tab must be there with 2,000 people."""


@dataclass
class Office:
    """The app, running, with what it keeps, and Slack, which opens its Home tab."""

    server: Workspace
    store: Store
    app: SlackApp
    clock: FrozenClock
    wire: Signed | Enveloped

    async def open(self, by: str = "rita", event_id: str = "Ev1", name: str = "home") -> str:
        """Open the tab and return what it shows."""
        before = len(self.server.calls("views.publish"))
        await self.happen(self.opened(by, event_id, name))
        await self.until(lambda: len(self.server.calls("views.publish")) > before)
        return self.shown(by)

    def opened(self, by: str, event_id: str = "Ev1", name: str = "home") -> dict[str, Any]:
        """Return what Slack sends when somebody opens the tab."""
        event = {"type": "app_home_opened", "user": self.server.user(by), "tab": name, "channel": "D1"}
        return self.event(event, event_id)

    def event(self, event: Mapping[str, Any], event_id: str) -> dict[str, Any]:
        return {
            "type": "event_callback",
            "team_id": TEAM,
            "api_app_id": APP_ID,
            "event_id": event_id,
            "event_time": 1,
            "event": event,
        }

    async def press(self, action: str, value: str, by: str = "rita", **more: Any) -> None:
        await self.interact(self.pressed(action, value, by, **more))

    def pressed(self, action: str, value: str, by: str = "rita", **more: Any) -> dict[str, Any]:
        """Return what Slack sends when something on the tab is pressed."""
        view = self.view(by)
        return {
            "type": "block_actions",
            "api_app_id": APP_ID,
            "team": {"id": TEAM, "domain": "vendor"},
            "user": {"id": self.server.user(by), "username": by, "team_id": TEAM},
            "container": {"type": "view", "view_id": view["view_id"]},
            "view": view,
            "trigger_id": self.server.trigger(by),
            "actions": [{"action_id": action, "block_id": "b", "value": value, "action_ts": "1", **more}],
        }

    async def interact(self, payload: dict[str, Any]) -> None:
        assert await self.wire.send(payload) == (200, "")

    async def happen(self, event: dict[str, Any]) -> None:
        assert await self.wire.send(event, "events_api") == (200, "")

    def carried(self, action: str, by: str = "rita") -> str:
        """Return what the first button of that action on the tab carries."""
        rows = [block["elements"] for block in self.view(by)["blocks"] if block["type"] == "actions"]
        return str(next(one["value"] for row in rows for one in row if one["action_id"] == action))

    def view(self, by: str = "rita") -> dict[str, Any]:
        who = self.server.user(by)
        return next(view for view in self.server.views("home") if view["user_id"] == who)

    def shown(self, by: str = "rita") -> str:
        return json.dumps(self.view(by)["blocks"], ensure_ascii=False)

    def actions(self, by: str = "rita") -> list[str]:
        rows = [block for block in self.view(by)["blocks"] if block["type"] == "actions"]
        return [element["action_id"] for row in rows for element in row["elements"]]

    async def until(self, holds: Any) -> None:
        async with asyncio.timeout(SETTLED.total_seconds()):
            while not holds():  # noqa: ASYNC110 - Slack cannot set our event
                await asyncio.sleep(0.02)

    async def page(self, action: str, value: str) -> str:
        before = len(self.server.calls("views.publish"))
        await self.press(action, value)
        await self.until(lambda: len(self.server.calls("views.publish")) > before)
        return self.shown()


@pytest.fixture
async def office(slack_server: Workspace, transport: Transport) -> AsyncIterator[Office]:
    store, clock = MemoryStore(), FrozenClock(NOW)
    slack_server.show_user("rita", tz="Europe/Berlin")
    async with wire(slack_server, transport) as laid:
        app = laid.app = SlackApp(
            Connection(
                bot_token=BOT_TOKEN,
                channel=slack_server.channel("champions"),
                base_url=slack_server.base_url,
                pace=timedelta(),
                **laid.settings,
            ),
            store,
            clock,
        )
        await app.start()
        try:
            yield Office(slack_server, store, app, clock, laid)
        finally:
            await app.stop()


async def judge(store: Store, contact: Contact, verdict: Verdict, headline: str = "so it is") -> None:
    await store.watch(contact)
    person = await store.person(contact.address)
    assert person is not None
    judged = Assessment(contact.address, NOW, verdict, Strength.CLEAR, 0.1, headline)
    decision = Decision(contact.address, NOW, Action.HOLD, Reason.BELOW_THRESHOLD, verdict, 0.1)
    assert await store.conclude(person.version, judged, decision)


@pytest.mark.servers
async def test_open_cases_stand_first_with_the_buttons_of_the_alert_and_then_the_watch_list(
    office: Office,
) -> None:
    await raise_alert(office.store, SLIPPING)
    await judge(office.store, replace(JANE, address="al@acme.example", name="Al Poe"), Verdict.ACTIVE)
    shown = await office.open()
    order = ["1 decision due", "*Decisions due*", "Jane Doe", "Slipping*", "Watch list", "Al Poe", "Coverage"]
    places = [shown.index(text) for text in order]
    assert places == sorted(places)
    assert {"answer.on_it", "answer.nothing_wrong", "answer.snooze", tab.ADD, tab.SETTINGS} <= set(
        office.actions()
    )
    assert "Last evidence Tue 14 Jul: Meeting pushed from 4 Aug to 18 Aug by them" in shown
    assert "0.2" not in shown


@pytest.mark.servers
async def test_everybody_sees_their_own_people_only(office: Office) -> None:
    await raise_alert(office.store)
    await judge(office.store, Contact("al@b.example", "Al Poe", owner="Max@Vendor.example"), Verdict.ACTIVE)
    await judge(office.store, Contact("bo@b.example", "Bo Roe", owner="Max Manager"), Verdict.QUIET)
    hers, his = await office.open("rita"), await office.open("max", "Ev2")
    assert ("Jane Doe" in hers, "Al Poe" in hers, "Bo Roe" in hers) == (True, False, False)
    assert ("Jane Doe" in his, "Al Poe" in his, "Bo Roe" in his) == (False, True, False)


@pytest.mark.servers
async def test_an_answer_on_the_tab_settles_the_case_there_and_under_the_alert(office: Office) -> None:
    await raise_alert(office.store)
    assert await drain(office.store, office.app.poster, office.clock) == 1
    await office.open()
    await office.press("answer.still_there", office.carried("answer.still_there"))
    await office.until(lambda: "0 decisions due" in office.shown())
    [message] = office.server.messages(office.server.channel("champions"))
    assert "still there" in json.dumps(message["blocks"])
    person = await office.store.person(ADDRESS)
    assert person is not None
    assert person.cases[0].settled is not None


@pytest.mark.servers
async def test_an_alert_that_is_not_out_yet_can_be_answered_on_the_tab(office: Office) -> None:
    await raise_alert(office.store)
    await office.open()
    await office.press("answer.still_there", office.carried("answer.still_there"))
    await office.until(lambda: "0 decisions due" in office.shown())
    assert office.server.messages(office.server.channel("champions")) == []


@pytest.mark.servers
async def test_why_is_told_in_a_direct_message_where_there_is_no_channel(office: Office) -> None:
    await raise_alert(office.store)
    await office.open()
    row = next(block for block in office.view()["blocks"] if str(block.get("block_id")).startswith("case "))
    more = {"block_id": row["block_id"], "selected_option": {"value": "why"}}
    pressed = office.pressed("more", "", **more)
    del pressed["actions"][0]["value"]
    await office.interact(pressed)
    await office.until(lambda: office.server.calls("chat.postMessage"))
    [told] = office.server.calls("chat.postMessage")
    assert "Why Jane Doe is judged “left”" in told["args"]["text"]


@pytest.mark.servers
async def test_who_came_second_is_told_so(office: Office) -> None:
    await raise_alert(office.store)
    await office.open()
    await office.store.answer(
        Answer(ADDRESS, f"{ADDRESS}:1", office.server.user("max"), NOW, Choice.STILL_THERE)
    )
    await office.press("answer.still_there", office.carried("answer.still_there"))
    await office.until(lambda: office.server.calls("chat.postMessage"))
    assert "Already settled" in office.server.calls("chat.postMessage")[0]["args"]["text"]


@pytest.mark.servers
async def test_two_thousand_people_are_paged_and_shown_within_a_second(office: Office) -> None:
    for i in range(2000):
        await office.store.watch(
            replace(JANE, address=f"p{i}@a{i % 300}.example", name=f"P{i:04}", account=f"A{i % 300:03}")
        )
    await raise_alert(office.store)
    began = time.process_time()
    shown = await office.open()
    assert time.process_time() - began < QUICK
    assert "2001 people" in shown
    assert tab.NEXT in office.actions()
    assert tab.PREVIOUS not in office.actions()
    second = await office.page(tab.NEXT, "1")
    assert second != shown
    assert "Decisions due" not in second
    await office.page(tab.NEXT, "999")
    assert tab.NEXT not in office.actions()
    assert office.view()["private_metadata"] == "100"
    back = await office.page(tab.PREVIOUS, "0")
    assert "*Decisions due*" in back


@pytest.mark.servers
async def test_an_event_that_slack_repeats_is_answered_once(office: Office) -> None:
    await office.open(event_id="Ev7")
    await asyncio.gather(*(office.happen(office.opened("rita", "Ev7")) for _ in range(3)))
    await office.open("max", event_id="Ev8")
    assert len(office.server.calls("views.publish")) == 2


@pytest.mark.servers
async def test_opening_the_messages_tab_shows_nothing_on_the_home_tab(office: Office) -> None:
    await office.happen(office.opened("rita", "Ev1", "messages"))
    await office.open("max", "Ev2")
    assert len(office.server.calls("views.publish")) == 1


@pytest.mark.servers
@pytest.mark.parametrize(
    ("shown_as", "text"), [("is_restricted", "not for guests"), ("deleted", "open this tab again")]
)
async def test_a_guest_and_somebody_unknown_are_shown_nothing_but_why(
    office: Office, shown_as: str, text: str
) -> None:
    await raise_alert(office.store)
    office.server.show_user("rita", **{shown_as: True})
    shown = await office.open()
    assert text in shown
    assert "Jane" not in shown


@pytest.mark.servers
@pytest.mark.parametrize(
    "fault", [{"status": 503, "times": 2}, {"error": "invalid_auth"}, {"error": "hash_conflict"}]
)
async def test_a_tab_that_slack_does_not_take_leaves_no_traceback(
    office: Office, fault: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    office.server.fail("views.publish", **fault)
    await office.happen(office.opened("rita"))
    await asyncio.sleep(0)
    said = ""
    async with asyncio.timeout(SETTLED.total_seconds()):
        while "home.not_shown" not in said:
            await asyncio.sleep(0.02)
            said += capsys.readouterr().out
    assert "Traceback" not in said


@pytest.mark.servers
async def test_settings_coverage_and_privacy_are_said_in_words(office: Office) -> None:
    await judge(office.store, JANE, Verdict.UNCHECKED, f"{BOX} cannot be read: token expired")
    await save_preferences(
        office.store,
        office.server.user("rita"),
        Preferences("19:00", "07:30", digest_day=4, digest_hour=16, alerts_a_day=3),
    )
    office.app.coverage = lambda: Coverage((Outage(BOX, NOW - timedelta(days=6), needs_human=True),))
    shown = await office.open()
    assert "Quiet hours: 19:00 to 07:30" in shown
    assert "Weekly digest: Friday at 16:00" in shown
    assert "at most 3" in shown
    assert "Europe/Berlin" in shown
    assert "0 of 1 checked" in shown
    assert "1 unchecked: mailbox rita@vendor.example disconnected since Tue 28 Jul" in shown
    assert "/champion forget" in shown


@pytest.mark.servers
async def test_the_last_check_is_when_a_source_that_knows_them_was_read(office: Office) -> None:
    await judge(office.store, JANE, Verdict.ACTIVE)
    office.app.coverage = lambda: Coverage(read_at={BOX: NOW - timedelta(hours=1)})
    assert "last check Mon 3 Aug, 10:30" in await office.open()


@pytest.mark.servers
async def test_whoever_could_not_be_looked_at_has_no_last_check(office: Office) -> None:
    await judge(office.store, JANE, Verdict.UNCHECKED)
    assert "not checked yet" in await office.open()


@pytest.mark.servers
async def test_why_somebody_is_unchecked_is_said_in_words(office: Office) -> None:
    await judge(office.store, JANE, Verdict.UNCHECKED, "mailbox:rita@vendor.example cannot be read")
    shown = await office.open()
    assert "*Unchecked*: mailbox rita@vendor.example cannot be read" in shown


@pytest.mark.servers
async def test_an_open_account_notice_stands_among_the_decisions(office: Office) -> None:
    await judge(office.store, JANE, Verdict.ACTIVE)
    account = Contact("@acme.example", account="Acme", owner="rita@vendor.example")
    said = Assessment(account.address, NOW, Verdict.UNCHECKED, Strength.SOME, 0, "3 addresses bounced")
    decision = Decision(account.address, NOW, Action.SEND, Reason.FIRST, Verdict.UNCHECKED, 0)
    assert await office.store.conclude(0, said, decision, Alert(account, said, 1, NOW))
    assert "*Notice* since Mon 3 Aug: 3 addresses bounced" in await office.open()


@pytest.mark.servers
@pytest.mark.parametrize(
    "event", [{"type": "app_uninstalled"}, {"type": "tokens_revoked", "tokens": {"bot": ["U1"], "oauth": []}}]
)
async def test_after_the_app_was_removed_nothing_is_posted_and_it_is_said_once(
    office: Office, event: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    await raise_alert(office.store)
    await office.app.send_digests(NOW - timedelta(days=1))
    for number in range(2):
        await office.happen(office.event(event, f"Ev{number}"))
    await office.until(lambda: office.app.poster.removed)
    assert await drain(office.store, office.app.poster, office.clock) == 0
    assert await office.app.send_digests(NOW) == 0
    person = await office.store.person(ADDRESS)
    assert person is not None
    assert person.cases[0].deliveries[0].sent_at is None
    assert capsys.readouterr().out.count("slack.removed") == 1
    assert office.server.calls("chat.postMessage") == []


@pytest.mark.servers
async def test_a_users_own_token_that_was_revoked_changes_nothing(office: Office) -> None:
    event = {"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": []}}
    await office.happen(office.event(event, "Ev1"))
    await office.open("max", "Ev2")
    assert not office.app.poster.removed


HOSTILE = "<!channel> *x* `y` <@U1> \u202e" + "W" * 10_000


def test_hostile_names_and_full_pages_stay_within_slacks_limits_and_are_shown_as_text() -> None:
    contact = Contact("a@b.example", HOSTILE, HOSTILE, HOSTILE, HOSTILE, Deal(HOSTILE, 1e300, HOSTILE))
    judged = replace(LEFT, headline=HOSTILE, contact=contact.address)
    on_it = Answer("", "", HOSTILE, NOW, Choice.ON_IT)
    told = tuple(
        Case(contact.address, i, (Delivery(alert(judged, contact, i)),), on_it=on_it) for i in range(19)
    )
    person = Person(contact.address, contact, assessment=judged, cases=told)
    watched = Watched(contact, Verdict.UNCHECKED, headline=HOSTILE, case=told[-1].key, opened_at=NOW)
    rows = [tab.Row(contact.address, case.key) for case in told] + [tab.Row(contact.address, watched=watched)]
    page = tab.Page(3, 9, 19, rows, {contact.address: person})
    coverage = Coverage(tuple(Outage(f"{HOSTILE}{i}", NOW) for i in range(50)))
    choices = tab.Choices(Preferences(), (clock_time(18), clock_time(8)), None, HOSTILE)
    mine = [replace(watched, headline=f"{i}{HOSTILE}") for i in range(50)]
    view = tab.home(mine, page, coverage, choices, NOW)
    check_view(view)
    assert "<!channel>" not in json.dumps(view)
    assert "<@U1>" not in json.dumps(view)


def watched(
    name: str,
    verdict: Verdict,
    case: int = 0,
    days: int = 1,
    word: Choice | None = None,
    until: date | None = None,
) -> Watched:
    address = f"{name}@acme.example"
    key = f"{address}:{case}" if case else ""
    said = Answer(address, key, "URITA", NOW, word, until) if word else None
    opened = NOW - timedelta(days=days) if case else None
    return Watched(Contact(address, name), verdict, case=key, opened_at=opened, settled=said)


def test_open_cases_come_gravest_and_oldest_first_and_people_gravest_first() -> None:
    mine = [
        watched("a", Verdict.ACTIVE),
        watched("b", Verdict.SLIPPING, 1, 9),
        watched("c", Verdict.LEFT, 1, 1),
        watched("d", Verdict.LEFT, 1, 2),
        watched("e", Verdict.UNCHECKED),
        watched("f", Verdict.LEFT, 1, 3, Choice.LEFT),
    ]
    found = tab.rows(mine, [], NOW.date())
    assert [row.address[0] for row in found if row.case] == ["d", "c", "b"]
    assert [row.address[0] for row in found if row.watched] == ["f", "e", "a"]


def test_a_snoozed_case_is_back_on_the_day_the_snooze_ends() -> None:
    mine = [watched("a", Verdict.LEFT, 1, 9, Choice.SNOOZE, date(2026, 8, 3))]
    before, on = datetime(2026, 8, 2, tzinfo=UTC), datetime(2026, 8, 3, tzinfo=UTC)
    assert [bool(row.case) for row in tab.rows(mine, [], before.date())] == [False]
    assert [bool(row.case) for row in tab.rows(mine, [], on.date())] == [True]


@pytest.mark.servers
async def test_a_rep_is_offered_the_page_that_connects_their_own_mailbox(office: Office) -> None:
    office.app.home.mailbox = lambda user, address: (
        "Connect my mailbox",
        f"https://v.example/{user}/{address}",
    )
    shown = await office.open()
    rita = office.server.user("rita")
    assert f"https://v.example/{rita}/rita@vendor.example" in shown
    assert tab.MAILBOX in office.actions()
    await office.press(tab.MAILBOX, "")
