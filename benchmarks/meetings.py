"""Measure how many alarms normal rescheduling raises, and when the founding story does.

    python -m benchmarks.meetings [--histories 1000] [--seed 0] [--json]

Each history is half a year of one customer: meetings with one push by them, pushes of our own, re-sent
invitations, series and their edits, sick days, other rooms, zones, agendas, guests and hours, cancellations
that come with a new date, across the change of the clocks, in the dialects of eight calendar programs
(`tests.watchers.rescheduling`). Its mails go through the real readers, and the customer is judged as the
pipeline judges, at each mail and two, three and five days after it. An alarm is a verdict that opens a case.

The founding story is told in each dialect, and judged as it happens: no bounce, no automatic reply. It passes
where Slipping is said at the second push, or at the latest at the bare update, and not before.

Exits with 1 where there is an alarm, or a story that is not told in time.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.assessment import assess
from bot.model import ALARMING, Assessment, Observation, Person, Verdict
from bot.pipeline import Rules
from tests.watchers.dialects import ONE_WAY, Writer
from tests.watchers.invitation_mails import DAY, JANE, SCOPE, Invitation
from tests.watchers.rescheduling import normal_history
from watchers import MailReader, derivers, kinds, load_readers
from watchers.mail.parse import parse

LOOKS = (
    timedelta(minutes=1),
    timedelta(days=2, minutes=1),
    timedelta(days=3, minutes=1),
    timedelta(days=5, minutes=1),
)
"""How long after each mail the customer is judged: when something new can be said."""

STEPS = ("call set", "first push", "second push", "bare update")
IN_TIME = frozenset({"second push", "bare update"})


@dataclass(frozen=True)
class Alarm:
    """A verdict that normal life does not deserve, and what made it."""

    seed: int
    at: datetime
    verdict: Verdict
    headline: str
    kinds: tuple[str, ...]
    happened: tuple[str, ...]


class Reader:
    """The real readers and the real judgement, without a store."""

    def __init__(self) -> None:
        load_readers()
        self.readers = [reader() for reader in MailReader.registry.values()]
        self.rules = Rules(kinds(), derivers())

    def read(self, mails: Iterable[bytes]) -> list[Observation]:
        """Return what the mails say about the customer."""
        parsed = [parse(mail) for mail in mails]
        found = (seen for mail in parsed for reader in self.readers for seen in reader.read(mail, SCOPE))
        unique = {seen.key: seen for seen in found if seen.contact == JANE}
        return sorted(unique.values(), key=lambda seen: seen.at)

    def judge(self, history: Sequence[Observation], now: datetime) -> Assessment:
        """Judge the customer by what was known then."""
        known = tuple(seen for seen in history if seen.at <= now)
        derived = self.rules.derive(Person(JANE, observations=known), now)
        return assess(JANE, known, now, self.rules.kinds, derived=derived)


def first_alarm(reader: Reader, seed: int) -> Alarm | None:
    """Return the first alarm of a made-up history, None where there is none."""
    made = normal_history(seed)
    history = reader.read(mail for _, mail in made.mails)
    for now in sorted({at + after for at, _ in made.mails for after in LOOKS}):
        found = reader.judge(history, now)
        if found.verdict in ALARMING:
            made_by = tuple(item.kind for item in found.evidence if item.weight > 0)
            return Alarm(seed, now, found.verdict, found.headline, made_by, tuple(made.happened))
    return None


def story() -> tuple[Invitation, ...]:
    """Return the founding story: set, pushed by two weeks twice, then far away, never with a word."""
    first = Invitation()
    second = first.pushed(14)
    third = second.pushed(14)
    return first, second, third, third.pushed(80)


def first_slipping(reader: Reader, writer: Writer) -> str:
    """Return the step of the founding story at which Slipping is first said; "never" where it is not."""
    mails = story()
    history = reader.read(map(writer, mails))
    for step, mail in zip(STEPS, mails, strict=True):
        waits = 2 * DAY if step == "bare update" else timedelta()
        if reader.judge(history, mail.sent + waits + timedelta(minutes=1)).verdict in ALARMING:
            return step
    return "never"


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--histories", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    asked = parser.parse_args()
    reader = Reader()
    began = time.perf_counter()
    seeds = range(asked.seed, asked.seed + asked.histories)
    alarms = [alarm for seed in seeds if (alarm := first_alarm(reader, seed)) is not None]
    seconds = time.perf_counter() - began
    stories = {name: first_slipping(reader, writer) for name, writer in ONE_WAY.items()}
    happened = Counter(what for seed in seeds for what in normal_history(seed).happened)
    if asked.json:
        report = {
            "histories": asked.histories,
            "alarms": len(alarms),
            "made_by": Counter(kind for alarm in alarms for kind in alarm.kinds),
            "happened": happened,
            "stories": stories,
            "seconds": round(seconds, 1),
        }
        print(json.dumps(report))
    else:
        _show(asked.histories, seconds, alarms, happened, stories)
    return 1 if alarms or not IN_TIME.issuperset(stories.values()) else 0


def _show(
    histories: int,
    seconds: float,
    alarms: Sequence[Alarm],
    happened: Counter[str],
    stories: dict[str, str],
) -> None:
    print(f"{histories} histories of normal rescheduling: {len(alarms)} alarms ({seconds:.0f} s)\n")
    for what, times in happened.most_common():
        print(f"  {times:6}  {what.replace('_', ' ')}")
    for alarm in alarms[:10]:
        print(f"\n  seed {alarm.seed}, {alarm.at:%-d %B %Y}: {alarm.verdict}: {alarm.headline}")
        print(f"    {', '.join(alarm.kinds)}; after {', '.join(alarm.happened)}")
    print("\nThe founding story is Slipping at:\n")
    for name, step in stories.items():
        print(f"  {name:12}  {step}")


if __name__ == "__main__":
    sys.exit(main())
