from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.model import (
    Alert,
    Answer,
    Assessment,
    Case,
    Choice,
    Contact,
    Deal,
    Delivery,
    Family,
    Means,
    Strength,
    Suggestion,
    Verdict,
)
from bot.slack import cards, words
from bot.slack.cards import Scene
from bot.slack.names import Names
from bot.slack.parts import Card
from tests.servers.block_kit import check_message
from tests.slack.story import (
    ADDRESS,
    ANN,
    BOB,
    LEFT,
    NOW,
    PUSHED,
    PUSHED_AGAIN,
    REPLIED,
    SLIPPING,
    alert,
    fact,
)

RITA = "<@U0RITA0001>"
OURS = re.compile(r"<@[UW][A-Z0-9]+>|<mailto:[^<>|]+\|[^<>]*>")


def sent(card: Card) -> dict[str, Any]:
    """Return the card the way it goes over the wire, having checked it."""
    payload: dict[str, Any] = json.loads(json.dumps({"text": card.text, "blocks": card.blocks}))
    check_message(payload)
    return payload


def lines(card: Card) -> list[str]:
    """Return what a person reads on the card, without the buttons."""
    texts = []
    for block in sent(card)["blocks"]:
        if block["type"] == "section":
            texts += block["text"]["text"].split("\n")
        elif block["type"] == "context":
            texts += [element["text"] for element in block["elements"]]
    return texts


def buttons(card: Card, row: str = "answers") -> list[str]:
    rows = {
        block["block_id"]: block["elements"] for block in sent(card)["blocks"] if block["type"] == "actions"
    }
    return [element["text"]["text"] for element in rows.get(row, [])]


GONE_BUTTONS = ["Confirm left", "Still there", "On leave…", "Changed role…", "Snooze…"]


def case(assessment: Assessment = LEFT, episode: int = 1) -> Case:
    return Case(ADDRESS, episode, (Delivery(alert(assessment, episode=episode)),))


def word(choice: Choice, until: date | None = None, champion: str = "") -> Answer:
    return Answer(ADDRESS, f"{ADDRESS}:1", "U0MAX00001", NOW, choice, until, champion)


def settled(choice: Choice, until: date | None = None, champion: str = "") -> Case:
    return replace(case(), settled=word(choice, until, champion))


@pytest.mark.parametrize("assessment", [SLIPPING, replace(LEFT, headline=REPLIED.sentence)])
def test_an_alert_is_understood_in_four_to_six_lines(assessment: Assessment) -> None:
    assert 4 <= len(lines(cards.case(alert(assessment), None, Scene(NOW, RITA)))) <= 6


def test_three_people_to_turn_to_are_three_short_lines_more_than_none() -> None:
    many = ("Head of Operations", "last reply 3 days ago", "on 12 threads with us, 5 of them with Jane Doe")
    crowd = tuple(Suggestion(f"Person {i}", f"p{i}@acme.example", many) for i in range(3))
    judged = replace(LEFT, headline=REPLIED.sentence, suggestions=crowd)
    told = lines(cards.case(alert(judged), None, Scene(NOW, RITA)))
    assert len(told) <= 7
    assert [line for line in told if "Person" in line] == [
        "*Turn to:* <mailto:p0@acme.example|Person 0> (Head of Operations; last reply 3 days ago)",
        "or <mailto:p1@acme.example|Person 1> (Head of Operations; last reply 3 days ago)",
        "or <mailto:p2@acme.example|Person 2> (Head of Operations; last reply 3 days ago)",
    ]


def test_a_first_reason_is_told_however_long_it_is() -> None:
    long = "answered instead of Maria-Magdalena von Hohenberg-Schwarzenfels, 5 days ago"
    one = Suggestion("Eve Poe", "eve.poe@acme.example", (long, "last reply 5 days ago"))
    told = "".join(lines(cards.case(alert(replace(LEFT, suggestions=(one,))), None, Scene(NOW))))
    assert f"({long})" in told


