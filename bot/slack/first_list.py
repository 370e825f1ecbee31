"""Show who already looked gone when watching began, and the modal to look at them one by one. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slackblocks import (
    ActionsBlock,
    Block,
    Button,
    ConfirmationDialogue,
    ContextBlock,
    ModalView,
    PlainText,
    SectionBlock,
    StaticSelectMenu,
    Text,
)

from bot.baseline import GONE
from bot.model import Choice, Contact, Observation, Verdict
from bot.slack import words
from bot.slack.buttons import option
from bot.slack.mrkdwn import quote
from bot.slack.parts import Card, section

CONFIRM = "baseline.confirm"
EACH = "baseline.each"
"""The action ids of the two buttons; both carry whose list it is. `EACH` is also the modal's callback id."""

CHOICE = "choice"
SAID: Mapping[Choice, str] = {Choice.LEFT: "Has left", Choice.STILL_THERE: "Still there"}
LATER = "later"

LINES = 30
_LINES_A_BLOCK = 10
_NAMED = 5
IN_MODAL = 45
"""So many fit into one modal."""


@dataclass(frozen=True)
class Which:
    """One rep's list of one source; `owner` is the rep's user id."""

    owner: str
    source: str

    def pack(self) -> str:
        """Return it as the text that a button carries."""
        return f"{self.owner} {self.source}"

    @classmethod
    def unpack(cls, text: str) -> Which:
        """Return what a button carries."""
        owner, _, source = text.partition(" ")
        return cls(owner, source)


@dataclass(frozen=True)
class Entry:
    """Somebody on the list: what it looked like, and what was said since."""

    contact: Contact
    verdict: Verdict
    headline: str
    said: Observation | None = None

    @property
    def line(self) -> str:
        """Return it in one line (mrkdwn)."""
        name = quote(self.contact.label, 60)
        state = quote(self.said.sentence, 120) if self.said else quote(self.headline, 120)
        done = "settled: " if self.said else ""
        verdict = words.title(self.verdict)
        return f"• *{name}*, {quote(self.contact.account_name, 60)} · *{verdict}* · {done}{state}"


def card(which: Which, entries: Sequence[Entry], instead_of: str = "") -> Card:
    """Build the list; `instead_of` is whom the shadow mode keeps it from (mrkdwn)."""
    many = len(entries)
    open_ = [entry for entry in entries if entry.said is None]
    gone = [entry for entry in open_ if entry.verdict in GONE]
    who = f"{many} of your people" if many > 1 else "One of your people"
    read = quote(words.source(which.source), 80)
    title = f"*Already looks gone.* {who} looked so when {read} was read for the first time."
    state = f"{many - len(open_)} settled, {len(open_)} open." if len(open_) < many else ""
    rest = "Nothing of this raises an alert. What happens from now on does."
    blocks: list[Block] = []
    if instead_of:
        mark = f"Shadow mode: only admins get this. It would have gone to {instead_of}."
        blocks.append(ContextBlock([Text(mark, verbatim=True)], block_id="shadow"))
    blocks.append(section("title", " ".join(part for part in (title, state) if part)))
    shown = entries[:LINES]
    for begin in range(0, len(shown), _LINES_A_BLOCK):
        lines = [entry.line for entry in shown[begin : begin + _LINES_A_BLOCK]]
        blocks.append(section(f"list-{begin}", "\n".join(lines)))
    if many > LINES:
        rest = f"And {many - LINES} more. {rest}"
    blocks.append(ContextBlock([Text(rest, verbatim=True)], block_id="rest"))
    if open_:
        blocks.append(ActionsBlock([*_confirm(which, gone), _each(which, gone)], block_id="settle"))
    names = ", ".join(quote(entry.contact.label, 60) for entry in entries[:_NAMED])
    more = f" and {many - _NAMED} more" if many > _NAMED else ""
    text = f"Already looks gone: {names}{more}. {state}".strip()
    return Card.of(text, blocks)


def modal(which: Which, channel: str, ts: str, entries: Sequence[Entry]) -> dict[str, Any]:
    """Build the modal with a choice for each who is still open."""
    open_ = [entry for entry in entries if entry.said is None]
    options = [option(label, choice) for choice, label in SAID.items()]
    later = option("Leave it open", LATER)
    blocks: list[Block] = [
        SectionBlock(
            Text(entry.line, verbatim=True),
            block_id=entry.contact.address[:255],
            accessory=StaticSelectMenu(
                action_id=CHOICE,
                placeholder="Leave it open",
                options=[*options, later],
                initial_option=later,
            ),
        )
        for entry in open_[:IN_MODAL]
    ]
    if len(open_) > IN_MODAL:
        more = f"{len(open_) - IN_MODAL} more: open this once more after saving."
        blocks.append(ContextBlock([Text(more, verbatim=True)], block_id="more"))
    where = json.dumps({"which": which.pack(), "channel": channel, "ts": ts})
    view: dict[str, Any] = ModalView(
        title="Already looks gone",
        submit="Save",
        close="Cancel",
        callback_id=EACH,
        private_metadata=where,
        blocks=blocks or [section("none", "Everybody on this list is settled.")],
    ).to_dict()
    return view


def chosen(values: Mapping[str, Mapping[str, Any]]) -> dict[str, Choice]:
    """Read what was chosen for whom in the modal, by address."""
    found = {}
    for address, block in values.items():
        picked = ((block.get(CHOICE) or {}).get("selected_option") or {}).get("value")
        if picked in {choice.value for choice in SAID}:
            found[address] = Choice(picked)
    return found


def _confirm(which: Which, gone: Sequence[Entry]) -> list[Button]:
    if not gone:
        return []
    who = "this person" if len(gone) == 1 else f"these {len(gone)} people"
    ask = ConfirmationDialogue(
        title="Confirm all as left?",
        text=PlainText(f"Everybody on the list who is Left or Likely left: {who}."),
        confirm="Confirm",
        deny="Cancel",
    )
    return [
        Button("Confirm all as left", action_id=CONFIRM, value=which.pack(), style="primary", confirm=ask)
    ]


def _each(which: Which, gone: Sequence[Entry]) -> Button:
    return Button(
        "Look at them one by one", action_id=EACH, value=which.pack(), style=None if gone else "primary"
    )
