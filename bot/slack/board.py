"""Keep the message of each case in step with the store.

Alerts and buttons both edit it. Whoever edits reads the newest state first, one at a time for each case: an
edit that was made of an older state can never arrive last.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from weakref import WeakValueDictionary

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.model import Alert, Case, Home, Person
from bot.slack import cards
from bot.slack.cards import Scene
from bot.slack.names import Names, Naming
from bot.slack.parts import Card
from bot.slack.people import Directory
from bot.slack.register import Register
from bot.slack.web import NOT_DRAWN, ask, code
from bot.store import Store

log = structlog.get_logger()

MESSAGE_GONE = frozenset({"message_not_found", "thread_not_found"})
MESSAGE_FIXED = frozenset({"cant_update_message", "edit_window_closed"})
"""Slack does not let us edit it any more; what is new still goes to its thread."""


async def _full(_: str) -> Names:
    return "full"


async def _plain(card: Card, _: Case) -> Card:
    return card


class Board:
    """Builds and edits the messages of cases.

    `names` says how people are named in a channel, `dress` adds what every message of a case carries.
    """

    def __init__(
        self,
        store: Store,
        client: AsyncWebClient,
        people: Directory,
        names: Callable[[str], Awaitable[Names]] = _full,
        dress: Callable[[Card, Case], Awaitable[Card]] = _plain,
    ) -> None:
        self._store = store
        self._client = client
        self._people = people
        self._names = names
        self._dress = dress
        self.register = Register(store)
        """Knows by which marks the cases of messages go."""
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def card(self, case: Case, channel: str, now: datetime, mention: str = "") -> Card:
        """Build the case's message for a channel, of the newest state there is.

        `mention` is who is mentioned (mrkdwn; empty: the contact's owner).
        """
        person = await self._store.person(case.contact)
        case = find(person, case.key) or case
        alert = current(case.alert, person)
        now = await self._people.local(now, alert.contact.owner)
        watched = [one.address for one in alert.assessment.suggestions if await self._watches(one.address)]
        scene = Scene(
            now,
            mention or await self._people.mention(alert.contact.owner),
            await self._names(channel),
            frozenset(watched),
            neighbour(person, case, -1),
            neighbour(person, case, +1),
            await self.register.marking([case.contact]),
        )
        return await self._dress(cards.case(alert, case, scene), case)

    async def reply(self, alert: Alert, earlier: Alert, channel: str, now: datetime, mention: str) -> Card:
        """Build the reply in the case's thread that says what is new since the earlier alert."""
        local = await self._people.local(now, alert.contact.owner)
        return cards.raised_again(alert, earlier, Scene(local, mention, await self._names(channel)))

    async def update(self, case: Case, home: Home, now: datetime) -> bool:
        """Bring the case's message up to date; False where it is gone. Raise what `ask` raises."""
        turn = self._turns.setdefault(case.key, asyncio.Lock())
        async with turn:
            card = await self.card(case, home.channel, now)
            try:
                await self._edit(card, home)
            except SlackApiError as error:
                if code(error) in MESSAGE_GONE:
                    return False
                if code(error) in NOT_DRAWN:
                    log.warning("alert.not_drawn", why=code(error))
                    await self._edit(card.plainly(), home)
                elif code(error) not in MESSAGE_FIXED:
                    raise
            return True

    async def _edit(self, card: Card, home: Home) -> None:
        await ask(
            self._client.chat_update(channel=home.channel, ts=home.ts, text=card.text, blocks=card.blocks)
        )

    async def note(self, case: str, answer: Mapping[str, Any]) -> None:
        """Keep where a message about the case was posted, as Slack answered, so that it can be erased."""
        await self._store.posted(case, Home(str(answer["channel"]), str(answer["ts"])))

    async def name(self, case: Case, channel: str) -> str:
        """Return whom the case is about, as people are named in that channel (mrkdwn)."""
        return Naming(await self._names(channel)).name(case.alert.contact)

    async def close_earlier(self, case: Case, now: datetime) -> None:
        """Say on the message of the case that this one opens again that it goes on elsewhere."""
        before = neighbour(await self._store.person(case.contact), case, -1)
        if before is not None and before.home is not None:
            await self.update(before, before.home, now)

    async def _watches(self, address: str) -> bool:
        person = await self._store.person(address) if address else None
        return person is not None and person.contact is not None


def find(person: Person | None, key: str) -> Case | None:
    """Return a person's case by its key."""
    cases = person.cases if person else ()
    return next((case for case in cases if case.key == key), None)


def neighbour(person: Person | None, case: Case, step: int) -> Case | None:
    """Return the case of the same contact that came so many episodes later, or earlier."""
    cases = person.cases if person else ()
    return next((other for other in cases if other.episode == case.episode + step), None)


def current(alert: Alert, person: Person | None) -> Alert:
    """Return the alert with what is known of its contact now: another owner, another deal."""
    return replace(alert, contact=person.contact) if person and person.contact else alert
