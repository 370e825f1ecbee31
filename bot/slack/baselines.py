"""Give every rep one list of who already looked gone after the first pass over a source, to settle in bulk.

The list is sent once per rep and source, in working hours. What is said of somebody on it is evidence like
any other answer; nothing on it raises an alert.
"""

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
from bot.model import ALARMING, Answer, Choice, Home, Json, NeedsHuman, Person, SourceDown
from bot.pipeline import FIRST_PASSES
from bot.preferences import Preferences, preferences
from bot.routing import Hours, Rep, Rules
from bot.slack import first_list
from bot.slack.first_list import Entry, Which
from bot.slack.mrkdwn import user
from bot.slack.people import Directory
from bot.slack.views import told
from bot.slack.web import ask
from bot.store import Store

log = structlog.get_logger()

GONE_LIST = "This list is not kept any more. Nothing was changed."
UNCHANGED = "What you said is kept, but the list could not be changed."

Ack = Callable[..., Awaitable[object]]


class Baselines:
    """Sends the lists and takes what is said of them. `posting` is a client that never tries again."""

    def __init__(
        self,
        store: Store,
        client: AsyncWebClient,
        posting: AsyncWebClient,
        people: Directory,
        gate: Gate,
        rules: Rules,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._client = client
        self._posting = posting
        self._people = people
        self._gate = gate
        self._rules = rules
        self._now = now
        self._telling = asyncio.Lock()

    def register(self, app: AsyncApp) -> None:
        """Let the lists' buttons and their modal come here."""
        app.action(first_list.CONFIRM)(self._confirm)
        app.action(first_list.EACH)(self._each)
        app.view(first_list.EACH)(self._save)

    async def tell(self, now: datetime) -> int:
        """Send each list that is due and was not sent; return how many went out. Call it now and then.

        Where Slack is out of reach, or a person must act first, the rest is left to a later call.
        """
        told = 0
        async with self._telling:
            ended = await self._store.cursor(FIRST_PASSES)
            for source in sorted(ended) if isinstance(ended, dict) else ():
                if not (kept := await self._kept(source)).get("done"):
                    told += await self._tell_of(source, kept, now)
        return told

    async def _tell_of(self, source: str, kept: dict[str, Json], now: datetime) -> int:
        """Send the lists of one source; those who sleep get theirs later."""
        if (await self._store.news()) and not kept.get("lists"):
            return 0  # not everybody is judged yet
        told = 0
        lists: dict[str, Json] = dict(kept.get("lists") or {})  # type: ignore[arg-type]
        at: dict[str, Json] = dict(kept.get("at") or {})  # type: ignore[arg-type]
        late = False
        try:
            for rep, people in (await self._by_rep(source)).values():
                if rep.user in lists:
                    continue
                if await self._are_quiet(rep, now):
                    late = True
                    continue
                to, instead_of = await self._reader(rep)
                entries = [_entry(one, source) for one in people]
                card = first_list.card(Which(rep.user, source), entries, instead_of)
                post = self._posting.chat_postMessage(channel=to, text=card.text, blocks=card.blocks)
                answer = await ask(post)
                lists[rep.user] = [one.address for one in people]
                at[rep.user] = [str(answer["channel"]), str(answer["ts"])]
                told += 1
                await self._keep(source, {"lists": lists, "at": at, "done": False})
        except (SourceDown, NeedsHuman, SlackApiError) as problem:
            log.warning("baseline.delayed", why=str(problem)[:200])
            return told
        if not late:
            await self._keep(source, {"lists": lists, "at": at, "done": True})
        return told

    async def _by_rep(self, source: str) -> Mapping[str, tuple[Rep, list[Person]]]:
        """Return who already looks gone, by the user who is told of them, if anybody is."""
        found: dict[str, tuple[Rep, list[Person]]] = {}
        for watched in await self._store.watchlist():
            if watched.verdict not in ALARMING or watched.case:
                continue
            person = await self._store.person(watched.contact.address)
            if person is None or not baseline.belongs(person, source):
                continue
            for rep in (await self._people.reps(watched.contact.owner))[:1]:
                found.setdefault(rep.user, (rep, []))[1].append(person)
        return found

    async def _are_quiet(self, rep: Rep, now: datetime) -> bool:
        chosen: Preferences = await preferences(self._store, rep.user)
        return Hours.of(rep, self._rules, chosen).are_quiet(now)

    async def _reader(self, rep: Rep) -> tuple[str, str]:
        """Return who gets a rep's list, and in shadow mode instead of whom."""
        if not self._rules.shadow:
            return rep.user, ""
        admins = await self._people.admins()
        if not admins:
            raise NeedsHuman(
                "Slack knows none of the admins", "put the address of a member into slack.admins"
            )
        return admins[0].user, user(rep.user)

    async def _confirm(self, ack: Ack, body: dict[str, Any]) -> None:
        """Confirm everybody on the list as left who is Left or Likely left."""
        which = Which.unpack(str(body["actions"][0].get("value") or ""))
        people = await self._listed(which, body)
        if people is None:
            await ack()
            await self._say(body, GONE_LIST)
            return
        gone = [one for one in people if _entry(one, which.source).verdict in baseline.GONE]
        await self._record(which, people, body, dict.fromkeys((one.address for one in gone), Choice.LEFT))
        await ack()
        await self._show(which, _channel(body), _ts(body), body)

    async def _each(self, ack: Ack, body: dict[str, Any]) -> None:
        """Open the modal in which each is settled."""
        await ack()
        which = Which.unpack(str(body["actions"][0].get("value") or ""))
        people = await self._listed(which, body)
        if people is None:
            await self._say(body, GONE_LIST)
            return
        entries = [_entry(one, which.source) for one in people]
        view = first_list.modal(which, _channel(body), _ts(body), entries)
        try:
            await ask(self._client.views_open(trigger_id=body["trigger_id"], view=view))
        except (SourceDown, NeedsHuman, SlackApiError) as problem:
            log.warning("view.not_opened", why=type(problem).__name__)
            await self._say(body, "Slack did not open the window in time. Please press again.")

    async def _save(self, ack: Ack, body: dict[str, Any]) -> None:
        """Keep what was chosen in the modal."""
        where = _where(body["view"])
        which = Which.unpack(str(where.get("which") or ""))
        people = await self._listed(which, body)
        if people is None:
            await ack(response_action="update", view=told("Already looks gone", GONE_LIST))
            return
        values = (body["view"].get("state") or {}).get("values") or {}
        await self._record(which, people, body, first_list.chosen(values))
        await ack()
        await self._show(which, str(where.get("channel")), str(where.get("ts")), body)

    async def _listed(self, which: Which, body: dict[str, Any]) -> list[Person] | None:
        """Return who is on a list; None where there is no such list, or not for whoever presses."""
        presses = str(body["user"]["id"])
        is_theirs = presses == which.owner
        if not is_theirs and self._rules.shadow:
            is_theirs = presses in {admin.user for admin in await self._people.admins()}
        return await self._on(which) if is_theirs else None

    async def _on(self, which: Which) -> list[Person] | None:
        lists = (await self._kept(which.source)).get("lists")
        named = lists.get(which.owner) if isinstance(lists, dict) else None
        if not isinstance(named, list):
            return None
        found = [await self._store.person(str(address)) for address in named]
        return [one for one in found if one is not None and one.contact is not None]

    async def _record(
        self, which: Which, people: Sequence[Person], body: dict[str, Any], said: Mapping[str, Choice]
    ) -> None:
        """Keep what was said of people on the list; the first word on each stands."""
        by = str(body["user"]["id"])
        name = await self._people.name(by, str(body["user"].get("username") or by))
        group = baseline.group(which.source)
        words = [
            Answer(person.address, group, by, self._now(), said[person.address])
            for person in people
            if person.address in said and baseline.answer(person, which.source) is None
        ]
        await self._store.record(seen for word in words if (seen := observe(word, name)))

    async def _show(self, which: Which, channel: str, ts: str, body: dict[str, Any]) -> None:
        """Bring a list up to date."""
        try:
            await self.redraw(which, Home(channel, ts))
        except (SourceDown, NeedsHuman, SlackApiError) as problem:
            log.warning("baseline.not_shown", why=type(problem).__name__)
            await self._say(body, UNCHANGED)

    async def naming(self, address: str) -> list[tuple[Which, Home]]:
        """Return the lists that a person stands on, and where their messages are."""
        found = []
        ended = await self._store.cursor(FIRST_PASSES)
        for source in sorted(ended) if isinstance(ended, dict) else ():
            kept = await self._kept(source)
            lists, at = kept.get("lists"), kept.get("at")
            if isinstance(lists, dict) and isinstance(at, dict):
                found += [
                    (Which(owner, source), Home(str(place[0]), str(place[1])))
                    for owner, place in at.items()
                    if isinstance(place, list) and address in (lists.get(owner) or ())  # type: ignore[operator]
                ]
        return found

    async def redraw(self, which: Which, home: Home) -> bool:
        """Draw a list anew; False where nobody is left on it. Raise what `ask` raises."""
        entries = [_entry(one, which.source) for one in await self._on(which) or ()]
        if not entries:
            return False
        card = first_list.card(which, entries, user(which.owner) if self._rules.shadow else "")
        await ask(
            self._client.chat_update(channel=home.channel, ts=home.ts, text=card.text, blocks=card.blocks)
        )
        return True

    async def _say(self, body: dict[str, Any], text: str) -> None:
        """Tell only the one who pressed."""
        who = str(body["user"]["id"])
        try:
            await ask(self._client.chat_postEphemeral(channel=_channel(body) or who, user=who, text=text))
        except (SourceDown, NeedsHuman, SlackApiError) as problem:
            log.warning("answer.not_told", why=type(problem).__name__)

    async def _kept(self, source: str) -> dict[str, Json]:
        kept = await self._store.setting(baseline.group(source))
        return kept if isinstance(kept, dict) else {}

    async def _keep(self, source: str, kept: dict[str, Json]) -> None:
        await self._store.save_setting(baseline.group(source), kept)


def _entry(person: Person, source: str) -> Entry:
    """Return somebody on the list as they looked when it was made."""
    assert person.contact is not None, "only who is watched is on a list"
    said = baseline.answer(person, source)
    judged = person.assessment
    assert judged is not None, "only who was judged is on a list"
    return Entry(person.contact, judged.verdict, judged.headline, said)


def _where(view: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the modal carries unseen; nothing where it is not ours."""
    try:
        kept = json.loads(view.get("private_metadata") or "{}")
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}


def _channel(body: dict[str, Any]) -> str:
    return str((body.get("channel") or {}).get("id") or (body.get("container") or {}).get("channel_id") or "")


def _ts(body: dict[str, Any]) -> str:
    return str((body.get("container") or {}).get("message_ts") or (body.get("message") or {}).get("ts") or "")
