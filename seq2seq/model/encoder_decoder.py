"""The whole network: source and target ids in, logits out; or one step of a search."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seq2seq.model.bridge import Bridge
from seq2seq.model.copying import CopyGenerator
from seq2seq.model.decoder import Decoder, DecoderOutput
from seq2seq.model.encoder import Encoder
from seq2seq.model.state import DecoderState, DecodingState
from seq2seq.nn.attention import Choice, Memory
from seq2seq.nn.dropout import dropout


def mask_of(lengths: Tensor, length: int) -> Tensor:
    """Bool [batch, length], True before each of `lengths` [batch]."""
    return torch.arange(length, device=lengths.device).unsqueeze(0) < lengths.unsqueeze(1)


@dataclass(frozen=True)
class Prediction:
    """What the network says of every next target piece, teacher-forced.

    `logits` [batch, tgt_len, vocab], log-probabilities up to a constant per position; the attention `weights`
    [batch, tgt_len, src_len], None without an attention that weighs; and in training what a hard attention chose.
    Those of padded positions mean nothing.
    """

    logits: Tensor
    weights: Tensor | None
    choice: Choice | None

    def log_probs(self) -> Tensor:
        """The log-probabilities [batch, tgt_len, vocab], float32 or wider, that a search's steps would give."""
        return _normalised(self.logits)


class EncoderDecoder(nn.Module):
    """Encoder, bridge, decoder and output layer. Holds parameters only; every state is passed in and returned."""

    def __init__(
        self,
        *,
        encoder: Encoder,
        bridge: nn.Module,
        decoder: Decoder,
        output: nn.Linear,
        output_dropout: float,
        copying: CopyGenerator | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.bridge = bridge
        self.decoder = decoder
        self.output = output
        self.output_dropout = output_dropout
        self.copying = copying

    def forward(self, source: Tensor, source_lengths: Tensor, target_in: Tensor) -> Prediction:
        """Predict every next target piece, teacher-forced.

        Args:
            source: ids [batch, src_len], each sentence ending in EOS and then padding.
            source_lengths: [batch], EOS counted.
            target_in: ids [batch, tgt_len], each sentence beginning with BOS.
        """
        prediction, _ = self.read(target_in, self.start(source, source_lengths))
        return prediction

    def start(self, source: Tensor, source_lengths: Tensor) -> DecodingState:
        """State of a search before its first step, one row per sentence of `source` [batch, src_len]."""
        memory, state = self._encode(source, source_lengths)
        return DecodingState(source, memory, state)

    def read(self, tokens: Tensor, state: DecodingState) -> tuple[Prediction, DecodingState]:
        """Take several steps at once, over pieces that are known beforehand.

        Args:
            tokens: ids [batch, n], the next n pieces of every sentence, BOS being the first of all.
            state: what :meth:`start` or the last reading returned, one row per sentence.

        Returns:
            What the network says of the piece after each of them, and the state after the last; so that a long target
            may be read in parts. What follows a sentence's end never changes what comes before it.
        """
        outputs, decoder = self.decoder.sequence(tokens, state.decoder, state.memory)
        prediction = Prediction(self._logits(outputs, state.source), outputs.weights, outputs.choice)
        return prediction, DecodingState(state.source, state.memory, decoder)

    def step(self, tokens: Tensor, state: DecodingState) -> tuple[Tensor, DecodingState, Tensor | None]:
        """One step of a search.

        Args:
            tokens: the last piece of every hypothesis, [rows], grouped by sentence.
            state: what :meth:`start` or the last step returned.

        Returns:
            Log-probabilities of the next piece [rows, vocab], float32 or wider; the next state; the attention weights
            [rows, src_len], None without attention.
        """
        outputs, decoder = self.decoder.step(tokens, state.decoder, state.memory)
        log_probs = _normalised(self._logits(outputs, state.source))
        return log_probs, DecodingState(state.source, state.memory, decoder), outputs.weights

    def _logits(self, outputs: DecoderOutput, source: Tensor) -> Tensor:
        """Logits [batch, tgt_len, vocab], or [rows, vocab] of rows grouped by the sentences of `source`."""
        logits: Tensor = self.output(dropout(outputs.readout, self.output_dropout, self.training))
        if self.copying is None:
            return logits
        assert outputs.weights is not None
        assert outputs.features is not None
        parts = (logits, outputs.weights, outputs.features)
        # [batch, n, ...]: n is the target's length, or the beam.
        grouped = [part.view(source.shape[0], -1, part.shape[-1]) for part in parts]
        return self.copying(grouped[0], grouped[1], grouped[2], source).view_as(logits)  # type: ignore[no-any-return]

    def _encode(self, source: Tensor, lengths: Tensor) -> tuple[Memory | None, DecoderState]:
        encoded = self.encoder(source, lengths, mask_of(lengths, source.shape[1]))
        attention = self.decoder.attention
        memory = None if attention is None else attention.remember(encoded.values, encoded.mask)
        bridge: Bridge = self.bridge
        return memory, self.decoder.start(bridge(encoded), memory)


def _normalised(logits: Tensor) -> Tensor:
    """Log-probabilities of the last axis, float32 or wider."""
    return logits.to(torch.promote_types(logits.dtype, torch.float32)).log_softmax(dim=-1)
