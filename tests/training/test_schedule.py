"""Learning rates at updates picked by hand."""

from __future__ import annotations

import math
from typing import Any, get_args

import pytest

from seq2seq.recipe import ScheduleName
from seq2seq.training.schedule import Schedule


def make(name: Any, **changes: Any) -> Schedule:
    arguments: dict[str, Any] = {
        "learning_rate": 0.8, "warmup_updates": 4, "minimum": 0.0, "factor": 0.5, "patience": 1, "total_updates": 20,
        "step_after": 10.0, "step_every": 2.5,
    }  # fmt: skip
    return Schedule(name=name, **arguments | changes)


@pytest.mark.parametrize("name", get_args(ScheduleName))
def test_warm_up_is_linear(name: str) -> None:
    schedule = make(name)
    assert [schedule.rate(update, reductions=0) for update in (1, 2, 3, 4)] == pytest.approx([0.2, 0.4, 0.6, 0.8])


@pytest.mark.parametrize("name", get_args(ScheduleName))
def test_the_peak_is_reached_and_never_passed(name: str) -> None:
    for warmup in (0, 1, 7):
        rates = [make(name, warmup_updates=warmup).rate(update, reductions=0) for update in range(1, 21)]
        assert max(rates) == rates[max(warmup, 1) - 1] or name == "cosine"
        assert max(rates) <= 0.8
        assert all(rate >= 0 for rate in rates)


def test_constant() -> None:
    assert make("constant").rate(5, reductions=3) == 0.8
    assert make("constant", warmup_updates=0).rate(1, reductions=0) == 0.8
    assert make("constant").rate(10**9, reductions=0) == 0.8


@pytest.mark.parametrize(("update", "expected"), [(4, 0.8), (16, 0.4), (36, 0.8 / 3), (400, 0.08)])
def test_inverse_square_root(update: int, expected: float) -> None:
    assert make("inverse-sqrt").rate(update, reductions=0) == pytest.approx(expected)


def test_inverse_square_root_without_warm_up() -> None:
    schedule = make("inverse-sqrt", warmup_updates=0)
    assert [schedule.rate(update, reductions=0) for update in (1, 4, 100)] == pytest.approx([0.8, 0.4, 0.08])


@pytest.mark.parametrize(
    ("update", "share"),
    [(4, 1.0), (8, (1 + math.sqrt(0.5)) / 2), (12, 0.5), (16, (1 - math.sqrt(0.5)) / 2), (20, 0.0), (50, 0.0)],
)
def test_cosine(update: int, share: float) -> None:
    assert make("cosine").rate(update, reductions=0) == pytest.approx(0.8 * share, abs=1e-15)
    expected = 0.2 + 0.6 * share
    assert make("cosine", minimum=0.2).rate(update, reductions=0) == pytest.approx(expected)


def test_plateau() -> None:
    schedule = make("plateau", minimum=0.15)
    assert [schedule.rate(9, reductions=count) for count in range(5)] == pytest.approx([0.8, 0.4, 0.2, 0.15, 0.15])
    assert make("plateau", factor=0.1).rate(9, reductions=2) == pytest.approx(0.008)
    # A minimum above the rate does not raise it.
    assert make("plateau", minimum=2.0).rate(9, reductions=1) == 0.8


def test_step() -> None:
    # Lower from update 11 on, and again from the first update past 12.5 and past 15.
    rates = [make("step").rate(update, reductions=0) for update in (4, 10, 11, 12, 13, 15, 16)]
    assert rates == pytest.approx([0.8, 0.8, 0.4, 0.4, 0.2, 0.2, 0.1])
    assert make("step", minimum=0.15).rate(400, reductions=0) == 0.15
    assert make("step", factor=0.7).rate(13, reductions=0) == pytest.approx(0.8 * 0.49)
