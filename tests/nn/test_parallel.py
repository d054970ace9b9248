"""The parallel layer, against its equation called step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from seq2seq.nn.cells import CellState, MinGRUCell, MinLSTMCell, SRUCell
from seq2seq.nn.recurrent import ParallelLayer

LENGTHS = [4, 1, 6, 3]

Sines = Callable[..., Tensor]
Fill = Callable[..., Any]


class Leaky(nn.Module):
    """A cell of three units that gives two: h' = sigmoid(w x) h + x, read as the first two of h' + x doubled."""

    input_size, hidden_size, output_size, memory_size = 3, 3, 2, 0

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor([1.5, -2.0, 0.5], dtype=torch.float64))

    def coefficients(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        return torch.sigmoid(self.w * inputs), inputs

    def read(self, inputs: Tensor, h: Tensor) -> Tensor:
        return 2.0 * (h + inputs)[..., :2]


CELLS: dict[str, Callable[..., Any]] = {"mingru": MinGRUCell, "minlstm": MinLSTMCell, "sru": SRUCell}


def mask_of(lengths: list[int], length: int) -> Tensor:
    return torch.tensor([[position < own for position in range(length)] for own in lengths])


def close(actual: Tensor, expected: Tensor, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(actual, expected, rtol=0.0, atol=tolerance)


@pytest.mark.parametrize("started", [True, False])
def test_by_hand(started: bool, sines: Sines) -> None:
    cell = Leaky()
    layer = ParallelLayer(cell=cell)
    assert (layer.input_size, layer.output_size, layer.state_sizes, layer.draw(4)) == (3, 2, (3, 0), None)
    inputs, start = sines(4, 6, 3), sines(4, 3, start=50) * started
    outputs, last = layer(inputs, CellState(start) if started else None, mask=mask_of(LENGTHS, 6))
    _, at_the_end = layer(inputs, CellState(start))
    assert last.c is None
    for row, length in enumerate(LENGTHS):
        h = start[row]
        for position in range(6):
            x = inputs[row, position]
            h = h / (1.0 + torch.exp(-cell.w.detach() * x)) + x
            close(outputs[row, position], 2.0 * (h + x)[:2])
            if position + 1 == length:
                close(last.h[row], h)  # the state, not what is read of it
        close(at_the_end.h[row], h)


@pytest.mark.parametrize("name", CELLS)
def test_step_equals_sequence(name: str, sines: Sines, fill: Fill) -> None:
    def run(how: str) -> list[Tensor]:
        layer = fill(ParallelLayer(cell=CELLS[name](input_size=4, hidden_size=4)).double(), scale=0.8)
        inputs, h = sines(3, 7, 4, start=7).requires_grad_(), sines(3, 4, start=70).abs().requires_grad_()
        state = CellState(h)
        if how == "sequence":
            outputs, state = layer(inputs, state)
        else:
            steps = []
            for position in inputs.unbind(1):
                output, state = layer.step(position, state)
                steps.append(output)
            outputs = torch.stack(steps, dim=1)
        loss = (outputs * sines(3, 7, 4, start=200)).sum() + (state.h * sines(3, 4, start=300)).sum()
        return [outputs, state.h, *torch.autograd.grad(loss, [inputs, h, *layer.parameters()])]

    for actual, expected in zip(run("sequence"), run("steps"), strict=True):
        close(actual, expected)


@pytest.mark.parametrize("name", CELLS)
def test_padding_changes_nothing(name: str, sines: Sines, fill: Fill) -> None:
    layer = fill(ParallelLayer(cell=CELLS[name](input_size=4, hidden_size=4)).double(), scale=0.8)
    mask = mask_of(LENGTHS, 6)

    def run(garbage: Tensor, columns: int) -> list[Tensor]:
        inputs = torch.where(mask.unsqueeze(-1), sines(4, 6, 4, start=7), garbage)
        inputs = torch.cat((inputs, garbage[:, :columns]), dim=1).requires_grad_()
        longer = mask_of(LENGTHS, 6 + columns)
        outputs, last = layer(inputs, mask=longer)
        outputs = outputs.masked_fill(~longer.unsqueeze(-1), 0.0)[:, :6]
        loss = (outputs * sines(4, 6, 4, start=500)).sum() + (last.h * sines(4, 4)).sum()
        own, *others = torch.autograd.grad(loss, [inputs, *layer.parameters()])
        assert torch.count_nonzero(own[~longer]) == 0
        return [outputs, last.h, own[:, :6], *others]

    plain = run(torch.zeros(4, 6, 4, dtype=torch.float64), 0)
    for garbage, columns in ((1e3 * sines(4, 6, 4, start=55), 0), (sines(4, 6, 4, start=77), 5)):
        for actual, expected in zip(run(garbage, columns), plain, strict=True):
            close(actual, expected, 1e-12)


@pytest.mark.parametrize("name", CELLS)
def test_bf16_stays_near_fp32(name: str, sines: Sines, fill: Fill) -> None:
    layer = fill(ParallelLayer(cell=CELLS[name](input_size=16, hidden_size=16)).float())
    inputs, mask = sines(4, 6, 16).float(), mask_of(LENGTHS, 6)
    coefficients = sines(4, 6, 16).float() * mask.unsqueeze(-1)

    def run() -> tuple[Tensor, CellState, tuple[Tensor, ...]]:
        outputs, last = layer(inputs, mask=mask)
        return outputs, last, torch.autograd.grad((outputs.float() * coefficients).sum(), list(layer.parameters()))

    outputs, last, gradients = run()
    with torch.autocast("cpu", torch.bfloat16):
        short_outputs, short_last, short_gradients = run()
        output, state = layer.step(inputs[:, 0], layer.initial_state(4))
    assert short_outputs.dtype == output.dtype == torch.bfloat16
    assert short_last.h.dtype == state.h.dtype == torch.float32
    tolerance = 0.03 * max(1.0, float(outputs.detach().abs().max()))
    close(short_outputs.float(), outputs, tolerance)
    close(short_last.h, last.h, tolerance)
    close(output.float(), outputs[:, 0], tolerance)
    for short, full in zip(short_gradients, gradients, strict=True):
        assert (short - full).norm() < 0.05 * full.norm()
