"""Truncated backpropagation through time, against gradients cut by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from seq2seq.nn.cells import CellState, LSTMCell
from seq2seq.nn.recurrent import FusedLayer, ScannedLayer, cut_state, cut_states, reading, truncated

Sines = Callable[..., Tensor]
Fill = Callable[..., Any]


def close(actual: Tensor, expected: Tensor, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(actual, expected, rtol=0.0, atol=tolerance)


def layer_of(kind: Any, fill: Fill) -> Any:
    if kind == "scanned":
        return fill(ScannedLayer(cell=LSTMCell(input_size=3, hidden_size=4)).double(), scale=0.8)
    return fill(FusedLayer(kind=kind, input_size=3, hidden_size=4).double(), scale=0.8)


def cut_by_hand(layer: Any, inputs: Tensor, state: CellState, length: int) -> tuple[Tensor, CellState]:
    """Step by step, the state detached before every step whose number `length` divides, but the first."""
    outputs = []
    for position in range(inputs.shape[1]):
        if position and position % length == 0:
            state = CellState(state.h.detach(), None if state.c is None else state.c.detach())
        output, state = layer.step(inputs[:, position], state)
        outputs.append(output)
    return torch.stack(outputs, dim=1), state


@pytest.mark.parametrize("kind", ["lstm", "gru", "elman-tanh", "scanned"])
@pytest.mark.parametrize("length", [1, 3, 4, 8, 20])
def test_values_are_whole_and_gradients_cut(kind: str, length: int, sines: Sines, fill: Fill) -> None:
    layer = layer_of(kind, fill)
    c = sines(2, 4, start=90) if kind in ("lstm", "scanned") else None
    of_outputs = sines(2, 8, 4, start=200)

    def run(how: str) -> list[Tensor]:
        inputs, h = sines(2, 8, 3).requires_grad_(), sines(2, 4, start=70).requires_grad_()
        state = CellState(h, c)
        if how == "truncated":
            stretches = list(truncated(layer, inputs, state, length=length, cut=cut_state))
            assert [outputs.shape[1] for outputs, _ in stretches] == [
                min(length, 8 - first) for first in range(0, 8, length)
            ]
            outputs, last = torch.cat([outputs for outputs, _ in stretches], dim=1), stretches[-1][1]
        elif how == "whole":
            outputs, last = layer(inputs, state)
        else:
            outputs, last = cut_by_hand(layer, inputs, state, length)
        gradients = torch.autograd.grad((outputs * of_outputs).sum(), [inputs, h, *layer.parameters()])
        return [outputs, last.h, *([] if last.c is None else [last.c]), *gradients]

    values = 3 if c is not None else 2
    ours, by_hand, whole = run("truncated"), run("by hand"), run("whole")
    for actual, expected in zip(ours, by_hand, strict=True):
        close(actual, expected)
    for actual, expected in zip(ours[:values], whole[:values], strict=True):
        close(actual, expected)
    for actual, expected in zip(ours[values:], whole[values:], strict=True):
        if length >= 8:
            close(actual, expected)
        else:
            assert not torch.allclose(actual, expected)


def test_layers_one_on_another_as_a_language_model_reads(sines: Sines, fill: Fill) -> None:
    """Several layers through step functions; backward and a change of weights between the stretches."""

    def train(how: str) -> tuple[list[Tensor], list[Tensor]]:
        layers = [layer_of("gru", fill), fill(FusedLayer(kind="lstm", input_size=4, hidden_size=4).double(), scale=0.6)]
        parameters = [parameter for layer in layers for parameter in layer.parameters()]
        optimizer = torch.optim.SGD(parameters, lr=0.1)

        def step(inputs: Tensor, states: tuple[CellState, ...]) -> tuple[Tensor, tuple[CellState, ...]]:
            after = []
            for layer, state in zip(layers, states, strict=True):
                inputs, state = layer.step(inputs, state)
                after.append(state)
            return inputs, tuple(after)

        inputs, seen = sines(2, 9, 3), []
        states = tuple(layer.initial_state(2) for layer in layers)

        def update(outputs: Tensor) -> None:
            optimizer.zero_grad()
            (outputs * sines(*outputs.shape, start=40)).sum().backward()
            optimizer.step()
            seen.append(outputs.detach())

        if how == "truncated":
            for outputs, _ in truncated(reading(step), inputs, states, length=4, cut=cut_states):
                update(outputs)
        else:
            for first, last in ((0, 4), (4, 8), (8, 9)):
                outputs = []
                for position in range(first, last):
                    output, states = step(inputs[:, position], states)
                    outputs.append(output)
                update(torch.stack(outputs, dim=1))
                states = cut_states(states)
        return seen, [parameter.detach() for parameter in parameters]

    ours, by_hand = train("truncated"), train("by hand")
    assert [outputs.shape[1] for outputs in ours[0]] == [4, 4, 1]
    for actual, expected in zip((*ours[0], *ours[1]), (*by_hand[0], *by_hand[1]), strict=True):
        close(actual, expected)


def test_a_stretch_has_a_step(sines: Sines, fill: Fill) -> None:
    layer = layer_of("gru", fill)
    with pytest.raises(ValueError, match="length is 0"):
        next(truncated(layer, sines(2, 4, 3), layer.initial_state(2), length=0, cut=cut_state))
