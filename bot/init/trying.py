"""Try what was answered: Slack's tokens and channel, mailboxes, the contacts file; and play a drill."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from slack_sdk.errors import SlackApiError

from bot import contacts_check
from bot.config import Plan
from bot.crm.csv import read_contacts
from bot.finding import Finding, Level, ok, problem, warning
from bot.mailbox_check import look
from bot.model import NeedsHuman, SourceDown
from bot.slack.checkup import Checkup
from bot.slack.drill import Drill, Stage
from bot.slack.parts import Card
from bot.slack.web import ask, code, patient
from bot.terminal import NO_BUTTONS, show
from watchers import Scope
from watchers.mail.group import Group
from watchers.mailbox import Mailbox

LONGEST = timedelta(seconds=60)


async def slack(token: str, api: str, channel: str = "", app_token: str = "") -> Sequence[Finding]:
    """Try the bot token, and the channel or the app-level token where it is given; say what is new."""

    async def run() -> list[Finding]:
        found = await Checkup(patient(token, api), [channel] if channel else [], app_token).run()
        *asked, _drawn = found
        new = asked[-1:] if channel or app_token else asked
        return problems(new) or new

    return await _tried("Slack", run())


async def mailboxes(plan: Plan) -> Sequence[Finding]:
    """Open every mailbox of a plan as the service would, and read up to the first batch."""
    found: list[Finding] = []
    for watcher, _ in plan.watchers:
        if not isinstance(watcher, Mailbox):
            continue
        for box in watcher.config.mailboxes:
            if isinstance(box, Group):
                found += await _tried("mailbox", _limits(box))
        if any(not isinstance(box, Group) for box in watcher.config.mailboxes):
            scope = Scope.of((), plan.config.team.domains)
            for source in watcher.sources(scope):
                found += await _tried(source, look(watcher, source, scope))
    return found


async def contacts(path: Path) -> Sequence[Finding]:
    """Read a contacts file."""

    async def read() -> list[Finding]:
        found = await asyncio.to_thread(read_contacts, path)
        if not found.contacts:
            return [problem("contacts", f"{path} lists nobody", "write one address a line below 'email'")]
        return contacts_check.findings(found, path.name)

    return await _tried("contacts", read())


async def _limits(group: Group) -> list[Finding]:
    """Try the group's mailboxes, and the one outside; that none is named outside is worth a look."""
    found = [
        ok("mailbox", one.what) if one.ok else problem("mailbox", one.what, one.how)
        for one in await group.check_limits()
    ]
    if not group.outside:
        width = found[-1]
        found[-1] = warning("mailbox", width.what, width.cure)
    return found


async def _tried(about: str, work: Awaitable[Sequence[Finding]]) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(LONGEST.total_seconds()):
            return await work
    except TimeoutError:
        return [problem(about, "there is no answer", "is it up, and may this machine connect to it?")]
    except SourceDown as down:
        return [problem(about, down.what, "is it up, and may this machine connect to it?")]
    except NeedsHuman as wrong:
        return [problem(about, wrong.what, wrong.how)]
    except SlackApiError as refused:
        return [problem(about, f"Slack says {code(refused)}", "look at the app's own page")]


def problems(found: Iterable[Finding]) -> list[Finding]:
    """Return what is wrong among what was found."""
    return [one for one in found if one.level is Level.PROBLEM]


async def drill(plan: Plan, console: Console) -> list[Stage]:
    """Send a made-up bounce through every stage: to the first admin alone, else to where alerts go."""
    settings = plan.config.slack

    async def post(card: Card) -> str:
        if settings is None or not settings.bot_token:
            show(card, console, instead=NO_BUTTONS)
            return "shown in this terminal"
        client = patient(settings.bot_token, settings.api)
        place, where = settings.channel, "the channel of the alerts"
        if settings.admins:
            found = await ask(client.users_lookupByEmail(email=settings.admins[0]))
            opened = await ask(client.conversations_open(users=found["user"]["id"]))
            place, where = opened["channel"]["id"], f"a direct message to {settings.admins[0]}"
        await ask(client.chat_postMessage(channel=place, text=card.text, blocks=list(card.blocks)))
        return f"shown in {where}"

    return await Drill(datetime.now(UTC), post).run()
