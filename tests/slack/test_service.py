"""The service from end to end: real mail servers on one side, a workspace on the other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.servers.mail import MailServers
from tests.servers.ports import free_port
from tests.servers.slack import BOT_TOKEN, BOT_WITH_HISTORY, SIGNING_SECRET, Workspace
from tests.service import Service

pytestmark = pytest.mark.xdist_group("mail")

REP = "rita@vendor.example"
JANE = "jane@customer.example"
TOM = "tom@customer.example"
SOON = 30.0
"""Seconds that a poll a second may take on a busy machine."""

HURRIED = {"bot.service.OUTBOX_EVERY": 1, "watchers.mail.imap.FIRST_RETRY": 1}


def letter(sender: str, to: str, days_ago: float, subject: str = "Pilot") -> bytes:
    mail = EmailMessage()
    at = datetime.now(UTC) - timedelta(days=days_ago)
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{at.timestamp():.0f}.{sender}>"
    mail.set_content("Sounds good.")
    return mail.as_bytes()


@pytest.fixture
def service(tmp_path: Path, mail_servers: MailServers, slack_server: Workspace) -> Iterator[Service]:
    """A service that watches Jane and Tom in Rita's mailbox, where both wrote before, not yet started."""
    mail_servers.empty(REP)
    for person, days in ((JANE, 50), (JANE, 20), (TOM, 45), (TOM, 15)):
        at = datetime.now(UTC) - timedelta(days=days)
        mail_servers.deliver(REP, letter(person, REP, days), received=at)
    mailbox = mail_servers.credentials(REP)
    (tmp_path / "contacts.csv").write_text(
        f"email,name,account,owner,amount\n{JANE},Jane Doe,Customer,{REP},48000\n"
        f"{TOM},Tom Berg,Customer,{REP},\n"
    )
    (tmp_path / "config.yaml").write_text(
        f"""
team:
  domains: [vendor.example]
contacts: contacts.csv
data: data
slack:
  channel: {slack_server.channel("champions")}
  api: {slack_server.base_url}
  quiet_hours: none
  http: {{port: {free_port()}}}
watchers:
  mailbox:
    every: 1s
    mailboxes:
      - {{kind: imap, host: {mailbox.host}, port: {mailbox.port}, tls: false,
         user: {REP}, password_env: BOX}}
"""
    )
    env = {"BOX": mailbox.password, "SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_SIGNING_SECRET": SIGNING_SECRET}
    running = Service(tmp_path, env, hurried=HURRIED)
    yield running
    running.end()


def posted(workspace: Workspace) -> list[dict[str, Any]]:
    return workspace.messages(workspace.channel("champions"))


def write_to_jane_in_vain(servers: MailServers) -> None:
    """Send a mail to Jane whose mailbox is gone, and wait until the report lies in Rita's."""
    servers.reject("jane", "550 5.1.1 <jane@customer.example>: Recipient address rejected: User unknown")
    servers.send(REP, JANE, "Next steps")
    servers.wait_for(REP, 5)


def baseline_read(service: Service) -> bool:
    return bool(service.events("source.read"))


def read_more_often(service: Service, times: int) -> bool:
    return len(service.events("source.read")) > times


def look_again(service: Service, servers: MailServers) -> None:
    """Wait until the mailbox was looked through once more, to the end.

    That an older mail was read is said before it is judged, so that it takes two of them.
    """
    for days in (14, 13):
        read, at = len(service.events("source.read")), datetime.now(UTC) - timedelta(days=days)
        servers.deliver(REP, letter(TOM, REP, days), received=at)
        service.wait(partial(read_more_often, service, read))


def test_a_mail_to_a_mailbox_that_is_gone_becomes_one_alert_within_a_poll(
    service: Service, mail_servers: MailServers, slack_server: Workspace
) -> None:
    service.start()
    service.wait(lambda: baseline_read(service))
    write_to_jane_in_vain(mail_servers)
    arrived = time.monotonic()
    service.wait(lambda: posted(slack_server))
    assert time.monotonic() - arrived < SOON
    look_again(service, mail_servers)
    (alert,) = posted(slack_server)
    assert "Likely left" in alert["text"]
    assert "Jane Doe" in alert["text"]
    assert "Tom Berg" in str(alert["blocks"])
    assert service.stop() == 0
    assert service.events("service.stopped")


def test_an_alert_that_was_stored_but_not_posted_when_the_service_was_killed_is_posted_once(
    service: Service, mail_servers: MailServers, slack_server: Workspace
) -> None:
    service.start()
    service.wait(lambda: baseline_read(service))
    slack_server.fail("chat.postMessage", status=503, times=1)
    write_to_jane_in_vain(mail_servers)
    service.wait(lambda: slack_server.calls("chat.postMessage"))
    service.kill()
    assert posted(slack_server) == []
    service.start()
    service.wait(lambda: posted(slack_server))
    look_again(service, mail_servers)
    assert len(posted(slack_server)) == 1


def test_killed_at_any_moment_of_a_poll_the_service_posts_the_alert_once_where_it_may_look(
    service: Service, mail_servers: MailServers, slack_server: Workspace
) -> None:
    service.env = {**service.env, "SLACK_BOT_TOKEN": BOT_WITH_HISTORY}
    service.start()
    service.wait(lambda: baseline_read(service))
    write_to_jane_in_vain(mail_servers)
    for pause in (0.2, 0.5, 0.9):
        time.sleep(pause)
        service.kill()
        service.start()
    service.wait(lambda: posted(slack_server))
    look_again(service, mail_servers)
    assert len({message["ts"] for message in posted(slack_server)}) == 1


def test_the_first_pass_raises_nothing(
    service: Service, mail_servers: MailServers, slack_server: Workspace
) -> None:
    write_to_jane_in_vain(mail_servers)
    service.start()
    service.wait(lambda: baseline_read(service))
    look_again(service, mail_servers)
    assert posted(slack_server) == []


def test_without_a_slack_token_alerts_are_shown_in_the_terminal(
    service: Service, mail_servers: MailServers
) -> None:
    service.env = {**service.env, "SLACK_BOT_TOKEN": ""}
    service.start()
    service.wait(lambda: baseline_read(service))
    assert len(service.events("slack.absent")) == 1
    write_to_jane_in_vain(mail_servers)
    service.wait(lambda: "Jane Doe" in service.shown)
    assert "Likely left" in service.shown


def test_a_mailbox_that_cannot_be_opened_is_said_once_and_again_when_it_recovers(
    service: Service, mail_servers: MailServers
) -> None:
    mail_servers.stop()
    try:
        service.start()
        service.wait(lambda: service.events("source.down"))
    finally:
        mail_servers.start()
    service.wait(lambda: service.events("source.recovered"))
    assert len(service.events("source.down")) == 1


def test_a_wrong_configuration_stops_the_start_with_file_line_key_and_cure(service: Service) -> None:
    path = service.folder / "config.yaml"
    path.write_text(path.read_text().replace("  domains:", "  domain:"))
    with pytest.raises(AssertionError, match="it ended"):
        service.start()
    log = service.log.read_text()
    assert "config.yaml:3: team.domain: there is no such key" in log
    assert "did you mean 'domains'?" in log
    assert service.process is not None
    assert service.process.returncode == 2
