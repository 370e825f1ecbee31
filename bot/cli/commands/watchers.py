"""`stillthere watchers`: list what watches."""

from __future__ import annotations

from typing import Any

import click

from bot.cli.console import (
    load_everything,
    print_json,
)
from bot.cli.parameters import examples


@click.command(epilog=examples("stillthere watchers", "stillthere watchers --json"))
@click.option("--json", "as_json", is_flag=True, help="One line of JSON a watcher.")
def command(as_json: bool) -> None:
    """List the watchers and mail readers, and the kinds of evidence they give."""
    load_everything()
    from watchers import MailReader, Watcher

    owners: list[tuple[str, str, type[Any]]] = [
        *(("watcher", name, kind) for name, kind in sorted(Watcher.registry.items())),
        *(("mail reader", name, kind) for name, kind in sorted(MailReader.registry.items())),
    ]
    for what, name, owner in owners:
        summary = (owner.__doc__ or "").strip().partition("\n")[0]
        kinds = [kind.name for kind in owner.kinds]
        if as_json:
            print_json({"name": name, "is": what, "summary": summary, "kinds": list(kinds)})
        else:
            click.echo(f"{name} ({what}): {summary}")
            if kinds:
                click.echo(f"    {', '.join(kinds)}")
