"""Scores, bounds and rules: numbers worked by hand, and those of the toolkit."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy
import pytest
import torch

from seq2seq.runtime.beam import Vocabulary
from seq2seq.runtime.scoring import best_reachable, exclude_repetitions, log_coverage, score
from seq2seq.runtime.settings import SearchSettings
from seq2seq.search import Scoring
from seq2seq.search.scoring import log_coverage as torch_log_coverage


def floats(*values: float) -> Any:
    return numpy.array(values, dtype=numpy.float32)


def test_scores_by_hand() -> None:
    covered = floats(-2.0)
    assert score(SearchSettings(length_penalty=2.0), floats(-8.0), 4, None).tolist() == [-0.5]
    assert score(SearchSettings(length_penalty=1.0, normalization="gnmt"), floats(-3.0), 7, None).tolist() == [-1.5]
    settings = SearchSettings(length_penalty=0.0, word_penalty=0.25, coverage_penalty=0.5)
    assert score(settings, floats(-3.0, -math.inf), 4, covered).tolist() == [-5.0, -math.inf]


def test_bounds_by_hand() -> None:
    """Of 3 tokens now and at most 8: the next has 4. A penalty counts for 4 of them, a bonus for 8."""
    limits = numpy.array([8])
    for word_penalty, bound in ((0.5, -4.0 - 0.5 * 4), (-0.5, -4.0 + 0.5 * 8)):
        settings = SearchSettings(length_penalty=0.0, word_penalty=word_penalty)
        assert best_reachable(settings, floats(-4.0), length=3, max_lengths=limits).tolist() == [bound]
    assert best_reachable(SearchSettings(), floats(-4.0), length=3, max_lengths=limits).tolist() == [-0.5]
    heuristic = SearchSettings(stopping="heuristic")
    assert best_reachable(heuristic, floats(-4.0), length=3, max_lengths=limits).tolist() == [-1.0]


@pytest.mark.parametrize("normalization", ["power", "gnmt"])
@pytest.mark.parametrize("length_penalty", [0.0, 0.6, 1.0, 1.7])
@pytest.mark.parametrize("word_penalty", [-0.3, 0.0, 0.3])
@pytest.mark.parametrize("stopping", ["exact", "heuristic"])
def test_they_are_the_numbers_of_the_toolkit(
    normalization: Any, length_penalty: float, word_penalty: float, stopping: Any
) -> None:
    numbers = {"length_penalty": length_penalty, "normalization": normalization, "word_penalty": word_penalty}
    numbers["stopping"] = stopping
    settings, scoring = SearchSettings(**numbers), Scoring(**numbers)
    log_probs, limits = -torch.arange(1, 30) / 7.0, torch.arange(12, 41)
    for length in (1, 11, 12):
        ours = score(settings, log_probs.numpy(), length, None)
        assert ours.tolist() == scoring.score(log_probs, length).tolist()
        ours = best_reachable(settings, log_probs.numpy(), length=length, max_lengths=limits.numpy())
        theirs = scoring.best_reachable(log_probs, length=length, max_lengths=limits)
        assert ours.tolist() == pytest.approx(theirs.tolist(), rel=1e-6, abs=1e-6)


def test_coverage_leaves_the_end_of_the_source_out() -> None:
    attention = torch.tensor([[[0.5, 0.0, 0.2], [2.0, 0.25, 0.9]]])
    ours = log_coverage(attention.numpy(), numpy.array([2]))
    assert ours[0].tolist() == pytest.approx([math.log(0.5) + math.log(0.001), math.log(0.25)])
    assert ours[0].tolist() == pytest.approx(torch_log_coverage(attention, torch.tensor([2]))[0].tolist())


def test_a_sequence_is_not_ended_twice() -> None:
    """After 5 6 7 5 6 a second 5 6 7 is excluded, of the other hypothesis nothing."""
    log_probs = numpy.zeros((2, 9), dtype=numpy.float32)
    exclude_repetitions(log_probs, numpy.array([[5, 6, 7, 5, 6], [5, 6, 7, 6, 5]]), 3)
    assert numpy.argwhere(log_probs == -numpy.inf).tolist() == [[0, 7]]
    exclude_repetitions(log_probs, numpy.array([[5, 6], [5, 6]]), 3)
    assert (log_probs == -numpy.inf).sum() == 1


def test_a_tokenizer_without_padding_can_end_its_sentences() -> None:
    tokenizer: Any = SimpleNamespace(bos_id=1, eos_id=2, pad_id=2, unk_id=0)
    assert Vocabulary.of(tokenizer) == Vocabulary(bos_id=1, eos_id=2, forbidden=(0, 1))
