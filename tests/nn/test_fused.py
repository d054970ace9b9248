"""The fused layer, against the textbook cells and PyTorch's own layers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn

from seq2seq.nn.cells import Cell, CellState, ElmanCell, GRUCell, LSTMCell
from seq2seq.nn.recurrent import FusedCellName, FusedLayer
from seq2seq.recipe import CellName

KINDS = get_args(FusedCellName)
TEXTBOOK: dict[str, Callable[..., Cell]] = {
    "lstm": LSTMCell,
    "gru": GRUCell,
    "elman-tanh": partial(ElmanCell, nonlinearity="tanh"),
    "elman-relu": partial(ElmanCell, nonlinearity="relu"),
}
TORCH: dict[str, Callable[..., nn.RNNBase]] = {
    "lstm": nn.LSTM,
    "gru": nn.GRU,
    "elman-tanh": partial(nn.RNN, nonlinearity="tanh"),
    "elman-relu": partial(nn.RNN, nonlinearity="relu"),
}
LENGTHS = [4, 1, 6, 3]

Sines = Callable[..., Tensor]
Fill = Callable[..., Any]


def mask_of(lengths: list[int], length: int) -> Tensor:
    return torch.tensor([[position < own for position in range(length)] for own in lengths])


def close(actual: Tensor, expected: Tensor, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(actual, expected, rtol=0.0, atol=tolerance)


def test_every_fused_cell_is_one_of_a_recipe() -> None:
    assert set(KINDS) < set(get_args(CellName))
    assert set(KINDS) == set(TEXTBOOK) == set(TORCH)


def textbook_of(layer: FusedLayer) -> Cell:
    """The textbook cell that has the parameters of `layer`: the same objects, under the same names."""
    cell = TEXTBOOK[layer.kind](input_size=layer.input_size, hidden_size=layer.hidden_size)
    assert isinstance(cell, nn.Module)
    assert {name: own.shape for name, own in cell.named_parameters()} == {
        name: own.shape for name, own in layer.named_parameters()
    }
    for name, parameter in layer.named_parameters():
        setattr(cell, name, parameter)
    return cell


def read_step_by_step(layer: FusedLayer, inputs: Tensor, state: CellState, how: str) -> tuple[Tensor, CellState]:
    outputs = []
    cell = textbook_of(layer)
    for step in inputs.unbind(1):
        if how == "textbook":
            state = cell.step(cell.project(step), state)
            outputs.append(state.h)
        else:
            output, state = layer.step(step, state)
            outputs.append(output)
    return torch.stack(outputs, 1), state


def read_with_torch(layer: FusedLayer, inputs: Tensor, state: CellState) -> tuple[Tensor, CellState]:
    """PyTorch's layer, made functional so that gradients reach the weights of `layer`."""
    theirs = TORCH[layer.kind](layer.input_size, layer.hidden_size, batch_first=True, dtype=torch.float64)
    names = {"weight_ih_l0": layer.w_ih, "weight_hh_l0": layer.w_hh, "bias_ih_l0": layer.b_ih, "bias_hh_l0": layer.b_hh}
    for name, parameter in names.items():
        with torch.no_grad():
            getattr(theirs, name).copy_(parameter)
    hx = state.h.unsqueeze(0) if state.c is None else (state.h.unsqueeze(0), state.c.unsqueeze(0))
    outputs, last = torch.func.functional_call(theirs, names, (inputs, hx))
    return outputs, CellState(last[0]) if state.c is None else CellState(last[0][0], last[1][0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["textbook", "step", "torch"])
def test_fused_layer_equals_its_slow_twins(kind: Any, how: str, sines: Sines, fill: Fill) -> None:
    def run(how: str) -> list[Tensor]:
        layer = fill(FusedLayer(kind=kind, input_size=3, hidden_size=4).double(), scale=0.8)
        inputs = sines(3, 5, 3, start=7).requires_grad_()
        h = sines(3, 4, start=70).requires_grad_()
        c = sines(3, 4, start=90).requires_grad_() if kind == "lstm" else None
        state = CellState(h, c)
        if how == "fused":
            outputs, last = layer(inputs, state)
        elif how == "torch":
            outputs, last = read_with_torch(layer, inputs, state)
        else:
            outputs, last = read_step_by_step(layer, inputs, state, how)
        loss = (outputs * sines(3, 5, 4, start=200)).sum() + (last.h * sines(3, 4, start=300)).sum()
        if last.c is not None:
            loss = loss + (last.c * sines(3, 4, start=400)).sum()
        sources = [inputs, h, *([] if c is None else [c]), layer.w_ih, layer.w_hh, layer.b_ih, layer.b_hh]
        gradients = torch.autograd.grad(loss, sources)
        return [outputs, last.h, *([] if last.c is None else [last.c]), *gradients]

    for actual, expected in zip(run("fused"), run(how), strict=True):
        close(actual, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_of_zeros_is_the_default(kind: Any, sines: Sines, fill: Fill) -> None:
    layer = fill(FusedLayer(kind=kind, input_size=3, hidden_size=4).double())
    zeros = torch.zeros(2, 4, dtype=torch.float64)
    outputs, _ = layer(sines(2, 3, 3))
    expected, _ = layer(sines(2, 3, 3), CellState(zeros, zeros if kind == "lstm" else None))
    assert torch.equal(outputs, expected)
    assert layer.state_sizes == (4, 4 if kind == "lstm" else 0)


@pytest.mark.parametrize("kind", KINDS)
def test_first_weights(kind: Any) -> None:
    torch.manual_seed(3)
    layer = FusedLayer(kind=kind, input_size=7, hidden_size=9)
    biases = (layer.b_ih + layer.b_hh).view(-1, 9)
    expected = torch.zeros_like(biases)
    if kind == "lstm":
        expected[1] = 1.0  # i, f, g, o: the forget gate, in total
    assert torch.equal(biases, expected)
    limit = (6 / (7 + 9)) ** 0.5
    for gate in layer.w_hh.detach().view(-1, 9, 9):
        close(gate @ gate.T, torch.eye(9), 1e-5)
    for gate in layer.w_ih.detach().view(-1, 9, 7):
        # Of 63 numbers drawn evenly up to the limit, the largest is hardly below 0.8 of it (probability 1e-6).
        assert 0.8 * limit < gate.abs().max() <= limit


def test_forget_bias_is_set_in_total(fill: Fill) -> None:
    layer = fill(FusedLayer(kind="lstm", input_size=2, hidden_size=3))
    before = (layer.b_ih + layer.b_hh).detach().clone()
    layer.set_forget_bias(-2.5)
    after = layer.b_ih + layer.b_hh
    assert after[3:6].tolist() == [-2.5] * 3
    others = [0, 1, 2, *range(6, 12)]
    assert torch.equal(after[others], before[others])
    without = fill(FusedLayer(kind="gru", input_size=2, hidden_size=3))
    before = {name: numbers.clone() for name, numbers in without.state_dict().items()}
    without.set_forget_bias(-2.5)
    assert all(torch.equal(numbers, before[name]) for name, numbers in without.state_dict().items())


@pytest.mark.parametrize("kind", KINDS)
def test_last_state_is_that_at_each_length(kind: Any, sines: Sines, fill: Fill) -> None:
    layer = fill(FusedLayer(kind=kind, input_size=3, hidden_size=4).double(), scale=0.8)
    inputs = sines(4, 6, 3)
    _, last = layer(inputs, mask=mask_of(LENGTHS, 6))
    _, without_cell = layer(inputs, mask=mask_of(LENGTHS, 6), final_cell=False)
    assert without_cell.c is None
    for row, length in enumerate(LENGTHS):
        outputs, alone = read_step_by_step(layer, inputs[row : row + 1, :length], layer.initial_state(1), "textbook")
        close(last.h[row], outputs[0, -1])
        close(without_cell.h[row], outputs[0, -1])
        if kind == "lstm":
            assert alone.c is not None
            close(last.c[row], alone.c[0])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_the_memory_cell_passes_through_padding_to_the_last_bit(dtype: torch.dtype, sines: Sines, fill: Fill) -> None:
    layer = fill(FusedLayer(kind="lstm", input_size=3, hidden_size=8), scale=30.0)
    layer = layer.double() if dtype is torch.float64 else layer.float()
    c = torch.tensor([3.14159, -1e-20, 700.0, 0.1, -0.3, 1e5, 0.0, 1.0]).to(dtype).expand(2, 8)
    start = CellState(sines(2, 8).to(dtype), c)
    inputs = 100.0 * sines(2, 9, 3).to(layer.w_ih.dtype)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=dtype is torch.bfloat16):
        _, last = layer(inputs, start, mask=torch.zeros(2, 9, dtype=torch.bool))
    assert last.c.dtype == dtype
    assert torch.equal(last.c, c)


@pytest.mark.parametrize("kind", KINDS)
def test_dropconnect_reads_with_the_dropped_matrix(kind: Any, sines: Sines, fill: Fill) -> None:
    layer = fill(FusedLayer(kind=kind, input_size=3, hidden_size=16, dropconnect=0.25).double(), scale=0.8)
    inputs = sines(4, 6, 3)
    assert layer.eval().draw(4) is None
    plain, _ = layer(inputs)
    torch.manual_seed(5)
    noise = layer.train().draw(4)
    ratios = noise.w_hh.detach() / layer.w_hh.detach()
    close(ratios, (ratios != 0).double() * 4 / 3)
    assert 0.1 < (ratios == 0).double().mean() < 0.4  # of 256 or more
    torch.manual_seed(5)
    outputs, last = layer(inputs, mask=mask_of(LENGTHS, 6))
    given, _ = layer(inputs, noise=noise)
    assert not torch.allclose(given, plain)

    # The slow twin: a layer whose own matrix is the dropped one.
    other = FusedLayer(kind=kind, input_size=3, hidden_size=16).double().eval()
    other.load_state_dict(layer.state_dict())
    with torch.no_grad():
        other.w_hh.copy_(noise.w_hh)
    expected, expected_last = other(inputs, mask=mask_of(LENGTHS, 6))
    close(outputs, expected)
    close(last.h, expected_last.h)
    close(given, other(inputs)[0])
    state = layer.initial_state(4)
    for position in range(6):
        output, state = layer.step(inputs[:, position], state, noise)
        close(output, given[:, position])

    # A dropped weight has no gradient, and a kept one 4/3 of the twin's.
    torch.manual_seed(5)
    (own,) = torch.autograd.grad(layer(inputs)[0].square().sum(), [layer.w_hh])
    (twins,) = torch.autograd.grad(other(inputs)[0].square().sum(), [other.w_hh])
    close(own, twins * ratios)


def test_dropconnect_draws_anew_for_every_call(sines: Sines) -> None:
    torch.manual_seed(5)
    layer = FusedLayer(kind="gru", input_size=3, hidden_size=16, dropconnect=0.5).double().train()
    inputs = sines(2, 4, 3)
    first, second = layer(inputs)[0], layer(inputs)[0]
    assert not torch.allclose(first, second)
    assert torch.equal(first[:, 0], second[:, 0])  # from a state of zeros the matrix does nothing


@pytest.mark.parametrize("kind", KINDS)
def test_states_that_are_slices_reach_the_kernel_in_one_block(
    kind: Any, sines: Sines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As cuDNN demands, and a bridge that splits one projection does not give them."""
    name = {"elman-tanh": "rnn_tanh", "elman-relu": "rnn_relu"}.get(kind, kind)
    kernel, seen = getattr(torch, name), []

    def watched(inputs: Tensor, hx: Any, *rest: Any) -> Any:
        seen.extend([hx] if isinstance(hx, Tensor) else hx)
        return kernel(inputs, hx, *rest)

    monkeypatch.setattr(torch, name, watched)
    layer = FusedLayer(kind=kind, input_size=3, hidden_size=4).double()
    h, c = sines(2, 8).chunk(2, dim=-1)
    layer(sines(2, 5, 3), CellState(h, c if kind == "lstm" else None))
    assert not h.is_contiguous()
    assert len(seen) == (2 if kind == "lstm" else 1)
    assert all(state.is_contiguous() for state in seen)
