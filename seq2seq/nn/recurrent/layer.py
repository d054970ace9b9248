"""What encoder and decoder need of a recurrent layer."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from seq2seq.nn.cells import CellState
from seq2seq.nn.recurrent.noise import LayerNoise


class RecurrentLayer(Protocol):
    """One recurrent layer in one direction; an `nn.Module`. Whole sequences in one call, or one time step."""

    input_size: int
    #: Width of the outputs.
    output_size: int
    #: Widths of h and c of its state; a c of 0 is None.
    state_sizes: tuple[int, int]

    def initial_state(self, rows: int) -> CellState:
        """A state of zeros, [rows, width]."""
        ...

    def draw(self, rows: int) -> LayerNoise | None:
        """What is drawn once for `rows` sequences, to be passed to each :meth:`step`.

        None in evaluation, and where there is nothing to draw.
        """
        ...

    def __call__(
        self,
        inputs: Tensor,
        state: CellState | None = None,
        *,
        mask: Tensor | None = None,
        final_cell: bool = True,
        noise: LayerNoise | None = None,
    ) -> tuple[Tensor, CellState]:
        """Read whole sequences.

        Args:
            inputs: [batch, len, input].
            state: state before the first step; zeros by default.
            mask: bool [batch, len], True = real. Real positions come first. With it the returned state is that after
                each sequence's last real position; without it, after the last position.
            final_cell: with a mask, also the memory cell c; that costs a little, and c is None without it.
            noise: what :meth:`draw` returned; by default the layer draws its own.

        Returns:
            The outputs [batch, len, output], whose padded positions mean nothing, and the last state [batch, width].
        """
        ...

    def step(self, inputs: Tensor, state: CellState, noise: LayerNoise | None = None) -> tuple[Tensor, CellState]:
        """One time step: `inputs` [rows, input] to the output [rows, output] and the next state. Same parameters."""
        ...


def at_lengths(steps: Tensor, mask: Tensor) -> Tensor:
    """Of `steps` [batch, len, width] what each sequence has at its last real position: [batch, width].

    `mask` is bool [batch, len]; a sequence without a real position gives its first.
    """
    last = (mask.sum(dim=1) - 1).clamp(min=0)
    return steps[torch.arange(steps.shape[0], device=steps.device), last]
