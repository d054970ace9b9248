"""Length normalisation by hand."""

from __future__ import annotations

import math

import pytest
import torch

from seq2seq.search.scoring import best_reachable, check_length_penalty, normalise


def test_normalise_by_hand() -> None:
    log_probs = torch.tensor([-8.0, -math.inf])
    assert normalise(log_probs, length=4, length_penalty=0.0).tolist() == [-8.0, -math.inf]
    assert normalise(log_probs, length=4, length_penalty=0.5).tolist() == [-4.0, -math.inf]
    assert normalise(log_probs, length=4, length_penalty=1.0).tolist() == [-2.0, -math.inf]
    assert normalise(log_probs, length=4, length_penalty=2.0).tolist() == [-0.5, -math.inf]


@pytest.mark.parametrize("length_penalty", [0.0, 0.6, 1.0, 2.0])
def test_nothing_reachable_scores_above_the_bound(length_penalty: float) -> None:
    now, limit = -3.0, 9
    bound = best_reachable(torch.tensor([now]), max_lengths=torch.tensor([limit]), length_penalty=length_penalty).item()
    for length in range(1, limit + 1):
        for loss in (0.0, 0.1, 5.0):
            reached = normalise(torch.tensor([now - loss]), length=length, length_penalty=length_penalty).item()
            assert reached <= bound + 1e-6
    # It is the least such bound: certain tokens up to the last place reach it.
    assert bound == pytest.approx(now / limit**length_penalty)


@pytest.mark.parametrize("length_penalty", [-0.1, math.nan, math.inf])
def test_other_penalties_are_refused(length_penalty: float) -> None:
    with pytest.raises(ValueError, match="length_penalty must be a finite number of at least 0"):
        check_length_penalty(length_penalty)
