"""Send every rep their week: at their hour in their time zone, once, and late rather than never.

What is sent is claimed per rep and week in the store, so that of two processes one sends. That sending
begins is noted before it does: whoever tries again, all week long, looks first whether Slack took it, where
the app may look. Where each digest stands is kept, with the marks of whom it names, so that it can be erased.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import audit
from bot.coverage import Coverage
from bot.digest import Book, Own, Week, due_at, week
from bot.model import Case, Contact, Home, Json, NeedsHuman, Person, SourceDown, Suggestion, Watched
from bot.pipeline import domains_by_account
from bot.preferences import preferences
from bot.routing import owners
from bot.slack.archive import Archive
from bot.slack.mrkdwn import quote
from bot.slack.parts import Card
from bot.slack.people import UTC_ZONE, Directory, Profile, zone_of
from bot.slack.register import Register
from bot.slack.seeking import Seeker, metadata
from bot.slack.turns import SENDING, TRY_EVERY, turn
from bot.slack.web import ChannelGone, ask, code
from bot.slack.week import digest
from bot.store import Store

log = structlog.get_logger()

EVENT_TYPE = "stillthere_digest"

NOT_TAKEN = "invalid_blocks"
"""What Slack says of a kind of block that the workspace does not have."""


@dataclass(frozen=True)
class Slot:
    """A rep's digest of one week: when it is due, and what claims the right to send it."""

    user: str
    monday: date
    due: datetime

    @property
    def name(self) -> str:
        """Return what its claims are kept under."""
        return f"digest {self.user}"

    def claim(self, now: datetime) -> datetime | None:
        """Return which try it is time for; None before it is due, and while one might overlap the next."""
        number = turn(self.due, now)
        begin = datetime.combine(self.monday, time(), UTC)
        return None if number is None else begin + number * TRY_EVERY


@dataclass(frozen=True)
class Kept:
    """What is kept of a rep's digests: the Monday of the last one's week, and since when there is news.

    `begun` is the Monday of the one that somebody began to send. Of a rep whom we just came to know, there is
    news since now: their first digest is the next one that falls due.
    """

    since: datetime
    monday: str = ""
    begun: str = ""

    def as_json(self) -> Json:
        """Return it as it is kept."""
        since = self.since.astimezone(UTC).isoformat()
        return {"since": since, "monday": self.monday, "begun": self.begun}


