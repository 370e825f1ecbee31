"""Put a score into words and figures, the same in the terminal and on the page. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.backtest.score import Score, Share
from bot.model import Verdict

NONE = "–"  # noqa: RUF001 - stands where there is no figure


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure with its name, and a line about it."""

    name: str
    value: str
    note: str


@dataclass(frozen=True, slots=True)
class Row:
    """A figure of several settings, side by side."""

    name: str
    values: tuple[str, ...]


def of_them(count: int, what: str) -> str:
    """Say how many there are of something.

    >>> of_them(1, "contact"), of_them(1200, "mail")
    ('1 contact', '1,200 mails')
    """
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def tiles(score: Score) -> list[Tile]:
    """Return the figures that tell a backtest in short."""
    total = sum(score.alerts.values())
    found = [
        Tile("Alerts", str(total), f"{score.mean_alerts:.2f} a rep and week, at most {score.busiest} in one"),
    ]
    if score.bins or score.found or score.precision:
        found += [
            Tile(
                f"{name} was right", percent(score.precision.get(verdict.value, Share())), _of(score, verdict)
            )
            for name, verdict in (
                ("Left", Verdict.LEFT),
                ("Likely left", Verdict.LIKELY_LEFT),
                ("Slipping", Verdict.SLIPPING),
            )
        ]
        found += [
            Tile(
                "Departures told in 30 days",
                percent(score.recall),
                f"{score.recall.right} of {score.recall.of}",
            ),
            Tile("Median after the last day", days(score.lag), "of those that were told"),
            Tile("False alarms", number(score.false_alarms), "in 100 person-months"),
            Tile("Calibration error", number(score.ece, 3), "0 is best"),
        ]
    return found


def rows(scores: Sequence[Score]) -> list[Row]:
    """Return all figures, with a value for each score."""

    def row(name: str, values: Sequence[str]) -> Row:
        return Row(name, tuple(values))

    table = [row("alerts", [str(sum(one.alerts.values())) for one in scores])]
    table += [
        row(f"  {verdict.value}", [str(one.alerts.get(verdict.value, 0)) for one in scores])
        for verdict in (Verdict.LEFT, Verdict.LIKELY_LEFT, Verdict.SLIPPING)
    ]
    table.append(row("  account notices", [str(one.alerts.get("account notice", 0)) for one in scores]))
    table.append(row("alerts a rep and week", [f"{one.mean_alerts:.2f}" for one in scores]))
    table.append(row("most for a rep in one week", [str(one.busiest) for one in scores]))
    if all(not one.precision for one in scores):
        return table
    for verdict in (Verdict.LEFT, Verdict.LIKELY_LEFT, Verdict.SLIPPING):
        shares = [one.precision.get(verdict.value, Share()) for one in scores]
        table.append(row(f"{verdict.value} was right", [interval(share) for share in shares]))
    table.append(row("departures told in 30 days", [interval(one.recall) for one in scores]))
    table.append(row("  or warned of before", [interval(one.warned) for one in scores]))
    table.append(row("median after the last day", [days(one.lag) for one in scores]))
    table.append(row("false alarms in 100 person-months", [number(one.false_alarms) for one in scores]))
    table.append(row("calibration error", [number(one.ece, 3) for one in scores]))
    return table


def percent(share: Share) -> str:
    """Return a share in per cent."""
    return NONE if share.value is None else f"{share.value:.0%}"


def interval(share: Share) -> str:
    """Return a share, what it is of, and its 95 % interval."""
    if share.value is None:
        return NONE
    low, high = share.bounds
    return f"{share.value:.0%} of {share.of} ({low * 100:.0f}-{high:.0%})"


def number(value: float | None, digits: int = 2) -> str:
    """Return a number, or that there is none."""
    return NONE if value is None else f"{value:.{digits}f}"


def days(value: float | None) -> str:
    """Return a number of days."""
    return NONE if value is None else f"{value:g} day{'' if value == 1 else 's'}"


def _of(score: Score, verdict: Verdict) -> str:
    share = score.precision.get(verdict.value, Share())
    if share.value is None:
        return "never said"
    low, high = share.bounds
    return f"{share.right} of {share.of}; {low:.0%} to {high:.0%}"