def test_the_first_line_says_who_and_what_is_at_stake() -> None:
    first = lines(cards.case(alert(), None, Scene(NOW, RITA)))[0]
    for part in ("*Jane Doe*", "Head of Platform", "*Acme*", "EUR 120,000", "closes Fri 30 Oct", RITA):
        assert part in first


def test_the_second_line_says_the_verdict_its_reason_and_its_strength_in_words() -> None:
    second = lines(cards.case(alert(), None, Scene(NOW, RITA)))[1]
    assert second == (
        "*Left*: an automatic reply says that she no longer works there "
        "(strong evidence, two independent signs)."
    )


def test_a_reason_that_stands_among_the_facts_is_not_said_twice() -> None:
    card = cards.case(alert(replace(LEFT, headline=REPLIED.sentence)), None, Scene(NOW))
    assert lines(card)[1] == (
        "*Left*: Automatic reply: no longer with Acme (Mon 3 Aug; strong evidence, two independent signs)."
    )
    assert "".join(lines(card)).count(REPLIED.sentence) == 1
    assert REPLIED.sentence in card.text


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("mailbox:rita@vendor.example", "mailbox rita@vendor.example"),
        ("mx.acme.example", "mx.acme.example"),
        ("https://acme.example/team", "https://acme.example/team"),
        ("10:30", "10:30"),
    ],
)
def test_a_source_is_named_for_a_reader(source: str, shown: str) -> None:
    assert words.source(source) == shown


def test_no_probability_and_no_weight_is_shown() -> None:
    for card in (cards.case(alert(), None, Scene(NOW)), cards.why(alert(), Scene(NOW))):
        assert not re.search(r"0\.\d|\d %|nats", json.dumps(sent(card)))


def test_evidence_is_dated_sourced_and_newest_first() -> None:
    elsewhere = replace(PUSHED, source="calendar rita@vendor.example")
    judged = replace(SLIPPING, evidence=(PUSHED_AGAIN, elsewhere))
    shown = [line for line in lines(cards.case(alert(judged), None, Scene(NOW))) if line.startswith("•")]
    assert shown == [
        "• *Tue 14 Jul*  Meeting pushed from 4 Aug to 18 Aug by them · _mailbox rita@vendor.example_",
        "• *Tue 30 Jun*  Meeting pushed from 21 Jul to 4 Aug by them · _calendar rita@vendor.example_",
    ]


def test_the_source_of_all_facts_is_told_once() -> None:
    shown = lines(cards.case(alert(SLIPPING), None, Scene(NOW)))
    assert [line for line in shown if line.startswith("•")] == [
        "• *Tue 14 Jul*  Meeting pushed from 4 Aug to 18 Aug by them",
        "• *Tue 30 Jun*  Meeting pushed from 21 Jul to 4 Aug by them",
    ]
    assert shown[-1].endswith(" · Source: mailbox rita@vendor.example")


def test_a_source_that_only_one_fact_has_stands_beside_it() -> None:
    elsewhere = replace(REPLIED, source="https://acme.example/team")
    judged = replace(LEFT, evidence=(elsewhere, PUSHED_AGAIN, PUSHED))
    for card in (
        cards.why(alert(judged), Scene(NOW)),
        cards.raised_again(alert(judged), alert(), Scene(NOW)),
    ):
        shown = lines(card)
        assert any(line.endswith("no longer with Acme · _https://acme.example/team_") for line in shown)
        assert shown[-1].endswith("Source, unless said: mailbox rita@vendor.example")
    stated = replace(judged, headline=REPLIED.sentence)
    said = lines(cards.case(alert(stated), None, Scene(NOW)))[1]
    assert "(Mon 3 Aug, _https://acme.example/team_; strong evidence" in said


def test_the_weightiest_evidence_is_shown_and_a_fact_only_once() -> None:
    copies = tuple(replace(REPLIED, key=f"copy{i}") for i in range(5))
    weak = fact(Means.GONE, Family.SILENCE, 1, "12 days silent", weight=0.1)
    crowded = replace(LEFT, evidence=(weak, *copies, PUSHED_AGAIN, PUSHED))
    shown = [line for line in lines(cards.case(alert(crowded), None, Scene(NOW))) if line.startswith("•")]
    assert len(shown) == 2
    assert "no longer with Acme" in shown[0]
    assert "silent" not in "".join(shown)


