"""`stillthere backtest`: judge every day of the past by what was known on it."""

from __future__ import annotations

import os
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.console import console, load_everything, note, print_json, progress, start, tell_bad_rows
from bot.cli.parameters import MailDomain, authenticators_option, examples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.backtest import Outcome

LONGEST_NUMBER = 5
"""Digits that a step may have."""

YEARS = range(1971, 2200)
MOST_DAYS = 3660
"""Ten years."""


class Day(click.ParamType[date]):
    """A day such as 2026-08-14."""

    name = "day"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read a day."""
        if isinstance(value, date):
            return value
        try:
            day = date.fromisoformat(value)
        except ValueError:
            self.fail(f"'{value}' is no day: write 2026-08-14", param, ctx)
        if day.year not in YEARS:
            self.fail(f"'{value}' is out of reach: name a day from 1971 to 2199", param, ctx)
        return day


class Step(click.ParamType[int]):
    """How many days lie between two judgements: 1d, 7d, 1w."""

    name = "step"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a number of days or weeks."""
        if isinstance(value, int):
            return value
        number, unit = value[:-1], {"d": 1, "w": 7}.get(value[-1:], 0)
        days = int(number) * unit if number.isdecimal() and len(number) < LONGEST_NUMBER else 0
        if days:
            return days
        return self.fail(f"'{value}' is no step: write 1d, 7d or 2w", param, ctx)


