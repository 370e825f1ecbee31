from __future__ import annotations

import asyncio
from collections import Counter

from structlog.testing import capture_logs

from bot.engine import AT_ONCE, Unit
from bot.engine.local import LocalEngine
from bot.testing import MemoryStore


class Looks:
    """Looks that each wait until they are let go on, and that count themselves."""

    def __init__(self) -> None:
        self.begun: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.now: Counter[str] = Counter()
        self.most = 0
        self.go_on = asyncio.Event()
        self.failing: set[str] = set()

    async def __call__(self, unit: Unit) -> None:
        self.begun[unit.source] += 1
        self.now[unit.source] += 1
        self.most = max(self.most, self.now.total())
        try:
            await self.go_on.wait()
            if unit.source in self.failing:
                raise ValueError("a bug")
            self.done[unit.source] += 1
        finally:
            self.now[unit.source] -= 1


def units(*sources: str) -> list[Unit]:
    return [Unit("mailbox", source) for source in sources]


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_every_unit_is_done_and_never_more_at_once_than_allowed() -> None:
    looks = Looks()
    engine = LocalEngine(looks, MemoryStore())
    many = [f"mailbox:{n}" for n in range(3 * AT_ONCE)]
    await engine.start(units(*many))
    await settle()
    assert looks.begun.total() == AT_ONCE
    looks.go_on.set()
    await engine.idle()
    assert looks.done == Counter(many)
    assert looks.most == AT_ONCE


async def test_a_source_under_way_is_looked_at_once_more_afterwards_however_often_it_is_asked_for() -> None:
    looks = Looks()
    engine = LocalEngine(looks, MemoryStore())
    await engine.start(units("mailbox:sales"))
    await settle()
    for _ in range(3):
        await engine.start(units("mailbox:sales", "mailbox:other"))
        await settle()
    assert looks.now == Counter({"mailbox:sales": 1, "mailbox:other": 1})
    looks.go_on.set()
    await engine.idle()
    assert looks.done == Counter({"mailbox:sales": 2, "mailbox:other": 2})


async def test_asking_again_before_a_look_began_is_answered_by_that_look() -> None:
    looks = Looks()
    looks.go_on.set()
    engine = LocalEngine(looks, MemoryStore())
    await engine.start(units("mailbox:sales", "mailbox:sales", "mailbox:sales"))
    await engine.idle()
    assert looks.done == Counter({"mailbox:sales": 1})


async def test_a_source_can_be_looked_at_again_once_it_is_done() -> None:
    looks = Looks()
    looks.go_on.set()
    engine = LocalEngine(looks, MemoryStore())
    for _ in range(2):
        await engine.start(units("mailbox:sales"))
        await engine.idle()
    assert looks.done["mailbox:sales"] == 2


async def test_a_look_that_fails_is_logged_and_the_others_go_on() -> None:
    looks = Looks()
    looks.failing = {"mailbox:bad"}
    looks.go_on.set()
    engine = LocalEngine(looks, MemoryStore())
    with capture_logs() as logs:
        await engine.start(units("mailbox:a", "mailbox:bad", "mailbox:b"))
        await engine.idle()
        await engine.start(units("mailbox:bad"))
        await engine.idle()
    assert looks.done == Counter({"mailbox:a": 1, "mailbox:b": 1})
    assert looks.begun["mailbox:bad"] == 2
    assert [(line["event"], line["watcher"], line["source"]) for line in logs] == [
        ("look.failed", "mailbox", "mailbox:bad")
    ] * 2
    assert all(line["exc_info"] for line in logs)


async def test_a_look_asked_for_while_one_was_failing_is_not_lost() -> None:
    looks = Looks()
    looks.failing = {"mailbox:bad"}
    engine = LocalEngine(looks, MemoryStore())
    with capture_logs():
        await engine.start(units("mailbox:bad"))
        await settle()
        await engine.start(units("mailbox:bad"))
        looks.go_on.set()
        await engine.idle()
    assert looks.begun["mailbox:bad"] == 2


async def test_draining_finishes_what_is_under_way_and_begins_nothing_more() -> None:
    looks = Looks()
    engine = LocalEngine(looks, MemoryStore())
    many = [f"mailbox:{n}" for n in range(AT_ONCE + 5)]
    await engine.start(units(*many))
    await settle()
    await engine.start(units("mailbox:0"))
    draining = asyncio.create_task(engine.drain())
    await settle()
    await engine.start(units("mailbox:late"))
    assert not draining.done()
    looks.go_on.set()
    await draining
    assert looks.done == Counter(many[:AT_ONCE])
    assert looks.begun == looks.done
