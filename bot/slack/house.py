"""What the commands, the forms and the buttons of lists work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from slack_sdk.web.async_client import AsyncWebClient

from bot.coverage import Coverage
from bot.routing import Rules
from bot.slack.board import Board
from bot.slack.erasure import Eraser
from bot.slack.gate import Gate
from bot.slack.people import Directory
from bot.store import Store


@dataclass(frozen=True)
class House:
    """What there is to work with.

    `sources` names everything that is to be read, `coverage` says what cannot be read now. `changed` is told
    of the user who changed something, to show it elsewhere too.
    """

    store: Store
    client: AsyncWebClient
    people: Directory
    board: Board
    gate: Gate
    eraser: Eraser
    rules: Rules
    our_domains: frozenset[str]
    sources: Callable[[], Awaitable[Sequence[str]]]
    coverage: Callable[[], Coverage]
    now: Callable[[], datetime]
    changed: Callable[[str], Awaitable[None]]
