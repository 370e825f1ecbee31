from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.model import (
    Action,
    Alert,
    Assessment,
    Contact,
    Decision,
    Home,
    Observation,
    Reason,
    Strength,
    Verdict,
)
from bot.store.tiny import TinyStore

pytestmark = pytest.mark.long

NOW = datetime(2026, 5, 4, tzinfo=UTC)
PEOPLE = [Contact(f"person{number}@acme.example", f"Person {number}") for number in range(4)]
LONGEST_LIFE = 0.25
"""Seconds a writer lives after its first acknowledged write: some hundred writes."""


async def write_until_killed(folder: Path, first: int) -> None:
    """Do every kind of write in turn and print each as soon as it is acknowledged."""
    async with await TinyStore.open(folder) as store:
        for contact in PEOPLE:
            await store.watch(contact)
        for number in range(first, first + 1_000_000):
            contact = PEOPLE[number % len(PEOPLE)]
            at = NOW + timedelta(seconds=number)
            (seen,) = await store.record([Observation(contact.address, "kind", at, "source", "x" * 500)])
            tell("record", contact.address, seen.key)
            person = await store.person(contact.address)
            assert person is not None
            judged = Assessment(contact.address, at, Verdict.LEFT, Strength.CLEAR, 0.9, str(number))
            decision = Decision(contact.address, at, Action.SEND, Reason.FIRST, Verdict.LEFT, 0.9)
            alert = Alert(contact, judged, number, at)
            assert await store.conclude(person.version, judged, decision, alert)
            tell("conclude", contact.address, alert.key)
            taken = await store.take_alert(at, timedelta(days=1))
            if taken:
                tell("take", taken[0].contact, taken[1].alert.key)
                assert await store.alert_sent(taken[0].key, taken[1], Home("C", str(number)), at)
                tell("sent", taken[0].contact, taken[1].alert.key)
            await store.save_cursor("imap:a", number)
            tell("cursor", "imap:a", str(number))


def tell(*words: str) -> None:
    os.write(sys.stdout.fileno(), (" ".join(words) + "\n").encode())


def acknowledged(folder: Path, first: int, life: float) -> list[list[str]]:
    """Let a writer live that long, kill it, and return what it was promised."""
    program = [sys.executable, __file__, str(folder), str(first)]
    with subprocess.Popen(program, stdout=subprocess.PIPE) as writer:
        assert writer.stdout
        head = writer.stdout.readline()
        time.sleep(life)
        writer.kill()
        lines = (head + writer.stdout.read()).decode().splitlines()
    assert writer.returncode < 0, "the writer ended before it was killed"
    return [line.split() for line in lines]


async def check(folder: Path, promises: list[list[str]]) -> None:
    async with await TinyStore.open(folder) as store:
        assert store.notices == []
        people = {contact.address: await store.person(contact.address) for contact in PEOPLE}
        cursor = await store.cursor("imap:a")
    states: dict[str, int] = {}
    seen: set[str] = set()
    for person in people.values():
        assert person is not None
        seen |= {observation.key for observation in person.observations}
        for case in person.cases:
            for delivery in case.deliveries:
                states[delivery.alert.key] = 2 if delivery.sent_at else min(delivery.attempts, 1)
    reached = {"conclude": 0, "take": 1, "sent": 2}
    for verb, _, what in promises:
        if verb == "record":
            assert what in seen
        elif verb == "cursor":
            assert isinstance(cursor, int)
            assert cursor >= int(what)
        else:
            assert states[what] >= reached[verb], f"{verb} of {what} was lost"


@pytest.mark.parametrize("seed", range(4))
def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path, seed: int) -> None:
    lives = random.Random(seed)  # noqa: S311 - when each is killed, the same in each run
    promises: list[list[str]] = []
    for generation in range(2):
        promises += acknowledged(tmp_path, generation * 1_000_000, lives.uniform(0, LONGEST_LIFE))
        asyncio.run(check(tmp_path, promises))


if __name__ == "__main__":
    asyncio.run(write_until_killed(Path(sys.argv[1]), int(sys.argv[2])))
