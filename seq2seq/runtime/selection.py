"""The best continuations of every sentence, ties decided by their place alone."""

from __future__ import annotations

import numpy
from numpy.typing import NDArray

from seq2seq.errors import ModelError

Floats = NDArray[numpy.float32]
Integers = NDArray[numpy.int64]

#: Columns whose maxima are taken together.
_LANES = 256


def best_continuations(log_probs: Floats, live: Floats, count: int) -> tuple[Floats, Integers, Integers]:
    """The `count` continuations of every sentence with the highest log-probability, best first, all [active, count].

    Of equal ones that with the lowest parent comes first, then that with the lowest token. Places that nothing is left
    for have the log-probability -inf.

    Args:
        log_probs: of the next token, [active * width, vocab], none above 0.
        live: of the hypotheses so far, [active, width], -inf where there is none.
        count: how many are wanted.

    Returns:
        The log-probabilities of the whole, the parents (row within the sentence) and the tokens.

    Raises:
        ModelError: the model gives NaN.
    """
    active, width = live.shape
    vocab = log_probs.shape[1]
    sums = log_probs.reshape(active, width, vocab) + live[:, :, None]
    # Of the maxima of all lanes, `count` reach number `count` from above; so the best continuations reach it, and few
    # others. A rest of columns that fills no lane may be left out: the bound is only lower for it.
    lanes = _LANES if vocab >= 8 * _LANES else vocab
    whole = vocab - vocab % lanes
    maxima = sums[:, :, :whole].reshape(active, width, -1, lanes).max(axis=2)
    maxima = maxima.reshape(active, -1)
    if numpy.isnan(maxima).any():
        raise ModelError(
            "the model gives log-probabilities that are not numbers (NaN): its weights are damaged or its training "
            "diverged; use an earlier model"
        )
    rank = max(0, maxima.shape[1] - count)
    enough = numpy.partition(maxima, rank, axis=1)[:, rank]
    sums = sums.reshape(active, -1)
    sentences, places = ((sums >= enough[:, None]) & (sums > -numpy.inf)).nonzero()
    values = sums[sentences, places]
    order = numpy.lexsort((places, -values, sentences))
    sentences, places, values = sentences[order], places[order], values[order]
    ranks = numpy.arange(len(sentences)) - numpy.searchsorted(sentences, sentences)
    first = ranks < count
    best = numpy.full((active, count), -numpy.inf, dtype=numpy.float32)
    where = numpy.zeros((active, count), dtype=numpy.int64)
    best[sentences[first], ranks[first]] = values[first]
    where[sentences[first], ranks[first]] = places[first]
    return best, where // vocab, where % vocab
