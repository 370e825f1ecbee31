"""Measure the silence model, exactly as shipped, beside two peers on recorded activity.

Usage: silence.py --data DATA.jsonl [--predictions OUT.jsonl] [--score SCORE.py]

DATA holds one JSON object a line: `person`, `org`, `events` (unix seconds, sorted), `left` (the day after
the last event, as a date, or null) and `data_end` (a date, or null). Every week from 60 days and 8 events on,
each model says how probable it is that the person is gone for good, from the events before that week alone.

A week counts as "gone" from 14 to 180 days after the departure, as "still there" where a later event ended a
silence of at most a year and the departure is more than 60 days off, and is not scored otherwise.

One JSON line a model is printed. With `--score` the figures are those of that scorer, which must offer
`load(path)` and `evaluate(rows, predictions)`; otherwise AUC, AP, Brier and ECE by the functions below.
Needs the installed project and numpy.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bot.silence import judge

DAY = 86_400
WEEK = 7 * DAY
LEAST_EVENTS = 8
LEAST_HISTORY = 60 * DAY
# Said of a person with too few days of contact to judge: the share of "gone" among all weeks.
UNJUDGED = 0.05

# Fitted by fit_silence.py on the same data as the shipped model.
DAYS_INTERCEPT, DAYS_SLOPE = -5.886, 0.868
BGNBD = (1.314, 5.845, 2.020, 63.335)

SPEED_CONTACTS = 10_000
SPEED_EVENTS = 100

Model = Callable[[list[int], int], float]
Row = dict[str, Any]
Floats = NDArray[np.float64]


class Point(NamedTuple):
    """A moment at which a person is judged; `gone` is the truth, or None where it is not scored."""

    at: int
    gone: bool | None


def load(path: Path) -> list[Row]:
    """Read one JSON object a line."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def grid(row: Row) -> Iterator[Point]:
    """Yield the weekly points of one person."""
    events: list[int] = row["events"]
    if len(events) < LEAST_EVENTS:
        return
    left = _midnight(row["left"]) if row.get("left") else None
    end = _midnight(row["data_end"]) if row.get("data_end") else events[-1]
    start = max(events[0] + LEAST_HISTORY, events[LEAST_EVENTS - 1] + 1)
    stop = min(end, left + 365 * DAY) if left else events[-1]
    for at in range((start // WEEK + 1) * WEEK, stop + 1, WEEK):
        yield Point(at, _truth(events, left, at))


def _truth(events: list[int], left: int | None, at: int) -> bool | None:
    if left and left + 14 * DAY <= at <= left + 180 * DAY:
        return True
    index = bisect_left(events, at)
    came_back = index < len(events) and events[index] - events[index - 1] <= 365 * DAY
    if came_back and (left is None or at < left - 60 * DAY):
        return False
    return None


def _midnight(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


def shipped(events: list[int], at: int) -> float:
    """Return the probability of the silence model as shipped."""
    moments = [datetime.fromtimestamp(event, UTC) for event in events]
    silence = judge(moments, datetime.fromtimestamp(at, UTC))
    return UNJUDGED if silence is None else silence.probability


def days_of_silence(events: list[int], at: int) -> float:
    """Return the probability by the length of the silence alone."""
    days = (at - events[-1]) / DAY
    return 1 / (1 + math.exp(-DAYS_INTERCEPT - DAYS_SLOPE * math.log(days + 0.5)))


def bgnbd(events: list[int], at: int, constants: Sequence[float] = BGNBD) -> float:
    """Return one minus P(alive) of the BG/NBD model (Fader, Hardie and Lee, 2005) over active weeks."""
    r, alpha, a, b = constants
    repeats, latest, observed = active_weeks(events, at)
    if not repeats:
        return 0.0
    log_odds = math.log(a / (b + repeats - 1)) + (r + repeats) * math.log(
        (alpha + observed) / (alpha + latest)
    )
    return 1 / (1 + math.exp(-log_odds))


def active_weeks(events: list[int], at: int) -> tuple[int, float, float]:
    """Return the number of active weeks after the first, the last one's age and the span, in weeks."""
    weeks = {(event - events[0]) // WEEK for event in events}
    return len(weeks) - 1, float(max(weeks)), (at - events[0]) / WEEK


MODELS: dict[str, Model] = {"stillthere": shipped, "days of silence": days_of_silence, "BG/NBD": bgnbd}


def figures(points: list[Point], probabilities: list[float]) -> dict[str, float]:
    """Return AUC, average precision, Brier score and calibration error over the scored points."""
    scored = [
        (p, point.gone) for point, p in zip(points, probabilities, strict=True) if point.gone is not None
    ]
    guess = np.array([p for p, _ in scored])
    truth = np.array([gone for _, gone in scored], float)
    return {
        "points": len(scored),
        "auc": round(_auc(guess, truth), 4),
        "ap": round(_average_precision(guess, truth), 4),
        "brier": round(float(np.mean((guess - truth) ** 2)), 4),
        "ece10": round(_calibration_error(guess, truth), 4),
    }


def _auc(guess: Floats, truth: Floats) -> float:
    _, place, count = np.unique(guess, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[place]
    gone = truth.sum()
    return float((rank[truth == 1].sum() - gone * (gone + 1) / 2) / (gone * (len(truth) - gone)))


def _average_precision(guess: Floats, truth: Floats) -> float:
    order = np.argsort(-guess, kind="mergesort")
    ends = np.r_[np.flatnonzero(np.diff(guess[order])), len(guess) - 1]
    found = np.cumsum(truth[order])[ends]
    return float(np.sum(np.diff(np.r_[0, found]) * found / (ends + 1)) / truth.sum())


def _calibration_error(guess: Floats, truth: Floats) -> float:
    tenth = np.minimum((guess * 10).astype(int), 9)
    return float(
        sum(abs(np.sum(guess[tenth == k]) - np.sum(truth[tenth == k])) for k in range(10)) / len(guess)
    )


def predict(rows: list[Row], model: Model) -> list[list[float]]:
    """Return a probability for each point of each row, from the events before it."""
    return [
        [model(row["events"][: bisect_left(row["events"], at)], at) for at, _ in grid(row)] for row in rows
    ]


def predictions(rows: list[Row], probabilities: list[list[float]]) -> Iterator[tuple[str, str, float]]:
    """Yield person, date and probability as a scorer wants them."""
    for row, values in zip(rows, probabilities, strict=True):
        for point, value in zip(grid(row), values, strict=True):
            yield row["person"], datetime.fromtimestamp(point.at, UTC).date().isoformat(), value


def scored_by(scorer: Path, rows: list[Row], probabilities: list[list[float]]) -> dict[str, Any]:
    """Return the figures of the scorer at the path."""
    spec = importlib.util.spec_from_file_location("scorer", scorer)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    guesses = {(person, day): value for person, day, value in predictions(rows, probabilities)}
    result: dict[str, Any] = module.evaluate(rows, guesses)
    return result


def finite(value: Any) -> Any:
    """Return the figures with None for "never" and "undefined", which JSON cannot say."""
    if isinstance(value, dict):
        return {key: finite(part) for key, part in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def speed() -> float:
    """Return the CPU seconds that judging many contacts takes."""
    start = datetime(2025, 1, 1, tzinfo=UTC)
    events = [start + timedelta(days=3 * n, hours=n % 7) for n in range(SPEED_EVENTS)]
    now = events[-1] + timedelta(days=20)
    holidays = [(date(2025, 7, 1), date(2025, 7, 14)), (date(2025, 12, 24), date(2026, 1, 1))]
    began = time.process_time()
    for _ in range(SPEED_CONTACTS):
        judge(events, now, holidays)
    return time.process_time() - began


def main() -> None:
    """Print one JSON line a model, and one of the cost."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--predictions", type=Path, help="where to write those of the shipped model")
    parser.add_argument("--score", type=Path, help="a scorer to take the figures from")
    options = parser.parse_args()
    rows = load(options.data)
    points = [point for row in rows for point in grid(row)]
    for name, model in MODELS.items():
        probabilities = predict(rows, model)
        if model is shipped and options.predictions:
            with options.predictions.open("w", encoding="utf-8") as out:
                for person, day, value in predictions(rows, probabilities):
                    out.write(json.dumps({"person": person, "date": day, "p": value}) + "\n")
        if options.score:
            result = scored_by(options.score, rows, probabilities)
        else:
            result = figures(points, [value for values in probabilities for value in values])
        print(json.dumps({"model": name, **finite(result)}), flush=True)
    cost = {"contacts": SPEED_CONTACTS, "events_each": SPEED_EVENTS, "cpu_seconds": round(speed(), 2)}
    print(json.dumps({"model": "stillthere", **cost}))


if __name__ == "__main__":
    main()
