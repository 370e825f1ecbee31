"""The whole service in several processes on one database, and all that can be known of it from outside."""

from __future__ import annotations

import contextlib
import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg

from tests.servers.ports import free_port
from tests.servers.postgres import PostgresServer
from tests.servers.slack import BOT_WITH_HISTORY, SIGNING_SECRET, Workspace
from tests.service import Service

ROLES = ("scheduler1", "scheduler2", "slack", "worker1", "worker2")
CHAMPION = re.compile(r"Champion (\d+)")
GONE = "I am no longer with the company."
EVERY = timedelta(seconds=10)
"""How often the mailboxes are looked at."""

SETTLING, EACH = 240.0, 3.0
"""Seconds until all has come through, and for each alert: a channel takes one a second at most."""


def letter(person: str, rep: str, days_ago: int, *, gone: bool = False) -> bytes:
    """Return a mail by a champion; their farewell where they are gone."""
    mail = EmailMessage()
    mail["From"], mail["To"] = person, rep
    mail["Subject"] = "Automatic reply: Next steps" if gone else "Pilot"
    mail["Date"] = format_datetime(datetime.now(UTC) - timedelta(days=days_ago))
    mail["Message-ID"] = f"<{'gone' if gone else days_ago}.{person}>"
    if gone:
        mail["Auto-Submitted"] = "auto-replied"
    mail.set_content(GONE if gone else "Sounds good.")
    return mail.as_bytes()


