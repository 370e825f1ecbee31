from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from bot.coverage import Coverage, Outage
from bot.exposure import Exposure, InTouch
from bot.model import Answer, Choice, Contact, Deal, Observation, Verdict
from bot.slack.contacts import PAGE, exposed
from bot.slack.outbox import drain
from tests.servers.slack import ANSWER_SECONDS, SIGNING_SECRET, Workspace
from tests.servers.slack_wire import Signed, Transport
from tests.slack.commanding import SOON, Reception, formatted, reception, said
from tests.slack.story import ADDRESS, ANN, JANE, LEFT, NOW, SLIPPING, raise_alert

pytestmark = pytest.mark.servers

OMAR = Contact("omar@other.example", "Omar Said", account="Other", owner="max@vendor.example")
HOSTILE = "<!channel> <@U0AAAAAAA> *bold* `code` &lt; \u202eevil " + "x" * 3000


@pytest.fixture
async def desk(slack_server: Workspace, transport: Transport) -> AsyncIterator[Reception]:
    async with reception(slack_server, transport=transport) as running:
        yield running


async def known(desk: Reception, address: str = ADDRESS) -> Contact | None:
    person = await desk.store.person(address)
    return person.contact if person else None


@pytest.mark.parametrize(
    "typed",
    [
        "add jane.doe@acme.example Jane Doe, Acme",
        "add <mailto:jane.doe@acme.example|jane.doe@acme.example> Jane Doe, Acme",
        "ADD “Jane Doe” “Acme” <mailto:Jane.Doe@acme.example|Jane.Doe@acme.example>",
        "add Jane Doe &lt;jane.doe@acme.example&gt;, Acme",
    ],
)
async def test_add_watches_the_person_for_whoever_asked_however_slack_rewrote_it(
    desk: Reception, typed: str
) -> None:
    answer = await desk.type(typed)
    assert await known(desk) == Contact(ADDRESS, "Jane Doe", account="Acme", owner="rita@vendor.example")
    assert "Jane Doe (Acme) is watched from now on" in said(answer)


async def test_adding_somebody_twice_is_said_and_changes_nothing(desk: Reception) -> None:
    await desk.store.watch(JANE)
    answer = await desk.type(f"add {ADDRESS} Jane Doe, Acme")
    assert "watched already; nothing was new" in said(answer)
    assert await known(desk) == JANE
    answer = await desk.type(f"add {ADDRESS} Jane Roe")
    assert "what you wrote was added" in said(answer)
    assert await known(desk) == replace(JANE, name="Jane Roe")


async def test_a_rep_cannot_change_a_colleagues_contact_by_adding_them_but_takes_over_one_nobody_owns(
    desk: Reception,
) -> None:
    await desk.store.watch(OMAR)
    answer = await desk.type(f"add {OMAR.address} Mine, Mine")
    assert "watched already, for max@vendor.example" in said(answer)
    assert await known(desk, OMAR.address) == OMAR
    await desk.store.watch(replace(OMAR, owner=""))
    await desk.type(f"add {OMAR.address}")
    taken = await known(desk, OMAR.address)
    assert taken == replace(OMAR, owner="rita@vendor.example")


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("add Jane Doe, Acme", "no e-mail address"),
        ("add jane@acme.example bob@acme.example", "more than one"),
        ("add jane@acme.example a, b, c", "too many parts"),
        ("add jane@ Jane", "no e-mail address"),
        ("add rita@vendor.example Rita", "one of our own team"),
        (f"add {HOSTILE}", "no e-mail address"),
    ],
)
async def test_what_cannot_be_added_is_said_and_nobody_is_watched(
    desk: Reception, typed: str, problem: str
) -> None:
    assert problem in said(await desk.type(typed))
    assert await desk.store.contacts() == []


async def test_whoever_was_forgotten_is_not_added_again(desk: Reception) -> None:
    await desk.store.forget(ADDRESS)
    answer = await desk.type(f"add {ADDRESS} Jane Doe, Acme")
    assert "erased on request and is not recorded again" in said(answer)
    assert await desk.store.contacts() == []


async def test_whoever_was_removed_is_watched_again_with_what_was_known(desk: Reception) -> None:
    await desk.store.watch(JANE)
    await desk.store.unwatch(ADDRESS)
    await desk.type(f"add {ADDRESS}")
    assert await known(desk) == JANE


