"""Bridges, by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from seq2seq.model.bridge import FinalStateBridge, TanhBridge, ZeroBridge
from seq2seq.model.encoder import EncodedSource
from seq2seq.nn.cells import CellState

LN2, LN3 = math.log(2), math.log(3)


def tensor(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


#: Two sentences, of three pieces and of one; outputs two wide, zero on padding; two layers.
SOURCE = EncodedSource(
    values=torch.stack((tensor([3, 1], [6, 1], [9, 4]), tensor([5, -1], [0, 0], [0, 0]))),
    mask=torch.tensor([[True, True, True], [True, False, False]]),
    states=(
        CellState(tensor([10, 11], [12, 13]), tensor([20, 21], [22, 23])),
        CellState(tensor([9, 4], [5, -1]), tensor([40, 41], [42, 43])),
    ),
)


def test_zero() -> None:
    states = ZeroBridge(cell="lstm", layers=2, hidden_size=3)(SOURCE)
    assert len(states) == 2
    for state in states:
        assert state.c is not None
        assert torch.equal(state.h, torch.zeros(2, 3, dtype=torch.float64))
        assert torch.equal(state.c, torch.zeros(2, 3, dtype=torch.float64))
    assert all(state.c is None for state in ZeroBridge(cell="gru", layers=2, hidden_size=3)(SOURCE))


def test_final_state_hands_every_layer_over() -> None:
    assert FinalStateBridge()(SOURCE) is SOURCE.states
    assert list(FinalStateBridge().parameters()) == []


@pytest.mark.parametrize(("summary", "of_first", "of_second"), [("final", (9, 4), (5, -1)), ("mean", (6, 2), (5, -1))])
def test_tanh_of_a_summary(summary: Any, of_first: tuple[int, int], of_second: tuple[int, int]) -> None:
    bridge = TanhBridge(summary=summary, input_size=2, cell="lstm", layers=2, hidden_size=1).double()
    # Rows are: h and c of the first layer, h and c of the second.
    weight, bias = tensor([0.1, 0], [0, 0.2], [0.1, 0.1], [0, 0]), torch.tensor([0, 0, LN2, LN3], dtype=torch.float64)
    with torch.no_grad():
        bridge.projection.weight.copy_(weight)
        bridge.projection.bias.copy_(bias)
    first, second = bridge(SOURCE)
    for row, (a, b) in enumerate((of_first, of_second)):
        assert first.h[row].item() == pytest.approx(math.tanh(0.1 * a))
        assert first.c[row].item() == pytest.approx(math.tanh(0.2 * b))
        assert second.h[row].item() == pytest.approx(math.tanh(0.1 * (a + b) + LN2))
        assert second.c[row].item() == pytest.approx(0.8)  # tanh(ln 3)


def test_tanh_for_a_gru_has_no_memory_cells() -> None:
    bridge = TanhBridge(summary="final", input_size=2, cell="gru", layers=2, hidden_size=1).double()
    with torch.no_grad():
        bridge.projection.weight.copy_(tensor([0.1, 0], [0, 0.2]))
        bridge.projection.bias.zero_()
    first, second = bridge(SOURCE)
    assert first.c is None
    assert second.c is None
    assert first.h.flatten().tolist() == pytest.approx([math.tanh(0.9), math.tanh(0.5)])
    assert second.h.flatten().tolist() == pytest.approx([math.tanh(0.8), math.tanh(-0.2)])
