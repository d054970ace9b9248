"""Batches: rectangular tensors of padded ids. This file alone puts BOS, EOS and padding around a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

#: The ids of many sentences one after the other.
Tokens = NDArray[numpy.integer]
#: Number of ids of every sentence.
Lengths = NDArray[numpy.int64]


@dataclass(frozen=True, kw_only=True)
class SpecialIds:
    """The ids that are put around sentences; source and target may have different tokenizers."""

    source_eos_id: int
    source_pad_id: int
    bos_id: int
    eos_id: int
    pad_id: int


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Pairs of sentences for training or scoring; every tensor is an int64 LongTensor.

    source [batch, src_len]: every sentence ends with EOS, then padding. target_in [batch, tgt_len]: BOS first.
    target_out [batch, tgt_len]: EOS last; both then padding. Lengths [batch] count EOS (source, target_out) or BOS
    (target_in). The numbers of real tokens are kept as Python integers, so that reading them never waits for a device.
    """

    source: Tensor
    source_lengths: Tensor
    target_in: Tensor
    target_out: Tensor
    target_lengths: Tensor
    source_tokens: int
    target_tokens: int

    @property
    def size(self) -> int:
        """Number of pairs."""
        return self.source.shape[0]

    @property
    def source_mask(self) -> Tensor:
        """Bool [batch, src_len], True at real tokens, EOS included."""
        return _mask(self.source_lengths, self.source.shape[1])

    @property
    def target_mask(self) -> Tensor:
        """Bool [batch, tgt_len], True at real tokens: BOS in target_in, EOS in target_out included."""
        return _mask(self.target_lengths, self.target_out.shape[1])

    @property
    def cells(self) -> int:
        """Places of both sides, padding included."""
        return self.source.numel() + self.target_out.numel()

    @property
    def padding(self) -> int:
        """Places of both sides that hold padding."""
        return self.cells - self.source_tokens - self.target_tokens

    def halves(self) -> tuple[Batch, Batch]:
        """The first and the second half of the pairs, each as wide as its own longest; for batches in main memory.

        ValueError for a single pair.
        """
        if self.size < 2:
            raise ValueError("a single pair has no halves")
        middle = self.size // 2
        return self._part(slice(0, middle)), self._part(slice(middle, None))

    def _part(self, rows: slice) -> Batch:
        source_lengths, target_lengths = self.source_lengths[rows], self.target_lengths[rows]
        source_width, target_width = int(source_lengths.max()), int(target_lengths.max())
        return Batch(
            source=self.source[rows, :source_width].contiguous(),
            source_lengths=source_lengths,
            target_in=self.target_in[rows, :target_width].contiguous(),
            target_out=self.target_out[rows, :target_width].contiguous(),
            target_lengths=target_lengths,
            source_tokens=int(source_lengths.sum()),
            target_tokens=int(target_lengths.sum()),
        )

    def to(self, device: torch.device | str) -> Batch:
        """The batch on another device; from pinned memory the copy runs beside the computation."""
        return Batch(
            source=self.source.to(device, non_blocking=True),
            source_lengths=self.source_lengths.to(device, non_blocking=True),
            target_in=self.target_in.to(device, non_blocking=True),
            target_out=self.target_out.to(device, non_blocking=True),
            target_lengths=self.target_lengths.to(device, non_blocking=True),
            source_tokens=self.source_tokens,
            target_tokens=self.target_tokens,
        )

    def twice(self) -> Batch:
        """The batch below itself; pair i is also pair size + i."""
        return Batch(
            source=self.source.repeat(2, 1),
            source_lengths=self.source_lengths.repeat(2),
            target_in=self.target_in.repeat(2, 1),
            target_out=self.target_out.repeat(2, 1),
            target_lengths=self.target_lengths.repeat(2),
            source_tokens=2 * self.source_tokens,
            target_tokens=2 * self.target_tokens,
        )

    def pin_memory(self) -> Batch:
        """The batch in page-locked memory, from which a GPU copies without waiting."""
        return Batch(
            source=self.source.pin_memory(),
            source_lengths=self.source_lengths.pin_memory(),
            target_in=self.target_in.pin_memory(),
            target_out=self.target_out.pin_memory(),
            target_lengths=self.target_lengths.pin_memory(),
            source_tokens=self.source_tokens,
            target_tokens=self.target_tokens,
        )


