"""The scanned layer, against the fused layer and against its cell called step by step."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from seq2seq.nn.cells import (
    QUIET,
    CellState,
    CoupledLSTMCell,
    DeepTransitionGRUCell,
    ElmanCell,
    GRUCell,
    LayerNormGRUCell,
    LayerNormLSTMCell,
    LSTMCell,
    MUT1Cell,
    MUT2Cell,
    MUT3Cell,
    PeepholeLSTMCell,
    ProjectedLSTMCell,
    ResetBeforeGRUCell,
    StepNoise,
)
from seq2seq.nn.recurrent import FusedLayer, RecurrentNoise, ScannedLayer

CELLS: dict[str, Callable[..., Any]] = {
    "lstm": LSTMCell,
    "gru": GRUCell,
    "elman-tanh": partial(ElmanCell, nonlinearity="tanh"),
    "elman-relu": partial(ElmanCell, nonlinearity="relu"),
}
#: Every cell that needs a loop over time.
ALL_CELLS: dict[str, Callable[..., Any]] = {
    **CELLS,
    "lstm-peephole": PeepholeLSTMCell,
    "lstm-coupled": CoupledLSTMCell,
    "lstm-projected": partial(ProjectedLSTMCell, projection_size=2),
    "lstm-layer-norm": LayerNormLSTMCell,
    "gru-reset-before": ResetBeforeGRUCell,
    "gru-layer-norm": LayerNormGRUCell,
    "gru-deep-transition": partial(DeepTransitionGRUCell, transitions=3),
    "mut1": MUT1Cell,
    "mut2": MUT2Cell,
    "mut3": MUT3Cell,
}
#: Every cell with every recurrent dropout that it can have: an Elman cell has no candidate.
NOISY = [
    (name, kind)
    for name in ALL_CELLS
    for kind in ("variational", "candidate", "zoneout", "dropconnect")
    if not (kind == "candidate" and "elman" in name)
]
LENGTHS = [4, 1, 6, 3]

Sines = Callable[..., Tensor]
Fill = Callable[..., Any]


def mask_of(lengths: list[int], length: int) -> Tensor:
    return torch.tensor([[position < own for position in range(length)] for own in lengths])


def close(actual: Tensor, expected: Tensor, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(actual, expected, rtol=0.0, atol=tolerance)


class NarrowOutput(nn.Module):
    """A cell whose h (2) and c (3) differ in width: c' = c + tanh(x) + U h, h' = the first two of c' halved."""

    input_size, hidden_size, output_size, memory_size = 3, 3, 2, 3

    def __init__(self) -> None:
        super().__init__()
        self.w_hh = nn.Parameter(torch.tensor([[0.5, -1.0], [0.25, 2.0], [1.0, 0.0]], dtype=torch.float64))

    def project(self, inputs: Tensor) -> Tensor:
        return torch.tanh(inputs)

    def step(self, projected: Tensor, state: CellState, noise: StepNoise = QUIET) -> CellState:
        c = state.memory() + projected + noise.on_state(state.h) @ noise.weights(self.w_hh).T
        return CellState(c[:, :2] / 2, c)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("started", [True, False])
def test_scanned_layer_equals_the_fused(name: Any, masked: bool, started: bool, sines: Sines, fill: Fill) -> None:
    def run(kind: str) -> list[Tensor]:
        layer: Any
        if kind == "fused":
            layer = FusedLayer(kind=name, input_size=3, hidden_size=4)
        else:
            layer = ScannedLayer(cell=CELLS[name](input_size=3, hidden_size=4))
        fill(layer.double(), scale=0.8)
        inputs = sines(4, 6, 3, start=7).requires_grad_()
        h = sines(4, 4, start=70).requires_grad_()
        c = sines(4, 4, start=90).requires_grad_() if name == "lstm" else None
        mask = mask_of(LENGTHS, 6)
        outputs, last = layer(inputs, CellState(h, c) if started else None, mask=mask if masked else None)
        if masked:
            outputs = outputs * mask.unsqueeze(-1)
        loss = (outputs * sines(4, 6, 4, start=200)).sum() + (last.h * sines(4, 4, start=300)).sum()
        if last.c is not None:
            loss = loss + (last.c * sines(4, 4, start=400)).sum()
        states = [h, *([] if c is None else [c])] if started else []
        gradients = torch.autograd.grad(loss, [inputs, *states, *layer.parameters()])
        return [outputs, last.h, *([] if last.c is None else [last.c]), *gradients]

    for actual, expected in zip(run("scanned"), run("fused"), strict=True):
        close(actual, expected)


