"""Show a Slack card in a terminal, drawn from the very Block Kit that Slack gets.

Works on 80 columns and less. Colours only repeat what the words say; rich leaves them out where NO_COLOR is
set or the output is no terminal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bot import baseline
from bot.model import Case, Delivery, Home, Person
from bot.pipeline import FIRST_PASSES
from bot.slack import cards, first_list
from bot.slack.baselines import entry
from bot.slack.cards import Scene
from bot.slack.first_list import Which
from bot.slack.mrkdwn import ENTITIES
from bot.slack.parts import Card
from bot.store import Store

WIDTH = 96
"""Wider lines are harder to read than wrapped ones."""

THREAD_INDENT = 4

TERMINAL = "terminal"
"""The channel of cases that are shown here."""

NO_BUTTONS = "To answer, connect Slack (stillthere init). A later mail by the person settles it too."
"""What stands in the place of the buttons where nobody can press them."""

LISTED = "listed in the terminal"
"""The setting that holds which sources' lists of who already looked gone were shown here."""

_MARKS = {
    ":red_circle:": ("●", "bold red"),
    ":large_orange_circle:": ("●", "bold orange3"),
    ":large_yellow_circle:": ("●", "bold yellow"),
    ":white_circle:": ("○", "bold"),
    ":white_check_mark:": ("✔", "bold green"),
}
_BUTTON_STYLES = {"primary": "bold green", "danger": "bold red"}
_GAP = "  "
_LEADS = {**_MARKS, "•": ("•", "dim")}
_TOKEN = re.compile(
    r"<(?P<link>[^<>|]*)(?:\|(?P<label>[^<>|]*))?>"
    r"|(?<!\w)\*(?P<bold>[^*\n]+)\*|(?<!\w)_(?P<italic>[^_\n]+)_(?!\w)",
)


def show(card: Card, console: Console, *, thread: bool = False, instead: str = "") -> None:
    """Print the card as the rep sees it in Slack.

    `thread` draws it as a reply under the message; `instead` stands in the place of buttons.
    """
    body = Group(*(part for block in card.blocks for part in _draw(block, instead)))
    indent = THREAD_INDENT if thread else 0
    frame = Panel(
        body,
        box=box.ROUNDED,
        border_style="dim" if thread else _colour(card),
        title="in the thread" if thread else "Stillthere",
        title_align="left",
        padding=(0, 1),
        width=min(console.width, WIDTH) - indent,
    )
    console.print(Padding(frame, (0, 0, 0, indent)))


class TerminalPoster:
    """Shows alerts in a terminal, as Slack would show them; for the demo and for a service without Slack.

    `instead` stands in the place of buttons; the demo shows these.
    """

    removed = False

    def __init__(self, console: Console, instead: str = "") -> None:
        self._console = console
        self._instead = instead

    async def lane(self, _: Case) -> str:
        """Return the one place there is."""
        return TERMINAL

    async def ready(self, _: str) -> None:
        """Be ready at any time."""

    async def settle(self) -> None:
        """Remember nothing."""

    async def deliver(self, case: Case, delivery: Delivery, now: datetime) -> Home:
        """Print the case's message, and under it what a thread would say is new."""
        earlier = [sent.alert for sent in case.deliveries if sent.sent_at is not None]
        told = case.alert if delivery.alert.is_all_clear else delivery.alert
        show(cards.case(told, case, Scene(now)), self._console, instead=self._instead)
        if earlier and not delivery.alert.is_all_clear:
            show(cards.raised_again(delivery.alert, earlier[-1], Scene(now)), self._console, thread=True)
        return case.home or Home(TERMINAL, case.key)


