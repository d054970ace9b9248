"""Dropout between the embeddings and the first layer."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from seq2seq.nn.dropout import dropout, variational_dropout, word_dropout


@dataclass(frozen=True, kw_only=True)
class EmbeddingDropout:
    """Dropout of whole words and of the numbers in their embeddings.

    `words`: probability that the whole embedding of a piece is zeroed. `numbers`: that each number of what is left is;
    with `variational` the same ones at every position of a sentence.
    """

    words: float = 0.0
    numbers: float = 0.0
    variational: bool = False

    def __call__(self, embedded: Tensor, training: bool) -> Tensor:
        """Of `embedded` [batch, len, embed]; any shape, unchanged, outside of training."""
        if not training:
            return embedded
        embedded = word_dropout(embedded, self.words, training)
        drop = variational_dropout if self.variational else dropout
        return drop(embedded, self.numbers, training)
