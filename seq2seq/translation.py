"""What translation gives, and what it can be asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypedDict

from seq2seq.errors import UsageError
from seq2seq.recipe import Search
from seq2seq.text.alignment import Alignment, first_words, join_alignments
from seq2seq.text.sentence_ends import has_line_break
from seq2seq.text.sentences import Part, join_parts

LongInput = Literal["split", "truncate", "error"]


@dataclass(frozen=True)
class Translation:
    """One translation of one input line.

    Attributes:
        text: the translation, one line; with `split_sentences` it keeps line breaks of the source.
        score: the log-probability divided by the number of target pieces, their end counted, to the power of the length
            penalty; 0 for an empty line.
        log_prob: natural logarithm of the translation's probability.
        pieces: the target pieces.
        piece_log_probs: log-probability of each piece, and of the end where the model set it.
        alignment: pairs (source word, target word), zero-based, words as `str.split` finds them in the raw line and in
            `text`: for every target word the source word with most attention. Empty without attention.
        finished: False when the translation was cut off at the maximum length.
        source_pieces: number of pieces that the line has.
    """

    text: str
    score: float
    log_prob: float
    pieces: tuple[str, ...]
    piece_log_probs: tuple[float, ...]
    alignment: Alignment
    finished: bool
    source_pieces: int = 0


#: The translation of a line without pieces: nothing, with certainty.
EMPTY_TRANSLATION = Translation("", 0.0, 0.0, (), (), (), True)


class TranslationKeywords(TypedDict, total=False):
    """The keywords of a translator's methods: fields of :class:`TranslationOptions`, None for the model's own value."""

    beam: int | None
    length_penalty: float | None
    max_length_ratio: float | None
    max_length_offset: int | None
    batch_size: int | None
    max_tokens: int | None
    long_input: LongInput | None
    max_input_pieces: int | None
    split_sentences: bool | None
    alignment: bool | None


@dataclass(frozen=True)
class TranslationOptions:
    """How to translate; the defaults of a model are those of its recipe's `search` section.

    Attributes:
        beam: hypotheses kept per sentence; 1 is greedy search.
        length_penalty: a hypothesis of n pieces, end included, scores log p / n^length_penalty; 0 is log p.
        max_length_ratio: a translation has at most this many pieces per source piece,
        max_length_offset: and this many more.
        batch_size: sentences translated together; changes speed and memory only.
        max_tokens: source pieces translated together, padding included; a single longer sentence is a batch of its own.
        long_input: what becomes of a line, or a sentence of one, of more than `max_input_pieces`: split it at sentence
            ends, else clause ends, else words, and join the translations; truncate it there; or raise an error.
        max_input_pieces: longest source read at once.
        split_sentences: translate each sentence of a line by itself, and join the translations with the white space
            that stood between the sentences; a line break ends a sentence too, and stays.
        alignment: align the words, which takes a little time.

    Raises:
        UsageError: a value cannot be used.
    """

    beam: int = 5
    length_penalty: float = 1.0
    max_length_ratio: float = 2.0
    max_length_offset: int = 20
    batch_size: int = 64
    long_input: LongInput = "split"
    max_input_pieces: int = 200
    max_tokens: int | None = None
    split_sentences: bool = False
    alignment: bool = True

    def __post_init__(self) -> None:
        for name in ("beam", "max_length_offset", "batch_size", "max_input_pieces", "max_tokens"):
            check_count(name, getattr(self, name))
        if not (_is_number(self.length_penalty) and 0.0 <= self.length_penalty < math.inf):
            raise UsageError(f"length_penalty must be a number of 0 or more, not {self.length_penalty!r}")
        if not (_is_number(self.max_length_ratio) and 0.0 < self.max_length_ratio < math.inf):
            raise UsageError(f"max_length_ratio must be a number above 0, not {self.max_length_ratio!r}")
        if self.long_input not in ("split", "truncate", "error"):
            raise UsageError(f"long_input must be split, truncate or error, not {self.long_input!r}")
        if not isinstance(self.split_sentences, bool):
            raise UsageError(f"split_sentences must be True or False, not {self.split_sentences!r}")

    @classmethod
    def from_recipe(cls, search: Search) -> TranslationOptions:
        """The options that a recipe's `search` section gives."""
        return cls(**search.model_dump())


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


def join_translations(
    line: str, parts: Sequence[Part], translations: Sequence[Translation], options: TranslationOptions
) -> Translation:
    """One translation of a line from those of its parts; words are counted through the whole line."""
    texts = [translation.text for translation in translations]
    text = _joined_text(texts, parts, keep_breaks=options.split_sentences)
    log_prob = math.fsum(translation.log_prob for translation in translations)
    piece_log_probs = tuple(value for translation in translations for value in translation.piece_log_probs)
    return Translation(
        text=text,
        score=log_prob / max(1, len(piece_log_probs)) ** options.length_penalty,
        log_prob=log_prob,
        pieces=tuple(piece for translation in translations for piece in translation.pieces),
        piece_log_probs=piece_log_probs,
        alignment=join_alignments(
            [translation.alignment for translation in translations],
            sources=first_words(line, [part.text for part in parts]),
            targets=first_words(text, texts),
        ),
        finished=all(translation.finished for translation in translations),
        source_pieces=sum(translation.source_pieces for translation in translations),
    )


def join_n_best(
    line: str, parts: Sequence[Part], of_parts: Sequence[Sequence[Translation]], options: TranslationOptions
) -> list[Translation]:
    """The k-th translation of a line is made of the k-th of every part, or of the last where a part has fewer."""
    if len(parts) == 1 and not parts[0].separator:
        return list(of_parts[0])
    count = max(len(translations) for translations in of_parts)
    return [
        join_translations(line, parts, [found[min(k, len(found) - 1)] for found in of_parts], options)
        for k in range(count)
    ]


def _joined_text(texts: Sequence[str], parts: Sequence[Part], *, keep_breaks: bool) -> str:
    """Texts and separators of a line's parts; a part without translation leaves no gap, only a line break if kept."""
    kept = [
        (text, part)
        for text, part in zip(texts, parts, strict=True)
        if text or (keep_breaks and has_line_break(part.separator))
    ]
    joined = join_parts([text for text, _ in kept], [part for _, part in kept])
    if not keep_breaks:
        return joined.replace("\n", " ").strip()
    opening, closing = len(joined) - len(joined.lstrip()), len(joined.rstrip())
    before, after = joined[:opening], joined[max(opening, closing) :]
    return (
        (before if has_line_break(before) else "") + joined[opening:closing] + (after if has_line_break(after) else "")
    )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
