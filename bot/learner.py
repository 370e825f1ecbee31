"""Learn every night from what was answered, and judge by it: the part of learning that reads and keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot import audit, learning
from bot.answers import LEFT
from bot.assessment import assess
from bot.evidence import EVEN
from bot.learning import Label, Record, What
from bot.model import Person
from bot.pipeline import Pipeline, Rules
from bot.store import Store

log = structlog.get_logger()

JUST_BEFORE = timedelta(microseconds=1)


async def take(store: Store, pipeline: Pipeline) -> Sequence[Record]:
    """Judge by the scales that are kept from now on; return their records."""
    known = learning.records(await store.setting(learning.SETTING))
    scales = known[-1].after if known else EVEN
    if scales != pipeline.rules.scales:
        pipeline.rules = replace(pipeline.rules, scales=scales)
    return known


async def learn(store: Store, pipeline: Pipeline, now: datetime) -> Record | None:
    """Learn from all answers, and adopt what is better; return its record, None where nothing changed."""
    known = await take(store, pipeline)
    cases = await store.cases()
    found = learning.labels(cases, now, known)
    found += await audited(store, pipeline.rules, now)
    found.sort(key=lambda one: one.at)
    record = await asyncio.to_thread(learning.learnt, found, known, now, learning.asked(cases))
    if record is None:
        return None
    await keep(store, record)
    await take(store, pipeline)
    log.warning("scales.learnt", what=learning.line(record))
    return record


async def keep(store: Store, record: Record) -> None:
    """Keep a record beside those that are kept."""
    await store.amend_setting(learning.SETTING, lambda kept: learning.kept([*learning.records(kept), record]))


async def switch(store: Store, what: What, now: datetime) -> Record:
    """Put every scale back to one, and switch learning off or on where that is asked; return the record."""
    record = learning.switched(learning.records(await store.setting(learning.SETTING)), what, now)
    await keep(store, record)
    return record


async def audited(store: Store, rules: Rules, now: datetime) -> list[Label]:
    """Return what was answered of people who never alarmed."""
    found = []
    for question in audit.asked(await store.setting(audit.SETTING)):
        person = await store.person(question.contact)
        said = question.answer(person) if person is not None else None
        if person is not None and said is not None and now - learning.LEARNT_FROM < said.at <= now:
            judged = _silent(person, rules, said.at - JUST_BEFORE, left=said.kind == LEFT.name)
            found.append(replace(judged, by=question.rep))
    return found


def _silent(person: Person, rules: Rules, at: datetime, *, left: bool) -> Label:
    """Judge somebody anew as of the moment before the answer, by what is shipped."""
    seen = [one for one in person.observations if one.at <= at]
    derived = rules.derive(replace(person, observations=tuple(seen)), at)
    judged = assess(person.address, seen, at, rules.kinds, derived=derived)
    return learning.label(judged, EVEN, right=left, at=at)
