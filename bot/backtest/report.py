"""Show a backtest to a person at a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from rich import box
from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from bot.backtest import Outcome
from bot.backtest.figures import of_them, rows
from bot.backtest.replay import Told
from bot.backtest.score import Score, is_right, mondays
from bot.model import Verdict
from bot.report import COLOURS
from bot.slack.mrkdwn import clean

BARS = "·▂▃▄▅▆▇█"
MOST_ALERTS = 60
MOST_WRONG = 20


def show(
    outcome: Outcome,
    scores: Sequence[Score],
    names: Sequence[str],
    departed: Mapping[str, date] | None,
    console: Console,
) -> None:
    """Print what would have alarmed and when, and how right that was where the truth is known."""
    span = outcome.span
    counted = f"{of_them(len(outcome.contacts), 'contact')}, {of_them(outcome.mails, 'mail')}"
    console.print(
        Text(f"{span.first:%-d %B %Y} to {span.last:%-d %B %Y}", "bold").append(
            f"  {counted}, {of_them(len(span.days()), 'day')} judged",
            "dim",
        )
    )
    console.print()
    if len(names) > 1:
        console.print(f"The alerts are those with {clean(names[-1])}.", style="dim", markup=False)
    _alerts(outcome.told, departed, console)
    _weeks(outcome, console)
    _figures(scores, names, console)


def _alerts(told: Sequence[Told], departed: Mapping[str, date] | None, console: Console) -> None:
    console.print(Rule(Text("What would have alarmed", "bold"), align="left"))
    if not told:
        console.print("Nothing.", style="dim")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=True)
    for name, options in (
        ("Told", {"no_wrap": True}),
        ("Verdict", {"no_wrap": True}),
        ("Who and why", {"ratio": 1}),
    ):
        table.add_column(name, **options)
    if departed is not None:
        table.add_column("Last day", no_wrap=True)
    for one in told[-MOST_ALERTS:]:
        table.add_row(*_row(one, departed))
    if told:
        console.print(table)
    if len(told) > MOST_ALERTS:
        console.print(
            f"{len(told) - MOST_ALERTS} earlier alerts are left out here; --json and --html have all.",
            style="dim",
        )


def _row(told: Told, departed: Mapping[str, date] | None) -> list[Text]:
    alert = told.alert
    verdict = alert.assessment.verdict
    name = "account notice" if alert.is_notice else verdict.value
    who = Text(clean(alert.contact.account_name if alert.is_notice else alert.contact.label), "bold")
    if not alert.is_notice:
        who.append(f", {clean(alert.contact.account_name)}", "not bold")
    who.append(f"\n{clean(alert.assessment.headline)}", "dim not bold")
    row = [Text(told.day.isoformat()), Text(name, COLOURS[verdict]), who]
    if departed is None:
        return row
    gone = departed.get(alert.contact.address)
    if alert.is_notice:
        return [*row, Text("")]
    right = is_right(told, departed, {})
    mark = Text("✓ " if right else "✗ ", "green" if right else "red")
    return [*row, mark.append("stayed" if gone is None else gone.isoformat(), "default")]


def _weeks(outcome: Outcome, console: Console) -> None:
    """Print a bar for each week, and what each rep was told on average."""
    console.print()
    console.print(Rule(Text("Alerts in each week", "bold"), align="left"))
    first = outcome.span.first - timedelta(outcome.span.first.weekday())
    weeks, begun = (outcome.span.last - first).days // 7 + 1, max(1, len(mondays(outcome.span)))
    reps = sorted({contact.owner for contact in outcome.contacts})
    counts = {rep: [0] * weeks for rep in reps}
    for one in outcome.told:
        counts.setdefault(one.rep, [0] * weeks)[(one.day - first).days // 7] += 1
    most = max((count for by in counts.values() for count in by), default=0) or 1
    table = Table(box=None, pad_edge=False, show_header=False)
    for rep, by in counts.items():
        bars = "".join(BARS[-(-count * (len(BARS) - 1) // most)] for count in by)
        room = max(10, console.width - 46)
        table.add_row(
            Text(clean(rep) or "nobody's", overflow="ellipsis", no_wrap=True),
            Text(bars[-room:], COLOURS[Verdict.QUIET]),
            Text(f"{sum(by) / begun:.2f} a week, at most {max(by)}", "dim"),
        )
    console.print(table)


def _figures(scores: Sequence[Score], names: Sequence[str], console: Console) -> None:
    console.print()
    console.print(Rule(Text("In figures", "bold"), align="left"))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=len(scores) > 1)
    table.add_column("")
    for name in names:
        table.add_column(name, justify="right")
    for row in rows(scores):
        table.add_row(row.name, *row.values)
    console.print(table)
    if scores[-1].precision:
        console.print("In brackets: where the share lies in 19 of 20 cases, given so few.", style="dim")
    bins = scores[-1].bins
    if bins:
        said = ", ".join(f"{one.said:.0%} → {one.so:.0%}" for one in bins)
        console.print(f"Said to have left → had left: {said}", style="dim")
    if scores[-1].wrong:
        kinds = Counter(
            (one.alert.assessment.verdict.value, _lead(one)) for one in scores[-1].wrong
        ).most_common(MOST_WRONG)
        told = ", ".join(f"{count} × {verdict} by {kind}" for (verdict, kind), count in kinds)  # noqa: RUF001 - "times"
        console.print(f"Wrong: {told}", style="dim")


def _lead(told: Told) -> str:
    """Return the kind of evidence that weighed most in an alert, in words."""
    counted = [item for item in told.alert.assessment.evidence if item.weight > 0]
    return max(counted, key=lambda item: item.weight).kind.replace("_", " ") if counted else "nothing"
