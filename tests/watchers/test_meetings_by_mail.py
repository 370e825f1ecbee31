"""The founding story in every program's dialect, sent through Postfix, kept by Dovecot, read over IMAP."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.model import Action, Assessment, Contact, Reason, Verdict
from bot.pipeline import Pipeline, Rules
from bot.store.memory import MemoryStore
from tests.servers.mail import PASSWORD, MailServers
from tests.watchers.dialects import ONE_WAY, Writer, zoom_file
from tests.watchers.invitation_mails import DAY, JANE, Invitation
from watchers import derivers, kinds, load
from watchers.mailbox import Mailbox

pytestmark = [pytest.mark.servers, pytest.mark.xdist_group("mail")]

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)


def reading(servers: MailServers, user: str) -> Mailbox:
    known = servers.credentials(user)
    box = {"kind": "imap", "host": known.host, "port": known.port, "tls": False, "user": user}
    return Mailbox(Mailbox.Config.model_validate({"mailboxes": [{**box, "password_env": "MAIL_PASSWORD"}]}))


def story(rep: str) -> tuple[Invitation, ...]:
    """Return the story as it arrives now: written day by day before, and held up on its way until today.

    A mail's date is when it arrived, which the servers stamp on it.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    people = ((JANE, "ACCEPTED"), (rep, "NEEDS-ACTION"))
    first = Invitation(to=rep, attendees=people, sent=now - 3 * DAY, start=now + 14 * DAY)
    second = first.pushed(14, DAY)
    third = second.pushed(14, DAY)
    return first, second, third, third.pushed(80, DAY)


@pytest.mark.parametrize("dialect", ONE_WAY.values(), ids=ONE_WAY)
async def test_the_founding_story_is_slipping_at_the_second_push_without_any_bounce(
    mail_servers: MailServers, dialect: Writer
) -> None:
    load()
    rep = f"{dialect.__name__.replace('_', '-')}@vendor.example"
    watcher = reading(mail_servers, rep)
    store = MemoryStore()
    await store.watch(Contact(JANE, "Jane Doe", account="Acme"))
    pipeline = Pipeline(store, Rules(kinds(), derivers()), ["vendor.example"], baseline=False)
    judged: list[Assessment] = []
    for count, mail in enumerate(story(rep), start=1):
        await asyncio.to_thread(mail_servers.send_raw, JANE, [rep], dialect(mail))
        await asyncio.to_thread(mail_servers.wait_for, rep, count)
        await pipeline.sweep(watcher, f"mailbox:{rep}", datetime.now(UTC))
        judged += await pipeline.judge(datetime.now(UTC))
    judged += await pipeline.judge(datetime.now(UTC) + 2 * DAY + MINUTE)

    set_call, first_push, second_push, third_push, bare_update = judged
    assert set_call.verdict is Verdict.ACTIVE
    assert first_push.verdict not in {Verdict.SLIPPING, Verdict.LIKELY_LEFT, Verdict.LEFT}
    assert second_push.verdict is Verdict.SLIPPING
    assert second_push.headline == "2 pushes, 28 days lost, both by them"
    assert third_push.verdict is Verdict.SLIPPING
    person = await store.person(JANE)
    assert person is not None
    wrote = any(seen.kind == "wrote" for seen in person.observations)
    assert wrote is (dialect is zoom_file), "only who sends a file on writes a mail of their own"
    assert ("meeting_bare_update" in {item.kind for item in bare_update.evidence}) is not wrote
    told = [decision.reason for decision in person.decisions if decision.action is Action.SEND]
    assert told[0] is Reason.FIRST
    assert set(told[1:]) <= {Reason.STRONGER}
