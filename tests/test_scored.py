from __future__ import annotations

import math

import pytest

from seq2seq.scored import Scored, TextScore, perplexity


def scored(*log_probs: float, words: int = 0, unknown: int = 0) -> Scored:
    """A target of these pieces and its end, in so many words."""
    total = sum(log_probs)
    return Scored(
        total, total / max(1, len(log_probs)), ("x",) * (len(log_probs) - 1), log_probs, ("w",) * words, (), unknown
    )


def test_perplexity() -> None:
    assert perplexity(0.0) == 1.0
    assert perplexity(math.log(50)) == pytest.approx(50)
    assert perplexity(699.0) == pytest.approx(math.exp(699.0))
    assert perplexity(1e4) == math.inf
    assert perplexity(math.inf) == math.inf
    assert math.isnan(perplexity(math.nan))


def test_perplexity_of_a_pair() -> None:
    assert scored(math.log(0.5), math.log(0.125)).perplexity == pytest.approx(4.0)
    assert scored().perplexity == 1.0
    assert scored(-math.inf, -math.inf).perplexity == math.inf


def test_a_text_by_hand() -> None:
    text = TextScore()
    assert (text.perplexity_per_piece, text.perplexity_per_word) == (1.0, 1.0)
    text.add([scored(math.log(0.5), math.log(0.25), math.log(0.5), words=1, unknown=1)])
    assert text.perplexity_per_piece == pytest.approx(2 ** (4 / 3))
    assert text.perplexity_per_word == pytest.approx(4.0)  # a word and an end
    # An empty target has an end; two empty sides have nothing; what is impossible does not count.
    text.add([scored(math.log(1 / 16)), scored(), scored(-math.inf, -math.inf, words=1, unknown=1)])
    assert (text.pairs, text.impossible, text.pieces, text.words, text.unknown_pieces) == (4, 1, 4, 3, 1)
    assert text.log_prob == pytest.approx(-8 * math.log(2))
    assert text.perplexity_per_piece == pytest.approx(4.0)
    assert text.perplexity_per_word == pytest.approx(2 ** (8 / 3))
