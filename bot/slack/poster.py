"""Post alerts to Slack: one message a case, kept up to date in place; what is new goes to its thread."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.model import Alert, Case, Delivery, Home, NeedsHuman, SourceDown, Verdict
from bot.routing import DIRECT, Deliver, Hold
from bot.slack import notices
from bot.slack.board import MESSAGE_GONE, Board
from bot.slack.parts import Card
from bot.slack.places import Places
from bot.slack.seeking import Seeker, metadata
from bot.slack.web import NOT_DRAWN, ChannelGone, ask, code

log = structlog.get_logger()

EVENT_TYPE = "stillthere_alert"
"""What the messages of alerts are known by, beside the mark of the alert's key."""

PACE = timedelta(seconds=1)
"""Slack takes one message a second in a channel."""


class SlackPoster:
    """Posts to Slack, where `places` says. `posting` is a client that never tries again by itself."""

    def __init__(self, posting: AsyncWebClient, places: Places, board: Board, pace: timedelta = PACE) -> None:
        self._posting = posting
        self._places = places
        self._board = board
        self._pace = Pace(pace)
        self._seeker = Seeker(places.client)
        self.removed = False
        """Whether the app was removed from the workspace: then nothing is posted any more."""

    async def lane(self, case: Case) -> str:
        """Return what names the place of the case's next alert. Raise SourceDown and NeedsHuman."""
        return await self._places.lane(case, case.alert)

    async def ready(self, lane: str) -> None:
        """Wait until the place takes another message."""
        await self._pace.wait(lane)

    async def deliver(self, case: Case, delivery: Delivery, now: datetime) -> Home | Hold | None:
        """Post the case's message, or update it and say in its thread what is new."""
        alert = delivery.alert
        if alert.is_all_clear:
            await self._clear(case, now)
            return case.home
        place = await self._places.route(case, alert)
        if isinstance(place, Hold):
            return place
        try:
            home = await self._show(case, delivery, place, now)
        except ChannelGone as problem:
            place = await self._places.instead(alert, place, problem)
            home = await self._show(case, delivery, place, now)
        if home != case.home:
            await self._tidy_up(case, home, now)
        return home

    async def _clear(self, case: Case, now: datetime) -> None:
        """Say on the case's message that it is over; where nobody can read it, there is nothing to say."""
        try:
            if case.home:
                await self._board.update(case, case.home, now)
        except ChannelGone as problem:
            log.info("all_clear.not_shown", why=problem.what)

    async def settle(self) -> None:
        """Keep what everybody was told today."""
        await self._places.settle()

    async def _show(self, case: Case, delivery: Delivery, place: Deliver, now: datetime) -> Home:
        """Post the alert and return where the case's message stands from now on."""
        alert, home, retaken = delivery.alert, case.home, delivery.attempts > 1
        channel = await self._places.channel(place)
        earlier = _earlier(case, alert)
        if home and earlier and _stays(home, channel, alert) and await self._board.update(case, home, now):
            thread = home.thread or home.ts
            if not (retaken and await self._find(alert, channel, thread)):
                mention = await self._places.mention(alert)
                reply = await self._board.reply(alert, earlier, channel, now, mention)
                await self._post(place, channel, reply, alert, thread)
            return home
        thread = await self._places.thread(alert, channel, now)
        found = await self._find(alert, channel, thread) if retaken else None
        if found is None:
            card = await self._board.card(case, channel, now)
            found = await self._post(place, channel, card, alert, thread)
        return found

    async def _post(self, place: Deliver, channel: str, card: Card, alert: Alert, thread: str = "") -> Home:
        marks = await self._board.register.marks()
        await self._pace.turn(place.lane)
        try:
            answer = await ask(
                self._posting.chat_postMessage(
                    channel=channel,
                    text=card.text,
                    blocks=card.blocks or None,
                    thread_ts=thread or None,
                    metadata=metadata(EVENT_TYPE, marks.of(alert.key), case=marks.case(alert.case)),
                    unfurl_links=False,
                    unfurl_media=False,
                ),
            )
        except SlackApiError as error:
            if card.blocks and code(error) in NOT_DRAWN:
                log.warning("alert.not_drawn", why=code(error), account=alert.contact.domain)
                return await self._post(place, channel, card.plainly(), alert, thread)
            if thread and code(error) in MESSAGE_GONE:
                return await self._post(place, channel, card, alert)
            raise
        await self._board.note(alert.case, answer)
        for admin in place.copies:
            await self._copy(admin, card, alert.case)
        return Home(str(answer["channel"]), str(answer["ts"]), thread)

    async def _copy(self, user: str, card: Card, case: str) -> None:
        """Let another admin see what the shadow mode sends; that is worth no second try."""
        copy = notices.copied(card)
        try:
            answer = await ask(
                self._posting.chat_postMessage(channel=user, text=copy.text, blocks=copy.blocks)
            )
            await self._board.note(case, answer)
        except (SourceDown, NeedsHuman, SlackApiError) as problem:
            log.warning("copy.not_sent", why=type(problem).__name__)

    async def _tidy_up(self, case: Case, home: Home, now: datetime) -> None:
        """Let older messages point to the new one. What fails is left as it is: the new one stands."""
        try:
            await self._board.close_earlier(case, now)
            if case.home and (case.home.channel.startswith(DIRECT) or case.home.thread):
                await self._point(case, case.home, home)
        except (SourceDown, NeedsHuman, SlackApiError) as problem:
            log.warning("alert.not_pointed", why=type(problem).__name__)

    async def _point(self, case: Case, old: Home, new: Home) -> None:
        client = self._places.client
        answer = await ask(client.chat_getPermalink(channel=new.channel, message_ts=new.ts))
        card = notices.moved(case.alert, str(answer["permalink"]), await self._places.names(old.channel))
        await ask(client.chat_update(channel=old.channel, ts=old.ts, text=card.text, blocks=card.blocks))

    async def _find(self, alert: Alert, channel: str, thread: str = "") -> Home | None:
        """Look for a message that carries the alert's key; None also where we may not look."""
        marks = await self._board.register.marks()
        ts = await self._seeker.find(channel, marks.of(alert.key), alert.at, thread)
        if not ts:
            return None
        await self._board.note(alert.case, {"channel": channel, "ts": ts})
        return Home(channel, ts, thread)


class Pace:
    """Let one message a moment into each place."""

    def __init__(self, apart: timedelta) -> None:
        self._apart = apart.total_seconds()
        self._next: dict[str, float] = {}

    async def wait(self, lane: str) -> None:
        """Wait until the place is free, without taking the turn."""
        await asyncio.sleep(self._next.get(lane, 0.0) - asyncio.get_running_loop().time())

    async def turn(self, lane: str) -> None:
        """Wait until it is this message's turn."""
        now = asyncio.get_running_loop().time()
        turn = max(now, self._next.get(lane, now))
        self._next[lane] = turn + self._apart
        await asyncio.sleep(turn - now)


def _stays(home: Home, channel: str, alert: Alert) -> bool:
    """Say whether the case's message stands where the alert goes; a departure leaves another's thread."""
    return home.channel == channel and not (home.thread and alert.assessment.verdict is Verdict.LEFT)


def _earlier(case: Case, alert: Alert) -> Alert | None:
    """Return the latest alert of the case that was sent before this one."""
    sent = [delivery.alert for delivery in case.deliveries if delivery.sent_at is not None]
    return next((one for one in reversed(sent) if one.key != alert.key), None)
