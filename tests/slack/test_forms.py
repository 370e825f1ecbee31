from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.model import Action, Contact, Deal, Decision, Reason, Verdict
from bot.pipeline import FIRST_PASSES
from bot.preferences import Preferences, preferences, save_preferences
from bot.routing import Rules
from bot.slack import forms, manifest, tab, views
from bot.slack.erasure import ERASED
from bot.slack.outbox import drain
from bot.store.tiny import TinyStore
from tests.servers.slack import ANSWER_SECONDS, SOMEBODY_WITH_FILES, Workspace
from tests.servers.slack_wire import Transport
from tests.slack.commanding import SOON, Reception, entered, reception, said, shown
from tests.slack.story import ADDRESS, ANN, JANE, LEFT, MAILBOX, NOW, SLIPPING, raise_alert

pytestmark = pytest.mark.servers

JANE_DOE = Contact(ADDRESS, "Jane Doe", account="Acme", owner="rita@vendor.example")
FORGOTTEN = "Forget somebody"


@pytest.fixture
async def desk(slack_server: Workspace, transport: Transport) -> AsyncIterator[Reception]:
    async with reception(slack_server, transport=transport) as running:
        yield running


def becomes(answer: dict[str, Any]) -> str:
    assert answer["response_action"] == "update"
    return shown(answer["view"])


def message(desk: Reception, text: str) -> dict[str, Any]:
    return desk.happens(
        "message_action",
        callback_id=manifest.WATCH_MESSAGE,
        message={"type": "message", "user": desk.server.user("max"), "ts": "1.2", "text": text},
        message_ts="1.2",
    )


async def until(text: str, look: Any) -> None:
    async with asyncio.timeout(SOON.total_seconds()):
        while text not in json.dumps(look(), ensure_ascii=False):  # noqa: ASYNC110 - Slack cannot set our event
            await asyncio.sleep(0.02)


async def test_add_alone_opens_the_form_and_what_is_entered_is_watched(desk: Reception) -> None:
    view = await desk.opened("add")
    assert [block.get("block_id") for block in view["blocks"]] == [
        "email", "name", "account", "owner", "deal", "amount", "close", "links", "bulk", "list", "file",
    ]  # fmt: skip
    answer = await desk.submit(
        view,
        entered(
            email="<mailto:jane.doe@acme.example|jane.doe@acme.example>",
            name="Jane Doe",
            account="Acme",
            owner=desk.server.user("max"),
            deal="Renewal",
            amount="120,000 EUR",
            close="2026-10-30",
            links="https://acme.example/team\nhttps://other.example/jane",
        ),
    )
    assert "Jane Doe (Acme) is watched from now on, for max@vendor.example" in becomes(answer)
    assert await desk.store.contacts() == [
        replace(
            JANE_DOE,
            owner="max@vendor.example",
            deal=Deal("Renewal", 120_000, "EUR", close_date=date(2026, 10, 30)),
            links=("https://acme.example/team", "https://other.example/jane"),
        )
    ]


@pytest.mark.parametrize(
    ("values", "block"),
    [
        ({}, "email"),
        ({"name": "Jane Doe"}, "email"),
        ({"email": "jane"}, "email"),
        ({"email": "jane@acme.example Jane"}, "email"),
        ({"email": "jane@acme"}, "email"),
        ({"email": ADDRESS, "close": "soon"}, "close"),
        ({"email": ADDRESS, "amount": "48k"}, "amount"),
        ({"email": ADDRESS, "amount": "plenty"}, "amount"),
    ],
)
async def test_what_is_wrong_is_said_beside_the_input(
    desk: Reception, values: dict[str, Any], block: str
) -> None:
    answer = await desk.submit(await desk.opened("add"), entered(**values))
    assert answer["response_action"] == "errors"
    assert list(answer["errors"]) == [block]
    assert await desk.store.contacts() == []


