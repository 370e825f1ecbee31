"""A departure is told with the same people to turn to, for the same reasons, wherever it is told."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from bot import demo, story
from bot.crm.proposals import Change, Proposal, Step, wanted
from bot.digest import Book, Own, week
from bot.model import Alert, Answer, Case, Choice, Person, Suggestion
from bot.slack import cards, contacts
from bot.slack import week as weekly
from bot.slack.cards import Scene
from bot.slack.mrkdwn import quote
from bot.slack.names import Naming
from bot.slack.parts import Card
from bot.slack.proposals import offered
from bot.slack.suggestions import brief, whom
from bot.store.tiny import TinyStore
from watchers import load

NOW = datetime(2026, 7, 7, 8, tzinfo=UTC)


@pytest.fixture
async def jane(tmp_path: Path) -> Person:
    load()
    await demo.play(Console(file=io.StringIO()), tmp_path)
    async with await TinyStore.open(tmp_path / "data") as store:
        person = await store.person(story.CHAMPION.address)
        (watched,) = await store.watchlist()
    assert person is not None
    assert watched.contact == person.contact
    return person


def first(person: Person) -> Suggestion:
    assert person.assessment is not None
    return person.assessment.suggestions[0]


def told(card: Card) -> str:
    return json.dumps(card.blocks, ensure_ascii=False)


async def test_alert_why_show_digest_and_crm_name_the_same_person_for_the_same_reasons(
    jane: Person, tmp_path: Path
) -> None:
    best = first(jane)
    assert best.successor
    assert best.reasons[0] == "named in Jane Doe's own reply of 6 July"
    assert best.reasons[1].startswith("last wrote ")
    assert best.reasons[2] == "on 3 threads with us"
    (case,) = jane.cases
    raised = case.deliveries[-1].alert
    assert raised.assessment.suggestions == jane.assessment.suggestions if jane.assessment else ()
    assert jane.contact is not None
    async with await TinyStore.open(tmp_path / "data") as store:
        (watched,) = await store.watchlist()
    # The digest tells of a case that nobody took; the rest is drawn from the same judgement.
    book = Book([Own(watched, jane)], {"Acme": [jane]})
    digest = weekly.digest(week(book, NOW - timedelta(days=7), NOW), NOW)
    shown = {
        "alert": told(cards.case(raised, case, Scene(NOW))),
        "why": told(cards.why(raised, Scene(NOW))),
        "show": told(contacts.shown(jane, jane.contact, NOW, may_change=False)),
        "digest": told(digest),
        "crm": told(proposed(case, raised)),
    }
    for where, text in shown.items():
        assert best.name in text, where
        assert best.address in text, where
        for reason in best.reasons if where in {"why", "show"} else brief(best):
            assert quote(reason, 100) in text, (where, reason)


def proposed(case: Case, raised: Alert) -> Card:
    """Return the CRM's card as it is drawn once a rep said that Jane left."""
    answer = Answer(case.contact, case.key, "U1", NOW, Choice.LEFT)
    asked = wanted(replace(case, settled=answer), "k", "Rita Rep")
    change = Change(Step.NOTE, "note on Jane Doe", "no note", asked.note)
    return offered(raised, asked, Proposal("1", (change,)), "HubSpot")


async def test_all_of_them_are_named_in_the_same_words_on_the_alert_and_the_crms_card(jane: Person) -> None:
    (case,) = jane.cases
    raised = case.deliveries[-1].alert
    words = json.dumps(whom(raised.assessment, Naming.of(raised, "full")), ensure_ascii=False)[1:-1]
    assert len(raised.assessment.suggestions) > 1
    assert words in told(cards.case(raised, case, Scene(NOW)))
    assert words in told(proposed(case, raised))


async def test_the_crm_is_offered_the_very_person_that_the_alert_names(jane: Person) -> None:
    (case,) = jane.cases
    answer = Answer(jane.address, case.key, "U1", NOW, Choice.LEFT)
    settled: Case = replace(case, settled=answer)
    assert wanted(settled, "k", "Rita Rep").successor == first(jane)
