"""The decoder: target pieces so far, and what attention sees of the source, to one readout vector per position.

Four wirings of the context. Three of them read a whole target sentence in one call per layer; `input-feeding` needs
the previous readout before every step, so it loops over time. Training, greedy and beam search share
:meth:`Decoder._advance`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from seq2seq.model.state import DecoderState
from seq2seq.nn.attention import Attention, Memory
from seq2seq.nn.cells import CellState
from seq2seq.nn.dropout import dropout
from seq2seq.nn.recurrent import FusedCellName, FusedLayer

ContextName = Literal["none", "output", "upper-layers", "input-feeding"]
_Run = Callable[[FusedLayer, Tensor, CellState], tuple[Tensor, CellState]]
_Attend = Callable[[Tensor], tuple[Tensor, Tensor]]


class Decoder(nn.Module):
    """Embeddings, recurrent layers, attention and the readout that the output layer reads.

    Wirings of the context: `none`; `output`: readout = tanh(W [h; context]) (Luong et al. 2015, equation 5);
    `input-feeding`: the same, and the readout is an input of the next step (their section 3.3); `upper-layers`: the
    first layer's output is the query, and the context an input of every layer above it (Wu et al. 2016, NVIDIA's form).
    """

    def __init__(
        self,
        *,
        embedding: nn.Embedding,
        attention: Attention | None,
        context: ContextName,
        cell: FusedCellName,
        layers: int,
        hidden_size: int,
        readout_size: int,
        residual: bool,
        dropout: float,
        embedding_dropout: float,
    ) -> None:
        super().__init__()
        if (attention is None) != (context == "none"):
            raise ValueError("attention and context are either both there or neither")
        self.embedding = embedding
        self.attention = attention
        self.context = context
        self.readout_size = readout_size
        self.residual = residual
        self.dropout = dropout
        self.embedding_dropout = embedding_dropout
        context_size = 0 if attention is None else attention.output_size
        width = embedding.embedding_dim + (readout_size if context == "input-feeding" else 0)
        self.layers = nn.ModuleList()
        for index in range(layers):
            extra = context_size if context == "upper-layers" and index > 0 else 0
            self.layers.append(FusedLayer(cell=cell, input_size=width + extra, hidden_size=hidden_size))
            width = hidden_size
        mixed = context in ("output", "input-feeding")
        joined = hidden_size + (context_size if mixed else 0)
        # Without a context to mix in, and with the right width, the top layer's output is the readout.
        direct = not mixed and hidden_size == readout_size
        self.readout = None if direct else nn.Linear(joined, readout_size, bias=False)

    def sequence(self, tokens: Tensor, state: DecoderState, memory: Memory | None) -> tuple[Tensor, DecoderState]:
        """Read whole target sentences, as in training.

        Args:
            tokens: ids [batch, tgt_len]; what follows a sentence's end never changes what comes before it.
            state: state before the first token, one row per sentence.
            memory: the encoded source, None without attention.

        Returns:
            Readouts [batch, tgt_len, readout] and the state after the last position.
        """
        embedded = self._embed(tokens)
        if self.context != "input-feeding":
            readouts, state, _ = self._advance(embedded, state, FusedLayer.__call__, self._attender(memory))
            return readouts, state
        steps = []
        for position in embedded.unbind(dim=1):
            readout, state, _ = self._step(position, state, memory)
            steps.append(readout)
        return torch.stack(steps, dim=1), state

    def step(
        self, tokens: Tensor, state: DecoderState, memory: Memory | None
    ) -> tuple[Tensor, DecoderState, Tensor | None]:
        """Read one token of every hypothesis: `tokens` [rows], rows grouped by the memory's sentences.

        Returns:
            Readouts [rows, readout], the next state, and the attention weights [rows, src_len], None without attention.
        """
        return self._step(self._embed(tokens), state, memory)

    def _embed(self, tokens: Tensor) -> Tensor:
        return dropout(self.embedding(tokens), self.embedding_dropout, self.training)

    def _step(
        self, embedded: Tensor, state: DecoderState, memory: Memory | None
    ) -> tuple[Tensor, DecoderState, Tensor | None]:
        """One step of `embedded` [rows, embed]."""
        return self._advance(embedded, state, FusedLayer.step, self._row_attender(memory))

    def _attender(self, memory: Memory | None) -> _Attend | None:
        """Attention over whole sequences: queries [batch, n, hidden]."""
        attention = self.attention
        if attention is None or memory is None:
            return None
        return lambda queries: attention(queries, memory)

    def _row_attender(self, memory: Memory | None) -> _Attend | None:
        """Attention of rows [rows, hidden], which share the memory of their sentence without a copy of it."""
        attention = self.attention
        if attention is None or memory is None:
            return None

        def attend(queries: Tensor) -> tuple[Tensor, Tensor]:
            grouped = queries.view(memory.mask.shape[0], -1, queries.shape[-1])  # [sentences, beam, hidden]
            contexts, weights = attention(grouped, memory)
            return contexts.flatten(0, 1), weights.flatten(0, 1)

        return attend

    def _advance(
        self, embedded: Tensor, state: DecoderState, run: _Run, attend: _Attend | None
    ) -> tuple[Tensor, DecoderState, Tensor | None]:
        """Pass `embedded` [..., embed] through layers, attention and readout; `run` and `attend` know about time."""
        hidden = embedded if state.attended is None else torch.cat((embedded, state.attended), dim=-1)
        context: Tensor | None = None
        weights: Tensor | None = None
        states = []
        for index, (layer, layer_state) in enumerate(zip(self.layers, state.layers, strict=True)):
            assert isinstance(layer, FusedLayer)
            inputs = hidden if context is None else torch.cat((hidden, context), dim=-1)
            outputs, next_state = run(layer, inputs, layer_state)
            outputs = dropout(outputs, self.dropout, self.training)
            hidden = outputs + hidden if self.residual and index > 0 else outputs
            states.append(next_state)
            if index == 0 and self.context == "upper-layers":
                assert attend is not None
                context, weights = attend(hidden)
        if self.context in ("output", "input-feeding"):
            assert attend is not None
            context, weights = attend(hidden)
            hidden = torch.cat((hidden, context), dim=-1)
        readout = hidden
        if self.readout is not None:
            readout = torch.tanh(self.readout(hidden))
        attended = readout if self.context == "input-feeding" else None
        return readout, DecoderState(tuple(states), attended), weights
