from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest

from bot.model import Action, Contact, Decision, Observation, Reason, Verdict
from bot.pipeline import FIRST_PASSES
from bot.slack import first_list, settling
from bot.slack.turns import TRY_EVERY
from bot.store import Store
from tests.servers.slack import BOT_TOKEN, BOT_WITH_HISTORY, Workspace
from tests.servers.slack_wire import Transport
from tests.slack.pressing import Office, open_office, option
from tests.slack.story import JANE, LEFT, MAILBOX, NOW, SLIPPING, raise_alert

pytestmark = pytest.mark.servers

RITA, MAX = "rita@vendor.example", "max@vendor.example"
TOM = Contact("tom@acme.example", "Tom Berg", "", "Acme", RITA)
KIM = Contact("kim@other.example", "Kim <!channel> Lee", "", "Other", RITA)
LIKELY = replace(LEFT, verdict=Verdict.LIKELY_LEFT)


async def found(store: Store, assessment: Any = LEFT, contact: Contact = JANE) -> None:
    """Keep what the first pass found of somebody, the way the pipeline does."""
    await store.watch(contact)
    person = await store.person(contact.address)
    assert person is not None
    judged = replace(assessment, contact=contact.address)
    held = Decision(contact.address, NOW, Action.HOLD, Reason.BASELINE, judged.verdict, judged.probability)
    assert await store.conclude(person.version, judged, held)


async def three_found(store: Store) -> None:
    await found(store, LEFT)
    await found(store, LIKELY, TOM)
    await found(store, SLIPPING, KIM)
    await store.save_cursor(FIRST_PASSES, {MAILBOX: NOW.isoformat()})


@pytest.fixture
async def office(slack_server: Workspace, transport: Transport) -> AsyncIterator[Office]:
    async with open_office(slack_server, transport=transport) as opened:
        yield opened


def dm(server: Workspace, name: str) -> list[dict[str, Any]]:
    user, state = server.user(name), server.state()
    ids = [one["channel_id"] for one in state["channels"] if one.get("is_im") and user in one["members"]]
    return [message for message in state["messages"] if message["channel_id"] in ids]


def pressed(office: Office, action: str, by: str = "rita", value: str = "", ts: str = "") -> dict[str, Any]:
    message = next(one for one in dm(office.server, "rita") if ts in {"", one["ts"]})
    carried = value or f"{office.server.user('rita')} {MAILBOX}"
    return {
        "type": "block_actions",
        **office.sender(by),
        "container": {"message_ts": message["ts"], "channel_id": message["channel_id"]},
        "channel": {"id": message["channel_id"], "name": "directmessage"},
        "trigger_id": office.server.trigger(by),
        "actions": [{"type": "button", "action_id": action, "block_id": "settle", "value": carried}],
    }


async def said(store: Store, contact: Contact) -> list[str]:
    person = await store.person(contact.address)
    assert person is not None
    return [seen.sentence for seen in person.observations]


async def test_after_the_first_pass_each_rep_gets_one_list_once(office: Office) -> None:
    await three_found(office.store)
    await found(office.store, LEFT, replace(TOM, address="max.s@z.example", name="Zoe", owner=MAX))
    assert await office.app.tell_baselines(NOW) == 2
    assert await office.app.tell_baselines(NOW) == 0
    [mine] = dm(office.server, "rita")
    assert mine["text"] == "Already looks gone: Jane Doe, Kim &lt;!channel&gt; Lee, Tom Berg."
    lines = str(mine["blocks"])
    assert "*Jane Doe*, Acme · *Left*" in lines
    assert "*Tom Berg*, Acme · *Likely left*" in lines
    assert "<!channel>" not in lines
    assert "Zoe" not in lines
    [theirs] = dm(office.server, "max")
    assert "Zoe" in theirs["text"]
    assert office.messages() == []


async def test_a_second_source_has_a_list_of_its_own(office: Office) -> None:
    await three_found(office.store)
    await office.app.tell_baselines(NOW)
    pages = "public pages"
    other = replace(LEFT, evidence=(replace(LEFT.evidence[0], source=pages),))
    await found(office.store, other, replace(TOM, address="lou@acme.example", name="Lou Ray"))
    await office.store.save_cursor(FIRST_PASSES, {MAILBOX: NOW.isoformat(), pages: NOW.isoformat()})
    assert await office.app.tell_baselines(NOW) == 1
    assert "Lou Ray" in dm(office.server, "rita")[1]["text"]


async def test_who_has_a_case_or_looks_well_is_on_no_list(office: Office) -> None:
    await raise_alert(office.store)
    await found(office.store, replace(LEFT, verdict=Verdict.QUIET), TOM)
    await office.store.save_cursor(FIRST_PASSES, {MAILBOX: NOW.isoformat()})
    assert await office.app.tell_baselines(NOW) == 0
    assert dm(office.server, "rita") == []


