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
from bot.backtest import Backtest, snapshots
from bot.backtest.past import Known
from bot.backtest.replay import HistoryStore, Replayed, Span, Teller, telling
from bot.clock import FrozenClock
from bot.crm.csv import read_contacts
from bot.engine import Unit
from bot.model import Action, Alert, Assessment, Decision
from tests.backtest.past_mail import AT_ONCE
from watchers import Scope
from watchers.mail.files import FileMailbox
from watchers.mail.head import split_head
from watchers.mailbox import Mailbox

pytestmark = pytest.mark.long

Said = tuple[date, str, str, float, str, str]


def arrived(file: Path) -> datetime:
    content = file.read_bytes()
    moment = split_head(content, 0, len(content))[0].date
    assert moment is not None
    return moment


async def by_the_service(
    world: Path, inbox: Path, waiting: list[tuple[datetime, Path]], span: Span, clock: FrozenClock
) -> list[Said]:
    """Run the service at the end of each day, its mailbox filled with what has arrived by then.

    What the pages said is read of their snapshots, and the service hears of each from its day on.
    """
    contacts = read_contacts(world / "contacts.csv").contacts
    shown: dict[str, list[Known]] = {}
    scope = Scope.of(contacts, ["vendor.example"])
    for known in sorted(await snapshots.pages(world / "pages", contacts, scope), key=lambda one: one.at):
        shown.setdefault(known.source, []).append(known)
    pages = Replayed(shown, (), clock)
    watcher = Mailbox(Mailbox.Config(mailboxes=(FileMailbox(kind="files", path=inbox, name="rep"),)))
    settings = config.Config.model_validate({"team": {"domains": ["vendor.example"]}})
    store = HistoryStore()
    plan = config.Plan(settings, ((watcher, timedelta(minutes=5)), (pages, timedelta(hours=1))))
    running = service.Service(plan, store, Teller(AT_ONCE.routing))
    for contact in contacts:
        await store.watch(contact)
    said: list[Said] = []
    before: dict[str, tuple[object, ...]] = {}
    for day in [None, *span.days()]:
        if day is not None:
            clock.now = datetime.combine(day + timedelta(1), time(), UTC)
        while waiting and waiting[0][0] <= clock.now:
            file = waiting.pop(0)[1]
            os.link(file, inbox / f"{file.parent.name}-{file.name}")
        for source in shown:
            await running.look(Unit("replayed", source))
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


TOUCHED = {
    8: {"departed", "farewell", "silent", "page_gone", "meeting_pushed", "slipping", "left", "on leave"},
    9: {"mailbox_gone", "notice", "silent", "meeting_cancelled", "likely left", "on_leave", "unchecked"},
}
"""What decisions rested on in each world: were it no longer so, the test would prove less than it says."""


@pytest.mark.parametrize("seed", TOUCHED)
def test_the_service_and_the_backtest_decide_the_same_over_the_same_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    world = populate(seed=seed, contacts=24, months=5, history=3)
    write(world, tmp_path / "world", seed=seed)
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
        pages=(tmp_path / "world" / "pages",),
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
    touched = {kind for line in outcome.lines for kind in (*line.evidence, line.verdict.value)}
    touched |= {"notice" for line in outcome.lines if line.contact is None}
    assert touched >= TOUCHED[seed]
    asked = {line[:2] for line in found if line[5] == "audit"}  # by the digest, which is not run here
    assert asked
    assert [line for line in found if line[:2] not in asked] == sorted(
        line for line in expected if line[:2] not in asked
    )