@pytest.mark.parametrize(("weight", "second"), [(1.5, "3 pushes"), (0.4, "no such mailbox")])
def test_a_fact_of_another_family_comes_before_a_weightier_one_if_it_weighs_enough(
    weight: float, second: str
) -> None:
    bounced = fact(Means.GONE, Family.MAIL, 1, "no such mailbox", weight=6.5)
    drift = fact(Means.SLIPPING, Family.CALENDAR, 30, "3 pushes, 108 days lost", weight=weight)
    told = words.supporting(replace(LEFT, evidence=(REPLIED, bounced, drift)))
    assert told[0] == REPLIED
    assert second in told[1].sentence
    assert len(told) == 3


def test_evidence_that_does_not_count_is_left_to_why() -> None:
    void = replace(PUSHED, weight=0.0, note="contradicted on 1 August", sentence="Meeting pushed long ago")
    judged = replace(LEFT, evidence=(REPLIED, void))
    assert "long ago" not in "".join(lines(cards.case(alert(judged), None, Scene(NOW))))
    assert "contradicted on 1 August" in "".join(lines(cards.why(alert(judged), Scene(NOW))))


def test_the_successor_comes_first_among_the_suggestions_with_the_reasons() -> None:
    shown = [line for line in lines(cards.case(alert(), None, Scene(NOW))) if "mailto" in line]
    assert shown == [
        "*Turn to:* <mailto:ann.lee@acme.example|Ann Lee> (named in the automatic reply)",
        "or <mailto:bob.roe@acme.example|Bob Roe> (on the last 3 invitations; wrote 9 days ago)",
    ]


def test_slipping_asks_for_a_second_contact_now() -> None:
    assert "*Ask for a second contact now:* <mailto:bob" in "".join(
        lines(cards.case(alert(SLIPPING), None, Scene(NOW)))
    )


def test_a_guessed_address_is_called_a_guess_and_is_no_link() -> None:
    guess = Suggestion("Eve Poe", "eve.poe@acme.example", ("on the team page",), guess=True)
    shown = "".join(lines(cards.case(alert(replace(LEFT, suggestions=(guess,))), None, Scene(NOW))))
    assert "Eve Poe (guessed address: eve.poe@acme.example; on the team page)" in shown
    assert "mailto" not in shown


def test_what_else_it_could_be_and_the_last_real_contact_are_shown() -> None:
    shown = lines(cards.case(alert(SLIPPING), None, Scene(NOW)))[-1]
    assert shown.startswith("Last real contact Tue 23 Jun, 41 days ago · Still possible: a full calendar · ")


NAMES: tuple[Names, Names] = ("full", "initials")


def test_what_is_at_stake_at_the_account_is_said_and_names_nobody_where_names_are_kept_short() -> None:
    stakes = (
        "the second departure at Acme: tom@acme.example left 3 days ago",
        "nobody else at Acme is in contact both ways (last 60 days)",
    )
    raised = alert(replace(LEFT, stakes=stakes))
    full, short = (lines(cards.case(raised, None, Scene(NOW, names=names)))[-1] for names in NAMES)
    assert full.startswith("The second departure at Acme: tom@acme.example left 3 days ago · ")
    assert "Nobody else at Acme is in contact both ways (last 60 days)" in full
    assert short.startswith("The second departure at Acme: an address at acme.example left 3 days ago · ")


def test_no_contact_on_record_and_nobody_to_turn_to_are_said() -> None:
    shown = lines(cards.case(alert(replace(LEFT, last_contact=None, suggestions=())), None, Scene(NOW)))[-1]
    assert "No real contact on record" in shown
    assert "Nobody else is known there" in shown


