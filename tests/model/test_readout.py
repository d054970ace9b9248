"""Readouts, by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from seq2seq.model.readout import LearnedReadout, PlainReadout

LN2, LN3 = math.log(2), math.log(3)


def tensor(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


#: One row: h of two numbers, an embedding of one, a context of two.
H, E, C = tensor([1, 2]), tensor([10]), tensor([100, 200])


def make(kind: Any, *, context: int = 2, output: int = 1, gate: bool = False) -> Any:
    readout = LearnedReadout(
        kind=kind, hidden_size=2, embedding_size=1, context_size=context, output_size=output, gate=gate
    ).double()
    with torch.no_grad():
        for parameter in readout.parameters():
            parameter.zero_()
    return readout


def test_plain_has_no_parameters() -> None:
    readout = PlainReadout(hidden_size=2, context_size=2)
    assert readout.output_size == 4
    assert list(readout.parameters()) == []
    assert readout(H, E, C).tolist() == [[1, 2, 100, 200]]
    alone = PlainReadout(hidden_size=2, context_size=0)
    assert alone.output_size == 2
    assert alone(H, E, None) is H


@torch.no_grad()
def test_tanh_reads_output_and_context() -> None:
    readout = make("tanh", output=2)
    assert readout.bias is None
    readout.weight.copy_(tensor([LN2, 0, 0, 0], [0, -0.5 * LN2, 0.01 * LN2, 0]))
    # tanh(ln 2) = 3/5, tanh(0) = 0
    assert readout(H, E, C)[0].tolist() == pytest.approx([0.6, 0.0], abs=1e-15)
    readout.weight[1, 3] = 0.005 * LN3  # that is ln 3, of the second number of the context
    assert readout(H, E, C)[0].tolist() == pytest.approx([0.6, 0.8])
    assert torch.equal(readout(H, E + 1, C), readout(H, E, C))


@torch.no_grad()
def test_tanh_without_a_context() -> None:
    readout = make("tanh", context=0)
    assert readout.weight.shape == (1, 2)
    readout.weight.copy_(tensor([LN3, 0]))
    assert readout(H, E, None)[0].tolist() == pytest.approx([0.8])


@torch.no_grad()
def test_deep_reads_the_embedding_too() -> None:
    readout = make("deep")
    readout.weight.copy_(tensor([1, 2, -0.5, 0.01, -0.005]))  # 1 + 4 - 5 + 1 - 1
    readout.bias.fill_(LN2)
    assert readout(H, E, C).item() == pytest.approx(0.6)
    without = make("deep", context=0)
    without.weight.copy_(tensor([1, 2, -0.5]))
    without.bias.fill_(LN3)
    assert without(H, E, None).item() == pytest.approx(0.8)


@torch.no_grad()
def test_maxout_takes_the_larger_of_two_neighbours() -> None:
    readout = make("maxout", output=3)
    assert readout.output_size == 3
    # Six sums: 1 and 2, 10 and -10, 100 - 200 and their negative; no tanh follows.
    readout.weight.copy_(
        tensor([1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, -1, 0, 0], [0, 0, 0, 1, -1], [0, 0, 0, -1, 1])
    )
    assert readout(H, E, C).tolist() == [[2, 10, 100]]
    readout.bias.copy_(tensor([5, 0, 0, 0, 250, 0])[0])
    assert readout(H, E, C).tolist() == [[6, 10, 150]]
    # Any shape before the last axis.
    many = readout(H.expand(4, 3, 2), E.expand(4, 3, 1), C.expand(4, 3, 2))
    assert torch.equal(many, tensor([6, 10, 150]).expand(4, 3, 3))


@torch.no_grad()
def test_the_gate_weighs_the_context_against_the_rest() -> None:
    """z = 3/4 of the context, 1/4 of the rest with the bias."""
    readout = make("deep", gate=True)
    readout.weight.copy_(tensor([4 * LN2, 0, 0.4 * LN2, 0.01 * 4 * LN3 / 3, 0]))
    readout.bias.fill_(-4 * LN2)
    readout.gate.bias.fill_(LN3)  # sigmoid(ln 3) = 3/4
    # (4 ln 2 + 4 ln 2 - 4 ln 2) / 4 + 3/4 (4/3 ln 3) = ln 6
    assert readout(H, E, C).item() == pytest.approx(35 / 37)  # tanh(ln 6)

    # The gate reads all three: h, embedding, context.
    readout.gate.bias.zero_()
    for column, value in enumerate((1, 2, 10, 100, 200)):
        readout.gate.weight.zero_()
        readout.gate.weight[0, column] = LN3 / value
        assert readout(H, E, C).item() == pytest.approx(35 / 37)


@torch.no_grad()
def test_a_gate_for_every_sum_before_the_maximum() -> None:
    readout = make("maxout", gate=True)
    readout.weight.copy_(tensor([8, 0, 0, 0, 0], [0, 0, 0, 0.08, 0]))
    assert readout.gate.weight.shape == (2, 5)
    readout.gate.bias.copy_(tensor([LN3, LN3])[0])  # 8 / 4 against 8 * 3 / 4
    assert readout(H, E, C).item() == pytest.approx(6)
    readout.gate.bias.copy_(tensor([-LN3, -LN3])[0])
    assert readout(H, E, C).item() == pytest.approx(6)
    readout.gate.bias.copy_(tensor([LN3, -LN3])[0])
    assert readout(H, E, C).item() == pytest.approx(2)


@torch.no_grad()
def test_the_gate_of_tanh_reads_the_embedding_that_the_sum_does_not() -> None:
    readout = make("tanh", gate=True)
    readout.weight.copy_(tensor([2 * LN2, 0, 0, 0]))
    assert readout.weight.shape == (1, 4)
    assert readout(H, E, C).item() == pytest.approx(0.6)  # a gate of 1/2
    readout.gate.weight[0, 2] = 50.0  # now shut by the embedding, for what is not the context
    assert readout(H, E, C).item() == pytest.approx(0.0, abs=1e-12)


def test_a_gate_needs_a_context() -> None:
    with pytest.raises(ValueError, match="needs a context"):
        make("deep", context=0, gate=True)


@pytest.mark.parametrize("kind", ["tanh", "deep", "maxout"])
def test_first_weights(kind: Any) -> None:
    torch.manual_seed(1)
    readout = LearnedReadout(kind=kind, hidden_size=30, embedding_size=30, context_size=40, output_size=50)
    bound = readout.weight.shape[1] ** -0.5
    assert readout.weight.abs().max().item() == pytest.approx(bound, rel=0.01)
    assert readout.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.05)
    assert readout.bias is None or torch.count_nonzero(readout.bias) == 0
