"""Propose in Slack what to change in the CRM, take the rep's word, and see that it is written.

The card goes to whoever said that the person left, in a direct message: it names addresses. What was accepted
is kept before Slack is told so, and written by a loop that begins again wherever it was cut off. Of several
processes one offers, one takes the answer and one writes: whoever was first, by compare-and-set.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slackblocks import ActionsBlock, Button, Element

from bot.crm.proposals import LEASE, Kept, Proposal, State, Wanted, Writer, settled, wanted
from bot.model import Alert, Case, Home, NeedsHuman, SourceDown
from bot.slack.board import Board
from bot.slack.door import Ack, Door, Stopped
from bot.slack.forms import home
from bot.slack.mrkdwn import quote
from bot.slack.names import Naming
from bot.slack.parts import Card, section, small_print
from bot.slack.people import Directory
from bot.slack.presses import Who
from bot.slack.suggestions import whom
from bot.slack.web import ask, code
from bot.store import Store

log = structlog.get_logger()

ACCEPT, DECLINE = "crm accept", "crm decline"
SETTING = "crm proposal "
"""The setting of each proposal is this and the mark of its case, which names nobody."""

EVERY = timedelta(seconds=20)
GONE = "This proposal is not kept any more. Nothing was changed."
NOT_YOURS = "Only the one who said that they left can decide this. Nothing was changed."
MEANWHILE = "The CRM was changed meanwhile: this is what would change now. Nothing was changed yet."
SHOWN = 400

Body = dict[str, Any]


class Proposals:
    """The proposals of one workspace."""

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
        self._door = Door(people)
        self._board = board
        self._now = now
        self.writer: Writer | None = None
        """What changes the CRM; without one nothing is proposed."""
        self._turn = asyncio.Lock()
        self._accepted = asyncio.Event()

    def register(self, app: AsyncApp) -> None:
        """Let the buttons of the cards come here."""
        app.action(ACCEPT)(self._pressed)
        app.action(DECLINE)(self._pressed)

    async def keep_going(self) -> None:
        """Offer what is new and write what was accepted, until this is cancelled."""
        while True:
            try:
                await self.go_on()
            except Exception:
                log.exception("proposals.failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._accepted.wait(), EVERY.total_seconds())
            self._accepted.clear()

    async def go_on(self) -> None:
        """Offer what is new, and write what was accepted."""
        if self.writer is None:
            return
        for case in settled(await self._store.cases(), self._now()):
            try:
                await self._tend(case, self.writer)
            except (SourceDown, NeedsHuman) as problem:
                log.warning("proposal.waits", crm=self.writer.name, why=problem.what)
                return
            except SlackApiError as error:
                log.warning("proposal.not_shown", why=code(error))

    async def _tend(self, case: Case, writer: Writer) -> None:
        async with self._turn:
            mark = (await self._board.register.marking([case.contact])).case(case.key)
            kept = Kept.read(await self._store.setting(SETTING + mark))
            if kept is not None and not kept.is_free(self._now()):
                return
            if kept is None or kept.state is State.OFFERING:
                await self._offer(case, mark, kept, writer)
            elif kept.state is State.ACCEPTED:
                await self._write(case, mark, kept, writer)

    async def _offer(self, case: Case, mark: str, kept: Kept | None, writer: Writer) -> None:
        """Show what would change to whoever settled the case."""
        asked = await self._wanted(case, mark)
        proposal = await writer.look(asked)
        if proposal is None or not proposal.changes:
            await self._swap(mark, kept, Kept(State.NOTHING))
            return
        held = await self._swap(mark, kept, Kept(State.OFFERING, until=self._now() + LEASE))
        if held is None:
            return
        try:
            home = await self._post(case, offered(case.alert, asked, proposal, writer.name))
        except (SourceDown, NeedsHuman, SlackApiError):
            await self._swap(mark, held, replace(held, until=None))
            raise
        shown = Kept(State.OFFERED, channel=home.channel, ts=home.ts)
        await self._swap(mark, held, _showing(shown, proposal))

    async def _post(self, case: Case, card: Card) -> Home:
        """Send a card to whoever settled the case; return where it stands."""
        assert case.settled is not None
        opened = await ask(self._client.conversations_open(users=case.settled.by))
        channel = str(opened["channel"]["id"])
        answer = await ask(self._client.chat_postMessage(channel=channel, text=card.text, blocks=card.blocks))
        await self._board.note(case.key, answer)
        return Home(channel, str(answer["ts"]))

    async def _write(self, case: Case, mark: str, kept: Kept, writer: Writer) -> None:
        """Write what was accepted of a proposal and is not yet done, and say so."""
        held = await self._swap(mark, kept, replace(kept, until=self._now() + LEASE))
        if held is None:
            return
        asked = await self._wanted(case, mark)
        try:
            proposal = await writer.look(asked)
            if proposal is not None and not kept.covers(proposal):
                await self._anew(held, case.alert, asked, proposal, writer)
                return
            if proposal is not None:
                steps = [step for step in proposal.steps if step in kept.steps]
                await writer.write(asked, proposal, steps)
        except NeedsHuman as problem:
            await self._update(kept, failed(asked, writer.name, problem))
            raise
        except SourceDown as down:
            until = self._now() + down.retry_after if down.retry_after else None
            await self._swap(mark, held, replace(held, until=until))
            raise
        done = replace(held, state=State.WRITTEN, until=None)
        await self._swap(mark, held, done)
        log.info("proposal.written", crm=writer.name, steps=len(kept.steps))
        await self._update(done, closed(asked, f"Written to {writer.name}, as <@{kept.by}> accepted."))

    async def _pressed(self, ack: Callable[..., Awaitable[object]], body: Body, context: Any) -> None:
        once = Ack(ack)
        who = Who.of(body, home(context))
        try:
            await self._door.admit(once, who)
        except Stopped as stopped:
            await once()
            await self._say(body, str(stopped))
            return
        action = body["actions"][0]
        mark, _, digest = str(action.get("value") or "").partition(" ")
        async with self._turn:
            told = await self._decide(mark, digest, who.user, is_yes=action["action_id"] == ACCEPT)
        await once()
        if told:
            await self._say(body, told)

    async def _decide(self, mark: str, digest: str, user: str, *, is_yes: bool) -> str:
        """Keep a rep's word on a proposal; return what to tell them, empty where the card says it."""
        kept = Kept.read(await self._store.setting(SETTING + mark))
        key = await self._board.register.case(mark)
        case = next((one for one in await self._store.cases() if key and one.key == key), None)
        if kept is None or case is None or case.settled is None or self.writer is None:
            return GONE
        if case.settled.by != user:
            return NOT_YOURS
        if kept.state is not State.OFFERED:
            return ""
        asked = await self._wanted(case, mark)
        if is_yes:
            return await self._accept(kept, case.alert, asked, digest, user, self.writer)
        if await self._swap(mark, kept, replace(kept, state=State.DECLINED, by=user)):
            await self._update(kept, closed(asked, f"Declined by <@{user}>. Nothing was changed."))
        return ""

    async def _accept(
        self, kept: Kept, alert: Alert, asked: Wanted, digest: str, user: str, writer: Writer
    ) -> str:
        """Keep that what was shown is to be written, where that is still what would change."""
        if digest != kept.digest:
            return MEANWHILE
        try:
            proposal = await writer.look(asked)
        except (SourceDown, NeedsHuman) as problem:
            return f"{quote(problem.what, SHOWN)}. Nothing was changed; please try again later."
        if proposal is None or proposal.digest != digest:
            return await self._anew(kept, alert, asked, proposal, writer)
        if await self._swap(asked.key, kept, replace(kept, state=State.ACCEPTED, by=user)):
            await self._update(kept, closed(asked, f"Accepted by <@{user}>; it is being written."))
            self._accepted.set()
        return ""

    async def _anew(
        self, kept: Kept, alert: Alert, asked: Wanted, proposal: Proposal | None, writer: Writer
    ) -> str:
        """Show what would change now, where that is not what the rep was shown."""
        if proposal is None or not proposal.changes:
            if await self._swap(asked.key, kept, replace(kept, state=State.NOTHING, until=None)):
                await self._update(kept, closed(asked, f"There is nothing left to change in {writer.name}."))
            return ""
        if await self._swap(asked.key, kept, _showing(kept, proposal)):
            await self._update(kept, offered(alert, asked, proposal, writer.name))
        return MEANWHILE

    async def _wanted(self, case: Case, mark: str) -> Wanted:
        assert case.settled is not None
        profile = await self._people.profile(case.settled.by)
        return wanted(case, mark, profile.name if profile and profile.name else "a rep")

    async def _swap(self, mark: str, before: Kept | None, after: Kept) -> Kept | None:
        """Keep what becomes of a proposal and return it; None where another process changed it first."""
        mine = replace(after, holder=secrets.token_hex(8))
        kept = await self._store.amend_setting(
            SETTING + mark, lambda now: mine.json() if Kept.read(now) == before else now
        )
        return mine if Kept.read(kept) == mine else None

    async def _update(self, kept: Kept, card: Card) -> None:
        """Bring a card up to date; what it says is kept whether or not Slack takes it."""
        try:
            await ask(
                self._client.chat_update(channel=kept.channel, ts=kept.ts, text=card.text, blocks=card.blocks)
            )
        except (SourceDown, NeedsHuman, SlackApiError) as problem:
            log.warning("proposal.not_shown", why=type(problem).__name__)

    async def _say(self, body: Body, text: str) -> None:
        user = str(body["user"]["id"])
        channel = str((body.get("channel") or {}).get("id") or user)
        try:
            await ask(self._client.chat_postEphemeral(channel=channel, user=user, text=text))
        except (SourceDown, NeedsHuman, SlackApiError) as problem:
            log.warning("answer.not_told", why=type(problem).__name__)


