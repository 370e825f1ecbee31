"""Draw a quarter's cases as a chart that Slack renders itself, with the same in words. Pure.

https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slackblocks import AxisConfig, BarChart, DataPoint, DataSeries, DataVisualizationBlock

from bot.stats import Tally

ENOUGH_CASES = 5
ENOUGH_WEEKS = 3
"""Fewer cases, or all of them in one or two weeks, make no picture."""

TITLE = "Your cases of the last 13 weeks"


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart, and what it shows in words: the block has no field for an alternative text."""

    block: DataVisualizationBlock
    alternative: str


def quarter(tallies: Sequence[Tally]) -> Picture | None:
    """Return the chart of the cases by week and by what was said of them; None where that shows nothing."""
    filled = [tally for tally in tallies if tally.cases]
    cases = sum(tally.cases for tally in tallies)
    if cases < ENOUGH_CASES or len(filled) < ENOUGH_WEEKS:
        return None
    labels = [f"{tally.monday.day} {tally.monday:%b}" for tally in tallies]
    counts = {
        "Right": [tally.right for tally in tallies],
        "False alarm": [tally.wrong for tally in tallies],
        "No answer": [tally.open for tally in tallies],
    }
    series = [
        DataSeries(name, [DataPoint(label, value) for label, value in zip(labels, values, strict=True)])
        for name, values in counts.items()
    ]
    axes = AxisConfig(labels, x_label="Week of", y_label="Cases")
    right, wrong, unanswered = map(sum, counts.values())
    words = f"{right} right, {wrong} false alarm{'' if wrong == 1 else 's'}, {unanswered} without an answer"
    most = max(tallies, key=lambda tally: tally.cases)
    alternative = (
        f"Chart: {cases} cases in 13 weeks: {words}. Most in the week of "
        f"{most.monday.day} {most.monday:%B}: {most.cases}."
    )
    return Picture(DataVisualizationBlock(TITLE, BarChart(series, axes), block_id="chart"), alternative)
