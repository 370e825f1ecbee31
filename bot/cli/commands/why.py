"""`stillthere why`: say why a contact is judged as they are."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.console import console, finish, load_everything, print_json, start
from bot.cli.parameters import Moment, examples, settings_file

if TYPE_CHECKING:
    from bot.why import Explained


@click.command(
    epilog=examples(
        "stillthere why jane@acme.example",
        "stillthere why jane@acme.example --data kept/ --now 2026-03-31",
        "stillthere why jane@acme.example --json",
    )
)
@click.argument("contact")
@settings_file
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of a service, of `check --data` or of `demo --keep`, without its settings.",
)
@click.option(
    "--now",
    type=Moment(),
    help="Judge anew as of then, as if every source could be read: past outages are not kept. "
    "A day is judged at its end (UTC). Default: what was last concluded.",
)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON, with every decision and meeting.")
def command(contact: str, config_file: Path, data: Path | None, now: datetime | None, as_json: bool) -> None:
    """Say why a contact is judged as they are.

    Shows the verdict with its evidence and weights, every decision with its reason (why it told you, why it
    did not), and the contact's meetings on a line of time.

    Reads only, also while the service runs.
    """
    start()
    load_everything()
    found = finish(_explained(contact.strip().lower(), config_file, data, now))
    from bot import why

    if as_json:
        print_json(why.as_json(found))
    else:
        why.show(found, console())


def _kept(folder: Path) -> Path:
    """Return where the data lies: `demo --keep` puts it beside the mails of its story."""
    beside = folder / "data"
    return beside if (folder / "mails").is_dir() and beside.is_dir() else folder


async def _explained(address: str, config_file: Path, data: Path | None, now: datetime | None) -> Explained:
    """Explain a contact from the folder, or from where the settings say that everything is kept."""
    from bot import config, why
    from bot.app import looking
    from bot.store.glance import Glance

    moment, anew = now or datetime.now(UTC), now is not None
    if data is not None:
        return await why.explain(Glance(_kept(data)), address, (), moment, anew=anew)
    settings = config.load(config_file).config
    ours = settings.team.domains
    async with looking(settings) as store:
        return await why.explain(store, address, ours, moment, anew=anew)
