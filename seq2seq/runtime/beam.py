"""Beam search in numpy, over all sentences of a batch at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from seq2seq.errors import ModelError
from seq2seq.runtime.scoring import best_reachable, exclude_repetitions, log_coverage, score
from seq2seq.runtime.selection import best_continuations
from seq2seq.runtime.settings import SearchSettings
from seq2seq.text.tokenizer import Tokenizer

Floats = NDArray[numpy.float32]
Integers = NDArray[numpy.int64]
#: Arrays by their names; the first axis are sentences (a memory) or hypotheses, grouped by sentence (states).
Arrays = Mapping[str, NDArray[numpy.generic]]
#: One step of a model: of the last tokens [rows], the memory and the states, the log-probabilities of the next token
#: [rows, vocab], which may be overwritten, the next states, and the attention weights [rows, src_len] if there are any.
Step = Callable[[Integers, Arrays, Arrays], "tuple[Floats, Arrays, Floats | None]"]

#: Sentences that are done leave the batch when they are at least one of so many.
_SHARE = 8


@dataclass(frozen=True)
class Vocabulary:
    """The ids that search treats in a way of their own; `forbidden` are never generated."""

    bos_id: int
    eos_id: int
    forbidden: tuple[int, ...]

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> Vocabulary:
        """Those of a tokenizer; one without padding, which names the end twice, can still end its sentences."""
        never = {tokenizer.bos_id, tokenizer.pad_id, tokenizer.unk_id} - {tokenizer.eos_id}
        return cls(bos_id=tokenizer.bos_id, eos_id=tokenizer.eos_id, forbidden=tuple(sorted(never)))


def max_lengths(settings: SearchSettings, lengths: Integers) -> Integers:
    """Tokens of a hypothesis at most, its end counted, for sources of `lengths` pieces, their ends not counted."""
    scaled = lengths.astype(numpy.float32) * numpy.float32(settings.max_length_ratio)
    limits: Integers = scaled.astype(numpy.int64) + settings.max_length_offset
    return limits if settings.max_length is None else numpy.minimum(limits, settings.max_length + 1)


def min_lengths(settings: SearchSettings, lengths: Integers) -> Integers:
    """The same at least."""
    scaled = numpy.ceil(lengths.astype(numpy.float32) * numpy.float32(settings.min_length_ratio))
    limits: Integers = numpy.maximum(scaled.astype(numpy.int64), settings.min_length) + 1
    return limits


def beam_search(
    step: Step,
    *,
    memory: Arrays,
    states: Arrays,
    lengths: Integers,
    vocabulary: Vocabulary,
    settings: SearchSettings,
) -> list[list[int]]:
    """The best hypothesis of every sentence, as ids without its end; one row per sentence in `memory` and `states`.

    It is what :func:`seq2seq.search.beam.beam_search` finds, which says how: of all continuations of a sentence the
    best 2 * beam are drawn up, an end among the first beam of them finishes a hypothesis, the first beam others go on;
    ties go to the lowest parent, then to the lowest token; a sentence is done when nothing alive can become better than
    what is finished. A beam of 1 is greedy search: the first end is the last step. `lengths` [sentences] are pieces of
    the sources without their ends.

    Raises:
        ModelError: the model gives NaN, or only impossible tokens.
    """
    beam, most, least = settings.beam, max_lengths(settings, lengths), min_lengths(settings, lengths)
    found: list[list[int] | None] = [None] * len(lengths)
    best = numpy.full(len(lengths), -numpy.inf, dtype=numpy.float32)  # score of each sentence's finished hypothesis
    active = numpy.arange(len(lengths))
    live = numpy.zeros((len(lengths), 1), dtype=numpy.float32)
    tokens = numpy.full(len(lengths), vocabulary.bos_id, dtype=numpy.int64)
    history = numpy.zeros((len(lengths), 0), dtype=numpy.int64)
    seen: Floats | None = None  # attention, summed over the tokens of each hypothesis
    for length in range(1, int(most.max(initial=0)) + 1):
        log_probs, states, attention = step(tokens, memory, states)
        _exclude(log_probs, history, active, length=length, least=least, vocabulary=vocabulary, settings=settings)
        covered = None
        if settings.coverage_penalty and attention is not None:
            # Columns that only padding is in may be left out.
            seen = attention if seen is None else seen[:, : attention.shape[1]] + attention
            covered = log_coverage(seen.reshape(*live.shape, -1), lengths[active])
        drawn, parents, next_tokens = best_continuations(log_probs, live, 2 * beam)
        is_end = next_tokens == vocabulary.eos_id

        first_rows = numpy.arange(len(active))[:, None] * live.shape[1]
        ends = numpy.where(is_end, drawn, -numpy.inf)[:, :beam].astype(numpy.float32)
        of_parents = None if covered is None else numpy.take_along_axis(covered, parents[:, :beam], axis=1)
        scores = score(settings, ends, length, of_parents)
        winners = scores.argmax(axis=1)  # the first of equals
        top = scores.max(axis=1)
        for place in (top > best[active]).nonzero()[0]:
            best[active[place]] = top[place]
            found[active[place]] = history[first_rows[place, 0] + parents[place, winners[place]]].tolist()

        others = is_end.argsort(axis=1, kind="stable")[:, :beam]
        live = numpy.take_along_axis(numpy.where(is_end, -numpy.inf, drawn), others, axis=1).astype(numpy.float32)
        rows = first_rows + numpy.take_along_axis(parents, others, axis=1)
        tokens = numpy.take_along_axis(next_tokens, others, axis=1)
        history = numpy.concatenate((history[rows.ravel()], tokens.reshape(-1, 1)), axis=1)

        at_limit = most[active] == length
        for place in (at_limit & (best[active] == -numpy.inf) & (live[:, 0] > -numpy.inf)).nonzero()[0]:
            found[active[place]] = history[place * beam].tolist()
        bound = best_reachable(settings, live.max(axis=1), length=length, max_lengths=most[active])
        done = at_limit | (best[active] >= bound)
        if beam == 1:
            done |= is_end[:, 0]
        live[done] = -numpy.inf
        if done.all():
            break
        kept = (~done).nonzero()[0] if done.sum() * _SHARE >= len(done) else numpy.arange(len(done))
        if len(kept) < len(done):
            memory = {name: array[kept] for name, array in memory.items()}
            history = history.reshape(len(done), beam, -1)[kept].reshape(len(kept) * beam, -1)
        active, live, tokens, rows = active[kept], live[kept], tokens[kept].ravel(), rows[kept].ravel()
        states = {name: array[rows] for name, array in states.items()}
        seen = None if seen is None else seen[rows]
    return [_checked(ids) for ids in found]


def _exclude(
    log_probs: Floats, history: Integers, active: Integers, *, length: int, least: Integers, vocabulary: Vocabulary,
    settings: SearchSettings,
) -> None:  # fmt: skip
    """Give the probability 0, in place, to tokens that may not follow."""
    log_probs[:, list(vocabulary.forbidden)] = -numpy.inf
    by_sentence = log_probs.reshape(len(active), -1, log_probs.shape[1])
    too_short = least[active] > length
    if too_short.any():
        by_sentence[too_short, :, vocabulary.eos_id] = -numpy.inf
    if settings.no_repeat_ngram:
        exclude_repetitions(log_probs, history, settings.no_repeat_ngram)


def _checked(ids: list[int] | None) -> list[int]:
    if ids is None:
        raise ModelError(
            "the model gives every continuation of a sentence the probability 0: its weights are damaged or its "
            "training diverged; use an earlier model"
        )
    return ids