class Fleet:
    """Two schedulers, two workers and a Slack process; each champion is at a customer of their own."""

    def __init__(
        self,
        folder: Path,
        database: str,
        slack: Workspace,
        champions: int,
        reps: Sequence[str],
        boxes: int = 3,
        roles: Sequence[str] = ROLES,
        slack_url: str = "",
        hurried: Mapping[str, float] | None = None,
    ) -> None:
        self.folder, self.database, self.slack = folder, database, slack
        self.people = [f"champion{number}@customer{number}.example" for number in range(champions)]
        self.reps = [reps[number % len(reps)] for number in range(champions)]
        self.boxes = [folder / f"mail{number}" for number in range(boxes)]
        for box in self.boxes:
            for part in ("cur", "new", "tmp"):
                (box / part).mkdir(parents=True)
        environment = {
            "DATABASE": database,
            "SLACK_BOT_TOKEN": BOT_WITH_HISTORY,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        }
        self.roles = {
            name: Service(folder / name, environment, role=name.rstrip("0123456789"), hurried=hurried or {})
            for name in roles
        }
        for name in self.roles:
            (folder / name).mkdir()
            (folder / name / "config.yaml").write_text(self._config(slack_url or slack.base_url))
        rows = zip(self.people, self.reps, strict=True)
        (folder / "contacts.csv").write_text(
            "email,name,account,owner\n"
            + "".join(f"{who},Champion {at},Customer {at},{rep}\n" for at, (who, rep) in enumerate(rows))
        )
        for at, (person, rep) in enumerate(zip(self.people, self.reps, strict=True)):
            self.deliver(at, "old", letter(person, rep, 20 + at % 40))
        self.farewells: list[int] = []
        self.deaths: list[tuple[str, datetime]] = []
        """Who was killed, and when; of the database also when it was there again."""

    def _config(self, slack_url: str) -> str:
        boxes = "".join(f"\n      - {{kind: files, path: {box}}}" for box in self.boxes)
        return f"""
team:
  domains: [vendor.example]
contacts: {self.folder / "contacts.csv"}
database_env: DATABASE
slack:
  channel: {self.slack.channel("champions")}
  api: {slack_url}
  quiet_hours: none
  alerts_a_day: 100
  http: {{port: {free_port()}}}
watchers:
  mailbox:
    every: {int(EVERY.total_seconds())}s
    mailboxes:{boxes}
"""

    def start(self) -> None:
        """Start every process, and wait until the mailboxes were read through once."""
        for role in self.roles.values():
            role.launch()
        self.wait(lambda: all(role.events("service.started") for role in self.roles.values()))
        self.wait(lambda: len(self._first_passes()) == len(self.boxes))

    def end(self) -> None:
        """Make sure that no process runs any more."""
        for role in self.roles.values():
            role.end()

    def deliver(self, number: int, name: str, mail: bytes) -> None:
        """Put a mail into a champion's mailbox, as a mail server does."""
        box = self.boxes[number % len(self.boxes)]
        (box / "tmp" / f"{name}{number}").write_bytes(mail)
        (box / "tmp" / f"{name}{number}").rename(box / "new" / f"{name}{number}")

    def leave(self, number: int) -> None:
        """Let a champion leave: whoever writes to them is told so."""
        self.farewells.append(number)
        self.deliver(number, "gone", letter(self.people[number], self.reps[number], 0, gone=True))

    def told(self) -> Counter[int]:
        """Return how many messages there are about each champion."""
        messages = self.slack.messages(self.slack.channel("champions"))
        return Counter(int(number) for one in messages for number in set(CHAMPION.findall(one["text"])))

    def kept(self) -> dict[str, list[str]]:
        """Return what is kept of each champion: the kinds of their observations."""
        found = self._rows("SELECT address, observations FROM person")
        return {address: sorted(seen["kind"] for seen in observations) for address, observations in found}

    def missed(self, since: datetime) -> list[datetime]:
        """Return the slots since then whose work was not planned by the end of the next slot.

        Whoever looks goes on where the last look ended, so that the next slot catches up with one that passed
        while nobody lived who could have planned it. Where nobody lived for a slot's length in either, none
        is missed: the first slot after that catches up.
        """
        unclaimed = self.unclaimed(since)
        return [
            slot
            for slot in unclaimed
            if slot + EVERY in unclaimed and self.lived(slot, slot + 2 * EVERY) >= EVERY
        ]

    def unclaimed(self, since: datetime) -> list[datetime]:
        """Return the slots since then, up to the last one, for which nobody planned anything."""
        slots = {slot for (slot,) in self._rows("SELECT slot FROM slot WHERE watcher = 'mailbox'")}
        first = min((slot for slot in slots if slot >= since), default=max(slots))
        passed = (first + EVERY * number for number in range((max(slots) - first) // EVERY))
        return [slot for slot in passed if slot not in slots]

    def lived(self, begin: datetime, end: datetime) -> timedelta:
        """Return how long a scheduler and the database lived together in one piece within that time."""
        breaks = [at for who, at in self.deaths if who == "database" and begin < at < end]
        longest = timedelta()
        for name in (name for name in self.roles if name.startswith("scheduler")):
            for event in self.roles[name].events("service.started"):
                started = datetime.fromisoformat(event["timestamp"])
                died = min((at for who, at in self.deaths if who == name and at > started), default=end)
                since, until = max(started, begin), min(died, end)
                lived = [since, *(at for at in breaks if since < at < until), until]
                longest = max(longest, *(later - earlier for earlier, later in pairwise(lived)))
        return longest

    def ended(self) -> list[str]:
        """Return which processes are not running though nobody killed them."""
        return [name for name, role in self.roles.items() if role.process and role.process.poll() is not None]

    def idle(self) -> bool:
        """Say whether nothing is waiting or under way."""
        jobs = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
        return self._rows(jobs) == [(0,)]

    def wait(self, until: Callable[[], object], seconds: float = 120) -> None:
        """Wait until something is true."""
        end = time.monotonic() + seconds
        while not until():
            if time.monotonic() > end:
                logs = "\n".join(
                    f"{name}: {role.log.read_text()[-800:]}" for name, role in self.roles.items()
                )
                raise AssertionError(f"in vain: {logs}")
            time.sleep(0.1)

    def events(self, name: str) -> list[str]:
        """Return which processes logged an event, once for each time."""
        return [role for role, service in self.roles.items() for _ in service.events(name)]

    def _first_passes(self) -> dict[str, str]:
        found = self._rows("SELECT cursor FROM cursor_of WHERE source = 'first_passes'")
        return dict(found[0][0]) if found else {}

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database) as connection:
            return connection.execute(query.encode()).fetchall()


class Storm:
    """Kills processes at random instants while champions leave one after another."""

    def __init__(self, fleet: Fleet, server: PostgresServer, seed: int) -> None:
        self.fleet, self.server = fleet, server
        self.chance = random.Random(seed)  # noqa: S311 - a seed is to give the same storm again
        self.kills: Counter[str] = Counter()
        self._left = iter(range(len(fleet.people)))

    def rage(self, kills: int, *, database_too: bool = True) -> None:
        """Kill so often; whatever was killed is started again at once."""
        victims = [*self.fleet.roles, *(["database"] if database_too else [])]
        for _ in range(kills):
            if (number := next(self._left, None)) is not None:
                self.fleet.leave(number)
            time.sleep(self.chance.uniform(0, 2.5))
            victim = self.chance.choice(victims)
            self.kills[victim] += 1
            self.fleet.deaths.append((victim, datetime.now(UTC)))
            if victim == "database":
                self.server.kill()
                time.sleep(self.chance.uniform(0, 1))
                self.server.start()
                self.fleet.deaths.append((victim, datetime.now(UTC)))
            else:
                self.fleet.roles[victim].kill()
                self.fleet.roles[victim].launch()

    def settle(self) -> None:
        """Wait until everything that was delivered came through."""
        wanted = set(self.fleet.farewells)
        with contextlib.suppress(AssertionError):
            self.fleet.wait(lambda: wanted <= set(self.fleet.told()), SETTLING + EACH * len(wanted))

    def result(self) -> dict[str, object]:
        """Return what came of it."""
        told, kept = self.fleet.told(), self.fleet.kept()
        gone = [kept.get(self.fleet.people[number], []) for number in self.fleet.farewells]
        return {
            "kills": sum(self.kills.values()),
            "by_victim": dict(sorted(self.kills.items())),
            "champions_left": len(self.fleet.farewells),
            "observations_lost": sum(len(kinds) < 2 for kinds in gone)
            + sum(not kept.get(person) for person in self.fleet.people),
            "observations_doubled": sum(len(kinds) > 2 for kinds in kept.values()),
            "alerts_lost": len(set(self.fleet.farewells) - set(told)),
            "alerts_doubled": sum(times - 1 for times in told.values()),
            "alerts_unfounded": len(set(told) - set(self.fleet.farewells)),
            "ended_by_themselves": self.fleet.ended(),
        }


@contextlib.contextmanager
def sailing(fleet: Fleet) -> Iterator[Fleet]:
    """Start a fleet and end it."""
    try:
        fleet.start()
        yield fleet
    finally:
        fleet.end()


def as_line(result: dict[str, object]) -> str:
    """Return a result as one line."""
    return json.dumps(result)
