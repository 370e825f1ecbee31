"""The service in several processes, on one database."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.servers.ports import free_port
from tests.servers.postgres import PostgresServer
from tests.servers.slack import BOT_TOKEN, SIGNING_SECRET, Workspace
from tests.service import Service

pytestmark = pytest.mark.long

REP = "rita@vendor.example"
PEOPLE = [f"champion{number}@customer{number}.example" for number in range(6)]
HURRIED = {
    "bot.engine.queue.HEARTBEAT": 1,
    "bot.engine.queue.STALLED_AFTER": 6,
    "bot.service.RESCUE_EVERY": 2,
    "bot.service.OUTBOX_EVERY": 1,
}
"""Who died is missed sooner than in earnest."""


class Fleet:
    """A scheduler, a Slack process and two workers, each with its log, that watch two mail folders."""

    def __init__(self, folder: Path, database: str, slack: Workspace) -> None:
        self.folder = folder
        self.mail = [folder / "mail0", folder / "mail1"]
        for box in self.mail:
            for part in ("cur", "new", "tmp"):
                (box / part).mkdir(parents=True)
        self.roles = {
            name: Service(
                folder / name, self._environment(database), role=name.rstrip("0123456789"), hurried=HURRIED
            )
            for name in ("scheduler", "slack", "worker1", "worker2")
        }
        for name in self.roles:
            (folder / name).mkdir()
            (folder / name / "config.yaml").write_text(self._config(slack))
        (folder / "contacts.csv").write_text(
            "email,name,account,owner\n"
            + "".join(f"{who},Champion {at},Customer {at},{REP}\n" for at, who in enumerate(PEOPLE))
        )

    def _environment(self, database: str) -> dict[str, str]:
        return {"DATABASE": database, "SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_SIGNING_SECRET": SIGNING_SECRET}

    def _config(self, slack: Workspace) -> str:
        boxes = "".join(f"\n      - {{kind: files, path: {box}}}" for box in self.mail)
        return f"""
team:
  domains: [vendor.example]
contacts: {self.folder / "contacts.csv"}
database_env: DATABASE
slack:
  channel: {slack.channel("champions")}
  api: {slack.base_url}
  quiet_hours: none
  alerts_a_day: 100
  http: {{port: {free_port()}}}
watchers:
  mailbox:
    every: 1s
    mailboxes:{boxes}
"""

    def start(self) -> None:
        with ThreadPoolExecutor() as pool:
            list(pool.map(Service.start, self.roles.values()))

    def end(self) -> None:
        for role in self.roles.values():
            role.end()

    def deliver(self, box: int, name: str, mail: bytes) -> None:
        (self.mail[box] / "new" / name).write_bytes(mail)

    def wait(self, until: Callable[[], object], seconds: float = 90) -> None:
        end = time.monotonic() + seconds
        while not until():
            logs = "\n".join(role.log.read_text()[-1500:] for role in self.roles.values())
            assert time.monotonic() < end, f"in vain: {logs}"
            time.sleep(0.1)


def letter(person: str, days_ago: int) -> bytes:
    mail = EmailMessage()
    at = datetime.now(UTC) - timedelta(days=days_ago)
    mail["From"], mail["To"], mail["Subject"] = person, REP, "Pilot"
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{days_ago}.{person}>"
    mail.set_content("Sounds good.")
    return mail.as_bytes()


def farewell_reply(person: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = person, REP, "Automatic reply: Next steps"
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Message-ID"] = f"<gone.{person}>"
    mail["Auto-Submitted"] = "auto-replied"
    mail.set_content("I am no longer with the company.")
    return mail.as_bytes()


@pytest.fixture
def fleet(tmp_path: Path, postgres_server: PostgresServer, slack_server: Workspace) -> Iterator[Fleet]:
    fleet = Fleet(tmp_path, postgres_server.new_database(), slack_server)
    for at, person in enumerate(PEOPLE):
        fleet.deliver(at % 2, f"old{at}", letter(person, 20 + at))
    yield fleet
    fleet.end()


def told(workspace: Workspace) -> list[str]:
    return sorted(message["text"] for message in workspace.messages(workspace.channel("champions")))


def test_every_part_does_its_part_and_a_worker_that_is_killed_is_stood_in_for(
    fleet: Fleet, slack_server: Workspace
) -> None:
    fleet.start()
    workers = [fleet.roles["worker1"], fleet.roles["worker2"]]
    fleet.wait(lambda: sum(len(worker.events("source.read")) for worker in workers) >= 2)
    fleet.deliver(0, "gone0", farewell_reply(PEOPLE[0]))
    fleet.wait(lambda: len(told(slack_server)) == 1)
    workers[0].kill()
    for at in range(1, len(PEOPLE)):
        fleet.deliver(at % 2, f"gone{at}", farewell_reply(PEOPLE[at]))
    fleet.wait(lambda: len(told(slack_server)) == len(PEOPLE))
    workers[0].start()
    read = [len(worker.events("source.read")) for worker in workers]
    for box in range(2):
        fleet.deliver(box, "older", letter(PEOPLE[box], 19))
    fleet.wait(lambda: sum(len(worker.events("source.read")) for worker in workers) >= sum(read) + 2)
    assert len(told(slack_server)) == len(PEOPLE)
    for at, text in enumerate(told(slack_server)):
        assert f"Champion {at}" in text
    assert not fleet.roles["slack"].events("source.read")
    assert not fleet.roles["scheduler"].events("source.read")
    for role in fleet.roles.values():
        assert role.stop() == 0
