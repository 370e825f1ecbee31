"""Do writes one after another in a thread of their own, and make those durable together that wait together.

The event loop never waits for the disk, and a cancelled caller cannot let two writes meet.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from bot.store import StoreDown
from bot.store.files import DiskRefuses, Group
from bot.store.outage import Outage

T = TypeVar("T")

TOGETHER = 64
"""How many writes become durable together at the most."""


class Writer:
    """The one writer of a folder. `undo` is called where the disk refused what was written already."""

    def __init__(self, group: Group, begin: Callable[[], None], undo: Callable[[], None]) -> None:
        self._group = group
        self._begin = begin
        self._undo = undo
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._waiting: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._outage = Outage()
        self.took: Callable[[float], None] = lambda _seconds: None
        """Told how many seconds each write took, the wait for others included."""

    async def write(self, write: Callable[[], T]) -> T:
        """Do a write after all others. Raise StoreDown where the disk refuses: nothing has changed then."""
        begun = time.perf_counter()
        try:
            waiting: Future[T] = Future()
            self._waiting.append((write, waiting))
            self._thread.submit(self._write_waiting)
            done = await asyncio.wrap_future(waiting)
        except DiskRefuses as refused:
            self._outage.begins(f"{refused.what}; {refused.how}")
            raise StoreDown(f"{refused.what}; {refused.how}") from refused
        self._outage.ends()
        self.took(time.perf_counter() - begun)
        return done

    async def close(self) -> None:
        """Finish the writes under way."""
        await asyncio.to_thread(self._thread.shutdown)
        self._group.close()

    def _write_waiting(self) -> None:
        """Do the writes that wait now, make them durable together, and only then say that they are done.

        Where the disk refuses, none of them is: what is read is what was there before.
        """
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), TOGETHER))]
        self._begin()
        self._group.hold()
        wanted = [one for one in batch if one[1].set_running_or_notify_cancel()]
        done = [(waiting, *_outcome(write)) for write, waiting in wanted]
        try:
            self._group.commit()
        except Exception as refused:  # noqa: BLE001 - it is raised again where each write was asked for
            done = [(waiting, None, refused) for waiting, _, _ in done]
            self._undo()
        for waiting, result, error in done:
            if error is not None:
                waiting.set_exception(error)
            else:
                waiting.set_result(result)


def _outcome(write: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """Return what a write returned, or what it raised."""
    try:
        return write(), None
    except Exception as error:  # noqa: BLE001 - it is raised again where the write was asked for
        return None, error
