"""The whole service in several processes, any of which may die at any instant."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.faults.conftest import REPS
from tests.faults.fleet import Fleet, Storm, sailing
from tests.servers.postgres import PostgresServer
from tests.servers.slack import Workspace

pytestmark = pytest.mark.long

KILLS = 6
HURRIED = {
    "bot.engine.queue.HEARTBEAT": 1,
    "bot.engine.queue.STALLED_AFTER": 6,
    "bot.service.RESCUE_EVERY": 2,
    "bot.service.OUTBOX_EVERY": 1,
}
"""Who died is missed sooner than in earnest; benchmarks/crash.py waits as long as the service does."""

POISON = (
    b"",
    b"\x00" * 4096,
    b"Content-Type: multipart/mixed; boundary=a\r\n\r\n"
    + b"--a\r\nContent-Type: multipart/mixed; boundary=a\r\n" * 9000,
    b"From: \xff\xfe@\r\nDate: yesterday\r\nContent-Type: text/plain; charset=nothing\r\n\r\n=",
)


@pytest.mark.parametrize("seed", [1])
def test_whoever_is_killed_and_whatever_mail_comes_nothing_is_lost_and_nobody_is_told_twice(
    tmp_path: Path, own_database_server: PostgresServer, workspace: Workspace, seed: int
) -> None:
    reps = [f"rep{number}@vendor.example" for number in range(REPS)]
    fleet = Fleet(tmp_path, own_database_server.new_database(), workspace, KILLS, reps, hurried=HURRIED)
    with sailing(fleet):
        for number, mail in enumerate(POISON):
            fleet.deliver(number, "poison", mail)
        storm, began = Storm(fleet, own_database_server, seed), datetime.now(UTC)
        storm.rage(KILLS)
        storm.settle()
        result = storm.result()
        fleet.wait(fleet.idle)
    wrong = ("observations_lost", "observations_doubled", "alerts_lost", "alerts_doubled", "alerts_unfounded")
    assert {what: result[what] for what in wrong} == dict.fromkeys(wrong, 0)
    assert result["ended_by_themselves"] == []
    assert not fleet.missed(began)
    assert not [*fleet.events("look.failed"), *fleet.events("job.failed"), *fleet.events("job.given_up")]