@pytest.mark.parametrize("name", ALL_CELLS)
def test_sequence_equals_each_sentence_alone_step_by_step(name: str, sines: Sines, fill: Fill) -> None:
    layer = fill(ScannedLayer(cell=ALL_CELLS[name](input_size=3, hidden_size=4)).double(), scale=0.8)
    inputs = sines(4, 6, 3, start=7)
    outputs, last = layer(inputs, mask=mask_of(LENGTHS, 6))
    for row, length in enumerate(LENGTHS):
        state = layer.initial_state(1)
        for position in range(length):
            output, state = layer.step(inputs[row : row + 1, position], state)
            close(output[0], outputs[row, position])
        close(last.h[row], state.h[0])
        assert (last.c is None) == (layer.state_sizes[1] == 0)
        if last.c is not None:
            close(last.c[row], state.c[0])


def test_a_cell_of_unequal_widths(sines: Sines) -> None:
    cell = NarrowOutput()
    layer = ScannedLayer(cell=cell)
    assert (layer.input_size, layer.output_size, layer.state_sizes) == (3, 2, (2, 3))
    inputs = sines(4, 6, 3)
    outputs, last = layer(inputs, mask=mask_of(LENGTHS, 6))
    for row, length in enumerate(LENGTHS):
        h, c = torch.zeros(2, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
        for position in range(length):
            c = c + inputs[row, position].tanh() + cell.w_hh @ h
            h = c[:2] / 2
            close(outputs[row, position], h)
        close(last.h[row], h)
        close(last.c[row], c)


def test_without_final_cell_only_c_is_missing(sines: Sines, fill: Fill) -> None:
    layer = fill(ScannedLayer(cell=LSTMCell(input_size=3, hidden_size=4)).double())
    inputs, mask = sines(4, 6, 3), mask_of(LENGTHS, 6)
    (outputs, last), (other_outputs, other) = layer(inputs, mask=mask), layer(inputs, mask=mask, final_cell=False)
    assert torch.equal(outputs, other_outputs)
    assert torch.equal(last.h, other.h)
    assert last.c is not None
    assert other.c is None


@pytest.mark.parametrize("name", ALL_CELLS)
def test_padding_changes_nothing(name: str, sines: Sines, fill: Fill) -> None:
    layer = fill(ScannedLayer(cell=ALL_CELLS[name](input_size=3, hidden_size=4)).double(), scale=0.8)
    mask = mask_of(LENGTHS, 6)

    def run(garbage: Tensor, columns: int) -> list[Tensor]:
        inputs = torch.where(mask.unsqueeze(-1), sines(4, 6, 3, start=7), garbage)
        inputs = torch.cat((inputs, garbage[:, :columns]), dim=1).requires_grad_()
        longer = mask_of(LENGTHS, 6 + columns)
        outputs, last = layer(inputs, mask=longer)
        outputs = outputs.masked_fill(~longer.unsqueeze(-1), 0.0)[:, :6]
        loss = (outputs * sines(*outputs.shape, start=500)).sum() + (last.h * sines(*last.h.shape)).sum()
        parts = [outputs, last.h]
        if last.c is not None:
            loss = loss + (last.c * sines(4, 4, start=60)).sum()
            parts.append(last.c)
        own, *others = torch.autograd.grad(loss, [inputs, *layer.parameters()])
        assert torch.count_nonzero(own[~longer]) == 0
        return [*parts, own[:, :6], *others]

    plain = run(torch.zeros(4, 6, 3, dtype=torch.float64), 0)
    for garbage, columns in ((1e3 * sines(4, 6, 3, start=55), 0), (sines(4, 6, 3, start=77), 5)):
        for actual, expected in zip(run(garbage, columns), plain, strict=True):
            close(actual, expected, 1e-12)


@pytest.mark.parametrize("name", CELLS)
def test_bf16_stays_near_fp32(name: str, sines: Sines, fill: Fill) -> None:
    layer = fill(ScannedLayer(cell=CELLS[name](input_size=3, hidden_size=16)).float())
    inputs, mask = sines(4, 6, 3).float(), mask_of(LENGTHS, 6)
    coefficients = sines(4, 6, 16).float() * mask.unsqueeze(-1)

    def run() -> tuple[Tensor, CellState, tuple[Tensor, ...]]:
        outputs, last = layer(inputs, mask=mask)
        return outputs, last, torch.autograd.grad((outputs.float() * coefficients).sum(), list(layer.parameters()))

    outputs, last, gradients = run()
    with torch.autocast("cpu", torch.bfloat16):
        short_outputs, short_last, short_gradients = run()
        output, state = layer.step(inputs[:, 0], layer.initial_state(4), layer.draw(4))
    assert short_outputs.dtype == output.dtype == torch.bfloat16
    assert short_last.h.dtype == state.h.dtype == torch.float32  # the state does not lose what bf16 cannot hold
    tolerance = 0.03 * max(1.0, float(outputs.detach().abs().max()))  # relu has no bound
    close(short_outputs.float(), outputs, tolerance)
    close(short_last.h, last.h, tolerance)
    close(output.float(), outputs[:, 0], tolerance)
    # A unit of relu that rounding pushes across zero gains or loses all of its gradient.
    share = 0.15 if name == "elman-relu" else 0.05
    for short, full in zip(short_gradients, gradients, strict=True):
        assert short.dtype == torch.float32
        assert (short - full).norm() < share * full.norm()


@pytest.mark.parametrize(("name", "kind"), NOISY)
def test_noise_in_bf16_stays_near_fp32(name: str, kind: Any, sines: Sines, fill: Fill) -> None:
    cell = ALL_CELLS[name](input_size=3, hidden_size=8)
    layer = fill(ScannedLayer(cell=cell, noise=RecurrentNoise(kind, 0.25)).float(), scale=0.3)
    inputs, mask = sines(4, 6, 3).float(), mask_of(LENGTHS, 6)
    for training in (True, False):
        layer.train(training)
        torch.manual_seed(1)
        outputs, last = layer(inputs, mask=mask)
        torch.manual_seed(1)
        with torch.autocast("cpu", torch.bfloat16):
            short_outputs, short_last = layer(inputs, mask=mask)
        assert short_outputs.dtype == torch.bfloat16
        close(short_outputs.float()[mask], outputs[mask], 0.03)
        close(short_last.h, last.h, 0.03)
        if last.c is not None:
            close(short_last.c, last.c, 0.03)


@pytest.mark.parametrize("name", [*CELLS, "gru-deep-transition"])
def test_autocast_casts_the_recurrent_weights_once(name: str, sines: Sines) -> None:
    layer = ScannedLayer(cell=ALL_CELLS[name](input_size=3, hidden_size=16))
    size = layer.cell.w_hh.numel()
    casts = []

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), keywords: Any = None) -> Any:
            if function is torch.ops.aten._to_copy.default and arguments[0].numel() == size:
                casts.append(function)
            return function(*arguments, **(keywords or {}))

    inputs = sines(4, 9, 3).float()
    with torch.autocast("cpu", torch.bfloat16), Watch():
        layer(inputs)
        assert len(casts) == 1
        noise, state = layer.draw(4), layer.initial_state(4)
        for position in inputs.unbind(1):
            _, state = layer.step(position, state, noise)
        assert len(casts) == 2
        layer.eval()(inputs)
        assert len(casts) == 3
