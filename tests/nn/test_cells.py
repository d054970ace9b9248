"""The textbook cells, worked by hand and written again with plain numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from seq2seq.nn.cells import CellState, CellWeights, gru_step, lstm_step

LN2, LN3 = math.log(2), math.log(3)


def column(*numbers: float) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64).unsqueeze(1)


def vector(*numbers: float) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def test_one_unit_lstm_by_hand() -> None:
    # With x = 2 and h = -1 the pre-activations 2 w - u + b + d are: i ln 3, f -ln 3, g ln 2, o 0.
    # sigmoid(ln 3) = 3/4, sigmoid(-ln 3) = 1/4, tanh(ln 2) = 3/5, sigmoid(0) = 1/2.
    weights = CellWeights(
        w_ih=column(LN3, 0.0, LN2, 0.5),
        w_hh=column(LN3, LN3, 3 * LN2, 2.0),
        b_ih=vector(0.0, 0.25, LN2, 1.5),
        b_hh=vector(0.0, -0.25, LN2, -0.5),
    )
    # c' = c/4 + (3/4)(3/5) must be ln 2, so that tanh c' = 3/5 and h' = (1/2)(3/5).
    c = 4 * (LN2 - 0.45)
    state = lstm_step(column(2.0), CellState(column(-1.0), column(c)), weights)
    assert state.c is not None
    assert state.c.item() == pytest.approx(LN2, abs=1e-15)
    assert state.h.item() == pytest.approx(0.3, abs=1e-15)


def test_one_unit_gru_by_hand() -> None:
    # With x = 2 and h = -1: r = sigmoid(ln 3) = 3/4, z = sigmoid(-ln 3) = 1/4. Of the candidate, the part from the
    # state is -u + d = 4 and is multiplied by r, so that n = tanh(2 w + b + 3) = tanh(ln 2) = 3/5, and
    # h' = (3/4)(3/5) + (1/4)(-1) = 0.2.
    weights = CellWeights(
        w_ih=column(LN3, 0.0, LN2),
        w_hh=column(LN3, LN3, -3.5),
        b_ih=vector(0.0, 0.25, -LN2 - 3.0),
        b_hh=vector(0.0, -0.25, 0.5),
    )
    state = gru_step(column(2.0), CellState(column(-1.0)), weights)
    assert state.c is None
    assert state.h.item() == pytest.approx(0.2, abs=1e-15)


def sigmoid(a: float) -> float:
    return 1.0 / (1.0 + math.exp(-a))


def row_of(matrix: Tensor, row: int, numbers: list[float]) -> float:
    return sum(float(matrix[row, k]) * number for k, number in enumerate(numbers))


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_cells_equal_plain_numbers(cell: str, sines: Callable[..., Tensor]) -> None:
    hidden, size, gates = 3, 2, 4 if cell == "lstm" else 3
    weights = CellWeights(
        sines(gates * hidden, size), sines(gates * hidden, hidden, start=50), sines(12, start=99)[: gates * hidden],
        sines(12, start=120)[: gates * hidden],
    )  # fmt: skip
    x, h, c = sines(2, size, start=140), sines(2, hidden, start=150), sines(2, hidden, start=160)
    state = lstm_step(x, CellState(h, c), weights) if cell == "lstm" else gru_step(x, CellState(h), weights)
    for row in range(2):
        inputs, before = x[row].tolist(), h[row].tolist()

        def part(
            gate: int, unit: int, inputs: list[float] = inputs, before: list[float] = before
        ) -> tuple[float, float]:
            index = gate * hidden + unit
            from_input = row_of(weights.w_ih, index, inputs) + float(weights.b_ih[index])
            return from_input, row_of(weights.w_hh, index, before) + float(weights.b_hh[index])

        for unit in range(hidden):
            parts = [part(gate, unit) for gate in range(gates)]
            if cell == "lstm":
                i, f, g, o = (a + b for a, b in parts)
                memory = sigmoid(f) * float(c[row, unit]) + sigmoid(i) * math.tanh(g)
                assert state.c is not None
                assert float(state.c[row, unit]) == pytest.approx(memory, abs=1e-14)
                expected = sigmoid(o) * math.tanh(memory)
            else:
                r, z = (sigmoid(a + b) for a, b in parts[:2])
                n = math.tanh(parts[2][0] + r * parts[2][1])
                expected = (1 - z) * n + z * before[unit]
            assert float(state.h[row, unit]) == pytest.approx(expected, abs=1e-14)


def test_an_lstm_without_memory_cell_is_refused() -> None:
    weights = CellWeights(column(0, 0, 0, 0), column(0, 0, 0, 0), vector(0, 0, 0, 0), vector(0, 0, 0, 0))
    with pytest.raises(ValueError, match="needs a memory cell"):
        lstm_step(column(1.0), CellState(column(1.0)), weights)


def test_select_takes_h_and_c_along() -> None:
    state = CellState(column(1, 2, 3), column(10, 20, 30))
    selected = state.select(torch.tensor([2, 0, 0, 1]))
    assert selected.c is not None
    assert selected.h.flatten().tolist() == [3, 1, 1, 2]
    assert selected.c.flatten().tolist() == [30, 10, 10, 20]
    assert CellState(column(1, 2)).select(torch.tensor([1])).c is None
