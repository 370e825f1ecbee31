"""Learning through the store and the pipeline, as it is done every night."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot import audit, learner, learning
from bot.answers import observe
from bot.audit import Question
from bot.cli import main
from bot.evidence import EVEN, LARGEST, Scales
from bot.learning import Record, What
from bot.model import Answer, Choice, Contact, Observation, Verdict
from bot.pipeline import Pipeline
from bot.store import Store
from bot.store.memory import MemoryStore
from bot.store.tiny import TinyStore
from tests.observations import NOW, RULES, bounce, exchange, wrote

LATER = timedelta(minutes=10)


def pipeline(store: Store) -> Pipeline:
    return Pipeline(store, RULES, ["vendor.example"], baseline=False)


async def answered(pipe: Pipeline, count: int, choice: Choice, what: Callable[[str], Observation]) -> None:
    """Let so many people alarm by the same sort of sign, and a rep answer each time the same."""
    addresses = [f"p{number}@a{number}.example" for number in range(count)]
    for address in addresses:
        await pipe.store.watch(Contact(address))
        await pipe.store.record([*exchange(address), what(address)])
    await pipe.judge(NOW)
    await pipe.judge(NOW + LATER)
    for number, case in enumerate(await pipe.store.cases()):
        at = NOW + LATER * 2 + timedelta(minutes=number)
        word = Answer(case.contact, case.key, "U1", at, choice)
        await pipe.store.answer(word, observe(word))


async def test_a_sort_of_sign_that_was_always_false_comes_to_count_for_less_and_later_verdicts_follow() -> (
    None
):
    pipe = pipeline(MemoryStore())
    await answered(pipe, 30, Choice.STILL_THERE, lambda address: bounce(1, address))
    tomorrow = NOW + timedelta(days=1)
    record = await learner.learn(pipe.store, pipe, tomorrow)
    assert record is not None
    assert record.labels == 30
    assert 1 / LARGEST <= record.after.mail < 0.8
    assert record.new_brier is not None
    assert record.old_brier is not None
    assert record.new_brier < record.old_brier
    assert pipe.rules.scales == record.after
    jane = Contact("jane@acme.example")
    await pipe.store.watch(jane)
    await pipe.store.record([*exchange(), bounce(1)])
    (found,) = await pipe.judge(tomorrow, [jane.address])
    pipe.rules = replace(pipe.rules, scales=EVEN)
    (shipped,) = await pipe.judge(tomorrow, [jane.address])
    assert found.probability < shipped.probability
    again = pipeline(pipe.store)
    await learner.take(again.store, again)
    assert again.rules.scales == record.after


async def test_with_nineteen_answers_nothing_is_kept() -> None:
    pipe = pipeline(MemoryStore())
    await answered(pipe, 19, Choice.STILL_THERE, lambda address: bounce(1, address))
    assert await learner.learn(pipe.store, pipe, NOW + timedelta(days=1)) is None
    assert await pipe.store.setting(learning.SETTING) is None
    assert pipe.rules.scales == EVEN


async def test_an_adoption_can_be_undone_and_what_it_rested_on_is_not_learnt_again() -> None:
    pipe = pipeline(MemoryStore())
    await answered(pipe, 30, Choice.STILL_THERE, lambda address: bounce(1, address))
    assert await learner.learn(pipe.store, pipe, NOW + timedelta(days=1)) is not None
    await learner.switch(pipe.store, What.RESET, NOW + timedelta(days=2))
    assert await learner.learn(pipe.store, pipe, NOW + timedelta(days=3)) is None
    assert pipe.rules.scales == EVEN
    kept = learning.records(await pipe.store.setting(learning.SETTING))
    assert [one.what for one in kept] == [What.LEARNT, What.RESET]


@pytest.mark.parametrize(("choice", "left"), [(Choice.STILL_THERE, False), (Choice.LEFT, True)])
async def test_what_is_said_of_somebody_who_never_alarmed_is_a_label_of_silence(
    choice: Choice, *, left: bool
) -> None:
    pipe = pipeline(MemoryStore())
    jane = Contact("jane@acme.example")
    await pipe.store.watch(jane)
    await pipe.store.record([*exchange(), wrote(2)])
    (before,) = await pipe.judge(NOW)
    question = Question(NOW.date(), "U1", jane.address)
    await pipe.store.save_setting(audit.SETTING, audit.with_one(None, question))
    assert await learner.audited(pipe.store, pipe.rules, NOW) == []
    word = Answer(jane.address, question.group, "U1", NOW + LATER, choice)
    seen = observe(word)
    assert seen is not None
    await pipe.store.record([seen])
    (one,) = await learner.audited(pipe.store, pipe.rules, NOW + timedelta(days=1))
    assert one.right is left
    assert one.probability(EVEN) == pytest.approx(before.probability, abs=0.002)
    (after,) = await pipe.judge(NOW + timedelta(days=1))
    assert (after.verdict is Verdict.LEFT) == left
    assert await learner.audited(pipe.store, pipe.rules, NOW + timedelta(days=500)) == []


async def test_somebody_who_was_forgotten_is_no_label() -> None:
    pipe = pipeline(MemoryStore())
    jane = Contact("jane@acme.example")
    await pipe.store.watch(jane)
    question = Question(NOW.date(), "U1", jane.address)
    await pipe.store.save_setting(audit.SETTING, audit.with_one(None, question))
    await pipe.store.forget(jane.address)
    assert jane.address not in json.dumps(await pipe.store.setting(audit.SETTING))
    assert await learner.audited(pipe.store, pipe.rules, NOW) == []


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text(f"team:\n  domains: [vendor.example]\ndata: {tmp_path / 'data'}\n")
    return file


def run(*words: object) -> str:
    result = CliRunner().invoke(main, ["learning", *map(str, words)])
    assert result.exit_code == 0, result.output
    return result.output


async def adopt(folder: Path) -> None:
    """Keep that scales were learnt."""
    moment = datetime(2026, 6, 16, tzinfo=UTC)
    async with await TinyStore.open(folder) as store:
        await learner.keep(store, Record(moment, What.LEARNT, EVEN, Scales(mail=0.75), 30, 0.2, 0.15))


def test_the_command_shows_puts_back_and_switches_off(settings: Path) -> None:
    asyncio.run(adopt(settings.parent / "data"))
    assert "mail 1.00 to 0.75, by 30 answers; Brier score 0.200 before, 0.150 after" in run(
        "show", "--config", settings
    )
    shown = json.loads(run("show", "--json", "--config", settings))
    assert shown["scales"]["mail"] == 0.75
    assert shown["records"][0]["new_brier"] == 0.15
    assert json.loads(run("reset", "--json", "--config", settings))["scales"]["mail"] == 1
    off = json.loads(run("off", "--json", "--config", settings))
    assert (off["off"], [one["what"] for one in off["records"]]) == (True, ["learnt", "reset", "off"])
    assert "(learning is off)" in run("show", "--config", settings)
    assert json.loads(run("on", "--json", "--config", settings))["off"] is False
