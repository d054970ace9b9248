"""The `tokenizer` section: how text becomes pieces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from seq2seq.recipe.section import Contradiction, Positive, Rule, Section, Text, only_without

AlgorithmName = Literal["unigram", "bpe", "char", "word"]
NormalizationName = Literal["nmt_nfkc", "nfkc", "nmt_nfkc_cf", "nfkc_cf", "identity"]
SideName = Literal["source", "target", "both"]

#: Pieces that every tokenizer with byte fallback has beside those of its text: 256 bytes, pad, unknown, BOS and EOS.
BYTE_PIECES = 260

_TRAINED = only_without("source_model")


def _nbest_draws(sampling: Sampling) -> Iterator[Contradiction]:
    if sampling.nbest_size in (0, 1):
        yield Contradiction(
            ("nbest_size",), f"{sampling.nbest_size} leaves nothing to draw from; use -1, or 2 or more, or no sampling"
        )


class Sampling(Section):
    """Subword sampling in training: a different segmentation every epoch (Kudo 2018; BPE-dropout, Provilkov 2020)."""

    rules: ClassVar[tuple[Rule, ...]] = (_nbest_draws,)

    alpha: float = Field(
        default=0.2,
        gt=0.0,
        le=1.0,
        description="unigram: smoothing of the segmentation's distribution; bpe: probability of dropping a merge.",
    )
    nbest_size: int = Field(
        default=-1,
        ge=-1,
        description="unigram: sample from this many best segmentations; -1 samples from all of them. Not with bpe.",
    )
    sides: SideName = Field(default="both", description="Which side is sampled.")


def _one_model_serves_both(tokenizer: TokenizerSection) -> Iterator[Contradiction]:
    if tokenizer.joint and tokenizer.target_model is not None:
        advice = "remove it" if tokenizer.source_model else "call it source_model"
        yield Contradiction(
            ("target_model", "joint"),
            f"with joint: true one tokenizer, source_model, serves both languages; {advice}, or set joint: false",
        )


def _a_model_each(tokenizer: TokenizerSection) -> Iterator[Contradiction]:
    if not tokenizer.joint and (tokenizer.source_model is None) != (tokenizer.target_model is None):
        yield Contradiction(
            ("source_model", "target_model"), "with joint: false give both source_model and target_model, or neither"
        )


def _one_segmentation_only(tokenizer: TokenizerSection) -> Iterator[Contradiction]:
    whole = tokenizer.algorithm in ("char", "word")
    if whole and tokenizer.source_model is None and tokenizer.sampling is not None:
        yield Contradiction(
            ("sampling", "algorithm"),
            f"algorithm {tokenizer.algorithm} has one segmentation only; remove sampling, or use unigram or bpe",
        )


def _words_are_not_spelled(tokenizer: TokenizerSection) -> Iterator[Contradiction]:
    if tokenizer.algorithm == "word" and tokenizer.source_model is None and tokenizer.byte_fallback:
        yield Contradiction(
            ("byte_fallback", "algorithm"),
            "algorithm word has whole words only, and one unknown piece; set byte_fallback: false",
        )


def _two_vocabularies(tokenizer: TokenizerSection) -> Iterator[Contradiction]:
    if tokenizer.joint and tokenizer.target_vocabulary_size is not None:
        yield Contradiction(
            ("target_vocabulary_size", "joint"),
            "with joint: true one vocabulary of vocabulary_size serves both languages; remove it, or set joint: false",
        )


def _bpe_has_no_nbest(tokenizer: TokenizerSection) -> Iterator[Contradiction]:
    trained_bpe = tokenizer.algorithm == "bpe" and tokenizer.source_model is None
    if trained_bpe and tokenizer.sampling is not None and tokenizer.sampling.nbest_size != -1:
        yield Contradiction(("sampling.nbest_size",), "has no effect with algorithm bpe, only with unigram; remove it")


def _bpe_keeps_merges(tokenizer: TokenizerSection) -> Iterator[Contradiction]:
    trained_bpe = tokenizer.algorithm == "bpe" and tokenizer.source_model is None
    if trained_bpe and tokenizer.sampling is not None and tokenizer.sampling.alpha == 1.0:
        yield Contradiction(
            ("sampling.alpha",), "1.0 drops every merge with algorithm bpe, leaving characters; 0.1 is usual"
        )


def _room_for_bytes(tokenizer: TokenizerSection) -> Iterator[Contradiction]:
    if not tokenizer.byte_fallback or tokenizer.source_model is not None:
        return
    for key in ("vocabulary_size", "target_vocabulary_size"):
        size = getattr(tokenizer, key)
        if size is not None and size <= BYTE_PIECES:
            yield Contradiction(
                (key, "byte_fallback"),
                f"{size} leaves no room for text, since byte_fallback takes {BYTE_PIECES} pieces; make it larger, or "
                "set byte_fallback: false",
            )


class TokenizerSection(Section):
    """The SentencePiece tokenizer: trained from the training text, or given."""

    rules: ClassVar[tuple[Rule, ...]] = (
        _one_model_serves_both,
        _a_model_each,
        _one_segmentation_only,
        _words_are_not_spelled,
        _two_vocabularies,
        _bpe_has_no_nbest,
        _bpe_keeps_merges,
        _room_for_bytes,
    )

    algorithm: AlgorithmName = Field(
        default="unigram",
        description="How pieces are found: unigram (Kudo 2018); bpe (Sennrich 2016); char; word (between spaces, the "
        "most frequent; neighbouring other words are one unknown piece).",
        json_schema_extra=_TRAINED,
    )
    vocabulary_size: Annotated[int, Field(ge=16)] = Field(
        default=8000,
        description="Pieces, special ones included, of each tokenizer; char and word may have fewer.",
        json_schema_extra=_TRAINED,
    )
    target_vocabulary_size: Annotated[int, Field(ge=16)] | None = Field(
        default=None,
        description="The same of the target's tokenizer; by default `vocabulary_size`. Not with `joint`.",
        json_schema_extra=_TRAINED,
    )
    joint: bool = Field(default=True, description="One tokenizer for both languages, or one per language.")
    byte_fallback: bool = Field(
        default=False,
        description="Spell unknown characters as UTF-8 bytes instead of one unknown piece.",
        json_schema_extra=_TRAINED,
    )
    character_coverage: float = Field(
        default=1.0,
        ge=0.98,
        le=1.0,
        description="Share of the text's characters that get a piece.",
        json_schema_extra=_TRAINED,
    )
    normalization: NormalizationName = Field(
        default="nmt_nfkc", description="SentencePiece's normalization rule.", json_schema_extra=_TRAINED
    )
    training_sentences: Positive = Field(
        default=2_000_000,
        description="At most this many sentences are drawn to train the tokenizer.",
        json_schema_extra=_TRAINED,
    )
    sampling: Sampling | None = Field(default=None, description="Subword sampling in training; none without it.")
    source_model: Text | None = Field(
        default=None, description="Path of a SentencePiece model to use instead of training one."
    )
    target_model: Text | None = Field(
        default=None, description="The same for the target language; with `joint` only `source_model`."
    )
