"""Keep the message of each case in step with the store.

Alerts and buttons both edit it. Whoever edits reads the newest state first, one at a time for each case: an
edit that was made of an older state can never arrive last.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from weakref import WeakValueDictionary

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.answers import on_it
from bot.model import Case, Home, Person
from bot.slack import cards
from bot.slack.people import Directory
from bot.slack.web import ask, code
from bot.store import Store

MESSAGE_GONE = frozenset({"message_not_found", "thread_not_found"})
MESSAGE_FIXED = frozenset({"cant_update_message", "edit_window_closed"})
"""Slack does not let us edit it any more; what is new still goes to its thread."""


class Board:
    """Edits the messages of cases."""

    def __init__(self, store: Store, client: AsyncWebClient, people: Directory) -> None:
        self._store = store
        self._client = client
        self._people = people
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def update(self, case: Case, home: Home, now: datetime) -> bool:
        """Bring the case's message up to date; False where it is gone. Raise what `ask` raises."""
        turn = self._turns.setdefault(case.key, asyncio.Lock())
        async with turn:
            person = await self._store.person(case.contact)
            case = find(person, case.key) or case
            alert = case.deliveries[-1].alert
            said = on_it(person.observations, case.key) if person else None
            mention = await self._people.mention(alert.contact.owner)
            card = cards.alert(alert, case, now, mention, said)
            try:
                await ask(
                    self._client.chat_update(
                        channel=home.channel, ts=home.ts, text=card.text, blocks=card.blocks
                    ),
                )
            except SlackApiError as error:
                if code(error) in MESSAGE_GONE:
                    return False
                if code(error) not in MESSAGE_FIXED:
                    raise
            return True


def find(person: Person | None, key: str) -> Case | None:
    """Return a person's case by its key."""
    cases = person.cases if person else ()
    return next((case for case in cases if case.key == key), None)
