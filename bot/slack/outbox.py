"""Bring alerts out: unsent, leased, sent. Killed at any instant, none is lost.

An alert is leased before it is posted and noted as sent afterwards. Whoever takes over a lease cannot know
whether the one before posted: it looks for the alert's key in the channel where it may, and posts again where
it may not. A rare visible double is better than a lost alert.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.answers import on_it
from bot.model import Alert, Answer, Case, Delivery, Home, NeedsHuman, SourceDown
from bot.slack import cards
from bot.slack.board import Board
from bot.slack.cards import Card
from bot.slack.people import Directory
from bot.slack.web import ask
from bot.store import Store

log = structlog.get_logger()

EVENT_TYPE = "stillthere_alert"
"""What our messages carry as metadata, beside the alert's key."""

LEASE = timedelta(seconds=90)
"""Longer than any delivery takes: pace, the client's time-outs and the look for an earlier post."""

FIRST_RETRY = timedelta(seconds=5)
LONGEST_RETRY = timedelta(minutes=15)
AFTER_HUMAN = timedelta(minutes=10)
AFTER_BUG = timedelta(hours=1)
"""Far enough ahead that what we do wrong for one alert cannot hold up the others."""

PACE = timedelta(seconds=1)
"""Slack takes one message a second in a channel."""

LOOK_BACK = timedelta(hours=1)
"""Clocks may differ: so long before the alert was raised, a post of it may be dated."""

PAGE = 200
PAGES = 3


class Poster(Protocol):
    """Shows an alert where people look."""

    async def deliver(self, case: Case, delivery: Delivery, said: Answer | None, now: datetime) -> Home:
        """Show the leased alert and return where the case's message stands.

        `said` is who is on it. Raise SourceDown where trying later may help and NeedsHuman where a person
        must act first.
        """


async def drain(
    store: Store,
    poster: Poster,
    now: Callable[[], datetime],
    jitter: Callable[[], float] = random.random,
) -> int:
    """Bring out every alert that is due, oldest first, and return how many went out.

    What cannot be delivered stays unsent and is tried again later. `jitter` returns a number from 0 to 1.
    """
    out = 0
    complaints: set[str] = set()
    while (taken := await store.take_alert(now(), LEASE)) is not None:
        case, delivery = taken
        try:
            home = await poster.deliver(case, delivery, await _who_is_on_it(store, case), now())
        except SourceDown as down:
            wait = down.retry_after or _back_off(delivery.attempts, jitter())
            log.warning("alert.delayed", why=down.what, seconds=round(wait.total_seconds()))
        except NeedsHuman as problem:
            wait = AFTER_HUMAN
            if problem.what not in complaints:
                log.error("slack.needs_human", what=problem.what, how=problem.how)  # noqa: TRY400 - no bug
                complaints.add(problem.what)
        except Exception:
            wait = AFTER_BUG
            log.exception("alert.undeliverable", account=delivery.alert.contact.domain)
        else:
            out += 1
            if not await store.alert_sent(case.key, delivery, home, now()):
                log.warning("alert.lease_lost", attempts=delivery.attempts)
            continue
        await store.alert_failed(case.key, delivery, now() + max(wait, PACE))
    return out


async def _who_is_on_it(store: Store, case: Case) -> Answer | None:
    person = await store.person(case.contact)
    return on_it(person.observations, case.key) if person else None


def _back_off(attempts: int, jitter: float) -> timedelta:
    """Return a wait that doubles with every attempt; half of it is chance, so that retries spread out."""
    doublings = min(max(attempts - 1, 0), 16)
    return min(FIRST_RETRY * (1 << doublings), LONGEST_RETRY) * (0.5 + 0.5 * jitter)


