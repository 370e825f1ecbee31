"""`stillthere read`: say what each mail means."""

from __future__ import annotations

from pathlib import Path

import click

from bot.cli.console import (
    console,
    let_no_letter_stop_us,
    note,
    print_json,
    start,
)
from bot.cli.parameters import MailDomain, examples


@click.command(epilog=examples("stillthere read bounce.eml", "stillthere read ~/Maildir --json > said.jsonl"))
@click.argument(
    "paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(exists=True, path_type=Path)
)
@click.option(
    "--our-domain",
    "our_domains",
    multiple=True,
    type=MailDomain(),
    help="A mail domain of our own team. Repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON a mail.")
@click.option("--verbose", is_flag=True, help="Also show the mails that say nothing of this kind.")
def command(paths: tuple[Path, ...], our_domains: tuple[str, ...], as_json: bool, verbose: bool) -> None:
    """Say what each mail means, and why it is taken for that.

    PATH is a Maildir, an mbox, a folder with one mail a file, or one file.
    """
    from bot import reading
    from watchers import Scope, load_readers

    let_no_letter_stop_us()
    load_readers()
    readings = reading.read(paths, Scope.of((), our_domains))
    if as_json:
        for item in readings:
            print_json(item.as_json())
        return
    from bot import report

    start()
    single = len(paths) == 1 and paths[0].is_file()
    counts = report.mails(readings, console(), everything=verbose or single)
    said = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in counts.most_common())
    note(said or "there is no mail in it")
