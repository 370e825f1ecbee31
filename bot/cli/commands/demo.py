"""`stillthere demo`: play the founding story."""

from __future__ import annotations

from pathlib import Path

import click

from bot.cli.console import (
    console,
    finish,
    load_everything,
    start,
)
from bot.cli.parameters import examples


@click.command(epilog=examples("stillthere demo", "stillthere demo --keep story/"))
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Leave the story's mails and store in this folder, to look at afterwards.",
)
def command(keep: Path | None) -> None:
    """Play the story of a champion who slips away.

    It runs through the real pipeline in a few seconds.

    Needs no network, no token and no configuration.
    """
    from bot.demo import play

    start()
    load_everything()
    finish(play(console(), keep))
