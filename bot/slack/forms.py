"""Open the forms of /champion and of the shortcuts, and do what was entered.

A form opens before anything slow is looked up: Slack gives three seconds. What becomes of it is said in the
form itself, where only the one who filled it in sees it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import structlog
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from bot.crm.csv import decode
from bot.model import Contact, NeedsHuman, SourceDown
from bot.preferences import Preferences, preferences, save_preferences
from bot.slack import contacts, grammar, manifest, tab, views, words
from bot.slack.adding import NAMED, add
from bot.slack.erasure import Erased
from bot.slack.gate import ADMINS, Caller, Refused, trigger
from bot.slack.house import House
from bot.slack.mrkdwn import quote
from bot.slack.parts import Card
from bot.slack.views import Entered, Upload, View
from bot.slack.web import ask
from watchers import under

log = structlog.get_logger()

PROMPT = timedelta(seconds=2)
"""What takes longer is said afterwards: Slack waits three seconds for an answer."""

LARGEST_FILE = 1_000_000
DOWNLOAD = timedelta(seconds=20)
SLACK_FILES = ".slack.com"
OK = 200

MOST_TEXT = 200_000
"""So many characters of a message are searched for addresses."""

NO_ADDRESS = "There is no e-mail address in this message: enter it yourself."
WAIT = "One moment, this takes a little longer."

Ack = Callable[..., Awaitable[object]]
Body = dict[str, Any]
Team = str | None
"""The workspace that the app belongs to, None where Slack has not said."""

Errors = dict[str, str]
Work = Coroutine[Any, Any, str]
"""What was entered being done; it comes to what is said about it (mrkdwn)."""


class Forms:
    """The forms: adding, settings, forgetting."""

    def __init__(self, house: House) -> None:
        self._house = house

    def register(self, app: AsyncApp) -> None:
        """Let the shortcuts, the buttons that open a form and what is submitted come here."""
        for callback in (manifest.WATCH_MESSAGE, manifest.WATCH):
            app.shortcut(callback)(self._opens(self._shortcut))
        app.action(tab.ADD)(self._opens(self.open_adding))
        app.action(tab.SETTINGS)(self._opens(self.open_settings))
        app.view(views.ADD)(self._takes(self._read_adding))
        app.view(views.SETTINGS)(self._takes(self._read_settings))
        app.view(views.FORGET)(self._takes(self._read_forgetting))

    def _opens(self, form: Callable[[Body, Team], Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        """Return a listener that opens a form, once for each press."""

        async def listener(ack: Ack, body: Body, context: Any) -> None:
            with self._house.gate.working():
                await ack()
                if await self._house.gate.is_new(trigger(body)):
                    await self._house.gate.guarded(form(body, home(context)), nobody)

        return listener

    def _takes(
        self, read: Callable[[Body, Team], Awaitable[Errors | Work]]
    ) -> Callable[..., Awaitable[None]]:
        """Return a listener that says what is wrong with a form, or does what was entered."""

        async def listener(ack: Ack, body: Body, context: Any) -> None:
            found = await read(body, home(context))
            if isinstance(found, dict):
                await ack(response_action="errors", errors=found)
            else:
                await self._answer(ack, body, found)

        return listener

    async def _read_adding(self, body: Body, team: Team) -> Errors | Work:
        read = views.entered(body["view"]["state"]["values"])
        return read if isinstance(read, dict) else self._add(body, team, read)

    async def _read_settings(self, body: Body, team: Team) -> Errors | Work:
        values, rules = body["view"]["state"]["values"], self._house.rules
        before = await preferences(self._house.store, _user(body))
        read = views.chosen(values, before, rules.quiet, rules.alerts_a_day)
        return read if isinstance(read, dict) else self._save(body, team, read)

    async def _read_forgetting(self, body: Body, team: Team) -> Errors | Work:
        return self._forget(body, team)

    async def open_adding(
        self, body: Body, team: Team, contact: Contact | None = None, more: str = "", note: str = ""
    ) -> None:
        """Open the form for adding people, with what is known already."""
        await self._open(body, team, views.add(_user(body), contact, more, note))

    async def open_settings(self, body: Body, team: Team) -> None:
        """Open the form of the rep's own settings."""
        chosen = await preferences(self._house.store, _user(body))
        rules = self._house.rules
        await self._open(body, team, views.settings(chosen, rules.quiet, rules.alerts_a_day))

    async def open_forgetting(self, body: Body, team: Team, who: str) -> None:
        """Ask an admin whether somebody is really to be erased."""
        view, caller = await self._open(body, team, views.told("Forget somebody", WAIT))
        if caller is None:
            return
        if not caller.is_admin:
            await self._change(view, views.told("Forget somebody", ADMINS))
            return
        found = grammar.matching(who, await self._house.store.contacts())
        address = found[0].address if len(found) == 1 else next(iter(grammar.addresses(who)), "")
        if not address:
            card = contacts.which(who, found) if found else contacts.nobody(who, [])
            await self._change(view, views.told("Forget somebody", card.text))
            return
        name = found[0].label if len(found) == 1 else address
        await self._change(view, views.forget(address, name))

    async def _open(self, body: Body, team: Team, view: View) -> tuple[str, Caller | None]:
        """Open a form, then look who asked; whoever may not, None, is told so in its place."""
        opened = await ask(self._house.client.views_open(trigger_id=trigger(body), view=view))
        view_id = str(opened["view"]["id"])
        try:
            return view_id, await self._house.gate.caller(body, team)
        except Refused as refused:
            await self._change(view_id, views.told("Stillthere", str(refused)))
            return view_id, None

    async def _change(self, view_id: str, view: View) -> None:
        await ask(self._house.client.views_update(view_id=view_id, view=view))

    async def _shortcut(self, body: Body, team: Team) -> None:
        if body.get("type") != "message_action":
            await self.open_adding(body, team)
            return
        found = [one for one in people_in(body) if not under(one.address, self._house.our_domains)]
        if len(found) == 1:
            await self.open_adding(body, team, found[0])
        elif found:
            lines = "\n".join(f"{one.address} {one.name}".strip() for one in found)
            await self.open_adding(body, team, more=lines[: views.LONGEST])
        else:
            await self.open_adding(body, team, note=NO_ADDRESS)

    async def _answer(self, ack: Ack, body: Body, work: Work) -> None:
        """Say in the form what became of it: at once, or when it is done where that takes longer."""
        title = str(((body["view"].get("title") or {}).get("text")) or "Stillthere")
        task = asyncio.ensure_future(self._done(work, title, _user(body)))
        with self._house.gate.working():
            await asyncio.wait({task}, timeout=PROMPT.total_seconds())
            if task.done():
                await ack(response_action="update", view=task.result())
                return
            await ack(response_action="update", view=views.told(title, WAIT))
            view = await task
            try:
                await self._change(str(body["view"]["id"]), view)
            except (SourceDown, NeedsHuman, SlackApiError) as problem:
                log.warning("form.not_told", why=type(problem).__name__)

    async def _done(self, work: Work, title: str, user: str) -> View:
        """Do the work and return the view that says what became of it; what stops it is said likewise."""
        said: list[str] = []

        async def say(card: Card) -> None:
            said.append(card.text)

        async def do() -> None:
            said.append(await work)

        await self._house.gate.guarded(do(), say)
        await self._house.changed(user)
        return views.told(title, said[-1])

    async def _add(self, body: Body, team: Team, read: Entered) -> str:
        caller = await self._house.gate.caller(body, team)
        people = [read.contact] if read.contact else []
        problems: list[str] = []
        lists = [(read.more, "The list")] if read.more.strip() else []
        if read.upload is not None:
            lists.append((await self._download(read.upload), read.upload.name))
        for text, where in lists:
            typed = grammar.people(text, where)
            people += typed.contacts
            problems += typed.problems
        owner = await self._owner(caller, read.owner)
        outcome = await add(
            self._house.store,
            caller,
            [one if one.owner else replace(one, owner=owner) for one in people],
            self._house.our_domains,
        )
        some = [f"• {quote(problem, 200)}" for problem in problems[:NAMED]]
        more = [f"and {len(problems) - NAMED} more."] if len(problems) > NAMED else []
        head = ["Not read, or not as it stands:"] if problems else []
        return "\n".join([contacts.outcome(outcome), *head, *some, *more])

    async def _owner(self, caller: Caller, user: str) -> str:
        """Return what makes a contact that user's; they must be a member."""
        if not user or user == caller.user:
            return ""
        profile = await self._house.people.profile(user)
        if profile is None or profile.guest or profile.gone:
            raise Refused("The owner you chose is no member of this workspace. Nothing was changed.")
        return profile.address or profile.user

    async def _download(self, upload: Upload) -> str:
        """Return the text of a file that was put into the form; only Slack gets our token."""
        address, api = urlsplit(upload.url), urlsplit(str(self._house.client.base_url))
        is_slack = address.scheme == "https" and f".{address.hostname or ''}".endswith(SLACK_FILES)
        if not (is_slack or (address.scheme, address.netloc) == (api.scheme, api.netloc)):
            raise Refused("The file does not lie at Slack. Nothing was changed.")
        if upload.size > LARGEST_FILE:
            raise Refused("The file is too large: send at most 1 MB at once. Nothing was changed.")
        headers = {"Authorization": f"Bearer {self._house.client.token}"}
        timeout = aiohttp.ClientTimeout(total=DOWNLOAD.total_seconds())
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=True) as http,
                http.get(upload.url, headers=headers, allow_redirects=False) as answer,
            ):
                content = await answer.content.read(LARGEST_FILE + 1) if answer.status == OK else b""
        except (TimeoutError, aiohttp.ClientError) as error:
            raise SourceDown("Slack does not hand out the file") from error
        if not content or len(content) > LARGEST_FILE:
            raise Refused("Slack does not hand out the file, or it is empty. Nothing was changed.")
        return decode(content)

    async def _save(self, body: Body, team: Team, chosen: Preferences) -> str:
        caller = await self._house.gate.caller(body, team)
        await save_preferences(self._house.store, caller.user, chosen)
        return "Your settings are saved and hold from now on."

    async def _forget(self, body: Body, team: Team) -> str:
        caller = await self._house.gate.caller(body, team)
        if not caller.is_admin:
            raise Refused(ADMINS)
        address = next(iter(views.carried(body["view"])), "")
        if not address:
            raise Refused("The form does not say who. Nothing was changed.")
        log.info("person.forgotten", by=caller.user)
        return _erased(await self._house.eraser.forget(address))


