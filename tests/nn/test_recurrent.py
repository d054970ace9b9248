"""Layers over time, against the textbook cells and PyTorch's own layers with packed sequences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seq2seq.nn.cells import CellState, gru_step, lstm_step
from seq2seq.nn.recurrent import EncoderStack, FusedCellName, FusedLayer, reversal
from seq2seq.recipe import CellName

CELLS = get_args(CellName)
TEXTBOOK = {"lstm": lstm_step, "gru": gru_step}
TORCH: dict[str, type[nn.RNNBase]] = {"lstm": nn.LSTM, "gru": nn.GRU}
LENGTHS = [4, 1, 6, 3]

Sines = Callable[..., Tensor]
Fill = Callable[..., Any]


def mask_of(lengths: list[int], length: int) -> Tensor:
    return torch.tensor([[position < own for position in range(length)] for own in lengths])


def close(actual: Tensor, expected: Tensor, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(actual, expected, rtol=0.0, atol=tolerance)


def test_every_cell_of_a_recipe_has_a_fused_layer() -> None:
    assert get_args(FusedCellName) == CELLS


def read_step_by_step(layer: FusedLayer, inputs: Tensor, state: CellState, how: str) -> tuple[Tensor, CellState]:
    outputs = []
    for step in inputs.unbind(1):
        if how == "textbook":
            state = TEXTBOOK[layer.cell](step, state, layer.weights)
            outputs.append(state.h)
        else:
            output, state = layer.step(step, state)
            outputs.append(output)
    return torch.stack(outputs, 1), state


def read_with_torch(layer: FusedLayer, inputs: Tensor, state: CellState) -> tuple[Tensor, CellState]:
    """PyTorch's layer, made functional so that gradients reach the weights of `layer`."""
    theirs = TORCH[layer.cell](layer.input_size, layer.hidden_size, batch_first=True, dtype=torch.float64)
    names = {"weight_ih_l0": layer.w_ih, "weight_hh_l0": layer.w_hh, "bias_ih_l0": layer.b_ih, "bias_hh_l0": layer.b_hh}
    for name, parameter in names.items():
        with torch.no_grad():
            getattr(theirs, name).copy_(parameter)
    hx = state.h.unsqueeze(0) if state.c is None else (state.h.unsqueeze(0), state.c.unsqueeze(0))
    outputs, last = torch.func.functional_call(theirs, names, (inputs, hx))
    return outputs, CellState(last[0]) if state.c is None else CellState(last[0][0], last[1][0])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("how", ["textbook", "step", "torch"])
def test_fused_layer_equals_its_slow_twins(cell: Any, how: str, sines: Sines, fill: Fill) -> None:
    def run(kind: str) -> list[Tensor]:
        layer = fill(FusedLayer(cell=cell, input_size=3, hidden_size=4).double(), scale=0.8)
        inputs = sines(3, 5, 3, start=7).requires_grad_()
        h = sines(3, 4, start=70).requires_grad_()
        c = sines(3, 4, start=90).requires_grad_() if cell == "lstm" else None
        state = CellState(h, c)
        if kind == "fused":
            outputs, last = layer(inputs, state)
        elif kind == "torch":
            outputs, last = read_with_torch(layer, inputs, state)
        else:
            outputs, last = read_step_by_step(layer, inputs, state, kind)
        loss = (outputs * sines(3, 5, 4, start=200)).sum() + (last.h * sines(3, 4, start=300)).sum()
        if last.c is not None:
            loss = loss + (last.c * sines(3, 4, start=400)).sum()
        sources = [inputs, h, *([] if c is None else [c]), layer.w_ih, layer.w_hh, layer.b_ih, layer.b_hh]
        gradients = torch.autograd.grad(loss, sources)
        return [outputs, last.h, *([] if last.c is None else [last.c]), *gradients]

    for actual, expected in zip(run("fused"), run(how), strict=True):
        close(actual, expected)


