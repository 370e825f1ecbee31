from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from bot import notes
from bot.model import Action, Alert, Answer, Assessment, Choice, Contact, Decision, Reason, Strength, Verdict
from bot.slack import dialogs
from bot.slack.outbox import drain
from bot.wording import shipped
from tests.servers.block_kit import check_view
from tests.servers.slack import Workspace
from tests.servers.slack_wire import Transport
from tests.slack.pressing import Office, day, open_office, option
from tests.slack.story import ADDRESS, ANN, BOB, JANE, LEFT, NOW, SLIPPING

pytestmark = pytest.mark.servers

CASE = f"{ADDRESS}:1"
WEEK = date(2026, 8, 10)


@pytest.fixture
async def office(slack_server: Workspace, transport: Transport) -> AsyncIterator[Office]:
    async with open_office(slack_server, admins=("max@vendor.example",), transport=transport) as opened:
        yield opened


def texts(view: dict[str, Any]) -> str:
    return json.dumps(view["blocks"], ensure_ascii=False)


async def test_confirming_offers_the_successor_first_and_the_suggestions_and_nobody(office: Office) -> None:
    await office.post_alert()
    view = await office.open("answer.left")
    [choice] = [block["element"] for block in view["blocks"] if block["type"] == "input"]
    assert [one["text"]["text"] for one in choice["options"]] == ["Ann Lee", "Bob Roe", "Nobody for now"]
    assert choice["initial_option"]["text"]["text"] == "Ann Lee"
    assert (await office.case()).settled is None


async def test_confirming_with_a_champion_settles_and_watches_them_in_the_same_step(office: Office) -> None:
    await office.post_alert()
    await office.settle(champion="0")
    await office.until("New champion: Ann Lee")
    rita = office.server.user("rita")
    assert (await office.case()).settled == Answer(
        ADDRESS, CASE, rita, NOW, Choice.LEFT, champion=ANN.address
    )
    assert await office.sentences() == ["Rita Rep confirmed: left"]
    champion = (await office.person(ANN.address)).contact
    assert champion == Contact(
        ANN.address, "Ann Lee", account="Acme", owner="rita@vendor.example", deal=JANE.deal
    )
    assert office.buttons("watch") == []
    [told] = await office.told()
    assert told["text"] == f"Ann Lee is watched now: Acme, Renewal 2026, for <@{rita}>."


async def test_confirming_with_nobody_watches_nobody(office: Office) -> None:
    await office.post_alert()
    await office.settle()
    await office.until("Jane Doe has left")
    assert await office.store.person(ANN.address) is None
    assert office.buttons() == ["Why?"]
    assert office.buttons("watch") == []


async def test_a_champion_who_is_watched_already_keeps_their_own_name_owner_and_deal(office: Office) -> None:
    known = Contact(ANN.address, "Ann L. Lee", "CTO", "Acme Group", "max@vendor.example")
    await office.store.watch(known)
    await office.post_alert()
    await office.settle(champion="0")
    await office.until("New champion: Ann Lee")
    assert (await office.person(ANN.address)).contact == replace(known, deal=JANE.deal)


async def test_of_two_who_confirm_at_once_with_different_champions_one_decides(office: Office) -> None:
    await office.post_alert()
    views = [await office.open("answer.left", by) for by in ("rita", "max")]
    sending = [
        office.submit(view, by, champion=option(number))
        for view, by, number in zip(views, ("rita", "max"), ("0", "1"), strict=True)
    ]
    await asyncio.gather(*sending)
    await office.until("New champion")
    settled = (await office.case()).settled
    assert settled is not None
    told = {one["target_user"]: one["text"] for one in await office.told(2)}
    loser = office.server.user("max" if settled.by == office.server.user("rita") else "rita")
    assert "Already settled" in told[loser]
    other = BOB if settled.champion == ANN.address else ANN
    assert await office.store.person(other.address) is None


