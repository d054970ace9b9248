"""What is trained on: the corpus of a recipe, or ids drawn by a distribution of lengths."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy
import torch
from numpy.typing import NDArray

from seq2seq.build import build_tokenizers
from seq2seq.data.batch import SpecialIds
from seq2seq.data.encoded import EncodedCorpus
from seq2seq.data.filtering import FilterReport, PairFilter
from seq2seq.data.flat import FlatSentences, offsets_of
from seq2seq.data.loader import TrainingLoader
from seq2seq.errors import UsageError
from seq2seq.recipe import Recipe
from seq2seq.training.corpora import prepare_corpora, provisional_batch

#: So many that sentences of a batch are about as alike as those of a large corpus.
SYNTHETIC_PAIRS = 100_000
#: Batches of so many sentences, or a multiple, as in training.
_BATCH_MULTIPLE = 8
_SPECIAL = SpecialIds(source_eos_id=2, source_pad_id=3, bos_id=1, eos_id=2, pad_id=3)
_FIRST_ORDINARY_ID = 4


@dataclass(frozen=True)
class Material:
    """Batches, epoch after epoch, and the numbers of pieces that their ids are of."""

    loader: TrainingLoader
    vocabularies: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """Pieces of a sentence without EOS: lognormal on both sides, with these means.

    `spread` is the standard deviation of either side divided by its mean. The ratio of the two lengths of a pair is
    lognormal too; its logarithm has the standard deviation `disagreement`.
    """

    source_mean: float
    target_mean: float
    spread: float
    disagreement: float

    def draw(self, pairs: int, generator: numpy.random.Generator) -> tuple[NDArray[numpy.int64], NDArray[numpy.int64]]:
        """Lengths of both sides, [pairs] each, at least 1."""
        variance = math.log1p(self.spread**2)
        # Half of the disagreement falls on each side, what is left of the variance on both together.
        apart = min(self.disagreement**2 / 2, variance)
        common = generator.normal(-variance / 2, math.sqrt(variance - apart), pairs)
        source, target = (
            mean * numpy.exp(common + generator.normal(0.0, math.sqrt(apart), pairs))
            for mean in (self.source_mean, self.target_mean)
        )
        return _at_least_one(source), _at_least_one(target)


def _at_least_one(lengths: NDArray[numpy.float64]) -> NDArray[numpy.int64]:
    return numpy.maximum(1, numpy.rint(lengths)).astype(numpy.int64)


#: multi30k: as the training text of recipes/benchmark-small.yaml is. wmt: English-German in 32,000 pieces, by the mean
#: length that recipes/gnmt-v2.yaml names; its spread is an assumption.
DISTRIBUTIONS = {
    "multi30k": Lengths(source_mean=14.4, target_mean=16.6, spread=0.34, disagreement=0.18),
    "wmt": Lengths(source_mean=27.0, target_mean=27.0, spread=0.6, disagreement=0.25),
}


def parse_lengths(text: str) -> Lengths:
    """The distribution that `--synthetic` names, or describes as MEAN:DEVIATION."""
    if text in DISTRIBUTIONS:
        return DISTRIBUTIONS[text]
    match = re.fullmatch(r"(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)", text)
    if match is None or float(match[1]) < 1.0:
        raise UsageError(
            f"--synthetic {text}: give {', '.join(DISTRIBUTIONS)}, or MEAN:DEVIATION of the pieces of a sentence, "
            "such as 27:16"
        )
    mean, deviation = float(match[1]), float(match[2])
    return Lengths(source_mean=mean, target_mean=mean, spread=deviation / mean, disagreement=0.2)


def real_material(recipe: Recipe, device: torch.device, say: Callable[[str], None]) -> Material:
    """The training corpus of `recipe`."""
    source, target = build_tokenizers(recipe)
    corpora = prepare_corpora(
        recipe,
        source_tokenizer=source,
        target_tokenizer=target,
        batch_multiple=_BATCH_MULTIPLE,
        pin_memory=device.type == "cuda",
        say=say,
    )
    return Material(corpora.loader, (source.vocabulary_size, target.vocabulary_size))


def synthetic_material(recipe: Recipe, device: torch.device, lengths: Lengths) -> Material:
    """Pairs of ids that mean nothing, batched as the recipe says; frequent ones are as frequent as Zipf has it."""
    section = recipe.tokenizer
    vocabularies = section.vocabulary_size, section.target_vocabulary_size or section.vocabulary_size
    corpus = synthetic_corpus(
        lengths,
        pairs=SYNTHETIC_PAIRS,
        vocabularies=vocabularies,
        limits=PairFilter(max_pieces=recipe.corpus.max_pieces, max_length_ratio=recipe.corpus.max_length_ratio),
        seed=recipe.run.seed,
    )
    loader = TrainingLoader(
        corpus,
        batch_tokens=provisional_batch(recipe.training),
        seed=recipe.run.seed,
        shuffle_window=recipe.training.shuffle_window,
        multiple_of=_BATCH_MULTIPLE,
        pin_memory=device.type == "cuda",
    )
    return Material(loader, vocabularies)


def synthetic_corpus(
    lengths: Lengths, *, pairs: int, vocabularies: tuple[int, int], limits: PairFilter, seed: int
) -> EncodedCorpus:
    """At most `pairs` pairs: those beyond the `limits` are left out, as they are of real text."""
    generator = numpy.random.default_rng(seed)
    source, target = lengths.draw(pairs, generator)
    reasons = limits.reasons(source, target)
    kept = ~numpy.logical_or.reduce(list(reasons.values()))
    report = FilterReport(read=pairs, **{reason: int(affected.sum()) for reason, affected in reasons.items()})
    if report.kept == 0:
        raise UsageError(f"no synthetic pair can be used: {report.describe()}; see corpus.max_pieces")
    sides = [
        FlatSentences(_ids(int(side.sum()), vocabulary, generator), offsets_of(side))
        for side, vocabulary in zip((source[kept], target[kept]), vocabularies, strict=True)
    ]
    return EncodedCorpus(
        source=sides[0],
        target=sides[1],
        ordinals=numpy.flatnonzero(kept).astype(numpy.int64),
        source_text=None,
        target_text=None,
        report=report,
        pair_filter=limits,
        special=_SPECIAL,
        key="synthetic",
    )


def _ids(count: int, vocabulary: int, generator: numpy.random.Generator) -> NDArray[numpy.integer]:
    """Ids of ordinary pieces: the logarithm of the rank is uniform, so that rank r has a share of about 1/r."""
    ranks = numpy.exp(generator.random(count) * math.log(vocabulary - _FIRST_ORDINARY_ID + 1)) - 1
    ids: NDArray[numpy.integer] = (ranks.astype(numpy.int32) + _FIRST_ORDINARY_ID).clip(max=vocabulary - 1)
    return ids
