"""The training and validation text of a recipe, encoded and checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from seq2seq.build import parallel_text
from seq2seq.data.encoded import EncodedCorpus, encode_corpus
from seq2seq.data.filtering import PairFilter
from seq2seq.data.loader import SubwordSampling, TrainingLoader, ValidationLoader
from seq2seq.recipe import Recipe, TextSource, Training
from seq2seq.text.corpus import read_pairs
from seq2seq.text.tokenizer import Tokenizer
from seq2seq.training.graphs import LENGTH_MULTIPLE

#: Places of a batch, on the longer side, until `training.batch: auto` has been decided.
_PROVISIONAL = 4096


@dataclass(frozen=True)
class Corpora:
    """What training reads: the training loader, the validation batches and the validation lines that are decoded."""

    loader: TrainingLoader
    validation: ValidationLoader
    validation_sources: list[str]
    validation_references: list[str]
    #: Name of the training corpus' content, as encoded.
    key: str
    #: Of the training and the validation corpus: pairs, pieces of either side, and pairs left out, for the report.
    sizes: dict[str, dict[str, int]]

    def resized(self, batch_tokens: int) -> Corpora:
        """The same with batches of at most `batch_tokens` places on the longer side."""
        return replace(self, loader=self.loader.resized(batch_tokens), validation=self.validation.resized(batch_tokens))


def provisional_batch(training: Training) -> int:
    """Places of a batch by the recipe, or of a usual one while `auto` is undecided."""
    return _PROVISIONAL if training.batch == "auto" else training.batch


def prepare_corpora(
    recipe: Recipe,
    *,
    source_tokenizer: Tokenizer,
    target_tokenizer: Tokenizer,
    batch_multiple: int,
    pin_memory: bool,
    say: Callable[[str], None],
) -> Corpora:
    """Encode the text of `recipe`, and tell `say` what was left out.

    With `training.batch: auto` the batches have a provisional size; :meth:`Corpora.resized` gives them the one found.
    """
    section, training, sampling = recipe.corpus, recipe.training, recipe.tokenizer.sampling
    batch = provisional_batch(training)

    def encode(
        name: str, entries: tuple[TextSource, ...], pair_filter: PairFilter, *, keep_text: bool
    ) -> EncodedCorpus:
        corpus = encode_corpus(
            [parallel_text(entry, section) for entry in entries],
            source_tokenizer=source_tokenizer,
            target_tokenizer=target_tokenizer,
            pair_filter=pair_filter,
            cache=section.cache,
            keep_text=keep_text,
        )
        say(f"{name} corpus: {corpus.report.describe()}")
        return corpus

    limits = PairFilter(max_pieces=section.max_pieces, max_length_ratio=section.max_length_ratio)
    train = encode("training", section.train, limits, keep_text=sampling is not None)
    validation = encode("validation", section.validation, PairFilter(), keep_text=False)
    subwords = None
    if sampling is not None:
        subwords = SubwordSampling(
            source_tokenizer=source_tokenizer if sampling.sides in ("source", "both") else None,
            target_tokenizer=target_tokenizer if sampling.sides in ("target", "both") else None,
            alpha=sampling.alpha,
            nbest_size=sampling.nbest_size,
        )
    loader = TrainingLoader(
        train,
        batch_tokens=batch,
        seed=recipe.run.seed,
        shuffle_window=training.shuffle_window,
        multiple_of=batch_multiple,
        length_multiple=1 if training.cuda_graphs == "never" else LENGTH_MULTIPLE,
        sampling=subwords,
        pin_memory=pin_memory,
    )
    pairs = [pair for entry in section.validation for pair in read_pairs(parallel_text(entry, section))]
    pairs = pairs[: training.validation.sentences]
    return Corpora(
        loader=loader,
        validation=ValidationLoader(validation, batch_tokens=batch),
        validation_sources=[pair.source for pair in pairs],
        validation_references=[pair.target for pair in pairs],
        key=train.key,
        sizes={name: _size(corpus) for name, corpus in (("training", train), ("validation", validation))},
    )


def _size(corpus: EncodedCorpus) -> dict[str, int]:
    return {
        "pairs": len(corpus),
        "source_pieces": int(corpus.source.lengths().sum()),
        "target_pieces": int(corpus.target.lengths().sum()),
        "left_out": corpus.report.left_out,
    }
