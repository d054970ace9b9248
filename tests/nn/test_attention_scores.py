"""Additive scores: few queries at a time, and nothing large kept for the gradient."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from seq2seq.nn.attention import scores
from seq2seq.nn.attention.scores import additive_scores

Sines = Callable[..., Tensor]


def plain(queries: Tensor, keys: Tensor, vector: Tensor) -> Tensor:
    return torch.tanh(queries.unsqueeze(-2) + keys.unsqueeze(-3)) @ vector


def with_gradients(
    function: Callable[..., Tensor], inputs: list[Tensor], weights: Tensor
) -> tuple[Tensor, tuple[Tensor, ...]]:
    inputs = [one.clone().requires_grad_() for one in inputs]
    result = function(*inputs)
    return result, torch.autograd.grad((result * weights).sum(), inputs)


@pytest.mark.parametrize("at_a_time", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("axes", [(), (2,), (2, 3)])
def test_equal_the_formula_however_many_queries_at_a_time(
    at_a_time: int, axes: tuple[int, ...], sines: Sines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores, "_large", lambda queries, keys: at_a_time < 100)
    monkeypatch.setattr(scores, "_queries_at_a_time", lambda keys: at_a_time)
    inputs = [sines(*axes, 7, 4), sines(*axes, 5, 4, start=500), sines(4, start=900)]
    weights = sines(*axes, 7, 5, start=1300)
    result, gradients = with_gradients(additive_scores, inputs, weights)
    expected, right = with_gradients(plain, inputs, weights)
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-12)
    for actual, gradient in zip(gradients, right, strict=True):
        torch.testing.assert_close(actual, gradient, rtol=0, atol=1e-12)


def test_large_sums_are_made_in_parts() -> None:
    queries, keys = torch.empty(64, 25, 512, device="meta"), torch.empty(64, 25, 512)
    assert scores._large(queries[:, :20], keys)
    assert not scores._large(queries[:, :10], keys)
    assert scores._queries_at_a_time(keys) == 1
    assert scores._queries_at_a_time(keys[:2, :4, :8]) == 2**18 // (2 * 4 * 8)


def test_nothing_of_the_size_of_large_sums_is_kept(sines: Sines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "_large", lambda queries, keys: True)
    monkeypatch.setattr(scores, "_queries_at_a_time", lambda keys: 4)
    queries, keys, vector = sines(2, 30, 4), sines(2, 20, 4), sines(4)
    kept: list[int] = []

    def keep(saved: Tensor) -> Tensor:
        kept.append(saved.numel())
        return saved

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda saved: saved):
        additive_scores(*(one.requires_grad_() for one in (queries, keys, vector))).sum().backward()
    assert kept
    assert max(kept) <= 2 * 30 * 20


def test_gradients_under_bf16(sines: Sines, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums over many queries are not rounded at every addition."""
    monkeypatch.setattr(scores, "_large", lambda queries, keys: True)
    monkeypatch.setattr(scores, "_queries_at_a_time", lambda keys: 1)
    inputs = [sines(1, 2000, 4), sines(1, 5, 4, start=9000), sines(4, start=9500)]
    weights = torch.ones(1, 2000, 5, dtype=torch.float64)
    _, right = with_gradients(plain, inputs, weights)
    rounded = [one.bfloat16() for one in inputs]
    result, gradients = with_gradients(additive_scores, rounded, weights.bfloat16())
    assert result.dtype == torch.bfloat16
    for actual, gradient in zip(gradients, right, strict=True):
        assert actual.dtype == torch.bfloat16
        torch.testing.assert_close(actual.double(), gradient, rtol=0.03, atol=0.03 * float(gradient.abs().max()))
