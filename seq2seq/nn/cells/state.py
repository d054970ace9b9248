"""What passes between the steps of a recurrence, and what a cell is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn


@dataclass(frozen=True)
class CellState:
    """State of one recurrent layer: `h` [rows, output], and for an LSTM its memory cell `c` [rows, memory]."""

    h: Tensor
    c: Tensor | None = None

    def select(self, rows: Tensor) -> CellState:
        """The state whose row i is this state's row `rows[i]`; `rows` is a LongTensor [new_rows]."""
        return CellState(self.h.index_select(0, rows), None if self.c is None else self.c.index_select(0, rows))

    def tensors(self) -> tuple[Tensor, ...]:
        """`h`, and `c` where there is one."""
        return (self.h,) if self.c is None else (self.h, self.c)

    def memory(self) -> Tensor:
        """The memory cell `c`.

        Raises:
            ValueError: if there is none.
        """
        if self.c is None:
            raise ValueError("an LSTM needs a memory cell in its state")
        return self.c


@dataclass(frozen=True)
class StepNoise:
    """What dropout changes inside a step; None = nothing.

    Attributes:
        read: [rows, output], a factor on the h that the recurrent matrices read, not on an h that is carried over (Gal
            and Ghahramani 2016, section 4.2).
        w_hh: recurrent weights to use in place of the cell's own, of the same shape (DropConnect; Wan et al. 2013,
            Merity et al. 2018).
        candidate: [rows, hidden], a factor on the candidate update: g of an LSTM, n of a GRU (Semeniuta et al. 2016,
            section 3).
    """

    read: Tensor | None = None
    w_hh: Tensor | None = None
    candidate: Tensor | None = None

    def on_state(self, h: Tensor) -> Tensor:
        """The `h` [rows, output] that the recurrent matrices read."""
        return h if self.read is None else h * self.read

    def weights(self, own: Tensor) -> Tensor:
        """The recurrent weights to use by a cell whose weights are `own`."""
        return own if self.w_hh is None else self.w_hh

    def on_candidate(self, candidate: Tensor) -> Tensor:
        """The candidate update [rows, hidden] with its noise."""
        return candidate if self.candidate is None else candidate * self.candidate


#: A step without noise.
QUIET = StepNoise()


class Cell(Protocol):
    """One time step of a recurrence, an `nn.Module` that holds parameters only.

    A step is split where the state comes in: `project` is what the input alone decides, done for all time steps in
    one call; `step` is the rest. Under autocast the products run in its precision; the new state has the wider of the
    dtypes of the old state and of `projected`, so that a float32 state stays float32.

    Attributes:
        input_size: width of an input.
        hidden_size: number of units.
        output_size: width of h.
        memory_size: width of c; 0 without one.
        w_hh: all recurrent matrices in one tensor whose last axis is the width of h.
    """

    input_size: int
    hidden_size: int
    output_size: int
    memory_size: int
    w_hh: nn.Parameter

    def project(self, inputs: Tensor) -> Tensor:
        """The part of a step that needs no state: `inputs` [..., input] to [..., projected]."""
        ...

    def step(self, projected: Tensor, state: CellState, noise: StepNoise = QUIET) -> CellState:
        """The next state from `projected` [rows, projected] and the last state [rows, ...].

        Raises:
            ValueError: if the cell needs a memory cell and the state has none, or if it has no candidate update
                and the noise wants one.
        """
        ...


class ScanCell(Protocol):
    """A recurrence that is linear in its state and whose coefficients depend on the input alone.

    All time steps can be computed in parallel: h_t = a_t * h_{t-1} + b_t, element by element, and a layer puts out
    read(x_t, h_t). The state is h alone, so that `memory_size` is 0.
    """

    input_size: int
    hidden_size: int
    output_size: int
    memory_size: int

    def coefficients(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """The coefficients a and b, each [..., hidden], from `inputs` [..., input]; in float32 at least."""
        ...

    def read(self, inputs: Tensor, h: Tensor) -> Tensor:
        """The output [..., output] of a step from its input [..., input] and its new h [..., hidden]."""
        ...