async def test_a_modal_that_was_sent_twice_changes_nothing_more(office: Office) -> None:
    await office.post_alert()
    view = await office.open("answer.left")
    for _ in range(2):
        assert await office.submit(view, champion=option("0")) == {}
        office.clock.advance(timedelta(minutes=1))
    await office.until("New champion")
    assert await office.sentences() == ["Rita Rep confirmed: left"]


async def test_nothing_opens_for_a_case_that_is_settled_and_it_is_said_by_whom(office: Office) -> None:
    await office.post_alert()
    await office.press("answer.still_there")
    await office.until("Settled")
    await office.press("answer.left", "max")
    [told] = await office.told()
    assert "Already settled" in told["text"]
    assert office.server.views() == []


async def test_a_leave_is_kept_with_its_day_and_without_a_reason(office: Office) -> None:
    await office.post_alert()
    view = await office.open("answer.on_leave")
    assert "plain_text_input" not in texts(view)
    assert await office.submit(view, day=day("2026-08-24")) == {}
    await office.until("Jane Doe is on leave until Mon 24 Aug")
    assert await office.sentences() == ["Rita Rep said: on leave until 24 August 2026"]
    [seen] = (await office.person()).observations
    assert seen.facts["returns"] == "2026-08-24"


async def test_a_leave_without_a_day_is_kept_as_one(office: Office) -> None:
    await office.post_alert()
    view = await office.open("answer.on_leave")
    assert await office.submit(view, day={"selected_date": None}) == {}
    await office.until("Jane Doe is on leave")
    assert await office.sentences() == ["Rita Rep said: on leave"]


@pytest.mark.parametrize("action", ["answer.on_leave", "answer.snooze"])
@pytest.mark.parametrize("chosen", ["2026-08-03", "2020-01-01", "2030-01-01"])
async def test_a_day_that_makes_no_sense_is_refused_beside_its_field(
    office: Office, action: str, chosen: str
) -> None:
    await office.post_alert()
    view = await office.open(action)
    answer = await office.submit(view, day=day(chosen))
    assert answer["response_action"] == "errors"
    assert set(answer["errors"]) == {"day"}
    assert (await office.case()).settled is None


async def test_somebody_with_another_role_is_still_there_and_may_hand_the_deal_on(office: Office) -> None:
    await office.post_alert()
    view = await office.open("answer.changed_role")
    assert "Still Jane Doe" in texts(view)
    assert await office.submit(view, champion=option("1")) == {}
    await office.until("Jane Doe has changed role. New champion: Bob Roe")
    assert (await office.person(BOB.address)).contact is not None
    assert await office.sentences() == ["Rita Rep said: changed role"]


@pytest.mark.parametrize(
    ("values", "until"),
    [
        ({"how_long": option("1"), "day": day("")}, date(2026, 8, 4)),
        ({"how_long": option("7")}, WEEK),
        ({"how_long": option("7"), "day": day("2026-09-01")}, date(2026, 9, 1)),
    ],
)
async def test_a_snooze_lasts_a_day_a_week_or_until_a_day(
    office: Office, values: dict[str, Any], until: date
) -> None:
    await office.post_alert()
    view = await office.open("answer.snooze")
    if values.get("day") == day(""):
        values = {**values, "day": {"selected_date": None}}
    assert await office.submit(view, **values) == {}
    await office.until("Snoozed")
    settled = (await office.case()).settled
    assert settled is not None
    assert settled.until == until
    assert await office.sentences() == []


async def test_a_snooze_settles_nothing_it_can_be_put_off_again_and_answered(office: Office) -> None:
    await office.post_alert()
    snoozes: list[tuple[dict[str, Any], str]] = [
        ({"how_long": option("7")}, "until Mon 10 Aug"),
        ({"day": day("2026-08-20")}, "until Thu 20 Aug"),
    ]
    for values, shown in snoozes:
        view = await office.open("answer.snooze")
        assert await office.submit(view, **values) == {}
        await office.until(shown)
        assert office.buttons()[0] == "Confirm left"
    await office.press("answer.still_there", "max")
    await office.until("Jane Doe is still there")
    assert office.server.ephemeral() == []


