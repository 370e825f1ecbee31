"""What the buttons under an alert do, and the modals that they open.

Nobody is shown anything, and nothing is kept, before it is known who presses: members of this workspace only.
A word is kept before Slack is told that it arrived: killed in between, Slack shows the rep that it failed,
and nothing that was said is lost, unless Slack itself is slow to say who it is. Pressing twice, or two reps
pressing at once, gives one result.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, TypeVar

import structlog
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import notes
from bot.answers import observe
from bot.model import Alert, Answer, Case, Choice, Contact, Home, NeedsHuman, Person, SourceDown, Suggestion
from bot.slack import buttons, cards, dialogs, words
from bot.slack.board import Board, current, find, neighbour
from bot.slack.cards import Scene
from bot.slack.dialogs import NotChosen, Place
from bot.slack.door import Ack, Door, Stopped
from bot.slack.forms import home
from bot.slack.gate import TOO_LATE, Gate
from bot.slack.mrkdwn import quote, user
from bot.slack.people import Directory, Profile, zone_of
from bot.slack.presses import Press, Sent, Who, read
from bot.slack.views import told
from bot.slack.web import ask
from bot.store import Store

log = structlog.get_logger()

NO_CASE = "This case is not kept any more. Nothing was changed."
TOLD_AGAIN = "This case was told again later. Please answer under the newer message. Nothing was changed."
UNCHANGED = "Your answer is kept, but the message could not be changed."
OLD_BUTTON = "This button comes from an older version and no longer works. Nothing was changed."
NOT_WATCHED = "They are not watched any more. Nothing was changed."
NOT_YOURS = "Only the owner or an admin can give a contact to somebody else. You can take it over yourself."
NO_OWNER = "Choose a full member of this workspace."
NO_TAKER = "Slack does not say at the moment who that is. Nothing was changed."

T = TypeVar("T", Press, Sent)

Acknowledge = Callable[..., Awaitable[object]]


@dataclass(frozen=True)
class Answering:
    """What a rep says of a case."""

    choice: Choice
    until: date | None = None
    champion: str = ""


class Desk:
    """Takes what is pressed and chosen under alerts, and shows what became of it."""

    def __init__(
        self,
        store: Store,
        client: AsyncWebClient,
        people: Directory,
        board: Board,
        gate: Gate,
        now: Callable[[], datetime],
        admins: Iterable[str] = (),
        *,
        wording: notes.Wording,
    ) -> None:
        self._store = store
        self._wording = wording
        self._client = client
        self._people = people
        self._door = Door(people)
        self._board = board
        self._gate = gate
        self._now = now
        self._admins = frozenset(address.lower() for address in admins)
        self.changed: Callable[[str], Awaitable[None]] = _nothing
        """Called with the user whose press changed something, to show it elsewhere too."""

    def register(self, app: AsyncApp) -> None:
        """Let the buttons of the app's messages, and their modals, come here."""

        def admitted(
            found: Callable[[dict[str, Any]], T], does: Callable[[Ack, T, Profile], Awaitable[None]]
        ) -> Callable[..., Awaitable[None]]:
            async def listener(ack: Acknowledge, body: dict[str, Any], context: Any) -> None:
                with self._gate.working():
                    await self._admit(Ack(ack), body, home(context), found, does)

            return listener

        app.action(re.compile(f"^{re.escape(buttons.ANSWER)}"))(admitted(Press.of, self._answer))
        app.action(re.compile(f"^{re.escape(buttons.WATCH)}"))(admitted(Press.of, self._watch))
        app.action(buttons.WHY)(admitted(Press.of, self._why))
        app.action(buttons.MORE)(admitted(Press.of, self._more))
        app.action(dialogs.NOTE_FOR)(admitted(Sent.of, self._note_for))
        app.view(re.compile(f"^{re.escape(dialogs.SUBMIT)}"))(admitted(Sent.of, self._answer_sent))
        app.view(dialogs.ASSIGN)(admitted(Sent.of, self._assign_sent))
        app.view(dialogs.NOTE)(_close)

    async def _admit(
        self,
        ack: Ack,
        body: dict[str, Any],
        team: str | None,
        found: Callable[[dict[str, Any]], T],
        does: Callable[[Ack, T, Profile], Awaitable[None]],
    ) -> None:
        """Do what was asked for, for those who may; nothing of a case is read before."""
        who, is_sent = Who.of(body, team), body.get("type") == "view_submission"
        asked = read(found, body)
        place = asked.place if asked is not None else Place("", "", "")
        try:
            profile = await self._door.admit(ack, who)
        except Stopped as stopped:
            await ack()
            await self._tell(who, place, str(stopped))
            return
        if isinstance(asked, Press):
            asked = replace(asked, place=await self._known(asked.place))
        if asked is not None:
            await does(ack, asked, profile)
        elif is_sent and not ack.given:
            await ack(response_action="update", view=told("Stillthere", OLD_BUTTON))
        else:
            await ack()
            await self._tell(who, place, OLD_BUTTON)

    async def _known(self, place: Place) -> Place:
        """Return the place with the key of its case instead of the mark that the button carries."""
        return replace(place, case=await self._board.register.case(place.case))

    def _local(self, profile: Profile) -> datetime:
        """Return the time where somebody is."""
        return self._now().astimezone(zone_of(profile.time_zone, self._people.zone))

    async def _begins(self, ack: Ack, asked: Press | Sent) -> bool:
        """Tell Slack that something arrived which keeps no word; False where it came before."""
        await ack()
        return await self._gate.is_new(asked.trigger)

    async def _answer(self, ack: Ack, press: Press, profile: Profile) -> None:
        """Take an answer that asks nothing, or open the modal of one that does."""
        choice = press.action.removeprefix(buttons.ANSWER)
        if choice not in buttons.LABELS:
            await ack()
            await self._tell(press.who, press.place, OLD_BUTTON)
        elif (dialog := dialogs.OPENED_BY.get(Choice(choice))) is None:
            await self._decide(ack, press.who, profile, press.place, Answering(Choice(choice)))
        elif await self._begins(ack, press):
            case = await self._open_case(press, profile)
            if case is not None:
                person = await self._store.person(case.contact)
                view = dialog(press.place, current(case.alert, person), self._local(profile))
                await self._show_view(press, view)

    async def _answer_sent(self, ack: Ack, sent: Sent, profile: Profile) -> None:
        """Take the answer that a modal asked for."""
        choice = Choice(sent.dialog.removeprefix(dialogs.SUBMIT))
        try:
            until = dialogs.until(choice, sent.chosen, self._local(profile))
        except NotChosen as missing:
            await self._amiss(ack, sent, missing)
            return
        said = Answering(choice, until, dialogs.champion(sent.place, sent.chosen))
        await self._decide(ack, sent.who, profile, sent.place, said)

    async def _decide(self, ack: Ack, who: Who, profile: Profile, place: Place, said: Answering) -> None:
        """Keep a rep's word, show it, and tell whoever came second."""
        choice, champion = said.choice, said.champion
        refusal = _closed(await self._store.person(place.contact), place)
        if refusal:
            await ack()
            await self._tell(who, place, refusal)
            return
        now = self._now()
        answer = Answer(place.contact, place.case, who.user, now, choice, said.until, champion)
        case = await self._store.answer(answer, observe(answer, profile.name or who.username))
        if case is None:
            await ack()
            await self._tell(who, place, NO_CASE)
            return
        stands = _standing(case, answer)
        heard = _word(stands) == _word(answer)
        watched = await self._take_over(case, champion) if heard and champion else ""
        await ack()
        await self._show(who, place, case)
        if watched:
            await self._tell(who, place, watched)
        if not heard and not (choice is Choice.SNOOZE and stands.choice is Choice.SNOOZE):
            await self._tell(who, place, _second(stands, case, self._local(profile)))

    async def _take_over(self, case: Case, champion: str) -> str:
        """Watch the new champion; return what to tell of it."""
        known = {one.address: one for one in case.alert.assessment.suggestions}
        return await self._watch_person(case, known[champion]) if champion in known else ""

    async def _watch(self, ack: Ack, press: Press, _: Profile) -> None:
        """Watch somebody who was suggested, with the same account, owner and deal."""
        if not await self._begins(ack, press):
            return
        case = find(await self._store.person(press.place.contact), press.place.case)
        marks = await self._board.register.marks()
        known = {marks.of(one.address): one for one in case.alert.assessment.suggestions} if case else {}
        if case is None or press.value not in known:
            await self._tell(press.who, press.place, NO_CASE)
            return
        told = await self._watch_person(case, known[press.value])
        await self._show(press.who, press.place, case)
        await self._tell(press.who, press.place, told)

    async def _watch_person(self, case: Case, suggestion: Suggestion) -> str:
        """Watch a suggested person, and say what came of it; who is watched already keeps what they have."""
        like = current(case.alert, await self._store.person(case.contact)).contact
        before = await self._store.person(suggestion.address)
        known = before.contact if before and before.contact else None
        new = known or Contact(suggestion.address, suggestion.name)
        await self._store.watch(
            replace(
                new,
                account=new.account or like.account_name,
                owner=new.owner or like.owner,
                deal=new.deal or like.deal,
                country=new.country or like.country,
            )
        )
        after = await self._store.person(suggestion.address)
        name = quote(suggestion.name or suggestion.address, 80)
        if after is None or after.contact is None:
            return f"{name} is not watched: they asked to be forgotten."
        if known is not None:
            return f"{name} is watched already."
        deal = f", {quote(like.deal.name, 80)}" if like.deal and like.deal.name else ""
        owner = f", for {await self._people.mention(like.owner)}" if like.owner else ""
        return f"{name} is watched now: {quote(like.account_name, 80)}{deal}{owner}."

    async def _more(self, ack: Ack, press: Press, profile: Profile) -> None:
        """Open what the menu offers."""
        if press.value == buttons.WHY:
            await self._why(ack, press, profile)
            return
        if not await self._begins(ack, press):
            return
        raised = await self._raised(press)
        if raised is None:
            return
        if press.value == buttons.ASSIGN:
            await self._show_view(press, dialogs.assign(press.place, raised))
        elif press.value == buttons.NOTE:
            await self._show_view(press, dialogs.note(press.place, notes.drafts(raised, self._wording), 0))
        else:
            await self._tell(press.who, press.place, OLD_BUTTON)

    async def _note_for(self, ack: Ack, sent: Sent, _: Profile) -> None:
        """Show the draft for whom the rep chose."""
        if not await self._begins(ack, sent):
            return
        raised = await self._raised(sent)
        if raised is None:
            return
        drafts = notes.drafts(raised, self._wording)
        view = dialogs.note(sent.place, drafts, min(dialogs.note_for(sent.chosen), len(drafts) - 1))
        try:
            await ask(self._client.views_update(view_id=sent.view, view=view))
        except (SourceDown, NeedsHuman, SlackApiError) as problem:
            log.warning("note.not_shown", why=type(problem).__name__)

    async def _assign_sent(self, ack: Ack, sent: Sent, profile: Profile) -> None:
        """Give the contact to another rep, who is told in the case's thread."""
        try:
            chosen = dialogs.owner(sent.chosen)
        except NotChosen as missing:
            await self._amiss(ack, sent, missing)
            return
        person = await self._store.person(sent.place.contact)
        case = find(person, sent.place.case)
        contact = person.contact if person else None
        refusal = ""
        if contact is not None and chosen != sent.who.user and not self._may_give(contact, profile):
            refusal = NOT_YOURS
        if refusal or case is None or contact is None:
            await ack()
            await self._tell(sent.who, sent.place, refusal or (NO_CASE if case is None else NOT_WATCHED))
            return
        try:
            taker = await self._door.look_up(ack, chosen)
        except Stopped:
            await ack()
            await self._tell(sent.who, sent.place, NO_TAKER)
            return
        if taker is None or not taker.may_be_told:
            await self._amiss(ack, sent, NotChosen(dialogs.OWNER, NO_OWNER))
            return
        if contact.owner == chosen:
            await ack()
            return
        await self._store.watch(replace(contact, owner=chosen))
        await ack()
        await self._show(sent.who, sent.place, case)
        await self._say(sent, case, chosen)

    async def _amiss(self, ack: Ack, sent: Sent, missing: NotChosen) -> None:
        """Say beside the field what is to be chosen, or after the modal is closed, where that came first."""
        if ack.given:
            await self._tell(sent.who, sent.place, f"{missing.what} Nothing was changed.")
        else:
            await ack(response_action="errors", errors={missing.field: missing.what})

    def _may_give(self, contact: Contact, profile: Profile) -> bool:
        """Say whether somebody may give a contact to somebody else."""
        is_admin = bool(profile.address) and profile.address in self._admins
        return not contact.owner or is_admin or profile.owns(contact)

    async def _why(self, ack: Ack, press: Press, profile: Profile) -> None:
        """Show the evidence, to the one who asked."""
        if not await self._begins(ack, press):
            return
        raised = await self._raised(press)
        if raised is None:
            return
        card = cards.why(raised, Scene(self._local(profile)))
        await self._tell(press.who, press.place, card.text, card.blocks)

    async def _raised(self, asked: Press | Sent) -> Alert | None:
        """Return what was told of the case, with what is known of its contact now; tell where it is gone."""
        person = await self._store.person(asked.place.contact)
        case = find(person, asked.place.case)
        if case is None:
            await self._tell(asked.who, asked.place, NO_CASE)
            return None
        return current(case.alert, person)

    async def _open_case(self, press: Press, profile: Profile) -> Case | None:
        """Return the case that a modal is to be about; tell where it can no longer be answered."""
        person = await self._store.person(press.place.contact)
        case = find(person, press.place.case)
        refusal = _closed(person, press.place)
        if case is not None and not refusal and case.settled is not None and case.settled.is_final:
            refusal = _second(case.settled, case, self._local(profile))
        if refusal:
            await self._tell(press.who, press.place, refusal)
        return None if refusal else case

    async def _show(self, who: Who, place: Place, case: Case) -> None:
        """Show the state the case is in now; a case that was not told yet has no message."""
        home = case.home or Home(place.channel, place.ts)
        if home.channel and not await self._update(case, home):
            await self._tell(who, place, UNCHANGED)
        await self.changed(who.user)

    async def _update(self, case: Case, home: Home) -> bool:
        """Bring the case's message up to date; False where that did not work."""
        try:
            return await self._board.update(case, home, self._now())
        except (SourceDown, NeedsHuman, SlackApiError) as problem:
            log.warning("answer.not_shown", why=type(problem).__name__)
            return False

    async def _show_view(self, press: Press, view: dict[str, Any]) -> None:
        """Open a modal; Slack gives us three seconds."""
        try:
            await ask(self._client.views_open(trigger_id=press.trigger, view=view))
        except (SourceDown, NeedsHuman, SlackApiError) as problem:
            log.warning("view.not_opened", why=type(problem).__name__)
            await self._tell(press.who, press.place, TOO_LATE)

    async def _say(self, sent: Sent, case: Case, owner: str) -> None:
        """Say in the case's thread who owns the contact now: an edited message notifies nobody."""
        home = case.home or Home(sent.place.channel, sent.place.ts)
        name = await self._board.name(case, home.channel)
        by = "took over" if owner == sent.who.user else f"made {user(owner)} the owner of"
        text = f"{user(sent.who.user)} {by} {name}."
        try:
            answer = await ask(
                self._client.chat_postMessage(
                    channel=home.channel, thread_ts=home.thread or home.ts, text=text
                )
            )
            await self._board.note(case.key, answer)
        except (SourceDown, NeedsHuman, SlackApiError) as problem:
            log.warning("owner.not_told", why=type(problem).__name__)

    async def _direct(self, who: Who) -> str:
        """Return the channel of the direct messages with somebody."""
        opened = await ask(self._client.conversations_open(users=who.user))
        return str(opened["channel"]["id"])

    async def _tell(self, who: Who, place: Place, text: str, blocks: tuple[dict[str, Any], ...] = ()) -> None:
        """Tell only the one who pressed; nothing of that kind can be shown on the Home tab."""
        told: dict[str, Any] = {"text": text, "blocks": blocks or None}
        try:
            if place.channel:
                await ask(self._client.chat_postEphemeral(channel=place.channel, user=who.user, **told))
            else:
                answer = await ask(self._client.chat_postMessage(channel=await self._direct(who), **told))
                await self._board.note(place.case, answer)
        except (SourceDown, NeedsHuman, SlackApiError) as problem:
            log.warning("answer.not_told", why=type(problem).__name__)


