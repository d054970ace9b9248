"""The whole recipe: its sections, the small ones among them, and what must agree between sections.

The sections hold every key, its type, its default and one sentence about it, and are the only home of defaults.
``recipes/REFERENCE.md`` and ``recipes/recipe.schema.json`` are generated from them. Nothing here imports torch, so that
``--help`` and validation answer at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from seq2seq.recipe.corpus import Corpus
from seq2seq.recipe.model import Model
from seq2seq.recipe.section import CHANGEABLE, Contradiction, Positive, Rule, Section, Text, Whole, in_words
from seq2seq.recipe.tokenizer import TokenizerSection
from seq2seq.recipe.training import Training

NormalizationName = Literal["power", "gnmt"]
StoppingName = Literal["exact", "heuristic"]
LongInputName = Literal["split", "truncate", "error"]
EvaluationMetricName = Literal["bleu", "chrf", "ter"]
LowercaseChoice = bool | Literal["both"]
BleuTokenizeName = Literal["13a", "intl", "char", "zh", "none"]


class Search(Section):
    """Defaults of translation, each of which the commands can override."""

    beam: Positive = Field(
        default=5, description="Hypotheses kept per sentence; 1 is greedy search.", json_schema_extra=CHANGEABLE
    )
    length_penalty: float = Field(
        default=1.0,
        ge=0.0,
        description="A hypothesis of n pieces, end included, scores log p / n^length_penalty; 0 is log p.",
        json_schema_extra=CHANGEABLE,
    )
    normalization: NormalizationName = Field(
        default="power",
        description="What the length penalty alpha divides by: power, n^alpha; gnmt, ((5 + n) / 6)^alpha.",
        json_schema_extra=CHANGEABLE,
    )
    word_penalty: float = Field(
        default=0.0,
        description="Taken off the score for every piece; a negative one makes translations longer.",
        json_schema_extra=CHANGEABLE,
    )
    coverage_penalty: float = Field(
        default=0.0,
        ge=0.0,
        description="Weight of GNMT's coverage: source pieces that get little attention cost something (Wu 2016).",
        json_schema_extra=CHANGEABLE,
    )
    stopping: StoppingName = Field(
        default="exact",
        description="When a beam search of a sentence ends: exact, when nothing better can be found; heuristic, when"
        " nothing better is one piece away, which is sooner.",
        json_schema_extra=CHANGEABLE,
    )
    max_length_ratio: float = Field(
        default=2.0,
        gt=0.0,
        description="A translation, its end counted, has at most this many pieces per source piece, and"
        " `max_length_offset` more.",
        json_schema_extra=CHANGEABLE,
    )
    max_length_offset: Positive = Field(
        default=20,
        description="Pieces that a translation may have on top of `max_length_ratio`.",
        json_schema_extra=CHANGEABLE,
    )
    max_length: Positive | None = Field(
        default=None, description="Pieces of a translation at most, whatever its source.", json_schema_extra=CHANGEABLE
    )
    min_length_ratio: float = Field(
        default=0.0,
        ge=0.0,
        description="A translation has at least this many pieces per source piece.",
        json_schema_extra=CHANGEABLE,
    )
    min_length: Whole = Field(default=0, description="Pieces of a translation at least.", json_schema_extra=CHANGEABLE)
    no_repeat_ngram: Whole = Field(
        default=0,
        description="No sequence of so many pieces occurs twice in a translation; 0 allows all.",
        json_schema_extra=CHANGEABLE,
    )
    batch_size: Positive = Field(default=64, description="Sentences translated together.", json_schema_extra=CHANGEABLE)
    long_input: LongInputName = Field(
        default="split",
        description="A line of more than `max_input_pieces`: split at sentence or clause ends, truncate, or refuse.",
        json_schema_extra=CHANGEABLE,
    )
    max_input_pieces: Positive = Field(
        default=200, description="Longest source read at once.", json_schema_extra=CHANGEABLE
    )
    split_sentences: bool = Field(
        default=False,
        description="Translate each sentence of a line by itself, and join the translations as the sentences were.",
        json_schema_extra=CHANGEABLE,
    )


def _metrics_differ(evaluation: Evaluation) -> Iterator[Contradiction]:
    twice = sorted({metric for metric in evaluation.metrics if evaluation.metrics.count(metric) > 1})
    if twice:
        yield Contradiction(("metrics",), f"{', '.join(twice)} is there more than once; name each metric once")


class Evaluation(Section):
    """How translations are scored by SacreBLEU."""

    rules: ClassVar[tuple[Rule, ...]] = (_metrics_differ,)

    metrics: tuple[EvaluationMetricName, ...] = Field(
        default=("bleu", "chrf"),
        min_length=1,
        strict=False,
        description="Metrics, in the order of the report.",
        json_schema_extra=CHANGEABLE,
    )
    tokenize: BleuTokenizeName = Field(default="13a", description="BLEU's tokenization.", json_schema_extra=CHANGEABLE)
    lowercase: LowercaseChoice = Field(
        default=False,
        description="Ignore case; both: score with case and without, one after the other. Validation then keeps it.",
        json_schema_extra=CHANGEABLE,
    )
    after_training: bool = Field(
        default=True, description="Evaluate the best model on `corpus.test` at the end.", json_schema_extra=CHANGEABLE
    )


class Run(Section):
    """Where and on what a training runs."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="Name of the run, and of its folder.",
        json_schema_extra=in_words("a file name: a letter or digit, then letters, digits or . _ -"),
    )
    directory: Text = Field(default="runs", description="Folder of the runs.", json_schema_extra=CHANGEABLE)
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = Field(default=1, description="Seed of everything random.")
    device: str = Field(
        default="auto",
        pattern=r"^(auto|cpu|cuda(:[0-9]+)?)$",
        description="The device to compute on; auto: a GPU where there is one.",
        json_schema_extra=CHANGEABLE | in_words("auto, cpu, cuda or cuda:N"),
    )
    threads: Positive | None = Field(
        default=None, description="CPU threads; by default torch's.", json_schema_extra=CHANGEABLE
    )
    log_seconds: float = Field(
        default=10.0,
        gt=0.0,
        description="Seconds between progress lines and journal records.",
        json_schema_extra=CHANGEABLE,
    )
    tensorboard: bool = Field(
        default=True, description="Write TensorBoard events beside the journal.", json_schema_extra=CHANGEABLE
    )


