"""Loaders: batches of the training corpus in the order of an epoch, and of a validation corpus by length."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import final

import numpy
from numpy.typing import NDArray

from seq2seq.data.batch import Batch, SpecialIds, batch_of_flat
from seq2seq.data.encoded import EncodedCorpus
from seq2seq.data.flat import FlatSentences, offsets_of
from seq2seq.data.prefetch import prefetch
from seq2seq.data.sampler import Padding, epoch_order, generator_of, plan_batches, windows
from seq2seq.data.sampling import SubwordSampling, sampled

__all__ = ["Share", "SubwordSampling", "TrainingLoader", "ValidationLoader"]

#: Batches made ahead of the training step.
_BATCHES_AHEAD = 8
#: Pairs that the number of batches is estimated from when they must be sampled for it.
_ESTIMATED_FROM = 20_000
#: Keep the random numbers of one use apart from those of another.
_SHUFFLE_STREAM, _SOURCE_STREAM, _TARGET_STREAM, _NOISE_STREAM = 1, 2, 3, 4


@dataclass(frozen=True)
class _Window:
    """A window's sentences, `indices` [pairs] into both sides, shuffled, and its batches as places in `indices`."""

    source: FlatSentences
    target: FlatSentences
    indices: NDArray[numpy.integer]
    batches: list[NDArray[numpy.int64]]
    padding: Padding


@dataclass(frozen=True, kw_only=True)
class Share:
    """One process's part of a group of batches that make an update together.

    batches: its own, perhaps none. seeds: a number for each of them that its noise, such as dropout, is to be drawn
    from; it depends on (seed, epoch, place in the epoch) alone, however batches are shared out. group: number of
    batches of all processes; target_tokens, source_tokens: their real tokens, EOS included.
    """

    batches: list[Batch]
    seeds: list[int]
    group: int
    target_tokens: int
    source_tokens: int


@dataclass(frozen=True)
class _Planned:
    """A batch that nobody has made yet: its place in the epoch, and that of its pairs in a window."""

    number: int
    window: _Window
    indices: NDArray[numpy.integer]

    @property
    def target_tokens(self) -> int:
        return int(self.window.target.lengths(self.indices).sum()) + len(self.indices)

    @property
    def source_tokens(self) -> int:
        return int(self.window.source.lengths(self.indices).sum()) + len(self.indices)


