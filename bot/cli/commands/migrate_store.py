"""`stillthere migrate-store`: move what is kept between the folder and the database."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.console import finish, note, print_json, progress, start
from bot.cli.parameters import examples

if TYPE_CHECKING:
    from bot.pipeline import Progress
    from bot.store.moving import Inventory


@click.command(
    epilog=examples(
        "stillthere migrate-store --to database --folder data --database-env DATABASE",
        "stillthere migrate-store --to folder --folder data --database-env DATABASE",
    )
)
@click.option("--to", type=click.Choice(["database", "folder"]), required=True, help="Where everything goes.")
@click.option(
    "--folder",
    default="data",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The data folder.",
)
@click.option(
    "--database-env", required=True, help="The variable with the address of the PostgreSQL database."
)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON: what was moved.")
def command(to: str, folder: Path, database_env: str, as_json: bool) -> None:
    """Move all that is kept between the data folder and a PostgreSQL database.

    Stop the service first. The source stays as it is, and the target should be empty; moving twice gives the
    same. What arrived is counted and compared by a hash before the command says that all is well.
    """
    from bot.model import NeedsHuman

    start()
    address = os.environ.get(database_env, "")
    if not address:
        raise NeedsHuman(f"{database_env} is not set", "put the database's address there")
    if to == "database" and not folder.is_dir():
        raise NeedsHuman(f"{folder} is not there", "name the data folder with --folder")
    with progress("entries") as told:
        moved = finish(_move(folder, address, told, to_database=to == "database"))
    counts = dict(sorted(moved.counts.items()))
    if as_json:
        print_json({"moved": counts, "hash": moved.digest})
        return
    what = ", ".join(f"{number} {shelf}" for shelf, number in counts.items())
    note(f"moved and compared: {what or 'there was nothing'}")
    note(
        f"now write 'database_env: {database_env}' into config.yaml"
        if to == "database"
        else "now remove 'database_env' from config.yaml"
    )


async def _move(folder: Path, address: str, told: Progress, *, to_database: bool) -> Inventory:
    from bot.model import NeedsHuman
    from bot.store.moving import move
    from bot.store.postgres import PostgresStore
    from bot.store.tiny import TinyStore

    async with await TinyStore.open(folder) as kept, await PostgresStore.open(address) as database:
        if await database.database.is_served():
            raise NeedsHuman("a running service uses the database", "stop every process of the service first")
        return await (move(kept, database, told) if to_database else move(database, kept, told))