@pytest.mark.parametrize(
    "pasted",
    [
        f"{ADDRESS} Jane Doe, Acme\nbob@acme.example Bob Roe, Acme\nno address here",
        f'"Jane Doe" <{ADDRESS}>; Bob Roe <bob@acme.example>, Acme; no address here',
        f"email;name;company\n{ADDRESS};Jane Doe;Acme\nbob@acme.example;Bob Roe;Acme\nno address here;;",
    ],
)
async def test_a_pasted_list_or_csv_adds_many_and_says_what_was_left_out(
    desk: Reception, pasted: str
) -> None:
    answer = await desk.submit(await desk.opened("add"), entered(list=pasted))
    text = becomes(answer)
    assert "are watched from now on" in text
    assert "no address here" in text
    assert [contact.name for contact in await desk.store.contacts()] == ["Bob Roe", "Jane Doe"]
    answer = await desk.submit(await desk.opened("add"), entered(list=pasted))
    assert "were watched already; nothing was new" in becomes(answer) or "was added" in becomes(answer)
    assert len(await desk.store.contacts()) == 2


async def test_an_uploaded_csv_is_read_and_our_token_goes_to_slack_alone(desk: Reception) -> None:
    client = AsyncWebClient(SOMEBODY_WITH_FILES, desk.server.base_url)
    rows = "\n".join(f"p{number}@acme.example,P {number},Acme" for number in range(300))
    await client.files_upload_v2(filename="people.csv", content=f"email,name,account\n{rows}\n,,\nbroken,,\n")
    [kept] = desk.server.state()["files"]
    at = f"{desk.server.url}/files-pri/{kept['file_id']}/people.csv"
    file = {"id": kept["file_id"], "name": "people.csv", "size": 9000, "url_private_download": at}
    view = await desk.opened("add")
    answer = await desk.submit(view, entered(file=[file]))
    assert "are watched from now on" in becomes(answer)
    assert "Line 303: 'broken' is no e-mail address" in becomes(answer)
    assert len(await desk.store.contacts()) == 300
    for url in (
        "https://slack.com.evil.example/x",
        "https://evilslack.com/x",
        "http://files.slack.com/x",
        "",
    ):
        answer = await desk.submit(view, entered(file=[{**file, "url_private_download": url}]))
        assert "does not lie at Slack" in becomes(answer)
    answer = await desk.submit(view, entered(file=[{**file, "size": 2_000_000}]))
    assert "too large" in becomes(answer)
    answer = await desk.submit(view, entered(file=[{**file, "url_private_download": f"{at}x/y"}]))
    assert "does not hand out the file" in becomes(answer)


async def test_what_takes_long_is_acknowledged_first_and_told_in_the_form_afterwards(
    desk: Reception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "PROMPT", timedelta(milliseconds=50))
    view = await desk.opened("add")
    desk.clock.advance(timedelta(hours=2))
    desk.server.fail("users.info", delay=1000 * ANSWER_SECONDS)
    assert forms.WAIT in becomes(await desk.submit(view, entered(email=ADDRESS)))
    await until("is watched from now on", desk.server.views)


async def test_a_guest_sees_a_refusal_in_place_of_the_form_and_can_submit_nothing(desk: Reception) -> None:
    view = await desk.opened("add", by="max")
    desk.server.show_user("rita", is_ultra_restricted=True)
    await desk.opened("add")
    await until("not for guests", desk.server.views)
    assert "not for guests" in becomes(await desk.submit(view, entered(email=ADDRESS)))
    assert await desk.store.contacts() == []


async def test_an_expired_trigger_is_said(desk: Reception) -> None:
    answer = await desk.type("add", trigger_id="1.2.expired")
    assert "no time to open the form" in said(answer)


async def test_an_owner_who_is_no_member_is_refused(desk: Reception) -> None:
    desk.server.show_user("max", deleted=True)
    view = await desk.opened("add")
    answer = await desk.submit(view, entered(email=ADDRESS, owner=desk.server.user("max")))
    assert "no member of this workspace" in becomes(answer)


@pytest.mark.parametrize(
    ("text", "email", "name", "listed"),
    [
        ("New: Jane Doe <mailto:jane.doe@acme.example|jane.doe@acme.example>", ADDRESS, None, None),
        ("Jane Doe &lt;jane.doe@acme.example&gt;", ADDRESS, "Jane Doe", None),
        ("ask max@vendor.example about jane.doe@acme.example.", ADDRESS, None, None),
        (f"{ADDRESS}, bob@acme.example and max@vendor.example", None, None, f"{ADDRESS}\nbob@acme.example"),
    ],
)
async def test_the_message_shortcut_fills_the_form_with_the_people_in_the_message(
    desk: Reception, text: str, email: str | None, name: str | None, listed: str | None
) -> None:
    view = await desk.opened(body=message(desk, text))
    filled = {block["block_id"]: block.get("element", {}).get("initial_value") for block in view["blocks"]}
    assert filled["email"] == email
    assert filled["list"] == listed
    if name:
        assert filled["name"] == name


