"""How wide what organisations granted is, over all groups that the settings name."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel

from watchers.mail.group import Finding, Group


async def check_limits(settings: Iterable[BaseModel]) -> list[Finding]:
    """Try every group in these watchers' settings, of mailboxes or calendars; see `Group.check_limits`.

    Raises SourceDown where a provider cannot be asked now.
    """
    listed = [value for one in settings for _, value in one if isinstance(value, tuple | list)]
    groups = [group for value in listed for group in value if isinstance(group, Group)]
    return [finding for group in groups for finding in await group.check_limits()]
