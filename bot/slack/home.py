"""Show each rep their Home tab when they open it, and again when something on it was pressed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.coverage import Coverage
from bot.free_days import Period
from bot.model import Case, NeedsHuman, SourceDown, Watched
from bot.our_days import OurDays
from bot.pauses import Pauses
from bot.preferences import preferences
from bot.routing import Rules
from bot.slack import tab
from bot.slack.people import Directory, Profile, zone_of
from bot.slack.register import Register
from bot.slack.web import ask, code
from bot.store import Store

log = structlog.get_logger()

GUEST = "Stillthere is for members of this workspace, not for guests."
UNKNOWN = "Slack does not say who you are right now. Please open this tab again in a minute."

APART = timedelta(seconds=2)
"""So long after a tab was drawn because of a change, it is drawn for the next one."""

LATELY = timedelta(days=30)
"""So long after they came back a rep is told that their absence explains silences."""

BREATH = 50
"""So many accounts are looked at before others get their turn."""

Ack = Callable[[], Awaitable[object]]


class HomeTab:
    """The Home tab of every rep; `coverage` says which sources cannot be read."""

    def __init__(
        self,
        store: Store,
        client: AsyncWebClient,
        people: Directory,
        register: Register,
        rules: Rules,
        now: Callable[[], datetime],
        coverage: Callable[[], Coverage] = Coverage,
    ) -> None:
        self._store = store
        self._client = client
        self._people = people
        self._register = register
        self._rules = rules
        self._now = now
        self._coverage = coverage
        self._shown: dict[str, int] = {}
        self._touched: set[str] = set()
        self._drawn: dict[str, float] = {}
        self._drawing: set[asyncio.Task[None]] = set()
        self.mailbox: tab.MailboxButton = tab.no_mailbox

    def register(self, app: AsyncApp) -> None:
        """Show the tab when it is opened, and turn its pages."""

        async def opened(event: dict[str, Any]) -> None:
            if event.get("tab") == "home":
                await self.show(str(event["user"]))

        async def turned(ack: Ack, body: dict[str, Any]) -> None:
            await ack()
            await self.show(str(body["user"]["id"]), tab.page_of(str(body["actions"][0].get("value") or "")))

        async def followed(ack: Ack) -> None:
            await ack()  # the browser opened the page already

        app.event("app_home_opened")(opened)
        app.action(tab.PREVIOUS)(turned)
        app.action(tab.NEXT)(turned)
        app.action(tab.MAILBOX)(followed)

    async def show(self, user: str, number: int = 0) -> None:
        """Show a page of the tab; a number beyond the last page shows that."""
        try:
            await ask(self._client.views_publish(user_id=user, view=await self._view(user, number)))
        except (SourceDown, NeedsHuman) as problem:
            log.warning("home.not_shown", why=problem.what)
        except SlackApiError as error:
            log.warning("home.not_shown", why=code(error))

    async def refresh(self, user: str) -> None:
        """Show the page anew that a user has seen last; of whoever never opened the tab, nothing."""
        if user in self._shown:
            await self.show(user, self._shown[user])

    async def touch(self, user: str) -> None:
        """Show it anew soon: what changes at short intervals is drawn together."""
        if user in self._shown and user not in self._touched:
            self._touched.add(user)
            task = asyncio.create_task(self._refresh_soon(user), name=f"home {user}")
            self._drawing.add(task)
            task.add_done_callback(self._drawing.discard)

    async def stop(self) -> None:
        """Draw nothing more."""
        for task in self._drawing:
            task.cancel()
        await asyncio.gather(*self._drawing, return_exceptions=True)

    async def _refresh_soon(self, user: str) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self._drawn.get(user, 0.0) + APART.total_seconds() - loop.time())
        self._touched.discard(user)
        self._drawn[user] = loop.time()
        await self.refresh(user)

    async def _view(self, user: str, number: int) -> dict[str, Any]:
        try:
            profile = await self._people.profile(user)
        except SourceDown:
            profile = None
        if profile is None or profile.gone:
            return tab.only(UNKNOWN)
        if profile.guest:
            return tab.only(GUEST)
        zone = zone_of(profile.time_zone, self._people.zone)
        now = self._now().astimezone(zone)
        mine = profile.own(await self._store.watchlist())
        await asyncio.sleep(0)
        page = await self._page(mine, await self._notices(profile, mine), number, now)
        self._shown[user] = page.number
        await asyncio.sleep(0)
        chosen = await preferences(self._store, user)
        choices = tab.Choices(chosen, self._rules.quiet, self._rules.alerts_a_day, zone.key)
        mailbox = self.mailbox(user, profile.address)
        absence = await self._absence(profile.address, now.date())
        return tab.home(mine, page, self._coverage(), choices, now, mailbox, absence)

    async def _absence(self, address: str, today: date) -> Period | None:
        """Return when this rep was away last, if that was lately."""
        written = (await OurDays(self._store, frozenset()).known()).get(address.lower(), ())
        last = next(reversed(Pauses().idle(written, today)), None)
        return last if last is not None and today - last[1] <= LATELY else None

    async def _page(
        self, mine: Sequence[Watched], notices: Sequence[Case], number: int, now: datetime
    ) -> tab.Page:
        rows = tab.rows(mine, notices, now.date())
        await asyncio.sleep(0)
        pages = max(1, -(-len(rows) // tab.ROWS))
        shown = min(number, pages - 1)
        part = rows[shown * tab.ROWS : (shown + 1) * tab.ROWS]
        found = [await self._store.person(address) for address in {row.address for row in part}]
        people = {person.address: person for person in found if person is not None}
        marks = await self._register.marking(people)
        return tab.Page(shown, pages, sum(bool(row.case) for row in rows), part, people, marks)

    async def _notices(self, profile: Profile, mine: Sequence[Watched]) -> list[Case]:
        """Return the newest case of each account in trouble that is this rep's."""
        found = []
        for looked, domain in enumerate(sorted({one.contact.domain for one in mine})):
            if looked % BREATH == 0:
                await asyncio.sleep(0)
            account = await self._store.person(f"@{domain}")
            if account is not None and account.cases and profile.owns(account.cases[-1].alert.contact):
                found.append(account.cases[-1])
        return found
