"""What `--set KEY=VALUE` can change: how to judge, and when to tell. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import time

from bot import routing
from bot.assessment import SHIPPED, Thresholds
from bot.evidence import EVEN, LARGEST, Scales
from bot.model import NeedsHuman

AS_THE_SERVICE = routing.Rules(channel="channel", slipping="dm", quiet=(time(18), time(8)), alerts_a_day=5)
"""How alerts are told where config.yaml says nothing else."""

BUDGET = "alerts_a_day"
SCALE = "scale_"
"""What a family's weights are multiplied with, as learning does: `scale_calendar`."""

MOST = 100.0
PROBABILITIES = frozenset({"likely_from", "quiet_from"})


@dataclass(frozen=True)
class Chosen:
    """A setting to try, and what it is called."""

    name: str = "as shipped"
    thresholds: Thresholds = SHIPPED
    scales: Scales = EVEN
    routing: routing.Rules = AS_THE_SERVICE


def changed(changes: Iterable[str]) -> Chosen:
    """Return what is shipped with some values changed, each written KEY=VALUE. Raises NeedsHuman."""
    listed = tuple(changes)
    chosen = Chosen(name=", ".join(listed))
    known = [one.name for one in fields(Thresholds)]
    scaled = {f"{SCALE}{one.name}": one.name for one in fields(Scales)}
    for change in listed:
        key, _, text = (part.strip() for part in change.partition("="))
        value = _number(text)
        if key == BUDGET and value is not None and value >= 1:
            chosen = replace(chosen, routing=replace(chosen.routing, alerts_a_day=round(value)))
        elif key in known and value is not None and not (key in PROBABILITIES and value > 1):
            chosen = replace(chosen, thresholds=replace(chosen.thresholds, **{key: value}))
        elif key in scaled and value is not None and 1 / LARGEST <= value <= LARGEST:
            chosen = replace(chosen, scales=chosen.scales.with_one(scaled[key], value))
        else:
            raise NeedsHuman(
                f"'{change}' cannot be set",
                f"write KEY=NUMBER with one of {', '.join([*known, BUDGET])} "
                f"({' and '.join(sorted(PROBABILITIES))} are at most 1); "
                f"or, between {1 / LARGEST:g} and {LARGEST:g}, one of {', '.join(scaled)}",
            )
    return chosen


def _number(text: str) -> float | None:
    """Return a number from 0 to the largest that makes sense, None of anything else."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and 0 <= value <= MOST else None