async def test_whoever_is_on_it_after_a_snooze_stands_beside_it(office: Office) -> None:
    await office.post_alert(assessment=SLIPPING)
    view = await office.open("answer.snooze")
    await office.submit(view, how_long=option("7"))
    await office.press("answer.on_it", "max")
    await office.until("is on it")
    assert "Snoozed" in office.shown()


async def test_of_two_who_are_on_it_at_once_one_is_and_the_other_is_told(office: Office) -> None:
    await office.post_alert(assessment=SLIPPING)
    office.clock.advance(timedelta(minutes=5))
    await asyncio.gather(office.press("answer.on_it", "rita"), office.press("answer.on_it", "max"))
    [told] = await office.told()
    on_it = (await office.case()).on_it
    assert on_it is not None
    assert told["text"] == f"<@{on_it.by}> is on it already, since Mon 3 Aug. Nothing was changed."
    assert told["target_user"] != on_it.by
    assert len(await office.sentences()) == 1


async def told_again(office: Office, reason: Reason = Reason.REMINDER_DUE) -> None:
    """Tell the case again, as the pipeline does when a snooze has run out."""
    person = await office.person()
    at = office.clock()
    judged = replace(LEFT, at=at)
    decision = Decision(ADDRESS, at, Action.SEND, reason, judged.verdict, judged.probability)
    assert await office.store.conclude(person.version, judged, decision, Alert(JANE, judged, 2, at))
    assert await drain(office.store, office.app.poster, office.clock) == 1


async def test_a_snooze_that_ran_out_is_one_new_visible_line_and_the_old_message_rests(
    office: Office,
) -> None:
    await office.post_alert()
    view = await office.open("answer.snooze")
    await office.submit(view, how_long=option("7"))
    await office.until("Snoozed")
    office.clock.advance(timedelta(days=7))
    await told_again(office)
    old, new = office.messages()
    rita = office.server.user("rita")
    assert f"*Reminder*: snoozed by <@{rita}> until Mon 10 Aug." in json.dumps(new["blocks"])
    assert "thread_ts" not in new or new["thread_ts"] in {None, "", new["ts"]}
    assert "Told again Mon 10 Aug" in json.dumps(old["blocks"])
    assert office.buttons() == ["Why?"]
    await office.press("answer.still_there", "max")
    [told] = await office.told()
    assert "newer message" in told["text"]
    assert (await office.case()).settled is None


async def test_a_real_mail_is_shown_on_the_message_as_what_settled_the_case(office: Office) -> None:
    await office.post_alert()
    seen = NOW + timedelta(hours=2)
    calm = Assessment(ADDRESS, seen, Verdict.ACTIVE, Strength.SOME, 0.01, "wrote", last_contact=seen)
    person = await office.person()
    decision = Decision(ADDRESS, seen, Action.SEND, Reason.ANSWERED, calm.verdict, 0.01)
    assert await office.store.conclude(person.version, calm, decision, Alert(JANE, calm, 1, seen))
    await drain(office.store, office.app.poster, office.clock)
    assert "*Answered on Mon 3 Aug*: no longer a case" in office.shown()
    assert office.message()["text"].startswith("Answered on Mon 3 Aug: no longer a case. Left: Jane Doe")
    assert len(office.messages()) == 1
    await office.press("answer.left", "max")
    [told] = await office.told()
    assert "No longer a case: Jane Doe was in touch again" in told["text"]


async def test_a_suggested_person_is_watched_once_with_account_owner_and_deal(office: Office) -> None:
    await office.post_alert()
    await asyncio.gather(*(office.press("watch.1", by) for by in ("rita", "max")))
    await office.eventually(lambda: office.buttons("watch") == ["Watch Ann Lee"])
    bob = (await office.person(BOB.address)).contact
    assert bob is not None
    assert (bob.account, bob.owner, bob.deal) == ("Acme", "rita@vendor.example", JANE.deal)
    assert any("Bob Roe is watched" in told["text"] for told in await office.told(2))
    assert (await office.case()).settled is None


async def test_nobody_is_watched_whom_we_did_not_suggest(office: Office) -> None:
    await office.post_alert()
    await office.press("watch.0", value=f"{office.mark()} mallory@evil.example")
    await office.told()
    assert await office.store.person("mallory@evil.example") is None


