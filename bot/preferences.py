"""What a rep chose for themselves in Slack: quiet hours, when the digest comes, how many alerts a day."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import time

from bot.model import Json
from bot.store import Store

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Preferences:
    """A rep's choices; None leaves it to config.yaml. Hours are in the rep's own time zone.

    `quiet_from` and `quiet_to` are "HH:MM". `digest_day` counts from Monday, 0.
    """

    quiet_from: str | None = None
    quiet_to: str | None = None
    digest_day: int = 0
    digest_hour: int = 8
    digest_paused: bool = False
    alerts_a_day: int | None = None

    def quiet_hours(self, otherwise: tuple[time, time]) -> tuple[time, time]:
        """Return from when to when the rep is not to be disturbed."""
        begin, end = otherwise
        return (
            time.fromisoformat(self.quiet_from) if self.quiet_from else begin,
            time.fromisoformat(self.quiet_to) if self.quiet_to else end,
        )


async def preferences(store: Store, user: str) -> Preferences:
    """Return the choices of a Slack user; what was never chosen, or is no longer known, is the default."""
    kept = await store.setting(_name(user))
    known = {field.name for field in fields(Preferences)}
    values = kept if isinstance(kept, dict) else {}
    return Preferences(**{name: value for name, value in values.items() if name in known})  # type: ignore[arg-type]  # as they were saved


async def save_preferences(store: Store, user: str, chosen: Preferences) -> None:
    """Keep the choices of a Slack user."""
    kept: dict[str, Json] = asdict(chosen)
    await store.save_setting(_name(user), kept)


def _name(user: str) -> str:
    return f"preferences {user}"
