from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bot.clock import FrozenClock
from bot.coverage import Coverage, Gap, Outage
from bot.digest import Change, Due, Week
from bot.model import (
    Action,
    Alert,
    Assessment,
    Case,
    Contact,
    Deal,
    Decision,
    Observation,
    Reason,
    Strength,
    Verdict,
    Watched,
)
from bot.preferences import Preferences, save_preferences
from bot.slack import week as card
from bot.slack.digests import Digests
from bot.slack.people import Directory
from bot.slack.register import Register
from bot.slack.web import once, patient
from bot.stats import Precision, Tally
from bot.store import Store
from bot.store.memory import MemoryStore
from tests.servers.block_kit import check_message
from tests.servers.slack import BOT_TOKEN, BOT_WITH_HISTORY, Workspace
from tests.slack.story import JANE, LEFT, alert, raise_alert

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
SUNDAY = datetime(2026, 8, 2, 12, tzinfo=UTC)
DUE = datetime(2026, 8, 3, 6, tzinfo=UTC)
"""Monday at 8 in Berlin."""


@dataclass
class Round:
    """The sender with what it keeps, and Slack; Rita works in Berlin and owns Jane, who left."""

    server: Workspace
    store: Store
    clock: FrozenClock
    digests: Digests

    async def at(self, *moments: str) -> list[int]:
        """Return how many digests go out at each of these moments, in UTC."""
        return [await self.digests.send_due(datetime.fromisoformat(f"{one}+00:00")) for one in moments]

    def to(self, name: str = "rita") -> list[dict[str, Any]]:
        """Return the messages in a user's DM."""
        who = self.server.user(name)
        places = [
            one["channel_id"] for one in self.server.state()["channels"] if who in one.get("members", [])
        ]
        direct = [one for one in places if one.startswith("D")]
        return [message for place in direct for message in self.server.messages(place)]

    def another(self) -> Digests:
        return sender(self.server, self.store, self.clock)


def sender(
    server: Workspace, store: Store, clock: FrozenClock, token: str = BOT_TOKEN, **more: Any
) -> Digests:
    client = patient(token, server.base_url)
    posting = once(token, server.base_url)
    return Digests(store, client, posting, Directory(client, clock), Register(store), **more)


@pytest.fixture
async def rounds(slack_server: Workspace) -> Round:
    store, clock = MemoryStore(), FrozenClock(SUNDAY)
    slack_server.show_user("rita", tz=BERLIN)
    await raise_alert(store)
    made = Round(slack_server, store, clock, sender(slack_server, store, clock))
    await made.digests.send_due(SUNDAY)
    return made


pytestmark = pytest.mark.servers


async def test_a_digest_comes_at_the_reps_hour_once_a_week_and_names_what_is_due(rounds: Round) -> None:
    sent = await rounds.at(
        "2026-08-03T05:59", "2026-08-03T06:00", "2026-08-03T06:20", "2026-08-09T21:59", "2026-08-10T06:03"
    )
    assert sent == [0, 1, 0, 0, 1]
    first = rounds.to()[0]
    assert "1 decision due (Jane Doe)" in first["text"]
    assert "EUR 120,000" in json.dumps(first["blocks"])


@pytest.mark.parametrize(
    ("zone", "moments", "sent"),
    [
        # Berlin: summer time begins on 29 March and ends on 25 October 2026.
        (BERLIN, ["2026-03-23T07:00", "2026-03-30T05:59", "2026-03-30T06:00"], [1, 0, 1]),
        (BERLIN, ["2026-10-19T06:00", "2026-10-26T06:30", "2026-10-26T07:00"], [1, 0, 1]),
        # New York: 8 March and 1 November.
        (NEW_YORK, ["2026-03-02T13:00", "2026-03-09T11:59", "2026-03-09T12:00"], [1, 0, 1]),
        (NEW_YORK, ["2026-10-26T12:00", "2026-11-02T12:30", "2026-11-02T13:00"], [1, 0, 1]),
    ],
)
async def test_the_hour_stays_the_same_by_the_reps_clock_when_summer_time_begins_and_ends(
    slack_server: Workspace, zone: str, moments: list[str], sent: list[int]
) -> None:
    store, clock = MemoryStore(), FrozenClock(SUNDAY)
    slack_server.show_user("rita", tz=zone)
    await store.watch(JANE)
    made = Round(slack_server, store, clock, sender(slack_server, store, clock))
    await made.at("2026-01-04T12:00")
    assert await made.at(*moments) == sent


