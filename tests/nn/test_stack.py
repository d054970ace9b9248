"""Encoder stacks, against PyTorch's stacks with packed sequences and against sentences read alone, step by step."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seq2seq.nn.cells import GRUCell, LSTMCell, MinGRUCell, ProjectedLSTMCell
from seq2seq.nn.connection import Connection, ConnectionName
from seq2seq.nn.recurrent import (
    DirectionsName,
    EncoderLayer,
    EncoderStack,
    FusedCellName,
    FusedLayer,
    ParallelLayer,
    RecurrentLayer,
    ScannedLayer,
    read_positions,
    reversal,
)
from seq2seq.recipe import recurrence

KINDS = get_args(FusedCellName)
DIRECTIONS = get_args(DirectionsName)
CONNECTIONS = get_args(ConnectionName)
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


def layer_maker(name: str, hidden_size: int) -> Callable[[int], RecurrentLayer]:
    """Layers of every kind, from the width of their input."""

    def make(input_size: int) -> RecurrentLayer:
        sizes: dict[str, Any] = {"input_size": input_size, "hidden_size": hidden_size}
        match name:
            case "scanned-lstm":
                return ScannedLayer(cell=LSTMCell(**sizes))
            case "scanned-gru":
                return ScannedLayer(cell=GRUCell(**sizes))
            case "lstm-projected":
                return ScannedLayer(cell=ProjectedLSTMCell(**sizes, projection_size=3))
            case "mingru":
                return ParallelLayer(cell=MinGRUCell(**sizes))
            case _:
                return FusedLayer(kind=name, **sizes)  # type: ignore[arg-type]

    return make


def make_stack(fill: Fill, *, name: str = "lstm", hidden_size: int = 4, scale: float = 0.8, **changes: Any) -> Any:
    arguments: dict[str, Any] = {
        "make_layer": layer_maker(name, hidden_size), "input_size": 3, "layers": 2, "directions": "bidirectional",
        "final_cell": True,
    }  # fmt: skip
    return fill(EncoderStack(**arguments | changes).double(), scale=scale)


def test_recipes_name_what_there_is() -> None:
    assert get_args(recurrence.DirectionsName) == DIRECTIONS
    assert get_args(recurrence.ConnectionName) == CONNECTIONS


def test_reversal_turns_the_real_positions_only(sines: Sines) -> None:
    positions = reversal(torch.tensor([3, 1, 4, 2]), 4)
    assert positions.tolist() == [[2, 1, 0, 3], [0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 2, 3]]
    numbers = sines(4, 4, 2)
    read = read_positions(numbers, positions)
    for row, order in enumerate(positions.tolist()):
        for position, other in enumerate(order):
            assert torch.equal(read[row, position], numbers[row, other])


def copy_into(theirs: nn.RNNBase, stack: EncoderStack) -> dict[str, Tensor]:
    """The weights of `stack` under PyTorch's names."""
    names = {}
    for index, layer in enumerate(stack.layers):
        assert isinstance(layer, EncoderLayer)
        for suffix, part in (("", layer.ahead), ("_reverse", layer.back)):
            if part is not None:
                assert isinstance(part, FusedLayer)
                names |= {
                    f"weight_ih_l{index}{suffix}": part.w_ih, f"weight_hh_l{index}{suffix}": part.w_hh,
                    f"bias_ih_l{index}{suffix}": part.b_ih, f"bias_hh_l{index}{suffix}": part.b_hh,
                }  # fmt: skip
    assert set(names) == {name for name, _ in theirs.named_parameters()}
    with torch.no_grad():
        for name, parameter in theirs.named_parameters():
            parameter.copy_(names[name])
    return names


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_stack_equals_torch_with_packed_sequences(
    name: str, bidirectional: bool, layers: int, sines: Sines, fill: Fill
) -> None:
    lengths = torch.tensor(LENGTHS)
    mask = mask_of(LENGTHS, 6)
    stack = make_stack(fill, name=name, layers=layers, directions="bidirectional" if bidirectional else "forward")
    theirs = TORCH[name](3, 4, layers, batch_first=True, bidirectional=bidirectional, dtype=torch.float64)
    names = copy_into(theirs, stack)
    directions = 2 if bidirectional else 1
    coefficients = sines(4, 6, 4 * directions, start=500) * mask.unsqueeze(-1)
    of_states = sines(layers, 4, 4 * directions, start=900)

    inputs = sines(4, 6, 3, start=7).requires_grad_()
    outputs, states = stack(inputs, lengths, mask)
    h = torch.stack([state.h for state in states])
    parts = [outputs, h]
    loss = (outputs * coefficients).sum() + (h * of_states).sum()
    if name == "lstm":
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

    expected = [their_outputs, *map(side_by_side, last if name == "lstm" else (last,))]
    their_loss = (their_outputs * coefficients).sum() + sum((part * of_states).sum() for part in expected[1:])
    their_gradients = torch.autograd.grad(their_loss, [copied, *(theirs.get_parameter(name) for name in names)])

    for ours, other in zip([*parts, *gradients], [*expected, *their_gradients], strict=True):
        close(ours, other)
    assert torch.count_nonzero(outputs[~mask]) == 0


