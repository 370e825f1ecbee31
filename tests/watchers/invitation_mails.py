"""What a calendar program is about to send; `dialects` writes it as each program does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from watchers import Scope

JANE = "jane.doe@acme.example"
BOB = "bob.ray@acme.example"
REP = "rep@vendor.example"
SCOPE = Scope(frozenset({"vendor.example"}), frozenset({JANE}), frozenset({"acme.example"}))

CALL = datetime(2026, 5, 4, 13, 0, tzinfo=UTC)
SENT = CALL - timedelta(days=14)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Invitation:
    """What a calendar program is about to send. `zone` is the one in which its user writes times."""

    sent: datetime = SENT
    start: datetime = CALL
    sender: str = JANE
    to: str = REP
    organizer: str = JANE
    attendees: Sequence[tuple[str, str]] = ((JANE, "ACCEPTED"), (REP, "NEEDS-ACTION"))
    method: str = "REQUEST"
    uid: str = "040000008200E00074C5B7101A82E008"
    sequence: int = 0
    words: str = ""
    rule: str = ""
    occurrence: datetime | None = None
    title: str = "Pilot review"
    place: str = "Room 4"
    zone: str = "Europe/Berlin"

    def but(self, **changes: object) -> Invitation:
        """Return the same invitation with something changed."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def pushed(self, days: int, after: timedelta = 10 * DAY, **changes: object) -> Invitation:
        """Return an update of it by so many days, sent `after` it."""
        return self.but(
            start=self.start + days * DAY, sent=self.sent + after, sequence=self.sequence + 1, **changes
        )