async def test_after_downtime_it_comes_late_in_the_same_week_but_not_in_the_next(rounds: Round) -> None:
    assert await rounds.at("2026-08-06T15:01", "2026-08-06T15:30") == [1, 0]
    await save_preferences(
        rounds.store, rounds.server.user("rita"), Preferences(digest_day=6, digest_hour=23)
    )
    # The one of Sunday evening was missed, and on Monday another week has begun.
    assert await rounds.at("2026-08-17T01:00", "2026-08-23T21:00") == [0, 1]


async def test_of_two_senders_at_once_one_sends(rounds: Round) -> None:
    senders = [rounds.digests, *(rounds.another() for _ in range(4))]
    assert sum(await asyncio.gather(*(one.send_due(DUE) for one in senders))) == 1
    assert len(rounds.to()) == 1


async def test_a_sender_that_begins_as_the_claim_of_another_ends_waits_for_the_next(rounds: Round) -> None:
    assert await rounds.at("2026-08-03T06:14:30", "2026-08-03T06:15") == [0, 1]


@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429, "retry_after": 30}, {"drop": True}])
async def test_what_slack_did_not_take_is_sent_later(rounds: Round, fault: dict[str, Any]) -> None:
    rounds.server.fail("chat.postMessage", **fault)
    assert await rounds.at("2026-08-03T06:00", "2026-08-03T06:05", "2026-08-03T06:16") == [0, 0, 1]
    assert len(rounds.to()) == 1


async def test_a_process_that_dies_in_the_middle_leaves_the_digest_to_the_next(
    rounds: Round, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rounds.digests, "_post", dies)
    with pytest.raises(KeyboardInterrupt):
        await rounds.digests.send_due(DUE)
    other = rounds.another()
    assert await other.send_due(DUE + timedelta(minutes=5)) == 0
    assert await other.send_due(DUE + timedelta(minutes=16)) == 1


async def test_a_revoked_token_is_said_once_and_the_digest_waits(
    rounds: Round, capsys: pytest.CaptureFixture[str]
) -> None:
    rounds.server.fail("conversations.open", error="token_revoked", times=2)
    assert await rounds.at("2026-08-03T06:00", "2026-08-03T06:16", "2026-08-03T06:31") == [0, 0, 1]
    assert capsys.readouterr().out.count("digest.delayed") == 1


async def test_somebody_whom_slack_refuses_does_not_hold_up_the_others(rounds: Round) -> None:
    await rounds.store.watch(Contact("al@acme.example", "Al Poe", owner="max@vendor.example"))
    rounds.server.show_user("max", tz="UTC")
    await rounds.at("2026-08-02T13:00")
    rounds.server.fail("conversations.open", error="user_disabled")
    assert await rounds.at("2026-08-03T08:01") == [2]
    assert len(rounds.to("rita") + rounds.to("max")) == 1


async def test_a_rep_whose_direct_message_is_closed_does_not_hold_up_the_others(rounds: Round) -> None:
    await rounds.store.watch(Contact("al@acme.example", "Al Poe", owner="max@vendor.example"))
    rounds.server.show_user("max", tz="UTC")
    await rounds.at("2026-08-02T13:00")
    rounds.server.fail("chat.postMessage", error="channel_not_found")
    assert await rounds.at("2026-08-03T08:01", "2026-08-03T08:16") == [1, 1]
    assert len(rounds.to("rita")) == len(rounds.to("max")) == 1


async def test_whoever_becomes_known_after_the_hour_gets_the_next_one(rounds: Round) -> None:
    await rounds.at("2026-08-03T06:00")
    await rounds.store.watch(Contact("al@acme.example", "Al Poe", owner="max@vendor.example"))
    rounds.server.show_user("max", tz=BERLIN)
    assert await rounds.at("2026-08-05T10:00", "2026-08-10T06:00") == [0, 2]