@pytest.mark.parametrize(
    ("assessment", "offered"),
    [
        (LEFT, GONE_BUTTONS),
        (replace(LEFT, verdict=Verdict.LIKELY_LEFT), GONE_BUTTONS),
        (SLIPPING, ["I'm on it", "Nothing wrong", "Snooze…"]),
    ],
)
def test_the_buttons_fit_the_verdict(assessment: Assessment, offered: list[str]) -> None:
    assert buttons(cards.case(alert(assessment), None, Scene(NOW))) == offered


@pytest.mark.parametrize("choice", [Choice.LEFT, Choice.STILL_THERE, Choice.NOTHING_WRONG])
def test_a_settled_alert_says_who_decided_and_offers_nothing_more_to_answer(choice: Choice) -> None:
    card = cards.case(alert(), settled(choice), Scene(NOW, RITA))
    assert buttons(card) == ["Why?"]
    assert lines(card)[-1].startswith("*Settled* by <@U0MAX00001>, Mon 3 Aug: ")
    assert card.text.startswith("Settled by <@U0MAX00001>")


@pytest.mark.parametrize("choice", [Choice.LEFT, Choice.STILL_THERE, Choice.ANSWERED])
def test_a_settled_alert_is_three_lines_and_offers_nobody_to_watch(choice: Choice) -> None:
    card = cards.case(alert(), settled(choice), Scene(NOW, RITA))
    who, verdict, state = lines(card)
    assert "*Jane Doe*" in who
    assert verdict.startswith("*Left*: an automatic reply says")
    assert "Mon 3 Aug" in state
    assert buttons(card, "watch") == []


def test_a_snoozed_alert_can_still_be_answered() -> None:
    card = cards.case(alert(), settled(Choice.SNOOZE, date(2026, 8, 10)), Scene(NOW))
    assert lines(card)[-1] == "*Snoozed* by <@U0MAX00001>, Mon 3 Aug, until Mon 10 Aug"
    assert buttons(card) == GONE_BUTTONS


def test_who_is_on_it_is_shown() -> None:
    said = Answer(ADDRESS, f"{ADDRESS}:1", "U0MAX00001", NOW, Choice.ON_IT)
    card = cards.case(alert(SLIPPING), replace(case(SLIPPING), on_it=said), Scene(NOW, RITA))
    assert lines(card)[-1] == "<@U0MAX00001> is on it, since Mon 3 Aug"
    assert "I'm on it" not in buttons(card)


def test_a_confirmed_departure_names_the_new_champion_and_who_of_those_suggested_is_watched() -> None:
    of = settled(Choice.LEFT, champion=ANN.address)
    card = cards.case(alert(), of, Scene(NOW, RITA, watched={ANN.address}))
    assert (
        lines(card)[-1] == "*Settled* by <@U0MAX00001>, Mon 3 Aug: Jane Doe has left. New champion: Ann Lee"
    )
    unsettled = cards.case(alert(), case(), Scene(NOW, RITA, watched={ANN.address}))
    assert "Ann Lee> (named in the automatic reply; watched)" in "".join(lines(unsettled))
    assert buttons(unsettled, "watch") == ["Watch Bob Roe"]


def test_only_people_with_an_address_that_is_no_guess_can_be_watched() -> None:
    guess = Suggestion("Eve Poe", "eve.poe@acme.example", (), guess=True)
    nameless = Suggestion("Max", "", ())
    card = cards.case(alert(replace(LEFT, suggestions=(guess, nameless))), None, Scene(NOW))
    assert buttons(card, "watch") == []


def test_a_case_that_evidence_settled_says_so_and_asks_nothing() -> None:
    card = cards.case(alert(), settled(Choice.ANSWERED), Scene(NOW, RITA))
    assert lines(card)[-1] == "*Answered on Mon 3 Aug*: no longer a case"
    assert lines(card)[0].startswith(":white_check_mark:")
    assert buttons(card) == ["Why?"]
    assert buttons(card, "watch") == []


