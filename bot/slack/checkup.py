"""Try what the app needs of a workspace: its tokens, scopes and channels, and that Slack takes our cards."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.finding import Finding, ok, problem, warning
from bot.model import Alert, Assessment, Contact, NeedsHuman, SourceDown, Strength, Verdict
from bot.slack import cards
from bot.slack.manifest import SCOPES
from bot.slack.web import ask, code

ABOUT = "Slack"
REINSTALL = "update the app from `stillthere manifest`, and install it again"


@dataclass
class Checkup:
    """Tries one workspace. `told` gets the time that Slack says it is, beside ours."""

    client: AsyncWebClient
    channels: Sequence[str]
    app_token: str = field(default="", repr=False)
    told: Callable[[str, datetime, datetime], None] = lambda _who, _theirs, _ours: None

    async def run(self) -> list[Finding]:
        """Return what was found. Raise SourceDown and NeedsHuman where nothing can be asked."""
        headers: dict[str, Any] = {}

        async def greeted() -> Any:
            answer = await self.client.auth_test()
            headers.update({name.lower(): value for name, value in answer.headers.items()})
            return answer

        who = await ask(greeted())
        self._note_time(headers)
        found = [ok(ABOUT, f"the bot token works: {who.get('user')} in {who.get('team')}")]
        found += self._scopes(headers)
        if self.app_token:
            found.append(await self._socket())
        for channel in dict.fromkeys(self.channels):
            found.append(await self._channel(channel))
        found.append(await self._cards())
        return found

    def _note_time(self, headers: dict[str, Any]) -> None:
        try:
            self.told("Slack", parsedate_to_datetime(str(headers["date"])), datetime.now(UTC))
        except (KeyError, ValueError, TypeError):
            return

    def _scopes(self, headers: dict[str, Any]) -> list[Finding]:
        said = headers.get("x-oauth-scopes")
        if said is None:
            return [warning(ABOUT, "does not say which scopes the bot has", "look at the app's own page")]
        granted = {scope.strip() for scope in str(said).split(",")}
        missing = sorted(set(SCOPES) - granted)
        found = [
            problem(ABOUT, f"the scope {scope} is missing: it lets the bot {SCOPES[scope]}", REINSTALL)
            for scope in missing
        ]
        more = sorted(scope for scope in granted - set(SCOPES) if scope and not scope.endswith(":history"))
        if more:
            cure = "take them away on the app's page, unless you know what for"
            found.append(warning(ABOUT, f"the bot may do more than it needs: {', '.join(more)}", cure))
        return found or [ok(ABOUT, f"it has all {len(SCOPES)} scopes, and no other")]

    async def _socket(self) -> Finding:
        try:
            await ask(self.client.apps_connections_open(app_token=self.app_token))
        except (NeedsHuman, SlackApiError) as refused:
            what = refused.what if isinstance(refused, NeedsHuman) else f"Slack says {code(refused)}"
            cure = "make an app-level token with the scope connections:write, and configure it"
            return problem(ABOUT, f"{what} to the app token", cure)
        return ok(ABOUT, "the app token opens Socket Mode")

    async def _channel(self, channel: str) -> Finding:
        try:
            answer = await ask(self.client.conversations_info(channel=channel))
        except (NeedsHuman, SlackApiError) as refused:
            what = refused.what if isinstance(refused, NeedsHuman) else f"Slack says {code(refused)}"
            how = refused.how if isinstance(refused, NeedsHuman) else "set another channel in config.yaml"
            return problem(ABOUT, f"channel {channel}: {what}", how)
        found = answer["channel"]
        name = f"#{found.get('name') or channel}"
        if found.get("is_archived"):
            return problem(ABOUT, f"{name} is archived", "unarchive it, or set another in config.yaml")
        if not found.get("is_member"):
            return problem(ABOUT, f"the bot is not in {name}", f"write /invite @Stillthere in {name}")
        return ok(ABOUT, f"the bot is in {name}")

    async def _cards(self) -> Finding:
        card = cards.case(sample(), None, cards.Scene(datetime.now(UTC)))
        blocks = json.dumps(card.blocks)
        try:
            await ask(self.client.api_call("blocks.validate", params={"blocks": blocks}))
        except (SlackApiError, SourceDown, NeedsHuman) as refused:
            why = code(refused) if isinstance(refused, SlackApiError) else refused.what
            if why == "invalid_blocks":
                how = "run the newest version; until then alerts are shown as plain text"
                return problem(ABOUT, "does not take our alerts as they are drawn", how)
            return ok(ABOUT, f"cannot be asked whether it takes our alerts as drawn ({why})")
        return ok(ABOUT, "takes our alerts as they are drawn")


def sample() -> Alert:
    """Return an alert about nobody."""
    now = datetime.now(UTC)
    contact = Contact("jane@acme.example", "Jane Doe", account="Acme")
    said = "auto-reply: no longer with Acme"
    judged = Assessment(
        contact.address,
        now,
        Verdict.LEFT,
        Strength.STRONG,
        0.99,
        said,
        last_contact=now - timedelta(days=9),
    )
    return Alert(contact, judged, 1, now)
