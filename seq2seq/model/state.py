"""What decoding carries from step to step, as immutable values."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seq2seq.nn.attention import Memory
from seq2seq.nn.cells import CellState


@dataclass(frozen=True)
class DecoderState:
    """State of the decoder, one row per hypothesis: every layer's, and the vector [rows, readout] that is fed back."""

    layers: tuple[CellState, ...]
    attended: Tensor | None = None

    def select(self, rows: Tensor) -> DecoderState:
        """The state whose row i is this state's row `rows[i]`; `rows` is a LongTensor [new_rows]."""
        return DecoderState(
            tuple(layer.select(rows) for layer in self.layers),
            None if self.attended is None else self.attended.index_select(0, rows),
        )


@dataclass(frozen=True)
class DecodingState:
    """State of a search: the memory, one row per sentence, and the decoder's state, one row per hypothesis.

    Rows are grouped by sentence, the same number for each.
    """

    memory: Memory | None
    decoder: DecoderState
    sentences: int

    def reorder(self, rows: Tensor) -> DecodingState:
        """Let new row i continue old row `rows[i]` of the same sentence; the number of rows may change."""
        return DecodingState(self.memory, self.decoder.select(rows), self.sentences)

    def keep(self, sentences: Tensor) -> DecodingState:
        """Keep these sentences, LongTensor [kept], and their rows."""
        beam = self.decoder.layers[0].h.shape[0] // self.sentences
        rows = (sentences.unsqueeze(1) * beam + torch.arange(beam, device=sentences.device)).flatten()
        memory = None if self.memory is None else self.memory.keep(sentences)
        return DecodingState(memory, self.decoder.select(rows), sentences.shape[0])
