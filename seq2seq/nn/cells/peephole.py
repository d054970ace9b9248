"""The LSTM whose gates see its memory."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seq2seq.nn.cells.parameters import empty, orthogonal_by_gate, xavier_by_gate
from seq2seq.nn.cells.state import QUIET, CellState, StepNoise


class PeepholeLSTMCell(nn.Module):
    r"""The LSTM with peephole connections (Gers and Schmidhuber 2000), in the form of Graves 2013, equations 7 to 11.

    .. math::
        i &= \sigma(W_i x + U_i h + p_i \odot c + b_i), \quad f = \sigma(W_f x + U_f h + p_f \odot c + b_f) \\
        g &= \tanh(W_g x + U_g h + b_g), \quad c' = f \odot c + i \odot g \\
        o &= \sigma(W_o x + U_o h + p_o \odot c' + b_o), \quad h' = o \odot \tanh c'

    The input and forget gates see the memory before the step, the output gate that after it. Departures from Gers and
    Schmidhuber: one memory per gate, tanh where they have scaled logistic functions, and the gradient is not cut at
    the peepholes. With the peepholes at zero, as they start, it is :class:`LSTMCell`.
    Parameters, gates in the order i, f, g, o: `w_ih` W, `w_hh` U, `b_ih` b; `w_c` is p in the order i, f, o.
    """

    def __init__(self, *, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = hidden_size
        self.memory_size = hidden_size
        self.w_ih = empty(4 * hidden_size, input_size)
        self.w_hh = empty(4 * hidden_size, hidden_size)
        self.w_c = empty(3 * hidden_size)
        self.b_ih = empty(4 * hidden_size)
        self.reset_parameters()

    @staticmethod
    def parameter_count(input_size: int, hidden_size: int) -> int:
        """Number of parameters: hidden * (4 * (input + hidden + 1) + 3)."""
        return hidden_size * (4 * (input_size + hidden_size + 1) + 3)

    def reset_parameters(self) -> None:
        """Draw the initial weights from torch's generator: U orthogonal, W Xavier-uniform, p zero, forget bias 1."""
        xavier_by_gate(self.w_ih, 4)
        orthogonal_by_gate(self.w_hh, 4)
        nn.init.zeros_(self.w_c)
        nn.init.zeros_(self.b_ih)
        self.set_forget_bias(1.0)

    def set_forget_bias(self, value: float) -> None:
        """Make b_f `value`."""
        nn.init.constant_(self.b_ih.data[self.hidden_size : 2 * self.hidden_size], value)

    def project(self, inputs: Tensor) -> Tensor:
        """W x + b: [..., input] to [..., 4*hidden]."""
        return F.linear(inputs, self.w_ih, self.b_ih)

    def step(self, projected: Tensor, state: CellState, noise: StepNoise = QUIET) -> CellState:
        """The next state from `projected` [rows, 4*hidden] and the last state.

        Raises:
            ValueError: if the state has no memory cell.
        """
        memory = state.memory()
        gates = projected + F.linear(noise.on_state(state.h), noise.weights(self.w_hh))
        i, f, g, o = gates.chunk(4, dim=-1)
        p_i, p_f, p_o = self.w_c.chunk(3)
        i, f = torch.sigmoid(i + p_i * memory), torch.sigmoid(f + p_f * memory)
        c = f * memory + i * noise.on_candidate(torch.tanh(g))
        o = torch.sigmoid(o + p_o * c)
        return CellState(o * torch.tanh(c), c)
