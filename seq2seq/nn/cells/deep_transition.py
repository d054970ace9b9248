"""The GRU that takes several steps of state to one of time."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seq2seq.nn.cells.layer_norm import layer_norm_gru
from seq2seq.nn.cells.parameters import empty, orthogonal_by_gate, xavier_by_gate
from seq2seq.nn.cells.state import QUIET, CellState, StepNoise


class DeepTransitionGRUCell(nn.Module):
    r"""Several GRU cells one after another in each time step (Miceli Barone et al. 2017; Nematus).

    .. math::
        h^0 &= h, \quad h' = h^T \\
        r^k &= \sigma([W_r x + b_r] + U^k_r h^{k-1} + d^k_r), \quad
        z^k = \sigma([W_z x + b_z] + U^k_z h^{k-1} + d^k_z) \\
        n^k &= \tanh([W_n x + b_n] + r^k \odot (U^k_n h^{k-1} + d^k_n)), \quad
        h^k = (1 - z^k) \odot n^k + z^k \odot h^{k-1}

    for k = 1 to T = `transitions`; what stands in brackets is there in the first transition, k = 1, alone: the others
    read nothing but the state. Deep transitions are those of Pascanu et al. 2014, with gates. Each is of the form of
    :class:`GRUCell`, which this cell is where T = 1. A factor on the candidate or on the h that is read is the same
    for all transitions of a step. With `layer_norm` every W x and every U h is normalised as in
    :class:`LayerNormGRUCell`, and b and d are the shifts after it.
    Parameters, gates in the order r, z, n: `w_ih` W, `b_ih` b, `w_hh` U [T, 3*hidden, hidden], `b_hh` d [T, 3*hidden];
    with `layer_norm` the gains `gain_ih` [3*hidden] and `gain_hh` [T, 3*hidden].
    """

    def __init__(self, *, input_size: int, hidden_size: int, transitions: int, layer_norm: bool = False) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = hidden_size
        self.memory_size = 0
        self.transitions = transitions
        self.w_ih = empty(3 * hidden_size, input_size)
        self.w_hh = empty(transitions, 3 * hidden_size, hidden_size)
        self.b_ih = empty(3 * hidden_size)
        self.b_hh = empty(transitions, 3 * hidden_size)
        self.gain_ih = empty(3 * hidden_size) if layer_norm else None
        self.gain_hh = empty(transitions, 3 * hidden_size) if layer_norm else None
        self.reset_parameters()

    @staticmethod
    def parameter_count(input_size: int, hidden_size: int, transitions: int, layer_norm: bool = False) -> int:
        """Number of parameters: 3 * hidden * (input + v + transitions * (hidden + v)), v = 2 with layer norm or 1."""
        vectors = 2 if layer_norm else 1
        return 3 * hidden_size * (input_size + vectors + transitions * (hidden_size + vectors))

    def reset_parameters(self) -> None:
        """Draw the initial weights from torch's generator: U orthogonal, W Xavier-uniform, biases zero."""
        xavier_by_gate(self.w_ih, 3)
        for transition in self.w_hh.data:
            orthogonal_by_gate(transition, 3)
        nn.init.zeros_(self.b_ih)
        nn.init.zeros_(self.b_hh)
        for gain in (self.gain_ih, self.gain_hh):
            if gain is not None:
                nn.init.ones_(gain)

    def project(self, inputs: Tensor) -> Tensor:
        """W x + b, normalised with layer norm: [..., input] to [..., 3*hidden]."""
        if self.gain_ih is None:
            return F.linear(inputs, self.w_ih, self.b_ih)
        return torch.cat(layer_norm_gru(F.linear(inputs, self.w_ih), self.gain_ih, self.b_ih), dim=-1)

    def step(self, projected: Tensor, state: CellState, noise: StepNoise = QUIET) -> CellState:
        """The next state from `projected` [rows, 3*hidden] and the last state."""
        sizes = (2 * self.hidden_size, self.hidden_size)
        h = state.h
        for k, (weights, bias) in enumerate(zip(noise.weights(self.w_hh), self.b_hh, strict=True)):
            if self.gain_hh is None:
                gates, n_h = F.linear(noise.on_state(h), weights, bias).split_with_sizes(sizes, dim=-1)
            else:
                gates, n_h = layer_norm_gru(F.linear(noise.on_state(h), weights), self.gain_hh[k], bias)
            if k == 0:
                gates_x, n_x = projected.split_with_sizes(sizes, dim=-1)
                gates = gates_x + gates
            r, z = torch.sigmoid(gates).chunk(2, dim=-1)
            n = torch.tanh(n_x + r * n_h if k == 0 else r * n_h)
            h = (1 - z) * noise.on_candidate(n) + z * h
        return CellState(h)