class TerminalTeller:
    """Shows in a terminal what is no alert: who already looked gone when a source was first read.

    Digests are each rep's own and need Slack; what admins are told is logged before it comes here.
    """

    def __init__(self, console: Console, store: Store) -> None:
        self._console = console
        self._store = store

    async def tell_baselines(self, now: datetime) -> int:
        """Print each source's list once, when it was read through and everybody is judged."""
        del now
        ended, kept = await self._store.cursor(FIRST_PASSES), await self._store.setting(LISTED)
        shown = [str(source) for source in kept] if isinstance(kept, list) else []
        due = sorted(set(ended if isinstance(ended, dict) else ()).difference(shown))
        if not due or await self._store.news():
            return 0
        lists = [(source, found) for source in due if (found := await self._already_gone(source))]
        for source, found in lists:
            card = first_list.card(Which("", source), [entry(one, source) for one in found])
            show(card, self._console, instead=NO_BUTTONS)
        await self._store.save_setting(LISTED, [*shown, *due])
        return len(lists)

    async def _already_gone(self, source: str) -> list[Person]:
        watched = [one.contact.address for one in await self._store.watchlist()]
        people = [await self._store.person(address) for address in watched]
        return [one for one in people if one is not None and baseline.belongs(one, source)]

    async def send_digests(self, now: datetime) -> int:
        """Send none."""
        del now
        return 0

    async def announce(self, text: str) -> None:
        """Say nothing that the log does not say."""

    async def expire(self, person: Person) -> bool:
        """Erase somebody whose time is over; what was printed is out of reach."""
        return await self._store.expire(person.address, person.version)

    async def redact(self) -> None:
        """Leave what was printed as it is."""


def _draw(block: Mapping[str, Any], instead: str) -> list[RenderableType]:
    match block["type"]:
        case "section":
            return [_line(line) for line in block["text"]["text"].split("\n")]
        case "context":
            return [_line(element["text"], "dim") for element in block["elements"]]
        case "actions" if instead:
            return [_line(instead, "dim")]
        case "actions":
            return ["", Padding(_Buttons(block["elements"]), (0, 0, 0, 2))]
        case "header":
            return [Text(block["text"]["text"], "bold")]
        case unknown:
            raise ValueError(f"no way to draw a {unknown} block")


def _line(mrkdwn: str, style: str = "") -> RenderableType:
    """Draw one line so that what wraps stays under its text, beside the mark."""
    lead, _, rest = mrkdwn.partition(" ")
    if lead not in _LEADS:
        return Padding(_styled(mrkdwn, style), (0, 0, 0, 2))
    grid = Table.grid(padding=(0, 1, 0, 0))
    if lead == "•":
        grid.add_column(width=1)
    grid.add_column(width=1)
    grid.add_column(ratio=1)
    mark = Text(*_LEADS[lead])
    grid.add_row(*([""] if lead == "•" else []), mark, _styled(rest, style))
    return grid


def _styled(mrkdwn: str, style: str = "") -> Text:
    """Return mrkdwn as text with styles: bold, italic, links with their address, mentions with an @."""
    drawn = Text(style=style)
    end = 0
    for token in _TOKEN.finditer(mrkdwn):
        drawn.append(_plain(mrkdwn[end : token.start()]))
        end = token.end()
        if (link := token["link"]) is not None:
            drawn.append_text(_link(link, token["label"]))
        elif token["bold"]:
            drawn.append(_plain(token["bold"]), "bold")
        else:
            drawn.append(_plain(token["italic"]), "dim italic")
    drawn.append(_plain(mrkdwn[end:]))
    return drawn


def _link(link: str, label: str | None) -> Text:
    if link.startswith("@"):
        return Text(link, "bold cyan")
    target = link.removeprefix("mailto:")
    shown = _plain(label or target)
    drawn = Text(shown, "bold")
    if target != shown:
        drawn.append(f" <{target}>", "not bold dim")
    return drawn


@dataclass(frozen=True)
class _Buttons:
    """Buttons side by side, as many in a line as fit: a line of text would break within one."""

    buttons: Sequence[Mapping[str, Any]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        del console
        line = Text()
        for button in self.buttons:
            style = _BUTTON_STYLES.get(button.get("style", ""), "bold")
            drawn = Text(f"[ {button['text']['text']} ]", style)
            if line and line.cell_len + len(_GAP) + drawn.cell_len > options.max_width:
                yield line
                line = Text()
            line = Text(_GAP).join([line, drawn]) if line else drawn
        yield line


def _plain(mrkdwn: str) -> str:
    for character, entity in reversed(ENTITIES.items()):
        mrkdwn = mrkdwn.replace(entity, character)
    return mrkdwn


def _colour(card: Card) -> str:
    opening = str(card.blocks[0].get("text", {}).get("text", "")).partition(" ")[0]
    return _MARKS.get(opening, ("", "dim"))[1].removeprefix("bold ")
