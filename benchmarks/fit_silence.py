"""Fit the constants of `bot/silence.py` to recorded activity and print them.

Usage: fit_silence.py --data DATA.jsonl [--leave-one-out OUT.jsonl [--score SCORE.py]]

DATA holds one JSON object a line: `person`, `org`, `events` (unix seconds, sorted), `left` (the day after
the last event, as a date, or null) and `data_end`. With `--leave-one-out` each organisation is predicted by
constants fitted on the others, the predictions are written to OUT in the form of `benchmarks/silence.py`, and
the figures are printed: the honest ones, because no organisation is predicted from itself.

The method is a logistic regression by Newton's steps over the weekly points of `benchmarks/silence.py`, with
inputs exactly as `bot.silence.inputs` gives them. Points of an organisation weigh together as the square root
of their number, so that the largest organisation does not decide alone. Needs numpy, not scipy.
"""

from __future__ import annotations

import argparse
import json
import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.silence import (
    DAY,
    UNJUDGED,
    Point,
    Row,
    active_weeks,
    bgnbd,
    figures,
    finite,
    grid,
    load,
    predictions,
    scored_by,
)
from bot import silence

Floats = NDArray[np.float64]

STEPS = 50
# Holds the standardised weights back a little, as the few departures should.
RIDGE = 100.0
TOLERANCE = 1e-10
SMALLEST_STEP = 0.005
LEAST_SURPRISE = 1e-13
SURPRISES = (1.0, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0)


