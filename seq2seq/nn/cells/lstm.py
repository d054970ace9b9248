"""The LSTM."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seq2seq.nn.cells.parameters import empty, orthogonal_by_gate, xavier_by_gate
from seq2seq.nn.cells.state import QUIET, CellState, StepNoise


class LSTMCell(nn.Module):
    r"""The LSTM (Hochreiter and Schmidhuber 1997) with the forget gate of Gers et al. 2000, without peepholes.

    .. math::
        i &= \sigma(W_i x + b_i + U_i h + d_i), \quad f = \sigma(W_f x + b_f + U_f h + d_f) \\
        g &= \tanh(W_g x + b_g + U_g h + d_g), \quad o = \sigma(W_o x + b_o + U_o h + d_o) \\
        c' &= f \odot c + i \odot g, \quad h' = o \odot \tanh c'

    The two biases b and d are one too many, kept because cuDNN and PyTorch have both.
    Parameters, gates in the order i, f, g, o: `w_ih` W, `w_hh` U, `b_ih` b, `b_hh` d.
    """

    def __init__(self, *, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = hidden_size
        self.memory_size = hidden_size
        self.w_ih = empty(4 * hidden_size, input_size)
        self.w_hh = empty(4 * hidden_size, hidden_size)
        self.b_ih = empty(4 * hidden_size)
        self.b_hh = empty(4 * hidden_size)
        self.reset_parameters()

    @staticmethod
    def parameter_count(input_size: int, hidden_size: int) -> int:
        """Number of parameters: 4 * hidden * (input + hidden + 2)."""
        return 4 * hidden_size * (input_size + hidden_size + 2)

    def reset_parameters(self) -> None:
        """Draw the initial weights from torch's generator: U orthogonal, W Xavier-uniform, forget bias 1 in total."""
        xavier_by_gate(self.w_ih, 4)
        orthogonal_by_gate(self.w_hh, 4)
        nn.init.zeros_(self.b_ih)
        nn.init.zeros_(self.b_hh)
        self.set_forget_bias(1.0)

    def set_forget_bias(self, value: float) -> None:
        """Make b_f `value` and d_f, which adds to it, zero."""
        forget = slice(self.hidden_size, 2 * self.hidden_size)
        nn.init.constant_(self.b_ih.data[forget], value)
        nn.init.zeros_(self.b_hh.data[forget])

    def project(self, inputs: Tensor) -> Tensor:
        """W x + b: [..., input] to [..., 4*hidden]."""
        return F.linear(inputs, self.w_ih, self.b_ih)

    def step(self, projected: Tensor, state: CellState, noise: StepNoise = QUIET) -> CellState:
        """The next state from `projected` [rows, 4*hidden] and the last state.

        Raises:
            ValueError: if the state has no memory cell.
        """
        memory = state.memory()
        gates = projected + F.linear(noise.on_state(state.h), noise.weights(self.w_hh), self.b_hh)
        i, f, g, o = gates.chunk(4, dim=-1)
        c = torch.sigmoid(f) * memory + torch.sigmoid(i) * noise.on_candidate(torch.tanh(g))
        return CellState(torch.sigmoid(o) * torch.tanh(c), c)
