"""The whole network: source and target ids in, logits out; or one step of a search."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seq2seq.model.bridge import Bridge
from seq2seq.model.decoder import Decoder
from seq2seq.model.encoder import Encoder
from seq2seq.model.state import DecoderState, DecodingState
from seq2seq.nn.attention import Memory
from seq2seq.nn.dropout import dropout


def mask_of(lengths: Tensor, length: int) -> Tensor:
    """Bool [batch, length], True before each of `lengths` [batch]."""
    return torch.arange(length, device=lengths.device).unsqueeze(0) < lengths.unsqueeze(1)


class EncoderDecoder(nn.Module):
    """Encoder, bridge, decoder and output layer. Holds parameters only; every state is passed in and returned."""

    def __init__(
        self, *, encoder: Encoder, bridge: nn.Module, decoder: Decoder, output: nn.Linear, output_dropout: float
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.bridge = bridge
        self.decoder = decoder
        self.output = output
        self.output_dropout = output_dropout

    def forward(self, source: Tensor, source_lengths: Tensor, target_in: Tensor) -> Tensor:
        """Logits of every next target piece, teacher-forced.

        Args:
            source: ids [batch, src_len], each sentence ending in EOS and then padding.
            source_lengths: [batch], EOS counted.
            target_in: ids [batch, tgt_len], each sentence beginning with BOS.

        Returns:
            Logits [batch, tgt_len, vocab]; those of padded positions mean nothing.
        """
        memory, state = self._encode(source, source_lengths)
        readouts, _ = self.decoder.sequence(target_in, state, memory)
        logits: Tensor = self.output(dropout(readouts, self.output_dropout, self.training))
        return logits

    def start(self, source: Tensor, source_lengths: Tensor) -> DecodingState:
        """State of a search before its first step, one row per sentence of `source` [batch, src_len]."""
        memory, state = self._encode(source, source_lengths)
        return DecodingState(memory, state, source.shape[0])

    def step(self, tokens: Tensor, state: DecodingState) -> tuple[Tensor, DecodingState, Tensor | None]:
        """One step of a search.

        Args:
            tokens: the last piece of every hypothesis, [rows], grouped by sentence.
            state: what :meth:`start` or the last step returned.

        Returns:
            Log-probabilities of the next piece [rows, vocab], float32 or wider; the next state; the attention weights
            [rows, src_len], None without attention.
        """
        readouts, decoder, weights = self.decoder.step(tokens, state.decoder, state.memory)
        logits = self.output(readouts)
        log_probs = logits.to(torch.promote_types(logits.dtype, torch.float32)).log_softmax(dim=-1)
        return log_probs, DecodingState(state.memory, decoder, state.sentences), weights

    def _encode(self, source: Tensor, lengths: Tensor) -> tuple[Memory | None, DecoderState]:
        encoded = self.encoder(source, lengths, mask_of(lengths, source.shape[1]))
        attention = self.decoder.attention
        memory = None if attention is None else attention.remember(encoded.values, encoded.mask)
        bridge: Bridge = self.bridge
        attended = None
        if self.decoder.context == "input-feeding":
            attended = encoded.values.new_zeros(source.shape[0], self.decoder.readout_size)
        return memory, DecoderState(bridge(encoded), attended)
