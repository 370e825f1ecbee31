"""Take what is said of people on a list of who already looked gone: of all at once, or of each in a modal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import baseline
from bot.answers import observe
from bot.model import Answer, Choice, Home, NeedsHuman, Person, SourceDown
from bot.slack import first_list
from bot.slack.baselines import Baselines, entry
from bot.slack.door import Ack, Door, Stopped
from bot.slack.first_list import Which
from bot.slack.forms import PROMPT, home
from bot.slack.gate import TOO_LATE, Gate, trigger
from bot.slack.people import Directory, Profile
from bot.slack.presses import Who
from bot.slack.views import told
from bot.slack.web import ask
from bot.store import Store

log = structlog.get_logger()

TITLE = "Already looks gone"
GONE_LIST = "This list is not kept any more. Nothing was changed."
UNCHANGED = "What you said is kept, but the list could not be changed."

Body = dict[str, Any]


class Settling:
    """The buttons of the lists, and their modal: a rep settles their own, in shadow mode an admin may."""

    def __init__(
        self,
        store: Store,
        client: AsyncWebClient,
        people: Directory,
        lists: Baselines,
        gate: Gate,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._client = client
        self._people = people
        self._door = Door(people)
        self._lists = lists
        self._gate = gate
        self._now = now

    def register(self, app: AsyncApp) -> None:
        """Let the buttons of the lists and their modal come here."""
        app.action(first_list.CONFIRM)(self._admitted(self._confirm))
        app.action(first_list.EACH)(self._admitted(self._each))
        app.view(first_list.EACH)(self._admitted(self._save))

    def _admitted(
        self, does: Callable[[Ack, Body, Profile], Awaitable[None]]
    ) -> Callable[..., Awaitable[None]]:
        """Return a listener for members of this workspace; whoever else presses is told so."""

        async def listener(ack: Callable[..., Awaitable[object]], body: Body, context: Any) -> None:
            once = Ack(ack)
            with self._gate.working():
                try:
                    profile = await self._door.admit(once, Who.of(body, home(context)))
                except Stopped as stopped:
                    await self._refuse(once, body, str(stopped))
                    return
                await does(once, body, profile)

        return listener

    async def _confirm(self, ack: Ack, body: Body, profile: Profile) -> None:
        """Confirm everybody on the list as left who is Left or Likely left.

        What takes longer than Slack waits goes on afterwards; pressing again takes up what was not kept.
        """
        which = _which(body)
        people = await self._listed(which, profile)
        if people is None:
            await self._refuse(ack, body, GONE_LIST)
            return
        gone = [one for one in people if entry(one, which.source).verdict in baseline.GONE]
        left = dict.fromkeys((one.address for one in gone), Choice.LEFT)
        recording = asyncio.ensure_future(self._record(which, people, profile, left))
        await asyncio.wait({recording}, timeout=PROMPT.total_seconds())
        await ack()
        await recording
        await self._show(which, _channel(body), _ts(body), body)

    async def _each(self, ack: Ack, body: Body, profile: Profile) -> None:
        """Open the modal in which each is settled."""
        await ack()
        if not await self._gate.is_new(trigger(body)):
            return
        which = _which(body)
        people = await self._listed(which, profile)
        if people is None:
            await self._say(body, GONE_LIST)
            return
        entries = [entry(one, which.source) for one in people]
        view = first_list.modal(which, _channel(body), _ts(body), entries)
        try:
            await ask(self._client.views_open(trigger_id=trigger(body), view=view))
        except (SourceDown, NeedsHuman, SlackApiError) as problem:
            log.warning("view.not_opened", why=type(problem).__name__)
            await self._say(body, TOO_LATE)

    async def _save(self, ack: Ack, body: Body, profile: Profile) -> None:
        """Keep what was chosen in the modal."""
        where = _where(body["view"])
        which = Which.unpack(str(where.get("which") or ""))
        people = await self._listed(which, profile)
        if people is None:
            await self._refuse(ack, body, GONE_LIST)
            return
        values = (body["view"].get("state") or {}).get("values") or {}
        await self._record(which, people, profile, first_list.chosen(values))
        await ack()
        await self._show(which, str(where.get("channel")), str(where.get("ts")), body)

    async def _listed(self, which: Which, profile: Profile) -> list[Person] | None:
        """Return who is on a list; None where there is no such list, or not for whoever presses."""
        is_theirs = profile.user == which.owner
        if not is_theirs and self._lists.is_shadow:
            is_theirs = profile.user in {admin.user for admin in await self._people.admins()}
        return await self._lists.on(which) if is_theirs else None

    async def _record(
        self, which: Which, people: Sequence[Person], profile: Profile, said: Mapping[str, Choice]
    ) -> None:
        """Keep what was said of people on the list; the first word on each stands."""
        group = baseline.group(which.source)
        words = [
            Answer(person.address, group, profile.user, self._now(), said[person.address])
            for person in people
            if person.address in said and baseline.answer(person, which.source) is None
        ]
        name = profile.name or profile.user
        await self._store.record(seen for word in words if (seen := observe(word, name)))

    async def _show(self, which: Which, channel: str, ts: str, body: Body) -> None:
        """Bring a list up to date."""
        try:
            await self._lists.redraw(which, Home(channel, ts))
        except (SourceDown, NeedsHuman, SlackApiError) as problem:
            log.warning("baseline.not_shown", why=type(problem).__name__)
            await self._say(body, UNCHANGED)

    async def _refuse(self, ack: Ack, body: Body, text: str) -> None:
        """Say why nothing was done: in the modal while it is open, otherwise to the one who pressed."""
        if body.get("type") == "view_submission" and not ack.given:
            await ack(response_action="update", view=told(TITLE, text))
            return
        await ack()
        await self._say(body, text)

    async def _say(self, body: Body, text: str) -> None:
        """Tell only the one who pressed."""
        who = str(body["user"]["id"])
        try:
            await ask(self._client.chat_postEphemeral(channel=_channel(body) or who, user=who, text=text))
        except (SourceDown, NeedsHuman, SlackApiError) as problem:
            log.warning("answer.not_told", why=type(problem).__name__)


def _which(body: Body) -> Which:
    return Which.unpack(str(body["actions"][0].get("value") or ""))


def _where(view: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the modal carries unseen; nothing where it is not ours."""
    try:
        kept = json.loads(view.get("private_metadata") or "{}")
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}


def _channel(body: Body) -> str:
    return str((body.get("channel") or {}).get("id") or (body.get("container") or {}).get("channel_id") or "")


def _ts(body: Body) -> str:
    return str((body.get("container") or {}).get("message_ts") or (body.get("message") or {}).get("ts") or "")