@final
class TrainingLoader:
    """Batches of a corpus, epoch after epoch; what an epoch gives depends on (seed, epoch) and the arguments alone.

    Pairs are shuffled, and in windows of `shuffle_window` pairs sorted by length, cut into batches of at most
    `batch_tokens` places on the longer side, and the batches shuffled. Batches are made in a background thread.
    """

    def __init__(
        self,
        corpus: EncodedCorpus,
        *,
        batch_tokens: int,
        seed: int,
        shuffle_window: int = 1_000_000,
        multiple_of: int = 1,
        length_multiple: int = 1,
        sampling: SubwordSampling | None = None,
        pin_memory: bool = False,
    ) -> None:
        """Put a loader together.

        Sizes of batches are rounded down to `multiple_of`; lengths count as rounded up to `length_multiple`, so that
        there is room for that padding and batches have few sizes. `sampling` needs a corpus that was encoded with
        `keep_text`; ValueError without it.
        """
        if sampling is not None and (corpus.source_text is None or corpus.target_text is None):
            raise ValueError("subword sampling needs a corpus encoded with keep_text=True")
        self._corpus = corpus
        self._batch_tokens = batch_tokens
        self._seed = seed
        self._windows = windows(len(corpus), size=shuffle_window)
        self._multiple_of = multiple_of
        self._length_multiple = length_multiple
        self._sampling = sampling
        self._pin_memory = pin_memory
        self._planned_padding: list[Padding] = []
        self._estimate: int | None = None

    @property
    def batch_tokens(self) -> int:
        """Places of a batch on the longer side, at most."""
        return self._batch_tokens

    def resized(self, batch_tokens: int) -> TrainingLoader:
        """The same loader with batches of at most `batch_tokens` places."""
        other = copy.copy(self)
        other._batch_tokens = batch_tokens
        other._planned_padding, other._estimate = [], None
        return other

    @property
    def longest(self) -> tuple[int, int]:
        """Lengths of the longest source and of the longest target that can be in a batch, EOS included."""
        sides = (self._corpus.source, self._corpus.target)
        source, target = (int(side.lengths().max()) + 1 for side in sides)
        limit = self._corpus.pair_filter.max_pieces
        if self._sampling is not None and limit is not None:  # What is sampled is mostly longer, up to the limit.
            source, target = max(source, limit + 1), max(target, limit + 1)
        return source, target

    @property
    def places(self) -> int:
        """Pieces of an epoch on the side of each pair that has more, EOS included: what fills batches, less padding."""
        return int((numpy.maximum(self._corpus.source.lengths(), self._corpus.target.lengths()) + 1).sum())

    @property
    def special(self) -> SpecialIds:
        """The ids around the sentences of its batches."""
        return self._corpus.special

    @property
    def padding(self) -> Padding:
        """Padding of all batches that were planned in the last epoch asked for, so far, skipped ones included."""
        return sum(self._planned_padding, Padding())

    def epoch(self, epoch: int, *, start_batch: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from number `start_batch` on: exactly those that follow when it begins at 0."""
        planned_padding: list[Padding] = []
        self._planned_padding = planned_padding
        return prefetch(
            lambda: (self._made(batch) for batch in self._batches(epoch, start_batch, planned_padding)),
            depth=_BATCHES_AHEAD,
        )

    def shares(
        self, epoch: int, *, start_batch: int = 0, group: int, rank: int = 0, processes: int = 1
    ) -> Iterator[Share]:
        """The batches of :meth:`epoch` in groups of `group`, the last perhaps smaller; of each one process's share.

        Process `rank` of `processes` has every `processes`-th batch of a group, and makes no other.
        """
        planned_padding: list[Padding] = []
        self._planned_padding = planned_padding

        def share_out() -> Iterator[Share]:
            batches = self._batches(epoch, start_batch, planned_padding)
            while planned := list(islice(batches, group)):
                own = planned[rank::processes]
                yield Share(
                    batches=[self._made(batch) for batch in own],
                    seeds=[self._noise_seed(epoch, batch.number) for batch in own],
                    group=len(planned),
                    target_tokens=sum(batch.target_tokens for batch in planned),
                    source_tokens=sum(batch.source_tokens for batch in planned),
                )

        return prefetch(share_out, depth=max(1, _BATCHES_AHEAD * processes // group))

    @property
    def estimated_batches(self) -> int:
        """Number of batches of an epoch: exact when one window holds the corpus and nothing is sampled.

        Otherwise it is estimated from a part of the first epoch, good to a percent or two. It is found once, and is the
        same in every process.
        """
        if self._estimate is None:
            order = epoch_order(len(self._corpus), seed=self._seed, epoch=0)[self._windows[0]]
            if self._sampling is not None:
                order = order[:_ESTIMATED_FROM]
            planned = len(self._plan(order, epoch=0, window=0).batches)
            self._estimate = max(1, round(planned * len(self._corpus) / len(order)))
        return self._estimate

    def _noise_seed(self, epoch: int, number: int) -> int:
        return int(generator_of(self._seed, epoch, number, _NOISE_STREAM).integers(2**63))

    def _made(self, planned: _Planned) -> Batch:
        window = planned.window
        batch = _gather(window.source, window.target, planned.indices, special=self._corpus.special)
        return batch.pin_memory() if self._pin_memory else batch

    def _batches(self, epoch: int, start_batch: int, planned_padding: list[Padding]) -> Iterator[_Planned]:
        skip, numbers = start_batch, count(start_batch)
        # Segmenting a window takes a while: with sampling, the next is made while this one is used.
        planned = self._planned(epoch) if self._sampling is None else prefetch(lambda: self._planned(epoch), depth=1)
        for window in planned:
            planned_padding.append(window.padding)
            for places in window.batches[skip:]:
                yield _Planned(next(numbers), window, window.indices[places])
            skip = max(0, skip - len(window.batches))

    def _planned(self, epoch: int) -> Iterator[_Window]:
        order = epoch_order(len(self._corpus), seed=self._seed, epoch=epoch)
        for number, part in enumerate(self._windows):
            yield self._plan(order[part], epoch=epoch, window=number)

    def _plan(self, order: NDArray[numpy.integer], *, epoch: int, window: int) -> _Window:
        """Sample, if sampling is on, and cut the pairs named by `order` [pairs] into batches in random order."""
        source, target, indices = self._corpus.source, self._corpus.target, order
        if self._sampling is not None:
            source, target = self._sampled(order, epoch=epoch, window=window)
            indices = numpy.arange(len(order))
        batches, padding = plan_batches(
            source.lengths(indices) + 1,
            target.lengths(indices) + 1,
            batch_tokens=self._batch_tokens,
            multiple_of=self._multiple_of,
            length_multiple=self._length_multiple,
        )
        shuffled = generator_of(self._seed, epoch, window, _SHUFFLE_STREAM).permutation(len(batches))
        return _Window(source, target, indices, [batches[number] for number in shuffled], padding)

    def _sampled(
        self, indices: NDArray[numpy.integer], *, epoch: int, window: int
    ) -> tuple[FlatSentences, FlatSentences]:
        """Both sides of the pairs that `indices` name, in that order, segmented anew where sampling asks for it."""
        corpus, sampling = self._corpus, self._sampling
        assert sampling is not None
        sides: list[FlatSentences] = []
        for best, text, tokenizer, stream in (
            (corpus.source, corpus.source_text, sampling.source_tokenizer, _SOURCE_STREAM),
            (corpus.target, corpus.target_text, sampling.target_tokenizer, _TARGET_STREAM),
        ):
            if tokenizer is None:
                values, lengths = best.take(indices)
                sides.append(FlatSentences(values, offsets_of(lengths)))
            else:
                assert text is not None
                sides.append(
                    sampled(
                        indices,
                        best=best,
                        text=text,
                        tokenizer=tokenizer,
                        sampling=sampling,
                        max_pieces=corpus.pair_filter.max_pieces,
                        generator=generator_of(self._seed, epoch, window, stream),
                    )
                )
        return sides[0], sides[1]


@final
class ValidationLoader:
    """The batches of a validation corpus, always the same, sorted by length, shortest first."""

    def __init__(self, corpus: EncodedCorpus, *, batch_tokens: int) -> None:
        """`batch_tokens`: places of a batch on the longer side, at most, unless a single pair has more."""
        self._corpus = corpus
        self._batches, self.padding = plan_batches(
            corpus.source.lengths() + 1, corpus.target.lengths() + 1, batch_tokens=batch_tokens
        )

    def resized(self, batch_tokens: int) -> ValidationLoader:
        """The same corpus in batches of at most `batch_tokens` places."""
        return ValidationLoader(self._corpus, batch_tokens=batch_tokens)

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[tuple[NDArray[numpy.int64], Batch]]:
        """Indices [batch] into the corpus, and the batch of these pairs. Every pair comes once."""
        for indices in self._batches:
            yield indices, _gather(self._corpus.source, self._corpus.target, indices, special=self._corpus.special)


def _gather(
    source: FlatSentences, target: FlatSentences, indices: NDArray[numpy.integer], *, special: SpecialIds
) -> Batch:
    return batch_of_flat(*source.take(indices), *target.take(indices), special=special)
