"""Layers over whole source sentences: their directions, what lies between them, and a stack of them.

Sequences are padded, never packed: packing sends PyTorch's layers into a loop over time that is several times slower.
Each direction is a layer of its own; a backward one reads every sentence reversed by a gather that knows its length, so
padding always comes last and never reaches a real position.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal, cast

import torch
from torch import Tensor, nn

from seq2seq.nn.cells import CellState
from seq2seq.nn.connection import PLAIN, Connection, Connections
from seq2seq.nn.dropout import dropout, variational_dropout
from seq2seq.nn.recurrent.layer import RecurrentLayer
from seq2seq.nn.recurrent.streams import has_streams, side_by_side

DirectionsName = Literal["forward", "bidirectional", "alternating", "bottom-bidirectional"]
#: A layer, from the width of its input.
MakeLayer = Callable[[int], RecurrentLayer]


def reversal(lengths: Tensor, length: int) -> Tensor:
    """Positions that reverse each sequence in place and leave its padding: LongTensor [batch, length]."""
    positions = torch.arange(length, device=lengths.device).unsqueeze(0)
    mirrored = lengths.unsqueeze(1) - 1 - positions
    return torch.where(mirrored >= 0, mirrored, positions)


def read_positions(sequences: Tensor, positions: Tensor) -> Tensor:
    """`sequences` [batch, len, width] read in the order of `positions` [batch, len]."""
    return sequences.gather(1, positions.unsqueeze(-1).expand(-1, -1, sequences.shape[-1]))


class EncoderLayer(nn.Module):
    """One layer over whole source sentences: forward, backward, or both, side by side in the output.

    The layer that reads forward is `ahead`, the one that reads backward `back`; where a direction is not read, its
    attribute is None. With `two_streams`, off by default, both directions run at a time on a GPU.
    """

    def __init__(self, *, ahead: RecurrentLayer | None, back: RecurrentLayer | None, final_cell: bool) -> None:
        super().__init__()
        parts = [layer for layer in (ahead, back) if layer is not None]
        if not parts:
            raise ValueError("an encoder layer reads forward, backward or both")
        self.final_cell = final_cell
        self.ahead = ahead
        self.back = back
        self.two_streams = False
        self.output_size = sum(layer.output_size for layer in parts)
        #: Widths of h and c of the final state, both directions side by side.
        self.state_sizes = (sum(layer.state_sizes[0] for layer in parts), sum(layer.state_sizes[1] for layer in parts))

    def forward(self, inputs: Tensor, mask: Tensor, reversed_positions: Tensor) -> tuple[Tensor, CellState]:
        """Read `inputs` [batch, src_len, input].

        Returns:
            The outputs [batch, src_len, output], zero on padding, and the final state [batch, state]: of each direction
            after the last word it reads; its c only with `final_cell`.
        """
        ahead = partial(self._read_ahead, inputs, mask)
        back = partial(self._read_back, inputs, mask, reversed_positions)
        read: tuple[tuple[Tensor, CellState], ...]
        if self.ahead is None:
            read = (back(),)
        elif self.back is None:
            read = (ahead(),)
        elif self.two_streams and has_streams(inputs.device):
            read = side_by_side(
                ahead,
                back,
                device=inputs.device,
                reads=(inputs, mask, reversed_positions),
                made=lambda result: (result[0], *result[1].tensors()),
            )
        else:
            read = (ahead(), back())
        outputs, states = zip(*read, strict=True)
        joined = outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=-1)
        return joined.masked_fill(~mask.unsqueeze(-1), 0.0), _side_by_side(list(states))

    def _read_ahead(self, inputs: Tensor, mask: Tensor) -> tuple[Tensor, CellState]:
        assert self.ahead is not None
        return self.ahead(inputs, mask=mask, final_cell=self.final_cell)

    def _read_back(self, inputs: Tensor, mask: Tensor, reversed_positions: Tensor) -> tuple[Tensor, CellState]:
        assert self.back is not None
        # Reversed here, so that a second stream reverses what it reads.
        backwards = read_positions(inputs, reversed_positions)
        outputs, state = self.back(backwards, mask=mask, final_cell=self.final_cell)
        return read_positions(outputs, reversed_positions), state


def _side_by_side(states: list[CellState]) -> CellState:
    """The states of the directions of a layer as one."""
    if len(states) == 1:
        return states[0]
    cells = [state.c for state in states if state.c is not None]
    return CellState(torch.cat([state.h for state in states], dim=-1), torch.cat(cells, dim=-1) if cells else None)


class EncoderStack(nn.Module):
    """Layers one on another, with dropout on every layer's output.

    Directions: `forward`; `bidirectional`, every layer in both; `alternating`, layers 1, 3 ... forward and 2, 4 ...
    backward (Zhou et al. 2016); `bottom-bidirectional`, the first layer in both, those above forward (Wu et al. 2016).
    `connection` says how a layer's output joins its input. With `variational`, dropout draws one mask per sentence
    instead of one per position (Gal and Ghahramani 2016). `final_cell`: whether final states have a memory cell c.
    """

    def __init__(
        self,
        *,
        make_layer: MakeLayer,
        input_size: int,
        layers: int,
        directions: DirectionsName,
        final_cell: bool,
        connection: Connection = PLAIN,
        dropout: float = 0.0,
        variational: bool = False,
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.variational = variational

        def make(index: int, width: int) -> EncoderLayer:
            ahead, back = _reads(directions, index)
            return EncoderLayer(
                ahead=make_layer(width) if ahead else None,
                back=make_layer(width) if back else None,
                final_cell=final_cell,
            )

        bottom = make(0, input_size)
        assert bottom.ahead is not None
        self.layers = nn.ModuleList([bottom])
        self.connections = Connections(
            kind=connection.kind,
            first=connection.first,
            input_size=input_size,
            width=bottom.ahead.output_size * sum(_reads(directions, 1)),
            bottom_width=bottom.output_size,
            layers=layers,
        )
        self.layers.extend(make(index, self.connections.input_size(index)) for index in range(1, layers))
        self.output_size = self.connections.output_size
        #: Widths of h and c of every layer's final state.
        self.state_sizes = tuple(cast(EncoderLayer, layer).state_sizes for layer in self.layers)

    def forward(self, inputs: Tensor, lengths: Tensor, mask: Tensor) -> tuple[Tensor, tuple[CellState, ...]]:
        """Read `inputs` [batch, src_len, input] of `lengths` [batch], `mask` bool [batch, src_len].

        Returns:
            The top layer's outputs [batch, src_len, output], zero on padding, and the final state of every layer.
        """
        drop = variational_dropout if self.variational else dropout
        reversed_positions = reversal(lengths, inputs.shape[1])
        states = []
        for index, layer in enumerate(self.layers):
            outputs, state = layer(inputs, mask, reversed_positions)
            outputs = drop(outputs, self.dropout, self.training)
            inputs = self.connections.join(index, inputs, outputs)
            states.append(state)
        return inputs, tuple(states)


def _reads(directions: DirectionsName, index: int) -> tuple[bool, bool]:
    """Whether the layer, counted from 0, reads forward, and whether it reads backward."""
    match directions:
        case "forward":
            return True, False
        case "bidirectional":
            return True, True
        case "alternating":
            return index % 2 == 0, index % 2 == 1
        case "bottom-bidirectional":
            return True, index == 0
