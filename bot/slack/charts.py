"""Draw a quarter's cases as a chart that Slack renders itself, with the same in words. Pure.

For workspaces that take no charts it is drawn in plain text: a picture would have to be uploaded, for which
the app has no scope.

https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slackblocks import AxisConfig, BarChart, DataPoint, DataSeries, DataVisualizationBlock

from bot.slack.words import counted
from bot.stats import Tally

ENOUGH_CASES = 5
ENOUGH_WEEKS = 3
"""Fewer cases, or all of them in one or two weeks, make no picture."""

RIGHT, WRONG, OPEN = "#", "x", "."
"""What stands for a case in plain text: told apart by shape, not by colour."""

WIDEST = 30
"""So many marks stand in a row at most."""

TITLE = "Your cases of the last 13 weeks"


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart, what it shows in words, and the same drawn in plain text (mrkdwn).

    The block has no field for an alternative text.
    """

    block: DataVisualizationBlock
    alternative: str
    drawn: str


def quarter(tallies: Sequence[Tally]) -> Picture | None:
    """Return the chart of the cases by week and by what was said of them; None where that shows nothing."""
    filled = [tally for tally in tallies if tally.cases]
    cases = sum(tally.cases for tally in tallies)
    if cases < ENOUGH_CASES or len(filled) < ENOUGH_WEEKS:
        return None
    labels = [f"W{tally.monday.isocalendar().week}" for tally in tallies]
    counts = {
        "Right": [tally.right for tally in tallies],
        "False alarm": [tally.wrong for tally in tallies],
        "No answer": [tally.open for tally in tallies],
    }
    series = [
        DataSeries(name, [DataPoint(label, value) for label, value in zip(labels, values, strict=True)])
        for name, values in counts.items()
    ]
    axes = AxisConfig(labels, x_label="Calendar week", y_label="Cases")
    right, wrong, unanswered = map(sum, counts.values())
    words = f"{right} right, {counted(wrong, 'false alarm')}, {unanswered} without an answer"
    most = max(tallies, key=lambda tally: tally.cases)
    alternative = (
        f"Chart: {counted(cases, 'case')} in 13 weeks: {words}. Most in the week of "
        f"{most.monday.day} {most.monday:%B}: {most.cases}."
    )
    block = DataVisualizationBlock(TITLE, BarChart(series, axes), block_id="chart")
    return Picture(block, alternative, _drawn(tallies))


def _drawn(tallies: Sequence[Tally]) -> str:
    """Draw each week as a row of marks, one a case, and of numbers where there are too many."""
    scale = max(1, -(-max(tally.cases for tally in tallies) // WIDEST))
    rows = [
        f"{tally.monday:%d %b}  {''.join(mark * -(-count // scale) for mark, count in _marked(tally))}"
        f"  {tally.cases or '-'}"
        for tally in tallies
    ]
    each = "" if scale == 1 else f", each for up to {scale} cases"
    legend = f"{RIGHT} right, {WRONG} false alarm, {OPEN} no answer{each}"
    return "\n".join((f"*{TITLE}*", "```", *rows, "```", legend))


def _marked(tally: Tally) -> tuple[tuple[str, int], ...]:
    return ((RIGHT, tally.right), (WRONG, tally.wrong), (OPEN, tally.open))
