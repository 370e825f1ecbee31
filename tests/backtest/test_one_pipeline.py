"""The service under a clock that is moved, and the backtest, over the same mail."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from benchmarks.world.__main__ import write
from benchmarks.world.cast import populate
from bot import config, service
from bot.backtest import Backtest
from bot.backtest.replay import HistoryStore, Span, Teller, telling
from bot.crm.csv import read_contacts
from bot.engine import Unit
from bot.model import Action, Alert, Assessment, Decision
from bot.testing import FrozenClock
from tests.backtest.past_mail import AT_ONCE
from watchers.mail.files import FileMailbox
from watchers.mail.head import split_head
from watchers.mailbox import Mailbox

Said = tuple[date, str, str, float, str, str]


def arrived(file: Path) -> datetime:
    content = file.read_bytes()
    moment = split_head(content, 0, len(content))[0].date
    assert moment is not None
    return moment


async def by_the_service(
    world: Path, inbox: Path, waiting: list[tuple[datetime, Path]], span: Span, clock: FrozenClock
) -> list[Said]:
    """Run the service at the end of each day, its mailbox filled with what has arrived by then."""
    watcher = Mailbox(Mailbox.Config(mailboxes=(FileMailbox(kind="files", path=inbox, name="rep"),)))
    settings = config.Config.model_validate({"team": {"domains": ["vendor.example"]}})
    store = HistoryStore()
    plan = config.Plan(settings, ((watcher, timedelta(minutes=5)),))
    running = service.Service(plan, store, Teller(AT_ONCE.routing))
    for contact in read_contacts(world / "contacts.csv").contacts:
        await store.watch(contact)
    said: list[Said] = []
    before: dict[str, tuple[object, ...]] = {}
    for day in [None, *span.days()]:
        if day is not None:
            clock.now = datetime.combine(day + timedelta(1), time(), UTC)
        while waiting and waiting[0][0] <= clock.now:
            file = waiting.pop(0)[1]
            os.link(file, inbox / f"{file.parent.name}-{file.name}")
        await running.look(Unit("mailbox", "mailbox:rep"))
        await running.review()
        await running.outbox.drain()
        if day is not None:
            said += lines_of(day, store.concluded, before)
            store.concluded.clear()
    return said


def lines_of(
    day: date,
    concluded: list[tuple[Assessment, Decision, Alert | None]],
    before: dict[str, tuple[object, ...]],
) -> list[Said]:
    """Return what changed on a day, as the service concluded it."""
    found = []
    for assessment, decision, _ in {one[0].contact: one for one in concluded}.values():
        said = (decision.verdict, decision.action, decision.reason, telling(assessment))
        if before.get(assessment.contact) == said and decision.action is not Action.SEND:
            continue
        before[assessment.contact] = said
        found.append(
            (
                day,
                assessment.contact,
                decision.verdict.value,
                decision.probability,
                decision.action.value,
                decision.reason.value,
            )
        )
    return sorted(found)


def test_the_service_and_the_backtest_decide_the_same_over_the_same_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = populate(seed=5, contacts=12, months=4, history=3)
    write(world, tmp_path / "world", seed=5)
    span = Span(world.begins, world.last)
    clock = FrozenClock(span.begins)
    monkeypatch.setattr(service, "now", clock)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    mails = sorted((arrived(file), file) for file in (tmp_path / "world" / "mail").rglob("*.eml"))
    expected = asyncio.run(by_the_service(tmp_path / "world", inbox, mails, span, clock))
    contacts = read_contacts(tmp_path / "world" / "contacts.csv").contacts
    domains = {contact.account_name: contact.domain for contact in contacts}
    job = Backtest(
        contacts=contacts,
        our_domains=("vendor.example",),
        span=span,
        mail=(tmp_path / "world" / "mail",),
        jobs=1,
    )
    (outcome,) = job.run([AT_ONCE])
    found = sorted(
        (
            line.day,
            line.contact or f"@{domains[line.account]}",
            line.verdict.value,
            line.probability,
            line.decision.value,
            line.reason.value,
        )
        for line in outcome.lines
    )
    assert any(line[4] == "send" for line in expected)
    asked = {line[:2] for line in found if line[5] == "audit"}  # by the digest, which is not run here
    assert asked
    assert [line for line in found if line[:2] not in asked] == sorted(
        line for line in expected if line[:2] not in asked
    )