def test_a_state_of_zeros_is_the_default(sines: Sines, fill: Fill) -> None:
    layer = fill(FusedLayer(cell="lstm", input_size=3, hidden_size=4).double())
    zeros = torch.zeros(2, 4, dtype=torch.float64)
    outputs, _ = layer(sines(2, 3, 3))
    expected, _ = layer(sines(2, 3, 3), CellState(zeros, zeros))
    assert torch.equal(outputs, expected)


@pytest.mark.parametrize("cell", CELLS)
def test_first_weights(cell: Any) -> None:
    torch.manual_seed(3)
    layer = FusedLayer(cell=cell, input_size=7, hidden_size=9)
    biases = (layer.b_ih + layer.b_hh).view(-1, 9)
    expected = torch.zeros_like(biases)
    if cell == "lstm":
        expected[1] = 1.0  # i, f, g, o: the forget gate, in total
    assert torch.equal(biases, expected)
    limit = (6 / (7 + 9)) ** 0.5
    for gate in layer.w_hh.detach().view(-1, 9, 9):
        close(gate @ gate.T, torch.eye(9), 1e-5)
    for gate in layer.w_ih.detach().view(-1, 9, 7):
        # Of 63 numbers drawn evenly up to the limit, the largest is hardly below 0.8 of it (probability 1e-6).
        assert 0.8 * limit < gate.abs().max() <= limit


def test_reversal_turns_the_real_positions_only() -> None:
    positions = reversal(torch.tensor([3, 1, 4, 2]), 4)
    assert positions.tolist() == [[2, 1, 0, 3], [0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 2, 3]]


@pytest.mark.parametrize("cell", CELLS)
def test_last_state_is_that_at_each_length(cell: Any, sines: Sines, fill: Fill) -> None:
    layer = fill(FusedLayer(cell=cell, input_size=3, hidden_size=4).double(), scale=0.8)
    inputs = sines(4, 6, 3)
    _, last = layer(inputs, mask=mask_of(LENGTHS, 6))
    _, without_cell = layer(inputs, mask=mask_of(LENGTHS, 6), final_cell=False)
    assert without_cell.c is None
    for row, length in enumerate(LENGTHS):
        outputs, alone = read_step_by_step(layer, inputs[row : row + 1, :length], layer.initial_state(1), "textbook")
        close(last.h[row], outputs[0, -1])
        close(without_cell.h[row], outputs[0, -1])
        if cell == "lstm":
            close(last.c[row], alone.c[0])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_the_memory_cell_passes_through_padding_to_the_last_bit(dtype: torch.dtype, sines: Sines, fill: Fill) -> None:
    layer = fill(FusedLayer(cell="lstm", input_size=3, hidden_size=8), scale=30.0)
    layer = layer.double() if dtype is torch.float64 else layer.float()
    c = torch.tensor([3.14159, -1e-20, 700.0, 0.1, -0.3, 1e5, 0.0, 1.0]).to(dtype).expand(2, 8)
    start = CellState(sines(2, 8).to(dtype), c)
    inputs = 100.0 * sines(2, 9, 3).to(layer.w_ih.dtype)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=dtype is torch.bfloat16):
        _, last = layer(inputs, start, mask=torch.zeros(2, 9, dtype=torch.bool))
    assert last.c.dtype == dtype
    assert torch.equal(last.c, c)


def make_stack(fill: Fill, **changes: Any) -> EncoderStack:
    arguments: dict[str, Any] = {
        "cell": "lstm", "input_size": 3, "hidden_size": 4, "layers": 2, "bidirectional": True, "residual": False,
        "dropout": 0.0, "final_cell": True,
    }  # fmt: skip
    return fill(EncoderStack(**arguments | changes).double(), scale=0.8)