def _showing(kept: Kept, proposal: Proposal) -> Kept:
    """Return what is kept of a proposal once it is offered as it stands now."""
    return replace(
        kept,
        state=State.OFFERED,
        digest=proposal.digest,
        steps=tuple(proposal.steps),
        by="",
        until=None,
        shown=tuple(change.digest for change in proposal.changes),
    )


def offered(alert: Alert, asked: Wanted, proposal: Proposal, crm: str) -> Card:
    """Show exactly what would change, before and after, whom to turn to and why, with the two answers."""
    who = quote(asked.name or asked.address, 80)
    lines = [
        f"*{quote(change.where, 120)}*\n{quote(change.before, 120)} → {quote(change.after, SHOWN)}"
        for change in proposal.changes
    ]
    people = whom(alert.assessment, Naming.of(alert, "full"))
    buttons: list[Element] = [
        Button("Write it", action_id=ACCEPT, value=f"{asked.key} {proposal.digest}", style="primary"),
        Button("Leave it", action_id=DECLINE, value=f"{asked.key} {proposal.digest}"),
    ]
    return Card.of(
        f"{who} left: change {crm}?",
        [
            section("head", f"{who} left. Change this in {crm}?"),
            *(section(f"change {number}", line) for number, line in enumerate(lines)),
            *([section("whom", people)] if people else []),
            small_print(
                "history", "Nothing is deleted: the old address stays. Written once, however often tried."
            ),
            ActionsBlock(buttons, block_id="proposal"),
        ],
    )


def closed(asked: Wanted, outcome: str) -> Card:
    """Say what became of a proposal."""
    who = quote(asked.name or asked.address, 80)
    return Card.of(
        f"{who} left: {outcome}", [section("head", f"{who} left."), small_print("outcome", outcome)]
    )


def failed(asked: Wanted, crm: str, problem: NeedsHuman) -> Card:
    """Say that a person must act before it can be written."""
    words = f"{quote(problem.what, SHOWN)}. An admin has to: {quote(problem.how, SHOWN)}. "
    return closed(asked, f"Not yet written to {crm}: {words}It is tried again by itself.")
