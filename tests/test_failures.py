"""The two kinds of failure."""

from __future__ import annotations

import pickle
from datetime import timedelta

from bot.model import NeedsHuman, SourceDown


def test_what_a_person_must_mend_reads_the_same_in_another_process() -> None:
    failure = NeedsHuman("site.json cannot be read", "see docs/backtest.md for its form")
    there = pickle.loads(pickle.dumps(failure))  # noqa: S301 - what was made a line above
    assert (str(there), there.what, there.how) == (str(failure), failure.what, failure.how)


def test_a_source_that_is_down_keeps_its_wait_in_another_process() -> None:
    there = pickle.loads(pickle.dumps(SourceDown("busy", timedelta(minutes=5))))  # noqa: S301 - as above
    assert (there.what, there.retry_after) == ("busy", timedelta(minutes=5))
