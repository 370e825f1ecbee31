"""What /champion does, and the buttons of its answers.

Slack is told at once that the command arrived; the answer follows by the response_url, which works in every
channel, and which only the one who asked can see.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError

from bot import stats
from bot.exposure import exposure, has_open_deal
from bot.model import Answer, Choice, Contact, NeedsHuman, Person, SourceDown
from bot.pipeline import domains_by_account
from bot.slack import contacts, grammar
from bot.slack.adding import add
from bot.slack.contacts import Page, State
from bot.slack.drill import Drill, report
from bot.slack.forms import Forms, home
from bot.slack.gate import ADMINS, Caller, Refused, Say, trigger
from bot.slack.grammar import Command
from bot.slack.house import House
from bot.slack.manifest import COMMAND
from bot.slack.mrkdwn import quote
from bot.slack.parts import Card
from bot.slack.web import ask, code

log = structlog.get_logger()

OK = 200

BREATH = timedelta(milliseconds=1)
"""Between the accounts of a rep, whose people take long to read, so that others are answered meanwhile."""

Ack = Callable[..., Awaitable[object]]
Respond = Callable[..., Awaitable[Any]]
Body = dict[str, Any]


class Commands:
    """The verbs of /champion."""

    def __init__(self, house: House, forms: Forms) -> None:
        self._house = house
        self._forms = forms
        self._reading = asyncio.Lock()
        self._verbs: dict[str, Callable[[Caller, str, Say], Awaitable[None]]] = {
            "add": self._add,
            "list": self._list,
            "show": self._show,
            "snooze": self._snooze,
            "remove": self._remove,
            "exposure": self._exposure,
            "stats": self._stats,
            "drill": self._drill,
            "help": self._help,
            "team": self._team,
        }

    def register(self, app: AsyncApp) -> None:
        """Let the command and the buttons of its answers come here."""

        async def command(ack: Ack, body: Body, respond: Respond, context: Any) -> None:
            say = partial(_say, respond, replace=False)
            with self._house.gate.working():
                await ack()
                if await self._house.gate.is_new(trigger(body)):
                    await self._house.gate.guarded(self._command(body, home(context), say), say)

        def button(
            work: Callable[[Caller, str, Say], Awaitable[None]], *, replace: bool
        ) -> Callable[..., Any]:
            async def pressed(ack: Ack, body: Body, respond: Respond, context: Any) -> None:
                told = partial(_say, respond, replace=False)

                async def do() -> None:
                    caller = await self._house.gate.caller(body, home(context))
                    value = str(body["actions"][0].get("value") or "")
                    await work(caller, value, partial(_say, respond, replace=replace))

                with self._house.gate.working():
                    await ack()
                    if await self._house.gate.is_new(trigger(body)):
                        await self._house.gate.guarded(do(), told)

            return pressed

        app.command(COMMAND)(command)
        app.action(re.compile(f"{re.escape(contacts.PAGE_ACTION)}.*"))(button(self._turn, replace=True))
        app.action(contacts.SHOW_ACTION)(button(self._show, replace=False))
        app.action(contacts.REMOVE_ACTION)(button(self._remove, replace=False))
        app.action(contacts.UNDO_ACTION)(button(self._undo, replace=True))

    async def _command(self, body: Body, team: str | None, say: Say) -> None:
        command = grammar.read(str(body.get("text") or ""))
        if await self._opens_form(command, body, team):
            return
        caller = await self._house.gate.caller(body, team)
        verb = command.known
        if verb is None:
            near = grammar.nearest(command.verb)
            hidden = near is not None and near.for_admins and not caller.is_admin
            await say(contacts.unknown(command.verb, None if hidden else near))
            return
        if verb.for_admins and not caller.is_admin:
            raise Refused(ADMINS)
        await self._verbs[verb.name](caller, command.rest, say)

    async def _opens_form(self, command: Command, body: Body, team: str | None) -> bool:
        """Open the form that a command asks for, before anything is looked up."""
        if command.verb == "add" and not command.rest:
            await self._forms.open_adding(body, team)
        elif command.verb == "settings":
            await self._forms.open_settings(body, team)
        elif command.verb == "forget":
            await self._forms.open_forgetting(body, team, command.rest)
        else:
            return False
        return True

    async def _help(self, caller: Caller, _: str, say: Say) -> None:
        await say(contacts.help_(is_admin=caller.is_admin))

    async def _add(self, caller: Caller, rest: str, say: Say) -> None:
        read = grammar.person(rest)
        if isinstance(read, str):
            raise Refused(f"{quote(read, 200)} Write it like this: {contacts.usage(grammar.VERBS['add'])}")
        outcome = await add(self._house.store, caller, [read], self._house.our_domains)
        await self._house.changed(caller.user)
        await say(contacts.say(contacts.outcome(outcome)))

    async def _list(self, caller: Caller, rest: str, say: Say) -> None:
        await self._turn(caller, f"{'all' if rest.strip().lower() == 'all' else 'own'} 0", say)

    async def _turn(self, caller: Caller, value: str, say: Say) -> None:
        """Show a page of a list; `value` says whose list and which page."""
        whose, _, number = value.partition(" ")
        everybody = whose == "all"
        if everybody and not caller.is_admin:
            raise Refused(ADMINS)
        watched = [
            one for one in await self._house.store.watchlist() if everybody or caller.owns(one.contact)
        ]
        await asyncio.sleep(0)
        page = Page.of(watched, int(number) if number.isdecimal() else 0, everybody=everybody)
        await say(contacts.listed(page, caller.now))

    async def _show(self, caller: Caller, rest: str, say: Say) -> None:
        found = await self._one(caller, rest, say)
        if found is not None:
            person, contact = found
            await say(contacts.shown(person, contact, caller.now, may_change=caller.may_change(contact)))

    async def _snooze(self, caller: Caller, rest: str, say: Say) -> None:
        who, until = grammar.who_until(rest, caller.now.date())
        if isinstance(until, str):
            raise Refused(quote(until, 200))
        found = await self._mine(caller, who, say)
        if found is None:
            return
        person, contact = found
        case = person.cases[-1] if person.cases else None
        if case is None or (case.settled is not None and case.settled.is_final):
            await say(contacts.no_case(contact))
            return
        now = self._house.now()
        word = Answer(contact.address, case.key, caller.user, now, Choice.SNOOZE, until)
        kept = await self._house.store.answer(word)
        if kept is None:
            await say(contacts.no_case(contact))
            return
        await say(contacts.snoozed(contact, kept, caller.now))
        if kept.home is not None:
            try:
                await self._house.board.update(kept, kept.home, now)
            except (SourceDown, NeedsHuman, SlackApiError) as problem:
                log.warning("answer.not_shown", why=type(problem).__name__)

    async def _remove(self, caller: Caller, rest: str, say: Say) -> None:
        found = await self._mine(caller, rest, say)
        if found is not None:
            _, contact = found
            await self._house.store.unwatch(contact.address)
            await self._house.changed(caller.user)
            await say(contacts.removed(contact))

    async def _undo(self, caller: Caller, address: str, say: Say) -> None:
        """Watch somebody again as before."""
        person = await self._house.store.person(address)
        before = (person.contact or person.former) if person else None
        if person is None or before is None:
            raise Refused("Nothing is kept of this person any more, so nothing can be undone.")
        if not caller.may_change(before):
            raise Refused(contacts.not_yours(before))
        if person.contact is None:
            await self._house.store.watch(before)
            await self._house.changed(caller.user)
        await say(contacts.back(before))

    async def _exposure(self, caller: Caller, _: str, say: Say) -> None:
        everybody = await self._house.store.contacts()
        mine = [one for one in everybody if caller.owns(one) and has_open_deal(one)]
        accounts = {one.account_name for one in mine}
        known = [one for one in everybody if one.account_name in accounts]
        domains = domains_by_account(known)
        strays: dict[str, list[Contact]] = {account: [] for account in accounts}
        for one in known:
            if one.domain not in domains[one.account_name]:
                strays[one.account_name].append(one)
        around: dict[str, list[Person]] = {}
        async with self._reading:
            for account in sorted(accounts):
                around[account] = await self._house.store.people(domains[account])
                around[account] += await self._people(strays[account])
                await asyncio.sleep(BREATH.total_seconds())
            rows = await asyncio.to_thread(exposure, mine, around, caller.now)
        await say(contacts.exposed(rows, caller.now))

    async def _people(self, known: list[Contact]) -> list[Person]:
        """Return what is kept of those whose addresses belong to nobody's domain."""
        found = [await self._house.store.person(one.address) for one in known]
        return [person for person in found if person is not None]

    async def _stats(self, _: Caller, __: str, say: Say) -> None:
        rows = stats.precision(await self._house.store.cases(), self._house.now())
        await say(contacts.figures(rows))

    async def _team(self, caller: Caller, _: str, say: Say) -> None:
        house = self._house
        watched = await house.store.watchlist()
        state = State(watched, await house.sources(), house.coverage(), await house.eraser.waiting())
        await say(contacts.team(state, caller.now))

    async def _drill(self, caller: Caller, _: str, say: Say) -> None:
        async def post(card: Card) -> str:
            """Show the test alert where alerts go, to the caller alone."""
            try:
                await ask(
                    self._house.client.chat_postEphemeral(
                        channel=self._house.rules.channel,
                        user=caller.user,
                        text=card.text,
                        blocks=list(card.blocks),
                    )
                )
            except SlackApiError as error:
                if code(error) != "user_not_in_channel":
                    raise
                await say(card)
                return "shown here, because you are not in the channel of the alerts"
            return "shown to you alone in the channel of the alerts"

        stages = await Drill(self._house.now(), post).run()
        await say(contacts.say(report(stages)))

    async def _one(self, caller: Caller, who: str, say: Say) -> tuple[Person, Contact] | None:
        """Return whom somebody means among those they may see; say so where it is nobody or several."""
        everybody = await self._house.store.contacts()
        found = grammar.matching(who, [one for one in everybody if caller.may_see(one)])
        if len(found) == 1:
            person = await self._house.store.person(found[0].address)
            return (person, person.contact) if person and person.contact else None
        if found:
            await say(contacts.which(who, found))
            return None
        hidden = grammar.matching(who, everybody)
        if len(hidden) == 1:
            raise Refused(contacts.not_yours(hidden[0]))
        if (former := await self._former(who)) and caller.may_change(former):
            await say(contacts.removed(former))
            return None
        near = grammar.near(who, [one for one in everybody if caller.may_see(one)])
        await say(contacts.nobody(who, near))
        return None

    async def _former(self, who: str) -> Contact | None:
        """Return who was watched at an address until somebody stopped it."""
        address = next(iter(grammar.addresses(who)), "")
        person = await self._house.store.person(address) if address else None
        return person.former if person else None

    async def _mine(self, caller: Caller, who: str, say: Say) -> tuple[Person, Contact] | None:
        """Return the same of those whom the caller may change."""
        found = await self._one(caller, who, say)
        if found is not None and not caller.may_change(found[1]):
            raise Refused(contacts.not_yours(found[1]))
        return found


async def _say(respond: Respond, card: Card, *, replace: bool) -> None:
    """Answer by the response_url; raise SourceDown where Slack does not take it."""
    answer = await respond(
        text=card.text,
        blocks=list(card.blocks) or None,
        response_type="ephemeral",
        replace_original=replace,
    )
    if answer.status_code != OK:
        raise SourceDown(f"Slack did not take the answer (HTTP {answer.status_code})")
