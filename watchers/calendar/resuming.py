"""Go on where a calendar was left, and read it anew where its provider no longer knows that place."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import structlog

from watchers.calendar import Page
from watchers.mail.rest import Refused

log = structlog.get_logger()


async def resumed(
    who: str,
    changed: AsyncIterator[Page] | None,
    anew: AsyncIterator[Page],
    is_lost: Callable[[Refused], bool],
) -> AsyncIterator[Page]:
    """Yield what changed; everything where there is nothing to go on from (None), or the place was dropped.

    Raises `Refused` for every other refusal.
    """
    if changed is not None:
        try:
            async for page in changed:
                yield page
        except Refused as refusal:
            if not is_lost(refusal):
                raise
            log.warning("calendar_resync", calendar=who)
        else:
            return
    async for page in anew:
        yield page
