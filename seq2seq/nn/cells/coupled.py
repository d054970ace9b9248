"""The LSTM whose forget gate is what its input gate leaves."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seq2seq.nn.cells.parameters import empty, orthogonal_by_gate, xavier_by_gate
from seq2seq.nn.cells.state import QUIET, CellState, StepNoise


class CoupledLSTMCell(nn.Module):
    r"""The LSTM with coupled input and forget gates, "CIFG" (Greff et al. 2017).

    .. math::
        i &= \sigma(W_i x + U_i h + b_i), \quad g = \tanh(W_g x + U_g h + b_g), \quad o = \sigma(W_o x + U_o h + b_o) \\
        c' &= (1 - i) \odot c + i \odot g, \quad h' = o \odot \tanh c'

    Departure: Greff et al. keep peepholes in their CIFG; this one has none.
    Since :math:`1 - \sigma(a) = \sigma(-a)`, a forget bias of 1 is an input bias b_i of -1.
    Parameters, gates in the order i, g, o: `w_ih` W, `w_hh` U, `b_ih` b.
    """

    def __init__(self, *, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = hidden_size
        self.memory_size = hidden_size
        self.w_ih = empty(3 * hidden_size, input_size)
        self.w_hh = empty(3 * hidden_size, hidden_size)
        self.b_ih = empty(3 * hidden_size)
        self.reset_parameters()

    @staticmethod
    def parameter_count(input_size: int, hidden_size: int) -> int:
        """Number of parameters: 3 * hidden * (input + hidden + 1)."""
        return 3 * hidden_size * (input_size + hidden_size + 1)

    def reset_parameters(self) -> None:
        """Draw the initial weights from torch's generator: U orthogonal, W Xavier-uniform, forget bias 1."""
        xavier_by_gate(self.w_ih, 3)
        orthogonal_by_gate(self.w_hh, 3)
        nn.init.zeros_(self.b_ih)
        self.set_forget_bias(1.0)

    def set_forget_bias(self, value: float) -> None:
        """Make the bias of the forget gate 1 - i `value`: b_i is its negative."""
        nn.init.constant_(self.b_ih.data[: self.hidden_size], -value)

    def project(self, inputs: Tensor) -> Tensor:
        """W x + b: [..., input] to [..., 3*hidden]."""
        return F.linear(inputs, self.w_ih, self.b_ih)

    def step(self, projected: Tensor, state: CellState, noise: StepNoise = QUIET) -> CellState:
        """The next state from `projected` [rows, 3*hidden] and the last state.

        Raises:
            ValueError: if the state has no memory cell.
        """
        memory = state.memory()
        gates = projected + F.linear(noise.on_state(state.h), noise.weights(self.w_hh))
        i, g, o = gates.chunk(3, dim=-1)
        i = torch.sigmoid(i)
        c = (1 - i) * memory + i * noise.on_candidate(torch.tanh(g))
        return CellState(torch.sigmoid(o) * torch.tanh(c), c)
