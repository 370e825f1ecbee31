"""`stillthere crm`: try what may be read of the CRM, and take contacts over from it or from a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.console import console, finish, note, planned, print_json, progress, start
from bot.cli.groups import Group
from bot.cli.parameters import as_lines, examples, settings_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.config import Crm, Plan
    from bot.crm.checking import Tried
    from bot.crm.people import Imported
    from bot.model import Contact, Json

WIDEST, UNBOUNDED = 34, 1000
"""Columns that an address may take on a terminal, and all that a line may have elsewhere."""

MOST_NAMED = 20
"""So many records that were left out are named, unless --verbose."""


@click.group(
    cls=Group,
    epilog=examples(
        "stillthere crm check --config config.yaml",
        "stillthere crm import --dry-run",
        "stillthere crm import --dry-run --contacts export.csv --json",
    ),
)
def command() -> None:
    """Look after the CRM that contacts, owners and open deals come from (docs/crm.md).

    `check` tries everything that is read of it. `import` takes contacts over once, as the service does by
    itself; with --dry-run it only says what it would take.
    """


@command.command()
@settings_file
@as_lines
def check(config_file: Path, as_json: bool) -> None:
    """Try all that is read of the CRM, say how much there is, and fail where anything may not be read."""
    from bot.crm.checking import check as try_everything

    start()
    tried = finish(try_everything(_crm(planned(config_file))))
    if as_json:
        for one in tried:
            line: dict[str, Json] = {"ok": one.ok, "what": one.what, "count": one.count}
            print_json({**line, "problem": one.problem, "cure": one.cure})
    else:
        _say(tried)
    if not all(one.ok for one in tried):
        raise SystemExit(1)


@command.command("import")
@settings_file
@click.option(
    "--contacts",
    "contacts_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take this CSV file instead of the CRM.",
)
@click.option("--dry-run", is_flag=True, help="Change nothing, only say what would be taken over.")
@click.option("--verbose", is_flag=True, help="Name everything that was left out.")
@as_lines
def take_over(
    config_file: Path, contacts_file: Path | None, dry_run: bool, verbose: bool, as_json: bool
) -> None:
    """Take contacts over from the CRM, or from a file; with a data folder the service must be stopped."""
    start(verbose=verbose)
    from bot.slack.words import counted

    plan = planned(config_file)
    found = _from_file(contacts_file) if contacts_file else finish(_from_crm(_crm(plan)))
    for reason in found.left_out if verbose else found.left_out[:MOST_NAMED]:
        note(f"left out: {reason}")
    if not verbose and len(found.left_out) > MOST_NAMED:
        note(f"and {len(found.left_out) - MOST_NAMED} more; --verbose names them")
    if as_json:
        for contact in found.contacts:
            print_json(_line(contact))
    elif dry_run:
        _table(found.contacts)
    read = ", ".join(f"{number} {what}" for what, number in found.counts.items())
    people = counted(len(found.contacts), "contact")
    note(f"{people}; {len(found.left_out)} left out{f'; read: {read}' if read else ''}")
    if not dry_run:
        note(f"{finish(_take(plan, found, is_file=contacts_file is not None))} of them are new or changed")


def _say(tried: Sequence[Tried]) -> None:
    """Say what came of each, and what went wrong once, with all that it concerns."""
    wrong: dict[tuple[str, str], list[str]] = {}
    for one in tried:
        if one.ok:
            click.echo(f"ok   {one.what}: {one.count}")
        else:
            wrong.setdefault((one.problem, one.cure), []).append(one.what)
    for (problem, cure), concerned in wrong.items():
        click.echo(f"BAD  {', '.join(concerned)}: {problem} - {cure}")


def _crm(plan: Plan) -> Crm:
    from bot.model import NeedsHuman

    if plan.config.crm is None:
        raise NeedsHuman("the settings have no section crm", "see docs/crm.md")
    return plan.config.crm


async def _from_crm(named: Crm) -> Imported:
    from bot.crm.reading import read_contacts

    return await read_contacts(named)


def _from_file(path: Path) -> Imported:
    from bot.crm.csv import read_contacts
    from bot.crm.people import Imported

    with progress("rows") as told:
        found = read_contacts(path, told)
    return Imported(found.contacts, tuple(f"line {row.line}: {row.reason}" for row in found.bad))


async def _take(plan: Plan, found: Imported, *, is_file: bool) -> int:
    from bot.app import open_store
    from bot.crm.reading import OWNERS
    from bot.crm.taking import take
    from bot.service import FILED_OWNERS

    async with await open_store(plan.config) as store:
        if is_file:
            return await take(store, found.contacts, FILED_OWNERS)
        return await take(store, found.contacts, OWNERS, follow=True)


def _line(contact: Contact) -> dict[str, Json]:
    deal = contact.deal
    return {
        "contact": contact.address,
        "name": contact.name,
        "title": contact.title,
        "account": contact.account_name,
        "owner": contact.owner,
        "deal": deal.name if deal else "",
        "amount": deal.amount if deal else None,
        "currency": deal.currency if deal else "",
        "stage": deal.stage if deal else "",
        "close_date": deal.close_date.isoformat() if deal and deal.close_date else None,
    }


def _table(contacts: Sequence[Contact]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    screen = console()
    if not screen.is_terminal:
        screen.width = UNBOUNDED  # a file or a program takes lines of any length
    longest = max((len(one.address) for one in contacts), default=0)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=screen.is_terminal)
    table.add_column("Contact", overflow="fold", width=min(longest, WIDEST) if screen.is_terminal else None)
    for column in ("Account", "Owner", "Deal"):
        table.add_column(column, overflow="ellipsis", no_wrap=True, ratio=1)
    for one in contacts:
        who = Text(one.address).append(f"\n{one.name}" if one.name else "", "dim")
        table.add_row(who, *map(Text, (one.account_name, one.owner, one.deal.name if one.deal else "")))
    screen.print(table)