def test_who_is_on_it_can_be_said_anew_once_it_got_graver() -> None:
    said = word(Choice.ON_IT)
    before = replace(case(SLIPPING), on_it=replace(said, at=SLIPPING.at - timedelta(hours=1)))
    assert "I'm on it" in buttons(cards.case(alert(SLIPPING), before, Scene(NOW)))


@pytest.mark.parametrize(
    ("ended", "shown"),
    [
        (word(Choice.SNOOZE, date(2026, 8, 3)), "*Reminder*: snoozed by <@U0MAX00001> until Mon 3 Aug."),
        (
            word(Choice.SNOOZE, date(2026, 8, 9)),
            (
                "*Back before the snooze ended*, because it has become graver: "
                "snoozed by <@U0MAX00001> until Sun 9 Aug."
            ),
        ),
        (
            word(Choice.STILL_THERE),
            "*Again*: <@U0MAX00001> decided on Mon 3 Aug: Jane Doe is still there; the signs are newer.",
        ),
        (word(Choice.ANSWERED), "*Again*: they were in touch on Mon 3 Aug; the signs are newer."),
    ],
)
def test_a_case_that_is_back_says_how_it_ended_before(ended: Answer, shown: str) -> None:
    scene = Scene(NOW, RITA, before=replace(case(), settled=ended))
    card = cards.case(alert(episode=2), case(episode=2), scene)
    assert lines(card)[1] == shown
    assert card.text.startswith(shown.replace("*", "").rstrip("."))


def test_a_case_that_was_told_again_rests() -> None:
    card = cards.case(alert(), settled(Choice.SNOOZE, NOW.date()), Scene(NOW, after=case(episode=2)))
    assert lines(card)[-1].endswith("Told again Mon 3 Aug")
    assert buttons(card) == ["Why?"]


NOTICE = Alert(
    Contact("@acme.example", account="Acme", owner="rita@vendor.example"),
    Assessment(
        "@acme.example",
        NOW,
        Verdict.UNCHECKED,
        Strength.SOME,
        0.0,
        "4 addresses at acme.example bounced on 13 June 2026: not counted as departures",
        tuple(
            replace(
                REPLIED, key=who, sentence=f"{who}@acme.example: Mail refused", weight=0, means=Means.NOTED
            )
            for who in ("ann.lee", "bob.roe", "jane.doe", "max.poe")
        ),
        ("a mail migration or a gateway block", "an acquisition"),
    ),
    1,
    NOW,
)


def test_an_account_notice_names_the_account_what_happened_and_what_it_may_be() -> None:
    told = Case("@acme.example", 1, (Delivery(NOTICE),))
    card = cards.case(NOTICE, told, Scene(NOW, RITA))
    assert lines(card) == [
        (
            ":white_circle: *Account notice: Acme.* 4 addresses at acme.example bounced on 13 June 2026. "
            f"Not counted as departures. {RITA}"
        ),
        "Possible: a mail migration or a gateway block; an acquisition",
        "Affected: ann.lee@acme.example, bob.roe@acme.example, jane.doe@acme.example, max.poe@acme.example",
    ]
    assert buttons(card) == ["Understood", "Why?"]
    assert "nchecked" not in json.dumps(sent(card))
    assert card.text.startswith("Account notice: Acme. 4 addresses at acme.example bounced")


def test_an_account_notice_that_was_understood_says_by_whom() -> None:
    told = Case("@acme.example", 1, (Delivery(NOTICE),), settled=word(Choice.UNDERSTOOD))
    card = cards.case(NOTICE, told, Scene(NOW))
    assert lines(card)[-1] == "*Understood* by <@U0MAX00001>, Mon 3 Aug"
    assert buttons(card) == ["Why?"]
    for other in (cards.why(NOTICE, Scene(NOW)), cards.raised_again(NOTICE, NOTICE, Scene(NOW))):
        assert "Account notice: Acme" in "".join(lines(other))
        assert "nchecked" not in json.dumps(sent(other))


