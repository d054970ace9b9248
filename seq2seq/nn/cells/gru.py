"""The gated recurrent unit in its two forms."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seq2seq.nn.cells.parameters import empty, orthogonal_by_gate, xavier_by_gate
from seq2seq.nn.cells.state import QUIET, CellState, StepNoise


class GRUCell(nn.Module):
    r"""The GRU with the reset gate after the product, the form of cuDNN and PyTorch.

    .. math::
        r &= \sigma(W_r x + b_r + U_r h + d_r), \quad z = \sigma(W_z x + b_z + U_z h + d_z) \\
        n &= \tanh(W_n x + b_n + r \odot (U_n h + d_n)), \quad h' = (1 - z) \odot n + z \odot h

    Cho et al. 2014 apply the reset gate to h before the product: :class:`ResetBeforeGRUCell`. z is the part that stays.
    Parameters, gates in the order r, z, n: `w_ih` W, `w_hh` U, `b_ih` b, `b_hh` d.
    """

    def __init__(self, *, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = hidden_size
        self.memory_size = 0
        self.w_ih = empty(3 * hidden_size, input_size)
        self.w_hh = empty(3 * hidden_size, hidden_size)
        self.b_ih = empty(3 * hidden_size)
        self.b_hh = empty(3 * hidden_size)
        self.reset_parameters()

    @staticmethod
    def parameter_count(input_size: int, hidden_size: int) -> int:
        """Number of parameters: 3 * hidden * (input + hidden + 2)."""
        return 3 * hidden_size * (input_size + hidden_size + 2)

    def reset_parameters(self) -> None:
        """Draw the initial weights from torch's generator: U orthogonal, W Xavier-uniform, biases zero."""
        xavier_by_gate(self.w_ih, 3)
        orthogonal_by_gate(self.w_hh, 3)
        nn.init.zeros_(self.b_ih)
        nn.init.zeros_(self.b_hh)

    def project(self, inputs: Tensor) -> Tensor:
        """W x + b: [..., input] to [..., 3*hidden]."""
        return F.linear(inputs, self.w_ih, self.b_ih)

    def step(self, projected: Tensor, state: CellState, noise: StepNoise = QUIET) -> CellState:
        """The next state from `projected` [rows, 3*hidden] and the last state."""
        from_state = F.linear(noise.on_state(state.h), noise.weights(self.w_hh), self.b_hh)
        gates_x, n_x = projected.split_with_sizes((2 * self.hidden_size, self.hidden_size), dim=-1)
        gates_h, n_h = from_state.split_with_sizes((2 * self.hidden_size, self.hidden_size), dim=-1)
        r, z = torch.sigmoid(gates_x + gates_h).chunk(2, dim=-1)
        n = noise.on_candidate(torch.tanh(n_x + r * n_h))
        return CellState((1 - z) * n + z * state.h)


class ResetBeforeGRUCell(nn.Module):
    r"""The GRU as it was published: the reset gate before the product (Cho et al. 2014, equations 5 to 8).

    .. math::
        r &= \sigma(W_r x + U_r h + b_r), \quad z = \sigma(W_z x + U_z h + b_z) \\
        n &= \tanh(W_n x + U_n (r \odot h) + b_n), \quad h' = (1 - z) \odot n + z \odot h

    Cho et al. leave the biases out of their equations. The candidate's product waits for r, so that a step is two
    products; in :class:`GRUCell` it is one. The two have different parameters.
    Parameters, gates in the order r, z, n: `w_ih` W, `w_hh` U, `b_ih` b.
    """

    def __init__(self, *, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = hidden_size
        self.memory_size = 0
        self.w_ih = empty(3 * hidden_size, input_size)
        self.w_hh = empty(3 * hidden_size, hidden_size)
        self.b_ih = empty(3 * hidden_size)
        self.reset_parameters()

    @staticmethod
    def parameter_count(input_size: int, hidden_size: int) -> int:
        """Number of parameters: 3 * hidden * (input + hidden + 1)."""
        return 3 * hidden_size * (input_size + hidden_size + 1)

    def reset_parameters(self) -> None:
        """Draw the initial weights from torch's generator: U orthogonal, W Xavier-uniform, biases zero."""
        xavier_by_gate(self.w_ih, 3)
        orthogonal_by_gate(self.w_hh, 3)
        nn.init.zeros_(self.b_ih)

    def project(self, inputs: Tensor) -> Tensor:
        """W x + b: [..., input] to [..., 3*hidden]."""
        return F.linear(inputs, self.w_ih, self.b_ih)

    def step(self, projected: Tensor, state: CellState, noise: StepNoise = QUIET) -> CellState:
        """The next state from `projected` [rows, 3*hidden] and the last state."""
        sizes = (2 * self.hidden_size, self.hidden_size)
        u_gates, u_n = noise.weights(self.w_hh).split_with_sizes(sizes)
        gates_x, n_x = projected.split_with_sizes(sizes, dim=-1)
        read = noise.on_state(state.h)
        r, z = torch.sigmoid(gates_x + F.linear(read, u_gates)).chunk(2, dim=-1)
        n = noise.on_candidate(torch.tanh(n_x + F.linear(r * read, u_n)))
        return CellState((1 - z) * n + z * state.h)
