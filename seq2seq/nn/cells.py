"""The textbook recurrent cells, one time step each, written as their equations.

They are the slow twins of the fused layers in :mod:`seq2seq.nn.recurrent`: same parameters, same order of gates,
no speed. Read them to know what the fused layers compute.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class CellState:
    """State of one recurrent layer: `h` [rows, hidden], and for an LSTM its memory cell `c` [rows, hidden]."""

    h: Tensor
    c: Tensor | None = None

    def select(self, rows: Tensor) -> CellState:
        """The state whose row i is this state's row `rows[i]`; `rows` is a LongTensor [new_rows]."""
        return CellState(self.h.index_select(0, rows), None if self.c is None else self.c.index_select(0, rows))


@dataclass(frozen=True)
class CellWeights:
    """Parameters of a layer: `w_ih` [gates*hidden, input], `w_hh` [gates*hidden, hidden], biases [gates*hidden]."""

    w_ih: Tensor
    w_hh: Tensor
    b_ih: Tensor
    b_hh: Tensor


def lstm_step(x: Tensor, state: CellState, weights: CellWeights) -> CellState:
    r"""One step of the LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    .. math::
        i &= \sigma(W_i x + b_i + U_i h + d_i), \quad f = \sigma(W_f x + b_f + U_f h + d_f) \\
        g &= \tanh(W_g x + b_g + U_g h + d_g), \quad o = \sigma(W_o x + b_o + U_o h + d_o) \\
        c' &= f \odot c + i \odot g, \quad h' = o \odot \tanh c'

    `x` is [rows, input]; the gates lie in `weights` in the order i, f, g, o.
    """
    if state.c is None:
        raise ValueError("an LSTM needs a memory cell in its state")
    gates = x @ weights.w_ih.T + weights.b_ih + state.h @ weights.w_hh.T + weights.b_hh
    i, f, g, o = gates.chunk(4, dim=-1)
    c = torch.sigmoid(f) * state.c + torch.sigmoid(i) * torch.tanh(g)
    return CellState(torch.sigmoid(o) * torch.tanh(c), c)


def gru_step(x: Tensor, state: CellState, weights: CellWeights) -> CellState:
    r"""One step of the GRU with the reset gate after the product, the form of cuDNN and PyTorch.

    .. math::
        r &= \sigma(W_r x + b_r + U_r h + d_r), \quad z = \sigma(W_z x + b_z + U_z h + d_z) \\
        n &= \tanh(W_n x + b_n + r \odot (U_n h + d_n)), \quad h' = (1 - z) \odot n + z \odot h

    Cho et al. 2014 apply the reset gate to h before the product; the two forms have different parameters.
    `x` is [rows, input]; the gates lie in `weights` in the order r, z, n.
    """
    h = state.h
    from_input = x @ weights.w_ih.T + weights.b_ih
    from_state = h @ weights.w_hh.T + weights.b_hh
    r_x, z_x, n_x = from_input.chunk(3, dim=-1)
    r_h, z_h, n_h = from_state.chunk(3, dim=-1)
    r, z = torch.sigmoid(r_x + r_h), torch.sigmoid(z_x + z_h)
    n = torch.tanh(n_x + r * n_h)
    return CellState((1 - z) * n + z * h)
