"""The three cells that a search over ten thousand architectures left: MUT1, MUT2, MUT3.

Jozefowicz et al. 2015, "An Empirical Exploration of Recurrent Network Architectures". In all of them z is the part of
the state that is *new*, where the GRU's z is the part that stays. In MUT1 and MUT2 the input also enters as it is,
without a matrix, which asks for an input as wide as the state. Where it is not, the bare x of the equations becomes
P x with a learned matrix P.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seq2seq.nn.cells.parameters import empty, orthogonal_by_gate, xavier_by_gate
from seq2seq.nn.cells.state import QUIET, CellState, StepNoise


class MUT1Cell(nn.Module):
    r"""MUT1: an update gate that sees only the input, and an input that enters the candidate bare.

    .. math::
        r &= \sigma(W_r x + U_r h + b_r), \quad z = \sigma(W_z x + b_z) \\
        n &= \tanh(U_n (r \odot h) + \tanh(x) + b_n), \quad h' = z \odot n + (1 - z) \odot h

    Parameters: `w_ih` W in the order r, z and, where the widths of x and h differ, P; `w_hh` U in the order r, n;
    `b_ih` b in the order r, z, n.
    """

    def __init__(self, *, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = hidden_size
        self.memory_size = 0
        self.w_ih = empty((2 if input_size == hidden_size else 3) * hidden_size, input_size)
        self.w_hh = empty(2 * hidden_size, hidden_size)
        self.b_ih = empty(3 * hidden_size)
        self.reset_parameters()

    @staticmethod
    def parameter_count(input_size: int, hidden_size: int) -> int:
        """Number of parameters: hidden * (2 * input + 2 * hidden + 3), and hidden * input for P where there is one."""
        matrices = 2 if input_size == hidden_size else 3
        return hidden_size * (matrices * input_size + 2 * hidden_size + 3)

    def reset_parameters(self) -> None:
        """Draw the initial weights from torch's generator: U orthogonal, W and P Xavier-uniform, biases zero."""
        xavier_by_gate(self.w_ih, self.w_ih.shape[0] // self.hidden_size)
        orthogonal_by_gate(self.w_hh, 2)
        nn.init.zeros_(self.b_ih)

    def project(self, inputs: Tensor) -> Tensor:
        """The input's part of r, z itself, and tanh(x): [..., input] to [..., 3*hidden]."""
        gates = 2 * self.hidden_size
        # One product with the whole of W: autocast casts a parameter once, but a slice of it at every step.
        products = F.linear(inputs, self.w_ih)
        r, z = (products[..., :gates] + self.b_ih[:gates].to(products.dtype)).chunk(2, dim=-1)
        bare = inputs if self.input_size == self.hidden_size else products[..., gates:]
        return torch.cat((r, torch.sigmoid(z), torch.tanh(bare).to(r.dtype)), dim=-1)

    def step(self, projected: Tensor, state: CellState, noise: StepNoise = QUIET) -> CellState:
        """The next state from `projected` [rows, 3*hidden] and the last state."""
        u_r, u_n = noise.weights(self.w_hh).chunk(2)
        r, z, n = projected.chunk(3, dim=-1)
        read = noise.on_state(state.h)
        r = torch.sigmoid(r + F.linear(read, u_r))
        n = noise.on_candidate(torch.tanh(n + F.linear(r * read, u_n, self.b_ih[2 * self.hidden_size :])))
        return CellState(z * n + (1 - z) * state.h)


class MUT2Cell(nn.Module):
    r"""MUT2: an input that enters the reset gate bare.

    .. math::
        r &= \sigma(x + U_r h + b_r), \quad z = \sigma(W_z x + U_z h + b_z) \\
        n &= \tanh(U_n (r \odot h) + W_n x + b_n), \quad h' = z \odot n + (1 - z) \odot h

    Parameters: `w_ih` P, where the widths of x and h differ, and W in the order z, n; `w_hh` U and `b_ih` b in the
    order r, z, n.
    """

    def __init__(self, *, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = hidden_size
        self.memory_size = 0
        self.w_ih = empty((2 if input_size == hidden_size else 3) * hidden_size, input_size)
        self.w_hh = empty(3 * hidden_size, hidden_size)
        self.b_ih = empty(3 * hidden_size)
        self.reset_parameters()

    @staticmethod
    def parameter_count(input_size: int, hidden_size: int) -> int:
        """Number of parameters: hidden * (2 * input + 3 * hidden + 3), and hidden * input for P where there is one."""
        matrices = 2 if input_size == hidden_size else 3
        return hidden_size * (matrices * input_size + 3 * hidden_size + 3)

    def reset_parameters(self) -> None:
        """Draw the initial weights from torch's generator: U orthogonal, W and P Xavier-uniform, biases zero."""
        xavier_by_gate(self.w_ih, self.w_ih.shape[0] // self.hidden_size)
        orthogonal_by_gate(self.w_hh, 3)
        nn.init.zeros_(self.b_ih)

    def project(self, inputs: Tensor) -> Tensor:
        """x, W_z x and W_n x, plus b: [..., input] to [..., 3*hidden]."""
        if self.input_size != self.hidden_size:
            return F.linear(inputs, self.w_ih, self.b_ih)
        b_r, b = self.b_ih.split_with_sizes((self.hidden_size, 2 * self.hidden_size))
        products = F.linear(inputs, self.w_ih, b)
        return torch.cat(((inputs + b_r).to(products.dtype), products), dim=-1)

    def step(self, projected: Tensor, state: CellState, noise: StepNoise = QUIET) -> CellState:
        """The next state from `projected` [rows, 3*hidden] and the last state."""
        sizes = (2 * self.hidden_size, self.hidden_size)
        u_gates, u_n = noise.weights(self.w_hh).split_with_sizes(sizes)
        gates_x, n_x = projected.split_with_sizes(sizes, dim=-1)
        read = noise.on_state(state.h)
        r, z = torch.sigmoid(gates_x + F.linear(read, u_gates)).chunk(2, dim=-1)
        n = noise.on_candidate(torch.tanh(n_x + F.linear(r * read, u_n)))
        return CellState(z * n + (1 - z) * state.h)


class MUT3Cell(nn.Module):
    r"""MUT3: an update gate that sees the state through a tanh.

    .. math::
        r &= \sigma(W_r x + U_r h + b_r), \quad z = \sigma(W_z x + U_z \tanh(h) + b_z) \\
        n &= \tanh(U_n (r \odot h) + W_n x + b_n), \quad h' = z \odot n + (1 - z) \odot h

    Parameters, all in the order r, z, n: `w_ih` W, `w_hh` U, `b_ih` b.
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
        u_r, u_z, u_n = noise.weights(self.w_hh).chunk(3)
        r, z, n = projected.chunk(3, dim=-1)
        read = noise.on_state(state.h)
        r = torch.sigmoid(r + F.linear(read, u_r))
        z = torch.sigmoid(z + F.linear(torch.tanh(read), u_z))
        n = noise.on_candidate(torch.tanh(n + F.linear(r * read, u_n)))
        return CellState(z * n + (1 - z) * state.h)
