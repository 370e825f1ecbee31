"""Play the founding story moment by moment through the service's own pipeline and Slack app.

A stage only moves forward. To go back, a new one is played from the beginning, with what the viewer did on
the way: the same mails, presses and moments always give the same messages.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_bolt.authorization import AuthorizeResult

from bot import story
from bot.clock import FrozenClock
from bot.model import Assessment
from bot.pipeline import Pipeline, Rules
from bot.routing import Rules as Routing
from bot.slack.actions import Desk
from bot.slack.board import Board
from bot.slack.gate import Gate
from bot.slack.outbox import drain
from bot.slack.people import Directory
from bot.slack.places import Places
from bot.slack.poster import SlackPoster
from bot.slack.register import KEY
from bot.slack.shape import WellFormed
from bot.store.memory import MemoryStore
from bot.web_demo.workspace import ADDRESSES, CHANNEL, RITA, TEAM, Client, Workspace
from bot.wording import shipped
from watchers import derivers, kinds
from watchers.mail.files import FileMailbox
from watchers.mailbox import Mailbox

EVENING = time(17)
"""When each day of the story is looked at, beside the moments at which something happens."""

NO_PACE = timedelta()
LISTENER = timedelta(seconds=10)

UNSIGNED = "none is signed"
"""What Bolt takes for a signing secret: on this page nobody signs."""
"""How long a listener may take to finish after it has answered Slack."""


@dataclass(frozen=True)
class Deed:
    """What the viewer did at a moment: Slack's payload of it."""

    moment: int
    payload: dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """What there is to see at a moment."""

    at: datetime
    assessment: Assessment
    conversation: list[dict[str, Any]]


def moments() -> tuple[datetime, ...]:
    """Return when the story is looked at: every evening, and whenever something happens."""
    steps = [step.at for step in story.story()]
    first, last = steps[0], steps[-1]
    days = (first.date() + timedelta(number) for number in range((last - first).days + 1))
    evenings = [datetime.combine(day, EVENING, first.tzinfo) for day in days]
    return tuple(sorted({*steps, *(one for one in evenings if first < one < last)}))


class Stage:
    """The service in small: a mailbox, a store, the pipeline, and the Slack app with its buttons."""

    def __init__(self, folder: Path, key: str) -> None:
        self._mails = folder
        self._key = key
        self._moments = moments()
        self._steps = list(story.story())
        self.clock = FrozenClock(self._moments[0])
        self.workspace = Workspace(self.clock)
        self.moment = -1
        self._store = MemoryStore()
        box = FileMailbox(kind="files", path=folder, name=ADDRESSES[RITA])
        self._watcher = Mailbox(Mailbox.Config(mailboxes=(box,)))
        self._pipeline = Pipeline(self._store, Rules(kinds(), derivers()), [story.OUR_DOMAIN], baseline=False)
        client, routing = Client(self.workspace), Routing(CHANNEL)
        people = Directory(client, self.clock, routing)
        places = Places(self._store, client, people, routing, self.clock)
        board = Board(self._store, client, people, places.names, places.dress)
        self._poster = SlackPoster(client, places, board, NO_PACE)
        self._gate = Gate(self._store, people, (), self.clock)
        self._app = AsyncApp(signing_secret=UNSIGNED, authorize=_authorize, client=client)
        self._app.use(WellFormed())
        Desk(self._store, client, people, board, self._gate, self.clock, wording=shipped()).register(
            self._app
        )

    async def advance(self) -> Scene:
        """Live through the next moment."""
        if self.moment < 0:
            await self._store.save_setting(KEY, self._key)
            await self._store.watch(replace(story.CHAMPION, owner=ADDRESSES[RITA]))
        self.moment += 1
        self.clock.now = now = self._moments[self.moment]
        arrived = False
        while self._steps and self._steps[0].at <= now:
            step = self._steps.pop(0)
            await asyncio.to_thread(_write, self._mails, self.moment, step.mails)
            arrived = True
        if arrived:
            await self._pipeline.sweep(self._watcher, f"mailbox:{ADDRESSES[RITA]}", now)
        judged = await self._pipeline.judge(now)
        await drain(self._store, self._poster, self.clock)
        about = next(one for one in judged if one.contact == story.CHAMPION.address)
        return Scene(now, about, self.conversation())

    async def do(self, deed: Deed) -> dict[str, Any]:
        """Let the app's own listener take what the viewer did; returns what the app answers Slack."""
        before, self.workspace.view = self.workspace.view, None
        request = AsyncBoltRequest(body=deed.payload, mode="socket_mode")
        answer = await self._app.async_dispatch(request)
        await self._gate.finish(LISTENER)
        said: dict[str, Any] = json.loads(answer.body) if answer.body else {}
        if said.get("response_action") == "errors":
            self.workspace.view = before
        elif said.get("response_action") == "update":
            self.workspace.view = said["view"]
        return said

    def conversation(self) -> list[dict[str, Any]]:
        """Return the channel as Rita sees it."""
        return [message.shown() for message in self.workspace.messages]


async def staged(folder: Path, to: int, key: str, deeds: Iterable[Deed] = ()) -> tuple[Stage, list[Scene]]:
    """Play the story up to a moment with what was done on the way.

    `folder` is empty. `key` makes the marks that buttons carry: the same each time, so that they still fit.
    """
    stage = Stage(folder, key)
    scenes: list[Scene] = []
    waiting = list(deeds)
    while stage.moment < to:
        scene = await stage.advance()
        mine = [deed for deed in waiting if deed.moment == stage.moment]
        for deed in mine:
            await stage.do(deed)
        scenes.append(replace(scene, conversation=stage.conversation()) if mine else scene)
    return stage, scenes


def _write(folder: Path, moment: int, mails: Sequence[bytes]) -> None:
    count = len(list(folder.iterdir()))
    for number, mail in enumerate(mails, start=count):
        (folder / f"{moment:03}-{number:03}.eml").write_bytes(mail)


async def _authorize() -> AuthorizeResult:
    """Say in which workspace the app is; there is no token."""
    return AuthorizeResult(enterprise_id=None, team_id=TEAM, bot_token="none")  # noqa: S106 - there is none
