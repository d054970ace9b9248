"""How hypotheses are compared, and which tokens may follow: :mod:`seq2seq.search`, for numpy."""

from __future__ import annotations

import numpy
from numpy.typing import NDArray

from seq2seq.runtime.settings import SearchSettings

Floats = NDArray[numpy.float32]
Integers = NDArray[numpy.int64]

#: A source position that was never looked at counts as looked at this much.
_LEAST_COVERAGE = 1e-3


def score(settings: SearchSettings, log_probs: Floats, length: int, covered: Floats | None) -> Floats:
    """Scores of hypotheses of `length` tokens, the end counted: :meth:`seq2seq.search.scoring.Scoring.score`."""
    scores = log_probs
    if settings.length_penalty:
        base = (length + 5.0) / 6.0 if settings.normalization == "gnmt" else float(length)
        scores = log_probs / numpy.float32(base**settings.length_penalty)
    if settings.word_penalty:
        scores = scores - numpy.float32(settings.word_penalty * length)
    if settings.coverage_penalty and covered is not None:
        scores = scores + numpy.float32(settings.coverage_penalty) * covered
    return scores


def best_reachable(settings: SearchSettings, log_probs: Floats, *, length: int, max_lengths: Integers) -> Floats:
    """What no hypothesis of `length` tokens can become better than, all [active]: the method of the same name there."""
    limits = max_lengths.astype(numpy.float32)
    if settings.stopping == "heuristic":
        limits = numpy.minimum(limits, numpy.float32(length + 1))
    bound = log_probs
    if settings.length_penalty:
        bases = (limits + numpy.float32(5.0)) / numpy.float32(6.0) if settings.normalization == "gnmt" else limits
        bound = log_probs / bases ** numpy.float32(settings.length_penalty)
    if settings.word_penalty:
        shortest = numpy.minimum(limits, numpy.float32(length + 1))
        bound = bound - numpy.float32(settings.word_penalty) * (shortest if settings.word_penalty > 0.0 else limits)
    return bound


def log_coverage(attention: Floats, lengths: Integers) -> Floats:
    """The function of that name there: [active, width] of `attention` [active, width, src_len] so far.

    `lengths` [active] are those of the sources without their ends.
    """
    real = numpy.arange(attention.shape[2]) < lengths[:, None, None]
    logarithms = numpy.log(numpy.clip(attention, _LEAST_COVERAGE, 1.0))
    sums: Floats = numpy.where(real, logarithms, numpy.float32(0.0)).sum(axis=2)
    return sums


def exclude_repetitions(log_probs: Floats, history: Integers, size: int) -> None:
    """Exclude, in place, from `log_probs` [rows, vocab] what would end a sequence of `size` tokens a second time.

    `history` [rows, length] are the tokens so far.
    """
    if history.shape[1] < size:
        return
    windows = numpy.lib.stride_tricks.sliding_window_view(history, size, axis=1)  # [rows, places, size]
    recent = history[:, history.shape[1] - size + 1 :]
    rows, places = (windows[:, :, :-1] == recent[:, None, :]).all(axis=2).nonzero()
    log_probs[rows, windows[rows, places, -1]] = -numpy.inf
