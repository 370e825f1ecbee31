"""`stillthere run`: watch as a service."""

from __future__ import annotations

from pathlib import Path

import click

from bot.cli.console import (
    console,
    finish,
    start,
)
from bot.cli.parameters import examples


@click.command(epilog=examples("stillthere run", "stillthere run --config /etc/stillthere/config.yaml"))
@click.option(
    "--config",
    "config_file",
    default="config.yaml",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The settings.",
)
@click.option("--verbose", is_flag=True, help="Log every look at every source.")
def command(config_file: Path, verbose: bool) -> None:
    """Watch as a service, and alert in Slack.

    Every source is looked at when it is due.

    Without Slack tokens alerts are shown in the terminal. SIGTERM or Ctrl-C stops it cleanly.
    """
    from bot.app import serve

    start(verbose=verbose, service=True)
    finish(serve(config_file, console()))
