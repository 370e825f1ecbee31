"""The whole service while its machine's clock is stepped: back an hour, forward a day, and back again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from structlog.testing import capture_logs

from bot import config, service
from bot.service import Service
from bot.store.tiny import TinyStore
from bot.terminal import TerminalPoster
from tests.faults.fleet import CHAMPION, letter
from watchers import load

REP = "rep0@vendor.example"
STEPS = (timedelta(), -timedelta(hours=1), timedelta(), timedelta(days=1), timedelta(), timedelta(hours=1))
"""By how much the clock is wrong, one after another: with every step one champion leaves."""

PEOPLE = [f"champion{number}@customer{number}.example" for number in range(len(STEPS))]
PATIENCE_SECONDS = 60


class WrongClock:
    """A clock that runs as it should, and is wrong by an offset."""

    def __init__(self) -> None:
        self.wrong_by = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.wrong_by


class Team:
    """A running service, what it shows, and the mailbox it reads."""

    def __init__(self, folder: Path, clock: WrongClock, store: TinyStore) -> None:
        self.box, self.clock, self.store, self.shown = folder / "mail", clock, store, StringIO()
        self.service = Service(
            config.load(folder / "config.yaml"), store, TerminalPoster(Console(file=self.shown, width=200))
        )

    def deliver(self, number: int, days_ago: int, *, gone: bool = False) -> None:
        """Put a mail into the mailbox, dated by a clock that is right."""
        name = f"{'gone' if gone else 'old'}{number}"
        (self.box / "tmp" / name).write_bytes(letter(PEOPLE[number], REP, days_ago, gone=gone))
        (self.box / "tmp" / name).rename(self.box / "new" / name)

    def told(self) -> list[int]:
        """Return about whom an alert was shown, once for each time."""
        heads = [line for line in self.shown.getvalue().splitlines() if "●" in line]
        return sorted(int(number) for line in heads for number in CHAMPION.findall(line))

    def lose_mailbox(self) -> None:
        """Take the mailbox away."""
        self.box.rename(self.box.with_name("elsewhere"))

    def find_mailbox(self) -> None:
        """Put the mailbox back."""
        self.box.with_name("elsewhere").rename(self.box)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.02)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> WrongClock:
    load()
    stepped = WrongClock()
    monkeypatch.setattr(service, "now", stepped)
    return stepped


@asynccontextmanager
async def at_work(folder: Path, clock: WrongClock) -> AsyncIterator[Team]:
    for part in ("cur", "new", "tmp"):
        (folder / "mail" / part).mkdir(parents=True)
    rows = [f"{who},Champion {at},Customer {at},{REP}" for at, who in enumerate(PEOPLE)]
    (folder / "contacts.csv").write_text("\n".join(["email,name,account,owner", *rows, ""]))
    (folder / "config.yaml").write_text(
        "team: {domains: [vendor.example]}\ncontacts: contacts.csv\n"
        "watchers:\n  mailbox: {every: 1s, mailboxes: [{kind: files, path: mail}]}\n"
    )
    async with await TinyStore.open(folder / "data") as store:
        team = Team(folder, clock, store)
        for number in range(len(PEOPLE)):
            team.deliver(number, 20 + number)
        async with team.service.running():
            await until(lambda: bool(team.service.health.read_at))
            yield team


async def test_whoever_leaves_while_the_clock_is_stepped_is_told_once_as_soon_as_their_mail_is_past(
    tmp_path: Path, clock: WrongClock
) -> None:
    with capture_logs() as logs:
        async with at_work(tmp_path, clock) as team:
            for number, wrong_by in enumerate(STEPS):
                clock.wrong_by = wrong_by
                team.deliver(number, 0, gone=True)
                await until(lambda number=number: team.service.recorded == len(STEPS) + number + 1)  # type: ignore[misc]
                due = [at for at in range(number + 1) if wrong_by >= timedelta() or at < number]
                await until(lambda due=due: team.told() == due)  # type: ignore[misc]
            people = [await team.store.person(who) for who in PEOPLE]
            told = team.told()
    assert told == [*range(len(PEOPLE))]
    for person in people:
        assert person is not None
        assert len(person.observations) == 2
    events = [line["event"] for line in logs]
    assert not {"look.failed", "job.failed", "job.missed"} & {*events}
    assert "clock.set_back" in events


async def test_a_source_that_failed_while_the_clock_was_ahead_is_not_left_alone_until_then(
    tmp_path: Path, clock: WrongClock
) -> None:
    with capture_logs() as logs:
        async with at_work(tmp_path, clock) as team:
            clock.wrong_by = timedelta(days=1)
            team.lose_mailbox()
            await until(lambda: bool(team.service.health.troubles))
            team.find_mailbox()
            team.deliver(0, 0, gone=True)
            clock.wrong_by = timedelta()
            await until(lambda: team.told() == [0])
    said = [line["event"] for line in logs if line["event"].startswith("source.")]
    assert said.count("source.recovered") == 1
    assert len([event for event in said if event in {"source.down", "source.needs_human"}]) == 1
