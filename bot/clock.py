"""A clock to be moved by hand, for what plays through days in moments: the demo, the back-test, tests."""

from __future__ import annotations

from datetime import datetime, timedelta


class FrozenClock:
    """A clock that stands still until it is moved; calling it returns its moment."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return the moment."""
        return self.now

    def advance(self, by: timedelta) -> datetime:
        """Move the clock and return the new moment."""
        self.now += by
        return self.now
