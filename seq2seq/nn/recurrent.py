"""Recurrence over time: one fused layer, both directions of it, and a stack of layers.

Sequences are padded, never packed: packing sends PyTorch's layers into a loop over time that is several times slower.
Each direction is a layer of its own; the backward one reads every sentence reversed by a gather that knows its
length, so padding always comes last and never reaches a real position.
"""

from __future__ import annotations

import warnings
from typing import Literal

import torch
from torch import Tensor, nn

from seq2seq.nn.cells import CellState, CellWeights
from seq2seq.nn.dropout import dropout

FusedCellName = Literal["lstm", "gru"]

_GATES: dict[str, int] = {"lstm": 4, "gru": 3}
#: Pre-activation that shuts a sigmoid gate, or with the other sign opens it, in every precision.
_SHUT = 1e4


class FusedLayer(nn.Module):
    """One recurrent layer in one direction, whole sequences in one call of PyTorch's fused kernels.

    The equations are :func:`seq2seq.nn.cells.lstm_step` and :func:`seq2seq.nn.cells.gru_step`. Recurrent weights start
    orthogonal gate by gate, input weights Xavier-uniform, biases zero but for a forget gate of 1 in total.
    """

    def __init__(self, *, cell: FusedCellName, input_size: int, hidden_size: int) -> None:
        super().__init__()
        gates = _GATES[cell]
        self.cell = cell
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.w_ih = nn.Parameter(torch.empty(gates * hidden_size, input_size))
        self.w_hh = nn.Parameter(torch.empty(gates * hidden_size, hidden_size))
        self.b_ih = nn.Parameter(torch.empty(gates * hidden_size))
        self.b_hh = nn.Parameter(torch.empty(gates * hidden_size))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the initial weights from torch's generator."""
        for gate in self.w_ih.data.chunk(_GATES[self.cell]):
            nn.init.xavier_uniform_(gate)
        for gate in self.w_hh.data.chunk(_GATES[self.cell]):
            nn.init.orthogonal_(gate)
        nn.init.zeros_(self.b_ih)
        nn.init.zeros_(self.b_hh)
        if self.cell == "lstm":
            # Only one of the two biases, for they add up.
            nn.init.ones_(self.b_ih.data[self.hidden_size : 2 * self.hidden_size])

    @property
    def weights(self) -> CellWeights:
        """The parameters, as the textbook cells take them."""
        return CellWeights(self.w_ih, self.w_hh, self.b_ih, self.b_hh)

    def initial_state(self, rows: int) -> CellState:
        """A state of zeros, [rows, hidden]."""
        zeros = self.w_hh.new_zeros(rows, self.hidden_size)
        return CellState(zeros, zeros if self.cell == "lstm" else None)

    def forward(
        self, inputs: Tensor, state: CellState | None = None, *, mask: Tensor | None = None, final_cell: bool = True
    ) -> tuple[Tensor, CellState]:
        """Read whole sequences.

        Args:
            inputs: [batch, len, input].
            state: state before the first step; zeros by default.
            mask: bool [batch, len], True = real. Real positions come first. With it the returned state is that after
                each sequence's last real position; without it, after the last position.
            final_cell: with a mask, also the memory cell of an LSTM; that costs a little, and c is None without it.

        Returns:
            The outputs [batch, len, hidden], whose padded positions mean nothing, and the last state [batch, hidden].
        """
        if state is None:
            state = self.initial_state(inputs.shape[0])
        w_ih: Tensor = self.w_ih
        if mask is not None and final_cell and self.cell == "lstm":
            inputs, w_ih = self._holding(inputs, mask)
        outputs, h, c = _run(self.cell, inputs, state, (w_ih, self.w_hh, self.b_ih, self.b_hh))
        if mask is not None:
            last = (mask.sum(dim=1) - 1).clamp(min=0)
            h = outputs[torch.arange(outputs.shape[0], device=outputs.device), last]
            c = c if final_cell else None
        return outputs, CellState(h, c)

    def _holding(self, inputs: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs and weights with one more feature, 1 on padding, that opens the forget gate and shuts the input gate.

        The memory cell then passes through padding unchanged, to the last bit, at full speed; h, which does not, is
        read from the outputs at each length.
        """
        hidden = self.hidden_size
        column = self.w_ih.new_zeros(4 * hidden, 1)
        column[:hidden] = -_SHUT
        column[hidden : 2 * hidden] = _SHUT
        padding = (~mask).unsqueeze(-1).to(inputs.dtype)
        return torch.cat((inputs, padding), dim=-1), torch.cat((self.w_ih, column), dim=1)

    def step(self, inputs: Tensor, state: CellState) -> tuple[Tensor, CellState]:
        """One time step: `inputs` [rows, input] to the output [rows, hidden] and the next state. Same parameters."""
        if self.cell == "lstm":
            assert state.c is not None
            h, c = torch.lstm_cell(inputs, (state.h, state.c), self.w_ih, self.w_hh, self.b_ih, self.b_hh)
            return h, CellState(h, c)
        h = torch.gru_cell(inputs, state.h, self.w_ih, self.w_hh, self.b_ih, self.b_hh)
        return h, CellState(h)


def _run(
    cell: FusedCellName, inputs: Tensor, state: CellState, weights: tuple[Tensor, ...]
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Call the fused kernel in the precision that autocast asks for: outputs [batch, len, hidden], last h and c.

    Autocast itself would run these kernels in fp16 on CUDA when it is set to bf16, so it is turned off and the casts
    are made here.
    """
    kind = inputs.device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else inputs.dtype
    with torch.autocast(kind, enabled=False), warnings.catch_warnings():
        # cuDNN wants its weights in one block and says so for every call with weights that were cast.
        warnings.filterwarnings("ignore", message="RNN module weights are not part of single contiguous chunk")
        flat = [weight.to(dtype) for weight in weights]
        h = state.h.to(dtype).unsqueeze(0)
        training = torch.is_grad_enabled()
        # Time-major inside: what the CPU kernels work on; batch_first would make them copy.
        steps = inputs.to(dtype).transpose(0, 1)
        if cell == "lstm":
            assert state.c is not None
            hx = [h, state.c.to(dtype).unsqueeze(0)]
            outputs, h, c = torch.lstm(steps, hx, flat, True, 1, 0.0, training, False, False)
            return outputs.transpose(0, 1), h[0], c[0]
        outputs, h = torch.gru(steps, h, flat, True, 1, 0.0, training, False, False)
        return outputs.transpose(0, 1), h[0], None


def reversal(lengths: Tensor, length: int) -> Tensor:
    """Positions that reverse each sequence in place and leave its padding: LongTensor [batch, length]."""
    positions = torch.arange(length, device=lengths.device).unsqueeze(0)
    mirrored = lengths.unsqueeze(1) - 1 - positions
    return torch.where(mirrored >= 0, mirrored, positions)


def _gather_time(sequences: Tensor, positions: Tensor) -> Tensor:
    """`sequences` [batch, len, size] read at `positions` [batch, len]."""
    return sequences.gather(1, positions.unsqueeze(-1).expand(-1, -1, sequences.shape[-1]))


class EncoderLayer(nn.Module):
    """One layer over whole source sentences, in one direction or in both, side by side in the output."""

    def __init__(
        self, *, cell: FusedCellName, input_size: int, hidden_size: int, bidirectional: bool, final_cell: bool
    ) -> None:
        super().__init__()
        self.final_cell = final_cell
        self.ahead = FusedLayer(cell=cell, input_size=input_size, hidden_size=hidden_size)
        self.back = FusedLayer(cell=cell, input_size=input_size, hidden_size=hidden_size) if bidirectional else None
        self.output_size = hidden_size * (2 if bidirectional else 1)

    def forward(self, inputs: Tensor, mask: Tensor, reversed_positions: Tensor) -> tuple[Tensor, CellState]:
        """Read `inputs` [batch, src_len, input].

        Returns:
            The outputs [batch, src_len, output], zero on padding, and the final state [batch, output]: of each
            direction after the last word it reads; its c only with `final_cell`.
        """
        outputs, state = self.ahead(inputs, mask=mask, final_cell=self.final_cell)
        if self.back is not None:
            backwards = _gather_time(inputs, reversed_positions)
            back_outputs, back_state = self.back(backwards, mask=mask, final_cell=self.final_cell)
            outputs = torch.cat((outputs, _gather_time(back_outputs, reversed_positions)), dim=-1)
            state = CellState(
                torch.cat((state.h, back_state.h), dim=-1),
                torch.cat((state.c, back_state.c), dim=-1)
                if state.c is not None and back_state.c is not None
                else None,
            )
        return outputs.masked_fill(~mask.unsqueeze(-1), 0.0), state


class EncoderStack(nn.Module):
    """Layers one on another, with dropout on every layer's output and residual connections from the second on."""

    def __init__(
        self,
        *,
        cell: FusedCellName,
        input_size: int,
        hidden_size: int,
        layers: int,
        bidirectional: bool,
        residual: bool,
        dropout: float,
        final_cell: bool,
    ) -> None:
        super().__init__()
        self.residual = residual
        self.dropout = dropout
        self.layers = nn.ModuleList()
        for _ in range(layers):
            layer = EncoderLayer(
                cell=cell,
                input_size=input_size,
                hidden_size=hidden_size,
                bidirectional=bidirectional,
                final_cell=final_cell,
            )
            self.layers.append(layer)
            input_size = layer.output_size
        self.output_size = input_size

    def forward(self, inputs: Tensor, lengths: Tensor, mask: Tensor) -> tuple[Tensor, tuple[CellState, ...]]:
        """Read `inputs` [batch, src_len, input] of `lengths` [batch], `mask` bool [batch, src_len].

        Returns:
            The top layer's outputs [batch, src_len, output], zero on padding, and the final state of every layer.
        """
        reversed_positions = reversal(lengths, inputs.shape[1])
        states = []
        for index, layer in enumerate(self.layers):
            outputs, state = layer(inputs, mask, reversed_positions)
            outputs = dropout(outputs, self.dropout, self.training)
            inputs = outputs + inputs if self.residual and index > 0 else outputs
            states.append(state)
        return inputs, tuple(states)
