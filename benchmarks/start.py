"""Measure how soon the command line answers: `python benchmarks/start.py`.

Prints, for some commands, the median and the slowest of several starts, each in a process of its own, by the
clock, and the processor time of one. A busy machine makes the clock's seconds longer, the processor's hardly.
`stillthere --help` is to be there within 0.4 s.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

STARTS = 9
COMMANDS = (("--version",), ("--help",), ("init", "--help"), ("watchers",))


def seconds(*words: str) -> tuple[float, float]:
    """Return how long one start took by the clock, and how much of the processor it used."""
    before, began = os.times(), time.perf_counter()
    subprocess.run([sys.executable, "-m", "bot", *words], check=True, stdout=subprocess.DEVNULL)
    took, after = time.perf_counter() - began, os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return took, used


def main() -> None:
    """Start each command several times."""
    for words in COMMANDS:
        took, used = zip(*(seconds(*words) for _ in range(STARTS)), strict=True)
        print(
            f"stillthere {' '.join(words):12} median {statistics.median(took):.2f} s, "
            f"slowest of {STARTS} {max(took):.2f} s; processor {statistics.median(used):.2f} s"
        )


if __name__ == "__main__":
    main()
