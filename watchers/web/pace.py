"""Ask each host slowly: one request at a time, a pause between two, and a rest after it failed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

PAUSE = timedelta(seconds=2)
"""Between two requests to one host, where its robots.txt asks for no longer one."""
LONGEST_PAUSE = timedelta(seconds=30)
"""The longest `Crawl-delay` that is waited for; we ask a host for a few pages a day, not for thousands."""
FIRST_REST = timedelta(minutes=5)
LONGEST_REST = timedelta(days=7)
MOST_HOSTS = 5_000
"""How many hosts are remembered; those that need no patience are forgotten first."""

Clock = Callable[[], datetime]
Sleep = Callable[[float], Awaitable[object]]


@dataclass
class _Host:
    """What is known of one host."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    next_at: datetime | None = None
    failures: int = 0
    rests_until: datetime | None = None
    waiting: int = 0

    def needs_patience(self, now: datetime) -> bool:
        """Say whether forgetting the host would make us impolite."""
        moments = (self.next_at, self.rests_until)
        return bool(self.waiting) or any(moment is not None and moment > now for moment in moments)


class Pace:
    """The patience we have with every host."""

    def __init__(self, clock: Clock, pause: timedelta = PAUSE, sleep: Sleep = asyncio.sleep) -> None:
        self._clock = clock
        self._pause = pause
        self._sleep = sleep
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(self, host: str, pause: timedelta | None = None) -> AsyncIterator[None]:
        """Wait until it is our turn to ask a host, and keep others from asking it until the block ends.

        `pause` is what its robots.txt asks for.
        """
        known = self._known(host)
        known.waiting += 1
        try:
            async with known.lock:
                wait = min(known.next_at - self._clock(), LONGEST_PAUSE) if known.next_at else timedelta()
                if wait > timedelta():
                    await self._sleep(wait.total_seconds())
                try:
                    yield
                finally:
                    known.next_at = self._clock() + max(self._pause, min(pause or self._pause, LONGEST_PAUSE))
        finally:
            known.waiting -= 1

    def rests_until(self, host: str) -> datetime | None:
        """Return until when a host is left alone; None where it may be asked."""
        known = self._hosts.get(host)
        until = known.rests_until if known else None
        return until if until is not None and until > self._clock() else None

    def failed(self, host: str, retry_after: timedelta | None = None) -> None:
        """Leave a host alone: as long as it asks, or else twice as long each time."""
        known = self._known(host)
        known.failures += 1
        wait = max(retry_after or timedelta(), FIRST_REST * 2 ** min(known.failures - 1, 12))
        known.rests_until = self._clock() + min(wait, LONGEST_REST)

    def answered(self, host: str) -> None:
        """Note that a host is well."""
        known = self._known(host)
        known.failures, known.rests_until = 0, None

    def _known(self, host: str) -> _Host:
        if host not in self._hosts:
            if len(self._hosts) >= MOST_HOSTS:
                now = self._clock()
                self._hosts = {
                    name: one for name, one in self._hosts.items() if one.needs_patience(now) or one.failures
                }
            self._hosts[host] = _Host()
        return self._hosts[host]
