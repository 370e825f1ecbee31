"""`stillthere doctor`: try everything the service needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.console import console, finish, load_everything, note, print_json, start
from bot.cli.parameters import examples, settings_file

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.config import Plan
    from bot.doctor import Doctor
    from bot.finding import Finding
    from bot.store.condition import Condition

LONGEST_NAME = 32
"""Columns that what a finding is about may take of a line, as `mailbox:rita@vendor.example` does."""
PATIENCE_SECONDS = 3.0
"""Whoever looks for what is wrong does not wait as the service does for a database that restarts."""


@click.command(epilog=examples("stillthere doctor", "stillthere doctor --json --config config.yaml"))
@settings_file
@click.option("--json", "as_json", is_flag=True, help="One line of JSON a finding.")
@click.pass_context
def command(context: click.Context, config_file: Path, as_json: bool) -> None:
    """Try everything the service needs, and say how to put right what is wrong.

    Every mailbox, calendar and CRM, a sample of public pages, Slack with its scopes and channels, the store,
    secrets, clock, time zones and listener. Nothing is changed, kept or sent, and no secret is shown; it may
    run beside the service. Ends with 1 where anything is a problem.
    """
    from bot.finding import Level

    start()
    load_everything()
    found = finish(_examined(config_file))
    if as_json:
        for one in found:
            print_json({"level": one.level, "about": one.about, "what": one.what, "cure": one.cure})
    else:
        _show(found)
    context.exit(int(any(one.level is Level.PROBLEM for one in found)))


async def _examined(config_file: Path) -> Sequence[Finding]:
    from contextlib import AsyncExitStack

    from bot import config
    from bot.app import looking
    from bot.doctor import Doctor, filed_contacts
    from bot.model import NeedsHuman, SourceDown

    plan = config.load(config_file)
    asking = _asking(plan) if plan.config.database_env or plan.config.database_file else None
    async with AsyncExitStack() as open_:
        try:
            kept = await open_.enter_async_context(looking(plan.config, PATIENCE_SECONDS))
            doctor = Doctor(plan, await kept.contacts(), kept.cursor, asking)
        except (SourceDown, NeedsHuman):
            doctor = Doctor(plan, await filed_contacts(plan), database=asking)
        return await _with_progress(doctor)


def _asking(plan: Plan) -> Callable[[], Awaitable[Condition]]:
    async def ask() -> Condition:
        from bot.store.condition import condition
        from bot.store.database import Database

        database = await Database.look(plan.config.database, PATIENCE_SECONDS)
        try:
            return await database.run(condition)
        finally:
            await database.close()

    return ask


async def _with_progress(doctor: Doctor) -> Sequence[Finding]:
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn

    err = Console(stderr=True)
    left = [check.about for check in doctor.checks()]
    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(f"{len(left)} checks …")

        def done(about: str) -> None:
            left.remove(about)
            bar.update(task, description=f"{len(left)} checks left: {', '.join(left[:2])}"[:70])

        return await doctor.examine(done)


def _show(found: Sequence[Finding]) -> None:
    from rich.table import Table
    from rich.text import Text

    from bot.doctor import verdict
    from bot.finding import Level

    marks = {
        Level.OK: ("ok", "green"),
        Level.WARNING: ("look", "yellow"),
        Level.PROBLEM: ("WRONG", "bold red"),
    }
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(max_width=LONGEST_NAME, overflow="fold")
    table.add_column(overflow="fold", ratio=1)
    last = ""
    for one in found:
        word, style = marks[one.level]
        table.add_row(Text(word, style), Text(one.about if one.about != last else ""), Text(one.what))
        if one.cure:
            table.add_row("", "", Text(f"→ {one.cure}", "italic"))
        last = one.about
    console().print(table)
    counts = verdict(found)
    said = f"{counts[Level.OK]} ok, {counts[Level.WARNING]} to look at, {counts[Level.PROBLEM]} wrong"
    note(said)