async def test_list_shows_a_reps_own_people_gravest_first_and_turns_its_pages(desk: Reception) -> None:
    for number in range(PAGE + 3):
        await desk.store.watch(
            Contact(f"p{number:02}@acme.example", f"P {number:02}", owner="rita@vendor.example")
        )
    await desk.store.watch(OMAR)
    await raise_alert(desk.store, LEFT, replace(JANE, name="Zoe Last"))
    answer = await desk.type("list")
    text = said(answer)
    assert f"1 to {PAGE} of {PAGE + 4}" in text
    assert text.index("Zoe Last") < text.index("P 00")
    assert "Omar" not in text
    [turn] = [block for block in answer["blocks"] if block["type"] == "actions"]
    [following] = turn["elements"]
    assert following["text"]["text"] == "Next"
    answer = await desk.press(following["action_id"], following["value"])
    assert answer["replace_original"] is True
    assert f"{PAGE + 1} to {PAGE + 4} of {PAGE + 4}" in said(answer)
    [turn] = [block for block in answer["blocks"] if block["type"] == "actions"]
    assert [button["text"]["text"] for button in turn["elements"]] == ["Previous"]


async def test_list_all_is_for_admins(desk: Reception) -> None:
    await desk.store.watch(OMAR)
    await desk.store.watch(JANE)
    assert "for the admins" in said(await desk.type("list all"))
    assert "for the admins" in said(await desk.press("contacts.page.next", "all 0"))
    text = said(await desk.type("list all", by="max"))
    assert "Omar Said" in text
    assert "Jane Doe" in text
    assert "owner: rita@vendor.example" in text


async def test_an_empty_list_says_how_to_add(desk: Reception) -> None:
    assert "`/champion add jane@acme.example" in said(await desk.type("list"))


@pytest.mark.parametrize(
    "who", [ADDRESS, "Jane Doe", "jane doe", '"Jane Doe"', "doe", f"<mailto:{ADDRESS}|x>"]
)
async def test_show_says_all_in_words_of_whoever_is_meant(desk: Reception, who: str) -> None:
    await raise_alert(desk.store)
    text = said(await desk.type(f"show {who}"))
    for expected in ("*Jane Doe*", "Left", "strong evidence", ANN.name, "Last real contact", "Decisions"):
        assert expected in text
    for evidence in LEFT.evidence:
        assert evidence.sentence in text
    assert "Told: the first sign" in text
    assert "0.99" not in text


async def test_show_of_somebody_new_says_that_nobody_looked_yet(desk: Reception) -> None:
    await desk.store.watch(JANE)
    text = said(await desk.type("show jane"))
    assert "Unchecked*: not looked at yet" in text


async def test_show_asks_back_where_several_fit_and_offers_who_is_written_alike(desk: Reception) -> None:
    await desk.store.watch(JANE)
    await desk.store.watch(Contact("jane@b.example", "Jane Roe", owner="rita@vendor.example"))
    answer = await desk.type("show jane")
    assert "2 people fit" in said(answer)
    button = next(block["accessory"] for block in answer["blocks"] if ADDRESS in str(block))
    assert "not looked at yet" in said(await desk.press(button["action_id"], button["value"]))
    assert f"Did you mean Jane Doe ({ADDRESS})" in said(await desk.type("show Jan Do"))
    assert "Nobody you may see" in said(await desk.type("show Wolfgang"))
    assert "Say who" in said(await desk.type("show"))


async def test_what_is_known_of_a_colleagues_contact_is_shown_to_admins_and_not_to_other_reps(
    desk: Reception,
) -> None:
    await desk.store.watch(JANE)
    await desk.store.watch(OMAR)
    assert "Omar Said is max@vendor.example's" in said(await desk.type("show omar"))
    assert "*Jane Doe*" in said(await desk.type("show jane", by="max"))


async def test_snooze_holds_the_open_case_until_a_day_and_says_so_on_its_message(desk: Reception) -> None:
    await raise_alert(desk.store)
    assert await drain(desk.store, desk.app.poster, desk.clock) == 1
    assert "is snoozed until Wed 5 Aug" in said(await desk.type("snooze Jane Doe 2d"))
    person = await desk.store.person(ADDRESS)
    assert person is not None
    rita = desk.server.user("rita")
    assert person.cases[0].settled == Answer(
        ADDRESS, f"{ADDRESS}:1", rita, NOW, Choice.SNOOZE, date(2026, 8, 5)
    )
    assert "snoozed until Wed 5 Aug" in said(await desk.type("list"))
    assert "snoozed until Wed 5 Aug" in said(await desk.type("show jane"))
    async with asyncio.timeout(SOON.total_seconds()):
        while "until Wed 5 Aug" not in str(desk.server.messages(desk.server.channel("champions"))):  # noqa: ASYNC110 - Slack cannot set our event
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("snooze jane", "no open case"),
        ("snooze jane 2026-01-01", "is over"),
        ("snooze jane 2030-01-01", "too far ahead"),
        ("snooze jane 0d", "is over"),
        ("snooze jane 1y", "'1y' is no time"),
        ("snooze", "Say who"),
    ],
)
async def test_a_snooze_that_makes_no_sense_is_said(desk: Reception, typed: str, problem: str) -> None:
    await desk.store.watch(JANE)
    assert problem in said(await desk.type(typed))


