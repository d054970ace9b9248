"""The simple recurrent network."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seq2seq.nn.cells.parameters import empty
from seq2seq.nn.cells.state import QUIET, CellState, StepNoise

Nonlinearity = Literal["tanh", "relu"]


class ElmanCell(nn.Module):
    r"""The simple recurrent network (Elman 1990), with two biases as cuDNN and PyTorch have them.

    .. math::
        h' = \varphi(W x + b + U h + d), \quad \varphi = \tanh \text{ or } \max(0, \cdot)

    Elman's units are logistic; tanh is what everybody has used since. It has no candidate update apart from the new
    state itself, so that candidate noise is refused.
    Parameters: `w_ih` W, `w_hh` U, `b_ih` b, `b_hh` d.
    """

    def __init__(self, *, input_size: int, hidden_size: int, nonlinearity: Nonlinearity = "tanh") -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = hidden_size
        self.memory_size = 0
        self.nonlinearity = nonlinearity
        self.w_ih = empty(hidden_size, input_size)
        self.w_hh = empty(hidden_size, hidden_size)
        self.b_ih = empty(hidden_size)
        self.b_hh = empty(hidden_size)
        self.reset_parameters()

    @staticmethod
    def parameter_count(input_size: int, hidden_size: int) -> int:
        """Number of parameters: hidden * (input + hidden + 2)."""
        return hidden_size * (input_size + hidden_size + 2)

    def reset_parameters(self) -> None:
        """Draw the initial weights from torch's generator: U orthogonal, W Xavier-uniform, biases zero."""
        nn.init.xavier_uniform_(self.w_ih)
        nn.init.orthogonal_(self.w_hh)
        nn.init.zeros_(self.b_ih)
        nn.init.zeros_(self.b_hh)

    def project(self, inputs: Tensor) -> Tensor:
        """W x + b: [..., input] to [..., hidden]."""
        return F.linear(inputs, self.w_ih, self.b_ih)

    def step(self, projected: Tensor, state: CellState, noise: StepNoise = QUIET) -> CellState:
        """The next state from `projected` [rows, hidden] and the last state.

        Raises:
            ValueError: if `noise` has a candidate factor.
        """
        if noise.candidate is not None:
            raise ValueError("an Elman cell has no candidate update to put noise on")
        total = projected + F.linear(noise.on_state(state.h), noise.weights(self.w_hh), self.b_hh)
        h = torch.tanh(total) if self.nonlinearity == "tanh" else torch.relu(total)
        # Under autocast the product is narrower than the state.
        return CellState(h.to(torch.promote_types(h.dtype, state.h.dtype)))
