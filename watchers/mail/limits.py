"""How wide what organisations granted is, over all groups that the settings name."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel

from watchers.mail.group import Finding, Group

KEYS = ("mailboxes", "calendars")
"""Under which keys watchers' settings name them."""


async def check_limits(settings: Iterable[BaseModel]) -> list[Finding]:
    """Try every group of mailboxes or calendars in these watchers' settings; see `Group.check_limits`.

    Raises SourceDown where a provider cannot be asked now.
    """
    named = [box for one in settings for key in KEYS for box in getattr(one, key, ())]
    groups = [box for box in named if isinstance(box, Group)]
    return [finding for group in groups for finding in await group.check_limits()]