class NewFile(click.Path):
    """A file to write, in a folder that is there."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a path."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.parent.is_dir():
            self.fail(f"there is no folder '{path.parent}'", param, ctx)
        return path


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
PLACE = click.Path(exists=True, path_type=Path)


@click.command(
    epilog=examples(
        "stillthere backtest --contacts c.csv --mail mail/ --our-domain us.example \\",
        "  --from 2025-01-01 --to 2026-06-30 --truth departures.csv --html report.html",
        "stillthere backtest ... --data kept/ --set slipping_from=2.0",
        "stillthere backtest ... --json > days.jsonl",
    )
)
@click.option(
    "--contacts",
    "contacts_file",
    required=True,
    type=FILE,
    help="CSV with a column 'email'; exports of HubSpot and Salesforce are recognised.",
)
@click.option(
    "--mail",
    multiple=True,
    type=PLACE,
    help="Maildir, mbox, folder with one mail a file, or one file. Repeatable.",
)
@click.option(
    "--calendar", multiple=True, type=PLACE, help="A calendar's .ics file, or a folder of them. Repeatable."
)
@click.option(
    "--pages",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of dated snapshots of team pages. Repeatable.",
)
@click.option(
    "--our-domain",
    "our_domains",
    required=True,
    multiple=True,
    type=MailDomain(),
    help="A mail domain of our own team. Repeatable.",
)
@authenticators_option
@click.option("--from", "first", required=True, type=Day(), help="The first day that is judged.")
@click.option("--to", "last", required=True, type=Day(), help="The last day that is judged.")
@click.option("--step", default="1d", show_default=True, type=Step(), help="How far apart judgements lie.")
@click.option("--truth", type=FILE, help="CSV of who left when, with columns 'email' and 'departed'.")
@click.option("--outages", type=FILE, help="CSV of when a mailbox could not be read.")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="KEY=VALUE",
    help="Try another threshold, side by side with what is shipped. Repeatable.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep what was read here: a second run, or one that goes on after a kill, is quick.",
)
@click.option("--html", type=NewFile(), help="Write a report with charts.")
@click.option(
    "--json", "as_json", is_flag=True, help="One line of JSON for each day on which something changes."
)
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=None, help="How many processes. Default: one a core."
)
def command(
    contacts_file: Path,
    mail: tuple[Path, ...],
    calendar: tuple[Path, ...],
    pages: tuple[Path, ...],
    our_domains: tuple[str, ...],
    authenticators: tuple[str, ...],
    first: date,
    last: date,
    step: int,
    truth: Path | None,
    outages: Path | None,
    changes: tuple[str, ...],
    data: Path | None,
    html: Path | None,
    as_json: bool,
    jobs: int | None,
) -> None:
    """Judge every day of the past, using only what was known on that day.

    Says what would have alarmed and when. With --truth it also says how often that was right, and how early.

    What was known before --from is the baseline: it raises nothing.
    """
    from bot import backtest
    from bot.backtest import replay, score, settings
    from bot.backtest import truth as truths
    from bot.crm.csv import read_contacts
    from bot.model import NeedsHuman
    from bot.slack.words import counted

    if not (mail or calendar or pages):
        raise click.UsageError("name something to judge by: --mail, --calendar or --pages")
    span = replay.Span(*_within_reach(first, last), step)
    start()
    load_everything()
    listed = read_contacts(contacts_file)
    tell_bad_rows(listed, contacts_file)
    if not listed.contacts:
        raise NeedsHuman(f"{contacts_file}: names no contact", "give it a row for each")
    sources = {path.name: f"mailbox:{path.resolve()}" for path in mail}
    asked = backtest.Backtest(
        contacts=listed.contacts,
        mail=mail,
        calendars=calendar,
        pages=pages,
        our_domains=our_domains,
        span=span,
        outages=truths.outages(outages, sources) if outages is not None else (),
        data=data,
        jobs=jobs or os.cpu_count() or 1,
        authenticators=authenticators,
    )
    known = truths.departures(truth) if truth is not None else None
    tried = [settings.Chosen(), settings.changed(changes)] if changes else [settings.Chosen()]
    began = datetime.now().astimezone()
    with progress("done") as told:
        outcomes = asked.run(tried, told)
    seconds = (datetime.now().astimezone() - began).total_seconds()
    if as_json:
        for line in outcomes[-1].lines:
            print_json(line.as_json())
    scores = [score.score(outcome, known) for outcome in outcomes]
    if html is not None:
        from bot.backtest.html import page

        _write(html, page(outcomes[-1], scores, [one.name for one in tried], known))
    if not as_json:
        from bot.backtest import report

        report.show(outcomes[-1], scores, [one.name for one in tried], known, console())
    read, judged = counted(outcomes[-1].mails, "mail"), counted(len(span.days()), "day")
    note(f"{read} read, {judged} judged in {seconds:.0f} s")
    if outcomes[-1].broken:
        note(f"{counted(outcomes[-1].broken, 'mail')} could not be read")
    for remark in _remarks(outcomes[-1], known):
        note(remark)


def _within_reach(first: date, last: date) -> tuple[date, date]:
    """Return the first and the last day; refuse a span that nobody can mean."""
    if last < first:
        raise click.UsageError("--to lies before --from")
    if (last - first).days >= MOST_DAYS:
        raise click.UsageError("from --from to --to are more than ten years")
    return first, last


def _write(file: Path, page: str) -> None:
    from bot.model import NeedsHuman

    try:
        file.write_text(page, encoding="utf-8")
    except OSError as error:
        raise NeedsHuman(f"{file}: cannot be written: {error.strerror}", "name another file") from error
    note(f"{file}: written")


def _remarks(outcome: Outcome, known: Mapping[str, date] | None) -> list[str]:
    """Say what was probably asked by mistake: nothing to read, nothing of these days or of these people."""
    said = [f"{path}: there is no mail" for path in outcome.empty]
    if outcome.mails and outcome.arrived is None:
        said.append("no mail concerns any of the contacts: are --contacts and --our-domain right?")
    elif outcome.arrived is not None:
        first, last = (moment.date() for moment in outcome.arrived)
        span = outcome.span
        if last < span.first or first > span.last:
            side = "before" if last < span.first else "after"
            said.append(
                f"all that is known of the contacts is from {first} to {last}, {side} the days judged"
            )
    strangers = set(known or ()) - {contact.address for contact in outcome.contacts}
    if known and strangers:
        said.append(f"{len(strangers)} of {len(known)} who left are not among the contacts")
    return said
