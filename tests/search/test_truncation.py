"""What may be sampled, by hand; and random numbers against SplitMix64 in Python's integers."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from seq2seq.search.random_numbers import uniform
from seq2seq.search.truncation import Truncation

ROW = [0.1, 0.4, 0.05, 0.3, 0.15]


def shares(**options: Any) -> list[float]:
    """What is drawn how often, of a distribution that sums to a half: forbidden tokens have the rest."""
    weights = Truncation(**options).weights((torch.tensor([ROW]) / 2).log())
    return (weights / weights.sum()).squeeze(0).tolist()


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"top_k": 1}, [1]),
        ({"top_k": 3}, [1, 3, 4]),
        ({"top_k": 9}, [0, 1, 2, 3, 4]),
        ({"top_p": 0.3}, [1]),
        ({"top_p": 0.5}, [1, 3]),
        ({"top_p": 0.84}, [1, 3, 4]),
        ({"top_p": 0.86}, [0, 1, 3, 4]),
        ({"epsilon": 0.09}, [0, 1, 3, 4]),
        ({"epsilon": 0.2}, [1, 3]),
        ({"epsilon": 0.9}, [1]),
        ({"top_k": 3, "epsilon": 0.2}, [1, 3]),
        ({"top_k": 2, "top_p": 0.5}, [1]),
    ],
)
def test_what_is_kept(options: dict[str, Any], kept: list[int]) -> None:
    total = sum(ROW[token] for token in kept)
    expected = [ROW[token] / total if token in kept else 0.0 for token in range(5)]
    assert shares(**options) == pytest.approx(expected)


def test_temperature_comes_first() -> None:
    squared = [value**2 for value in ROW]
    assert shares(temperature=0.5) == pytest.approx([value / sum(squared) for value in squared])
    # Of the squares the first has .54 and the first two have .85: after the temperature .5 keeps one, before it two.
    assert shares(temperature=0.5, top_p=0.5) == pytest.approx([0.0, 1.0, 0.0, 0.0, 0.0])


def test_equally_probable_ones_at_the_edge_all_stay() -> None:
    weights = Truncation(top_k=2).weights(torch.tensor([[0.4, 0.2, 0.2, 0.2]]).log())
    assert (weights > 0).tolist() == [[True, True, True, True]]


def test_a_row_of_nothing_stays_nothing() -> None:
    for options in ({"temperature": 0.5}, {"top_k": 2}, {"top_p": 0.5}, {"epsilon": 0.1}):
        weights = Truncation(**options).weights(torch.full((1, 4), -math.inf))  # type: ignore[arg-type]
        assert weights.tolist() == [[0.0] * 4]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0.0}, "temperature must be a finite number above 0"),
        ({"top_k": 0}, "top_k must be at least 1"),
        ({"top_p": 0.0}, "top_p must lie above 0"),
        ({"top_p": 1.1}, "top_p must lie above 0"),
        ({"epsilon": 1.0}, "epsilon must be at least 0 and below 1"),
    ],
)
def test_senseless_values(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Truncation(**options)


def split_mix(*keys: int) -> float:
    """The same numbers in unsigned integers of any size, cut to 64 bits."""
    whole = 2**64 - 1

    def mix(bits: int) -> int:
        bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & whole
        bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & whole
        return bits ^ (bits >> 31)

    state = 0
    for key in keys:
        state = mix(state ^ mix((key + 0x9E3779B97F4A7C15) & whole))
    return (state >> 40) * 2.0**-24


def test_the_mixing_function_is_split_mix() -> None:
    # The first numbers of the generator that begins at 0, as its authors' code gives them: its state grows by gamma.
    assert split_mix_output(1) == 0xE220A8397B1DCDAF
    assert split_mix_output(2) == 0x6E789E6AA1B965F4


def split_mix_output(number: int) -> int:
    from seq2seq.search.random_numbers import _GAMMA, _mix

    return int(_mix(torch.tensor(number) * _GAMMA)) % 2**64


def test_numbers_are_those_of_integers() -> None:
    keys = torch.tensor([[3], [2**62], [-5]])
    numbers = uniform(11, keys, torch.arange(4), 7)
    assert numbers.shape == (3, 4)
    for row, key in enumerate(keys.flatten().tolist()):
        assert numbers[row].tolist() == [split_mix(11, key, column, 7) for column in range(4)]


def test_numbers_are_uniform() -> None:
    # 10,000 in each of 100 parts are expected; chi squared with 99 degrees of freedom is below 149 in all but a
    # thousandth of cases. Neighbours along every key are uncorrelated within four standard errors.
    numbers = uniform(7, torch.arange(200)[:, None, None], torch.arange(50)[:, None], torch.arange(100))
    counts = torch.histc(numbers, 100, 0.0, 1.0)
    assert float(((counts - 1e4) ** 2 / 1e4).sum()) < 149.0
    for axis in range(3):
        size = numbers.shape[axis] - 1
        pair = torch.stack([numbers.narrow(axis, 0, size).flatten(), numbers.narrow(axis, 1, size).flatten()])
        assert abs(float(torch.corrcoef(pair)[0, 1])) < 4 / math.sqrt(pair.shape[1])
