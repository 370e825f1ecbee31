"""`stillthere doctor`: try everything the service needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.console import console, finish, load_everything, note, print_json, start
from bot.cli.parameters import examples

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from bot.config import Plan
    from bot.doctor import Doctor
    from bot.finding import Finding

PATIENCE_SECONDS = 3.0
"""Whoever looks for what is wrong does not wait as the service does for a database that restarts."""


@click.command(epilog=examples("stillthere doctor", "stillthere doctor --json --config config.yaml"))
@click.option(
    "--config",
    "config_file",
    default="config.yaml",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The settings of the service.",
)
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
    from bot import config
    from bot.doctor import Doctor, known_contacts
    from bot.model import NeedsHuman, SourceDown
    from bot.store.glance import Glance

    plan = config.load(config_file)
    settings = plan.config
    if not (settings.database_env or settings.database_file):
        contacts = await known_contacts(plan)
        try:
            kept = Glance(settings.data).cursor
        except NeedsHuman:
            kept = None
        return await _with_progress(Doctor(plan, contacts, kept))
    from bot.app import open_store

    try:
        store = await open_store(settings, patience=PATIENCE_SECONDS)
    except (SourceDown, NeedsHuman) as failure:
        return await _with_progress(Doctor(plan, database=_failing(failure)))
    async with store:
        contacts = await store.contacts()
        return await _with_progress(Doctor(plan, contacts, store.cursor, _asking(plan)))


def _failing(failure: Exception) -> Callable[[], Awaitable[tuple[str, datetime]]]:
    async def fail() -> tuple[str, datetime]:
        raise failure

    return fail


def _asking(plan: Plan) -> Callable[[], Awaitable[tuple[str, datetime]]]:
    async def ask() -> tuple[str, datetime]:
        from bot.store.database import Database, rows

        database = await Database.open(plan.config.database, 1, PATIENCE_SECONDS)
        try:
            query = "SELECT current_setting('server_version'), pg_database_size(current_database()), now()"
            ((version, size, at),) = await database.run(lambda connection: rows(connection, query))
        finally:
            await database.close()
        return f"PostgreSQL {version.split()[0]}, {size / 2**20:.0f} MB", at

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
    table.add_column(max_width=24, overflow="fold")
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