async def test_day_hour_and_pause_are_the_reps_own(rounds: Round) -> None:
    rita = rounds.server.user("rita")
    await save_preferences(rounds.store, rita, Preferences(digest_day=4, digest_hour=17))
    assert await rounds.at("2026-08-03T06:00", "2026-08-07T14:59", "2026-08-07T15:00") == [0, 0, 1]
    await save_preferences(rounds.store, rita, Preferences(digest_paused=True))
    assert await rounds.at("2026-08-10T06:00", "2026-08-14T15:00") == [0, 0]


async def test_a_changed_day_brings_no_second_digest_in_one_week(rounds: Round) -> None:
    await rounds.at("2026-08-03T06:00")
    await save_preferences(rounds.store, rounds.server.user("rita"), Preferences(digest_day=4))
    assert await rounds.at("2026-08-07T06:00", "2026-08-14T06:00") == [0, 1]


async def test_a_rep_reads_of_their_own_people_only(rounds: Round) -> None:
    al = Contact("al@acme.example", "Al Poe", account="Acme", owner="max@vendor.example")
    shared = Contact(
        "bo@acme.example", "Bo Roe", account="Acme", owner="max@vendor.example; Rita@Vendor.example"
    )
    for contact in (al, shared):
        await raise_alert(rounds.store, LEFT, contact)
    rounds.server.show_user("max", tz=BERLIN)
    await rounds.at("2026-08-02T13:00", "2026-08-03T06:00")
    [hers], [his] = rounds.to("rita"), rounds.to("max")
    assert "Jane Doe" in hers["text"]
    assert "Bo Roe" in hers["text"]
    assert "Al Poe" not in json.dumps(hers)
    assert "Jane Doe" not in json.dumps(his)


async def active(store: Store, contact: Contact) -> None:
    """Watch somebody who is judged to be Active."""
    await store.watch(contact)
    person = await store.person(contact.address)
    assert person is not None
    judged = Assessment(contact.address, SUNDAY, Verdict.ACTIVE, Strength.CLEAR, 0.01, "wrote yesterday")
    decision = Decision(contact.address, SUNDAY, Action.HOLD, Reason.BELOW_THRESHOLD, Verdict.ACTIVE, 0.01)
    assert await store.conclude(person.version, judged, decision)


async def test_a_deal_hangs_on_one_person_until_somebody_else_of_the_account_is_active(
    rounds: Round,
) -> None:
    await active(rounds.store, replace(JANE, address="zoe@acme.example", name="Zoe Zed"))
    await rounds.at("2026-08-03T06:00")
    assert "if Zoe Zed leaves, 0 active contacts remain" in json.dumps(rounds.to()[0]["blocks"])
    await active(rounds.store, replace(JANE, address="yan@elsewhere.example", name="Yan Yu"))
    met = datetime(2026, 8, 9, tzinfo=UTC)
    await rounds.store.record(
        Observation(f"{who}.example", "meeting_accepted", met, "mailbox", "Meeting accepted")
        for who in ("zoe@acme", "yan@elsewhere")
    )
    await rounds.at("2026-08-10T06:00")
    assert "0 active contacts remain" not in json.dumps(rounds.to()[1]["blocks"])


async def test_a_week_with_nothing_to_say_is_one_line_and_the_question(slack_server: Workspace) -> None:
    store, clock = MemoryStore(), FrozenClock(SUNDAY)
    slack_server.show_user("rita", tz=BERLIN)
    await active(store, Contact("jane@acme.example", "Jane Doe", owner="rita@vendor.example"))
    made = Round(slack_server, store, clock, sender(slack_server, store, clock))
    assert await made.at("2026-08-02T12:00", "2026-08-03T06:00") == [0, 1]
    [message] = made.to()
    assert message["text"] == "Your week: nothing to report on the one person."
    assert [block["block_id"] for block in message["blocks"]] == ["silent", "audit", "audit-answers"]