def read_alone(layer: RecurrentLayer, hidden: Tensor, backward: bool) -> tuple[Tensor, Tensor, Tensor | None]:
    """One sentence [1, len, input] read step by step: outputs [1, len, output] in its order, last h and c."""
    state, outputs = layer.initial_state(1), []
    for position in (hidden.flip(1) if backward else hidden).unbind(1):
        output, state = layer.step(position, state)
        outputs.append(output)
    read = torch.stack(outputs, 1)
    return read.flip(1) if backward else read, state.h, state.c


def joined_by_hand(connection: Connection, gates: Any, index: int, seen: list[Tensor], read: Tensor) -> Tensor:
    """What follows a layer that read the last of `seen` and gave `read`; `seen` begins with the stack's input."""
    if connection.kind == "dense":
        return torch.cat((seen[-1], read), -1)
    if connection.kind == "plain" or index + 1 < connection.first:
        return read
    if connection.kind == "residual":
        return read + seen[-1]
    gate = gates[index + 1 - connection.first]
    t = 1 / (1 + torch.exp(-(seen[-1] @ gate.weight.T + gate.bias)))
    return t * read + (1 - t) * seen[-1]


WIRINGS = [
    (name, directions, connection, layers, first)
    for directions in DIRECTIONS
    for connection in CONNECTIONS
    for name, layers, first in (
        ("lstm", 3, 3 if directions == "bottom-bidirectional" else 2),
        ("gru", 4, 3),
        ("scanned-gru", 3, 3),
        ("lstm-projected", 3, 3),
        ("mingru", 3, 3),
    )
]


@pytest.mark.parametrize(("name", "directions", "connection", "layers", "first"), WIRINGS)
def test_stack_equals_sentences_read_alone(
    name: str, directions: Any, connection: Any, layers: int, first: int, sines: Sines, fill: Fill
) -> None:
    # The embeddings are as wide as a layer's input may be: still nothing leads around the first layer.
    width = 8 if directions == "bidirectional" else 4
    how = Connection(connection, first)
    stack = make_stack(
        fill, name=name, layers=layers, directions=directions, connection=how, input_size=width, scale=0.5
    )
    inputs = sines(4, 6, width, start=7)
    outputs, states = stack(inputs, torch.tensor(LENGTHS), mask_of(LENGTHS, 6))
    assert stack.output_size == outputs.shape[-1]
    backward_layers = {
        "forward": [],
        "bidirectional": range(layers),
        "alternating": [1, 3],
        "bottom-bidirectional": [0],
    }
    for row, length in enumerate(LENGTHS):
        seen = [inputs[row : row + 1, :length]]
        for index, layer in enumerate(stack.layers):
            reads = []
            if directions != "alternating" or index % 2 == 0:
                reads.append(read_alone(layer.ahead, seen[-1], False))
            else:
                assert layer.ahead is None
            if index in backward_layers[directions]:
                reads.append(read_alone(layer.back, seen[-1], True))
            else:
                assert layer.back is None
            read = torch.cat([part for part, _, _ in reads], -1)
            close(states[index].h[row], torch.cat([h for _, h, _ in reads], -1)[0])
            cells = [c for _, _, c in reads if c is not None]
            if "lstm" in name:
                close(states[index].c[row], torch.cat(cells, -1)[0])
            else:
                assert states[index].c is None
                assert not cells
            widths = (states[index].h.shape[1], sum(c.shape[1] for c in cells))
            assert stack.state_sizes[index] == widths
            seen.append(joined_by_hand(how, getattr(stack.connections, "gates", None), index, seen, read))
        final = read if connection == "dense" else seen[-1]
        close(outputs[row, :length], final[0])
        assert torch.count_nonzero(outputs[row, length:]) == 0


def test_parameter_names_of_stored_models() -> None:
    def names(**changes: Any) -> set[str]:
        arguments: dict[str, Any] = {"make_layer": layer_maker("lstm", 4), "input_size": 8, "layers": 3}
        return set(EncoderStack(**arguments, final_cell=True, **changes).state_dict())

    parts = ("w_ih", "w_hh", "b_ih", "b_hh")
    both = {f"layers.{i}.{way}.{part}" for i in range(3) for way in ("ahead", "back") for part in parts}
    ahead = {name for name in both if "back" not in name}
    assert (
        names(directions="bidirectional") == names(directions="bidirectional", connection=Connection("dense")) == both
    )
    assert names(directions="forward", connection=Connection("residual")) == ahead
    assert names(directions="bottom-bidirectional") == ahead | {f"layers.0.back.{part}" for part in parts}
    assert names(directions="alternating") == {
        f"layers.{i}.{way}.{part}" for i, way in enumerate(("ahead", "back", "ahead")) for part in parts
    }
    gates = {f"connections.gates.{i}.{part}" for i in range(2) for part in ("weight", "bias")}
    assert names(directions="forward", connection=Connection("highway")) == ahead | gates