def copy_into(theirs: nn.RNNBase, stack: EncoderStack) -> dict[str, Tensor]:
    """The weights of `stack` under PyTorch's names."""
    names = {}
    for index, layer in enumerate(stack.layers):
        for suffix, part in (("", layer.ahead), ("_reverse", layer.back)):
            if part is not None:
                names |= {
                    f"weight_ih_l{index}{suffix}": part.w_ih, f"weight_hh_l{index}{suffix}": part.w_hh,
                    f"bias_ih_l{index}{suffix}": part.b_ih, f"bias_hh_l{index}{suffix}": part.b_hh,
                }  # fmt: skip
    assert set(names) == {name for name, _ in theirs.named_parameters()}
    with torch.no_grad():
        for name, parameter in theirs.named_parameters():
            parameter.copy_(names[name])
    return names


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_stack_equals_torch_with_packed_sequences(
    cell: Any, bidirectional: bool, layers: int, sines: Sines, fill: Fill
) -> None:
    lengths = torch.tensor(LENGTHS)
    mask = mask_of(LENGTHS, 6)
    stack = make_stack(fill, cell=cell, layers=layers, bidirectional=bidirectional)
    theirs = TORCH[cell](3, 4, layers, batch_first=True, bidirectional=bidirectional, dtype=torch.float64)
    names = copy_into(theirs, stack)
    directions = 2 if bidirectional else 1
    coefficients = sines(4, 6, 4 * directions, start=500) * mask.unsqueeze(-1)
    of_states = sines(layers, 4, 4 * directions, start=900)

    inputs = sines(4, 6, 3, start=7).requires_grad_()
    outputs, states = stack(inputs, lengths, mask)
    h = torch.stack([state.h for state in states])
    parts = [outputs, h]
    loss = (outputs * coefficients).sum() + (h * of_states).sum()
    if cell == "lstm":
        c = torch.stack([state.c for state in states])
        parts.append(c)
        loss = loss + (c * of_states).sum()
    gradients = torch.autograd.grad(loss, [inputs, *names.values()])

    copied = inputs.detach().clone().requires_grad_()
    packed, last = theirs(pack_padded_sequence(copied, lengths, batch_first=True, enforce_sorted=False))
    their_outputs, _ = pad_packed_sequence(packed, batch_first=True, total_length=6)

    def side_by_side(state: Tensor) -> Tensor:
        # [layers * directions, batch, hidden] -> [layers, batch, directions * hidden]
        return state.view(layers, directions, 4, 4).transpose(1, 2).flatten(2)

    expected = [their_outputs, *map(side_by_side, last if cell == "lstm" else (last,))]
    their_loss = (their_outputs * coefficients).sum() + sum((part * of_states).sum() for part in expected[1:])
    their_gradients = torch.autograd.grad(their_loss, [copied, *(theirs.get_parameter(name) for name in names)])

    for ours, other in zip([*parts, *gradients], [*expected, *their_gradients], strict=True):
        close(ours, other)
    assert torch.count_nonzero(outputs[~mask]) == 0


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [True, False])
def test_residual_stack_equals_sentences_read_alone(cell: Any, bidirectional: bool, sines: Sines, fill: Fill) -> None:
    # The embeddings are as wide as the outputs: still nothing leads around the first layer.
    width = 8 if bidirectional else 4
    stack = make_stack(fill, cell=cell, layers=3, bidirectional=bidirectional, residual=True, input_size=width)
    inputs = sines(4, 6, width, start=7)
    outputs, states = stack(inputs, torch.tensor(LENGTHS), mask_of(LENGTHS, 6))
    for row, length in enumerate(LENGTHS):
        hidden = inputs[row : row + 1, :length]
        for index, layer in enumerate(stack.layers):
            read, state = read_step_by_step(layer.ahead, hidden, layer.ahead.initial_state(1), "textbook")
            h, c = [state.h], [state.c]
            if bidirectional:
                back, state = read_step_by_step(layer.back, hidden.flip(1), layer.back.initial_state(1), "textbook")
                read = torch.cat((read, back.flip(1)), -1)
                h, c = [*h, state.h], [*c, state.c]
            hidden = hidden + read if index else read
            close(states[index].h[row], torch.cat(h, -1)[0])
            if cell == "lstm":
                close(states[index].c[row], torch.cat(c, -1)[0])
        close(outputs[row, :length], hidden[0])
        assert torch.count_nonzero(outputs[row, length:]) == 0


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("residual", [True, False])
def test_padding_changes_nothing(cell: Any, residual: bool, sines: Sines, fill: Fill) -> None:
    stack = make_stack(fill, cell=cell, residual=residual)
    mask = mask_of(LENGTHS, 6)

    def run(garbage: Tensor, columns: int) -> list[Tensor]:
        inputs = torch.where(mask.unsqueeze(-1), sines(4, 6, 3, start=7), garbage)
        inputs = torch.cat((inputs, garbage[:, :columns]), dim=1).requires_grad_()
        outputs, states = stack(inputs, torch.tensor(LENGTHS), mask_of(LENGTHS, 6 + columns))
        loss = (outputs[:, :6] * sines(4, 6, 8, start=500)).sum() + outputs[:, 6:].sum()
        loss = loss + sum(
            (part * sines(4, 8)).sum() for state in states for part in (state.h, state.c) if part is not None
        )
        own, *others = torch.autograd.grad(loss, [inputs, *stack.parameters()])
        assert torch.count_nonzero(own[~mask_of(LENGTHS, 6 + columns)]) == 0
        return [outputs[:, :6], *(state.h for state in states), own[:, :6], *others]

    plain = run(torch.zeros(4, 6, 3, dtype=torch.float64), 0)
    for garbage, columns in ((1e3 * sines(4, 6, 3, start=55), 0), (sines(4, 6, 3, start=77), 5)):
        for actual, expected in zip(run(garbage, columns), plain, strict=True):
            close(actual, expected, 1e-12)