async def test_a_message_without_an_address_says_so_above_the_form(desk: Reception) -> None:
    assert forms.NO_ADDRESS in shown(await desk.opened(body=message(desk, "Lunch?")))


async def test_the_global_shortcut_and_the_buttons_of_the_home_tab_open_the_forms(desk: Reception) -> None:
    shortcut = desk.happens("shortcut", callback_id=manifest.WATCH)
    assert (await desk.opened(body=shortcut))["callback_id"] == views.ADD
    for action, callback in ((tab.ADD, views.ADD), (tab.SETTINGS, views.SETTINGS)):
        button = {"type": "button", "action_id": action, "block_id": "b", "value": "", "action_ts": "1"}
        pressed = desk.happens("block_actions", actions=[button])
        assert (await desk.opened(body=pressed))["callback_id"] == callback


async def test_settings_are_kept_for_the_one_who_chose_them_and_shown_again(desk: Reception) -> None:
    rita = desk.server.user("rita")
    view = await desk.opened("settings")
    paused = [{"value": "paused", "text": {"type": "plain_text", "text": "x"}}]
    answer = await desk.submit(
        view,
        entered(quiet_from="20:30", quiet_to="07:00", day="4", hour="16", pause=paused, budget="3"),
    )
    assert "saved" in becomes(answer)
    assert await preferences(desk.store, rita) == Preferences("20:30", "07:00", 4, 16, True, 3)  # noqa: FBT003 - as kept
    assert await preferences(desk.store, desk.server.user("max")) == Preferences()
    again = json.dumps((await desk.opened("settings"))["blocks"])
    for expected in ("20:30", "07:00", "Friday", "16:00", '"initial_value": "3"', "initial_options"):
        assert expected in again
    answer = await desk.submit(view, entered(quiet_from="20:30", day="4", hour="16", budget="101"))
    assert answer == {
        "response_action": "errors",
        "errors": {"budget": "Enter a whole number from 1 to 100, or nothing."},
    }


async def test_settings_left_as_the_team_has_them_go_on_following_the_team(desk: Reception) -> None:
    await save_preferences(desk.store, desk.server.user("rita"), Preferences("20:30", "07:00"))
    view = await desk.opened("settings")
    await desk.submit(view, entered(quiet_from="00:00", quiet_to="00:00", day="0", hour="8"))
    assert await preferences(desk.store, desk.server.user("rita")) == Preferences()


async def test_forget_asks_first_then_erases_and_redacts_what_was_posted(desk: Reception) -> None:
    await raise_alert(desk.store)
    assert await drain(desk.store, desk.app.poster, desk.clock) == 1
    view = await desk.opened("forget jane", by="max")
    assert "Jane Doe" in shown(view)
    assert "cannot be undone" in shown(view)
    assert len(await desk.store.contacts()) == 1
    text = becomes(await desk.submit(view, {}, by="max"))
    assert "Erased from everything" in text
    assert "1 message in Slack was redacted" in text
    [posted] = desk.server.messages(desk.server.channel("champions"))
    assert posted["text"] == ERASED
    assert "Jane" not in json.dumps(posted)
    assert ADDRESS not in json.dumps(posted)
    assert await desk.store.person(ADDRESS) is None
    assert "is not recorded again" in said(await desk.type(f"add {ADDRESS}"))


async def test_forget_takes_the_person_out_of_what_was_told_of_others(desk: Reception) -> None:
    await raise_alert(desk.store)
    assert await drain(desk.store, desk.app.poster, desk.clock) == 1
    channel = desk.server.channel("champions")
    assert "Ann Lee" in json.dumps(desk.server.messages(channel))
    view = await desk.opened(f"forget {ANN.address}", by="max")
    await desk.submit(view, {}, by="max")
    assert "Ann Lee" not in json.dumps(desk.server.messages(channel))
    assert "Jane Doe" in json.dumps(desk.server.messages(channel))


