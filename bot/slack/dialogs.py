"""Build the modals behind the buttons of an alert, and read what was chosen in them. Pure.

What a modal needs to find its way back stands in its private metadata. Only the one who pressed sees it, so
people are named in full. Nowhere is there a field for free text that would be kept.
https://docs.slack.dev/surfaces/modals
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from slackblocks import (
    Block,
    ContextBlock,
    DatePicker,
    InputBlock,
    ModalView,
    PlainTextInput,
    RadioButtonGroup,
    SectionBlock,
    StaticSelectMenu,
    Text,
    UserSelectMenu,
)

from bot.model import Alert, Choice, Suggestion
from bot.notes import Note, To
from bot.slack import words
from bot.slack.buttons import can_watch, option
from bot.slack.mrkdwn import is_user, plain, quote
from bot.slack.names import Naming
from bot.slack.suggestions import brief, ranking

SUBMIT = "answer."
"""The modals that answer carry this and their choice as callback id."""

ASSIGN = "assign"
NOTE = "note"
NOTE_FOR = "note.for"

CHAMPION, DAY, HOW_LONG, OWNER, TEXT = "champion", "day", "how_long", "owner", "text"
"""Fields: each stands in a block of the same id."""

NOBODY = "nobody"
ONE_DAY, ONE_WEEK = "1", "7"
FURTHEST = timedelta(days=365)
"""So far ahead something can be put off."""

_OPTION = 75
_PEOPLE = 5

Chosen = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Place:
    """Where a modal was opened: on which case, under which message; `people` are offered, by address."""

    case: str
    channel: str
    ts: str
    people: tuple[str, ...] = ()

    @property
    def contact(self) -> str:
        """Return the address that the case is about."""
        return self.case.rpartition(":")[0]

    def pack(self) -> str:
        """Return it as the text that a modal carries."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def unpack(cls, text: str) -> Place:
        """Return what a modal carries; raise ValueError where that is nothing of ours."""
        try:
            kept = json.loads(text)
            people = tuple(str(one) for one in kept["people"])
            return cls(str(kept["case"]), str(kept["channel"]), str(kept["ts"]), people)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError("no place of ours") from error


class NotChosen(ValueError):  # noqa: N818 - it says what the person has not done yet
    """Say beside which field what is to be chosen there."""

    def __init__(self, field: str, what: str) -> None:
        super().__init__(what)
        self.field = field
        self.what = what


def confirm_left(place: Place, raised: Alert, _: datetime) -> dict[str, Any]:
    """Ask whether the person left, and who takes their place in the deal."""
    people = _offered(raised)
    first = next((one for one in people if one.successor), None)
    said = f"{_who(raised)}: confirm that they have left. This settles the case."
    blocks = [_section(said), _champion(raised, people, "Nobody for now", first)]
    return _modal(
        "Confirm left", Choice.LEFT, _with(place, people), [one for one in blocks if one], "Confirm"
    )


def changed_role(place: Place, raised: Alert, _: datetime) -> dict[str, Any]:
    """Ask who the deal's champion is, now that the person does something else there."""
    people = _offered(raised)
    said = f"{_who(raised)}: still there, in another role. This settles the case."
    blocks = [_section(said), _champion(raised, people, f"Still {raised.contact.label}", None)]
    return _modal("Changed role", Choice.CHANGED_ROLE, _with(place, people), [one for one in blocks if one])


def on_leave(place: Place, raised: Alert, _: datetime) -> dict[str, Any]:
    """Ask for the day of return. The reason of a leave is neither asked nor kept."""
    blocks: list[Block] = [
        _section(f"{_who(raised)}: away, and coming back. This settles the case."),
        InputBlock(
            "Away until",
            DatePicker(DAY, placeholder="Choose a day"),
            block_id=DAY,
            hint="Leave it empty where nobody knows. Why they are away is not kept.",
            optional=True,
        ),
    ]
    return _modal("On leave", Choice.ON_LEAVE, place, blocks)


def snooze(place: Place, raised: Alert, now: datetime) -> dict[str, Any]:
    """Ask for how long the case is to be left alone."""
    spans = [(ONE_DAY, "1 day"), (ONE_WEEK, "1 week")]
    options = [
        option(f"{label}, until {words.day(now.date() + timedelta(days=int(days)), now)}", days)
        for days, label in spans
    ]
    blocks: list[Block] = [
        _section(f"{_who(raised)}: remind us here later. Something graver is told at once."),
        InputBlock(
            "For how long",
            RadioButtonGroup(HOW_LONG, options, initial_option=options[-1]),
            block_id=HOW_LONG,
        ),
        InputBlock(
            "Or until another day",
            DatePicker(DAY, placeholder="Choose a day"),
            block_id=DAY,
            hint="A day chosen here counts before the choice above.",
            optional=True,
        ),
    ]
    return _modal("Snooze", Choice.SNOOZE, place, blocks, "Snooze")


def assign(place: Place, raised: Alert) -> dict[str, Any]:
    """Ask who is to own the contact from now on."""
    owner = raised.contact.owner if is_user(raised.contact.owner) else None
    picker = UserSelectMenu(OWNER, initial_user=owner, placeholder="Choose a colleague")
    blocks: list[Block] = [
        _section(f"{_who(raised)}: who looks after them from now on?"),
        InputBlock("Owner", picker, block_id=OWNER),
    ]
    return _view("Assign", ASSIGN, place, blocks, "Assign")


