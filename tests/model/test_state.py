"""States are values: what reorder and keep return, by hand."""

from __future__ import annotations

import torch
from torch import Tensor

from seq2seq.model.state import DecoderState, DecodingState
from seq2seq.nn.attention import AttentionState, Memory
from seq2seq.nn.cells import CellState


def column(*numbers: float) -> Tensor:
    return torch.tensor(numbers).unsqueeze(1)


def make() -> DecodingState:
    """Three sentences with two hypotheses each; every number names its row."""
    memory = Memory(
        column(0.0, 1, 2).unsqueeze(2),
        column(10.0, 11, 12).unsqueeze(2),
        torch.tensor([[True], [False], [True]]),
        column(20.0, 21, 22),
    )
    layers = (
        CellState(column(0.0, 1, 2, 3, 4, 5), column(10.0, 11, 12, 13, 14, 15)),
        CellState(column(20.0, 21, 22, 23, 24, 25)),
    )
    history = AttentionState(column(40.0, 41, 42, 43, 44, 45))
    decoder = DecoderState(layers, column(30.0, 31, 32, 33, 34, 35), history)
    return DecodingState(torch.tensor([[50], [51], [52]]), memory, decoder)


def numbers(state: DecodingState) -> list[list[float]]:
    first, second = state.decoder.layers
    assert first.c is not None
    assert second.c is None
    assert state.decoder.attended is not None
    assert state.decoder.attention is not None
    parts = (first.h, first.c, second.h, state.decoder.attended, state.decoder.attention.history)
    return [part.flatten().tolist() for part in parts]


def expected(*rows: int) -> list[list[float]]:
    return [[start + row for row in rows] for start in (0, 10, 20, 30, 40)]


def test_reorder_moves_everything_that_depends_on_the_history() -> None:
    state = make()
    moved = state.reorder(torch.tensor([1, 0, 3, 3, 4, 5]))
    assert numbers(moved) == expected(1, 0, 3, 3, 4, 5)
    assert moved.memory is state.memory
    assert moved.source is state.source
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
    assert kept.memory.mask.tolist() == [[True], [True]]
    assert kept.memory.extra is not None
    assert kept.memory.extra.flatten().tolist() == [20, 22]
    assert kept.source.tolist() == [[50], [52]]
    assert numbers(kept.reorder(torch.tensor([1, 3])).keep(torch.tensor([1]))) == expected(5)


def test_without_memory_and_feeding() -> None:
    state = DecodingState(torch.tensor([[7], [8]]), None, DecoderState((CellState(column(0.0, 1)),)))
    kept = state.keep(torch.tensor([1]))
    assert kept.memory is None
    assert kept.decoder.attended is None
    assert kept.decoder.attention is None
    assert kept.source.tolist() == [[8]]
    assert kept.decoder.layers[0].h.tolist() == [[1.0]]