class SlackPoster:
    """Posts to a Slack channel: one message a case, updated in place; what is new goes to its thread."""

    def __init__(
        self,
        client: AsyncWebClient,
        people: Directory,
        board: Board,
        channel: str,
        pace: timedelta = PACE,
    ) -> None:
        self._client = client
        self._people = people
        self._board = board
        self._channel = channel
        self._pace = Pace(pace)
        self._blocked: dict[str, datetime] = {}
        self._may_look = True

    async def deliver(self, case: Case, delivery: Delivery, said: Answer | None, now: datetime) -> Home:
        """Post the case's message, or update it and say in its thread what is new."""
        channel = case.home.channel if case.home else self._channel
        if (until := self._blocked.get(channel)) and now < until:
            raise SourceDown("Slack asks us to wait", until - now)
        try:
            return await self._deliver(case, delivery, said, now)
        except SourceDown as down:
            if down.retry_after is not None:
                self._blocked[channel] = now + down.retry_after
            raise

    async def _deliver(self, case: Case, delivery: Delivery, said: Answer | None, now: datetime) -> Home:
        alert = delivery.alert
        mention = await self._people.mention(alert.contact.owner)
        earlier = _earlier(case, alert)
        retaken = delivery.attempts > 1
        if case.home and earlier and await self._board.update(case, case.home, now):
            if not (retaken and await self._find(alert, case.home.channel, case.home.ts)):
                reply = cards.raised_again(alert, earlier, now, mention)
                await self._post(case.home.channel, reply, alert, thread=case.home.ts)
            return case.home
        found = await self._find(alert, self._channel) if retaken else None
        return found or await self._post(self._channel, cards.alert(alert, case, now, mention, said), alert)

    async def _post(self, channel: str, card: Card, alert: Alert, thread: str | None = None) -> Home:
        await self._pace.turn(channel)
        answer = await ask(
            self._client.chat_postMessage(
                channel=channel,
                text=card.text,
                blocks=card.blocks,
                thread_ts=thread,
                metadata={"event_type": EVENT_TYPE, "event_payload": {"key": alert.key, "case": alert.case}},
                unfurl_links=False,
                unfurl_media=False,
            ),
        )
        return Home(str(answer["channel"]), str(answer["ts"]))

    async def _find(self, alert: Alert, channel: str, thread: str = "") -> Home | None:
        """Look for a message that carries the alert's key; None also where we may not look."""
        oldest = str((alert.at - LOOK_BACK).timestamp())
        page: dict[str, Any] = {"channel": channel, "oldest": oldest, "limit": PAGE}
        for _ in range(PAGES if self._may_look else 0):
            look = (
                self._client.conversations_replies(ts=thread, include_all_metadata=True, **page)
                if thread
                else self._client.conversations_history(include_all_metadata=True, **page)
            )
            try:
                answer = await ask(look)
            except NeedsHuman as problem:
                log.info("outbox.cannot_look", why=problem.what)
                self._may_look = False
                break
            for message in answer["messages"]:
                if _key(message) == alert.key:
                    return Home(channel, str(message["ts"]))
            page["cursor"] = (answer.get("response_metadata") or {}).get("next_cursor")
            if not page["cursor"]:
                break
        return None


class Pace:
    """Let one message a moment into each channel."""

    def __init__(self, apart: timedelta) -> None:
        self._apart = apart.total_seconds()
        self._next: dict[str, float] = {}

    async def turn(self, channel: str) -> None:
        """Wait until it is this message's turn."""
        now = asyncio.get_running_loop().time()
        turn = max(now, self._next.get(channel, now))
        self._next[channel] = turn + self._apart
        await asyncio.sleep(turn - now)


def _earlier(case: Case, alert: Alert) -> Alert | None:
    """Return the latest alert of the case that was sent before this one."""
    sent = [delivery.alert for delivery in case.deliveries if delivery.sent_at is not None]
    return next((one for one in reversed(sent) if one.key != alert.key), None)


def _key(message: dict[str, Any]) -> str:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return ""
    return str((metadata.get("event_payload") or {}).get("key") or "")
