"""The search in numpy finds what the toolkit's finds, which is held against searches that try everything."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy
import pytest
import torch

from seq2seq import search
from seq2seq.errors import ModelError
from seq2seq.runtime.beam import Vocabulary, beam_search, max_lengths, min_lengths
from seq2seq.runtime.selection import best_continuations
from seq2seq.runtime.settings import SearchSettings
from tests.search.conftest import BOS, EOS, PAD, ToyModel, ToyState, full_of_ties, hashing, markov, request

VOCABULARY = Vocabulary(bos_id=BOS, eos_id=EOS, forbidden=(PAD, BOS))


def found(
    model: ToyModel, sentences: Sequence[int], lengths: Sequence[int], settings: SearchSettings
) -> list[list[int]]:
    """What the search in numpy finds in these tables of a toy; `lengths` decide how long hypotheses may be."""
    start = model.start(sentences)

    def step(tokens: Any, memory: Any, states: Any) -> Any:
        state = ToyState(*(torch.from_numpy(array) for array in (*memory.values(), *states.values())))
        log_probs, after, attention = model.step(torch.from_numpy(tokens), state)
        return log_probs.numpy(), {"history": after.memory.numpy()}, attention.numpy()

    return beam_search(
        step,
        memory={"tables": start.tables.numpy(), "lengths": start.lengths.numpy()},
        states={"history": start.memory.numpy()},
        lengths=numpy.array(lengths, dtype=numpy.int64),
        vocabulary=VOCABULARY,
        settings=settings,
    )


def expected(
    model: ToyModel, sentences: Sequence[int], lengths: Sequence[int], settings: SearchSettings
) -> list[list[int]]:
    """What the toolkit's search finds there."""
    own = torch.tensor(lengths)
    limits = (own * settings.max_length_ratio).long() + settings.max_length_offset
    if settings.max_length is not None:
        limits = limits.clamp(max=settings.max_length + 1)
    asked = request(
        limits,
        beam=settings.beam,
        scoring=search.Scoring(
            length_penalty=settings.length_penalty,
            normalization=settings.normalization,
            word_penalty=settings.word_penalty,
            coverage_penalty=settings.coverage_penalty,
            stopping=settings.stopping,
        ),
        rules={
            "min_lengths": (own * settings.min_length_ratio).ceil().long().clamp(min=settings.min_length) + 1,
            "no_repeat_ngram": settings.no_repeat_ngram,
        },
        source_lengths=own,
    )
    return [best[0].ids for best in search.beam_search(model, model.start(sentences), asked)]


@pytest.mark.parametrize("beam", [1, 2, 5])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"length_penalty": 0.0},
        {"length_penalty": 0.6, "normalization": "gnmt"},
        {"word_penalty": -0.7},
        {"word_penalty": 0.4, "length_penalty": 0.0},
        {"coverage_penalty": 0.8},
        {"stopping": "heuristic"},
        {"max_length": 4},
        {"min_length": 4, "min_length_ratio": 1.7},
        {"no_repeat_ngram": 2},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "toy", [hashing(tables=9, vocab=11, end=1.0), full_of_ties(tables=9, vocab=6)], ids=["", "ties"]
)
def test_it_finds_what_the_toolkit_finds(toy: ToyModel, changes: dict[str, Any], beam: int) -> None:
    """Sentences of many lengths leave the batch at many steps; a vocabulary of 6 is smaller than two beams of 5."""
    settings = SearchSettings(**({"beam": beam, "max_length_ratio": 1.6, "max_length_offset": 3} | changes))
    sentences, lengths = [0, 3, 1, 8, 2, 7, 5, 4, 6], [1, 4, 2, 5, 3, 9, 2, 7, 12]
    assert found(toy, sentences, lengths, settings) == expected(toy, sentences, lengths, settings)


def test_two_thousand_columns_and_more_are_looked_at_in_lanes() -> None:
    toy = hashing(tables=3, vocab=2100)
    settings = SearchSettings(beam=4, max_length_ratio=1.0, max_length_offset=4)
    assert found(toy, [0, 1, 2], [2, 3, 4], settings) == expected(toy, [0, 1, 2], [2, 3, 4], settings)


def test_worked_by_hand() -> None:
    """Greedy takes 3 (0.6), then 4 (0.5); 4 EOS has 0.4 * 0.9 = 0.36, more than 3 EOS with 0.6 * 0.4 = 0.24."""
    toy = markov({BOS: {3: 0.6, 4: 0.4}, 3: {4: 0.5, EOS: 0.4, 3: 0.1}, 4: {EOS: 0.9, 3: 0.1}}, vocab=5)
    settings = SearchSettings(beam=1, length_penalty=0.0, max_length=5)
    assert found(toy, [0], [3], settings) == [[3, 4]]
    assert found(toy, [0], [3], SearchSettings(beam=2, length_penalty=0.0, max_length=5)) == [[4]]


def test_ties_go_to_the_lowest_parent_and_then_to_the_lowest_token() -> None:
    log_probs = numpy.full((4, 7), -1.0, dtype=numpy.float32)
    log_probs[3, 6] = -0.5
    live = numpy.array([[0.0, 0.0], [-numpy.inf, -1.0]], dtype=numpy.float32)
    values, parents, tokens = best_continuations(log_probs, live, 3)
    assert values.tolist() == [[-1.0, -1.0, -1.0], [-1.5, -2.0, -2.0]]
    assert parents.tolist() == [[0, 0, 0], [1, 1, 1]]
    assert tokens.tolist() == [[0, 1, 2], [6, 0, 1]]


def test_where_nothing_is_left_there_is_nothing() -> None:
    log_probs = numpy.array([[-numpy.inf, -0.25, -numpy.inf]], dtype=numpy.float32)
    values, _, tokens = best_continuations(log_probs, numpy.zeros((1, 1), dtype=numpy.float32), 4)
    assert values.tolist() == [[-0.25, -math.inf, -math.inf, -math.inf]]
    assert tokens[0, 0] == 1


def test_a_broken_model_is_an_error() -> None:
    nothing = markov({BOS: {}}, vocab=5)
    with pytest.raises(ModelError, match="gives every continuation of a sentence the probability 0"):
        found(nothing, [0], [3], SearchSettings(beam=2))
    nothing.tables[:] = math.nan
    with pytest.raises(ModelError, match=r"not numbers \(NaN\)"):
        found(nothing, [0], [3], SearchSettings(beam=2))


def test_lengths_are_those_of_the_toolkit() -> None:
    """Products in float32, as torch has them: 0.29 * 100 is 29 there, and 28.999999999999996 in float64."""
    lengths = numpy.array([0, 1, 100], dtype=numpy.int64)
    settings = SearchSettings(
        max_length_ratio=0.29, max_length_offset=2, max_length=40, min_length_ratio=0.07, min_length=3
    )
    torch_lengths = (torch.from_numpy(lengths) * 0.29).long() + 2
    assert max_lengths(settings, lengths).tolist() == torch_lengths.tolist() == [2, 2, 31]
    assert min_lengths(settings, lengths).tolist() == [4, 4, 8]
    assert max_lengths(SearchSettings(max_length=9), lengths).tolist() == [10, 10, 10]
