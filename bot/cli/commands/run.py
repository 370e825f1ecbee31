"""`stillthere run`: watch as a service."""

from __future__ import annotations

from pathlib import Path

import click

from bot.cli.console import console, finish, start
from bot.cli.parameters import examples, settings_file


@click.command(
    epilog=examples(
        "stillthere run",
        "stillthere run --config /etc/stillthere/config.yaml",
        "stillthere run --role worker",
    )
)
@settings_file
@click.option(
    "--role",
    type=click.Choice(["all", "scheduler", "worker", "slack"]),
    default="all",
    show_default=True,
    help="What this process does. Parts need a PostgreSQL database, which they share.",
)
@click.option("--verbose", is_flag=True, help="Log every look at every source, and whole addresses.")
def command(config_file: Path, role: str, verbose: bool) -> None:
    """Watch as a service, and alert in Slack.

    Every source is looked at when it is due.

    On PostgreSQL the work may be shared: one or more processes of each role.

    Without Slack tokens alerts, and once the list of who already looks gone, are shown in the
    terminal; they are answered in Slack alone, or end by a later mail of the person.

    SIGTERM, Ctrl-C or a closed terminal stop it cleanly.
    """
    from bot.app import serve
    from bot.service import Role

    start(verbose=verbose, service=True)
    finish(serve(config_file, console(), Role(role)))
