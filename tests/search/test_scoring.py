"""Scores by hand, and what bounds them."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from seq2seq.search.scoring import Scoring, log_coverage


@pytest.mark.parametrize(("penalty", "score"), [(0.0, -8.0), (0.5, -4.0), (1.0, -2.0), (2.0, -0.5)])
def test_powers_by_hand(penalty: float, score: float) -> None:
    scoring = Scoring(length_penalty=penalty)
    assert scoring.score(torch.tensor([-8.0, -math.inf]), 4).tolist() == [score, -math.inf]
    assert scoring.score(torch.tensor([-8.0, -8.0]), torch.tensor([4, 1])).tolist() == [score, -8.0]
    assert scoring.score(-8.0, 4) == score


def test_gnmt_by_hand() -> None:
    # (5 + 7) / 6 = 2, and (5 + 1) / 6 = 1.
    scoring = Scoring(length_penalty=2.0, normalization="gnmt")
    assert scoring.score(torch.tensor([-8.0, -8.0]), torch.tensor([7, 1])).tolist() == [-2.0, -8.0]
    assert scoring.score(-8.0, 7) == -2.0


def test_the_word_penalty_is_taken_off_for_every_token() -> None:
    assert Scoring(word_penalty=0.25).score(torch.tensor([-8.0]), 4).tolist() == [-3.0]
    assert Scoring(word_penalty=-0.25, length_penalty=0.0).score(torch.tensor([-8.0]), 4).tolist() == [-7.0]


def test_coverage_by_hand() -> None:
    # Two sentences of 2 and 1 positions. What is above 1 counts as 1, nothing counts as 0.001, padding not at all.
    attention = torch.tensor([[[0.5, 1.5, 0.3], [0.0, 0.25, 0.3]], [[1.0, 0.7, 0.7], [0.1, 0.9, 0.9]]])
    covered = log_coverage(attention, torch.tensor([2, 1]))
    expected = [[math.log(0.5), math.log(0.001) + math.log(0.25)], [0.0, math.log(0.1)]]
    assert covered.tolist() == [pytest.approx(row) for row in expected]
    scores = Scoring(coverage_penalty=0.2).score(torch.full((2, 2), -6.0), 3, covered)
    assert scores.tolist() == [[pytest.approx(-2.0 + 0.2 * value) for value in row] for row in expected]


@pytest.mark.parametrize("normalization", ["power", "gnmt"])
@pytest.mark.parametrize("word_penalty", [0.0, 0.3, -0.3])
@pytest.mark.parametrize("length_penalty", [0.0, 0.6, 1.0, 2.0])
def test_nothing_reachable_scores_above_the_bound(
    length_penalty: float, word_penalty: float, normalization: str
) -> None:
    scoring = Scoring(
        length_penalty=length_penalty,
        word_penalty=word_penalty,
        normalization=normalization,  # type: ignore[arg-type]
        coverage_penalty=0.1,
    )
    now, length, limit = -3.0, 2, 9
    bound = scoring.best_reachable(torch.tensor([now]), length=length, max_lengths=torch.tensor([limit])).item()
    reached = []
    for further, loss, covered in itertools.product(range(length + 1, limit + 1), (0.0, 0.1, 5.0), (0.0, -2.0)):
        reached.append(scoring.score(torch.tensor([now - loss]), further, torch.tensor([covered])).item())
    assert max(reached) <= bound + 1e-6
    # Without a word penalty it is the least such bound: certain tokens up to the last place reach it.
    if word_penalty <= 0.0:
        assert bound == pytest.approx(max(reached))


def test_at_the_limit_the_bound_is_the_score() -> None:
    scoring = Scoring(word_penalty=0.5)
    bound = scoring.best_reachable(torch.tensor([-6.0]), length=3, max_lengths=torch.tensor([3]))
    assert bound.tolist() == [-2.0 - 1.5]


def test_a_heuristic_bound_looks_one_token_ahead() -> None:
    scoring = Scoring(stopping="heuristic")
    limits = torch.tensor([9, 3, 2])
    for length in (2, torch.tensor([2, 2, 2])):  # the next token is the third, where there may be one
        bound = scoring.best_reachable(torch.full((3,), -6.0), length=length, max_lengths=limits)
        assert bound.tolist() == [-2.0, -2.0, -3.0]
    paid = Scoring(length_penalty=0.0, word_penalty=-0.5, stopping="heuristic")
    assert paid.best_reachable(torch.full((3,), -6.0), length=2, max_lengths=limits).tolist() == [-4.5, -4.5, -5.0]


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf])
@pytest.mark.parametrize("name", ["length_penalty", "coverage_penalty"])
def test_other_penalties_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a finite number of at least 0"):
        Scoring(**{name: value})  # type: ignore[arg-type]


def test_a_word_penalty_is_finite() -> None:
    with pytest.raises(ValueError, match="word_penalty must be a finite number"):
        Scoring(word_penalty=math.nan)
