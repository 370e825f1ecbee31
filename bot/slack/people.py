"""Who is who in Slack: owners by their address, names by user id; remembered for a while."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.model import Contact, NeedsHuman, SourceDown, Watched
from bot.routing import Rep, Rules, owners, stand_ins
from bot.slack.mrkdwn import quote, user
from bot.slack.web import ask

UTC_ZONE = ZoneInfo("UTC")

_USER_ID = re.compile(r"[UW][A-Z0-9]{2,20}")

AWAY = frozenset({":palm_tree:", ":face_with_thermometer:"})
"""The signs of Slack's own statuses of those who do not work now."""

PAGE = 200
PAGES = 50
"""So far a workspace is searched for a name: 10,000 people."""

REMEMBERED = timedelta(hours=1)
PATIENCE = timedelta(seconds=1)
"""How long a name is worth waiting for while somebody waits for the answer to a press of a button."""


@dataclass(frozen=True)
class Profile:
    """A Slack user as far as we need to know them; empty where Slack does not say.

    `guest` is somebody with limited access to the workspace, `gone` a deactivated account, and `away` who
    says so in their status.
    """

    user: str
    name: str = ""
    address: str = ""
    time_zone: str = ""
    guest: bool = False
    gone: bool = False
    away: bool = False

    @classmethod
    def of(cls, user: Mapping[str, Any]) -> Profile:
        """Read a user object of the Web API."""
        profile = user.get("profile") or {}
        return cls(
            user=str(user.get("id") or ""),
            name=str(user.get("real_name") or ""),
            address=str(profile.get("email") or "").lower(),
            time_zone=str(user.get("tz") or ""),
            guest=any(user.get(kind) for kind in ("is_restricted", "is_ultra_restricted", "is_stranger")),
            gone=bool(user.get("deleted")),
            away=profile.get("status_emoji") in AWAY,
        )

    @property
    def may_be_told(self) -> bool:
        """Say whether this is a member of the team, whose account is in use."""
        return not (self.gone or self.guest)

    def owns(self, contact: Contact) -> bool:
        """Say whether the contact's owner, or one of several, is this user: by id or address.

        Never by name: everybody in Slack chooses their own.
        """
        return any(owner in {self.user, self.address} for owner in map(_id_or_address, owners(contact.owner)))

    def own(self, watched: Iterable[Watched]) -> list[Watched]:
        """Return those whose contact is this user's; quick for thousands, who have few owners."""
        owned: dict[str, bool] = {}
        found = []
        for one in watched:
            owner = one.contact.owner
            if owner not in owned:
                owned[owner] = self.owns(one.contact)
            if owned[owner]:
                found.append(one)
        return found


