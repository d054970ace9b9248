"""States are values: what reorder and keep return, by hand."""

from __future__ import annotations

import torch
from torch import Tensor

from seq2seq.model.state import DecoderState, DecodingState
from seq2seq.nn.attention import Memory
from seq2seq.nn.cells import CellState


def column(*numbers: float) -> Tensor:
    return torch.tensor(numbers).unsqueeze(1)


def make() -> DecodingState:
    """Three sentences with two hypotheses each; every number names its row."""
    memory = Memory(
        column(0.0, 1, 2).unsqueeze(2), column(10.0, 11, 12).unsqueeze(2), torch.ones(3, 1, dtype=torch.bool)
    )
    layers = (
        CellState(column(0.0, 1, 2, 3, 4, 5), column(10.0, 11, 12, 13, 14, 15)),
        CellState(column(20.0, 21, 22, 23, 24, 25)),
    )
    return DecodingState(memory, DecoderState(layers, column(30.0, 31, 32, 33, 34, 35)), 3)


def numbers(state: DecodingState) -> list[list[float]]:
    first, second = state.decoder.layers
    assert first.c is not None
    assert second.c is None
    assert state.decoder.attended is not None
    return [part.flatten().tolist() for part in (first.h, first.c, second.h, state.decoder.attended)]


def expected(*rows: int) -> list[list[float]]:
    return [[start + row for row in rows] for start in (0, 10, 20, 30)]


def test_reorder_moves_everything_that_depends_on_the_history() -> None:
    state = make()
    moved = state.reorder(torch.tensor([1, 0, 3, 3, 4, 5]))
    assert numbers(moved) == expected(1, 0, 3, 3, 4, 5)
    assert moved.memory is state.memory
    assert moved.sentences == 3
    assert numbers(state) == expected(0, 1, 2, 3, 4, 5)  # the old state is as it was


def test_reorder_changes_the_beam() -> None:
    assert numbers(make().reorder(torch.tensor([1, 2, 5]))) == expected(1, 2, 5)
    assert numbers(make().reorder(torch.tensor([0, 0, 1, 2, 3, 3, 4, 5, 4]))) == expected(0, 0, 1, 2, 3, 3, 4, 5, 4)


def test_keep_takes_memory_and_rows() -> None:
    kept = make().keep(torch.tensor([0, 2]))
    assert numbers(kept) == expected(0, 1, 4, 5)
    assert kept.sentences == 2
    assert kept.memory is not None
    assert kept.memory.values.flatten().tolist() == [0, 2]
    assert kept.memory.keys.flatten().tolist() == [10, 12]
    assert kept.memory.mask.shape == (2, 1)
    assert numbers(kept.reorder(torch.tensor([1, 3])).keep(torch.tensor([1]))) == expected(5)


def test_without_memory_and_feeding() -> None:
    state = DecodingState(None, DecoderState((CellState(column(0.0, 1)),)), 2)
    kept = state.keep(torch.tensor([1]))
    assert kept.memory is None
    assert kept.decoder.attended is None
    assert kept.decoder.layers[0].h.tolist() == [[1.0]]