async def test_in_shadow_mode_the_admin_gets_it_and_reads_whose_it_is(slack_server: Workspace) -> None:
    store, clock = MemoryStore(), FrozenClock(SUNDAY)
    slack_server.show_user("rita", tz=BERLIN)
    await raise_alert(store)
    digests = sender(slack_server, store, clock, shadow=["max@vendor.example"])
    made = Round(slack_server, store, clock, digests)
    assert await made.at("2026-08-02T12:00", "2026-08-03T06:00") == [0, 1]
    assert made.to("rita") == []
    assert made.to("max")[0]["text"].startswith("Shadow mode: this is for Rita Rep.")


async def test_of_a_source_that_is_down_it_says_since_when(slack_server: Workspace) -> None:
    store, clock = MemoryStore(), FrozenClock(SUNDAY)
    slack_server.show_user("rita", tz=BERLIN)
    box = "mailbox:rita@vendor.example"
    await store.watch(JANE)
    judged = Assessment(
        JANE.address, SUNDAY, Verdict.UNCHECKED, Strength.SOME, 0.02, f"{box} cannot be read: token expired"
    )
    decision = Decision(JANE.address, SUNDAY, Action.HOLD, Reason.BELOW_THRESHOLD, Verdict.UNCHECKED, 0.02)
    assert await store.conclude(1, judged, decision)
    down = Coverage((Outage(box, datetime(2026, 7, 28, 9, tzinfo=UTC), needs_human=True),))
    made = Round(slack_server, store, clock, sender(slack_server, store, clock, coverage=lambda: down))
    await made.at("2026-08-02T12:00", "2026-08-03T06:00")
    said = json.dumps(made.to()[0]["blocks"], ensure_ascii=False)
    assert "1 unchecked: mailbox rita@vendor.example disconnected since Tue 28 Jul" in said


HOSTILE = "<!channel> *x* `y` <@U1> \u202e" + "W" * 10_000


def hostile_week(many: int) -> Week:
    contact = Contact("a@b.example", HOSTILE, HOSTILE, HOSTILE, HOSTILE, Deal(HOSTILE, 1e300, HOSTILE))
    watched = Watched(contact, Verdict.SLIPPING, Strength.SOME, HOSTILE, returns=date(2026, 9, 1))
    raised = alert(replace(LEFT, headline=HOSTILE), contact)
    return Week(
        people=many,
        due=(Due(Case(contact.address, 1), raised, Reason.OVER_BUDGET),) * many,
        changes=(Change(watched, Verdict.ACTIVE),) * many,
        slipping=(watched,) * many,
        alone=(contact,) * many,
        quiet=(watched,) * many,
        away=(watched,) * many,
        unchecked=(Gap((contact,) * many, HOSTILE), Gap((contact,), HOSTILE, Outage(HOSTILE, SUNDAY))) * many,
        precision=(Precision("mailbox_gone", 3, 1),) * many,
        overall=Precision("", 3, 1),
    )


@pytest.mark.parametrize("many", [1, 9, 200])
def test_hostile_and_endless_weeks_stay_within_slacks_limits_and_are_shown_as_text(many: int) -> None:
    made = card.digest(hostile_week(many), DUE)
    check_message({"text": made.text, "blocks": made.blocks})
    assert "<!channel>" not in json.dumps(made.blocks)
    assert "<@U1>" not in made.text


