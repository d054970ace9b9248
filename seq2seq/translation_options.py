"""How translation can be asked for: the options of a translator's methods, checked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypedDict, get_args

from seq2seq.errors import UsageError
from seq2seq.recipe import Search

LongInput = Literal["split", "truncate", "error"]

#: What a length penalty divides by.
Normalization = Literal["power", "gnmt"]

#: When a beam search of a sentence ends.
Stopping = Literal["exact", "heuristic"]

#: How translations are found: by beam search, by sampling, or by minimum Bayes risk over samples.
Method = Literal["beam", "sampling", "mbr"]

#: What is carried over from a line into its translation as it is.
CarriedKind = Literal["urls", "numbers", "unknown", "tags"]

#: What the risk is measured with.
Utility = Literal["chrf", "bleu"]


class TranslationKeywords(TypedDict, total=False):
    """The keywords of a translator's methods: fields of :class:`TranslationOptions`, None for the model's own value."""

    beam: int | None
    length_penalty: float | None
    normalization: Normalization | None
    word_penalty: float | None
    coverage_penalty: float | None
    stopping: Stopping | None
    max_length_ratio: float | None
    max_length_offset: int | None
    max_length: int | None
    min_length_ratio: float | None
    min_length: int | None
    no_repeat_ngram: int | None
    diversity_groups: int | None
    diversity_strength: float | None
    method: Method | None
    samples: int | None
    seed: int | None
    temperature: float | None
    top_k: int | None
    top_p: float | None
    epsilon: float | None
    utility: Utility | None
    batch_size: int | None
    max_tokens: int | None
    long_input: LongInput | None
    max_input_pieces: int | None
    split_sentences: bool | None
    alignment: bool | None
    soft_alignment: bool | None
    carry_over: tuple[CarriedKind, ...] | None
    shortlist: bool | None


@dataclass(frozen=True)
class TranslationOptions:
    """How to translate; the defaults of a model are those of its recipe's `search` section.

    Attributes:
        beam: hypotheses kept per sentence; 1 is greedy search.
        length_penalty: alpha: a hypothesis of n pieces, end included, scores log p / n^alpha; 0 is log p.
        normalization: what the length penalty divides by: `power`, n^alpha, or `gnmt`, ((5 + n) / 6)^alpha.
        word_penalty: taken off the score for every piece; a negative one makes translations longer.
        coverage_penalty: weight of GNMT's coverage: source pieces that get little attention cost something.
        stopping: when a beam search of a sentence ends: `exact`, when nothing better can be found; `heuristic`, when
            nothing better is one piece away, which is sooner.
        max_length_ratio: a translation has at most this many pieces per source piece,
        max_length_offset: and this many more,
        max_length: and in no case more than this.
        min_length_ratio: a translation has at least this many pieces per source piece,
        min_length: and at least this many; a maximum length comes before that.
        no_repeat_ngram: no sequence of so many pieces occurs twice in a translation; 0 allows all.
        diversity_groups: parts of the beam that are made to differ (diverse beam search); 1 is an ordinary beam.
        diversity_strength: how much less a piece counts for every group before that has just chosen it.
        method: `beam`; `sampling`: translations are drawn from the model's distribution; `mbr`: minimum Bayes risk, of
            `samples` drawn the one that is most like all of them.
        samples: drawn per sentence by `mbr`.
        seed: of the samples; with the same seed a line draws the same at the same place of the input.
        temperature: the distribution's power is 1 / temperature; below 1 it becomes sharper.
        top_k: samples only so many most probable pieces.
        top_p: samples only the most probable pieces that have this probability together; 1 samples all.
        epsilon: samples only pieces of at least this probability.
        utility: what `mbr` compares samples by: `chrf` or `bleu`, of sentences.
        batch_size: sentences translated together; changes speed and memory only.
        max_tokens: source pieces translated together, padding included; a single longer sentence is a batch of its own.
        long_input: what becomes of a line, or a sentence of one, of more than `max_input_pieces`: split it at sentence
            ends, else clause ends, else words, and join the translations; truncate it there; or raise an error.
        max_input_pieces: longest source read at once.
        split_sentences: translate each sentence of a line by itself, and join the translations with the white space
            that stood between the sentences; a line break ends a sentence too, and stays.
        alignment: align the words and score them one by one, which takes a little time.
        soft_alignment: also keep the attention between words.
        carry_over: what is put into a translation as it stands in the source: `urls` (of mail too), `numbers` that
            became other numbers, `unknown` words, whose characters the model does not know, each in the place of the
            words that are aligned with it; and `tags`, such as `<b>`, which the model then does not see.
        shortlist: score only the pieces that the model's shortlist (`seq2seq-shortlist`) has for those of the source,
            which is faster.

    Raises:
        UsageError: a value cannot be used, or two that cannot be had together.
    """

    beam: int = 5
    length_penalty: float = 1.0
    normalization: Normalization = "power"
    word_penalty: float = 0.0
    coverage_penalty: float = 0.0
    stopping: Stopping = "exact"
    max_length_ratio: float = 2.0
    max_length_offset: int = 20
    max_length: int | None = None
    min_length_ratio: float = 0.0
    min_length: int = 0
    no_repeat_ngram: int = 0
    diversity_groups: int = 1
    diversity_strength: float = 0.5
    method: Method = "beam"
    samples: int = 100
    seed: int = 1
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    epsilon: float = 0.0
    utility: Utility = "chrf"
    batch_size: int = 64
    long_input: LongInput = "split"
    max_input_pieces: int = 200
    split_sentences: bool = False
    max_tokens: int | None = None
    alignment: bool = True
    soft_alignment: bool = False
    carry_over: tuple[CarriedKind, ...] = ()
    shortlist: bool = False

    def __post_init__(self) -> None:
        for name in ("beam", "max_length_offset", "batch_size", "max_input_pieces", "diversity_groups", "samples"):
            check_count(name, getattr(self, name))
        for name in ("max_tokens", "max_length", "top_k"):
            check_count(name, getattr(self, name))
        for name in ("min_length", "no_repeat_ngram"):
            _check_whole(name, getattr(self, name))
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or not 0 <= self.seed < 2**63:
            raise UsageError(f"seed must be a whole number from 0 to 2^63 - 1, not {self.seed!r}")
        for name, condition, holds in (
            ("length_penalty", "of 0 or more", lambda value: value >= 0.0),
            ("coverage_penalty", "of 0 or more", lambda value: value >= 0.0),
            ("word_penalty", "", lambda value: True),
            ("max_length_ratio", "above 0", lambda value: value > 0.0),
            ("min_length_ratio", "of 0 or more", lambda value: value >= 0.0),
            ("diversity_strength", "above 0", lambda value: value > 0.0),
            ("temperature", "above 0", lambda value: value > 0.0),
            ("top_p", "above 0 and not above 1", lambda value: 0.0 < value <= 1.0),
            ("epsilon", "of 0 or more, below 1", lambda value: 0.0 <= value < 1.0),
        ):
            value = getattr(self, name)
            if not (_is_number(value) and math.isfinite(value) and holds(value)):
                raise UsageError(f"{name} must be a number {condition}".rstrip() + f", not {value!r}")
        for name, choices in (
            ("long_input", ("split", "truncate", "error")),
            ("normalization", ("power", "gnmt")),
            ("stopping", ("exact", "heuristic")),
            ("method", ("beam", "sampling", "mbr")),
            ("utility", ("chrf", "bleu")),
        ):
            if getattr(self, name) not in choices:
                *others, last = choices
                raise UsageError(f"{name} must be {', '.join(others)} or {last}, not {getattr(self, name)!r}")
        if not isinstance(self.split_sentences, bool):
            raise UsageError(f"split_sentences must be True or False, not {self.split_sentences!r}")
        kinds = self.carry_over
        if isinstance(kinds, str) or not isinstance(kinds, Sequence):
            raise UsageError(f"carry_over must be a list of what is carried over, not {kinds!r}")
        for kind in kinds:
            if kind not in get_args(CarriedKind):
                raise UsageError(f"carry_over takes urls, numbers, unknown and tags, not {kind!r}")
        if self.diversity_groups > 1 and self.beam % self.diversity_groups:
            raise UsageError(
                f"a beam of {self.beam} cannot be divided into {self.diversity_groups} equal groups; choose a beam "
                "that diversity_groups divides"
            )

    @classmethod
    def from_recipe(cls, search: Search) -> TranslationOptions:
        """The options that a recipe's `search` section gives."""
        return cls(**search.model_dump())

    @property
    def reads_words(self) -> bool:
        """Whether the words of translations are looked at one by one."""
        return self.alignment or self.soft_alignment or bool(self.carry_over)

    def check_n_best(self, n_best: int | None) -> None:
        """Raise UsageError unless so many translations of a line can be had; None asks for one."""
        check_count("n_best", n_best)
        most, name = {"beam": (self.beam, "beam"), "mbr": (self.samples, "samples")}.get(self.method, (None, ""))
        if n_best is not None and most is not None and n_best > most:
            what = "the beam of" if name == "beam" else "the samples,"
            raise UsageError(f"n_best {n_best} is more than {what} {most}; raise the {name}, or ask for fewer")


def with_keywords(options: TranslationOptions, keywords: TranslationKeywords) -> TranslationOptions:
    """`options` with those of the keywords that are given.

    Raises:
        UsageError: a value cannot be used.
        TypeError: there is no such keyword.
    """
    given: dict[str, Any] = {name: value for name, value in keywords.items() if value is not None}
    return replace(options, **given)


def check_count(name: str, value: object) -> None:
    """Raise UsageError unless `value` is a whole number of 1 or more, or None."""
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise UsageError(f"{name} must be a whole number of 1 or more, not {value!r}")


def kind_of(value: object) -> str:
    """What a wrong argument is, in words that tell how to mend it."""
    if isinstance(value, (bytes, bytearray)):
        return "bytes (decode them first)"
    return "None" if value is None else f"of type {type(value).__name__}"


def _check_whole(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise UsageError(f"{name} must be a whole number of 0 or more, not {value!r}")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
