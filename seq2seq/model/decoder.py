"""The decoder: target pieces so far, and what attention sees of the source, to one readout per position.

Six wirings of the context. Those whose layers need nothing of the attention's last answer read a whole target sentence
in one call per layer; `input-feeding`, `previous-state` and `conditional` loop over time. Training, greedy and beam
search share :meth:`Decoder._advance`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from seq2seq.model.readout import Readout
from seq2seq.model.state import DecoderState
from seq2seq.nn.attention import Attended, Attention, AttentionState, Choice, Memory
from seq2seq.nn.cells import CellState
from seq2seq.nn.connection import Connections
from seq2seq.nn.dropout import dropout, dropout_mask
from seq2seq.nn.embedding import EmbeddingDropout
from seq2seq.nn.recurrent import LayerNoise, RecurrentLayer

ContextName = Literal["none", "output", "upper-layers", "input-feeding", "previous-state", "conditional"]


def layer_reads_context(context: ContextName, index: int) -> bool:
    """Whether the context is an input of the decoder's layer `index`, counted from 0."""
    return context == "previous-state" or (context == "upper-layers" and index > 0)


def readout_reads_context(context: ContextName) -> bool:
    """Whether the context is an input of the readout."""
    return context in ("output", "input-feeding", "previous-state", "conditional")


@dataclass(frozen=True)
class DecoderOutput:
    """What a decoder gives for positions [..., ]: one row per hypothesis, or [batch, tgt_len] rows.

    `readout` [..., readout]; `weights` [..., src_len] of the attention, None without one that weighs; `features`
    [..., context + hidden + embed] where they are asked for; `choice` of a hard attention in training.
    """

    readout: Tensor
    weights: Tensor | None
    features: Tensor | None
    choice: Choice | None


@dataclass(frozen=True)
class _SequenceNoise:
    """Dropout that is drawn once for a target sequence: inside each layer, and on each layer's output."""

    layers: tuple[LayerNoise | None, ...]
    second: LayerNoise | None
    outputs: tuple[Tensor | None, ...]


_Run = Callable[[RecurrentLayer, Tensor, CellState, "LayerNoise | None"], tuple[Tensor, CellState]]
_Attend = Callable[[Tensor, "AttentionState | None"], Attended]


