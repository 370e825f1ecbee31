"""Follow meetings and opt-outs in a CRM, and remember no more of each than it takes to see a change. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.model import Json
from watchers.crm.facts import Meeting

KEPT = timedelta(days=30)
"""A meeting that began this long ago is no longer followed."""

MOST_FOLLOWED = 3000
MOST_OPTED = 10_000

OVERLAP = timedelta(minutes=10)
"""What changed shortly before the last look is asked for again: a CRM's index lags behind."""


class Place:
    """Where the reading of a CRM goes on: up to when each type of record was read, and what is followed.

    That are the meetings that are known, and the contacts who ever opted out, with how often they turned.
    """

    def __init__(self, cursor: Json, since: datetime) -> None:
        kept = cursor if isinstance(cursor, dict) else {}
        read, known, turns = kept.get("read"), kept.get("known"), kept.get("turns")
        self._since = since
        self._read: dict[str, Json] = dict(read) if isinstance(read, dict) else {}
        self._known: dict[str, Json] = dict(known) if isinstance(known, dict) else {}
        self._turns = {
            ident: turn
            for ident, turn in (turns.items() if isinstance(turns, dict) else ())
            if isinstance(turn, int)
        }

    def since(self, what: str) -> datetime:
        """Return from when on a type of record is to be asked for."""
        try:
            at = datetime.fromisoformat(str(self._read.get(what, "")))
        except ValueError:
            return self._since
        return max(self._since + OVERLAP, at) - OVERLAP if at.tzinfo else self._since

    def read_to(self, what: str, at: datetime | None) -> None:
        """Note up to when a type of record was read; never backwards."""
        if at is not None and at.isoformat() > str(self._read.get(what, "")):
            self._read[what] = at.isoformat()

    def is_news(self, met: Meeting) -> bool:
        """Say whether a meeting stands otherwise than when it was seen last, and remember it."""
        news = self._known.get(met.uid) != met.stands
        self._known[met.uid] = met.stands
        return news

    @property
    def has_opted_out(self) -> bool:
        """Say whether anybody is known who opted out, and may opt in again."""
        return bool(self._turns)

    def turn(self, ident: str, *, is_out: bool) -> int:
        """Return how often a contact changed their mind, now included; 0 for one who never opted out."""
        turn = self._turns.get(ident, 0)
        if is_out != (turn % 2 == 1):
            turn += 1
            self._turns[ident] = turn
        return turn

    def cursor(self, now: datetime) -> Json:
        """Return what is to be kept; what is long over, or too much, gives way.

        A record from the future, by a clock that runs ahead, does not pass over what changes until then.
        """
        read = {what: min(str(at), now.isoformat()) for what, at in self._read.items()}
        oldest = (now - KEPT).isoformat()
        known = {uid: stands for uid, stands in self._known.items() if _start(stands) >= oldest}
        latest = sorted(known, key=lambda uid: _start(known[uid]))[-MOST_FOLLOWED:]
        kept: Mapping[str, Json] = {uid: known[uid] for uid in latest}
        turns: Mapping[str, Json] = dict(list(self._turns.items())[-MOST_OPTED:])
        return {"read": dict(read), "known": dict(kept), "turns": dict(turns)}


def _start(stands: Json) -> str:
    return str(stands[0]) if isinstance(stands, list) and stands else ""
