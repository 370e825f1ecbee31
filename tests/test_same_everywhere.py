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
from bot.crm.proposals import wanted
from bot.digest import Book, Own, week
from bot.model import Answer, Case, Choice, Person, Suggestion
from bot.slack import cards, contacts
from bot.slack import week as weekly
from bot.slack.cards import Scene
from bot.slack.mrkdwn import quote
from bot.slack.parts import Card
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
    assert best.reasons[1].startswith("on 3 threads with us, last wrote ")
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
    }
    for where, text in shown.items():
        assert best.name in text, where
        assert best.address in text, where
        for reason in best.reasons[:2]:
            assert quote(reason, 100) in text, (where, reason)


async def test_the_crm_is_offered_the_very_person_that_the_alert_names(jane: Person) -> None:
    (case,) = jane.cases
    answer = Answer(jane.address, case.key, "U1", NOW, Choice.LEFT)
    settled: Case = replace(case, settled=answer)
    assert wanted(settled, "k", "Rita Rep").successor == first(jane)
