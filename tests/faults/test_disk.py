"""The whole service on a disk that fills up while it runs."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.fleet import CHAMPION, letter
from tests.servers.ports import free_port
from tests.servers.slack import BOT_WITH_HISTORY, SIGNING_SECRET, Workspace
from tests.service import Service

pytestmark = pytest.mark.long

SIZE = "20m"
"""More than the service calls full."""

APART = ("unshare", "--user", "--map-root-user", "--mount")
MOUNT = f'mount -t tmpfs -o size={SIZE} none "$0" && exec "$@"'
REP = "rep0@vendor.example"
PEOPLE = [f"champion{number}@customer{number}.example" for number in range(3)]


class Cramped(Service):
    """A service whose data folder is a small disk of its own, which nobody else sees."""

    def launch(self) -> None:
        """Start it without waiting."""
        run = [sys.executable, "-m", "bot", "run", "--config", str(self.folder / "config.yaml")]
        with self.log.open("ab") as log, (self.folder / "out.txt").open("ab") as out:
            self.process = subprocess.Popen(
                [*APART, "sh", "-c", MOUNT, self.folder / "data", *run],
                stdout=out,
                stderr=log,
                env={**os.environ, **self.env},
            )

    @property
    def disk(self) -> Path:
        """Return its folder as it sees it."""
        assert self.process is not None
        return Path(f"/proc/{self.process.pid}/root{self.folder / 'data'}")

    def fill(self) -> None:
        """Leave no room."""
        with contextlib.suppress(OSError), (self.disk / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(4096))

    def make_room(self) -> None:
        """Leave as much room as there was."""
        (self.disk / "ballast").unlink()


def deliver(folder: Path, number: int, days_ago: int, *, gone: bool = False) -> None:
    name = f"{'gone' if gone else 'old'}{number}"
    (folder / "tmp" / name).write_bytes(letter(PEOPLE[number], REP, days_ago, gone=gone))
    (folder / "tmp" / name).rename(folder / "new" / name)


@pytest.fixture
def cramped(tmp_path: Path, workspace: Workspace) -> Iterator[Cramped]:
    """A service that watches three champions, not yet started."""
    (tmp_path / "data").mkdir()
    probe: list[str | Path] = [*APART, "sh", "-c", MOUNT, tmp_path / "data", "true"]
    if subprocess.run(probe, check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a disk of their own")
    box = tmp_path / "mail"
    for part in ("cur", "new", "tmp"):
        (box / part).mkdir(parents=True)
    rows = [f"{who},Champion {at},Customer {at},{REP}" for at, who in enumerate(PEOPLE)]
    (tmp_path / "contacts.csv").write_text("\n".join(["email,name,account,owner", *rows, ""]))
    (tmp_path / "config.yaml").write_text(
        f"""
team: {{domains: [vendor.example]}}
contacts: contacts.csv
data: data
slack:
  channel: {workspace.channel("champions")}
  api: {workspace.base_url}
  quiet_hours: none
  alerts_a_day: 100
  http: {{port: {free_port()}}}
listen: {{port: {free_port()}}}
watchers:
  mailbox: {{every: 1s, mailboxes: [{{kind: files, path: mail}}]}}
"""
    )
    for number in range(len(PEOPLE)):
        deliver(box, number, 20 + number)
    env = {"SLACK_BOT_TOKEN": BOT_WITH_HISTORY, "SLACK_SIGNING_SECRET": SIGNING_SECRET}
    running = Cramped(tmp_path, env)
    yield running
    running.end()


def told(workspace: Workspace) -> list[str]:
    """Return about whom there is a message, once for each."""
    messages = workspace.messages(workspace.channel("champions"))
    return sorted(number for one in messages for number in set(CHAMPION.findall(one["text"])))


def ready(service: Service) -> tuple[int, str]:
    """Return what /readyz answers, and says of the store."""
    (started,) = service.events("listener.started")
    answer = httpx.get(f"http://127.0.0.1:{started['port']}/readyz")
    return answer.status_code, answer.json()["store"]


def test_a_disk_that_fills_up_is_said_once_and_once_there_is_room_everything_is_told_once(
    cramped: Cramped, workspace: Workspace
) -> None:
    cramped.start()
    cramped.wait(lambda: cramped.events("source.read"))
    cramped.fill()
    for number in range(len(PEOPLE)):
        deliver(cramped.folder / "mail", number, 0, gone=True)
    cramped.wait(lambda: cramped.events("store.down"))
    assert ready(cramped) == (503, "the disk is full")
    assert told(workspace) == []
    cramped.make_room()
    cramped.wait(lambda: told(workspace) == ["0", "1", "2"])
    cramped.wait(lambda: cramped.events("store.recovered"))
    assert ready(cramped) == (200, "ok")
    assert len(cramped.events("store.down")) == len(cramped.events("store.recovered")) == 1
    assert "make room on the disk" in cramped.events("store.down")[0]["why"]
    assert not [*cramped.events("look.failed"), *cramped.events("job.failed")]
    assert cramped.stop() == 0
    assert told(workspace) == ["0", "1", "2"]