def test_without_final_cell_only_c_is_missing(sines: Sines, fill: Fill) -> None:
    both = []
    for final_cell in (True, False):
        stack = make_stack(fill, final_cell=final_cell)
        both.append(stack(sines(4, 6, 3), torch.tensor(LENGTHS), mask_of(LENGTHS, 6)))
    close(both[0][0], both[1][0], 1e-14)
    for with_cell, without in zip(both[0][1], both[1][1], strict=True):
        close(with_cell.h, without.h, 1e-14)
        assert with_cell.c is not None
        assert without.c is None


@pytest.mark.parametrize("layers", [1, 2])
def test_dropout_is_on_the_output_of_every_layer(layers: int, sines: Sines, fill: Fill) -> None:
    stack = make_stack(fill, layers=layers, dropout=0.5, bidirectional=False, hidden_size=32)
    arguments = (sines(4, 6, 3), torch.tensor([6] * 4), mask_of([6] * 4, 6))
    plain = stack.eval()(*arguments)[0]
    torch.manual_seed(1)
    dropped = stack.train()(*arguments)[0]
    zero = dropped == 0
    assert 0.4 < zero.double().mean() < 0.6  # of 768
    if layers == 1:
        close(dropped[~zero], 2 * plain[~zero])
    else:
        assert not torch.allclose(dropped[~zero], 2 * plain[~zero])  # the layer below has lost numbers too


@pytest.mark.parametrize("cell", CELLS)
def test_bf16_stays_near_fp32(cell: Any, sines: Sines, fill: Fill) -> None:
    stack = make_stack(fill, cell=cell, hidden_size=16).float()
    inputs, lengths, mask = sines(4, 6, 3).float(), torch.tensor(LENGTHS), mask_of(LENGTHS, 6)
    coefficients = sines(4, 6, 32).float()

    def run() -> tuple[Tensor, list[Tensor], list[Tensor]]:
        outputs, states = stack(inputs, lengths, mask)
        gradients = torch.autograd.grad((outputs.float() * coefficients).sum(), list(stack.parameters()))
        return outputs, [part for state in states for part in (state.h, state.c) if part is not None], list(gradients)

    outputs, states, gradients = run()
    with torch.autocast("cpu", torch.bfloat16):
        short_outputs, short_states, short_gradients = run()
    assert short_outputs.dtype == torch.bfloat16
    close(short_outputs.float(), outputs, 0.03)  # bf16 has 8 bits: 0.004 of 1, and some steps to add up in
    for short, full in zip(short_states, states, strict=True):
        close(short.float(), full, 0.05)
    for short, full in zip(short_gradients, gradients, strict=True):
        assert short.dtype == torch.float32
        assert (short - full).norm() < 0.05 * full.norm()
