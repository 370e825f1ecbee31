from __future__ import annotations

from dataclasses import replace

import pytest

from bot.backtest.settings import Chosen, changed
from bot.evidence import Scales
from bot.model import NeedsHuman


def test_the_scales_that_learning_moves_can_be_tried() -> None:
    chosen = changed(["scale_calendar=0.5", "scale_mail=2"])
    assert chosen.scales == Scales(calendar=0.5, mail=2.0)
    assert replace(chosen, scales=Scales(), name="") == replace(Chosen(), name="")


@pytest.mark.parametrize("change", ["likely_from=70", "quiet_from=1.5"])
def test_a_probability_above_one_is_refused_and_what_is_none_may_be_larger(change: str) -> None:
    with pytest.raises(NeedsHuman, match=r"cannot be set") as problem:
        changed([change])
    assert "likely_from and quiet_from are at most 1" in problem.value.how
    assert changed(["slipping_from=2.5", "likely_from=1"]).thresholds.slipping_from == 2.5


@pytest.mark.parametrize("change", ["scale_mail=3", "scale_mail=0.1", "scale_answer=1", "mail=1"])
def test_a_scale_beyond_its_bounds_and_one_that_is_not_learnt_are_refused(change: str) -> None:
    with pytest.raises(NeedsHuman, match=r"cannot be set") as problem:
        changed([change])
    assert "scale_calendar" in problem.value.how
