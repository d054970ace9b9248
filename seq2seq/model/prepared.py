"""The decoder made ready for many steps on a CPU: the slow twin is :meth:`EncoderDecoder.step`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import final

import torch
from torch import Tensor

from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.model.readout import LearnedReadout, Readout
from seq2seq.model.state import DecoderState, DecodingState
from seq2seq.nn.attention import AttentionState
from seq2seq.nn.cells import CellState
from seq2seq.nn.prepacked import PrepackedLinear, can_prepack
from seq2seq.nn.recurrent import FusedLayer

#: What a step does with the readout's inputs: of hidden, embedding and context.
_ReadOut = Callable[[Tensor, Tensor, "Tensor | None"], Tensor]


@final
class PreparedModel:
    """A translation model for a search on the CPU, a :class:`~seq2seq.search.StepModel`.

    Its weights are a copy, in the precision of the products and in the processor's layout: a model that goes on
    training must be prepared again. One product makes all gates of an LSTM of [x; h]. Memory cells stay float32, and so
    do log-probabilities; with float32 they differ from :meth:`EncoderDecoder.step` by the order of additions alone.

    Prepared are decoders of LSTM layers with the attention behind them (the contexts none, output and input-feeding);
    :func:`prepare` gives None for others.
    """

    def __init__(self, model: EncoderDecoder, *, dtype: torch.dtype) -> None:
        """Copy the weights of `model`, which is in evaluation mode and of a kind that can be prepared."""
        decoder = model.decoder
        self._model = model
        self._dtype = dtype
        self._embedding = decoder.embedding.weight.detach().to(dtype)
        layers: list[FusedLayer] = list(decoder.layers)  # type: ignore[arg-type]
        self._gates = [
            PrepackedLinear(torch.cat((layer.w_ih, layer.w_hh), dim=1), layer.b_ih + layer.b_hh, dtype=dtype)
            for layer in layers
        ]
        self._read_out = _prepared_readout(decoder.readout, dtype)
        self._output = PrepackedLinear(model.output.weight, model.output.bias, dtype=dtype)

    def start(self, source: Tensor, source_lengths: Tensor) -> DecodingState:
        """As :meth:`EncoderDecoder.start`."""
        with self._autocast():
            state = self._model.start(source, source_lengths)
        layers = tuple(
            CellState(layer.h.to(self._dtype), None if layer.c is None else layer.c.float())
            for layer in state.decoder.layers
        )
        memory = state.memory
        if memory is not None:
            # The products of a step would cast them anew every time.
            memory = replace(memory, values=memory.values.to(self._dtype), keys=memory.keys.to(self._dtype))
        return replace(state, memory=memory, decoder=replace(state.decoder, layers=layers))

    def step(self, tokens: Tensor, state: DecodingState) -> tuple[Tensor, DecodingState, Tensor | None]:
        """As :meth:`EncoderDecoder.step`."""
        with self._autocast():
            return self._step(tokens, state)

    def _step(self, tokens: Tensor, state: DecodingState) -> tuple[Tensor, DecodingState, Tensor | None]:
        decoder, before = self._model.decoder, state.decoder
        embedded = self._embedding.index_select(0, tokens)
        fed_back = before.attended
        hidden = embedded if fed_back is None else torch.cat((embedded, fed_back.to(self._dtype)), dim=1)
        layers = []
        for index, (gates, layer) in enumerate(zip(self._gates, before.layers, strict=True)):
            after = _lstm_step(gates, hidden, layer)
            hidden = decoder.connections.join(index, hidden, after.h)
            layers.append(after)
        weights: Tensor | None = None
        context: Tensor | None = None
        attention: AttentionState | None = None
        if state.memory is not None:
            attended = decoder.attend(hidden, state.memory, before.attention)
            context, weights, attention = attended.contexts, attended.weights, attended.state
        readout = self._read_out(hidden, embedded, context)
        logits = self._output(readout)
        following = DecoderState(tuple(layers), None if fed_back is None else readout, attention)
        return logits.float().log_softmax(dim=-1), replace(state, decoder=following), weights

    def _autocast(self) -> AbstractContextManager[object]:
        return torch.autocast("cpu", dtype=self._dtype, enabled=self._dtype is not torch.float32)


def prepare(model: EncoderDecoder, *, dtype: torch.dtype) -> PreparedModel | None:
    """A :class:`PreparedModel` of a model on the CPU, for products in `dtype`; None where it cannot be prepared."""
    decoder = model.decoder
    able = (
        model.output.weight.device.type == "cpu"
        and dtype in (torch.float32, torch.bfloat16)
        and can_prepack(dtype)
        and decoder.context in ("none", "output", "input-feeding")
        and all(isinstance(layer, FusedLayer) and layer.kind == "lstm" for layer in decoder.layers)
        and model.copying is None
    )
    return PreparedModel(model, dtype=dtype) if able else None


def _lstm_step(gates: PrepackedLinear, inputs: Tensor, state: CellState) -> CellState:
    """One step of an LSTM, :class:`~seq2seq.nn.cells.LSTMCell`: `gates` are of [x; h], in the order i, f, g, o."""
    assert state.c is not None
    sums = gates(torch.cat((inputs, state.h), dim=1)).float()
    hidden = state.h.shape[1]
    g = torch.tanh(sums[:, 2 * hidden : 3 * hidden])
    sums.sigmoid_()
    c = torch.addcmul(sums[:, hidden : 2 * hidden] * state.c, sums[:, :hidden], g)
    return CellState((sums[:, 3 * hidden :] * torch.tanh(c)).to(state.h.dtype), c)


def _prepared_readout(readout: Readout, dtype: torch.dtype) -> _ReadOut:
    """The readout with its weights prepacked, or as it is where that is not worth while."""
    if not isinstance(readout, LearnedReadout) or readout.gate is not None or readout.kind == "maxout":
        return readout
    linear = PrepackedLinear(readout.weight, readout.bias, dtype=dtype)
    deep = readout.kind == "deep"

    def prepacked(hidden: Tensor, embedded: Tensor, context: Tensor | None) -> Tensor:
        parts = [hidden, embedded] if deep else [hidden]
        if context is not None:
            parts.append(context)
        return torch.tanh(linear(torch.cat(parts, dim=1)))

    return prepacked
