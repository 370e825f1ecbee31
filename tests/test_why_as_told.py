"""What `stillthere why` says is what the alert said, with the same numbers, after a run of the service."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot import activity, config, learner, service, why
from bot.answers import LEFT
from bot.backtest.replay import Teller
from bot.cli import main
from bot.clock import FrozenClock
from bot.engine import Unit
from bot.evidence import EVEN, Scales
from bot.learning import Record, What
from bot.model import Assessment, Case, Contact, Json, Observation
from bot.pipeline import Pipeline
from bot.store.glance import Glance
from bot.store.tiny import TinyStore
from tests import mails
from tests import observations as observed
from tests.backtest.past_mail import AT_ONCE, REP, acquaintance, at, gone, mail
from tests.watchers.dialects import exchange
from tests.watchers.invitation_mails import Invitation
from watchers import load
from watchers.mail.files import FileMailbox
from watchers.mailbox import Mailbox
from watchers.web.memory import Memory

load()
DAY = timedelta(days=1)
BEGINS = date(2026, 8, 1)
LEARNT_ON = at(BEGINS + 12 * DAY)
SCALES = Scales(mail=0.8, calendar=1.25, silence=0.7)
VERDICTS = {
    "left@one.example": "left",
    "likely@two.example": "likely left",
    "slips@three.example": "slipping",
    "quiet@four.example": "quiet",
    "away@five.example": "on leave",
    "new@six.example": "unchecked",
    "late@seven.example": "left",
}


def invitations(who: str) -> list[bytes]:
    """Return a meeting that somebody sets, and pushes twice without a word."""
    start = at(BEGINS + 9 * DAY)
    first = Invitation(
        sent=at(BEGINS - 2 * DAY),
        start=start,
        sender=who,
        organizer=who,
        to=REP,
        attendees=((who, "ACCEPTED"), (REP, "NEEDS-ACTION")),
    )
    second = first.pushed(14, 6 * DAY)
    return [exchange(one) for one in (first, second, second.pushed(30, 6 * DAY))]


def post() -> list[tuple[datetime, bytes]]:
    """Return all mails with when they arrive."""
    silent = [mail(at(BEGINS - back * DAY), sender="quiet@four.example") for back in range(90, 420, 5)]
    refused = mails.bounce("likely@two.example", at(BEGINS + 5 * DAY)).replace(
        mails.REP.encode(), REP.encode()
    )
    found = [
        *(
            one
            for who in ("left@one.example", "likely@two.example", "slips@three.example")
            for one in known(who)
        ),
        *known("away@five.example"),
        *known("late@seven.example"),
        *silent,
        gone(at(BEGINS + 4 * DAY), contact="left@one.example"),
        gone(at(BEGINS + 16 * DAY), contact="late@seven.example"),
        mail(at(BEGINS + 5 * DAY, 8), sender=REP, to="likely@two.example"),
        refused,
        *invitations("slips@three.example"),
        mail(
            at(BEGINS + 15 * DAY),
            sender="away@five.example",
            automatic=True,
            text="I am out of the office until 30 August 2026.",
        ),
    ]
    return sorted(((arrived(one), one) for one in found), key=lambda one: one[0])


def known(who: str) -> list[bytes]:
    return acquaintance(who, until=BEGINS)


def arrived(content: bytes) -> datetime:
    from bot.backtest import past
    from watchers.mail import RawMail

    return past.arrival(RawMail("", "", content))


async def lived(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Case], dict[str, Assessment]]:
    """Run the service over three weeks, one look a day; scales are learnt half-way."""
    inbox = folder / "inbox"
    inbox.mkdir()
    (folder / "config.yaml").write_text("team:\n  domains: [vendor.example]\ndata: data\n")
    settings = config.load(folder / "config.yaml").config
    clock = FrozenClock(at(BEGINS, 0))
    monkeypatch.setattr(service, "now", clock)
    watcher = Mailbox(Mailbox.Config(mailboxes=(FileMailbox(kind="files", path=inbox, name="rep"),)))
    waiting = post()
    async with await TinyStore.open(folder / "data") as store:
        plan = config.Plan(settings, ((watcher, timedelta(minutes=5)),))
        running = service.Service(plan, store, Teller(AT_ONCE.routing))
        for who in VERDICTS:
            await store.watch(Contact(who, owner=REP))
        for day in range(21):
            clock.now = at(BEGINS + day * DAY, 18)
            while waiting and waiting[0][0] <= clock.now:
                (inbox / f"{len(waiting):04}.eml").write_bytes(waiting.pop(0)[1])
            if clock.now > LEARNT_ON and running.pipeline.rules.scales == EVEN:
                await learner.keep(store, Record(LEARNT_ON, What.LEARNT, EVEN, SCALES, 25, 0.2, 0.1))
                await learner.take(store, running.pipeline)
            await running.look(Unit("mailbox", "mailbox:rep"))
            await running.review()
        stand = {}
        for who in VERDICTS:
            person = await store.person(who)
            assert person is not None
            assert person.assessment is not None
            stand[who] = person.assessment
        return await store.cases(), stand


def said(*arguments: str) -> dict[str, Json]:
    done = CliRunner().invoke(main, ["why", *arguments, "--json"])
    assert done.exit_code == 0, done.stderr
    line: dict[str, Json] = json.loads(done.stdout)
    return line


def weighed(found: Assessment) -> list[Mapping[str, Json]]:
    return [
        {
            "kind": one.kind,
            "date": one.at.isoformat(),
            "source": one.source,
            "sentence": one.sentence,
            "weight": one.weight,
            "note": one.note,
        }
        for one in found.evidence
    ]


def test_every_verdict_of_a_run_is_explained_by_the_evidence_and_numbers_that_made_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases, stand = asyncio.run(lived(tmp_path, monkeypatch))
    monkeypatch.chdir(tmp_path)
    assert {who: found.verdict.value for who, found in stand.items()} == VERDICTS
    alerts = [one.alert.assessment for case in cases for one in case.deliveries]
    assert {one.contact for one in alerts} >= {
        "left@one.example",
        "likely@two.example",
        "slips@three.example",
        "late@seven.example",
    }
    assert min(one.at for one in alerts) < LEARNT_ON < max(one.at for one in alerts)
    for told in [*stand.values(), *alerts]:
        anew = said(told.contact, "--now", told.at.isoformat())
        assert (anew["verdict"], anew["probability"], anew["evidence"]) == (
            told.verdict.value,
            told.probability,
            weighed(told),
        ), told.contact
        assert (anew["headline"], anew["anew"]) == (told.headline, True)
    for who, found in stand.items():
        kept = said(who)
        assert (kept["verdict"], kept["probability"], kept["evidence"], kept["anew"]) == (
            found.verdict.value,
            found.probability,
            weighed(found),
            False,
        )


async def both(
    folder: Path,
    *contacts: Contact,
    found: Sequence[Observation],
    cursors: Mapping[str, Json] | None = None,
) -> tuple[Assessment, Assessment]:
    """Return what a service concluded of the first of these contacts, and what is said when asked later."""
    async with await TinyStore.open(folder) as store:
        for contact in contacts:
            await store.watch(contact)
        await store.record(found)
        for source, cursor in (cursors or {}).items():
            await store.save_cursor(source, cursor)
        pipe = Pipeline(store, service.rules(), ["vendor.example"], baseline=False)
        (told,) = await pipe.judge(observed.NOW, [contacts[0].address])
    who = contacts[0].address
    later = await why.explain(Glance(folder), who, ["vendor.example"], observed.NOW, anew=True)
    return told, later.assessment


async def test_what_a_rep_answered_counts_in_a_judgement_made_anew_as_it_did(tmp_path: Path) -> None:
    said_so = observed.seen(LEFT.name, 1, by="U1")
    told, later = await both(
        tmp_path, Contact(observed.JANE, account="Acme"), found=[*observed.exchange(), said_so]
    )
    assert told.verdict == "left"
    assert later == told


async def test_what_somebody_does_elsewhere_counts_in_a_judgement_made_anew_as_it_did(tmp_path: Path) -> None:
    for number, kind in enumerate(activity.KINDS):
        done = observed.seen(kind.name, 1)
        told, later = await both(
            tmp_path / str(number), Contact(observed.JANE, account="Acme"), found=[*observed.exchange(), done]
        )
        assert told.last_contact == done.at or kind.name in {one.kind for one in told.evidence}
        assert later == told


async def test_colleagues_at_the_other_domain_of_an_account_are_known_to_a_judgement_made_anew(
    tmp_path: Path,
) -> None:
    bob = Contact("bob@acme-group.example", "Bob Ray", account="Acme")
    departed = observed.seen("departed", 1, message_id="d")
    told, later = await both(
        tmp_path,
        Contact(observed.JANE, "Jane Doe", account="Acme"),
        bob,
        found=[*observed.exchange(), *observed.exchange(bob.address), departed],
    )
    assert [one.address for one in told.suggestions] == [bob.address]
    assert later == told


async def test_whom_the_accounts_own_page_lists_is_known_to_a_judgement_made_anew(tmp_path: Path) -> None:
    source, url = "public_pages:www.acme.example", "https://www.acme.example/team"
    on_page = observed.seen("page_present", 40, url=url, title="VP Operations")
    listing = Memory(
        listed=(("Jane Doe", "VP Operations"), ("Cy Fox", "COO")), next_look=observed.NOW
    ).as_json()
    cy = Contact("cy.fox@acme.example", "Cy Fox", account="Acme")
    jane = Contact(observed.JANE, "Jane Doe", "VP Operations", account="Acme")
    departed = observed.seen("departed", 1, message_id="d")
    found = [
        *observed.exchange(),
        *observed.exchange(cy.address),
        replace(on_page, source=source),
        departed,
    ]
    told, later = await both(tmp_path / "listed", jane, cy, found=found, cursors={source: {url: listing}})
    unlisted, _ = await both(tmp_path / "unlisted", jane, cy, found=found)
    assert told.suggestions != unlisted.suggestions
    assert later == told
