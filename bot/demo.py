"""Play the founding story through the service's own pipeline; only the clock is the story's.

The story's mails are written as `.eml` files, read by the real parsers, kept in the real store and judged by
the real decisions; the alerts are drawn from the very Block Kit that Slack would get.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from bot import story
from bot.clock import FrozenClock
from bot.model import Assessment
from bot.pipeline import Pipeline, Rules
from bot.slack.outbox import drain
from bot.store.tiny import TinyStore
from bot.terminal import TerminalPoster
from watchers import derivers, kinds
from watchers.mail.files import FileMailbox
from watchers.mailbox import Mailbox


@dataclass(frozen=True)
class Told:
    """What one step of the story led to: the judgement, and how many alerts went out."""

    step: story.Step
    assessment: Assessment
    alerts: int


OPENING = (
    "Rita sells to Acme. Jane Doe argues for her there. These are the mails in Rita's mailbox, and what "
    "Stillthere would say in Slack (the buttons work there)."
)
CLOSING = """See it on a page, with buttons that work, and drop your own mail there:
  {name} demo --web
Try it on your own mail here:
  {name} check --contacts c.csv --mail ~/Maildir --our-domain us.example"""


async def play(console: Console, folder: Path | None = None, name: str = "stillthere") -> list[Told]:
    """Play the story on a console, in `folder` (which is kept) or in one that is removed afterwards.

    `name` is what to type to call us.
    """
    console.print(Text(OPENING))
    told = await _in_folder(console, folder)
    console.print()
    console.print(Text(CLOSING.format(name=name)), soft_wrap=True)
    return told


async def _in_folder(console: Console, folder: Path | None) -> list[Told]:
    if folder is not None:
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        return await _play(console, folder)
    with tempfile.TemporaryDirectory(prefix="stillthere-demo-") as temporary:
        return await _play(console, Path(temporary))


async def _play(console: Console, folder: Path) -> list[Told]:
    mails = folder / "mails"
    await asyncio.to_thread(mails.mkdir, exist_ok=True)
    box = FileMailbox(kind="files", path=mails, name="rita@vendor.example")
    watcher = Mailbox(Mailbox.Config(mailboxes=(box,)))
    told: list[Told] = []
    async with await TinyStore.open(folder / "data") as store:
        await store.watch(story.CHAMPION)
        pipeline = Pipeline(store, Rules(kinds(), derivers()), [story.OUR_DOMAIN], baseline=False)
        for number, step in enumerate(story.story(), start=1):
            _announce(console, number, step)
            _write(mails, number, step)
            await pipeline.sweep(watcher, "mailbox:rita@vendor.example", step.at)
            (assessment,) = await pipeline.judge(step.at)
            alerts = await drain(store, TerminalPoster(console), FrozenClock(step.at))
            told.append(Told(step, assessment, alerts))
            _conclude(console, told[-1])
    return told


def _write(folder: Path, number: int, step: story.Step) -> None:
    for count, mail in enumerate(step.mails, start=1):
        (folder / f"{number}-{count:02}.eml").write_bytes(mail)


def _announce(console: Console, number: int, step: story.Step) -> None:
    console.print()
    console.print(Rule(Text(f"{number}. {step.at:%a %-d %b %Y}: {step.title}", "bold"), align="left"))


def _conclude(console: Console, told: Told) -> None:
    assessment = told.assessment
    if not told.alerts:
        console.print(Text(f"  {str(assessment.verdict).capitalize()}: {assessment.headline}"), style="green")
    if told.step.moral:
        console.print(Padding(Text(told.step.moral, "dim italic"), (0, 0, 0, 2)))
