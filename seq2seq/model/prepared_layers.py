"""Recurrent layers made ready for many single steps: the slow twin is :meth:`FusedLayer.step`."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from seq2seq.nn.cells import CellState
from seq2seq.nn.prepacked import Product, prepacked
from seq2seq.nn.recurrent import FusedLayer

#: A table of embedding times input weights is made up to this size, in bytes.
_LARGEST_TABLE = {"cpu": 2**27, "cuda": 2**29}


class PreparedLayer(Protocol):
    """One layer of a decoder, a step at a time; states are float32.

    `looks_up`: whether the layer reads pieces by :meth:`step_of_piece`, from a table, and not inputs by :meth:`step`.
    """

    looks_up: bool

    def step(self, inputs: Tensor, state: CellState) -> CellState:
        """The state after `inputs` [rows, input]."""
        ...

    def step_of_piece(self, tokens: Tensor, further: Tensor | None, state: CellState) -> CellState:
        """The state after the embeddings of `tokens` [rows] and, behind them, `further` inputs [rows, input]."""
        ...


def prepared_layer(
    layer: FusedLayer, *, dtype: torch.dtype, wide: torch.dtype, embedding: Tensor | None
) -> PreparedLayer:
    """An LSTM or GRU layer with products in `dtype`.

    With the `embedding` [vocab, embed] whose rows are the first of its inputs, the layer looks pieces up in a table of
    what its input weights make of them, in `wide`, unless that would be too large.
    """
    if embedding is not None:
        entries = embedding.shape[0] * layer.w_ih.shape[0]
        if entries * torch.finfo(wide).bits // 8 > _LARGEST_TABLE[embedding.device.type]:
            embedding = None
    prepared = _PreparedLSTM if layer.kind == "lstm" else _PreparedGRU
    return prepared(layer, dtype=dtype, wide=wide, embedding=embedding)


def _table(embedding: Tensor, weight: Tensor, bias: Tensor, dtype: torch.dtype) -> Tensor:
    """E W^T + b in `dtype`, [vocab, gates]."""
    product = prepacked(weight, bias, dtype=dtype)
    return product(embedding.detach())


def tanh_by_sigmoid(width: int) -> bool:
    """Whether tanh of rows of `width` numbers may be taken as 2 sigmoid(2 x) - 1, which is several times as fast.

    PyTorch computes a sigmoid's last numbers, those that fill no vector, in another way, and with it their last bit
    would depend on how many rows there are. Rows of whole vectors leave nothing over.
    """
    return width % 64 == 0


class _PreparedLSTM:
    """:class:`~seq2seq.nn.cells.LSTMCell`, a step at a time: one product makes all gates of [x; h], in i, f, g, o.

    Where tanh is taken by sigmoid, the weights of g are doubled for that.
    """

    def __init__(self, layer: FusedLayer, *, dtype: torch.dtype, wide: torch.dtype, embedding: Tensor | None) -> None:
        hidden = layer.hidden_size
        doubled = torch.ones(4 * hidden, 1, device=layer.w_ih.device)
        if tanh_by_sigmoid(hidden):
            doubled[2 * hidden : 3 * hidden] = 2.0
        w_ih, w_hh = layer.w_ih * doubled, layer.w_hh * doubled
        bias = (layer.b_ih + layer.b_hh) * doubled[:, 0]
        self.looks_up = embedding is not None
        self._table: Tensor | None = None
        if embedding is not None:
            width = embedding.shape[1]
            self._table = _table(embedding, w_ih[:, :width], bias, wide)
            w_ih = w_ih[:, width:]
        weight = torch.cat((w_ih, w_hh), dim=1)
        self._gates: Product = prepacked(weight, None if self.looks_up else bias, dtype=dtype)

    def step(self, inputs: Tensor, state: CellState) -> CellState:
        """See :class:`PreparedLayer`."""
        return _lstm(self._gates(torch.cat((inputs, state.h), dim=1)).float(), state)

    def step_of_piece(self, tokens: Tensor, further: Tensor | None, state: CellState) -> CellState:
        """See :class:`PreparedLayer`."""
        assert self._table is not None
        inputs = state.h if further is None else torch.cat((further, state.h), dim=1)
        return _lstm(self._gates(inputs).float().add_(self._table.index_select(0, tokens)), state)


def _lstm(sums: Tensor, state: CellState) -> CellState:
    """The new state, of the gates' `sums` [rows, 4 hidden], which are overwritten."""
    assert state.c is not None
    hidden = state.c.shape[1]
    if not tanh_by_sigmoid(hidden):
        i, f = sums[:, : 2 * hidden].sigmoid_().chunk(2, dim=1)
        g, o = sums[:, 2 * hidden : 3 * hidden].tanh_(), sums[:, 3 * hidden :].sigmoid_()
        c = torch.addcmul(f * state.c, i, g)
        return CellState(o * c.tanh(), c)
    i, f, g, o = sums.sigmoid_().chunk(4, dim=1)
    c = torch.addcmul(f * state.c, i, g, value=2.0).sub_(i)  # f c + i (2 g - 1)
    return CellState(torch.addcmul(o.neg(), o, (2.0 * c).sigmoid_(), value=2.0), c)


class _PreparedGRU:
    """:class:`~seq2seq.nn.cells.GRUCell`, a step at a time: gates in the order r, z, n, of x and of h apart."""

    def __init__(self, layer: FusedLayer, *, dtype: torch.dtype, wide: torch.dtype, embedding: Tensor | None) -> None:
        self.looks_up = embedding is not None
        self._table: Tensor | None = None
        self._of_inputs: Product | None = None
        w_ih: Tensor = layer.w_ih
        bias: Tensor | None = layer.b_ih
        if embedding is not None:
            width = embedding.shape[1]
            self._table = _table(embedding, w_ih[:, :width], layer.b_ih, wide)
            w_ih, bias = w_ih[:, width:], None
        if w_ih.shape[1]:
            self._of_inputs = prepacked(w_ih, bias, dtype=dtype)
        self._of_state: Product = prepacked(layer.w_hh, layer.b_hh, dtype=dtype)

    def step(self, inputs: Tensor, state: CellState) -> CellState:
        """See :class:`PreparedLayer`."""
        assert self._of_inputs is not None
        return _gru(self._of_inputs(inputs).float(), self._of_state(state.h).float(), state.h)

    def step_of_piece(self, tokens: Tensor, further: Tensor | None, state: CellState) -> CellState:
        """See :class:`PreparedLayer`."""
        assert self._table is not None
        sums = self._table.index_select(0, tokens).float()
        if further is not None:
            assert self._of_inputs is not None
            sums = sums.add_(self._of_inputs(further))
        return _gru(sums, self._of_state(state.h).float(), state.h)


def _gru(of_inputs: Tensor, of_state: Tensor, h: Tensor) -> CellState:
    """The new state, of the sums of inputs and of the state [rows, 3 hidden] each, which may be overwritten."""
    gates = 2 * h.shape[1]
    r, z = of_inputs[:, :gates].add_(of_state[:, :gates]).sigmoid_().chunk(2, dim=1)
    n = torch.addcmul(of_inputs[:, gates:], r, of_state[:, gates:]).tanh_()
    return CellState(torch.lerp(n, h, z), None)  # (1 - z) n + z h
