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
    first, second, third = ZeroBridge(state_sizes=((3, 4), (2, 0), (1, 1)))(SOURCE)
    for state, h, c in ((first, 3, 4), (third, 1, 1)):
        assert state.c is not None
        assert torch.equal(state.h, torch.zeros(2, h, dtype=torch.float64))
        assert torch.equal(state.c, torch.zeros(2, c, dtype=torch.float64))
    assert torch.equal(second.h, torch.zeros(2, 2, dtype=torch.float64))
    assert second.c is None


def test_final_state_hands_every_layer_over() -> None:
    assert FinalStateBridge()(SOURCE) is SOURCE.states
    assert list(FinalStateBridge().parameters()) == []


#: What each summary of the two sentences is. The mean is of the real positions alone.
SUMMARIES = [("final", (9, 4), (5, -1)), ("mean", (6, 2), (5, -1))]


@pytest.mark.parametrize(("summary", "of_first", "of_second"), SUMMARIES)
def test_tanh_of_a_summary(summary: Any, of_first: tuple[int, int], of_second: tuple[int, int]) -> None:
    bridge = TanhBridge(summary=summary, input_size=2, state_sizes=((1, 1), (1, 1))).double()
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


@torch.no_grad()
def test_backward_is_the_second_half_of_the_top_layer() -> None:
    """The direction that has read the first piece last: 4 of (9, 4), -1 of (5, -1)."""
    bridge = TanhBridge(summary="backward", input_size=2, state_sizes=((1, 0), (1, 0))).double()
    assert bridge.projection.weight.shape == (2, 1)
    bridge.projection.weight.copy_(tensor([0.1], [0.2]))
    bridge.projection.bias.copy_(torch.tensor([0, LN2], dtype=torch.float64))
    first, second = bridge(SOURCE)
    assert first.h.flatten().tolist() == pytest.approx([math.tanh(0.4), math.tanh(-0.1)])
    assert second.h.flatten().tolist() == pytest.approx([math.tanh(0.8 + LN2), math.tanh(-0.2 + LN2)])


@torch.no_grad()
def test_states_of_unequal_widths_share_out_the_rows() -> None:
    """A projected LSTM, whose h is narrower than its c, over a GRU: rows h, c, c, c, h, h."""
    bridge = TanhBridge(summary="final", input_size=2, state_sizes=((1, 3), (2, 0))).double()
    assert bridge.projection.weight.shape == (6, 2)
    bridge.projection.weight.zero_()
    bridge.projection.bias.copy_(torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], dtype=torch.float64))
    bridge.projection.weight[4, 1] = 1.0
    first, second = bridge(SOURCE)
    assert first.c is not None
    assert second.c is None
    for row, above in enumerate((4, -1)):
        assert first.h[row].tolist() == pytest.approx([math.tanh(0.1)])
        assert first.c[row].tolist() == pytest.approx([math.tanh(x) for x in (0.2, 0.3, 0.4)])
        assert second.h[row].tolist() == pytest.approx([math.tanh(0.5 + above), math.tanh(0.6)])


def test_tanh_for_a_gru_has_no_memory_cells() -> None:
    bridge = TanhBridge(summary="final", input_size=2, state_sizes=((1, 0), (1, 0))).double()
    with torch.no_grad():
        bridge.projection.weight.copy_(tensor([0.1, 0], [0, 0.2]))
        bridge.projection.bias.zero_()
    first, second = bridge(SOURCE)
    assert first.c is None
    assert second.c is None
    assert first.h.flatten().tolist() == pytest.approx([math.tanh(0.9), math.tanh(0.5)])
    assert second.h.flatten().tolist() == pytest.approx([math.tanh(0.8), math.tanh(-0.2)])
