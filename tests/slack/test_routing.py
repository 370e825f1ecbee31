"""Alerts on their way to the right place at the right time, against the stand-in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import structlog

from bot.clock import FrozenClock
from bot.model import Action, Contact, Person, Reason, Verdict
from bot.routing import Rules, Team
from bot.slack.board import Board
from bot.slack.outbox import Outbox, drain
from bot.slack.people import Directory
from bot.slack.places import Places
from bot.slack.poster import SlackPoster
from bot.slack.web import once, patient
from bot.store.memory import MemoryStore
from bot.store.tiny import TinyStore
from tests.servers.slack import BOT_TOKEN, BOT_WITH_HISTORY, Workspace
from tests.slack.story import ADDRESS, JANE, LEFT, NOW, SLIPPING, raise_alert

pytestmark = pytest.mark.servers

RITA, MAX = "rita@vendor.example", "max@vendor.example"
LIKELY = replace(LEFT, verdict=Verdict.LIKELY_LEFT)
TOM = Contact("tom.berg@acme.example", "Tom Berg", "", "Acme", RITA)


class House:
    """A store, a clock, and what brings alerts to a workspace."""

    def __init__(self, server: Workspace, token: str = BOT_TOKEN, **rules: Any) -> None:
        self.server = server
        self.clock = FrozenClock(NOW)
        self.store = MemoryStore()
        self.rules = Rules(server.channel("champions"), **{"slipping": "dm", **rules})
        self.open(token)

    def open(self, token: str = BOT_TOKEN) -> None:
        client = patient(token, self.server.base_url)
        people = Directory(client, self.clock, self.rules)
        places = Places(self.store, client, people, self.rules, self.clock)
        board = Board(self.store, client, people, places.names, places.dress)
        self.poster = SlackPoster(once(token, self.server.base_url), places, board, timedelta())

    async def bring_out(self, at: datetime | None = None) -> int:
        self.clock.now = at or self.clock.now
        return await drain(self.store, self.poster, self.clock)

    def channel(self, name: str = "champions") -> list[dict[str, Any]]:
        return self.server.messages(self.server.channel(name))

    def dm(self, name: str) -> list[dict[str, Any]]:
        state, user = self.server.state(), self.server.user(name)
        ids = [one["channel_id"] for one in state["channels"] if one.get("is_im") and user in one["members"]]
        return [message for message in state["messages"] if message["channel_id"] in ids]

    async def person(self, address: str = ADDRESS) -> Person:
        person = await self.store.person(address)
        assert person is not None
        return person


def text(message: dict[str, Any]) -> str:
    return str(message["blocks"])


async def test_a_drift_is_told_to_the_owner_alone_and_moves_to_the_channel_when_she_left(
    slack_server: Workspace,
) -> None:
    house = House(slack_server)
    await raise_alert(house.store, SLIPPING)
    assert await house.bring_out() == 1
    assert house.channel() == []
    [told] = house.dm("rita")
    assert "Slipping" in told["text"]
    await raise_alert(house.store, LEFT)
    assert await house.bring_out() == 1
    [message] = house.channel()
    assert "Left" in message["text"]
    assert f"<@{slack_server.user('rita')}>" in text(message)
    [pointer] = house.dm("rita")
    assert f"/{message['channel_id']}/p{message['ts'].replace('.', '')}" in text(pointer)
    assert "actions" not in text(pointer)
    home = (await house.person()).cases[0].home
    assert home is not None
    assert (home.channel, home.ts) == (message["channel_id"], message["ts"])


async def test_an_alert_that_moved_stands_though_the_old_message_cannot_be_changed(
    slack_server: Workspace,
) -> None:
    house = House(slack_server)
    await raise_alert(house.store, SLIPPING)
    await house.bring_out()
    await raise_alert(house.store, LEFT)
    slack_server.fail("chat.getPermalink", error="fatal_error", times=2)
    assert await house.bring_out() == 1
    assert len(house.channel()) == 1
    assert await house.bring_out(NOW + timedelta(days=1)) == 0


async def test_at_night_nothing_is_told_and_in_the_morning_everything_is(slack_server: Workspace) -> None:
    house = House(slack_server, quiet=(time(18), time(8)), zone="UTC")
    slack_server.show_user("rita", tz="Europe/Berlin")
    evening = datetime(2026, 8, 7, 17, tzinfo=UTC)
    await raise_alert(house.store, replace(SLIPPING, at=evening))
    await raise_alert(house.store, replace(LEFT, at=evening), TOM)
    assert await house.bring_out(evening) == 0
    for address in (ADDRESS, TOM.address):
        held = (await house.person(address)).decisions[-1]
        assert (held.action, held.reason, held.at) == (Action.HOLD, Reason.QUIET_HOURS, evening)
    assert slack_server.calls("chat.postMessage") == []
    assert await house.bring_out(datetime(2026, 8, 10, 5, 59, tzinfo=UTC)) == 0
    assert await house.bring_out(datetime(2026, 8, 10, 6, 0, tzinfo=UTC)) == 2
    assert len(house.channel()) == len(house.dm("rita")) == 1


async def test_a_departure_learned_of_while_a_drift_is_held_is_told_in_its_place(
    slack_server: Workspace,
) -> None:
    house = House(slack_server, alerts_a_day=1, quiet=(time(18), time(8)))
    await raise_alert(house.store, SLIPPING, TOM)
    await house.bring_out()
    await raise_alert(house.store, SLIPPING)
    assert await house.bring_out() == 0
    assert (await house.person()).decisions[-1].reason is Reason.OVER_BUDGET
    await raise_alert(house.store, LEFT)
    assert await house.bring_out() == 1
    assert [message["text"].split(":")[0] for message in house.channel()] == ["Left"]
    assert len(house.dm("rita")) == 1
    assert await house.bring_out(NOW + timedelta(days=3)) == 0


async def test_a_reps_budget_holds_across_places_and_restarts_and_a_retry_counts_once(
    slack_server: Workspace,
) -> None:
    house = House(slack_server, alerts_a_day=3, slipping="channel")
    slack_server.fail("chat.postMessage", status=503)
    for i in range(2):
        await raise_alert(house.store, SLIPPING, Contact(f"p{i}@a{i}.example", owner=RITA))
    assert await house.bring_out() == 1
    house.open()
    assert await house.bring_out(NOW + timedelta(minutes=1)) == 1
    for i in range(2, 5):
        await raise_alert(house.store, SLIPPING, Contact(f"p{i}@a{i}.example", owner=RITA))
    assert await house.bring_out() == 1
    await raise_alert(house.store, SLIPPING, Contact("other@a9.example", owner=MAX))
    assert await house.bring_out() == 1
    assert await house.bring_out(NOW.replace(hour=8) + timedelta(days=1)) == 2


@pytest.mark.parametrize(("private", "names"), [(True, "Jane Doe"), (False, "J. D.")])
async def test_people_are_named_by_initials_where_everybody_can_read(
    slack_server: Workspace, *, private: bool, names: str
) -> None:
    slack_server.show_channel("champions", is_private=private)
    house = House(slack_server)
    await raise_alert(house.store)
    await house.bring_out()
    [message] = house.channel()
    shown = message["text"] + message["blocks"][0]["text"]["text"]
    assert names in shown
    assert ("Jane" in shown) is private


async def test_a_channel_that_cannot_be_looked_at_counts_as_public(slack_server: Workspace) -> None:
    house = House(slack_server)
    slack_server.fail("conversations.info", error="missing_scope")
    await raise_alert(house.store)
    await house.bring_out()
    assert "J. D." in house.channel()[0]["text"]


@pytest.mark.parametrize("shown", [{"deleted": True}, {"profile": {"status_emoji": ":palm_tree:"}}])
async def test_for_an_owner_who_is_gone_or_away_the_backup_is_told(
    slack_server: Workspace, shown: dict[str, Any]
) -> None:
    slack_server.show_user("rita", **shown)
    house = House(slack_server, backups={RITA: MAX})
    await raise_alert(house.store, SLIPPING)
    await raise_alert(house.store, LEFT, TOM)
    assert await house.bring_out() == 2
    assert len(house.dm("max")) == 1
    [message] = house.channel()
    assert f"<@{slack_server.user('max')}> for {RITA}" in text(message)
    assert house.dm("rita") == []


async def test_for_an_owner_slack_does_not_know_the_lead_and_then_the_admins_are_told(
    slack_server: Workspace,
) -> None:
    gone = "gone@vendor.example"
    house = House(
        slack_server, teams=(Team(frozenset({gone}), slack_server.channel("champions"), RITA),), admins=(MAX,)
    )
    await raise_alert(house.store, SLIPPING, replace(JANE, owner=gone))
    await raise_alert(house.store, SLIPPING, replace(TOM, owner="nobody@vendor.example"))
    assert await house.bring_out() == 2
    assert "Jane Doe" in house.dm("rita")[0]["text"]
    assert "Tom Berg" in house.dm("max")[0]["text"]


async def test_an_owner_may_be_given_by_their_name(slack_server: Workspace) -> None:
    house = House(slack_server)
    await raise_alert(house.store, SLIPPING, replace(JANE, owner="rita rep"))
    assert await house.bring_out() == 1
    assert len(house.dm("rita")) == 1


async def test_two_reps_who_share_a_contact_see_one_message_with_both_mentioned(
    slack_server: Workspace,
) -> None:
    house = House(slack_server)
    await raise_alert(house.store, SLIPPING, replace(JANE, owner=f"{RITA}; {MAX}"))
    assert await house.bring_out() == 1
    [message] = house.channel()
    for name in ("rita", "max"):
        assert f"<@{slack_server.user(name)}>" in text(message)
    assert house.dm("rita") == house.dm("max") == []


async def test_another_owner_gets_what_becomes_graver_in_their_own_dm(slack_server: Workspace) -> None:
    house = House(slack_server)
    await raise_alert(house.store, replace(SLIPPING, strength=LEFT.strength.SOME))
    await house.bring_out()
    await raise_alert(house.store, SLIPPING, replace(JANE, owner=MAX))
    assert await house.bring_out() == 1
    assert "Slipping" in house.dm("max")[0]["text"]
    [pointer] = house.dm("rita")
    assert "goes on" in pointer["text"]


async def test_in_shadow_mode_only_the_admins_see_it_and_where_it_would_have_gone(
    slack_server: Workspace,
) -> None:
    house = House(slack_server, shadow=True, admins=(MAX,))
    await raise_alert(house.store, LEFT)
    await raise_alert(house.store, SLIPPING, TOM)
    assert await house.bring_out() == 2
    assert house.channel() == house.dm("rita") == []
    messages = {message["text"].split(". ")[0]: text(message) for message in house.dm("max")}
    assert all(key.startswith("Shadow mode: ") for key in messages)
    assert any(f"to <#{slack_server.channel('champions')}>" in shown for shown in messages.values())
    assert any(f"to <@{slack_server.user('rita')}> alone" in shown for shown in messages.values())
    await raise_alert(house.store, LEFT, TOM)
    assert await house.bring_out() == 1
    assert all(one["text"].startswith("Shadow mode") for one in house.dm("max") if "thread_ts" not in one)


async def test_every_admin_gets_a_copy_in_shadow_mode_and_only_the_first_can_press(
    slack_server: Workspace,
) -> None:
    house = House(slack_server, shadow=True, admins=(MAX, RITA))
    await raise_alert(house.store, LEFT)
    assert await house.bring_out() == 1
    [first], [copy] = house.dm("max"), house.dm("rita")
    assert "'actions'" in text(first)
    assert "'actions'" not in text(copy)


async def test_shadow_mode_without_an_admin_in_slack_tells_nobody_and_loses_nothing(
    slack_server: Workspace,
) -> None:
    house = House(slack_server, shadow=True, admins=("gone@vendor.example",))
    await raise_alert(house.store, LEFT)
    with structlog.testing.capture_logs() as logs:
        assert await house.bring_out() == 0
    assert any("none of the admins" in str(entry.get("what")) for entry in logs)
    assert slack_server.calls("chat.postMessage") == []
    assert (await house.person()).cases[0].deliveries[0].sent_at is None


@pytest.mark.parametrize(
    "error",
    [
        "not_in_channel",
        "is_archived",
        "channel_not_found",
        "restricted_action_read_only_channel",
        "no_permission",
    ],
)
async def test_where_the_channel_is_gone_the_owner_is_told_and_the_admin_gets_one_line(
    slack_server: Workspace, error: str
) -> None:
    house = House(slack_server, admins=(MAX,))
    for i in range(2):
        await raise_alert(house.store, LEFT, Contact(f"p{i}@a{i}.example", f"P {i}", owner=RITA))
        slack_server.fail("chat.postMessage", error=error)
        assert await house.bring_out() == 1
    assert house.channel() == []
    assert len(house.dm("rita")) == 2
    [line] = house.dm("max")
    assert error in line["text"]
    assert f"<#{slack_server.channel('champions')}>" in line["text"]


async def test_further_alerts_of_an_account_go_to_the_thread_of_the_first_for_an_hour(
    slack_server: Workspace,
) -> None:
    house = House(slack_server, slipping="channel")
    await raise_alert(house.store, LIKELY)
    await house.bring_out()
    await raise_alert(house.store, LIKELY, TOM)
    await raise_alert(house.store, SLIPPING, Contact("kim@other.example", "Kim", "", "Other", RITA))
    await house.bring_out(NOW + timedelta(minutes=30))
    await raise_alert(house.store, SLIPPING, replace(TOM, address="lou@acme.example", name="Lou"))
    await house.bring_out(NOW + timedelta(minutes=61))
    shown = {one["text"].split(": ")[1].split(",")[0]: one.get("thread_ts") for one in house.channel()}
    first = next(one["ts"] for one in house.channel() if "Jane" in one["text"])
    assert shown == {"Jane Doe": None, "Tom Berg": first, "Kim": None, "Lou": None}


async def test_a_departure_stands_alone_and_leaves_the_thread_of_another(slack_server: Workspace) -> None:
    house = House(slack_server, slipping="channel")
    await raise_alert(house.store, LIKELY)
    await raise_alert(house.store, SLIPPING, TOM)
    assert await house.bring_out() == 2
    assert [bool(one.get("thread_ts")) for one in house.channel()] == [False, True]
    await raise_alert(house.store, replace(LEFT, at=NOW), TOM)
    assert await house.bring_out() == 1
    *_, reply, left = house.channel()
    assert "goes on" in reply["text"]
    assert left.get("thread_ts") is None
    assert "Tom Berg" in left["text"]


async def test_more_about_a_case_in_a_thread_is_said_in_that_thread(slack_server: Workspace) -> None:
    house = House(slack_server, slipping="channel")
    await raise_alert(house.store, LIKELY)
    await raise_alert(house.store, replace(SLIPPING, strength=LEFT.strength.SOME), TOM)
    await house.bring_out()
    await raise_alert(house.store, SLIPPING, TOM)
    assert await house.bring_out() == 1
    parent, tom, more = house.channel()
    assert tom["thread_ts"] == more["thread_ts"] == parent["ts"]
    assert "edited" in tom


async def test_a_thread_whose_first_message_is_gone_is_no_reason_to_lose_an_alert(
    slack_server: Workspace,
) -> None:
    house = House(slack_server)
    await raise_alert(house.store, LIKELY)
    await house.bring_out()
    await raise_alert(house.store, LIKELY, TOM)
    slack_server.fail("chat.postMessage", error="thread_not_found")
    assert await house.bring_out() == 1
    assert [one.get("thread_ts") for one in house.channel()] == [None, None]


async def test_what_was_bundled_and_whose_answer_got_lost_is_found_in_the_thread(
    slack_server: Workspace,
) -> None:
    house = House(slack_server, BOT_WITH_HISTORY)
    await raise_alert(house.store, LIKELY)
    await house.bring_out()
    await raise_alert(house.store, LIKELY, TOM)
    slack_server.fail("chat.postMessage", drop=True, after=True)
    assert await house.bring_out() == 0
    assert await house.bring_out(NOW + timedelta(minutes=20)) == 1
    assert len(house.channel()) == 2


async def test_a_slow_channel_holds_up_no_other_and_its_gravest_goes_first(slack_server: Workspace) -> None:
    house = House(
        slack_server, slipping="channel", teams=(Team(frozenset({MAX}), slack_server.channel("secret")),)
    )
    house.poster = SlackPoster(
        once(BOT_TOKEN, slack_server.base_url),
        house.poster._places,
        house.poster._board,
        timedelta(milliseconds=200),
    )
    for i in range(4):
        verdict = SLIPPING if i < 2 else LEFT
        await raise_alert(house.store, verdict, Contact(f"p{i}@a{i}.example", f"P{i}", owner=RITA))
    slack_server.fail("chat.postMessage", delay=0)
    await raise_alert(house.store, SLIPPING, Contact("q@b.example", "Q", owner="nobody"))
    assert await house.bring_out() == 5
    texts = [one["text"].split(":")[0] for one in house.channel()]
    assert texts == ["Left", "Left", "Slipping", "Slipping", "Slipping"]


async def test_what_is_raised_while_others_wait_for_their_turn_is_queued_once(
    slack_server: Workspace, tmp_path: Any
) -> None:
    house = House(slack_server, slipping="channel")
    async with await TinyStore.open(tmp_path) as store:
        house.store = store  # type: ignore[assignment]
        house.open()
        outbox = Outbox(store, house.poster, house.clock)
        for i in range(5):
            await raise_alert(store, SLIPPING, Contact(f"p{i}@a{i}.example", owner=RITA))
            await outbox.bring_out()
        assert await outbox.drain() <= 5
        assert outbox.sent == 5
        await outbox.stop(timedelta(seconds=5))
    assert len(house.channel()) == 5


async def test_an_outbox_that_is_stopped_finishes_what_it_posts_and_leaves_the_rest(
    slack_server: Workspace,
) -> None:
    house = House(slack_server, slipping="channel")
    for i in range(5):
        await raise_alert(house.store, SLIPPING, Contact(f"p{i}@a{i}.example", owner=RITA))
    outbox = Outbox(house.store, house.poster, house.clock)
    slack_server.fail("chat.postMessage", delay=300)
    await outbox.bring_out()
    await outbox.stop(timedelta(seconds=60))
    assert outbox.sent == len(house.channel())
    assert outbox.sent + len(await house.store.due(house.clock())) == 5


async def test_slack_out_of_reach_is_not_taken_for_an_owner_who_is_gone(slack_server: Workspace) -> None:
    house = House(slack_server, backups={RITA: MAX})
    await raise_alert(house.store, SLIPPING)
    slack_server.fail("users.lookupByEmail", status=503, times=4)
    assert await house.bring_out() == 0
    assert await house.bring_out(NOW + timedelta(minutes=20)) == 1
    assert len(house.dm("rita")) == 1