async def test_a_snooze_does_not_undo_what_was_settled(desk: Reception) -> None:
    raised = await raise_alert(desk.store)
    word = Answer(ADDRESS, raised.case, "U0MAX0001", NOW, Choice.STILL_THERE)
    await desk.store.answer(word)
    assert "no open case" in said(await desk.type("snooze jane"))
    person = await desk.store.person(ADDRESS)
    assert person is not None
    assert person.cases[0].settled == word


async def test_remove_stops_watching_and_can_be_undone(desk: Reception) -> None:
    await desk.store.watch(JANE)
    answer = await desk.type("remove jane")
    assert await known(desk) is None
    assert "is not watched any more" in said(answer)
    [undo] = answer["blocks"][-1]["elements"]
    answer = await desk.press(undo["action_id"], undo["value"])
    assert "is watched again, as before" in said(answer)
    assert answer["replace_original"] is True
    assert await known(desk) == JANE
    assert "is watched again" in said(await desk.press(undo["action_id"], undo["value"]))


async def test_whoever_is_removed_already_is_said_to_be_and_can_be_brought_back(desk: Reception) -> None:
    await desk.store.watch(JANE)
    await desk.type(f"remove {ADDRESS}")
    for verb in ("remove", "show", "snooze"):
        answer = await desk.type(f"{verb} {ADDRESS}")
        assert "Jane Doe is not watched any more" in said(answer)
        assert answer["blocks"][-1]["elements"][0]["value"] == ADDRESS
    await desk.store.watch(OMAR)
    await desk.store.unwatch(OMAR.address)
    assert "Nobody you may see" in said(await desk.type(f"show {OMAR.address}"))


async def test_nobody_removes_or_brings_back_a_colleagues_contact(desk: Reception) -> None:
    await desk.store.watch(OMAR)
    assert "is max@vendor.example's" in said(await desk.type("remove omar"))
    assert "is max@vendor.example's" in said(await desk.press("contacts.remove", OMAR.address))
    await desk.store.unwatch(OMAR.address)
    assert "is max@vendor.example's" in said(await desk.press("contacts.undo", OMAR.address))
    assert await desk.store.contacts() == []
    assert "nothing can be undone" in said(await desk.press("contacts.undo", "nobody@acme.example"))


async def test_exposure_says_on_how_many_people_each_deal_rests(desk: Reception) -> None:
    await desk.store.watch(JANE)
    await desk.store.watch(
        Contact(
            "cy@solo.example",
            "Cy Solo",
            account="Solo",
            owner="rita@vendor.example",
            deal=Deal("New", stage="Closed won"),
        )
    )
    await desk.store.record(
        [
            Observation(address, kind, NOW - timedelta(days=days), "mailbox", kind, group=f"{days}")
            for address, kind, days in (
                (ADDRESS, "wrote", 5),
                (ADDRESS, "written_to", 6),
                ("ann.lee@acme.example", "wrote", 90),
                ("bob@acme.example", "written_to", 2),
            )
        ]
    )
    text = said(await desk.type("exposure"))
    assert "*Acme*: Renewal 2026, EUR 120,000" in text
    assert "1 person: Jane Doe" in text
    assert "If Jane Doe leaves, 0 remain." in text
    assert "Solo" not in text
    await desk.store.record([Observation("bob@acme.example", "meeting_accepted", NOW, "mailbox", "accepted")])
    assert "If Jane Doe leaves, 1 remains." in said(await desk.type("exposure"))


def test_exposure_names_some_who_are_in_contact_and_counts_the_others() -> None:
    crowd = tuple(InTouch(f"p{i}@acme.example", f"Person {i}", NOW - timedelta(days=i)) for i in range(7))
    text = said({"blocks": list(exposed([Exposure("Acme", (JANE,), crowd)], NOW).blocks)})
    assert "7 people: Person 0 (Mon 3 Aug)" in text
    assert "Person 4 (Thu 30 Jul) and 2 more." in text
    assert "Person 5" not in text


async def test_exposure_without_deals_says_so(desk: Reception) -> None:
    await desk.store.watch(OMAR)
    assert "None of your people has an open deal" in said(await desk.type("exposure"))


