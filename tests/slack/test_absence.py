"""A rep's own absence explains silences, and is told to that rep alone."""

from __future__ import annotations

from datetime import timedelta

from bot.our_days import CURSOR
from tests.slack.story import NOW
from tests.slack.test_home import Office, office

__all__ = ["office"]


async def rita_wrote(office: Office, *ago: int) -> None:
    days = [(NOW - timedelta(days=days)).toordinal() for days in ago]
    await office.store.save_cursor(CURSOR, {"rita@vendor.example": [*sorted(days)]})


async def test_a_rep_sees_on_their_own_tab_since_when_they_were_away(office: Office) -> None:
    await rita_wrote(office, *range(20, 80, 3), 1)
    first, last = NOW - timedelta(days=19), NOW - timedelta(days=2)
    told = f"from {first.day} {first:%B} to {last.day} {last:%B} you wrote to none of the people you watch"
    assert told in await office.open()
    assert "Only you see this" not in await office.open("max", "Ev2")


async def test_an_absence_long_ago_is_not_brought_up_again(office: Office) -> None:
    await rita_wrote(office, *range(1, 40, 3), *range(60, 100, 3))
    assert "Only you see this" not in await office.open()