@pytest.mark.parametrize("name", [*KINDS, "scanned-lstm", "scanned-gru", "mingru"])
@pytest.mark.parametrize("connection", CONNECTIONS)
@pytest.mark.parametrize("directions", ["bidirectional", "alternating"])
def test_padding_changes_nothing(name: str, connection: Any, directions: str, sines: Sines, fill: Fill) -> None:
    stack = make_stack(fill, name=name, connection=Connection(connection), directions=directions)
    mask = mask_of(LENGTHS, 6)

    def run(garbage: Tensor, columns: int) -> list[Tensor]:
        inputs = torch.where(mask.unsqueeze(-1), sines(4, 6, 3, start=7), garbage)
        inputs = torch.cat((inputs, garbage[:, :columns]), dim=1).requires_grad_()
        outputs, states = stack(inputs, torch.tensor(LENGTHS), mask_of(LENGTHS, 6 + columns))
        width = outputs.shape[-1]
        loss = (outputs[:, :6] * sines(4, 6, width, start=500)).sum() + outputs[:, 6:].sum()
        of_states = [part for state in states for part in (state.h, state.c) if part is not None]
        loss = loss + torch.stack([(part * sines(4, width)).sum() for part in of_states]).sum()
        own, *others = torch.autograd.grad(loss, [inputs, *stack.parameters()])
        assert torch.count_nonzero(own[~mask_of(LENGTHS, 6 + columns)]) == 0
        return [outputs[:, :6], *of_states, own[:, :6], *others]

    plain = run(torch.zeros(4, 6, 3, dtype=torch.float64), 0)
    for garbage, columns in ((1e3 * sines(4, 6, 3, start=55), 0), (sines(4, 6, 3, start=77), 5)):
        for actual, expected in zip(run(garbage, columns), plain, strict=True):
            close(actual, expected, 1e-12 * max(1.0, float(expected.detach().abs().max())))


@pytest.mark.parametrize("name", ["lstm", "scanned-lstm"])
def test_without_final_cell_only_c_is_missing(name: str, sines: Sines, fill: Fill) -> None:
    both = []
    for final_cell in (True, False):
        stack = make_stack(fill, name=name, final_cell=final_cell)
        both.append(stack(sines(4, 6, 3), torch.tensor(LENGTHS), mask_of(LENGTHS, 6)))
    close(both[0][0], both[1][0], 1e-14)
    for with_cell, without in zip(both[0][1], both[1][1], strict=True):
        close(with_cell.h, without.h, 1e-14)
        assert with_cell.c is not None
        assert without.c is None


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("variational", [True, False])
def test_dropout_is_on_the_output_of_every_layer(layers: int, variational: bool, sines: Sines, fill: Fill) -> None:
    stack = make_stack(fill, layers=layers, dropout=0.5, variational=variational, directions="forward", hidden_size=32)
    arguments = (sines(4, 6, 3), torch.tensor([6] * 4), mask_of([6] * 4, 6))
    plain = stack.eval()(*arguments)[0]
    torch.manual_seed(1)
    dropped = stack.train()(*arguments)[0]
    zero = dropped == 0
    # Of 768 decisions, or of 128.
    assert (0.35 if variational else 0.4) < zero.double().mean() < (0.65 if variational else 0.6)
    # One mask per sentence, or one per position; never one for all sentences.
    assert bool((zero == zero[:, :1]).all()) == variational
    assert not torch.equal(zero[0], zero[1])
    if layers == 1:
        close(dropped[~zero], 2 * plain[~zero])
    else:
        assert not torch.allclose(dropped[~zero], 2 * plain[~zero])  # the layer below has lost numbers too


def test_dropout_comes_before_the_connection(sines: Sines, fill: Fill) -> None:
    # A residual connection then carries what its layer dropped.
    arguments = (sines(4, 6, 3), torch.tensor([6] * 4), mask_of([6] * 4, 6))
    stack = make_stack(
        fill, layers=2, dropout=0.5, directions="forward", hidden_size=32, connection=Connection("residual")
    )
    torch.manual_seed(1)
    outputs = stack.train()(*arguments)[0]
    # A sum is zero only where both its parts were dropped.
    assert 0.17 < (outputs == 0).double().mean() < 0.33


@pytest.mark.parametrize("name", [*KINDS, "scanned-lstm"])
def test_bf16_stays_near_fp32(name: str, sines: Sines, fill: Fill) -> None:
    # Small weights where no gate dampens what rounding does from step to step.
    stack = make_stack(fill, name=name, hidden_size=16, scale=0.1 if "elman" in name else 0.8).float()
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


def test_a_layer_reads_some_way() -> None:
    with pytest.raises(ValueError, match="forward, backward or both"):
        EncoderLayer(ahead=None, back=None, final_cell=True)
