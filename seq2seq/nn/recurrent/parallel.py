"""The parallel layer: cells whose state is a linear recurrence, whole sequences without a loop over time."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seq2seq.nn.cells import CellState, ScanCell
from seq2seq.nn.recurrent.layer import at_lengths
from seq2seq.nn.recurrent.linear_recurrence import linear_recurrence
from seq2seq.nn.recurrent.noise import LayerNoise
from seq2seq.nn.recurrent.precision import product_dtype, state_to


class ParallelLayer(nn.Module):
    """One layer in one direction of a cell without a matrix on its state: a RecurrentLayer.

    It has no recurrent dropout. Under autocast its state stays in the precision of the parameters.
    """

    def __init__(self, *, cell: ScanCell) -> None:
        super().__init__()
        self.cell = cell
        self.input_size = cell.input_size
        self.output_size = cell.output_size
        self.state_sizes = (cell.hidden_size, 0)

    def initial_state(self, rows: int) -> CellState:
        """A state of zeros, [rows, hidden]."""
        return CellState(next(self.parameters()).new_zeros(rows, self.cell.hidden_size))

    def draw(self, rows: int) -> LayerNoise | None:
        """None: no matrix, no noise."""
        return None

    def forward(
        self,
        inputs: Tensor,
        state: CellState | None = None,
        *,
        mask: Tensor | None = None,
        final_cell: bool = True,
        noise: LayerNoise | None = None,
    ) -> tuple[Tensor, CellState]:
        """Read whole sequences, as :class:`~seq2seq.nn.recurrent.RecurrentLayer` says; there is no memory cell."""
        state = self.initial_state(inputs.shape[0]) if state is None else state_to(state, self._dtype())
        a, b = self.cell.coefficients(inputs)
        h = linear_recurrence(a, b, state.h)
        outputs = self.cell.read(inputs, h).to(product_dtype(h))
        return outputs, CellState(h[:, -1] if mask is None else at_lengths(h, mask))

    def step(self, inputs: Tensor, state: CellState, noise: LayerNoise | None = None) -> tuple[Tensor, CellState]:
        """One time step: `inputs` [rows, input] to the output [rows, output] and the next state. Same parameters."""
        a, b = self.cell.coefficients(inputs)
        h = a * state.h.to(self._dtype()) + b
        return self.cell.read(inputs, h).to(product_dtype(h)), CellState(h)

    def _dtype(self) -> torch.dtype:
        """The dtype of the state: that of the parameters."""
        return next(self.parameters()).dtype
