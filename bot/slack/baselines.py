"""Give every rep one list of who already looked gone after the first pass over a source, to settle in bulk.

The list is sent once per rep and source, in working hours. That sending begins is noted before it does, so
that whoever tries again looks first whether Slack took the list, where the app may look: otherwise an answer
that got lost doubles it. Nothing on it raises an alert.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import baseline
from bot.model import ALARMING, Home, Json, NeedsHuman, Person, SourceDown
from bot.pipeline import FIRST_PASSES
from bot.preferences import preferences
from bot.routing import Hours, Rep, Rules
from bot.slack import first_list
from bot.slack.first_list import Entry, Which
from bot.slack.mrkdwn import user
from bot.slack.people import Directory
from bot.slack.poster import Pace
from bot.slack.register import Register
from bot.slack.seeking import Seeker, metadata
from bot.slack.turns import SENDING, TRY_EVERY, turn
from bot.slack.web import ChannelGone, ask
from bot.store import Store

log = structlog.get_logger()

EVENT_TYPE = "stillthere_baseline"


@dataclass
class Kept:
    """What is kept of a source's lists, by the user id of whose they are.

    `lists` holds who is on it, by address; `at` where its message stands; `begun` since when somebody tries
    to send it. `done` says that everybody has theirs.
    """

    lists: dict[str, list[str]] = field(default_factory=dict)
    at: dict[str, list[str]] = field(default_factory=dict)
    begun: dict[str, str] = field(default_factory=dict)
    done: bool = False


class Baselines:
    """Sends the lists and keeps them up to date. `posting` is a client that never tries again."""

    def __init__(
        self,
        store: Store,
        client: AsyncWebClient,
        posting: AsyncWebClient,
        people: Directory,
        register: Register,
        rules: Rules,
        pace: Pace,
    ) -> None:
        self._store = store
        self._client = client
        self._posting = posting
        self._people = people
        self._register = register
        self._rules = rules
        self._pace = pace
        self._seeker = Seeker(client)
        self._telling = asyncio.Lock()

    @property
    def is_shadow(self) -> bool:
        """Say whether everything goes to the admins."""
        return self._rules.shadow

    async def tell(self, now: datetime) -> int:
        """Send each list that is due and was not sent; return how many went out. Call it now and then.

        Where Slack is out of reach, or a person must act first, the rest is left to a later call.
        """
        told = 0
        async with self._telling:
            ended = await self._store.cursor(FIRST_PASSES)
            for source, at in sorted(ended.items()) if isinstance(ended, dict) else ():
                if not (await self._kept(source)).done and await self._is_our_turn(source, str(at), now):
                    told += await self._tell_of(source, now)
        return told

    async def _is_our_turn(self, source: str, ended: str, now: datetime) -> bool:
        """Say whether no other process sends this source's lists; nobody does while some are not judged."""
        if (await self._store.news()) and not (await self._kept(source)).lists:
            return False
        due = datetime.fromisoformat(ended)
        number = turn(due, now)
        return number is not None and await self._store.claim_slot(
            baseline.group(source), due.astimezone(UTC) + number * TRY_EVERY
        )

    async def _tell_of(self, source: str, now: datetime) -> int:
        """Send the lists of one source; those who sleep get theirs later."""
        told, late = 0, False
        try:
            async with asyncio.timeout(SENDING.total_seconds() / 2):
                for rep, people in (await self._by_rep(source)).values():
                    if rep.user in (await self._kept(source)).lists:
                        continue
                    if await self._are_quiet(rep, now):
                        late = True
                        continue
                    sent = await self._send_if_taken(Which(rep.user, source), people, now)
                    told, late = told + sent, late or not sent
        except (TimeoutError, SourceDown, NeedsHuman) as problem:
            log.warning("baseline.delayed", why=str(problem)[:200] or type(problem).__name__)
            return told
        if not late:
            kept = await self._kept(source)
            kept.done = True
            await self._keep(source, kept)
        return told

    async def _send_if_taken(self, which: Which, people: list[Person], now: datetime) -> bool:
        """Send a list; one that Slack refuses is tried again later, and holds up nobody else's."""
        try:
            await self._send(which, people, now)
        except (ChannelGone, SlackApiError) as problem:
            log.warning("baseline.refused", why=str(problem)[:200])
            return False
        return True

    async def _send(self, which: Which, people: list[Person], now: datetime) -> None:
        """Send a list, unless Slack took it in an earlier try."""
        to, instead_of = await self._reader(which.owner)
        opened = await ask(self._client.conversations_open(users=to))
        channel, kept = str(opened["channel"]["id"]), await self._kept(which.source)
        key = (await self._register.marks()).of(f"{baseline.group(which.source)} {which.owner}")
        begun, ts = kept.begun.get(which.owner), ""
        if begun is None:
            kept.begun[which.owner] = now.isoformat()
            await self._keep(which.source, kept)
        else:
            ts = await self._seeker.find(channel, key, datetime.fromisoformat(begun))
        if not ts:
            card = first_list.card(which, [entry(one, which.source) for one in people], instead_of)
            await self._pace.turn(channel)
            answer = await ask(
                self._posting.chat_postMessage(
                    channel=channel,
                    text=card.text,
                    blocks=card.blocks,
                    metadata=metadata(EVENT_TYPE, key),
                )
            )
            ts = str(answer["ts"])
        kept.lists[which.owner] = [one.address for one in people]
        kept.at[which.owner] = [channel, ts]
        kept.begun.pop(which.owner, None)
        await self._keep(which.source, kept)

    async def _by_rep(self, source: str) -> Mapping[str, tuple[Rep, list[Person]]]:
        """Return who already looks gone, by the user who is told of them, if anybody is."""
        found: dict[str, tuple[Rep, list[Person]]] = {}
        for watched in await self._store.watchlist():
            if watched.verdict not in ALARMING or watched.case:
                continue
            person = await self._store.person(watched.contact.address)
            if person is None or not baseline.belongs(person, source):
                continue
            for rep in (await self._people.reps(watched.contact.owner))[:1]:
                found.setdefault(rep.user, (rep, []))[1].append(person)
        return found

    async def _are_quiet(self, rep: Rep, now: datetime) -> bool:
        return Hours.of(rep, self._rules, await preferences(self._store, rep.user)).are_quiet(now)

    async def _reader(self, owner: str) -> tuple[str, str]:
        """Return who gets a rep's list, and in shadow mode instead of whom."""
        if not self._rules.shadow:
            return owner, ""
        admins = await self._people.admins()
        if not admins:
            raise NeedsHuman(
                "Slack knows none of the admins", "put the address of a member into slack.admins"
            )
        return admins[0].user, user(owner)

    async def on(self, which: Which) -> list[Person] | None:
        """Return who is on a list and still watched; None where there is no such list."""
        named = (await self._kept(which.source)).lists.get(which.owner)
        if named is None:
            return None
        found = [await self._store.person(address) for address in named]
        return [one for one in found if one is not None and one.contact is not None]

    async def naming(self, address: str) -> list[tuple[Which, Home]]:
        """Return the lists that a person stands on, and where their messages are."""
        found = []
        ended = await self._store.cursor(FIRST_PASSES)
        for source in sorted(ended) if isinstance(ended, dict) else ():
            kept = await self._kept(source)
            found += [
                (Which(owner, source), Home(channel, ts))
                for owner, (channel, ts) in kept.at.items()
                if address in kept.lists.get(owner, ())
            ]
        return found

    async def redraw(self, which: Which, home: Home) -> bool:
        """Draw a list anew; False where nobody is left on it. Raise what `ask` raises."""
        entries = [entry(one, which.source) for one in await self.on(which) or ()]
        if not entries:
            return False
        card = first_list.card(which, entries, user(which.owner) if self._rules.shadow else "")
        await ask(
            self._client.chat_update(channel=home.channel, ts=home.ts, text=card.text, blocks=card.blocks)
        )
        return True

    async def _kept(self, source: str) -> Kept:
        kept: Any = await self._store.setting(baseline.group(source))
        return Kept(**kept) if isinstance(kept, dict) else Kept()

    async def _keep(self, source: str, kept: Kept) -> None:
        values: dict[str, Json] = {
            "lists": {owner: [*addresses] for owner, addresses in kept.lists.items()},
            "at": {owner: [*place] for owner, place in kept.at.items()},
            "begun": {**kept.begun},
            "done": kept.done,
        }
        await self._store.save_setting(baseline.group(source), values)


def entry(person: Person, source: str) -> Entry:
    """Return somebody on the list as they looked when it was made."""
    assert person.contact is not None, "only who is watched is on a list"
    said = baseline.answer(person, source)
    judged = person.assessment
    assert judged is not None, "only who was judged is on a list"
    return Entry(person.contact, judged.verdict, judged.headline, said)