def everything(server: Workspace) -> str:
    """Return all that stands in Slack: messages everywhere, and Home tabs."""
    return json.dumps([server.state()["messages"], server.views("home")], ensure_ascii=False)


async def erase(desk: Reception, who: str) -> str:
    view = await desk.opened(f"forget {who}", by="max")
    return becomes(await desk.submit(view, {}, by="max"))


async def test_forget_redacts_replies_without_having_to_look_for_them(desk: Reception) -> None:
    await raise_alert(desk.store, SLIPPING)
    await drain(desk.store, desk.app.poster, desk.clock)
    await raise_alert(desk.store, LEFT)
    await drain(desk.store, desk.app.poster, desk.clock)
    channel = desk.server.channel("champions")
    assert len(desk.server.messages(channel)) == 2
    assert "2 messages in Slack were redacted" in await erase(desk, "jane")
    assert [posted["text"] for posted in desk.server.messages(channel)] == [ERASED, ERASED]
    assert "conversations.replies" not in {call["method"] for call in desk.server.calls()}


async def test_forget_empties_replies_in_others_cases_that_suggested_the_person(desk: Reception) -> None:
    await raise_alert(desk.store, SLIPPING)
    await drain(desk.store, desk.app.poster, desk.clock)
    await raise_alert(desk.store, LEFT)
    await drain(desk.store, desk.app.poster, desk.clock)
    assert "Ann Lee" in desk.server.messages(desk.server.channel("champions"))[1]["text"]
    await erase(desk, ANN.address)
    assert "Ann" not in everything(desk.server)
    assert "Jane Doe" in everything(desk.server)


async def test_forget_empties_the_digests_that_named_the_person_and_no_others(desk: Reception) -> None:
    await raise_alert(desk.store)
    before = NOW - timedelta(days=7)
    await desk.app.send_digests(before)
    assert await desk.app.send_digests(NOW) == 1
    await desk.store.watch(Contact("al@other.example", "Al Poe", owner="max@vendor.example"))
    await desk.app.send_digests(NOW)
    later = NOW + timedelta(days=7)
    assert await desk.app.send_digests(later) == 2
    assert everything(desk.server).count("Jane Doe") >= 2
    await erase(desk, "jane")
    assert "Jane" not in everything(desk.server)
    assert ADDRESS not in everything(desk.server)
    assert "Al Poe" in everything(desk.server)


async def test_forget_takes_the_person_out_of_the_facts_about_colleagues(desk: Reception) -> None:
    named = replace(LEFT.evidence[0], sentence=f"Meeting taken over by {ANN.address}")
    await raise_alert(desk.store, replace(LEFT, evidence=(named,), suggestions=()))
    assert await drain(desk.store, desk.app.poster, desk.clock) == 1
    assert ANN.address in everything(desk.server)
    await erase(desk, ANN.address)
    assert ANN.address not in everything(desk.server)
    assert "Jane Doe" in everything(desk.server)


async def test_forget_reaches_the_evidence_that_was_told_in_a_direct_message(desk: Reception) -> None:
    await raise_alert(desk.store)
    why = {"type": "overflow", "action_id": "more", "selected_option": {"value": "why"}, "action_ts": "1"}
    turn = {"type": "button", "action_id": tab.NEXT, "block_id": "turn", "value": "0", "action_ts": "1"}
    await desk.interact(desk.happens("block_actions", actions=[turn]))
    await until("Jane Doe", lambda: desk.server.views("home"))
    [view] = desk.server.views("home")
    row = next(one["block_id"] for one in view["blocks"] if str(one.get("block_id")).startswith("case "))
    body = desk.happens("block_actions", actions=[{**why, "block_id": row}], channel=None)
    await desk.interact({**body, "container": {"type": "view", "view_id": view["view_id"]}, "view": view})
    await until("Why Jane Doe", lambda: desk.server.state()["messages"])
    await desk.app.stop()
    await desk.app.start()
    await erase(desk, "jane")
    assert "Jane" not in everything(desk.server)


