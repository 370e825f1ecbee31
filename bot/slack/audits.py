"""Take what a rep answers to the week's question about somebody who never alarmed."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import audit
from bot.answers import observe
from bot.audit import Question
from bot.model import Answer, Choice, NeedsHuman, SourceDown
from bot.slack.door import Ack, Door, Stopped
from bot.slack.forms import home
from bot.slack.gate import Gate
from bot.slack.mrkdwn import quote
from bot.slack.people import Directory, Profile
from bot.slack.presses import Who
from bot.slack.register import Register
from bot.slack.web import ask
from bot.slack.week import AUDIT
from bot.store import Store

log = structlog.get_logger()

NOT_ASKED = "This question is not kept any more, or was for somebody else. Nothing was changed."

WORDS = {Choice.STILL_THERE: "still there", Choice.LEFT: "has left"}


class Audits:
    """The buttons of the question in a digest; in shadow mode an admin may press them."""

    def __init__(
        self,
        store: Store,
        client: AsyncWebClient,
        people: Directory,
        register: Register,
        gate: Gate,
        now: Callable[[], datetime],
        *,
        shadow: bool = False,
    ) -> None:
        self._store = store
        self._client = client
        self._people = people
        self._door = Door(people)
        self._register = register
        self._gate = gate
        self._now = now
        self._shadow = shadow

    def register(self, app: AsyncApp) -> None:
        """Let the buttons come here."""
        app.action(re.compile(f"^{re.escape(AUDIT)}"))(self._pressed)

    async def _pressed(
        self, ack: Callable[..., Awaitable[object]], body: dict[str, Any], context: Any
    ) -> None:
        """Take a press by a member of this workspace; whoever else presses is told so."""
        once = Ack(ack)
        with self._gate.working():
            try:
                profile = await self._door.admit(once, Who.of(body, home(context)))
            except Stopped as stopped:
                said = str(stopped)
            else:
                said = await self._answer(body["actions"][0], profile)
            await once()
            await self._say(body, said)

    async def _answer(self, action: dict[str, Any], profile: Profile) -> str:
        """Keep the answer and return what to say of it; the first word on each question stands."""
        choice = str(action.get("action_id") or "").removeprefix(AUDIT)
        question = await self._question(str(action.get("value") or ""), profile)
        person = await self._store.person(question.contact) if question is not None else None
        if question is None or person is None or choice not in audit.CHOICES:
            return NOT_ASKED
        name = quote((person.contact.label if person.contact else person.address), 80)
        if question.answer(person) is not None:
            return f"You said already what you know of {name}; that stands."
        word = Answer(question.contact, question.group, profile.user, self._now(), Choice(choice))
        seen = observe(word, profile.name or profile.user)
        await self._store.record([seen] if seen is not None else [])
        return f"Thank you. Noted: {name}, {WORDS[word.choice]}."

    async def _question(self, value: str, profile: Profile) -> Question | None:
        """Return what was asked by a button that carries a person's mark and a week."""
        mark, _, week = value.partition(" ")
        try:
            monday = date.fromisoformat(week)
        except ValueError:
            return None
        marks = await self._register.marks()
        mine = [
            one
            for one in audit.asked(await self._store.setting(audit.SETTING))
            if one.monday == monday and marks.of(one.contact) == mark
        ]
        theirs = [one for one in mine if one.rep == profile.user]
        if not theirs and self._shadow and profile.user in {one.user for one in await self._people.admins()}:
            return next(iter(mine), None)
        return next(iter(theirs), None)

    async def _say(self, body: dict[str, Any], text: str) -> None:
        """Tell only the one who pressed."""
        user, channel = str(body["user"]["id"]), str((body.get("channel") or {}).get("id") or "")
        try:
            await ask(self._client.chat_postEphemeral(channel=channel or user, user=user, text=text))
        except (SourceDown, NeedsHuman, SlackApiError) as problem:
            log.warning("answer.not_told", why=type(problem).__name__)
