"""The decoder made ready for many steps: the slow twin is :meth:`EncoderDecoder.step`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from dataclasses import replace
from typing import final

import torch
from torch import Tensor, nn

from seq2seq.model.encoder_decoder import EncoderDecoder
from seq2seq.model.prepared_layers import prepared_layer, tanh_by_sigmoid
from seq2seq.model.readout import LearnedReadout, Readout
from seq2seq.model.state import DecoderState, DecodingState
from seq2seq.nn.attention import Attended, AttentionState, DotAttention, GeneralAttention, Memory
from seq2seq.nn.cells import CellState
from seq2seq.nn.prepacked import Product, can_prepack, prepacked
from seq2seq.nn.recurrent import FusedLayer

#: What a step does with the readout's inputs: of hidden, embedding and context.
_ReadOut = Callable[[Tensor, Tensor, "Tensor | None"], Tensor]


@final
class PreparedModel:
    """A translation model for a search, a :class:`~seq2seq.search.StepModel`.

    Its weights are a copy, in the precision of the products and, on a CPU, in the processor's layout: a model that goes
    on training must be prepared again. What the first layer makes of an embedding is looked up in a table. Gates,
    memory cells and log-probabilities are float32; with float32 products they differ from :meth:`EncoderDecoder.step`
    by the order of additions and the last bits of tanh alone. With int8, what is not a product with weights (the
    encoder, and the attention's sums) is in `wide`.

    Prepared are decoders of LSTM or GRU layers with the attention behind them, or behind the first of them (the
    contexts none, output, input-feeding and upper-layers); :func:`prepare` gives None for others.
    """

    @torch.no_grad()
    def __init__(self, model: EncoderDecoder, *, dtype: torch.dtype, wide: torch.dtype) -> None:
        """Copy the weights of `model`, which is in evaluation mode and of a kind that can be prepared."""
        decoder = model.decoder
        self._wide = wide
        self._device_type = model.output.weight.device.type
        casts = self._device_type == "cpu" and wide is not torch.float32
        self._model = _cast_once(model, wide) if casts else model
        self._attends_first = decoder.context == "upper-layers"
        layers: list[FusedLayer] = list(decoder.layers)  # type: ignore[arg-type]
        self._embedding = decoder.embedding.weight.detach().to(wide)
        self._layers = [
            prepared_layer(layer, dtype=dtype, wide=wide, embedding=None if index else decoder.embedding.weight)
            for index, layer in enumerate(layers)
        ]
        readout = decoder.readout
        learned = readout if isinstance(readout, LearnedReadout) else None
        connections = decoder.connections.kind
        read_out = _prepared_readout(readout, dtype)
        alone = connections == "plain" and read_out is not None and learned is not None and learned.kind == "tanh"
        self._reads_embedding = not (alone and self._layers[0].looks_up)
        self._attends_directly = isinstance(decoder.attention, (DotAttention, GeneralAttention))
        # A CPU multiplies the small matrices of a few hypotheses faster in float32.
        in_full = self._attends_directly and self._device_type == "cpu"
        self._attending = torch.float32 if in_full else wide
        self._read_out: _ReadOut = read_out or readout
        # What is not prepared multiplies in the right precision under autocast alone.
        plain = read_out is None or connections == "highway" or not self._attends_directly
        self._autocasts_steps = plain and wide is not torch.float32
        bound = None if learned is None or learned.kind == "maxout" else 1.0  # behind a tanh
        self._output: Product = prepacked(model.output.weight, model.output.bias, dtype=dtype, bound=bound)

    @torch.no_grad()
    def start(self, source: Tensor, source_lengths: Tensor) -> DecodingState:
        """As :meth:`EncoderDecoder.start`."""
        with self._autocast():
            state = self._model.start(source, source_lengths)
        layers = tuple(
            CellState(layer.h.float(), None if layer.c is None else layer.c.float()) for layer in state.decoder.layers
        )
        memory = state.memory
        if memory is not None:
            # The products of a step would cast them anew every time.
            dtype = self._attending
            memory = replace(memory, values=memory.values.to(dtype), keys=memory.keys.to(dtype))
            if self._attends_directly:
                padding = torch.zeros_like(memory.mask, dtype=dtype).masked_fill_(~memory.mask, -torch.inf)
                memory = replace(memory, extra=padding.unsqueeze(1))  # [batch, 1, src_len]
        return replace(state, memory=memory, decoder=replace(state.decoder, layers=layers))

    @torch.no_grad()
    def step(self, tokens: Tensor, state: DecodingState) -> tuple[Tensor, DecodingState, Tensor | None]:
        """As :meth:`EncoderDecoder.step`."""
        readout, state, weights = self.read(tokens, state)
        return self._output(readout).log_softmax(dim=-1, dtype=torch.float32), state, weights

    @torch.no_grad()
    def read(self, tokens: Tensor, state: DecodingState) -> tuple[Tensor, DecodingState, Tensor | None]:
        """What the output layer reads of one step, [rows, readout]; the next state; the attention weights."""
        with self._autocast() if self._autocasts_steps else nullcontext():
            return self._read(tokens, state)

    def _read(self, tokens: Tensor, state: DecodingState) -> tuple[Tensor, DecodingState, Tensor | None]:
        decoder, before = self._model.decoder, state.decoder
        fed_back = before.attended
        if self._reads_embedding:
            embedded = self._embedding.index_select(0, tokens)
            hidden = embedded if fed_back is None else torch.cat((embedded, fed_back.to(self._wide)), dim=1)
        else:
            embedded = hidden = self._embedding[:0]
        layers = []
        weights: Tensor | None = None
        context: Tensor | None = None
        attention: AttentionState | None = None
        for index, (run, layer) in enumerate(zip(self._layers, before.layers, strict=True)):
            inputs = hidden if context is None else torch.cat((hidden, context), dim=1)
            after = run.step_of_piece(tokens, fed_back, layer) if run.looks_up else run.step(inputs, layer)
            layers.append(after)
            if index == 0 and self._attends_first:
                assert state.memory is not None
                attended = self._attend(after.h, state.memory, before.attention)
                context, weights, attention = attended.contexts, attended.weights, attended.state
            hidden = decoder.connections.join(index, hidden, after.h)
        if self._attends_first:
            context = None  # the layers have read it, the readout does not
        elif state.memory is not None:
            attended = self._attend(hidden, state.memory, before.attention)
            context, weights, attention = attended.contexts, attended.weights, attended.state
        readout = self._read_out(hidden, embedded, context)
        following = DecoderState(tuple(layers), None if fed_back is None else readout, attention)
        return readout, replace(state, decoder=following), weights

    def narrowed(self, ids: Tensor) -> Callable[[Tensor, DecodingState], tuple[Tensor, DecodingState, Tensor | None]]:
        """:meth:`step` for a part of the vocabulary: logits of `ids` [narrow] in place of log-probabilities."""
        output = self._output.select(ids)

        def step(tokens: Tensor, state: DecodingState) -> tuple[Tensor, DecodingState, Tensor | None]:
            readout, following, weights = self.read(tokens, state)
            return output(readout), following, weights

        return step

    def _attend(self, queries: Tensor, memory: Memory, state: AttentionState | None) -> Attended:
        """As :meth:`Decoder.attend`."""
        if not self._attends_directly:
            return self._model.decoder.attend(queries, memory, state)
        assert memory.extra is not None
        sentences, src_len = memory.mask.shape
        grouped = queries.view(sentences, -1, queries.shape[1]).to(self._attending)  # [sentences, beam, hidden]
        scores = torch.baddbmm(memory.extra, grouped, memory.keys.transpose(1, 2))
        weights = scores.softmax(dim=-1, dtype=torch.float32)
        contexts = torch.bmm(weights.to(self._attending), memory.values)
        return Attended(contexts.flatten(0, 1), weights.view(-1, src_len))

    def _autocast(self) -> AbstractContextManager[object]:
        # Nothing is cast twice in one step, and what was cast for a recording must not be gone when it is replayed.
        enabled = self._wide is not torch.float32
        return torch.autocast(self._device_type, dtype=self._wide, enabled=enabled, cache_enabled=False)


def prepare(model: EncoderDecoder, *, dtype: torch.dtype, wide: torch.dtype | None = None) -> PreparedModel | None:
    """A :class:`PreparedModel` of a model for products in `dtype`; None where it cannot be prepared.

    `wide` goes with int8, which is for the CPU: float32 or bfloat16, of what is not a product of weights.
    """
    decoder = model.decoder
    wide = wide or (torch.float32 if dtype is torch.int8 else dtype)
    if model.output.weight.device.type == "cpu":
        multiplies = dtype in (torch.float32, torch.bfloat16, torch.int8) and can_prepack(wide)
    else:
        multiplies = dtype in (torch.float32, torch.bfloat16, torch.float16)
    able = (
        multiplies
        and decoder.context in ("none", "output", "input-feeding", "upper-layers")
        and all(isinstance(layer, FusedLayer) and layer.kind in ("lstm", "gru") for layer in decoder.layers)
        and model.copying is None
    )
    return PreparedModel(model, dtype=dtype, wide=wide) if able else None


def _cast_once(model: EncoderDecoder, dtype: torch.dtype) -> EncoderDecoder:
    """The model with the matrices that :meth:`EncoderDecoder.start` multiplies with in `dtype`.

    Autocast would cast them anew for every batch. The other parameters are those of `model` itself.
    """
    copied: EncoderDecoder = deepcopy(model, {id(parameter): parameter for parameter in model.parameters()})
    parts = [part for part in (copied.encoder, copied.bridge, copied.decoder.attention) if isinstance(part, nn.Module)]
    for layer in nn.ModuleList(parts).modules():
        if isinstance(layer, (nn.Linear, FusedLayer)):
            for name, parameter in list(layer.named_parameters(recurse=False)):
                if parameter.dim() == 2:
                    setattr(layer, name, nn.Parameter(parameter.detach().to(dtype), requires_grad=False))
    return copied


def _prepared_readout(readout: Readout, dtype: torch.dtype) -> _ReadOut | None:
    """The readout with its weights prepacked; None where that is not worth while."""
    if not isinstance(readout, LearnedReadout) or readout.gate is not None or readout.kind == "maxout":
        return None
    by_sigmoid = tanh_by_sigmoid(readout.output_size)
    factor = 2.0 if by_sigmoid else 1.0
    bias = None if readout.bias is None else factor * readout.bias
    product = prepacked(factor * readout.weight, bias, dtype=dtype)
    deep = readout.kind == "deep"

    def read_out(hidden: Tensor, embedded: Tensor, context: Tensor | None) -> Tensor:
        parts = [hidden, embedded] if deep else [hidden]
        if context is not None:
            parts.append(context)
        sums = product(torch.cat(parts, dim=1)).float()
        return sums.sigmoid_().mul_(2.0).sub_(1.0) if by_sigmoid else sums.tanh_()

    return read_out