def make_batch(
    sources: Sequence[Sequence[int]],
    targets: Sequence[Sequence[int]],
    *,
    source_eos_id: int,
    source_pad_id: int,
    bos_id: int,
    eos_id: int,
    pad_id: int,
) -> Batch:
    """Make a batch of pairs of ids without BOS and EOS. Raises ValueError without pairs and for unequal numbers."""
    if len(sources) != len(targets):
        raise ValueError(
            f"a batch needs as many targets as sources, not {len(sources)} sources and {len(targets)} targets"
        )
    source_tokens, source_lengths = _flat(sources)
    target_tokens, target_lengths = _flat(targets)
    return batch_of_flat(
        source_tokens,
        source_lengths,
        target_tokens,
        target_lengths,
        special=SpecialIds(
            source_eos_id=source_eos_id, source_pad_id=source_pad_id, bos_id=bos_id, eos_id=eos_id, pad_id=pad_id
        ),
    )


def make_source(sources: Sequence[Sequence[int]], *, eos_id: int, pad_id: int) -> tuple[Tensor, Tensor]:
    """Source side alone, for translation: [batch, src_len] with EOS and padding, and lengths [batch] that count EOS."""
    tokens, lengths = _flat(sources)
    return torch.from_numpy(_ended(tokens, lengths, eos_id=eos_id, pad_id=pad_id)), torch.from_numpy(lengths + 1)


def batch_of_flat(
    source_tokens: Tokens,
    source_lengths: Lengths,
    target_tokens: Tokens,
    target_lengths: Lengths,
    *,
    special: SpecialIds,
) -> Batch:
    """Make a batch of sentences that lie end to end, `lengths` [batch] apart, with no loop over sentences or tokens."""
    source = _ended(source_tokens, source_lengths, eos_id=special.source_eos_id, pad_id=special.source_pad_id)
    target_out = _ended(target_tokens, target_lengths, eos_id=special.eos_id, pad_id=special.pad_id)
    target_in = numpy.full_like(target_out, special.pad_id)
    target_in[:, 0] = special.bos_id
    places = _places(target_lengths, target_out.shape[1] - 1)
    target_in[:, 1:][places] = target_tokens
    pairs = len(source_lengths)
    return Batch(
        source=torch.from_numpy(source),
        source_lengths=torch.from_numpy(source_lengths + 1),
        target_in=torch.from_numpy(target_in),
        target_out=torch.from_numpy(target_out),
        target_lengths=torch.from_numpy(target_lengths + 1),
        source_tokens=len(source_tokens) + pairs,
        target_tokens=len(target_tokens) + pairs,
    )


def _flat(rows: Sequence[Sequence[int]]) -> tuple[Tokens, Lengths]:
    if len(rows) == 0:
        raise ValueError("a batch needs at least one sentence")
    lengths = numpy.fromiter(map(len, rows), dtype=numpy.int64, count=len(rows))
    return numpy.fromiter(chain.from_iterable(rows), dtype=numpy.int64, count=int(lengths.sum())), lengths


def _ended(tokens: Tokens, lengths: Lengths, *, eos_id: int, pad_id: int) -> NDArray[numpy.int64]:
    """[batch, longest + 1]: every sentence, EOS, then padding."""
    longest = int(lengths.max())
    table = numpy.full((len(lengths), longest + 1), pad_id, dtype=numpy.int64)
    table[:, :longest][_places(lengths, longest)] = tokens
    table[numpy.arange(len(lengths)), lengths] = eos_id
    return table


def _places(lengths: Lengths, width: int) -> NDArray[numpy.bool_]:
    """Bool [batch, width]: where tokens go. Filling it in row order is filling it in the order of the flat tokens."""
    places: NDArray[numpy.bool_] = numpy.arange(width) < lengths[:, None]
    return places


def _mask(lengths: Tensor, width: int) -> Tensor:
    return torch.arange(width, device=lengths.device) < lengths[:, None]
