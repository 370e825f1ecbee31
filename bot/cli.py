"""The console command. What a command needs is imported when it runs, so that --help is quick."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bot import __version__

if TYPE_CHECKING:
    from rich.console import Console

    from bot.check import Outcome
    from bot.crm.csv import Contacts
    from bot.pipeline import Progress


Result = TypeVar("Result")


class Moment(click.ParamType[datetime]):
    """A day ("2026-08-14": the end of that day, UTC) or a moment ("2026-08-14T09:30+02:00")."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read a day or a moment."""
        if isinstance(value, datetime):
            return value
        try:
            return moment(value)
        except (ValueError, OverflowError):
            self.fail(f"'{value}' is no date: write 2026-08-14 or 2026-08-14T09:30+02:00", param, ctx)


def moment(text: str) -> datetime:
    """Read an ISO 8601 moment, in UTC where it names no zone, or the end of a day."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    return datetime.combine(day, time(), UTC) + timedelta(days=1)


class MailDomain(click.ParamType[str]):
    """A mail domain of our own team."""

    name = "domain"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read a mail domain."""
        from bot.config import domain

        try:
            return domain(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


def examples(*lines: str) -> str:
    """Return an epilog that click leaves as it is."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


class Commands(click.Group):
    """The commands; what only a person can mend is told in two lines, not as a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command."""
        from bot.model import NeedsHuman, SourceDown

        try:
            return super().invoke(ctx)
        except NeedsHuman as failure:
            note(
                f"Error: {failure.what}\nTo mend it: {failure.how}{'' if failure.how.endswith('?') else '.'}"
            )
            ctx.exit(2)
        except SourceDown as failure:
            note(f"Error: {failure.what}\nTry again later.")
            ctx.exit(1)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "stillthere demo", "stillthere check --contacts contacts.csv --mail ~/Maildir --our-domain us.example"
    ),
)
@click.version_option(__version__, prog_name="stillthere")
def main() -> None:
    """Know that your champion is leaving while there is still time."""


@main.command(
    epilog=examples(
        "stillthere check --contacts contacts.csv --mail ~/Maildir --our-domain us.example",
        "stillthere check --contacts crm.csv --mail a.mbox --mail b/ --our-domain us.example --json",
        "stillthere check --contacts c.csv --mail in/ --our-domain us.example --now 2026-03-31",
    )
)
@click.option(
    "--contacts",
    "contacts_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV with a column 'email'; exports of HubSpot and Salesforce are recognised.",
)
@click.option(
    "--mail",
    required=True,
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Maildir, mbox, folder with one mail a file, or one file. Repeatable.",
)
@click.option(
    "--our-domain",
    "our_domains",
    required=True,
    multiple=True,
    type=MailDomain(),
    help="A mail domain of our own team. Repeatable.",
)
@click.option(
    "--now", type=Moment(), help="Judge as of then; a day is judged at its end (UTC). Default: now."
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep what was read here, so that the next pass reads only what is new.",
)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON a contact.")
@click.option("--verbose", is_flag=True, help="Name every mail that could not be read, and why.")
def check(
    contacts_file: Path,
    mail: tuple[Path, ...],
    our_domains: tuple[str, ...],
    now: datetime | None,
    data: Path | None,
    as_json: bool,
    verbose: bool,
) -> None:
    """Judge your contacts by mail you already have.

    Says who has left, is slipping or is there, and why.

    Nothing is sent anywhere and, without --data, nothing is kept.
    """
    from bot import check as offline
    from bot import report
    from bot.crm.csv import read_contacts

    start(verbose=verbose)
    load_everything()
    listed = read_contacts(contacts_file)
    tell_bad_rows(listed, contacts_file)
    if not listed.contacts:
        note(f"{contacts_file}: there is no contact in it")
    asked = offline.Check(listed.contacts, mail, our_domains, data)
    with progress("mails") as told:
        found = finish(asked.run(now or datetime.now(UTC), told))
    tell_what_was_read(found, our_domains)
    for reason in found.closed:
        note(f"{reason}: contacts who are seen only there are unchecked")
    if found.unreadable:
        note(f"{found.unreadable} mails could not be read" + ("" if verbose else "; --verbose names them"))
    if as_json:
        for item in found.checked:
            print_json(offline.as_json(item))
    else:
        report.contacts(found.checked, console())


@main.command(epilog=examples("stillthere read bounce.eml", "stillthere read ~/Maildir --json > said.jsonl"))
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
def read(paths: tuple[Path, ...], our_domains: tuple[str, ...], as_json: bool, verbose: bool) -> None:
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


@main.command(epilog=examples("stillthere demo", "stillthere demo --keep story/"))
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Leave the story's mails and store in this folder, to look at afterwards.",
)
def demo(keep: Path | None) -> None:
    """Play the story of a champion who slips away.

    It runs through the real pipeline in a few seconds.

    Needs no network, no token and no configuration.
    """
    from bot.demo import play

    start()
    load_everything()
    finish(play(console(), keep))


@main.command(epilog=examples("stillthere run", "stillthere run --config /etc/stillthere/config.yaml"))
@click.option(
    "--config",
    "config_file",
    default="config.yaml",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The settings.",
)
@click.option("--verbose", is_flag=True, help="Log every look at every source.")
def run(config_file: Path, verbose: bool) -> None:
    """Watch as a service, and alert in Slack.

    Every source is looked at when it is due.

    Without Slack tokens alerts are shown in the terminal. SIGTERM or Ctrl-C stops it cleanly.
    """
    from bot.app import serve

    start(verbose=verbose, service=True)
    finish(serve(config_file, console()))


@main.command(
    epilog=examples(
        "stillthere manifest > manifest.yaml",
        "stillthere manifest --url https://stillthere.vendor.example/slack/events",
    )
)
@click.option(
    "--url",
    default="",
    help="Where Slack is to send signed requests. Default: Socket Mode, which needs no public address.",
)
def manifest(url: str) -> None:
    """Print what Slack must know of the app, as YAML, to create it from a manifest.

    It names the command, the shortcuts, the events and every scope, each used and explained in docs/slack.md.
    """
    from bot.slack.manifest import as_yaml

    if url and not url.startswith("https://"):
        raise click.BadParameter("Slack sends requests to https addresses only", param_hint="--url")
    let_no_letter_stop_us()
    click.echo(as_yaml(url), nl=False)


@main.command(name="watchers")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON a watcher.")
def list_watchers(as_json: bool) -> None:
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


def console() -> Console:
    """Return the console that results are printed on."""
    from rich.console import Console as RichConsole

    return RichConsole(highlight=False)


def print_json(line: object) -> None:
    """Print one line of JSON for a machine."""
    sys.stdout.write(json.dumps(line, ensure_ascii=True) + "\n")


def note(text: str) -> None:
    """Say something to the person at the terminal that is no result."""
    click.echo(text, err=True)


def tell_what_was_read(found: Outcome, our_domains: Iterable[str]) -> None:
    """Say how much there was to judge by, and what a slip on the command line would look like."""
    people = len(found.checked)
    note(
        f"{found.mails} new mails read; {found.seen} of {people} contacts seen, {found.ours} written to by us"
    )
    if found.seen and not found.ours:
        domains = ", ".join(our_domains)
        note(f"no mail from {domains} to a contact: is the domain right, and is the sent mail among it?")
    if people and not found.seen:
        note("there is no mail with any of these contacts: is it the right mail?")


def tell_bad_rows(found: Contacts, path: Path) -> None:
    """List the rows of a contacts file that were left out."""
    for row in found.bad:
        note(f"{path}: row {row.number}: {row.reason}")


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
