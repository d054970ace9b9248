"""Connections between layers, by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from seq2seq.nn.connection import PLAIN, Connection, Connections

Sines = Callable[..., Tensor]


def make(kind: Any, **changes: Any) -> Connections:
    arguments: dict[str, Any] = {"kind": kind, "input_size": 3, "width": 2, "layers": 4}
    return Connections(**arguments | changes).double()


def tensor(*numbers: float) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


@pytest.mark.parametrize(
    ("kind", "first", "expected"),
    [
        ("plain", 2, [(5.0, 7.0)] * 4),
        ("residual", 2, [(5.0, 7.0), (6.0, 9.0), (6.0, 9.0), (6.0, 9.0)]),
        ("residual", 3, [(5.0, 7.0), (5.0, 7.0), (6.0, 9.0), (6.0, 9.0)]),
        ("residual", 4, [(5.0, 7.0), (5.0, 7.0), (5.0, 7.0), (6.0, 9.0)]),
    ],
)
def test_plain_and_residual(kind: str, first: int, expected: list[tuple[float, float]]) -> None:
    connections = make(kind, first=first)
    assert not list(connections.parameters())
    assert not connections.state_dict()
    assert [connections.input_size(index) for index in range(4)] == [3, 2, 2, 2]
    assert connections.output_size == 2
    for index, numbers in enumerate(expected):
        inputs = tensor(1.0, 2.0, 3.0) if index == 0 else tensor(1.0, 2.0)
        assert connections.join(index, inputs, tensor(5.0, 7.0)).tolist() == list(numbers)


def test_highway() -> None:
    connections = make("highway", first=3)
    assert [tuple(parameter.shape) for parameter in connections.parameters()] == [(2, 2), (2,)] * 2
    for bias in (connections.state_dict()["gates.0.bias"], connections.state_dict()["gates.1.bias"]):
        assert bias.tolist() == [-1.0, -1.0]
    with torch.no_grad():
        gates = connections.state_dict()
        gates["gates.0.weight"].copy_(torch.tensor([[1.0, 0.0], [2.0, -1.0]]))
        gates["gates.0.bias"].copy_(tensor(math.log(3.0) - 1.0, 0.0))
        gates["gates.1.weight"].zero_()
        gates["gates.1.bias"].copy_(tensor(0.0, -math.log(4.0)))
    x, y = tensor(1.0, 2.0), tensor(5.0, 7.0)
    assert connections.join(0, tensor(1.0, 2.0, 3.0), y) is y
    assert connections.join(1, x, y) is y
    # Sigmoids of log 3 and 0: 3/4 and 1/2.
    assert connections.join(2, x, y).tolist() == pytest.approx([4.0, 4.5], abs=1e-12)
    # Sigmoids of 0 and -log 4: 1/2 and 1/5.
    assert connections.join(3, x, y).tolist() == pytest.approx([3.0, 3.0], abs=1e-12)


def test_highway_begins_by_passing_on() -> None:
    connections = make("highway", layers=2)
    joined = connections.join(1, tensor(0.0, 0.0), tensor(1.0, 1.0))
    assert joined.tolist() == pytest.approx([1.0 / (1.0 + math.e)] * 2, abs=1e-12)


def test_dense() -> None:
    connections = make("dense")
    assert not connections.state_dict()
    assert [connections.input_size(index) for index in range(4)] == [3, 5, 7, 9]
    assert connections.output_size == 2
    inputs = tensor(1.0, 2.0, 3.0)
    for index, outputs in enumerate((tensor(4.0, 5.0), tensor(6.0, 7.0), tensor(8.0, 9.0))):
        inputs = connections.join(index, inputs, outputs)
        assert inputs.tolist() == [1.0, 2.0, 3.0, *map(float, range(4, 6 + 2 * index))]
    assert connections.join(3, inputs, tensor(-1.0, -2.0)).tolist() == [-1.0, -2.0]


def test_a_wider_bottom_layer() -> None:
    residual = make("residual", first=3, bottom_width=4)
    assert [residual.input_size(index) for index in range(4)] == [3, 4, 2, 2]
    dense = make("dense", bottom_width=4)
    assert [dense.input_size(index) for index in range(4)] == [3, 7, 9, 11]
    assert make("plain", bottom_width=4, layers=1).output_size == 4
    for kind in ("residual", "highway"):
        with pytest.raises(ValueError, match="layer 2 reads 4 numbers and gives 2"):
            make(kind, bottom_width=4)


@pytest.mark.parametrize("kind", ["residual", "highway"])
def test_the_first_layer_is_not_bypassed(kind: str) -> None:
    with pytest.raises(ValueError, match="first layer"):
        make(kind, first=1)


def test_any_leading_axes(sines: Sines) -> None:
    connections = make("highway")
    inputs, outputs = sines(2, 5, 2), sines(2, 5, 2, start=50)
    joined = connections.join(1, inputs, outputs)
    for row in range(2):
        for position in range(5):
            alone = connections.join(1, inputs[row, position], outputs[row, position])
            torch.testing.assert_close(joined[row, position], alone, rtol=0.0, atol=1e-12)


def test_plain_is_the_default() -> None:
    assert Connection() == PLAIN
    assert (PLAIN.kind, PLAIN.first) == ("plain", 2)
