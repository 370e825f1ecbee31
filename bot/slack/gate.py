"""Who is asking, and whether they may: nobody from outside, no guest, no request twice.

What is refused is said in words to whoever asked, and a defect of ours is logged and said: nobody ever sees a
traceback.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from slack_sdk.errors import SlackApiError

from bot.model import Contact, NeedsHuman, SourceDown
from bot.slack.mrkdwn import clean
from bot.slack.parts import Card
from bot.slack.people import Directory, Profile, zone_of
from bot.store import Store

log = structlog.get_logger()

ELSEWHERE = "Stillthere belongs to another workspace and does not answer here. Nothing was changed."
GUEST = "Stillthere is for members of this workspace, not for guests. Nothing was changed."
UNKNOWN = "Slack does not say who you are. Nothing was changed."
ADMINS = "This is for the admins of Stillthere. They are named in its configuration. Nothing was changed."
DEFECT = "That went wrong here, and the log says why. Please tell whoever runs Stillthere."
TOO_LATE = "Slack gave us no time to open the form. Please try once more."

EXPIRED = frozenset({"expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id", "trigger_expired"})

Say = Callable[[Card], Awaitable[None]]
"""Says something to the one who asked, and to nobody else."""


class Refused(Exception):  # noqa: N818 - it is no error, it is an answer
    """Refuse what was asked, with the words for whoever asked."""


@dataclass(frozen=True)
class Caller:
    """Who is asking; `now` is the moment in their time zone."""

    profile: Profile
    is_admin: bool
    now: datetime
    _owned: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)

    @property
    def user(self) -> str:
        """Return their Slack user id."""
        return self.profile.user

    @property
    def owner(self) -> str:
        """Return what makes a contact theirs: the e-mail address, or the user id where Slack hides it."""
        return self.profile.address or self.profile.user

    def owns(self, contact: Contact) -> bool:
        """Say whether the contact is their own; quick for thousands, who have few owners."""
        if contact.owner not in self._owned:
            self._owned[contact.owner] = self.profile.owns(contact)
        return self._owned[contact.owner]

    def may_change(self, contact: Contact) -> bool:
        """Say whether the contact is theirs to change: a rep's own, and for admins everybody's."""
        return self.is_admin or self.owns(contact)

    def may_see(self, contact: Contact) -> bool:
        """Say whether all that is known of the contact may be shown to them."""
        return self.may_change(contact) or not contact.owner


class Gate:
    """Lets people in."""

    def __init__(
        self, store: Store, people: Directory, admins: Iterable[str], now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._people = people
        self._admins = frozenset(address.lower() for address in admins)
        self._now = now
        self._busy: set[asyncio.Task[Any]] = set()

    async def is_new(self, trigger: str) -> bool:
        """Say whether what has this trigger id comes for the first time; anything may be sent twice."""
        return not trigger or await self._store.claim_event(f"trigger {trigger}", self._now())

    async def caller(self, body: dict[str, Any], home: str | None) -> Caller:
        """Return who asks; raise Refused for those who may not. `home` is the workspace we belong to."""
        if home and any(team != home for team in teams(body)):
            raise Refused(ELSEWHERE)
        user = str(body.get("user_id") or (body.get("user") or {}).get("id") or "")
        profile = await self._people.profile(user) if user else None
        if profile is None or profile.gone:
            raise Refused(UNKNOWN)
        if profile.guest:
            raise Refused(GUEST)
        is_admin = bool(profile.address) and profile.address in self._admins
        return Caller(
            profile, is_admin, self._now().astimezone(zone_of(profile.time_zone, self._people.zone))
        )

    @contextmanager
    def working(self) -> Iterator[None]:
        """Keep the work under way known, so that it is finished before the app stops."""
        task = asyncio.current_task()
        assert task is not None, "Bolt runs listeners in tasks"
        is_outermost = task not in self._busy
        self._busy.add(task)
        try:
            yield
        finally:
            if is_outermost:
                self._busy.discard(task)

    async def finish(self, within: timedelta) -> None:
        """Wait for what is under way."""
        if self._busy:
            await asyncio.wait(self._busy, timeout=within.total_seconds())

    async def guarded(self, work: Awaitable[None], say: Say) -> None:
        """Do the work; what stops it is said in words to the one who asked."""
        with self.working():
            try:
                await work
            except Refused as refused:
                await _told(say, str(refused))
            except SourceDown as down:
                await _told(say, f"{clean(down.what)}. Nothing was changed; please try again in a minute.")
            except NeedsHuman as problem:
                log.error("slack.needs_human", what=problem.what, how=problem.how)  # noqa: TRY400 - no bug
                await _told(say, f"{clean(problem.what)}. An admin has to {clean(problem.how)}.")
            except SlackApiError as error:
                late = str(error.response.get("error") or "") in EXPIRED
                if not late:
                    log.exception("slack.refused")
                await _told(say, TOO_LATE if late else DEFECT)
            except Exception:
                log.exception("command.failed")
                await _told(say, DEFECT)


def trigger(body: dict[str, Any]) -> str:
    """Return what a request can open one form with, and what tells it from every other; empty for events."""
    return str(body.get("trigger_id") or "")


async def _told(say: Say, text: str) -> None:
    try:
        await say(Card(text, ()))
    except Exception as problem:  # noqa: BLE001 - there is nobody left to tell
        log.warning("answer.not_told", why=type(problem).__name__)


def teams(body: dict[str, Any]) -> set[str]:
    """Return the workspaces that a request comes from: that of the place, and that of the person."""
    named = (body.get("team_id"), (body.get("team") or {}).get("id"), (body.get("user") or {}).get("team_id"))
    return {team for team in named if isinstance(team, str) and team.startswith("T")}
