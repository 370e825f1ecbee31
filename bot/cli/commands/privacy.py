"""`stillthere privacy`: what is kept, for whoever asks, and how somebody is erased."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.console import console, finish, load_everything, note, print_json, start
from bot.cli.groups import Group
from bot.cli.parameters import as_one_line, examples, settings_file

if TYPE_CHECKING:
    from bot.model import Json
    from bot.retention import Overview


@click.group(
    cls=Group,
    invoke_without_command=True,
    epilog=examples(
        "stillthere privacy",
        "stillthere privacy export jane@acme.example > answer.txt",
        "stillthere privacy forget jane@acme.example",
        "stillthere privacy tombstones export forgotten.json",
    ),
)
@settings_file
@as_one_line
@click.pass_context
def command(context: click.Context, config_file: Path, as_json: bool) -> None:
    """Show what is kept of people, and for how long; answer and erase whoever asks.

    Without a command: how many people and facts are kept, the oldest, who was not informed yet, and whose
    time is over within 30 days. It reads only, also while the service runs.
    """
    if context.invoked_subcommand is None:
        start()
        load_everything()
        found = finish(_overview(config_file))
        if as_json:
            print_json(_as_json(found))
        else:
            _show(found)


@command.command(epilog=examples("stillthere privacy export jane@acme.example --json"))
@click.argument("address")
@settings_file
@as_one_line
def export(address: str, config_file: Path, as_json: bool) -> None:
    """Print all that is kept of a person, to answer their request.

    Every fact with its source and date, verdicts and their probability, decisions, answers of reps, who was
    told in Slack, and until when it is kept. It reads only, also while the service runs.
    """
    start()
    load_everything()
    found = finish(_access(address, config_file))
    if as_json:
        print_json(found)
    else:
        from bot.cli.answer import show

        show(found, console())
    if not found["kept"]:
        note(f"nothing is kept of {address}" + ("; they were forgotten" if found["forgotten"] else ""))


@command.command(epilog=examples("stillthere privacy forget jane@acme.example --yes"))
@click.argument("address")
@settings_file
@click.option("--yes", is_flag=True, help="Do not ask first.")
def forget(address: str, config_file: Path, yes: bool) -> None:
    """Erase a person from all that is kept, and redact the messages about them in Slack.

    As `/champion forget` does. Only a keyed hash stays, so that they are not added again. With a data folder
    it wants the service stopped; with PostgreSQL it may run.
    """
    start()
    if not yes:
        click.confirm(f"Erase {address} for good?", abort=True, err=True)
    note(finish(_forget(address, config_file)))


@command.group(cls=Group)
def tombstones() -> None:
    """Keep the forgotten out of what is restored from an older backup.

    Write them next to each backup, and take them in after each restore.
    """


@tombstones.command("export", epilog=examples("stillthere privacy tombstones export forgotten.json"))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@settings_file
def export_tombstones(file: Path, config_file: Path) -> None:
    """Write who is to stay forgotten into a file that only you may read; also while the service runs."""
    start()
    note(f"{finish(_export_tombstones(file, config_file))} marks of the forgotten written to {file}")


@tombstones.command("import", epilog=examples("stillthere privacy tombstones import forgotten.json"))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@settings_file
def import_tombstones(file: Path, config_file: Path) -> None:
    """Forget anew whoever a file names, after a restore; before the service starts."""
    start()
    note(f"{finish(_import_tombstones(file, config_file))} records were erased or cleaned")


async def _overview(config_file: Path) -> Overview:
    from bot import config, retention
    from bot.app import looking
    from bot.service import rules
    from bot.store import codec

    settings = config.load(config_file).config
    async with looking(settings) as store:
        people = [
            codec.from_document(entry.document) async for entry in store.entries() if entry.shelf == "person"
        ]
    return retention.overview(people, settings.retention, rules().kinds, datetime.now(UTC))


async def _access(address: str, config_file: Path) -> dict[str, Json]:
    from bot import config
    from bot.access import access
    from bot.app import looking
    from bot.service import rules

    settings = config.load(config_file).config
    async with looking(settings) as store:
        return await access(store, address, settings.retention, rules().kinds, datetime.now(UTC))


async def _forget(address: str, config_file: Path) -> str:
    """Erase a person, by way of Slack where the service tells there; return what came of it."""
    from bot import config
    from bot.app import open_store, slack_app
    from bot.model import NeedsHuman

    load_everything()
    settings = config.load(config_file).config
    if settings.slack is not None and not settings.slack.bot_token:
        raise NeedsHuman(
            f"{settings.slack.bot_token_env} is not set, and the messages about them could not be redacted",
            "set it as the service has it, or use /champion forget in Slack",
        )
    async with await open_store(settings) as store:
        if settings.slack is None:
            kept = await store.forget(address)
            return f"{address} is forgotten" if kept else f"nothing was kept of {address}; they stay out"
        erased = await slack_app(settings, settings.slack, store).forget(address.strip().lower())
    said = f"{address} is forgotten" if erased.kept else f"nothing was kept of {address}; they stay out"
    told = f"messages redacted: {erased.redacted}"
    waiting = f", and {erased.waiting} wait until Slack can be reached" if erased.waiting else ""
    return f"{said}; {told}{waiting}"


async def _export_tombstones(file: Path, config_file: Path) -> int:
    import json

    from bot import config
    from bot.app import looking
    from bot.store.files import write_durably
    from bot.store.tombstones import exported

    load_everything()
    async with looking(config.load(config_file).config) as store:
        kept = await exported(store)
    write_durably(file, json.dumps(kept).encode())
    marks = kept["marks"]
    return len(marks) if isinstance(marks, list) else 0


async def _import_tombstones(file: Path, config_file: Path) -> int:
    import asyncio
    import json

    from bot import config
    from bot.app import open_store
    from bot.model import NeedsHuman
    from bot.store import tombstones as kept

    load_everything()
    try:
        forgotten = kept.read(json.loads(await asyncio.to_thread(file.read_bytes)))
    except ValueError:
        raise NeedsHuman(f"{file} is not JSON", kept.TAKE_THE_FILE) from None
    settings = config.load(config_file).config
    async with await open_store(settings) as store:
        return await kept.replay(store, forgotten)


def _as_json(found: Overview) -> Json:
    return {
        "watched": found.watched,
        "colleagues": found.colleagues,
        "account_notices": found.notices,
        "observations": found.observations,
        "cases": found.cases,
        "messages": found.messages,
        "oldest": found.oldest.isoformat() if found.oldest else None,
        "not_informed": found.uninformed,
        "over": found.over,
        "next": [
            {
                "address": one.address,
                "watched": one.watched,
                "counted_from": one.since.isoformat() if one.since else None,
                "because": one.reason,
                "kept_until": one.until.isoformat() if one.until else None,
                "informed_on": one.informed_on.isoformat() if one.informed_on else None,
            }
            for one in found.next
        ],
    }


def _show(found: Overview) -> None:
    from rich.markup import escape
    from rich.table import Table

    out = console()
    counts = Table.grid(padding=(0, 2))
    for label, number in (
        ("people watched", found.watched),
        ("of them not yet informed (informed_on)", found.uninformed),
        ("colleagues nobody watches", found.colleagues),
        ("facts", found.observations),
        ("cases", found.cases),
        ("messages in Slack", found.messages),
        ("time is over (erased at night)", found.over),
    ):
        counts.add_row(str(number), label)
    out.print(counts)
    if found.oldest:
        out.print(f"The oldest fact is of {found.oldest:%-d %B %Y}.")
    if not found.next:
        out.print("Nobody's time is over within 30 days.")
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("Kept until", "Who", "Counted from"):
        table.add_column(heading)
    for one in found.next:
        since = f"{one.reason}, {one.since:%-d %b %Y}" if one.since else one.reason
        table.add_row(f"{one.until:%-d %b %Y}", escape(one.address), since)
    out.print()
    out.print(table)