async def test_a_contact_is_given_to_a_colleague_who_is_mentioned(office: Office) -> None:
    await office.post_alert()
    view = await office.open("assign")
    new = office.server.user("max")
    assert await office.submit(view, owner={"selected_user": new}) == {}
    await office.until(f"<@{new}>")
    contact = (await office.person()).contact
    assert contact is not None
    assert contact.owner == new
    await office.eventually(lambda: len(office.messages()) == 2)
    said = office.messages()[1]
    assert said["thread_ts"] == office.message()["ts"]
    assert said["text"] == f"<@{office.server.user('rita')}> made <@{new}> the owner of Jane Doe."


async def test_giving_it_to_the_same_owner_again_says_nothing(office: Office) -> None:
    await office.post_alert()
    view = await office.open("assign")
    for _ in range(2):
        await office.submit(view, owner={"selected_user": office.server.user("max")})
    await office.eventually(lambda: len(office.messages()) == 2)
    assert len(office.messages()) == 2


async def test_only_the_owner_and_admins_give_a_contact_away_but_anybody_takes_it_over(
    slack_server: Workspace,
) -> None:
    async with open_office(slack_server) as office:
        await office.post_alert()
        view = await office.open("assign", "max")
        await office.submit(view, "max", owner={"selected_user": "U0SOMEBODY"})
        [told] = await office.told()
        assert "Only the owner or an admin" in told["text"]
        new = office.server.user("max")
        await office.submit(view, "max", owner={"selected_user": new})
        await office.until(f"<@{new}>")
        await office.eventually(lambda: len(office.messages()) == 2)
        assert office.messages()[1]["text"] == f"<@{new}> took over Jane Doe."


async def test_a_guest_is_no_owner(office: Office) -> None:
    await office.post_alert()
    office.server.show_user("max", is_restricted=True)
    view = await office.open("assign")
    answer = await office.submit(view, owner={"selected_user": office.server.user("max")})
    assert set(answer["errors"]) == {"owner"}


async def choose_another(office: Office, view: dict[str, Any], by: str) -> None:
    """Choose in the modal of a draft for whom else it is to be."""
    picked = {"type": "static_select", "action_id": "note.for", "block_id": "note.for"}
    await office.interact(
        {
            "type": "block_actions",
            **office.sender(by),
            "container": {"type": "view", "view_id": view["view_id"]},
            "view": office.filled(view, **{"note.for": option("2")}),
            "trigger_id": "1.2.3",
            "actions": [{**picked, **option("2"), "action_ts": "1"}],
        }
    )


async def test_a_draft_is_shown_to_copy_for_whom_the_rep_chooses_and_nothing_is_sent(office: Office) -> None:
    await office.post_alert()
    view = await office.open("note")
    assert "Jane Doe named you as the contact" in texts(view)
    assert "best for what comes next" not in texts(view)
    await choose_another(office, view, "rita")
    await office.eventually(lambda: "best for what comes next" in texts(office.server.views()[-1]))
    assert await office.submit(office.server.views()[-1]) == {}
    assert len(office.messages()) == 1
    assert await office.sentences() == []


async def test_why_is_in_the_menu(office: Office) -> None:
    await office.post_alert()
    assert await office.pick("why", "max") == 200
    [told] = await office.told()
    assert told["target_user"] == office.server.user("max")
    assert LEFT.evidence[0].sentence in json.dumps(told["blocks"])


@pytest.mark.parametrize("action", ["answer.still_there", "answer.left", "watch.0"])
async def test_somebody_of_another_workspace_is_refused(office: Office, action: str) -> None:
    await office.post_alert()
    payload = office.pressed(action)
    payload["user"]["team_id"] = "T0ELSEWHERE"
    assert (await office.interact(payload))[0] == 200
    [told] = await office.told()
    assert "Nothing was changed" in told["text"]
    assert (await office.case()).settled is None
    assert await office.store.person(ANN.address) is None
    assert office.server.views() == []


