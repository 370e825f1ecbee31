"""Measure what one judgement costs, as shipped, beside a peer that adds up fixed weights.

    python -m benchmarks.judging [--people 1000 10000 100000]

One line of JSON for each number of people: CPU milliseconds a person for the whole judgement, for what of it
is deriving (what meetings and mails mean together), and for the peer, each over the same 50 observations of
everybody, held in memory.
Histories are made a thousand at a time, outside the measured time, because those of 100,000 people do not fit
into memory at once. The garbage collector runs, but not over these histories: the service, too, reads a
person, judges them and lets go of them again.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.assessment import assess
from bot.model import Json, Kind, Observation, Person
from bot.past import Past
from bot.pipeline import Rules
from bot.service import rules
from watchers import load

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
BATCH = 1000
SEED = 20260615
OBSERVED = 50
REP = "rita@vendor.example"

FIXED = {"departed": 100, "mailbox_gone": 30, "meeting": 5, "transient": 1, "on_leave": -5, "wrote": -2}
"""The peer's points; it knows no time, no contradiction, no dependence and no person."""


def person(number: int, chance: random.Random) -> Person:
    """Return somebody with a year of mail, a meeting that moves, and now and then a sign of more."""
    address = f"p{number}@a{number // 20}.example"
    last, gap = chance.choice((3, 10, 20, 60)), chance.uniform(4, 14)
    found = [_meeting(address, days, days - 14 * step) for step, days in enumerate((90, 78, 64, 50), start=1)]
    if number % 10 == 0:
        found.append(_seen(address, "mailbox_gone", 2, ours=True, original_message_id="", status="5.1.1"))
    if number % 7 == 0:
        found.append(
            _seen(address, "on_leave", 100, message_id=f"l{number}", returns="2026-03-20", successors=[])
        )
    if number % 50 == 0:
        found.append(_seen(address, "departed", 1, message_id=f"d{number}", leaves="", successors=[]))
    days = float(last)
    while len(found) < OBSERVED:
        kind = ("wrote", "written_to", "wrote", "written_to", "copied")[len(found) % 5]
        headers: dict[str, Json] = {"message_id": f"{len(found)}.{number}@vendor.example", "with": [REP]}
        found.append(_seen(address, kind, days, answers="", field="to", name="Jane Doe", **headers))
        days += chance.expovariate(2 / gap)
    return Person(address, observations=tuple(found))


def _seen(address: str, kind: str, days: float, **facts: Json) -> Observation:
    at = NOW - timedelta(days=days)
    return Observation(address, kind, at, f"mailbox:{REP}", f"{kind} of that day", facts=facts, seen=at)


def _meeting(address: str, days: float, start_in: float) -> Observation:
    start = NOW - timedelta(days=start_in)
    return _seen(
        address,
        "meeting",
        days,
        message_id=f"call-{days}@{address}",
        uid=f"call@{address}",
        recurrence_id="",
        series=False,
        method="REQUEST",
        sequence=0,
        dtstamp=(NOW - timedelta(days=days)).isoformat(),
        start=start.isoformat(),
        end=(start + timedelta(hours=1)).isoformat(),
        status="",
        organizer=address,
        attendees=[[address, "ACCEPTED"], [REP, "NEEDS-ACTION"]],
        delegated_to="",
        by=address,
        by_side="them",
        words=True,
        wording=f"{days}",
    )


def batches(count: int) -> Iterator[list[Person]]:
    """Yield so many people, a thousand at a time, the same in every run."""
    chance = random.Random(SEED)  # noqa: S311 - the same every time, on purpose
    for first in range(0, count, BATCH):
        yield [person(number, chance) for number in range(first, min(first + BATCH, count))]


def fixed(observations: Sequence[Observation], kinds: Mapping[str, Kind]) -> float:
    """Judge as trackers with fixed weights do: add the points of whatever was seen."""
    return sum(FIXED.get(seen.kind, 0) for seen in observations if seen.kind in kinds)


def measure(count: int, judge: Rules) -> dict[str, object]:
    """Judge so many people and return what it cost."""
    used = dict.fromkeys(("whole", "derive", "peer"), 0.0)
    verdicts: Counter[str] = Counter()
    for people in batches(count):
        for each in people:
            for seen in each.observations:
                _ = seen.key  # computed when an observation is recorded, long before it is judged
        gc.collect()
        gc.freeze()
        began = time.process_time()
        for each in people:
            one = replace(each, observations=Past.of(each.observations))
            more = judge.derive(one, NOW)
            verdicts[assess(one.address, one.observations, NOW, judge.kinds, derived=more).verdict] += 1
        judged = time.process_time()
        for each in people:
            judge.derive(each, NOW)
        derived = time.process_time()
        for each in people:
            fixed(each.observations, judge.kinds)
        used["whole"] += judged - began
        used["derive"] += derived - judged
        used["peer"] += time.process_time() - derived
    return {
        "people": count,
        "observations_each": OBSERVED,
        "cpu_s": round(used["whole"], 2),
        **{f"{name}_ms_each": round(seconds / count * 1000, 4) for name, seconds in used.items()},
        "verdicts": dict(sorted(verdicts.items())),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, nargs="+", default=[1000, 10_000, 100_000])
    asked = parser.parse_args()
    load()
    for count in asked.people:
        print(json.dumps(measure(count, rules())), flush=True)


if __name__ == "__main__":
    main()
