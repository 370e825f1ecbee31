"""`POST /activity`: signed signs of life, from a product of yours or a CRM's webhook."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from aiohttp import web

from bot import activity
from bot.model import NeedsHuman
from bot.store import Store

log = structlog.get_logger()

TIMESTAMP, SIGNATURE = "X-Stillthere-Timestamp", "X-Stillthere-Signature"

UNSIGNED, SENT_BEFORE, TOO_MANY, NOT_UNDERSTOOD = 401, 409, 413, 400


def routes(store: Store, secret: str, now: Callable[[], datetime]) -> list[web.RouteDef]:
    """Return the route, none without a secret; raise NeedsHuman where the secret could be guessed."""
    if not secret:
        return []
    if len(secret) < activity.SHORTEST_SECRET:
        raise NeedsHuman(
            "the secret of POST /activity is too short",
            f"make one of at least {activity.SHORTEST_SECRET} characters, such as by 'openssl rand -hex 32'",
        )
    return [web.post("/activity", _Door(store, secret, now).answer)]


class _Door:
    """Answers requests; what is wrong with one is said in words, and nobody is named."""

    def __init__(self, store: Store, secret: str, now: Callable[[], datetime]) -> None:
        self.store = store
        self.secret = secret
        self.now = now

    async def answer(self, request: web.Request) -> web.Response:
        """Take what is signed, fresh, and was not sent before."""
        try:
            body = await request.read()
        except web.RequestPayloadError:
            return _no(NOT_UNDERSTOOD, "its body breaks off, or is not packed as it says")
        timestamp, signature = request.headers.get(TIMESTAMP, ""), request.headers.get(SIGNATURE, "")
        now = self.now()
        if why := activity.objection(self.secret, timestamp, signature, body, now):
            return _no(UNSIGNED, why)
        try:
            events = activity.events_in(body)
        except ValueError as error:
            return _no(NOT_UNDERSTOOD, str(error))
        if len(events) > activity.MOST_EVENTS:
            return _no(TOO_MANY, f"it holds more than {activity.MOST_EVENTS} events: send them in portions")
        watched = frozenset(contact.address for contact in await self.store.contacts())
        taken = activity.take(events, watched, now)
        # Kept before it counts as taken: who gets no answer, because we were killed, sends it once more.
        new = await self.store.record(taken.observations)
        if not await self.store.claim_event(f"activity {signature}", now):
            return _no(SENT_BEFORE, "it was taken before")
        log.info("activity.taken", events=len(events), new=len(new), refused=len(taken.refused))
        return web.json_response(activity.summary(len(events), len(new), taken))


def _no(status: int, why: str) -> web.Response:
    """Refuse a request, and say why to its sender and in the log."""
    log.warning("activity.refused", status=status, why=why)
    return web.json_response({"error": why}, status=status)