@dataclass(frozen=True)
class Table:
    """All points of some rows, NaN where the person cannot be judged.

    `inputs` are those of the shipped model. `student` are those of a peer: ln(days of silence) and minus the
    log of the surprise under the person's log-gap Student-t distribution.
    """

    rows: list[Row]
    points: list[Point]
    orgs: list[str]
    inputs: Floats
    student: Floats
    surprise: Floats

    @property
    def days(self) -> Floats:
        """Return ln(days of silence) alone, as the inputs of a peer."""
        return self.student[:, :1]

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Return which points teach something."""
        truth_known = np.array([point.gone is not None for point in self.points])
        return truth_known & ~np.isnan(self.inputs[:, 0])


def tabulate(rows: list[Row]) -> Table:
    """Compute the inputs of the shipped model at every point, each rhythm once."""
    points: list[Point] = []
    orgs: list[str] = []
    inputs: list[tuple[float, ...]] = []
    student: list[tuple[float, float]] = []
    surprise: list[float] = []
    unknown = (math.nan,) * len(silence.WEIGHTS)
    for row in rows:
        times = [event / DAY for event in row["events"]]
        known, rhythm = -1, None
        for point in grid(row):
            index = bisect_left(row["events"], point.at)
            if index != known:
                known, rhythm = index, silence.rhythm_of(times[:index])
            silent = point.at / DAY - times[index - 1]
            points.append(point)
            orgs.append(row["org"])
            inputs.append(silence.inputs(rhythm, silent) if rhythm else unknown)
            surprise.append(rhythm.surprise(silent) if rhythm else math.nan)
            student.append((math.log(silent + 0.5), -math.log(max(surprise[-1], LEAST_SURPRISE))))
    return Table(rows, points, orgs, np.array(inputs), np.array(student), np.array(surprise))


def logistic(inputs: Floats, gone: Floats, orgs: NDArray[np.str_]) -> Floats:
    """Return intercept and weights by Newton's steps, an organisation weighing as the root of its size."""
    _, place, count = np.unique(orgs, return_inverse=True, return_counts=True)
    weight = count[place] ** -0.5
    weight *= len(weight) / weight.sum()
    middle, scale = inputs.mean(0), inputs.std(0)
    design = np.c_[np.ones(len(inputs)), (inputs - middle) / scale]
    penalty = np.full(design.shape[1], RIDGE)
    penalty[0] = 0
    beta = np.zeros(design.shape[1])
    for _ in range(STEPS):
        chance = expit(design @ beta)
        slope = design.T @ (weight * (gone - chance)) - penalty * beta
        curve = (design * (weight * chance * (1 - chance))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        beta += step
        if np.abs(step).max() < TOLERANCE:
            break
    weights = beta[1:] / scale
    return np.asarray(np.r_[beta[0] - weights @ middle, weights], float)


def expit(log_odds: Floats) -> Floats:
    """Return the logistic function."""
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def fit(table: Table, inputs: Floats, without: str | None = None) -> Floats:
    """Fit on all organisations, or on all but one."""
    orgs = np.array(table.orgs)
    use = table.usable & (orgs != without)
    gone = np.array([bool(point.gone) for point in table.points], float)
    return logistic(inputs[use], gone[use], orgs[use])


def apply(beta: Floats, inputs: Floats) -> Floats:
    """Return the probability at each point."""
    chance = expit(beta[0] + inputs @ beta[1:])
    return np.where(np.isnan(chance), UNJUDGED, chance)


def likelihood_ratios(table: Table) -> Iterator[tuple[float, float, float]]:
    """Yield how much more often a surprise in each range is seen of the gone than of those still there."""
    gone = np.array([bool(point.gone) for point in table.points])
    for most, least in pairwise(SURPRISES):
        within = (table.surprise >= least) & (table.surprise < most)
        seen = [np.mean(within[table.usable & (gone == truth)]) for truth in (True, False)]
        yield least, most, float(seen[0] / seen[1])


def fit_bgnbd(rows: list[Row]) -> list[float]:
    """Return r, alpha, a, b of the BG/NBD model by a pattern search for the greatest likelihood."""
    people = [active_weeks(row["events"], _end(row)) for row in rows]
    best, size = [0.0, 0.0, 0.0, 0.0], 1.0
    least = _bgnbd_loss(best, people)
    while size > SMALLEST_STEP:
        moved = False
        for index, sign in product(range(4), (1, -1)):
            trial = best.copy()
            trial[index] += sign * size
            loss = _bgnbd_loss(trial, people)
            if loss < least:
                best, least, moved = trial, loss, True
        if not moved:
            size /= 2
    return [math.exp(value) for value in best]


def _end(row: Row) -> int:
    return int(datetime.fromisoformat(row["data_end"]).replace(tzinfo=UTC).timestamp())


def _bgnbd_loss(logs: list[float], people: list[tuple[int, float, float]]) -> float:
    """Return minus the log-likelihood (Fader, Hardie and Lee, 2005, equation 6)."""
    r, alpha, a, b = (math.exp(value) for value in logs)
    loss = 0.0
    for x, latest, observed in people:
        common = math.lgamma(r + x) - math.lgamma(r) + r * math.log(alpha)
        alive = _log_beta(a, b + x) - (r + x) * math.log(alpha + observed)
        if x:
            gone = _log_beta(a + 1, b + x - 1) - (r + x) * math.log(alpha + latest)
            alive = max(alive, gone) + math.log1p(math.exp(-abs(alive - gone)))
        loss -= common - _log_beta(a, b) + alive
    return loss


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def split(table: Table, chances: Floats) -> list[list[float]]:
    """Return the probabilities row by row."""
    values = iter(chances.tolist())
    return [[next(values) for _ in grid(row)] for row in table.rows]


def main() -> None:
    """Fit on all organisations, or on all but each in turn."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--leave-one-out", type=Path, metavar="OUT")
    parser.add_argument("--score", type=Path, help="a scorer to take the figures from")
    options = parser.parse_args()
    table = tabulate(load(options.data))
    if not options.leave_one_out:
        report_constants(table)
        return
    models = {
        "stillthere": left_out(table, table.inputs),
        "log-gap Student-t and ln(days)": left_out(table, table.student),
        "BG/NBD": bgnbd_left_out(table),
        "days of silence": left_out(table, table.days),
    }
    for name, chances in models.items():
        if name == "stillthere":
            with options.leave_one_out.open("w", encoding="utf-8") as out:
                for person, day, value in predictions(table.rows, split(table, chances)):
                    out.write(json.dumps({"person": person, "date": day, "p": value}) + "\n")
        print(
            json.dumps({"model": name, "org": "all", **finite(_report(table, chances, options.score))}),
            flush=True,
        )
        for org in sorted(set(table.orgs)):
            of_it = np.array(table.orgs) == org
            for told, which in ((org, of_it), (f"all but {org}", ~of_it)):
                points = [table.points[index] for index in np.flatnonzero(which)]
                result = figures(points, chances[which].tolist())
                print(json.dumps({"model": name, "org": told, **result}), flush=True)


def left_out(table: Table, inputs: Floats) -> Floats:
    """Return the probability at each point by constants fitted on the other organisations."""
    orgs = np.array(table.orgs)
    chances = np.zeros(len(orgs))
    for org in sorted(set(table.orgs)):
        chances[orgs == org] = apply(fit(table, inputs, without=org), inputs[orgs == org])
    return chances


def bgnbd_left_out(table: Table) -> Floats:
    """Return the same of BG/NBD."""
    chances: list[float] = []
    fitted = {
        org: fit_bgnbd([row for row in table.rows if row["org"] != org]) for org in sorted(set(table.orgs))
    }
    for row in table.rows:
        events = row["events"]
        chances += [
            bgnbd(events[: bisect_left(events, point.at)], point.at, fitted[row["org"]])
            for point in grid(row)
        ]
    return np.array(chances)


def _report(table: Table, chances: Floats, scorer: Path | None) -> dict[str, Any]:
    if scorer:
        return scored_by(scorer, table.rows, split(table, chances))
    return figures(table.points, chances.tolist())


def report_constants(table: Table) -> None:
    """Print the constants in the form in which the sources hold them."""
    beta = fit(table, table.inputs)
    print(f"INTERCEPT: Final = {beta[0]:.3f}")
    print(f"WEIGHTS: Final = ({', '.join(f'{value:.3f}' for value in beta[1:])})")
    intercept, slope = fit(table, table.days)
    print(f"DAYS_INTERCEPT, DAYS_SLOPE = {intercept:.3f}, {slope:.3f}")
    for least, most, ratio in likelihood_ratios(table):
        print(f"# a surprise of {least:g} to {most:g} multiplies the odds of departure by {ratio:.2f}")
    print(f"BGNBD = ({', '.join(f'{value:.3f}' for value in fit_bgnbd(table.rows))})")


if __name__ == "__main__":
    main()
