from __future__ import annotations

import random

import numpy
import pytest

from seq2seq.benchmark.figures import Spread, percentile


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([7.0], 99, 7.0),
        ([4.0, 1.0, 3.0, 2.0], 50, 2.5),
        ([4.0, 1.0, 3.0, 2.0], 95, 3.85),  # at 3 * 0.95 = 2.85 from the lowest: 3 + 0.85 * (4 - 3)
        ([4.0, 1.0, 3.0, 2.0], 99, 3.97),
        ([4.0, 1.0, 3.0, 2.0], 0, 1.0),
        ([4.0, 1.0, 3.0, 2.0], 100, 4.0),
        ([10.0, 20.0, 30.0], 50, 20.0),
        ([10.0, 20.0, 30.0], 95, 29.0),  # at 1.9
    ],
)
def test_percentiles_by_hand(values: list[float], percent: float, expected: float) -> None:
    assert percentile(values, percent) == pytest.approx(expected, abs=1e-12)


def test_percentiles_are_those_of_numpy() -> None:
    draw = random.Random(3)
    values = [draw.lognormvariate(0.0, 1.0) for _ in range(101)]
    for percent in (1, 50, 90, 95, 99, 99.9):
        assert percentile(values, percent) == pytest.approx(float(numpy.percentile(values, percent)), rel=1e-12)


def test_the_spread_of_rounds() -> None:
    assert Spread.of([3.0, 1.0, 8.0]) == Spread(3.0, 1.0, 8.0)
    assert Spread.of([3.0, 1.0]) == Spread(2.0, 1.0, 3.0)
    assert Spread.of([3.0004]).as_dict(digits=3) == {"median": 3.0, "lowest": 3.0, "highest": 3.0}
