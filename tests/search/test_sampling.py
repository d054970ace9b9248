"""Sampling: how often what is drawn, against the probabilities of tables that can be worked out by hand."""

from __future__ import annotations

import math
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from seq2seq.search import Draws, Truncation, sample
from seq2seq.search.sampling import _draw

PAD, BOS, EOS, A, B = range(5)


def toy(toys: SimpleNamespace) -> Any:
    """Two sentences. Of the first: A 0.5, B 0.3, end 0.2 at first; after A the end, after B A or B, half each.

    The second ends at once with 0.9; else it goes on with A for ever. PAD has a share that no hypothesis may take.
    """
    model = toys.markov({BOS: {A: 0.4, B: 0.24, EOS: 0.16, PAD: 0.2}, A: {EOS: 1.0}, B: {A: 0.5, B: 0.5}}, vocab=5)
    other = toys.markov({BOS: {EOS: 0.9, A: 0.1}, A: {A: 1.0}}, vocab=5)
    model.tables = torch.cat((model.tables, other.tables))
    model.source_lengths = torch.tensor([2, 3])
    return model


def draw(
    toys: SimpleNamespace, samples: int, *, temperature: float = 1.0, seed: int = 1, longest: int = 4
) -> list[Counter[tuple[int, ...]]]:
    model = toy(toys)
    drawn = sample(
        model,
        model.start([0, 1]),
        model.request([longest, longest], beam=samples),
        draws=Draws(seed=seed, keys=torch.arange(2)),
        truncation=Truncation(temperature=temperature),
    )
    assert [len(hypotheses) for hypotheses in drawn] == [samples, samples]
    for table, hypotheses in enumerate(drawn):
        for hypothesis in hypotheses[:50]:
            expected, _ = toy(toys).replay(table, hypothesis.ids, finished=hypothesis.finished)
            assert hypothesis.token_log_probs == pytest.approx(expected)
            assert hypothesis.log_prob == pytest.approx(sum(expected))
            assert hypothesis.score == pytest.approx(sum(expected) / len(expected))
            assert hypothesis.finished or len(hypothesis.ids) == longest
    return [Counter(tuple(hypothesis.ids) for hypothesis in hypotheses) for hypotheses in drawn]


def near(counts: Counter[tuple[int, ...]], expected: dict[tuple[int, ...], float]) -> None:
    """Within four standard deviations of the binomial, and nothing else."""
    total = sum(counts.values())
    assert set(counts) <= set(expected)
    for ids, probability in expected.items():
        deviation = math.sqrt(probability * (1 - probability) / total)
        assert counts[ids] / total == pytest.approx(probability, abs=4 * deviation), ids


def test_frequencies_are_the_probabilities(toys: SimpleNamespace) -> None:
    first, second = draw(toys, 20_000)
    # The share of PAD falls to the others in proportion. A hypothesis of four tokens without an end is cut off.
    near(
        first,
        {
            (A,): 0.5,
            (): 0.2,
            (B, A): 0.15,
            (B, B, A): 0.075,
            (B, B, B, A): 0.0375,
            (B, B, B, B): 0.0375,
        },
    )
    near(second, {(): 0.9, (A, A, A, A): 0.1})


def test_temperature_is_a_power(toys: SimpleNamespace) -> None:
    first, _ = draw(toys, 20_000, temperature=0.5)
    whole = 0.5**2 + 0.3**2 + 0.2**2
    assert first[(A,)] / 20_000 == pytest.approx(0.25 / whole, abs=0.015)
    assert first[()] / 20_000 == pytest.approx(0.04 / whole, abs=0.015)


def test_a_seed_repeats_and_another_does_not(toys: SimpleNamespace) -> None:
    assert draw(toys, 200, seed=3) == draw(toys, 200, seed=3)
    assert draw(toys, 200, seed=3) != draw(toys, 200, seed=4)


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.inf, math.nan])
def test_a_temperature_must_be_positive(temperature: float, toys: SimpleNamespace) -> None:
    with pytest.raises(ValueError, match="temperature"):
        draw(toys, 1, temperature=temperature)


def test_no_sentences(toys: SimpleNamespace) -> None:
    model = toy(toys)
    nothing = torch.zeros(0, dtype=torch.long)
    assert sample(model, model.start([]), model.request(nothing, beam=3), draws=Draws(seed=1, keys=nothing)) == []


@pytest.mark.parametrize(("number", "expected"), [(0.0, 1), (0.25, 1), (0.75, 3), (1.0 - 2.0**-24, 3), (1.0, 3)])
def test_no_random_number_draws_what_has_no_probability(number: float, expected: int) -> None:
    """Not even the largest, which rounding may make the whole; tokens 0, 2 and 4 have none."""
    probabilities = torch.tensor([[0.0, 0.5, 0.0, 0.5, 0.0], [0.0, 0.1, 0.0, 0.1, 0.0]])
    assert _draw(probabilities, torch.full((2,), number)).tolist() == [expected, expected]