def test_in_a_channel_without_names_nobody_is_named() -> None:
    said = "Jane's reply: write to ANN LEE <ann.lee@acme.example> or carl@acme.example"
    facts = (replace(REPLIED, sentence=said), PUSHED)
    raised = alert(replace(LEFT, evidence=facts, headline=said))
    scene = Scene(NOW, RITA, "initials", before=settled(Choice.STILL_THERE))
    every = [
        cards.case(raised, settled(Choice.LEFT, champion=ANN.address), scene),
        cards.case(raised, None, scene),
        cards.raised_again(raised, alert(SLIPPING), scene),
        cards.why(raised, scene),
        cards.case(NOTICE, None, scene),
    ]
    for card in every:
        read = "\n".join([*mrkdwn_of(card), *buttons(card), *buttons(card, "watch")])
        assert not re.search(r"(?i)jane|\bdoe\b|ann\b|\blee\b|bob|\broe\b|carl|@acme", read)
    assert lines(every[1])[0].startswith(":red_circle: *J. D.*, Head of Platform, *Acme*")
    assert "J.'s reply: write to A. L. &lt;A. L.&gt; or an address at acme.example" in "".join(
        lines(every[1])
    )
    assert buttons(every[1], "watch") == ["Watch A. L.", "Watch B. R."]


def test_a_stronger_alert_says_what_it_was_and_what_is_new() -> None:
    card = cards.raised_again(alert(LEFT), alert(SLIPPING), Scene(NOW, RITA))
    shown = lines(card)
    assert shown[0].startswith(f":red_circle: {RITA} *Left* (was: slipping)")
    assert [line for line in shown if line.startswith("•")] == [
        "• *Mon 3 Aug*  Automatic reply: no longer with Acme",
    ]
    assert "Raised again" in card.text
    assert "Ann Lee" in shown[2]
    assert shown[-1] == "Source: mailbox rita@vendor.example"


def test_a_reply_does_not_repeat_whom_to_turn_to() -> None:
    later = replace(SLIPPING, suggestions=(replace(BOB, reasons=("wrote 10 days ago",)),))
    shown = "".join(lines(cards.raised_again(alert(later), alert(SLIPPING), Scene(NOW))))
    assert "Bob Roe" not in shown


def test_the_text_alone_is_a_real_summary() -> None:
    assert cards.case(alert(), None, Scene(NOW, RITA)).text == (
        "Left: Jane Doe, Acme (Renewal 2026, EUR 120,000, closes Fri 30 Oct). "
        "An automatic reply says that she no longer works there. Turn to: Ann Lee or Bob Roe. "
        f"Owner: {RITA}"
    )


def test_initials_end_a_sentence_with_one_full_stop() -> None:
    said = cards.case(alert(), None, Scene(NOW, RITA, "initials")).text
    assert f"Turn to: A. L. or B. R. Owner: {RITA}" in said


def test_a_contact_of_whom_only_the_address_is_known_is_shown_by_it() -> None:
    bare = Contact("omar@other.example")
    judged = Assessment("omar@other.example", NOW, Verdict.LIKELY_LEFT, Strength.SOME, 0.8, "mail is refused")
    shown = lines(cards.case(Alert(bare, judged, 1, NOW), None, Scene(NOW)))
    assert shown[0] == ":large_orange_circle: *omar@other.example*, *other.example*"
    assert shown[1] == "*Likely left*: mail is refused (some evidence)."


def test_dates_are_those_of_the_readers_time_zone() -> None:
    tokyo = timezone(timedelta(hours=9))
    late = datetime(2026, 8, 3, 22, 0, tzinfo=UTC)
    assert words.day(late, NOW) == "Mon 3 Aug"
    assert words.day(late, NOW.astimezone(tokyo)) == "Tue 4 Aug"
    assert words.ago(late - timedelta(days=1), late.astimezone(tokyo)) == "yesterday"


@pytest.mark.parametrize(
    ("when", "shown"),
    [
        (date(2026, 10, 30), "Fri 30 Oct"),
        (date(2025, 8, 3), "Sun 3 Aug 2025"),
        (date(2027, 8, 3), "Tue 3 Aug 2027"),
    ],
)
def test_a_far_off_date_shows_its_year(when: date, shown: str) -> None:
    assert words.day(when, NOW) == shown