def note(place: Place, drafts: Sequence[Note], chosen: int) -> dict[str, Any]:
    """Show a draft to copy, and let the rep choose for whom."""
    options = [option(plain(_label(one), _OPTION), str(number)) for number, one in enumerate(drafts)]
    shown = drafts[chosen]
    text = "\n".join(plain(line, 2000) for line in shown.text.split("\n"))
    chooser = StaticSelectMenu(NOTE_FOR, options=options, initial_option=options[chosen])
    blocks: list[Block] = [
        SectionBlock(Text("*For whom?*", verbatim=True), block_id=NOTE_FOR, accessory=chooser),
        InputBlock(
            "Text to copy",
            PlainTextInput(TEXT, initial_value=text, multiline=True),
            # Slack keeps what was typed in a block of the same id.
            block_id=f"{TEXT}.{chosen}",
            optional=True,
        ),
        ContextBlock([Text(_reach(shown), verbatim=True)], block_id="reach"),
    ]
    return _view("Draft a note", NOTE, place, blocks, "Done", close="Close")


OPENED_BY: Mapping[Choice, Callable[[Place, Alert, datetime], dict[str, Any]]] = {
    Choice.LEFT: confirm_left,
    Choice.ON_LEAVE: on_leave,
    Choice.CHANGED_ROLE: changed_role,
    Choice.SNOOZE: snooze,
}
"""The answers that ask something first."""


def champion(place: Place, chosen: Chosen) -> str:
    """Return the address of who was chosen as the new champion, empty for nobody."""
    picked = _field(chosen, CHAMPION).get("selected_option") or {}
    number = str(picked.get("value") or NOBODY)
    return place.people[int(number)] if number.isdecimal() and int(number) < len(place.people) else ""


def until(choice: Choice, chosen: Chosen, now: datetime) -> date | None:
    """Return the day that was chosen; raise NotChosen where it is none that makes sense."""
    day = _field(chosen, DAY).get("selected_date")
    if day is None:
        if choice is not Choice.SNOOZE:
            return None
        picked = str((_field(chosen, HOW_LONG).get("selected_option") or {}).get("value") or ONE_WEEK)
        return now.date() + timedelta(days=int(picked if picked in {ONE_DAY, ONE_WEEK} else ONE_WEEK))
    try:
        found = date.fromisoformat(str(day))
    except ValueError:
        raise NotChosen(DAY, "Choose a day.") from None
    if found <= now.date():
        raise NotChosen(DAY, "Choose a day after today.")
    if found > now.date() + FURTHEST:
        raise NotChosen(DAY, "Choose a day within a year.")
    return found


def owner(chosen: Chosen) -> str:
    """Return the Slack user who was chosen; raise NotChosen where nobody was."""
    found = str(_field(chosen, OWNER).get("selected_user") or "")
    if not found:
        raise NotChosen(OWNER, "Choose a colleague.")
    return found


def note_for(chosen: Chosen) -> int:
    """Return the number of the draft that was chosen."""
    picked = _field(chosen, NOTE_FOR).get("selected_option") or {}
    number = str(picked.get("value") or "")
    return int(number) if number.isdecimal() else 0


def _offered(raised: Alert) -> list[Suggestion]:
    ranked = ranking(raised.assessment, _PEOPLE)
    return [one for one in ranked if can_watch(one)]


def _with(place: Place, people: Sequence[Suggestion]) -> Place:
    return Place(place.case, place.channel, place.ts, tuple(one.address for one in people))


def _champion(
    raised: Alert, people: Sequence[Suggestion], nobody: str, first: Suggestion | None
) -> Block | None:
    """Offer whom we know there as the deal's champion; None where we know nobody."""
    if not people:
        return None
    options = [
        option(plain(one.name or one.address, _OPTION), str(number), plain("; ".join(brief(one)), _OPTION))
        for number, one in enumerate(people)
    ]
    options.append(option(plain(nobody, _OPTION), NOBODY))
    chosen = options[people.index(first)] if first else options[-1]
    deal = raised.contact.deal.name if raised.contact.deal else ""
    return InputBlock(
        plain(f"Champion for {deal or raised.contact.account_name} from now on", _OPTION),
        RadioButtonGroup(CHAMPION, options, initial_option=chosen),
        block_id=CHAMPION,
        hint="Whom you choose is watched, with the same account, owner and deal.",
    )


def _label(one: Note) -> str:
    what = {To.SUCCESSOR: "the successor", To.COLLEAGUE: "a colleague", To.CHAMPION: "the champion"}
    return f"{one.name}, {what[one.to]}"


def _reach(one: Note) -> str:
    address = f" {quote(one.address, 100)} is the address." if one.address else ""
    return f"Nothing is sent from here.{address}"


def _who(raised: Alert) -> str:
    return f"*{Naming().name(raised.contact)}*, *{quote(raised.contact.account_name, 80)}*"


def _field(chosen: Chosen, name: str) -> Mapping[str, Any]:
    return (chosen.get(name) or {}).get(name) or {}


def _section(text: str) -> SectionBlock:
    return SectionBlock(Text(text, verbatim=True), block_id="about")


def _modal(
    title: str, choice: Choice, place: Place, blocks: list[Block], submit: str = "Save"
) -> dict[str, Any]:
    return _view(title, f"{SUBMIT}{choice}", place, blocks, submit)


def _view(
    title: str, callback: str, place: Place, blocks: list[Block], submit: str, close: str = "Cancel"
) -> dict[str, Any]:
    view = ModalView(
        title, blocks, close=close, submit=submit, private_metadata=place.pack(), callback_id=callback
    )
    return dict(view.to_dict())
