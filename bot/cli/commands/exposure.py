"""`stillthere exposure`: say on how many people each deal rests."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.console import console, finish, planned, print_json, start
from bot.cli.parameters import Moment, examples, settings_file

if TYPE_CHECKING:
    from rich.console import Console

    from bot.exposure import Exposure
    from bot.model import Contact, Person
    from bot.store import Store
    from bot.store.glance import Glance

NAMED = 4
"""So many people in contact are named in a row; the others are counted."""

CURE = "Add columns 'deal', 'amount' and 'close_date' to the contacts file, or connect the CRM."


@click.command(
    epilog=examples(
        "stillthere exposure",
        "stillthere exposure --owner rita@vendor.example",
        "stillthere exposure --data kept/ --json",
    )
)
@settings_file
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of a service or of `check --data`, without its settings.",
)
@click.option("--owner", default="", help="Only the deals of this owner, as the contacts name them.")
@click.option("--now", type=Moment(), help="As of then; a day is taken at its end (UTC). Default: now.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON, an entry for each account.")
def command(config_file: Path, data: Path | None, owner: str, now: datetime | None, as_json: bool) -> None:
    """Say on how many people each open deal rests.

    Counts who at an account was in real contact both ways within 60 days, and who remains if the champion
    leaves: the thinnest account first, of those the largest deal.

    Reads only, also while the service runs.
    """
    start()
    moment = now or datetime.now(UTC)
    rows = finish(_rows(config_file, data, owner.strip().casefold(), moment))
    if as_json:
        print_json([_as_json(row) for row in rows])
    else:
        show(rows, moment, console(), owner.strip())


async def _rows(config_file: Path, data: Path | None, owner: str, now: datetime) -> list[Exposure]:
    """Return the exposure of each account, from the folder or from where the settings say it is kept."""
    from bot.app import looking
    from bot.store.glance import Glance

    if data is not None:
        return await _exposures(Glance(data), owner, now)
    async with looking(planned(config_file).config) as store:
        return await _exposures(store, owner, now)


async def _exposures(kept: Store | Glance, owner: str, now: datetime) -> list[Exposure]:
    from bot.exposure import exposure, has_open_deal
    from bot.pipeline import domains_by_account

    contacts = await kept.contacts()
    mine = [one for one in contacts if has_open_deal(one) and (not owner or one.owner.casefold() == owner)]
    domains = domains_by_account(contacts)
    around: dict[str, list[Person]] = {}
    for account in sorted({one.account_name for one in mine}):
        around[account] = await kept.people(domains[account])
        strays = [one for one in contacts if _is_stray(one, account, domains[account])]
        found = [await kept.person(one.address) for one in strays]
        around[account] += [person for person in found if person is not None]
    return exposure(mine, around, now)


def _is_stray(contact: Contact, account: str, domains: frozenset[str]) -> bool:
    """Say whether somebody belongs to an account by the contacts alone: anybody may use their domain."""
    return contact.account_name == account and contact.domain not in domains


def show(rows: list[Exposure], now: datetime, screen: Console, owner: str = "") -> None:
    """Draw the table; `owner` is whose deals alone were asked for."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from bot.exposure import WITHIN, remaining
    from bot.slack.mrkdwn import clean

    if not rows:
        whose = f" of {clean(owner)}" if owner else ""
        cure = "The owner is written as in the contacts." if owner else CURE
        screen.print(Text(f"No contact{whose} has an open deal, so nothing rests on anybody. {cure}"))
        return
    title = f"On how many people deals rest: real contact both ways in {WITHIN.days} days"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("Account", overflow="fold")
    table.add_column("Deal", overflow="fold")
    table.add_column("Amount", justify="right", no_wrap=True)
    table.add_column("People", justify="right")
    table.add_column("In contact", overflow="fold")
    table.add_column("Without the champion", overflow="fold")
    for row in rows:
        for number, champion in enumerate(row.champions):
            name = clean(champion.label)
            table.add_row(
                Text("" if number else clean(row.account)),
                Text(clean(champion.deal.name) or "a deal" if champion.deal is not None else ""),
                Text(_amount(champion)),
                Text("" if number else str(len(row.in_touch))),
                Text("" if number else _people(row, now)),
                Text(remaining(row, champion, name), style="" if row.without(champion) else "bold"),
            )
    screen.print(table)
    thin = sum(len(row.in_touch) <= 1 for row in rows)
    accounts = "account" if len(rows) == 1 else "accounts"
    screen.print(Text(f"{len(rows)} {accounts} with open deals, {thin} of them on one person or nobody."))


def _people(row: Exposure, now: datetime) -> str:
    from bot.circle import ago
    from bot.slack.mrkdwn import clean

    named = [f"{clean(one.name)} ({ago(one.last, now)})" for one in row.in_touch[:NAMED]]
    more = len(row.in_touch) - len(named)
    return ", ".join([*named, f"and {more} more"] if more else named) or "nobody"


def _amount(contact: Contact) -> str:
    from bot.slack.mrkdwn import clean

    deal = contact.deal
    if deal is None or deal.amount is None:
        return ""
    return clean(f"{deal.amount:,.0f} {deal.currency}").rstrip()


def _as_json(row: Exposure) -> dict[str, Any]:
    return {
        "account": row.account,
        "people": len(row.in_touch),
        "in_contact": [
            {"name": one.name, "address": one.address, "last": one.last.isoformat()} for one in row.in_touch
        ],
        "deals": [
            {
                "champion": champion.address,
                "owner": champion.owner,
                "deal": champion.deal.name if champion.deal is not None else "",
                "amount": champion.deal.amount if champion.deal is not None else None,
                "currency": champion.deal.currency if champion.deal is not None else "",
                "remain": row.without(champion),
            }
            for champion in row.champions
        ],
    }
