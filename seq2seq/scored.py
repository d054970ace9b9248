"""What scoring gives: what a model thinks of a given translation, and of a text of them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict


class ScoringKeywords(TypedDict, total=False):
    """The keywords of scoring: fields of `seq2seq.translation_options.TranslationOptions`, None for the model's own."""

    length_penalty: float | None
    batch_size: int | None
    max_tokens: int | None


@dataclass(frozen=True)
class Scored:
    """What a model thinks of one target, given its source.

    A model's probabilities are those of its whole vocabulary, as in a search. A search leaves out the unknown piece,
    padding and the beginning of sentence without making the others more probable for it; a target's unknown piece
    scores what the model gives it.

    Attributes:
        log_prob: natural logarithm of the target's probability, its end of sentence counted; -inf where it is 0. The
            translation of a source without pieces is empty, with certainty: that target scores 0 and all others -inf.
        score: the log-probability divided by the number of target pieces, their end counted, to the power of the length
            penalty.
        pieces: the target's pieces, as its tokenizer cuts it; other ways to cut it are not summed up.
        piece_log_probs: log-probability of each piece and of the end; none for two empty sides.
        words: the target's words, as `str.split` finds them in the raw line.
        word_log_probs: for each word the sum over its pieces: the log-probability of the word after what stands before
            it. With that of the end they sum to `log_prob`. A word that the tokenizer leaves out has 0.
        unknown_pieces: how many of the pieces are the unknown piece.
        source_pieces: number of pieces that the source has.
    """

    log_prob: float
    score: float
    pieces: tuple[str, ...]
    piece_log_probs: tuple[float, ...]
    words: tuple[str, ...]
    word_log_probs: tuple[float, ...]
    unknown_pieces: int = 0
    source_pieces: int = 0

    @property
    def perplexity(self) -> float:
        """Perplexity per piece, the end counted: exp(-log_prob / pieces); 1 for two empty sides."""
        return perplexity(-self.log_prob / max(1, len(self.piece_log_probs)))


class TextScore:
    """What a model thinks of a whole text: sums over its pairs.

    Targets of probability 0, which would make every perplexity infinite, are counted apart and in nothing else.

    Attributes:
        pairs: all that were added.
        impossible: those whose target has probability 0.
        log_prob: sum of the others' log-probabilities.
        pieces: number of their target pieces, ends counted.
        words: number of their target words, ends counted, one for each pair.
        unknown_pieces: how many of the pieces are the unknown piece.
    """

    def __init__(self) -> None:
        self.pairs = 0
        self.impossible = 0
        self.log_prob = 0.0
        self.pieces = 0
        self.words = 0
        self.unknown_pieces = 0

    def add(self, scored: Iterable[Scored]) -> None:
        """Count these pairs in."""
        for each in scored:
            self.pairs += 1
            if each.log_prob == -math.inf:
                self.impossible += 1
                continue
            self.log_prob += each.log_prob
            self.pieces += len(each.piece_log_probs)
            self.words += len(each.words) + bool(each.piece_log_probs)
            self.unknown_pieces += each.unknown_pieces

    @property
    def perplexity_per_piece(self) -> float:
        """exp(-log_prob / pieces); 1 without pieces."""
        return perplexity(-self.log_prob / max(1, self.pieces))

    @property
    def perplexity_per_word(self) -> float:
        """exp(-log_prob / words), which compares models of different vocabularies; 1 without words."""
        return perplexity(-self.log_prob / max(1, self.words))


def perplexity(loss: float) -> float:
    """exp(loss) of a loss per piece in nats, or infinity where that is too large for a float."""
    return math.inf if loss >= 700.0 else math.exp(loss)
