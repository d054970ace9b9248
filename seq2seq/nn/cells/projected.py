"""The LSTM with a narrow h."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seq2seq.nn.cells.parameters import empty, orthogonal_by_gate, xavier_by_gate
from seq2seq.nn.cells.state import QUIET, CellState, StepNoise


class ProjectedLSTMCell(nn.Module):
    r"""The LSTM with a recurrent projection layer, "LSTMP" (Sak et al. 2014).

    .. math::
        i &= \sigma(W_i x + U_i h + b_i), \quad f = \sigma(W_f x + U_f h + b_f) \\
        g &= \tanh(W_g x + U_g h + b_g), \quad o = \sigma(W_o x + U_o h + b_o) \\
        c' &= f \odot c + i \odot g, \quad h' = P (o \odot \tanh c')

    h is `projection_size` wide, c is `hidden_size` wide. Departures from Sak et al.: no peepholes, and no second
    projection that only the output sees. DropConnect replaces U, not P.
    Parameters, gates in the order i, f, g, o: `w_ih` W, `w_hh` U [4*hidden, projection], `b_ih` b,
    `w_hr` P [projection, hidden].
    """

    def __init__(self, *, input_size: int, hidden_size: int, projection_size: int) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = projection_size
        self.memory_size = hidden_size
        self.w_ih = empty(4 * hidden_size, input_size)
        self.w_hh = empty(4 * hidden_size, projection_size)
        self.w_hr = empty(projection_size, hidden_size)
        self.b_ih = empty(4 * hidden_size)
        self.reset_parameters()

    @staticmethod
    def parameter_count(input_size: int, hidden_size: int, projection_size: int) -> int:
        """Number of parameters: 4 * hidden * (input + projection + 1) + projection * hidden."""
        return 4 * hidden_size * (input_size + projection_size + 1) + projection_size * hidden_size

    def reset_parameters(self) -> None:
        """Draw the initial weights from torch's generator: U and P orthogonal, W Xavier-uniform, forget bias 1.

        U is taller than it is wide: each gate's columns are orthonormal. P is wider than it is tall: its rows are.
        """
        xavier_by_gate(self.w_ih, 4)
        orthogonal_by_gate(self.w_hh, 4)
        nn.init.orthogonal_(self.w_hr)
        nn.init.zeros_(self.b_ih)
        self.set_forget_bias(1.0)

    def set_forget_bias(self, value: float) -> None:
        """Make b_f `value`."""
        nn.init.constant_(self.b_ih.data[self.hidden_size : 2 * self.hidden_size], value)

    def project(self, inputs: Tensor) -> Tensor:
        """W x + b: [..., input] to [..., 4*hidden]."""
        return F.linear(inputs, self.w_ih, self.b_ih)

    def step(self, projected: Tensor, state: CellState, noise: StepNoise = QUIET) -> CellState:
        """The next state from `projected` [rows, 4*hidden] and the last state, whose h is [rows, projection].

        Raises:
            ValueError: if the state has no memory cell.
        """
        memory = state.memory()
        gates = projected + F.linear(noise.on_state(state.h), noise.weights(self.w_hh))
        i, f, g, o = gates.chunk(4, dim=-1)
        c = torch.sigmoid(f) * memory + torch.sigmoid(i) * noise.on_candidate(torch.tanh(g))
        h = F.linear(torch.sigmoid(o) * torch.tanh(c), self.w_hr)
        # Under autocast the product is narrower than the state.
        return CellState(h.to(torch.promote_types(h.dtype, state.h.dtype)), c)
