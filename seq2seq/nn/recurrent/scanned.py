"""The scanned layer: any cell, a loop over time with the product of the inputs taken out of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import repeat

import torch
from torch import Tensor, nn

from seq2seq.nn.cells import Cell, CellState, StepNoise
from seq2seq.nn.dropout import dropout_mask
from seq2seq.nn.recurrent.layer import at_lengths
from seq2seq.nn.recurrent.noise import NO_NOISE, LayerNoise, RecurrentNoise
from seq2seq.nn.recurrent.precision import product_dtype, state_to


class ScannedLayer(nn.Module):
    """One layer in one direction of any cell, with any recurrent dropout: a RecurrentLayer.

    Its parameters are those of `cell`. Under autocast products run in its precision and the state stays in that of the
    parameters.
    """

    def __init__(self, *, cell: Cell, noise: RecurrentNoise = NO_NOISE) -> None:
        super().__init__()
        self.cell = cell
        self.noise = noise
        self.input_size = cell.input_size
        self.output_size = cell.output_size
        self.state_sizes = (cell.output_size, cell.memory_size)

    def initial_state(self, rows: int) -> CellState:
        """A state of zeros, [rows, output] and [rows, memory]."""
        h, c = (self.cell.w_hh.new_zeros(rows, width) for width in self.state_sizes)
        return CellState(h, c if self.cell.memory_size else None)

    def draw(self, rows: int) -> LayerNoise | None:
        """The noise of `rows` sequences in training; with it, under autocast, the recurrent weights, cast once."""
        if not self.training:
            return None
        noise = self.noise.draw(self.cell.w_hh, rows, self.output_size)
        dtype = product_dtype(self.cell.w_hh)
        if dtype == self.cell.w_hh.dtype:
            return noise
        return replace(noise or LayerNoise(), w_hh=_weights(noise, self.cell.w_hh).to(dtype))

    def forward(
        self,
        inputs: Tensor,
        state: CellState | None = None,
        *,
        mask: Tensor | None = None,
        final_cell: bool = True,
        noise: LayerNoise | None = None,
    ) -> tuple[Tensor, CellState]:
        """Read whole sequences, as :class:`~seq2seq.nn.recurrent.RecurrentLayer` says."""
        rows = inputs.shape[0]
        state = self.initial_state(rows) if state is None else state_to(state, self.cell.w_hh.dtype)
        if noise is None:
            noise = self.draw(rows)
        # Time-major inside: every step's part is then one block of memory.
        projected = self.cell.project(inputs.transpose(0, 1))
        w_hh = _weights(noise, self.cell.w_hh).to(product_dtype(self.cell.w_hh))
        states = []
        for step, change in zip(projected.unbind(0), self._changes(noise, w_hh, projected), strict=False):
            state = self._next(step, state, change)
            states.append(state)
        h = torch.stack([state.h for state in states]).transpose(0, 1)  # [batch, len, output]
        if mask is not None:
            c = None
            if final_cell and self.cell.memory_size:
                c = at_lengths(torch.stack([state.memory() for state in states], dim=1), mask)
            state = CellState(at_lengths(h, mask), c)
        return h.to(product_dtype(self.cell.w_hh)), state

    def step(self, inputs: Tensor, state: CellState, noise: LayerNoise | None = None) -> tuple[Tensor, CellState]:
        """One time step: `inputs` [rows, input] to the output [rows, output] and the next state. Same parameters."""
        projected = self.cell.project(inputs)
        change = next(iter(self._changes(noise, _weights(noise, self.cell.w_hh), projected.unsqueeze(0))))
        state = self._next(projected, state_to(state, self.cell.w_hh.dtype), change)
        return state.h.to(product_dtype(self.cell.w_hh)), state

    def _changes(self, noise: LayerNoise | None, w_hh: Tensor, projected: Tensor) -> Iterable[_Change]:
        """What the noise does to each step of `projected` [len, rows, any]; drawn for all steps at once."""
        length, rows = projected.shape[:2]
        if noise is not None and noise.candidate:
            factors = dropout_mask(projected, (length, rows, self.cell.hidden_size), noise.candidate)
            return (_Change(StepNoise(w_hh=w_hh, candidate=factor)) for factor in factors.unbind(0))
        if noise is not None and noise.zoneout:
            quiet, (of_h, _) = StepNoise(w_hh=w_hh), self.state_sizes
            kept = dropout_mask(projected, (length, rows, sum(self.state_sizes)), 1.0 - noise.zoneout) != 0
            return (_Change(quiet, part[:, :of_h], part[:, of_h:]) for part in kept.unbind(0))
        return repeat(_Change(StepNoise(w_hh=w_hh, read=None if noise is None else noise.read)))

    def _next(self, projected: Tensor, state: CellState, change: _Change) -> CellState:
        """The state after a step of `projected` [rows, any]."""
        new = self.cell.step(projected, state, change.step)
        if change.keep_h is not None and change.keep_c is not None:
            c = None if new.c is None else torch.where(change.keep_c, state.memory(), new.c)
            return CellState(torch.where(change.keep_h, state.h, new.h), c)
        if self.noise.kind == "zoneout" and not self.training:
            probability = self.noise.probability
            c = None if new.c is None else torch.lerp(new.c, state.memory(), probability)
            return CellState(torch.lerp(new.h, state.h, probability), c)
        return new


@dataclass(frozen=True)
class _Change:
    """What noise does to one step: inside the cell, and by units of h and c that keep their old value (bool)."""

    step: StepNoise
    keep_h: Tensor | None = None
    keep_c: Tensor | None = None


def _weights(noise: LayerNoise | None, own: Tensor) -> Tensor:
    """The recurrent weights to use: those of the noise, if it has any, or the cell's `own`."""
    return own if noise is None or noise.w_hh is None else noise.w_hh
