"""The demo's departure, told in a workspace: every place names the same people for the same reasons."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bot import story, why
from bot.config import Crm
from bot.crm.settings import HubSpotContacts
from bot.crm.writing import writer
from bot.model import Suggestion
from bot.pipeline import Pipeline
from bot.service import rules
from bot.slack.names import Naming
from bot.slack.outbox import drain
from bot.slack.suggestions import brief, whom
from tests.servers import hubspot
from tests.servers.slack import Workspace
from tests.slack.commanding import Reception, reception, said
from tests.slack.pressing import Office
from watchers import load
from watchers.crm import hubspot as line
from watchers.mail.files import FileMailbox
from watchers.mailbox import Mailbox

pytestmark = pytest.mark.servers

CHAMPION = replace(story.CHAMPION, owner="rita@vendor.example")


@pytest.fixture
async def desk(slack_server: Workspace) -> AsyncIterator[Reception]:
    load()
    async with reception(slack_server) as opened:
        yield opened


@pytest.fixture
async def portal(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[hubspot.HubSpot]:
    monkeypatch.setattr(line, "PAUSE", timedelta())
    monkeypatch.setenv("HUBSPOT_TOKEN", hubspot.TOKEN)
    async with hubspot.running() as running:
        running.add("contacts", email=CHAMPION.address)
        yield running


async def play(desk: Reception, mails: Path) -> list[Suggestion]:
    """Let the demo's story happen, told in the workspace; return whom its departure suggests."""
    box = FileMailbox(kind="files", path=mails, name="rita@vendor.example")
    watcher = Mailbox(Mailbox.Config(mailboxes=(box,)))
    await desk.store.watch(CHAMPION)
    pipeline = Pipeline(desk.store, rules(), [story.OUR_DOMAIN], baseline=False)
    for number, step in enumerate(story.story()):
        for count, mail in enumerate(step.mails):
            (mails / f"{number}-{count:02}.eml").write_bytes(mail)
        desk.clock.now = step.at
        await pipeline.sweep(watcher, "mailbox:rita@vendor.example", step.at)
        await pipeline.judge(step.at)
        await drain(desk.store, desk.app.poster, desk.clock)
    person = await desk.store.person(CHAMPION.address)
    assert person is not None
    assert person.assessment is not None
    return list(person.assessment.suggestions)


def direct(server: Workspace) -> list[dict[str, Any]]:
    """Return the messages outside the champions' channel."""
    champions = server.channel("champions")
    return [one for one in server.state()["messages"] if one["channel_id"] != champions]


async def digest(desk: Reception) -> str:
    """Send Rita's digest of the week and return what it says."""
    await desk.app.send_digests(desk.clock.now)
    assert await desk.app.send_digests(desk.clock.advance(timedelta(days=7))) == 1
    return said(direct(desk.server)[-1])


async def crm_card(office: Office, portal: hubspot.HubSpot) -> str:
    """Settle the case and return what the card says that proposes a change in the CRM."""
    office.app.proposals.writer = writer(Crm(hubspot=HubSpotContacts(api=portal.url)))
    await office.settle()
    await office.until("Settled")
    await office.app.proposals.go_on()
    return said(direct(office.server)[-1])


async def on_terminal(desk: Reception) -> str:
    """Return what `stillthere why` prints."""
    screen = io.StringIO()
    found = await why.explain(desk.store, CHAMPION.address, (), desk.clock.now, anew=False)
    why.show(found, Console(file=screen, width=400))
    return " ".join(screen.getvalue().split())


async def test_alert_why_show_digest_crm_and_terminal_name_the_same_people_for_the_same_reasons(
    desk: Reception, portal: hubspot.HubSpot, tmp_path: Path
) -> None:
    people = await play(desk, tmp_path)
    assert [one.name for one in people] == ["Ann Lee", "Tom Berg"]
    office = Office(desk.server, desk.store, desk.app, desk.clock, desk.wire)
    alert = said(office.message())
    assert await office.press("why") == 200
    asked = said((await office.told())[-1])
    card = await desk.type("show jane@acme.example")
    kept = await desk.store.person(CHAMPION.address)
    assert kept is not None
    raised = kept.cases[-1].alert
    words = whom(raised.assessment, Naming.of(raised, "full"))
    places = {"alert": alert, "digest": await digest(desk), "crm": await crm_card(office, portal)}
    for where, text in places.items():
        assert words in text, where
    roomy = {"why": asked, "show": said(card), "terminal": await on_terminal(desk)}
    for where, text in (places | roomy).items():
        for one in people:
            assert one.name in text, where
            assert one.address in text, where
            told = one.reasons if where in roomy else brief(one)
            assert "; ".join(told) in text, (where, one.name)
        assert text.index(people[0].address) < text.index(people[1].address), where
