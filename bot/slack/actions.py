"""What a press of a button under an alert does.

The word is kept before Slack is told that it arrived: killed in between, Slack shows the rep that it failed,
and nothing that was said is lost. Pressing twice, or two reps pressing at once, gives one result.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.answers import observe
from bot.model import Answer, Case, Choice, Home, NeedsHuman, SourceDown
from bot.slack import cards, words
from bot.slack.board import Board, find
from bot.slack.mrkdwn import user
from bot.slack.people import Directory
from bot.slack.web import ask
from bot.store import Store

log = structlog.get_logger()

SNOOZED_FOR = timedelta(days=7)

NO_CASE = "This case is not kept any more. Nothing was changed."
UNCHANGED = "Your answer is kept, but the message could not be changed."
OLD_BUTTON = "This button comes from an older version and no longer works. Nothing was changed."

Ack = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Press:
    """A press of a button: who, on which case, and the message it stands under."""

    user: str
    username: str
    action: str
    case: str
    channel: str
    ts: str

    @classmethod
    def of(cls, body: dict[str, Any]) -> Press:
        """Read Slack's `block_actions` payload."""
        action, who = body["actions"][0], body["user"]
        container = body.get("container") or {}
        return cls(
            user=str(who["id"]),
            username=str(who.get("username") or who.get("name") or who["id"]),
            action=str(action["action_id"]),
            case=str(action.get("value") or ""),
            channel=str((body.get("channel") or {}).get("id") or container.get("channel_id") or ""),
            ts=str(container.get("message_ts") or (body.get("message") or {}).get("ts") or ""),
        )

    @property
    def contact(self) -> str:
        """Return the address that the case is about."""
        return self.case.rpartition(":")[0]


class Desk:
    """Takes the answers, and shows what became of them."""

    def __init__(
        self,
        store: Store,
        client: AsyncWebClient,
        people: Directory,
        board: Board,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._client = client
        self._people = people
        self._board = board
        self._now = now
        self._busy: set[asyncio.Task[Any]] = set()

    def register(self, app: AsyncApp) -> None:
        """Let the buttons of the app's messages come here."""

        async def answer(ack: Ack, body: dict[str, Any]) -> None:
            with self._working():
                await self._answer(ack, Press.of(body))

        async def why(ack: Ack, body: dict[str, Any]) -> None:
            with self._working():
                await self._why(ack, Press.of(body))

        app.action(re.compile(f"{re.escape(cards.ANSWER)}.*"))(answer)
        app.action(cards.WHY)(why)

    async def finish(self, within: timedelta) -> None:
        """Wait for what is under way: an answer that was kept is still to be shown."""
        if self._busy:
            await asyncio.wait(self._busy, timeout=within.total_seconds())

    @contextmanager
    def _working(self) -> Iterator[None]:
        task = asyncio.current_task()
        assert task is not None, "Bolt runs listeners in tasks"
        self._busy.add(task)
        try:
            yield
        finally:
            self._busy.discard(task)

    async def _answer(self, ack: Ack, press: Press) -> None:
        answer = self._read(press)
        if answer is None:
            await ack()
            await self._tell(press, OLD_BUTTON)
            return
        said = observe(answer, await self._people.name(press.user, press.username))
        case = await self._store.answer(answer, said)
        if case is None:
            await ack()
            await self._tell(press, NO_CASE)
            return
        stands = case.settled or answer
        heard = (stands.by, stands.choice, stands.until) == (answer.by, answer.choice, answer.until)
        await ack()
        await self._show(press, case)
        if not heard and not _leaves_open(stands):
            ruling = words.ruling(stands.choice, cards.name(case.deliveries[-1].alert.contact))
            first = f"{user(stands.by)} was first, {words.day(stands.at, self._now())}: {ruling}."
            await self._tell(press, f"Already settled: {first} Your answer was not counted.")

    async def _why(self, ack: Ack, press: Press) -> None:
        await ack()
        case = find(await self._store.person(press.contact), press.case)
        if case is None:
            await self._tell(press, NO_CASE)
            return
        card = cards.why(case.deliveries[-1].alert, self._now())
        await self._tell(press, card.text, card.blocks)

    def _read(self, press: Press) -> Answer | None:
        """Return what the button says; None where this version knows no such answer."""
        choice = press.action.removeprefix(cards.ANSWER)
        if choice not in cards.LABELS:
            return None
        now = self._now()
        until = now.date() + SNOOZED_FOR if choice == Choice.SNOOZE else None
        return Answer(press.contact, press.case, press.user, now, Choice(choice), until)

    async def _show(self, press: Press, case: Case) -> None:
        """Bring the message up to the state the case is in now."""
        home = case.home or Home(press.channel, press.ts)
        try:
            shown = await self._board.update(case, home, self._now())
        except (SourceDown, NeedsHuman, SlackApiError) as problem:
            log.warning("answer.not_shown", why=type(problem).__name__)
            shown = False
        if not shown:
            await self._tell(press, UNCHANGED)

    async def _tell(self, press: Press, text: str, blocks: tuple[dict[str, Any], ...] = ()) -> None:
        """Tell only the one who pressed."""
        try:
            await ask(
                self._client.chat_postEphemeral(
                    channel=press.channel, user=press.user, text=text, blocks=blocks or None
                ),
            )
        except (SourceDown, NeedsHuman, SlackApiError) as problem:
            log.warning("answer.not_told", why=type(problem).__name__)


def _leaves_open(answer: Answer) -> bool:
    return answer.choice in cards.PROVISIONAL
