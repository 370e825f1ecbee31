"""Follow the meetings of a CRM, and remember no more of each than it takes to see a change. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.model import Json
from watchers.crm.facts import Meeting

KEPT = timedelta(days=30)
"""A meeting that began this long ago is no longer followed."""

MOST_FOLLOWED = 3000

OVERLAP = timedelta(minutes=10)
"""What changed shortly before the last look is asked for again: a CRM's index lags behind."""


class Place:
    """Where the reading of a CRM goes on: up to when each type of record was read, and the meetings known."""

    def __init__(self, cursor: Json, since: datetime) -> None:
        kept = cursor if isinstance(cursor, dict) else {}
        read, known = kept.get("read"), kept.get("known")
        self._since = since
        self._read: dict[str, Json] = dict(read) if isinstance(read, dict) else {}
        self._known: dict[str, Json] = dict(known) if isinstance(known, dict) else {}

    def since(self, what: str) -> datetime:
        """Return from when on a type of record is to be asked for."""
        try:
            at = datetime.fromisoformat(str(self._read.get(what, "")))
        except ValueError:
            return self._since
        return max(self._since, at - OVERLAP) if at.tzinfo else self._since

    def read_to(self, what: str, at: datetime | None) -> None:
        """Note up to when a type of record was read; never backwards."""
        if at is not None and at.isoformat() > str(self._read.get(what, "")):
            self._read[what] = at.isoformat()

    def is_news(self, met: Meeting) -> bool:
        """Say whether a meeting stands otherwise than when it was seen last, and remember it."""
        news = self._known.get(met.uid) != met.stands
        self._known[met.uid] = met.stands
        return news

    def cursor(self, now: datetime) -> Json:
        """Return what is to be kept; what is long over, or too much, gives way."""
        oldest = (now - KEPT).isoformat()
        known = {uid: stands for uid, stands in self._known.items() if _start(stands) >= oldest}
        latest = sorted(known, key=lambda uid: _start(known[uid]))[-MOST_FOLLOWED:]
        kept: Mapping[str, Json] = {uid: known[uid] for uid in latest}
        return {"read": dict(self._read), "known": dict(kept)}


def _start(stands: Json) -> str:
    return str(stands[0]) if isinstance(stands, list) and stands else ""
