"""Say once that the store is away, and once that it is back."""

from __future__ import annotations

import time

import structlog

log = structlog.get_logger()

PATIENCE_SECONDS = 30.0
"""So long a database is asked again before it is said to be away; what asks comes again by itself."""


class Outage:
    """Since when the store is away, if it is."""

    def __init__(self) -> None:
        self._since: float | None = None

    def begins(self, why: str) -> None:
        """Say that it is away, unless that was said."""
        if self._since is None:
            self._since = time.monotonic()
            log.error("store.down", why=why)

    def ends(self) -> None:
        """Say that it is back, where it was away."""
        if self._since is not None:
            log.info("store.recovered", seconds=round(time.monotonic() - self._since))
            self._since = None