ELSEWHERE = "T0ELSEWHERE"
READS = ["why", "menu why", "menu note", "menu assign", "answer.left", "answer.still_there", "watch.0"]


def press(office: Office, action: str, by: str = "rita") -> dict[str, Any]:
    """Return what Slack sends when a button is pressed, or something is chosen in the menu."""
    if not action.startswith("menu "):
        return office.pressed(action, by)
    return office.pressed("more", by, selected_option={"value": action.removeprefix("menu ")})


def nothing_is_shown_of(told: dict[str, Any]) -> bool:
    said = json.dumps([told["text"], told.get("blocks")])
    return not any(word in said for word in ("Jane", "Acme", LEFT.evidence[0].sentence))


@pytest.mark.parametrize("action", READS)
@pytest.mark.parametrize("refused", ["guest", "gone", "stranger", "place"])
async def test_whoever_is_no_member_sees_nothing_of_a_case(office: Office, action: str, refused: str) -> None:
    await office.post_alert()
    if refused in {"guest", "gone"}:
        office.server.show_user("max", **{"is_restricted" if refused == "guest" else "deleted": True})
    payload = press(office, action, "max")
    if refused == "stranger":
        payload["user"]["team_id"] = ELSEWHERE
    if refused == "place":
        payload["user"]["team_id"] = payload["team"]["id"] = ELSEWHERE
    assert (await office.interact(payload))[0] == 200
    [told] = await office.told()
    assert "Nothing was changed" in told["text"]
    assert nothing_is_shown_of(told)
    assert office.server.views() == []
    assert (await office.case()).settled is None
    assert await office.store.person(ANN.address) is None


async def test_a_guest_gets_no_draft_by_choosing_in_a_modal_of_somebody_else(office: Office) -> None:
    await office.post_alert()
    view = await office.open("note")
    before = texts(view)
    office.server.show_user("max", is_restricted=True)
    await choose_another(office, view, "max")
    [told] = await office.told()
    assert "guests" in told["text"]
    assert texts(office.server.views()[-1]) == before


@pytest.mark.parametrize("broken", ["", "{", '{"case": 1}'])
@pytest.mark.parametrize("action", ["answer.left", "assign"])
async def test_a_modal_that_carries_nothing_of_ours_is_answered_in_words(
    office: Office, action: str, broken: str
) -> None:
    await office.post_alert()
    view = await office.open(action)
    owner = {"selected_user": office.server.user("max")}
    answer = await office.submit({**view, "private_metadata": broken}, owner=owner)
    assert answer["response_action"] == "update"
    assert "older version" in texts(answer["view"])
    check_view(answer["view"])
    assert (await office.case()).settled is None


async def test_an_answer_in_a_modal_that_this_version_does_not_know_is_said(office: Office) -> None:
    await office.post_alert()
    view = await office.open("answer.left")
    answer = await office.submit({**view, "callback_id": "answer.promoted"})
    assert "older version" in texts(answer["view"])


async def test_a_day_that_is_none_is_said_beside_its_field(office: Office) -> None:
    await office.post_alert()
    view = await office.open("answer.snooze")
    assert set((await office.submit(view, day=day("soon")))["errors"]) == {"day"}


async def test_nobody_is_made_owner_whom_slack_does_not_identify(office: Office) -> None:
    await office.post_alert()
    view = await office.open("assign")
    office.server.fail("users.info", error="internal_error", times=9)
    await office.submit(view, owner={"selected_user": office.server.user("max")})
    [told] = await office.told()
    assert "does not say at the moment who that is" in told["text"]
    assert (await office.person()).contact == JANE


async def test_a_guest_cannot_settle_anything(office: Office) -> None:
    await office.post_alert()
    office.server.show_user("max", is_ultra_restricted=True)
    assert await office.press("answer.still_there", "max") == 200
    [told] = await office.told()
    assert "guests" in told["text"]
    assert (await office.case()).settled is None


async def test_a_window_that_slack_no_longer_opens_is_said(office: Office) -> None:
    await office.post_alert()
    office.server.fail("views.open", error="expired_trigger_id")
    assert await office.press("answer.left") == 200
    [told] = await office.told()
    assert "try once more" in told["text"]