@pytest.mark.parametrize(
    ("deal", "shown"),
    [
        (Deal(), ""),
        (Deal("Renewal"), "Renewal"),
        (Deal(amount=1200.4), "1,200"),
        (Deal(amount=0.0, currency="USD"), "USD 0"),
        (Deal(amount=float("nan"), close_date=date(2026, 7, 1)), "was to close Wed 1 Jul"),
    ],
)
def test_a_deal_shows_what_is_known_of_it(deal: Deal, shown: str) -> None:
    assert words.deal(deal, NOW) == shown


HOSTILE = [
    "<!channel> <!here> <!everyone>",
    "<@U0ADMIN001> <#C0SECRET01>",
    "<https://evil.example|your bank>",
    "*bold* _italic_ ~struck~ `code` ```block```",
    "> quoted",
    "&lt;!channel&gt; &amp;",
    ":fire: :rotating_light:",
    "first line\nsecond line\r\n\u2028third\x00\x1b[31m",
    "abc\u202egnp.exe\u2066\u200f",
    "a" * 10_000,
    "&" * 10_000,
    "<" * 10_000,
    "\ud800 half",
    "|pipe|",
    "\u200b\u200e\ufeff",
    " ",
    "山田 太郎 👩‍👩‍👧 Zoë O'Brien",
]


def everywhere(text: str) -> list[Card]:
    """Return every card, with the text in each place that outsiders fill."""
    contact = Contact(ADDRESS, text, text, text, text, Deal(text, 1.0, text, text, date(2026, 9, 1)))
    facts = tuple(
        replace(e, sentence=text, source=text, note=text, key=f"{i}")
        for i, e in enumerate([REPLIED, PUSHED] * 8)
    )
    people = tuple(
        Suggestion(text, address, (text,) * 9, guess=guess)
        for address in (text, "a@b.example")
        for guess in (True, False)
    )
    judged = replace(
        LEFT,
        headline=text,
        evidence=facts,
        suggestions=people,
        other_explanations=(text,) * 9,
        returns=date(2026, 9, 1),
    )
    raised = Alert(contact, judged, 1, NOW)
    decided = Case(ADDRESS, 1, settled=Answer(ADDRESS, raised.case, text, NOW, Choice.LEFT, champion=text))
    return [
        cards.case(raised, None, Scene(NOW)),
        cards.case(raised, decided, Scene(NOW)),
        cards.raised_again(raised, alert(SLIPPING), Scene(NOW)),
        cards.why(raised, Scene(NOW)),
        cards.case(raised, None, Scene(NOW, names="initials", before=decided)),
        cards.case(replace(raised, contact=replace(contact, address="@a.example")), decided, Scene(NOW)),
    ]


def mrkdwn_of(card: Card) -> list[str]:
    return [card.text, *lines(card)]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_as_text_within_slacks_limits(text: str) -> None:
    for card in everywhere(text):
        for line in mrkdwn_of(card):
            assert "<" not in OURS.sub("", line)
            assert not line.startswith("&gt;")
            assert not re.search(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069\u2028]", line)


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet=st.characters(), max_size=400))
def test_no_text_at_all_breaks_a_card(text: str) -> None:
    for card in everywhere(text):
        for line in mrkdwn_of(card):
            assert "<" not in OURS.sub("", line)


def test_why_shows_the_successor_first_and_stays_within_bounds() -> None:
    crowd = tuple(Suggestion(f"P{i}", f"p{i}@acme.example", ()) for i in range(50))
    facts = tuple(replace(PUSHED, key=f"{i}", sentence=f"fact {i}") for i in range(60))
    shown = lines(cards.why(alert(replace(LEFT, evidence=facts, suggestions=(*crowd, ANN))), Scene(NOW)))
    assert "Ann Lee" in next(line for line in shown if line.startswith("*Turn to"))
    assert "and 50 more of less weight" in shown
    assert BOB.name not in "".join(shown)