class Decoder(nn.Module):
    """Embeddings, recurrent layers, attention and the readout that the output layer reads.

    Wirings of the context:

    - `none`: the decoder sees the source through its first state alone (Sutskever et al. 2014).
    - `output`: the top layer's output is the query, the context goes to the readout (Luong et al. 2015, section 3).
    - `input-feeding`: the same, and the readout is an input of the next step (their section 3.3).
    - `upper-layers`: the first layer's output is the query, and the context an input of every layer above it (Wu et al.
      2016, NVIDIA's form).
    - `previous-state`: the first layer's h before the step is the query, and the context an input of every layer, and
      of the readout (Bahdanau et al. 2015; Chen et al. 2018). A context that depends on no query makes this the decoder
      of Cho et al. 2014.
    - `conditional`: the first layer is two cells that share one state. The first reads the embedding, its output is the
      query, the second reads the context, which the readout reads too (Nematus, Sennrich et al. 2017).
    """

    def __init__(
        self,
        *,
        embedding: nn.Embedding,
        layers: Sequence[RecurrentLayer],
        second: RecurrentLayer | None,
        connections: Connections,
        attention: Attention | None,
        weighs_source: bool,
        context: ContextName,
        readout: Readout,
        dropout: float,
        variational: bool,
        embedding_dropout: EmbeddingDropout,
        features: bool = False,
    ) -> None:
        """Put a decoder together; `second` is the second cell of the conditional wiring, over the context.

        `weighs_source`: whether the attention reads its queries and weighs the source by them; a constant one does not.
        The width that layer i reads is `connections.input_size(i)`, to which the context's is added where
        :func:`layer_reads_context`; with input feeding the embedding's width counts the readout's.
        """
        super().__init__()
        if (attention is None) != (context == "none"):
            raise ValueError("attention and context are either both there or neither")
        if (second is None) != (context != "conditional"):
            raise ValueError("the conditional wiring, and no other, has a second cell")
        self.embedding = embedding
        self.attention = attention
        self.weighs_source = weighs_source
        self.context: ContextName = context
        self.layers = nn.ModuleList(layers)  # type: ignore[arg-type]
        self.second = second
        self.connections = connections
        self.readout = readout
        self.dropout = dropout
        self.variational = variational
        self.embedding_dropout = embedding_dropout
        self.features = features

    @property
    def state_sizes(self) -> tuple[tuple[int, int], ...]:
        """Widths of h and c of every layer's state; 0 for no c."""
        return tuple(layer.state_sizes for layer in self._layers)

    @property
    def loops(self) -> bool:
        """Whether training takes the target one step at a time."""
        if self.context == "previous-state":
            return self.weighs_source
        return self.context in ("input-feeding", "conditional")

    def start(self, states: tuple[CellState, ...], memory: Memory | None) -> DecoderState:
        """The state before the first token, one row per sentence, from the layers' first `states`."""
        rows = states[0].h.shape[0]
        attended = None
        if self.context == "input-feeding":
            attended = states[0].h.new_zeros(rows, self.readout.output_size)
        attention = None
        if self.attention is not None and memory is not None:
            attention = self.attention.initial_state(memory, rows)
        return DecoderState(states, attended, attention)

    def sequence(
        self, tokens: Tensor, state: DecoderState, memory: Memory | None
    ) -> tuple[DecoderOutput, DecoderState]:
        """Read whole target sentences, as in training.

        Args:
            tokens: ids [batch, tgt_len]; what follows a sentence's end never changes what comes before it.
            state: state before the first token, one row per sentence.
            memory: the encoded source, None without attention.

        Returns:
            The outputs [batch, tgt_len, ...] and the state after the last position.
        """
        embedded = self.embedding_dropout(self.embedding(tokens), self.training)
        noise = self._draw(tokens.shape[0])
        if not self.loops:
            return self._advance(embedded, state, noise, _read_sequence, self._over_time(memory))
        attend = self._over_rows(memory)
        steps = []
        for position in embedded.unbind(dim=1):
            output, state = self._advance(position, state, noise, _read_step, attend)
            steps.append(output)
        return _stack(steps), state

    def step(self, tokens: Tensor, state: DecoderState, memory: Memory | None) -> tuple[DecoderOutput, DecoderState]:
        """Read one token of every hypothesis: `tokens` [rows], rows grouped by the memory's sentences.

        Returns:
            The outputs [rows, ...] and the next state.
        """
        noise = self._draw(tokens.shape[0])
        return self._advance(self.embedding(tokens), state, noise, _read_step, self._over_rows(memory))

    @property
    def _layers(self) -> list[RecurrentLayer]:
        return list(self.layers)  # type: ignore[arg-type]

    def _draw(self, rows: int) -> _SequenceNoise:
        """The noise of one sequence of `rows`; none outside of training."""
        layers, training = self._layers, self.training
        masks: tuple[Tensor | None, ...] = (None,) * len(layers)
        if training and self.variational and self.dropout:
            like = self.embedding.weight
            masks = tuple(dropout_mask(like, (rows, layer.output_size), self.dropout) for layer in layers)
        return _SequenceNoise(
            # Layers that read whole sequences draw for themselves.
            layers=tuple(layer.draw(rows) if training and self.loops else None for layer in layers),
            second=self.second.draw(rows) if training and self.second is not None else None,
            outputs=masks,
        )

    def _over_time(self, memory: Memory | None) -> _Attend:
        """Attention of whole sequences: queries [batch, n, hidden], n target positions."""
        attention = self.attention

        def attend(queries: Tensor, state: AttentionState | None) -> Attended:
            assert attention is not None
            assert memory is not None
            if not attention.sequential:
                return attention(queries, memory, state)
            steps = []
            for query in torch.split(queries, 1, dim=1):
                steps.append(attention(query, memory, state))
                state = steps[-1].state
            return Attended(
                torch.cat([step.contexts for step in steps], dim=1),
                torch.cat([step.weights for step in steps if step.weights is not None], dim=1),
                state,
            )

        return attend

    def _over_rows(self, memory: Memory | None) -> _Attend:
        """Attention of rows [rows, hidden]."""

        def attend(queries: Tensor, state: AttentionState | None) -> Attended:
            assert memory is not None
            return self.attend(queries, memory, state)

        return attend

    def attend(self, queries: Tensor, memory: Memory, state: AttentionState | None) -> Attended:
        """What `queries` [rows, hidden] see, rows grouped by the memory's sentences, of which none is copied."""
        assert self.attention is not None
        grouped = queries.view(memory.mask.shape[0], -1, queries.shape[-1])  # [sentences, beam, hidden]
        attended = self.attention(grouped, memory, state)
        weights, choice = attended.weights, attended.choice
        return Attended(
            attended.contexts.flatten(0, 1),
            None if weights is None else weights.flatten(0, 1),
            attended.state,
            None if choice is None else Choice(choice.log_probs.flatten(), choice.entropies.flatten()),
        )

    def _advance(
        self, embedded: Tensor, state: DecoderState, noise: _SequenceNoise, run: _Run, attend: _Attend
    ) -> tuple[DecoderOutput, DecoderState]:
        """Pass `embedded` [..., embed] through layers, attention and readout; `run` and `attend` know about time."""
        context_name = self.context
        attended: Attended | None = None
        if context_name == "previous-state":
            # Where no query is read, the embeddings say how many contexts there are to be.
            query = state.layers[0].h if self.loops or embedded.dim() == 2 else embedded
            attended = attend(query, state.attention)
        hidden = embedded if state.attended is None else torch.cat((embedded, state.attended), dim=-1)
        states = []
        for index, (layer, layer_state) in enumerate(zip(self._layers, state.layers, strict=True)):
            inputs = hidden
            if layer_reads_context(context_name, index):
                assert attended is not None
                inputs = torch.cat((hidden, attended.contexts), dim=-1)
            outputs, next_state = run(layer, inputs, layer_state, noise.layers[index])
            if index == 0 and self.second is not None:
                attended = attend(outputs, state.attention)
                outputs, next_state = run(self.second, attended.contexts, next_state, noise.second)
            outputs = self._drop(outputs, noise.outputs[index])
            if index == 0 and context_name == "upper-layers":
                attended = attend(outputs, state.attention)
            hidden = self.connections.join(index, hidden, outputs)
            states.append(next_state)
        if context_name in ("output", "input-feeding"):
            attended = attend(hidden, state.attention)
        context = attended.contexts if attended is not None and readout_reads_context(context_name) else None
        readout = self.readout(hidden, embedded, context)
        output = DecoderOutput(
            readout=readout,
            weights=None if attended is None else attended.weights,
            features=self._features(attended, hidden, embedded),
            choice=None if attended is None else attended.choice,
        )
        fed_back = readout if context_name == "input-feeding" else None
        remembered = None if attended is None else attended.state
        return output, DecoderState(tuple(states), fed_back, remembered)

    def _drop(self, outputs: Tensor, mask: Tensor | None) -> Tensor:
        """Dropout on a layer's outputs [..., hidden], by the sequence's `mask` [batch, hidden] where there is one."""
        if mask is None:
            return dropout(outputs, self.dropout, self.training and not self.variational)
        return outputs * (mask if outputs.dim() == 2 else mask.unsqueeze(1)).to(outputs.dtype)

    def _features(self, attended: Attended | None, hidden: Tensor, embedded: Tensor) -> Tensor | None:
        if not self.features:
            return None
        assert attended is not None
        return torch.cat((attended.contexts, hidden, embedded), dim=-1)