async def test_an_account_notice_is_understood_once(office: Office) -> None:
    address = "@acme.example"
    notice = replace(
        LEFT,
        contact=address,
        verdict=Verdict.UNCHECKED,
        headline="4 addresses at acme.example bounced on 13 June: not counted as departures",
        suggestions=(),
    )
    person = await office.store.person(address)
    contact = Contact(address, account="Acme", owner="rita@vendor.example")
    decision = Decision(address, NOW, Action.SEND, Reason.FIRST, notice.verdict, 0.0)
    version = person.version if person else 0
    assert await office.store.conclude(version, notice, decision, Alert(contact, notice, 1, NOW))
    assert await drain(office.store, office.app.poster, office.clock) == 1
    assert office.buttons() == ["Understood", "Why?"]
    assert "Unchecked" not in json.dumps(office.message())
    mark = office.mark()
    for by in ("rita", "max"):
        await office.press("answer.understood", by, value=mark)
    await office.until(f"*Understood* by <@{office.server.user('rita')}>")
    [told] = await office.told()
    assert told["target_user"] == office.server.user("max")
    assert (await office.person(address)).observations == ()


async def test_in_a_channel_without_names_the_message_keeps_initials_when_it_is_edited(
    slack_server: Workspace,
) -> None:
    async with open_office(slack_server, names="initials") as office:
        await office.post_alert()
        assert "J. D." in office.shown()
        await office.press("answer.still_there")
        await office.until("J. D. is still there")
        said = json.dumps(office.message(), ensure_ascii=False)
        for name in ("Jane", "Ann Lee", "Bob Roe", ADDRESS, ANN.address, BOB.address):
            assert name not in said


def mrkdwn_in(part: Any) -> list[str]:
    """Return every text in a view that Slack would format."""
    if isinstance(part, dict):
        own = [part["text"]] if part.get("type") == "mrkdwn" else []
        return own + [said for value in part.values() for said in mrkdwn_in(value)]
    return [said for value in part for said in mrkdwn_in(value)] if isinstance(part, list) else []


HOSTILE = ["<!channel> *x* `y`", "W" * 10_000, "\u202egnp", ":fire: &lt;", "", "\ud800"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_within_the_limits_of_every_modal(text: str) -> None:
    contact = Contact(ADDRESS, text, text, text, text, JANE.deal and replace(JANE.deal, name=text))
    people = tuple(replace(ANN, name=text, address=f"a{i}@b.example", reasons=(text,) * 9) for i in range(9))
    raised = Alert(contact, replace(LEFT, suggestions=people, headline=text), 1, NOW)
    place = dialogs.Place(raised.case, "C1", "1.2")
    views = [dialog(place, raised, NOW) for dialog in dialogs.OPENED_BY.values()]
    drafts = notes.drafts(raised, shipped())
    views += [dialogs.assign(place, raised)] + [dialogs.note(place, drafts, i) for i in range(len(drafts))]
    for view in views:
        check_view(json.loads(json.dumps(view)))
        assert not [said for said in mrkdwn_in(view) if "<!channel>" in said]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"case": 1}', "null", '{"people": 5}'])
def test_a_place_that_is_not_ours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no place of ours"):
        dialogs.Place.unpack(text)


async def test_days_are_those_of_the_reps_own_time_zone(slack_server: Workspace) -> None:
    slack_server.show_user("rita", tz="Pacific/Auckland")
    async with open_office(slack_server) as office:
        office.clock.advance(timedelta(hours=4))
        late = replace(LEFT, evidence=(replace(LEFT.evidence[0], at=office.clock()),))
        await office.post_alert(assessment=late)
        assert "*Tue 4 Aug*" in office.shown()
        view = await office.open("answer.snooze")
        assert "1 day, until Wed 5 Aug" in texts(view)
        assert set((await office.submit(view, day=day("2026-08-04")))["errors"]) == {"day"}
        await office.press("why")
        assert "Tue 4 Aug" in json.dumps((await office.told())[0]["blocks"])