class Digests:
    """Sends the weekly digests; `coverage` says which sources cannot be read.

    `zone` is for whom Slack knows none. In shadow mode everything goes to `shadow`, addresses of admins.
    """

    def __init__(
        self,
        store: Store,
        client: AsyncWebClient,
        posting: AsyncWebClient,
        people: Directory,
        register: Register,
        coverage: Callable[[], Coverage] = Coverage,
        *,
        zone: str = "UTC",
        shadow: Sequence[str] = (),
    ) -> None:
        self._store = store
        self._client = client
        self._posting = posting
        self._people = people
        self._register = register
        self._archive = Archive(store, register)
        self._seeker = Seeker(client)
        self._coverage = coverage
        self._zone = zone_of(zone, UTC_ZONE)
        self._shadow = shadow
        self._trouble = ""

    async def send_due(self, now: datetime) -> int:
        """Send every digest that is due and was not sent; return how many went out.

        Where Slack is out of reach, or a person must act first, the rest is left to a later call.
        """
        sent, trouble = 0, ""
        watched = await self._store.watchlist()
        try:
            for rep in await self._reps(one.contact for one in watched):
                try:
                    sent += await self._send_if_due(rep, watched, now)
                except ChannelGone as problem:
                    log.warning("digest.refused", why=problem.what)
        except (SourceDown, NeedsHuman) as problem:
            trouble = problem.what
        if trouble and trouble != self._trouble:
            log.warning("digest.delayed", why=trouble)
        self._trouble = trouble
        return sent

    async def _reps(self, contacts: Iterable[Contact]) -> list[Profile]:
        """Return the Slack users who own contacts, each once, by id."""
        named = sorted({owner for contact in contacts for owner in owners(contact.owner)})
        found = [await self._people.owner(owner) for owner in named]
        reps = {rep.user: rep for rep in found if rep is not None and not (rep.gone or rep.guest)}
        return [rep for _, rep in sorted(reps.items())]

    async def _send_if_due(self, rep: Profile, watched: Sequence[Watched], now: datetime) -> bool:
        chosen = await preferences(self._store, rep.user)
        if chosen.digest_paused:
            return False
        zone = zone_of(rep.time_zone, self._zone)
        slot = Slot(rep.user, *due_at(now, zone, chosen.digest_day, chosen.digest_hour))
        kept, attempt = await self._kept(slot, now), slot.claim(now)
        if attempt is None or kept.since >= slot.due or kept.monday >= slot.monday.isoformat():
            return False
        # Whoever sent it between our look and our claim has said so by now.
        if not await self._store.claim_slot(slot.name, attempt) or await self._kept(slot, now) != kept:
            return False
        retaken = kept.begun == slot.monday.isoformat()
        await self._keep(slot, replace(kept, begun=slot.monday.isoformat()))
        book = await self._book(rep, rep.own(watched))
        local = now.astimezone(zone)
        await self._send(rep, slot, book, week(book, kept.since, local), local, retaken=retaken)
        await self._keep(slot, Kept(now, slot.monday.isoformat()))
        return True

    async def _kept(self, slot: Slot, now: datetime) -> Kept:
        kept = await self._store.setting(slot.name)
        if isinstance(kept, dict):
            since, monday, begun = (str(kept.get(part) or "") for part in ("since", "monday", "begun"))
            return Kept(datetime.fromisoformat(since), monday, begun)
        first = Kept(now)
        await self._store.amend_setting(slot.name, lambda kept: kept or first.as_json())
        return first

    async def _keep(self, slot: Slot, kept: Kept) -> None:
        await self._store.save_setting(slot.name, kept.as_json())

    async def _send(
        self, rep: Profile, slot: Slot, book: Book, found: Week, now: datetime, *, retaken: bool
    ) -> None:
        """Send the week to the rep, in shadow mode to the admins. What Slack refuses is not tried again."""
        users, preface = [rep.user], ""
        if self._shadow:
            admins = [await self._people.find(address) for address in self._shadow]
            users = [admin.user for admin in admins if admin is not None]
            preface = f"Shadow mode: this is for {quote(rep.name or rep.user, 80)}."
        marks = await self._register.marks()
        card, plain = (digest(found, now, preface, marks, charts_are_taken=taken) for taken in (True, False))
        if found.ask is not None:
            asked = audit.Question(slot.monday, rep.user, found.ask.address)
            await self._store.amend_setting(audit.SETTING, lambda kept: audit.with_one(kept, asked))
        try:
            async with asyncio.timeout(SENDING.total_seconds() / 2):
                for user in users:
                    home = await self._post_either(user, card, plain, slot, retaken=retaken)
                    await self._archive.note(user, home, named(card, book))
        except TimeoutError as error:
            raise SourceDown("Slack takes too long to take a digest") from error
        except SlackApiError as error:
            log.warning("digest.refused", why=code(error))
        else:
            log.info("digest.sent", people=found.people, due=len(found.due), silent=found.is_silent)

    async def _post_either(self, user: str, card: Card, plain: Card, slot: Slot, *, retaken: bool) -> Home:
        """Post a digest, without its chart where the workspace takes none."""
        try:
            return await self._post(user, card, slot, retaken=retaken)
        except SlackApiError as error:
            if code(error) != NOT_TAKEN or plain == card:
                raise
            log.info("digest.without_chart", why=code(error))
            return await self._post(user, plain, slot, retaken=retaken)

    async def _post(self, user: str, card: Card, slot: Slot, *, retaken: bool) -> Home:
        """Post a digest, unless Slack took it in an earlier try; return where it stands."""
        opened = await ask(self._client.conversations_open(users=user))
        channel = str(opened["channel"]["id"])
        key = (await self._register.marks()).of(f"{slot.name} {slot.monday}")
        if retaken and (ts := await self._seeker.find(channel, key, slot.due)):
            return Home(channel, ts)
        answer = await ask(
            self._posting.chat_postMessage(
                channel=channel,
                text=card.text,
                blocks=card.blocks,
                metadata=metadata(EVENT_TYPE, key),
                unfurl_links=False,
                unfurl_media=False,
            )
        )
        return Home(channel, str(answer["ts"]))

    async def _book(self, rep: Profile, mine: Sequence[Watched]) -> Book:
        own = []
        for watched in mine:
            if (person := await self._store.person(watched.contact.address)) is not None:
                own.append(Own(watched, person))
            await asyncio.sleep(0)
        contacts = await self._store.contacts()
        around, notices = await self._around(mine, contacts), await self._notices(rep)
        return Book(own, around, notices, self._coverage(), rep.user)

    async def _around(self, mine: Sequence[Watched], contacts: Sequence[Contact]) -> dict[str, list[Person]]:
        """Return everybody known at the accounts where a deal is at stake."""
        domains = domains_by_account(contacts)
        watched: defaultdict[str, list[str]] = defaultdict(list)
        for contact in contacts:
            watched[contact.account_name].append(contact.address)
        around: dict[str, list[Person]] = {}
        for account in {one.contact.account_name for one in mine if one.contact.deal is not None}:
            people = {person.address: person for person in await self._store.people(domains[account])}
            others = [
                await self._store.person(address) for address in watched[account] if address not in people
            ]
            around[account] = [*people.values(), *(person for person in others if person is not None)]
            await asyncio.sleep(0)
        return around

    async def _notices(self, rep: Profile) -> list[Case]:
        cases = [case for case in await self._store.cases() if case.contact.startswith("@")]
        return [case for case in cases if case.deliveries and rep.owns(case.deliveries[-1].alert.contact)]


def named(card: Card, book: Book) -> set[str]:
    """Return the addresses of those whom a digest names: the rep's people, and who is known beside them."""
    shown = _written([card.text, *card.blocks])
    known: list[Contact | Suggestion] = [own.watched.contact for own in book.people]
    known += [one for own in book.people if (judged := own.person.assessment) for one in judged.suggestions]
    return {
        one.address
        for one in known
        if any(text and _written(quote(text, 80))[1:-1] in shown for text in (one.name, one.address))
    }


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
