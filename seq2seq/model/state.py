"""What decoding carries from step to step, as immutable values."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from seq2seq.nn.attention import AttentionState, Memory
from seq2seq.nn.cells import CellState


@dataclass(frozen=True)
class DecoderState:
    """State of the decoder, one row per hypothesis.

    Every layer's; the readout [rows, readout] that is fed back, with input feeding; and what an attention remembers of
    its earlier steps, if it does.
    """

    layers: tuple[CellState, ...]
    attended: Tensor | None = None
    attention: AttentionState | None = None

    def select(self, rows: Tensor) -> DecoderState:
        """The state whose row i is this state's row `rows[i]`; `rows` is a LongTensor [new_rows]."""
        return DecoderState(
            tuple(layer.select(rows) for layer in self.layers),
            None if self.attended is None else self.attended.index_select(0, rows),
            None if self.attention is None else self.attention.select(rows),
        )


@dataclass(frozen=True)
class DecodingState:
    """State of a search: what belongs to a sentence, one row each, and the decoder's state, one row per hypothesis.

    Rows are grouped by sentence, the same number for each. `source` are the ids [sentences, src_len].
    """

    source: Tensor
    memory: Memory | None
    decoder: DecoderState

    @property
    def sentences(self) -> int:
        """Number of sentences."""
        return self.source.shape[0]

    def reorder(self, rows: Tensor) -> DecodingState:
        """Let new row i continue old row `rows[i]` of the same sentence; the number of rows may change."""
        return replace(self, decoder=self.decoder.select(rows))

    def keep(self, sentences: Tensor) -> DecodingState:
        """Keep these sentences, LongTensor [kept], and their rows."""
        beam = self.decoder.layers[0].h.shape[0] // self.sentences
        rows = (sentences.unsqueeze(1) * beam + torch.arange(beam, device=sentences.device)).flatten()
        memory = None if self.memory is None else self.memory.keep(sentences)
        return DecodingState(self.source.index_select(0, sentences), memory, self.decoder.select(rows))
