"""Show a backtest to a person at a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from bot.backtest import Outcome
from bot.backtest.score import Score


def show(outcome: Outcome, scores: Sequence[Score], names: Sequence[str], console: Console) -> None:
    """Print the report."""
    del outcome, names
    for one in scores:
        console.print(one.alerts, one.precision, one.recall, one.warned, one.lag, one.false_alarms, one.ece, one.mean_alerts)
        console.print(one.bins)
        for told in one.wrong[:30]:
            a = told.alert
            console.print(told.day, a.contact.address, a.assessment.verdict, a.assessment.headline)