async def test_nobody_is_listed_while_the_first_pass_or_its_judgement_goes_on(office: Office) -> None:
    await found(office.store, LEFT)
    assert await office.app.tell_baselines(NOW) == 0
    await office.store.save_cursor(FIRST_PASSES, {MAILBOX: NOW.isoformat()})
    assert await office.app.tell_baselines(NOW) == 1


async def test_all_who_left_are_confirmed_at_once_and_who_slips_stays_open(office: Office) -> None:
    await three_found(office.store)
    await office.app.tell_baselines(NOW)
    assert (await office.interact(pressed(office, first_list.CONFIRM)))[0] == 200
    assert await said(office.store, JANE) == ["Rita Rep confirmed: left"]
    assert await said(office.store, TOM) == ["Rita Rep confirmed: left"]
    assert await said(office.store, KIM) == []
    await office.eventually(lambda: "2 settled, 1 open" in str(dm(office.server, "rita")[0]["blocks"]))
    office.clock.advance(timedelta(minutes=1))
    await office.interact(pressed(office, first_list.CONFIRM))
    assert await said(office.store, JANE) == ["Rita Rep confirmed: left"]
    assert "Confirm all" not in str(dm(office.server, "rita")[0]["blocks"])


async def test_a_list_that_takes_long_to_settle_is_acknowledged_in_time(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await three_found(office.store)
    await office.app.tell_baselines(NOW)
    record, go_on = office.store.record, asyncio.Event()

    async def slowly(observations: Iterable[Observation]) -> list[Observation]:
        await go_on.wait()
        return await record(observations)

    monkeypatch.setattr(office.store, "record", slowly)
    monkeypatch.setattr(settling, "PROMPT", timedelta(milliseconds=50))
    assert (await office.interact(pressed(office, first_list.CONFIRM)))[0] == 200
    assert await said(office.store, JANE) == []
    go_on.set()
    await office.eventually(lambda: "2 settled, 1 open" in str(dm(office.server, "rita")[0]["blocks"]))
    assert len(await said(office.store, JANE)) == 1


async def test_they_are_settled_one_by_one_in_a_modal(office: Office) -> None:
    await three_found(office.store)
    await office.app.tell_baselines(NOW)
    assert (await office.interact(pressed(office, first_list.EACH)))[0] == 200
    await office.eventually(office.server.views)
    view = office.server.views()[-1]
    chosen = {
        JANE.address: {"choice": option("left")},
        TOM.address: {"choice": option("still_there")},
        KIM.address: {"choice": option("later")},
        "stranger@else.example": {"choice": option("left")},
    }
    payload = {**office.submitted(view), "view": {**view, "id": view["view_id"], "state": {"values": chosen}}}
    assert (await office.interact(payload))[0] == 200
    assert await said(office.store, JANE) == ["Rita Rep confirmed: left"]
    assert await said(office.store, TOM) == ["Rita Rep said: still there"]
    assert await said(office.store, KIM) == []
    assert await office.store.person("stranger@else.example") is None
    await office.eventually(lambda: "2 settled, 1 open" in str(dm(office.server, "rita")[0]["blocks"]))


@pytest.mark.parametrize("broken", ["", "{", "[]"])
async def test_a_modal_that_carries_no_list_of_ours_is_answered_in_words(office: Office, broken: str) -> None:
    await three_found(office.store)
    await office.app.tell_baselines(NOW)
    await office.interact(pressed(office, first_list.EACH))
    await office.eventually(office.server.views)
    answer = await office.submit({**office.server.views()[-1], "private_metadata": broken})
    assert "not kept any more" in str(answer["view"])


async def test_a_list_is_settled_by_nobody_but_its_owner(office: Office) -> None:
    await three_found(office.store)
    await office.app.tell_baselines(NOW)
    for action in (first_list.CONFIRM, first_list.EACH):
        forged = {**pressed(office, action, "max"), "channel": {"id": office.server.channel("champions")}}
        assert (await office.interact(forged))[0] == 200
    assert len(await office.told(2)) == 2
    assert await said(office.store, JANE) == []
    await office.interact(pressed(office, first_list.CONFIRM, value="nonsense"))
    assert "not kept any more" in (await office.told(3))[-1]["text"]


async def test_whoever_sleeps_gets_the_list_in_the_morning(slack_server: Workspace) -> None:
    slack_server.show_user("rita", tz="America/Los_Angeles")
    async with open_office(slack_server, quiet=(time(18), time(8))) as office:
        await three_found(office.store)
        assert await office.app.tell_baselines(NOW) == 0
        assert await office.app.tell_baselines(NOW + timedelta(hours=8)) == 1


async def test_in_shadow_mode_an_admin_gets_the_list_and_may_settle_it(slack_server: Workspace) -> None:
    async with open_office(slack_server, admins=(MAX,), shadow=True) as office:
        await three_found(office.store)
        assert await office.app.tell_baselines(NOW) == 1
        assert dm(slack_server, "rita") == []
        [message] = dm(slack_server, "max")
        assert f"to <@{slack_server.user('rita')}>" in str(message["blocks"])
        body = {
            "type": "block_actions",
            **office.sender("max"),
            "container": {"message_ts": message["ts"], "channel_id": message["channel_id"]},
            "channel": {"id": message["channel_id"]},
            "actions": [
                {
                    "type": "button",
                    "action_id": first_list.CONFIRM,
                    "value": f"{slack_server.user('rita')} {MAILBOX}",
                }
            ],
        }
        await office.interact(body)
        assert await said(office.store, JANE) == ["Max Manager confirmed: left"]


async def test_slack_in_trouble_delays_a_list_and_sends_it_once(office: Office) -> None:
    await three_found(office.store)
    office.server.fail("chat.postMessage", status=503)
    assert await office.app.tell_baselines(NOW) == 0
    assert await office.app.tell_baselines(NOW) == 0
    assert await office.app.tell_baselines(NOW + TRY_EVERY) == 1
    assert len(dm(office.server, "rita")) == 1


@pytest.mark.parametrize("error", ["user_disabled", "channel_not_found"])
async def test_a_rep_whom_slack_refuses_does_not_hold_up_the_lists_of_the_others(
    office: Office, error: str
) -> None:
    await three_found(office.store)
    await found(office.store, LEFT, Contact("al@globex.example", "Al Poe", owner="max@vendor.example"))
    office.server.fail("conversations.open", error=error)
    assert await office.app.tell_baselines(NOW) == 1
    assert await office.app.tell_baselines(NOW + TRY_EVERY) == 1
    assert [len(dm(office.server, name)) for name in ("rita", "max")] == [1, 1]


@pytest.mark.parametrize(("token", "lists"), [(BOT_WITH_HISTORY, 1), (BOT_TOKEN, 2)])
async def test_a_list_that_slack_took_without_our_hearing_is_not_posted_again_where_we_may_look(
    slack_server: Workspace, token: str, lists: int
) -> None:
    async with open_office(slack_server, token=token) as office:
        await three_found(office.store)
        slack_server.fail("chat.postMessage", drop=True, after=True)
        assert await office.app.tell_baselines(NOW) == 0
        assert await office.app.tell_baselines(NOW + TRY_EVERY) == 1
        posted = dm(slack_server, "rita")
        assert len(posted) == lists
        button = {"value": f"{slack_server.user('rita')} {MAILBOX}", "ts": posted[-1]["ts"]}
        await office.interact(pressed(office, first_list.CONFIRM, **button))
        assert await said(office.store, JANE) == ["Rita Rep confirmed: left"]
        await office.eventually(lambda: "2 settled" in str(dm(slack_server, "rita")[-1]["blocks"]))


async def test_of_two_processes_one_sends_the_lists(slack_server: Workspace) -> None:
    async with open_office(slack_server) as office, open_office(slack_server, store=office.store) as other:
        await three_found(office.store)
        told = await asyncio.gather(*(one.app.tell_baselines(NOW) for one in (office, other)))
        assert sorted(told) == [0, 1]
        assert len(dm(slack_server, "rita")) == 1


@pytest.mark.parametrize("shown_as", ["is_restricted", "deleted"])
async def test_whoever_is_no_member_any_more_settles_no_list(office: Office, shown_as: str) -> None:
    await three_found(office.store)
    await office.app.tell_baselines(NOW)
    await office.interact(pressed(office, first_list.EACH))
    await office.eventually(office.server.views)
    office.clock.advance(timedelta(hours=2))
    office.server.show_user("rita", **{shown_as: True})
    await office.interact(pressed(office, first_list.CONFIRM))
    assert "Nothing was changed" in (await office.told())[0]["text"]
    answer = await office.submit(office.server.views()[-1])
    assert "Nothing was changed" in str(answer["view"])
    assert await said(office.store, JANE) == []


async def test_somebody_of_another_workspace_settles_no_list(office: Office) -> None:
    await three_found(office.store)
    await office.app.tell_baselines(NOW)
    payload = pressed(office, first_list.CONFIRM)
    payload["user"]["team_id"] = "T0ELSEWHERE"
    await office.interact(payload)
    assert "another workspace" in (await office.told())[0]["text"]
    assert await said(office.store, JANE) == []


async def test_a_long_list_stays_within_what_slack_takes(office: Office) -> None:
    for i in range(60):
        await found(office.store, LEFT, Contact(f"p{i}@acme.example", "N" * 500, "", "A" * 500, RITA))
    await office.store.save_cursor(FIRST_PASSES, {MAILBOX: NOW.isoformat()})
    assert await office.app.tell_baselines(NOW) == 1
    assert "And 30 more" in str(dm(office.server, "rita")[0]["blocks"])
    await office.interact(pressed(office, first_list.EACH))
    await office.eventually(office.server.views)
    assert "15 more" in str(office.server.views()[-1]["blocks"])