async def _close(ack: Acknowledge) -> None:
    """Close a modal; what was written in it is not kept."""
    await ack()


async def _nothing(_: str) -> None:
    """Do nothing."""


def _closed(person: Person | None, place: Place) -> str:
    """Say why a case can no longer be answered, empty where it can or was settled."""
    case = find(person, place.case)
    if case is None:
        return NO_CASE
    return TOLD_AGAIN if neighbour(person, case, +1) else ""


def _standing(case: Case, answer: Answer) -> Answer:
    """Return the word that stands where the answer wanted to stand."""
    if case.settled is not None and case.settled.is_final:
        return case.settled
    return (case.on_it if answer.choice is Choice.ON_IT else case.settled) or answer


def _word(answer: Answer) -> tuple[str, Choice, date | None, str]:
    return answer.by, answer.choice, answer.until, answer.champion


def _second(stands: Answer, case: Case, now: datetime) -> str:
    """Tell somebody who came second what stands, and that their word does not."""
    on, about = words.day(stands.at, now), cards.name(case.alert.contact)
    if stands.choice is Choice.ON_IT:
        return f"{user(stands.by)} is on it already, since {on}. Nothing was changed."
    if stands.choice is Choice.ANSWERED:
        return f"No longer a case: {about} was in touch again on {on}. Your answer was not counted."
    first = f"{user(stands.by)} was first, {on}: {words.ruling(stands, about, now)}."
    return f"Already settled: {first} Your answer was not counted."
