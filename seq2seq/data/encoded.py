"""The encoded corpus: all pairs as ids in memory-mapped arrays, made once and kept in a cache keyed by content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import compress, islice
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from seq2seq.data.batch import SpecialIds
from seq2seq.data.cache import EntryWriter, read_entry
from seq2seq.data.filtering import FilterReport, PairFilter
from seq2seq.data.flat import FlatSentences, offsets_of
from seq2seq.errors import CorpusError
from seq2seq.text.corpus import ParallelText, read_pairs, text_fingerprint
from seq2seq.text.tokenizer import Tokenizer

#: Changes whenever an entry written by older code must not be read by newer.
_FORMAT = 1
#: Pairs that are in memory as text at one time.
_CHUNK = 20_000


@dataclass(frozen=True, kw_only=True)
class EncodedCorpus:
    """Pairs that passed the filter, as ids without BOS and EOS.

    source, target: the ids. ordinals: int64 [pairs], which pair of all that were read, counted from 0. source_text,
    target_text: the sentences, where they were kept for subword sampling. key: name of the content, as the cache has
    it.
    """

    source: FlatSentences
    target: FlatSentences
    ordinals: NDArray[numpy.int64]
    source_text: FlatSentences | None
    target_text: FlatSentences | None
    report: FilterReport
    pair_filter: PairFilter
    special: SpecialIds
    key: str

    def __len__(self) -> int:
        return len(self.source)


def encode_corpus(
    texts: Sequence[ParallelText],
    *,
    source_tokenizer: Tokenizer,
    target_tokenizer: Tokenizer,
    pair_filter: PairFilter,
    cache: str | Path,
    keep_text: bool = False,
) -> EncodedCorpus:
    """Give the pairs of all texts, in their order, encoded; from the cache when the same content was encoded before.

    `keep_text` also keeps the sentences, which subword sampling needs. The cache folder may be used by several
    processes at once, and may be deleted. Raises CorpusError for text that cannot be read, when no pair passes the
    filter, and when the cache cannot be written.
    """
    key = _key(texts, (source_tokenizer, target_tokenizer), pair_filter, keep_text=keep_text)
    folder = Path(cache) / key
    entry = read_entry(folder)
    if entry is None:
        try:
            _write(folder, texts, (source_tokenizer, target_tokenizer), pair_filter, keep_text=keep_text)
        except OSError as error:
            raise CorpusError(
                f"cannot write the encoded corpus into {folder.parent}: {error.strerror or error}; "
                "free space there, or set corpus.cache to another folder"
            ) from error
        entry = read_entry(folder)
        if entry is None:
            raise CorpusError(f"the encoded corpus {folder} cannot be read back after writing; is the disk sound?")
    arrays, facts = entry
    return EncodedCorpus(
        source=_flat(arrays, "source"),
        target=_flat(arrays, "target"),
        ordinals=arrays["ordinals"],
        source_text=_flat(arrays, "source-text") if keep_text else None,
        target_text=_flat(arrays, "target-text") if keep_text else None,
        report=FilterReport(**facts["report"]),
        pair_filter=pair_filter,
        special=SpecialIds(
            source_eos_id=source_tokenizer.eos_id,
            source_pad_id=source_tokenizer.pad_id,
            bos_id=target_tokenizer.bos_id,
            eos_id=target_tokenizer.eos_id,
            pad_id=target_tokenizer.pad_id,
        ),
        key=key,
    )


def _key(
    texts: Sequence[ParallelText], tokenizers: tuple[Tokenizer, Tokenizer], pair_filter: PairFilter, *, keep_text: bool
) -> str:
    parts = (
        _FORMAT,
        *(text_fingerprint(text) for text in texts),
        *(tokenizer.fingerprint for tokenizer in tokenizers),
        sorted(asdict(pair_filter).items()),
        keep_text,
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def _write(
    folder: Path,
    texts: Sequence[ParallelText],
    tokenizers: tuple[Tokenizer, Tokenizer],
    pair_filter: PairFilter,
    *,
    keep_text: bool,
) -> None:
    counts = dict.fromkeys(asdict(FilterReport(read=0)), 0)
    ends = dict.fromkeys(("source", "target", "source-text", "target-text"), 0)
    with EntryWriter(folder) as writer:

        def append(name: str, flat: FlatSentences) -> None:
            writer.append(name, flat.values)
            # The first offset of a chunk is the last of the one before.
            writer.append(f"{name}-offsets", (flat.offsets if ends[name] == 0 else flat.offsets[1:]) + ends[name])
            ends[name] += len(flat.values)

        for chunk in _chunks(texts):
            sides = [list(side) for side in zip(*chunk, strict=True)]
            ids = [tokenizer.encode(side) for tokenizer, side in zip(tokenizers, sides, strict=True)]
            source_lengths, target_lengths = (numpy.fromiter(map(len, rows), dtype=numpy.int64) for rows in ids)
            reasons = pair_filter.reasons(source_lengths, target_lengths)
            for reason, affected in reasons.items():
                counts[reason] += int(affected.sum())
            kept = ~numpy.logical_or.reduce(list(reasons.values()))
            if kept.any():
                for name, tokenizer, rows, side in zip(("source", "target"), tokenizers, ids, sides, strict=True):
                    append(name, FlatSentences.of_rows(list(compress(rows, kept)), dtype=_dtype(tokenizer)))
                    if keep_text:
                        append(f"{name}-text", _flat_text(list(compress(side, kept))))
                writer.append("ordinals", counts["read"] + numpy.flatnonzero(kept).astype(numpy.int64))
            counts["read"] += len(chunk)
        report = FilterReport(**counts)
        if report.kept == 0:
            names = " and ".join(text.title for text in texts)
            raise CorpusError(f"no pair of {names} can be used: {report.describe()}; see corpus.max_pieces")
        writer.finish({"report": asdict(report)})


def _chunks(texts: Sequence[ParallelText]) -> Iterator[list[tuple[str, str]]]:
    """Source and target of many pairs at a time, over all texts."""
    pairs = ((pair.source, pair.target) for text in texts for pair in read_pairs(text))
    while chunk := list(islice(pairs, _CHUNK)):
        yield chunk


def _dtype(tokenizer: Tokenizer) -> numpy.dtype[numpy.integer]:
    """The smallest type that holds every id."""
    return numpy.dtype(numpy.uint16 if tokenizer.vocabulary_size <= 2**16 else numpy.int32)


def _flat_text(texts: list[str]) -> FlatSentences:
    encoded = [text.encode("utf-8") for text in texts]
    lengths = numpy.fromiter(map(len, encoded), dtype=numpy.int64, count=len(encoded))
    return FlatSentences(numpy.frombuffer(b"".join(encoded), dtype=numpy.uint8), offsets_of(lengths))


def _flat(arrays: dict[str, NDArray[Any]], name: str) -> FlatSentences:
    return FlatSentences(arrays[name], arrays[f"{name}-offsets"])
