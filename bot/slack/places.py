"""Know the places of alerts: who is told, where that is in Slack, and how people are named there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import routing
from bot.model import Alert, Case, Json, NeedsHuman, SourceDown, Verdict
from bot.preferences import Preferences, preferences
from bot.routing import BUNDLED_FOR, Deliver, Hold, Hours, Names, Rep, Rules
from bot.slack import notices
from bot.slack.parts import Card
from bot.slack.people import Directory
from bot.slack.web import ChannelGone, ask
from bot.store import Store
from watchers import FREE_MAIL

log = structlog.get_logger()

REMEMBERED = timedelta(hours=1)
TOLD = "told today"
"""The setting that holds, by user, what they were told today."""


class Places:
    """Find the place of each alert."""

    def __init__(
        self,
        store: Store,
        client: AsyncWebClient,
        people: Directory,
        rules: Rules,
        now: Callable[[], datetime],
    ) -> None:
        self.client = client
        self._store = store
        self._people = people
        self._rules = rules
        self._now = now
        self._ledger = Ledger(store)
        self._dms: dict[str, str] = {}
        self._private: dict[str, tuple[datetime, bool]] = {}

    async def lane(self, case: Case, alert: Alert) -> str:
        """Return what names the place of an alert, whenever it is told. Raise SourceDown and NeedsHuman."""
        reps = await self._people.reps(await self._owner(alert))
        return (await self._seen(routing.place(alert, case, reps, self._rules))).lane

    async def route(self, case: Case, alert: Alert) -> Deliver | Hold:
        """Return where an alert goes now, or until when it is held. Raise SourceDown and NeedsHuman."""
        reps = await self._people.reps(await self._owner(alert))
        first = reps[0] if reps else None
        chosen = await preferences(self._store, first.user) if first else Preferences()
        await self._ledger.load()
        # From here to the entry in the ledger nothing is awaited: two alerts cannot both take the last place.
        today = self._day(first, chosen)
        told = self._ledger.told(first.user, today, alert.key) if first else ()
        found = routing.route(alert, case, reps, self._rules, chosen, told, self._now())
        if isinstance(found, Hold):
            return found
        if first:
            self._ledger.enter(first.user, today, alert)
        return await self._seen(found)

    async def settle(self) -> None:
        """Keep what everybody was told today."""
        await self._ledger.save()

    async def instead(self, alert: Alert, lost: Deliver, problem: ChannelGone) -> Deliver:
        """Return where an alert goes whose channel is gone, and tell the admins once a day.

        Raise the problem where there is nobody to tell.
        """
        if lost.user:
            raise problem
        admins = [admin.user for admin in await self._people.admins()]
        reps = await self._people.reps(await self._owner(alert))
        told = [rep.user for rep in reps] or admins
        if not told:
            raise problem
        if await self._store.claim_event(f"gone {lost.channel} {self._now().date()}", self._now()):
            log.error("slack.channel_gone", channel=lost.channel, what=problem.what, how=problem.how)
            await self._tell(admins, notices.channel_gone(lost.channel, problem.what, problem.how))
        return Deliver(user=told[0], mention=tuple(reps))

    async def channel(self, place: Deliver) -> str:
        """Return the id of the channel, or of the direct message. Raise SourceDown and NeedsHuman."""
        if not place.user:
            return place.channel
        if place.user not in self._dms:
            answer = await ask(self.client.conversations_open(users=place.user))
            self._dms[place.user] = str(answer["channel"]["id"])
        return self._dms[place.user]

    async def thread(self, alert: Alert, channel: str, now: datetime) -> str:
        """Return the recent message about the same account in whose thread the alert belongs, if any."""
        contact = alert.contact
        if alert.assessment.verdict is Verdict.LEFT or contact.domain in FREE_MAIL:
            return ""
        recent = [
            (sent, case.home.ts)
            for person in await self._store.people(frozenset({contact.domain}))
            for case in person.cases
            if case.home and case.home.channel == channel and not case.home.thread and case.key != alert.case
            for sent in [case.deliveries[0].sent_at]
            if sent and now - sent < BUNDLED_FOR and case.alert.contact.account_name == contact.account_name
        ]
        return min(recent)[1] if recent else ""

    async def names(self, channel: str) -> Names:
        """Return how people are named in a channel: by initials where it is public or cannot be looked at."""
        if channel.startswith(routing.DIRECT):
            return "full"
        if self._rules.names == "full" and await self._is_private(channel):
            return "full"
        return "initials"

    async def mention(self, alert: Alert) -> str:
        """Mention who is told of an alert (mrkdwn)."""
        return await self._people.mention(await self._owner(alert))

    async def dress(self, card: Card, case: Case) -> Card:
        """Mark the message of a case in shadow mode: only the admins see it."""
        if not self._rules.shadow:
            return card
        reps = await self._people.reps(await self._owner(case.alert))
        would = routing.place(case.alert, Case(case.contact, case.episode), reps, self._rules)
        return notices.shadow(card, would)

    async def _owner(self, alert: Alert) -> str:
        """Return who owns the contact now, which may be another than when the alert was raised."""
        person = await self._store.person(alert.contact.address)
        return (person.contact if person and person.contact else alert.contact).owner

    def _day(self, rep: Rep | None, chosen: Preferences) -> str:
        return self._now().astimezone(Hours.of(rep, self._rules, chosen).zone).date().isoformat()

    async def _seen(self, place: Deliver) -> Deliver:
        """Return the place, or that of the admins in shadow mode."""
        if not self._rules.shadow:
            return place
        admins = await self._people.admins()
        if not admins:
            raise NeedsHuman(
                "Slack knows none of the admins", "put the e-mail address of a member into slack.admins"
            )
        return routing.shadowed(place, [admin.user for admin in admins])

    async def _is_private(self, channel: str) -> bool:
        since, known = self._private.get(channel, (None, False))
        if since is not None and self._now() - since < REMEMBERED:
            return known
        try:
            known = bool(
                (await ask(self.client.conversations_info(channel=channel)))["channel"]["is_private"]
            )
        except (NeedsHuman, SlackApiError) as problem:
            log.info("channel.not_seen", channel=channel, why=str(problem)[:200], instead="initials")
            known = False
        self._private[channel] = (self._now(), known)
        return known

    async def _tell(self, users: Sequence[str], text: str) -> None:
        for one in users:
            try:
                await ask(self.client.chat_postMessage(channel=one, text=text))
            except (SourceDown, NeedsHuman, SlackApiError) as problem:
                log.warning("admin.not_told", why=type(problem).__name__)


class Ledger:
    """What each rep was told today, by the alert's key: an alert that is tried again counts once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._days: dict[str, tuple[str, dict[str, Verdict]]] | None = None
        self._saved = True

    async def load(self) -> None:
        """Take up what an earlier run kept."""
        if self._days is None:
            kept = await self._store.setting(TOLD)
            self._days = self._days or dict(_read(kept if isinstance(kept, dict) else {}))

    def told(self, user: str, day: str, but: str) -> tuple[Verdict, ...]:
        """Return what the user was told on a day beside one alert."""
        known, alerts = (self._days or {}).get(user, ("", {}))
        return tuple(verdict for key, verdict in alerts.items() if key != but) if known == day else ()

    def enter(self, user: str, day: str, alert: Alert) -> None:
        """Note that the user is told of an alert."""
        days = self._days if self._days is not None else {}
        known, alerts = days.get(user, ("", {}))
        days[user] = (day, {**(alerts if known == day else {}), alert.key: alert.assessment.verdict})
        self._days, self._saved = days, False

    async def save(self) -> None:
        """Keep it."""
        if not self._saved and self._days is not None:
            self._saved = True
            days = self._days
            kept = await self._store.amend_setting(TOLD, lambda kept: _written(_together(kept, days)))
            self._days = {**self._days, **_together(kept, self._days)}


def _together(
    kept: Json, ours: Mapping[str, tuple[str, dict[str, Verdict]]]
) -> dict[str, tuple[str, dict[str, Verdict]]]:
    """Return what was kept, perhaps by another process, with what we know: of each user the last day."""
    found = _read(kept if isinstance(kept, dict) else {})
    for user, (day, alerts) in ours.items():
        known, others = found.get(user, ("", {}))
        if day >= known:
            found[user] = (day, {**(others if day == known else {}), **alerts})
    return found


def _written(days: Mapping[str, tuple[str, dict[str, Verdict]]]) -> Json:
    return {
        user: {"day": day, "alerts": {key: verdict.value for key, verdict in alerts.items()}}
        for user, (day, alerts) in days.items()
    }


def _read(kept: Mapping[str, Json]) -> dict[str, tuple[str, dict[str, Verdict]]]:
    found = {}
    for user, entry in kept.items():
        if isinstance(entry, dict) and isinstance(alerts := entry.get("alerts"), dict):
            found[user] = (str(entry.get("day")), {key: Verdict(str(value)) for key, value in alerts.items()})
    return found