@pytest.mark.parametrize("shadow", [False, True])
async def test_forget_reaches_what_an_alert_left_behind_and_its_copies(
    slack_server: Workspace, *, shadow: bool
) -> None:
    admins = ("max@vendor.example", "rita@vendor.example")
    channel = slack_server.channel("champions")
    rules = Rules(channel, slipping="dm", admins=admins, shadow=shadow)
    async with reception(slack_server, rules=rules) as desk:
        await raise_alert(desk.store, SLIPPING)
        await drain(desk.store, desk.app.poster, desk.clock)
        await raise_alert(desk.store, LEFT)
        await drain(desk.store, desk.app.poster, desk.clock)
        places = {posted["channel_id"] for posted in slack_server.state()["messages"]}
        assert len(places) == 2
        await erase(desk, "jane")
        assert "Jane" not in everything(slack_server)
        assert "acme" not in everything(slack_server).lower()


async def test_forget_takes_the_person_off_the_first_list_and_off_the_owners_home(desk: Reception) -> None:
    tom = Contact("tom@acme.example", "Tom Berg", "", "Acme", "rita@vendor.example")
    for one in (JANE, tom):
        await desk.store.watch(one)
        person = await desk.store.person(one.address)
        assert person is not None
        judged = replace(LEFT, contact=one.address, suggestions=())
        decision = Decision(one.address, NOW, Action.HOLD, Reason.BASELINE, Verdict.LEFT, 0.9)
        assert await desk.store.conclude(person.version, judged, decision)
    await desk.store.save_cursor(FIRST_PASSES, {MAILBOX: NOW.isoformat()})
    assert await desk.app.tell_baselines(NOW) == 1
    turn = {"type": "button", "action_id": tab.NEXT, "block_id": "turn", "value": "0", "action_ts": "1"}
    await desk.interact(desk.happens("block_actions", actions=[turn]))
    await until("Jane Doe", lambda: desk.server.views("home"))
    assert everything(desk.server).count("Jane Doe") > 1
    await erase(desk, "jane")
    assert "Jane" not in everything(desk.server)
    assert "Tom Berg" in everything(desk.server)
    await erase(desk, "tom")
    assert "Tom" not in everything(desk.server)


async def test_what_cannot_be_redacted_now_is_redacted_at_the_next_start(slack_server: Workspace) -> None:
    async with reception(slack_server) as desk:
        await raise_alert(desk.store)
        await drain(desk.store, desk.app.poster, desk.clock)
        view = await desk.opened("forget jane", by="max")
        slack_server.fail("chat.update", status=500, times=2)
        text = becomes(await desk.submit(view, {}, by="max"))
        assert "1 message could not be redacted yet" in text
        assert "*Messages still to be redacted:* 1" in said(await desk.type("team", by="max"))
        store = desk.store
    async with reception(slack_server, store):
        channel = slack_server.channel("champions")
        await until(ERASED, lambda: slack_server.messages(channel))


async def test_forget_is_for_admins_and_says_whom_it_does_not_know(desk: Reception) -> None:
    await desk.store.watch(JANE)
    assert "for the admins" in shown(await desk.opened("forget jane"))
    assert "Nobody you may see" in shown(await desk.opened("forget nobody", by="max"))
    view = await desk.opened("forget jane", by="max")
    assert "for the admins" in becomes(await desk.submit(view, {}, by="rita"))
    assert await desk.store.contacts() == [JANE]


async def test_a_stranger_can_be_forgotten_in_advance(desk: Reception) -> None:
    view = await desk.opened("forget Somebody@acme.example", by="max")
    assert "Nothing was kept" in becomes(await desk.submit(view, {}, by="max"))
    assert "not recorded again" in said(await desk.type("add somebody@acme.example"))


async def test_forget_reaches_the_files_of_the_real_store(slack_server: Workspace, tmp_path: Path) -> None:
    async with await TinyStore.open(tmp_path) as store, reception(slack_server, store) as desk:
        await raise_alert(store)
        await drain(store, desk.app.poster, desk.clock)
        view = await desk.opened("forget jane", by="max")
        await desk.submit(view, {}, by="max")
        assert await store.person(ADDRESS) is None
        assert await store.watch(JANE) is False