def home(context: Any) -> Team:
    """Return the workspace that the app belongs to, as Slack told it for our token."""
    known = context.authorize_result
    return str(known.team_id) if known is not None and known.team_id else None


def _user(body: Body) -> str:
    return str(body.get("user_id") or body["user"]["id"])


async def nobody(card: Card) -> None:
    """Say it in the log: a shortcut leaves no place to answer in but the form, which did not open."""
    log.warning("shortcut.refused", why=card.text)


def people_in(body: Body) -> list[Contact]:
    """Return the people whose addresses stand in a message, with the names beside them."""
    message = body.get("message") or {}
    parts = [
        str(message.get("text") or ""),
        *_strings(message.get("blocks")),
        *_strings(message.get("attachments")),
    ]
    text = grammar.plain("\n".join(parts)[:MOST_TEXT])
    found: dict[str, Contact] = {}
    for line in text.splitlines():
        one = grammar.person(line)
        if isinstance(one, Contact) and len(one.name.split()) <= 4 and not one.account:  # noqa: PLR2004 - a name, no sentence
            found.setdefault(one.address, one)
    for address in grammar.addresses(text):
        found.setdefault(address, Contact(address))
    return list(found.values())


def _strings(value: object) -> list[str]:
    """Return every text in a JSON value."""
    kept = json.dumps(value or [], ensure_ascii=False)[:MOST_TEXT]
    return [kept.replace("\\n", "\n").replace('"', " ")] if value else []


def _erased(erased: Erased) -> str:
    if not erased.kept:
        text = "Nothing was kept of this person. They will not be recorded from now on."
    else:
        text = "Erased from everything that is kept. They will not be recorded again."
    if erased.redacted:
        were = "was" if erased.redacted == 1 else "were"
        text += f"\n{words.counted(erased.redacted, 'message')} in Slack {were} redacted."
    if erased.waiting:
        waiting = words.counted(erased.waiting, "message")
        text += f"\n{waiting} could not be redacted yet; that is tried again at every start."
    return f"{text}\nWhat people wrote themselves stays as it is: delete it where it names this person."
