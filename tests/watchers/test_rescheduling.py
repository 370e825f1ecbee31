from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.meetings import IN_TIME, Reader, first_alarm, first_slipping
from tests.watchers.dialects import ONE_WAY, Writer
from tests.watchers.rescheduling import OURS, THEIRS, normal_history


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@pytest.mark.parametrize("seeds", [range(n, n + 10) for n in range(0, 60, 10)], ids=str)
def test_normal_rescheduling_raises_no_alarm(reader: Reader, seeds: range) -> None:
    assert [alarm for seed in seeds if (alarm := first_alarm(reader, seed)) is not None] == []


@pytest.mark.parametrize("dialect", ONE_WAY.values(), ids=ONE_WAY)
def test_the_founding_story_is_slipping_in_time_in_every_dialect(reader: Reader, dialect: Writer) -> None:
    assert first_slipping(reader, dialect) in IN_TIME


def test_the_made_up_histories_hold_every_habit_and_are_the_same_each_time() -> None:
    histories = [normal_history(seed) for seed in range(60)]
    happened = Counter(what for history in histories for what in history.happened)

    assert set(happened) == {habit.__name__ for habit in (*THEIRS, *OURS)}
    assert normal_history(7).mails == histories[7].mails
    assert all(mails == sorted(mails, key=lambda mail: mail[0]) for mails in (one.mails for one in histories))
