"""Dropout: exact scaling, the right share, independent decisions, repeatable."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from seq2seq.nn.dropout import dropconnect, dropout, dropout_mask, variational_dropout, word_dropout


@pytest.mark.parametrize("probability", [0.1, 0.3, 0.5])
def test_share_and_scale(probability: float) -> None:
    torch.manual_seed(1)
    inputs = torch.full((401, 251), 2.0)
    outputs = dropout(inputs, probability, True)
    assert outputs.unique().tolist() == pytest.approx([0.0, 2.0 / (1.0 - probability)])
    count = inputs.numel()
    dropped = int((outputs == 0).sum())
    # Five standard deviations of a binomial count.
    assert abs(dropped - probability * count) < 5.0 * math.sqrt(probability * (1.0 - probability) * count)


def test_neighbours_are_independent() -> None:
    torch.manual_seed(1)
    kept = (dropout(torch.ones(200_000), 0.5, True) != 0).float() - 0.5
    for distance in (1, 2, 3, 4, 8):
        correlation = float((kept[distance:] * kept[:-distance]).mean()) / 0.25
        assert abs(correlation) < 5.0 / math.sqrt(200_000), distance


def test_the_gradient_is_the_mask() -> None:
    torch.manual_seed(1)
    inputs = torch.linspace(-1.0, 1.0, 999, dtype=torch.float64).requires_grad_()
    outputs = dropout(inputs, 0.25, True)
    outputs.sum().backward()
    assert inputs.grad is not None
    torch.testing.assert_close(inputs.grad * inputs.detach(), outputs.detach())


def test_repeatable_and_off_outside_training() -> None:
    inputs = torch.ones(3, 5, 7)
    torch.manual_seed(4)
    first = dropout(inputs, 0.5, True)
    second = dropout(inputs, 0.5, True)
    torch.manual_seed(4)
    assert torch.equal(dropout(inputs, 0.5, True), first)
    assert not torch.equal(first, second)
    assert dropout(inputs, 0.5, False) is inputs
    assert dropout(inputs, 0.0, True) is inputs


def test_bf16_keeps_its_type() -> None:
    assert dropout(torch.ones(10, dtype=torch.bfloat16), 0.5, True).dtype is torch.bfloat16


def test_variational_dropout_has_one_mask_per_sequence() -> None:
    torch.manual_seed(1)
    inputs = torch.linspace(1.0, 2.0, 300 * 7 * 20, dtype=torch.float64).view(300, 7, 20).requires_grad_()
    outputs = variational_dropout(inputs, 0.25, True)
    factors = (outputs / inputs).detach()
    torch.testing.assert_close(factors, (factors > 0.5).double() * 4 / 3, rtol=0.0, atol=1e-12)
    assert torch.equal(factors.round(), factors[:, :1].round().expand(-1, 7, -1))
    decisions = factors[:, 0]  # of 6,000, independent of one another
    dropped = int((decisions == 0).sum())
    assert abs(dropped - 1500) < 5.0 * math.sqrt(0.25 * 0.75 * 6000)
    assert len({tuple(row.round().tolist()) for row in decisions}) > 200
    (gradient,) = torch.autograd.grad(outputs.sum(), [inputs])
    torch.testing.assert_close(gradient, factors)


def test_word_dropout_zeroes_whole_positions_and_scales_nothing() -> None:
    torch.manual_seed(1)
    embedded = torch.linspace(1.0, 2.0, 40 * 50 * 6, dtype=torch.float64).view(40, 50, 6)
    outputs = word_dropout(embedded, 0.1, True)
    zero = outputs == 0
    assert torch.equal(zero, zero[..., :1].expand(-1, -1, 6))
    assert torch.equal(outputs[~zero], embedded[~zero])
    dropped = int(zero[..., 0].sum())
    assert abs(dropped - 200) < 5.0 * math.sqrt(0.1 * 0.9 * 2000)
    # Every position decides alone: neither columns nor rows go together.
    assert 0 < zero[0, :, 0].sum() < 50
    assert not torch.equal(zero[0], zero[1])


def test_dropconnect_drops_elements_of_the_matrix() -> None:
    torch.manual_seed(1)
    weights = torch.linspace(1.0, 2.0, 100 * 60, dtype=torch.float64).view(100, 60).requires_grad_()
    dropped = dropconnect(weights, 0.5, True)
    ratios = (dropped / weights).detach()
    torch.testing.assert_close(ratios, (ratios > 1).double() * 2, rtol=0.0, atol=1e-12)
    assert abs(int((ratios == 0).sum()) - 3000) < 5.0 * math.sqrt(1500)
    assert torch.equal(weights.detach(), torch.linspace(1.0, 2.0, 6000, dtype=torch.float64).view(100, 60))
    (gradient,) = torch.autograd.grad(dropped.sum(), [weights])
    torch.testing.assert_close(gradient, ratios)


@pytest.mark.parametrize("drop", [variational_dropout, word_dropout, dropconnect])
def test_variants_are_off_outside_training_and_keep_their_type(drop: Callable[..., Tensor]) -> None:
    inputs = torch.ones(3, 5, 7, dtype=torch.bfloat16)
    assert drop(inputs, 0.5, False) is inputs
    assert drop(inputs, 0.0, True) is inputs
    assert drop(inputs, 0.5, True).dtype is torch.bfloat16
    torch.manual_seed(4)
    first, second = drop(inputs, 0.5, True), drop(inputs, 0.5, True)
    torch.manual_seed(4)
    assert torch.equal(drop(inputs, 0.5, True), first)
    assert not torch.equal(first, second)


def test_a_mask_is_scaled_to_a_mean_of_one() -> None:
    torch.manual_seed(1)
    mask = dropout_mask(torch.empty(0, dtype=torch.float64), (100, 90), 0.2)
    assert mask.dtype is torch.float64
    assert mask.shape == (100, 90)
    assert mask.unique().tolist() == pytest.approx([0.0, 1.25])
    assert abs(float(mask.mean()) - 1.0) < 5.0 * 1.25 * math.sqrt(0.2 * 0.8 / 9000)