def quarter(*filled: int) -> tuple[Tally, ...]:
    first = date(2026, 5, 4)
    return tuple(
        Tally(first + timedelta(days=7 * i), right=count, wrong=count // 2, open=1 if count else 0)
        for i, count in enumerate([*filled, *[0] * (13 - len(filled))])
    )


def test_a_quarter_with_enough_cases_is_drawn_and_said_in_words() -> None:
    found = Week(people=3, quiet=hostile_week(1).quiet, quarter=quarter(2, 0, 4, 1))
    made = card.digest(found, DUE)
    check_message({"text": made.text, "blocks": made.blocks})
    [chart] = [block for block in made.blocks if block["type"] == "data_visualization"]
    assert [series["name"] for series in chart["chart"]["series"]] == ["Right", "False alarm", "No answer"]
    said = json.dumps(made.blocks)
    assert (
        "13 cases in 13 weeks: 7 right, 3 false alarms, 3 without an answer. Most in the week of 18 May: 7."
        in said
    )


def test_the_labels_of_thirteen_weeks_are_short_enough_to_stand_side_by_side() -> None:
    for monday in (date(2026, 5, 4), date(2026, 11, 2)):
        weeks = tuple(Tally(monday + timedelta(days=7 * i), right=1) for i in range(13))
        made = card.digest(Week(people=3, quiet=hostile_week(1).quiet, quarter=weeks), DUE)
        check_message({"text": made.text, "blocks": made.blocks})
        [chart] = [block for block in made.blocks if block["type"] == "data_visualization"]
        labels = chart["chart"]["axis_config"]["categories"]
        assert all(len(label) <= 3 for label in labels)


def test_a_quarter_is_drawn_in_plain_text_where_there_are_no_charts() -> None:
    found = Week(people=3, quiet=hostile_week(1).quiet, quarter=quarter(2, 0, 4, 100))
    made = card.digest(found, DUE, charts_are_taken=False)
    check_message({"text": made.text, "blocks": made.blocks})
    assert "data_visualization" not in json.dumps(made.blocks)
    [drawn] = [block["text"]["text"] for block in made.blocks if block.get("block_id") == "chart"]
    assert "04 May  #x.  4" in drawn
    assert "11 May    -" in drawn
    assert "each for up to 6 cases" in drawn
    assert max(map(len, drawn.splitlines())) < 80


async def test_a_workspace_that_takes_no_charts_gets_the_digest_without_one(rounds: Round) -> None:
    for i in range(6):
        at = DUE - timedelta(days=8 + 7 * i)
        await raise_alert(rounds.store, replace(LEFT, at=at), replace(JANE, address=f"p{i}@acme.example"))
    rounds.server.fail("chat.postMessage", error="invalid_blocks")
    assert await rounds.at("2026-08-03T06:00") == [1]
    first, second = rounds.server.calls("chat.postMessage")
    assert "data_visualization" in str(first["args"]["blocks"])
    [posted] = rounds.to()
    assert "data_visualization" not in json.dumps(posted["blocks"])
    assert "no answer" in str(second["args"]["blocks"])


@pytest.mark.parametrize(("token", "digests"), [(BOT_WITH_HISTORY, 1), (BOT_TOKEN, 2)])
async def test_a_digest_that_slack_took_without_our_hearing_is_not_posted_again_where_we_may_look(
    rounds: Round, token: str, digests: int
) -> None:
    rounds.digests = sender(rounds.server, rounds.store, rounds.clock, token=token)
    rounds.server.fail("chat.postMessage", drop=True, after=True)
    assert await rounds.at("2026-08-03T06:00", "2026-08-03T06:16", "2026-08-03T06:31") == [0, 1, 0]
    assert len(rounds.to()) == digests


@pytest.mark.parametrize("filled", [(), (1, 1), (5,), (4, 4)])
def test_too_few_cases_or_weeks_are_not_drawn(filled: tuple[int, ...]) -> None:
    found = Week(people=3, quiet=hostile_week(1).quiet, quarter=quarter(*filled))
    assert "data_visualization" not in json.dumps(card.digest(found, DUE).blocks)


def test_how_right_the_alerts_were_is_said_in_counts_of_answers() -> None:
    kinds = (Precision("mailbox_gone", 5, 0), Precision("meeting_drift", 1, 3))
    found = Week(people=3, quiet=hostile_week(1).quiet, overall=Precision("", 6, 3), precision=kinds)
    said = json.dumps(card.digest(found, DUE).blocks)
    assert "Right in 90 days: 6 of 9 alerts that were answered." in said
    assert "By signal: mailbox gone 5 of 5, meeting drift 1 of 4." in said


def test_an_alert_that_was_held_back_says_why() -> None:
    found = Week(people=1, due=(Due(Case(JANE.address, 1), Alert(JANE, LEFT, 1, DUE), Reason.QUIET_HOURS),))
    assert "(held: came in your quiet hours)" in json.dumps(card.digest(found, DUE).blocks)