async def test_stats_say_how_often_each_kind_was_right(desk: Reception) -> None:
    assert "No alert was answered" in said(await desk.type("stats"))
    raised = await raise_alert(desk.store)
    await desk.store.answer(Answer(ADDRESS, raised.case, "U0RITA001", NOW, Choice.LEFT))
    assert "1 of 1 right, too few answers to say more" in said(await desk.type("stats"))


async def test_team_tells_admins_how_the_whole_is_and_nobody_else(desk: Reception) -> None:
    boxes = ["mailbox:rita@vendor.example", "mailbox:max@vendor.example", "public_pages:acme.example"]

    async def sources() -> list[str]:
        return boxes

    desk.app.sources = sources
    desk.app.coverage = lambda: Coverage(
        (Outage(boxes[1], NOW - timedelta(days=2), needs_human=True),), {boxes[0]: NOW}
    )
    await raise_alert(desk.store)
    await desk.store.watch(replace(OMAR, owner=""))
    text = said(await desk.type("team", by="max"))
    assert "*Mailboxes connected:* 1 of 2" in text
    assert "2, 1 without an owner (Omar Said)" in text
    assert "*Cases without an answer:* 1, the oldest of Mon 3 Aug" in text
    assert "mailbox max@vendor.example since Sat 1 Aug: somebody has to connect it again" in text
    assert "for the admins" in said(await desk.type("team"))


async def test_help_lists_the_verbs_and_those_for_admins_to_admins(desk: Reception) -> None:
    for text in ("", "help", "  HELP  "):
        answer = said(await desk.type(text))
        assert "`/champion add jane@acme.example Jane Doe, Acme`" in answer
        assert "forget" not in answer
    assert "`/champion forget WHO`" in said(await desk.type("help", by="max"))


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("lst", "`/champion list`"),
        ("watch jane@acme.example", "`/champion add"),
        ("shwo x", "`/champion show WHO`"),
        ("forgt x", "`/champion help`"),
        ("<!channel>", "`/champion help`"),
    ],
)
async def test_an_unknown_verb_gets_the_nearest_one_and_its_usage(
    desk: Reception, typed: str, near: str
) -> None:
    text = said(await desk.type(typed))
    assert "There is no verb" in text
    assert near in text
    assert "<!channel>" not in text


async def test_the_drill_goes_through_every_stage_is_marked_and_touches_nothing(desk: Reception) -> None:
    from watchers import load

    load()
    answer = said(await desk.type("drill"))
    assert "TEST" in answer
    assert "every stage held" in answer
    [alert] = desk.server.ephemeral()
    assert alert["target_user"] == desk.server.user("rita")
    assert alert["text"].startswith("TEST")
    assert "Likely left" in json.dumps(alert["blocks"])
    assert "actions" not in [block["type"] for block in alert["blocks"]]
    assert "overflow" not in json.dumps(alert["blocks"])
    assert await desk.store.contacts() == []
    assert await desk.store.cases() == []
    assert desk.server.messages(desk.server.channel("champions")) == []


async def test_the_drill_names_the_stage_that_failed(
    desk: Reception, monkeypatch: pytest.MonkeyPatch
) -> None:
    from watchers import load

    load()
    desk.server.fail("chat.postEphemeral", error="channel_not_found")
    assert "the drill failed at *post*" in said(await desk.type("drill"))
    monkeypatch.setattr("bot.slack.drill._bounce", lambda _: b"From: nobody@vendor.invalid\r\n\r\n")
    assert "the drill failed at *read*" in said(await desk.type("drill"))

    def broken(_: bytes) -> Any:
        raise RuntimeError("defect")

    monkeypatch.setattr("bot.slack.drill.parse", broken)
    assert "the drill failed at *parse*" in said(await desk.type("drill"))


async def test_the_drill_is_shown_in_place_to_somebody_outside_the_channel(desk: Reception) -> None:
    from watchers import load

    load()
    desk.server.fail("chat.postEphemeral", error="user_not_in_channel")
    assert await desk.command(desk.typed("drill")) == (200, "")
    answer = await desk.told(2)
    assert "every stage held" in said(answer)
    assert said(desk.server.responses()[-2]).startswith("TEST")


async def test_a_refusal_repeats_what_was_typed_as_text_only(desk: Reception) -> None:
    hostile = "&lt;!channel&gt; &lt;https://evil.example|Sign in&gt; *bold*"
    for typed in (f"add {hostile}", f"snooze jane {hostile}", f"add a@{'b' * 300} {hostile}"):
        answer = formatted(await desk.type(typed))
        assert "<!channel>" not in answer
        assert "<https" not in answer
        assert "*bold*" not in answer