def _read_sequence(
    layer: RecurrentLayer, inputs: Tensor, state: CellState, noise: LayerNoise | None
) -> tuple[Tensor, CellState]:
    """A layer over whole sequences [batch, tgt_len, input]."""
    return layer(inputs, state)


def _read_step(
    layer: RecurrentLayer, inputs: Tensor, state: CellState, noise: LayerNoise | None
) -> tuple[Tensor, CellState]:
    """A layer over one step [rows, input]."""
    return layer.step(inputs, state, noise)


def _stack(steps: list[DecoderOutput]) -> DecoderOutput:
    """Outputs of single steps [batch, ...] as those of a sequence [batch, tgt_len, ...]."""

    def stacked(parts: list[Tensor | None]) -> Tensor | None:
        present = [part for part in parts if part is not None]
        return torch.stack(present, dim=1) if present else None

    log_probs = stacked([None if step.choice is None else step.choice.log_probs for step in steps])
    entropies = stacked([None if step.choice is None else step.choice.entropies for step in steps])
    return DecoderOutput(
        readout=torch.stack([step.readout for step in steps], dim=1),
        weights=stacked([step.weights for step in steps]),
        features=stacked([step.features for step in steps]),
        choice=None if log_probs is None or entropies is None else Choice(log_probs, entropies),
    )
