"""How commands speak: results on stdout, everything else on stderr; loads slow things when first needed."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import Console

    from bot.check import Outcome
    from bot.config import Plan
    from bot.crm.csv import Contacts
    from bot.pipeline import Progress

Result = TypeVar("Result")

NAME = "stillthere"


def start(*, verbose: bool = False, service: bool = False) -> None:
    """Send logs to stderr, in the amount that suits the command, and let no letter stop the output."""
    from bot.logs import configure

    let_no_letter_stop_us()
    configure(verbose=verbose, service=service)


def let_no_letter_stop_us() -> None:
    """Write letters that the terminal's character set has not as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def finish(work: Coroutine[Any, Any, Result]) -> Result:
    """Run asynchronous work to its end."""
    import asyncio

    return asyncio.run(work)


def load_everything() -> None:
    """Load every watcher and reader there is."""
    from watchers import load

    load()


def planned(path: Path) -> Plan:
    """Return what the settings at a path come to, with every watcher there is. Raises NeedsHuman."""
    from bot import config

    load_everything()
    return config.load(path)


def console() -> Console:
    """Return the console that results are printed on."""
    from rich.console import Console as RichConsole

    class Results(RichConsole):
        """Leaves it to the command how to end where nobody reads any more."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Results(highlight=False)


def print_json(line: object) -> None:
    """Print one line of JSON for a machine."""
    sys.stdout.write(json.dumps(line, ensure_ascii=True) + "\n")


def our_name() -> str:
    """Return what to type to call us: the path that was typed, where the bare name would not be found."""
    import shutil

    typed = Path(sys.argv[0])
    return str(typed) if typed.name == NAME and shutil.which(NAME) is None else NAME


def note(text: str) -> None:
    """Say something to the person at the terminal that is no result."""
    click.echo(text, err=True)


def tell_what_was_read(found: Outcome, our_domains: Iterable[str]) -> None:
    """Say how much there was to judge by, and what a slip on the command line would look like."""
    from bot.slack.words import counted

    people = len(found.checked)
    read, of = counted(found.mails, "new mail"), counted(people, "contact")
    note(f"{read} read; {found.seen} of {of} seen, {found.ours} written to by us")
    if found.seen and not found.ours:
        domains = ", ".join(our_domains)
        note(f"no mail from {domains} to a contact: is the domain right, and is the sent mail among it?")
    if people and not found.seen:
        note("there is no mail with any of these contacts: is it the right mail?")


def tell_bad_rows(found: Contacts, path: Path) -> None:
    """List the rows of a contacts file that were left out."""
    for row in found.bad:
        note(f"{path}: line {row.line}: {row.reason}")


@contextmanager
def progress(unit: str) -> Iterator[Progress]:
    """Show on stderr how far reading has come; nothing where stderr is no terminal."""
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    err = RichConsole(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        tasks: dict[str, Any] = {}

        def told(source: str, done: int, total: int | None) -> None:
            if source not in tasks:
                tasks[source] = bar.add_task(source.rpartition("/")[2])
            bar.update(tasks[source], completed=done, total=total)

        yield told
