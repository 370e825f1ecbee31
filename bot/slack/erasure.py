"""Forget a person: in the store, and in the messages that we posted about them.

Which messages are to be redacted is noted before the store forgets, by channel and time alone: what cannot be
redacted now is redacted by the next start, or when the next person is forgotten.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.model import Case, Contact, Home, Json, NeedsHuman, Person, SourceDown
from bot.routing import owners
from bot.slack.archive import Archive
from bot.slack.baselines import Baselines
from bot.slack.board import MESSAGE_GONE, Board, find
from bot.slack.first_list import Which
from bot.slack.people import Directory
from bot.slack.web import ask, code
from bot.store import Store
from bot.store.forgotten import Forgotten

log = structlog.get_logger()

TO_REDACT = "messages to redact"
"""The setting that holds what is still to be done."""

ERASED = "This message was erased on request."
EVENT_TYPE = "stillthere_erased"


@dataclass(frozen=True)
class Erased:
    """What was erased: whether anything was kept of the person, how many messages were redacted and wait."""

    kept: bool
    redacted: int
    waiting: int


class Eraser:
    """Forgets people; one at a time."""

    def __init__(
        self,
        store: Store,
        client: AsyncWebClient,
        board: Board,
        lists: Baselines,
        archive: Archive,
        people: Directory,
        now: Callable[[], datetime],
        changed: Callable[[str], Awaitable[None]],
    ) -> None:
        self._store = store
        self._client = client
        self._board = board
        self._lists = lists
        self._archive = archive
        self._people = people
        self._changed = changed
        self._now = now
        self._turn = asyncio.Lock()

    async def forget(self, address: str) -> Erased:
        """Erase a person from the store, and redact the messages about them and those that name them."""
        async with self._turn:
            cases = await self._store.cases()
            theirs = [post for case in cases if case.contact == address for post in _posts(case)]
            naming = await self._naming(cases, address)
            told = [post for case in naming for post in _posts(case) if not _is_same(post, case.home)]
            lists = await self._lists.naming(address)
            digests = await self._archive.naming(address)
            person = await self._store.person(address)
            await self._note([*theirs, *told, *digests])
            kept = await self._store.forget(address)
            self._board.register.drop(address)
            for case in naming:
                await self._redraw(case)
            for which, home in lists:
                await self._redraw_list(which, home)
            erased = await self._redact(kept=kept)
            await self._refresh((person.contact or person.former) if person else None)
            return erased

    async def expire(self, person: Person) -> bool:
        """Erase somebody whose time is over, with the messages about them and the digests that name them.

        False where something new is known of them, which leaves everything as it is.
        """
        async with self._turn:
            theirs = [post for case in person.cases for post in _posts(case)]
            about = [*theirs, *await self._archive.naming(person.address)]
            lists = await self._lists.naming(person.address)
            noted = await self._noted()
            await self._note(about)
            if not await self._store.expire(person.address, person.version):
                taken_back = {(home.channel, home.ts) for home in about} - {(h.channel, h.ts) for h in noted}
                await self._amend(lambda homes: [h for h in homes if (h.channel, h.ts) not in taken_back])
                return False
            self._board.register.drop(person.address)
            for which, home in lists:
                await self._redraw_list(which, home)
            await self._redact(kept=True)
            return True

    async def _naming(self, cases: Iterable[Case], address: str) -> list[Case]:
        """Return the cases of others that would be told otherwise if nobody knew of the person."""
        nobody = Forgotten(b"")
        nobody = nobody.with_mark(nobody.mark(address))
        found = []
        for case in cases:
            if (
                case.contact != address
                and _posts(case)
                and nobody.cleaned(case.deliveries) != case.deliveries
            ):
                found.append(case)
            await asyncio.sleep(0)
        return found

    async def waiting(self) -> int:
        """Return how many messages are still to be redacted."""
        return len(await self._noted())

    async def finish(self) -> None:
        """Redact what an earlier run could not."""
        async with self._turn:
            if await self._noted():
                await self._redact(kept=True)

    async def _redact(self, *, kept: bool) -> Erased:
        left: list[Home] = []
        noted = await self._noted()
        for home in noted:
            try:
                await self._blank(home.channel, home.ts)
            except (SourceDown, NeedsHuman, SlackApiError) as problem:
                log.warning("message.not_redacted", why=type(problem).__name__)
                left.append(home)
        done = set(noted) - set(left)
        await self._amend(lambda homes: [home for home in homes if home not in done])
        return Erased(kept, len(done), len(left))

    async def _blank(self, channel: str, ts: str) -> None:
        """Take everything out of a message, its metadata included; one that is gone needs nothing."""
        try:
            await ask(
                self._client.chat_update(
                    channel=channel,
                    ts=ts,
                    text=ERASED,
                    blocks=[{"type": "section", "text": {"type": "plain_text", "text": ERASED}}],
                    metadata={"event_type": EVENT_TYPE, "event_payload": {}},
                )
            )
        except SlackApiError as error:
            if code(error) not in MESSAGE_GONE:
                raise

    async def _redraw(self, case: Case) -> None:
        """Draw the message of somebody else's case anew, without the person."""
        now = find(await self._store.person(case.contact), case.key)
        if now is None or now.home is None:
            return
        try:
            await self._board.update(now, now.home, self._now())
        except (SourceDown, NeedsHuman, SlackApiError) as problem:
            log.warning("message.not_redrawn", why=type(problem).__name__)
            await self._note([now.home])

    async def _redraw_list(self, which: Which, home: Home) -> None:
        """Draw a list anew without the person; one that holds nobody else is emptied."""
        try:
            if await self._lists.redraw(which, home):
                return
        except (SourceDown, NeedsHuman, SlackApiError) as problem:
            log.warning("message.not_redrawn", why=type(problem).__name__)
        await self._note([home])

    async def _refresh(self, contact: Contact | None) -> None:
        """Show the owners' Home tabs anew."""
        for owner in owners(contact.owner) if contact else ():
            try:
                profile = await self._people.owner(owner)
            except (SourceDown, NeedsHuman, SlackApiError) as problem:
                log.warning("home.not_shown", why=type(problem).__name__)
                continue
            if profile is not None:
                await self._changed(profile.user)

    async def _noted(self) -> list[Home]:
        return _homes(await self._store.setting(TO_REDACT))

    async def _note(self, homes: Iterable[Home]) -> None:
        new = [Home(home.channel, home.ts) for home in homes]
        await self._amend(lambda noted: [*dict.fromkeys((*noted, *new))])

    async def _amend(self, change: Callable[[list[Home]], list[Home]]) -> None:
        """Change what is to be redacted; other processes may do so at the same time."""
        await self._store.amend_setting(
            TO_REDACT, lambda kept: [[home.channel, home.ts] for home in change(_homes(kept))]
        )


def _homes(kept: Json) -> list[Home]:
    pairs = kept if isinstance(kept, list) else []
    return [Home(str(pair[0]), str(pair[1])) for pair in pairs if isinstance(pair, list)]


def _posts(case: Case) -> list[Home]:
    """Return where every message about the case stands."""
    return [*case.posts, *([case.home] if case.home else [])]


def _is_same(post: Home, home: Home | None) -> bool:
    return home is not None and (post.channel, post.ts) == (home.channel, home.ts)
