"""The verdict on a cell, by hand, and wrong input."""

from __future__ import annotations

import math

import pytest

from tools.compare_precisions import Case, main, table, verdict


def test_the_standard_error_is_that_of_the_difference_of_two_means() -> None:
    # Variances 0.01 and 0.04 over two and three runs.
    fp32 = [2.0 - math.sqrt(0.005), 2.0 + math.sqrt(0.005)]
    bf16 = [2.1 - 0.2, 2.1, 2.1 + 0.2]
    difference, error, passed = verdict(fp32, bf16)
    assert difference == pytest.approx(0.1)
    assert error == pytest.approx(math.sqrt(0.01 / 2 + 0.04 / 3))
    assert passed


def test_worse_than_noise_better_than_anything_and_next_to_nothing() -> None:
    close = [2.0, 2.001]
    assert not verdict(close, [2.05, 2.051])[2]
    assert verdict(close, [1.0, 1.001])[2]
    assert verdict(close, [2.019, 2.0195])[2]  # more than the error, but less than anybody minds
    assert not verdict(close, [2.0, math.inf])[2]


def test_a_row_for_every_cell_and_validation() -> None:
    done = {
        Case("gru", "fp32", 1): [3.0, 2.0],
        Case("gru", "bf16", 1): [3.5, 2.0],
        Case("gru", "fp32", 2): [3.0, 2.2],
        Case("gru", "bf16", 2): [3.5, 2.2],
    }
    assert table(done, updates=300)[2:] == [
        "| gru | 150 | 3.0000 | 3.5000 | +0.5000 | 0.0000 | no |",
        "| gru | 300 | 2.1000 | 2.1000 | +0.0000 | 0.1414 | yes |",
    ]


def test_a_cell_that_is_none_and_a_recipe_that_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, complaint in (
        (["recipes/en-fr.yaml", "--cells", "lsmt"], "there is no cell lsmt; choose from elman-tanh"),
        (["recipes/en-fr.yaml", "model.nothing=1"], "model.nothing: unknown key"),
        (["recipes/en-fr.yaml", "--updates", "300", "--validations", "7"], "7 validations cannot be spread evenly"),
        (["recipes/en-fr.yaml", "--seeds", "1"], "a spread needs 2 seeds or more"),
    ):
        with pytest.raises(SystemExit) as end:
            main(arguments)
        assert end.value.code == 2
        assert complaint in capsys.readouterr().err
