from __future__ import annotations

import io
import unicodedata
from dataclasses import replace

import pytest
from rich.console import Console

from bot.clock import FrozenClock
from bot.model import Action, Answer, Case, Choice, Contact, Decision, Reason
from bot.pipeline import FIRST_PASSES
from bot.slack import cards
from bot.slack.cards import Scene
from bot.slack.outbox import drain
from bot.slack.parts import Card
from bot.store.memory import MemoryStore
from bot.terminal import NO_BUTTONS, TerminalPoster, TerminalTeller, show
from tests.observations import bounce
from tests.slack.story import ADDRESS, JANE, LEFT, MAILBOX, NOW, SLIPPING, alert, raise_alert

TOM = Contact("tom@acme.example", "Tom Berg", "", "Acme")


def drawn(card: Card, width: int = 80, *, thread: bool = False, colour: bool = False) -> str:
    """Return what a terminal of that width shows."""
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=colour, color_system="256" if colour else None)
    show(card, console, thread=thread)
    return out.getvalue()


def flat(text: str) -> str:
    """Return the words without frame and line breaks."""
    return " ".join("".join(" " if character in "│╭╮╰╯─\n" else character for character in text).split())


def columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("thread", [False, True])
def test_no_line_is_wider_than_the_terminal(width: int, *, thread: bool) -> None:
    card = (
        cards.raised_again(alert(), alert(SLIPPING), Scene(NOW))
        if thread
        else cards.case(alert(), None, Scene(NOW))
    )
    assert max(columns(line) for line in drawn(card, width, thread=thread).splitlines()) <= width


@pytest.mark.parametrize("width", range(40, 100, 7))
def test_no_button_is_broken_in_two(width: int) -> None:
    said = drawn(cards.case(alert(), None, Scene(NOW)), width)
    assert "[ Changed role… ]" in said
    assert all(line.count("[ ") == line.count(" ]") for line in said.splitlines())


def test_the_terminal_says_what_slack_says() -> None:
    said = flat(drawn(cards.case(alert(), None, Scene(NOW, "<@U0RITA0001>"))))
    for part in (
        "● Jane Doe, Head of Platform, Acme",
        "@U0RITA0001",
        "Left: an automatic reply says that she no longer works there",
        "• Mon 3 Aug Automatic reply: no longer with Acme",
        "Turn to: Ann Lee <ann.lee@acme.example> (named in the automatic reply)",
        "or Bob Roe <bob.roe@acme.example> (on the last 3 invitations; wrote 9 days ago)",
        "Last real contact Wed 3 Jun, 61 days ago · Source: mailbox rita@vendor.example",
        "[ Confirm left ]",
        "[ Snooze… ]",
    ):
        assert flat(part) in said


def test_what_was_escaped_for_slack_is_plain_in_a_terminal_and_no_markup_is_left() -> None:
    card = cards.case(alert(), None, Scene(NOW, "R&amp;D &lt;team&gt; [bold]"))
    said = flat(drawn(card))
    assert "R&D <team> [bold]" in said
    assert "*" not in said
    assert "mailto" not in said


def test_without_colour_nothing_but_text_is_written() -> None:
    assert "\x1b" not in drawn(cards.case(alert(), None, Scene(NOW)))


def test_colour_only_repeats_what_the_words_say() -> None:
    plain, coloured = (
        drawn(cards.case(alert(), None, Scene(NOW)), colour=colour) for colour in (False, True)
    )
    assert "\x1b[" in coloured
    stripped = "".join(
        part.partition("m")[2] if i else part for i, part in enumerate(coloured.split("\x1b["))
    )
    assert stripped == plain


def test_a_settled_alert_says_so_with_a_mark_and_in_words() -> None:
    case = Case(ADDRESS, 1, settled=Answer(ADDRESS, alert().case, "U0RITA0001", NOW, Choice.LEFT))
    said = flat(drawn(cards.case(alert(), case, Scene(NOW))))
    assert said.startswith("Stillthere ✔ Jane Doe")
    assert "Settled by @U0RITA0001, Mon 3 Aug: Jane Doe has left" in said


def test_why_is_drawn_too() -> None:
    assert "Meeting pushed" in flat(drawn(cards.why(alert(), Scene(NOW))))


async def test_without_slack_the_outbox_speaks_in_the_terminal() -> None:
    out = io.StringIO()
    poster = TerminalPoster(Console(file=out, width=80))
    store, clock = MemoryStore(), FrozenClock(NOW)
    await raise_alert(store, SLIPPING)
    assert await drain(store, poster, clock) == 1
    assert "in the thread" not in out.getvalue()
    await raise_alert(store, LEFT)
    assert await drain(store, poster, clock) == 1
    assert await drain(store, poster, clock) == 0
    assert "in the thread" in out.getvalue()
    assert "was: slipping" in flat(out.getvalue())


async def test_without_slack_a_card_says_where_to_answer_in_the_place_of_its_buttons() -> None:
    out = io.StringIO()
    store, clock = MemoryStore(), FrozenClock(NOW)
    await raise_alert(store, LEFT)
    assert await drain(store, TerminalPoster(Console(file=out, width=80), NO_BUTTONS), clock) == 1
    assert "[ " not in out.getvalue()
    assert flat(NO_BUTTONS) in flat(out.getvalue())


async def already_gone(store: MemoryStore, contact: Contact) -> None:
    """Keep what the first pass found of somebody, the way the pipeline does."""
    await store.watch(contact)
    person = await store.person(contact.address)
    assert person is not None
    held = Decision(contact.address, NOW, Action.HOLD, Reason.BASELINE, LEFT.verdict, LEFT.probability)
    assert await store.conclude(person.version, replace(LEFT, contact=contact.address), held)


async def test_without_slack_who_already_looked_gone_is_listed_once_in_the_terminal() -> None:
    out, store = io.StringIO(), MemoryStore()
    teller = TerminalTeller(Console(file=out, width=80), store)
    for contact in (JANE, TOM):
        await already_gone(store, contact)
    assert await teller.tell_baselines(NOW) == 0
    assert out.getvalue() == ""
    await store.save_cursor(FIRST_PASSES, {MAILBOX: NOW.isoformat()})
    assert await teller.tell_baselines(NOW) == 1
    said = flat(out.getvalue())
    assert "Already looks gone. 2 of your people looked so when" in said
    assert "Jane Doe, Acme · Left" in said
    assert "Tom Berg, Acme · Left" in said
    assert flat(NO_BUTTONS) in said
    assert "[ " not in said
    again = TerminalTeller(Console(file=out, width=80), store)
    assert await again.tell_baselines(NOW) == 0


async def test_the_list_in_the_terminal_waits_until_everybody_is_judged() -> None:
    out, store = io.StringIO(), MemoryStore()
    teller = TerminalTeller(Console(file=out, width=80), store)
    await already_gone(store, JANE)
    await store.watch(TOM)
    await store.record([replace(bounce(1), contact=TOM.address)])
    await store.save_cursor(FIRST_PASSES, {MAILBOX: NOW.isoformat()})
    assert await teller.tell_baselines(NOW) == 0
    await already_gone(store, TOM)
    assert await teller.tell_baselines(NOW) == 1
    assert "Tom Berg" in out.getvalue()


async def test_a_first_pass_that_found_nobody_gone_prints_nothing() -> None:
    out, store = io.StringIO(), MemoryStore()
    await store.watch(JANE)
    await store.save_cursor(FIRST_PASSES, {MAILBOX: NOW.isoformat()})
    assert await TerminalTeller(Console(file=out), store).tell_baselines(NOW) == 0
    assert out.getvalue() == ""