def _tied_vocabularies(recipe: Recipe) -> Iterator[Contradiction]:
    tying = recipe.model.tying
    if tying in ("all", "embeddings") and not recipe.tokenizer.joint:
        yield Contradiction(
            ("model.tying",),
            f"{tying} needs one vocabulary for both languages, but tokenizer.joint is false; set it true, or use "
            + ("decoder" if tying == "all" else "none"),
        )


def _copied_vocabulary(recipe: Recipe) -> Iterator[Contradiction]:
    if recipe.model.generator == "copy" and not recipe.tokenizer.joint:
        yield Contradiction(
            ("model.generator",),
            "copy needs one vocabulary for both languages, but tokenizer.joint is false; set it true, or use softmax",
        )


class Recipe(Section):
    """Everything that makes a translation system, from text to score."""

    rules: ClassVar[tuple[Rule, ...]] = (_tied_vocabularies, _copied_vocabulary)

    corpus: Corpus = Field(description="The parallel text.")
    tokenizer: TokenizerSection = Field(default=TokenizerSection(), description="The tokenizer.")
    model: Model = Field(default=Model(), description="The network.")
    training: Training = Field(default=Training(), description="The training.")
    search: Search = Field(default=Search(), description="Translation.")
    evaluation: Evaluation = Field(default=Evaluation(), description="Scoring.")
    run: Run = Field(description="The run.")
