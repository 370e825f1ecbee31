"""Let one process send what is due, and let the next try come where sending failed. Pure.

Each try is claimed in the store, so that of several processes one sends. A claim holds for a quarter of an
hour: where Slack is down, or the process dies, the next one tries again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

TRY_EVERY = timedelta(minutes=15)
"""How long a claim to send holds; the next try after a failure begins when it ends."""

SENDING = timedelta(minutes=2)
"""How long sending may take. A try that begins later than this before its claim ends is left to the next."""


def turn(due: datetime, now: datetime) -> int | None:
    """Return which try it is time for, from 0; None before that, and while one might overlap the next."""
    if now < due:
        return None
    tries, since = divmod(now - due, TRY_EVERY)
    return tries if since <= TRY_EVERY - SENDING else None
