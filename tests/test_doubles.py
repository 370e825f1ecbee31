"""A mail that is in a mailbox and logged in a CRM is one fact."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

import pytest

from bot.circle import acquaint
from bot.doubles import once
from bot.identity import resolve
from bot.model import Contact, Json, Observation, Person
from bot.pipeline import Pipeline
from bot.service import rules
from bot.store.memory import MemoryStore
from watchers import Scope, load
from watchers.crm.hubspot import Record
from watchers.crm_hubspot import CrmHubSpot
from watchers.crm_salesforce import CrmSalesforce
from watchers.mail.files import FileMailbox
from watchers.mailbox import Mailbox

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
JANE = Contact("jane@acme.example", "Jane Doe", account="Acme", owner="rita@vendor.example")
SCOPE = Scope.of([JANE], ["vendor.example"])
BOX = "mailbox:rita@vendor.example"
LINEAR_SECONDS = 3
"""Enough on a busy machine for what takes 0.1 seconds; comparing each with each took 15."""
SENT = [(30, False), (29, True), (20, False), (19, True), (3, False)]
"""Days ago, and whether it was hers."""


def people(*, hers: bool) -> tuple[str, str]:
    return (JANE.address, JANE.owner) if hers else (JANE.owner, JANE.address)


def mail(number: int, days: float, *, hers: bool) -> bytes:
    made = EmailMessage()
    made["From"], made["To"] = people(hers=hers)
    made["Date"] = format_datetime(NOW - timedelta(days=days))
    made["Message-ID"] = f"<{number}@mail.example>"
    if hers:
        made["In-Reply-To"] = f"<{number - 1}@mail.example>"
    made.set_content("Hello")
    return made.as_bytes()


def logged(number: int, days: float, *, hers: bool, known: bool = True, late: float = 0) -> list[Observation]:
    sender, to = people(hers=hers)
    at = NOW - timedelta(days=days) + timedelta(minutes=late)
    values = {
        "hs_timestamp": at.isoformat(),
        "hs_email_direction": "INCOMING_EMAIL" if hers else "EMAIL",
        "hs_email_from_email": sender,
        "hs_email_to_email": to,
        **({"hs_email_message_id": f"<{number}@mail.example>"} if known else {}),
    }
    return list(CrmHubSpot().read(Record("emails", str(number), values), SCOPE))


async def read_mailbox(store: MemoryStore, folder: Path) -> None:
    load()
    for number, (days, hers) in enumerate(SENT):
        (folder / f"{number}.eml").write_bytes(mail(number, days, hers=hers))
    box = FileMailbox(kind="files", path=folder, name="rita@vendor.example")
    watcher = Mailbox(Mailbox.Config(mailboxes=(box,)))
    await Pipeline(store, rules(), ["vendor.example"], baseline=False).sweep(watcher, BOX, NOW)


async def judged(store: MemoryStore) -> object:
    [found] = await Pipeline(store, rules(), ["vendor.example"], baseline=False).judge(NOW)
    return found


@pytest.mark.parametrize("crm_first", [True, False])
@pytest.mark.parametrize(("known", "late"), [(True, 0), (True, 90), (False, 4), (False, -4)])
async def test_what_a_crm_logged_of_a_mail_that_was_read_changes_no_judgement(
    tmp_path: Path, *, crm_first: bool, known: bool, late: float
) -> None:
    alone, both = MemoryStore(), MemoryStore()
    for store in (alone, both):
        await store.watch(JANE)
    of_crm = [
        seen
        for number, (days, hers) in enumerate(SENT)
        for seen in logged(number, days, hers=hers, known=known, late=late)
    ]
    assert len(of_crm) == len(SENT)
    await read_mailbox(alone, tmp_path)
    if crm_first:
        await both.record(of_crm)
    await read_mailbox(both, tmp_path)
    await both.record(of_crm)
    person, alike = await alone.person(JANE.address), await both.person(JANE.address)
    assert person is not None
    assert alike is not None
    assert len(alike.observations) == 2 * len(person.observations)
    assert {seen.key for seen in once(alike).observations} == {seen.key for seen in person.observations}
    assert await judged(both) == await judged(alone)


def warmth(*observations: Observation) -> float:
    person = once(Person(JANE.address, JANE, observations=observations))
    [known] = acquaint(resolve([person]), NOW)
    return known.warmth


def test_a_mail_that_two_reps_logged_counts_once_and_two_mails_count_twice() -> None:
    [one], [other] = logged(1, 3, hers=True), logged(2, 3, hers=True)
    [again] = CrmHubSpot().read(
        Record("emails", "99", {
            "hs_timestamp": (NOW - timedelta(days=3)).isoformat(),
            "hs_email_direction": "INCOMING_EMAIL",
            "hs_email_from_email": JANE.address,
            "hs_email_to_email": "rita@vendor.example; max@vendor.example",
            "hs_email_message_id": "<1@mail.example>",
        }),
        SCOPE,
    )  # fmt: skip
    assert again.key != one.key
    assert warmth(one, again) == warmth(one) < warmth(one, other)


def test_an_automatic_reply_that_a_crm_logged_as_a_mail_is_no_sign_of_life() -> None:
    [wrote] = logged(7, 1, hers=True)
    reply = Observation(
        JANE.address, "departed", wrote.at, BOX, "no longer there", facts={"message_id": "7@mail.example"}
    )
    kept = once(Person(JANE.address, JANE, observations=(wrote, reply)))
    assert kept.observations == (reply,)


def test_a_mail_at_the_same_hour_by_another_of_us_is_another_mail() -> None:
    [ours] = logged(1, 3, hers=False, known=False)
    read = replace(ours, source=BOX, facts={**ours.facts, "message_id": "a@mail.example", "logged": False})
    by_max = replace(read, facts={**read.facts, "with": ["max@vendor.example"]})
    assert len(once(Person(JANE.address, JANE, observations=(ours, read))).observations) == 1
    assert len(once(Person(JANE.address, JANE, observations=(ours, by_max))).observations) == 2
    later = replace(read, at=read.at + timedelta(hours=1))
    assert len(once(Person(JANE.address, JANE, observations=(ours, later))).observations) == 2


def test_a_task_of_salesforce_that_stands_for_a_mail_gives_way_to_it() -> None:
    values = {
        "Who": {"Email": JANE.address},
        "Owner": {"Email": JANE.owner},
        "CompletedDateTime": (NOW - timedelta(days=3) + timedelta(minutes=2)).isoformat(),
    }
    [task] = CrmSalesforce().read(Record("tasks", "00T1", values), SCOPE)
    [ours] = logged(1, 3, hers=False)
    read = replace(ours, source=BOX, facts={**ours.facts, "logged": False})
    assert once(Person(JANE.address, JANE, observations=(task, read))).observations == (read,)


def test_where_only_a_crm_is_read_everything_it_logged_counts() -> None:
    seen = tuple(one for number, (days, hers) in enumerate(SENT) for one in logged(number, days, hers=hers))
    assert once(Person(JANE.address, JANE, observations=seen)).observations == seen


def test_thousands_of_mails_at_one_moment_are_told_apart_in_linear_time() -> None:
    def letter(ident: str, who: str, *, logged: bool) -> Observation:
        facts: dict[str, Json] = {"message_id": ident, "with": [who], "logged": logged}
        return Observation(JANE.address, "wrote", NOW, BOX, "wrote", facts=facts)

    read = [
        letter(f"m{number}@acme.example", f"y{number}@vendor.example", logged=False) for number in range(5000)
    ]
    logged = [letter(f"crm.{number}", f"x{number}@vendor.example", logged=True) for number in range(5000)]
    again = letter("crm.again", "y7@vendor.example", logged=True)
    began = time.process_time()
    kept = once(Person(JANE.address, observations=(*read, *logged, again))).observations
    assert time.process_time() - began < LINEAR_SECONDS
    assert len(kept) == len(read) + len(logged)
    assert again not in kept
