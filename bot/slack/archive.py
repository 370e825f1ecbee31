"""Remember where digests stand and, by their marks, whom they name, so that each can be erased later."""

from __future__ import annotations

from collections.abc import Iterable

from bot.model import Home, Json
from bot.slack.register import Register
from bot.store import Store

READERS = "digest readers"
"""The setting that holds who ever got a digest."""

REMEMBERED = 60
"""So many digests of each reader can still be erased: those of more than a year."""


class Archive:
    """The digests that were sent."""

    def __init__(self, store: Store, register: Register) -> None:
        self._store = store
        self._register = register

    async def note(self, reader: str, home: Home, named: Iterable[str]) -> None:
        """Keep that a digest which names these addresses stands there."""
        marks = await self._register.marks()
        await self._store.amend_setting(READERS, lambda kept: [*dict.fromkeys([*_readers(kept), reader])])
        entry: list[Json] = [home.channel, home.ts, *sorted({marks.of(address) for address in named})]
        await self._store.amend_setting(
            _name(reader), lambda kept: [entry, *_entries(kept)[: REMEMBERED - 1]]
        )

    async def naming(self, address: str) -> list[Home]:
        """Return where the digests stand that name a person."""
        mark = (await self._register.marks()).of(address)
        sent = [entry for reader in await self._readers() for entry in await self._sent(reader)]
        return [Home(str(channel), str(ts)) for channel, ts, *marks in sent if mark in marks]

    async def _readers(self) -> list[str]:
        return _readers(await self._store.setting(READERS))

    async def _sent(self, reader: str) -> list[list[Json]]:
        return _entries(await self._store.setting(_name(reader)))


def _readers(kept: Json) -> list[str]:
    return [str(reader) for reader in kept] if isinstance(kept, list) else []


def _entries(kept: Json) -> list[list[Json]]:
    return [entry for entry in kept if isinstance(entry, list)] if isinstance(kept, list) else []


def _name(reader: str) -> str:
    return f"digests sent {reader}"