@pytest.mark.parametrize("owner", ["ann@vendor.example", "U0ANN", "Ann Lee"])
async def test_nobody_becomes_another_owner_by_taking_their_name(desk: Reception, owner: str) -> None:
    await desk.store.watch(Contact(ADDRESS, "Jane Doe", owner=owner))
    desk.server.show_user("rita", real_name=owner)
    assert "nobody so far" in said(await desk.type("list"))
    assert "Observ" not in said(await desk.type(f"show {ADDRESS}"))
    assert "undo" not in said(await desk.type(f"remove {ADDRESS}")).lower()
    person = await desk.store.person(ADDRESS)
    assert person is not None
    assert person.contact is not None


async def test_a_guest_is_refused(desk: Reception) -> None:
    desk.server.show_user("rita", is_restricted=True)
    assert "not for guests" in said(await desk.type(f"add {ADDRESS}"))
    assert await desk.store.contacts() == []


async def test_somebody_of_another_workspace_is_refused(desk: Reception) -> None:
    for elsewhere in ({"team_id": "T000000009"}, {"user_id": "U00NOBODY"}):
        answer = said(await desk.type(f"add {ADDRESS}", **elsewhere))
        assert "another workspace" in answer or "does not say who you are" in answer
    stranger = {"id": desk.server.user("rita"), "team_id": "T000000009"}
    await desk.store.watch(JANE)
    assert "another workspace" in said(await desk.press("contacts.remove", ADDRESS, user=stranger))
    assert await desk.store.contacts() == [JANE]


@pytest.mark.parametrize(("secret", "age"), [("wrong", 0), (SIGNING_SECRET, 600)])
async def test_a_request_that_is_unsigned_or_old_is_refused(
    slack_server: Workspace, secret: str, age: int
) -> None:
    async with reception(slack_server) as desk:
        assert isinstance(desk.wire, Signed)
        body = desk.typed(f"add {ADDRESS}")
        assert (await desk.wire.request(body, "slash_commands", secret, age))[0] == 401
        assert await desk.store.contacts() == []


async def test_a_command_that_comes_twice_counts_once(desk: Reception) -> None:
    body = desk.typed(f"add {ADDRESS}")
    assert (await desk.command(body))[0] == 200
    await desk.told()
    await desk.store.unwatch(ADDRESS)
    assert (await desk.command(body))[0] == 200
    await asyncio.sleep(0.1)
    assert await desk.store.contacts() == []
    assert len(desk.server.responses()) == 1


async def test_slack_in_trouble_is_said_and_nothing_is_changed(desk: Reception) -> None:
    desk.server.fail("users.info", status=503, times=9)
    assert "Slack is in trouble" in said(await desk.type(f"add {ADDRESS}"))
    assert await desk.store.contacts() == []


async def test_a_defect_is_said_without_a_traceback(desk: Reception, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise RuntimeError("a secret of the house")

    monkeypatch.setattr(desk.store, "contacts", broken)
    text = said(await desk.type("show jane"))
    assert "went wrong here" in text
    assert "secret" not in text


async def test_hostile_names_are_shown_as_text_and_cut(desk: Reception) -> None:
    hostile = replace(JANE, name=HOSTILE, account=HOSTILE, title=HOSTILE)
    await raise_alert(desk.store, SLIPPING, hostile)
    for typed in ("list", f"show {ADDRESS}", "exposure", f"remove {ADDRESS}", f"add {ADDRESS}"):
        answer = await desk.type(typed)
        for forbidden in ("<!channel>", "<@U0AAAAAAA>", "*bold*", "`code`"):
            assert forbidden not in formatted(answer)
        for forbidden in ("\u202e", "x" * 400):
            assert forbidden not in said(answer)


async def test_slack_is_answered_at_once_although_a_look_up_takes_long(desk: Reception) -> None:
    desk.server.fail("users.info", delay=1000 * ANSWER_SECONDS)
    started = time.monotonic()
    assert await desk.command(desk.typed(f"add {ADDRESS}")) == (200, "")
    assert time.monotonic() - started < ANSWER_SECONDS
    await desk.told()
    assert await known(desk) is not None


def test_a_verdict_is_never_told_by_colour_alone() -> None:
    from bot.model import Watched
    from bot.slack.contacts import Page, listed

    for verdict in Verdict:
        card = listed(Page.of([Watched(JANE, verdict)], 0, everybody=False), NOW)
        assert verdict.value in card.text
        assert f"*{verdict.value.capitalize()}*" in str(card.blocks)
