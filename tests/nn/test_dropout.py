"""Dropout: exact scaling, the right share, independent decisions, repeatable."""

from __future__ import annotations

import math

import pytest
import torch

from seq2seq.nn.dropout import dropout


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