class Directory:
    """Find Slack users; where Slack does not say, what we know of them is shown as text.

    `rules` say who stands in for whom.
    """

    def __init__(
        self, client: AsyncWebClient, now: Callable[[], datetime], rules: Rules | None = None
    ) -> None:
        self._client = client
        self._now = now
        self._rules = rules or Rules("")
        self._known: dict[str, tuple[datetime, Profile | None]] = {}
        self._names: tuple[datetime, dict[str, Profile | None]] | None = None

    async def reps(self, owner: str) -> list[Rep]:
        """Return who is told of a contact of this owner: each owner, or who stands in for them.

        Raise SourceDown and NeedsHuman.
        """
        found = [await self._rep(one) for one in owners(owner) or ("",)]
        return list({rep.user: rep for rep in found if rep}.values())

    async def admins(self) -> list[Profile]:
        """Return the admins whom Slack knows. Raise SourceDown and NeedsHuman."""
        found = [await self.find(address) for address in self._rules.admins]
        return [admin for admin in found if admin and admin.may_be_told]

    async def mention(self, owner: str) -> str:
        """Mention who is told of a contact of this owner, or name the owner where that is nobody (mrkdwn)."""
        try:
            reps = await self.reps(owner)
        except (SourceDown, NeedsHuman):
            reps = []
        if not reps:
            return ", ".join(user(one) for one in owners(owner))
        return " and ".join(user(rep.user) + _instead(rep) for rep in reps)

    async def local(self, now: datetime, owner: str) -> datetime:
        """Return the moment in the zone of whoever is told of a contact of this owner, or of the team."""
        try:
            reps = await self.reps(owner)
        except (SourceDown, NeedsHuman):
            reps = []
        return now.astimezone(zone_of(reps[0].zone if reps else "", self.zone))

    @property
    def zone(self) -> ZoneInfo:
        """Return the time zone of those of whom Slack says none."""
        return zone_of(self._rules.zone, UTC_ZONE)

    async def _rep(self, owner: str) -> Rep | None:
        """Return the owner as somebody to tell, or who stands in, as far as there is anybody."""
        profile = await self.owner(owner) if owner else None
        address = (profile.address if profile else "") or owner.lower()
        if profile and profile.may_be_told and not profile.away:
            return Rep(profile.user, address, profile.time_zone)
        for one in (*stand_ins(address, self._rules), *self._rules.admins):
            other = await self.find(one)
            if other and other.may_be_told and not other.away:
                return Rep(other.user, other.address, other.time_zone, instead_of=address)
        is_here = profile is not None and profile.may_be_told
        return Rep(profile.user, address, profile.time_zone) if profile and is_here else None

    async def name(self, user_id: str, otherwise: str) -> str:
        """Return the real name of a user, or `otherwise` where Slack does not say it at once."""
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                found = await self.profile(user_id)
        except (TimeoutError, SourceDown, NeedsHuman):
            return otherwise
        return (found.name if found else "") or otherwise

    async def profile(self, user_id: str) -> Profile | None:
        """Return a user by id, None where there is none. Raise SourceDown and NeedsHuman."""
        return await self._look_up(user_id, lambda: self._client.users_info(user=user_id))

    async def find(self, address: str) -> Profile | None:
        """Return a user by e-mail address, None where there is none. Raise SourceDown and NeedsHuman."""
        return await self._look_up(address, lambda: self._client.users_lookupByEmail(email=address))

    async def owner(self, owner: str) -> Profile | None:
        """Return the user whom a contact's owner names by address, id or real name; of namesakes, nobody.

        Raise SourceDown and NeedsHuman.
        """
        if "@" in owner:
            return await self.find(owner)
        if _USER_ID.fullmatch(owner):
            return await self.profile(owner)
        return (await self._by_name()).get(owner.casefold())

    async def _by_name(self) -> Mapping[str, Profile | None]:
        """Return everybody in the workspace by their real name; None for a name that several have."""
        if self._names is not None and self._now() - self._names[0] < REMEMBERED:
            return self._names[1]
        names: dict[str, Profile | None] = {}
        page: dict[str, Any] = {"limit": PAGE}
        for _ in range(PAGES):
            answer = await ask(self._client.users_list(**page))
            for profile in map(Profile.of, answer["members"]):
                name = profile.name.strip().casefold()
                if name and not profile.gone:
                    names[name] = None if name in names else profile
            page["cursor"] = (answer.get("response_metadata") or {}).get("next_cursor")
            if not page["cursor"]:
                break
        self._names = (self._now(), names)
        return names

    async def _look_up(self, key: str, call: Callable[[], Awaitable[object]]) -> Profile | None:
        """Return the user; that Slack knows none is remembered too."""
        since, known = self._known.get(key, (None, None))
        if since is not None and self._now() - since < REMEMBERED:
            return known
        try:
            known = Profile.of((await ask(call()))["user"])
        except SlackApiError:
            known = None
        self._known[key] = (self._now(), known)
        return known


def zone_of(name: str, otherwise: ZoneInfo) -> ZoneInfo:
    """Return the time zone of that name, or the other where it is unknown here."""
    with suppress(KeyError, ValueError, OSError):
        return ZoneInfo(name) if name else otherwise
    return otherwise


def _id_or_address(owner: str) -> str:
    return owner.lower() if "@" in owner else owner


def _instead(rep: Rep) -> str:
    return f" for {quote(rep.instead_of, 80)}" if rep.instead_of else ""
