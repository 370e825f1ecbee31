"""Let members of the workspace to the buttons under an alert, and nobody else.

Whoever Slack does not identify is not let in. Slack is told in time that the press arrived, and the look-up
goes on after that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from bot.model import NeedsHuman, SourceDown
from bot.slack.gate import ELSEWHERE, GUEST, UNKNOWN
from bot.slack.people import PATIENCE, Directory, Profile
from bot.slack.presses import Who

LOOK_UP = timedelta(seconds=10)
"""How long Slack has to say who somebody is."""

UNSURE = "Slack does not say who you are at the moment. Nothing was changed; please try again in a minute."


class Stopped(Exception):  # noqa: N818 - it is no error, it is an answer
    """Do not let somebody in, with the words for them."""


class Ack:
    """Tells Slack once that something arrived; `given` says whether that was done."""

    def __init__(self, ack: Callable[..., Awaitable[object]]) -> None:
        self._ack = ack
        self.given = False

    async def __call__(self, **answer: object) -> None:
        """Tell Slack, with what is to become of a modal; once told, nothing more can be said."""
        if not self.given:
            self.given = True
            await self._ack(**answer)


class Door:
    """Looks who presses."""

    def __init__(self, people: Directory) -> None:
        self._people = people

    async def admit(self, ack: Ack, who: Who) -> Profile:
        """Return who that is; raise Stopped for those who may not see or answer anything."""
        if who.stranger:
            raise Stopped(ELSEWHERE)
        profile = await self.look_up(ack, who.user)
        if profile is None or profile.gone:
            raise Stopped(UNKNOWN)
        if profile.guest:
            raise Stopped(GUEST)
        return profile

    async def look_up(self, ack: Ack, user: str) -> Profile | None:
        """Return a user, None where there is none; raise Stopped where Slack does not say."""
        looking = asyncio.ensure_future(self._people.profile(user))
        await asyncio.wait({looking}, timeout=PATIENCE.total_seconds())
        if not looking.done():
            await ack()
            await asyncio.wait({looking}, timeout=LOOK_UP.total_seconds())
        if not looking.done():
            looking.cancel()
            raise Stopped(UNSURE)
        try:
            return looking.result()
        except (SourceDown, NeedsHuman) as problem:
            raise Stopped(UNSURE) from problem
