"""Keep the key of the marks that messages carry, and find out whom a mark means."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable

from bot.slack.marks import Marks
from bot.store import Store

KEY = "key of marks"
"""The setting that holds the key; it is made once for each store."""

KEY_BYTES = 32

BREATH = 500
"""So many marks are made before others get their turn."""


class Register:
    """Finds out whom a mark means, among everybody whom the store knows a case of."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._marks: Marks | None = None
        self._known: dict[str, str] = {}

    async def marks(self) -> Marks:
        """Return what makes the marks of this installation."""
        if self._marks is None:
            kept = await self._store.setting(KEY)
            if not isinstance(kept, str):
                made = secrets.token_hex(KEY_BYTES)
                # Of two processes that make one at once, both go on with the first.
                kept = await self._store.amend_setting(
                    KEY, lambda kept: kept if isinstance(kept, str) else made
                )
            self._marks = Marks(bytes.fromhex(str(kept)))
        return self._marks

    async def marking(self, addresses: Iterable[str]) -> Marks:
        """Return the same, and know these addresses by their marks from now on."""
        marks = await self.marks()
        self._known.update((marks.of(address), address) for address in addresses)
        return marks

    async def case(self, mark: str) -> str:
        """Return the key of the case that has this mark, empty where there is none."""
        contact, _, episode = mark.rpartition(":")
        if contact not in self._known:
            await self._learn([one.contact.address for one in await self._store.watchlist() if one.case])
        if contact not in self._known:
            await self._learn([case.contact for case in await self._store.cases()])
        return f"{self._known[contact]}:{episode}" if contact in self._known else ""

    def drop(self, address: str) -> None:
        """Forget an address."""
        self._known = {mark: known for mark, known in self._known.items() if known != address}

    async def _learn(self, addresses: list[str]) -> None:
        for begin in range(0, len(addresses), BREATH):
            await self.marking(addresses[begin : begin + BREATH])
            await asyncio.sleep(0)
