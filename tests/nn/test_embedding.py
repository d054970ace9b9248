"""Dropout of embeddings: of words, of numbers, of both."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from seq2seq.nn.embedding import EmbeddingDropout

EMBEDDED = torch.sin(torch.arange(1.0, 30 * 40 * 20 + 1, dtype=torch.float64)).view(30, 40, 20)


def drop(**settings: Any) -> Tensor:
    torch.manual_seed(1)
    return EmbeddingDropout(**settings)(EMBEDDED, True)


def share(kept: Tensor) -> float:
    return kept.double().mean().item()


def test_nothing_by_default_and_outside_of_training() -> None:
    assert EmbeddingDropout()(EMBEDDED, True) is EMBEDDED
    strong = EmbeddingDropout(words=0.9, numbers=0.9, variational=True)
    assert strong(EMBEDDED, False) is EMBEDDED
    single = EMBEDDED[0]  # a step of search: [rows, embed]
    assert strong(single, False) is single


def test_numbers() -> None:
    dropped = drop(numbers=0.25)
    kept = dropped != 0
    torch.testing.assert_close(dropped, EMBEDDED * kept / 0.75, rtol=0, atol=1e-12)
    assert share(kept) == pytest.approx(0.75, abs=0.014)  # five standard deviations of 24,000
    # Positions decide for themselves.
    assert not torch.equal(kept[:, 0], kept[:, 1])


def test_variational_numbers() -> None:
    dropped = drop(numbers=0.25, variational=True)
    kept = dropped != 0
    torch.testing.assert_close(dropped, EMBEDDED * kept / 0.75, rtol=0, atol=1e-12)
    assert torch.equal(kept, kept[:, :1].expand_as(kept))
    assert share(kept[:, 0]) == pytest.approx(0.75, abs=0.09)  # five standard deviations of 600
    assert not torch.equal(kept[0], kept[1])


@pytest.mark.parametrize("variational", [False, True])
def test_words(variational: bool) -> None:
    """Whole or not at all, and never scaled; each position by itself."""
    dropped = drop(words=0.25, variational=variational)
    kept = (dropped != 0).any(dim=-1, keepdim=True)
    assert torch.equal(dropped, EMBEDDED * kept)
    assert share(kept) == pytest.approx(0.75, abs=0.063)  # five standard deviations of 1,200
    assert len({tuple(row.flatten().tolist()) for row in kept}) == 30


@pytest.mark.parametrize("variational", [False, True])
def test_words_and_numbers(variational: bool) -> None:
    """Of a word that is left, numbers are missing; they are scaled for the missing numbers alone."""
    dropped = drop(words=0.25, numbers=0.5, variational=variational)
    kept = dropped != 0
    torch.testing.assert_close(dropped, EMBEDDED * kept * 2, rtol=0, atol=1e-12)
    words = kept.any(dim=-1)
    assert share(words) == pytest.approx(0.75, abs=0.063)
    assert share(kept[words]) == pytest.approx(0.5, abs=0.1)
    if variational:
        for sentence, present in zip(kept, words, strict=True):
            left = sentence[present]
            assert torch.equal(left, left[:1].expand_as(left))


def test_settings_are_by_name_and_fixed() -> None:
    with pytest.raises(TypeError):
        EmbeddingDropout(0.1)  # type: ignore[misc]
    with pytest.raises(AttributeError):
        EmbeddingDropout().words = 0.5  # type: ignore[misc]
